"""All tasks of a run: who is started, and what is told. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import (
    Callable,
    Mapping,
    Sequence,
    Tuple,
)

from sms_watch.model.notice import (
    Action,
    Kind,
    Notice,
    Reason,
    Verdict,
)
from sms_watch.model.task import Gone, Observation, Phase, Task
from sms_watch.rules import digest
from sms_watch.rules.call import Call
from sms_watch.rules.decide import decide
from sms_watch.rules.decision import Decision
from sms_watch.rules.draft import Draft, Plan, Situation
from sms_watch.rules.gaps import note_gaps
from sms_watch.rules.record import Memory, TaskRecord
from sms_watch.rules.reminders import reminders_due
from sms_watch.rules.watching import look_at_watch

GONE = Verdict(reason=Reason.GONE)
# A person is called after the last try, for one of these reasons.
CALLS = frozenset({Reason.BACKOFF, Reason.ATTEMPTS_SPENT, Reason.LONGEST_WAIT})


def plan(observations: Sequence[Observation], memory: Memory, situation: Situation) -> Plan:
    """Decide for all tasks of a run."""
    draft = Draft(situation, observations, memory, memory.watch)
    for step in STEPS:
        draft = step(draft)
    return draft.plan()


def candidates(tasks: Sequence[Task], memory: Memory, situation: Situation) -> Tuple[str, ...]:
    """Return the ids of listed tasks that would be started now: each is first read individually."""
    failed = [replace(task, listed=False) for task in tasks if task.phase is Phase.FAILED]
    draft = _limit_starts(_decide_each(Draft(situation, failed, memory, memory.watch)))
    return tuple(decision.task_id for decision in draft.decisions if decision.is_start)


# The steps, in their order


def _decide_each(draft: Draft) -> Draft:
    """Decide about each task."""
    situation, known = draft.situation, draft.memory.tasks
    return draft.deciding(
        _decide_one(seen, known, situation, situation.position.event(number))
        for number, seen in enumerate(draft.observations)
    )


def _limit_starts(draft: Draft) -> Draft:
    """Hold back those that have waited least, where a run may not start all."""
    starts = sorted((d for d in draft.decisions if d.is_start), key=_waiting_since)
    late = {decision.task_id for decision in starts[draft.situation.policy.max_per_run :]}
    return draft.deciding(
        d.held_back(Reason.RUN_LIMIT) if d.task_id in late else d for d in draft.decisions
    )


def _call_together(draft: Draft) -> Draft:
    """Call a person for all tasks of an outage at once.

    Their last tries are minutes apart, because only so many are started in a run. When the wait
    after one of them is over, the others go along that have had theirs.
    """
    calls = [
        notice.verdict.reason
        for decision in draft.decisions
        for notice in decision.notices
        if notice.kind is Kind.NEEDS_PERSON
    ]
    if not CALLS.intersection(calls):
        return draft
    return draft.deciding(_called(decision, draft.situation) for decision in draft.decisions)


def _quieten(draft: Draft) -> Draft:
    """Hold back the reminders of a task, where somebody asked for that."""
    snooze, now = draft.situation.commands.snooze, draft.situation.now
    if snooze is None:
        return draft
    return draft.deciding(
        replace(decision, record=decision.record.snoozed(snooze.span, now))
        if decision.record is not None and decision.task_id == snooze.task_id
        else decision
        for decision in draft.decisions
    )


def _remind(draft: Draft) -> Draft:
    """Repeat the calls that are still open."""
    read = {d.task_id: d.record for d in draft.decisions if d.record is not None and d.is_there}
    due = reminders_due(read, draft.situation.now, draft.situation.policy)
    return draft.deciding(
        _reminded(decision, draft.situation) if decision.task_id in due else decision
        for decision in draft.decisions
    )


def _answer_test(draft: Draft) -> Draft:
    """Send a test message, where somebody asked for one."""
    if not draft.situation.commands.test:
        return draft
    notice = Notice(Kind.TEST, draft.situation.now, draft.event_id(Kind.TEST))
    return replace(draft, answers=(*draft.answers, notice))


def _send_digest(draft: Draft) -> Draft:
    """Show how all tasks stand, when that is due or somebody asked for it."""
    situation, watch = draft.situation, draft.watch
    now, policy, asked = situation.now, situation.policy, situation.commands.digest
    if not asked and not digest.is_due(draft.decisions, watch, now, policy):
        counts = bool(policy.digest) and watch.digested_at is None
        return replace(draft, watch=replace(watch, digested_at=now)) if counts else draft
    notice = Notice(
        Kind.DIGEST,
        now,
        draft.event_id(Kind.DIGEST),
        since=watch.digested_at,
        digest=digest.digest(draft.decisions, now),
    )
    draft = draft.deciding(_digested(decision, now) for decision in draft.decisions)
    draft = replace(draft, watch=replace(watch, digested_at=now))
    if asked:
        return replace(draft, answers=(*draft.answers, notice))
    return replace(draft, notices=(*draft.notices, notice))


Step = Callable[[Draft], Draft]
STEPS: Tuple[Step, ...] = (
    _decide_each,
    _limit_starts,  # before anything else looks at who is started
    note_gaps,
    _call_together,
    _quieten,  # a snooze holds for this very run ...
    _remind,  # ... so it comes before the reminders
    look_at_watch,
    _answer_test,
    _send_digest,  # last: it shows what all others have changed
)


# One task


def _decide_one(
    seen: Observation, known: Mapping[str, TaskRecord], situation: Situation, event: str
) -> Decision:
    if isinstance(seen, Task):
        return decide(situation.reading(seen, event), known.get(seen.id))
    if isinstance(seen, Gone):
        # What is remembered stays: the service may be wrong, and the task may come back.
        record = known.get(seen.task_id)
        task, verdict = Task(seen.task_id, record.name if record else "", ""), GONE
        return Decision(seen.task_id, verdict, event, task, record, detail=seen.detail)
    if seen.row is not None:
        decision = decide(situation.reading(seen.row, event), known.get(seen.task_id))
        if seen.throttled and decision.verdict.reason is Reason.NOT_REACHED:
            decision = decision.held_back(Reason.THROTTLED)
        return replace(decision, detail=seen.detail)
    reason = Reason.UNREADABLE if seen.attempted else Reason.NOT_REACHED
    reason = Reason.THROTTLED if seen.throttled else reason
    verdict, record = Verdict(Action.WAIT, reason), known.get(seen.task_id)
    return Decision(seen.task_id, verdict, event, record=record, detail=seen.detail)


def _waiting_since(decision: Decision) -> Tuple[datetime, str]:
    assert decision.record is not None  # noqa: S101 - a start always has one
    return decision.record.starts.last_at or decision.record.since, decision.task_id


def _called(decision: Decision, situation: Situation) -> Decision:
    """Call about a task that has had its last try, or the last but one if it has no limit."""
    record, task, verdict = decision.record, decision.task, decision.verdict
    after = decision.planned(situation.now)
    if record is None or task is None or after is None or verdict.error_class is None:
        return decision
    cap, policy = verdict.attempt.cap, situation.policy
    limit = policy.max_attempts - 1 if cap is None else cap
    if record.failure.call or not after.starts.is_used_up(max(limit, 1), policy):
        return decision
    failure = record.failure.called(decision.event, situation.now)
    notice = situation.reading(task, decision.event).notice(
        Kind.NEEDS_PERSON, verdict, since=record.failed_since
    )
    return replace(decision, record=replace(record, failure=failure)).telling(notice)


def _reminded(decision: Decision, situation: Situation) -> Decision:
    record, task = decision.record, decision.task
    assert record is not None  # noqa: S101 - a reminder is due by what is in it
    assert record.call is not None  # noqa: S101 - as above
    assert task is not None  # noqa: S101 - of tasks that were not read none is due
    call = record.call.repeated(situation.now)
    notice = situation.reading(task, decision.event).notice(
        Kind.REMINDER,
        decision.verdict,
        follows=_repeated(record, call),
        since=record.standing_since,
        count=call.reminders,
    )
    return replace(decision, record=record.reminded(call)).telling(notice)


def _repeated(record: TaskRecord, call: Call) -> Tuple[str, ...]:
    """Return the ids of the notices that a reminder repeats."""
    openings = record.failure.openings
    return openings if call.event_id in openings else (call.event_id,)


def _digested(decision: Decision, now: datetime) -> Decision:
    if decision.record is None or not decision.is_there:
        return decision
    return replace(decision, record=decision.record.digested(now))
