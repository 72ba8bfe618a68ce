"""What is decided about a task, and what people are told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Callable, Mapping, Optional, Tuple

from sms_watch.model.forecast import Forecast
from sms_watch.model.strenum import StrEnum
from sms_watch.model.task import ErrorClass, Task, check_span


class Action(StrEnum):
    """What the watchdog does about one task in one run."""

    START = "start"
    WAIT = "wait"
    NONE = "none"


class Reason(StrEnum):
    """Why a task got its action; every answer has one."""

    # start
    RESTARTABLE = "restartable"
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
    THROTTLED = "throttled"
    NO_TIME = "no_time"
    # none
    MOVING = "moving"
    PAUSED = "paused"
    FINISHED = "finished"
    GONE = "gone"
    UNKNOWN_STATE = "unknown_state"
    ROLLED_BACK = "rolled_back"
    NOT_RESTARTABLE = "not_restartable"
    ATTEMPTS_SPENT = "attempts_spent"
    STARTS_OFF = "starts_off"


class Outcome(StrEnum):
    """What became of a start that was intended."""

    DONE = "done"  # accepted: a request, not a result
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
    """The kinds of notice, worst first.

    Each row has the name, the level, and the kinds that open what this one ends.
    """

    level: Level
    ends: Tuple[str, ...]

    def __new__(cls, name: str, level: Level = Level.INFO, *ends: str) -> Kind:
        """Return a member that is, and is found by, its name."""
        kind = str.__new__(cls, name)
        kind._value_, kind.level, kind.ends = name, level, ends
        return kind

    NEEDS_PERSON = "needs_person", Level.CRITICAL
    BLIND = "blind", Level.CRITICAL
    MEMORY_LOST = "memory_lost", Level.CRITICAL
    GONE = "gone", Level.WARNING
    FAILED = "failed", Level.WARNING
    UNREADABLE = "unreadable", Level.WARNING
    STALLED = "stalled", Level.WARNING
    HANGING = "hanging", Level.WARNING
    DISCONNECTED = "disconnected", Level.WARNING
    UNKNOWN_STATE = "unknown_state", Level.WARNING
    REMINDER = "reminder", Level.WARNING
    PAUSED = "paused"
    COPIED = "copied"
    RESUMED = "resumed", Level.INFO, "failed", "needs_person", "paused"
    MOVING = "moving", Level.INFO, "stalled", "hanging", "unknown_state"
    CONNECTED = "connected", Level.INFO, "disconnected"
    READABLE = "readable", Level.INFO, "unreadable", "gone"
    SIGHTED = "sighted", Level.INFO, "blind"
    FINISHED = "finished"
    DIGEST = "digest"
    TEST = "test"

    @property
    def levels(self) -> Tuple[Level, ...]:
        """The levels that a notice of this kind can have; see ``Notice.level``."""
        return (Level.WARNING, self.level) if self is Kind.PAUSED else (self.level,)


KINDS = frozenset(kind.value for kind in Kind)


def event_id(event: str, kind: Kind) -> str:
    """Return the id of a notice that opens something: ``20261124-4711-0-failed``.

    ``event`` is a place in the journal with a number (see ``Position.event``).
    """
    return f"{event}-{kind}"


def closing_id(opening_id: str) -> str:
    """Return the id of the event that ends another: the same whichever run first tells it."""
    return f"{opening_id}-end"


def kind_of(opening_id: str) -> Optional[Kind]:
    """Return the kind of the notice that has this id, which ends in it.

    ``None`` for one that only a later version of the watchdog has.
    """
    name = opening_id.rpartition("-")[2]
    return Kind(name) if name in KINDS else None


def check_id(opening_id: str) -> None:
    """Raise ValueError if this is the id of no notice, of whatever kind."""
    place, _, name = opening_id.rpartition("-")
    if not name or not all(part.isdigit() for part in place.split("-")):
        raise ValueError("the id of no event")


@dataclass(frozen=True)
class Attempt:
    """Which start is spoken of, and when the one after it may follow.

    ``number`` is that of the start decided, of the next one when waiting, of the last one when
    there will be none. ``cap`` is the most there can be (``None``: without end), ``next_try`` the
    earliest moment of the next one. ``in_vain_since`` is when one was accepted after which nothing
    has changed, if that is long enough to say so.
    """

    number: int = 0
    cap: Optional[int] = None
    next_try: Optional[datetime] = None
    in_vain_since: Optional[datetime] = None


@dataclass(frozen=True)
class Start:
    """One start of a task: its id, what became of it as far as is known, and the answer's text."""

    id: str
    outcome: Outcome = Outcome.UNKNOWN
    detail: str = ""


