"""The journal on a store: days, seals, races, torn and damaged lines; the same on every store."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import stat
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable, ContextManager, Iterator, List, NoReturn, Tuple

import pytest
from builders import NOW, a_record, minutes
from clouds import BUCKET, a_night, an_obs_store, stored_objects
from fakes import FakeStore
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.adapters import file
from sms_watch.adapters.file import FileStore
from sms_watch.errors import JournalConflict, JournalError
from sms_watch.journal.entries import Delivery, Entry, EntryType, JournalReading, encode, fold
from sms_watch.journal.objects import EMPTY, AppendStore, DailyJournal
from sms_watch.model.notice import Kind, Notice, Position
from sms_watch.rules.record import Memory

DAY = timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0, minute=0) + DAY


@contextmanager
def _in_memory(place: Path) -> Iterator[AppendStore]:
    yield FakeStore()


@contextmanager
def _in_files(place: Path) -> Iterator[AppendStore]:
    yield FileStore(place / "a" / "journal")


@contextmanager
def _on_obs(place: Path) -> Iterator[AppendStore]:
    with a_night(place) as night:
        night.storage.create(BUCKET, "ap-southeast-3", "private")
        with an_obs_store(night) as store:
            yield store


@pytest.fixture(params=[_in_memory, _in_files, _on_obs], ids=["memory", "file", "obs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AppendStore]:
    """Give a store of each kind, one after the other."""
    make: Callable[[Path], ContextManager[AppendStore]] = request.param
    with make(tmp_path) as made:
        yield made


def _replace(store: AppendStore, name: str, data: bytes) -> None:
    """Put other content in an object's place, as an accident would."""
    if isinstance(store, FakeStore):
        store.objects[name] = data
    elif isinstance(store, FileStore):
        (store._directory / name).write_bytes(data)
    else:
        stored_objects(store)[f"watch/{name}"].data = data


NONCES = itertools.count()


def _journal(store: AppendStore, now: datetime = NOW) -> DailyJournal:
    return DailyJournal(store, now, lambda: f"nonce-{next(NONCES)}")


def an_entry(now: datetime = NOW, mark: str = "RUNNING", **fields: Any) -> Entry:
    """Give an entry that is told from others by the state in it."""
    memory = a_record(state=mark, since=NOW)
    entry = Entry(EntryType.PLAN, now, "run", f"entry-{next(NONCES)}")
    return replace(entry, **{"tasks": {"a": memory}, **fields})


def _append(store: AppendStore, now: datetime, mark: str) -> Position:
    """Read the journal and append to it, as a run does."""
    journal = _journal(store, now)
    return journal.append(an_entry(now, mark), journal.read().position)


def _read(store: AppendStore, now: datetime = NOW) -> Tuple[JournalReading, Memory]:
    history = _journal(store, now).read()
    return history, fold(history.entries)


def _mark(store: AppendStore, now: datetime = NOW) -> str:
    return _read(store, now)[1].tasks["a"].state


# The store


def test_an_object_that_is_not_there_is_none(store: AppendStore) -> None:
    """Looking for what does not exist is no error, and makes nothing."""
    assert store.get("journal-20261124.jsonl") is None


def test_an_object_grows_at_its_end(store: AppendStore) -> None:
    """At 0 it is made; after that an append goes where the last one ended."""
    store.append("x", 0, b"one\n")
    store.append("x", 4, b"two\n")
    assert store.get("x") == b"one\ntwo\n"


@pytest.mark.parametrize("offset", [0, 3, 5])
def test_an_append_anywhere_else_is_a_conflict(store: AppendStore, offset: int) -> None:
    """Whoever does not know the length has lost the race, and has written nothing."""
    store.append("x", 0, b"one\n")
    with pytest.raises(JournalConflict):
        store.append("x", offset, b"two\n")
    assert store.get("x") == b"one\n"


def test_an_append_behind_what_is_not_there_is_a_conflict(store: AppendStore) -> None:
    """An object that is gone has no length but 0; nothing is written in its place."""
    with pytest.raises(JournalConflict):
        store.append("x", 4, b"two\n")
    assert not store.get("x")


