"""What is decided about a task, and what people are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Mapping, Optional, Tuple

from sms_watch.model.strenum import StrEnum
from sms_watch.model.task import ErrorClass, Task


class Action(StrEnum):
    """What the watchdog does about one task in one run."""

    START = "start"
    WAIT = "wait"
    NONE = "none"


class Reason(StrEnum):
    """Why a task got its action; every answer has one."""

    # start
    MENDABLE = "mendable"
    RECONNECTED = "reconnected"
    LONGEST_WAIT = "longest_wait"
    # wait
    READY = "ready"
    BUSY = "busy"
    GRACE = "grace"
    DISCONNECTED = "disconnected"
    BACKOFF = "backoff"
    RUN_LIMIT = "run_limit"
    UNREADABLE = "unreadable"
    NOT_REACHED = "not_reached"
    # none
    MOVING = "moving"
    PAUSED = "paused"
    FINISHED = "finished"
    GONE = "gone"
    UNKNOWN_STATE = "unknown_state"
    ROLLED_BACK = "rolled_back"
    NOT_MENDABLE = "not_mendable"
    ATTEMPTS_SPENT = "attempts_spent"
    STARTS_OFF = "starts_off"


class Outcome(StrEnum):
    """What became of a start that was intended."""

    RUNNING = "running"  # accepted, and read as running again in the same run
    DONE = "done"  # accepted (HTTP 200): a request, not a result
    REFUSED = "refused"  # the service answered no; nothing was started
    FAILED = "failed"  # certainly never reached the service
    UNKNOWN = "unknown"  # no answer: it may or may not have been taken
    SKIPPED = "skipped"  # not sent: no time left, or a dry run


class Level(StrEnum):
    """How much a notice matters."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Kind(StrEnum):
    """The kinds of notice, worst first."""

    NEEDS_PERSON = "needs_person"
    BLIND = "blind"
    MEMORY_LOST = "memory_lost"
    GONE = "gone"
    FAILED = "failed"
    STALLED = "stalled"
    DISCONNECTED = "disconnected"
    UNKNOWN_STATE = "unknown_state"
    REMINDER = "reminder"
    PAUSED = "paused"
    RESUMED = "resumed"
    MOVING = "moving"
    CONNECTED = "connected"
    SEES_AGAIN = "sees_again"
    FINISHED = "finished"
    DIGEST = "digest"
    TEST = "test"


LEVELS: Mapping[Kind, Level] = {
    Kind.NEEDS_PERSON: Level.CRITICAL,
    Kind.BLIND: Level.CRITICAL,
    Kind.MEMORY_LOST: Level.CRITICAL,
    Kind.GONE: Level.WARNING,
    Kind.FAILED: Level.WARNING,
    Kind.STALLED: Level.WARNING,
    Kind.DISCONNECTED: Level.WARNING,
    Kind.UNKNOWN_STATE: Level.WARNING,
    Kind.REMINDER: Level.WARNING,
    Kind.PAUSED: Level.INFO,
    Kind.RESUMED: Level.INFO,
    Kind.MOVING: Level.INFO,
    Kind.CONNECTED: Level.INFO,
    Kind.SEES_AGAIN: Level.INFO,
    Kind.FINISHED: Level.INFO,
    Kind.DIGEST: Level.INFO,
    Kind.TEST: Level.INFO,
}


@dataclass(frozen=True)
class Standing:
    """One task in a digest. ``starts`` and ``lost`` (seconds) are since the last one.

    ``still`` is since when it has not moved, where people were told of a stall.
    """

    task: Task
    starts: int = 0
    lost: float = 0.0
    still: Optional[datetime] = None


@dataclass(frozen=True)
class Notice:
    """One thing to tell people, with the facts as they were when it was recorded.

    ``event_id`` is unique and stable: a copy of a notice carries the same one. ``task`` is
    missing for notices about the watching itself. ``attempt`` of ``cap`` is the start that the
    notice speaks of (``cap`` None: without end); ``next_try`` is the earliest moment of the next
    one. ``since`` is when what this closes began. ``outcome`` is that of the start it speaks of,
    as far as it is known when the notice is sent; ``detail`` is text for people. ``count`` says
    how often: of a flapping task how many failures this stands for, of a reminder which one it is.
    ``standings`` are the tasks of a digest, ``more`` counts those that are left out.
    """

    kind: Kind
    at: datetime
    event_id: str = ""
    task: Optional[Task] = None
    error_class: Optional[ErrorClass] = None
    action: Action = Action.NONE
    reason: Optional[Reason] = None
    attempt: int = 0
    cap: Optional[int] = None
    next_try: Optional[datetime] = None
    since: Optional[datetime] = None
    outcome: Optional[Outcome] = None
    detail: str = ""
    count: int = 0
    standings: Tuple[Standing, ...] = ()
    more: int = 0

    @property
    def level(self) -> Level:
        """How much the notice matters."""
        return LEVELS[self.kind]


@dataclass(frozen=True)
class Position:
    """A place in the journal: a day (``YYYYMMDD``) and an offset in bytes in its object."""

    day: str
    offset: int

    def event_id(self, index: int) -> str:
        """Name the event that is the ``index``-th of the entry at this place."""
        return f"{self.day}-{self.offset}-{index}"


@dataclass(frozen=True)
class Message:
    """One message, in the forms that SMN delivers."""

    subject: str
    email: str
    short: str
    web: str
    event_ids: Tuple[str, ...] = ()
