"""Clocks that are ahead, behind or apart, and the conflicts that they may look like."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

import pytest

from sms_watch.adapters.obs import ObsStore
from sms_watch.errors import (
    JournalConflict,
    JournalError,
)
from sms_watch.journal.entries import encode
from sms_watch.journal.objects import AHEAD, DailyJournal
from sms_watch.journal.store import AppendStore, name_of
from sms_watch.rules.record import Lease
from tests.support.builders import NOW, a_record, minutes
from tests.support.clouds import set_time
from tests.support.fakes import FakeStore
from tests.support.journals import (
    DAY,
    MIDNIGHT,
    STORES,
    TODAY,
    TOMORROW,
    a_journal,
    an_entry,
    append,
    mark_of,
    read,
)

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
