"""Nights through the real handler, the real SDK, and a simulated cloud on loopback."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Iterator

import pytest

from simulated_cloud.faults import Fault
from simulated_cloud.task import SimTask
from sms_watch.model.task import TaskState
from tests.support.builders import DISK_FULL, LINE_LOST, NOW
from tests.support.clouds import Night, a_night

HOUR = timedelta(hours=1)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Return a night over one task that copies."""
    with a_night(tmp_path) as made:
        yield made


def _fail(night: Night, code: str = LINE_LOST, task_id: str = "a") -> None:
    night.world.advance()
    night.world.fail(task_id, code, obstacle=code != LINE_LOST)


# The night that it is all about


def test_a_task_that_fails_at_midnight_runs_again_within_two_minutes(night: Night) -> None:
    """The line drops for a moment: one message for the failure, one for the end of it."""
    night.tick()
    _fail(night)
    report = night.tick()
    assert night.kinds(report) == ["failed"]
    assert report["tasks"][0]["action"] == "start"
    assert report["tasks"][0]["outcome"] == "done"
    report = night.tick()
    assert night.kinds(report) == ["resumed"]
    assert night.world.tasks["a"].state == TaskState.RUNNING
    assert night.subjects == [
        "sms_watch warning: web-01 failed (SMS.0807) and was restarted",
        "sms_watch info: web-01 is running again",
    ]


def test_a_task_that_runs_again_at_once_is_told_as_that_a_minute_later(tmp_path: Path) -> None:
    """An accepted start is a request: that it has helped is what the next reading says."""
    with a_night(tmp_path, SimTask("a", "web-01", picks_up_after=0)) as night:
        _fail(night)
        report = night.tick()
        assert night.kinds(report) == ["failed"]
        assert report["tasks"][0]["outcome"] == "done"
        assert night.calls["show_task"] == 1
        assert [night.kinds(night.tick()) for _ in range(2)] == [["resumed"], []]
        failed, resumed = (notice["event_id"] for notice in night.told)
        assert resumed == f"{failed}-end"


def test_an_outage_of_25_minutes_is_two_messages(tmp_path: Path) -> None:
    """Three tasks, one broken line: people hear of its beginning and of its end."""
    tasks = [SimTask(name, f"web-{name}") for name in "abc"]
    with a_night(tmp_path, *tasks) as night:
        night.world.at(NOW + timedelta(minutes=5), night.world.line_down)
        night.world.at(NOW + timedelta(minutes=30), night.world.line_up)
        night.ticks_until(NOW + HOUR)
        assert len(night.world.inbox) == 2
        assert all(task.state == TaskState.RUNNING for task in tasks)
        assert all(task.waited <= timedelta(minutes=16) for task in tasks)


def test_an_outage_of_a_night_calls_a_person_once_and_is_overcome(tmp_path: Path) -> None:
    """In eight hours without a line, a call for help and its reminder join the usual two."""
    with a_night(tmp_path) as night:
        night.world.at(NOW + timedelta(minutes=5), night.world.line_down)
        night.world.at(NOW + 8 * HOUR, night.world.line_up)
        night.ticks_until(NOW + 9 * HOUR)
        assert night.subjects == [
            "sms_watch warning: web-01 failed (SMS.0807) and was restarted",
            "sms_watch critical: web-01 needs attention (SMS.3802)",
            "sms_watch warning: web-01 still needs attention (SMS.3802)",
            "sms_watch info: web-01 is running again",
        ]
        for call in night.world.inbox[1:3]:
            assert "It keeps being retried every 15 min, but please investigate." in call["email"]
        assert len(night.world.starts) <= 8 * 4 + 5
        assert night.world.tasks["a"].waited <= timedelta(minutes=16)