# A day


def test_the_first_run_ever_finds_an_empty_memory(store: AppendStore) -> None:
    """Nothing is there, nothing is lost, and the next entry begins the day's object."""
    history, memory = _read(store)
    assert history == JournalReading((), Position("20261124", 0), warnings=(EMPTY,))
    assert memory == Memory()


def test_what_is_appended_is_read(store: AppendStore) -> None:
    """Entries come back in their order, after a snapshot; positions are exact."""
    first = _append(store, NOW, "RUNNING")
    second = _append(store, NOW, "MIGRATE_FAIL")
    history, memory = _read(store)
    assert [str(entry.type) for entry in history.entries] == ["snapshot", "plan", "plan"]
    assert first.offset < second.offset
    assert history.position == second
    assert memory.tasks["a"].state == "MIGRATE_FAIL"


def test_a_run_appends_twice_after_one_read(store: AppendStore) -> None:
    """Plan and acknowledgement follow each other without another read."""
    journal = _journal(store)
    after_plan = journal.append(an_entry(), journal.read().position)
    after_ack = journal.append(an_entry(mark="ABORT"), after_plan)
    assert _read(store)[0].position == after_ack
    assert _mark(store) == "ABORT"


def test_of_two_runs_that_read_the_same_one_wins(store: AppendStore) -> None:
    """The second append at one position is a conflict, at the first entry ever as well."""
    for _ in range(2):
        one, other = _journal(store), _journal(store)
        position = one.read().position
        assert other.read().position == position
        one.append(an_entry(mark="RUNNING"), position)
        with pytest.raises(JournalConflict):
            other.append(an_entry(mark="ABORT"), position)
        assert _mark(store) == "RUNNING"


# The next day


@pytest.mark.parametrize("days", [1, 2, 30])
def test_a_new_day_begins_with_the_memory_of_the_old(store: AppendStore, days: int) -> None:
    """However many quiet days lie between, nothing is forgotten."""
    _append(store, NOW, "RUNNING")
    later = NOW + days * DAY
    history, memory = _read(store, later)
    assert memory.tasks["a"].state == "RUNNING"
    after = _append(store, later, "MIGRATE_FAIL")
    assert after.day == f"{later:%Y%m%d}"
    history, memory = _read(store, later)
    assert [str(entry.type) for entry in history.entries] == ["snapshot", "plan"]
    assert memory.tasks["a"].state == "MIGRATE_FAIL"


def test_a_run_across_midnight_stays_in_its_object(store: AppendStore) -> None:
    """The acknowledgement of a run that began yesterday goes where its plan went."""
    begun = MIDNIGHT - timedelta(seconds=1)
    journal = _journal(store, begun)
    after = journal.append(an_entry(begun), journal.read().position)
    assert journal.append(an_entry(begun, "ABORT"), after).day == after.day
    assert _mark(store, MIDNIGHT + minutes(1)) == "ABORT"


def test_what_lies_beyond_31_days_is_forgotten(store: AppendStore) -> None:
    """A journal is found again after 31 days, and not after 32; 14 days call for renewal."""
    _append(store, NOW, "RUNNING")
    assert not _read(store, NOW + 14 * DAY)[0].expiring
    assert _read(store, NOW + 15 * DAY)[0].expiring
    assert _read(store, NOW + 31 * DAY)[0].entries
    assert not _read(store, NOW + 32 * DAY)[0].entries


def test_a_quiet_day_reads_one_object() -> None:
    """In the middle of a day with an object, one look is enough."""
    store = FakeStore()
    noon = NOW + timedelta(hours=12)
    _append(store, noon, "RUNNING")
    store.gets = 0
    _read(store, noon)
    assert store.gets == 1


def test_a_clock_that_is_behind_finds_the_newest(store: AppendStore) -> None:
    """A container whose clock is minutes behind appends to the day that has already begun."""
    _append(store, MIDNIGHT + minutes(1), "MIGRATE_FAIL")
    behind = MIDNIGHT - minutes(3)
    assert _mark(store, behind) == "MIGRATE_FAIL"
    assert _append(store, behind, "RUNNING").day == f"{MIDNIGHT:%Y%m%d}"
    assert _mark(store, MIDNIGHT + minutes(2)) == "RUNNING"


