"""What people are told of all that a run has found: what they want to hear, and not too much. Pure.

Nothing here is a fact about a task, and no fact depends on it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import (
    AbstractSet,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    Sequence,
    Set,
    Tuple,
)

from sms_watch.model.notice import Kind, Notice, closing_id, event_id, kind_of
from sms_watch.model.task import Task
from sms_watch.rules.airtime import Airtime
from sms_watch.rules.decision import Decision
from sms_watch.rules.record import WatchRecord

# Kinds that say in which state a task is.
SAYS_STATE = frozenset(
    {
        Kind.FAILED,
        Kind.NEEDS_PERSON,
        Kind.PAUSED,
        Kind.FINISHED,
        Kind.UNKNOWN_STATE,
        Kind.RESUMED,
        Kind.COPIED,
    }
)
# What ends as soon as people hear in which state a task is by now.
IN_A_STATE = frozenset({Kind.HANGING, Kind.UNKNOWN_STATE})


def wanted(
    notices: Iterable[Notice], notify_on: FrozenSet[Kind], told: AbstractSet[str]
) -> Iterator[Notice]:
    """Leave out what nobody wants to hear, the end of what nobody heard, and what is said twice.

    ``told`` are the ids of what people have heard of, whatever the settings were then. That a task
    has left a state is left out where people hear what it became.
    """
    said: Set[str] = set()
    for notice in _heard(notices, notify_on, told):
        task_id = notice.task.id if notice.task else ""
        if notice.kind in SAYS_STATE:
            said.add(task_id)
        leaves = notice.kind is Kind.MOVING and IN_A_STATE.issuperset(map(kind_of, notice.follows))
        if not (leaves and task_id in said):
            yield notice


def _heard(
    notices: Iterable[Notice], notify_on: FrozenSet[Kind], told: AbstractSet[str]
) -> Iterator[Notice]:
    for notice in notices:
        heard = tuple(each for each in notice.follows if each in told)
        if notice.kind not in notify_on:
            continue
        if notice.kind.ends:
            # It has the id of the first notice that people had of it.
            yield from (replace(notice, event_id=closing_id(each)) for each in heard[:1])
        elif notice.follows:
            # What still stands can be told for the first time, if it is of a kind that is wanted.
            again = heard or tuple(each for each in notice.follows if kind_of(each) in notify_on)
            yield from [replace(notice, follows=again)] if again else []
        else:
            yield notice


def within_airtime(
    notices: Iterable[Notice],
    decisions: Sequence[Decision],
    watch: WatchRecord,
    notify_on: FrozenSet[Kind],
    now: datetime,
) -> Tuple[Sequence[Notice], Mapping[str, Airtime]]:
    """Return what is told of each task, and its airtime after that; a quiet run changes none."""
    before = watch.airtime
    news: Dict[str, List[Notice]] = {decision.task_id: [] for decision in decisions}
    told: List[Notice] = []
    for notice in notices:
        (news.get(notice.task.id, told) if notice.task else told).append(notice)
    after = dict(before)
    for decision in decisions:
        air, heard = before.get(decision.task_id, Airtime()).spent(news[decision.task_id], now)
        told += heard
        if air.owes_summary(now):
            # Which not everybody wants to hear.
            told += [_summary(decision, air, watch, now)] if Kind.DIGEST in notify_on else []
            air = air.summed_up(now)
        if air != Airtime():
            after[decision.task_id] = air
    if after == before:
        return told, before
    return told, {task_id: air for task_id, air in after.items() if not air.is_over(now)}


def _summary(decision: Decision, air: Airtime, watch: WatchRecord, now: datetime) -> Notice:
    """Return the notice that stands for all that was held back of a task, and is still open."""
    name = decision.record.name if decision.record else ""
    openings = decision.record.openings if decision.record else ()
    return Notice(
        Kind.DIGEST,
        now,
        event_id(decision.event, Kind.DIGEST),
        decision.task or Task(decision.task_id, name, ""),
        decision.verdict,
        (*openings, *watch.openings_of(decision.task_id)),
        since=air.held_since,
        count=air.held,
        detail=decision.detail,
    )
