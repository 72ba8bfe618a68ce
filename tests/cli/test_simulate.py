"""The nights that can be played, and how the command line ends, whatever happens in it."""

from __future__ import annotations

import functools
import io
import json
import re
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Iterator, List, Tuple

import click
import pytest
from rich.console import Console

from simulated_cloud.clock import VirtualClock
from simulated_cloud.scenarios import SCENARIOS, Scenario
from simulated_cloud.score import verdict
from simulated_cloud.setup import settings
from simulated_cloud.task import SimTask
from simulated_cloud.world import World
from sms_watch_cli import cloud
from sms_watch_cli.boxes import box, wrapped
from sms_watch_cli.commands import group
from sms_watch_cli.play import Watched, play_plain, play_unwatched, play_watched
from sms_watch_cli.screen import Screen, tasks_at
from sms_watch_cli.session import read_env_file
from tests.support.sessions import Day, call

ROOT = Path(__file__).parents[2]
WELCOME_ENDS = "Press Ctrl-C to end it. Calls received:\n"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@functools.cache
def _played(name: str, every: int, hours: float, seed: int = 0) -> Tuple[Watched, str]:
    """Play the beginning of a scenario, at a slower timer, into a log without a terminal."""
    whole = SCENARIOS[name]
    short = replace(whole, every=every * MINUTE, end=whole.begin + hours * HOUR)
    output = io.StringIO()
    screen = Screen(whole.title, Console(file=output, width=100), whole.line)
    return play_watched(short, screen, seed), output.getvalue()


def test_a_quiet_week_needs_no_message() -> None:
    """Seven days in which nothing happens: no message, no start, and a line a day."""
    watched, shown = _played("quiet-week", 120, 7 * 24)
    assert (watched.score.messages, watched.score.starts, watched.failed) == (0, 0, 0)
    assert [line[:6] for line in shown.splitlines() if "archive-01" in line][:2] == [
        "Mon 23",
        "Tue 24",
    ]
    assert "message:" not in shown


def test_eight_hours_without_a_line_are_few_messages_and_no_lost_time() -> None:
    """It is tried on all night, told once, and goes on when the line is back."""
    watched, _ = _played("outage", 10, 10)
    nobody = play_unwatched(SCENARIOS["outage"])
    assert watched.score.messages <= 5
    assert watched.score.harmful == 0
    assert watched.score.avoidable < 2 * HOUR < nobody.avoidable


def test_fifty_tasks_at_once_are_one_message() -> None:
    """An outage that takes fifty tasks is one message, and its end few."""
    _, shown = _played("fifty", 5, 1.25)
    failures = [line for line in shown.splitlines() if "message:" in line and "failed" in line]
    assert len(failures) == 1
    assert "20 tasks failed (SMS.0807) and were restarted, and 30 more" in failures[0]


def test_a_wave_needs_no_harm_and_few_messages() -> None:
    """Two outages, a pause and a full disk among fifty servers: what waits for people waits."""
    watched, shown = _played("wave", 60, 41)
    assert watched.failed == watched.score.harmful == 0
    assert watched.score.messages < 60
    failures = [line for line in shown.splitlines() if "SMS.0807) and were restarted" in line]
    assert len([line for line in failures if "message:" in line]) == 2
    assert "Sat 10:00  50 tasks: 1 ABORT," in shown
    assert "message: sms_watch critical: file-04 needs attention (SMS.1315)" in shown


def test_why_a_run_failed_stays_within_the_terminal() -> None:
    """It goes on below its first word."""
    output = io.StringIO()
    console = Console(file=output, width=60)
    Screen("night", console).failed(SCENARIOS["night"].begin, "publish the message: " * 5)
    first, *others = output.getvalue().splitlines()
    assert first.startswith("22:00  a run failed: publish")
    assert others
    assert all(re.match(r" {7}\S", line) and len(line) <= 60 for line in others)


def test_the_states_of_a_wave_stay_within_80_columns() -> None:
    """Where there are many, the line goes on below the first of them."""
    wave = replace(SCENARIOS["wave"], every=2 * HOUR, end=SCENARIOS["wave"].begin + 41 * HOUR)
    output = io.StringIO()
    play_watched(wave, Screen(wave.title, Console(file=output, width=80), wave.line))
    lines = output.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    (first,) = (number for number, line in enumerate(lines) if line.startswith("Sun 10:00  50"))
    assert re.match(r" {11}\S", lines[first + 1])


