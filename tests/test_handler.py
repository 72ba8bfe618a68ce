"""Nights through the real handler, the real SDK, and a simulated cloud on loopback."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from builders import DISK_FULL, LINE_LOST, NOW
from canaries import credentials, leaked
from clouds import KEY, TEMPORARY, Night, a_night

import index
from local.cloud.faults import Fault
from local.cloud.world import SimTask
from sms_watch import handler as handler_module
from sms_watch.model.task import TaskState
from sms_watch.settings import Credentials
from sms_watch.wiring import WARM

HOUR = timedelta(hours=1)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Give a night over one task that copies."""
    with a_night(tmp_path) as made:
        yield made


def _fail(night: Night, code: str = LINE_LOST, task_id: str = "a") -> None:
    night.world.settle()
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
        assert reasons == ["moving", "unreadable", "mendable"]
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
    assert night.kinds(night.tick()) == ["sees_again"]


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


# Settings, keys, events


def test_wrong_settings_are_reported_all_at_once_and_nothing_is_called(night: Night) -> None:
    """One error lists every problem; no call is made, no file is written."""
    night.texts.update({"SMN_TOPIC_URN": "night-watch", "DRY_RUN": "maybe"})
    del night.texts["SMS_TASK_IDS"]
    reason = night.failing_tick()
    for name in ("SMS_TASK_IDS", "SMN_TOPIC_URN", "DRY_RUN"):
        assert f"- {name}: " in reason
    assert night.calls == {}
    assert not night.journal.exists()


