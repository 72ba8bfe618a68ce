"""Whether a running task moves, since when it does not, and how long the rest takes. Pure.

What the service does normally is no stall: a file comparison that stays at one percentage for
hours while its speed goes up and down, a speed shown as 0 between two samples, a synchronisation
with nothing to do (SMS FAQs, "Why Is the Migration Progress Slow?").
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional, Tuple

from sms_watch.model.notice import Kind
from sms_watch.model.task import Phase, Progress, Task, TaskState
from sms_watch.rules.call import Call

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


@dataclass(frozen=True)
class Sample:
    """How far a running task was at a moment.

    ``percent`` is that of the sub-task, ``copied`` is in bytes, ``speed`` in Mbit/s.
    """

    at: datetime
    percent: Optional[int] = None
    copied: Optional[int] = None
    speed: Optional[float] = None
    sub_task: str = ""


@dataclass(frozen=True)
class Movement:
    """How a running task moves.

    ``place`` is where it was when it was last seen to move, at ``moved``; since ``suspected`` it
    is watched for a stall. ``samples`` are how far it was before, newest last. ``event`` is the id
    of the notice that told an open stall, ``call`` its call for a person.
    """

    place: Optional[Progress] = None
    moved: Optional[datetime] = None
    suspected: Optional[datetime] = None
    samples: Tuple[Sample, ...] = ()
    event: str = ""
    call: Optional[Call] = None

    def read(
        self, task: Task, now: datetime, limit: timedelta, event: str
    ) -> Tuple[Movement, Optional[Kind]]:
        """Take in a reading of a running task, with the id for a stall; an empty id tells none."""
        if event and not self.event and self.is_stalled(task, now, limit):
            return replace(self, event=event, call=Call(now)), Kind.STALLED
        after = self.followed(task, now, limit)
        if self.event and self.has_moved(task):
            return replace(after, event="", call=None), Kind.MOVING
        return after, None

    def has_moved(self, task: Task) -> bool:
        """Whether a task has moved since it was last written down.

        Where the place and the bytes stay, a speed that goes up and down shows that it works; one
        that is 0 or frozen says nothing.
        """
        if self.place is None or task.progress.differs(self.place):
            return True
        before = self.samples[-1].speed if self.samples else None
        return bool(task.speed) and before is not None and task.speed != before

    def is_stalled(self, task: Task, now: datetime, limit: timedelta) -> bool:
        """Whether it has not moved for so long that people should know.

        For the last part of that time it must have been watched: after an hour in which nobody
        could look, one reading of a speed of 0 says nothing.
        """
        if self.suspected is None or now - self.suspected < limit * (1 - SUSPICION):
            return False
        return self._is_late(task, now, limit) and not self.has_moved(task)

    def followed(self, task: Task, now: datetime, limit: timedelta) -> Movement:
        """Write down its first sight, the end of a stall, and a sample in each half hour.

        Until the next one ``place`` stays, so whether anything has moved since ``moved`` can be
        told at any time.
        """
        if self.place is None or self.moved is None:
            return replace(self, samples=())._at(task, now)
        if self.has_moved(task):
            return self._at(task, now) if self._is_due(now, limit) else self
        if self.suspected or not self._is_late(task, now, limit * SUSPICION):
            return self
        return replace(self, suspected=now, samples=self._sampled(task, now))

    def remaining(self, task: Task, now: datetime) -> Optional[int]:
        """Return the seconds left, from the advance since the oldest sample of this sub-task.

        By bytes where they are known, otherwise by the sub-task's percentage. ``None`` where too
        little has been measured, next to nothing has moved, or a stall was told.
        """
        if self.event or task.phase is not Phase.MOVING or task.state == TaskState.SYNCING:
            return None
        for sample in self.samples:
            span = now - sample.at
            if sample.sub_task == task.progress.sub_task and span >= LEAST_SPAN:
                done, left = _advance(task, sample)
                seconds = left / done * span.total_seconds() if done > 0 else math.inf
                return round(seconds) if seconds <= FARTHEST.total_seconds() else None
        return None

    def _at(self, task: Task, now: datetime) -> Movement:
        samples = self._sampled(task, now)
        return replace(self, place=task.progress, moved=now, suspected=None, samples=samples)

    def _sampled(self, task: Task, now: datetime) -> Tuple[Sample, ...]:
        here = task.progress
        sample = Sample(now, here.percent, here.copied, task.speed, here.sub_task)
        if len(self.samples) < MOST_SAMPLES:
            return (*self.samples, sample)
        first, second, *rest = self.samples
        return (second if now - first.at > OLD else first, *rest, sample)

    def _is_late(self, task: Task, now: datetime, span: timedelta) -> bool:
        """Whether a task that has something to do was last seen to move so long ago."""
        return bool(span) and not _is_idle(task) and now - (self.moved or now) >= span

    def _is_due(self, now: datetime, limit: timedelta) -> bool:
        """Whether a sample is due: in another half of an hour, or where a stall would be."""
        last, every = self.moved or now, SAMPLE_EVERY.total_seconds()
        in_another = now.timestamp() // every != last.timestamp() // every
        return in_another or (bool(limit) and now - last >= limit * SUSPICION)


def _advance(task: Task, sample: Sample) -> Tuple[float, float]:
    """Return how much was done since a sample, and how much is left, in one unit."""
    here, size = task.progress, task.size
    if here.copied is not None and sample.copied is not None and size:
        return here.copied - sample.copied, max(size - here.copied, 0)
    if here.percent is not None and sample.percent is not None:
        done = here.percent - sample.percent
        return done if done >= LEAST_PERCENT else 0, WHOLE - here.percent
    return 0, 0


def _is_idle(task: Task) -> bool:
    """Whether a task synchronises and has nothing to do, which may last for ever."""
    return task.state == TaskState.SYNCING and task.progress.percent in (None, WHOLE)
