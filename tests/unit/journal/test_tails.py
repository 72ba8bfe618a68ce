"""The journal read from its end: snapshots within a day, clocks, and objects that are closed."""

from __future__ import annotations

import itertools
import json
import os
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Iterator, List, Optional

import pytest

from sms_watch.adapters.file import FileStore
from sms_watch.adapters.obs import ObsStore
from sms_watch.errors import (
    JournalClosed,
    JournalConflict,
    JournalError,
    JournalMoved,
)
from sms_watch.journal import objects
from sms_watch.journal.entries import Entry, EntryType, Mark, encode, fold, snapshot
from sms_watch.journal.objects import AHEAD, EMPTY, ROOM, DailyJournal
from sms_watch.journal.store import BEGINNING, AppendStore, Part, following, name_of
from sms_watch.journal.tails import TAIL
from sms_watch.model.notice import Position
from sms_watch.rules.record import Lease, Memory
from tests.support.builders import NOW, a_record, minutes
from tests.support.clouds import set_time, stored_objects
from tests.support.fakes import FakeStore
from tests.support.journals import (
    DAY,
    KINDS,
    MIDNIGHT,
    STORES,
    TODAY,
    a_journal,
    an_entry,
    append,
    mark_of,
    put,
    read,
    types_of,
)

TOMORROW = "20261125"
LONG = "x" * 900  # the name of a task that makes a record of a kilobyte


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AppendStore]:
    """Return a store of each kind, one after the other."""
    with STORES[request.param](tmp_path) as made:
        yield made


def _long_entry(number: int, now: datetime = NOW, tasks: int = 10) -> Entry:
    """Return an entry of some kilobytes; entries of five numbers in a row are about other tasks."""
    about = (f"task-{number % 5}-{each}" for each in range(tasks))
    record = a_record(state=f"STATE-{number}", name=LONG, since=NOW)
    return an_entry(now, tasks=dict.fromkeys(about, record))


def _fill(store: AppendStore, number: int, now: datetime = NOW, tasks: int = 10) -> List[Entry]:
    """Append entries of some kilobytes as one run after the other does; return them."""
    written = [_long_entry(each, now, tasks) for each in range(number)]
    for entry in written:
        journal = a_journal(store, now)
        journal.append(entry, journal.read().position)
    return written


def _lines(store: AppendStore, day: str = TODAY) -> List[bytes]:
    return (store.get(name_of(day)) or b"").splitlines(keepends=True)


# Snapshots within the day


def test_snapshots_follow_within_the_day(store: AppendStore) -> None:
    """Whenever what came after the last one has grown beyond a bound; the memory is the same."""
    written = _fill(store, 60)
    assert types_of(store).count("snapshot") > 3
    found = read(store)
    assert (found.damaged, found.snapshot_lost, found.memory) == (0, False, fold(written))
    since = 0
    for line in _lines(store)[1:]:
        whole = json.loads(line)
        since = 0 if whole["type"] == "snapshot" else since + len(line)
        assert since < ROOM + 51 * 1024 // 4 + 2 * len(line)


def test_every_line_names_where_the_last_snapshot_begins(store: AppendStore) -> None:
    """A reader that has the last line knows from where on to read."""
    _fill(store, 30)
    offset = base = 0
    for line in _lines(store):
        found = json.loads(line)
        base = offset if found["type"] == "snapshot" else base
        assert found["base"] == base
        offset += len(line)


@pytest.mark.slow
def test_a_run_reads_as_much_in_the_evening_as_in_the_morning() -> None:
    """However long the object is, what is read of it stays within a bound, in few requests."""
    store, read_so_far = FakeStore(), []
    for number in range(300):
        journal = a_journal(store)
        store.gets = store.bytes = 0
        position = journal.read().position
        if number:
            assert store.gets <= 2 + (number == 1)
            read_so_far.append(store.bytes)
        journal.append(_long_entry(number), position)
    snapshot_size = max(len(line) for line in _lines(store) if b'"type":"snapshot"' in line[:200])
    assert len(store.objects[name_of(TODAY)]) > 10 * max(read_so_far)
    assert max(read_so_far) <= TAIL + ROOM + 2 * snapshot_size


