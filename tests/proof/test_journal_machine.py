"""Any sequence of runs on a journal: they overlap, die, and meet closed objects or wrong clocks.

What is remembered is always what was written, in the order of its positions, and nothing else.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable, List, Optional, Set, Tuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from sms_watch.errors import JournalConflict, JournalMoved
from sms_watch.journal import objects, tails
from sms_watch.journal.entries import Entry, fold
from sms_watch.journal.objects import DailyJournal
from sms_watch.journal.store import AppendStore, name_of
from sms_watch.model.notice import Position
from tests.support.builders import NOW, a_record
from tests.support.extent import extent
from tests.support.fakes import FakeStore
from tests.support.journals import STORES, a_journal, an_entry, put

WAITS = st.sampled_from([0, 1, 20, 60 * 11, 60 * 24, 60 * 24 * 9])  # minutes
MARKS = st.sampled_from(["RUNNING", "MIGRATE_FAIL", "ABORT"])
SIZES = st.sampled_from([1, 1, 3, 12])  # records in an entry
DEATHS = st.sampled_from([None, None, 0, 1, 2])  # after so many appends, none
HALF = b'{"v":1,"half'


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """A store as one run reaches it, which dies at one of its appends, before or after it."""

    def __init__(self, store: AppendStore, at: Optional[int], after: bool) -> None:
        self._store, self._at, self._after = store, at, after
        self.tail, self.get, self.reopens = store.tail, store.get, store.reopens
        self.wrote = b""

    @property
    def moment(self) -> Optional[datetime]:
        return self._store.moment

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append, unless it dies before."""
        dies, self._at = self._at == 0, None if self._at is None else self._at - 1
        if dies and not self._after:
            raise Killed
        self._store.append(name, offset, data)
        self.wrote += data
        if dies:
            raise Killed


def _append(journal: DailyJournal, entry: Entry, at: Position) -> Tuple[Position, Position]:
    """Append as a run does, which reads on where the journal has moved.

    Return the position behind the entry, and the one that it was appended at. Raise Killed with
    the latter.
    """
    while True:
        try:
            return journal.append(entry, at), at
        except JournalMoved:
            at = journal.read().position
        except Killed:
            raise Killed(at) from None