def test_the_sentence_below_the_scoreboard_of_a_wave_is_right() -> None:
    """It names what was won back, and the harm that a plain script does."""
    watched, _ = _played("wave", 60, 41)
    wave = replace(SCENARIOS["wave"], every=HOUR, end=SCENARIOS["wave"].begin + 41 * HOUR)
    plain, nobody = play_plain(wave), play_unwatched(wave)
    said = verdict(watched.score, plain, nobody)
    won = (nobody.avoidable - watched.score.avoidable) / HOUR
    assert won > 100
    assert said.startswith(
        f"Compared with nobody watching, sms_watch won back {won:.1f} hours of copying, did no"
        f" harm and sent {watched.score.messages} mails; "
    )
    assert "undid 1 pause" in said


@pytest.mark.parametrize(
    ("hangs", "said"),
    [
        ("file-02", "In state READY since"),
        ("desk-10", "In state RESETING since"),
        ("db-03", "In state SKIPPING since"),
    ],
)
def test_what_hangs_in_a_wave_is_told_once(hangs: str, said: str) -> None:
    """After a start that nothing came of, in a reset, and in a step that is skipped."""
    _, shown = _played("wave", 60, 41)
    lines = shown.splitlines()
    told = [line for line in lines if "message:" in line and f"warning: {hangs} is stuck" in line]
    assert len(told) == 1
    after = lines[lines.index(told[0]) :][:5]
    assert any(said in line for line in after)


def test_a_wave_has_what_people_move_in_one() -> None:
    """Fifty servers of 40 GB to 6 TB, a dozen of which synchronise, are done within the weekend."""
    wave = SCENARIOS["wave"]
    clock = VirtualClock(wave.begin)
    tasks = list(wave.world(World(clock)).tasks.values())
    assert len(tasks) == 50
    assert 40e9 <= min(task.size for task in tasks) <= 100e9
    assert max(task.size for task in tasks) == 6e12
    assert len([task for task in tasks if task.synchronises]) == 12
    assert timedelta(days=2.5) < wave.end - wave.begin < timedelta(days=3)


def test_a_line_that_comes_and_goes_is_told_as_flapping() -> None:
    """After some failures within an hour it is told once, and not one by one."""
    _, shown = _played("flapping", 1, 3, seed=1)
    told = [line for line in shown.splitlines() if "message:" in line]
    assert ["keep failing" in line for line in told] == [False] * (len(told) - 1) + [True]


def test_chance_comes_from_the_seed() -> None:
    """The same seed is the same night, another one another."""
    assert _script("flapping", 1) == _script("flapping", 1) != _script("flapping", 2)
    assert _script("fifty", 1) == _script("fifty", 1) != _script("fifty", 2)


def _script(name: str, seed: int) -> List[object]:
    clock = VirtualClock(SCENARIOS[name].begin)
    world = SCENARIOS[name].world(World(clock), seed)
    clock.sleep(4 * 3600)
    world.advance()
    return [world.happenings, [task.size for task in world.tasks.values()]]


def test_while_obs_is_down_nothing_is_started() -> None:
    """Without its journal it does not act: the runs fail, and it goes on when OBS is back."""
    watched, shown = _played("obs-down", 10, 4)
    assert watched.failed == 12
    first = min(at for entry in watched.entries for at in [entry.at] if entry.starts)
    assert first >= SCENARIOS["obs-down"].begin + 3 * HOUR
    assert shown.count("a run failed: the journal in obs://") == 1
    assert "runs succeed again, after 12 that failed" in shown
    board = io.StringIO()
    score = watched.score
    Screen("", Console(file=board, width=100)).scoreboard(score, score, score, watched.failed)
    assert "12 runs failed, and FunctionGraph would count each of them." in board.getvalue()


def test_while_smn_is_down_tasks_are_started_and_told_later() -> None:
    """The message is owed until SMN is back, and then it is sent once."""
    watched, shown = _played("smn-down", 10, 4)
    begin = SCENARIOS["smn-down"].begin
    starts = [entry.at for entry in watched.entries if entry.starts]
    sent = [entry.at for entry in watched.entries if entry.delivered]
    assert min(starts) < begin + 2 * HOUR
    assert min(sent) >= begin + 3 * HOUR
    assert 0 < watched.score.messages <= 2
    assert "a run failed: publish the message" in shown


def test_a_full_disk_is_told_and_never_started() -> None:
    """A person is asked, and reminded; no start is sent."""
    watched, shown = _played("disk-full", 10, 6)
    assert watched.score.starts == 0
    assert "shop-db needs attention (SMS.1315)" in shown


