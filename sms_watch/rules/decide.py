"""The rule book: what to do about a task, and what to tell of it. Pure.

Each part of a task's record knows how it changes; what they mean together is decided here, and
nowhere else. To do any of it is the business of ``run``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, List, Mapping, Optional, Tuple

from sms_watch.model.notice import (
    Action,
    Attempt,
    Kind,
    Notice,
    Outcome,
    Reason,
    Start,
    Verdict,
)
from sms_watch.model.task import ErrorClass, Phase, Task, TaskState
from sms_watch.rules import hang
from sms_watch.rules.decision import Decision, Reading
from sms_watch.rules.error_codes import Code, explain
from sms_watch.rules.failure import Failure
from sms_watch.rules.record import TaskRecord
from sms_watch.rules.starts import MOST_SKIPS, NEVER_RESTARTED, Starts, cap

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
# A pause and the end of a task end its failure without a closing notice.
SETTLED = frozenset({Phase.PAUSED, Phase.FINISHED})


def decide(reading: Reading, known: Optional[TaskRecord]) -> Decision:
    """Decide about a task; ``known`` is what is remembered of it."""
    phase = reading.task.phase
    if phase is Phase.FAILED:
        decision = _decide_failed(reading, known)
    elif phase is Phase.MOVING:
        decision = _decide_moving(reading, known)
    else:
        decision = _decide_resting(reading, known)
    copied = _noting_copy(decision, reading, known)
    return hang.note(copied, reading, known)


def apply_outcome(decision: Decision, planned: TaskRecord, outcome: Outcome) -> TaskRecord:
    """Return what to remember of a task once the outcome of its start is known."""
    return planned.settled(outcome, decision.record or planned)


# At rest


def _decide_resting(reading: Reading, known: Optional[TaskRecord]) -> Decision:
    task, now = reading.task, reading.now
    action, reason, kind = RESTING[task.phase]
    changed = _has_come_to_rest(task, known)
    calls = task.is_halted or kind is Kind.NEEDS_PERSON
    before = _taken_in(reading, known)
    failure, agent = before.failure, before.agent
    if task.phase in SETTLED:
        failure, agent = Failure(), before.agent.closed()
    if calls and kind:
        called = Failure(code=task.error.code).called(reading.event, now, kind)
        failure = called if changed else before.failure
    record = replace(before, movement=before.movement.ended(), failure=failure, agent=agent)
    # Of what was found by listing, only what happens from now on is news.
    is_news = changed and (known is not None or calls or not reading.discovered)
    error = explain(task.error.code, task.type, reading.policy.classes)
    verdict = Verdict(action, reason, error.error_class if task.is_halted else None)
    notices = (reading.notice(kind, verdict, since=record.since),) if kind and is_news else ()
    return Decision(task.id, verdict, reading.event, task, record, notices)


def _has_come_to_rest(task: Task, known: Optional[TaskRecord]) -> bool:
    """Return whether a task rests since this very reading, or for another reason than before."""
    if known is None or known.phase is not task.phase:
        return True
    if task.phase is Phase.UNKNOWN:
        return known.state != task.state
    return task.is_halted and known.failure.code != task.error.code


# Its first full copy


def _noting_copy(decision: Decision, reading: Reading, known: Optional[TaskRecord]) -> Decision:
    """Remember the first full copy, and tell that it is done if it was seen under way."""
    record, task, now = decision.record, reading.task, reading.now
    assert record is not None  # noqa: S101 - of a task that was read there always is one
    before, movement = known.state if known else "", record.movement
    goes_on = known is not None and known.was_started
    copy, is_news = movement.first_copy.read(task, now, before, goes_on)
    if copy is movement.first_copy:
        return decision
    movement = replace(movement, first_copy=copy)
    noted = replace(decision, record=replace(record, movement=movement))
    if not is_news:
        return noted
    seen = replace(reading, task=copy.measured(task))
    return noted.telling(seen.notice(Kind.COPIED, decision.verdict, since=copy.begun_at))


# Moving


def _decide_moving(reading: Reading, known: Optional[TaskRecord]) -> Decision:
    task, now = reading.task, reading.now
    before = _taken_in(reading, known)
    healthy = now - before.since >= HEALTHY_AFTER
    starts = before.starts.renewed() if healthy else before.starts
    failure = _proved(reading, before.failure, starts, healthy)
    agent, agent_news = before.agent.running().read(task.connected, now, reading.event)
    turns = known is not None and known.phase is Phase.MOVING and known.state != task.state
    stall, event = reading.policy.stall, reading.event
    movement, movement_news = before.movement.read(task, now, stall, event, turns)
    record = replace(before, starts=starts, failure=failure, agent=agent, movement=movement)
    left = movement.remaining(task, now)
    seen = replace(reading, task=replace(task, transfer=replace(task.transfer, remaining=left)))
    verdict, notices = Verdict(reason=Reason.MOVING), []
    if known and before.failure.openings and not failure.openings:
        facts = {"since": _failed_since(known), "count": before.failure.flaps}
        notices.append(seen.closing(Kind.RESUMED, before.failure.openings, verdict, **facts))
    notices += _agent_notices(seen, agent_news, before, verdict)
    if movement_news is Kind.STALLED:
        notices.append(seen.notice(Kind.STALLED, verdict, since=before.movement.moved_at))
    elif movement_news and before.movement.stall:
        opened, since = before.movement.stall.event_id, before.movement.moved_at
        notices.append(seen.closing(Kind.MOVING, (opened,), verdict, since=since))
    return Decision(task.id, verdict, reading.event, seen.task, record, tuple(notices))


def _proved(reading: Reading, failure: Failure, starts: Starts, healthy: bool) -> Failure:
    """Return the failure of a task that runs: closed once it has proved that it does."""
    task = reading.task
    if failure.openings and task.connected is False:
        # What its agent is not there to do, it does not do: the state will show it soon.
        failure = failure.suspected()
    # It was told as running once and broke again at the same place. To tell that again and again
    # through a long outage helps nobody: this time it has to move first. One that fails and comes
    # back all the time has to hold out for longer.
    unproved = failure.on_probation and not healthy and not task.is_ahead_of(starts.furthest)
    if unproved or failure.is_flapping(reading.now):
        return failure
    return failure.closed()


def _failed_since(known: TaskRecord) -> Optional[datetime]:
    """Return when the failure began that has ended."""
    return known.failure.since or (known.since if known.phase is Phase.FAILED else None)


def _agent_notices(
    reading: Reading, news: Optional[Kind], before: TaskRecord, verdict: Verdict, **facts: Any
) -> List[Notice]:
    if news is Kind.CONNECTED:
        return [reading.closing(news, (before.agent.event_id,), verdict, **facts)]
    return [reading.notice(news, verdict, **facts)] if news else []


# Failed


def _decide_failed(reading: Reading, known: Optional[TaskRecord]) -> Decision:
    task, now, policy = reading.task, reading.now, reading.policy
    error = explain(task.error.code, task.type, policy.classes)
    before, is_news = _failed(reading, known)
    record = replace(before, agent=before.agent.failing(task.connected, now))
    verdict = _verdict(reading, record, error)
    calls = record.failure.call is None and _needs_person(reading, record, verdict)
    failure = record.failure.called(reading.event, now) if calls else record.failure
    agent, agent_news = record.agent.read(task.connected, now, reading.event)
    facts = {"since": record.failed_since, "count": failure.flaps}
    notices = [reading.notice(Kind.FAILED, verdict, **facts)] if is_news else []
    if calls:
        late = record.starts.skips >= MOST_SKIPS and verdict.action is not Action.NONE
        said = _without_time(verdict) if late else verdict
        notices.append(reading.notice(Kind.NEEDS_PERSON, said, **facts))
    notices += _agent_notices(reading, agent_news, before, verdict, **facts)
    record = replace(record, failure=failure, agent=agent)
    return Decision(task.id, verdict, reading.event, task, record, tuple(notices))


def _failed(reading: Reading, known: Optional[TaskRecord]) -> Tuple[TaskRecord, bool]:
    """Take in a failure, and say whether it is news.

    A start that got nowhere is the same failure going on: nobody needs a message for each. It is
    a new one when people have heard otherwise of the task in between, when the error is of
    another kind, or when the copy got further before it broke again.
    """
    task, now = reading.task, reading.now
    if known is None:
        known = TaskRecord(task.state, now, task.name, failure=Failure(code=task.error.code))
        failure, is_news = known.failure.counted(True, now, reading.event)
        return replace(known, failure=failure), is_news
    was_running = known.phase is Phase.MOVING
    advanced = task.is_ahead_of(known.starts.furthest)
    changed = known.state != task.state
    # A run that had to prove itself first, and broke before it did, was never told.
    unproved = was_running and known.failure.on_probation and not advanced
    is_new = (changed and not unproved) or advanced or _is_another(reading, known.failure.code)
    on_probation = known.failure.on_probation or (was_running and bool(known.starts.attempts))
    failure = replace(
        known.failure, code=task.error.code, on_probation=on_probation and not advanced
    )
    failure, is_news = failure.counted(is_new, now, reading.event)
    same = not (changed or is_new) and known.failure.code == task.error.code
    starts = known.starts if same else known.starts.heeded()
    record = replace(
        known.read(task, now, begins=changed or is_new),
        starts=starts.advanced(task.progress) if advanced else starts,
        failure=failure,
        movement=known.movement.ended(),
    )
    return record, is_news


def _is_another(reading: Reading, code: str) -> bool:
    """Return whether the error is another; one broken line shows itself in several codes."""
    task, classes = reading.task, reading.policy.classes
    now, before = (explain(each, task.type, classes) for each in (task.error.code, code))
    both_pass = now.error_class is before.error_class is ErrorClass.TRANSIENT
    return task.error.code != code and not both_pass


def _verdict(reading: Reading, record: TaskRecord, error: Code) -> Verdict:
    """Return whether a failed task is started now, later or never."""
    limit = cap(error.error_class, reading.policy)
    action, reason, next_try = _answer(reading, record, error, limit)
    starts = record.starts
    number = starts.attempts + (action is not Action.NONE)
    start = None
    if action is Action.START:
        start = Start(f"{reading.event}-start")
        is_back = record.agent.is_back_since(starts.last_at)
        reason = Reason.RECONNECTED if is_back else reason
    # A row of a list may be older than the start.
    in_vain = starts.were_in_vain(reading.now) and not reading.task.listed
    attempt = Attempt(number, limit, next_try, starts.in_vain_since if in_vain else None)
    return Verdict(action, reason, error.error_class, attempt, start)


def _answer(
    reading: Reading,
    record: TaskRecord,
    error: Code,
    limit: Optional[int],
) -> Tuple[Action, Reason, Optional[datetime]]:
    """Return the action, its reason, and the earliest moment of the next start after it."""
    starts, policy, now = record.starts, reading.policy, reading.now
    if error.error_class in NEVER_RESTARTED:
        return Action.NONE, Reason.NOT_RESTARTABLE, None
    if policy.max_attempts == 0:
        return Action.NONE, Reason.STARTS_OFF, None
    if limit is not None and starts.attempts >= limit:
        return Action.NONE, Reason.ATTEMPTS_SPENT, None
    due, reason = max(_gates(reading, record, error), default=(now, Reason.RESTARTABLE))
    if now < due:
        return Action.WAIT, reason, due
    if reading.task.listed:
        return Action.WAIT, Reason.NOT_REACHED, None
    longest = reading.task.connected is False or starts.tries >= policy.max_attempts
    reason = Reason.LONGEST_WAIT if longest else Reason.RESTARTABLE
    after = starts.sent("", reading.task.progress, now)
    is_last = limit is not None and after.attempts >= limit
    return Action.START, reason, None if is_last else now + after.backoff(policy)


def _gates(reading: Reading, record: TaskRecord, error: Code) -> List[Tuple[datetime, Reason]]:
    """List the moments before which the task is not to be started, each with its reason."""
    policy, starts, gates = reading.policy, record.starts, []
    if starts.last_at is not None:
        # An agent that was away for long and is back is a new chance; one that comes and goes is
        # not. Two starts are never closer than the shortest wait.
        is_back = record.agent.is_back_since(starts.last_at)
        is_new = is_back and record.agent.was_away_for(policy.backoff_max)
        wait = policy.backoff if is_new else starts.backoff(policy)
        gates.append((starts.last_at + wait, Reason.BACKOFF))
    if policy.grace and error.auto_recovery:
        gates.append((record.since + policy.grace, Reason.GRACE))
    if reading.task.connected is False:
        last = max(record.since, starts.last_at or record.since)
        gates.append((last + policy.backoff_max, Reason.DISCONNECTED))
    return gates


def _needs_person(reading: Reading, record: TaskRecord, verdict: Verdict) -> bool:
    """Return whether a person is to be called about a failed task."""
    starts, policy = record.starts, reading.policy
    if verdict.reason in (Reason.NOT_RESTARTABLE, Reason.STARTS_OFF) or starts.skips >= MOST_SKIPS:
        return True
    if starts.last_at is None or not starts.is_used_up(verdict.attempt.cap, policy):
        return False
    # The last start gets the shortest wait to show an effect before a person is called.
    return reading.now >= starts.last_at + policy.backoff


def _without_time(verdict: Verdict) -> Verdict:
    """Return what is said of a start that was decided again and again, and never sent."""
    attempt = replace(verdict.attempt, next_try=None)
    return replace(verdict, action=Action.WAIT, reason=Reason.NO_TIME, attempt=attempt, start=None)


def _taken_in(reading: Reading, known: Optional[TaskRecord]) -> TaskRecord:
    """Return the record of a task that is not failed, with its state."""
    task, now = reading.task, reading.now
    if known is None:
        return TaskRecord(task.state, now, task.name)
    begins = known.phase is not task.phase or (
        task.state in hang.PASSING and known.state != task.state
    )
    starts = known.starts.not_due()
    starts = starts.undone() if task.state == TaskState.RESETING else starts
    return replace(known.read(task, now, begins), starts=starts)
