"""Many tasks that are named by their ids, found with one list: told and started as if read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

import pytest

from simulated_cloud.faults import Fault
from simulated_cloud.task import SimTask
from sms_watch import observe
from tests.support.builders import DISK_FULL, LINE_LOST
from tests.support.clouds import Night, a_night

STOPPED, FORBIDDEN = "SMS.0504", '{"error_code": "SMS.9004"}'
NAMES = "abcdefghij"


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Yield a night over ten tasks that are named; an eleventh is not."""
    with a_night(tmp_path, *(SimTask(name, f"web-{name}") for name in NAMES)) as made:
        made.world.add(SimTask("other", "web-other"))
        made.tick()
        made.calls.clear()
        yield made


def _fail(night: Night, task_id: str, code: str = LINE_LOST) -> None:
    night.world.advance()
    night.world.fail(task_id, code, obstacle=code != LINE_LOST)


def _calls(night: Night, minutes: float = 1) -> Dict[str, int]:
    """Let minutes pass and wake the function; return the calls to the migration service."""
    night.calls.clear()
    night.tick(minutes)
    return {name: night.calls[name] for name in night.calls if name != "publish"}


def test_a_quiet_run_over_many_ids_makes_two_calls(night: Night) -> None:
    """One page of tasks and one of their sources; of what is not named nothing is said."""
    assert _calls(night) == {"list_tasks": 1, "list_servers": 1}
    assert night.tick()["counts"]["tasks"] == len(NAMES)


def test_a_failed_task_is_read_by_itself_and_started_in_the_same_run(night: Night) -> None:
    """What it is started on is a reading of its own."""
    _fail(night, "d")
    assert _calls(night) == {
        "list_tasks": 1,
        "list_servers": 1,
        "show_task": 1,
        "start_task": 1,
    }
    assert [start.task_id for start in night.world.starts] == ["d"]


def test_no_task_is_started_from_a_row(night: Night) -> None:
    """One that the list says has failed, and that cannot be read, is told and left alone."""
    night.faults.add("show_task", Fault(403, FORBIDDEN), times=-1)
    _fail(night, "d")
    told = [night.kinds(night.tick()) for _ in range(4)]
    assert told == [["failed"], [], ["unreadable", "needs_person"], []]
    assert night.world.starts == []


@pytest.mark.parametrize("code", [DISK_FULL, STOPPED])
def test_a_failed_task_that_no_start_is_due_for_is_read_by_itself(night: Night, code: str) -> None:
    """Whether it is nothing for a start, or has spent its attempts."""
    night.texts["RESUME_MAX_ATTEMPTS"] = "1"
    _fail(night, "d", code)
    night.tick()
    night.tick(30)
    starts = len(night.world.starts)
    assert _calls(night) == {"list_tasks": 1, "list_servers": 1, "show_task": 1}
    assert len(night.world.starts) == starts == (code == STOPPED)


def test_a_failed_task_that_can_be_read_again_is_told_as_such(night: Night) -> None:
    """Though no start is due for it."""
    night.faults.add("show_task", Fault(403, FORBIDDEN), times=3)
    _fail(night, "d", DISK_FULL)
    told = [night.kinds(night.tick()) for _ in range(5)]
    assert told == [["failed", "needs_person"], [], ["unreadable"], ["readable"], []]


def _night_of_troubles(night: Night) -> List[Tuple[str, Callable[..., Any], Sequence[Any]]]:
    """Return what happens, one thing every quarter of an hour."""
    world = night.world
    return [
        ("the line of one breaks", world.fail, ("a", LINE_LOST)),
        ("one stops, and no start mends it", world.fail, ("b", STOPPED)),
        ("one has no room", world.fail, ("c", DISK_FULL)),
        ("somebody pauses one", world.pause, ("d",)),
        ("an agent goes", world.connect, ("e", False)),
        ("one stands still", world.freeze, ("f",)),
        ("one is too fast", world.overspeed, ("g",)),
        ("one is deleted", world.delete, ("h",)),
        ("the agent is back", world.connect, ("e", True)),
        ("it goes on", world.thaw, ("f",)),
        ("the line is back", world.clear, ("a",)),
        ("the line of another breaks", world.fail, ("i", LINE_LOST)),
        ("its room is made", world.clear, ("c",)),
        ("the pause is over", world.resume, ("d",)),
    ]


