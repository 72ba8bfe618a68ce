"""Soak of simulated nights: the promises hold whatever a seed has in store."""

from __future__ import annotations

import itertools
import os
import random
from datetime import datetime, timedelta
from typing import Callable, Iterator, List

import pytest

from simulated_cloud.task import SimTask
from sms_watch.model.task import TaskState
from tests.support.extent import extent
from tests.support.simulated_run import SimulatedRuns, patched_transport
from tests.support.soak import Size, play, summary
from tests.support.wakes import RunRecord

# So many migration-hours; SOAK_HOURS asks for more.
HOURS = float(os.environ.get("SOAK_HOURS", extent(20_000, 1_500)))
WIDE = Size(tasks=40, tick=timedelta(minutes=5), ticks=360)
CLOSE = Size(tasks=12, tick=timedelta(minutes=1), ticks=360)
LONG = Size(tasks=8, tick=timedelta(minutes=10), ticks=4320)
# Seeds that once found a fault.
REMEMBERED: List[int] = [25, 107, 154]
# Those by which planted mistakes are caught.
CATCHES: List[int] = [3, 4, 8, 9, 10, 13, 19]


def _size(seed: int) -> Size:
    """Most seeds watch many tasks for a day and a half, some look closely, some last a month."""
    return {0: CLOSE, 7: LONG}.get(seed % 10, WIDE)


def _seeds() -> Iterator[int]:
    hours = 0.0
    for seed in itertools.count():
        if hours >= HOURS:
            return
        hours += _size(seed).hours
        yield seed


@pytest.mark.parametrize(
    "seed",
    [*dict.fromkeys([*_seeds(), *extent([*CATCHES, *REMEMBERED], [])])],
    ids=lambda seed: f"{seed}-",
)
def test_the_promises_hold(seed: int, record_property: Callable[[str, object], None]) -> None:
    """Starts, copies, silence, secrets and time, checked against the world after every run."""
    months = play(seed, _size(seed), as_before=seed in REMEMBERED)
    figures = summary(months)
    record_property("figures", figures)
    print(figures)
    # Something has to go on: with a task, or with the services that a run needs.
    assert months.world.happenings or any(wake.failure for wake in months.simulated.wakes)
    assert months.simulated.wakes


@pytest.mark.parametrize("seed", [5, 6])
def test_a_seed_is_always_the_same(seed: int) -> None:
    """The same seed gives the same log, byte for byte, and another one another."""
    size = Size(tasks=8, tick=timedelta(minutes=5), ticks=100)
    first, second = (play(seed, size).log for _ in range(2))
    assert first == second
    assert first != play(seed + 1, size).log


def _a_month(simulated: SimulatedRuns, tick: Callable[[datetime], timedelta]) -> List[RunRecord]:
    """Let a month pass, and return the runs that sent a message."""
    end = simulated.clock.now() + timedelta(days=30)
    with patched_transport(simulated, random.Random(0).random):  # noqa: S311 - for pauses, no secret
        while simulated.clock.now() < end:
            now = simulated.clock.now().replace(second=0, microsecond=0)
            simulated.clock.set(now + tick(now))
            simulated.world.advance()
            simulated.wake()
    return [wake for wake in simulated.wakes if wake.messages]


def _large_tasks(number: int) -> List[SimTask]:
    return [SimTask(f"task-{n:02}", f"server {n}", size=300e12) for n in range(number)]


def test_a_link_that_drops_twenty_times_in_a_month_is_three_or_four_messages_a_drop() -> None:
    """Fifty tasks fail, need somebody when it lasts, and run again: none is told by itself."""
    simulated = SimulatedRuns(_large_tasks(50))
    dice = random.Random(6)  # noqa: S311 - a seed, no secret
    drops = []
    for number in range(20):
        begun = simulated.clock.now() + timedelta(days=1.4 * number + dice.random())
        over = begun + timedelta(minutes=dice.choice([2, 10, 45, 120, 400]))
        simulated.world.at(begun, simulated.world.line_down)
        simulated.world.at(over, simulated.world.line_up)
        drops.append((begun - timedelta(minutes=10), over + timedelta(minutes=40)))

    def tick(now: datetime) -> timedelta:
        near = any(begun <= now <= over for begun, over in drops)
        return timedelta(minutes=5) if near else timedelta(hours=3)

    told = [{notice["kind"] for notice in wake.notices} for wake in _a_month(simulated, tick)]
    assert all(len(kinds) == 1 for kinds in told)
    assert told.count({"failed"}) == 20
    # Those whose wait is over later come back later: one more message at most.
    assert 20 <= told.count({"resumed"}) <= 40
    lasting = sum(over - begun > timedelta(minutes=90) for begun, over in drops)
    assert 0 < told.count({"needs_person"}) <= lasting
    # Every four hours of an outage that lasts.
    assert told.count({"reminder"}) <= lasting
    kinds = ("failed", "resumed", "needs_person", "reminder")
    assert len(told) == sum(told.count({kind}) for kind in kinds)


def test_a_month_without_change_is_silent_but_for_the_digest() -> None:
    """Tasks that move, one that compares files and one that synchronises are no news."""
    simulated = SimulatedRuns(_large_tasks(8))
    at_rest = simulated.world.tasks["task-07"]
    at_rest.state, at_rest.copied = TaskState.SYNCING, at_rest.size
    simulated.more["DIGEST_HOURS"] = "24"
    told = _a_month(simulated, lambda now: timedelta(minutes=30))
    assert [[notice["kind"] for notice in wake.notices] for wake in told] == [["digest"]] * 29
