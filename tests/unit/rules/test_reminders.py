"""What is said again: reminders of a call for a person, with an end, and snoozes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, List, Tuple

import pytest

from sms_watch.model.notice import Kind, Notice
from sms_watch.model.task import Gone, Observation, Progress, Task, Unread
from sms_watch.rules.call import Call
from sms_watch.rules.draft import Commands
from sms_watch.rules.record import Memory, TaskRecord
from sms_watch.rules.reminders import MOST_REMINDERS, Snooze, reminders_due
from tests.support.builders import (
    DISK_FULL,
    NO_RSYNC,
    NOW,
    a_policy,
    a_record,
    a_running_task,
    a_task,
    minutes,
)
from tests.support.planning import NOTHING, a_plan, after, kinds

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FULL = a_task(code=DISK_FULL)
CALL, STALL = "20261123-0-1-needs_person", "20261123-0-2-stalled"
HANG = Call("20261123-0-3-hanging", NOW - 4 * HOUR)
UNKNOWN = Call("20261123-0-3-unknown_state", NOW - 4 * HOUR)
RESETS = a_task(state="RESETING", code="")


def _open(ago: timedelta = 4 * HOUR, **flat: Any) -> TaskRecord:
    """Return what is remembered of a task about which a person was called so long ago."""
    usual = {"code": DISK_FULL, "since": NOW - ago, "call": Call(CALL, NOW - ago)}
    return a_record(**{**usual, **flat})


def _stalled(ago: timedelta = 4 * HOUR, **flat: Any) -> TaskRecord:
    """Return what is remembered of a task whose stall was told so long ago."""
    usual = {
        "state": "RUNNING",
        "call": None,
        "failed_event": "",
        "stall": Call(STALL, NOW - ago),
        "last_progress": Progress(),
        "moved_at": NOW - ago - HOUR,
    }
    return _open(ago, **{**usual, **flat})


# When


@pytest.mark.parametrize(("early", "told"), [(SECOND, False), (timedelta(0), True)])
def test_a_reminder_comes_after_remind_hours(early: timedelta, told: bool) -> None:
    """A second before REMIND_HOURS nothing is said, at it the reminder is."""
    planned = a_plan([FULL], Memory({"a": _open(4 * HOUR - early)}))
    assert (Kind.REMINDER in kinds(planned)) is told


def test_six_reminders_are_all() -> None:
    """They are numbered, REMIND_HOURS apart, and after the sixth nothing more is said."""
    memory, told = Memory({"a": _open(timedelta(0))}), []
    for hour in range(72):
        planned = a_plan([FULL], memory, now=NOW + hour * HOUR)
        memory = after(planned, memory)
        told += [(hour, notice.count) for notice in planned.notices]
    assert told == [(4 * number, number) for number in range(1, 7)]
    assert MOST_REMINDERS == 6


@pytest.mark.parametrize(
    ("record", "open_"),
    [
        pytest.param(_open(), True, id="a failure that a person was asked about"),
        pytest.param(_open(call=None), False, id="a failure that is being mended"),
        pytest.param(_open(state="RUNNING"), False, id="it runs, and has to prove itself"),
        pytest.param(_open(state="SYNC_F_ROLLBACK_SUCCESS"), True, id="a rollback"),
        pytest.param(_stalled(), True, id="a stall"),
        pytest.param(_open(state="ABORT", call=None), False, id="a pause"),
        pytest.param(_open(state="READY"), True, id="a call about a task that waits"),
        pytest.param(_open(state="READY", call=None), False, id="a task that waits"),
        pytest.param(_open(state="RESETING", call=None, rest=HANG), True, id="a hang"),
        pytest.param(_open(state="INVENTED", call=None, rest=UNKNOWN), False, id="a state"),
    ],
)
def test_what_stands_open(record: TaskRecord, open_: bool) -> None:
    """Only what needs a person and has been told is repeated."""
    assert (record.call is not None) is open_
    assert bool(reminders_due({"a": record}, NOW, a_policy())) is open_


def test_reminders_can_be_switched_off() -> None:
    """With REMIND_HOURS=0 nothing is repeated and nothing is counted."""
    memory = Memory({"a": _open(400 * HOUR)})
    assert a_plan([FULL], memory, policy=a_policy(remind=timedelta(0))).empty


@pytest.mark.parametrize(("ago", "joins"), [(3 * HOUR - SECOND, False), (3 * HOUR, True)])
def test_reminders_that_would_be_due_soon_come_along(ago: timedelta, joins: bool) -> None:
    """From three quarters of the time on, a task joins the reminder of another."""
    memory = Memory({"a": _open(), "b": _open(ago)})
    planned = a_plan([FULL, replace(FULL, id="b")], memory)
    told = [notice.task and notice.task.id for notice in planned.notices]
    assert told == (["a", "b"] if joins else ["a"])


@pytest.mark.parametrize("seen", [Unread("a", "HTTP 503"), Gone("a")], ids=["unseen", "gone"])
def test_nothing_is_repeated_of_a_task_that_was_not_seen(seen: Observation) -> None:
    """What nobody could look at may be over."""
    memory = Memory({"a": _open(400 * HOUR)})
    assert a_plan([seen], memory).notices == ()


# What it says, and what it leaves


def test_a_reminder_says_since_when() -> None:
    """However often a start came to nothing in between, the failure began when it was told."""
    began = NOW - 9 * HOUR
    record = _open(since=NOW - minutes(1), recent=(began,))
    assert a_plan([FULL], Memory({"a": record})).notices[0].since == began
    task = a_running_task(progress=Progress())
    assert a_plan([task], Memory({"a": _stalled(moved_at=began)})).notices[0].since == began


@pytest.mark.parametrize(
    ("task", "record", "follows"),
    [
        (FULL, _open(), ("20261124-0-0-failed", CALL)),
        (FULL, _open(failed_event=""), (CALL,)),
        (a_running_task(progress=Progress()), _stalled(), (STALL,)),
        (
            a_running_task(progress=Progress()),
            _stalled(failed_event="1-failed", on_probation=True, since=NOW - minutes(20)),
            (STALL,),
        ),
        (RESETS, _open(state="RESETING", rest=HANG), ("20261124-0-0-failed", CALL)),
        (RESETS, _open(state="RESETING", call=None, rest=HANG), (HANG.event_id,)),
    ],
)
def test_a_reminder_follows_what_it_repeats(
    task: Task, record: TaskRecord, follows: Tuple[str, ...]
) -> None:
    """It knows the ids of the notices that opened what still stands open, and has its own."""
    (told,) = a_plan([task], Memory({"a": record})).notices
    assert (told.kind, told.count) == (Kind.REMINDER, 1)
    assert (told.event_id, told.follows) == ("20261124-4711-0-reminder", follows)


@pytest.mark.parametrize("record", [_open(), _stalled()], ids=["a failure", "a stall"])
def test_a_reminder_is_counted_in_the_call_that_it_repeats(record: TaskRecord) -> None:
    """The call keeps its event; the next reminder is counted from now on."""
    task = FULL if record.state == "MIGRATE_FAIL" else a_running_task(progress=Progress())
    assert record.call is not None
    planned = a_plan([task], Memory({"a": record}))
    assert planned.tasks["a"].call == Call(record.call.event_id, NOW, 1)


def test_a_new_failure_counts_its_own_reminders() -> None:
    """Where another failure is told, its reminders begin at one."""
    record = _open(call=Call(CALL, NOW - 400 * HOUR, 6))
    planned = a_plan([a_task(code=NO_RSYNC)], Memory({"a": record}))
    assert kinds(planned) == [Kind.FAILED, Kind.NEEDS_PERSON]
    assert planned.tasks["a"].call == Call("20261124-4711-0-needs_person", NOW)


def test_a_stall_is_reminded_of_from_its_first_notice_on() -> None:
    """The call about a stall is remembered in the run that tells it."""
    at = NOW - HOUR
    here = Progress(5, 5)
    record = _stalled(stall=None, last_progress=here, moved_at=at, suspected_at=at)
    planned = a_plan([a_running_task(progress=here)], Memory({"a": record}))
    assert kinds(planned) == [Kind.STALLED]
    assert planned.tasks["a"].call == Call("20261124-4711-0-stalled", NOW)


def test_a_stall_takes_no_reminder_of_a_call_about_a_failure() -> None:
    """A call stays open through a stall and its end, where STALL_MINUTES is below half an hour."""
    policy = a_policy(stall=minutes(10), remind=HOUR, max_attempts=1)
    fails, still = a_task(), a_running_task(speed=0.0)
    # It breaks again where it broke, so a person is called. It is said to run, and does not move;
    # then its speed alone changes, and it fails once more.
    steps = [fails, still, fails, *[still] * 14, a_running_task(speed=7.0), *[fails] * 600]
    memory = NOTHING
    told: List[Notice] = []
    for number, task in enumerate(steps):
        planned = a_plan([task], memory, now=NOW + minutes(number), policy=policy)
        memory = after(planned, memory)
        told += planned.notices
    assert _numbers(told, Kind.NEEDS_PERSON) == _numbers(told, Kind.STALLED) == [0]
    assert _numbers(told, Kind.REMINDER) == [1, 2, 3, 4, 5, 6]


def _numbers(told: List[Notice], kind: Kind) -> List[int]:
    return [notice.count for notice in told if notice.kind is kind]


# Snooze


@pytest.mark.parametrize(("later", "told"), [(-SECOND, False), (timedelta(0), True)])
def test_a_snooze_ends_when_it_ends(later: timedelta, told: bool) -> None:
    """A second before its end no reminder comes, at it the one that is due does."""
    record = _open(9 * HOUR, snoozed_until=NOW - later)
    assert (Kind.REMINDER in kinds(a_plan([FULL], Memory({"a": record})))) is told


def test_a_wish_that_holds_already_changes_nothing() -> None:
    """A timer repeats its text on every tick; the snooze does not grow, and nothing is written."""
    span = 8 * HOUR
    first = _open().snoozed(span, NOW)
    assert first.snoozed_until == NOW + 8 * HOUR
    assert first.snoozed(span, NOW + HOUR) is first
    assert first.snoozed(span, NOW + 8 * HOUR).snoozed_until == NOW + 16 * HOUR
    memory, commands = Memory({"a": first}), Commands(snooze=Snooze("a", span))
    assert a_plan([FULL], memory, now=NOW + HOUR, commands=commands).empty


def test_a_snooze_holds_for_its_task_alone() -> None:
    """The other tasks are spoken of as ever, and so is all that is no reminder."""
    memory = Memory({"a": _open(), "b": _open()})
    commands = Commands(snooze=Snooze("a", HOUR))
    planned = a_plan([FULL, replace(FULL, id="b")], memory, commands=commands)
    assert [notice.task and notice.task.id for notice in planned.notices] == ["b"]
    assert planned.tasks["a"].snoozed_until == NOW + HOUR
    news = a_plan([a_task(code=NO_RSYNC)], after(planned, memory))
    assert kinds(news) == [Kind.FAILED, Kind.NEEDS_PERSON]


def test_a_snooze_is_kept_where_the_task_was_not_read() -> None:
    """The wish is written into what is remembered, and nothing else of it changes."""
    memory, commands = Memory({"a": _open()}), Commands(snooze=Snooze("a", HOUR))
    planned = a_plan([Unread("a", "HTTP 503")], memory, commands=commands)
    assert planned.tasks == {"a": replace(_open(), snoozed_until=NOW + HOUR)}
    assert planned.notices == ()
    assert a_plan([Unread("b", "HTTP 503")], memory, commands=commands).tasks == {}