def test_a_short_tail_is_one_request() -> None:
    """Where snapshot and what follows are short, the first request brings all."""
    store = FakeStore()
    for number in range(400):
        append(store, NOW, f"STATE-{number}")
    store.gets = store.bytes = 0
    assert mark_of(store) == "STATE-399"
    assert store.gets == 1
    assert store.bytes <= TAIL


def test_the_first_run_after_midnight_reads_no_more_than_any_other() -> None:
    """It looks for an object of its day, and reads the end of yesterday's."""
    store = FakeStore()
    _fill(store, 300)
    store.gets = store.bytes = 0
    _, evening = read(store), store.bytes
    store.gets = store.bytes = 0
    journal = a_journal(store, MIDNIGHT)
    journal.append(an_entry(MIDNIGHT, "ABORT"), journal.read().position)
    assert store.bytes == evening
    assert store.gets <= 3
    assert types_of(store, TOMORROW) == ["snapshot", "plan"]
    assert len(read(store, MIDNIGHT).memory.tasks) == 51


def test_a_last_line_that_is_longer_than_what_is_read_first(store: AppendStore) -> None:
    """More is read until a line is whole, however long it is."""
    _fill(store, 30)
    entry = _long_entry(99, tasks=2 * TAIL // 1000)
    journal = a_journal(store)
    journal.append(entry, journal.read().position)
    assert len(_lines(store)[-1]) > TAIL
    assert read(store).memory.tasks["task-4-200"].state == "STATE-99"
    assert not read(store).damaged


def test_an_object_without_marks_is_read_whole(store: AppendStore) -> None:
    """Lines that do not say where the last snapshot begins are read from the first on."""
    written = [_long_entry(number) for number in range(40)]
    whole = snapshot(Memory(), NOW, "run", "nonce")
    put_in = b"".join(map(encode, [whole, *written]))
    store.append(name_of(TODAY), 0, put_in)
    assert len(put_in) > 2 * TAIL
    assert read(store).memory == fold(written)
    append(store, NOW, "ABORT")
    assert types_of(store)[-2:] == ["snapshot", "plan"]
    assert read(store).memory == fold([*written, an_entry(NOW, "ABORT")])


# Damage to what is read from


def _damage(store: AppendStore, change: Any) -> None:
    put(store, name_of(TODAY), b"".join(change(_lines(store))))


def _last_base(lines: List[bytes]) -> int:
    """Return the number of the line that is the last snapshot."""
    return max(n for n, line in enumerate(lines) if b'"type":"snapshot"' in line[:200])


@pytest.mark.slow
@pytest.mark.parametrize("odd", [b"garbage\n", b"", b'{"v":1}\n', b"\n"], ids=repr)
def test_what_comes_before_a_lost_base_stands_for_it(store: AppendStore, odd: bytes) -> None:
    """A snapshot within the day says what the lines before it say: nothing is lost with it."""
    written = _fill(store, 40)

    def spoil(lines: List[bytes]) -> List[bytes]:
        number = _last_base(lines)
        return [*lines[:number], odd, *lines[number + 1 :]]

    _damage(store, spoil)
    found = read(store)
    assert (found.damaged, found.snapshot_lost) == (1 if odd else 0, False)
    assert found.memory == fold(written)
    append(store, NOW, "ABORT")
    found = read(store)
    assert (found.damaged, found.memory) == (0, fold([*written, an_entry(NOW, "ABORT")]))


def test_a_lost_first_snapshot_does_no_harm_once_another_has_followed(store: AppendStore) -> None:
    """What is read begins behind it."""
    written = _fill(store, 40)
    _damage(store, lambda lines: [b"x" * (len(lines[0]) - 1) + b"\n", *lines[1:]])
    assert (read(store).damaged, read(store).memory) == (0, fold(written))


@pytest.mark.slow
@pytest.mark.parametrize(
    "base",
    [
        pytest.param(lambda right: right - 1, id="a byte before"),
        pytest.param(lambda right: right + 1, id="a byte behind"),
        pytest.param(lambda right: 10**12, id="beyond the end"),
        pytest.param(lambda right: 0, id="the first"),
        pytest.param(lambda right: -5, id="no place"),
        pytest.param(lambda right: "x", id="no number"),
        pytest.param(lambda right: None, id="none"),
    ],
)
def test_a_base_that_is_wrong_is_not_believed(store: AppendStore, base: Any) -> None:
    """Whatever the last line says, what is remembered is what was written."""
    written = _fill(store, 40)

    def point_elsewhere(lines: List[bytes]) -> List[bytes]:
        last = json.loads(lines[-1])
        last["base"] = base(last["base"])
        return [*lines[:-1], json.dumps(last).encode() + b"\n"]

    _damage(store, point_elsewhere)
    found = read(store)
    refused = base(7) in (-5, "x")
    assert found.snapshot_lost is False
    assert found.memory == fold(written[:-1] if refused else written)


def test_a_snapshot_that_was_not_written_whole_is_none(store: AppendStore) -> None:
    """A writer that died within it leaves the one before it in force, wherever it was cut."""
    written = _fill(store, 3)
    lines = _lines(store)
    assert _last_base(lines) == 0
    journal = a_journal(store)
    journal.read()
    whole = encode(snapshot(fold(written), NOW, "run", "n"), mark=Mark(sum(map(len, lines)), 4))
    for cut in (1, len(whole) // 2, len(whole) - 1, len(whole)):
        put(store, name_of(TODAY), b"".join(lines) + whole[:cut])
        assert read(store).memory == fold(written)
        assert read(store).damaged == (cut < len(whole) - 1)
    put(store, name_of(TODAY), b"".join(lines) + whole[: len(whole) // 2])
    append(store, NOW, "ABORT")
    assert (mark_of(store), len(read(store).memory.tasks)) == ("ABORT", 31)


def test_an_object_that_is_exchanged_while_it_is_read_is_no_journal() -> None:
    """Of two objects the ends are not put together."""
    store = FakeStore()
    _fill(store, 10, tasks=40)
    real = store.get

    def exchanged(name: str, begin: int = 0, end: Optional[int] = None) -> Optional[bytes]:
        return real(name, begin, end) if end is None else b"short"

    store.get = exchanged  # type: ignore[method-assign] # of this object
    with pytest.raises(JournalError, match="became another while it was read"):
        read(store)


# The beginning


def test_of_the_first_two_runs_ever_one_wins(store: AppendStore) -> None:
    """On whichever side of midnight each of them is: they meet at one place."""
    before, after = MIDNIGHT - minutes(0.5), MIDNIGHT + minutes(0.5)
    one, other = a_journal(store, before), a_journal(store, after)
    here, there = one.read().position, other.read().position
    two = {here.day, there.day}
    other.append(an_entry(after, "ABORT"), there)
    with pytest.raises(JournalConflict):
        one.append(an_entry(before, "RUNNING"), here)
    assert mark_of(store, after) == "ABORT"
    assert two <= {TODAY, TOMORROW}


def test_a_first_run_that_died_between_is_followed(store: AppendStore) -> None:
    """The place that it chose is the place where the journal begins, also for the next day."""
    seal = Entry(EntryType.SEAL, NOW, "run", "seal")
    store.append(name_of(BEGINNING), 0, encode(seal, mark=Mark(next=TODAY)))
    for now in (NOW, MIDNIGHT):
        found = read(store, now)
        assert (found.position, found.memory) == (Position(TODAY, 0), Memory())
        assert found.warnings == (EMPTY,)
    append(store, MIDNIGHT, "RUNNING")
    assert types_of(store) == ["snapshot", "plan"]
    append(store, MIDNIGHT, "ABORT")
    assert types_of(store, TOMORROW) == ["snapshot", "plan"]
    assert mark_of(store, MIDNIGHT) == "ABORT"


def test_a_journal_that_was_forgotten_begins_anew_at_the_same_place(store: AppendStore) -> None:
    """After more than 31 days the second seal stands where the first does, and one run wins."""
    append(store, NOW, "RUNNING")
    later = NOW + 40 * DAY
    one, other = a_journal(store, later), a_journal(store, later)
    here, there = one.read().position, other.read().position
    one.append(an_entry(later, "ABORT"), here)
    with pytest.raises(JournalConflict):
        other.append(an_entry(later, "RUNNING"), there)
    assert types_of(store, BEGINNING) == ["seal", "seal"]
    assert mark_of(store, later) == "ABORT"


def test_half_a_seal_at_the_beginning_is_closed(store: AppendStore) -> None:
    """What the first run of all left behind when it died stands in the way of none."""
    store.append(name_of(BEGINNING), 0, b'{"v":1,"ne')
    append(store, NOW, "RUNNING")
    assert types_of(store, BEGINNING) == ["damaged", "seal"]
    assert mark_of(store) == "RUNNING"


# Clocks


def test_the_day_is_that_of_the_stores_clock(tmp_path: Path) -> None:
    """A run whose own clock is before midnight writes to the day that has begun at the store."""
    with STORES["obs"](tmp_path) as store:
        append(store, MIDNIGHT - minutes(10), "RUNNING")
        assert isinstance(store, ObsStore)
        set_time(store, MIDNIGHT + minutes(5))
        journal = DailyJournal(store, MIDNIGHT - minutes(2), lambda: "nonce")
        found = journal.read()
        assert found.at == MIDNIGHT + minutes(5)
        after = journal.append(an_entry(MIDNIGHT - minutes(2), "ABORT"), found.position)
        assert after.day == TOMORROW


def test_a_store_without_a_clock_goes_by_that_of_the_run(tmp_path: Path) -> None:
    """A directory has the time of its machine."""
    with STORES["file"](tmp_path) as store:
        assert read(store).at is None
        assert append(store, NOW, "RUNNING").day == TODAY
        assert (read(store).at, append(store, MIDNIGHT, "ABORT").day) == (None, TOMORROW)


@pytest.mark.parametrize("ahead", [timedelta(hours=8), timedelta(hours=23)])
def test_a_run_that_was_hours_ahead_is_followed(store: AppendStore, ahead: timedelta) -> None:
    """The object that its seal names is the journal, until its day is over."""
    noon = NOW + timedelta(hours=17)
    append(store, noon, "RUNNING")
    append(store, noon + ahead, "MIGRATE_FAIL")
    assert mark_of(store, noon) == "MIGRATE_FAIL"
    for now in (noon, MIDNIGHT + minutes(1), MIDNIGHT + DAY + minutes(1)):
        append(store, now, f"AT-{now:%d}")
        assert mark_of(store, now) == f"AT-{now:%d}"
    assert read(store, MIDNIGHT + DAY + minutes(1)).position.day == "20261126"


@pytest.mark.parametrize("days", [2, 20, 31])
def test_a_run_that_was_days_ahead_is_come_back_from(store: AppendStore, days: int) -> None:
    """The journal goes on in another object of the present day, and is found from then on."""
    append(store, NOW, "RUNNING")
    append(store, NOW + days * DAY, "MIGRATE_FAIL")
    assert mark_of(store) == "MIGRATE_FAIL"
    assert append(store, NOW, "ABORT").day == f"{TODAY}b"
    assert mark_of(store) == "ABORT"
    for later in range(1, 50):
        now = NOW + later * DAY
        assert mark_of(store, now) == ("ABORT" if later == 1 else f"AT-{later - 1}")
        append(store, now, f"AT-{later}")


def test_a_run_that_was_further_ahead_than_a_journal_reaches_leaves_it_alone(
    store: AppendStore,
) -> None:
    """To it the journal is forgotten, so it begins one of its own; the others go on as before."""
    append(store, NOW, "RUNNING")
    assert append(store, NOW + 40 * DAY, "MIGRATE_FAIL").day == "20270103"
    assert mark_of(store) == "RUNNING"
    append(store, NOW, "ABORT")
    assert (mark_of(store), mark_of(store, MIDNIGHT)) == ("ABORT", "ABORT")


def test_a_run_whose_clock_is_days_behind_is_come_back_from(store: AppendStore) -> None:
    """It finds the end of the journal, and whoever comes after it does so too."""
    append(store, NOW - 3 * DAY, "RUNNING")
    append(store, NOW - 2 * DAY, "RUNNING")
    append(store, NOW, "MIGRATE_FAIL")
    assert mark_of(store, NOW - 2 * DAY) == "MIGRATE_FAIL"
    append(store, NOW - 2 * DAY, "ABORT")
    assert mark_of(store) == "ABORT"
    append(store, NOW, "READY")
    assert (mark_of(store), mark_of(store, MIDNIGHT)) == ("READY", "READY")


def test_clocks_that_are_days_apart_for_good_end_in_words(store: AppendStore) -> None:
    """Two machines that take turns close each other's objects: that is told, not gone on with."""

    def take_turns() -> None:
        for number in range(80):
            append(store, NOW + (number % 2) * 20 * DAY, f"AT-{number}")

    with pytest.raises(JournalError, match=r"closed again and again .* the clocks of all machines"):
        take_turns()


def test_times_that_have_not_come_yet_are_told_and_not_obeyed(store: AppendStore) -> None:
    """A start of tomorrow holds none back today, nor does a lease; the run says why."""
    ahead = NOW + timedelta(hours=8)
    record = a_record(last_at=ahead)
    entry = an_entry(NOW, tasks={"a": record}, lease=Lease(ahead, "run"))
    journal = a_journal(store)
    assert AHEAD not in journal.read().warnings
    journal.append(entry, read(store).position)
    found = read(store)
    assert found.warnings == (AHEAD,)
    assert found.memory.tasks["a"].starts.last_at == NOW
    assert found.memory.lease is None
    assert read(store, ahead).warnings == ()
    assert read(store, ahead).memory.tasks["a"] == record


# A conflict


class Stale(FakeStore):
    """A store that something stands before which gives old answers."""

    def __init__(self) -> None:
        super().__init__()
        self.old: Optional[dict[str, bytes]] = None

    def get(self, name: str, begin: int = 0, end: Optional[int] = None) -> Optional[bytes]:
        data = (self.objects if self.old is None else self.old).get(name)
        return None if data is None else data[begin:end]


def test_a_conflict_after_which_nothing_has_grown_is_a_failure() -> None:
    """Without anything new another run was not first: something gives old answers for good."""
    store = Stale()
    append(store, NOW, "RUNNING")
    store.old = dict(store.objects)
    append_now = a_journal(store)
    position = append_now.read().position
    store.append(name_of(TODAY), position.offset, encode(an_entry(NOW, "ABORT")))
    with pytest.raises(JournalError, match="shows nothing new") as caught:
        append_now.append(an_entry(NOW, "READY"), position)
    assert not isinstance(caught.value, JournalConflict)
    assert "a proxy that keeps them" in str(caught.value)


@pytest.mark.parametrize("later", [NOW, MIDNIGHT], ids=["the same day", "the next"])
def test_a_conflict_with_an_entry_is_one(store: AppendStore, later: datetime) -> None:
    """Where another entry stands, or a seal, the run was second and need not fail."""
    append(store, NOW, "RUNNING")
    one, other = a_journal(store, later), a_journal(store, later)
    position = one.read().position
    other.append(an_entry(later, "ABORT"), other.read().position)
    with pytest.raises(JournalConflict):
        one.append(an_entry(later, "READY"), position)


# Objects that can no longer be appended to


def _close(store: AppendStore, day: str) -> None:
    """Let an object be closed, as one that was put back from a backup is."""
    if isinstance(store, FakeStore):
        store.closed.add(name_of(day))
    elif isinstance(store, ObsStore):
        stored_objects(store)[f"watch/{name_of(day)}"].ordinary = True
    else:
        LOCKED.add(name_of(day))


LOCKED: set[str] = set()


@pytest.fixture
def closable(store: AppendStore, monkeypatch: pytest.MonkeyPatch) -> AppendStore:
    """Return a store whose objects can be closed: files that this user may not write to."""
    may = os.access

    def may_now(path: Any, mode: int, **more: Any) -> bool:
        return Path(path).name not in LOCKED and may(path, mode, **more)

    monkeypatch.setattr(os, "access", may_now)
    LOCKED.clear()
    return store


def test_a_closed_object_is_followed_by_another_of_its_day(closable: AppendStore) -> None:
    """Nothing is lost; the first run that meets it tells it, and all agree on the next."""
    written = _fill(closable, 3)
    _close(closable, TODAY)
    assert read(closable).memory == fold(written)
    warnings: List[str] = []
    after = append(closable, NOW, "RUNNING", warn=warnings.append)
    assert after.day == f"{TODAY}b"
    (told,) = warnings
    assert f"{name_of(TODAY)} of the journal can no longer be appended to" in told
    assert f"goes on in {name_of(after.day)}" in told
    assert types_of(closable, after.day) == ["snapshot", "plan"]
    for mark in ("ABORT", "READY"):
        assert append(closable, NOW, mark, warn=warnings.append).day == after.day
        assert mark_of(closable) == mark
    assert len(read(closable).memory.tasks) == 31
    assert len(warnings) == 1


def test_a_file_that_may_be_written_to_again_is_not_returned_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights that were away for some minutes leave one memory, not two."""
    store, may = FileStore(tmp_path), os.access
    append(store, NOW, "RUNNING")
    with monkeypatch.context() as away:
        away.setattr(os, "access", lambda path, mode: mode != os.W_OK and may(path, mode))
        assert append(store, NOW, "MIGRATE_FAIL").day == f"{TODAY}b"
    assert mark_of(store) == "MIGRATE_FAIL"
    assert append(store, NOW, "ABORT").day == f"{TODAY}b"
    assert mark_of(store) == "ABORT"


@contextmanager
def _read_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the right to write away, as for a user who is not the other run's."""
    may = os.access
    with monkeypatch.context() as away:
        away.setattr(os, "access", lambda path, mode: mode != os.W_OK and may(path, mode))
        yield


@pytest.mark.parametrize("now", [NOW, MIDNIGHT], ids=["in a day", "over midnight"])
@pytest.mark.parametrize("first", ["who may write", "who may not"])
def test_of_two_runs_that_see_other_rights_on_a_file_one_acts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, now: datetime
) -> None:
    """One appends to the file, the other leaves it for the next: not both may go on."""
    store = FileStore(tmp_path)
    append(store, NOW, "RUNNING")
    may, may_not = a_journal(store, now), a_journal(store, now)
    places = {id(journal): journal.read().position for journal in (may, may_not)}
    won = []
    for journal in (may, may_not) if first == "who may write" else (may_not, may):
        rights = _read_only(monkeypatch) if journal is may_not else nullcontext()
        with rights, suppress(JournalConflict, JournalMoved):
            mark = "MAY" if journal is may else "MAY-NOT"
            journal.append(an_entry(now, mark), places[id(journal)])
            won.append(mark)
    assert len(won) == 1
    # Whatever was written by the other, a run goes on from there, and it stays one journal.
    append(store, now, "LATER")
    assert mark_of(store, now) == "LATER"


def test_an_object_may_be_closed_again_and_again(closable: AppendStore) -> None:
    """Each is followed by the next, and the next day by one of its own."""
    append(closable, NOW, "RUNNING")
    for letter in "bcd":
        _close(closable, read(closable).position.day)
        assert append(closable, NOW, f"IN-{letter}").day == f"{TODAY}{letter}"
        assert mark_of(closable) == f"IN-{letter}"
    assert append(closable, MIDNIGHT, "ABORT").day == TOMORROW
    assert mark_of(closable, MIDNIGHT) == "ABORT"
    assert types_of(closable, f"{TODAY}d")[-1] == "seal"


def test_of_two_runs_that_meet_a_closed_object_one_wins(closable: AppendStore) -> None:
    """The object that follows is made once, and whoever did not see it reads again."""
    append(closable, NOW, "RUNNING")
    one, other, late = (a_journal(closable) for _ in range(3))
    position = one.read().position
    assert other.read().position == late.read().position == position
    _close(closable, TODAY)
    one.append(an_entry(NOW, "MIGRATE_FAIL"), position)
    with pytest.raises(JournalMoved):
        other.append(an_entry(NOW, "ABORT"), position)
    found = other.read()
    assert found.memory.tasks["a"].state == "MIGRATE_FAIL"
    other.append(an_entry(NOW, "ABORT"), found.position)
    with pytest.raises(JournalMoved):
        late.append(an_entry(NOW, "READY"), position)
    assert mark_of(closable) == "ABORT"


def test_an_object_that_is_closed_before_midnight_does_not_stop_the_next_day(
    closable: AppendStore,
) -> None:
    """It takes no seal; the journal goes on beside it, and turns the day from there."""
    append(closable, NOW, "RUNNING")
    _close(closable, TODAY)
    assert append(closable, MIDNIGHT, "ABORT").day == f"{TODAY}b"
    assert mark_of(closable, MIDNIGHT) == "ABORT"
    assert append(closable, MIDNIGHT, "READY").day == TOMORROW
    assert mark_of(closable, MIDNIGHT) == "READY"


def test_an_object_that_does_not_look_closed_is_found_out_by_trying() -> None:
    """A run that read too little says so; it reads on from there, and then knows all."""
    store = FakeStore()
    append(store, NOW, "RUNNING")
    _close(store, TODAY)
    store.shows_it = False
    assert append(store, NOW, "MIGRATE_FAIL").day == f"{TODAY}b"
    journal = a_journal(store)
    with pytest.raises(JournalMoved):
        journal.append(an_entry(NOW, "ABORT"), journal.read().position)
    found = journal.read()
    assert found.memory.tasks["a"].state == "MIGRATE_FAIL"
    assert journal.append(an_entry(NOW, "ABORT"), found.position).day == f"{TODAY}b"


class Archived(FakeStore):
    """A store that has put objects into an archive."""

    def tail(self, name: str, size: int) -> Optional[Part]:
        if name in self.closed:
            return Part(b"", appendable=False, readable=False)
        return super().tail(name, size)


def test_an_object_in_an_archive_is_lost_and_followed() -> None:
    """It can neither be read nor written to: yesterday's stands for it, and that is told."""
    store = Archived()
    append(store, NOW - DAY, "RUNNING")
    append(store, NOW, "MIGRATE_FAIL")
    store.closed.add(name_of(TODAY))
    found = read(store)
    assert (found.damaged, found.snapshot_lost) == (1, True)
    assert found.memory.tasks["a"].state == "RUNNING"
    assert append(store, NOW, "ABORT").day == f"{TODAY}b"
    found = read(store)
    assert (found.damaged, found.snapshot_lost, mark_of(store)) == (0, False, "ABORT")


def test_a_place_that_takes_no_object_at_all_is_an_error() -> None:
    """Where nothing can be made either, the next object is no way out."""
    store = FakeStore()
    store.closed = {name_of(TODAY), name_of(f"{TODAY}b")}
    with pytest.raises(JournalClosed):
        append(store, NOW, "RUNNING")


def test_a_journal_that_is_older_than_anybody_looks_begins_anew() -> None:
    """Also where its very first object takes nothing more: nobody races for it by then."""
    store = FakeStore()
    append(store, NOW - 40 * DAY, "RUNNING")
    store.closed.add(name_of(BEGINNING))
    assert append(store, NOW, "ABORT").day == TODAY
    assert mark_of(store) == "ABORT"


def test_a_full_object_is_closed_ahead_of_its_limit(
    store: AppendStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object takes 10,000 appends: with a timer of seconds a day has more than one."""
    monkeypatch.setattr(objects, "MOST_APPENDS", 5)
    for number in range(18):
        append(store, NOW, f"AT-{number}")
        assert mark_of(store) == f"AT-{number}"
    assert [types_of(store, day).count("plan") for day in (TODAY, f"{TODAY}b", f"{TODAY}c")] == [
        5,
        5,
        5,
    ]
    assert read(store).position.day == f"{TODAY}d"
    assert append(store, MIDNIGHT, "ABORT").day == TOMORROW
    assert objects.MOST_APPENDS < 10_000


def test_the_letters_of_a_day_have_an_end() -> None:
    """After the last object of a day the error says what to look at."""
    days = itertools.accumulate(range(24), lambda day, _: following(day), initial=f"{TODAY}b")
    assert list(days)[-1] == f"{TODAY}z"
    with pytest.raises(JournalError, match="name another place in JOURNAL_URI"):
        following(f"{TODAY}z")


# Whose it is


MINE, THEIRS = (f"urn:smn:ap-southeast-3:{'0' * 32}:{name}" for name in ("wave-1", "wave-2"))


def test_a_journal_of_another_topic_is_refused(store: AppendStore) -> None:
    """It would tell this one's news there: both are named, and what to do."""
    append(store, NOW, "RUNNING", topic=MINE)
    assert a_journal(store, topic=MINE).read().memory.tasks
    for now in (NOW, MIDNIGHT):
        with pytest.raises(JournalError) as caught:
            a_journal(store, now, topic=THEIRS).read()
        assert f"tells {MINE}, and not {THEIRS}" in str(caught.value)
        assert "name a new place in JOURNAL_URI" in str(caught.value)


def test_a_later_snapshot_says_whose_it_is_too(store: AppendStore) -> None:
    """Also where the run reads from one within the day."""
    for number in range(40):
        journal = a_journal(store, topic=MINE)
        journal.append(_long_entry(number), journal.read().position)
    assert types_of(store).count("snapshot") > 2
    with pytest.raises(JournalError, match="that of another watch"):
        a_journal(store, topic=THEIRS).read()


def test_a_journal_that_does_not_say_whose_it_is_is_taken(store: AppendStore) -> None:
    """One that was begun without a topic gets one with its next snapshot."""
    append(store, NOW, "RUNNING")
    assert append(store, MIDNIGHT, "ABORT", topic=MINE)
    with pytest.raises(JournalError, match="that of another watch"):
        a_journal(store, MIDNIGHT, topic=THEIRS).read()


def test_lines_are_told_apart_by_their_nonces(store: AppendStore) -> None:
    """Two runs that write the same thing at the same moment write different bytes."""
    append(store, NOW, "RUNNING")
    append(store, NOW, "RUNNING")
    lines = [json.loads(line) for line in _lines(store)]
    assert len({line["nonce"] for line in lines}) == len(lines)
    assert [line["count"] for line in lines] == [1, 1, 2]
    assert replace(an_entry(), nonce="x") != an_entry()
