"""The rule book: what to do about a task, and what to tell of it. Pure.

``decide`` sees a task as it was just read, what is remembered of it, the moment, and the policy;
what it gives is a value. ``plan`` puts the answers for all tasks of a run together; to do any of
it is the business of ``run``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import List, Mapping, Optional, Tuple

from sms_watch.error_codes import Code, explain
from sms_watch.model import (
    Action,
    ErrorClass,
    Kind,
    Outcome,
    Phase,
    Policy,
    Reason,
    Task,
    TaskMemory,
)
from sms_watch.movement import follow, forget, moves, remaining, stands_still
from sms_watch.remind import lost, opened

HOPELESS = frozenset({ErrorClass.RECREATE, ErrorClass.HUMAN, ErrorClass.PRECHECK})
GUESSES = frozenset({ErrorClass.AMBIGUOUS, ErrorClass.UNKNOWN})
GUESS_ATTEMPTS = 2
HEALTHY_AFTER = timedelta(minutes=30)
# More new failures than this within the span are told as one: the task is flapping. It has
# settled when the span passes without another.
FLAP_SPAN = timedelta(hours=1)
MOST_FAILURES = 4

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


@dataclass(frozen=True)
class Decision:
    """The answer for one task.

    ``memory`` is what is to be remembered from now on (``None``: as before), ``unstarted`` the
    same had no start been decided. ``attempt`` is the start that this speaks of: the one decided,
    the next one when waiting, the last one when there will be none. ``cap`` is the most there
    can be (``None``: without end), ``next_try`` the earliest moment of the next one after what
    is decided. ``since`` is when what is decided about, or what has ended, began, ``still_since``
    when the task was last seen to move, ``flaps`` how many failures a notice stands for,
    ``reminder`` which one is sent.
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
    still_since: Optional[datetime] = None
    flaps: int = 0
    reminder: int = 0
    detail: str = ""


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
            starts=before.starts,
            outcome=before.outcome,
        )
    if outcome in (Outcome.REFUSED, Outcome.FAILED):
        return replace(planned, attempts=before.attempts, starts=before.starts, outcome=outcome)
    return replace(planned, outcome=outcome)


def called(decision: Decision, now: datetime, policy: Policy) -> Decision:
    """Call a person about a task that has had its last try, without the wait after it.

    One that is tried without end may be a try behind the others: it says the same of both.
    """
    record, unstarted = decision.memory, decision.unstarted
    if record is None or unstarted is None or record.asked:
        return decision
    limit = policy.max_attempts - 1 if decision.cap is None else decision.cap
    if max(record.attempts, record.tries) < max(limit, 1):
        return decision
    return replace(
        decision,
        memory=replace(opened(record, now), asked=True),
        unstarted=replace(opened(unstarted, now), asked=True),
        news=(*decision.news, *wanted((Kind.NEEDS_PERSON,), policy)),
    )


# One task


def _decide_resting(
    task: Task, memory: Optional[TaskMemory], now: datetime, policy: Policy
) -> Decision:
    action, reason, kind = RESTING[task.phase]
    record = forget(_record(task, memory, now))
    changed = memory is None or memory.phase is not task.phase
    if task.phase is Phase.UNKNOWN:
        changed = memory is None or memory.state != task.state
    if task.phase in SETTLED or (changed and kind is Kind.NEEDS_PERSON):
        asked = kind is Kind.NEEDS_PERSON
        record = replace(record, incident="", asked=asked, relapsed=False, flaps=0, failures=())
        record = replace(record, parted="") if task.phase in SETTLED else record
        record = opened(record, now) if asked else replace(record, reminded_at=None)
    # Of what was found by listing, only what happens from now on is news.
    known = memory is not None or kind is Kind.NEEDS_PERSON or not policy.discovers
    news = (kind,) if kind and changed and known else ()
    return Decision(
        task.id, action, reason, task, record, news=wanted(news, policy), since=record.since
    )


def _decide_moving(
    task: Task, memory: Optional[TaskMemory], now: datetime, policy: Policy
) -> Decision:
    record = replace(_record(task, memory, now), away=False)
    before = memory or record
    record, news = _connection(task, record, now, policy)
    record, resumed = _resumed(task, record, before, now)
    still_since = record.moved
    told = Kind.STALLED in policy.notify_on
    if told and not record.stalled and stands_still(task, record, now, policy):
        record, news = opened(record, now), (*news, Kind.STALLED)
    elif record.stalled and moves(task, record):
        record = replace(follow(task, record, now, policy), stalled="", reminded_at=None)
        news = (*news, Kind.MOVING)
    else:
        record = follow(task, record, now, policy)
    flaps = before.flaps if resumed else 0
    # Where people hear that nothing moves, an advance of hours ago promises nothing.
    stalled = Kind.STALLED in news or bool(record.stalled)
    left = None if stalled else remaining(task, record.samples, now)
    return Decision(
        task.id,
        Action.NONE,
        Reason.MOVING,
        replace(task, remaining=left),
        record,
        news=wanted((*resumed, *news), policy),
        since=_failed_since(before) if resumed else None,
        still_since=still_since,
        flaps=flaps,
    )


def _resumed(
    task: Task, record: TaskMemory, before: TaskMemory, now: datetime
) -> Tuple[TaskMemory, Tuple[Kind, ...]]:
    """Give the record of a task that runs, and whether people hear that it runs again."""
    healthy = now - record.since >= HEALTHY_AFTER
    if healthy:
        # Written down when it is seen, for nobody knows afterwards what a blind hour was like.
        record = replace(record, attempts=0, tries=0)
    if record.incident and task.connected is False:
        # What its agent is not there to do, it does not do: the state will show it soon.
        record = replace(record, relapsed=True)
    # It was told as running once and broke again at the same place. To tell that again and again
    # through a long outage helps nobody: this time it has to move first. One that fails and comes
    # back all the time has to hold out for longer.
    unproved = record.relapsed and not healthy and not task.progress.beyond(record.mark)
    if unproved or _is_flapping(record, now):
        return replace(record, code=before.code), ()
    told = bool(record.incident)
    record = replace(
        record, incident="", asked=False, relapsed=False, flaps=0, reminded_at=_kept_open(record)
    )
    return record, (Kind.RESUMED,) if told else ()