class Journals(RuleBasedStateMachine):
    """Runs on one journal; ``make`` gives the store that they share."""

    make: Callable[[Path], Any] = staticmethod(STORES["memory"])
    closes = True

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        place = Path(tempfile.mkdtemp())
        self.stack.callback(shutil.rmtree, place)
        self.store: AppendStore = self.stack.enter_context(self.make(place))
        self.now, self.number = NOW, 0
        self.written: List[Entry] = []
        self.taken: Set[Tuple[str, int]] = set()
        self.read_last: Optional[datetime] = None

    def teardown(self) -> None:
        """Release the store."""
        self.stack.close()

    def _entry(self, mark: str, size: int) -> Entry:
        self.number += 1
        record = a_record(state=mark, name=f"{self.number} " + "x" * 300, since=NOW)
        about = [f"task-{(self.number + each) % 20}" for each in range(size)]
        return an_entry(self.now, tasks=dict.fromkeys(about, record))

    def _journal(self, at: Optional[int], after: bool) -> Tuple[DailyJournal, Mortal]:
        journal = a_journal(self.store, self.now)
        mortal = Mortal(self.store, at, after)
        journal._store = mortal
        return journal, mortal

    def _write(self, journal: DailyJournal, mortal: Mortal, entry: Entry, at: Position) -> Any:
        """Append as a run does that may die; keep what is in the journal from then on."""
        position = None
        try:
            position, at = _append(journal, entry, at)
        except Killed as death:
            if entry.nonce.encode() not in mortal.wrote:
                return None
            at = death.args[0]
        assert (at.day, at.offset) not in self.taken
        self.taken.add((at.day, at.offset))
        self.written.append(entry)
        return position

    @rule(minutes=WAITS)
    def wait(self, minutes: int) -> None:
        """Let time pass, up to days in which no run took place."""
        self.now += timedelta(minutes=minutes)

    @rule(mark=MARKS, size=SIZES, death=DEATHS, after=st.booleans(), again=st.booleans())
    def run(self, mark: str, size: int, death: Optional[int], after: bool, again: bool) -> None:
        """Read and append, and append once more, as plan and acknowledgement do."""
        journal, mortal = self._journal(death, after)
        position = self._write(journal, mortal, self._entry(mark, size), journal.read().position)
        if position is not None and again:
            self._write(journal, mortal, self._entry("READY", 1), position)

    @rule(mark=MARKS, first=st.booleans(), apart=st.sampled_from([0, 1, 14, -14]))
    def two_runs(self, mark: str, first: bool, apart: int) -> None:
        """Let two runs read before one of them writes; that one alone gets its entry in."""
        one = a_journal(self.store, self.now)
        other = a_journal(self.store, self.now + timedelta(minutes=apart))
        a, b = one.read().position, other.read().position
        if not first:
            one, other, a, b = other, one, b, a
        entry = self._entry(mark, 1)
        try:
            one.append(entry, a)
        except JournalMoved:
            return
        self.taken.add((a.day, a.offset))
        self.written.append(entry)
        with pytest.raises((JournalConflict, JournalMoved)):
            other.append(self._entry("INVENTED", 1), b)

    @rule(mark=MARKS, hours=st.sampled_from([8, -8, 24 * 3, 24 * 20]))
    def run_with_a_wrong_clock(self, mark: str, hours: int) -> None:
        """Let one run have another time, where the store has none."""
        if self.store.moment is None and self.written:
            right, self.now = self.now, self.now + timedelta(hours=hours)
            journal, mortal = self._journal(None, after=False)
            found = journal.read()
            if found.memory == fold(self.written):
                # One that is too far ahead to find the journal begins another, and harms none.
                self._write(journal, mortal, self._entry(mark, 1), found.position)
            self.now = right

    @rule()
    def tear(self) -> None:
        """Leave half a line where the next entry would go, as a writer that dies does."""
        end = a_journal(self.store, self.now).read().position
        data = self.store.get(name_of(end.day))
        part = self.store.tail(name_of(end.day), 1)
        if data and part and part.appendable:
            end_of_line = b"" if data.endswith(b"\n") else b"\n"
            put(self.store, name_of(end.day), data + end_of_line + HALF)

    @rule(shows=st.booleans())
    def close(self, shows: bool) -> None:
        """Let the newest object take nothing more, whether that can be seen or not."""
        if isinstance(self.store, FakeStore) and len(self.store.closed) < 4:
            day = a_journal(self.store, self.now).read().position.day
            if name_of(day) in self.store.objects:
                self.store.closed.add(name_of(day))
                self.store.shows_it = self.store.shows_it and shows

    @invariant()
    def remembers_what_was_written(self) -> None:
        """What is read is the fold of all entries, and is never called lost."""
        journal = a_journal(self.store, self.now)
        found = journal.read()
        if isinstance(self.store, FakeStore) and not self.store.shows_it:
            # What is closed and does not look so is found out by writing.
            probe = self._entry("PROBE", 1)
            self._write(journal, Mortal(self.store, None, after=False), probe, found.position)
            found = journal.read()
        assert found.memory == fold(self.written)
        assert not found.snapshot_lost
        assert (found.position.day, found.position.offset) not in self.taken


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let snapshots follow, objects be full, and requests be short, after some entries already."""
    monkeypatch.setattr(objects, "ROOM", 1500)
    monkeypatch.setattr(objects, "MOST_APPENDS", 25)
    monkeypatch.setattr(tails, "TAIL", 2000)
    monkeypatch.setattr(tails, "MORE", 2)


@pytest.mark.parametrize(
    ("kind", "examples", "steps"),
    [("memory", extent(60, 12), 40), ("file", extent(15, 4), 30), ("obs", extent(5, 1), 20)],
)
def test_any_sequence_of_runs_is_remembered(kind: str, examples: int, steps: int) -> None:
    """Whoever dies, overlaps or has a wrong clock: nothing is lost, doubled or in another order."""

    class Machine(Journals):
        make = staticmethod(STORES[kind])

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
