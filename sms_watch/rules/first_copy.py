"""The first full copy of a task that goes on to synchronise: when it was seen to be done. Pure.

A task synchronises what changes on its source once all of it was copied ("Migration Process" in the
SMS user guide): SYNCING says that the copy is done. So does an end; of that people hear by itself.
SYNC_FAIL says so too, but is no moment to cut over: what was copied is told when it synchronises.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Optional, Tuple

from sms_watch.model.task import Progress, Task, TaskState, Transfer

# In these states the copy is done; in those behind it too, and nobody can cut over.
DONE = frozenset(
    {
        TaskState.SYNCING.value,
        TaskState.SYNC_SUCCESS.value,
        TaskState.MIGRATE_SUCCESS.value,
    }
)
BEHIND = DONE | {
    TaskState.SYNC_FAIL.value,
    TaskState.SYNC_F_ROLLBACKING.value,
    TaskState.SYNC_F_ROLLBACK_SUCCESS.value,
}
# A task that fails while it synchronises may say MIGRATE_FAIL; its sub-task has such a name.
SYNC = "SYNC_"
BITS, MEGABIT = 8, 1_000_000


@dataclass(frozen=True)
class FirstCopy:
    """The first full copy of one task, as far as it was seen.

    ``begun_at`` is when the task was first read as copying, with so many bytes ``copied`` by then,
    if that is known. ``done_at`` is when it was first read in a state that only follows the copy.
    """

    begun_at: Optional[datetime] = None
    copied: Optional[int] = None
    done_at: Optional[datetime] = None

    def read(self, task: Task, now: datetime, before: str, goes_on: bool) -> Tuple[FirstCopy, bool]:
        """Take in a reading; the flag says whether it is news that the copy is done.

        ``before`` is the state that is remembered, empty at first sight: what was copied by then
        nobody saw. ``goes_on``: it was READY because a start of a failed task was waited for.
        """
        if _begins(task, before, goes_on):
            return FirstCopy().read(task, now, TaskState.READY, True)
        if task.state in DONE and self.done_at is None:
            is_news = task.state == TaskState.SYNCING and before not in ("", *DONE)
            return replace(self, done_at=now), is_news
        if not before and _is_behind(task):
            return replace(self, done_at=now), False
        if task.state != TaskState.RUNNING or self.done_at:
            return self, False
        if self == FirstCopy():
            return replace(self, begun_at=now, copied=task.progress.copied), False
        # A source server keeps the bytes of an earlier task until they are counted anew.
        fell = (
            self.copied and task.progress.copied is not None and task.progress.copied < self.copied
        )
        return (replace(self, copied=task.progress.copied) if fell else self), False

    def measured(self, task: Task) -> Task:
        """Return a task with what was copied since the beginning was seen, and how fast.

        ``progress.copied`` is in bytes, ``transfer.speed`` the average in Mbit/s, pauses included;
        both are ``None`` where that was not seen.
        """
        copied, speed, here = None, None, task.progress.copied
        if self.begun_at and self.done_at and self.copied is not None and here is not None:
            copied = max(here - self.copied, 0)
            seconds = (self.done_at - self.begun_at).total_seconds()
            speed = copied * BITS / MEGABIT / seconds if seconds > 0 else None
        return replace(task, progress=Progress(copied=copied), transfer=Transfer(speed=speed))


def _begins(task: Task, before: str, goes_on: bool) -> bool:
    """Return whether a task was reset, so that all is copied anew.

    One that a person has started where it was paused, or failed, goes on with its synchronisation.
    """
    if task.state == TaskState.READY:
        return before == TaskState.RESETING
    is_started = task.state == TaskState.RUNNING and before == TaskState.READY
    return is_started and not goes_on and not _is_behind(task)


def _is_behind(task: Task) -> bool:
    """Return whether what a task does now, or did last, only follows the copy."""
    return task.state in BEHIND or task.progress.sub_task.startswith(SYNC)
