"""What is said again, and what is said regularly: reminders that end, snooze, the digest. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import AbstractSet, Mapping, Sequence, Tuple

from sms_watch.model import (
    Kind,
    Phase,
    Policy,
    Standing,
    Task,
    TaskMemory,
    WatchMemory,
)

MOST_REMINDERS = 6
# When one reminder is due, those that would be due soon come along: one message instead of many.
SOON = 0.75
MOST_STANDINGS = 100
# In a digest what needs somebody comes first: what failed, then what stands still.
URGENT = (Phase.FAILED, Phase.ROLLED_BACK, Phase.MOVING, Phase.UNKNOWN)


@dataclass(frozen=True)
class Snooze:
    """A person's wish: no reminders about a task for a while."""

    task_id: str
    span: timedelta


def opened(record: TaskMemory, now: datetime) -> TaskMemory:
    """Give the record of a task of which people just heard that it needs somebody."""
    return replace(record, reminded=0, reminded_at=now)


def is_open(record: TaskMemory) -> bool:
    """Tell whether something stands open that only a person can end."""
    waits = record.asked and record.phase in (Phase.FAILED, Phase.ROLLED_BACK)
    return waits or bool(record.stalled)


def due(records: Mapping[str, TaskMemory], now: datetime, policy: Policy) -> AbstractSet[str]:
    """Name the tasks whose reminder is to be sent now."""
    if not policy.remind or Kind.REMINDER not in policy.notify_on:
        return frozenset()
    waited = {
        task_id: now - record.reminded_at
        for task_id, record in records.items()
        if record.reminded_at is not None and _may_remind(record, now)
    }
    if not any(span >= policy.remind for span in waited.values()):
        return frozenset()
    return frozenset(task_id for task_id, span in waited.items() if span >= policy.remind * SOON)


def reminded(record: TaskMemory, now: datetime) -> TaskMemory:
    """Give the record of a task whose reminder is sent."""
    return replace(record, reminded=record.reminded + 1, reminded_at=now)


def snoozed(record: TaskMemory, wish: Snooze, now: datetime) -> TaskMemory:
    """Give the record of a task about which nothing is to be said for a while.

    A wish that already holds changes nothing: a timer repeats its text on every tick.
    """
    if record.snoozed is not None and record.snoozed > now:
        return record
    return replace(record, snoozed=now + wish.span)


def digest_is_due(watch: WatchMemory, now: datetime, policy: Policy) -> bool:
    """Tell whether the regular digest is to be sent."""
    on = bool(policy.digest) and Kind.DIGEST in policy.notify_on
    return on and watch.digested is not None and now - watch.digested >= policy.digest


def standings(
    tasks: Sequence[Tuple[Task, TaskMemory]], now: datetime
) -> Tuple[Tuple[Standing, ...], int]:
    """Give the tasks of a digest, those that need somebody first, and how many are left out."""
    made = [_standing(task, record, now) for task, record in tasks]
    made.sort(key=lambda each: (_urgency(each), each.task.name, each.task.id))
    return tuple(made[:MOST_STANDINGS]), len(made[MOST_STANDINGS:])


def _standing(task: Task, record: TaskMemory, now: datetime) -> Standing:
    still = record.moved if record.stalled else None
    return Standing(task, record.starts, lost(record, now), still)


def _urgency(standing: Standing) -> int:
    phase = standing.task.phase
    rests = phase not in URGENT or (phase is Phase.MOVING and standing.still is None)
    return len(URGENT) if rests else URGENT.index(phase)


def lost(record: TaskMemory, now: datetime) -> float:
    """Give the seconds in which a task stood failed since the last digest, up to now."""
    standing = record.phase is Phase.FAILED
    return record.lost + ((now - record.since).total_seconds() if standing else 0)


def digested(record: TaskMemory, now: datetime) -> TaskMemory:
    """Give the record of a task after a digest: its counts begin anew.

    What it has stood failed by now is taken off, so that only the time from now on counts.
    """
    return replace(record, starts=0, lost=record.lost - lost(record, now))


def _may_remind(record: TaskMemory, now: datetime) -> bool:
    quiet = record.snoozed is not None and now < record.snoozed
    return is_open(record) and record.reminded < MOST_REMINDERS and not quiet