def test_many_tasks_fit_on_a_small_terminal() -> None:
    """Failed ones stand first, and the rest is counted."""
    output = io.StringIO()
    console = Console(file=output, width=100, height=20, force_terminal=True, color_system=None)
    whole = SCENARIOS["fifty"]
    short = replace(whole, end=whole.begin + 2 * MINUTE)
    play_watched(short, Screen("fifty", console))
    assert "and 38 more: 38 RUNNING" in output.getvalue()


def test_what_needs_a_look_stands_first_on_a_terminal_and_what_is_done_last() -> None:
    """Failed, paused, held, running, synchronising, then finished or not started."""
    states = ["READY", "SYNCING", "MIGRATE_SUCCESS", "RUNNING", "RESETING", "ABORT", "MIGRATE_FAIL"]
    world = World(VirtualClock(SCENARIOS["night"].begin))
    for state in states:
        world.add(SimTask(state, "web", state=state))
    output = io.StringIO()
    console = Console(file=output, width=80, height=24, color_system=None)
    console.print(tasks_at(world.clock.now(), world, {}, console))
    shown = re.findall(r"^ web +(\w+)", output.getvalue(), re.MULTILINE)
    assert shown == [*states[:2:-1], "SYNCING", "READY", "MIGRATE_SUCCESS"]


def test_a_day_is_named_where_there_are_several() -> None:
    """In a night the time is enough."""
    at = SCENARIOS["wave"].begin
    for line, said in ((HOUR, "18:00  a run failed"), (6 * HOUR, "Fri 18:00  a run failed")):
        output = io.StringIO()
        Screen("wave", Console(file=output, width=80), line).failed(at, "no")
        assert output.getvalue().startswith(said)


def test_each_task_is_one_line_of_a_terminal_of_80_columns() -> None:
    """State and code stand side by side, so that the rows fit where their number was worked out."""
    output = io.StringIO()
    console = Console(file=output, width=80, height=20, force_terminal=True, color_system=None)
    whole = SCENARIOS["fifty"]
    short = replace(whole, every=30 * MINUTE, end=whole.begin + 1.5 * HOUR)
    play_watched(short, Screen("fifty", console))
    assert re.search(r"wave1-01 +MIGRATE_FAIL SMS\.\d{4} .* restarted", output.getvalue())


def test_a_message_is_shown_with_its_whole_subject_and_a_few_tasks() -> None:
    """A long subject goes on in the next line; of a long text the rest is counted."""
    text = "\n\n".join(["one\n---", "two\n---", "three\n-----", "four\n----", "five\n----"])
    world = World(VirtualClock(SCENARIOS["night"].begin))
    subject = f"sms_watch warning: {'shop ' * 12}failed, and 4 more - 20261123-1-0"
    email = f"{text}\n\nSMS console: https://example.com"
    world.inbox.append({"at": world.clock.now(), "subject": subject, "email": email})
    output = io.StringIO()
    screen = Screen("night", Console(file=output, width=80))
    with screen.showing(world):
        screen.show(world.clock.now(), {"tasks": []})
    shown = " ".join(output.getvalue().replace("│", "").split())
    assert f"22:00 message: {subject.rpartition(' - ')[0]} one" in shown
    assert "three ----- ... and 2 more paragraphs ╰" in shown


def test_a_box_holds_no_more_than_a_screen() -> None:
    """Of a list of fifty tasks some are shown, and the rest is counted."""
    text = "\n".join(f"  web-{number:02}: running" for number in range(50))
    message = {"at": SCENARIOS["night"].begin, "subject": "s - 1", "email": text}
    output = io.StringIO()
    Console(file=output, width=80).print(box(message, 80))
    assert "web-29: running" in output.getvalue()
    assert "web-30: running" not in output.getvalue()
    assert "... and 20 more lines" in output.getvalue()


