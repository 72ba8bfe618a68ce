"""A migration task as it was read, and the vocabularies of the SMS API."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Callable, FrozenSet, Mapping, Optional, Tuple, Union

from sms_watch.model.strenum import StrEnum


class TaskState(StrEnum):
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


class Phase(StrEnum):
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


# In these phases a task stands until it is started, or a person acts.
BROKEN = frozenset({Phase.FAILED, Phase.ROLLED_BACK})


class ErrorClass(StrEnum):
    """What starting a failed task again can do about an error code."""

    TRANSIENT = "transient"
    RETRYABLE = "retryable"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    RECREATE = "recreate"
    HUMAN = "human"
    PRECHECK = "precheck"


# The order in which sub-tasks usually follow each other; names go on with _LINUX, _FILE and the
# like. It serves only where an answer does not list them.
USUAL_ORDER = (
    "CREATE_CLOUD_SERVER",
    "SSL_CONFIG",
    "ATTACH_AGENT_IMAGE",
    "FORMAT_DISK",
    "MIGRATE",
    "CLONE_VM",
    "SYNC",
    "CONFIGURE",
    "DETTACH_AGENT_IMAGE",  # the service's own spelling
)


MOST_SECONDS = 10**10  # three centuries


def check_span(seconds: float) -> None:
    """Raise ValueError if a number of seconds is longer than anything that is measured here."""
    if abs(seconds) > MOST_SECONDS:
        raise ValueError("a span of centuries")


@dataclass(frozen=True)
class Progress:
    """How far a task is, in a form in which "further" can be told.

    ``place`` is that of the sub-task under way in the task's own list, ``None`` where the answer
    has no list. ``percent`` is the sub-task's own; it may be missing for a whole run, and exceeds
    100 when data grew on the source. ``copied`` is in bytes, as the list of source servers has it.
    """

    place: Optional[int] = None
    percent: Optional[int] = None
    copied: Optional[int] = None
    sub_task: str = ""

    @property
    def shown(self) -> Optional[int]:
        """The percentage for people: between 0 and 100."""
        return None if self.percent is None else max(0, min(self.percent, 100))

    def is_ahead_of(self, mark: Optional[Progress], least_bytes: float = math.inf) -> bool:
        """Return whether real ground was gained since ``mark``; without a mark none was.

        Real ground is a later sub-task, a percent of it, or so many bytes. One byte is none: a copy
        that dies after a second each time would begin anew for ever.
        """
        if mark is None:
            return False
        more = 0 if self.copied is None or mark.copied is None else self.copied - mark.copied
        return more >= least_bytes or self._is_later_than(mark)

    def high_water(self, mark: Optional[Progress]) -> Progress:
        """Return the further of the two, so that ground covered twice is no progress.

        Bytes that are not known now make those of the mark unknown: they may have grown since.
        """
        if mark is None:
            return self
        later = mark if mark._is_later_than(self) else self
        copied = None if self.copied is None else max(self.copied, mark.copied or 0)
        return replace(later, copied=copied)

    def differs_from(self, other: Progress) -> bool:
        """Return whether anything moved, in whichever direction; what is not known has not."""
        pairs = [
            (self.place, other.place),
            (self.sub_task or None, other.sub_task or None),
            (self.percent, other.percent),
            (self.copied, other.copied),
        ]
        return any(a != b for a, b in pairs if a is not None and b is not None)

    def _is_later_than(self, other: Progress) -> bool:
        """Compare sub-tasks by the task's own list, or else by the usual order, and percentages."""
        if self.place is not None and other.place is not None:
            here, there = self.place, other.place
        elif self.sub_task == other.sub_task:
            here = there = 0
        else:
            here, there = self._usual_place(), other._usual_place()
        return (here, self.percent or 0) > (there, other.percent or 0)

    def _usual_place(self) -> int:
        places = [n for n, name in enumerate(USUAL_ORDER) if self.sub_task.startswith(name)]
        return places[0] if places else -1


@dataclass(frozen=True)
class TaskError:
    """The error of a task.

    ``code`` is ``SMS.nnnn``, empty when there is none, ``"?"`` when it cannot be read. ``params``
    are the texts that the service gives with it.
    """

    code: str = ""
    params: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Transfer:
    """How fast a task copies.

    ``speed`` is in Mbit/s, ``size`` is what there is to copy, in bytes. ``remaining`` is in
    seconds, worked out from the advance that was measured, ``None`` while it cannot be told.
    """

    speed: Optional[float] = None
    size: Optional[int] = None
    remaining: Optional[int] = None

    def check(self) -> None:
        """Raise ValueError if the time left is none that can be told."""
        check_span(self.remaining or 0)


