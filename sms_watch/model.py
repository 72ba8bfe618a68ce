"""The values and closed vocabularies that all parts share; no rules, no I/O, no clock.

The words are those of the SMS API reference where it has one: *task*, *state*, *sub-task*,
*start*. Every value is immutable, so what was read stays what was read.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import FrozenSet, Mapping, Optional, Tuple, Union


class Words(str, enum.Enum):
    """An enum whose members are, and print as, the strings they stand for."""

    def __str__(self) -> str:
        return str(self.value)


class TaskState(Words):
    """The 14 states of a migration task (SMS API reference, "Querying a Migration Task")."""

    READY = "READY"
    RUNNING = "RUNNING"
    SYNCING = "SYNCING"
    MIGRATE_SUCCESS = "MIGRATE_SUCCESS"
    MIGRATE_FAIL = "MIGRATE_FAIL"
    SYNC_SUCCESS = "SYNC_SUCCESS"
    SYNC_FAIL = "SYNC_FAIL"
    ABORTING = "ABORTING"
    ABORT = "ABORT"
    SKIPPING = "SKIPPING"
    DELETING = "DELETING"
    RESETING = "RESETING"  # the service's own spelling
    SYNC_F_ROLLBACKING = "SYNC_F_ROLLBACKING"
    SYNC_F_ROLLBACK_SUCCESS = "SYNC_F_ROLLBACK_SUCCESS"


class Phase(Words):
    """What a state means to the watchdog."""

    READY = "ready"
    MOVING = "moving"
    FAILED = "failed"
    PAUSED = "paused"
    FINISHED = "finished"
    BUSY = "busy"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"
    GONE = "gone"


PHASES: Mapping[str, Phase] = {
    TaskState.READY.value: Phase.READY,
    TaskState.RUNNING.value: Phase.MOVING,
    TaskState.SYNCING.value: Phase.MOVING,
    TaskState.MIGRATE_FAIL.value: Phase.FAILED,
    TaskState.SYNC_FAIL.value: Phase.FAILED,
    TaskState.ABORTING.value: Phase.PAUSED,
    TaskState.ABORT.value: Phase.PAUSED,
    TaskState.MIGRATE_SUCCESS.value: Phase.FINISHED,
    TaskState.SYNC_SUCCESS.value: Phase.FINISHED,
    TaskState.SKIPPING.value: Phase.BUSY,
    TaskState.RESETING.value: Phase.BUSY,
    TaskState.DELETING.value: Phase.BUSY,
    TaskState.SYNC_F_ROLLBACKING.value: Phase.BUSY,
    TaskState.SYNC_F_ROLLBACK_SUCCESS.value: Phase.ROLLED_BACK,
}


class ErrorClass(Words):
    """What starting a failed task again can do about an error code."""

    TRANSIENT = "transient"
    RETRYABLE = "retryable"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    RECREATE = "recreate"
    HUMAN = "human"
    PRECHECK = "precheck"


class Action(Words):
    """What the watchdog does about one task in one run."""

    START = "start"
    WAIT = "wait"
    NONE = "none"


class Reason(Words):
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


class Outcome(Words):
    """What became of a start that was intended."""

    RUNNING = "running"  # accepted, and read as running again in the same run
    DONE = "done"  # accepted (HTTP 200): a request, not a result
    REFUSED = "refused"  # the service answered no; nothing was started
    FAILED = "failed"  # certainly never reached the service
    UNKNOWN = "unknown"  # no answer: it may or may not have been taken
    SKIPPED = "skipped"  # not sent: no time left, or a dry run


class Level(Words):
    """How much a notice matters."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Kind(Words):
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
class Progress:
    """How far a task is, in a form in which "further" can be told.

    ``cycle`` counts the copy or synchronisation rounds begun, 0 when the answer does not say;
    ``step`` is the place of the current sub-task in the documented order, ``percent`` (0 to 100)
    is the sub-task's own and may be missing for a whole run, ``copied`` is in bytes, as the list
    of source servers has it. ``sub_task`` is the name for people.
    """

    cycle: int = 0
    step: int = 0
    percent: Optional[int] = None
    copied: Optional[int] = None
    sub_task: str = ""

    def beyond(self, mark: Optional[Progress]) -> bool:
        """Tell whether anything moved forward since ``mark``; without a mark nothing has."""
        if mark is None:
            return False
        more = self.copied is not None and mark.copied is not None and self.copied > mark.copied
        return more or self._is_ahead_of(mark)

    def furthest(self, other: Optional[Progress]) -> Progress:
        """Give the high-water mark of the two, so that ground covered twice is no progress."""
        if other is None:
            return self
        ahead = other if other._is_ahead_of(self) else self
        copied = max(self.copied or 0, other.copied or 0)
        return Progress(ahead.cycle, ahead.step, ahead.percent, copied or None, ahead.sub_task)

    def differs(self, other: Progress) -> bool:
        """Tell whether anything moved, in whichever direction; what is not known has not."""
        pairs = [
            (self.cycle or None, other.cycle or None),
            (self.step, other.step),
            (self.percent, other.percent),
            (self.copied, other.copied),
        ]
        return any(a != b for a, b in pairs if a is not None and b is not None)

    def _is_ahead_of(self, other: Progress) -> bool:
        """Compare places; a round counts only where both answers tell which one it is."""
        if self.cycle and other.cycle and self.cycle != other.cycle:
            return self.cycle > other.cycle
        return (self.step, self.percent or 0) > (other.step, other.percent or 0)


