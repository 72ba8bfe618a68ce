"""The set-up of a checkout: what it installs, what it shows, and what it says when it cannot."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Set

import pytest
from packaging.requirements import Requirement

from packaging_zip import environment, pip_words
from packaging_zip.errors import BuildError

ROOT = Path(__file__).parents[2]
OURS = ("sms_watch", "sms_watch_cli", "simulated_cloud", "index")
MODULES = {"dotenv": "python-dotenv"}  # those that are not called as their package is
# What comes with the packages that are asked for, and is imported beside them.
WITH_OTHERS = {"werkzeug": "flask", "urllib3": "requests"}
TOOLS = {"mypy", "ruff", "hypothesis", "mutmut", "pytest", "cryptography"}


def _asked(name: str) -> Set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {Requirement(line).name for line in lines if line and line[0] not in "-#"}


def _pins(name: str) -> Dict[str, Set[str]]:
    """Return the versions of each package in a lock."""
    found: Dict[str, Set[str]] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        pin = re.match(r"([a-z0-9-]+)(?:\[\w+\])?==(\S+)", line)
        if pin:
            found.setdefault(pin[1], set()).add(pin[2])
    return found


def _imported() -> Set[str]:
    """Return the packages of others that the command and the simulated cloud import."""
    found: Set[str] = set()
    for path in (each for top in OURS[:3] for each in (ROOT / top).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    spoken = {name for name in found if importlib.util.find_spec(name) is not None}
    own = {*OURS, "sysconfig", "__future__"}
    return {MODULES.get(name, name) for name in spoken - own - _standard()}


def _standard() -> Set[str]:
    place = Path(ast.__file__).parent.resolve()
    names = {path.stem for path in place.iterdir()}
    built_in = {path.stem.partition(".")[0] for path in place.glob("lib-dynload/*")}
    return {*names, *built_in, *sys.builtin_module_names}


def _a_checkout(place: Path) -> Path:
    """Lay out what make looks at, without an environment."""
    for name in ("Makefile", "set_up.py", "requirements-demo.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, place)
    return place


def _make(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-C", str(place), *arguments],  # noqa: S607 - make is wherever it is
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_asks_for_what_it_imports_and_for_no_tools() -> None:
    """Its packages are those that the code imports, those of the zip, and setuptools."""
    asked = _asked("requirements-demo.in") | _asked("requirements.in")
    imported = {WITH_OTHERS.get(name, name) for name in _imported()}
    assert imported <= asked
    assert asked - imported == {"setuptools", "tzdata"}
    assert not TOOLS & set(_pins("requirements-demo.txt"))


@pytest.mark.parametrize("lower", ["requirements.txt", "requirements-demo.txt"])
def test_the_locks_agree(lower: str) -> None:
    """What the tests install on top leaves each package of the demo, and of the zip, as it is."""
    upper = _pins("requirements-dev.txt")
    assert {name: upper.get(name) for name in _pins(lower)} == _pins(lower)


def test_make_demo_installs_for_the_demo_and_make_test_the_rest(tmp_path: Path) -> None:
    """The rest comes on top of the demo's environment, and make lock brings every lock up."""
    place = _a_checkout(tmp_path)
    demo, test = (_make(place, "-n", target).stdout for target in ("demo", "test"))
    assert "set_up.py requirements-demo.txt" in demo
    assert "requirements-dev.txt" not in demo
    assert "set_up.py requirements-demo.txt" in test
    assert "set_up.py requirements-dev.txt --on-top" in test
    lock = _make(place, "-n", "lock").stdout
    assert all(f"-o {path.name}" in lock for path in ROOT.glob("requirements*.txt"))


def test_without_python_the_answer_is_what_to_type(tmp_path: Path) -> None:
    """A PYTHON that is not there is told in words."""
    done = _make(_a_checkout(tmp_path), "PYTHON=python3.99", "demo")
    assert done.returncode
    assert "There is no python3.99 here: install Python 3.9 or later" in done.stdout


# What people start, the modules that it is, and the file that has to be read by any Python.
STARTS = {
    "index": "index.py",
    "set_up": "set_up.py",
    "build_zip": "build_zip.py",
    "sms_watch_cli.__main__": "sms_watch_cli/__main__.py",
}
TOO_OLD = "needs Python 3.9 or later, and this is Python"


