"""Calls that hang or ask for long pauses: what they take from the rest of a run of the handler.

Six tasks fail and would run again if they were started; the service does not answer for one of
them, for the list of source servers, or asks to be left alone for a while.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
import requests

from simulated_cloud.context import LocalContext, timer_event
from simulated_cloud.faults import Fault
from simulated_cloud.task import MOVING, SimTask
from sms_watch.adapters.answers import Answer
from sms_watch.adapters.sdk import TIMEOUT
from sms_watch.handler import handler
from tests.support.clouds import a_night
from tests.support.simulated_run import SimulatedRuns, patched_transport
from tests.support.wakes import RunRecord

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
GOOD = tuple(f"t{number}" for number in range(5))
STUCK = "stuck"
MANY = tuple(f"stuck{number}" for number in range(6))
LONGEST_RUN = timedelta(seconds=55)
Trouble = Callable[[SimulatedRuns], Answer]


def hang(simulated: SimulatedRuns) -> Answer:
    """Answer nothing for as long as anybody waits."""
    simulated.clock.sleep(min(TIMEOUT[1], simulated.patience))
    raise requests.ReadTimeout("no answer")


def throttle(simulated: SimulatedRuns) -> Answer:
    """Ask to be left alone for 20 seconds."""
    return Answer(429, {"error_code": "APIGW.0308", "error_msg": "busy"}, {"Retry-After": "20"})


def be_busy(simulated: SimulatedRuns) -> Answer:
    """Do the same, as one that is overloaded."""
    return Answer(503, {}, {"Retry-After": "20"})


class Hanging(SimulatedRuns):
    """A world in which, once ``trouble`` is set, some tasks or the list of sources have it."""

    def __init__(self, place: str) -> None:
        stuck = MANY if place == "many by their ids" else [STUCK]
        super().__init__(SimTask(name, name, size=50e12) for name in (*GOOD, *stuck))
        self.discovers = place not in ("by its id", "many by their ids")
        self.trouble: Dict[str, Trouble] = {}

    def show_task(self, task_id: str) -> Answer:
        trouble = self.trouble.get("task") if task_id not in GOOD else None
        return trouble(self) if trouble else super().show_task(task_id)

    def list_servers(self, asked: Any) -> Answer:
        trouble = self.trouble.get("sources")
        return trouble(self) if trouble else super().list_servers(asked)

    def tick(self) -> RunRecord:
        """Let the minute end, and the function run."""
        self.clock.set((self.clock.now() + MINUTE).replace(second=0, microsecond=0))
        self.world.advance()
        return self.wake()


PLACES = {
    "by its id": "task",
    "many by their ids": "task",
    "found by listing": "task",
    "list of sources": "sources",
}


@pytest.fixture(params=[hang, throttle, be_busy], ids=lambda trouble: trouble.__name__)
def trouble(request: pytest.FixtureRequest) -> Trouble:
    """Return each trouble."""
    chosen: Trouble = request.param
    return chosen


@pytest.fixture(params=PLACES)
def night(request: pytest.FixtureRequest, trouble: Trouble) -> Iterator[Hanging]:
    """Yield a night in which all tasks fail, and the trouble has just begun."""
    simulated = Hanging(request.param)
    with patched_transport(simulated, lambda: 0.5):
        for _ in range(3):
            simulated.tick()
        for name in simulated.ids:
            simulated.world.fail(name, "SMS.0807", obstacle=False)
        simulated.trouble[PLACES[request.param]] = trouble
        yield simulated


def test_what_hangs_takes_no_start_from_other_tasks(night: Hanging) -> None:
    """They are all started by the first run, which ends in time, and told by it."""
    wake = night.tick()
    assert {start.task_id for start in wake.starts} >= set(GOOD)
    assert wake.ended - wake.begun <= LONGEST_RUN
    assert not wake.failure
    assert {notice["task_id"] for notice in wake.notices} >= set(GOOD)


def test_other_tasks_run_for_as_long_as_it_hangs(night: Hanging) -> None:
    """What breaks in an hour of that is mended like at any other time."""
    for minute in range(60):
        night.tick()
        if minute % 20 == 10:
            for name in GOOD:
                night.world.fail(name, "SMS.0807", obstacle=False)
    assert all(night.world.tasks[name].state in MOVING for name in GOOD)
    assert all(night.world.tasks[name].waited < 3 * timedelta(minutes=5) for name in GOOD)
    assert not any(wake.failure for wake in night.wakes)


@pytest.mark.parametrize("operation", ["start", "publish"])
def test_a_write_that_hangs_leaves_time_to_write_down_what_was_done(
    night: Hanging, operation: str
) -> None:
    """Also after a read that hung: the next run knows of every start, and nothing is told twice."""

    def interfere(service: str, called: str, done: bool) -> None:
        if called == operation and done:
            hang(night)

    night.interfere = interfere
    wake = night.tick()
    assert wake.appends == 2
    assert wake.ended - wake.begun <= LONGEST_RUN
    night.interfere = lambda service, called, done: None
    night.tick()
    assert len(night.world.starts) <= len(night.world.tasks)


class Slow(SimulatedRuns):
    """A world in which each read but that of the first task takes eleven seconds."""

    def __init__(self) -> None:
        super().__init__(SimTask(name, name, size=50e12) for name in "abcd")

    def show_task(self, task_id: str) -> Answer:
        answer = super().show_task(task_id)
        if task_id != "a":
            self.clock.sleep(11)
            self.world.advance()
        return answer


@pytest.mark.parametrize("paused", [True, False], ids=["paused meanwhile", "failed still"])
def test_what_a_person_pauses_while_others_are_read_stays_paused(paused: bool) -> None:
    """It was read as failed half a minute before its start: it is looked at once more."""
    night = Slow()
    with patched_transport(night, lambda: 0.5):
        night.world.advance()
        night.world.fail("a", "SMS.0807", obstacle=False)
        if paused:
            begun = night.clock.now()
            night.world.at(begun + 10 * SECOND, lambda: night.world.resume("a"))
            night.world.at(begun + 14 * SECOND, lambda: night.world.pause("a"))
        wake = night.wake()
        night.clock.sleep(30)
        night.world.advance()
    assert wake.ended - wake.begun > 30 * SECOND
    assert [start.task_id for start in wake.starts] == ([] if paused else ["a"])
    assert night.world.tasks["a"].state == ("ABORT" if paused else "RUNNING")


class _RealTime:
    """The world's date, and seconds that pass."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def test_on_real_sockets_the_others_are_started_too(tmp_path: Path) -> None:
    """A read that hangs is given up in the time of the reads, of a budget of five seconds."""
    with a_night(tmp_path, *(SimTask(name, name) for name in (*GOOD, STUCK))) as night:
        night.texts["RUN_BUDGET_SECONDS"] = "5"
        for name in GOOD:
            night.world.fail(name, "SMS.0807", obstacle=False)
        night.faults.add("show_task", Fault(200, "{}", delay=6), times=3, about=STUCK)
        context = LocalContext(night.texts, "run-1")
        report = handler(
            timer_event(night.clock.now()), context, clock=_RealTime(night.clock.now())
        )
        outcomes = {task["id"]: task["outcome"] for task in report["tasks"]}
    assert outcomes == {**dict.fromkeys(GOOD, "done"), STUCK: None}
    assert _started(night.world.starts) == list(GOOD)


def _started(starts: List[Any]) -> List[str]:
    return [start.task_id for start in starts]
