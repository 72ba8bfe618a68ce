"""What people are told of all that a run has found: what they want to hear, and not too much. Pure.

Nothing here is a fact about a task, and no fact depends on it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, Sequence, Tuple

from sms_watch.model.notice import Kind, Notice, closing_id, event_id, kind_of
from sms_watch.model.task import Task
from sms_watch.rules.airtime import Airtime
from sms_watch.rules.decision import Decision


def wanted(notices: Iterable[Notice], notify_on: FrozenSet[Kind]) -> Iterator[Notice]:
    """Leave out what nobody wants to hear, and what follows up something that nobody heard."""
    for notice in notices:
        told = [each for each in notice.follows if kind_of(each) in notify_on]
        if notice.kind not in notify_on or (notice.follows and not told):
            continue
        # The end of an event has the id of the first notice that people had of it.
        yield replace(notice, event_id=closing_id(told[0])) if notice.kind.ends else notice


def within_airtime(
    notices: Iterable[Notice],
    decisions: Sequence[Decision],
    before: Mapping[str, Airtime],
    now: datetime,
) -> Tuple[Sequence[Notice], Mapping[str, Airtime]]:
    """Return what is told of each task, and its airtime after that; a quiet run changes none."""
    news: Dict[str, List[Notice]] = {decision.task_id: [] for decision in decisions}
    told: List[Notice] = []
    for notice in notices:
        (news.get(notice.task.id, told) if notice.task else told).append(notice)
    after = dict(before)
    for decision in decisions:
        air, heard = before.get(decision.task_id, Airtime()).spent(news[decision.task_id], now)
        told += heard
        if air.owes_summary(now):
            told.append(_summary(decision, air, now))
            air = air.summed_up(now)
        if air != Airtime():
            after[decision.task_id] = air
    if after == before:
        return told, before
    return told, {task_id: air for task_id, air in after.items() if not air.is_over(now)}


def _summary(decision: Decision, air: Airtime, now: datetime) -> Notice:
    """Return the notice that stands for all that was held back of a task."""
    name = decision.record.name if decision.record else ""
    return Notice(
        Kind.DIGEST,
        now,
        event_id(decision.event, Kind.DIGEST),
        decision.task or Task(decision.task_id, name, ""),
        decision.verdict,
        since=air.held_since,
        count=air.held,
        detail=decision.detail,
    )