@pytest.mark.parametrize("skew", [-3, 0, 3])
def test_of_two_runs_that_turn_the_day_one_wins(store: AppendStore, skew: int) -> None:
    """Two containers around midnight, with clocks minutes apart: one entry, no other."""
    _append(store, MIDNIGHT - minutes(10), "RUNNING")
    one_time, other_time = MIDNIGHT + minutes(1), MIDNIGHT + minutes(1 + skew)
    one, other = _journal(store, one_time), _journal(store, other_time)
    position = one.read().position
    assert other.read().position == position
    one.append(an_entry(one_time, "MIGRATE_FAIL"), position)
    with pytest.raises(JournalConflict):
        other.append(an_entry(other_time, "ABORT"), position)
    assert _mark(store, MIDNIGHT + minutes(5)) == "MIGRATE_FAIL"


def test_a_run_that_died_while_it_turned_the_day_is_followed(store: AppendStore) -> None:
    """A sealed object without a successor loses nothing; the next run begins the new day."""
    _append(store, MIDNIGHT - minutes(10), "RUNNING")
    later = MIDNIGHT + minutes(1)
    seal = Entry(EntryType.SEAL, later, "run", "seal")
    day = f"{NOW:%Y%m%d}"
    name = f"journal-{day}.jsonl"
    store.append(name, len(store.get(name) or b""), encode(seal))
    for now in (MIDNIGHT - minutes(1), later, later + 3 * DAY):
        history, memory = _read(store, now)
        assert history.position == Position(f"{MIDNIGHT:%Y%m%d}", 0)
        assert memory.tasks["a"].state == "RUNNING"
    assert _append(store, later, "ABORT").day == f"{MIDNIGHT:%Y%m%d}"
    assert _mark(store, later) == "ABORT"


def test_a_plan_is_kept_when_its_acknowledgement_turns_the_day(store: AppendStore) -> None:
    """Days after a dead run's seal, the day's snapshot holds the plan that followed the seal."""
    position = _append(store, NOW - 3 * DAY, "RUNNING")
    seal = Entry(EntryType.SEAL, NOW - 2 * DAY, "run", "seal")
    store.append(f"journal-{position.day}.jsonl", position.offset, encode(seal))
    journal = _journal(store)
    after_plan = journal.append(an_entry(mark="ABORT"), journal.read().position)
    after_ack = journal.append(an_entry(tasks={}), after_plan)
    assert (after_plan.day, after_ack.day) == (f"{NOW - 2 * DAY:%Y%m%d}", f"{NOW:%Y%m%d}")
    assert _read(store)[0].position == after_ack
    assert _mark(store) == "ABORT"


# Damage


def _damage(store: AppendStore, change: Callable[[bytes], bytes]) -> None:
    name = "journal-20261124.jsonl"
    _replace(store, name, change(store.get(name) or b""))


def test_a_torn_line_is_skipped_and_closed(store: AppendStore) -> None:
    """What a dying writer left behind costs its own line and no other."""
    _append(store, NOW, "RUNNING")
    _damage(store, lambda data: data + b'{"v":1,"type":"pl')
    history, memory = _read(store)
    assert (history.damaged, history.snapshot_lost) == (1, False)
    assert memory.tasks["a"].state == "RUNNING"
    _append(store, NOW, "ABORT")
    history, memory = _read(store)
    assert (history.damaged, memory.tasks["a"].state) == (1, "ABORT")


def test_a_whole_line_without_its_end_counts(store: AppendStore) -> None:
    """A writer that died before the line end had written its line."""
    _append(store, NOW, "RUNNING")
    _damage(store, lambda data: data[:-1])
    assert _read(store)[0].damaged == 0
    assert _mark(store) == "RUNNING"
    _append(store, NOW, "ABORT")
    assert (_read(store)[0].damaged, _mark(store)) == (0, "ABORT")