def test_the_context_comes_before_the_environment(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """getUserData first, where the encrypted values are, then the environment."""
    monkeypatch.setenv("SMS_TASK_IDS", "zzz")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    assert [task["id"] for task in night.tick()["tasks"]] == ["a"]
    del night.texts["SMS_TASK_IDS"]
    assert [task["id"] for task in night.tick()["tasks"]] == ["zzz"]


def test_the_agencys_keys_are_read_afresh_on_every_run(night: Night) -> None:
    """Temporary keys change within the life of a container; the client follows."""
    del night.texts["HUAWEICLOUD_SDK_AK"], night.texts["HUAWEICLOUD_SDK_SK"]
    night.agency = Credentials("EXPIREDEXPIREDEXPIRED", "x" * 40, "expired-token")
    assert "APIGW.0301" in night.failing_tick()
    night.agency = credentials(TEMPORARY)
    assert night.tick()["tasks"][0]["state"] == "RUNNING"


def test_a_warm_container_keeps_its_clients(night: Night) -> None:
    """Clients are made once while address and keys stay the same."""
    night.tick()
    before = dict(WARM._kept)
    night.tick()
    assert WARM._kept == before


@pytest.mark.parametrize("event", [{}, "", "text", [], [1], 7, {"trigger_type": "OBS"}])
def test_another_event_still_runs_with_a_warning(night: Night, event: Any) -> None:
    """Whatever woke the function, the tasks are looked at."""
    report = night.tick(event=event)
    assert report["tasks"][0]["state"] == "RUNNING"
    assert any("not from a timer" in warning for warning in report["warnings"])


def test_a_test_message_can_be_asked_for(night: Night) -> None:
    """The command test sends one message, and everything else goes on."""
    assert night.kinds(night.tick(user_event="test")) == ["test"]
    assert night.subjects == ["sms_watch info: the watchdog sent a test message"]
    assert night.kinds(night.tick()) == []


def test_an_event_as_text_is_the_event(night: Night) -> None:
    """A command in an event that comes as JSON text or bytes is carried out."""
    event = json.dumps({"trigger_type": "TIMER", "user_event": "test"})
    report = night.tick(event=event.encode())
    assert night.kinds(report) == ["test"]
    assert not any("timer" in warning for warning in report["warnings"])


def test_an_unknown_command_fails_after_the_run(night: Night) -> None:
    """The run is done, and the error lists the known commands."""
    _fail(night)
    reason = night.failing_tick(user_event="tset")
    assert "known commands are: report" in reason
    assert len(night.world.starts) == 1


def test_times_are_those_of_the_time_zone(night: Night) -> None:
    """Messages speak of the reader's time, with its offset."""
    night.texts["TIME_ZONE"] = "Asia/Shanghai"
    _fail(night)
    night.tick()
    assert "2026-11-24 08:04 +08:00" in night.world.inbox[0]["email"]


def test_without_a_context_the_environment_is_enough(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one's own machine the handler runs with an event alone."""
    for name, text in night.texts.items():
        monkeypatch.setenv(name, text)
    assert index.handler({}, None)["tasks"][0]["state"] == "RUNNING"


def test_a_dry_run_changes_nothing(night: Night) -> None:
    """DRY_RUN decides and reports; the cloud and the disk are as before."""
    _fail(night)
    night.texts["DRY_RUN"] = "true"
    report = night.tick()
    assert report["dry_run"] is True
    assert report["tasks"][0]["action"] == "start"
    assert report["tasks"][0]["outcome"] == "skipped"
    assert night.calls == {"show_task": 1}
    assert not night.journal.exists()


def test_a_timeout_that_is_too_short_is_warned_of(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FunctionGraph's default of 3 seconds would kill every run."""
    monkeypatch.setenv("RUNTIME_TIMEOUT", "3")
    assert any("set the timeout to 60 s" in warning for warning in night.tick()["warnings"])
    monkeypatch.setenv("RUNTIME_TIMEOUT", "60")
    assert night.tick()["warnings"] == []


def test_a_journal_that_will_not_last_is_warned_of(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On FunctionGraph /tmp is gone with the container."""
    monkeypatch.setenv("RUNTIME_CODE_ROOT", "/opt/function/code")
    night.texts["JOURNAL_URI"] = f"file:///tmp/{tmp_path.name}"
    night.texts["DRY_RUN"] = "true"
    assert any("deletes with the container" in text for text in night.tick()["warnings"])


def test_a_journal_that_cannot_be_written_stops_the_run(night: Night) -> None:
    """If it cannot remember, it does not act; the error names the variable."""
    _fail(night)
    night.journal.write_text("", encoding="utf-8")
    assert "JOURNAL_URI" in night.failing_tick()
    assert night.world.starts == []
    assert night.world.inbox == []


# Logs


def _lines(capsys: pytest.CaptureFixture[str]) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_log_has_a_line_for_what_is_not_idle_and_a_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A quiet run is one line; a failed task adds its own."""
    with a_night(tmp_path, SimTask("a", "web-01"), SimTask("b", "web-02")) as night:
        night.tick()
        assert [line["event"] for line in _lines(capsys)] == ["run"]
        _fail(night, task_id="b")
        night.tick()
        lines = _lines(capsys)
    assert [line["event"] for line in lines] == ["task", "run"]
    assert (lines[0]["id"], lines[0]["action"]) == ("b", "start")
    assert {line["request_id"] for line in lines} == {"run-2"}
    assert lines[1]["counts"]["accepted"] == 1


def test_the_report_can_be_returned(night: Night) -> None:
    """FunctionGraph turns the report into JSON."""
    _fail(night)
    report = night.tick()
    assert json.loads(json.dumps(report)) == report
    assert report["published"] == "message-1"


def test_an_unforeseen_error_is_redacted_too(
    night: Night, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks inside, its text passes by the redaction, and the run fails."""

    def break_down(*_: Any) -> Any:
        raise RuntimeError(f"broken with {KEY.secret}")

    monkeypatch.setattr(handler_module, "execute", break_down)
    reason = night.failing_tick()
    assert "RuntimeError: broken with ***" in reason
    assert not leaked(reason, *capsys.readouterr())


def test_the_initializer_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing initializer would cost the instance: the run says what is wrong instead."""
    index.initializer(None)

    # What stands for a module that cannot be imported.
    monkeypatch.setitem(sys.modules, "sms_watch.wiring", None)
    index.initializer(None)
