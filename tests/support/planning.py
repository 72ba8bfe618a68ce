"""Plans of runs, and the memory that each of them leaves to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List, Sequence

from sms_watch.journal.entries import Entry, EntryType, fold, snapshot
from sms_watch.model.notice import Kind
from sms_watch.model.task import Observation
from sms_watch.rules.draft import Plan
from sms_watch.rules.plan import plan
from sms_watch.rules.record import Memory, WatchRecord
from tests.support.builders import NOW, a_situation

NOTHING = Memory()


def a_plan(seen: Sequence[Observation], memory: Memory = NOTHING, **situation: Any) -> Plan:
    """Return the plan of a run that has read these; ``situation`` as in ``a_situation``."""
    return plan(seen, memory, a_situation(**situation))


def after(planned: Plan, memory: Memory = NOTHING) -> Memory:
    """Return the memory as the next run reads it, with all notices pending."""
    entry = Entry(
        EntryType.PLAN,
        NOW,
        "run-1",
        "nonce-1",
        tasks=planned.tasks,
        watch=planned.watch,
        notices=planned.notices,
    )
    return fold([snapshot(memory, NOW, "run-0", "nonce-0"), entry])


def heard(memory: Memory) -> Memory:
    """Return a memory in which people have heard of all that is open."""
    return replace(memory, told=frozenset(memory.openings))


def besides_airtime(planned: Plan, memory: Memory = NOTHING) -> WatchRecord:
    """Return what is remembered of the watching after a plan, but not how much was told."""
    return replace(planned.watch or memory.watch, airtime={})


def kinds(planned: Plan) -> List[Kind]:
    """Return the kinds of all notices of a plan."""
    return [notice.kind for notice in planned.notices]
