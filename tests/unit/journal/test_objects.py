"""The journal on a store: days, seals, races, torn and damaged lines; the same on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Callable, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.errors import JournalConflict, JournalError
from sms_watch.journal.entries import Delivery, Entry, EntryType, encode, fold
from sms_watch.journal.objects import EMPTY
from sms_watch.journal.store import BEGINNING, AppendStore, name_of
from sms_watch.model.notice import Kind, Notice, Position
from sms_watch.rules.record import Memory
from tests.support.builders import NOW, a_record, minutes
from tests.support.fakes import FakeStore
from tests.support.journals import (
    DAY,
    MIDNIGHT,
    a_journal,
    an_entry,
    append,
    mark_of,
    put,
    read,
    types_of,
)

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


def test_the_end_of_an_object_can_be_read_alone(store: AppendStore) -> None:
    """Of what is there the last bytes come, or more of them, with the place where they begin."""
    assert store.tail("x", 4) is None
    store.append("x", 0, b"one\ntwo\nthree\n")
    for size in (1, 6, 13, 14, 99):
        part = store.tail("x", size)
        assert part is not None
        assert part.data == b"one\ntwo\nthree\n"[part.begin :]
        assert len(part.data) >= min(size, 14)
        assert part.appendable
        assert part.readable


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (0, None, b"one\ntwo\n"),
        (4, None, b"two\n"),
        (0, 4, b"one\n"),
        (3, 5, b"\nt"),
        (4, 99, b"two\n"),
        (8, None, b""),
        (9, None, b""),
    ],
)
def test_any_part_of_an_object_can_be_read(
    store: AppendStore, begin: int, end: Any, expected: bytes
) -> None:
    """Between two places, or from one to the end; beyond that there is nothing."""
    assert store.get("x", begin, end) is None
    store.append("x", 0, b"one\ntwo\n")
    assert store.get("x", begin, end) == expected


# A day


def test_the_first_run_ever_finds_an_empty_memory(store: AppendStore) -> None:
    """Nothing is there, nothing is lost, and the next entry begins the day's object."""
    history = read(store)
    assert history.position == Position("20261124", 0)
    assert (history.damaged, history.snapshot_lost, history.expiring) == (0, False, False)
    assert history.warnings == (EMPTY,)
    assert history.memory == Memory()


def test_what_is_appended_isread(store: AppendStore) -> None:
    """Entries stand in their order, after a snapshot; positions are exact."""
    first = append(store, NOW, "RUNNING")
    second = append(store, NOW, "MIGRATE_FAIL")
    history = read(store)
    assert types_of(store, "20261124") == ["snapshot", "plan", "plan"]
    assert first.offset < second.offset
    assert history.position == second
    assert history.memory.tasks["a"].state == "MIGRATE_FAIL"


def test_a_run_appends_twice_after_oneread(store: AppendStore) -> None:
    """Plan and acknowledgement follow each other without another read."""
    journal = a_journal(store)
    after_plan = journal.append(an_entry(), journal.read().position)
    after_ack = journal.append(an_entry(mark="ABORT"), after_plan)
    assert read(store).position == after_ack
    assert mark_of(store) == "ABORT"


def test_of_two_runs_that_read_the_same_one_wins(store: AppendStore) -> None:
    """The second append at one position is a conflict, at the first entry ever as well."""
    for _ in range(2):
        one, other = a_journal(store), a_journal(store)
        position = one.read().position
        assert other.read().position == position
        one.append(an_entry(mark="RUNNING"), position)
        with pytest.raises(JournalConflict):
            other.append(an_entry(mark="ABORT"), position)
        assert mark_of(store) == "RUNNING"


# The next day


@pytest.mark.parametrize("days", [1, 2, 30])
def test_a_new_day_begins_with_the_memory_of_the_old(store: AppendStore, days: int) -> None:
    """However many quiet days lie between, nothing is forgotten."""
    append(store, NOW, "RUNNING")
    later = NOW + days * DAY
    history = read(store, later)
    assert history.memory.tasks["a"].state == "RUNNING"
    after = append(store, later, "MIGRATE_FAIL")
    assert after.day == f"{later:%Y%m%d}"
    history = read(store, later)
    assert types_of(store, f"{later:%Y%m%d}") == ["snapshot", "plan"]
    assert history.memory.tasks["a"].state == "MIGRATE_FAIL"


def test_a_run_across_midnight_stays_in_its_object(store: AppendStore) -> None:
    """The acknowledgement of a run that began yesterday goes where its plan went."""
    begun = MIDNIGHT - timedelta(seconds=1)
    journal = a_journal(store, begun)
    after = journal.append(an_entry(begun), journal.read().position)
    assert journal.append(an_entry(begun, "ABORT"), after).day == after.day
    assert mark_of(store, MIDNIGHT + minutes(1)) == "ABORT"


