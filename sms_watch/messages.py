"""What happened, in words: one message for all notices of a run. Pure.

A message has a subject, an e-mail text, a short text for text messages, and JSON for web hooks.
The limits are those of SMN (API reference, "Publishing a message"): a subject below 512 bytes, a
text message of 490 characters without ``[]``, and 256 KB in all.
"""

from __future__ import annotations

import bisect
import itertools
import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import (
    Any,
    Callable,
    Dict,
    FrozenSet,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from sms_watch.error_codes import Code, explain
from sms_watch.model import (
    Action,
    ErrorClass,
    Kind,
    Message,
    Notice,
    Outcome,
    Phase,
    Reason,
    Standing,
    Task,
    TaskState,
)
from sms_watch.remind import MOST_REMINDERS

MAX_SUBJECT = 511  # bytes
MAX_SHORT = 490  # characters
# Bytes of the whole, JSON within JSON and every letter outside ASCII escaped: which way SMN counts
# its 256 KB is documented nowhere, so the longest is counted.
MAX_MESSAGE = 256_000
ROOM = MAX_MESSAGE - 6_000  # for subject, short text, and what frames the rest
MOST_AT_ONCE = 20  # notices about one task in one paragraph
MAX_NAME = 64  # characters of a text from outside
MAX_CODE = 12
MAX_DETAIL = 200
BAR = 20

WORST_FIRST = {kind: rank for rank, kind in enumerate(Kind)}
# What is over for a task once these are told of it; a rest ends whatever was told before.
ENDS: Mapping[Kind, FrozenSet[Kind]] = {
    Kind.RESUMED: frozenset(
        {Kind.FAILED, Kind.NEEDS_PERSON, Kind.REMINDER, Kind.UNKNOWN_STATE, Kind.PAUSED, Kind.GONE}
    ),
    Kind.MOVING: frozenset({Kind.STALLED, Kind.REMINDER}),
    Kind.CONNECTED: frozenset({Kind.DISCONNECTED}),
    Kind.PAUSED: frozenset(Kind),
    Kind.FINISHED: frozenset(Kind),
    Kind.GONE: frozenset(Kind),
}
OF_THE_AGENT = frozenset({Kind.DISCONNECTED, Kind.CONNECTED})
NO_TASK = Task("", "", "")  # for a notice that has lost its own
NO_BRACKETS = str.maketrans("[]【】", "()()")


@dataclass(frozen=True)
class Imprint:
    """What a message says of itself: the run, the moment, the zone of its times, the console."""

    run: str
    at: datetime
    zone: tzinfo
    console: str


def compose(notices: Sequence[Notice], imprint: Imprint) -> Message:
    """Make one message of the notices, worst first, one paragraph for each task.

    When all of it is too large, the paragraphs that matter less shrink to a line; when even
    that is too large the rest is left out. ``event_ids`` of the message says what is in it.
    """
    items = sorted(_items(notices), key=_Item.rank)
    parts = [_Part.of(item, imprint) for item in items]
    lean = list(itertools.accumulate(part.lean for part in parts))
    told = max(bisect.bisect_right(lean, ROOM), 1)
    more = list(itertools.accumulate(part.full - part.lean for part in parts[:told]))
    in_full = bisect.bisect_right(more, ROOM - lean[told - 1])
    return _message(parts[:told], in_full, imprint)


def structure(message: Message) -> str:
    """Give SMN's ``message_structure``: a string that holds JSON with a text per protocol."""
    texts = {
        "default": message.email,
        "email": message.email,
        "sms": message.short,
        "http": message.web,
        "https": message.web,
    }
    return json.dumps(texts)


def clean(text: str, limit: int = MAX_NAME) -> str:
    """Make a text from outside safe to show: one line, nothing invisible, cut at a character."""
    text = text[: 4 * limit]
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."


# One task, or the watching itself


@dataclass(frozen=True)
class _Item:
    """All notices about one task, or about the watching, in the order of what happened."""

    notices: Tuple[Notice, ...]

    def main(self) -> Notice:
        """The notice that names the state of things: the worst that is not over, the newest."""
        open_: List[Notice] = []
        for notice in self.notices:
            over = ENDS.get(notice.kind, frozenset())
            open_ = [notice, *(each for each in open_ if each.kind not in over)]
        return min(open_, key=lambda notice: WORST_FIRST[notice.kind])

    def rank(self) -> int:
        return WORST_FIRST[self.main().kind]

    def task(self) -> Optional[Task]:
        return self.notices[-1].task

    def failure(self) -> Optional[Notice]:
        """The newest notice of a failure, which knows code and attempts."""
        failures = [n for n in self.notices if n.error_class is not None]
        return failures[-1] if failures else None

    def told(self) -> Iterator[Notice]:
        """The notices that need a sentence: a failure that was mended at once says it all."""
        mended = False
        for notice in self.notices:
            if not (mended and notice.kind is Kind.RESUMED):
                yield notice
            if notice.kind is Kind.FAILED:
                mended = notice.outcome is Outcome.RUNNING

    def title(self) -> str:
        main, kinds = self.main(), {notice.kind for notice in self.notices}
        if main.kind is Kind.DIGEST:
            return _census(main)
        if main.kind is Kind.RESUMED:
            if main.count:
                return "has settled"
            return "failed and is running again" if Kind.FAILED in kinds else "is running again"
        if main.kind is Kind.FAILED:
            return "is flapping" if main.count else "failed" + _what_is_done(main)
        if main.kind is Kind.REMINDER and _runs(main):
            return "still does not move"
        if main.kind is Kind.GONE and _never_seen(main):
            return "does not exist"
        return TITLES[main.kind]

    def name(self) -> str:
        if self.main().kind is Kind.DIGEST:
            return "digest:"
        task = self.task()
        return clean(task.name) or task.id if task else "the watchdog"


def _census(digest: Notice) -> str:
    """Count the tasks of a digest: ``3 tasks, 1 failed, 2 running``."""
    words = [_word(each) for each in digest.standings]
    number = len(words) + digest.more
    counts = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    return ", ".join([f"{number} task" + ("" if number == 1 else "s"), *counts])


def _word(standing: Standing) -> str:
    task = standing.task
    if standing.still is not None:
        return "standing still"
    if task.state == TaskState.SYNCING:
        return "synchronising"
    return PHASE_WORDS.get(task.phase) or clean(task.state)


PHASE_WORDS: Mapping[Phase, str] = {
    Phase.READY: "ready",
    Phase.MOVING: "running",
    Phase.FAILED: "failed",
    Phase.PAUSED: "paused",
    Phase.FINISHED: "finished",
    Phase.BUSY: "busy",
    Phase.ROLLED_BACK: "rolled back",
}


def _what_is_done(failed: Notice) -> str:
    if failed.action is Action.START:
        return START_TITLES[failed.outcome] if failed.outcome else ""
    return ", waiting" if failed.action is Action.WAIT else ""


START_TITLES: Mapping[Outcome, str] = {
    Outcome.RUNNING: ", started again",
    Outcome.DONE: ", started again",
    Outcome.REFUSED: ", start refused",
    Outcome.FAILED: ", start not sent",
    Outcome.UNKNOWN: ", start not answered",
    Outcome.SKIPPED: ", waiting",
}
TITLES: Mapping[Kind, str] = {
    Kind.NEEDS_PERSON: "needs a person",
    Kind.BLIND: "is blind",
    Kind.MEMORY_LOST: "has lost its memory",
    Kind.GONE: "is gone",
    Kind.UNKNOWN_STATE: "is in an unknown state",
    Kind.PAUSED: "is paused",
    Kind.SEES_AGAIN: "sees again",
    Kind.FINISHED: "is finished",
    Kind.TEST: "sends a test message",
    Kind.STALLED: "stands still",
    Kind.MOVING: "moves again",
    Kind.DISCONNECTED: "has lost its agent",
    Kind.CONNECTED: "has its agent back",
    Kind.REMINDER: "still needs a person",
}


def _items(notices: Sequence[Notice]) -> Iterator[_Item]:
    groups: Dict[str, List[Notice]] = {}
    for notice in notices:
        about = notice.task.id if notice.task else f"*{notice.kind}"
        groups.setdefault(about, []).append(notice)
    for group in groups.values():
        group.sort(key=lambda notice: notice.at)
        for start in range(0, len(group), MOST_AT_ONCE):
            yield _Item(tuple(group[start : start + MOST_AT_ONCE]))


# The forms of a message


@dataclass(frozen=True)
class _Part:
    """One item in words, and how many bytes it adds to a message, in full and as a line."""

    item: _Item
    paragraph: str
    line: str
    web: Tuple[Mapping[str, Any], ...]
    full: int
    lean: int

    @classmethod
    def of(cls, item: _Item, imprint: Imprint) -> _Part:
        paragraph = _paragraph(item, imprint)
        line = f"- {_headline(item)}, event {item.main().event_id}"
        web = tuple(_web_notice(notice, imprint) for notice in item.notices)
        # The e-mail text stands in a message twice, the text for web hooks as well.
        both = 2 * _bytes(json.dumps(web))
        return cls(
            item,
            paragraph,
            line,
            web,
            2 * _bytes(paragraph) + both,
            2 * _bytes(line) + both,
        )


def _bytes(text: str) -> int:
    return len(json.dumps(json.dumps(text)))


def _message(parts: Sequence[_Part], in_full: int, imprint: Imprint) -> Message:
    items = [part.item for part in parts]
    return Message(
        _subject(items),
        _email(parts, in_full, imprint),
        _short(items, imprint),
        json.dumps(
            {
                "version": 1,
                "run": clean(imprint.run),
                "notices": [notice for part in parts for notice in part.web],
            }
        ),
        tuple(notice.event_id for item in items for notice in item.notices),
    )


def _subject(items: Sequence[_Item]) -> str:
    worst = items[0].main()
    more = f", and {len(items) - 1} more" if len(items) > 1 else ""
    text = f"sms_watch {worst.level}: {_headline(items[0])}{more} - {worst.event_id}"
    return text.encode()[:MAX_SUBJECT].decode(errors="ignore")


def _headline(item: _Item) -> str:
    failure = item.failure()
    code = _shown_code(failure.task or NO_TASK) if failure else ""
    return f"{item.name()} {item.title()}" + (f" ({code})" if code else "")


def _shown_code(task: Task) -> str:
    return clean(task.code, MAX_CODE) if task.code.startswith("SMS.") else ""


def _email(parts: Sequence[_Part], in_full: int, imprint: Imprint) -> str:
    paragraphs = [part.paragraph for part in parts[:in_full]]
    if parts[in_full:]:
        paragraphs.append("\n".join(part.line for part in parts[in_full:]))
    paragraphs.append(
        f"SMS console: {imprint.console}\n"
        f"Sent by sms_watch at {_when(imprint.at, imprint)}, run {clean(imprint.run)}."
    )
    return "\n\n".join(paragraphs) + "\n"


def _paragraph(item: _Item, imprint: Imprint) -> str:
    main, heading = item.main(), _headline(item)
    said = " ".join(_said(item, imprint))
    facts = [*_facts(item, imprint), ("Event", ", ".join(n.event_id for n in item.notices))]
    table = [f"  {name:<11} {text}" for name, text in facts if text]
    rows = [_row(each, imprint) for each in main.standings]
    if main.more:
        rows.append(f"  and {main.more} more")
    return "\n".join([heading, "-" * len(heading), said, *rows, *table])


def _said(item: _Item, imprint: Imprint) -> List[str]:
    """Give the sentences about an item; what is done about a failure is said once."""
    said: List[str] = []
    for notice in item.told():
        text, remedy = _sentence(notice, imprint), _remedy(notice, imprint)
        if notice.kind in OF_THE_AGENT and remedy and any(remedy in each for each in said):
            text = text.replace(remedy, "").rstrip()
        said.append(text)
    return said


def _short(items: Sequence[_Item], imprint: Imprint) -> str:
    head, tail = "sms_watch: ", f". {_when(imprint.at, imprint)}"
    text = ""
    for index, item in enumerate(items):
        longer = text + ("; " if text else "") + _headline(item)
        left = len(items) - index - 1
        more = f"; {left} more" if left else ""
        if text and len(head + longer + more + tail) > MAX_SHORT:
            text += f"; {left + 1} more"
            break
        text = longer
    return (head + text + tail).translate(NO_BRACKETS)[:MAX_SHORT]


def _web_notice(notice: Notice, imprint: Imprint) -> Mapping[str, Any]:
    task = notice.task
    return {
        "event_id": notice.event_id,
        "kind": notice.kind,
        "level": notice.level,
        "task_id": task.id if task else None,
        "task_name": clean(task.name) if task else None,
        "state": clean(task.state) if task else None,
        "code": clean(task.code, MAX_CODE) if task else None,
        "at": notice.at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z"),
        "text": _counted(notice) + _sentence(notice, imprint),
    }


def _counted(notice: Notice) -> str:
    """Begin the text of a digest with its counts, which an e-mail has as its heading."""
    return f"{_census(notice)}. " if notice.kind is Kind.DIGEST else ""


# The facts of a task


def _facts(item: _Item, imprint: Imprint) -> List[Tuple[str, str]]:
    task = item.task()
    if task is None:
        return []
    return [
        ("Task", ", ".join(filter(None, (clean(task.name), task.id)))),
        ("Servers", _servers(task)),
        *_error(item.failure()),
        ("Progress", _progress(task)),
        ("Starts", _starts(item.main(), imprint)),
    ]


def _servers(task: Task) -> str:
    if not (task.source or task.target):
        return ""
    return f"{clean(task.source) or 'unknown'} -> {clean(task.target) or 'unknown'}"


def _error(failure: Optional[Notice]) -> List[Tuple[str, str]]:
    if failure is None:
        return []
    code = _code(failure)
    about = clean(", ".join((failure.task or NO_TASK).error_params), MAX_DETAIL)
    shown = f"{code.code} ({about}): " if about else f"{code.code}: "
    return [("Error", (shown if code.code else "") + code.gist), ("What to do", code.advice)]


def _code(notice: Notice) -> Code:
    task = notice.task or NO_TASK
    # No advice speaks of starts where there are none.
    off = notice.reason is Reason.STARTS_OFF
    error_class = ErrorClass.HUMAN if off else notice.error_class or ErrorClass.UNKNOWN
    code = _shown_code(task)
    return explain(code, task.type, {code: error_class})


def _progress(task: Task) -> str:
    percent = task.progress.percent
    if percent is None and not task.progress.sub_task:
        return ""
    bar = _bar(percent)
    parts = (bar, clean(task.progress.sub_task), _speed(task), _left(task))
    return ", ".join(part for part in parts if part)


def _speed(task: Task) -> str:
    # What does not run may still be shown with the speed that it had.
    return f"{task.speed:.0f} Mbit/s" if task.speed and task.phase is Phase.MOVING else ""


def _left(task: Task) -> str:
    """Say how long the rest takes, or that nobody can tell; what does not run has no such time."""
    if task.state != TaskState.RUNNING:
        return ""
    if task.remaining is None:
        return "time left unknown"
    return f"about {duration(timedelta(seconds=task.remaining))} left"


def _row(standing: Standing, imprint: Imprint) -> str:
    """Give the line of a task in a digest."""
    task, percent = standing.task, standing.task.progress.percent
    lost = timedelta(seconds=standing.lost)
    since = f" since {_when(standing.still, imprint)}" if standing.still else ""
    parts = [
        _word(standing) + since,
        _shown_code(task),
        "agent away" if task.connected is False else "",
        _bar(percent) if percent is not None else "",
        clean(task.progress.sub_task),
        _speed(task),
        _left(task),
        _times(standing.starts, "start") if standing.starts else "",
        f"{duration(lost)} lost" if lost >= timedelta(minutes=1) else "",
    ]
    facts = ", ".join(part for part in parts if part)
    return f"  {clean(task.name) or task.id}: {facts}"


def _times(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _bar(percent: Optional[int]) -> str:
    filled = BAR * (percent or 0) // 100
    return f"[{'#' * filled}{'.' * (BAR - filled)}] {'?' if percent is None else percent} %"


def _starts(notice: Notice, imprint: Imprint) -> str:
    if not notice.attempt:
        return ""
    # One that waits speaks of the start that comes next.
    made = notice.attempt - 1 if notice.action is Action.WAIT else notice.attempt
    of = ", tried until it runs" if notice.cap is None else f" of {notice.cap}"
    text = f"{made}{of}"
    if notice.next_try is not None:
        text += f", next try not before {_when(notice.next_try, imprint)}"
    return text


# Sentences


def _sentence(notice: Notice, imprint: Imprint) -> str:
    return SENTENCES[notice.kind](notice, imprint)


def _say_failed(notice: Notice, imprint: Imprint) -> str:
    state = _state(notice)
    if notice.count:
        told = (
            f"It failed {notice.count} times within an hour and came back in between. From now on"
            " its failures and returns are not told one by one: you hear when it has held out for"
            " an hour, when it stays failed, or when a person is needed."
        )
    elif notice.since is not None and notice.since < notice.at:
        told = (
            "It was flapping and comes back no more: it has stood failed"
            f" ({state}) since {_when(notice.since, imprint)}."
        )
    else:
        told = f"It failed ({state}, seen at {_when(notice.at, imprint)})."
    return f"{told} {_remedy(notice, imprint)}".rstrip()


def _remedy(notice: Notice, imprint: Imprint) -> str:
    next_try = f" at {_when(notice.next_try, imprint)}" if notice.next_try else " in the next run"
    if notice.action is Action.START:
        detail = f" ({clean(notice.detail, MAX_DETAIL)})" if notice.detail else ""
        said = START_SENTENCES[notice.outcome] if notice.outcome else ""
        return said.format(start=_which_start(notice), detail=detail, next=next_try)
    return REMEDY_SENTENCES.get(notice.reason or Reason.MENDABLE, "").format(next=next_try)


def _which_start(notice: Notice) -> str:
    return f"start {notice.attempt}" + (f" of {notice.cap}" if notice.cap is not None else "")


START_SENTENCES: Mapping[Outcome, str] = {
    Outcome.RUNNING: "It was started again ({start}) and seen running at once.",
    Outcome.DONE: "Its start was accepted ({start}); that it runs is told when it is seen.",
    Outcome.REFUSED: "Its start was refused{detail}; the next try is{next}.",
    Outcome.FAILED: "Its start could not be sent{detail}; the next try is{next}.",
    Outcome.UNKNOWN: "It was sent a start ({start}) without an answer{detail}; the next run looks.",
    Outcome.SKIPPED: "The run had no time left to start it; the next run does.",
}
REMEDY_SENTENCES: Mapping[Reason, str] = {
    Reason.GRACE: "The SMS agent may recover by itself; if not, it is started{next}.",
    Reason.DISCONNECTED: "The task waits for its agent, which is away: it is started when the"
    " agent is back, and tried{next} all the same.",
    Reason.BACKOFF: "It is started{next}.",
    Reason.NOT_REACHED: "It could not be looked at by itself in this run; its turn comes next.",
    Reason.RUN_LIMIT: "As many tasks as allowed were started in this run; its turn comes next.",
}


def _say_needs_person(notice: Notice, imprint: Imprint) -> str:
    said = PERSON_SENTENCES.get(notice.reason or Reason.NOT_MENDABLE, TRIED_ON)
    return said.format(starts=notice.attempt)


TRIED_ON = (
    "Its starts have not helped so far. It is tried on, at the longest wait, but please look."
)
PERSON_SENTENCES: Mapping[Reason, str] = {
    Reason.NOT_MENDABLE: "A start cannot mend this: a person is needed.",
    Reason.ATTEMPTS_SPENT: "No start has helped ({starts} made) and no more follow: a person is"
    " needed.",
    Reason.STARTS_OFF: "Starting is switched off (RESUME_MAX_ATTEMPTS is 0): a person has to start"
    " it in the SMS console.",
    Reason.ROLLED_BACK: "Its synchronisation failed and was rolled back: a person is needed,"
    " who looks at its error in the SMS console.",
}


def _say_resumed(notice: Notice, imprint: Imprint) -> str:
    if notice.count:
        return f"It has been running for an hour now, after failing {notice.count} times."
    stood = notice.at - notice.since if notice.since else timedelta(0)
    after = f", {duration(stood)} after it failed" if stood >= timedelta(minutes=1) else ""
    return f"It was seen running again at {_when(notice.at, imprint)}{after}."


def _say_paused(notice: Notice, imprint: Imprint) -> str:
    return f"A person paused it ({_state(notice)}). It is left alone until a person starts it."


def _say_finished(notice: Notice, imprint: Imprint) -> str:
    return f"It is finished ({_state(notice)})."


def _say_gone(notice: Notice, imprint: Imprint) -> str:
    if _never_seen(notice):
        return (
            "SMS has no task with this id (SMS.7703), and none was ever seen. Correct it in"
            " SMS_TASK_IDS, which takes the ids of tasks, not those of servers."
        )
    return (
        "SMS has no such task (SMS.7703). If it was deleted on purpose, there is nothing to do, but"
        " take its id out of SMS_TASK_IDS if it stands there."
    )


def _never_seen(notice: Notice) -> bool:
    """Tell whether nothing is known of a task that does not exist, not even its name."""
    return notice.task is not None and not notice.task.name


def _say_unknown_state(notice: Notice, imprint: Imprint) -> str:
    return f"Its state, {_state(notice)!r}, is not one that sms_watch knows. It is left alone."


def _state(notice: Notice) -> str:
    return clean((notice.task or NO_TASK).state)


def _say_blind(notice: Notice, imprint: Imprint) -> str:
    since = f" since {_when(notice.since, imprint)}" if notice.since else ""
    detail = clean(notice.detail, MAX_DETAIL)
    reason = f" The reason: {detail.rstrip('.')}." if detail else ""
    return (
        f"No task could be read{since}, so failed ones are neither seen nor started.{reason}"
        " It is tried again in every run, and you hear when it works."
        " If this lasts, look at the keys or the agency, and at whether SMS itself works."
    )


def _say_sees_again(notice: Notice, imprint: Imprint) -> str:
    blind = notice.at - notice.since if notice.since else timedelta(0)
    return (
        f"Tasks can be read again since {_when(notice.at, imprint)}, after {duration(blind)}."
        " What happened in between is told as well, if anything did."
    )


def _say_stalled(notice: Notice, imprint: Imprint) -> str:
    return (
        f"It is {_state(notice)}, but neither its sub-task nor its percentage nor its bytes have"
        f" moved since {_moment(notice.since, imprint)}{_at_place(notice)}. {STALL_ADVICE}"
    )


STALL_ADVICE = (
    "It is not started or stopped by sms_watch: look at the agent on the source and at the line;"
    " if nothing helps, pause it and start it in the console."
)


def _runs(notice: Notice) -> bool:
    return (notice.task or NO_TASK).phase is Phase.MOVING


def _at_place(notice: Notice) -> str:
    progress = (notice.task or NO_TASK).progress
    if not progress.sub_task:
        return ""
    at = f" at {progress.percent} %" if progress.percent is not None else ""
    return f" ({clean(progress.sub_task)}{at})"


def _say_moving(notice: Notice, imprint: Imprint) -> str:
    still = notice.at - notice.since if notice.since else timedelta(0)
    return f"It moves again, after it had stood still for {duration(still)}."


def _say_disconnected(notice: Notice, imprint: Imprint) -> str:
    told = (
        "The SMS agent on its source is away: see that the source is up, that the agent runs, and"
        " that it reaches SMS on port 443."
    )
    if _runs(notice):
        return f"{told} Should the task fail, it is started when the agent is back."
    return f"{told} {_remedy(notice, imprint)}".rstrip()


def _say_connected(notice: Notice, imprint: Imprint) -> str:
    seen = _when(notice.at, imprint)
    told = f"The SMS agent on its source was seen connected again at {seen}."
    return f"{told} {_remedy(notice, imprint)}".rstrip()


def _say_reminder(notice: Notice, imprint: Imprint) -> str:
    last = (
        f" This is reminder {notice.count} of {MOST_REMINDERS}, the last: no more follow, though it"
        " stands open."
        if notice.count >= MOST_REMINDERS
        else f" This is reminder {notice.count} of {MOST_REMINDERS}."
    )
    stood = f", {duration(notice.at - notice.since)} by now" if notice.since else ""
    since = f"{_moment(notice.since, imprint)}{stood}"
    if _runs(notice):
        return f"It has not moved since {since}. {STALL_ADVICE}{last}"
    return f"It has stood failed since {since}. {_say_needs_person(notice, imprint)}{last}"


def _say_digest(notice: Notice, imprint: Imprint) -> str:
    starts = sum(each.starts for each in notice.standings)
    lost = timedelta(seconds=sum(each.lost for each in notice.standings))
    stood = f"{duration(lost)} lost" if lost >= timedelta(minutes=1) else "no time lost"
    since = f"Since {_when(notice.since, imprint)}" if notice.since else "So far"
    among = f" among the {len(notice.standings)} tasks listed" if notice.more else ""
    unread = f" {clean(notice.detail, MAX_DETAIL)}" if notice.detail else ""
    return f"{since}{among}: {_times(starts, 'start')}, {stood} by standing failed.{unread}"


def _moment(moment: Optional[datetime], imprint: Imprint) -> str:
    return _when(moment, imprint) if moment else "it was first seen"


def _say_memory_lost(notice: Notice, imprint: Imprint) -> str:
    return (
        "A part of the journal could not be read. Starts are counted from zero again, and what"
        " was told before may be told once more. The tasks are watched as before."
    )


def _say_test(notice: Notice, imprint: Imprint) -> str:
    return "This is the test message that was asked for. Messages reach you."


SENTENCES: Mapping[Kind, Callable[[Notice, Imprint], str]] = {
    Kind.FAILED: _say_failed,
    Kind.NEEDS_PERSON: _say_needs_person,
    Kind.RESUMED: _say_resumed,
    Kind.PAUSED: _say_paused,
    Kind.FINISHED: _say_finished,
    Kind.GONE: _say_gone,
    Kind.UNKNOWN_STATE: _say_unknown_state,
    Kind.BLIND: _say_blind,
    Kind.SEES_AGAIN: _say_sees_again,
    Kind.MEMORY_LOST: _say_memory_lost,
    Kind.TEST: _say_test,
    Kind.STALLED: _say_stalled,
    Kind.MOVING: _say_moving,
    Kind.DISCONNECTED: _say_disconnected,
    Kind.CONNECTED: _say_connected,
    Kind.REMINDER: _say_reminder,
    Kind.DIGEST: _say_digest,
}


def _when(moment: datetime, imprint: Imprint) -> str:
    local = moment.astimezone(imprint.zone)
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M} {offset[:3]}:{offset[3:5]}"


def duration(span: timedelta) -> str:
    """Say a span in words: ``1 d 3 h``, ``5 h 25 min``."""
    minutes = round(span.total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    shown = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(shown[:2]) or "less than a minute"
