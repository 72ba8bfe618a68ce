"""The journal as append-only objects of JSON lines, one a day, on any store that can append.

An object begins with a snapshot of the whole memory, and another one follows whenever what came
after the last has grown beyond a bound: so a run reads the end of one object, in the evening as in
the morning, and the first run of a day no more than any other. An object is closed with a *seal*,
appended like any line, which names the object that follows: of two runs that close it at the same
moment one gets its seal in and the other gets a conflict, and everybody looks for the next object,
and creates it, at one place. One that takes no seal, for nothing can be appended to it any more, is
followed by the next one of its day.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple

from sms_watch.errors import JournalClosed, JournalConflict, JournalError, JournalMoved
from sms_watch.journal.entries import (
    Entry,
    EntryType,
    JournalReading,
    Mark,
    after,
    as_it_is,
    encode,
    snapshot,
)
from sms_watch.journal.folding import Folded, fold_lines
from sms_watch.journal.future import SKEW, held
from sms_watch.journal.store import BEGINNING, AppendStore, date_of, day_of, following, name_of
from sms_watch.journal.tails import Tail, back_to, look
from sms_watch.model.notice import Position
from sms_watch.rules.record import Memory

DAY = timedelta(days=1)
LOOK_BACK = 31 * DAY
# A quiet run renews a journal this old, long before it falls out of sight.
RENEW_AFTER = 14 * DAY
# What may follow a snapshot before the next one, in bytes, beside a quarter of its own size.
ROOM = 32 * 1024
# An object takes 10,000 appends (OBS API reference, "Appending an Object").
MOST_APPENDS = 9_000

EMPTY = (
    "no journal was found, so this run begins with an empty memory: it is the first one, or the"
    " last entry is more than 31 days old"
)
AHEAD = (
    "the journal has times that have not come yet, as a run with a wrong clock leaves them; they"
    " are taken for the present: see that the clocks of all machines that run this watchdog are"
    " right"
)
GOES_ON = (
    "{} of the journal can no longer be appended to, for it was written over, is full, or lies in"
    " an archive; the journal goes on in {}"
)
UNCHANGED = (
    "the journal refuses an entry as if another run had written to it, and shows nothing new: what"
    " stands between here and there may give old answers, such as a proxy that keeps them; have"
    " JOURNAL_URI and OBS_ENDPOINT reached without it"
)


class DailyJournal:
    """A JournalStore for one run at ``now``.

    ``nonce`` returns a new nonce for each line, ``redact`` hides the secrets in what is written.
    ``topic`` is the one that is told what this journal remembers, and ``warn`` takes what people
    should know of its objects.
    """

    def __init__(
        self,
        store: AppendStore,
        now: datetime,
        nonce: Callable[[], str],
        redact: Callable[[Any], Any] = as_it_is,
        topic: str = "",
        warn: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._store = store
        self._now = now
        self._nonce = nonce
        self._redact = redact
        self._topic = topic
        self._warn = warn
        self._begin(Memory())
        # What nothing can be appended to, as far as it was found out by trying.
        self._closed: List[str] = []

    def _begin(self, memory: Memory) -> None:
        """Forget the objects; go on with a memory."""
        self._memory = memory
        self._days: List[str] = []
        self._opening: Optional[Position] = None
        self._torn: Optional[Position] = None
        self._base: Optional[int] = None
        self._size = self._count = 0
        # Where this run has left an object for the next one.
        self._left: Optional[Position] = None

    # Reading

    def read(self) -> JournalReading:
        """Read the end of the newest object, and more for as long as a snapshot is missing.

        An object ended with what the snapshot of the next one says, so it can stand for it. Unless
        that is certain the snapshot counts as lost, and the memory is what could still be read.
        Raise JournalError if the store cannot be read, a newer version wrote to it, or the journal
        belongs to another topic.
        """
        self._begin(Memory())
        chain = self._newest_first()
        if not chain or chain[0].day == BEGINNING:
            day = chain[0].next if chain else self._today
            return JournalReading(Memory(), Position(day, 0), self._store.moment, warnings=(EMPTY,))
        newest = chain[0]
        self._days = [tail.day for tail in chain]
        folded, complete = self._folded(chain)
        self._check_topic(folded.topic)
        self._memory = folded.memory
        memory, ahead = held(folded.memory, self._moment)
        return JournalReading(
            memory,
            _end_of(newest),
            self._store.moment,
            folded.damaged + (not newest.part.readable),
            not complete,
            newest.day < day_of(self._moment - RENEW_AFTER),
            (AHEAD,) if ahead else (),
            folded.last,
        )

    @property
    def _moment(self) -> datetime:
        """The present, by the clock of the store if it has one."""
        return self._store.moment or self._now

    @property
    def _today(self) -> str:
        return day_of(self._moment)

    def _newest_first(self) -> List[Tail]:
        """Return the newest object, and those that led to it."""
        latest = self._now + SKEW
        for back in range(LOOK_BACK.days + 1):
            tail = look(self._store, day_of(latest - back * DAY))
            if tail is not None:
                return self._followed(tail)
        beginning = look(self._store, BEGINNING)
        if beginning is not None and beginning.next >= day_of(self._moment - LOOK_BACK):
            return self._followed(beginning)
        self._opening = beginning.end if beginning else Position(BEGINNING, 0)
        self._note_end(beginning)
        return []

    def _followed(self, tail: Tail) -> List[Tail]:
        chain = [tail]
        while True:
            found = self._next_of(chain[0])
            if found is None or found.day in [each.day for each in chain]:
                self._note_end(chain[0])
                return chain
            chain.insert(0, found)

    def _next_of(self, tail: Tail) -> Optional[Tail]:
        """Return the object that follows one, if there is one.

        One that took nothing more may have been sealed later, when it did again.
        """
        sealed = look(self._store, tail.next) if tail.next else None
        was_closed = not tail.part.appendable or tail.day in self._closed
        may_follow = self._store.reopens or (was_closed and not tail.next)
        return sealed or (look(self._store, following(tail.day)) if may_follow else None)

    def _note_end(self, tail: Optional[Tail]) -> None:
        """Remember what the next line in an object has to know of the one before it."""
        self._torn = tail.end if tail and tail.is_torn else None
        self._count = tail.line.mark.count if tail and tail.line else 0

    def _folded(self, chain: Sequence[Tail]) -> Tuple[Folded, bool]:
        """Return what the journal adds up to, and whether that is all of it."""
        newest = back_to(self._store, chain[0], chain[0].base)
        folded = fold_lines([newest.part.data])
        if folded.complete:
            self._base = newest.part.begin
            self._size = newest.part.data.find(b"\n") + 1
            return folded, True
        wholes = [back_to(self._store, newest, 0)]
        alone = [fold_lines([wholes[0].part.data])]
        for tail in self._older(chain):
            if alone[0].complete:
                break
            wholes.insert(0, back_to(self._store, tail, 0))
            alone.insert(0, fold_lines([wholes[0].part.data]))
        together = fold_lines([whole.part.data for whole in wholes])
        damaged = sum(each.damaged for each in alone)
        return replace(together, damaged=damaged), _is_certain(wholes, alone)

    def _older(self, chain: Sequence[Tail]) -> Iterator[Tail]:
        """Return the objects before the newest, latest first."""
        yield from chain[1:]
        for back in range(LOOK_BACK.days + 1):
            day = day_of(self._now - back * DAY)
            tail = look(self._store, day) if day < date_of(chain[-1].day) else None
            if tail is not None:
                yield tail

    def _check_topic(self, topic: str) -> None:
        if self._topic and topic and topic != self._topic:
            raise JournalError(
                f"the journal is that of another watch, which tells {topic}, and not"
                f" {self._topic}: in one journal each would tell the news of the other; name a new"
                " place in JOURNAL_URI, also where this watch has another topic by now: what is"
                " open is told there anew"
            )

    # Writing

    def append(self, entry: Entry, position: Position) -> Position:
        """Append an entry; the first one of a later day closes the object and begins another.

        Raise JournalConflict, without the entry written, if the position has moved: at the latest
        the seal or the next object's beginning is refused. Raise JournalMoved if the journal goes
        on in an object that was not looked at, JournalError if it cannot be written.
        """
        before = position, self._opening
        try:
            return self._append(entry, position)
        except JournalConflict:
            if (self.read().position, self._opening) == before:
                raise JournalError(UNCHANGED) from None
            raise

    def _append(self, entry: Entry, position: Position) -> Position:
        if self._opening is not None:
            # Where the first object takes no more, a journal this old goes on without its seal.
            with suppress(JournalClosed):
                self._seal(entry, self._opening, position.day)
            self._opening = None
        elif position.offset and self._is_over(position):
            position = self._turned(entry, position)
        try:
            return self._write(entry, position)
        except JournalClosed:
            return self._write(entry, self._beyond(position))

    def _is_over(self, position: Position) -> bool:
        """Return whether an object is to be closed: its day is over, or far off, or it is full."""
        is_near = self._today <= date_of(position.day) <= day_of(self._moment + DAY)
        return not is_near or self._count >= MOST_APPENDS

    def _turned(self, entry: Entry, position: Position) -> Position:
        """Close an object; return where the journal goes on."""
        day = self._free(position)
        try:
            self._seal(entry, position, day)
        except JournalClosed:
            return self._beyond(position)
        return Position(day, 0)

    def _free(self, position: Position) -> str:
        """Return the first object of the day that is not there yet."""
        date = self._today if self._count < MOST_APPENDS else date_of(position.day)
        taken = [day for day in (*self._days, position.day) if date_of(day) == date]
        return following(max(taken)) if taken else date

    def _beyond(self, position: Position) -> Position:
        """Return where the journal goes on after an object that can no longer be appended to."""
        self._closed.append(position.day)
        self._left = position
        day = following(position.day)
        if look(self._store, day) is not None:
            raise JournalMoved(f"the journal goes on in {name_of(day)}")
        return Position(day, 0)

    def _seal(self, entry: Entry, position: Position, day: str) -> None:
        seal = Entry(EntryType.SEAL, entry.at, entry.run, self._nonce())
        mark = Mark(self._base, self._count + 1, next=day)
        self._put(position, self._lead(position) + encode(seal, mark=mark, redact=self._redact))

    def _write(self, entry: Entry, position: Position) -> Position:
        """Write an entry, after a snapshot where one is due."""
        lead, base, size = self._lead(position), self._base, self._size
        begin, data = position.offset + len(lead), b""
        count = self._count + 1 if position.offset else 1
        if not position.offset or base is None or begin - base > ROOM + size * 5 // 4:
            whole = snapshot(self._memory, entry.at, entry.run, self._nonce())
            data = encode(whole, mark=Mark(begin, count, topic=self._topic), redact=self._redact)
            base, size = begin, len(data)
        data += encode(entry, self._memory, Mark(base, count), self._redact)
        end = self._put(position, lead + data)
        self._memory = after(self._memory, entry)
        self._base, self._size, self._count = base, size, count
        return end

    def _lead(self, position: Position) -> bytes:
        """Return what goes before a line: what a dying writer left becomes a line of its own."""
        return b"\n" if position == self._torn else b""

    def _put(self, position: Position, data: bytes) -> Position:
        self._store.append(name_of(position.day), position.offset, data)
        if self._store.reopens:
            self._check_alone(position)
        if not position.offset and self._closed and position.day == following(self._closed[-1]):
            self._warn(GOES_ON.format(name_of(self._closed[-1]), name_of(position.day)))
        return Position(position.day, position.offset + len(data))

    def _check_alone(self, position: Position) -> None:
        """Raise JournalConflict if another run, which has other rights, has gone on elsewhere.

        One appends to an object that another found closed and left for the next one. Each looks
        after its append at where the other would be, so that one of them sees the other at least.
        """
        left = None if position.offset else self._left
        stayed = left and look(self._store, left.day)
        has_grown = stayed and left and stayed.end != left
        if has_grown or look(self._store, following(position.day)) is not None:
            raise JournalConflict(f"another run goes on beside {name_of(position.day)}")


def _end_of(tail: Tail) -> Position:
    """Return where the next entry goes, after the last object that there is."""
    if tail.next:
        return Position(tail.next, 0)
    return tail.end if tail.part.readable else Position(following(tail.day), 0)


def _is_certain(tails: Sequence[Tail], alone: Sequence[Folded]) -> bool:
    """Return whether whole objects, oldest first, hold the whole memory.

    They do if the oldest has a snapshot, and each that stands for the snapshot of the next was
    read to the last line and is followed by that one: it may have been another that is missing.
    """
    followed = zip(tails, alone, tails[1:])
    known = all(tail.part.readable for tail in tails) and alone[0].complete
    return known and all(
        not folded.damaged and tail.next == later.day for tail, folded, later in followed
    )
