"""The command line on one's own machine, as its user calls it."""

from __future__ import annotations

import functools
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from simulated_cloud import plain_script
from simulated_cloud.clock import VirtualClock
from simulated_cloud.scenarios import SCENARIOS
from simulated_cloud.score import Score, verdict
from simulated_cloud.task import SimTask
from simulated_cloud.world import World
from sms_watch.model.notice import Kind
from sms_watch_cli.commands import group
from sms_watch_cli.play import Watched, play_plain, play_unwatched, play_watched
from sms_watch_cli.screen import Screen
from tests.support.builders import NOW
from tests.support.clouds import a_night


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(group, list(arguments))


def _env_file(place: Path, texts: Dict[str, str]) -> str:
    path = place / "my.env"
    path.write_text("".join(f"{name}={text}\n" for name, text in texts.items()), encoding="utf-8")
    return str(path)


def _report(result: Result) -> Dict[str, object]:
    made: Dict[str, object] = json.loads(result.output[result.output.index("{\n") :])
    return made


def test_one_run_with_the_settings_of_a_file(tmp_path: Path) -> None:
    """The handler runs once with a fake timer event, and its report is printed."""
    with a_night(tmp_path) as night:
        result = _call("invoke", "--env-file", _env_file(tmp_path, night.texts))
    assert result.exit_code == 0, result.output
    assert "no journal was found" in str(_report(result)["warnings"])


def test_one_run_with_an_event_of_ones_own(tmp_path: Path) -> None:
    """The event may come from a file."""
    event = tmp_path / "event.json"
    event.write_text('{"trigger_type": "TIMER", "user_event": "test"}', encoding="utf-8")
    with a_night(tmp_path) as night:
        env_file = _env_file(tmp_path, night.texts)
        result = _call("invoke", "--event", str(event), "--env-file", env_file)
        assert result.exit_code == 0, result.output
        assert night.subjects == ["sms_watch info: the watchdog sent a test message"]


def test_a_run_that_fails_ends_with_status_1(tmp_path: Path) -> None:
    """Whoever calls from cron sees the failure, and reads why."""
    result = _call("invoke", "--env-file", _env_file(tmp_path, {"SMS_TASK_IDS": "a b"}))
    assert result.exit_code == 1
    assert "SMN_TOPIC_URN: is missing" in result.output


def test_an_event_that_is_no_json_is_refused(tmp_path: Path) -> None:
    """The error names the file."""
    event = tmp_path / "event.json"
    event.write_text("{", encoding="utf-8")
    result = _call("invoke", "--event", str(event))
    assert result.exit_code == 2
    assert "event.json holds no JSON" in result.output


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    """A name that is none is answered with those that are."""
    result = _call("simulate", "day")
    assert result.exit_code == 2
    assert "night" in result.output


@functools.cache
def _watched() -> Tuple[Watched, str]:
    output = io.StringIO()
    screen = Screen("night", Console(file=output, width=100))
    scenario = SCENARIOS["night"]
    watched = play_watched(scenario, screen)
    screen.scoreboard(watched.score, play_plain(scenario), play_unwatched(scenario))
    return watched, output.getvalue()


def test_the_default_night_is_what_it_says() -> None:
    """Few messages, no harm, little lost; the plain script and nobody lose against that."""
    watched, shown = _watched()[0].score, _watched()[1]
    plain, nobody = play_plain(SCENARIOS["night"]), play_unwatched(SCENARIOS["night"])
    assert watched.harmful == 0
    assert watched.messages <= 10
    assert watched.avoidable < timedelta(hours=1)
    assert (watched.undone, plain.undone) == (0, 1)
    assert plain.hopeless > 100
    assert plain.messages > 300
    assert nobody.avoidable > timedelta(hours=5)
    for score in (watched, plain, nobody):
        figures = (score.messages, score.starts, score.undone, score.hopeless)
        row = rf"{score.name} .*" + r"\D+".join(map(str, figures))
        assert re.search(row, shown), shown


def test_one_sentence_says_what_the_scoreboard_means() -> None:
    """What was won back, and what it cost people, for both; beside it what the script does."""
    shown = " ".join(_watched()[1].split())
    assert re.search(
        r"Compared with nobody watching, sms_watch won back \d+\.\d hours of copying, did no harm"
        r" and sent \d+ mails; a plain script won back \d+\.\d hours of copying, undid 1 pause and"
        r" sent \d+ mails and \d+ starts that could not help\.",
        shown,
    )
    assert "A plain script reads every task whenever the timer fires" in shown
    assert "Hours lost: how long tasks stood failed" in shown


