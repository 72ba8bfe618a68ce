"""Since when nobody had read a task, by what is remembered of it. Pure.

A quiet run writes nothing, so memory does not say when a task was last read. It says since when
runs could not read it, and of a running task it has something new every few minutes: a sample, or
that it may stand still. Of a task that rests or synchronises, with ``STALL_MINUTES=0``, and of a
silence that a task standing still may have made, it says nothing: then no gap is told.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Optional

from sms_watch.model.notice import Notice
from sms_watch.model.task import TaskState, Unread
from sms_watch.rules.decision import Decision
from sms_watch.rules.draft import Draft
from sms_watch.rules.movement import SUSPICION
from sms_watch.rules.record import TaskRecord

# What is shorter is a passing fault: the samples that a curve is drawn by are farther apart.
LEAST_GAP = timedelta(minutes=3)


def note_gaps(draft: Draft) -> Draft:
    """Note in the notices about each task since when nobody had read it before this run."""
    if not any(decision.notices for decision in draft.decisions):
        return draft
    rows = {seen.task_id for seen in draft.observations if isinstance(seen, Unread) and seen.row}
    return draft.deciding(
        _noted(decision, draft, decision.task_id in rows) if decision.notices else decision
        for decision in draft.decisions
    )


def _noted(decision: Decision, draft: Draft, is_row: bool) -> Decision:
    since = _unread_since(decision.task_id, draft, is_row)
    if since is None or draft.situation.now - since < LEAST_GAP:
        return decision
    return replace(decision, notices=tuple(_after(since, each) for each in decision.notices))


def _after(since: datetime, notice: Notice) -> Notice:
    return replace(notice, verdict=replace(notice.verdict, unread_since=since))


def _unread_since(task_id: str, draft: Draft, is_row: bool) -> Optional[datetime]:
    """Return the last moment at which a task may have been read, if runs missed it since.

    One that cannot be read by itself was seen all the time in the list whose row tells of it now.
    """
    watch, record = draft.memory.watch, draft.memory.tasks.get(task_id)
    if record is None:
        return None
    sight = None if is_row else watch.unread.get(task_id)
    missed = [each for each in (watch.blind_since, sight.since if sight else None) if each]
    until = min([*missed, draft.situation.now])
    silent = is_silent(record, until, draft.situation.policy.stall)
    return record.movement.moved_at if silent else min(missed, default=None)


def is_silent(record: TaskRecord, until: datetime, limit: timedelta) -> bool:
    """Return whether no run can have read a task for a while before a moment.

    ``limit`` is that of a stall. One that stands still is suspected when most of it is over. A run
    before that writes nothing, so the next one may come as much later, and not see it any more.
    """
    moved_at = record.movement.moved_at
    longest = 2 * SUSPICION * limit
    return (
        bool(limit)
        and is_followed(record)
        and moved_at is not None
        and (until - moved_at > longest)
    )


def is_followed(record: TaskRecord) -> bool:
    """Return whether runs that succeed will soon write of a task again, whatever it does."""
    movement = record.movement
    still = movement.suspected_at is not None or movement.stall is not None
    return record.state == TaskState.RUNNING and movement.last_progress is not None and not still
