"""The journal as one append-only object of JSON lines a day, on any store that can append.

An object begins with a snapshot of the whole memory. When a day is over its object is closed with
a *seal*, appended like any line: of two runs that turn the day at the same moment one gets its
seal in and the other gets a conflict. The time in the seal names the object that follows, so that
everybody looks for it, and creates it, at one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Iterator, List, Optional, Protocol, Sequence, Tuple

from sms_watch.journal.entries import (
    Entry,
    EntryType,
    JournalReading,
    as_it_is,
    decode,
    encode,
    fold,
    snapshot,
)
from sms_watch.model.notice import Position

LOOK_BACK = timedelta(days=31)
# A quiet run renews a journal this old, long before it falls out of sight.
RENEW_AFTER = timedelta(days=14)
# Clocks differ by less than this: the cloud refuses signatures that are further off.
SKEW = timedelta(minutes=15)

EMPTY = (
    "no journal was found, so this run begins with an empty memory: it is the first one, or the"
    " last entry is more than 31 days old"
)


class AppendStore(Protocol):
    """Where objects of bytes are kept that grow at their end only."""

    def get(self, name: str) -> Optional[bytes]:
        """Give an object, ``None`` when there is none. Raises JournalError."""

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append to an object whose length is ``offset``; at 0 it is made.

        Raises JournalConflict, with nothing written, when it has another length, JournalError
        when it cannot be written.
        """


@dataclass(frozen=True)
class _Object:
    """One day's object as it was read. ``torn``: its last line has no end."""

    day: str
    length: int
    entries: Tuple[Entry, ...]
    damaged: int
    intact: bool
    torn: bool

    @property
    def position(self) -> Position:
        """Where the next entry goes: after the last, or into the object that a seal names."""
        last = self.entries[-1] if self.entries else None
        if last is not None and last.type is EntryType.SEAL:
            return Position(_day(last.at), 0)
        return Position(self.day, self.length)


class DailyJournal:
    """A JournalStore for one run at ``now``; ``nonce`` gives a new nonce for each line.

    ``redact`` hides the secrets in what is written.
    """

    def __init__(
        self,
        store: AppendStore,
        now: datetime,
        nonce: Callable[[], str],
        redact: Callable[[Any], Any] = as_it_is,
    ) -> None:
        self._store = store
        self._now = now
        self._nonce = nonce
        self._redact = redact
        self._entries: List[Entry] = []
        self._torn: Optional[Position] = None

    def read(self) -> JournalReading:
        """Read the newest object, and older ones for as long as a snapshot is missing.

        The last day ended with what a snapshot says, so its object can stand for one. Unless that
        is certain the snapshot counts as lost, and the entries are what could still be read.
        Raises JournalError when the store cannot be read or a newer version wrote to it.
        """
        objects: List[_Object] = []
        for day in self._days():
            data = self._store.get(_name(day))
            if data:
                objects.insert(0, _parse(day, data))
                if objects[0].intact:
                    break
        self._entries = [entry for each in objects for entry in each.entries]
        if not objects:
            return JournalReading((), Position(_day(self._now), 0), warnings=(EMPTY,))
        newest = objects[-1]
        self._torn = Position(newest.day, newest.length) if newest.torn else None
        return JournalReading(
            tuple(self._entries),
            newest.position,
            damaged=sum(each.damaged for each in objects),
            snapshot_lost=not _complete(objects),
            expiring=newest.day < _day(self._now - RENEW_AFTER),
        )

    def append(self, entry: Entry, position: Position) -> Position:
        """Append an entry; the first one of a later day closes the object and begins another.

        Raises JournalConflict, without the entry written, when the position has moved: at the
        latest the seal or the next object's beginning is refused. Raises JournalError when it
        cannot be written.
        """
        day = _day(entry.at)
        if position.offset and day > position.day:
            seal = Entry(EntryType.SEAL, entry.at, entry.run, self._nonce())
            self._put(encode(seal, self._redact), position)
            position = Position(day, 0)
        data = encode(entry, self._redact)
        if not position.offset:
            memory = snapshot(fold(self._entries), entry.at, entry.run, self._nonce())
            data = encode(memory, self._redact) + data
        after = self._put(data, position)
        self._entries.append(entry)
        return after

    def _put(self, data: bytes, position: Position) -> Position:
        if position == self._torn:
            # What a writer left behind when it died becomes a line of its own.
            data = b"\n" + data
        self._store.append(_name(position.day), position.offset, data)
        return Position(position.day, position.offset + len(data))

    def _days(self) -> Iterator[str]:
        """Name the days on which the newest object may lie, latest first."""
        latest = self._now + SKEW
        for back in range(LOOK_BACK.days + 1):
            yield _day(latest - timedelta(days=back))


def _complete(objects: Sequence[_Object]) -> bool:
    """Say whether objects, oldest first, hold the whole memory.

    They do if the oldest has its snapshot, and each that stands for the snapshot of the next was
    read to the last line and is followed by that one: it may have been another that is missing.
    """
    followed = zip(objects, objects[1:])
    return objects[0].intact and all(
        not before.damaged and before.position == Position(after.day, 0)
        for before, after in followed
    )


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y%m%d}"


def _name(day: str) -> str:
    return f"journal-{day}.jsonl"


def _parse(day: str, data: bytes) -> _Object:
    torn = not data.endswith(b"\n")
    lines = data.split(b"\n") if torn else data[:-1].split(b"\n")
    found = [_decode(line) for line in lines]
    entries = tuple(entry for entry in found if entry is not None)
    first = found[0]
    return _Object(
        day,
        len(data),
        entries,
        damaged=len(found) - len(entries),
        intact=first is not None and first.type is EntryType.SNAPSHOT,
        torn=torn,
    )


def _decode(line: bytes) -> Optional[Entry]:
    try:
        return decode(line)
    except ValueError:
        return None