def _played(place: Path) -> Tuple[List[Any], List[str], Dict[str, int]]:
    """Play a night of troubles; return what was told, what was started, and the calls."""
    with a_night(place, *(SimTask(name, f"web-{name}") for name in NAMES)) as night:
        night.texts.update(RESUME_MAX_ATTEMPTS="2", REMIND_HOURS="1", STALL_MINUTES="30")
        night.tick()
        for _, happens, about in _night_of_troubles(night):
            night.world.advance()
            happens(*about)
            for _ in range(3):
                night.tick(5)
        told = [(each["at"], each["kind"], each["task_id"], each["code"]) for each in night.told]
        starts = [f"{start.at:%H:%M} {start.task_id}" for start in night.world.starts]
        return told, starts, dict(night.calls)


def test_a_night_of_troubles_is_told_alike_by_list_and_by_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same notices at the same time, calls and reminders with them, and the same starts."""
    listed = _played(tmp_path / "listed")
    monkeypatch.setattr(observe, "MANY", len(NAMES))
    read = _played(tmp_path / "read")
    assert listed[:2] == read[:2]
    kinds = {kind for _, kind, _, _ in listed[0]}
    assert {"failed", "needs_person", "reminder", "stalled", "disconnected", "gone"} <= kinds
    assert (listed[2]["list_tasks"], "list_tasks" in read[2]) == (43, False)


def test_an_account_without_the_right_to_list_is_asked_every_hour(night: Night) -> None:
    """It says once what it would gain, and lists from then on that it may."""
    night.faults.add("list_tasks", Fault(403, FORBIDDEN), times=-1)
    reports, lists = [], []
    for _ in range(62):
        night.calls.clear()
        reports.append(night.tick())
        lists.append(night.calls.get("list_tasks", 0))
    assert [minute for minute, asked in enumerate(lists) if asked] == [0, 60, 61]
    assert [minute for minute, each in enumerate(reports) if each["warnings"]] == [0]
    assert "with the right to list them, sms:server:listTask" in reports[0]["warnings"][0]
    night.faults.clear("list_tasks")
    assert [_calls(night) for _ in range(2)] == [{"list_tasks": 1, "list_servers": 1}] * 2


@pytest.mark.parametrize(
    ("operation", "status"),
    [("list_tasks", 403), ("list_tasks", 429), ("list_tasks", 500), ("list_servers", 403)],
)
def test_where_a_list_fails_all_are_read_in_the_same_run(
    night: Night, operation: str, status: int
) -> None:
    """Also where keys may not list the sources: a reading may tell the connection, rows do not."""
    night.faults.add(operation, Fault(status, "{}"), times=3)
    calls = _calls(night)
    assert calls["show_task"] == len(NAMES)
    assert night.tick()["counts"]["unread"] == 0


@pytest.mark.parametrize("status", [429, 500])
def test_rows_are_used_though_the_list_of_sources_fails(night: Night, status: int) -> None:
    """What has failed, or is in no row, is read by itself; what is not known is no news."""
    night.faults.add("list_servers", Fault(status, "{}"), times=-1)
    _fail(night, "d")
    report = night.tick()
    # Once, and once more right before its start, for the tries of the list take a while.
    assert night.calls["show_task"] <= 2
    assert [start.task_id for start in night.world.starts] == ["d"]
    (warning,) = report["warnings"]
    assert warning.startswith("connections and copied bytes are unknown in this run: list source")
    assert night.kinds(report) == ["failed"]
    assert [night.kinds(night.tick()) for _ in range(3)] == [["resumed"], [], []]


def test_among_many_other_tasks_few_are_read_by_their_ids(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that takes more than the reads do is left after its first page, for an hour."""
    monkeypatch.setattr(observe, "ROWS_OF_A_READ", 1)
    assert _calls(night) == {"list_tasks": 1, "show_task": len(NAMES)}
    assert _calls(night) == {"show_task": len(NAMES)}
    assert night.tick()["warnings"] == []
