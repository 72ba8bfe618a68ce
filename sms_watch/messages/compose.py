"""What happened, in words: one message for all notices of a run. Pure.

A message has a subject, an e-mail text, a short text for text messages, JSON for web hooks, and a
default text for everything else, such as chat robots. The limits are those of SMN (API reference,
"Publishing a message"): a subject below 512 bytes, a text message of 490 characters without
``[]``, and 256 KB in all; of the robots WeCom takes least, 2,048 bytes of text.
"""

from __future__ import annotations

import bisect
import itertools
import json
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

from sms_watch.messages.sentences import NO_TASK, digest_title, remedy, row_state, sentence, title
from sms_watch.model.notice import Action, DigestRow, Kind, Message, Notice, Reason
from sms_watch.model.task import ErrorClass, Phase, Task, TaskState
from sms_watch.rules.error_codes import Code, Help, look_up
from sms_watch.text import MAX_DETAIL, bar, clean, count, duration, when

MAX_SUBJECT = 511  # bytes
MAX_SHORT = 490  # characters
MAX_DEFAULT = 2_000  # bytes
# Bytes of the whole, JSON within JSON and every letter outside ASCII escaped: which way SMN counts
# its 256 KB is documented nowhere, so the longest is counted.
MAX_MESSAGE = 256_000
FRAME = 5_000  # for what stands around the texts, and one more line in those cut to a limit
MOST_AT_ONCE = 20  # notices about one task in one paragraph
MAX_PART = 200_000  # bytes that a part adds as a line; whatever else it says, a message has room
MAX_CODE = 12
BAR = 20

WORST_FIRST = {kind: rank for rank, kind in enumerate(Kind)}
# What is over for a task once these are told of it, besides what they end; a rest ends whatever
# was told before.
SUPERSEDES: Mapping[Kind, FrozenSet[Kind]] = {
    Kind.RESUMED: frozenset({Kind.REMINDER, Kind.UNKNOWN_STATE, Kind.PAUSED, Kind.GONE}),
    Kind.MOVING: frozenset({Kind.REMINDER}),
    Kind.PAUSED: frozenset(Kind),
    Kind.FINISHED: frozenset(Kind),
    Kind.GONE: frozenset(Kind),
}
OF_THE_AGENT = frozenset({Kind.DISCONNECTED, Kind.CONNECTED})
CALLS = frozenset({Kind.NEEDS_PERSON, Kind.REMINDER})
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
    parts = [part for item in _items(notices) for part in _parts(item, context)]
    parts.sort(key=lambda part: part.item.rank())
    room = MAX_MESSAGE - FRAME - sum(map(_bytes, _around(parts, context)))
    lean = list(itertools.accumulate(part.lean for part in parts))
    told = max(bisect.bisect_right(lean, room), 1)
    more = list(itertools.accumulate(part.full - part.lean for part in parts[:told]))
    in_full = bisect.bisect_right(more, room - lean[told - 1])
    return _message(parts[:told], in_full, context)


def compose_bare(notice: Notice, context: RunContext) -> Message:
    """Make a message that says no more of a notice than what kind it is of, and its ids."""
    about = f"task {notice.task.id}" if notice.task else "the watchdog"
    text = (
        f"sms_watch {notice.level}: {notice.kind}, {about}, event {notice.event_id}. SMN refused"
        " the text of this notice."
    )
    web = {**_web_notice(notice.lean(), context), "task_name": None, "state": None, "text": ""}
    return Message(text, text, text, text, _web([web], context), (notice.event_id,))


# One task, or the watching itself


@dataclass(frozen=True)
class _Item:
    """All notices about one task, or about the watching, in the order of what happened."""

    notices: Tuple[Notice, ...]

    def main(self) -> Notice:
        """The notice that names the state of things: the worst that is not over, the newest."""
        open_: List[Notice] = []
        for notice in self.notices:
            over = SUPERSEDES.get(notice.kind, frozenset()).union(notice.kind.ends)
            open_ = [notice, *(each for each in open_ if each.kind not in over)]
        return min(open_, key=lambda notice: WORST_FIRST[notice.kind])

    def rank(self) -> int:
        return WORST_FIRST[self.main().kind]

    def task(self) -> Optional[Task]:
        return self.notices[-1].task

    def failure(self) -> Optional[Notice]:
        """The newest notice of a failure, which knows code and attempts."""
        failures = [n for n in self.notices if n.verdict.error_class is not None]
        return failures[-1] if failures else None

    def title(self) -> str:
        main, kinds = self.main(), {notice.kind for notice in self.notices}
        back = main.kind is Kind.RESUMED and not main.count
        return ("failed and " if back and Kind.FAILED in kinds else "") + title(main)

    def name(self) -> str:
        if self.main().kind is Kind.DIGEST:
            return "digest:"
        task = self.task()
        return clean(task.name) or task.id if task else "the watchdog"


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
    body: str
    paragraph: str
    line: str
    web: Tuple[Mapping[str, Any], ...]
    full: int
    lean: int

    @classmethod
    def of(cls, item: _Item, context: RunContext) -> _Part:
        heading, body = _headline(item), _body(item, context)
        paragraph = "\n".join([heading, "-" * len(heading), body])
        line = f"- {heading}, event {item.main().event_id}"
        web = tuple(_web_notice(notice, context) for notice in item.notices)
        # The text for web hooks stands in a message twice.
        both = 2 * _bytes(json.dumps(web))
        full, lean = _bytes(paragraph) + both, _bytes(line) + both
        return cls(item, body, paragraph, line, web, full, lean)