def _kept_open(record: TaskMemory) -> Optional[datetime]:
    return record.reminded_at if record.stalled else None


def _is_flapping(record: TaskMemory, now: datetime) -> bool:
    return bool(record.flaps) and now - record.failures[-1] < FLAP_SPAN


def _connection(
    task: Task, record: TaskMemory, now: datetime, policy: Policy
) -> Tuple[TaskMemory, Tuple[Kind, ...]]:
    """Give the record, and what there is to tell of the agent; what is not known is ignored.

    An agent that comes and goes, as on a line that the copy fills, is told once an hour at most.
    """
    lately = record.parted_at is not None and now - record.parted_at < FLAP_SPAN
    if task.connected is False and not record.parted and not lately:
        told = Kind.DISCONNECTED in policy.notify_on
        return replace(record, parted_at=now) if told else record, (Kind.DISCONNECTED,)
    if task.connected and record.parted:
        return replace(record, parted=""), (Kind.CONNECTED,)
    return record, ()


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
    action, reason, due = _verdict(task, record, error, now, policy)
    if action is Action.START:
        action, reason = _start_or_not(task, record, reconnected, policy, room)
    asks = not record.asked and _needs_person(record, reason, cap, now, policy)
    record, connection = _connection(task, record, now, policy)
    unstarted = replace(opened(record, now), asked=True) if asks else record
    news = ((Kind.FAILED,) if is_new else ()) + ((Kind.NEEDS_PERSON,) if asks else ())
    return Decision(
        task.id,
        action,
        reason,
        task,
        _started(unstarted, task, now) if action is Action.START else unstarted,
        unstarted,
        wanted(news + connection, policy),
        error.error_class,
        record.attempts + (0 if action is Action.NONE else 1),
        cap,
        _next_try(action, record, cap, due, now, policy),
        _failed_since(record),
        flaps=record.flaps,
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
        lost=lost(memory, now),
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
        return TaskMemory(task.state, now, task.name, task.code, failures=(now,)), True
    was_running = memory.phase is Phase.MOVING
    advanced = task.progress.beyond(memory.mark)
    changed = memory.state != task.state
    # A run that had to prove itself first, and broke before it did, was never told.
    unproven = was_running and memory.relapsed and not advanced
    is_new = (changed and not unproven) or advanced or _is_another(task, memory, policy)
    begins = changed or is_new
    record = replace(
        forget(memory),
        state=task.state,
        since=now if begins else memory.since,
        lost=lost(memory, now) if begins else memory.lost,
        name=task.name or memory.name,
        code=task.code,
        relapsed=(memory.relapsed or (was_running and bool(memory.attempts))) and not advanced,
    )
    if advanced:
        mark = task.progress.furthest(memory.mark)
        record = replace(record, attempts=0, tries=0, mark=mark)
    return _flapped(record, is_new, now)


def _flapped(record: TaskMemory, is_new: bool, now: datetime) -> Tuple[TaskMemory, bool]:
    """Count a new failure, and say whether it is told: of a flapping task only the first is."""
    if record.flaps and not _is_flapping(record, now):
        record = replace(record, flaps=0)
        if not is_new:
            # It comes back no more. Nobody was told of the failure that it stays in.
            return record, True
    if not is_new:
        return record, False
    lately = tuple(moment for moment in record.failures if now - moment < FLAP_SPAN)
    record = replace(record, failures=(*lately[-MOST_FAILURES:], now))
    if record.flaps:
        return replace(record, flaps=record.flaps + 1), False
    flaps = len(record.failures) if len(record.failures) > MOST_FAILURES else 0
    return replace(record, incident="", asked=False, reminded_at=None, flaps=flaps), True


def _failed_since(record: TaskMemory) -> Optional[datetime]:
    """Tell since when a task has failed, its starts that got nowhere being one failure."""
    if record.failures:
        return record.failures[-1]
    return record.since if record.phase is Phase.FAILED else None


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
    task: Task, record: TaskMemory, error: Code, now: datetime, policy: Policy
) -> Tuple[Action, Reason, Optional[datetime]]:
    cap = _cap(error.error_class, policy)
    if error.error_class in HOPELESS:
        return Action.NONE, Reason.NOT_MENDABLE, None
    if policy.max_attempts == 0:
        return Action.NONE, Reason.STARTS_OFF, None
    if cap is not None and record.attempts >= cap:
        return Action.NONE, Reason.ATTEMPTS_SPENT, None
    due, reason = max(_gates(task, record, error, policy), default=(now, Reason.MENDABLE))
    if now < due:
        return Action.WAIT, reason, due
    return Action.START, Reason.MENDABLE, due


def _gates(
    task: Task, record: TaskMemory, error: Code, policy: Policy
) -> List[Tuple[datetime, Reason]]:
    """List the moments before which the task is not to be started, each with its reason."""
    gates = []
    if record.last_start is not None:
        gates.append((record.last_start + _wait(record.tries, policy), Reason.BACKOFF))
    if policy.grace and error.auto_recovery:
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
        starts=record.starts + 1,
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


def wanted(news: Tuple[Kind, ...], policy: Policy) -> Tuple[Kind, ...]:
    """Give of some news what people want to hear."""
    return tuple(kind for kind in news if kind in policy.notify_on)
