"""Every task of the account, found by listing: none is lost, none called gone that is there."""

from __future__ import annotations

import contextlib
import json
from datetime import timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest
from builders import DISK_FULL, LINE_LOST, NOW, a_policy, a_reading, a_situation, a_task, minutes
from clouds import KEY, Night, a_night
from fakes import FakeDeadline, FakeJournal, FakePublisher, FakeService, OneRun

from local.cloud.faults import Fault
from local.cloud.world import SimTask
from sms_watch import parallel
from sms_watch.adapters import sms
from sms_watch.adapters.sdk import Caller
from sms_watch.errors import CloudError
from sms_watch.messages.compose import RunContext
from sms_watch.model.notice import Action, Kind, Outcome, Reason
from sms_watch.model.policy import Scope
from sms_watch.model.task import Listing, Phase
from sms_watch.ports import Ports
from sms_watch.report import Result
from sms_watch.rules.decide import decide
from sms_watch.rules.plan import candidates
from sms_watch.rules.record import Memory
from sms_watch.run import RunRequest, execute
from sms_watch.settings import Credentials
from sms_watch.timetable import Timetable


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Give a night over five tasks, all of which are watched, with two rows a page."""
    tasks = [SimTask(name, f"wave1-{name}", project="p-1") for name in "abcde"]
    with a_night(tmp_path, *tasks) as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sms, "PAGE", 2)
        made.texts["SMS_TASK_IDS"] = "*"
        yield made


def _fail(night: Night, task_id: str, code: str = LINE_LOST) -> None:
    night.world.settle()
    night.world.fail(task_id, code, obstacle=code != LINE_LOST)


def _calls(night: Night) -> Dict[str, int]:
    """Give the calls since the last look."""
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
    assert night.kinds(night.tick()) == ["sees_again"]


def test_without_the_sources_tasks_are_watched_all_the_same(night: Night) -> None:
    """Connections and bytes are then not known, which is said."""
    night.tick()
    _fail(night, "a")
    night.faults.add("list_servers", Fault(500), times=3, about="0")
    report = night.tick()
    assert "unknown in this run" in report["warnings"][-1]
    assert night.kinds(report) == ["failed"]


def test_a_project_without_its_sources_is_not_guessed(night: Night) -> None:
    """Which tasks are asked for is not known then, so the run fails and says so."""
    night.texts["SMS_MIGRATION_PROJECT"] = "p-1"
    night.tick()
    night.faults.add("list_servers", Fault(500), times=3, about="2")
    assert "list source servers from 2" in night.failing_tick()


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
    assert bool(listing.detail) is not known


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
        patch.setattr(parallel, "AT_ONCE", 1)
        report = night.tick()
    assert _calls(night) == {"list_tasks": 2, "publish": 1}
    assert night.kinds(report) == ["failed"]
    assert night.world.starts == []


# A list that changes while it is read


def _listing(night: Night, *pages: Any) -> Listing:
    """Read a list whose pages were prepared."""
    for number, page in enumerate(pages):
        night.faults.add("list_tasks", Fault(200, json.dumps(page)), about=str(number * 2))
    connection = sms.connect(night.server.url, Credentials(KEY.access, KEY.secret))
    try:
        caller = Caller(connection, FakeDeadline(), lambda seconds: None)
        return sms.SmsService(caller).list_tasks("")
    finally:
        connection.close()


def _page(count: Any, *rows: Any) -> Dict[str, Any]:
    named = [{"id": row, "state": "RUNNING"} if isinstance(row, str) else row for row in rows]
    return {"count": count, "tasks": named}


@pytest.mark.parametrize(
    ("pages", "found", "complete"),
    [
        ([_page(4, "a", "b"), _page(4, "c", "d")], "abcd", True),
        ([_page(4, "a", "b"), _page(4, "b", "c")], "abc", False),
        ([_page(4, "a", "b"), _page(3, "d")], "abd", False),
        ([_page(3, "a", "b"), _page(4, "c", "d")], "abcd", False),
        ([_page(4, "a", "b"), _page(4, "c")], "abc", False),
        ([_page(4, "a", "b"), _page(4)], "ab", False),
        ([_page(4, "a", "b"), _page(4, "c", None)], "abc", False),
        ([_page(4, "a", "b"), _page(4, "c", {"state": "RUNNING"})], "abc", False),
        ([_page(4, "a", "b"), _page(4, "c", {"id": "../d", "state": "RUNNING"})], "abc", False),
        ([_page(1, "a")], "a", True),
        ([_page(0)], "", True),
    ],
    ids=[
        *("whole", "a row twice", "a row fewer", "a row more", "a short page", "no last page"),
        *("no row", "a row without id", "a row with no id", "one page", "empty"),
    ],
)
def test_a_list_is_complete_only_when_every_row_was_seen(
    night: Night, pages: List[Any], found: str, complete: bool
) -> None:
    """Each page must tell of as many rows as there are different ones."""
    listing = _listing(night, *pages)
    assert sorted(task.id for task in listing.tasks) == list(found)
    assert listing.complete is complete
    assert bool(listing.detail) is not complete
    assert all(task.listed for task in listing.tasks)


def test_a_row_without_a_state_is_there_all_the_same(night: Night) -> None:
    """Its id shows that the task exists, whatever else it lacks."""
    listing = _listing(night, _page(2, "a", {"id": "b"}))
    assert [task.id for task in listing.tasks] == ["a"]
    assert listing.ids == {"a", "b"}
    assert listing.strange == {"b"}
    assert (listing.complete, listing.broken) == (True, False)


@pytest.mark.parametrize(
    "page",
    [[], None, {}, {"count": 2}, {"tasks": []}, _page("many"), _page(10**6), {"tasks": None}],
    ids=str,
)
def test_a_page_that_is_none_is_an_error_and_never_no_tasks(night: Night, page: Any) -> None:
    """An answer without count and rows says nothing about what there is."""
    for _ in range(2):
        night.faults.add("list_tasks", Fault(200, json.dumps(page)), about="0")
    with pytest.raises(CloudError) as odd:
        _listing(night, page)
    assert odd.value.code == "malformed"


# The rules


def test_a_task_known_from_a_list_alone_is_never_started() -> None:
    """A row may be old: whatever it says, it waits for a reading of its own."""
    listed = a_task(listed=True)
    verdict = decide(a_reading(listed), None).verdict
    assert (verdict.action, verdict.reason) == (Action.WAIT, Reason.NOT_REACHED)
    assert candidates([listed], Memory(), a_situation()) == ("a",)


# Runs against fakes


class Account:
    """The fakes of an account, and runs over all of it."""

    def __init__(self, *task_ids: str) -> None:
        self.service = FakeService(*(a_task(id=task_id) for task_id in task_ids))
        self.journal = FakeJournal()
        self.publisher = FakePublisher()
        self.deadline = FakeDeadline(50.0)
        self.now = NOW

    def run(self, scope: Scope = Scope()) -> Result:  # noqa: B008 - it is a constant
        """Do a run, a minute after the last."""
        self.now += minutes(1)
        context = RunContext("run", self.now, timezone.utc, "https://console.example/")
        return execute(
            RunRequest(context, scope, a_policy()),
            Ports(
                OneRun(self.service),
                self.publisher,
                self.journal,
                self.deadline,
                Timetable(50),
                lambda: f"nonce-{len(self.journal.entries)}",
                lambda text: text.replace("secret", "***"),
            ),
        )


def test_an_old_row_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says failed, the task itself says running: nobody starts or tells anything."""
    account = Account("a")
    account.service.change("a", state="RUNNING", code="")
    account.run()
    stale = Listing((a_task(listed=True),), frozenset({"a"}), True)
    monkeypatch.setattr(account.service, "list_tasks", lambda *asked: stale)
    result = account.run()
    assert account.service.starts == []
    assert result.notices == ()


