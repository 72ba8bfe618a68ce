"""Every task of the account, found by listing: none is lost, none called gone that is there."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Dict, Iterator, Optional

import pytest

from simulated_cloud.faults import Fault
from simulated_cloud.task import SimTask
from sms_watch import parallel
from sms_watch.adapters import sms
from sms_watch.adapters.sdk import Caller
from sms_watch.errors import CloudError
from sms_watch.settings.values import Credentials
from tests.support.builders import (
    DISK_FULL,
    LINE_LOST,
)
from tests.support.clouds import KEY, Night, a_night
from tests.support.fakes import FakeDeadline


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Return a night over five tasks, all of which are watched, with two rows a page."""
    tasks = [SimTask(name, f"wave1-{name}", project="p-1") for name in "abcde"]
    with a_night(tmp_path, *tasks) as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sms, "PAGE", 2)
        made.texts["SMS_TASK_IDS"] = "*"
        yield made


def _fail(night: Night, task_id: str, code: str = LINE_LOST) -> None:
    night.world.advance()
    night.world.fail(task_id, code, obstacle=code != LINE_LOST)


def _calls(night: Night) -> Dict[str, int]:
    """Return the calls since the last look."""
    made = dict(night.calls)
    night.calls.clear()
    return made


# Through the handler


def test_all_tasks_are_found_page_by_page(night: Night) -> None:
    """Three pages of tasks and three of sources are all that a run over five tasks needs."""
    report = night.tick()
    assert [task["id"] for task in report["tasks"]] == list("abcde")
    assert _calls(night) == {"list_tasks": 3, "list_servers": 3}
    assert report["notices"] == []


def test_a_failed_task_is_read_by_itself_and_started_in_the_same_run(night: Night) -> None:
    """The list says that it failed; what it is started on is a reading of its own."""
    night.tick()
    _fail(night, "d")
    _calls(night)
    report = night.tick()
    assert night.kinds(report) == ["failed"]
    assert [start.task_id for start in night.world.starts] == ["d"]
    calls = _calls(night)
    assert (calls["show_task"], calls["start_task"]) == (1, 1)
    assert night.kinds(night.tick()) == ["resumed"]


def test_a_failed_task_that_is_not_due_is_not_read_by_itself(night: Night) -> None:
    """What no start can mend is told from the list, and costs nothing more."""
    night.tick()
    _fail(night, "b", DISK_FULL)
    _calls(night)
    assert night.kinds(night.tick()) == ["failed", "needs_person"]
    assert "show_task" not in _calls(night)
    assert "show_task" not in (night.tick() and _calls(night))


def test_a_new_task_is_picked_up(night: Night) -> None:
    """A task that is made while the watchdog runs is watched from then on."""
    night.tick()
    night.world.add(SimTask("f", "wave1-f"))
    assert night.tick()["counts"]["tasks"] == 6
    _fail(night, "f")
    assert night.kinds(night.tick()) == ["failed"]


def test_a_vanished_task_is_told_once(night: Night) -> None:
    """A whole list without it, and SMS saying so when asked: it is gone."""
    night.tick()
    night.world.delete("c")
    assert [night.kinds(night.tick()) for _ in range(2)] == [[], ["gone"]]
    _calls(night)
    assert night.kinds(night.tick()) == []
    assert "show_task" not in _calls(night)


def test_a_finished_task_that_is_deleted_is_no_loss(night: Night) -> None:
    """People clear away what is done; nobody needs a message for that."""
    night.world.add(SimTask("f", "wave1-f", copied=490e9))
    night.tick()
    assert night.kinds(night.tick(20)) == ["finished"]
    night.world.delete("f")
    assert night.kinds(night.tick()) == []
    assert night.kinds(night.tick()) == []


def test_what_was_at_rest_before_is_only_remembered(night: Night) -> None:
    """Of a hundred finished and paused tasks of last year nobody wants to hear."""
    night.world.pause("a")
    night.world.clock.sleep(30)
    _fail(night, "b", DISK_FULL)
    assert night.kinds(night.tick()) == ["failed", "needs_person"]
    night.world.resume("a")
    night.tick()
    night.world.pause("a")
    assert night.kinds(night.tick()) == ["paused"]


def test_names_and_projects_choose(night: Night) -> None:
    """Only tasks of that project whose name matches are watched."""
    night.world.tasks["b"].project = "p-2"
    night.texts["SMS_TASK_NAMES"] = "*-a, *-b *-c"
    night.texts["SMS_MIGRATION_PROJECT"] = "p-1"
    assert [task["id"] for task in night.tick()["tasks"]] == ["a", "c"]


