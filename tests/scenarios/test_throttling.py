"""An account that makes more calls than the service allows: what a run still does."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Iterator, List

import pytest

from simulated_cloud.faults import Fault
from simulated_cloud.task import SimTask
from simulated_cloud.variants import Variants
from sms_watch.model.task import TaskState
from sms_watch.parallel import CONCURRENT_CALLS
from tests.support.builders import minutes
from tests.support.clouds import Night, a_night
from tests.support.network_faults import WINDOW
from tests.support.simulated_run import SimulatedRuns, patched_transport
from tests.support.wakes import RunRecord

LIMIT, TASKS = 20, 30


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Yield a night over more tasks than may be read in a minute, or listed; the first failed."""
    failed = SimTask("t00", "web-00", state=TaskState.MIGRATE_FAIL, code="SMS.0807")
    others = [SimTask(f"t{number:02}", f"web-{number:02}") for number in range(1, TASKS)]
    with a_night(tmp_path, failed, *others) as made:
        made.faults.add("list_tasks", Fault(403), times=99)
        for task in others[LIMIT - 1 :]:
            made.faults.add("show_task", Fault(429, WINDOW), about=task.id)
        yield made


def test_a_throttled_run_reads_no_further(night: Night) -> None:
    """Whatever is under way comes back; no second try, and no further read, is sent."""
    counts = night.tick()["counts"]
    assert counts["unread"] == TASKS - LIMIT
    assert night.calls["show_task"] <= LIMIT + CONCURRENT_CALLS < TASKS


def test_a_task_that_was_not_read_says_why(
    night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gateway's code is in the report and in the log, also for those that were not sent."""
    report = night.tick()
    unread = [task for task in report["tasks"] if task["state"] is None]
    assert len(unread) == TASKS - LIMIT
    assert all("APIGW.0308" in task["detail"] for task in unread)
    assert {task["reason"] for task in unread} == {"throttled"}
    assert capsys.readouterr().out.count("APIGW.0308") >= len(unread)


def test_a_throttled_run_starts_what_it_could_read(night: Night) -> None:
    """A start is sent, once, though reads were throttled."""
    report = night.tick()
    assert report["counts"]["accepted"] == 1
    assert night.calls["start_task"] == 1


def test_the_next_run_reads_what_this_one_did_not(night: Night) -> None:
    """The window is over, and all are read."""
    night.tick()
    night.faults.clear("show_task")
    assert night.tick()["counts"]["unread"] == 0


# For hours, in an account that is watched by listing


@pytest.fixture
def hours() -> Iterator[SimulatedRuns]:
    """Yield a watch over twelve tasks; all fail, and for some runs nothing but the list is read."""
    simulated = SimulatedRuns(
        SimTask(f"t{number:02}", f"web-{number}", size=300e12) for number in range(12)
    )
    simulated.discovers = True
    with patched_transport(simulated, Random(0).random):  # noqa: S311 - for pauses, no secret
        simulated.wake()
        simulated.world.line_down()
        _pass(simulated, 5, reads_a_minute=2)
        yield simulated


def _pass(simulated: SimulatedRuns, runs: int, reads_a_minute: int) -> List[RunRecord]:
    """Let some runs pass, five minutes apart; the list takes two reads of each."""
    simulated.variants = Variants(reads_a_minute=reads_a_minute)
    for _ in range(runs):
        simulated.clock.set(simulated.clock.now() + minutes(5))
        simulated.world.advance()
        simulated.wake()
    return simulated.wakes[-runs:]


def _told(simulated: SimulatedRuns) -> List[str]:
    return [notice["kind"] for wake in simulated.wakes for notice in wake.notices]


def test_under_a_tight_limit_each_failed_task_has_its_turn(hours: SimulatedRuns) -> None:
    """Those that were not read longest are read first, so none of them stands for hours."""
    wakes = _pass(hours, 24, reads_a_minute=5)
    for task_id in hours.ids:
        turns = [-1, *(n for n, wake in enumerate(wakes) if task_id in wake.reads), len(wakes)]
        # Twelve tasks, three in each run.
        assert max(later - turn for turn, later in zip(turns, turns[1:])) <= 12 / 3 + 1
    hours.world.line_up()
    _pass(hours, 8, reads_a_minute=5)
    assert {task.state for task in hours.world.all()} == {TaskState.RUNNING}


def test_a_throttled_task_is_not_told_as_one_that_cannot_be_read(hours: SimulatedRuns) -> None:
    """That too many calls were made says nothing of a task."""
    _pass(hours, 24, reads_a_minute=5)
    assert {"failed", "needs_person"} <= set(_told(hours))
    assert not {"unreadable", "readable"} & set(_told(hours))


def test_a_run_writes_of_those_that_wait_no_more_than_changed() -> None:
    """Of a hundred that wait for hours a few have their turn in each run."""
    simulated = SimulatedRuns(
        SimTask(f"t{number:02}", f"web-{number}", size=300e12) for number in range(100)
    )
    reads, lines = 4, []
    with patched_transport(simulated, Random(0).random):  # noqa: S311 - for pauses, no secret
        for _ in range(36):
            simulated.written.clear()
            simulated.variants = Variants(reads_a_minute=reads, may_list=False)
            simulated.clock.set(simulated.clock.now() + minutes(5))
            simulated.world.advance()
            simulated.wake()
            plans = [line for line in simulated.written if b'"type":"plan"' in line]
            lines.append(max(map(len, plans)))
    assert lines[0] > 5_000
    # One stops waiting where another begins to; and there are records of those that were read.
    assert max(lines[2:]) < 700 + reads * (2 * 150 + 60)


def test_a_start_that_the_limit_holds_up_calls_a_person(hours: SimulatedRuns) -> None:
    """Once, when it has waited longer than any start waits, with the reason."""
    assert _told(hours).count("needs_person") == len(hours.ids)
    assert "SMS limits how many calls the account makes" in hours.world.inbox[-1]["default"]
