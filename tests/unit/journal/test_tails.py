"""The journal read from its end: snapshots within a day, and damage to what is read from."""

from __future__ import annotations

import json
from typing import Any, List, Optional

import pytest

from sms_watch.errors import (
    JournalError,
)
from sms_watch.journal.entries import Mark, encode, fold, snapshot
from sms_watch.journal.objects import ROOM
from sms_watch.journal.store import AppendStore, name_of
from sms_watch.journal.tails import TAIL
from sms_watch.rules.record import Memory
from tests.support.builders import NOW
from tests.support.fakes import FakeStore
from tests.support.journals import (
    MIDNIGHT,
    TODAY,
    TOMORROW,
    a_journal,
    an_entry,
    append,
    fill,
    lines_in,
    long_entry,
    mark_of,
    put,
    read,
    types_of,
)

# Snapshots within the day


def test_snapshots_follow_within_the_day(store: AppendStore) -> None:
    """Whenever what came after the last one has grown beyond a bound; the memory is the same."""
    written = fill(store, 60)
    assert types_of(store).count("snapshot") > 3
    found = read(store)
    assert (found.damaged, found.snapshot_lost, found.memory) == (0, False, fold(written))
    since = 0
    for line in lines_in(store)[1:]:
        whole = json.loads(line)
        since = 0 if whole["type"] == "snapshot" else since + len(line)
        assert since < ROOM + 51 * 1024 // 4 + 2 * len(line)


def test_every_line_names_where_the_last_snapshot_begins(store: AppendStore) -> None:
    """A reader that has the last line knows from where on to read."""
    fill(store, 30)
    offset = base = 0
    for line in lines_in(store):
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
        journal.append(long_entry(number), position)
    snapshot_size = max(len(line) for line in lines_in(store) if b'"type":"snapshot"' in line[:200])
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
    fill(store, 300)
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
    fill(store, 30)
    entry = long_entry(99, tasks=2 * TAIL // 1000)
    journal = a_journal(store)
    journal.append(entry, journal.read().position)
    assert len(lines_in(store)[-1]) > TAIL
    assert read(store).memory.tasks["task-4-200"].state == "STATE-99"
    assert not read(store).damaged


def test_an_object_without_marks_is_read_whole(store: AppendStore) -> None:
    """Lines that do not say where the last snapshot begins are read from the first on."""
    written = [long_entry(number) for number in range(40)]
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
    put(store, name_of(TODAY), b"".join(change(lines_in(store))))


def _last_base(lines: List[bytes]) -> int:
    """Return the number of the line that is the last snapshot."""
    return max(n for n, line in enumerate(lines) if b'"type":"snapshot"' in line[:200])


@pytest.mark.slow
@pytest.mark.parametrize("odd", [b"garbage\n", b"", b'{"v":1}\n', b"\n"], ids=repr)
def test_what_comes_before_a_lost_base_stands_for_it(store: AppendStore, odd: bytes) -> None:
    """A snapshot within the day says what the lines before it say: nothing is lost with it."""
    written = fill(store, 40)

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
    written = fill(store, 40)
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
    written = fill(store, 40)

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
    written = fill(store, 3)
    lines = lines_in(store)
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
    fill(store, 10, tasks=40)
    real = store.get

    def exchanged(name: str, begin: int = 0, end: Optional[int] = None) -> Optional[bytes]:
        return real(name, begin, end) if end is None else b"short"

    store.get = exchanged  # type: ignore[method-assign] # of this object
    with pytest.raises(JournalError, match="became another while it was read"):
        read(store)
