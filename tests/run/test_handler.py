"""One invocation: settings, keys, events, the log, and what fails a run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

import index
from simulated_cloud.task import SimTask
from sms_watch import handler as handler_module
from sms_watch.settings.values import Credentials
from sms_watch.wiring import WARM
from tests.support.builders import LINE_LOST
from tests.support.canaries import credentials, leaked
from tests.support.clouds import KEY, TEMPORARY, Night, a_night


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Return a night over one task that copies."""
    with a_night(tmp_path) as made:
        yield made


def _fail(night: Night, code: str = LINE_LOST, task_id: str = "a") -> None:
    night.world.advance()
    night.world.fail(task_id, code, obstacle=code != LINE_LOST)


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