@pytest.mark.parametrize("project", ["", "p-1"])
def test_rows_are_used_though_the_list_of_sources_fails(night: Night, project: str) -> None:
    """Of a project those that are known to be of it; which new ones are, nobody can tell."""
    night.texts["SMS_MIGRATION_PROJECT"] = project
    night.tick()
    night.world.add(SimTask("f", "wave1-f", project="p-2"))
    night.faults.add("list_servers", Fault(500, "{}"), times=-1)
    _fail(night, "d")
    report = night.tick()
    # Whatever is new stands under the id of a part of the list.
    seen = [task["id"] for task in report["tasks"] if task["state"]]
    assert seen == list("abcde" if project else "abcdef")
    assert ("*" in [task["id"] for task in report["tasks"]]) is bool(project)
    assert [start.task_id for start in night.world.starts] == ["d"]
    assert night.kinds(report) == ["failed"]
    assert "connections and copied bytes are unknown in this run" in report["warnings"][0]


def test_a_task_that_is_renamed_out_of_sight_is_told_once(night: Night) -> None:
    """It is watched no more, until it has its name back."""
    night.texts["SMS_TASK_NAMES"] = "wave1-*"
    night.tick()
    night.world.rename("a", "done-a")
    assert [night.kinds(night.tick()) for _ in range(4)] == [[], ["gone"], [], []]
    assert "No longer watched: it is now named 'done-a'" in night.told[0]["text"]
    assert [task["id"] for task in night.tick()["tasks"]] == list("bcde")
    night.world.rename("a", "wave1-a")
    assert [night.kinds(night.tick()) for _ in range(2)] == [["readable"], []]
    assert "Exists again (RUNNING) after 5 min." in night.told[1]["text"]


def test_other_settings_call_no_task_gone(night: Night) -> None:
    """Who watches fewer tasks than before knows that."""
    night.tick()
    night.texts["SMS_TASK_NAMES"] = "*-a"
    assert [night.kinds(night.tick()) for _ in range(3)] == [[], [], []]


def test_a_known_task_whose_row_makes_no_sense_is_watched_all_the_same(night: Night) -> None:
    """Run after run: it is read by itself, and started like any other."""
    night.tick()
    rows = [{"id": "a", "state": "RUNNING"}, {"id": "b"}]
    night.faults.add(
        "list_tasks", Fault(200, json.dumps({"count": 5, "tasks": rows})), times=3, about="0"
    )
    _fail(night, "b")
    assert [night.kinds(night.tick()) for _ in range(2)] == [["failed"], ["resumed"]]


def test_an_account_without_tasks_is_wondered_at(night: Night) -> None:
    """A wrong region shows an empty list, so the report says what to check."""
    for task_id in "abcde":
        night.world.delete(task_id)
    report = night.tick()
    assert report["tasks"] == []
    assert "SMS_REGION" in report["warnings"][-1]


def test_names_that_nobody_has_are_wondered_at(night: Night) -> None:
    """A pattern with a slip in it would watch nothing, in silence."""
    night.texts["SMS_TASK_NAMES"] = "wvae*"
    assert "SMS_TASK_NAMES" in night.tick()["warnings"][-1]


@pytest.mark.parametrize("offset", ["2", "4"])
def test_a_page_that_cannot_be_read_loses_no_task(night: Night, offset: str) -> None:
    """Known tasks on it are read by themselves; none is called gone; the report says why."""
    night.tick()
    _fail(night, "c")
    _fail(night, "e")
    night.world.delete("a")
    night.world.add(SimTask("f", "wave1-f"))
    night.world.add(SimTask("g", "wave1-g"))
    night.faults.add("list_tasks", Fault(500), times=3, about=offset)
    report = night.tick()
    assert "could not be read" in report["warnings"][-1]
    assert night.kinds(report) == ["failed", "failed"]
    assert night.kinds(night.tick()) == ["resumed", "resumed"]
    assert night.kinds(night.tick()) == ["gone"]


def test_a_page_that_cannot_be_read_for_long_is_told_and_so_is_its_end(night: Night) -> None:
    """Known tasks on it are read by themselves; those that nobody knows are not watched."""
    night.tick()
    night.faults.add("list_tasks", Fault(500), times=5 * 3, about="2")
    told = [night.kinds(night.tick()) for _ in range(7)]
    assert told == [[], [], ["unreadable"], [], [], ["readable"], []]
    assert night.subjects == [
        "sms_watch warning: a part of the list of tasks cannot be read",
        "sms_watch info: a part of the list of tasks can be read again",
    ]
    assert "tasks in it that are new are not watched" in night.told[0]["text"]


def test_the_right_to_list_alone_calls_a_person(night: Night) -> None:
    """What failed is told at once; that nobody can start it is told in time, with the right."""
    night.tick()
    night.faults.add("show_task", Fault(403, '{"error_code": "SMS.9004"}'), times=-1)
    _fail(night, "b")
    told = [night.kinds(night.tick()) for _ in range(4)]
    assert told == [["failed"], [], ["unreadable", "needs_person"], []]
    assert night.world.starts == []
    assert "grant sms:" in night.told[1]["text"]
    assert "It cannot be restarted before it can be read by ID" in night.told[2]["text"]