def test_what_a_start_cannot_mend_is_never_started(night: Night) -> None:
    """A full disk calls a person at once, and is left alone until one has been there."""
    _fail(night, DISK_FULL)
    report = night.tick()
    assert night.kinds(report) == ["failed", "needs_person"]
    night.ticks_until(NOW + HOUR)
    assert night.world.starts == []
    assert len(night.world.inbox) == 1
    night.world.clear("a")
    night.world.resume("a")
    assert night.kinds(night.tick()) == ["resumed"]


def test_what_a_person_pauses_stays_paused(night: Night) -> None:
    """A pause is told once and respected, for hours."""
    night.tick()
    night.world.pause("a")
    night.ticks_until(NOW + HOUR)
    assert night.world.starts == []
    assert night.subjects == ["sms_watch info: web-01 is paused"]


def test_an_end_is_told_once(tmp_path: Path) -> None:
    """A finished task is one message, however often the timer ticks."""
    with a_night(tmp_path, SimTask("a", "web-01", copied=499e9)) as night:
        night.ticks_until(NOW + HOUR)
        assert night.subjects == ["sms_watch info: web-01 has finished"]


def test_a_deleted_task_is_told_once(night: Night) -> None:
    """A task that is gone is told as gone, and the others are followed on."""
    night.tick()
    night.world.delete("a")
    assert [night.kinds(night.tick()) for _ in range(3)] == [[], ["gone"], []]


def test_a_synchronisation_that_fails_is_resumed(tmp_path: Path) -> None:
    """SYNC_FAIL is started like MIGRATE_FAIL; SYNCING without end is normal."""
    task = SimTask("a", "web-01", synchronises=True, copied=500e9)
    with a_night(tmp_path, task) as night:
        states = [night.tick()["tasks"][0]["state"]]
        _fail(night)
        failed, resumed = night.tick(), night.tick()
        states += [failed["tasks"][0]["state"], resumed["tasks"][0]["state"]]
        assert states == ["SYNCING", "SYNC_FAIL", "SYNCING"]
        assert (night.kinds(failed), night.kinds(resumed)) == (["failed"], ["resumed"])


def test_a_start_that_nothing_comes_of_is_told_once_and_so_is_its_end(night: Night) -> None:
    """A task that stays in READY after its start was accepted hangs; it is not started again."""
    night.tick()
    night.world.ignore_starts("a")
    _fail(night)
    told = [night.kinds(night.tick(minutes)) for minutes in (1, 1, 30, 30, 60)]
    assert told == [["failed"], [], [], ["hanging"], []]
    night.world.advance()
    night.world.settle("a")
    assert night.kinds(night.tick()) == ["resumed"]
    assert len(night.world.starts) == 1


@pytest.mark.parametrize("state", ["RESETING", "SKIPPING", "ABORTING"])
def test_a_task_that_hangs_in_passing_is_told_once_and_so_is_its_end(
    night: Night, state: str
) -> None:
    """Nobody has done anything wrong, and nothing is started: somebody is to look."""
    night.tick()
    night.world.advance()
    night.world.hold("a", state)
    told = [kind for _ in range(3) for kind in night.kinds(night.tick(40)) if kind != "paused"]
    assert told == ["hanging"]
    night.world.settle("a")
    assert night.kinds(night.tick()) == ["moving"]
    assert night.world.starts == []


def test_the_agents_own_recovery_is_left_alone_within_its_grace(tmp_path: Path) -> None:
    """With RESUME_GRACE_MINUTES the agent that recovers by itself is not interfered with."""
    with a_night(tmp_path, SimTask("a", "web-01", recovers_after=120)) as night:
        night.texts["RESUME_GRACE_MINUTES"] = "10"
        night.world.at(NOW + timedelta(minutes=2), night.world.line_down)
        night.world.at(NOW + timedelta(minutes=4), night.world.line_up)
        night.ticks_until(NOW + timedelta(minutes=10))
        assert night.world.starts == []
        assert night.subjects == [
            "sms_watch warning: web-01 failed (SMS.0807); restart pending",
            "sms_watch info: web-01 is running again",
        ]