def test_a_failure_that_only_the_list_shows_is_told_all_the_same() -> None:
    """A task that cannot be read by itself is not started, but its failure is no secret."""
    account = Account("a")
    account.service.change("a", state="RUNNING", code="")
    account.run()
    account.service.change("a", state="MIGRATE_FAIL", code=LINE_LOST)
    account.service.fail_read("a", CloudError("read the task", status=503, retryable=True))
    result = account.run()
    assert account.service.starts == []
    assert [(n.kind, n.verdict.reason) for n in result.notices] == [
        (Kind.FAILED, Reason.NOT_REACHED)
    ]
    assert [n.kind for n in account.run().notices] == []
    assert account.service.starts == ["a"]


def test_a_task_that_the_list_has_lost_is_read_by_itself() -> None:
    """A list that missed a row loses no task: it is started like any other."""
    account = Account("a", "b")
    account.service.stuck = {"a", "b"}
    account.run()
    account.service.unlisted = {"b"}
    account.run()
    account.run()
    assert account.service.starts == ["a", "b", "a", "b"]


def test_a_task_is_gone_only_when_the_list_was_whole() -> None:
    """An answer that it does not exist is doubted while the list is known to be broken."""
    account = Account("a", "b", "c")
    account.run()
    account.run()
    account.service.unlisted = {"c"}
    del account.service.tasks["b"]
    doubted = account.run()
    assert Kind.GONE not in [notice.kind for notice in doubted.notices]
    assert "a part is missing" in next(d.detail for d in doubted.decisions if d.task_id == "b")
    account.service.unlisted = set()
    told = [[notice.kind for notice in account.run().notices] for _ in range(3)]
    assert told == [[], [Kind.GONE], []]


def test_a_secret_in_a_broken_list_is_hidden_wherever_it_is_told() -> None:
    """What a service sends back with an error is in no warning, decision or journal."""
    account = Account("a", "b")
    account.run()
    account.service.unlisted, account.service.why = {"b"}, "refused: secret"
    del account.service.tasks["b"]
    result = account.run()
    said = [*result.warnings, *(decision.detail for decision in result.decisions)]
    assert any("refused: ***" in text for text in result.warnings)
    assert not any("secret" in text for text in said)


def test_what_was_not_reached_is_reported_and_comes_first_in_the_next_run() -> None:
    """A slow hour starves nobody: the tasks that had to wait are the first of the next run."""
    account = Account("a", "b", "c", "d")
    ids = Scope(("a", "b", "c", "d"))
    account.run(ids)
    account.service.reads.clear()
    account.deadline.costs = 15
    late = account.run(ids)
    reasons = {d.task_id: d.verdict.reason for d in late.decisions}
    assert reasons["c"] is reasons["d"] is Reason.NOT_REACHED
    account.deadline.rest, account.deadline.costs = 50, 0
    account.service.reads.clear()
    account.run(ids)
    assert account.service.reads[0] == "c"
    assert set(account.service.reads[:2]) == {"c", "d"}
    account.service.reads.clear()
    account.run(ids)
    assert account.service.reads[0] == "a"


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


def test_a_start_of_a_listed_task_is_told_as_any_other() -> None:
    """Watching by list changes what is read, and nothing of what is told."""
    by_list, by_id = Account("a"), Account("a")
    one, other = by_list.run(), by_id.run(Scope(("a",)))
    assert [n.kind for n in one.notices] == [n.kind for n in other.notices]
    assert one.outcomes == other.outcomes == {"a": Outcome.DONE}
    assert one.decisions[0].task is not None
    assert one.decisions[0].task.phase is Phase.FAILED
