"""Nights in which a first copy ends, or a restart has no effect, through the real handler."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest

from simulated_cloud.task import SimTask
from sms_watch.adapters.answers import Answer
from tests.support.builders import LINE_LOST, NOW, minutes
from tests.support.simulated_connections import SMN
from tests.support.simulated_run import SimulatedRuns, patched_transport
from tests.support.wakes import Killed

# 90 GB at 200 Mbit/s: an hour.
HOUR_LONG = 90e9


@pytest.fixture
def simulated() -> Iterator[SimulatedRuns]:
    """Return a task that synchronises after an hour of copying, and its watchdog."""
    made = SimulatedRuns([SimTask("a", "web-a", size=HOUR_LONG, speed=200, synchronises=True)])
    with patched_transport(made, lambda: 0.5):
        yield made


def _pass(
    simulated: SimulatedRuns, number: int, happens: Callable[[int], Any] = lambda minute: None
) -> None:
    """Wake the function every minute; what happens in each comes before its run."""
    for minute in range(number):
        simulated.clock.set(NOW + minutes(minute + 1))
        simulated.world.advance()
        happens(minute)
        simulated.wake()


def _notices(simulated: SimulatedRuns) -> List[Dict[str, Any]]:
    return [notice for wake in simulated.wakes for notice in wake.notices]


def _kinds(simulated: SimulatedRuns) -> List[str]:
    return [notice["kind"] for notice in _notices(simulated)]


@pytest.mark.parametrize("discovers", [True, False])
def test_the_end_of_a_first_copy_is_told_with_what_was_seen_of_it(
    simulated: SimulatedRuns, discovers: bool
) -> None:
    """How long it took, how much it was and how fast, where bytes are known; then nothing more."""
    simulated.discovers = discovers
    simulated.more = {"REMIND_HOURS": "1"}
    _pass(simulated, 6 * 60)
    (message,) = simulated.world.inbox
    assert _kinds(simulated) == ["copied"]
    assert message["subject"].startswith("sms_watch info: web-a has finished its first full copy")
    assert "59 min after it was first seen copying" in message["email"]
    assert ("88.5 GB at 200 Mbit/s on average." in message["email"]) is discovers
    assert "What to do   Start the cut-over when you are ready;" in message["email"]


def test_a_first_copy_that_breaks_is_told_when_it_is_done(simulated: SimulatedRuns) -> None:
    """A failure on the way begins nothing anew; one of the synchronisation tells nothing again."""

    def happens(minute: int) -> None:
        if minute in (30, 200):
            simulated.world.fail("a", LINE_LOST, obstacle=False)

    _pass(simulated, 5 * 60, happens)
    assert _kinds(simulated) == ["failed", "resumed", "copied", "failed", "resumed"]


def test_a_first_copy_is_told_once_whoever_dies(simulated: SimulatedRuns) -> None:
    """A run that dies before its message leaves it to the next, one that dies after it a copy."""
    deaths = [False, True]  # before the message has its effect, and after it

    def die(service: str, operation: str, done: bool) -> Optional[Answer]:
        if service == SMN and deaths and done is deaths[0]:
            deaths.pop(0)
            raise Killed
        return None

    simulated.interfere = die
    _pass(simulated, 2 * 60)
    assert deaths == []
    assert _kinds(simulated) == ["copied", "copied"]
    assert len({notice["event_id"] for notice in _notices(simulated)}) == 1


def test_a_restart_that_nothing_comes_of_is_told_with_the_next_message(
    simulated: SimulatedRuns,
) -> None:
    """SMS accepts each, and the task stays failed: whoever is called reads since when."""
    simulated.world.tasks["a"].picks_up_after = 1e6

    def happens(minute: int) -> None:
        if minute == 5:
            simulated.world.fail("a", LINE_LOST, obstacle=False)

    _pass(simulated, 60, happens)
    assert _kinds(simulated) == ["failed", "needs_person"]
    failed, called = simulated.world.inbox
    words = "No change has been seen since a restart was accepted at 2026-11-24 00:09 +00:00."
    assert words not in failed["email"]
    assert words in called["email"]