def test_what_lies_beyond_31_days_is_forgotten(store: AppendStore) -> None:
    """A journal is found again after 31 days, and not after 32; 14 days call for renewal."""
    append(store, NOW, "RUNNING")
    assert not read(store, NOW + 14 * DAY).expiring
    assert read(store, NOW + 15 * DAY).expiring
    assert read(store, NOW + 31 * DAY).memory.tasks
    assert not read(store, NOW + 32 * DAY).memory.tasks


def test_a_quiet_day_reads_one_object() -> None:
    """In the middle of a day with an object, one look is enough."""
    store = FakeStore()
    noon = NOW + timedelta(hours=12)
    append(store, noon, "RUNNING")
    store.gets = 0
    read(store, noon)
    assert store.gets == 1


def test_a_clock_that_is_behind_finds_the_newest(store: AppendStore) -> None:
    """A container whose clock is minutes behind appends to the day that has already begun."""
    append(store, MIDNIGHT + minutes(1), "MIGRATE_FAIL")
    behind = MIDNIGHT - minutes(3)
    assert mark_of(store, behind) == "MIGRATE_FAIL"
    assert append(store, behind, "RUNNING").day == f"{MIDNIGHT:%Y%m%d}"
    assert mark_of(store, MIDNIGHT + minutes(2)) == "RUNNING"


@pytest.mark.parametrize("skew", [-3, 0, 3])
def test_of_two_runs_that_turn_the_day_one_wins(store: AppendStore, skew: int) -> None:
    """Two containers around midnight, with clocks minutes apart: one entry, no other."""
    append(store, MIDNIGHT - minutes(10), "RUNNING")
    one_time, other_time = MIDNIGHT + minutes(1), MIDNIGHT + minutes(1 + skew)
    one, other = a_journal(store, one_time), a_journal(store, other_time)
    position = one.read().position
    assert other.read().position == position
    one.append(an_entry(one_time, "MIGRATE_FAIL"), position)
    with pytest.raises(JournalConflict):
        other.append(an_entry(other_time, "ABORT"), position)
    assert mark_of(store, MIDNIGHT + minutes(5)) == "MIGRATE_FAIL"


def test_a_run_that_died_while_it_turned_the_day_is_followed(store: AppendStore) -> None:
    """A sealed object without a successor loses nothing; the next run begins the new day."""
    append(store, MIDNIGHT - minutes(10), "RUNNING")
    later = MIDNIGHT + minutes(1)
    seal = Entry(EntryType.SEAL, later, "run", "seal")
    day = f"{NOW:%Y%m%d}"
    name = f"journal-{day}.jsonl"
    store.append(name, len(store.get(name) or b""), encode(seal))
    for now in (MIDNIGHT - minutes(1), later, later + 3 * DAY):
        history = read(store, now)
        assert history.position == Position(f"{MIDNIGHT:%Y%m%d}", 0)
        assert history.memory.tasks["a"].state == "RUNNING"
    assert append(store, later, "ABORT").day == f"{MIDNIGHT:%Y%m%d}"
    assert mark_of(store, later) == "ABORT"


def test_a_plan_is_kept_when_its_acknowledgement_turns_the_day(store: AppendStore) -> None:
    """Days after a dead run's seal, the day's snapshot holds the plan that followed the seal."""
    position = append(store, NOW - 3 * DAY, "RUNNING")
    seal = Entry(EntryType.SEAL, NOW - 2 * DAY, "run", "seal")
    store.append(f"journal-{position.day}.jsonl", position.offset, encode(seal))
    journal = a_journal(store)
    after_plan = journal.append(an_entry(mark="ABORT"), journal.read().position)
    after_ack = journal.append(an_entry(tasks={}), after_plan)
    assert (after_plan.day, after_ack.day) == (f"{NOW - 2 * DAY:%Y%m%d}", f"{NOW:%Y%m%d}")
    assert read(store).position == after_ack
    assert mark_of(store) == "ABORT"


# Damage


def _damage(store: AppendStore, change: Callable[[bytes], bytes]) -> None:
    name = "journal-20261124.jsonl"
    put(store, name, change(store.get(name) or b""))


def test_a_torn_line_is_skipped_and_closed(store: AppendStore) -> None:
    """What a dying writer left behind costs its own line and no other."""
    append(store, NOW, "RUNNING")
    _damage(store, lambda data: data + b'{"v":1,"type":"pl')
    history = read(store)
    assert (history.damaged, history.snapshot_lost) == (1, False)
    assert history.memory.tasks["a"].state == "RUNNING"
    append(store, NOW, "ABORT")
    history = read(store)
    assert (history.damaged, history.memory.tasks["a"].state) == (1, "ABORT")


def test_a_whole_line_without_its_end_counts(store: AppendStore) -> None:
    """A writer that died before the line end had written its line."""
    append(store, NOW, "RUNNING")
    _damage(store, lambda data: data[:-1])
    assert read(store).damaged == 0
    assert mark_of(store) == "RUNNING"
    append(store, NOW, "ABORT")
    assert (read(store).damaged, mark_of(store)) == (0, "ABORT")