def test_a_night_without_failures_is_called_that() -> None:
    """There is nothing to compare but mails; where no restart would have helped, that is said."""
    none = Score("nobody", 0, 0, 0, 0, 0, timedelta(0), timedelta(0))
    assert "Nothing failed: sms_watch sent no mail" in verdict(
        replace(none, name="sms_watch"), replace(none, name="a plain script"), none
    )
    lost = replace(none, lost=timedelta(hours=9))
    said = verdict(replace(lost, name="sms_watch", messages=1), lost, lost)
    assert said == "No restart would have helped: sms_watch sent 1 mail; nobody sent no mail."


def test_one_scene_sends_a_digest() -> None:
    """It shows that the time left is known."""
    sent = [notice for entry in _watched()[0].entries for notice in entry.notices]
    assert [notice.kind for notice in sent].count(Kind.DIGEST) == 1
    assert re.search(r"shop-web +\[#\.+\] +1\d % RUNNING, about \d h", _watched()[1])


def test_the_messages_and_the_tasks_are_shown() -> None:
    """Where there is no terminal, messages are printed as they arrive and tasks by the hour."""
    _, shown = _watched()
    assert "00:01 message: sms_watch warning: 2 tasks failed (SMS.0807) and were restarted" in shown
    assert "shop-db needs attention (SMS.1315)" in shown
    assert re.search(r"23:00  shop-web +\[#\.+\] +1\d % RUNNING", shown)
    assert "The journal in" not in shown
    assert "[[" not in shown


def test_on_a_terminal_the_tasks_are_shown_live() -> None:
    """A terminal gets bars that move."""
    output = io.StringIO()
    console = Console(file=output, width=120, force_terminal=True, color_system=None)
    scenario = SCENARIOS["night"]
    short = replace(scenario, end=scenario.begin + timedelta(minutes=5))
    play_watched(short, Screen("night", console))
    assert "the watchdog" in output.getvalue()
    assert "moving" in output.getvalue()


def test_the_last_state_stays_on_a_terminal() -> None:
    """The last frame is not wiped away."""
    output = io.StringIO()
    console = Console(file=output, width=80, force_terminal=True, color_system=None)
    scenario = SCENARIOS["night"]
    short = replace(scenario, end=scenario.begin + timedelta(minutes=1))
    play_watched(short, Screen("night", console))
    last = output.getvalue().rindex("22:01 UTC")
    assert "\x1b[2K" not in output.getvalue()[last:]  # erases a line


def test_a_dumb_terminal_is_none() -> None:
    """What cannot move its cursor gets lines, as a file does."""
    output = io.StringIO()
    environment = {"TERM": "dumb"}
    console = Console(file=output, width=80, force_terminal=True, _environ=environment)
    scenario = SCENARIOS["night"]
    play_watched(replace(scenario, end=scenario.begin), Screen("night", console))
    assert "the watchdog" not in output.getvalue()
    assert "shop-web" in output.getvalue()


def test_the_journal_is_shown_to_who_asks() -> None:
    """It is an internal: ``--verbose`` shows it."""
    output = io.StringIO()
    Screen("night", Console(file=output, width=100)).journal(_watched()[0].storage)
    assert "The journal in obs://sms-watch-" in output.getvalue()
    found = re.search(
        r"journal-20261124\.jsonl .* \d snapshot, \d+ plan, \d+ ack", output.getvalue()
    )
    assert found


@pytest.mark.parametrize(
    ("state", "starts", "said"),
    [
        ("RUNNING", 0, []),
        ("READY", 0, []),
        ("MIGRATE_SUCCESS", 0, ["a completed"] * 2),
        ("SYNC_SUCCESS", 0, ["a completed"] * 2),
        ("ABORT", 1, ["a was started"]),
        ("MIGRATE_FAIL", 1, ["a was started"]),
        ("SYNC_FAIL", 1, ["a was started"]),
        ("ABORTING", 2, ["a could not be started: SMS.7713"] * 2),
    ],
)
def test_the_plain_script_keeps_its_rules(state: str, starts: int, said: List[str]) -> None:
    """It acts on what it sees each time, whatever it did before."""
    clock = VirtualClock(NOW)
    world = World(clock)
    world.add(SimTask("a", "web-01", state=state, picks_up_after=0))
    for _ in range(2):
        plain_script.tick(world, "a")
    assert len(world.starts) == starts
    assert [message["subject"] for message in world.inbox] == said