@dataclass(frozen=True)
class Task:
    """One migration task as it was read.

    ``state`` is the service's own string, so that a state invented next year survives.
    ``type`` is ``MIGRATE_FILE`` or ``MIGRATE_BLOCK``. ``code`` is ``SMS.nnnn``, empty when the
    task has no error, ``"?"`` when it has one that cannot be read. ``connected`` is ``None`` when
    the answer does not say (SMS API reference: the field is often missing). ``speed`` is in
    Mbit/s. ``size`` is what there is to copy, in bytes. ``remaining`` is in seconds, worked out
    from the advance that was measured, ``None`` while it cannot be told. ``source`` and ``target``
    are names with addresses, ``source_id`` is the id of the source server. ``listed``: it was
    taken from a list, whose rows may be old and lack fields; to be started it has to be read by
    itself.
    """

    id: str
    name: str
    state: str
    type: str = ""
    code: str = ""
    error_params: Tuple[str, ...] = ()
    connected: Optional[bool] = None
    progress: Progress = field(default_factory=Progress)
    speed: Optional[float] = None
    remaining: Optional[int] = None
    source: str = ""
    target: str = ""
    source_id: str = ""
    size: Optional[int] = None
    listed: bool = False

    @property
    def phase(self) -> Phase:
        """What the state means to the watchdog."""
        return PHASES.get(self.state, Phase.UNKNOWN)


@dataclass(frozen=True)
class Gone:
    """What was observed of a task that the service does not have."""

    task_id: str


@dataclass(frozen=True)
class Unseen:
    """A task that could not be read in this run; ``detail`` says why, for people.

    ``reached`` is false for one that was not asked after; ``remedy`` says what to do.
    """

    task_id: str
    detail: str
    reached: bool = True
    remedy: str = ""


Observation = Union[Task, Gone, Unseen]


@dataclass(frozen=True)
class Listing:
    """The tasks of an account, as their list has them.

    ``tasks`` are those asked for, ``ids`` also the others, and those whose rows made no sense.
    ``complete``: no row can have been missed; otherwise ``detail`` says why one may have been.
    """

    tasks: Tuple[Task, ...]
    ids: FrozenSet[str]
    complete: bool
    detail: str = ""


@dataclass(frozen=True)
class Scope:
    """Which tasks are watched: those with these ids, or, without any, every task of the account.

    Of all tasks, ``names`` leaves those whose name matches one of its patterns, in which ``*``
    stands for any letters and ``?`` for one, ``project`` those of one migration project.
    """

    task_ids: Tuple[str, ...] = ()
    names: Tuple[str, ...] = ()
    project: str = ""

    @property
    def discovers(self) -> bool:
        """Whether the tasks have to be found by listing."""
        return not self.task_ids

    def covers(self, name: str) -> bool:
        """Tell whether a task of this name is one of those to be watched."""
        return not self.names or any(fnmatchcase(name, pattern) for pattern in self.names)


