"""Nights that would start a task without end, or fill a mailbox, through the real handler.

A minute of each is a run; nothing below the adapters is real, so a day passes in seconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Callable, Iterator, List, Optional

import pytest

from simulated_cloud.task import SimTask
from simulated_cloud.variants import DOCUMENTED, REFUSED, Variants
from sms_watch.adapters.answers import Answer
from sms_watch.model.task import TaskState
from tests.support.builders import DISK_BUSY, DISK_FULL, NOW, UNCLEAR, minutes
from tests.support.simulated_connections import SMS
from tests.support.simulated_run import SimulatedRuns, patched_transport

HOUR = timedelta(hours=1)
LARGE = 5e12  # bytes: nothing of it is done in a day
# Told in an hour of one task, with the summary and with calls for a person.
MOST = 6 + 1
MOST_WITH_CALLS = 12 + 1


@pytest.fixture
def simulated() -> Iterator[SimulatedRuns]:
    """Return a task that copies, and its watchdog."""
    made = SimulatedRuns([SimTask("a", "web-a", size=LARGE, copied=1e12)])
    with patched_transport(made, lambda: 0.5):
        yield made


def _pass(
    simulated: SimulatedRuns, span: timedelta, happens: Callable[[int], Any] = lambda minute: None
) -> None:
    """Wake the function every minute for a while; what happens in each comes before its run."""
    for minute in range(int(span / timedelta(minutes=1))):
        simulated.clock.set(NOW + minutes(minute + 1))
        simulated.world.advance()
        happens(minute)
        assert not simulated.wake().failure


def _told(simulated: SimulatedRuns) -> List[str]:
    return [notice["kind"] for wake in simulated.wakes for notice in wake.notices]


def _waits(simulated: SimulatedRuns) -> List[float]:
    """Return the minutes between the runs that started the task."""
    sent = [wake.begun for wake in simulated.wakes for _ in wake.starts]
    return [(later - before) / timedelta(minutes=1) for before, later in zip(sent, sent[1:])]


def _most_in_an_hour(simulated: SimulatedRuns) -> int:
    """Return how many messages the loudest hour had."""
    sent: List[datetime] = [message["at"] for message in simulated.world.inbox]
    return max(sum(at - HOUR < each <= at for each in sent) for at in sent)


# Starts without end


@pytest.mark.parametrize(("code", "most"), [(UNCLEAR, 2), (DISK_BUSY, 5)])
@pytest.mark.parametrize("discovers", [True, False], ids=["listed", "named"])
def test_one_copied_byte_is_no_progress(
    simulated: SimulatedRuns, code: str, most: int, discovers: bool
) -> None:
    """A copy that dies seconds after each start spends its starts, and a person is called."""
    simulated.discovers = discovers
    simulated.world.fail("a", code)

    def creep(minute: int) -> None:
        simulated.world.tasks["a"].copied += 1

    _pass(simulated, 8 * HOUR, creep)
    assert len(simulated.world.starts) == most
    assert _told(simulated) == ["failed", "needs_person", "reminder"]


@pytest.mark.parametrize("code", [UNCLEAR, DISK_BUSY, "SMS.9998"])
def test_a_start_that_is_refused_spends_no_attempt(simulated: SimulatedRuns, code: str) -> None:
    """Refused for hours at the waits of the backoff, a task is started once SMS takes it again."""
    simulated.world.fail("a", code, obstacle=False)

    def answer(minute: int) -> None:
        simulated.variants = Variants(start=REFUSED) if minute < 180 else DOCUMENTED

    _pass(simulated, 4 * HOUR, answer)
    assert _waits(simulated) == [2, 4, 8, *[15] * 12]
    assert len(simulated.world.starts) == 1
    assert simulated.world.tasks["a"].state == TaskState.RUNNING
    assert _told(simulated) == ["failed", "needs_person", "resumed"]


def test_many_attempts_through_a_long_outage(simulated: SimulatedRuns) -> None:
    """With RESUME_MAX_ATTEMPTS at its highest every run does its work, and the task comes back."""
    simulated.more = {"RESUME_MAX_ATTEMPTS": "100"}
    simulated.world.at(NOW + minutes(5), simulated.world.line_down)
    simulated.world.at(NOW + 12 * HOUR, simulated.world.line_up)
    _pass(simulated, 13 * HOUR)
    assert len(simulated.world.starts) > 41
    assert min(_waits(simulated)) >= 2
    assert simulated.world.tasks["a"].state == TaskState.RUNNING
    assert _told(simulated) == ["failed", "resumed"]


def test_an_agent_that_comes_and_goes_starts_nothing(simulated: SimulatedRuns) -> None:
    """Seen back in every second run, it gives no start beside those of the backoff."""
    simulated.world.line_down()

    def flip(minute: int) -> None:
        simulated.world.connect("a", minute % 2 == 0)

    _pass(simulated, 8 * HOUR, flip)
    assert _waits(simulated)[:4] == [2, 4, 8, 15]
    assert min(_waits(simulated)[4:]) >= 14
    assert _most_in_an_hour(simulated) <= MOST_WITH_CALLS


def _is_gone() -> Answer:
    return Answer(400, {"error_code": "SMS.7703", "error_msg": "The task does not exist."})


def test_a_service_that_now_and_then_has_no_such_task(simulated: SimulatedRuns) -> None:
    """At every second read: what is remembered of it stays, and so does the limit of its starts."""
    simulated.world.fail("a", UNCLEAR)
    reads = [0]

    def forget(service: str, operation: str, done: bool) -> Optional[Answer]:
        if (service, operation, done) != (SMS, "read", False):
            return None
        reads[0] += 1
        return _is_gone() if reads[0] % 2 == 0 else None

    simulated.interfere = forget
    _pass(simulated, 8 * HOUR)
    assert len(simulated.world.starts) == 2
    assert _told(simulated) == ["failed", "needs_person", "reminder"]


# Noise


def test_a_line_that_drops_every_quarter_of_an_hour(simulated: SimulatedRuns) -> None:
    """The task comes back each time and gets further: half a day of that is five messages."""
    for number in range(45):
        simulated.world.at(NOW + minutes(16 * number + 5), simulated.world.line_down)
        simulated.world.at(NOW + minutes(16 * number + 6), simulated.world.line_up)
    _pass(simulated, 12 * HOUR)
    assert len(simulated.world.starts) == 45
    assert simulated.world.tasks["a"].state == TaskState.RUNNING
    assert _told(simulated) == ["failed", "resumed"] * 2 + ["failed"]


def _show(simulated: SimulatedRuns, state: str) -> None:
    """Let the task be read in a state that the simulated cloud may not know."""
    if state in set(TaskState):
        simulated.garbled.clear()
        task = simulated.world.tasks["a"]
        task.state, task.code = state, DISK_FULL if state == TaskState.MIGRATE_FAIL else ""
    else:
        simulated.garbled["a"] = {"id": "a", "name": "web-a", "state": state}


@pytest.mark.parametrize(
    "state", ["INVENTED", "ABORT", "MIGRATE_SUCCESS", "SYNC_F_ROLLBACK_SUCCESS", "MIGRATE_FAIL"]
)
@pytest.mark.parametrize("other", ["ANOTHER", "RUNNING"])
def test_two_states_in_turn_do_not_fill_a_mailbox(
    simulated: SimulatedRuns, state: str, other: str
) -> None:
    """Six messages, then one an hour; more only if a person is needed, and then twelve."""
    _pass(simulated, 4 * HOUR, lambda minute: _show(simulated, (state, other)[minute % 2]))
    calls = "needs_person" in _told(simulated)
    assert _most_in_an_hour(simulated) <= (MOST_WITH_CALLS if calls else MOST)
    if not calls:
        assert len(simulated.world.inbox) <= 6 + 4


def test_half_a_letter_in_a_state_is_one_state(simulated: SimulatedRuns) -> None:
    """What no file can hold is told once, and not again in each run."""
    _show(simulated, "\ud800")
    _pass(simulated, HOUR)
    assert _told(simulated) == ["unknown_state"]


def test_after_the_noise_the_task_is_told_of_as_before(simulated: SimulatedRuns) -> None:
    """The summary has the last word of the noisy hour; from the next hour on all is told."""

    def happens(minute: int) -> None:
        if minute <= 20:
            _show(simulated, ("ABORT", "RUNNING")[minute % 2])
        if minute == 200:
            simulated.world.fail("a", DISK_FULL)

    _pass(simulated, 4 * HOUR, happens)
    assert _told(simulated) == [*["paused"] * 6, "digest", "failed", "needs_person"]
    summary = simulated.world.inbox[6]
    assert summary["at"] == NOW + minutes(1 + 12 + 60)
    assert summary["subject"].startswith("sms_watch info: web-a keeps changing - ")
    assert (
        "(5 notices held back since 2026-11-24 00:16 +00:00). Now in state ABORT."
        in summary["email"]
    )


# The reverse of noise: where nothing happens, though it should


def test_a_task_that_hangs_is_told_once_reminded_of_and_told_to_have_moved_on(
    simulated: SimulatedRuns,
) -> None:
    """After HANG_MINUTES in a state that a task only passes through; nothing is started."""
    simulated.more = {"HANG_MINUTES": "10"}

    def happens(minute: int) -> None:
        if minute == 5:
            _show(simulated, "RESETING")
        if minute == 300:
            _show(simulated, "RUNNING")

    _pass(simulated, 6 * HOUR, happens)
    assert _told(simulated) == ["hanging", "reminder", "moving"]
    hangs, _, moves = simulated.world.inbox
    assert hangs["at"] == NOW + minutes(16)
    assert "Moved on to RUNNING after 4 h 55 min." in moves["email"]
    assert simulated.world.starts == []


def test_a_start_after_which_nothing_happens_is_told(simulated: SimulatedRuns) -> None:
    """A task that was accepted and waits in READY is told as neither failed nor running."""

    def happens(minute: int) -> None:
        if minute == 5:
            simulated.world.fail("a", UNCLEAR)
        if minute == 6:
            _show(simulated, "READY")

    _pass(simulated, 2 * HOUR, happens)
    assert _told(simulated) == ["failed", "hanging"]
    assert len(simulated.world.starts) == 1
