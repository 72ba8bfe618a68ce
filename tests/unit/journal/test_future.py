"""Times that have not come yet: told, and not obeyed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.journal.entries import encode, fold, snapshot
from sms_watch.journal.folding import fold_lines
from sms_watch.journal.future import SKEW, held
from sms_watch.model.forecast import End, Forecast
from sms_watch.rules.call import Call
from sms_watch.rules.movement import Sample
from sms_watch.rules.record import Lease, Memory, WatchRecord
from sms_watch.rules.sight import Sight
from sms_watch.timetable import LONGEST_LEASE, Timetable
from tests.support.builders import NOW, a_notice, a_record, varied
from tests.support.strategies import entries

AHEAD = NOW + timedelta(hours=8)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("name", "field", "expected"),
    [
        ("since", AHEAD, NOW),
        ("last_at", AHEAD, NOW),
        ("recent", (NOW - SECOND, AHEAD), (NOW - SECOND, NOW)),
        ("call", Call("1-0-0-needs_person", AHEAD), Call("1-0-0-needs_person", NOW)),
        ("lost_at", AHEAD, NOW),
        ("moved_at", AHEAD, NOW),
        ("samples", (Sample(AHEAD, 50),), (Sample(NOW, 50),)),
    ],
)
def test_what_a_run_with_a_wrong_clock_left_has_happened_by_now(
    name: str, field: object, expected: object
) -> None:
    """Whatever part of a record it stands in; all else of it is as it was."""
    record = a_record(since=NOW)
    memory = Memory({"a": varied(record, **{name: field}), "b": record})
    made, changed = held(memory, NOW)
    assert changed
    assert made == Memory({"a": varied(record, **{name: expected}), "b": record})


def test_the_watching_and_what_is_pending_are_held_too() -> None:
    """A digest comes in time, and good news that waits for more does not wait for hours."""
    watch = WatchRecord(unread={"a": Sight(AHEAD)}, digested_at=AHEAD)
    memory = Memory(outbox={"1": a_notice(since=AHEAD)}, watch=watch)
    made, changed = held(memory, NOW)
    assert changed
    assert made.watch == WatchRecord(unread={"a": Sight(NOW)}, digested_at=NOW)
    assert made.outbox == {"1": a_notice(since=NOW)}


def test_what_is_meant_to_lie_ahead_stays() -> None:
    """A snooze, the moment of the next try, and when all copies will be done."""
    foretold = Forecast(End(AHEAD, AHEAD, AHEAD, "a"))
    outbox = {"1": a_notice(next_try=AHEAD), "2": a_notice(forecast=foretold)}
    memory = Memory({"a": a_record(snoozed_until=AHEAD)}, outbox)
    made, changed = held(memory, NOW)
    assert not changed
    assert made is memory


@pytest.mark.parametrize(("ahead", "changed"), [(SKEW, False), (SKEW + SECOND, True)])
def test_clocks_may_differ_a_little(ahead: timedelta, changed: bool) -> None:
    """A quarter of an hour is nothing odd: the cloud itself takes as much."""
    memory = Memory({"a": a_record(last_at=NOW + ahead)})
    assert held(memory, NOW)[1] is changed


def test_a_lease_that_no_run_takes_is_none() -> None:
    """One that ends later than the longest, and some skew, holds nobody back."""
    longest = NOW + timedelta(seconds=LONGEST_LEASE) + SKEW
    for until, kept in ((longest, True), (longest + SECOND, False)):
        memory = Memory(lease=Lease(until, "run"))
        made, changed = held(memory, NOW)
        assert (made.lease is not None, changed) == (kept, not kept)


@pytest.mark.parametrize("budget", [5, 50, 300, 3600])
@pytest.mark.parametrize("planned", [0, 40, 3000])
def test_no_run_takes_a_longer_lease(budget: int, planned: int) -> None:
    """Whatever the budget, and whenever it has its plan, it is over some minutes after that."""
    times = Timetable(budget)
    assert times.last_work(planned) <= min(budget, planned + LONGEST_LEASE)


@given(st.lists(entries, max_size=4))
def test_what_is_held_holds(history: list) -> None:  # type: ignore[type-arg] # of entries
    """Whatever is remembered, it is held at once, can be written, and has no time far ahead."""
    made, changed = held(fold(history), NOW)
    assert held(made, NOW) == (made, False)
    assert changed or made == fold(history)
    line = encode(snapshot(replace(made, lease=None), NOW, "run", "nonce"))
    assert fold_lines([line]).damaged == 0
