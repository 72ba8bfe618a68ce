"""A state where nothing should stay, or that nobody knows: how it is told, and its end. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from sms_watch.model.notice import Kind
from sms_watch.model.task import Phase, TaskState
from sms_watch.rules.call import Call
from sms_watch.rules.decision import Decision, Reading
from sms_watch.rules.record import TaskRecord

# States that a task only passes through: each counts from its own beginning.
PASSING = frozenset(
    {
        TaskState.ABORTING.value,
        TaskState.RESETING.value,
        TaskState.DELETING.value,
        TaskState.SKIPPING.value,
        TaskState.SYNC_F_ROLLBACKING.value,
    }
)
# No state of these phases is one that a task hangs in, or that nobody knows.
NEVER_AT_REST = frozenset({Phase.MOVING, Phase.FAILED})


def note(decision: Decision, reading: Reading, known: Optional[TaskRecord]) -> Decision:
    """Take in whether a task has left such a state, or is in one; tell of either once."""
    return _noting_rest(_noting_departure(decision, reading, known), reading)


def _noting_departure(
    decision: Decision, reading: Reading, known: Optional[TaskRecord]
) -> Decision:
    """Add the notice that a task has left such a state.

    That it runs is not told while its failure is open: it may break again before it is proved.
    """
    record = decision.record
    if record is None or known is None or record.rest is None:
        return decision
    stays = known.state == record.state and record.phase not in NEVER_AT_REST
    unproved = record.phase is Phase.MOVING and bool(record.failure.openings)
    if stays or unproved:
        return decision
    left = replace(decision, record=replace(record, rest=None))
    # Where it ran unproved meanwhile, nobody remembers since when it had been there.
    since = known.since if known.phase is not Phase.MOVING else None
    follows, verdict = (record.rest.event_id,), decision.verdict
    return left.telling(reading.closing(Kind.MOVING, follows, verdict, since=since))


def _noting_rest(decision: Decision, reading: Reading) -> Decision:
    """Remember that a state is not known, or tell that the task hangs in it."""
    record = decision.record
    if record is None or record.rest is not None:
        return decision
    for notice in decision.notices:
        if notice.kind is Kind.UNKNOWN_STATE:
            rest = Call(notice.event_id, reading.now)
            return replace(decision, record=replace(record, rest=rest))
    if not _hangs(record, reading):
        return decision
    notice = reading.notice(Kind.HANGING, decision.verdict, since=record.since)
    rest = Call(notice.event_id, reading.now)
    return replace(decision, record=replace(record, rest=rest)).telling(notice)


def _hangs(record: TaskRecord, reading: Reading) -> bool:
    """Return whether a task has been too long where nothing should stay.

    A task that waits in READY because nobody has started it yet is no such case: only one that was
    started since it failed.
    """
    limit = reading.policy.hang
    if not limit or reading.now - record.since < limit:
        return False
    return record.state in PASSING or (record.phase is Phase.READY and record.was_started)