def test_a_disconnected_agent_is_waited_for(tmp_path: Path) -> None:
    """A task whose agent is away is started in the run that sees it back."""
    with a_night(tmp_path) as night:
        _fail(night)
        night.world.tasks["a"].connected = False
        assert night.tick()["tasks"][0]["reason"] == "disconnected"
        assert night.tick()["tasks"][0]["action"] == "wait"
        night.world.tasks["a"].connected = True
        assert night.tick()["tasks"][0]["reason"] == "reconnected"


def test_a_quiet_run_writes_and_sends_nothing(night: Night) -> None:
    """No change, no message, and between two samples not a byte more in the journal."""
    night.tick()
    before = {path.name: path.read_bytes() for path in night.journal.iterdir()}
    for _ in range(3):
        night.tick()
    assert {path.name: path.read_bytes() for path in night.journal.iterdir()} == before
    assert night.calls == {"show_task": 4}


def test_nothing_but_reads_starts_and_messages_is_ever_asked(tmp_path: Path) -> None:
    """Through a night of all kinds of trouble the cloud saw no other call."""
    tasks = [SimTask("a", "web-01"), SimTask("b", "db-01", type="MIGRATE_BLOCK")]
    with a_night(tmp_path, *tasks) as night:
        night.world.at(NOW + timedelta(minutes=5), night.world.line_down)
        night.world.at(NOW + timedelta(minutes=9), night.world.line_up)
        night.world.at(NOW + timedelta(minutes=20), lambda: night.world.pause("a"))
        night.ticks_until(NOW + timedelta(minutes=40))
        assert night.world.violations == []
        assert set(night.calls) == {"show_task", "start_task", "publish"}


# Bad answers


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500, "oops"),
        Fault(200, "<html>Welcome</html>"),
        Fault(200, "[]"),
        Fault(200, '{"id": "b", "state": null}'),
        Fault(200, '{"id": "somebody else", "state": "RUNNING"}'),
        Fault(200, '{"id": "b", "sta', cut=True),
        Fault(403, '{"error_code": "SMS.9004", "error_msg": "no"}'),
        Fault(drop=True),
    ],
    ids=["500", "html", "list", "no state", "another", "half", "403", "drop"],
)
def test_a_task_with_a_bad_answer_is_reported_by_itself(tmp_path: Path, fault: Fault) -> None:
    """The other tasks are followed and started as ever."""
    tasks = [SimTask(name, f"web-{name}") for name in "abc"]
    with a_night(tmp_path, *tasks) as night:
        night.tick()
        _fail(night, task_id="c")
        night.faults.add("show_task", fault, times=3, about="b")
        report = night.tick()
        reasons = [task["reason"] for task in report["tasks"]]
        assert reasons == ["moving", "unreadable", "restartable"]
        assert report["tasks"][1]["detail"].startswith("read task b: ")
        assert len(night.world.starts) == 1


def test_an_unknown_state_is_told_once_and_left_alone(night: Night) -> None:
    """A state invented next year is not guessed at."""
    night.tick()
    night.world.tasks["a"].state = "ABORT"
    night.faults.add("show_task", Fault(200, '{"id": "a", "name": "w", "state": "NEW"}'), times=2)
    assert night.kinds(night.tick()) == ["unknown_state"]
    assert night.kinds(night.tick()) == []
    assert night.world.starts == []


def test_a_run_that_can_read_nothing_fails_and_is_told_after_three(night: Night) -> None:
    """Every blind run fails for the platform; people hear of it once, and of its end."""
    night.faults.add("show_task", Fault(403, '{"error_code": "SMS.9004", "error_msg": "no"}'), 4)
    reasons = [night.failing_tick() for _ in range(4)]
    assert all("no task could be read" in reason and "SMS.9004" in reason for reason in reasons)
    assert night.subjects == ["sms_watch critical: the watchdog cannot read any task"]
    assert night.kinds(night.tick()) == ["sighted"]


