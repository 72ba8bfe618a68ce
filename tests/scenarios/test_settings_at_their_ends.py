"""Every number among the settings at its lowest and its highest value, in all pairs.

A night is played for each row of a small table in which each pair of values stands at least once.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Dict, Iterator, List, Tuple

import pytest

from simulated_cloud.task import SimTask
from sms_watch.settings.table import SETTINGS
from tests.support.builders import DISK_FULL, NOW, UNCLEAR, minutes
from tests.support.drawn_settings import Figures
from tests.support.invariants import Invariants
from tests.support.simulated_run import SimulatedRuns, patched_transport

HOUR = timedelta(hours=1)
EVERY = 5  # minutes
REFUSED = "a number that none of these settings takes"

Value = Tuple[str, str]
Pair = Tuple[Value, ...]


def _ends() -> Dict[str, Tuple[str, str]]:
    """Return the lowest and the highest value of each number, as the settings themselves say."""
    found = {}
    for setting in SETTINGS:
        try:
            setting.read(REFUSED)
        except ValueError as error:
            words = str(error).split()
            if "whole number from" in str(error):
                found[setting.name] = (words[-3], words[-1])
    return found


ENDS = _ends()


def _is_allowed(row: Dict[str, str]) -> bool:
    """Return whether the longest wait is no shorter than the shortest."""
    shortest = int(row.get("RESUME_BACKOFF_MINUTES", "1"))
    return int(row.get("RESUME_BACKOFF_MAX_MINUTES", "1440")) >= shortest


def _pairs(row: Dict[str, str]) -> Iterator[Pair]:
    return itertools.combinations(sorted(row.items()), 2)


def _all_pairs() -> List[Pair]:
    values = sorted((name, value) for name, both in ENDS.items() for value in both)
    pairs = itertools.combinations(values, 2)
    return [pair for pair in pairs if pair[0][0] != pair[1][0] and _is_allowed(dict(pair))]


def _rows() -> Iterator[Dict[str, str]]:
    """Yield rows until every pair of values stood in one, each with as many new pairs as goes."""
    missing = set(_all_pairs())
    while missing:
        row = dict(min(missing))
        for name, both in ENDS.items():
            if name not in row:
                tried = [{**row, name: value} for value in both]
                allowed = [each for each in tried if _is_allowed(each)]
                row = max(allowed, key=lambda each: len(missing.intersection(_pairs(each))))
        missing.difference_update(_pairs(row))
        yield row


ROWS = list(_rows())


def _happen(simulated: SimulatedRuns) -> None:
    """Have a line drop for hours, a full disk, an unclear error, a standstill and a pause."""
    world = simulated.world
    world.at(NOW + minutes(12), lambda: world.line_down("line-0", "line-1"))
    world.at(NOW + 3 * HOUR, lambda: world.line_up("line-0", "line-1"))
    world.at(NOW + minutes(20), lambda: world.fail("full", DISK_FULL))
    world.at(NOW + minutes(25), lambda: world.fail("unclear", UNCLEAR))
    world.at(NOW + minutes(30), lambda: world.freeze("still"))
    world.at(NOW + minutes(40), lambda: world.pause("paused"))


def test_the_ends_are_those_of_all_numbers() -> None:
    """What says its range in an error is a number; the table knows ten of them."""
    assert ENDS["RESUME_MAX_ATTEMPTS"] == ("0", "100")
    assert ENDS["RUN_BUDGET_SECONDS"] == ("5", "3600")
    assert len(ENDS) == 10


def test_each_pair_of_ends_stands_in_a_row() -> None:
    """But for a longest wait that is shorter than the shortest, which is refused."""
    stood = {pair for row in ROWS for pair in _pairs(row)}
    assert set(_all_pairs()) <= stood
    assert len(_all_pairs()) == len(ENDS) * (len(ENDS) - 1) * 2 - 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[name] for name in ENDS))
def test_a_night_with_settings_at_their_ends_keeps_every_promise(row: Dict[str, str]) -> None:
    """No run fails, no start comes too early or too often, and what happens is told."""
    names = ("line-0", "line-1", "full", "unclear", "still", "paused")
    simulated = SimulatedRuns(SimTask(name, name, size=5e12, copied=1e12) for name in names)
    simulated.more = row
    _happen(simulated)
    with patched_transport(simulated, lambda: 0.5):
        promises = Invariants(simulated, Figures.of(row))
        for minute in range(EVERY, 6 * 60, EVERY):
            simulated.clock.set(NOW + minutes(minute))
            simulated.world.advance()
            assert not simulated.wake().failure
            promises.check()
    told = {notice["kind"] for wake in simulated.wakes for notice in wake.notices}
    assert {"failed", "needs_person", "paused"} <= told
    assert bool(simulated.world.starts) is (row["RESUME_MAX_ATTEMPTS"] != "0")
