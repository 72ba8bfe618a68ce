"""The rule book: what to do about a task, and what to tell of it. Pure.

Each part of a task's memory knows how it changes; what they mean together is decided here. To do
any of it is the business of ``run``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Dict, List, Mapping, Optional, Tuple

from sms_watch.model.notice import Action, Kind, Notice, Outcome, Reason
from sms_watch.model.policy import Policy
from sms_watch.model.task import ErrorClass, Phase, Task
from sms_watch.rules.call import Call
from sms_watch.rules.error_codes import Code, explain
from sms_watch.rules.failure import Failure
from sms_watch.rules.movement import Movement
from sms_watch.rules.record import TaskMemory
from sms_watch.rules.starts import HOPELESS, Starts, cap

HEALTHY_AFTER = timedelta(minutes=30)
# What rests in these phases is left alone; the kind is told when the phase is first read.
RESTING: Mapping[Phase, Tuple[Action, Reason, Optional[Kind]]] = {
    Phase.READY: (Action.WAIT, Reason.READY, None),
    Phase.BUSY: (Action.WAIT, Reason.BUSY, None),
    Phase.PAUSED: (Action.NONE, Reason.PAUSED, Kind.PAUSED),
    Phase.FINISHED: (Action.NONE, Reason.FINISHED, Kind.FINISHED),
    Phase.ROLLED_BACK: (Action.NONE, Reason.ROLLED_BACK, Kind.NEEDS_PERSON),
    Phase.UNKNOWN: (Action.NONE, Reason.UNKNOWN_STATE, Kind.UNKNOWN_STATE),
}
# A person's pause and the end of a task end its incident without a closing notice.
SETTLED = frozenset({Phase.PAUSED, Phase.FINISHED})


@dataclass(frozen=True)
class Reading:
    """A task as it was just read: when, under which policy, and the id of what it brings."""

    task: Task
    now: datetime
    policy: Policy
    event: str = ""

    def opening(self, kind: Kind) -> str:
        """Return the id of a notice that opens something; empty when it is not to be told."""
        return f"{self.event}-{kind}" if self.event and kind in self.policy.notify_on else ""

    def tell(self, kind: Kind, event: str = "", **facts: Any) -> Tuple[Notice, ...]:
        """Make a notice, unless nobody wants to hear of its kind."""
        if not self.event or kind not in self.policy.notify_on:
            return ()
        return (Notice(kind, self.now, event or f"{self.event}-{kind}", self.task, **facts),)


@dataclass(frozen=True)
class Decision:
    """The answer for one task.

    ``memory`` is what is to be remembered from now on (``None``: as before), ``unsent`` its starts
    had none been decided. ``attempt`` is the start that this speaks of: the one decided, the next
    one when waiting, the last one when there will be none. ``cap`` is the most there can be
    (``None``: without end), ``next_try`` the earliest moment of the next one after it.
    """

    task_id: str
    action: Action
    reason: Reason
    task: Optional[Task] = None
    memory: Optional[TaskMemory] = None
    notices: Tuple[Notice, ...] = ()
    unsent: Optional[Starts] = None
    error_class: Optional[ErrorClass] = None
    attempt: int = 0
    cap: Optional[int] = None
    next_try: Optional[datetime] = None
    detail: str = ""


def decide(reading: Reading, known: Optional[TaskMemory], room: bool = True) -> Decision:
    """Decide about a task; ``room`` tells whether this run may start one more."""
    if reading.task.phase is Phase.FAILED:
        return _decide_failed(reading, known, room)
    if reading.task.phase is Phase.MOVING:
        return _decide_moving(reading, known)
    return _decide_resting(reading, known)


def settle(decision: Decision, planned: TaskMemory, outcome: Outcome) -> TaskMemory:
    """Return what to remember of a task once the outcome of its start is known."""
    before = decision.unsent or planned.starts
    starts = planned.starts.settled(outcome, before)
    totals = planned.totals
    if outcome in (Outcome.SKIPPED, Outcome.REFUSED, Outcome.FAILED):
        totals = replace(totals, starts=totals.starts - 1)
    return replace(planned, starts=starts, totals=totals)


# At rest


def _decide_resting(reading: Reading, known: Optional[TaskMemory]) -> Decision:
    task, now = reading.task, reading.now
    action, reason, kind = RESTING[task.phase]
    record = replace(_taken_in(reading, known), movement=Movement())
    record = replace(record, failure=replace(record.failure, code=""))
    changed = known is None or known.phase is not task.phase
    if task.phase is Phase.UNKNOWN:
        changed = known is None or known.state != task.state
    event = reading.opening(kind) if kind else ""
    if task.phase in SETTLED:
        record = replace(record, failure=Failure(), agent=replace(record.agent, event=""))
    elif changed and kind is Kind.NEEDS_PERSON:
        record = replace(record, failure=Failure(event, call=Call(now)))
    # Of what was found by listing, only what happens from now on is news.
    is_news = known is not None or kind is Kind.NEEDS_PERSON or not reading.policy.discovers
    told = changed and is_news and kind is not None
    facts: Dict[str, Any] = {"action": action, "reason": reason, "since": record.since}
    notices = reading.tell(kind, **facts) if told and kind else ()
    return Decision(task.id, action, reason, task, record, notices)


# Moving


def _decide_moving(reading: Reading, known: Optional[TaskMemory]) -> Decision:
    task, now, policy = reading.task, reading.now, reading.policy
    record = _taken_in(reading, known)
    before = record.failure
    agent = replace(record.agent, away=False)
    agent, agent_news = agent.read(task.connected, now, reading.opening(Kind.DISCONNECTED))
    healthy = now - record.since >= HEALTHY_AFTER
    starts = record.starts.renewed() if healthy else record.starts
    failure, is_over = _proved(reading, before, starts, healthy)
    still_since = record.movement.moved
    movement, movement_news = record.movement.read(
        task, now, policy.stall, reading.opening(Kind.STALLED)
    )
    record = replace(record, starts=starts, failure=failure, agent=agent, movement=movement)
    facts = {"reason": Reason.MOVING}
    notices: Tuple[Notice, ...] = ()
    seen = replace(reading, task=replace(task, remaining=movement.remaining(task, now)))
    if is_over and before.event:
        since = before.since or (known.since if known and known.phase is Phase.FAILED else None)
        notices += seen.tell(
            Kind.RESUMED, closing_id(before.event), since=since, count=before.flaps, **facts
        )
    if agent_news:
        event = closing_id(known.agent.event) if known and known.agent.event else ""
        notices += seen.tell(agent_news, event, **facts)
    if movement_news:
        event = closing_id(known.movement.event) if known and known.movement.event else ""
        notices += seen.tell(movement_news, event, since=still_since, **facts)
    return Decision(task.id, Action.NONE, Reason.MOVING, seen.task, record, notices)


def _proved(
    reading: Reading, failure: Failure, starts: Starts, healthy: bool
) -> Tuple[Failure, bool]:
    """Return the failure of a task that runs, and whether it is over."""
    task = reading.task
    if failure.event and task.connected is False:
        # What its agent is not there to do, it does not do: the state will show it soon.
        failure = replace(failure, on_probation=True)
    # It was told as running once and broke again at the same place. To tell that again and again
    # through a long outage helps nobody: this time it has to move first. One that fails and comes
    # back all the time has to hold out for longer.
    unproved = failure.on_probation and not healthy and not task.progress.beyond(starts.mark)
    if unproved or failure.is_flapping(reading.now):
        return failure, False
    return failure.closed(), True


# Failed


def _decide_failed(reading: Reading, known: Optional[TaskMemory], room: bool) -> Decision:
    task, now, policy = reading.task, reading.now, reading.policy
    error = explain(task.code, task.type, policy.classes)
    limit = cap(error.error_class, policy)
    record, is_told = _failed(reading, known)
    reconnected = record.agent.away and task.connected is True
    starts = record.starts.reconnected() if reconnected else record.starts
    agent = replace(record.agent, away=task.connected is False)
    action, reason, due = _verdict(reading, replace(record, starts=starts), error, limit)
    if action is Action.START:
        action, reason = _start_or_not(task, starts, agent.away, reconnected, policy, room)
    calls = record.failure.call is None and _needs_person(starts, reason, limit, now, policy)
    agent, agent_news = agent.read(task.connected, now, reading.opening(Kind.DISCONNECTED))
    failure, totals = record.failure, record.totals
    event = (is_told and reading.opening(Kind.FAILED)) or ""
    event = event or (calls and reading.opening(Kind.NEEDS_PERSON)) or ""
    call = Call(now) if calls else failure.call
    failure = replace(failure, event=failure.event or event, call=call)
    sent = starts
    if action is Action.START:
        sent, totals = starts.sent(task.progress, now), replace(totals, starts=totals.starts + 1)
    record = replace(record, starts=sent, failure=failure, agent=agent, totals=totals)
    decision = Decision(
        task.id,
        action,
        reason,
        task,
        record,
        unsent=starts,
        error_class=error.error_class,
        attempt=starts.attempts + (0 if action is Action.NONE else 1),
        cap=limit,
        next_try=_next_try(action, starts, limit, due, now, policy),
    )
    facts = {**facts_of(decision), "since": failure.since or record.since, "count": failure.flaps}
    notices = reading.tell(Kind.FAILED, **facts) if is_told else ()
    notices += reading.tell(Kind.NEEDS_PERSON, **facts) if calls else ()
    if agent_news:
        closed = closing_id(known.agent.event) if known and known.agent.event else ""
        notices += reading.tell(agent_news, closed, **facts)
    return replace(decision, notices=notices)


def facts_of(decision: Decision) -> Mapping[str, Any]:
    """Return what every notice about a failed task says of it."""
    return {
        "error_class": decision.error_class,
        "action": decision.action,
        "reason": decision.reason,
        "attempt": decision.attempt,
        "cap": decision.cap,
        "next_try": decision.next_try,
    }


def _failed(reading: Reading, known: Optional[TaskMemory]) -> Tuple[TaskMemory, bool]:
    """Take in a failure, and say whether it is told.

    A start that got nowhere is the same failure going on: nobody needs a message for each. It is
    a new one when people have heard otherwise of the task in between, when the error is of
    another kind, or when the copy got further before it broke again.
    """
    task, now = reading.task, reading.now
    if known is None:
        record = TaskMemory(task.state, now, task.name, failure=Failure(code=task.code))
        return replace(record, failure=replace(record.failure, recent=(now,))), True
    failure, was_running = known.failure, known.phase is Phase.MOVING
    advanced = task.progress.beyond(known.starts.mark)
    changed = known.state != task.state
    # A run that had to prove itself first, and broke before it did, was never told.
    unproved = was_running and failure.on_probation and not advanced
    is_new = (changed and not unproved) or advanced or _is_another(reading, failure.code)
    begins = changed or is_new
    relapsed = failure.on_probation or (was_running and bool(known.starts.attempts))
    failure = replace(failure, code=task.code, on_probation=relapsed and not advanced)
    failure, is_told = failure.counted(is_new, now)
    starts = known.starts
    if advanced:
        starts = replace(starts.renewed(), mark=task.progress.furthest(starts.mark))
    record = replace(
        known,
        state=task.state,
        since=now if begins else known.since,
        name=task.name or known.name,
        starts=starts,
        failure=failure,
        movement=Movement(),
        totals=replace(known.totals, lost=known.lost(now)) if begins else known.totals,
    )
    return record, is_told


def _is_another(reading: Reading, code: str) -> bool:
    """Whether the error is another; one broken line shows itself in several codes."""
    task, classes = reading.task, reading.policy.classes
    now, before = (explain(each, task.type, classes) for each in (task.code, code))
    both_pass = now.error_class is before.error_class is ErrorClass.TRANSIENT
    return task.code != code and not both_pass


def _verdict(
    reading: Reading, record: TaskMemory, error: Code, limit: Optional[int]
) -> Tuple[Action, Reason, Optional[datetime]]:
    policy, now = reading.policy, reading.now
    if error.error_class in HOPELESS:
        return Action.NONE, Reason.NOT_MENDABLE, None
    if policy.max_attempts == 0:
        return Action.NONE, Reason.STARTS_OFF, None
    if limit is not None and record.starts.attempts >= limit:
        return Action.NONE, Reason.ATTEMPTS_SPENT, None
    due, reason = max(_gates(reading, record, error), default=(now, Reason.MENDABLE))
    if now < due:
        return Action.WAIT, reason, due
    return Action.START, Reason.MENDABLE, due


def _gates(reading: Reading, record: TaskMemory, error: Code) -> List[Tuple[datetime, Reason]]:
    """List the moments before which the task is not to be started, each with its reason."""
    policy, starts, gates = reading.policy, record.starts, []
    if starts.last is not None:
        gates.append((starts.last + starts.backoff(policy), Reason.BACKOFF))
    if policy.grace and error.auto_recovery:
        gates.append((record.since + policy.grace, Reason.GRACE))
    if reading.task.connected is False:
        last = max(record.since, starts.last or record.since)
        gates.append((last + policy.backoff_max, Reason.DISCONNECTED))
    return gates


def _start_or_not(
    task: Task, starts: Starts, away: bool, reconnected: bool, policy: Policy, room: bool
) -> Tuple[Action, Reason]:
    if task.listed:
        return Action.WAIT, Reason.NOT_REACHED
    if not room:
        return Action.WAIT, Reason.RUN_LIMIT
    if reconnected:
        return Action.START, Reason.RECONNECTED
    if away or starts.tries >= policy.max_attempts:
        return Action.START, Reason.LONGEST_WAIT
    return Action.START, Reason.MENDABLE


def _next_try(
    action: Action,
    starts: Starts,
    limit: Optional[int],
    due: Optional[datetime],
    now: datetime,
    policy: Policy,
) -> Optional[datetime]:
    """Return the earliest moment of the next start, after the one decided if there is one."""
    if action is Action.START:
        last = limit is not None and starts.attempts + 1 >= limit
        return None if last else now + replace(starts, tries=starts.tries + 1).backoff(policy)
    return due if due and now < due else None


def _needs_person(
    starts: Starts, reason: Reason, limit: Optional[int], now: datetime, policy: Policy
) -> bool:
    if reason in (Reason.NOT_MENDABLE, Reason.STARTS_OFF):
        return True
    if starts.last is None or not starts.is_used_up(limit, policy):
        return False
    # The last start gets the shortest wait to show an effect before a person is called.
    return now >= starts.last + policy.backoff


def _taken_in(reading: Reading, known: Optional[TaskMemory]) -> TaskMemory:
    """Return the record of a task that is not failed, with its state and the time it lost."""
    task, now = reading.task, reading.now
    if known is None:
        return TaskMemory(task.state, now, task.name)
    return replace(
        known,
        state=task.state,
        since=known.since if known.phase is task.phase else now,
        name=task.name or known.name,
        totals=replace(known.totals, lost=known.lost(now)),
    )


def closing_id(opening_id: str) -> str:
    """Name the event that closes another: the same whichever run is the first to tell it."""
    return f"{opening_id}-end"
