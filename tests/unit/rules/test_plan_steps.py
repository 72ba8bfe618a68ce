"""The steps of a plan over whole evenings: what one of them changes, the later ones know."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import FrozenSet, List, NamedTuple, Sequence

from hypothesis import given
from hypothesis import strategies as st

from sms_watch.model.notice import Kind, Position
from sms_watch.model.policy import Policy
from sms_watch.model.task import Gone, Observation, Task, Unread
from sms_watch.rules.draft import Plan
from sms_watch.rules.plan import plan
from tests.support.builders import (
    DISK_FULL,
    LINE_LOST,
    NOW,
    UNCLEAR,
    a_policy,
    a_running_task,
    a_situation,
    a_task,
    minutes,
)
from tests.support.planning import NOTHING, after, kinds

HOUR = timedelta(hours=1)


class Run(NamedTuple):
    """One run of an evening: the minutes since the one before, and what it reads."""

    wait: float
    seen: Sequence[Observation]


def _evening(runs: Sequence[Run], policy: Policy) -> List[Plan]:
    """Return the plans of an evening, each with the memory that those before it left."""
    memory, now, plans = NOTHING, NOW, []
    for number, run in enumerate(runs):
        now += minutes(run.wait)
        situation = a_situation(now=now, policy=policy, position=Position("20261124", number))
        plans.append(plan(run.seen, memory, situation))
        memory = after(plans[-1], memory)
    return plans


def _task(task_id: str, state: str, code: str, percent: int, connected: bool) -> Task:
    progress = replace(a_task().progress, percent=percent)
    return a_task(id=task_id, state=state, code=code, progress=progress, connected=connected)


def _observed(task_id: str) -> st.SearchStrategy[Observation]:
    """Return what may be read of a task: mostly that it fails or runs at much the same place."""
    percents, agents = st.integers(50, 51), st.sampled_from([True, True, False])
    running = st.builds(_task, st.just(task_id), st.just("RUNNING"), st.just(""), percents, agents)
    codes = st.sampled_from([LINE_LOST, UNCLEAR, DISK_FULL])
    failed = st.builds(_task, st.just(task_id), st.just("SYNC_FAIL"), codes, percents, agents)
    states = st.sampled_from(["ABORT", "RESETING", "SYNC_F_ROLLBACK_SUCCESS", "INVENTED"])
    resting = st.builds(_task, st.just(task_id), states, st.just(""), percents, agents)
    others = st.sampled_from([Gone(task_id), Unread(task_id, "HTTP 503")])
    return st.one_of(running, running, running, failed, failed, resting, others)


# What is read stays so for some runs, or there would be no stall and no reminder.
_stretches = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from([1, 3, 5, 20]),
        st.tuples(_observed("a"), _observed("b")),
    ),
    max_size=8,
)
evenings = _stretches.map(
    lambda each: [Run(wait, seen) for times, wait, seen in each for _ in range(times)]
)
SHORT = a_policy(stall=minutes(10), remind=minutes(30), digest=minutes(20), max_attempts=2)


@given(evenings, st.frozensets(st.sampled_from(Kind)))
def test_who_hears_of_an_evening_changes_nothing_in_it(
    runs: Sequence[Run], wanted: FrozenSet[Kind]
) -> None:
    """Whatever NOTIFY_ON leaves out, the same is decided and remembered in each run.

    But for how much of a task was told lately, which is no fact about it.
    """
    told = _evening(runs, SHORT)
    muted = _evening(runs, replace(SHORT, notify_on=wanted))
    for one, other in zip(told, muted):
        assert one.decisions == other.decisions
        assert one.tasks == other.tasks
        raised = {notice.kind for each in one.decisions for notice in each.notices}
        assert set(kinds(other)) - {Kind.DIGEST} <= wanted & (raised | set(kinds(one)))


@given(evenings)
def test_a_digest_says_of_each_task_what_the_same_run_tells(runs: Sequence[Run]) -> None:
    """No message says that a task stands still and, below, that it runs; nor the reverse."""
    for made in _evening(runs, SHORT):
        stalls = {Kind.STALLED: True, Kind.MOVING: False}
        about = {n.task.id: stalls[n.kind] for n in made.notices if n.task and n.kind in stalls}
        for row in (row for notice in made.notices for row in notice.digest.rows):
            stands_still = row.still_since is not None
            assert about.get(row.task.id, stands_still) is stands_still


def test_one_message_never_says_that_a_task_stands_still_and_that_it_runs() -> None:
    """The digest of the run that finds a stall shows since when the task has not moved."""
    policy = a_policy(stall=HOUR, digest=HOUR)
    plans = _evening([Run(1, [a_running_task()])] * 61, policy)
    (last,) = [made for made in plans if made.notices]
    assert kinds(last) == [Kind.DIGEST, Kind.STALLED]
    (row,) = last.notices[0].digest.rows
    assert row.still_since == last.notices[1].since == NOW + minutes(1)


def test_a_stall_of_which_nobody_wants_to_hear_stands_in_the_digest() -> None:
    """With NOTIFY_ON=needs_person digest a task that has not moved for ten hours is no running one.

    Nothing else is told of it.
    """
    policy = a_policy(digest=10 * HOUR, notify_on=frozenset({Kind.NEEDS_PERSON, Kind.DIGEST}))
    plans = _evening([Run(5, [a_running_task()])] * 121, policy)
    (digest,) = [notice for made in plans for notice in made.notices]
    assert digest.kind is Kind.DIGEST
    assert [row.still_since for row in digest.digest.rows] == [NOW + minutes(5)]
