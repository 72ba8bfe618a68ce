"""What is remembered between runs, in parts that each change for one reason. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Mapping, Optional, Tuple

from sms_watch.model.notice import Notice
from sms_watch.model.task import PHASES, Phase
from sms_watch.rules.agent import Agent
from sms_watch.rules.call import Call
from sms_watch.rules.failure import Failure
from sms_watch.rules.movement import Movement
from sms_watch.rules.starts import Starts


@dataclass(frozen=True)
class Totals:
    """What is summed up from digest to digest: starts, and seconds in which it stood failed."""

    starts: int = 0
    lost: float = 0.0


@dataclass(frozen=True)
class TaskMemory:
    """What is remembered of one task. One that is gone has an empty ``state``.

    ``since`` is when this state, or another that means the same, was first read. There are no
    reminders until ``snoozed``.
    """

    state: str
    since: datetime
    name: str = ""
    starts: Starts = field(default_factory=Starts)
    failure: Failure = field(default_factory=Failure)
    agent: Agent = field(default_factory=Agent)
    movement: Movement = field(default_factory=Movement)
    snoozed: Optional[datetime] = None
    totals: Totals = field(default_factory=Totals)

    @property
    def phase(self) -> Phase:
        """What the remembered state means to the watchdog."""
        return PHASES.get(self.state, Phase.UNKNOWN) if self.state else Phase.GONE

    @property
    def call(self) -> Optional[Call]:
        """What stands open that only a person can end."""
        if self.phase in (Phase.FAILED, Phase.ROLLED_BACK):
            return self.failure.call
        return self.movement.call

    def with_call(self, call: Call) -> TaskMemory:
        """Put another call in the place of the open one."""
        if self.phase is Phase.MOVING:
            return replace(self, movement=replace(self.movement, call=call))
        return replace(self, failure=replace(self.failure, call=call))

    def quiet(self, span: timedelta, now: datetime) -> TaskMemory:
        """Send no reminders for a while; a wish that holds already changes nothing."""
        holds = self.snoozed is not None and self.snoozed > now
        return self if holds else replace(self, snoozed=now + span)

    def lost(self, now: datetime) -> float:
        """Return the seconds in which it stood failed since the last digest, up to now."""
        standing = self.phase is Phase.FAILED
        return self.totals.lost + ((now - self.since).total_seconds() if standing else 0)

    def digested(self, now: datetime) -> TaskMemory:
        """Begin the totals anew; what it has stood failed by now is taken off."""
        return replace(self, totals=Totals(0, self.totals.lost - self.lost(now)))


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
class Memory:
    """Everything that is remembered; the fold of the journal.

    ``lease`` is until when the run ``holder`` may be at work.
    """

    tasks: Mapping[str, TaskMemory] = field(default_factory=dict)
    outbox: Mapping[str, Notice] = field(default_factory=dict)
    watch: WatchMemory = field(default_factory=WatchMemory)
    lease: Optional[datetime] = None
    holder: str = ""
