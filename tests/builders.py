"""Valid values to begin a test with; name only what the test is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from sms_watch.model.policy import Policy
from sms_watch.model.task import Progress, Task, TaskState
from sms_watch.rules.agent import Agent
from sms_watch.rules.call import Call
from sms_watch.rules.failure import Failure
from sms_watch.rules.movement import Movement
from sms_watch.rules.record import TaskMemory, Totals
from sms_watch.rules.starts import Starts

NOW = datetime(2026, 11, 24, 0, 3, tzinfo=timezone.utc)
# One code of each class.
LINE_LOST = "SMS.0807"  # transient, and one of the six that the agent may mend
HOST_UNKNOWN = "SMS.0302"  # transient
DISK_BUSY = "SMS.1103"  # retryable
UNCLEAR = "SMS.0805"  # ambiguous
AGENT_RESTARTED = "SMS.1414"  # recreate, or retryable at file level
DISK_FULL = "SMS.1315"  # human
NO_RSYNC = "SMS.6517"  # precheck


def minutes(number: float) -> timedelta:
    """Give a span."""
    return timedelta(minutes=number)


def a_task(**fields: Any) -> Task:
    """Give a task that failed on a lost line, half way through."""
    usual = {
        "id": "a",
        "name": "web-01",
        "state": TaskState.MIGRATE_FAIL.value,
        "type": "MIGRATE_FILE",
        "code": LINE_LOST,
        "progress": Progress(1, 5, 50, None, "MIGRATE_LINUX_FILE"),
    }
    return Task(**{**usual, **fields})


def a_running_task(**fields: Any) -> Task:
    """Give a task that is copying."""
    return a_task(**{"state": TaskState.RUNNING.value, "code": "", **fields})


def a_memory(**fields: Any) -> TaskMemory:
    """Give what is remembered of the failed task, told and not started yet."""
    usual = {
        "state": TaskState.MIGRATE_FAIL.value,
        "since": NOW,
        "name": "web-01",
        "code": LINE_LOST,
        "incident": "20261124-0-0",
    }
    return a_record(**{**usual, **fields})


def a_started_memory(attempts: int = 1, ago: float = 1, **fields: Any) -> TaskMemory:
    """Give what is remembered of a task that was started some minutes ago, without progress."""
    usual = {
        "since": NOW - minutes(60),
        "attempts": attempts,
        "tries": attempts,
        "last_start": NOW - minutes(ago),
        "mark": a_task().progress,
    }
    return a_memory(**{**usual, **fields})


def a_policy(**fields: Any) -> Policy:
    """Give the default policy."""
    return Policy(**fields)


# Where the parts of a record have what the flat names say.
PARTS = {
    "starts": (
        Starts,
        {
            "attempts": "attempts",
            "tries": "tries",
            "last_start": "last",
            "mark": "mark",
            "outcome": "outcome",
        },
    ),
    "failure": (
        Failure,
        {
            "incident": "event",
            "code": "code",
            "asked": "call",
            "relapsed": "on_probation",
            "failures": "recent",
            "flaps": "flaps",
        },
    ),
    "agent": (Agent, {"away": "away", "parted": "event", "parted_at": "told_at"}),
    "movement": (
        Movement,
        {
            "place": "place",
            "moved": "moved",
            "suspected": "suspected",
            "samples": "samples",
            "stalled": "event",
        },
    ),
    "totals": (Totals, {"starts": "starts", "lost": "lost"}),
}


def a_record(state: str, since: Any, name: str = "", **flat: Any) -> TaskMemory:
    """Give a record by the flat names of its fields."""
    call = Call(flat.pop("reminded_at", None) or since, flat.pop("reminded", 0))
    if "asked" in flat:
        flat["asked"] = call if flat["asked"] else None
    parts = {
        part: kind(**{theirs: flat.pop(ours) for ours, theirs in names.items() if ours in flat})
        for part, (kind, names) in PARTS.items()
    }
    if parts["movement"].event:
        parts["movement"] = replace(parts["movement"], call=call)
    return TaskMemory(state, since, name, **parts, **flat)
