"""Older libraries of the runtime: first on the path, or loaded already, beside those deployed."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence

import pytest

from packaging_zip import checkout, errors, interpreters, lock
from sms_watch.errors import WatchError
from sms_watch.libraries import described, loaded_elsewhere, refuse_another_sdk
from tests.support.builders import LINE_LOST
from tests.support.sessions import Day, a_day

# As FunctionGraph does it, but with other libraries: first on the path, and some loaded already.
RUN = """
import json, sys
code, old, loaded = sys.argv[1], sys.argv[2], sys.argv[3:]
sys.path.insert(0, old)
for name in loaded:
    __import__(name)
sys.path.append(code)
import index
index.initializer(None)
class Context:
    getUserData = staticmethod(json.load(sys.stdin).get)
try:
    print(json.dumps(index.handler({"trigger_type": "TIMER"}, Context())))
except Exception as error:
    print(json.dumps({"error": type(error).__name__, "text": str(error)}))
print(json.dumps(sys.path))
"""
SITE = Path(sysconfig.get_paths()["purelib"])
OF_THE_RUNTIME = ("huaweicloudsdkcore", "huaweicloudsdksmn", "requests", "urllib3", "yaml", "six")
FOR_CALLS = ["requests", "urllib3", "idna", "certifi", "charset_normalizer"]


class Ran(NamedTuple):
    """What one run said: its log, its report or its error, and the path of modules after it."""

    log: List[Dict[str, Any]]
    report: Dict[str, Any]
    path: List[str]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out what is deployed as the zip does: index.py, the package, and the libraries."""
    place = tmp_path_factory.mktemp("code")
    shutil.copy(checkout.ROOT / "index.py", place)
    (place / "sms_watch").symlink_to(checkout.ROOT / "sms_watch")
    for name in lock.locked(checkout.ROOT):
        for top in {file.parts[0] for file in distribution(name).files or ()}:
            if top.isidentifier() or top.endswith(".py"):
                (place / top).symlink_to(SITE / top)
    return place


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    """Return a day over a failed task that waits for its start."""
    with a_day(tmp_path) as made:
        made.world.fail("a", LINE_LOST, obstacle=False)
        yield made


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a place for the libraries of a runtime."""
    place = tmp_path / "old"
    place.mkdir()
    return place


def _write(place: Path, name: str, text: str) -> None:
    (place / name).mkdir()
    (place / name / "__init__.py").write_text(text, encoding="utf-8")


def _run(day: Day, code: Path, old: Path, loaded: Sequence[str] = ()) -> Ran:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", RUN, str(code), str(old), *loaded],
        input=json.dumps(day.texts),
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *log, report, path = map(json.loads, done.stdout.splitlines())
    return Ran(log, report, path)


@pytest.mark.slow
def test_what_is_deployed_goes_before_older_libraries_on_the_path(
    day: Day, code: Path, old: Path
) -> None:
    """Whatever the runtime has put first, the run uses its own; nothing is taken off the path."""
    for name in OF_THE_RUNTIME:
        _write(old, name, "raise AssertionError('the older one')")
    ran = _run(day, code, old)
    assert ran.report["tasks"][0]["outcome"] == "done", ran.report
    assert [each["event"] for each in ran.log] == ["task", "run"]
    assert ran.path[:2] == [str(code), str(old)]
    assert ran.path[-1] == str(code)
    assert len(day.world.inbox) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["huaweicloudsdkcore", "huaweicloudsdksmn", "huaweicloudsdksms"])
def test_another_sdk_that_is_loaded_already_is_refused_in_words(
    day: Day, code: Path, old: Path, name: str
) -> None:
    """The error names the module, where it came from, and what to do; nothing is sent."""
    _write(old, name, "")
    ran = _run(day, code, old, [name])
    assert ran.report["error"] == "WatchFailed"
    assert f"{name} from {old / name / '__init__.py'}" in ran.report["text"]
    assert "remove the dependency packages from the function" in ran.report["text"]
    assert "unexpected error" not in ran.report["text"]
    assert (day.cloud.calls, day.world.starts, day.world.inbox) == ({}, [], [])


@pytest.mark.slow
@pytest.mark.parametrize("names", [["six.py"], FOR_CALLS], ids=["six", "requests"])
def test_another_library_that_works_is_worked_with(
    day: Day, code: Path, old: Path, names: List[str]
) -> None:
    """The runtime loads what it needs itself: the log says so, and nobody is warned of it."""
    for name in names:
        (old / name).symlink_to(SITE / name)
    loaded = [name.replace(".py", "") for name in names]
    ran = _run(day, code, old, loaded)
    assert ran.report["tasks"][0]["outcome"] == "done", ran.report
    assert not any(str(old) in warning for warning in ran.report["warnings"])
    (said,) = (each for each in ran.log if each["event"] == "libraries")
    assert set(loaded) <= set(said["loaded_elsewhere"])
    assert said["level"] == "INFO"
    assert len(day.world.inbox) == 1


def test_another_library_that_does_not_work_is_named(day: Day, code: Path, old: Path) -> None:
    """An error that nobody foresaw is told with what is probably behind it."""
    _write(old, "requests", "")
    ran = _run(day, code, old, ["requests"])
    assert ran.report["error"] == "WatchFailed"
    assert "unexpected error" in ran.report["text"]
    assert f"requests from {old / 'requests' / '__init__.py'}" in ran.report["text"]
    assert "remove the dependency packages from the function" in ran.report["text"]


# Which library is one of others


def _module(name: str, file: Any) -> ModuleType:
    made = ModuleType(name)
    made.__file__ = file
    return made


@pytest.mark.parametrize(
    ("file", "is_elsewhere"),
    [
        ("{home}/six.py", False),
        ("{home}/six/__init__.py", False),
        ("{home}-of-others/six.py", True),
        ("/usr/lib/six.py", True),
        (None, False),
    ],
)
def test_a_library_is_anothers_if_its_file_lies_elsewhere(
    tmp_path: Path, file: Any, is_elsewhere: bool
) -> None:
    """What has no file, such as a folder without code, cannot be told and is left alone."""
    home = str(tmp_path)
    (tmp_path / "six.py").touch()
    (tmp_path / "README").touch()
    found = file and file.format(home=home)
    modules = {"six": _module("six", found), "json": json, "requests": _module("requests", "/x.py")}
    assert loaded_elsewhere(home, modules) == ({"six": found} if is_elsewhere else {})


def test_libraries_that_are_installed_are_nobody_elses() -> None:
    """On one's own machine they lie where Python has them, and that is how it should be."""
    assert loaded_elsewhere() == {}
    assert loaded_elsewhere("/nowhere/at/all") == {}


