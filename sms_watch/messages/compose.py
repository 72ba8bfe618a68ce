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
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Tuple

from sms_watch.messages.digests import digest_counts
from sms_watch.messages.facts import MAX_CODE
from sms_watch.messages.failures import say_in_vain
from sms_watch.messages.grammar import Telling
from sms_watch.messages.grouping import Item, items
from sms_watch.messages.paragraphs import Paragraph, paragraphs
from sms_watch.messages.sentences import advice, sentence
from sms_watch.model.notice import Kind, Message, Notice
from sms_watch.text import clean, when

MAX_SUBJECT = 511  # bytes
MAX_SHORT = 490  # characters
MAX_DEFAULT = 2_000  # bytes
# Bytes of the whole, JSON within JSON and every letter outside ASCII escaped: which way SMN counts
# its 256 KB is documented nowhere, so the longest is counted.
MAX_MESSAGE = 256_000
FRAME = 5_000  # for what stands around the texts, and one more line in those cut to a limit
MAX_PART = 200_000  # bytes that an item adds for web hooks; whatever else it says, there is room
ROWS_IN_DEFAULT = 5  # tasks of a paragraph with a line in the default text
NO_BRACKETS = str.maketrans("[]【】", "()()")


@dataclass(frozen=True)
class RunContext:
    """What a message says of its run: the id, the moment, the zone of its times, the console.

    ``retry`` is how far apart restarts are that have not helped for long, if that is known.
    """

    run: str
    at: datetime
    zone: tzinfo
    console: str
    retry: Optional[timedelta] = None


def compose(notices: Sequence[Notice], context: RunContext) -> Message:
    """Make one message of the notices, worst first, one paragraph for all that is told alike.

    When all of it is too large, the tasks that matter less shrink to a line each; when even that is
    too large the rest is left out. ``event_ids`` of the message says what is in it.
    """
    telling = Telling(context.zone, context.retry)
    split = [part for item in items(notices) for part in _split(item, telling)]
    parts = [_Part.of(each) for each in paragraphs(split, telling)]
    room = MAX_MESSAGE - FRAME - sum(map(_bytes, _around(parts, context)))
    told = _fitting(parts, room)
    more = list(itertools.accumulate(part.full - part.lean for part in told))
    in_full = bisect.bisect_right(more, room - sum(part.lean for part in told))
    return _message(told, in_full, context)


def compose_bare(notice: Notice, context: RunContext) -> Message:
    """Make a message that says no more of a notice than what kind it is of, and its ids."""
    about = f"task {notice.task.id}" if notice.task else "the watchdog"
    text = (
        f"sms_watch {notice.level}: {notice.kind}, {about}, event {notice.event_id}. SMN refused"
        " the text of this notice."
    )
    web = _web_notice(notice.lean(), Telling(context.zone))
    plain = {**web, "task_name": None, "state": None, "text": ""}
    return Message(text, text, text, text, _web([plain], context), (notice.event_id,))


# What a message has room for


@dataclass(frozen=True)
class _Part:
    """A paragraph in words, and how many bytes it adds to a message, in full and at the least.

    What is told of one task shrinks to a line. Several that are told together are short already;
    ``each`` has the bytes that each of them adds.
    """

    told: Paragraph
    text: str
    line: str
    web: Tuple[Mapping[str, Any], ...]
    full: int
    lean: int
    each: Tuple[int, ...]

    @classmethod
    def of(cls, told: Paragraph) -> _Part:
        text, line = told.text(), told.line()
        webs = [_web_of(item, told.telling) for item in told.items]
        # The text for web hooks stands in a message twice.
        sizes = [2 * _bytes(json.dumps(web)) for web in webs]
        full = _bytes(text) + sum(sizes)
        rows = [_bytes(row) for row in told.rows] if told.telling.many else []
        return cls(
            told,
            text,
            line,
            tuple(itertools.chain.from_iterable(webs)),
            full,
            full if rows else _bytes(line) + sum(sizes),
            tuple(map(sum, zip(sizes, rows))),
        )

    def within(self, room: int) -> Iterator[_Part]:
        """Yield the part, or one of its first items if not all have room, or nothing."""
        if self.lean <= room:
            yield self
            return
        around = self.lean - sum(self.each)
        number = bisect.bisect_right(list(itertools.accumulate(self.each)), room - around)
        if number:
            yield _Part.of(self.told.first(number))


def _fitting(parts: Sequence[_Part], room: int) -> List[_Part]:
    """Return the first parts that have room, at least one; the last may be the half of one."""
    told: List[_Part] = []
    for part in parts:
        held = list(part.within(room))
        told += held
        if held != [part]:
            break
        room -= part.lean
    return told or [_Part.of(parts[0].told.first(1))]


