"""Nights with gaps in which nobody looked: what the messages after them say, and do not."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

from simulated_cloud.faults import Fault
from simulated_cloud.task import SimTask
from tests.support.builders import DISK_FULL, NOW, minutes
from tests.support.clouds import Night, a_night

READS = 3  # tries of a call
BUSY = Fault(503, '{"error_code": "SMS.0001", "error_msg": "busy"}')


def _texts(night: Night, kind: str) -> List[str]:
    return [notice["text"] for notice in night.told if notice["kind"] == kind]


@pytest.mark.parametrize("hours", [2, 7])
def test_a_function_that_did_not_run_has_first_seen_what_it_finds(
    tmp_path: Path, hours: int
) -> None:
    """It failed somewhere in the gap, and nobody knows when."""
    with a_night(tmp_path) as night:
        night.ticks_until(NOW + minutes(21))  # the run in which all tasks are sampled
        night.world.at(NOW + minutes(60), lambda: night.world.fail("a", DISK_FULL))
        night.tick(60 * hours)
        (failed,) = _texts(night, "failed")
    assert failed.startswith("First seen failed (MIGRATE_FAIL) at 2026-11-24 ")
    assert f", after a gap of {hours} h in which nothing was read." in failed


def test_runs_that_could_read_nothing_are_a_gap_before_they_are_told(tmp_path: Path) -> None:
    """Two are not told as blindness, and still nobody knows when in them the task failed."""
    with a_night(tmp_path) as night:
        night.tick(10)
        night.faults.add("show_task", BUSY, times=2 * READS)
        night.world.at(NOW + minutes(12), lambda: night.world.fail("a", DISK_FULL))
        for _ in range(2):
            night.failing_tick(10)
        night.tick(10)
        assert not _texts(night, "blind")
        (failed,) = _texts(night, "failed")
    assert failed.startswith(
        "First seen failed (MIGRATE_FAIL) at 2026-11-24 00:43 +00:00,"
        " after a gap of 20 min in which nothing was read."
    )


def test_a_task_that_finished_in_a_gap_is_first_seen_finished(tmp_path: Path) -> None:
    """When it finished is not known."""
    with a_night(tmp_path, SimTask("a", "web-01", size=9e9)) as night:
        night.tick()
        night.tick(5 * 60)
        (finished,) = _texts(night, "finished")
    assert finished.startswith("Finished (MIGRATE_SUCCESS), first seen at 2026-11-24 05:04 +00:00")
    assert finished.endswith(", after a gap of 5 h in which nothing was read.")


def test_where_every_run_looks_there_is_no_gap(tmp_path: Path) -> None:
    """A failure is seen at a moment, and the run says no more than that."""
    with a_night(tmp_path) as night:
        night.world.at(NOW + minutes(60), lambda: night.world.fail("a", DISK_FULL))
        night.ticks_until(NOW + minutes(61))
        (failed,) = _texts(night, "failed")
    assert failed.startswith("Seen failed (MIGRATE_FAIL) at ")
    assert "gap" not in failed