@dataclass(frozen=True)
class Verdict:
    """What is done about a task, and why.

    ``error_class`` is that of its error while it is failed, ``start`` the start that was decided.
    ``unread_since``: for so long nobody had read the task before, so when it changed is not known.
    """

    action: Action = Action.NONE
    reason: Optional[Reason] = None
    error_class: Optional[ErrorClass] = None
    attempt: Attempt = Attempt()
    start: Optional[Start] = None
    unread_since: Optional[datetime] = None


@dataclass(frozen=True)
class DigestRow:
    """One task in a digest.

    ``starts`` and ``seconds_failed`` are since the last digest. ``still_since`` is when a task that
    is stalled was last seen to move.
    """

    task: Task
    starts: int = 0
    seconds_failed: float = 0.0
    still_since: Optional[datetime] = None

    def check(self) -> None:
        """Raise ValueError if it stood failed for longer than can be."""
        check_span(self.seconds_failed)


@dataclass(frozen=True)
class Digest:
    """All tasks at one moment: the rows shown, how many are left out, and what was not read.

    ``forecast`` is that of all tasks, also of those left out.
    """

    rows: Tuple[DigestRow, ...] = ()
    more: int = 0
    unread: str = ""
    forecast: Forecast = Forecast()

    def lean(self) -> Digest:
        """Return the digest without any text from outside."""
        rows = tuple(replace(row, task=row.task.lean()) for row in self.rows)
        return replace(
            self, rows=rows, unread=_left_out(self.unread), forecast=self.forecast.lean()
        )


@dataclass(frozen=True)
class Notice:
    """One thing to tell people, with the facts as they were when it was recorded.

    ``event_id`` is unique and stable: a copy of a notice carries the same one. ``task`` is
    ``None`` for notices about the watching itself. ``follows`` are the ids of the openings that
    this one ends, repeats or sums up: an end is told only if people heard of one. ``since`` is when
    what this is about began. ``count`` says how often: of a flapping task how many failures this
    stands for, of a reminder which one it is. ``detail`` is text for people. The task of a full
    copy that is done carries what was copied since then, and how fast on average (see
    ``FirstCopy.measured``).
    """

    kind: Kind
    at: datetime
    event_id: str
    task: Optional[Task] = None
    verdict: Verdict = Verdict()
    follows: Tuple[str, ...] = ()
    since: Optional[datetime] = None
    count: int = 0
    detail: str = ""
    digest: Digest = Digest()

    @property
    def level(self) -> Level:
        """How much the notice matters: more than its kind if SMS itself has paused a task."""
        halted = self.kind is Kind.PAUSED and self.task is not None and self.task.is_halted
        return Level.WARNING if halted else self.kind.level

    @property
    def tells_of(self) -> Tuple[str, ...]:
        """The ids of what people hear of by this notice, so that they hear of its end as well."""
        return () if self.kind.ends else self.follows or (self.event_id,)

    def knowing(self, starts: Mapping[str, Start]) -> Notice:
        """Return the notice with what became of its start; ``starts`` are by task id."""
        planned = self.verdict.start
        made = starts.get(self.task.id) if self.task else None
        if planned is None or made is None or made.id != planned.id:
            return self
        return replace(self, verdict=replace(self.verdict, start=made))

    def lean(self) -> Notice:
        """Return the notice without any text from outside; ids, kinds and figures stay."""
        start = self.verdict.start
        if start is not None:
            start = replace(start, detail=_left_out(start.detail))
        return replace(
            self,
            task=self.task.lean() if self.task else None,
            verdict=replace(self.verdict, start=start),
            detail=_left_out(self.detail),
            digest=self.digest.lean(),
        )


def _left_out(text: str) -> str:
    return "left out, for SMN refused the full text" if text else ""


@dataclass(frozen=True)
class Position:
    """A place in the journal: a day (``YYYYMMDD``) and an offset in bytes in its object."""

    day: str
    offset: int

    def event(self, number: int) -> str:
        """Return the name of the ``number``-th event that the entry at this place records."""
        return f"{self.day}-{self.offset}-{number}"


@dataclass(frozen=True)
class Message:
    """One message, in the forms that SMN delivers."""

    subject: str
    default: str
    email: str
    short: str
    web: str
    event_ids: Tuple[str, ...] = ()

    def with_texts(self, change: Callable[[str], str]) -> Message:
        """Return the message with each of its texts changed."""
        return replace(
            self,
            subject=change(self.subject),
            default=change(self.default),
            email=change(self.email),
            short=change(self.short),
            web=change(self.web),
        )