@dataclass(frozen=True)
class Servers:
    """Between which servers a task copies: names with addresses, and the source server's id."""

    source: str = ""
    target: str = ""
    source_id: str = ""


@dataclass(frozen=True)
class Task:
    """One migration task as it was read.

    ``state`` is the service's own string, so that a state invented next year survives.
    ``type`` is ``MIGRATE_FILE`` or ``MIGRATE_BLOCK``. ``connected`` is ``None`` when the answer
    does not say (SMS API reference: the field is often missing). ``listed``: it was taken from a
    list, whose rows may be old and lack fields; to be started it has to be read individually.
    """

    id: str
    name: str
    state: str
    type: str = ""
    error: TaskError = TaskError()
    connected: Optional[bool] = None
    progress: Progress = Progress()
    transfer: Transfer = Transfer()
    servers: Servers = Servers()
    listed: bool = False

    @property
    def phase(self) -> Phase:
        """What the state means to the watchdog."""
        return PHASES.get(self.state, Phase.UNKNOWN)

    def is_ahead_of(self, mark: Optional[Progress]) -> bool:
        """Return whether it gained real ground since ``mark``; of bytes, a percent of all."""
        size = self.transfer.size
        return self.progress.is_ahead_of(mark, size / 100 if size else math.inf)

    def lean(self) -> Task:
        """Return the task without the texts that people, agents and systems have put into it.

        It is called by its id; of its state is kept what is known, and of its error the code.
        """
        return replace(
            self,
            name=self.id if self.name else "",
            state=self.state if self.state in PHASES else "?",
            error=TaskError(self.error.code),
            progress=replace(self.progress, sub_task=""),
            servers=Servers(),
        )

    @property
    def is_halted(self) -> bool:
        """Whether SMS itself has paused it: a person's pause comes without an error."""
        return self.phase is Phase.PAUSED and bool(self.error.code)

    def with_texts(self, change: Callable[[str], str]) -> Task:
        """Return the task with every text that came with it changed, but for its id."""
        return replace(
            self,
            name=change(self.name),
            state=change(self.state),
            type=change(self.type),
            error=TaskError(change(self.error.code), tuple(map(change, self.error.params))),
            progress=replace(self.progress, sub_task=change(self.progress.sub_task)),
            servers=Servers(
                change(self.servers.source),
                change(self.servers.target),
                change(self.servers.source_id),
            ),
        )


@dataclass(frozen=True)
class Gone:
    """What was observed of a task that is not there any more.

    ``detail`` says where it went, for people; empty when the service has no such task.
    """

    task_id: str
    detail: str = ""


# The id that stands for the tasks on pages of the list that could not be read.
PART_OF_LIST = "*"


@dataclass(frozen=True)
class Unread:
    """A task that was not read in this run; ``detail`` says why, for people.

    ``attempted`` is false for one that was not asked for. ``remedy`` says what to do.
    ``throttled``: the account has made too many calls. ``row`` is the task as a list has it: enough
    to tell what became of it, and too little to start it.
    """

    task_id: str
    detail: str
    attempted: bool = True
    remedy: str = ""
    throttled: bool = False
    row: Optional[Task] = None


Observation = Union[Task, Gone, Unread]


@dataclass(frozen=True)
class Listing:
    """The tasks of an account, as their list has them.

    ``tasks`` are those asked for, ``ids`` also the others, and the ``strange`` ones whose rows made
    no sense. ``complete``: no row can have been missed; otherwise ``detail`` says why one may have
    been. ``broken``: a page could not be read. ``missing`` is how many rows the list counts beyond
    those that it shows, when all its pages were read. ``without_sources`` says why the list of
    source servers is not whole, so that connections and bytes are unknown; for a migration project
    it is then ``unsure`` of which tasks belong to it.
    """

    tasks: Tuple[Task, ...]
    ids: FrozenSet[str]
    complete: bool
    detail: str = ""
    missing: int = 0
    broken: bool = False
    strange: FrozenSet[str] = frozenset()
    without_sources: str = ""
    unsure: FrozenSet[str] = frozenset()
