"""All tasks of a run: who is started, and what is told under which name. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from sms_watch.decide import Decision, called, decide, wanted
from sms_watch.model import (
    Action,
    Gone,
    Kind,
    Memory,
    Notice,
    Observation,
    Phase,
    Policy,
    Position,
    Reason,
    Task,
    TaskMemory,
    Unseen,
    WatchMemory,
)
from sms_watch.remind import (
    Snooze,
    digest_is_due,
    digested,
    due,
    reminded,
    snoozed,
    standings,
)

BLIND_AFTER_RUNS = 3
# What a notice opens is remembered by its event id, in this field; of two kinds the first counts.
OPENINGS: Mapping[Kind, str] = {
    Kind.FAILED: "incident",
    Kind.NEEDS_PERSON: "incident",
    Kind.STALLED: "stalled",
    Kind.DISCONNECTED: "parted",
}
# What closes it has the same id, marked.
CLOSINGS: Mapping[Kind, str] = {
    Kind.RESUMED: "incident",
    Kind.MOVING: "stalled",
    Kind.CONNECTED: "parted",
}
# A person is called after the last try, for one of these reasons.
CALLS = frozenset({Reason.BACKOFF, Reason.ATTEMPTS_SPENT, Reason.LONGEST_WAIT})
# Notices that say how long a task has not moved.
OF_MOVEMENT = frozenset({Kind.STALLED, Kind.MOVING})


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
    """Decide for all tasks of a run, and name what is to be told.

    ``position`` is where the plan will stand in the journal; event ids are made from it.
    ``memory_lost`` says that the journal has lost its snapshot.
    """
    decisions = _decide_all(observations, memory, now, policy)
    decisions = _with_calls(decisions, now, policy)
    decisions = _with_snooze(decisions, memory, wishes.snooze, now)
    decisions = _with_reminders(decisions, now, policy)
    watch, notices = _watch_news(observations, memory.watch, now, policy, memory_lost)
    if wishes.test:
        notices.append(Notice(Kind.TEST, now))
    decisions, watch, digest = _with_digest(decisions, watch, wishes.digest, now, policy)
    notices += digest
    for decision in decisions:
        notices += _task_notices(decision, now)
    named = _named(notices, memory, position)
    ids = _ids_by_task(named)
    records = {
        d.task_id: _with_openings(d.memory, ids.get(d.task_id, {}))
        for d in decisions
        if d.memory is not None
    }
    tasks = {k: record for k, record in records.items() if record != memory.tasks.get(k)}
    watch = _with_watch_incident(watch, named)
    return Plan(decisions, tasks, watch if watch != memory.watch else None, named)


def candidates(
    tasks: Sequence[Task], memory: Memory, now: datetime, policy: Policy
) -> Tuple[str, ...]:
    """Name the tasks from a list that would be started now: each is to be read by itself first."""
    read = [replace(task, listed=False) for task in tasks]
    decisions = _decide_all(read, memory, now, policy)
    return tuple(d.task_id for d in decisions if d.action is Action.START)


def confirm(
    task: Task, planned: TaskMemory, now: datetime, policy: Policy
) -> Tuple[Decision, Tuple[Notice, ...]]:
    """Decide about a task that was read again after its start in the same run.

    ``planned`` is what was written down before the start. The notice is that it runs again, with
    its event id: what else there is to tell, the next run writes down first.
    """
    again = decide(task, planned, now, policy)
    record = replace(again.memory or planned, parted=planned.parted, parted_at=planned.parted_at)
    news = tuple(kind for kind in again.news if kind is Kind.RESUMED)
    again = replace(again, memory=record, news=news)
    return again, tuple(
        replace(notice, event_id=_closing_id(planned, notice.kind))
        for notice in _task_notices(again, now)
    )


# All tasks


def _decide_all(
    observations: Sequence[Observation], memory: Memory, now: datetime, policy: Policy
) -> Tuple[Decision, ...]:
    first = [_decide_one(seen, memory, now, policy) for seen in observations]
    starts = [d for d in first if d.action is Action.START]
    turned_away = _beyond_limit(starts, policy.max_per_run)
    return tuple(
        decide(d.task, memory.tasks.get(d.task_id), now, policy, room=False)
        if d.task is not None and d.task_id in turned_away
        else d
        for d in first
    )


def _decide_one(seen: Observation, memory: Memory, now: datetime, policy: Policy) -> Decision:
    if isinstance(seen, Task):
        return decide(seen, memory.tasks.get(seen.id), now, policy)
    if isinstance(seen, Gone):
        return _decide_gone(seen, memory.tasks.get(seen.task_id), now, policy)
    reason = Reason.UNREADABLE if seen.reached else Reason.NOT_REACHED
    return Decision(seen.task_id, Action.WAIT, reason, detail=seen.detail)


def _decide_gone(
    seen: Gone, memory: Optional[TaskMemory], now: datetime, policy: Policy
) -> Decision:
    known = memory is not None and memory.phase is Phase.GONE
    record = memory if known else TaskMemory("", now, memory.name if memory else "")
    task = Task(seen.task_id, record.name if record else "", "")
    over = policy.discovers and memory is not None and memory.phase is Phase.FINISHED
    news = () if known or over else wanted((Kind.GONE,), policy)
    return Decision(seen.task_id, Action.NONE, Reason.GONE, task, record, news=news)


def _beyond_limit(starts: Sequence[Decision], limit: int) -> FrozenSet[str]:
    """Name the tasks that must wait for the next run: those that have waited least."""

    def waiting_since(decision: Decision) -> Tuple[datetime, str]:
        record = decision.unstarted
        assert record is not None  # noqa: S101 - a start always has one
        return record.last_start or record.since, decision.task_id

    return frozenset(d.task_id for d in sorted(starts, key=waiting_since)[limit:])


# Notices


def _task_notices(decision: Decision, now: datetime) -> List[Notice]:
    return [
        Notice(
            kind,
            now,
            task=decision.task,
            error_class=decision.error_class,
            action=decision.action,
            reason=decision.reason,
            attempt=decision.attempt,
            cap=decision.cap,
            next_try=decision.next_try,
            since=_since(decision, kind),
            count=decision.reminder if kind is Kind.REMINDER else decision.flaps,
        )
        for kind in decision.news
    ]


def _since(decision: Decision, kind: Kind) -> Optional[datetime]:
    moving = decision.task is not None and decision.task.phase is Phase.MOVING
    still = kind in OF_MOVEMENT or (kind is Kind.REMINDER and moving)
    return decision.still_since if still else decision.since


def _watch_news(
    observations: Sequence[Observation],
    watch: WatchMemory,
    now: datetime,
    policy: Policy,
    memory_lost: bool,
) -> Tuple[WatchMemory, List[Notice]]:
    notices = []
    if memory_lost and not watch.loss_told:
        notices.append(Notice(Kind.MEMORY_LOST, now))
    watch = replace(watch, loss_told=memory_lost)
    unseen = [seen for seen in observations if isinstance(seen, Unseen)]
    is_blind = bool(unseen) and len(unseen) == len(observations)
    if is_blind:
        if watch.blind_runs < BLIND_AFTER_RUNS:
            runs, since = watch.blind_runs + 1, watch.blind_since or now
            watch = replace(watch, blind_runs=runs, blind_since=since)
            if runs == BLIND_AFTER_RUNS:
                notices.append(Notice(Kind.BLIND, now, since=since, detail=unseen[0].detail))
    elif watch.blind_runs:
        if watch.incident:
            notices.append(Notice(Kind.SEES_AGAIN, now, since=watch.blind_since))
        watch = replace(watch, blind_runs=0, blind_since=None, incident="")
    if not is_blind:
        late = tuple(sorted(seen.task_id for seen in unseen if not seen.reached))
        watch = replace(watch, unreached=late)
    return watch, [notice for notice in notices if notice.kind in policy.notify_on]


def _named(notices: Sequence[Notice], memory: Memory, position: Position) -> Tuple[Notice, ...]:
    """Give every notice its event id; a closing notice has that of its opening, marked."""
    named = []
    for index, notice in enumerate(notices):
        event_id = position.event_id(index)
        if notice.kind in CLOSINGS and notice.task is not None:
            event_id = _closing_id(memory.tasks[notice.task.id], notice.kind)
        elif notice.kind is Kind.SEES_AGAIN:
            event_id = closing_id(memory.watch.incident)
        named.append(replace(notice, event_id=event_id))
    return tuple(named)


def _closing_id(record: TaskMemory, kind: Kind) -> str:
    opening: str = getattr(record, CLOSINGS[kind])
    return closing_id(opening)


def closing_id(opening_id: str) -> str:
    """Name the event that closes another: the same whichever run is the first to tell it."""
    return f"{opening_id}-end"


def _ids_by_task(named: Sequence[Notice]) -> Mapping[str, Mapping[Kind, str]]:
    ids: Dict[str, Dict[Kind, str]] = {}
    for notice in named:
        if notice.task is not None:
            ids.setdefault(notice.task.id, {})[notice.kind] = notice.event_id
    return ids


def _with_openings(record: TaskMemory, ids: Mapping[Kind, str]) -> TaskMemory:
    """Give the record with the ids of what is told of its task for the first time."""
    for kind, name in OPENINGS.items():
        if kind in ids and not getattr(record, name):
            opened: Dict[str, Any] = {name: ids[kind]}
            record = replace(record, **opened)
    return record


def _with_watch_incident(watch: WatchMemory, named: Sequence[Notice]) -> WatchMemory:
    for notice in named:
        if notice.kind is Kind.BLIND:
            return replace(watch, incident=notice.event_id)
    return watch


# What is said again, and regularly


def _with_calls(
    decisions: Tuple[Decision, ...], now: datetime, policy: Policy
) -> Tuple[Decision, ...]:
    """Call a person for all tasks of an outage at once.

    Their last tries are minutes apart, because only so many are started in a run. When the wait
    after one of them is over, the others go along that have had theirs.
    """
    if not any(Kind.NEEDS_PERSON in d.news and d.reason in CALLS for d in decisions):
        return decisions
    return tuple(called(d, now, policy) for d in decisions)


def _with_snooze(
    decisions: Tuple[Decision, ...], memory: Memory, wish: Optional[Snooze], now: datetime
) -> Tuple[Decision, ...]:
    if wish is None:
        return decisions
    return tuple(
        _snoozed(d, memory, wish, now) if d.task_id == wish.task_id else d for d in decisions
    )


def _snoozed(decision: Decision, memory: Memory, wish: Snooze, now: datetime) -> Decision:
    # The wish holds also where the task could not be read just now.
    record = decision.memory or memory.tasks.get(decision.task_id)
    return decision if record is None else replace(decision, memory=snoozed(record, wish, now))


def _with_reminders(
    decisions: Tuple[Decision, ...], now: datetime, policy: Policy
) -> Tuple[Decision, ...]:
    records = {
        d.task_id: d.memory for d in decisions if d.memory is not None and d.task is not None
    }
    names = due(records, now, policy)
    return tuple(_reminding(d, now) if d.task_id in names else d for d in decisions)


def _reminding(decision: Decision, now: datetime) -> Decision:
    assert decision.memory is not None  # noqa: S101 - a reminder is due by what is in it
    record = reminded(decision.memory, now)
    news = (*decision.news, Kind.REMINDER)
    return replace(decision, memory=record, news=news, reminder=record.reminded)


def _with_digest(
    decisions: Tuple[Decision, ...], watch: WatchMemory, asked: bool, now: datetime, policy: Policy
) -> Tuple[Tuple[Decision, ...], WatchMemory, List[Notice]]:
    """Give the digest, if one is asked for or due, and what is remembered after it."""
    # A digest of nothing helps nobody: the regular one waits until something can be read.
    sees = any(decision.task is not None for decision in decisions)
    if asked or (sees and digest_is_due(watch, now, policy)):
        after = tuple(_after_digest(decision, now) for decision in decisions)
        return after, replace(watch, digested=now), [_digest(decisions, watch, now)]
    if policy.digest and watch.digested is None:
        watch = replace(watch, digested=now)
    return decisions, watch, []


def _digest(decisions: Sequence[Decision], watch: WatchMemory, now: datetime) -> Notice:
    # What becomes of a start of this very run is for the next digest to tell.
    tasks = [
        (d.task, d.unstarted or d.memory)
        for d in decisions
        if d.task is not None and d.memory is not None and d.memory.phase is not Phase.GONE
    ]
    shown, more = standings(tasks, now)
    unread = [d for d in decisions if d.task is None]
    detail = f"{len(unread)} could not be read: {unread[0].detail}" if unread else ""
    return Notice(Kind.DIGEST, now, since=watch.digested, standings=shown, more=more, detail=detail)


def _after_digest(decision: Decision, now: datetime) -> Decision:
    if decision.memory is None or decision.task is None:
        return decision
    before = decision.unstarted or decision.memory
    new = decision.memory.starts - before.starts
    return replace(
        decision,
        memory=replace(digested(decision.memory, now), starts=new),
        unstarted=digested(before, now) if decision.unstarted else None,
    )
