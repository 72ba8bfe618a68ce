"""What each kind of notice means: what was read before it, and what it opens, ends and tells."""

from __future__ import annotations

from typing import Any, Mapping, Tuple

from simulated_cloud.task import DONE, FAILED, MOVING, PAUSED
from sms_watch.model.task import TaskState
from tests.support.wakes import GONE, STRANGE

# States that a task is to pass through.
PASSING = ("RESETING", "SKIPPING", "DELETING", "SYNC_F_ROLLBACKING")
# The states in which a task must have been read for a new notice of a kind.
MEANINGS: Mapping[str, Any] = {
    "failed": FAILED,
    "needs_person": FAILED,
    "resumed": MOVING,
    "paused": PAUSED,
    "finished": DONE,
    "gone": (GONE,),
    "stalled": MOVING,
    "moving": MOVING,
    "copied": (TaskState.SYNCING,),
    "disconnected": (*FAILED, *MOVING),
    "connected": (*FAILED, *MOVING),
    "reminder": (*FAILED, *MOVING, *PAUSED, TaskState.READY, STRANGE),
    "unknown_state": (STRANGE,),
    "hanging": (TaskState.READY, TaskState.ABORTING, STRANGE),
}
# Kinds that say nothing about whether a task failed, runs, rests or is there.
BESIDES = {
    "copied",
    "stalled",
    "hanging",
    "moving",
    "disconnected",
    "connected",
    "reminder",
    "unreadable",
    "readable",
}
# The kinds that open what others end.
OPENINGS: Mapping[str, Tuple[str, ...]] = {
    "resumed": ("failed", "needs_person", "paused"),
    "moving": ("stalled", "hanging", "unknown_state"),
    "connected": ("disconnected",),
    "readable": ("unreadable", "gone"),
    "sighted": ("blind",),
}
# Kinds that may be told though nothing has happened.
IN_SILENCE = {"reminder", "stalled", "hanging", "digest", "unreadable"}
# What a state that was read means, and the latest kind that must have been told of it by then.
MEANING: Mapping[str, str] = {
    **dict.fromkeys(FAILED, "failed"),
    **dict.fromkeys(PAUSED, "paused"),
    **dict.fromkeys(DONE, "finished"),
    GONE: "gone",
}
TOLD = {
    "failed": ("failed", "needs_person"),
    "paused": ("paused",),
    "finished": ("finished",),
    "gone": ("gone",),
}
