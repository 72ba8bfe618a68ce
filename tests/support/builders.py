"""Valid values to begin a test with; name only what the test is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, List, Optional, TypeVar

from sms_watch.model.notice import Kind, Notice, Position
from sms_watch.model.policy import Policy
from sms_watch.model.task import Progress, Task, TaskState
from sms_watch.rules.decision import Reading
from sms_watch.rules.draft import Situation
from sms_watch.rules.record import TaskRecord

V = TypeVar("V")
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
    """Return a span."""
    return timedelta(minutes=number)


def a_task(**flat: Any) -> Task:
    """Return a task that failed on a lost line, half way through."""
    usual = {
        "id": "a",
        "name": "web-01",
        "state": TaskState.MIGRATE_FAIL.value,
        "type": "MIGRATE_FILE",
        "code": LINE_LOST,
        "progress": Progress(5, 50, None, "MIGRATE_LINUX_FILE"),
    }
    return varied(Task("", "", ""), **{**usual, **flat})


def a_running_task(**flat: Any) -> Task:
    """Return a task that is copying."""
    return a_task(**{"state": TaskState.RUNNING.value, "code": "", **flat})


def a_record(**flat: Any) -> TaskRecord:
    """Return what is remembered of the failed task, told and not started yet."""
    usual = {
        "state": TaskState.MIGRATE_FAIL.value,
        "since": NOW,
        "name": "web-01",
        "code": LINE_LOST,
        "failed_event": "20261124-0-0-failed",
    }
    return varied(TaskRecord("", NOW), **{**usual, **flat})


def a_started_record(attempts: int = 1, ago: float = 1, **flat: Any) -> TaskRecord:
    """Return what is remembered of a task that was started some minutes ago, without progress."""
    usual = {
        "since": NOW - minutes(60),
        "attempts": attempts,
        "tries": attempts,
        "last_at": NOW - minutes(ago),
        "furthest": a_task().progress,
    }
    return a_record(**{**usual, **flat})


def a_policy(**fields: Any) -> Policy:
    """Return the default policy."""
    return Policy(**fields)


def a_reading(task: Optional[Task] = None, **fields: Any) -> Reading:
    """Return a reading of a task, the failed one by default, at ``NOW``."""
    usual = {"now": NOW, "policy": a_policy(), "event": "20261124-4711-0"}
    return Reading(task or a_task(), **{**usual, **fields})


def a_situation(**fields: Any) -> Situation:
    """Return what the decisions of a run at ``NOW`` share."""
    usual = {"now": NOW, "policy": a_policy(), "position": Position("20261124", 4711)}
    return Situation(**{**usual, **fields})


def a_notice(kind: Kind = Kind.FAILED, **flat: Any) -> Notice:
    """Return a notice about the failed task."""
    usual = {"task": a_task(), "event_id": f"20261124-4711-0-{kind}"}
    return varied(Notice(kind, NOW, ""), **{**usual, **flat})


# The paths of the fields that values have in their parts, by the names that tests call them.
PATHS = {
    Task: {
        "code": "error.code",
        "error_params": "error.params",
        "speed": "transfer.speed",
        "size": "transfer.size",
        "remaining": "transfer.remaining",
        "source": "servers.source",
        "target": "servers.target",
        "source_id": "servers.source_id",
    },
    TaskRecord: {
        "attempts": "starts.attempts",
        "tries": "starts.tries",
        "last_id": "starts.last_id",
        "last_at": "starts.last_at",
        "outcome": "starts.outcome",
        "furthest": "starts.furthest",
        "skips": "starts.skips",
        "in_vain_since": "starts.in_vain_since",
        "failed_event": "failure.event_id",
        "code": "failure.code",
        "call": "failure.call",
        "on_probation": "failure.on_probation",
        "recent": "failure.recent",
        "flaps": "failure.flaps",
        "away_since": "agent.away_since",
        "back_at": "agent.back_at",
        "lost_event": "agent.event_id",
        "lost_at": "agent.lost_at",
        "last_progress": "movement.last_progress",
        "moved_at": "movement.moved_at",
        "suspected_at": "movement.suspected_at",
        "samples": "movement.samples",
        "stall": "movement.stall",
        "first_copy": "movement.first_copy",
        "before": "movement.before",
        "total_starts": "totals.starts",
        "seconds_failed": "totals.seconds_failed",
    },
    Notice: {
        "action": "verdict.action",
        "reason": "verdict.reason",
        "error_class": "verdict.error_class",
        "number": "verdict.attempt.number",
        "cap": "verdict.attempt.cap",
        "next_try": "verdict.attempt.next_try",
        "in_vain_since": "verdict.attempt.in_vain_since",
        "start": "verdict.start",
        "unread_since": "verdict.unread_since",
        "rows": "digest.rows",
        "more": "digest.more",
        "unread": "digest.unread",
        "forecast": "digest.forecast",
    },
}


def varied(value: V, **flat: Any) -> V:
    """Return a value with other fields, those of its parts by the names in ``PATHS``."""
    for name, field in flat.items():
        value = _with(value, PATHS[type(value)].get(name, name).split("."), field)
    return value


def _with(value: Any, path: List[str], field: Any) -> Any:
    first, *rest = path
    return replace(value, **{first: _with(getattr(value, first), rest, field) if rest else field})
