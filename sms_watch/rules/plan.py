"""All tasks of a run: who is started, and what is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import List, Mapping, Optional, Sequence, Tuple

from sms_watch.model.notice import Action, Kind, Notice, Position, Reason
from sms_watch.model.policy import Policy
from sms_watch.model.task import Gone, Observation, Phase, Task, Unseen
from sms_watch.rules import digest
from sms_watch.rules.call import Call
from sms_watch.rules.decide import Decision, Reading, closing_id, decide, facts_of
from sms_watch.rules.record import Memory, TaskMemory, WatchMemory
from sms_watch.rules.reminders import Snooze, reminders_due

BLIND_AFTER_RUNS = 3
# A person is called after the last try, for one of these reasons.
CALLS = frozenset({Reason.BACKOFF, Reason.ATTEMPTS_SPENT, Reason.LONGEST_WAIT})


@dataclass(frozen=True)
class Wishes:
    """What people ask of one run by the timer's text."""

    test: bool = False
    digest: bool = False
    snooze: Optional[Snooze] = None


@dataclass(frozen=True)
class Plan:
    """What one run is to record, do and tell."""

    decisions: Tuple[Decision, ...]
    tasks: Mapping[str, TaskMemory] = field(default_factory=dict)
    watch: Optional[WatchMemory] = None
    notices: Tuple[Notice, ...] = ()

    @property
    def starts(self) -> Tuple[Decision, ...]:
        """The decisions to start a task."""
        return tuple(d for d in self.decisions if d.action is Action.START)

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to record."""
        return not (self.tasks or self.watch or self.notices)


def plan(
    observations: Sequence[Observation],
    memory: Memory,
    now: datetime,
    policy: Policy,
    position: Position,
    *,
    wishes: Wishes = Wishes(),
    memory_lost: bool = False,
) -> Plan:
    """Decide for all tasks of a run.

    ``position`` is where the plan will stand in the journal; event ids are made from it.
    ``memory_lost`` says that the journal has lost its snapshot.
    """
    decisions = decide_all(observations, memory.tasks, now, policy, position)
    decisions = _called_together(decisions, now, policy, position)
    decisions = [_snoozed(decision, wishes.snooze, now) for decision in decisions]
    decisions = _reminding(decisions, now, policy, position)
    place = f"{position.day}-{position.offset}"
    watch, notices = _watch_news(observations, memory.watch, now, policy, memory_lost, place)
    if wishes.test:
        notices.append(Notice(Kind.TEST, now, f"{place}-test"))
    if wishes.digest or digest.is_due(decisions, watch, now, policy):
        notices.append(digest.digest(decisions, watch, now, f"{place}-digest"))
        decisions = [_after_digest(decision, now) for decision in decisions]
        watch = replace(watch, digested=now)
    elif policy.digest and watch.digested is None:
        watch = replace(watch, digested=now)
    notices += [notice for decision in decisions for notice in decision.notices]
    records = {d.task_id: d.memory for d in decisions if d.memory is not None}
    tasks = {key: each for key, each in records.items() if each != memory.tasks.get(key)}
    changed = watch if watch != memory.watch else None
    return Plan(tuple(decisions), tasks, changed, tuple(notices))


def candidates(
    tasks: Sequence[Task], memory: Memory, now: datetime, policy: Policy
) -> Tuple[str, ...]:
    """Name the tasks from a list that would be started now: each is to be read by itself first."""
    read = [replace(task, listed=False) for task in tasks]
    decisions = decide_all(read, memory.tasks, now, policy, Position("", 0))
    return tuple(d.task_id for d in decisions if d.action is Action.START)


def confirm(
    task: Task, planned: TaskMemory, now: datetime, policy: Policy
) -> Tuple[TaskMemory, Tuple[Notice, ...]]:
    """Decide about a task that was read again after its start in the same run.

    ``planned`` is what was written down before the start. Told is that it runs again: what else
    there is to tell, the next run writes down first.
    """
    again = decide(Reading(task, now, policy, "again"), planned)
    notices = tuple(notice for notice in again.notices if notice.kind is Kind.RESUMED)
    record = again.memory or planned
    agent = replace(planned.agent, away=record.agent.away)
    return replace(record, agent=agent), notices


# All tasks


def decide_all(
    observations: Sequence[Observation],
    known: Mapping[str, TaskMemory],
    now: datetime,
    policy: Policy,
    position: Position,
) -> List[Decision]:
    """Decide about each task, and turn away those that have waited least where a run is full."""
    events = [position.event_id(place) for place in range(len(observations))]
    first = [
        _decide_one(seen, known, now, policy, event) for seen, event in zip(observations, events)
    ]
    waiting = sorted((d for d in first if d.action is Action.START), key=_waiting_since)
    turned_away = {decision.task_id for decision in waiting[policy.max_per_run :]}
    return [
        decide(Reading(d.task, now, policy, event), known.get(d.task_id), room=False)
        if d.task is not None and d.task_id in turned_away
        else d
        for d, event in zip(first, events)
    ]


def _waiting_since(decision: Decision) -> Tuple[datetime, str]:
    assert decision.memory is not None and decision.unsent is not None  # noqa: S101, PT018
    return decision.unsent.last or decision.memory.since, decision.task_id


def _decide_one(
    seen: Observation,
    known: Mapping[str, TaskMemory],
    now: datetime,
    policy: Policy,
    event: str,
) -> Decision:
    if isinstance(seen, Task):
        return decide(Reading(seen, now, policy, event), known.get(seen.id))
    if isinstance(seen, Gone):
        return _decide_gone(seen, known.get(seen.task_id), now, policy, event)
    reason = Reason.UNREADABLE if seen.reached else Reason.NOT_REACHED
    record = known.get(seen.task_id)
    return Decision(seen.task_id, Action.WAIT, reason, memory=record, detail=seen.detail)


def _decide_gone(
    seen: Gone, known: Optional[TaskMemory], now: datetime, policy: Policy, event: str
) -> Decision:
    was_gone = known is not None and known.phase is Phase.GONE
    record = known if was_gone else TaskMemory("", now, known.name if known else "")
    task = Task(seen.task_id, record.name if record else "", "")
    over = policy.discovers and known is not None and known.phase is Phase.FINISHED
    reading = Reading(task, now, policy, event)
    notices = () if was_gone or over else reading.tell(Kind.GONE, reason=Reason.GONE)
    return Decision(seen.task_id, Action.NONE, Reason.GONE, task, record, notices)


# The watching itself


def _watch_news(
    observations: Sequence[Observation],
    watch: WatchMemory,
    now: datetime,
    policy: Policy,
    memory_lost: bool,
    place: str,
) -> Tuple[WatchMemory, List[Notice]]:
    notices = []
    if memory_lost and not watch.loss_told:
        notices.append(Notice(Kind.MEMORY_LOST, now, f"{place}-{Kind.MEMORY_LOST}"))
    watch = replace(watch, loss_told=memory_lost)
    unseen = [seen for seen in observations if isinstance(seen, Unseen)]
    is_blind = bool(unseen) and len(unseen) == len(observations)
    if is_blind:
        if watch.blind_runs < BLIND_AFTER_RUNS:
            runs, since = watch.blind_runs + 1, watch.blind_since or now
            watch = replace(watch, blind_runs=runs, blind_since=since)
            if runs == BLIND_AFTER_RUNS:
                event = f"{place}-{Kind.BLIND}"
                told = Kind.BLIND in policy.notify_on
                watch = replace(watch, incident=event if told else "")
                detail = unseen[0].detail
                notices.append(Notice(Kind.BLIND, now, event, since=since, detail=detail))
    elif watch.blind_runs:
        if watch.incident:
            event = closing_id(watch.incident)
            notices.append(Notice(Kind.SEES_AGAIN, now, event, since=watch.blind_since))
        watch = replace(watch, blind_runs=0, blind_since=None, incident="")
    if not is_blind:
        late = tuple(sorted(seen.task_id for seen in unseen if not seen.reached))
        watch = replace(watch, unreached=late)
    return watch, [notice for notice in notices if notice.kind in policy.notify_on]


# What is said together, again, and regularly


def _snoozed(decision: Decision, wish: Optional[Snooze], now: datetime) -> Decision:
    if wish is None or wish.task_id != decision.task_id or decision.memory is None:
        return decision
    return replace(decision, memory=decision.memory.quiet(wish.span, now))


def _called_together(
    decisions: List[Decision], now: datetime, policy: Policy, position: Position
) -> List[Decision]:
    """Call a person for all tasks of an outage at once.

    Their last tries are minutes apart, because only so many are started in a run. When the wait
    after one of them is over, the others go along that have had theirs.
    """
    kinds = [(d.reason, notice.kind) for d in decisions for notice in d.notices]
    if not any(kind is Kind.NEEDS_PERSON and reason in CALLS for reason, kind in kinds):
        return decisions
    return [
        _called(d, Reading(d.task, now, policy, position.event_id(place))) if d.task else d
        for place, d in enumerate(decisions)
    ]


def _called(decision: Decision, reading: Reading) -> Decision:
    """Call about a task that has had its last try, or the last but one if it has no limit."""
    record, policy = decision.memory, reading.policy
    if record is None or decision.unsent is None or record.failure.call:
        return decision
    limit = policy.max_attempts - 1 if decision.cap is None else decision.cap
    if not record.starts.is_used_up(max(limit, 1), policy):
        return decision
    event = record.failure.event or reading.opening(Kind.NEEDS_PERSON)
    facts = {**facts_of(decision), "since": record.failure.since or record.since}
    failure = replace(record.failure, call=Call(reading.now), event=event)
    decision = replace(decision, memory=replace(record, failure=failure))
    told = reading.tell(Kind.NEEDS_PERSON, **facts)
    return replace(decision, notices=(*decision.notices, *told))


def _reminding(
    decisions: List[Decision], now: datetime, policy: Policy, position: Position
) -> List[Decision]:
    due = reminders_due(
        {d.task_id: d.memory for d in decisions if d.memory and d.task}, now, policy
    )
    return [
        _reminded(d, Reading(d.task, now, policy, position.event_id(place)))
        if d.task is not None and d.task_id in due
        else d
        for place, d in enumerate(decisions)
    ]


def _reminded(decision: Decision, reading: Reading) -> Decision:
    record = decision.memory
    assert record is not None and record.call is not None  # noqa: S101, PT018 - it is due
    call, still = record.call.again(reading.now), record.phase is Phase.MOVING
    since = record.movement.moved if still else record.failure.since or record.since
    facts = {**facts_of(decision), "since": since, "count": call.reminders}
    told = reading.tell(Kind.REMINDER, **facts)
    return replace(decision, memory=record.with_call(call), notices=(*decision.notices, *told))


def _after_digest(decision: Decision, now: datetime) -> Decision:
    if decision.memory is None or decision.task is None:
        return decision
    record = decision.memory.digested(now)
    new = replace(record.totals, starts=int(decision.action is Action.START))
    return replace(decision, memory=replace(record, totals=new))
