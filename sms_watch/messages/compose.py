"""What happened, in words: one message for all notices of a run. Pure.

A message has a subject, an e-mail text, a short text for text messages, and JSON for web hooks.
The limits are those of SMN (API reference, "Publishing a message"): a subject below 512 bytes, a
text message of 490 characters without ``[]``, and 256 KB in all.
"""

from __future__ import annotations

import bisect
import itertools
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import (
    Any,
    Dict,
    FrozenSet,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from sms_watch.messages.sentences import NO_TASK, never_seen, remedy, runs, sentence
from sms_watch.model.notice import Action, Kind, Message, Notice, Outcome, Reason, Standing
from sms_watch.model.task import ErrorClass, Phase, Task, TaskState
from sms_watch.rules.error_codes import Code, explain
from sms_watch.text import MAX_DETAIL, bar, clean, count, duration, when

MAX_SUBJECT = 511  # bytes
MAX_SHORT = 490  # characters
# Bytes of the whole, JSON within JSON and every letter outside ASCII escaped: which way SMN counts
# its 256 KB is documented nowhere, so the longest is counted.
MAX_MESSAGE = 256_000
ROOM = MAX_MESSAGE - 6_000  # for subject, short text, and what frames the rest
MOST_AT_ONCE = 20  # notices about one task in one paragraph
MAX_CODE = 12
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
NO_BRACKETS = str.maketrans("[]【】", "()()")


@dataclass(frozen=True)
class RunContext:
    """What a message says of its run: the id, the moment, the zone of its times, the console."""

    run: str
    at: datetime
    zone: tzinfo
    console: str


def compose(notices: Sequence[Notice], context: RunContext) -> Message:
    """Make one message of the notices, worst first, one paragraph for each task.

    When all of it is too large, the paragraphs that matter less shrink to a line; when even
    that is too large the rest is left out. ``event_ids`` of the message says what is in it.
    """
    items = sorted(_items(notices), key=_Item.rank)
    parts = [_Part.of(item, context) for item in items]
    lean = list(itertools.accumulate(part.lean for part in parts))
    told = max(bisect.bisect_right(lean, ROOM), 1)
    more = list(itertools.accumulate(part.full - part.lean for part in parts[:told]))
    in_full = bisect.bisect_right(more, ROOM - lean[told - 1])
    return _message(parts[:told], in_full, context)


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
        if main.kind is Kind.REMINDER and runs(main):
            return "still does not move"
        if main.kind is Kind.GONE and never_seen(main):
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
    return ", ".join([count(number, "task"), *counts])


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
    def of(cls, item: _Item, context: RunContext) -> _Part:
        paragraph = _paragraph(item, context)
        line = f"- {_headline(item)}, event {item.main().event_id}"
        web = tuple(_web_notice(notice, context) for notice in item.notices)
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


def _message(parts: Sequence[_Part], in_full: int, context: RunContext) -> Message:
    items = [part.item for part in parts]
    return Message(
        _subject(items),
        _email(parts, in_full, context),
        _short(items, context),
        json.dumps(
            {
                "version": 1,
                "run": clean(context.run),
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


def _email(parts: Sequence[_Part], in_full: int, context: RunContext) -> str:
    paragraphs = [part.paragraph for part in parts[:in_full]]
    if parts[in_full:]:
        paragraphs.append("\n".join(part.line for part in parts[in_full:]))
    paragraphs.append(
        f"SMS console: {context.console}\n"
        f"Sent by sms_watch at {when(context.at, context.zone)}, run {clean(context.run)}."
    )
    return "\n\n".join(paragraphs) + "\n"


def _paragraph(item: _Item, context: RunContext) -> str:
    main, heading = item.main(), _headline(item)
    said = " ".join(_said(item, context))
    facts = [*_facts(item, context), ("Event", ", ".join(n.event_id for n in item.notices))]
    table = [f"  {name:<11} {text}" for name, text in facts if text]
    rows = [_row(each, context) for each in main.standings]
    if main.more:
        rows.append(f"  and {main.more} more")
    return "\n".join([heading, "-" * len(heading), said, *rows, *table])


def _said(item: _Item, context: RunContext) -> List[str]:
    """Give the sentences about an item; what is done about a failure is said once."""
    said: List[str] = []
    for notice in item.told():
        text, done = sentence(notice, context.zone), remedy(notice, context.zone)
        if notice.kind in OF_THE_AGENT and done and any(done in each for each in said):
            text = text.replace(done, "").rstrip()
        said.append(text)
    return said


def _short(items: Sequence[_Item], context: RunContext) -> str:
    head, tail = "sms_watch: ", f". {when(context.at, context.zone)}"
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


def _web_notice(notice: Notice, context: RunContext) -> Mapping[str, Any]:
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
        "text": _counted(notice) + sentence(notice, context.zone),
    }


def _counted(notice: Notice) -> str:
    """Begin the text of a digest with its counts, which an e-mail has as its heading."""
    return f"{_census(notice)}. " if notice.kind is Kind.DIGEST else ""


# The facts of a task


def _facts(item: _Item, context: RunContext) -> List[Tuple[str, str]]:
    task = item.task()
    if task is None:
        return []
    return [
        ("Task", ", ".join(filter(None, (clean(task.name), task.id)))),
        ("Servers", _servers(task)),
        *_error(item.failure()),
        ("Progress", _progress(task)),
        ("Starts", _starts(item.main(), context)),
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
    parts = (_bar(percent), clean(task.progress.sub_task), _speed(task), _left(task))
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


def _row(standing: Standing, context: RunContext) -> str:
    """Give the line of a task in a digest."""
    task, percent = standing.task, standing.task.progress.percent
    lost = timedelta(seconds=standing.lost)
    since = f" since {when(standing.still, context.zone)}" if standing.still else ""
    parts = [
        _word(standing) + since,
        _shown_code(task),
        "agent away" if task.connected is False else "",
        _bar(percent) if percent is not None else "",
        clean(task.progress.sub_task),
        _speed(task),
        _left(task),
        count(standing.starts, "start") if standing.starts else "",
        f"{duration(lost)} lost" if lost >= timedelta(minutes=1) else "",
    ]
    facts = ", ".join(part for part in parts if part)
    return f"  {clean(task.name) or task.id}: {facts}"


def _bar(percent: Optional[int]) -> str:
    return f"{bar(percent, BAR)} {'?' if percent is None else percent} %"


def _starts(notice: Notice, context: RunContext) -> str:
    if not notice.attempt:
        return ""
    # One that waits speaks of the start that comes next.
    made = notice.attempt - 1 if notice.action is Action.WAIT else notice.attempt
    of = ", tried until it runs" if notice.cap is None else f" of {notice.cap}"
    text = f"{made}{of}"
    if notice.next_try is not None:
        text += f", next try not before {when(notice.next_try, context.zone)}"
    return text