def test_without_the_list_a_run_is_blind(night: Night) -> None:
    """Where not even the first page can be read the run fails, and after three people hear."""
    night.tick()
    night.faults.add("list_tasks", Fault(503), times=9, about="0")
    assert "no task could be read" in night.failing_tick()
    night.failing_tick()
    night.failing_tick()
    assert night.told[-1]["kind"] == "blind"
    assert night.kinds(night.tick()) == ["sighted"]


def test_without_the_sources_tasks_are_watched_all_the_same(night: Night) -> None:
    """Connections and bytes are then not known, which is said."""
    night.tick()
    _fail(night, "a")
    night.faults.add("list_servers", Fault(500), times=3, about="0")
    report = night.tick()
    assert "unknown in this run" in report["warnings"][-1]
    assert night.kinds(report) == ["failed"]


def test_a_project_without_its_sources_is_not_guessed(night: Night) -> None:
    """Which of them are asked for is not known then, so a run that knows none fails and says so."""
    night.texts["SMS_MIGRATION_PROJECT"] = "p-1"
    night.faults.add("list_servers", Fault(500), times=3, about="0")
    assert "list source servers from 0" in night.failing_tick()
    assert len(night.tick()["tasks"]) == 5


@pytest.mark.parametrize(("project", "known"), [("", False), ("p-1", True)])
def test_the_sources_have_an_end_of_their_own_where_a_run_can_do_without_them(
    night: Night, project: str, known: bool
) -> None:
    """The tasks are there without them, unless it is they who say which ones are asked for."""
    connection = sms.connect(night.server.url, Credentials(KEY.access, KEY.secret))
    reads, over = (Caller(connection, FakeDeadline(rest), print) for rest in (50, 0))
    try:
        listing = sms.SmsService(reads, sources=over).list_tasks(project)
    finally:
        connection.close()
    assert sorted(task.id for task in listing.tasks) == list("abcde")
    assert all((task.connected is not None) is known for task in listing.tasks)
    assert bool(listing.without_sources) is not known


@pytest.mark.parametrize(("most", "called"), [(None, 3), (5, 0)])
def test_a_list_in_place_of_reads_has_the_end_of_what_a_run_can_do_without(
    night: Night, most: Optional[int], called: int
) -> None:
    """A list that hangs leaves time to read the tasks one by one."""
    connection = sms.connect(night.server.url, Credentials(KEY.access, KEY.secret))
    reads, over = (Caller(connection, FakeDeadline(rest), print) for rest in (50, 0))
    try:
        with contextlib.suppress(CloudError):
            sms.SmsService(reads, sources=over).list_tasks("", most)
    finally:
        connection.close()
    assert night.calls.get("list_tasks", 0) == called


def test_an_agent_that_is_away_is_known_from_its_source(night: Night) -> None:
    """The list of tasks does not tell the connection; that of the sources does."""
    night.tick()
    night.world.tasks["b"].connected = False
    _fail(night, "b")
    report = night.tick()
    (failed,) = [task for task in report["tasks"] if task["id"] == "b"]
    assert (failed["action"], failed["reason"]) == ("wait", "disconnected")
    night.world.tasks["b"].connected = True
    night.tick()
    assert len(night.world.starts) == 1


def test_refused_keys_are_tried_once(night: Night) -> None:
    """A row of refusals locks the key, so the first page goes alone."""
    night.faults.add("list_tasks", Fault(401, '{"error_code": "APIGW.0301"}'), times=9)
    assert "APIGW.0301" in night.failing_tick()
    assert _calls(night) == {"list_tasks": 1}


def test_keys_that_a_later_page_is_refused_for_are_not_tried_again(night: Night) -> None:
    """A refusal of any call ends the calls to SMS of that run, reads of due tasks included."""
    night.tick()
    _fail(night, "a")
    _calls(night)
    night.faults.add("list_tasks", Fault(401, '{"error_code": "APIGW.0301"}'), about="2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "CONCURRENT_CALLS", 1)
        report = night.tick()
    assert _calls(night) == {"list_tasks": 2, "publish": 1}
    assert night.kinds(report) == ["failed"]
    assert night.world.starts == []


def test_the_bytes_of_the_list_go_with_the_task(night: Night) -> None:
    """A start remembers the bytes that had been copied, so that more of them are progress."""
    night.tick()
    _fail(night, "a")
    night.tick()
    lines = [
        json.loads(line) for line in sorted(night.journal.iterdir())[-1].read_text().splitlines()
    ]
    marks = [
        line["tasks"]["a"]["starts"]["furthest"]
        for line in lines
        if "furthest" in str(line.get("tasks"))
    ]
    assert marks[0]["copied"] == int(night.world.tasks["a"].copied) > 0
