"""Since when nobody had read a task: what memory knows of it, and what it does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, List, Optional

import pytest

from sms_watch.model.notice import Kind
from sms_watch.model.task import Progress, Unread
from sms_watch.rules.call import Call
from sms_watch.rules.record import Memory, WatchRecord
from sms_watch.rules.sight import Sight
from tests.support.builders import NOW, a_policy, a_record, a_running_task, a_task, minutes
from tests.support.planning import a_plan

HERE = Progress(5, 50, 1000, "MIGRATE_LINUX_FILE")
FAILED = a_task(id="a")


def _ran(ago: float, **flat: Any) -> Memory:
    """Return the memory of a task that ran, with its last sample some minutes ago."""
    usual = {"state": "RUNNING", "moved_at": NOW - minutes(ago), "last_progress": HERE}
    record = a_record(failed_event="", since=NOW - minutes(600), **{**usual, **flat})
    return Memory({"a": record})


def _told(memory: Memory, *seen: Any, **policy: Any) -> List[Optional[datetime]]:
    """Return since when it was not read, by the notices of a run that finds the task failed."""
    made = a_plan(seen or (FAILED,), memory, policy=a_policy(**policy))
    return [each.verdict.unread_since for each in made.notices if each.task]


def _ago(told: List[Optional[datetime]]) -> List[Optional[timedelta]]:
    return [NOW - since if since else None for since in told]


@pytest.mark.parametrize(("ago", "known"), [(8, False), (16, False), (90, False), (91, True)])
def test_a_running_task_of_which_nothing_was_written_was_not_read(ago: int, known: bool) -> None:
    """A run that reads it writes a sample or a suspicion; one that stands still may take long."""
    assert _ago(_told(_ran(ago))) == [minutes(ago) if known else None]


@pytest.mark.parametrize("period", [1, 5, 15, 20, 30, 44, 45, 60, 240])
def test_a_gap_that_is_told_is_one_whatever_the_period_of_the_timer(period: int) -> None:
    """Of a task that stands still and is read by every run, none is told but since its last one."""
    still = a_running_task(id="a", progress=HERE, speed=0.0)
    memory, now = Memory(), NOW
    for _ in range(600 // period):
        made = a_plan((still,), memory, now=now)
        assert not [each for each in made.notices if each.verdict.unread_since], now
        memory = Memory({**memory.tasks, **made.tasks}, watch=made.watch or memory.watch)
        failed = a_plan((FAILED,), memory, now=now + minutes(period))
        assert {each.verdict.unread_since for each in failed.notices} <= {None, now}
        now += minutes(period)


@pytest.mark.parametrize(
    "flat",
    [
        {"state": "READY"},
        {"state": "SYNCING"},
        {"last_progress": None, "moved_at": None},
        {"suspected_at": NOW - minutes(100)},
        {"stall": Call("20261124-0-1-stalled", NOW - minutes(100))},
    ],
)
def test_of_what_a_quiet_run_does_not_write_no_gap_is_known(flat: Any) -> None:
    """A task at rest, one that synchronises and one that stands still may have been read often."""
    assert set(_told(_ran(200, **flat))) == {None}


def test_without_a_watch_for_stalls_no_gap_is_known() -> None:
    """Nothing is written of a task that stands still."""
    assert _told(_ran(200), stall=timedelta(0)) == [None]


def test_a_shorter_limit_of_a_stall_shows_a_shorter_gap() -> None:
    """What is written sooner is missed sooner."""
    assert _ago(_told(_ran(16), stall=minutes(10))) == [minutes(16)]


@pytest.mark.parametrize(("ago", "known"), [(2, False), (3, True), (50, True)])
@pytest.mark.parametrize("state", ["RUNNING", "READY", "SYNCING"])
def test_runs_that_could_read_nothing_are_a_gap(state: str, ago: int, known: bool) -> None:
    """However few they are, told or not; but for a passing fault."""
    blind = WatchRecord(2, NOW - minutes(ago))
    memory = Memory(_ran(ago + 1, state=state).tasks, watch=blind)
    assert set(_ago(_told(memory))) == {minutes(ago) if known else None}


def test_a_task_that_runs_passed_over_has_a_gap_of_its_own() -> None:
    """The account had no call left for it; the others were read."""
    watch = WatchRecord(unread={"a": Sight(NOW - minutes(20), passed_at=NOW - minutes(20))})
    memory = Memory({**_ran(21).tasks, "b": a_record(state="RUNNING")}, watch=watch)
    made = a_plan((FAILED, a_task(id="b")), memory)
    told = {each.task.id: each.verdict.unread_since for each in made.notices if each.task}
    assert told == {"a": NOW - minutes(20), "b": None}


def test_a_list_that_shows_a_task_leaves_no_gap() -> None:
    """It cannot be read by itself, but its row was seen in every run."""
    watch = WatchRecord(unread={"a": Sight(NOW - minutes(20), 2)})
    memory = Memory(_ran(8).tasks, watch=watch)
    row = Unread("a", "HTTP 403", row=a_task(id="a", listed=True))
    assert set(_told(memory, row)) == {None}


def test_a_silence_before_runs_that_read_nothing_belongs_to_the_gap() -> None:
    """The function did not run, and when it did it could read nothing at first."""
    memory = Memory(_ran(200).tasks, watch=WatchRecord(2, NOW - minutes(10)))
    assert _ago(_told(memory)) == [minutes(200)]


def test_at_first_sight_there_is_no_gap() -> None:
    """Nothing was read before, and nobody expected it."""
    watch = WatchRecord(2, NOW - minutes(30))
    assert _told(Memory(watch=watch)) == [None]


def test_notices_about_the_watching_have_none() -> None:
    """That tasks can be read again says itself how long they could not."""
    blind = WatchRecord(3, NOW - minutes(30), "20261124-0-0-blind")
    told = frozenset({blind.event_id})
    made = a_plan((FAILED,), Memory(_ran(31).tasks, watch=blind, told=told))
    sighted = next(each for each in made.notices if each.kind is Kind.SIGHTED)
    assert sighted.verdict.unread_since is None
