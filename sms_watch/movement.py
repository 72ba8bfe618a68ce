"""Whether a running task moves, since when it does not, and how long the rest will take. Pure.

What the service does normally is no stall: a file comparison that stays at one percentage for
hours while its speed goes up and down, a speed shown as 0 between two samples, a synchronisation
with nothing to do (SMS FAQs, "Why Is the Migration Progress Slow?").
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Optional, Sequence, Tuple

from sms_watch.model import Phase, Policy, Sample, Task, TaskMemory, TaskState

# All tasks are sampled in the same run, twice an hour: one line of the journal holds them.
SAMPLE_EVERY = timedelta(minutes=30)
# Of its samples a record keeps an old one to measure from and the newest two: a record is written
# whole, a hundred times, and the earlier ones stand in earlier lines.
MOST_SAMPLES = 3
OLD = timedelta(hours=2)
# An advance is measured over at least this much, for a percentage comes in whole numbers.
LEAST_PERCENT = 2
LEAST_SPAN = timedelta(minutes=10)
WHOLE = 100  # percent
# A rest that takes longer is no forecast: a copy that creeps will not go on creeping for years.
FARTHEST = timedelta(days=365)
SUSPICION = 0.75  # of the time after which a stall is told


def follow(task: Task, record: TaskMemory, now: datetime, policy: Policy) -> TaskMemory:
    """Give the record of a running task with what is to be remembered of its movement.

    Written down are its first sight, the end of a stall, and a sample in each half of an hour in
    which it moved. Until the next one ``place`` stays, so whether anything has moved since
    ``moved`` can be told at any time.
    """
    begins = record.place is None or record.moved is None
    still = not begins and not moves(task, record)
    if begins:
        record = replace(record, samples=())
    elif still:
        late = _is_late(task, record, now, policy.stall * SUSPICION)
        if record.suspected or not late:
            return record
        return _sampled(task, replace(record, suspected=now), now)
    elif not _is_due(record, now, policy):
        return record
    record = replace(record, place=task.progress, moved=now, suspected=None)
    return _sampled(task, record, now)


def _sampled(task: Task, record: TaskMemory, now: datetime) -> TaskMemory:
    here = task.progress
    sample = Sample(now, here.percent, here.copied, task.speed, here.sub_task)
    samples = (*record.samples, sample)
    if len(samples) > MOST_SAMPLES:
        first, second, *rest = samples
        samples = (second if now - first.at > OLD else first, *rest)
    return replace(record, samples=samples)


def forget(record: TaskMemory) -> TaskMemory:
    """Give the record of a task that runs no more: what comes next is another stretch."""
    return replace(record, place=None, moved=None, suspected=None, samples=(), stalled="")


def moves(task: Task, record: TaskMemory) -> bool:
    """Tell whether a task has moved since it was last written down.

    Where the place and the bytes stay, a speed that goes up and down shows that it works; one
    that is 0 or frozen says nothing.
    """
    if record.place is None or task.progress.differs(record.place):
        return True
    before = record.samples[-1].speed if record.samples else None
    return bool(task.speed) and before is not None and task.speed != before


def stands_still(task: Task, record: TaskMemory, now: datetime, policy: Policy) -> bool:
    """Tell whether a running task has not moved for so long that people should know.

    For the last part of that time it must have been watched: after an hour in which nobody could
    look, one reading of a speed of 0 says nothing.
    """
    if record.suspected is None or now - record.suspected < policy.stall * (1 - SUSPICION):
        return False
    return _is_late(task, record, now, policy.stall) and not moves(task, record)


def remaining(task: Task, samples: Sequence[Sample], now: datetime) -> Optional[int]:
    """Work out the seconds left from the advance since the oldest sample of this sub-task.

    By bytes where they are known, otherwise by the sub-task's percentage. ``None`` where too
    little has been measured, or next to nothing has moved.
    """
    if task.phase is not Phase.MOVING or task.state == TaskState.SYNCING:
        return None
    for sample in samples:
        span = now - sample.at
        if sample.sub_task == task.progress.sub_task and span >= LEAST_SPAN:
            done, left = _advance(task, sample)
            seconds = left / done * span.total_seconds() if done > 0 else math.inf
            return round(seconds) if seconds <= FARTHEST.total_seconds() else None
    return None


def _advance(task: Task, sample: Sample) -> Tuple[float, float]:
    """Give how much was done since a sample, and how much is left, in one unit."""
    here, size = task.progress, task.size
    if here.copied is not None and sample.copied is not None and size:
        return here.copied - sample.copied, max(size - here.copied, 0)
    if here.percent is not None and sample.percent is not None:
        done = here.percent - sample.percent
        return done if done >= LEAST_PERCENT else 0, WHOLE - here.percent
    return 0, 0


def _is_late(task: Task, record: TaskMemory, now: datetime, span: timedelta) -> bool:
    """Tell whether a task that has something to do was last seen to move so long ago."""
    return bool(span) and not _is_idle(task) and now - (record.moved or now) >= span


def _is_due(record: TaskMemory, now: datetime, policy: Policy) -> bool:
    """Tell whether a sample is due: in another half of an hour, or where a stall would be."""
    last = record.moved or now
    every = SAMPLE_EVERY.total_seconds()
    in_another = now.timestamp() // every != last.timestamp() // every
    late = bool(policy.stall) and now - last >= policy.stall * SUSPICION
    return in_another or late


def _is_idle(task: Task) -> bool:
    """Tell whether a task synchronises and has nothing to do, which may last for ever."""
    return task.state == TaskState.SYNCING and task.progress.percent in (None, WHOLE)