def _split(item: Item, telling: Telling) -> Iterator[Item]:
    """Yield an item, or if it is too large for a message several in its place."""
    middle = len(item.notices) // 2
    if not middle or 2 * _bytes(json.dumps(_web_of(item, telling))) <= MAX_PART:
        yield item
        return
    yield from _split(Item(item.notices[:middle]), telling)
    yield from _split(Item(item.notices[middle:]), telling)


def _around(parts: Sequence[_Part], context: RunContext) -> Tuple[str, ...]:
    """Return the texts of a message but for what each part adds."""
    web = _web((), context)
    return _short(parts, context), _default(parts, context), _email((), 0, context), web, web


def _bytes(text: str) -> int:
    """Return how large a text is in a message; that of its parts is never less."""
    return len(json.dumps(json.dumps(text)))


# The forms of a message


def _message(parts: Sequence[_Part], in_full: int, context: RunContext) -> Message:
    web = [notice for part in parts for notice in part.web]
    return Message(
        _subject(parts),
        _default(parts, context),
        _email(parts, in_full, context),
        _short(parts, context),
        _web(web, context),
        tuple(notice["event_id"] for notice in web),
    )


def _subject(parts: Sequence[_Part]) -> str:
    first = parts[0].told
    worst, others = first.lead.main(), sum(len(part.told.items) for part in parts[1:])
    more = f", and {others} more" if others else ""
    text = f"sms_watch {worst.level}: {first.heading()}{more} - {worst.event_id}"
    return text.encode()[:MAX_SUBJECT].decode(errors="ignore")


def _email(parts: Sequence[_Part], in_full: int, context: RunContext) -> str:
    shown = [part.text for n, part in enumerate(parts) if n < in_full or part.each]
    lines = [part.line for part in parts[in_full:] if not part.each]
    if lines:
        shown.append("\n".join(lines))
    shown.append(
        f"SMS console: {context.console}\n"
        f"Sent by sms_watch at {when(context.at, context.zone)}, run {clean(context.run)}."
    )
    return "\n\n".join(shown) + "\n"


def _default(parts: Sequence[_Part], context: RunContext) -> str:
    """Return the text for chat robots: the worst in full, others as lines, as far as it fits."""
    head, tail = f"{_subject(parts)}\n", f"\n{context.console}"
    texts = [parts[0].told.body(ROWS_IN_DEFAULT), *(part.line for part in parts[1:])]
    room = MAX_DEFAULT - _utf8(head + tail)
    fitted = _as_many_as_fit(texts, _numbers(parts), "\n", room, _utf8).encode()[:room]
    return head + fitted.decode(errors="ignore") + tail


def _short(parts: Sequence[_Part], context: RunContext) -> str:
    head, tail = "sms_watch: ", f". {when(context.at, context.zone)}"
    texts = [part.told.short() for part in parts]
    room = MAX_SHORT - len(head + tail)
    fitted = _as_many_as_fit(texts, _numbers(parts), "; ", room, len)
    return (head + fitted + tail).translate(NO_BRACKETS)[:MAX_SHORT]


def _numbers(parts: Sequence[_Part]) -> List[int]:
    return [len(part.told.items) for part in parts]


def _as_many_as_fit(
    texts: Sequence[str],
    numbers: Sequence[int],
    between: str,
    room: int,
    size: Callable[[str], int],
) -> str:
    """Join the first texts that fit, at least one; count what the others are about."""
    joined, left = texts[0], sum(numbers[1:])
    for text, number in zip(texts[1:], numbers[1:]):
        longer = f"{joined}{between}{text}"
        more = f"{between}{left - number} more" if left > number else ""
        if size(longer + more) > room:
            return f"{joined}{between}{left} more"
        joined, left = longer, left - number
    return joined


def _utf8(text: str) -> int:
    return len(text.encode())


def _web(notices: Sequence[Mapping[str, Any]], context: RunContext) -> str:
    return json.dumps({"version": 1, "run": clean(context.run), "notices": notices})


def _web_of(item: Item, telling: Telling) -> List[Mapping[str, Any]]:
    return [_web_notice(notice, telling.of(1)) for notice in item.notices]


def _web_notice(notice: Notice, telling: Telling) -> Mapping[str, Any]:
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
        "text": _text(notice, telling),
    }


def _text(notice: Notice, telling: Telling) -> str:
    """Return all sentences; a digest begins with its counts, which an e-mail has as its heading."""
    is_digest = notice.kind is Kind.DIGEST and notice.task is None
    counts = f"{digest_counts(notice)}." if is_digest else ""
    told = sentence(notice, telling), say_in_vain(notice, telling)
    said = (counts, *told, advice(notice, telling))
    return " ".join(filter(None, said))
