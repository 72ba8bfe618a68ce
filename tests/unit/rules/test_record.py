"""What is remembered of a task as a whole: its state, its call, its snooze and its totals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Optional

import pytest

from sms_watch.model.task import Phase
from sms_watch.rules.call import Call
from sms_watch.rules.record import Totals
from tests.support.builders import (
    NOW,
    a_record,
    a_running_task,
    a_started_record,
    a_task,
    minutes,
    varied,
)

SECOND = timedelta(seconds=1)
CALL = Call("20261124-1-0-needs_person", NOW - minutes(240), 2)
STALL = Call("20261124-2-0-stalled", NOW - minutes(30))
BOTH = {"call": CALL, "stall": STALL}
HANG = Call("20261124-3-0-hanging", NOW - minutes(20))
UNKNOWN = Call("20261124-3-0-unknown_state", NOW - minutes(20))


# The state


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("MIGRATE_FAIL", Phase.FAILED),
        ("SYNCING", Phase.MOVING),
        ("INVENTED_NEXT_YEAR", Phase.UNKNOWN),
    ],
)
def test_a_remembered_state_means_what_that_of_a_task_means(state: str, phase: Phase) -> None:
    """One that nobody knows is unknown; that a task is gone is remembered beside its record."""
    assert a_record(state=state).phase is phase


def test_a_failure_began_when_it_was_first_read() -> None:
    """Starts that got nowhere are one failure; where no moment is known it is that of the state."""
    assert a_record(recent=(NOW - minutes(9),)).failed_since == NOW - minutes(9)
    assert a_record(since=NOW - minutes(9)).failed_since == NOW - minutes(9)


@pytest.mark.parametrize("begins", [True, False])
def test_a_state_that_begins_anew_counts_from_now_on(begins: bool) -> None:
    """The time that it stood failed is then summed up; otherwise both go on."""
    before = a_record(since=NOW - minutes(60), seconds_failed=60.0, total_starts=4)
    after = before.read(a_running_task(), NOW, begins=begins)
    began, failed = (NOW, 3660.0) if begins else (before.since, 60.0)
    assert after == varied(before, state="RUNNING", since=began, seconds_failed=failed)


def test_a_name_once_known_is_kept() -> None:
    """A task that comes without its name keeps the one it had."""
    assert a_record().read(a_running_task(name=""), NOW, begins=True).name == "web-01"


def test_a_new_name_is_remembered() -> None:
    """A task that a person renamed is known by its new name from then on."""
    assert a_record().read(a_running_task(name="new"), NOW, begins=True).name == "new"


# The call for a person


@pytest.mark.parametrize(
    ("state", "call"),
    [
        ("MIGRATE_FAIL", CALL),
        ("SYNC_F_ROLLBACK_SUCCESS", CALL),
        ("RUNNING", STALL),
        ("READY", CALL),
        ("RESETING", CALL),
        ("INVENTED_NEXT_YEAR", CALL),
    ],
)
def test_the_open_call_is_about_what_the_task_does_now(state: str, call: Call) -> None:
    """A task that does not run waits for the person who was called; one that does may stall."""
    assert a_record(state=state, **BOTH).call == call
    assert a_record(state=state, rest=HANG, **BOTH).call == call


@pytest.mark.parametrize(("rest", "call"), [(HANG, HANG), (UNKNOWN, None), (None, None)])
def test_a_task_that_hangs_is_a_call_for_a_person(
    rest: Optional[Call], call: Optional[Call]
) -> None:
    """Unlike one in a state that nobody knows, which may be all right."""
    record = a_record(state="RESETING", since=NOW - minutes(80), rest=rest)
    assert (record.call, record.hang) == (call, call)
    assert record.still_since == (NOW - minutes(80) if call else None)


def test_a_task_that_runs_stands_still_no_more() -> None:
    """Also while its run has to prove itself before people hear that the hang is over."""
    assert a_record(state="RUNNING", rest=HANG).still_since is None


@pytest.mark.parametrize(
    ("flat", "since"),
    [
        ({"state": "RUNNING", "moved_at": NOW - minutes(70)}, NOW - minutes(70)),
        ({"state": "RUNNING"}, NOW - minutes(90)),
        ({"recent": (NOW - minutes(60),)}, NOW - minutes(60)),
        ({"state": "RESETING", "recent": (NOW - minutes(60),)}, NOW - minutes(90)),
    ],
)
def test_since_when_nothing_becomes_of_a_task(flat: Any, since: datetime) -> None:
    """A stall since it moved, a failure since it began, all else since the state was read."""
    assert a_record(since=NOW - minutes(90), **flat).standing_since == since


def test_a_stall_stands_still_since_it_moved() -> None:
    """One that nobody was told of does not."""
    record = a_record(state="RUNNING", moved_at=NOW - minutes(70))
    assert record.still_since is None
    assert varied(record, stall=STALL).still_since == NOW - minutes(70)


@pytest.mark.parametrize("state", ["MIGRATE_FAIL", "RUNNING"])
def test_nothing_is_open_without_a_call(state: str) -> None:
    """A failure that is being mended, and a task that moves, need nobody."""
    assert a_record(state=state).call is None


@pytest.mark.parametrize(
    ("state", "changed"), [("MIGRATE_FAIL", "call"), ("RUNNING", "stall"), ("RESETING", "call")]
)
def test_a_reminder_takes_the_place_of_the_open_call(state: str, changed: str) -> None:
    """The other calls are left alone: each has its own count and its own hours."""
    record = a_record(state=state, rest=HANG, **BOTH)
    again = BOTH[changed].repeated(NOW)
    after = record.reminded(again)
    assert after == varied(record, **{changed: again})
    assert after.call == again


def test_a_reminder_of_a_hang_takes_its_place() -> None:
    """Where no other call is open."""
    again = HANG.repeated(NOW)
    assert a_record(state="RESETING", rest=HANG).reminded(again).rest == again


# Snooze


@pytest.mark.parametrize(
    ("until", "is_snoozed"), [(None, False), (NOW + SECOND, True), (NOW, False)]
)
def test_a_snooze_ends_at_its_moment(until: Optional[Any], is_snoozed: bool) -> None:
    """A second before its end reminders are held back, at it they are not."""
    assert a_record(snoozed_until=until).is_snoozed(NOW) is is_snoozed


def test_a_snooze_holds_for_its_span() -> None:
    """It begins when it is asked for; asked for again while it holds, it changes nothing."""
    record = a_record().snoozed(minutes(60), NOW)
    assert record == a_record(snoozed_until=NOW + minutes(60))
    assert record.snoozed(minutes(600), NOW + minutes(30)) is record
    after = record.snoozed(minutes(60), NOW + minutes(60))
    assert after.snoozed_until == NOW + minutes(120)


# The totals from digest to digest


def test_a_start_is_counted_for_the_digest_too() -> None:
    """The record of a start holds the attempt and one more in its total."""
    before = a_started_record(2, ago=60, total_starts=4)
    after = before.started("1", a_task(), NOW)
    sent = before.starts.sent("1", a_task().progress, NOW)
    assert after == replace(before, starts=sent, totals=Totals(5))


@pytest.mark.parametrize(("state", "seconds"), [("SYNC_FAIL", 3660.0), ("RUNNING", 60.0)])
def test_the_time_that_a_task_stands_failed_runs_on(state: str, seconds: float) -> None:
    """What it has stood failed up to now is added to the sum of what was before."""
    record = a_record(state=state, since=NOW - minutes(60), seconds_failed=60.0)
    assert record.seconds_failed(NOW) == seconds


def test_after_a_digest_the_totals_begin_anew() -> None:
    """Nothing has been started and no time lost since; from then on both are counted again."""
    record = a_record(since=NOW - minutes(60), seconds_failed=60.0, total_starts=4).digested(NOW)
    assert record.totals.starts == 0
    assert record.since == NOW - minutes(60)
    assert record.seconds_failed(NOW) == 0
    assert record.seconds_failed(NOW + minutes(1)) == 60
    running = a_record(state="RUNNING", failed_event="", seconds_failed=60.0).digested(NOW)
    assert running.totals == Totals()
