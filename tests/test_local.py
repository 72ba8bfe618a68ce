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
from builders import NOW
from click.testing import CliRunner, Result
from clouds import a_night
from rich.console import Console

from local import walkthrough
from local.__main__ import main
from local.clock import VirtualClock
from local.cloud.world import SimTask, World
from local.scenarios import SCENARIOS
from local.screen import Screen
from local.simulate import Score, play_plain, play_unwatched, play_watched


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


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
def _watched() -> Tuple[Score, str]:
    output = io.StringIO()
    screen = Screen("night", Console(file=output, width=100))
    scenario = SCENARIOS["night"]
    watched = play_watched(scenario, screen).score
    screen.scoreboard([watched, play_plain(scenario), play_unwatched(scenario)])
    return watched, output.getvalue()


def test_the_default_night_is_what_it_says() -> None:
    """Few messages, no harm, little lost; the plain script and nobody lose against that."""
    watched, shown = _watched()
    plain, nobody = play_plain(SCENARIOS["night"]), play_unwatched(SCENARIOS["night"])
    assert watched.harmful == 0
    assert watched.messages <= 10
    assert watched.lost < timedelta(hours=1)
    assert plain.harmful > 100
    assert plain.messages > 300
    assert nobody.lost > timedelta(hours=5)
    for score in (watched, plain, nobody):
        row = rf"{score.name}\D+{score.messages}\D+{score.starts}\D+{score.harmful}\D"
        assert re.search(row, shown), shown


def test_the_messages_and_the_tasks_are_shown() -> None:
    """Where there is no terminal, messages are printed as they arrive and tasks by the hour."""
    _, shown = _watched()
    assert "00:01 message: sms_watch warning: 2 tasks failed (SMS.0807) and were restarted" in shown
    assert "shop-db needs attention (SMS.1315)" in shown
    assert "The journal in obs://sms-watch-" in shown
    assert re.search(r"journal-20261124\.jsonl .* \d snapshot, \d+ plan, \d+ ack", shown)
    assert re.search(r"23:00  shop-web \[#\.+\] 1\d % RUNNING", shown)
    assert "[[" not in shown


def test_on_a_terminal_the_tasks_are_shown_live() -> None:
    """A terminal gets bars that move."""
    output = io.StringIO()
    console = Console(file=output, width=120, force_terminal=True, color_system=None)
    scenario = SCENARIOS["night"]
    short = replace(scenario, end=scenario.begin + timedelta(minutes=5))
    play_watched(short, Screen("night", console))
    assert "the watchdog" in output.getvalue()
    assert "none: moving" in output.getvalue()


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
        walkthrough.tick(world, "a")
    assert len(world.starts) == starts
    assert [message["subject"] for message in world.inbox] == said