def test_a_seal_without_its_end_leaves_the_next_object_clean(store: AppendStore) -> None:
    """What is missing at the end of one day's object is not added to the next day's."""
    yesterday = NOW - DAY
    position = _append(store, yesterday, "RUNNING")
    seal = Entry(EntryType.SEAL, NOW, "run", "seal")
    store.append(f"journal-{position.day}.jsonl", position.offset, encode(seal)[:-1])
    _append(store, NOW, "ABORT")
    history, memory = _read(store)
    assert [str(entry.type) for entry in history.entries] == ["snapshot", "plan"]
    assert (history.damaged, history.snapshot_lost) == (0, False)
    assert memory.tasks["a"].state == "ABORT"


def test_a_damaged_line_in_the_middle_is_skipped(store: AppendStore) -> None:
    """The lines around it are read."""
    _append(store, NOW, "RUNNING")
    _append(store, NOW, "ABORT")
    _damage(store, lambda data: data.replace(b'"RUNNING"', b"7"))
    history, memory = _read(store)
    assert history.damaged == 1
    assert not history.snapshot_lost
    assert memory.tasks["a"].state == "ABORT"


def _without_snapshot(data: bytes) -> bytes:
    return b"garbage\n" + data.split(b"\n", 1)[1]


def test_a_lost_snapshot_is_known_to_be_lost(store: AppendStore) -> None:
    """Without the snapshot, and without an older object, a part of the memory is gone."""
    _append(store, NOW, "RUNNING")
    _damage(store, _without_snapshot)
    history, memory = _read(store)
    assert (history.damaged, history.snapshot_lost) == (1, True)
    assert memory.tasks["a"].state == "RUNNING"


def test_an_older_object_makes_up_for_a_lost_snapshot(store: AppendStore) -> None:
    """A snapshot says what the day before ended with, so the day before can stand for it."""
    yesterday = NOW - DAY
    journal = _journal(store, yesterday)
    owed = an_entry(yesterday, "MIGRATE_FAIL")
    other = replace(owed, tasks={"b": a_record(name="b")})
    after = journal.append(owed, journal.read().position)
    journal.append(other, after)
    _append(store, NOW, "RUNNING")
    _damage(store, _without_snapshot)
    history, memory = _read(store)
    assert (history.damaged, history.snapshot_lost) == (1, False)
    assert set(memory.tasks) == {"a", "b"}
    assert memory.tasks["a"].state == "RUNNING"


def test_a_gap_behind_a_lost_snapshot_is_known(store: AppendStore) -> None:
    """An older object stands for a lost snapshot only if nothing is missing in between."""
    for back in (2, 1, 0):
        _append(store, NOW - back * DAY, "RUNNING")
    _damage(store, _without_snapshot)
    assert not _read(store)[0].snapshot_lost
    _replace(store, f"journal-{NOW - DAY:%Y%m%d}.jsonl", b"")
    assert _read(store)[0].snapshot_lost


def test_damage_in_what_stands_for_a_lost_snapshot_is_known(store: AppendStore) -> None:
    """A line that the snapshot still knew may be the one that cannot be read any more."""
    yesterday = f"journal-{NOW - DAY:%Y%m%d}.jsonl"
    _append(store, NOW - DAY, "MIGRATE_FAIL")
    _append(store, NOW, "RUNNING")
    _damage(store, _without_snapshot)
    assert not _read(store)[0].snapshot_lost
    whole = store.get(yesterday) or b""
    _replace(store, yesterday, whole.replace(b'"MIGRATE_FAIL"', b"7"))
    history, _ = _read(store)
    assert (history.damaged, history.snapshot_lost) == (2, True)


def test_an_empty_object_is_none(store: AppendStore) -> None:
    """An object that was made and never written to is begun like a missing one."""
    _append(store, NOW - DAY, "RUNNING")
    store.append("journal-20261124.jsonl", 0, b"")
    assert _mark(store) == "RUNNING"
    assert _append(store, NOW, "ABORT").day == "20261124"
    assert _mark(store) == "ABORT"