def test_a_box_counts_the_lines_that_a_wrapped_line_takes() -> None:
    """What goes on in the next line takes room as well."""
    text = "\n".join(f"  web-{number:02}: {'running ' * 12}" for number in range(50))
    message = {"at": SCENARIOS["night"].begin, "subject": "s - 1", "email": text}
    output = io.StringIO()
    Console(file=output, width=80).print(box(message, 80))
    assert len(re.findall(r"web-\d+", output.getvalue())) == 15
    assert "... and 35 more lines" in output.getvalue()


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_title_fits_into_80_columns(name: str) -> None:
    """It stands in a rule above the scene, and behind the name in the list of them."""
    output = io.StringIO()
    console = Console(file=output, width=80)
    with Screen(SCENARIOS[name].title, console).showing(World(VirtualClock(SCENARIOS[name].begin))):
        assert SCENARIOS[name].title in output.getvalue()
    assert max(map(len, call("simulate", "--help").output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("notices", "colour"),
    [
        ([("info", "resumed"), ("critical", "needs_person")], "red"),
        ([("warning", "failed"), ("info", "resumed")], "yellow"),
        ([("info", "resumed"), ("info", "finished")], "green"),
        ([("info", "digest")], "blue"),
        ([], "blue"),
    ],
)
def test_a_box_has_the_colour_of_its_level(notices: List[Tuple[str, str]], colour: str) -> None:
    """The worst of it; good news alone is green."""
    hook = {"notices": [{"level": level, "kind": kind} for level, kind in notices]}
    at = SCENARIOS["night"].begin
    message = {"at": at, "subject": "s - 1", "email": "e", "http": json.dumps(hook)}
    assert box(message, 80).border_style == colour


def test_a_line_that_is_wrapped_keeps_its_indent() -> None:
    """It goes on below its text, not below its label; a line without one at its own indent."""
    line = "  What to do  Free space on that partition or enlarge it, then press Start."
    assert wrapped(line, 40).splitlines()[1].startswith(" " * 14 + "partition")
    assert wrapped(f"  {'word ' * 20}", 40).splitlines()[1].startswith("  word")
    assert wrapped("word " * 20, 40).splitlines()[1].startswith("word")


def test_the_rule_below_a_long_heading_stays_one_line() -> None:
    """It is as wide as the box, and no longer."""
    assert wrapped("-" * 90, 40) == "-" * 40
    assert wrapped("-" * 30, 40) == "-" * 30


# The command line


def _short_night(monkeypatch: pytest.MonkeyPatch) -> Scenario:
    night = SCENARIOS["night"]
    short = replace(night, every=10 * MINUTE, end=night.begin + 3 * HOUR)
    monkeypatch.setitem(SCENARIOS, "night", short)
    return short


def test_the_page_of_a_night_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--report writes what the report command would make of the journal of that night."""
    night, out = _short_night(monkeypatch), tmp_path / "night.html"
    result = call("simulate", "--seed", "3", "--report", str(out))
    assert result.exit_code == 0, result.output
    assert night.title in out.read_text(encoding="utf-8")
    assert "shop-web" in out.read_text(encoding="utf-8")
    assert f"The report page: {out}" in result.output
    # The log of the function is not in the way.
    assert '"event"' not in result.output


def test_a_page_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the file, and what to do."""
    _short_night(monkeypatch)
    out = tmp_path / "nowhere" / "night.html"
    result = call("simulate", "--report", str(out))
    assert result.exit_code == 2
    assert result.output.splitlines()[-1].endswith("name another file")


@pytest.mark.parametrize("name", sorted(group.commands))
def test_every_command_says_what_it_does(name: str) -> None:
    """--help has a sentence for the command and for each of its options."""
    result = call(name, "--help")
    assert result.exit_code == 0
    for option in group.commands[name].params:
        assert not isinstance(option, click.Option) or option.help, option.name
    assert name in call("--help").output
    # What is too long for its line in the list of commands would be cut.
    assert not re.search(rf"^  {name} .*\.\.\.$", call("--help").output, re.MULTILINE)


@pytest.mark.parametrize("name", ["check", "status", "report", "invoke"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"SMS_TASK_IDS=a\n???\n", "line 2 is not NAME=value"),
        (b"\xff\xfe\x00", "not UTF-8 text"),
        (None, "there is no file"),
    ],
)
def test_a_bad_file_of_settings_is_one_line(
    tmp_path: Path, name: str, content: object, said: str
) -> None:
    """The file is named, with status 2 and without its content: that may be a key."""
    path = tmp_path / "my.env"
    if isinstance(content, bytes):
        path.write_bytes(content)
    result = call(name, "--env-file", str(path))
    assert result.exit_code == 2
    assert said in result.output
    assert "???" not in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", ["status", "report", "check"])
def test_missing_settings_are_all_named(name: str) -> None:
    """All problems at once, and where settings come from, with status 2."""
    result = call(name)
    assert result.exit_code == 2
    for setting in ("SMS_TASK_IDS", "SMN_TOPIC_URN", "HUAWEICLOUD_SDK_AK"):
        assert setting in result.output
    assert "a file that --env-file names" in " ".join(result.output.split())


