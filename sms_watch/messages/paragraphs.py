"""What is told of one task, or of several in the same words, with a line for each. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Dict, Iterator, List, Mapping, Sequence, Tuple

from sms_watch.messages import facts
from sms_watch.messages.digests import digest_forecast, digest_row
from sms_watch.messages.failures import (
    NO_TASK,
    details,
    gap_of,
    restarts,
    seen_at,
    state_of,
    stays_failed,
    stood_for,
    unheeded,
)
from sms_watch.messages.grammar import Telling
from sms_watch.messages.grouping import Item
from sms_watch.model.notice import Kind, Notice
from sms_watch.rules.error_codes import Help
from sms_watch.text import MAX_DETAIL, clean

Fact = Tuple[str, str]  # a label, and a text

FEW = 3  # tasks named where there is little room
TO_DO, LATER = "What to do", "If it lasts"
SINCE = frozenset(
    {Kind.STALLED, Kind.HANGING, Kind.REMINDER, Kind.UNREADABLE, Kind.NEEDS_PERSON, Kind.DIGEST}
)
SEEN = frozenset({Kind.FAILED, Kind.RESUMED, Kind.CONNECTED})
AFTER = frozenset({Kind.COPIED, Kind.RESUMED, Kind.MOVING, Kind.READABLE})
# Facts that need their label in the line of a task.
LABELLED = frozenset({"Restarts", "Seen", "Since", "After", "Copied", "Unchanged"})


@dataclass(frozen=True)
class Paragraph:
    """Items that are told in the same words: one by itself, or several with a line for each."""

    items: Tuple[Item, ...]
    telling: Telling
    table: Tuple[Fact, ...]
    rows: Tuple[str, ...]

    def first(self, number: int) -> Paragraph:
        """Return the paragraph of as many of its items."""
        return paragraph(self.items[:number], self.telling)

    @property
    def lead(self) -> Item:
        """The item that stands for all where one is enough."""
        return self.items[0]

    def heading(self) -> str:
        """Return what it is about, in a line."""
        name = f"{len(self.items)} tasks" if self.telling.many else self.lead.name()
        return f"{name} {self.lead.title(self.telling)}"

    def short(self) -> str:
        """Return the heading with the first names, that of a digest with its forecast."""
        if not self.telling.many:
            foretold = digest_forecast(self.lead.main(), self.telling).rstrip(".")
            return ". ".join(filter(None, (self.heading(), foretold)))
        names = ", ".join(item.name() for item in self.items[:FEW])
        more = len(self.items) - FEW
        return f"{self.heading()}: {names}" + (f" and {more} more" if more > 0 else "")

    def line(self) -> str:
        """Return it as a line among others, with an event to look for."""
        return f"- {self.short()}, event {self.lead.main().event_id}"

    def body(self, most: int) -> str:
        """Return all but the heading, with lines for so many tasks at most if it is about many.

        What to do about many tasks stands above their list, which may be long.
        """
        said = [self.lead.said(self.telling)]
        table = [f"  {label:<12} {text}" for label, text in self.table if text]
        if not self.telling.many:
            return "\n".join([*said, *self.rows, *table])
        more = len(self.rows) - most
        rest = [f"  and {more} more"] if more > 0 else []
        return "\n".join(filter(None, [*said, *table, *self.rows[:most], *rest]))

    def text(self) -> str:
        """Return it in full."""
        heading = self.heading()
        return "\n".join([heading, "-" * len(heading), self.body(len(self.rows))])


def paragraph(items: Sequence[Item], telling: Telling) -> Paragraph:
    """Return the paragraph of items that are told in the same words."""
    telling = telling.of(len(items))
    return (_of_many if telling.many else _of_one)(tuple(items), telling)


def _of_one(items: Tuple[Item, ...], telling: Telling) -> Paragraph:
    digest = items[0].main().digest
    more = [f"  and {digest.more} more"] if digest.more else []
    rows = (*(digest_row(row, telling) for row in digest.rows), *more)
    return Paragraph(items, telling, tuple(_all_facts(items[0], telling)), rows)


def _of_many(items: Tuple[Item, ...], telling: Telling) -> Paragraph:
    """Return the paragraph with what is true of all in its table, and the rest in their lines."""
    own = [tuple(_own_facts(item, telling)) for item in items]
    shared = frozenset(own[0]).intersection(*own)
    common = (fact for fact in own[0] if fact in shared)
    rows = tuple(_row(item, facts, shared) for item, facts in zip(items, own))
    return Paragraph(items, telling, (*_common_facts(items[0], telling), *common), rows)


def _row(item: Item, own: Sequence[Fact], shared: AbstractSet[Fact]) -> str:
    task = item.task() or NO_TASK
    name = clean(task.name)
    who = f"{name} ({task.id})" if name and name != task.id else task.id
    facts = [
        f"{label.lower()} {text}" if label in LABELLED else text
        for label, text in own
        if text and (label, text) not in shared
    ]
    return f"  {who}: " + "; ".join([*facts, f"event {_events(item)}"])


def paragraphs(items: Sequence[Item], telling: Telling) -> List[Paragraph]:
    """Return the items worst first, those together that are told in the same words."""
    ranked = sorted(items, key=Item.rank)
    groups: Dict[Tuple[object, ...], List[Item]] = {}
    for number, item in enumerate(ranked):
        groups.setdefault(_words(item, number, telling.of(2)), []).append(item)
    return [paragraph(group, telling) for group in groups.values()]


def _words(item: Item, number: int, telling: Telling) -> Tuple[object, ...]:
    """Return all that is said of an item among others of its like."""
    if item.task() is None:
        return (number,)
    common = tuple(_common_facts(item, telling))
    return (item.rank(), item.title(telling), item.said(telling), common)


def _all_facts(item: Item, telling: Telling) -> Iterator[Fact]:
    """Yield the facts of an item that stands alone."""
    task = item.task()
    if task is not None:
        yield "Task", ", ".join(dict.fromkeys(filter(None, (clean(task.name), task.id))))
        yield "Servers", facts.servers(task)
    yield from _error(item, params=True)
    yield from _to_do(item, telling)
    if task is not None:
        yield "Progress", facts.progress(task)
        yield "Restarts", restarts(item.main(), telling)
    yield "Event", _events(item)


def _common_facts(item: Item, telling: Telling) -> Iterator[Fact]:
    """Yield what items have to share to be told together."""
    yield from _error(item, params=False)
    yield from _to_do(item, telling)


def _own_facts(item: Item, telling: Telling) -> Iterator[Fact]:
    """Yield what may be different for each of several items."""
    task, main = item.task() or NO_TASK, item.main()
    yield "State", state_of(main)
    yield "Servers", facts.servers(task)
    yield "Progress", facts.progress(task)
    yield "Restarts", restarts(main, telling)
    yield "Unchanged", unheeded(item.notices[-1], telling)
    for label in ("Seen", "Since", "After", "Copied", "Detail"):
        found = (_moments(notice, telling).get(label, "") for notice in item.notices)
        yield label, ", ".join(dict.fromkeys(filter(None, found)))


def _moments(notice: Notice, telling: Telling) -> Mapping[str, str]:
    """Return the moments of a notice, and what came with it from outside."""
    found: Dict[str, str] = {}
    gap = gap_of(notice)
    if notice.kind in SEEN or gap:
        found["Seen"] = seen_at(notice, telling)
    if notice.since and (
        notice.kind in SINCE or (notice.kind is Kind.FAILED and stays_failed(notice))
    ):
        found["Since"] = telling.when(notice.since)
    if notice.kind in AFTER and not (gap and notice.kind is Kind.MOVING):
        found["After"] = stood_for(notice)
    if notice.kind is Kind.COPIED and not gap:
        found["Copied"] = facts.copied_since(notice.task or NO_TASK)
    params = (notice.task or NO_TASK).error.params
    texts = (clean(text, MAX_DETAIL) for text in (*details(notice), ", ".join(params)))
    found["Detail"] = ", ".join(filter(None, texts))
    return found


def _error(item: Item, params: bool) -> Iterator[Fact]:
    failure = item.failure()
    if failure is None:
        return
    task = failure.task or NO_TASK
    code = facts.code_of(failure, task)
    about = clean(", ".join(task.error.params), MAX_DETAIL) if params else ""
    shown = f"{code.code} ({about}): " if about else f"{code.code}: "
    yield "Error", (shown if code.code else "") + code.summary


def _to_do(item: Item, telling: Telling) -> Iterator[Fact]:
    """Yield what to do now, and what to do if it does not mend itself."""
    failure, own = item.failure(), item.advice(telling)
    if failure is None or item.main().verdict.error_class is None:
        yield TO_DO, own
        return
    needed, code = facts.help_for(failure), facts.code_of(failure, failure.task or NO_TASK)
    if needed is Help.LATER:
        yield TO_DO, own
        yield LATER, code.what_to_do(Help.NOW)
    else:
        yield TO_DO, " ".join(filter(None, (code.what_to_do(needed), own)))


def _events(item: Item) -> str:
    return ", ".join(notice.event_id for notice in item.notices)
