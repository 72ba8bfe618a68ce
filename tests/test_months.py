"""Months of simulated nights: the promises hold whatever a seed has in store."""

from __future__ import annotations

import os
from typing import List

import pytest
from months import TASKS, TICK, play

TICKS = 360  # of five minutes each: thirty hours
HOURS_A_SEED = TASKS * TICKS * (TICK.total_seconds() / 3600)
# 20,000 migration-hours in every run of the tests; SOAK_HOURS asks for more.
SEEDS = range(round(float(os.environ.get("SOAK_HOURS", "20000")) / HOURS_A_SEED) + 1)
# Seeds that once found a fault.
REMEMBERED: List[int] = []


@pytest.mark.parametrize("seed", [*SEEDS, *REMEMBERED])
def test_the_promises_hold(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts, copies, silence and completeness, checked against the world after every tick.

    To replay a seed alone: make test PYTEST_ARGS="-k 'hold[SEED]'".
    """
    months = play(seed, TICKS, monkeypatch)
    assert len(months.log) >= TICKS
    assert months.world.happenings


def test_a_seed_is_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed gives the same log, byte for byte."""
    first, second = (play(4, 100, monkeypatch).log for _ in range(2))
    assert first == second
    assert first != play(5, 100, monkeypatch).log
