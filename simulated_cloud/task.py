"""A simulated task: what it is, and how it moves while time passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Optional, Tuple

from sms_watch.model.task import TaskState

FAILED = (TaskState.MIGRATE_FAIL, TaskState.SYNC_FAIL)
MOVING = (TaskState.RUNNING, TaskState.SYNCING)
PAUSED = (TaskState.ABORTING, TaskState.ABORT)
DONE = (TaskState.MIGRATE_SUCCESS, TaskState.SYNC_SUCCESS)
SYNCHRONISED = (TaskState.SYNCING, TaskState.SYNC_FAIL, TaskState.SYNC_SUCCESS)
# States that a task passes through, and in which it may be held.
HELD = (
    TaskState.READY,
    TaskState.ABORTING,
    TaskState.SKIPPING,
    TaskState.DELETING,
    TaskState.RESETING,
    TaskState.SYNC_F_ROLLBACKING,
)
STARTABLE = (TaskState.READY, TaskState.ABORT, *FAILED)
# Seconds until the service notices: a copy that broke, a start that found no line, a start that
# met the same obstacle again, a pause that was asked for; and until the agent takes up a start.
NOTICES_BREAK, GIVES_UP_CONNECTING, MEETS_OBSTACLE, COMES_TO_REST = 30, 20, 10, 10
PICKS_UP = 10
# Seconds of what lies before the copy, and of what lies behind it.
SETTING_UP, CLOSING = 720, 360
# The code of a copy whose line broke, and of a start that found none (SMS FAQs).
LINE_CODES = {
    "MIGRATE_FILE": ("SMS.0807", "SMS.3802"),
    "MIGRATE_BLOCK": ("SMS.1807", "SMS.2802"),
}
# The codes after which the agent may start again by itself (SMS FAQs, "automatic recovery").
RECOVERABLE = ("SMS.0807", "SMS.1807", "SMS.2802", "SMS.2805", "SMS.2806", "SMS.3802")
# The code with which the service pauses a task that passes its speed limit (SMS FAQs).
OVERSPEED = "SMS.9007"
BITS = 8
MEGABIT = 1_000_000


class Refused(Exception):  # noqa: N818 - an answer of the service
    """What the service answers to what it does not do: an HTTP status, a code and a text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass
class SimTask:
    """A migration task. ``size`` and ``copied`` are bytes, ``speed`` is Mbit/s.

    ``prepared`` and ``closed`` are the seconds of work that was done before the copy and behind it;
    a task that is not READY comes with its preparation done, and whatever else its state says is.
    ``grown`` is what was added on the
    source since the service counted ``size``. ``connected`` is left out of answers while it is
    ``None``. ``project`` is the id of the migration project of its source server,
    ``enterprise_project`` that of its enterprise project. ``frozen``: it runs, and nothing of it
    moves. ``obstacle`` is the code of a failure that no start mends until it is cleared away.
    ``recovers_after`` are the seconds after which the agent starts again by itself once the line
    is back, if it does, ``picks_up_after`` those between an accepted start and the agent's taking
    it up, which it never does if they are ``None``.
    """

    id: str
    name: str
    type: str = "MIGRATE_FILE"
    os_type: str = "LINUX"
    size: float = 500e9
    speed: float = 200.0
    copied: float = 0.0
    synchronises: bool = False
    connected: Optional[bool] = True
    frozen: bool = False
    project: str = ""
    enterprise_project: str = "0"
    recovers_after: Optional[float] = None
    picks_up_after: Optional[float] = PICKS_UP
    state: str = TaskState.RUNNING
    code: str = ""
    params: Tuple[str, ...] = ()
    obstacle: str = ""
    line_up: bool = True
    prepared: float = SETTING_UP
    closed: float = 0.0
    grown: float = 0.0
    begun: Optional[datetime] = None
    copying_since: Optional[datetime] = None
    copied_at: Optional[datetime] = None
    ended: Optional[datetime] = None
    waited: timedelta = timedelta(0)
    version: int = 0

    def __post_init__(self) -> None:
        """Take for done what the state says is done."""
        if self.state == TaskState.READY:
            self.prepared = 0
        if self.state in (*DONE, *SYNCHRONISED):
            self.copied = self.size
        if self.state in SYNCHRONISED:
            self.synchronises = True
        if self.state in DONE:
            self.closed = CLOSING

    @property
    def percent(self) -> int:
        """How much of the copy is done, in whole percent of what was counted: 100 and more."""
        return int(100 * (self.copied / self.size))

    @property
    def to_copy(self) -> float:
        """The bytes that are still to be copied."""
        return self.size + self.grown - self.copied

    @property
    def far(self) -> Tuple[float, float, float]:
        """How far it is: seconds of preparation, bytes, seconds of what follows."""
        return self.prepared, self.copied, self.closed

    @property
    def working(self) -> bool:
        """Whether it gets further right now."""
        hindered = self.obstacle or self.frozen or not self.line_up
        return self.state == TaskState.RUNNING and not hindered

    @property
    def copying(self) -> bool:
        """Whether bytes are moving right now."""
        return self.working and self.copying_since is not None and self.copied_at is None

    @property
    def synchronising(self) -> bool:
        """Whether changes are being copied right now."""
        return self.state == TaskState.SYNCING and self.line_up and not self.frozen

    @property
    def restartable(self) -> bool:
        """Whether a start would bring the task back now."""
        return self.state in FAILED and self.line_up and not self.obstacle

    @property
    def stage_left(self) -> float:
        """The seconds of work until what it is about is done: preparing, copying or closing."""
        if self.copying_since is None:
            return SETTING_UP - self.prepared
        if self.copied_at is None:
            return self.to_copy * BITS / (self.speed * MEGABIT)
        return CLOSING - self.closed

    @property
    def remaining(self) -> timedelta:
        """How long it takes until it is done, or synchronises."""
        seconds = SETTING_UP - self.prepared + self.to_copy * BITS / (self.speed * MEGABIT)
        return timedelta(seconds=seconds + (0 if self.synchronises else CLOSING - self.closed))

    def work(self, seconds: float) -> None:
        """Get further by what can be done in some seconds; no stage ends within them."""
        if self.copying_since is None:
            self.prepared = min(SETTING_UP, self.prepared + seconds)
        elif self.copied_at is None:
            self.copied += min(self.to_copy, seconds * self.speed * MEGABIT / BITS)
        else:
            self.closed = min(CLOSING, self.closed + seconds)