def test_a_newer_format_is_refused(store: AppendStore) -> None:
    """A journal of a later version is not read in part."""
    _append(store, NOW, "RUNNING")
    _damage(store, lambda data: data.replace(b'"v":1', b'"v":2'))
    with pytest.raises(JournalError, match="newer sms_watch"):
        _read(store)


# Any history


HALF = b'{"v":1,"half'
STEPS = st.tuples(
    st.integers(0, 3 * 24 * 60),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["RUNNING", "MIGRATE_FAIL", "ABORT"]),
    st.sampled_from(["whole", "dies before", "dies between"]),
    st.sampled_from(["clean", "half a line", "no line end"]),
)


def _wreck(store: FakeStore, how: str) -> None:
    """Leave behind what a writer leaves that dies while it writes to the newest object."""
    if how == "clean" or not store.objects:
        return
    newest = max(store.objects)
    data = store.objects[newest]
    if how == "no line end":
        store.objects[newest] = data[:-1] if data.endswith(b"\n") else data
    else:
        store.objects[newest] = data + (b"" if data.endswith(b"\n") else b"\n") + HALF


def _write_dying(store: FakeStore, entry: Entry, end: str) -> bool:
    """Read and append as a run does, and die as told; say whether the entry was written."""
    room = iter(range({"dies before": 0, "dies between": 1}.get(end, 99)))

    def die(name: str) -> None:
        if next(room, None) is None:
            raise KeyboardInterrupt

    store.before_append = die
    journal = _journal(store, entry.at)
    try:
        journal.append(entry, journal.read().position)
    except KeyboardInterrupt:
        return False
    return True


@given(st.lists(STEPS, max_size=12))
def test_whatever_dies_when_the_journal_is_what_was_written(
    steps: List[Tuple[int, str, str, str, str]],
) -> None:
    """Over days, with runs that die at any append, the memory is the fold of what was written.

    What is counted as damaged is what dying writers left, and the snapshot is never among it.
    """
    store, now = FakeStore(), NOW
    written: List[Entry] = []
    for number, (wait, task, mark, end, wreck) in enumerate(steps):
        now += minutes(wait)
        owed = Notice(Kind.TEST, now, str(number))
        entry = an_entry(
            now,
            tasks={task: a_record(state=mark, since=now)},
            notices=(owed,),
            delivered=Delivery("m", (str(number - 2),)),
        )
        if _write_dying(store, entry, end):
            written.append(entry)
        _wreck(store, wreck)
        history, memory = _read(store, now)
        assert memory == fold(written)
        halves = store.objects[max(store.objects)].count(HALF) if store.objects else 0
        assert (history.damaged, history.snapshot_lost) == (halves, False)


@given(st.lists(STEPS, max_size=12))
def test_no_two_entries_stand_at_one_position(
    steps: List[Tuple[int, str, str, str, str]],
) -> None:
    """Events are named after positions, so a position that an entry took is never given again."""
    store, now = FakeStore(), NOW
    taken: List[Position] = []
    for wait, _, mark, end, wreck in steps:
        now += minutes(wait)
        position = _read(store, now)[0].position
        assert position not in taken
        if _write_dying(store, an_entry(now, mark), end):
            taken.append(position)
        _wreck(store, wreck)


# Files


WRITER = """
import sys
from pathlib import Path
from datetime import datetime, timezone
from sms_watch.adapters.file import FileStore
from sms_watch.errors import JournalConflict
store, name, won = FileStore(Path(sys.argv[1])), "x", 0
while won < 200:
    length = len(store.get(name) or b"")
    try:
        store.append(name, length, f"{sys.argv[2]} {won}\\n".encode())
        won += 1
    except JournalConflict:
        pass
"""