@pytest.mark.parametrize("name", STARTS)
def test_a_python_that_is_too_old_is_told_in_words(name: str) -> None:
    """What it runs first is read by any Python, and asks for a later one before other imports."""
    for path in (ROOT / STARTS[name], ROOT / "sms_watch_cli" / "__init__.py"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
    older = f"import sys; sys.version_info = (3, 6, 8); sys.version = '3.6.8 (old)'; import {name}"
    done = subprocess.run(
        [sys.executable, "-c", older], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"{TOO_OLD} 3.6.8: " in done.stderr


def test_older_pythons_that_are_here_say_so() -> None:
    """Real ones, where there are any, say it in one line, whatever was typed."""
    names = [f"{version}.*" for version in ("2.7", "3.6", "3.7", "3.8")]
    managed = Path.home() / ".pyenv" / "versions"
    calls = (["set_up.py"], ["build_zip.py", "--plain"], ["-m", "sms_watch_cli", "check"])
    for python in (each for name in names for each in managed.glob(f"{name}/bin/python")):
        for call in (*calls, ["-c", "import index"]):
            done = subprocess.run(
                [str(python), "-B", *call], cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert TOO_OLD in done.stderr
            assert call not in calls or done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("Retrying (...) 'NewConnectionError(... Name or service not known)'", "cannot be reached"),
        ("Retrying (...) 'ProxyError('Cannot connect to proxy.', ...)'", "correct HTTPS_PROXY"),
        ("OSError('Tunnel connection failed: 407 Proxy Auth...')", "correct HTTPS_PROXY"),
        ("SSLError(... CERTIFICATE_VERIFY_FAILED ...)", "PIP_CERT"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: Could not install: [Errno 13] Permission denied: 'x'", "folder of your own"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "which of the two was changed"),
        ("ERROR: No matching distribution found for a==1", "PYTHON=python3.12"),
        ("ERROR: something else", "then run this again"),
    ],
)
def test_what_pip_says_becomes_what_to_do(said: str, advice: str) -> None:
    """The cause is told by pip's words, though each ends with a version that was not found."""
    assert advice in pip_words.reason(f"{said}\nERROR: nothing was installed\n")


def _a_pip(place: Path, lines: str, status: int) -> Path:
    """Make a program that says what pip would."""
    program = place / "python"
    program.write_text(f"#!/bin/sh\ncat <<'EOF'\n{lines}\nEOF\nexit {status}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def test_each_package_is_named_as_pip_gets_to_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever waits sees that something happens, in lines that fit a terminal of 80 columns."""
    names = [f"package-{number}" for number in range(12)]
    lines = [f"Collecting {name}==1 (from -r x.txt (line 1))" for name in names]
    pip = _a_pip(tmp_path, "\n".join([*lines, "Installing collected packages: all"]), 0)
    environment.install(pip, tmp_path)
    shown = capsys.readouterr().out
    assert shown.split()[:12] == names
    assert "putting them in place ..." in shown
    assert max(map(len, shown.splitlines())) < 80


def test_without_network_the_wait_and_the_cause_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That pip tries again is said once, and in the end pip's own errors and what to do."""
    retry = "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError'"
    missing = "ERROR: No matching distribution found for flask==3"
    with pytest.raises(BuildError, match="cannot be reached: connect this machine"):
        environment.install(_a_pip(tmp_path, f"{retry}\n{retry}\n{missing}", 1), tmp_path)
    shown = capsys.readouterr().out
    assert shown.count("does not answer") == 1
    assert f"pip: {missing}" in shown


def test_a_folder_that_cannot_be_written_is_told_with_what_to_type(tmp_path: Path) -> None:
    """Whatever stands in the way, the answer names a folder of one's own."""
    (tmp_path / ".venv").write_text("", encoding="utf-8")
    with pytest.raises(BuildError, match=r"cannot be written .*git clone .* make demo"):
        environment.make(tmp_path / ".venv")


def test_a_python_without_venv_is_told_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian's and Ubuntu's Python comes without; the package that has it is named."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BuildError, match="apt install python3-venv"):
        environment.make(tmp_path / ".venv")


def test_an_error_of_the_set_up_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no traceback; Ctrl-C ends with its usual status."""
    ends = iter([BuildError("no"), KeyboardInterrupt()])

    def end(*_: object) -> None:
        raise next(ends)

    monkeypatch.setattr(environment, "set_up", end)
    with pytest.raises(SystemExit, match="set-up: no"):
        environment.main(["x.txt"])
    with pytest.raises(SystemExit) as ended:
        environment.main(["x.txt"])
    assert ended.value.code == 130