def test_refused_keys_are_tried_once_a_run(tmp_path: Path) -> None:
    """A wrong key is not hammered: one call a run, and the run fails."""
    with a_night(tmp_path, *(SimTask(name, name) for name in "abcd")) as night:
        night.texts["HUAWEICLOUD_SDK_SK"] = "wrong-secret-key-wrong-secret-key"
        assert "APIGW.0301" in night.failing_tick()
        assert night.calls == {"show_task": 1}


def test_with_a_journal_on_obs_refused_keys_are_tried_once(tmp_path: Path) -> None:
    """OBS refuses a wrong key first, so SMS is not asked at all."""
    with a_night(tmp_path, *(SimTask(name, name) for name in "abcdefghijkl")) as night:
        night.keep_journal_on_obs()
        night.texts["HUAWEICLOUD_SDK_SK"] = "wrong-secret-key-wrong-secret-key"
        assert "journal" in night.failing_tick()
        assert night.calls == {"get_object": 1}


def test_a_message_that_is_owed_is_tried_though_sms_refuses_the_keys(night: Night) -> None:
    """Keys of another site are good for no task, and may be good for a topic: one try more."""
    _fail(night, DISK_FULL)
    night.faults.add("publish", Fault(500))
    night.failing_tick()
    night.calls.clear()
    night.faults.add("show_task", Fault(401, '{"error_code": "APIGW.0301"}'))
    assert "APIGW.0301" in night.failing_tick()
    assert night.calls == {"show_task": 1, "publish": 1}
    assert len(night.world.inbox) == 1


# Starts and messages that go wrong


def test_a_start_whose_answer_is_lost_is_judged_by_the_next_read(night: Night) -> None:
    """It is sent once; that it worked is told when the task is read as running."""
    _fail(night)
    night.faults.add("start_task", Fault(drop=True, before=False))
    assert night.tick()["tasks"][0]["outcome"] == "unknown"
    assert night.kinds(night.tick()) == ["resumed"]
    assert len(night.world.starts) == 1


def test_a_throttled_start_is_sent_again(night: Night) -> None:
    """429 says that nothing was done, so the same run tries again."""
    _fail(night)
    night.faults.add("start_task", Fault(429))
    assert night.tick()["tasks"][0]["outcome"] == "done"
    assert len(night.world.starts) == 1


def test_a_refused_start_spends_no_attempt(night: Night) -> None:
    """Somebody was faster: SMS.7713 is no failure of the run, and no attempt."""
    _fail(night)
    night.faults.add("start_task", Fault(400, '{"error_code": "SMS.7713", "error_msg": "no"}'))
    report = night.tick()
    assert report["tasks"][0]["outcome"] == "refused"
    assert "SMS.7713" in night.world.inbox[0]["email"]
    night.tick()
    report = night.tick()
    assert (report["tasks"][0]["action"], report["tasks"][0]["attempt"]) == ("start", 1)


@pytest.mark.parametrize(
    ("fault", "copies"),
    [
        (Fault(500), 1),
        (Fault(403, '{"code": "SMN.0001", "message": "no permission"}'), 1),
        (Fault(drop=True), 1),
        (Fault(drop=True, before=False), 2),
        (Fault(200, "<html>", before=False), 2),
    ],
    ids=["500", "403", "lost before", "lost after", "html after"],
)
def test_a_message_that_failed_is_owed(night: Night, fault: Fault, copies: int) -> None:
    """The run fails and the next one sends it, with the same ids; a copy only if it got out."""
    _fail(night, DISK_FULL)
    night.faults.add("publish", fault)
    assert "the next run will send the message" in night.failing_tick()
    report = night.tick()
    assert night.kinds(report) == ["failed", "needs_person"]
    assert len(night.world.inbox) == copies
    ids = {json.dumps(json.loads(m["http"])["notices"]) for m in night.world.inbox}
    assert len(ids) == 1
    assert night.kinds(night.tick()) == []
