"""Objects that can no longer be appended to, and what follows them."""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
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
from sms_watch.journal.entries import fold
from sms_watch.journal.store import BEGINNING, AppendStore, Part, following, name_of
from tests.support.builders import NOW
from tests.support.clouds import stored_objects
from tests.support.fakes import FakeStore
from tests.support.journals import (
    DAY,
    MIDNIGHT,
    TODAY,
    TOMORROW,
    a_journal,
    an_entry,
    append,
    fill,
    mark_of,
    read,
    types_of,
)

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
    written = fill(closable, 3)
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
