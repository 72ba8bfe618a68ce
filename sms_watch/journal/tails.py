"""The end of one object of a journal: as much of it as a memory needs. Pure but for its store.

Each line names where the newest snapshot begins, so the last line that can be used tells from where
on to read. Mostly that lies within what the first request brings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

from sms_watch.errors import JournalError
from sms_watch.journal.entries import EntryType, Line, read
from sms_watch.journal.store import AppendStore, Part, day_of, name_of
from sms_watch.model.notice import Position

TAIL = 128 * 1024  # bytes
# Where no line is whole in it, for the last one is longer, so many times more is read.
MORE = 16


@dataclass(frozen=True)
class Tail:
    """The end of a day's object; ``line`` is the last one in it that can be used."""

    day: str
    part: Part
    line: Optional[Line] = None

    @property
    def end(self) -> Position:
        """Where the next entry would go in this object."""
        return Position(self.day, self.part.begin + len(self.part.data))

    @property
    def is_torn(self) -> bool:
        """Whether its last line has no end."""
        return bool(self.part.data) and not self.part.data.endswith(b"\n")

    @property
    def next(self) -> str:
        """The object that follows, if this one was closed by a seal."""
        if self.line is None or self.line.entry.type is not EntryType.SEAL:
            return ""
        return self.line.mark.next or day_of(self.line.entry.at)

    @property
    def base(self) -> int:
        """Where the newest snapshot begins; 0 if no line tells."""
        base = self.line.mark.base if self.line else None
        return base if base is not None and base < self.end.offset else 0


def look(store: AppendStore, day: str) -> Optional[Tail]:
    """Return the end of a day's object, so much that a line is whole; ``None`` if there is none.

    One that was made and never written to is none. Raise JournalError if it cannot be read.
    """
    part = store.tail(name_of(day), TAIL)
    if part is None or (part.appendable and not part.begin + len(part.data)):
        return None
    tail, size = Tail(day, part, _last_line(part)), TAIL
    while tail.line is None and tail.part.begin:
        size *= MORE
        tail = back_to(store, tail, max(0, tail.end.offset - size))
    return tail


def back_to(store: AppendStore, tail: Tail, begin: int) -> Tail:
    """Return a tail that begins at a place: with less before it, or with what is missing there.

    Raise JournalError if that cannot be read.
    """
    part = tail.part
    missing = part.begin - begin
    if missing <= 0:
        return replace(tail, part=replace(part, data=part.data[-missing:], begin=begin))
    earlier = store.get(name_of(tail.day), begin, part.begin)
    if earlier is None or len(earlier) != missing:
        raise JournalError(
            f"{name_of(tail.day)} of the journal became another while it was read; the next run"
            " tries again; if it lasts, see who else writes to it"
        )
    longer = replace(part, data=earlier + part.data, begin=begin)
    return replace(tail, part=longer, line=tail.line or _last_line(longer))


def _last_line(part: Part) -> Optional[Line]:
    """Return the last line that can be used, of those that are there from their beginning."""
    data, end = part.data, len(part.data) - part.data.endswith(b"\n")
    while end > 0:
        begin = data.rfind(b"\n", 0, end) + 1
        if not begin and part.begin:
            return None
        try:
            return read(data[begin:end])
        except ValueError:
            end = begin - 1
    return None