def test_a_seal_without_its_end_leaves_the_next_object_clean(store: AppendStore) -> None:
    """What is missing at the end of one day's object is not added to the next day's."""
    yesterday = NOW - DAY
    position = append(store, yesterday, "RUNNING")
    seal = Entry(EntryType.SEAL, NOW, "run", "seal")
    store.append(f"journal-{position.day}.jsonl", position.offset, encode(seal)[:-1])
    append(store, NOW, "ABORT")
    history = read(store)
    assert types_of(store, "20261124") == ["snapshot", "plan"]
    assert (history.damaged, history.snapshot_lost) == (0, False)
    assert history.memory.tasks["a"].state == "ABORT"


def test_a_damaged_line_in_the_middle_is_skipped(store: AppendStore) -> None:
    """The lines around it are read."""
    append(store, NOW, "RUNNING")
    append(store, NOW, "ABORT")
    _damage(store, lambda data: data.replace(b'{"state":"RUNNING"', b"7"))
    history = read(store)
    assert history.damaged == 1
    assert not history.snapshot_lost
    assert history.memory.tasks["a"].state == "ABORT"


def _without_snapshot(data: bytes) -> bytes:
    return b"garbage\n" + data.split(b"\n", 1)[1]


def test_a_lost_snapshot_is_known_to_be_lost(store: AppendStore) -> None:
    """Without the snapshot, and without an older object, a part of the memory is gone."""
    append(store, NOW, "RUNNING")
    _damage(store, _without_snapshot)
    history = read(store)
    assert (history.damaged, history.snapshot_lost) == (1, True)
    assert history.memory.tasks["a"].state == "RUNNING"


def test_an_older_object_makes_up_for_a_lost_snapshot(store: AppendStore) -> None:
    """A snapshot says what the day before ended with, so the day before can stand for it."""
    yesterday = NOW - DAY
    journal = a_journal(store, yesterday)
    owed = an_entry(yesterday, "MIGRATE_FAIL")
    other = replace(owed, tasks={"b": a_record(name="b")})
    after = journal.append(owed, journal.read().position)
    journal.append(other, after)
    append(store, NOW, "RUNNING")
    _damage(store, _without_snapshot)
    history = read(store)
    assert (history.damaged, history.snapshot_lost) == (1, False)
    assert set(history.memory.tasks) == {"a", "b"}
    assert history.memory.tasks["a"].state == "RUNNING"


def test_a_gap_behind_a_lost_snapshot_is_known(store: AppendStore) -> None:
    """An older object stands for a lost snapshot only if nothing is missing in between."""
    for back in (2, 1, 0):
        append(store, NOW - back * DAY, "RUNNING")
    _damage(store, _without_snapshot)
    assert not read(store).snapshot_lost
    put(store, f"journal-{NOW - DAY:%Y%m%d}.jsonl", b"")
    assert read(store).snapshot_lost


def test_damage_in_what_stands_for_a_lost_snapshot_is_known(store: AppendStore) -> None:
    """A line that the snapshot still knew may be the one that cannot be read any more."""
    yesterday = f"journal-{NOW - DAY:%Y%m%d}.jsonl"
    append(store, NOW - DAY, "MIGRATE_FAIL")
    append(store, NOW, "RUNNING")
    _damage(store, _without_snapshot)
    assert not read(store).snapshot_lost
    whole = store.get(yesterday) or b""
    put(store, yesterday, whole.replace(b'"MIGRATE_FAIL"', b"7"))
    history = read(store)
    assert (history.damaged, history.snapshot_lost) == (2, True)


def test_an_empty_object_is_none(store: AppendStore) -> None:
    """An object that was made and never written to is begun like a missing one."""
    append(store, NOW - DAY, "RUNNING")
    store.append("journal-20261124.jsonl", 0, b"")
    assert mark_of(store) == "RUNNING"
    assert append(store, NOW, "ABORT").day == "20261124"
    assert mark_of(store) == "ABORT"


def test_a_newer_format_is_refused(store: AppendStore) -> None:
    """A journal of a later version is not read in part."""
    append(store, NOW, "RUNNING")
    _damage(store, lambda data: data.replace(b'"v":1', b'"v":2'))
    with pytest.raises(JournalError, match="newer sms_watch"):
        read(store)


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
    journal = a_journal(store, entry.at)
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
        history = read(store, now)
        assert history.memory == fold(written)
        newest = max(store.objects, default="")
        is_beginning = newest in ("", name_of(BEGINNING))
        halves = 0 if is_beginning else store.objects[newest].count(HALF)
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
        position = read(store, now).position
        assert position not in taken
        if _write_dying(store, an_entry(now, mark), end):
            taken.append(position)
        _wreck(store, wreck)
