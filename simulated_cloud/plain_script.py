"""The rules of a plain script for the same job, to compare with: it looks, acts, and forgets."""

from __future__ import annotations

from simulated_cloud.task import Refused
from simulated_cloud.world import World
from sms_watch.model.task import TaskState

DONE = (TaskState.MIGRATE_SUCCESS, TaskState.SYNC_SUCCESS)
STOPPED = (
    TaskState.MIGRATE_FAIL,
    TaskState.SYNC_FAIL,
    TaskState.ABORTING,
    TaskState.ABORT,
)


def tick(world: World, task_id: str) -> None:
    """Look at one task: tell that it is completed, or start it and tell whether that worked."""
    state = world.read(task_id).state
    if state in DONE:
        _publish(world, f"{task_id} completed")
    elif state in STOPPED:
        try:
            world.start(task_id)
        except Refused as refused:
            _publish(world, f"{task_id} could not be started: {refused.code}")
        else:
            _publish(world, f"{task_id} was started")


def _publish(world: World, text: str) -> None:
    world.inbox.append({"at": world.clock.now(), "subject": text})
