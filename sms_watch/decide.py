"""The rule book: what to do about each task, and what to tell. Pure.

``decide`` answers for one task, ``plan`` for all tasks of a run. What they see is a task as it
was just read, what is remembered of it, the moment, and the policy; what they give is values. To
do any of it is the business of ``run``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from sms_watch.error_codes import explain
from sms_watch.model import (
    Action,
    ErrorClass,
    Gone,
    Kind,
    Memory,
    Notice,
    Observation,
    Outcome,
    Phase,
    Policy,
    Position,
    Reason,
    Task,
    TaskMemory,
    Unseen,
    WatchMemory,
)

HOPELESS = frozenset({ErrorClass.RECREATE, ErrorClass.HUMAN, ErrorClass.PRECHECK})
GUESSES = frozenset({ErrorClass.AMBIGUOUS, ErrorClass.UNKNOWN})
GUESS_ATTEMPTS = 2
HEALTHY_AFTER = timedelta(minutes=30)
BLIND_AFTER_RUNS = 3

# What rests in these phases is left alone; the kind is told when the phase is first read.
RESTING: Mapping[Phase, Tuple[Action, Reason, Optional[Kind]]] = {
    Phase.READY: (Action.WAIT, Reason.READY, None),
    Phase.BUSY: (Action.WAIT, Reason.BUSY, None),
    Phase.PAUSED: (Action.NONE, Reason.PAUSED, Kind.PAUSED),
    Phase.FINISHED: (Action.NONE, Reason.FINISHED, Kind.FINISHED),
    Phase.ROLLED_BACK: (Action.NONE, Reason.ROLLED_BACK, Kind.NEEDS_PERSON),
    Phase.UNKNOWN: (Action.NONE, Reason.UNKNOWN_STATE, Kind.UNKNOWN_STATE),
}
# A person's pause, the end and the loss of a task end its incident without a closing notice.
SETTLED = frozenset({Phase.PAUSED, Phase.FINISHED, Phase.GONE})
OPENINGS = (Kind.FAILED, Kind.NEEDS_PERSON)


@dataclass(frozen=True)
class Decision:
    """The answer for one task.

    ``memory`` is what is to be remembered from now on (``None``: as before), ``unstarted`` the
    same had no start been decided. ``attempt`` is the start that this speaks of: the one decided,
    the next one when waiting, the last one when there will be none. ``cap`` is the most there
    can be (``None``: without end), ``next_try`` the earliest moment of the next one after what
    is decided.
    """

    task_id: str
    action: Action
    reason: Reason
    task: Optional[Task] = None
    memory: Optional[TaskMemory] = None
    unstarted: Optional[TaskMemory] = None
    news: Tuple[Kind, ...] = ()
    error_class: Optional[ErrorClass] = None
    attempt: int = 0
    cap: Optional[int] = None
    next_try: Optional[datetime] = None
    since: Optional[datetime] = None
    detail: str = ""


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


def decide(
    task: Task, memory: Optional[TaskMemory], now: datetime, policy: Policy, room: bool = True
) -> Decision:
    """Decide what to do about one task that was just read.

    ``room`` tells whether this run may start one more task.
    """
    if task.phase is Phase.FAILED:
        return _decide_failed(task, memory, now, policy, room)
    if task.phase is Phase.MOVING:
        return _decide_moving(task, memory, now, policy)
    return _decide_resting(task, memory, now, policy)


def plan(
    observations: Sequence[Observation],
    memory: Memory,
    now: datetime,
    policy: Policy,
    position: Position,
    *,
    test: bool = False,
    memory_lost: bool = False,
) -> Plan:
    """Decide for all tasks of a run, and name what is to be told.

    ``position`` is where the plan will stand in the journal; event ids are made from it. ``test``
    asks for a test notice, ``memory_lost`` says that the journal has lost its snapshot.
    """
    decisions = _decide_all(observations, memory, now, policy)
    watch, notices = _watch_news(observations, memory.watch, now, policy, memory_lost)
    if test:
        notices.append(Notice(Kind.TEST, now))
    for decision in decisions:
        notices += _task_notices(decision, now)
    named = _named(notices, memory, position)
    tasks = {
        d.task_id: _with_incident(d.memory, d, named)
        for d in decisions
        if d.memory is not None and d.memory != memory.tasks.get(d.task_id)
    }
    watch = _with_watch_incident(watch, named)
    return Plan(decisions, tasks, watch if watch != memory.watch else None, named)


def candidates(
    tasks: Sequence[Task], memory: Memory, now: datetime, policy: Policy
) -> Tuple[str, ...]:
    """Name the tasks from a list that would be started now: each is to be read by itself first."""
    read = [replace(task, listed=False) for task in tasks]
    decisions = _decide_all(read, memory, now, policy)
    return tuple(d.task_id for d in decisions if d.action is Action.START)


def settle(decision: Decision, planned: TaskMemory, outcome: Outcome) -> TaskMemory:
    """Give what to remember of a task once the outcome of its start is known.

    A start that was refused or never reached the service spends no attempt, but the backoff
    holds; one that was not sent at all leaves no trace.
    """
    before = decision.unstarted or planned
    if outcome is Outcome.SKIPPED:
        return replace(
            planned,
            attempts=before.attempts,
            tries=before.tries,
            last_start=before.last_start,
            mark=before.mark,
            outcome=before.outcome,
        )
    if outcome in (Outcome.REFUSED, Outcome.FAILED):
        return replace(planned, attempts=before.attempts, outcome=outcome)
    return replace(planned, outcome=outcome)


def confirm(
    task: Task, planned: TaskMemory, now: datetime, policy: Policy
) -> Tuple[Decision, Tuple[Notice, ...]]:
    """Decide about a task that was read again after its start in the same run.

    ``planned`` is what was written down before the start. The notices carry their event ids.
    """
    again = decide(task, planned, now, policy)
    return again, tuple(
        replace(notice, event_id=closing_id(planned.incident))
        for notice in _task_notices(again, now)
    )


# One task


def _decide_resting(
    task: Task, memory: Optional[TaskMemory], now: datetime, policy: Policy
) -> Decision:
    action, reason, kind = RESTING[task.phase]
    record = _record(task, memory, now)
    changed = memory is None or memory.phase is not task.phase
    if task.phase is Phase.UNKNOWN:
        changed = memory is None or memory.state != task.state
    if task.phase in SETTLED or (changed and kind is Kind.NEEDS_PERSON):
        asked = kind is Kind.NEEDS_PERSON
        record = replace(record, incident="", asked=asked, relapsed=False)
    # Of what was found by listing, only what happens from now on is news.
    known = memory is not None or kind is Kind.NEEDS_PERSON or not policy.discovers
    news = (kind,) if kind and changed and known else ()
    return Decision(
        task.id, action, reason, task, record, news=_wanted(news, policy), since=record.since
    )


def _decide_moving(
    task: Task, memory: Optional[TaskMemory], now: datetime, policy: Policy
) -> Decision:
    record = replace(_record(task, memory, now), away=False)
    healthy = now - record.since >= HEALTHY_AFTER
    if healthy:
        # Written down when it is seen, for nobody knows afterwards what a blind hour was like.
        record = replace(record, attempts=0, tries=0)
    if record.relapsed and not healthy and not task.progress.beyond(record.mark):
        # It was told as running once and broke again at the same place. To tell that again and
        # again through a long outage helps nobody: this time it has to move first.
        record = replace(record, code=memory.code if memory else "")
        return Decision(task.id, Action.NONE, Reason.MOVING, task, record)
    told = memory is not None and bool(memory.incident)
    return Decision(
        task.id,
        Action.NONE,
        Reason.MOVING,
        task,
        replace(record, incident="", asked=False, relapsed=False),
        news=_wanted((Kind.RESUMED,), policy) if told else (),
        since=memory.since if memory and memory.phase is Phase.FAILED else None,
    )


def _decide_failed(
    task: Task, memory: Optional[TaskMemory], now: datetime, policy: Policy, room: bool
) -> Decision:
    error = explain(task.code, task.type, policy.classes)
    cap = _cap(error.error_class, policy)
    record, is_new = _failure(task, memory, now, policy)
    reconnected = record.away and task.connected is True
    record = replace(
        record,
        away=task.connected is False,
        # The circumstances have changed, so the waits begin anew; two starts are never closer
        # than the shortest of them.
        tries=min(record.tries, 1) if reconnected else record.tries,
    )
    action, reason, due = _verdict(task, record, error.error_class, now, policy)
    if action is Action.START:
        action, reason = _start_or_not(task, record, reconnected, policy, room)
    asks = not record.asked and _needs_person(record, reason, cap, now, policy)
    unstarted = replace(record, asked=record.asked or asks)
    news = ((Kind.FAILED,) if is_new else ()) + ((Kind.NEEDS_PERSON,) if asks else ())
    return Decision(
        task.id,
        action,
        reason,
        task,
        _started(unstarted, task, now) if action is Action.START else unstarted,
        unstarted,
        _wanted(news, policy),
        error.error_class,
        record.attempts + (0 if action is Action.NONE else 1),
        cap,
        _next_try(action, record, cap, due, now, policy),
        record.since,
    )


def _record(task: Task, memory: Optional[TaskMemory], now: datetime) -> TaskMemory:
    if memory is None:
        return TaskMemory(task.state, now, task.name)
    same = memory.phase is task.phase
    return replace(
        memory,
        state=task.state,
        since=memory.since if same else now,
        name=task.name or memory.name,
        code="",
    )


def _failure(
    task: Task, memory: Optional[TaskMemory], now: datetime, policy: Policy
) -> Tuple[TaskMemory, bool]:
    """Give the record of a failed task and whether this is a failure not seen before.

    A start that got nowhere is the same failure going on: nobody needs a message for each. It is
    a new one when people have heard otherwise of the task in between, when the error is of
    another kind, or when the copy got further before it broke again.
    """
    if memory is None:
        return TaskMemory(task.state, now, task.name, task.code), True
    was_running = memory.phase is Phase.MOVING
    advanced = task.progress.beyond(memory.mark)
    changed = memory.state != task.state
    # A run that had to prove itself first, and broke before it did, was never told.
    unproven = was_running and memory.relapsed and not advanced
    is_new = (changed and not unproven) or advanced or _is_another(task, memory, policy)
    record = replace(
        memory,
        state=task.state,
        since=now if changed or is_new else memory.since,
        name=task.name or memory.name,
        code=task.code,
        relapsed=(memory.relapsed or (was_running and bool(memory.attempts))) and not advanced,
    )
    if is_new:
        record = replace(record, incident="", asked=False)
    if advanced:
        mark = task.progress.furthest(memory.mark)
        record = replace(record, attempts=0, tries=0, mark=mark)
    return record, is_new


def _is_another(task: Task, memory: TaskMemory, policy: Policy) -> bool:
    """Tell whether the error is another; one broken line shows itself in several codes."""
    now, before = (explain(code, task.type, policy.classes) for code in (task.code, memory.code))
    both_pass = now.error_class is before.error_class is ErrorClass.TRANSIENT
    return task.code != memory.code and not both_pass


def _cap(error_class: ErrorClass, policy: Policy) -> Optional[int]:
    if error_class in HOPELESS:
        return 0
    if error_class in GUESSES:
        return min(GUESS_ATTEMPTS, policy.max_attempts)
    if error_class is ErrorClass.TRANSIENT and policy.max_attempts:
        return None
    return policy.max_attempts


def _verdict(
    task: Task, record: TaskMemory, error_class: ErrorClass, now: datetime, policy: Policy
) -> Tuple[Action, Reason, Optional[datetime]]:
    cap = _cap(error_class, policy)
    if error_class in HOPELESS:
        return Action.NONE, Reason.NOT_MENDABLE, None
    if policy.max_attempts == 0:
        return Action.NONE, Reason.STARTS_OFF, None
    if cap is not None and record.attempts >= cap:
        return Action.NONE, Reason.ATTEMPTS_SPENT, None
    due, reason = max(_gates(task, record, policy), default=(now, Reason.MENDABLE))
    if now < due:
        return Action.WAIT, reason, due
    return Action.START, Reason.MENDABLE, due


def _gates(task: Task, record: TaskMemory, policy: Policy) -> List[Tuple[datetime, Reason]]:
    """List the moments before which the task is not to be started, each with its reason."""
    gates = []
    if record.last_start is not None:
        gates.append((record.last_start + _wait(record.tries, policy), Reason.BACKOFF))
    if policy.grace and explain(task.code, task.type, policy.classes).auto_recovery:
        gates.append((record.since + policy.grace, Reason.GRACE))
    if task.connected is False:
        last = max(record.since, record.last_start or record.since)
        gates.append((last + policy.backoff_max, Reason.DISCONNECTED))
    return gates


def _wait(tries: int, policy: Policy) -> timedelta:
    """Give the wait after the ``tries``-th start in a row: doubling, up to the longest."""
    if tries == 0:
        return timedelta(0)
    if tries >= policy.max_attempts:
        return policy.backoff_max
    return min(policy.backoff * (1 << (tries - 1)), policy.backoff_max)


def _next_try(
    action: Action,
    record: TaskMemory,
    cap: Optional[int],
    due: Optional[datetime],
    now: datetime,
    policy: Policy,
) -> Optional[datetime]:
    """Give the earliest moment of the next start, after the one decided if there is one."""
    if action is Action.START:
        last = cap is not None and record.attempts + 1 >= cap
        return None if last else now + _wait(record.tries + 1, policy)
    return due if due and now < due else None


def _start_or_not(
    task: Task, record: TaskMemory, reconnected: bool, policy: Policy, room: bool
) -> Tuple[Action, Reason]:
    if task.listed:
        return Action.WAIT, Reason.NOT_REACHED
    if not room:
        return Action.WAIT, Reason.RUN_LIMIT
    if reconnected:
        return Action.START, Reason.RECONNECTED
    if record.away or record.tries >= policy.max_attempts:
        return Action.START, Reason.LONGEST_WAIT
    return Action.START, Reason.MENDABLE


def _started(record: TaskMemory, task: Task, now: datetime) -> TaskMemory:
    return replace(
        record,
        attempts=record.attempts + 1,
        tries=record.tries + 1,
        last_start=now,
        mark=task.progress.furthest(record.mark),
        outcome=Outcome.UNKNOWN,
    )


def _needs_person(
    record: TaskMemory, reason: Reason, cap: Optional[int], now: datetime, policy: Policy
) -> bool:
    if reason in (Reason.NOT_MENDABLE, Reason.STARTS_OFF):
        return True
    limit = policy.max_attempts if cap is None else cap
    if record.last_start is None or max(record.attempts, record.tries) < limit:
        return False
    # The last start gets the shortest wait to show an effect before a person is called.
    return now >= record.last_start + policy.backoff


def _wanted(news: Tuple[Kind, ...], policy: Policy) -> Tuple[Kind, ...]:
    return tuple(kind for kind in news if kind in policy.notify_on)


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
    news = () if known or over else _wanted((Kind.GONE,), policy)
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
            since=decision.since,
        )
        for kind in decision.news
    ]


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
        if notice.kind is Kind.RESUMED and notice.task is not None:
            event_id = closing_id(memory.tasks[notice.task.id].incident)
        elif notice.kind is Kind.SEES_AGAIN:
            event_id = closing_id(memory.watch.incident)
        named.append(replace(notice, event_id=event_id))
    return tuple(named)


def closing_id(opening_id: str) -> str:
    """Name the event that closes another: the same whichever run is the first to tell it."""
    return f"{opening_id}-end"


def _with_incident(record: TaskMemory, decision: Decision, named: Sequence[Notice]) -> TaskMemory:
    if record.incident or not any(kind in OPENINGS for kind in decision.news):
        return record
    ids: Dict[Kind, str] = {
        notice.kind: notice.event_id
        for notice in named
        if notice.task is not None and notice.task.id == decision.task_id
    }
    return replace(record, incident=next(ids[kind] for kind in OPENINGS if kind in ids))


def _with_watch_incident(watch: WatchMemory, named: Sequence[Notice]) -> WatchMemory:
    for notice in named:
        if notice.kind is Kind.BLIND:
            return replace(watch, incident=notice.event_id)
    return watch
