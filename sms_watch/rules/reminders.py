"""Reminders of a call for a person: how often, together, and not while snoozed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import AbstractSet, Mapping

from sms_watch.model.policy import Policy
from sms_watch.rules.call import Call
from sms_watch.rules.record import TaskRecord

MOST_REMINDERS = 6
# When one reminder is due, those that would be due soon come along: one message instead of many.
SOON = 0.75


@dataclass(frozen=True)
class Snooze:
    """A person's command: no reminders about a task for a while."""

    task_id: str
    span: timedelta


def reminders_due(
    records: Mapping[str, TaskRecord], now: datetime, policy: Policy
) -> AbstractSet[str]:
    """Return the ids of the tasks whose reminder is to be sent now."""
    if not policy.remind:
        return frozenset()
    waited = {
        task_id: record.call.waited(now)
        for task_id, record in records.items()
        if record.call is not None and _may_remind(record, record.call, now)
    }
    if not any(span >= policy.remind for span in waited.values()):
        return frozenset()
    return frozenset(task_id for task_id, span in waited.items() if span >= policy.remind * SOON)


def _may_remind(record: TaskRecord, call: Call, now: datetime) -> bool:
    return call.reminders < MOST_REMINDERS and not record.is_snoozed(now)
