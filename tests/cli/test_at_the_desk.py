"""What happens to the commands at a desk: pipes, Ctrl-C, cron, missing files and packages."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Dict, List, Optional

import pytest
from click.testing import CliRunner, Result

from sms_watch_cli.commands import group
from tests.support.loopback import closed_port
from tests.support.sessions import Day, a_day, call

ROOT = Path(__file__).parents[2]
COMMANDS = ["check --json", "status --json", "invoke", "report --out -"]

pytestmark = pytest.mark.usefixtures("no_waiting")


def _program(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def _lines(texts: Dict[str, str]) -> str:
    return "".join(f"{name}={text}\n" for name, text in texts.items())


def _by_pipe(day: Day, line: str) -> Result:
    """Call a command whose settings come out of a pipe, which gives them once."""
    path = day.place / "pipe"
    if not path.exists():
        os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(_lines(day.texts),), daemon=True)
    writer.start()
    try:
        return CliRunner().invoke(group, [*line.split(), "--env-file", str(path)])
    finally:
        # A writer whom nobody has read waits for a reader; this is one.
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        writer.join()


def test_settings_that_a_program_hands_over_are_read_once(tmp_path: Path) -> None:
    """``--env-file <(sops -d my.env)`` is a pipe: a second look would find nothing, or hang."""
    with a_day(tmp_path) as day:
        assert _by_pipe(day, "invoke").exit_code == 0
        for line in COMMANDS:
            result = _by_pipe(day, line)
            assert result.exit_code in (0, 1), result.output


def test_settings_may_come_by_standard_input(tmp_path: Path) -> None:
    """``sops -d my.env | sms-watch status --env-file /dev/stdin``."""
    with a_day(tmp_path) as day:
        call = ("-m", "sms_watch_cli", "status", "--json", "--env-file", "/dev/stdin")
        done = _program(*call, text=_lines(day.texts))
    assert (done.returncode, done.stderr) == (0, "")
    assert '"RUNNING"' in done.stdout


def test_a_file_of_settings_that_is_elsewhere_is_told_with_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong folder is named, and what to do about it."""
    monkeypatch.chdir(tmp_path)
    result = call("status", "--env-file", "simulated.env")
    assert result.exit_code == 2
    assert f"there is no file simulated.env in {tmp_path}; change to its folder" in result.output


INTERRUPT = """
import os, signal, sys
class Interrupts:
    def find_spec(self, name, *more):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
{then}
"""


@pytest.mark.parametrize(
    ("name", "then"),
    [
        ("rich", "from sms_watch_cli.__main__ import main; main()"),
        ("requests", "from sms_watch_cli.__main__ import main; main()"),
        (
            "packaging_zip.build",
            "import runpy; runpy.run_path('build_zip.py', run_name='__main__')",
        ),
    ],
)
def test_ctrl_c_in_the_first_second_ends_at_once(name: str, then: str) -> None:
    """While modules are loaded: one word, no traceback, and the status that a shell expects."""
    done = _program("-c", INTERRUPT.format(name=name, then=then))
    assert done.returncode == 130
    assert re.fullmatch(r"(build_zip: )?interrupted\n", done.stderr)


def test_ctrl_c_later_is_left_to_the_command() -> None:
    """What was begun then ends in its own way."""
    load = "from sms_watch_cli import start; import signal; start._loaded()"
    done = _program("-c", f"{load}; print(signal.getsignal(signal.SIGINT).__name__)")
    assert done.stdout == f"{signal.default_int_handler.__name__}\n"


def test_a_python_without_the_packages_is_told_what_to_type() -> None:
    """No traceback: the package that is missing, and the command that has it."""
    done = _program("-S", "-m", "sms_watch_cli")
    assert done.returncode == 1
    assert "sms-watch needs click, which this Python does not have: type" in done.stderr
    assert ".venv/bin/sms-watch" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_page_may_go_to_standard_output(tmp_path: Path) -> None:
    """The page alone is there; what the command says of it goes beside."""
    with a_day(tmp_path) as day:
        day.call("invoke")
        result = day.call("report", "--out", "-")
    assert result.exit_code == 0
    assert result.stdout.startswith("<!doctype html>")
    assert result.stdout.endswith("</html>\n")
    assert result.stderr.startswith("-: 1 task, ")


def test_a_night_and_its_page_do_not_share_standard_output() -> None:
    """The night is shown there."""
    result = call("simulate", "--report", "-")
    assert result.exit_code == 2
    assert "name a file for the page" in result.output


@pytest.mark.parametrize("line", ["report --out", "simulate --report"])
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, line: str
) -> None:
    """Neither is the journal read nor the night played."""
    result = call(*line.split(), str(tmp_path / "missing" / "page.html"))
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert "page.html cannot be written: No such file or directory; name another" in result.output
    assert "settings" not in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize("before", [None, "an older page"])
def test_a_look_at_the_output_leaves_it_as_it_was(tmp_path: Path, before: Optional[str]) -> None:
    """Work that fails makes no empty file, and empties none."""
    path = tmp_path / "page.html"
    if before:
        path.write_text(before, encoding="utf-8")
    assert call("report", "--out", str(path)).exit_code == 2
    assert (path.read_text(encoding="utf-8") if path.exists() else None) == before


def test_cron_hears_of_failures_alone(tmp_path: Path) -> None:
    """Quiet is quiet when all is well; a failure is told once, and by the status."""
    with a_day(tmp_path) as day:
        day.world.fail("a", "SMS.0807")
        assert (day.call("invoke", "--quiet").output, len(day.world.starts)) == ("", 1)
        day.texts["SMS_ENDPOINT"] = closed_port()
        result = day.call("invoke", "--quiet")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: no task could be read")


@pytest.mark.parametrize("more", [[], ["--quiet"]])
def test_an_error_is_told_once(tmp_path: Path, more: List[str]) -> None:
    """It is in the log of a function; at a desk the command itself tells it."""
    with a_day(tmp_path) as day:
        day.texts["SMN_TOPIC_URN"] = "nonsense"
        result = day.call("invoke", *more)
    assert result.exit_code == 1
    assert result.output.count("SMN_TOPIC_URN: ") == 1


@pytest.mark.parametrize("line", COMMANDS)
def test_an_address_on_this_machine_that_nobody_answers_at_is_asked_about(
    tmp_path: Path, line: str
) -> None:
    """The simulated cloud was ended, or began again at another address."""
    with a_day(tmp_path) as day:
        day.keep_journal_on_obs()
        url = closed_port()
        for name in ("SMS_ENDPOINT", "SMN_ENDPOINT", "OBS_ENDPOINT"):
            day.texts[name] = url
        result = day.call(*line.split())
    assert result.exit_code
    said = " ".join(result.output.split())
    assert f"nothing answers at {url}, which SMS_ENDPOINT names" in said
    assert "is sms-watch cloud still running?" in said


@pytest.mark.parametrize("line", COMMANDS)
def test_an_address_that_answers_is_not_asked_about(tmp_path: Path, line: str) -> None:
    """Another error has another cause."""
    with a_day(tmp_path) as day:
        day.keep_journal_on_obs("obs://nobodys-bucket")
        result = day.call(*line.split())
    assert "sms-watch cloud" not in result.output