def test_two_processes_never_write_over_each_other(tmp_path: Path) -> None:
    """Every line that one of two processes was told is written stands in the file, once."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [subprocess.Popen([*command, name], env=env) for name in ("one", "two")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    lines = (tmp_path / "x").read_text(encoding="utf-8").splitlines()
    expected = [f"{name} {number}" for name in ("one", "two") for number in range(200)]
    assert sorted(lines) == sorted(expected)
    assert [line for line in lines if line.startswith("one")] == expected[:200]


def test_a_journal_is_for_its_owner(tmp_path: Path) -> None:
    """Directory and files can be read by nobody else."""
    store = FileStore(tmp_path / "journal")
    store.append("x", 0, b"one\n")
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "journal" / "x").stat().st_mode & 0o777 == 0o600


def test_a_place_that_is_no_directory_is_explained(tmp_path: Path) -> None:
    """The error names the path, the reason, and the variable to change."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = FileStore(tmp_path / "file")
    with pytest.raises(JournalError, match=r"file could not be written: .*JOURNAL_URI"):
        store.append("x", 0, b"one\n")
    (tmp_path / "journal-20261124.jsonl").mkdir()
    with pytest.raises(JournalError, match="could not be read: Is a directory"):
        FileStore(tmp_path).get("journal-20261124.jsonl")


# Disks that fail, and disks on the network


def _fails(number: int, *_: Any) -> NoReturn:
    raise OSError(number, os.strerror(number))


def _failing(call: Callable[..., Any], number: int, turn: int, after: bool) -> Callable[..., Any]:
    """Return a call that fails at its turn, the first being 0, before its effect or after it."""
    turns = itertools.count()

    def made(*arguments: Any) -> Any:
        if next(turns) != turn:
            return call(*arguments)
        if after:
            call(*arguments)
        _fails(number)

    return made


def _writing(room: int) -> Callable[[int, bytes], int]:
    """Return an ``os.write`` of a disk that has room for so many bytes, and is full then."""
    real, left = os.write, iter([room])

    def write(descriptor: int, data: bytes) -> int:
        taken = next(left, 0)
        return real(descriptor, data[:taken]) if taken else _fails(errno.ENOSPC)

    return write


EITHER_WAY = [
    *(("open", turn) for turn in (0, 1)),
    *(("fstat", 0), ("write", 0), ("mkdir", 0)),
    *(("fsync", turn) for turn in (0, 1, 2)),
]
CALLS = [
    *((call, turn, after) for call, turn in EITHER_WAY for after in (False, True)),
    # Linux lets go of a file whatever closing it says (close(2)).
    *(("close", turn, True) for turn in (0, 1, 2)),
]


@pytest.mark.parametrize("before", [b"", b"one\n"], ids=["first", "later"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.ESTALE])
@pytest.mark.parametrize(("call", "turn", "after"), CALLS)
def test_an_append_that_fails_has_written_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    turn: int,
    after: bool,
    number: int,
    before: bytes,
) -> None:
    """Whichever call of it fails, before its effect or after it: an append is believed rightly."""
    store = FileStore(tmp_path / "journal")
    if before:
        store.append("x", 0, before)
    failed = False
    with monkeypatch.context() as patched:
        patched.setattr(os, call, _failing(getattr(os, call), number, turn, after))
        try:
            store.append("x", len(before), b"two\n")
        except JournalError:
            failed = True
    assert (store.get("x") or b"") == (before if failed else before + b"two\n")
    after_it = store.get("x") or b""
    store.append("x", len(after_it), b"three\n")
    assert store.get("x") == after_it + b"three\n"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP])
def test_a_disk_that_cannot_synchronise_a_directory_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """On a share, names are in the hands of its server: every entry is written, and believed."""
    real = os.fsync

    def synchronise(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            _fails(number)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", synchronise)
    store = FileStore(tmp_path / "a" / "journal")
    _append(store, NOW, "RUNNING")
    _append(store, MIDNIGHT, "ABORT")
    assert _mark(store, MIDNIGHT) == "ABORT"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_disk_that_cannot_synchronise_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """An entry that nobody knows to be on the disk is none, and is taken back."""
    store = FileStore(tmp_path)
    store.append("x", 0, b"one\n")
    monkeypatch.setattr(os, "fsync", _failing(os.fsync, number, 0, after=False))
    with pytest.raises(JournalError, match="could not be written"):
        store.append("x", 4, b"two\n")
    assert store.get("x") == b"one\n"


@pytest.mark.parametrize(
    "number", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS], ids=os.strerror
)
def test_a_disk_that_cannot_lock_files_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The error says what kind of disk it has to be and what to change; nothing is written."""
    store = FileStore(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", _failing(fcntl.flock, number, 0, after=False))
        with pytest.raises(JournalError) as caught:
            store.append("x", 0, b"one\n")
    text = str(caught.value)
    assert f"could not be locked: {os.strerror(number)}; a journal needs a disk that can" in text
    assert "JOURNAL_URI a directory on a local disk, or on a share that is mounted with lo" in text
    assert not store.get("x")


def test_a_lock_that_is_held_on_a_share_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMB says "permission denied" of a lock that another machine holds for a moment."""
    monkeypatch.setattr(file, "LOCK_WAIT", 0.0)
    monkeypatch.setattr(fcntl, "flock", _failing(fcntl.flock, errno.EACCES, 0, after=False))
    store = FileStore(tmp_path)
    store.append("x", 0, b"one\n")
    assert store.get("x") == b"one\n"