def test_only_the_sdk_is_refused() -> None:
    """Its version decides what is sent; the others do in any version that works."""
    others = {"requests": "/old/requests/__init__.py", "six": "/old/six.py"}
    refuse_another_sdk({})
    refuse_another_sdk(others)
    with pytest.raises(WatchError, match=r"core from /old/core.py, requests from /old/requests"):
        refuse_another_sdk({"huaweicloudsdkcore": "/old/core.py", **others})
    assert "six from /old/six.py; remove" in described(others)


# A Python that is too old


def _older() -> Dict[str, str]:
    """Return the interpreters here that are too old, by version, and this one in disguise."""
    found = {"in disguise": sys.executable}
    for version in ("2.7", "3.6", "3.8"):
        with contextlib.suppress(errors.BuildError):
            found[version] = interpreters.interpreter(version)
    return found


DISGUISE = "import sys; sys.version_info, sys.version = (3, 8, 18), '3.8.18 (of old)'; "


@pytest.mark.slow
@pytest.mark.parametrize("version", _older())
def test_a_python_that_is_too_old_is_told_in_words(tmp_path: Path, version: str) -> None:
    """Whoever chose an old runtime reads which one to choose, not of a syntax error within."""
    shutil.copy(checkout.ROOT / "index.py", tmp_path)
    done = subprocess.run(
        [_older()[version], "-c", (DISGUISE if version == "in disguise" else "") + "import index"],
        cwd=tmp_path,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    shown = "3.8.18" if version == "in disguise" else version
    words = f"sms_watch needs Python 3.9 or later, and this is Python {shown}"
    assert words in done.stderr.splitlines()[-1]
    assert "with the runtime Python 3.12" in done.stderr
