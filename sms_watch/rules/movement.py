"""Whether a running task moves, since when it does not, and how long the rest takes. Pure.

What the service does normally is no stall: a file comparison that stays at one percentage for
hours while its speed goes up and down, a speed shown as 0 between two samples, a synchronisation
with nothing to do, at whatever percentage, a large copy whose percents are hours apart (SMS FAQs,
"Why Is the Migration Progress Slow?": with the agent connected, a rate above 0 is normal).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional, Tuple

from sms_watch.model.notice import Kind, event_id
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
# A task that is read by its id has no bytes, and its speed may be a limit that is kept. Such a
# speed is believed for the time of so many percents, and, where that is not known, for two days:
# a percent of 30 TB takes a day and a half at 20 Mbit/s.
BELIEVED_PERCENTS = 2
BELIEVED = timedelta(days=2)


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

    ``last_progress`` is how far it was when it was last recorded to have moved, at ``moved_at``;
    since ``suspected_at`` it is watched for a stall. ``samples`` are how far it was before, newest
    last. ``stall`` is the call for a person about a stall that is open.
    """

    last_progress: Optional[Progress] = None
    moved_at: Optional[datetime] = None
    suspected_at: Optional[datetime] = None
    samples: Tuple[Sample, ...] = ()
    stall: Optional[Call] = None

    def read(
        self, task: Task, now: datetime, limit: timedelta, event: str
    ) -> Tuple[Movement, Optional[Kind]]:
        """Take in a reading of a running task; return its movement, and what is new."""
        if not self.stall and self.is_stalled(task, now, limit):
            return replace(self, stall=Call(event_id(event, Kind.STALLED), now)), Kind.STALLED
        after = self.followed(task, now, limit)
        if self.stall and self.has_moved(task):
            return replace(after, stall=None), Kind.MOVING
        return after, None

    def has_moved(self, task: Task) -> bool:
        """Return whether a task has moved since it was last recorded.

        Where the place and the bytes stay, a speed that goes up and down shows that it works; one
        that is 0 or frozen says nothing.
        """
        if self.last_progress is None or task.progress.differs_from(self.last_progress):
            return True
        # What was last recorded has no bytes if the source servers could not be listed then.
        bytes_before = [each.copied for each in self.samples if each.copied is not None]
        if bytes_before and task.progress.copied not in (None, bytes_before[-1]):
            return True
        before = self.samples[-1].speed if self.samples else None
        return bool(task.transfer.speed) and before is not None and task.transfer.speed != before

    def is_stalled(self, task: Task, now: datetime, limit: timedelta) -> bool:
        """Return whether it has not moved for so long that people should know.

        For the last part of that time it must have been watched: after an hour in which nobody
        could look, one reading of a speed of 0 says nothing.
        """
        if self.suspected_at is None or now - self.suspected_at < limit * (1 - SUSPICION):
            return False
        return self._is_late(task, now, limit) and not self.has_moved(task)

    def followed(self, task: Task, now: datetime, limit: timedelta) -> Movement:
        """Record its first sight, the end of a stall, and a sample in each half hour.

        Until the next one ``last_progress`` stays, so whether anything has moved since
        ``moved_at`` can be told at any time.
        """
        if self.last_progress is None or self.moved_at is None:
            return replace(self, samples=())._at(task, now)
        if self.has_moved(task):
            return self._at(task, now) if self._is_due(now, limit) else self
        return self._doubted(task, now, self.moved_at, limit)

    def _doubted(self, task: Task, now: datetime, moved: datetime, limit: timedelta) -> Movement:
        """Record since when it is watched for a stall, or that it is not any more."""
        believed = bool(self._believed(task))
        if not self._is_late(task, now, limit * SUSPICION):
            return replace(self, suspected_at=None) if self.suspected_at and believed else self
        if self.suspected_at:
            return self
        if now - moved >= limit and self._was_believed(task):
            return self._at(task, now)  # until now it ran, at a speed that stayed the same
        samples = self.samples if believed else self._sampled(task, now)
        return replace(self, suspected_at=now, samples=samples)

    def remaining(self, task: Task, now: datetime) -> Optional[int]:
        """Return the seconds left, from the advance since the oldest sample of this sub-task.

        By bytes where they are known, otherwise by the sub-task's percentage. ``None`` where too
        little has been measured, next to nothing has moved, or a stall was told.
        """
        if self.stall or task.phase is not Phase.MOVING or task.state == TaskState.SYNCING:
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
        return replace(
            self,
            last_progress=task.progress,
            moved_at=now,
            suspected_at=None,
            samples=samples,
        )

    def _sampled(self, task: Task, now: datetime) -> Tuple[Sample, ...]:
        here = task.progress
        sample = Sample(now, here.percent, here.copied, task.transfer.speed, here.sub_task)
        if len(self.samples) < MOST_SAMPLES:
            return (*self.samples, sample)
        first, second, *rest = self.samples
        return (second if now - first.at > OLD else first, *rest, sample)

    def _is_late(self, task: Task, now: datetime, span: timedelta) -> bool:
        """Return whether a task that has something to do was last seen to move so long ago."""
        if not span or _is_idle(task):
            return False
        return now - (self.moved_at or now) >= max(span, self._believed(task))

    def _believed(self, task: Task) -> timedelta:
        """Return for how long a speed that stays the same shows that a task works.

        Where bytes are known they show it. A task that has no percentage either has nothing else
        to show. An agent that is away is told by itself: a copy may go on and leave it no line.
        """
        here = task.progress
        if here.copied is not None or not task.transfer.speed:
            return timedelta(0)
        if here.percent is None:
            return timedelta.max
        return self._percent_time() * BELIEVED_PERCENTS or BELIEVED

    def _was_believed(self, task: Task) -> bool:
        """Return whether a task that shows no speed had one, and nothing else, to show it works."""
        had_speed = bool(self.samples) and bool(self.samples[-1].speed)
        return had_speed and not task.transfer.speed and task.progress.copied is None

    def _percent_time(self) -> timedelta:
        """Return the most that a percent of this sub-task took; zero where that is not known.

        Of the steps between two samples all but one were whole percents.
        """
        known = [each for each in self.samples if each.percent is not None]
        same = [each for each in known if each.sub_task == known[-1].sub_task]
        steps = (same[-1].percent or 0) - (same[0].percent or 0) if same else 0
        return (same[-1].at - same[0].at) / (steps - 1) if steps >= LEAST_PERCENT else timedelta(0)

    def _is_due(self, now: datetime, limit: timedelta) -> bool:
        """Return whether a sample is due: in another half of an hour, or where a stall would be."""
        last, every = self.moved_at or now, SAMPLE_EVERY.total_seconds()
        in_another = now.timestamp() // every != last.timestamp() // every
        return in_another or (bool(limit) and now - last >= limit * SUSPICION)


def _advance(task: Task, sample: Sample) -> Tuple[float, float]:
    """Return how much was done since a sample, and how much is left, in one unit."""
    here, size = task.progress, task.transfer.size
    if here.copied is not None and sample.copied is not None and size:
        return here.copied - sample.copied, max(size - here.copied, 0)
    if here.percent is not None and sample.percent is not None:
        done = here.percent - sample.percent
        return done if done >= LEAST_PERCENT else 0, max(WHOLE - here.percent, 0)
    return 0, 0


def _is_idle(task: Task) -> bool:
    """Return whether a task synchronises and has nothing to do, which may last for ever.

    Its percentage does not say: a synchronisation stays at 6 % between two rounds.
    """
    percent, speed = task.progress.percent, task.transfer.speed
    return task.state == TaskState.SYNCING and (not speed or percent is None or percent >= WHOLE)