def _parts(item: _Item, context: RunContext) -> Iterator[_Part]:
    """Put an item into words, one that is too large for a message in several parts."""
    part = _Part.of(item, context)
    middle = len(item.notices) // 2
    if part.lean <= MAX_PART or not middle:
        yield part
        return
    yield from _parts(_Item(item.notices[:middle]), context)
    yield from _parts(_Item(item.notices[middle:]), context)


def _around(parts: Sequence[_Part], context: RunContext) -> Tuple[str, ...]:
    """Return the texts of a message but for what each part adds."""
    short, web = _short([part.item for part in parts], context), _web((), context)
    return short, _default(parts, context), _email((), 0, context), web, web


def _bytes(text: str) -> int:
    """Return how large a text is in a message; that of its parts is never less."""
    return len(json.dumps(json.dumps(text)))


def _message(parts: Sequence[_Part], in_full: int, context: RunContext) -> Message:
    items = [part.item for part in parts]
    return Message(
        _subject(items),
        _default(parts, context),
        _email(parts, in_full, context),
        _short(items, context),
        _web([notice for part in parts for notice in part.web], context),
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
    return clean(task.error.code, MAX_CODE) if task.error.code.startswith("SMS.") else ""


def _email(parts: Sequence[_Part], in_full: int, context: RunContext) -> str:
    paragraphs = [part.paragraph for part in parts[:in_full]]
    if parts[in_full:]:
        paragraphs.append("\n".join(part.line for part in parts[in_full:]))
    paragraphs.append(
        f"SMS console: {context.console}\n"
        f"Sent by sms_watch at {when(context.at, context.zone)}, run {clean(context.run)}."
    )
    return "\n\n".join(paragraphs) + "\n"


def _body(item: _Item, context: RunContext) -> str:
    main, said = item.main(), " ".join(_said(item, context))
    facts = [*_facts(item, context), ("Event", ", ".join(n.event_id for n in item.notices))]
    table = [f"  {name:<11} {text}" for name, text in facts if text]
    rows = [_row(each, context) for each in main.digest.rows]
    if main.digest.more:
        rows.append(f"  and {main.digest.more} more")
    return "\n".join([said, *rows, *table])


def _said(item: _Item, context: RunContext) -> List[str]:
    """Give the sentences about an item; what is done about a failure is said once."""
    said: List[str] = []
    for notice in item.notices:
        text, done = sentence(notice, context.zone), remedy(notice, context.zone)
        if notice.kind in OF_THE_AGENT and done and any(done in each for each in said):
            text = text.replace(done, "").rstrip()
        said.append(text)
    return said


def _default(parts: Sequence[_Part], context: RunContext) -> str:
    """Return the text for chat robots: the worst in full, others as lines, as far as it fits."""
    head, tail = f"{_subject([part.item for part in parts])}\n", f"\n{context.console}"
    texts = [parts[0].body, *(part.line for part in parts[1:])]
    room = MAX_DEFAULT - _utf8(head + tail)
    fitted = _as_many_as_fit(texts, "\n", room, _utf8).encode()[:room]
    return head + fitted.decode(errors="ignore") + tail


def _short(items: Sequence[_Item], context: RunContext) -> str:
    head, tail = "sms_watch: ", f". {when(context.at, context.zone)}"
    texts = [_headline(item) for item in items]
    fitted = _as_many_as_fit(texts, "; ", MAX_SHORT - len(head + tail), len)
    return (head + fitted + tail).translate(NO_BRACKETS)[:MAX_SHORT]


def _as_many_as_fit(
    texts: Sequence[str], between: str, room: int, size: Callable[[str], int]
) -> str:
    """Join the first texts that fit, at least one, and count the others."""
    joined = texts[0]
    for index, text in enumerate(texts[1:], start=1):
        left = len(texts) - index
        longer = f"{joined}{between}{text}"
        more = f"{between}{left - 1} more" if left > 1 else ""
        if size(longer + more) > room:
            return f"{joined}{between}{left} more"
        joined = longer
    return joined


def _utf8(text: str) -> int:
    return len(text.encode())


def _web(notices: Sequence[Mapping[str, Any]], context: RunContext) -> str:
    return json.dumps({"version": 1, "run": clean(context.run), "notices": notices})


def _web_notice(notice: Notice, context: RunContext) -> Mapping[str, Any]:
    task = notice.task
    return {
        "event_id": notice.event_id,
        "kind": notice.kind,
        "level": notice.level,
        "task_id": task.id if task else None,
        "task_name": clean(task.name) if task else None,
        "state": clean(task.state) if task else None,
        "code": clean(task.error.code, MAX_CODE) if task else None,
        "at": notice.at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z"),
        "text": _counted(notice) + sentence(notice, context.zone),
    }


def _counted(notice: Notice) -> str:
    """Begin the text of a digest with its counts, which an e-mail has as its heading."""
    return f"{digest_title(notice)}. " if notice.kind is Kind.DIGEST else ""


# The facts of a task


def _facts(item: _Item, context: RunContext) -> List[Tuple[str, str]]:
    task = item.task()
    if task is None:
        return []
    return [
        ("Task", ", ".join(dict.fromkeys(filter(None, (clean(task.name), task.id))))),
        ("Servers", _servers(task)),
        *_error(item.failure()),
        ("Progress", _progress(task)),
        ("Starts", _starts(item.main(), context)),
    ]


def _servers(task: Task) -> str:
    servers = task.servers
    if not (servers.source or servers.target):
        return ""
    return f"{clean(servers.source) or 'unknown'} -> {clean(servers.target) or 'unknown'}"


def _error(failure: Optional[Notice]) -> List[Tuple[str, str]]:
    if failure is None:
        return []
    code = _code(failure)
    about = clean(", ".join((failure.task or NO_TASK).error.params), MAX_DETAIL)
    shown = f"{code.code} ({about}): " if about else f"{code.code}: "
    return [
        ("Error", (shown if code.code else "") + code.gist),
        ("What to do", code.what_to_do(_help(failure))),
    ]


def _code(failure: Notice) -> Code:
    task = failure.task or NO_TASK
    return look_up(_shown_code(task), task.type).under(
        failure.verdict.error_class or ErrorClass.UNKNOWN
    )


def _help(failure: Notice) -> Help:
    """Return what the task needs from people, as its start was decided when this was told."""
    if failure.verdict.reason is Reason.STARTS_OFF:
        return Help.START
    if failure.verdict.action is Action.NONE:
        return Help.FIX
    return Help.NOW if failure.kind in CALLS else Help.LATER


def _progress(task: Task) -> str:
    percent = task.progress.shown
    if percent is None and not task.progress.sub_task:
        return ""
    parts = (_bar(percent), clean(task.progress.sub_task), _speed(task), _left(task))
    return ", ".join(part for part in parts if part)


def _speed(task: Task) -> str:
    speed = task.transfer.speed
    # What does not run may still be shown with the speed that it had.
    return f"{speed:.0f} Mbit/s" if speed and task.phase is Phase.MOVING else ""


def _left(task: Task) -> str:
    """Say how long the rest takes, or that nobody can tell; what does not run has no such time."""
    if task.state != TaskState.RUNNING:
        return ""
    if task.transfer.remaining is None:
        return "time left unknown"
    return f"about {duration(timedelta(seconds=task.transfer.remaining))} left"


def _row(row: DigestRow, context: RunContext) -> str:
    """Return the line of a task in a digest."""
    task, percent = row.task, row.task.progress.shown
    lost = timedelta(seconds=row.seconds_failed)
    since = f" since {when(row.still_since, context.zone)}" if row.still_since else ""
    parts = [
        row_state(row) + since,
        _shown_code(task),
        "agent away" if task.connected is False else "",
        _bar(percent) if percent is not None else "",
        clean(task.progress.sub_task),
        _speed(task),
        _left(task),
        count(row.starts, "start") if row.starts else "",
        f"{duration(lost)} lost" if lost >= timedelta(minutes=1) else "",
    ]
    facts = ", ".join(part for part in parts if part)
    return f"  {clean(task.name) or task.id}: {facts}"


def _bar(percent: Optional[int]) -> str:
    return f"{bar(percent, BAR)} {'?' if percent is None else percent} %"


def _starts(notice: Notice, context: RunContext) -> str:
    attempt = notice.verdict.attempt
    if not attempt.number:
        return ""
    # One that waits speaks of the start that comes next.
    made = attempt.number - (notice.verdict.action is Action.WAIT)
    of = ", tried until it runs" if attempt.cap is None else f" of {attempt.cap}"
    text = f"{made}{of}"
    if attempt.next_try is not None:
        text += f", next try not before {when(attempt.next_try, context.zone)}"
    return text