def test_names_are_on_the_disk_before_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut loses no directory and no file that an entry was written to."""
    real = os.fsync
    synchronised: List[Tuple[int, bytes]] = []
    written = tmp_path / "a" / "journal" / "x"

    def synchronise(descriptor: int) -> None:
        held = written.read_bytes() if written.exists() else b""
        synchronised.append((os.fstat(descriptor).st_ino, held))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", synchronise)
    FileStore(written.parent).append("x", 0, b"one\n")
    places = (tmp_path, written.parent.parent, written.parent, written)
    numbers = [each.stat().st_ino for each in places]
    assert synchronised == list(zip(numbers, [b"", b"", b"", b"one\n"]))


def test_a_full_disk_leaves_no_half_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole is taken back."""
    store = FileStore(tmp_path)
    store.append("x", 0, b"one\n")
    monkeypatch.setattr(os, "write", _writing(2))
    with pytest.raises(JournalError, match="No space left"):
        store.append("x", 4, b"two\n")
    assert store.get("x") == b"one\n"


def test_a_half_of_a_line_that_cannot_be_taken_back_is_closed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error leaves open what stands there; the reader skips it and the next entry is whole."""
    store = FileStore(tmp_path)
    _append(store, NOW, "RUNNING")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", _writing(20))
        patched.setattr(os, "ftruncate", lambda *_: _fails(errno.EIO))
        with pytest.raises(JournalError, match=r"No space left .* the entry may be there"):
            _append(store, NOW, "ABORT")
    assert (_read(store)[0].damaged, _mark(store)) == (1, "RUNNING")
    _append(store, NOW, "MIGRATE_FAIL")
    assert (_read(store)[0].damaged, _mark(store)) == (1, "MIGRATE_FAIL")


@pytest.mark.parametrize("stays", ["ftruncate", "fsync"])
def test_an_entry_that_cannot_be_taken_back_is_not_denied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stays: str
) -> None:
    """On a disk that fails at the end of an append, and then again, nothing certain is claimed."""
    store = FileStore(tmp_path)
    _append(store, NOW, "RUNNING")
    with monkeypatch.context() as patched:
        for call in {"fsync", stays}:
            patched.setattr(os, call, lambda *_: _fails(errno.EIO))
        with pytest.raises(JournalError, match="the next run goes by what it finds"):
            _append(store, NOW, "ABORT")
    assert _mark(store) == {"ftruncate": "ABORT", "fsync": "RUNNING"}[stays]


def test_a_lock_that_is_held_for_long_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs with the lock does not make this one hang."""
    monkeypatch.setattr(file, "LOCK_WAIT", 0.0)
    store = FileStore(tmp_path)
    store.append("x", 0, b"one\n")
    descriptor = os.open(tmp_path / "x", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(
            JournalError, match=r"holding its lock for seconds: check .* and end it"
        ):
            store.append("x", 4, b"two\n")
    finally:
        os.close(descriptor)
    store.append("x", 4, b"two\n")


def test_without_file_locks_there_is_no_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a system without them the error says what to do instead."""
    monkeypatch.setattr(file, "fcntl", None)
    with pytest.raises(JournalError, match="WSL"):
        FileStore(tmp_path)
