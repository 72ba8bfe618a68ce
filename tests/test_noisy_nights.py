"""Nights that would start a task without end, or fill a mailbox, through the real handler.

A minute of each is a run; nothing below the adapters is real, so a day passes in seconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Callable, Iterator, List, Optional

import pytest
from builders import DISK_BUSY, DISK_FULL, NOW, UNCLEAR, minutes
from vigil import Vigil, kept
from vigil_connections import SMS

from local.cloud.variants import DOCUMENTED, REFUSED, Variants
from local.cloud.world import SimTask
from sms_watch.adapters.answers import Answer
from sms_watch.model.task import TaskState

HOUR = timedelta(hours=1)
LARGE = 5e12  # bytes: nothing of it is done in a day
# Told in an hour of one task, with the summary and with calls for a person.
MOST = 6 + 1
MOST_WITH_CALLS = 12 + 1


@pytest.fixture
def vigil() -> Iterator[Vigil]:
    """Give a task that copies, and its watchdog."""
    made = Vigil([SimTask("a", "web-a", size=LARGE, copied=1e12)])
    with kept(made, lambda: 0.5):
        yield made


def _pass(
    vigil: Vigil, span: timedelta, happens: Callable[[int], Any] = lambda minute: None
) -> None:
    """Wake the function every minute for a while; what happens in each comes before its run."""
    for minute in range(int(span / timedelta(minutes=1))):
        vigil.clock.set(NOW + minutes(minute + 1))
        vigil.world.settle()
        happens(minute)
        assert not vigil.wake().failure


def _told(vigil: Vigil) -> List[str]:
    return [notice["kind"] for wake in vigil.wakes for notice in wake.notices]


def _waits(vigil: Vigil) -> List[float]:
    """Return the minutes between the runs that started the task."""
    sent = [wake.begun for wake in vigil.wakes for _ in wake.starts]
    return [(later - before) / timedelta(minutes=1) for before, later in zip(sent, sent[1:])]


def _most_in_an_hour(vigil: Vigil) -> int:
    """Return how many messages the loudest hour had."""
    sent: List[datetime] = [message["at"] for message in vigil.world.inbox]
    return max(sum(at - HOUR < each <= at for each in sent) for at in sent)


# Starts without end


@pytest.mark.parametrize(("code", "most"), [(UNCLEAR, 2), (DISK_BUSY, 5)])
@pytest.mark.parametrize("discovers", [True, False], ids=["listed", "named"])
def test_one_copied_byte_is_no_progress(
    vigil: Vigil, code: str, most: int, discovers: bool
) -> None:
    """A copy that dies seconds after each start spends its starts, and a person is called."""
    vigil.discovers = discovers
    vigil.world.fail("a", code)

    def creep(minute: int) -> None:
        vigil.world.tasks["a"].copied += 1

    _pass(vigil, 8 * HOUR, creep)
    assert len(vigil.world.starts) == most
    assert _told(vigil) == ["failed", "needs_person", "reminder"]


@pytest.mark.parametrize("code", [UNCLEAR, DISK_BUSY, "SMS.9998"])
def test_a_start_that_is_refused_spends_no_attempt(vigil: Vigil, code: str) -> None:
    """Refused for hours at the waits of the backoff, a task is started once SMS takes it again."""
    vigil.world.fail("a", code, obstacle=False)

    def answer(minute: int) -> None:
        vigil.variants = Variants(start=REFUSED) if minute < 180 else DOCUMENTED

    _pass(vigil, 4 * HOUR, answer)
    assert _waits(vigil) == [2, 4, 8, *[15] * 12]
    assert len(vigil.world.starts) == 1
    assert vigil.world.tasks["a"].state == TaskState.RUNNING
    assert _told(vigil) == ["failed", "needs_person", "resumed"]


def test_many_attempts_through_a_long_outage(vigil: Vigil) -> None:
    """With RESUME_MAX_ATTEMPTS at its highest every run does its work, and the task comes back."""
    vigil.more = {"RESUME_MAX_ATTEMPTS": "100"}
    vigil.world.at(NOW + minutes(5), vigil.world.line_down)
    vigil.world.at(NOW + 12 * HOUR, vigil.world.line_up)
    _pass(vigil, 13 * HOUR)
    assert len(vigil.world.starts) > 41
    assert min(_waits(vigil)) >= 2
    assert vigil.world.tasks["a"].state == TaskState.RUNNING
    assert _told(vigil) == ["failed", "resumed"]


def test_an_agent_that_comes_and_goes_starts_nothing(vigil: Vigil) -> None:
    """Seen back in every second run, it gives no start beside those of the backoff."""
    vigil.world.line_down()

    def flip(minute: int) -> None:
        vigil.world.connect("a", minute % 2 == 0)

    _pass(vigil, 8 * HOUR, flip)
    assert _waits(vigil)[:4] == [2, 4, 8, 15]
    assert min(_waits(vigil)[4:]) >= 14
    assert _most_in_an_hour(vigil) <= MOST_WITH_CALLS


def _is_gone() -> Answer:
    return Answer(400, {"error_code": "SMS.7703", "error_msg": "The task does not exist."})


def test_a_service_that_now_and_then_has_no_such_task(vigil: Vigil) -> None:
    """At every second read: what is remembered of it stays, and so does the limit of its starts."""
    vigil.world.fail("a", UNCLEAR)
    reads = [0]

    def forget(service: str, operation: str, done: bool) -> Optional[Answer]:
        if (service, operation, done) != (SMS, "read", False):
            return None
        reads[0] += 1
        return _is_gone() if reads[0] % 2 == 0 else None

    vigil.interfere = forget
    _pass(vigil, 8 * HOUR)
    assert len(vigil.world.starts) == 2
    assert _told(vigil) == ["failed", "needs_person", "reminder"]


# Noise


def test_a_line_that_drops_every_quarter_of_an_hour(vigil: Vigil) -> None:
    """The task comes back each time and gets further: half a day of that is five messages."""
    for number in range(45):
        vigil.world.at(NOW + minutes(16 * number + 5), vigil.world.line_down)
        vigil.world.at(NOW + minutes(16 * number + 6), vigil.world.line_up)
    _pass(vigil, 12 * HOUR)
    assert len(vigil.world.starts) == 45
    assert vigil.world.tasks["a"].state == TaskState.RUNNING
    assert _told(vigil) == ["failed", "resumed"] * 2 + ["failed"]


def _show(vigil: Vigil, state: str) -> None:
    """Let the task be read in a state that the simulated cloud may not know."""
    if state in set(TaskState):
        vigil.garbled.clear()
        task = vigil.world.tasks["a"]
        task.state, task.code = state, DISK_FULL if state == TaskState.MIGRATE_FAIL else ""
    else:
        vigil.garbled["a"] = {"id": "a", "name": "web-a", "state": state}


@pytest.mark.parametrize(
    "state", ["INVENTED", "ABORT", "MIGRATE_SUCCESS", "SYNC_F_ROLLBACK_SUCCESS", "MIGRATE_FAIL"]
)
@pytest.mark.parametrize("other", ["ANOTHER", "RUNNING"])
def test_two_states_in_turn_do_not_fill_a_mailbox(vigil: Vigil, state: str, other: str) -> None:
    """Six messages, then one an hour; more only if a person is needed, and then twelve."""
    _pass(vigil, 4 * HOUR, lambda minute: _show(vigil, (state, other)[minute % 2]))
    calls = "needs_person" in _told(vigil)
    assert _most_in_an_hour(vigil) <= (MOST_WITH_CALLS if calls else MOST)
    if not calls:
        assert len(vigil.world.inbox) <= 6 + 4


def test_half_a_letter_in_a_state_is_one_state(vigil: Vigil) -> None:
    """What no file can hold is told once, and not again in each run."""
    _show(vigil, "\ud800")
    _pass(vigil, HOUR)
    assert _told(vigil) == ["unknown_state"]


def test_after_the_noise_the_task_is_told_of_as_before(vigil: Vigil) -> None:
    """The summary has the last word of the noisy hour; from the next hour on all is told."""

    def happens(minute: int) -> None:
        if minute <= 20:
            _show(vigil, ("ABORT", "RUNNING")[minute % 2])
        if minute == 200:
            vigil.world.fail("a", DISK_FULL)

    _pass(vigil, 4 * HOUR, happens)
    assert _told(vigil) == [*["paused"] * 6, "digest", "failed", "needs_person"]
    summary = vigil.world.inbox[6]
    assert summary["at"] == NOW + minutes(1 + 12 + 60)
    assert summary["subject"].startswith("sms_watch info: web-a keeps changing - ")
    assert (
        "(5 notices held back since 2026-11-24 00:16 +00:00). Now in state ABORT."
        in summary["email"]
    )


# The reverse of noise: where nothing happens, though it should


def test_a_task_that_hangs_is_told_once_reminded_of_and_told_to_have_moved_on(vigil: Vigil) -> None:
    """After HANG_MINUTES in a state that a task only passes through; nothing is started."""
    vigil.more = {"HANG_MINUTES": "10"}

    def happens(minute: int) -> None:
        if minute == 5:
            _show(vigil, "RESETING")
        if minute == 300:
            _show(vigil, "RUNNING")

    _pass(vigil, 6 * HOUR, happens)
    assert _told(vigil) == ["hanging", "reminder", "moving"]
    hangs, _, moves = vigil.world.inbox
    assert hangs["at"] == NOW + minutes(16)
    assert "Moved on to RUNNING after 4 h 55 min." in moves["email"]
    assert vigil.world.starts == []


def test_a_start_after_which_nothing_happens_is_told(vigil: Vigil) -> None:
    """A task that was accepted and waits in READY is told as neither failed nor running."""

    def happens(minute: int) -> None:
        if minute == 5:
            vigil.world.fail("a", UNCLEAR)
        if minute == 6:
            _show(vigil, "READY")

    _pass(vigil, 2 * HOUR, happens)
    assert _told(vigil) == ["failed", "hanging"]
    assert len(vigil.world.starts) == 1
