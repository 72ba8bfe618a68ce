"""The zip: what is in it, that it is the same every time, and that it runs where it has to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, List

import pytest
from interpreters import RUNTIMES, interpreters_found

import build_zip

# Without settings the handler must say which are missing, whatever else there is around it.
RUN = """
import socket, sys
def refuse(*_): raise AssertionError("the network was asked")
socket.socket.connect = refuse
sys.path.insert(0, sys.argv[1])
import index
index.initializer(None)
try:
    index.handler({}, None)
except Exception as error:
    named = "SMS_TASK_IDS" in str(error) and "SMN_TOPIC_URN" in str(error)
    print(type(error).__name__, named, "%d.%d" % sys.version_info[:2])
"""


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the zip once, from what is installed for these tests."""
    output = tmp_path_factory.mktemp("zip") / "sms-watch.zip"
    build_zip.build(output)
    return output


@pytest.fixture(scope="module")
def names(zipped: Path) -> List[str]:
    """List what is in the zip."""
    with zipfile.ZipFile(zipped) as archive:
        return archive.namelist()


def test_the_handler_is_at_the_root(names: List[str]) -> None:
    """FunctionGraph looks for index.py at the root; the package and its table lie beside it."""
    assert {"index.py", "sms_watch/handler.py", "sms_watch/error_codes.csv"} <= set(names)


def test_only_what_runs_is_in_it(names: List[str]) -> None:
    """No compiled part, no cache, no tests, nothing of what runs on one's own machine."""
    suffixes = {Path(name).suffix for name in names}
    assert not suffixes & {".so", ".pyd", ".pyc", ".pyi", ".c", ".h"}
    tops = {name.split("/")[0] for name in names}
    assert not tops & {"pymongo", "gridfs", "dns", "local", "tests", "pytest", "pip", "bin"}


def test_every_dependency_keeps_its_licence(names: List[str]) -> None:
    """For each locked distribution its licence is in the zip."""
    kept = {name.split("/")[1] for name in names if name.startswith("licenses/")}
    assert kept == set(build_zip.locked(build_zip.ROOT))


def test_the_zip_stays_small(zipped: Path) -> None:
    """The zip without compiled caches is at most 1.8 MB."""
    assert zipped.stat().st_size <= 1_800_000


def test_the_same_input_gives_the_same_bytes(zipped: Path, tmp_path: Path) -> None:
    """Neither the directory, nor file times, nor the umask or the time zone shows in the zip."""
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for name in ("index.py", "requirements.txt", "build_zip.py"):
        shutil.copy(build_zip.ROOT / name, copy)
    shutil.copytree(build_zip.ROOT / "sms_watch", copy / "sms_watch")
    done = subprocess.run(
        [sys.executable, "build_zip.py", "--output", "again.zip"],
        cwd=copy,
        env={**os.environ, "TZ": "Asia/Tokyo", "PYTHONPATH": os.pathsep.join(sys.path)},
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (copy / "again.zip").read_bytes() == zipped.read_bytes()
    assert "SHA-512" in done.stdout


def test_nothing_of_the_machine_shows_in_the_entries(zipped: Path) -> None:
    """The files stand in the order of their names, all with one date, mode, system and method."""
    with zipfile.ZipFile(zipped) as archive:
        entries = archive.infolist()
    assert [each.filename for each in entries] == sorted({each.filename for each in entries})
    assert {
        (each.date_time, each.external_attr >> 16, each.create_system, each.compress_type)
        for each in entries
    } == {((1980, 1, 1, 0, 0, 0), 0o100644, 3, zipfile.ZIP_DEFLATED)}


@pytest.mark.parametrize("version", [*interpreters_found(), "running"])
def test_the_zip_runs_by_itself(zipped: Path, tmp_path: Path, version: str) -> None:
    """On each of FunctionGraph's Pythons found here, nothing but the zip is needed."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(tmp_path)
    python = interpreters_found().get(version, sys.executable)
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", RUN, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == [
        f"WatchFailed True {running if version == 'running' else version}"
    ], done.stderr
    build_zip.prove(zipped, python)


def test_the_runtimes_are_those_of_functiongraph() -> None:
    """The versions that the zip is tried on are 3.9, 3.10 and 3.12, no more than exist there."""
    assert RUNTIMES == ("3.9", "3.10", "3.12")
    assert set(interpreters_found()) <= set(RUNTIMES)


def test_a_zip_that_cannot_be_imported_is_not_left_behind(tmp_path: Path) -> None:
    """When the proof fails there is an error that says why, and no zip to upload by mistake."""
    root = _a_root(tmp_path, {"index.py": "import nothing_of_that_name\n"})
    output = tmp_path / "out" / "sms-watch.zip"
    output.parent.mkdir()
    output.write_text("what an earlier build left")
    with pytest.raises(build_zip.BuildError, match="nothing_of_that_name"):
        build_zip.build(output, root, [])
    assert list(output.parent.iterdir()) == []


def test_a_dependency_in_another_version_is_refused(tmp_path: Path) -> None:
    """Only the locked versions go into a zip; what is missing is named."""
    root = _a_root(tmp_path, {"requirements.txt": "requests==0.0.1 \\\n    --hash=sha256:0\n"})
    with pytest.raises(build_zip.NotInstalledError, match=r"requests 0\.0\.1"):
        build_zip.build(tmp_path / "out.zip", root)


def test_what_pip_cannot_install_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the package index the error says what to do, and there is no zip."""
    root = _a_root(tmp_path, {"requirements.txt": f"requests==0.0.1 --hash=sha256:{'0' * 64}\n"})
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(build_zip.BuildError, match="package index can be reached"):
        build_zip.build_afresh(tmp_path / "out.zip", root)
    assert not (tmp_path / "out.zip").exists()


def test_a_place_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    """A file where the output's folder should be ends the build with one line, no traceback."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(SystemExit, match=r"build_zip: .*taken"):
        build_zip.main(["--output", str(tmp_path / "taken" / "sms-watch.zip")])


def _a_root(place: Path, files: Dict[str, str]) -> Path:
    root = place / "root"
    (root / "sms_watch").mkdir(parents=True)
    for name, text in {"index.py": "", "requirements.txt": "", **files}.items():
        (root / name).write_text(text, encoding="utf-8")
    return root
