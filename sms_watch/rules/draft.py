"""What all decisions of a run share, and a plan from its draft to its end. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import (
    Iterable,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from sms_watch.model.notice import (
    Kind,
    Notice,
    Position,
    event_id,
)
from sms_watch.model.policy import Policy
from sms_watch.model.task import Observation, Task
from sms_watch.rules.decision import Decision, Reading
from sms_watch.rules.record import Memory, TaskRecord, WatchRecord
from sms_watch.rules.reminders import Snooze
from sms_watch.rules.telling import wanted, within_airtime


@dataclass(frozen=True)
class Commands:
    """What people ask of one run by the timer's text."""

    test: bool = False
    digest: bool = False
    snooze: Optional[Snooze] = None


@dataclass(frozen=True)
class Situation:
    """What all decisions of a run share.

    ``position`` is where the plan will stand in the journal; event ids are made from it.
    ``discovers``: the tasks were found by listing. ``memory_lost``: the journal has lost its
    snapshot. ``short_list``: the list of tasks has fewer rows than it counts. ``unlisted``: since
    when a list is of no use.
    """

    now: datetime
    policy: Policy
    position: Position
    discovers: bool = False
    commands: Commands = Commands()
    memory_lost: bool = False
    short_list: bool = False
    unlisted: Optional[datetime] = None

    def reading(self, task: Task, event: str) -> Reading:
        """Return the reading of a task in this run."""
        return Reading(task, self.now, self.policy, event, self.discovers)


@dataclass(frozen=True)
class Plan:
    """What one run is to record, do and tell.

    ``tasks`` are the records that change, with the starts counted, ``watch`` that of the watching
    itself if it changes.
    """

    decisions: Tuple[Decision, ...]
    tasks: Mapping[str, TaskRecord] = field(default_factory=dict)
    watch: Optional[WatchRecord] = None
    notices: Tuple[Notice, ...] = ()

    @property
    def starts(self) -> Tuple[Decision, ...]:
        """The decisions to start a task."""
        return tuple(decision for decision in self.decisions if decision.is_start)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to record."""
        return not (self.tasks or self.watch or self.notices)


@dataclass(frozen=True)
class Draft:
    """A plan in the making.

    ``notices`` are about the watching itself; those about a task are in its decision. ``answers``
    are what somebody asked for, and are told whatever the settings say.
    """

    situation: Situation
    observations: Sequence[Observation]
    memory: Memory
    watch: WatchRecord
    decisions: Tuple[Decision, ...] = ()
    notices: Tuple[Notice, ...] = ()
    answers: Tuple[Notice, ...] = ()

    def deciding(self, decisions: Iterable[Decision]) -> Draft:
        """Put other decisions in the place of these."""
        return replace(self, decisions=tuple(decisions))

    def event_id(self, kind: Kind) -> str:
        """Return the id of a notice about the watching itself, numbered after the tasks."""
        return event_id(self.situation.position.event(len(self.observations)), kind)

    def plan(self) -> Plan:
        """Return the plan; this alone looks at who wants to hear what, and how much."""
        now, known = self.situation.now, self.memory.tasks
        planned = ((each.task_id, each.planned(now)) for each in self.decisions)
        changed = {
            key: record
            for key, record in planned
            if record is not None and record != known.get(key)
        }
        about_tasks = [notice for each in self.decisions for notice in each.notices]
        notify_on = self.situation.policy.notify_on
        heard = wanted([*self.notices, *about_tasks], notify_on, self.memory.told)
        told, airtime = within_airtime(heard, self.decisions, self.watch, notify_on, now)
        watch = replace(self.watch, airtime=airtime)
        return Plan(
            self.decisions,
            changed,
            watch if watch != self.memory.watch else None,
            (*self.answers, *told),
        )
