"""The forecast of all copies: when the last of them will be done. Pure.

It is made of what was measured of each task. What stands still, and a copy that was not measured
yet, is counted and no part of it: its end would be a guess.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Iterable, NamedTuple, Optional, Sequence

from sms_watch.model.forecast import End, Forecast
from sms_watch.model.notice import Reason
from sms_watch.model.strenum import StrEnum
from sms_watch.model.task import Phase, TaskState
from sms_watch.rules.decision import Decision
from sms_watch.rules.pace import Left
from sms_watch.rules.record import TaskRecord


class Standing(StrEnum):
    """What a task is to a forecast."""

    COPYING = "copying"
    STILL = "still"
    READY = "ready"  # for the cut-over: it is copied, and synchronises
    FINISHED = "finished"
    UNREAD = "unread"


class Expected(NamedTuple):
    """What is expected of a task; a copy that was not measured has no end."""

    standing: Standing
    end: Optional[End] = None


def forecast(expected: Iterable[Expected]) -> Forecast:
    """Return the forecast of all tasks.

    The whole is done when the last one is: no earlier than the earliest end of any, and by the
    latest end of all.
    """
    everyone = tuple(expected)
    counted = [each.standing for each in everyone]
    copying = counted.count(Standing.COPYING)
    ends = [
        each.end for each in everyone if each.standing is Standing.COPYING and each.end is not None
    ]
    return Forecast(
        _last(ends),
        copying,
        copying - len(ends),
        counted.count(Standing.STILL),
        counted.count(Standing.READY),
        counted.count(Standing.FINISHED),
        counted.count(Standing.UNREAD),
    )


def _last(ends: Sequence[End]) -> Optional[End]:
    if not ends:
        return None
    last = max(ends, key=lambda end: (end.at, end.name, end.task_id))
    return End(
        last.at,
        max(end.earliest for end in ends),
        max(end.latest for end in ends),
        last.task_id,
        last.name,
    )


def of_decisions(decisions: Iterable[Decision], now: datetime) -> Forecast:
    """Return the forecast of the tasks of a run; those that are gone are no part of it."""
    return forecast(
        _expected(decision, now)
        for decision in decisions
        if decision.verdict.reason is not Reason.GONE
    )


def _expected(decision: Decision, now: datetime) -> Expected:
    task, record = decision.task, decision.record
    if task is None or record is None:
        return Expected(Standing.UNREAD)
    left = record.movement.left(task.progress, task.transfer.size, now)
    return expected_of(task.id, record, left, now)


def expected_of(task_id: str, record: TaskRecord, left: Optional[Left], now: datetime) -> Expected:
    """Return what is expected of a task by its record, and the time left that was measured."""
    standing = _standing(record)
    if standing is not Standing.COPYING or left is None:
        return Expected(standing)
    at, earliest, latest = (now + timedelta(seconds=seconds) for seconds in left)
    return Expected(standing, End(at, earliest, latest, task_id, record.name))


def expected_by(task_id: str, record: TaskRecord) -> Expected:
    """Return what is expected of a task by nothing but its record, as a journal has it.

    A record has no size, so the advance is that of its percentage.
    """
    here, at = record.movement.last_progress, record.movement.moved_at
    if here is None or at is None:
        return Expected(_standing(record))
    return expected_of(task_id, record, record.movement.left(here, None, at), at)


def _standing(record: TaskRecord) -> Standing:
    if record.phase is Phase.FINISHED:
        return Standing.FINISHED
    if record.phase is not Phase.MOVING or record.movement.stall:
        return Standing.STILL
    return Standing.READY if record.state == TaskState.SYNCING else Standing.COPYING
