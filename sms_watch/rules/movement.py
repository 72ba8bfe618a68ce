"""Whether a running task moves, since when it does not, and how long the rest takes. Pure.

What the service does normally is no stall: a file comparison that stays at one percentage for
hours while its speed goes up and down, a speed shown as 0 between two samples, a synchronisation
with nothing to do, at whatever percentage (SMS FAQs, "Why Is the Migration Progress Slow?").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Optional, Tuple

from sms_watch.model.notice import Kind, event_id
from sms_watch.model.task import Phase, Progress, Task, TaskState
from sms_watch.rules.call import Call
from sms_watch.rules.first_copy import FirstCopy
from sms_watch.rules.pace import OLD, WHOLE, Left, Pace, Stretches

# All tasks are sampled in the same run, so that one line of the journal holds them. When a task
# last moved is known to this much: a stall is told at most so long, and two runs, after its time.
SAMPLE_EVERY = timedelta(minutes=8)
# Of its samples a record keeps the oldest of a day, the newest, and some between.
MOST_SAMPLES = 4
SUSPICION = 0.75  # of the time after which a stall is told


class Sample(NamedTuple):
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
    last. ``stall`` is the call for a person about a stall that is open. ``first_copy``, and
    ``before``, its earlier stretches, outlast failures and rests; all else is of this one.
    """

    last_progress: Optional[Progress] = None
    moved_at: Optional[datetime] = None
    suspected_at: Optional[datetime] = None
    samples: Tuple[Sample, ...] = ()
    stall: Optional[Call] = None
    first_copy: FirstCopy = FirstCopy()
    before: Optional[Stretches] = None

    def ended(self) -> Movement:
        """Return what is remembered of a stretch that is over."""
        return Movement(first_copy=self.first_copy, before=self._summed())

    def _summed(self) -> Optional[Stretches]:
        """Return what was done so far, without the time in which nothing ran."""
        if len(self.samples) < 2:
            return self.before
        first, last = self.samples[0], self.samples[-1]
        done = Stretches(
            last.sub_task,
            (last.at - first.at).total_seconds(),
            _gained(last.percent, first.percent),
            _gained(last.copied, first.copied),
        )
        return self.before.then(done) if self.before else done

    def read(
        self, task: Task, now: datetime, limit: timedelta, event: str, turns: bool = False
    ) -> Tuple[Movement, Optional[Kind]]:
        """Take in a reading of a running task; return its movement, and what is new.

        ``turns``: it has gone on from copying to synchronising, or back, wherever it says it is.
        """
        if turns:
            return self.ended().followed(task, now, limit), Kind.MOVING if self.stall else None
        if not self.stall and self.is_stalled(task, now, limit):
            return replace(self, stall=Call(event_id(event, Kind.STALLED), now)), Kind.STALLED
        if self.stall and self.has_moved(task):
            # The hours in which it stood are no part of how fast it copies.
            return self.ended().followed(task, now, limit), Kind.MOVING
        return self.followed(task, now, limit), None

    def has_moved(self, task: Task) -> bool:
        """Return whether a task has moved since it was last recorded.

        Where the place and the bytes stay, a speed that goes up and down shows that it works; one
        that is 0 or frozen says nothing.
        """
        if self.last_progress is None or task.progress.differs_from(self.last_progress):
            return True
        # What was last recorded has no bytes if the source servers could not be listed then.
        if self._bytes is not None and task.progress.copied not in (None, self._bytes):
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
        if self._sees_less(task):
            limit *= 2
        return self._is_late(task, now, limit) and not self.has_moved(task)

    def _sees_less(self, task: Task) -> bool:
        """Return whether its bytes are not known, and were: they may move where nothing else does.

        That need not be for ever, and a stall has to be told: it takes twice as long.
        """
        return task.progress.copied is None and self._bytes is not None

    @property
    def _bytes(self) -> Optional[int]:
        """The bytes of the newest sample that has some; ``None`` if none has."""
        known = (each.copied for each in reversed(self.samples) if each.copied is not None)
        return next(known, None)

    def followed(self, task: Task, now: datetime, limit: timedelta) -> Movement:
        """Record its first sight, the end of a stall, and a sample every few minutes.

        Until the next one ``last_progress`` stays, so whether anything has moved since
        ``moved_at`` can be told at any time.
        """
        if self.last_progress is None or self.moved_at is None:
            begun = replace(self, samples=())
            return begun.moved(task.progress, task.transfer.speed, now)
        if self.has_moved(task):
            due = self._is_due(now, limit)
            return self.moved(task.progress, task.transfer.speed, now) if due else self
        copied = task.progress.copied
        if copied is not None and self._bytes is None and self.last_progress.copied is None:
            # Remembered at once: where the speed is even, bytes alone show that a copy moves.
            return replace(self, last_progress=replace(self.last_progress, copied=copied))
        if self.suspected_at or not self._is_late(task, now, limit * SUSPICION):
            return self
        samples = self._sampled(task.progress, task.transfer.speed, now)
        return replace(self, suspected_at=now, samples=samples)

    def moved(self, progress: Progress, speed: Optional[float], now: datetime) -> Movement:
        """Record how far the task is, having moved; ``speed`` is in Mbit/s."""
        samples = self._sampled(progress, speed, now)
        return replace(
            self, last_progress=progress, moved_at=now, suspected_at=None, samples=samples
        )

    def remaining(self, task: Task, now: datetime) -> Optional[int]:
        """Return the seconds left; ``None`` where nobody can tell, or a stall was told."""
        if self.stall or task.phase is not Phase.MOVING or task.state == TaskState.SYNCING:
            return None
        left = self.left(task.progress, task.transfer.size, now)
        return left.seconds if left else None

    def left(self, here: Progress, size: Optional[int], now: datetime) -> Optional[Left]:
        """Return the time left of a copy, from its advance in the last day of running.

        By bytes where they are known and so is the ``size`` of the whole, otherwise by the
        sub-task's percentage. ``None`` where too little has been measured, or next to nothing has
        moved.
        """
        newest = Sample(now, here.percent, here.copied, None, here.sub_task)
        seen = [*(each for each in self.samples if each.sub_task == here.sub_task), newest]
        before = self.before
        if before is None or before.sub_task != here.sub_task:
            before = Stretches(here.sub_task)
        # More bytes than there are were copied twice, or have grown: they say nothing of the rest.
        if size and here.copied is not None and here.copied <= size:
            copied = [(each.at, each.copied) for each in seen if each.copied is not None]
            by_bytes = Pace(copied, size, 0, before.by_bytes).left()
            if by_bytes:
                return by_bytes
        percents = [(each.at, each.percent) for each in seen if each.percent is not None]
        return Pace(percents, before=before.by_percent).left() if here.percent is not None else None

    def _sampled(self, here: Progress, speed: Optional[float], now: datetime) -> Tuple[Sample, ...]:
        sample = Sample(now, here.percent, here.copied, speed, here.sub_task)
        kept = (*(each for each in self.samples if each.sub_task == here.sub_task), sample)
        if len(kept) <= MOST_SAMPLES:
            return kept
        if now - kept[0].at > OLD:
            return kept[1:]
        inner = range(1, len(kept) - 1)
        spare = min(inner, key=lambda number: kept[number + 1].at - kept[number - 1].at)
        return kept[:spare] + kept[spare + 1 :]

    def _is_late(self, task: Task, now: datetime, span: timedelta) -> bool:
        """Return whether a task that has something to do was last seen to move so long ago."""
        return bool(span) and not _is_idle(task) and now - (self.moved_at or now) >= span

    def _is_due(self, now: datetime, limit: timedelta) -> bool:
        """Return whether a sample is due: in another few minutes, or where a stall would be."""
        last, every = self.moved_at or now, SAMPLE_EVERY.total_seconds()
        in_another = now.timestamp() // every != last.timestamp() // every
        return in_another or (bool(limit) and now - last >= limit * SUSPICION)


def _gained(last: Optional[int], first: Optional[int]) -> Optional[int]:
    """Return by how much a number has grown; what fell back has to be done again."""
    return None if last is None or first is None else max(last - first, 0)


def _is_idle(task: Task) -> bool:
    """Return whether a task synchronises and has nothing to do, which may last for ever.

    Its percentage does not say: a synchronisation stays at 6 % between two rounds.
    """
    percent, speed = task.progress.percent, task.transfer.speed
    return task.state == TaskState.SYNCING and (not speed or percent is None or percent >= WHOLE)