def test_a_fault_of_the_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is told with its name, and no traceback."""

    def full(self: Path, *arguments: object, **options: object) -> int:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    result = call("cloud", "--env-file", str(tmp_path / "x.env"))
    assert result.exit_code == 2
    assert "x.env: No space left on device" in result.output
    assert "Traceback" not in result.output


@contextmanager
def _running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process of its own that heeds Ctrl-C, and end it in any case."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "sms_watch_cli", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background inherits that SIGINT is ignored.
        preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - it does nothing but set a signal
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("arguments", [["simulate", "quiet-week"], ["cloud", "--env-file", "{}"]])
def test_ctrl_c_ends_cleanly(tmp_path: Path, arguments: List[str]) -> None:
    """It ends soon, with the usual status and one word."""
    given = [each.format(tmp_path / "my.env") for each in arguments]
    with _running(*given) as running:
        assert running.stdout is not None
        assert running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=20)
    assert (running.returncode, said) == (130, "interrupted\n")


def test_the_simulated_cloud_says_what_to_type(tmp_path: Path) -> None:
    """It shows a line for each command; the first is typed as it stands, and works."""
    path = tmp_path / "an env"
    with _running("cloud", "--env-file", str(path)) as running:
        assert running.stdout is not None
        shown = list(iter(running.stdout.readline, WELCOME_ENDS))
        lines = [line for line in shown if "--env-file" in line]
        typed = shlex.split(lines[0])
        end = subprocess.run(typed, cwd=ROOT, check=False).returncode
        call = running.stdout.readline()
    assert [shlex.split(line)[-3] for line in lines[:3]] == ["status", "invoke", "report"]
    assert "office-mail   has failed on a full disk" in "".join(shown)
    assert end == 0
    assert re.fullmatch(r"\d\d:\d\d:\d\d [A-Z]+ [A-Z]+ /\S+ \d{3}\n", call), call


def test_a_file_that_the_cloud_did_not_write_is_left_alone(tmp_path: Path) -> None:
    """Settings of one's own are not lost; those that it wrote itself are written again."""
    path = tmp_path / "my.env"
    path.write_text("SMS_TASK_IDS=mine\n", encoding="utf-8")
    result = call("cloud", "--env-file", str(path))
    assert result.exit_code == 2
    assert "name another file with --env-file" in result.output
    assert path.read_text(encoding="utf-8") == "SMS_TASK_IDS=mine\n"
    path.unlink()
    for name in ("first", "second"):
        cloud.write_settings(path, {"SMS_TASK_IDS": name})
        assert read_env_file(path) == {"SMS_TASK_IDS": name}


def test_the_simulated_cloud_shows_each_call(tmp_path: Path) -> None:
    """One line for each, and one for a message."""
    with cloud.a_cloud() as server:
        server.cloud.app.after_request(functools.partial(cloud._log, server.cloud.world))
        day = Day(server, server.cloud.world, tmp_path)
        day.texts = settings(server.url, server.cloud.world.tasks)
        lines = day.call("invoke").output
    assert re.search(r" SMS GET /v3/tasks/7d3c-web 200$", lines, re.MULTILINE)
    assert re.search(r" OBS (GET|POST|PUT) /sms-watch-\S+ \d+$", lines, re.MULTILINE)
    assert re.search(r" SMN POST /v2/.* 200\n +message: sms_watch ", lines)


def test_the_simulated_cloud_can_be_tried(tmp_path: Path) -> None:
    """What the cloud command serves has something to look at for every command."""
    with cloud.a_cloud() as server:
        day = Day(server, server.cloud.world, tmp_path)
        day.texts = settings(server.url, server.cloud.world.tasks)
        status, found = day.check()
        assert status == 1
        assert {each["verdict"] for each in found} == {"ok", "note", "warning"}
        assert "shop-web" in day.call("status").output


def test_the_simulated_cloud_answers_when_nobody_reads_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after ``cloud | head``: the calls go on."""

    def closed(*lines: object) -> None:
        raise BrokenPipeError

    with cloud.a_cloud() as server:
        server.cloud.app.after_request(functools.partial(cloud._log, server.cloud.world))
        day = Day(server, server.cloud.world, tmp_path)
        day.texts = settings(server.url, server.cloud.world.tasks)
        with monkeypatch.context() as patched:
            patched.setattr(cloud, "click", SimpleNamespace(echo=closed))
            shown = day.call("invoke").output
    assert '"published": "message-1"' in shown
