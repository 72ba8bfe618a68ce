"""An account that makes more calls than the service allows: what a run still does."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest
from clouds import Night, a_night
from wire import WINDOW

from local.cloud.faults import Fault
from local.cloud.world import SimTask
from sms_watch.model.task import TaskState
from sms_watch.parallel import AT_ONCE

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
    assert night.calls["show_task"] <= LIMIT + AT_ONCE < TASKS


def test_a_task_that_was_not_read_says_why(
    night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gateway's code is in the report and in the log, also for those that were not sent."""
    report = night.tick()
    unread = [task for task in report["tasks"] if task["state"] is None]
    assert len(unread) == TASKS - LIMIT
    assert all("APIGW.0308" in task["detail"] for task in unread)
    assert {task["reason"] for task in unread} == {"unreadable", "not_reached"}
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