@dataclass(frozen=True)
class Policy:
    """How far the watchdog may go, and how often it speaks.

    ``stall``, ``remind`` and ``digest`` of zero mean never. ``discovers``: the tasks are found by
    listing, so what was at rest before the watchdog came is remembered without a word, and a
    finished task that is deleted is no loss.
    """

    max_attempts: int = 5
    backoff: timedelta = timedelta(minutes=2)
    backoff_max: timedelta = timedelta(minutes=15)
    max_per_run: int = 20
    grace: timedelta = timedelta(0)
    stall: timedelta = timedelta(minutes=60)
    remind: timedelta = timedelta(hours=4)
    digest: timedelta = timedelta(0)
    classes: Mapping[str, ErrorClass] = field(default_factory=dict)
    notify_on: FrozenSet[Kind] = frozenset(Kind)
    discovers: bool = False


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
class TaskMemory:
    """What is remembered of one task between runs.

    ``since`` is when this state was first read. ``attempts`` are the starts in a row without
    progress that may have been taken; ``tries`` also counts refused ones and sets the backoff.
    ``mark`` is the furthest progress when a start was last sent. ``incident`` is the event id of
    the notice that told the open failure ("" when none was told), ``asked`` whether a person was
    asked about it, ``away`` whether the agent was read as disconnected. ``outcome`` is that of
    the last start: unknown from the moment it is planned until its answer is written down. A task
    that is gone is remembered with an empty ``state``.

    ``place`` is where a running task was when it was last seen to move, at ``moved``; since
    ``suspected`` it is watched for a stall. ``samples`` are how far it was before, newest last.
    ``stalled`` and ``parted`` are the event ids of the notices that told an open stall and an
    agent that is away, the latter last at ``parted_at``. ``failures`` are the moments of the new
    failures of the hour up to the last one, ``flaps`` counts those told as one. ``reminded``
    counts the reminders of what is open, the last one, or its first notice, was at
    ``reminded_at``; there are none until ``snoozed``. ``starts`` and ``lost``, the seconds in
    which it stood failed, count from the last digest.
    """

    state: str
    since: datetime
    name: str = ""
    code: str = ""
    attempts: int = 0
    tries: int = 0
    last_start: Optional[datetime] = None
    mark: Optional[Progress] = None
    incident: str = ""
    asked: bool = False
    away: bool = False
    relapsed: bool = False
    outcome: Optional[Outcome] = None
    place: Optional[Progress] = None
    moved: Optional[datetime] = None
    suspected: Optional[datetime] = None
    samples: Tuple[Sample, ...] = ()
    stalled: str = ""
    parted: str = ""
    parted_at: Optional[datetime] = None
    failures: Tuple[datetime, ...] = ()
    flaps: int = 0
    reminded: int = 0
    reminded_at: Optional[datetime] = None
    snoozed: Optional[datetime] = None
    starts: int = 0
    lost: float = 0.0

    @property
    def phase(self) -> Phase:
        """What the remembered state means to the watchdog."""
        return PHASES.get(self.state, Phase.UNKNOWN) if self.state else Phase.GONE


@dataclass(frozen=True)
class WatchMemory:
    """What is remembered of the watching itself.

    ``blind_runs`` counts runs in a row that could read nothing, up to the one that is told;
    ``blind_since`` is the first of them. ``loss_told``: the loss of the memory was recorded.
    ``unreached`` are the ids of tasks that the last run had no time to read; they come first.
    ``digested`` is the moment of the last digest, or from which the first one is counted.
    """

    blind_runs: int = 0
    blind_since: Optional[datetime] = None
    incident: str = ""
    loss_told: bool = False
    unreached: Tuple[str, ...] = ()
    digested: Optional[datetime] = None


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
class Memory:
    """Everything that is remembered; the fold of the journal.

    ``lease`` is until when the run ``holder`` may be at work.
    """

    tasks: Mapping[str, TaskMemory] = field(default_factory=dict)
    outbox: Mapping[str, Notice] = field(default_factory=dict)
    watch: WatchMemory = field(default_factory=WatchMemory)
    lease: Optional[datetime] = None
    holder: str = ""


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


@dataclass(frozen=True)
class Credentials:
    """Keys for the cloud; never shown."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    security_token: str = field(default="", repr=False)
