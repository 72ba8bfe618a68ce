"""What is remembered between runs: a record for each task, in parts with one reason each. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import FrozenSet, Iterator, Mapping, Optional, Tuple

from sms_watch.model.notice import Kind, Notice, Outcome, check_id, kind_of
from sms_watch.model.task import BROKEN, PHASES, Phase, Task, check_span
from sms_watch.rules.agent import Agent
from sms_watch.rules.airtime import Airtime
from sms_watch.rules.call import Call
from sms_watch.rules.failure import Failure
from sms_watch.rules.movement import Movement
from sms_watch.rules.sight import Sight
from sms_watch.rules.starts import NOT_TAKEN, Starts


@dataclass(frozen=True)
class Totals:
    """What is summed up from digest to digest: starts, and seconds in which it stood failed."""

    starts: int = 0
    seconds_failed: float = 0.0

    def check(self) -> None:
        """Raise ValueError if it stood failed for longer than can be."""
        check_span(self.seconds_failed)


@dataclass(frozen=True)
class TaskRecord:
    """What is remembered of one task.

    ``since`` is when this state, or another that means the same, was first read. ``rest`` is what
    people were told of a state in which nothing happens: that it is not known, or that the task
    hangs in it. There are no reminders before ``snoozed_until``.
    """

    state: str
    since: datetime
    name: str = ""
    starts: Starts = Starts()
    failure: Failure = Failure()
    agent: Agent = Agent()
    movement: Movement = Movement()
    rest: Optional[Call] = None
    snoozed_until: Optional[datetime] = None
    totals: Totals = Totals()

    @property
    def phase(self) -> Phase:
        """What the remembered state means to the watchdog."""
        return PHASES.get(self.state, Phase.UNKNOWN)

    @property
    def failed_since(self) -> datetime:
        """When the open failure began, starts that got nowhere being one failure."""
        return self.failure.since or self.since

    @property
    def standing_since(self) -> datetime:
        """Since when nothing has become of the task."""
        if self.phase is Phase.MOVING:
            return self.movement.moved_at or self.since
        return self.failed_since if self.phase in BROKEN else self.since

    @property
    def call(self) -> Optional[Call]:
        """The open call that only a person can end."""
        if self.phase is Phase.MOVING:
            return self.movement.stall
        return self.failure.call or self.hang

    @property
    def was_started(self) -> bool:
        """Whether it was started since it failed, and that has not borne fruit yet.

        A start that was not taken is none, nor is one before a person reset the task.
        """
        failed_at, started_at = self.failure.since, self.starts.last_at
        started = failed_at is not None and started_at is not None and started_at >= failed_at
        is_taken = self.starts.outcome in (Outcome.DONE, Outcome.UNKNOWN)
        return started and is_taken and bool(self.failure.openings)

    @property
    def openings(self) -> Tuple[str, ...]:
        """The ids of all that is open about the task, as far as it was read."""
        calls = (each.event_id for each in (self.movement.stall, self.rest) if each)
        lost = (self.agent.event_id,) if self.agent.event_id else ()
        return (*self.failure.openings, *lost, *calls)

    @property
    def hang(self) -> Optional[Call]:
        """The call about a task that hangs."""
        return self.rest if self.rest and kind_of(self.rest.event_id) is Kind.HANGING else None

    @property
    def still_since(self) -> Optional[datetime]:
        """Since when a task does not move that people were told of as stalled or hanging."""
        if self.movement.stall:
            return self.movement.moved_at
        return self.since if self.hang and self.phase is not Phase.MOVING else None

    def read(self, task: Task, now: datetime, begins: bool) -> TaskRecord:
        """Take in the state that was just read; ``begins``: it counts from now on."""
        return replace(
            self,
            state=task.state,
            since=now if begins else self.since,
            name=task.name or self.name,
            totals=replace(self.totals, seconds_failed=self.seconds_failed(now))
            if begins
            else self.totals,
        )

    def reminded(self, call: Call) -> TaskRecord:
        """Put a repeated call in the place of the open one."""
        if self.phase is Phase.MOVING:
            return replace(self, movement=replace(self.movement, stall=call))
        if self.failure.call:
            return replace(self, failure=replace(self.failure, call=call))
        return replace(self, rest=call)

    def snoozed(self, span: timedelta, now: datetime) -> TaskRecord:
        """Send no reminders for a while; a snooze that holds already changes nothing."""
        return self if self.is_snoozed(now) else replace(self, snoozed_until=now + span)

    def is_snoozed(self, now: datetime) -> bool:
        """Return whether reminders are held back."""
        return self.snoozed_until is not None and now < self.snoozed_until

    def started(self, start_id: str, task: Task, now: datetime) -> TaskRecord:
        """Count a start before it is sent."""
        starts = self.starts.sent(start_id, task.progress, now)
        return replace(
            self, starts=starts, totals=replace(self.totals, starts=self.totals.starts + 1)
        )

    def settled(self, outcome: Outcome, before: TaskRecord) -> TaskRecord:
        """Take in what became of the start that was counted; ``before`` is without it."""
        starts = self.starts.settled(outcome, before.starts)
        totals = before.totals if outcome in NOT_TAKEN else self.totals
        return replace(self, starts=starts, totals=totals)

    def uncounted(self) -> TaskRecord:
        """Return the record with one start fewer, as far as its counts go."""
        starts, totals = self.starts, self.totals
        return replace(
            self,
            starts=replace(starts, attempts=starts.attempts - 1, tries=starts.tries - 1),
            totals=replace(totals, starts=totals.starts - 1),
        )

    def seconds_failed(self, now: datetime) -> float:
        """Return the seconds in which it stood failed since the last digest, up to now."""
        failed = self.phase in BROKEN
        return self.totals.seconds_failed + ((now - self.since).total_seconds() if failed else 0)

    def digested(self, now: datetime) -> TaskRecord:
        """Begin the totals anew; what it has stood failed by now is taken off."""
        counted = self.totals.seconds_failed - self.seconds_failed(now)
        return replace(self, totals=Totals(0, counted))


@dataclass(frozen=True)
class WatchRecord:
    """What is remembered of the watching itself.

    ``blind_runs`` counts runs in a row that could read nothing, up to the one that is told;
    ``blind_since`` is the first of them, ``event_id`` the id of its notice. ``loss_told``: the loss
    of the memory was recorded. ``unread`` are the tasks that the last run did not read, by id; they
    come first. ``absent`` are those that were not there. ``short_lists`` counts the runs in a row
    whose list had fewer rows than it counts. ``unlisted`` is since when a list is of no use: the
    keys may not have it, or it takes more than reads do. ``digested_at`` is the moment of the last
    digest, or from which the first one is counted. ``airtime`` is what was said lately, by task id.
    """

    blind_runs: int = 0
    blind_since: Optional[datetime] = None
    event_id: str = ""
    loss_told: bool = False
    unread: Mapping[str, Sight] = field(default_factory=dict)
    absent: Mapping[str, Sight] = field(default_factory=dict)
    short_lists: int = 0
    unlisted: Optional[datetime] = None
    digested_at: Optional[datetime] = None
    airtime: Mapping[str, Airtime] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ValueError if its id is that of no event."""
        if self.event_id:
            check_id(self.event_id)

    @property
    def openings(self) -> Tuple[str, ...]:
        """The ids of all that is open about the watching, and about tasks that were not seen."""
        sights = (*self.unread.values(), *self.absent.values())
        return tuple(filter(None, (self.event_id, *(sight.event_id for sight in sights))))

    def openings_of(self, task_id: str) -> Tuple[str, ...]:
        """Return the ids of what is open about one task that was not seen."""
        sights = (sights.get(task_id) for sights in (self.unread, self.absent))
        return tuple(sight.event_id for sight in sights if sight and sight.event_id)


@dataclass(frozen=True)
class Lease:
    """Until when the run ``holder`` may be at work."""

    until: datetime
    holder: str


@dataclass(frozen=True)
class Memory:
    """Everything that is remembered; the fold of the journal.

    ``outbox`` is what is owed, by its id. ``told`` are the ids of what is open, and was owed or
    told: whether people hear of its end depends on that, and not on what the settings are by then.
    """

    tasks: Mapping[str, TaskRecord] = field(default_factory=dict)
    outbox: Mapping[str, Notice] = field(default_factory=dict)
    watch: WatchRecord = WatchRecord()
    lease: Optional[Lease] = None
    told: FrozenSet[str] = frozenset()

    @property
    def openings(self) -> Iterator[str]:
        """The ids of all that is open."""
        yield from self.watch.openings
        for record in self.tasks.values():
            yield from record.openings

    def settled(self) -> Memory:
        """Return the memory without what is not open any more."""
        return replace(self, told=self.told.intersection(self.openings)) if self.told else self
