"""The zip: what is in it, that it is the same every time, and that it runs where it has to."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.metadata import distribution
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import certifi
import pytest
from cyclonedx.model.bom import Bom
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from packaging_zip import (
    build,
    checkout,
    collect,
    command,
    compiling,
    interpreters,
    lock,
    release,
)
from packaging_zip.build import Built
from packaging_zip.interpreters import RUNTIMES
from simulated_cloud.clock import VirtualClock
from simulated_cloud.server import CloudServer
from simulated_cloud.task import SimTask
from simulated_cloud.world import World
from tests.support.clouds import KEY, TOPIC
from tests.support.interpreters import RUNNING, interpreters_found

# FunctionGraph's own packages may come first on the path, and the code's folder last. Without
# settings the handler has to say which are missing; with them, it does a whole run against a cloud.
RUN = """
import json, sys
sys.path[:] = [sys.argv[2], *sys.path, sys.argv[1]]
import index
index.initializer(None)
try:
    index.handler({}, None)
except Exception as error:
    named = "SMS_TASK_IDS" in str(error) and "SMN_TOPIC_URN" in str(error)
    refused = [type(error).__name__, named]
class Context:
    getUserData = staticmethod(json.load(sys.stdin).get)
task, = index.handler({"trigger_type": "TIMER"}, Context())["tasks"]
print(json.dumps([*refused, task["action"], task["outcome"], "%d.%d" % sys.version_info[:2]]))
"""
BUNDLED = ("requests", "urllib3", "certifi", "yaml", "six", "huaweicloudsdkcore")
NEWEST = list({RUNNING: "", **interpreters_found()})[-1]


@pytest.fixture(scope="module")
def names(zipped: Path) -> List[str]:
    """List what is in the zip."""
    with zipfile.ZipFile(zipped) as archive:
        return archive.namelist()


def test_the_handler_is_at_the_root(names: List[str]) -> None:
    """FunctionGraph looks for index.py at the root; the package and its table lie beside it."""
    assert {"index.py", "sms_watch/handler.py", "sms_watch/rules/error_codes.csv"} <= set(names)


def test_only_what_runs_is_in_it(names: List[str]) -> None:
    """No compiled part, no cache, no tests, nothing of what runs on one's own machine."""
    suffixes = {Path(name).suffix for name in names}
    assert not suffixes & {".so", ".pyd", ".pyc", ".pyi", ".c", ".h"}
    tops = {name.split("/")[0] for name in names}
    assert not tops & {
        "pymongo",
        "gridfs",
        "dns",
        "sms_watch_cli",
        "simulated_cloud",
        "packaging_zip",
        "tests",
        "pytest",
        "pip",
        "bin",
    }


def test_every_dependency_keeps_its_licence(names: List[str]) -> None:
    """For each locked distribution its licence is in the zip."""
    kept = {name.split("/")[1] for name in names if name.startswith("licenses/")}
    assert kept == set(lock.locked(checkout.ROOT))


def test_the_zip_stays_small(zipped: Path) -> None:
    """The zip without compiled caches is at most 1.8 MB."""
    assert zipped.stat().st_size <= 1_800_000


def test_the_same_input_gives_the_same_bytes(zipped: Path, tmp_path: Path) -> None:
    """Neither the directory, nor file times, nor the umask or the time zone shows in the zip."""
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for name in ("index.py", "requirements.txt", "build_zip.py"):
        shutil.copy(checkout.ROOT / name, copy)
    for name in ("sms_watch", "packaging_zip"):
        shutil.copytree(checkout.ROOT / name, copy / name)
    done = subprocess.run(
        [sys.executable, "build_zip.py", "--plain", "--output", "again.zip"],
        cwd=copy,
        env={**os.environ, "TZ": "Asia/Tokyo", "PYTHONPATH": os.pathsep.join(sys.path)},
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    content = zipped.read_bytes()
    assert (copy / "again.zip").read_bytes() == content
    assert hashlib.sha512(content).hexdigest() in done.stdout
    assert re.search(r"^sms_watch +\d+ +[\d,]+  [0-9a-f]{16}$", done.stdout, re.MULTILINE)
    _check_bill((copy / "again.cdx.json").read_text(encoding="utf-8"), content)


def test_the_packed_zones_do_not_say_where_they_were_packed(zipped: Path) -> None:
    """No time, no name and no system stands in their header, whichever Python has written it."""
    with zipfile.ZipFile(zipped) as archive:
        header = archive.read(collect.PACKED)[:10]
    assert header == b"\x1f\x8b\x08\x00" + bytes(4) + b"\x02\xff"


def _check_bill(text: str, content: bytes) -> None:
    told = json.loads(text)
    bom = Bom.from_json(told)  # type: ignore[attr-defined] # the library adds it to the class
    product = bom.metadata.component
    assert [each.content for each in product.hashes] == [hashlib.sha512(content).hexdigest()]
    wanted = lock.locked(checkout.ROOT)
    del wanted["dnspython"]  # installed for pymongo, of which only bson is in the zip
    assert {(each.name, each.version) for each in bom.components} == set(wanted.items())
    assert all(each.licenses and each.purl for each in bom.components)
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert "timestamp" not in text


def test_nothing_of_the_machine_shows_in_the_entries(zipped: Path) -> None:
    """The files stand in the order of their names, all with one date, mode, system and method."""
    with zipfile.ZipFile(zipped) as archive:
        entries = archive.infolist()
    assert [each.filename for each in entries] == sorted({each.filename for each in entries})
    assert {
        (each.date_time, each.external_attr >> 16, each.create_system, each.compress_type)
        for each in entries
    } == {((1980, 1, 1, 0, 0, 0), 0o100644, 3, zipfile.ZIP_DEFLATED)}


ZONES = """
import sys, zoneinfo
from datetime import datetime, timezone
sys.path.insert(0, sys.argv[1])
zoneinfo.reset_tzpath(to=[])
from sms_watch.zones import load_zone
moment = datetime(2027, 7, 1, tzinfo=timezone.utc)
for name in ("Asia/Shanghai", "Asia/Kuala_Lumpur", "Europe/Berlin", "Asia/Calcutta"):
    print(moment.astimezone(load_zone(name)).strftime("%z"))
print(datetime(2027, 1, 1, tzinfo=timezone.utc).astimezone(load_zone("Canada/Newfoundland"))
    .strftime("%z"))
try:
    load_zone("Middle/Earth")
except KeyError:
    print("KeyError")
"""


@pytest.mark.parametrize("version", [*interpreters_found(), RUNNING])
def test_the_zip_runs_by_itself(zipped: Path, tmp_path: Path, version: str) -> None:
    """On each of FunctionGraph's Pythons here, nothing but the zip is needed for a whole run."""
    _check_a_run(zipped, tmp_path, version)


@pytest.mark.parametrize("version", [*interpreters_found(), RUNNING])
def test_the_zip_knows_the_time_zones_of_the_world(
    zipped: Path, tmp_path: Path, version: str
) -> None:
    """On a system without a time-zone database a name gives the right time, in summer too."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [interpreters_found().get(version, sys.executable), "-I", "-S", "-c", ZONES, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["+0800", "+0800", "+0200", "+0530", "-0330", "KeyError"]


def test_the_zip_holds_the_authorities_of_certifi(names: List[str]) -> None:
    """Each of certifi's has a file of its own in the folder that the adapters name."""
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    laid_out = [name for name in names if re.fullmatch(r"sms_watch/roots/[0-9a-f]{8}\.\d+", name)]
    assert len(laid_out) == bundle.count("BEGIN CERTIFICATE")


def test_compiled_files_for_all_runtimes_stay_small(tmp_path: Path) -> None:
    """With those for each of FunctionGraph's Pythons here the zip is at most 6 MB."""
    output = tmp_path / "sms-watch.zip"
    files = build.build(output, versions=interpreters.installed_runtimes()).files
    assert output.stat().st_size <= 6_000_000
    tags = {name.split(".")[-2] for name in files if name.endswith(".pyc")}
    assert tags == {f"cpython-{each.replace('.', '')}" for each in interpreters_found()}


@pytest.mark.parametrize(
    ("arguments", "here", "versions", "told"),
    [
        (
            [],
            ("3.9", "3.10", "3.12"),
            ("3.9", "3.10", "3.12"),
            r"compiled for Python 3\.9, 3\.10, 3\.12$",
        ),
        (
            [],
            ("3.9", "3.12"),
            ("3.9", "3.12"),
            r"on 3\.10 every cold start takes .* as long; not installed here: Python 3\.10$",
        ),
        ([], (), (), r"nothing is compiled; on 3\.9, 3\.10, 3\.12 .*; not installed here: .*$"),
        (
            ["--plain"],
            ("3.9", "3.10", "3.12"),
            (),
            r"nothing is compiled; on 3\.9, 3\.10, 3\.12 .* long$",
        ),
        (
            ["--python", "3.10"],
            ("3.9", "3.10", "3.12"),
            ("3.10",),
            r"3\.10; on 3\.9, 3\.12 .* long$",
        ),
    ],
)
def test_what_is_compiled_and_what_is_missing_is_said(
    arguments: List[str],
    here: Tuple[str, ...],
    versions: Tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By default every runtime found is compiled for; the cost for the others is told."""
    asked: List[Tuple[str, ...]] = []

    def build(output: Path, versions: Tuple[str, ...]) -> Built:
        asked.append(versions)
        output.write_bytes(b"")
        return Built({}, ())

    monkeypatch.setattr(command, "build", build)
    monkeypatch.setattr(command, "installed_runtimes", lambda: here)
    output = tmp_path / "sms-watch.zip"
    command.main(["--allow-dirty", "--output", str(output), *arguments])
    assert asked == [versions]
    assert re.search(told, capsys.readouterr().out, re.MULTILINE)


def _fake_builds(monkeypatch: pytest.MonkeyPatch, here: Tuple[str, ...]) -> None:
    """Let each zip hold the versions that it is compiled for, and no more."""

    def build(output: Path, versions: Tuple[str, ...]) -> Built:
        output.write_bytes(" ".join(versions).encode())
        return Built({}, ())

    monkeypatch.setattr(command, "build", build)
    for module in (command, release):
        monkeypatch.setattr(module, "installed_runtimes", lambda: here)


def test_a_release_has_every_zip_with_bill_and_checksums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for all runtimes, one for each, a plain one; the checksums are those of all files."""
    _fake_builds(monkeypatch, RUNTIMES)
    command.main(["--allow-dirty", "--release", "--output", str(tmp_path / "sms-watch.zip")])
    zips = {path.name: path.read_text() for path in tmp_path.glob("*.zip")}
    assert zips == {
        "sms-watch.zip": "3.9 3.10 3.12",
        "sms-watch-plain.zip": "",
        **{f"sms-watch-python{version}.zip": version for version in RUNTIMES},
    }
    files = {path.name: path for path in tmp_path.iterdir() if "SUMS" not in path.name}
    assert set(files) == {*zips, *(name.replace(".zip", ".cdx.json") for name in zips)}
    for kind in ("sha512", "sha256"):
        lines = (tmp_path / f"{kind.upper()}SUMS").read_text().splitlines()
        sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
        assert sums == {
            name: hashlib.new(kind, path.read_bytes()).hexdigest() for name, path in files.items()
        }


def test_half_a_release_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one of the runtimes nothing is built, and no checksums of an earlier one stay."""
    _fake_builds(monkeypatch, ("3.9", "3.12"))
    (tmp_path / "SHA256SUMS").write_text("those of an earlier release")
    with pytest.raises(SystemExit, match=r"there is no 3\.10 here: install it"):
        command.main(["--allow-dirty", "--release", "--output", str(tmp_path / "sms-watch.zip")])
    assert list(tmp_path.iterdir()) == []


def test_plain_and_one_python_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing cannot be compiled for a version."""
    with pytest.raises(SystemExit):
        command.main(["--plain", "--python", "3.10"])
    assert "not allowed with" in capsys.readouterr().err


def test_compiled_files_are_for_one_python_and_the_same_every_time(tmp_path: Path) -> None:
    """With compiled files for one the zip is at most 3.2 MB; none is compared with its source."""
    output = tmp_path / "sms-watch.zip"
    files = build.build(output, versions=(NEWEST,)).files
    made = {name: content for name, content in files.items() if name.endswith(".pyc")}
    # Those for another Python than FunctionGraph's, where there is none of its own, are larger.
    most = 3_200_000
    assert output.stat().st_size <= most
    assert {"__pycache__", "sms_watch/adapters/__pycache__"} <= {
        name.rpartition("/")[0] for name in made
    }
    tag = f".cpython-{NEWEST.replace('.', '')}.pyc"
    unchecked = (1).to_bytes(4, "little")
    assert all(name.endswith(tag) and made[name][4:8] == unchecked for name in made)
    assert not any(str(tmp_path).encode() in content for content in made.values())
    plain = {name: files[name] for name in files.keys() - made.keys()}
    assert compiling.compiled(plain, interpreters.interpreter(NEWEST)) == made
    _check_a_run(output, tmp_path / "run", NEWEST)


def _check_a_run(zipped: Path, place: Path, version: str) -> None:
    """Run as on FunctionGraph: no environment, nothing writable, older packages first."""
    code, bundled, here = (place / name for name in ("code", "bundled", "here"))
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(code)
    for name in BUNDLED:
        (bundled / name).mkdir(parents=True)
        (bundled / name / "__init__.py").write_text("raise AssertionError('the bundled one')")
    here.mkdir()
    for each in [here, *place.rglob("*")]:
        each.chmod(0o555 if each.is_dir() else 0o444)
    before = sorted(place.rglob("*"))
    with _a_failed_task() as (world, texts):
        done = subprocess.run(
            [
                interpreters.interpreter(version),
                "-I",
                "-S",
                "-B",
                "-c",
                RUN,
                str(code),
                str(bundled),
            ],
            input=json.dumps(texts),
            cwd=here,
            env={},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome == ["WatchFailed", True, "start", "done", version]
    assert [start.accepted for start in world.starts] == [True]
    assert len(world.inbox) == 1
    assert sorted(place.rglob("*")) == before


@contextmanager
def _a_failed_task() -> Iterator[Tuple[World, Dict[str, str]]]:
    """Return a cloud at this very moment, for signatures are, and the settings for it."""
    world = World(VirtualClock(datetime.now(timezone.utc)))
    world.add(SimTask("a", "web-01"))
    world.fail("a", "SMS.0201", obstacle=False)
    with CloudServer(world, [KEY], [TOPIC]) as server:
        services = {f"{name}_ENDPOINT": server.url for name in ("SMS", "SMN", "OBS")}
        keys = {"HUAWEICLOUD_SDK_AK": KEY.access, "HUAWEICLOUD_SDK_SK": KEY.secret}
        yield world, {"SMS_TASK_IDS": "a", "SMN_TOPIC_URN": TOPIC, **services, **keys}


def test_the_runtimes_are_those_of_functiongraph() -> None:
    """The versions that the zip is tried on are 3.9, 3.10 and 3.12, no more than exist there."""
    assert interpreters.RUNTIMES == ("3.9", "3.10", "3.12")
    assert set(interpreters_found()) <= set(interpreters.RUNTIMES)


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_one_lock_holds_for_every_python(version: str) -> None:
    """What a locked dependency asks for on a Python, markers included, is locked to suit it."""
    wanted = lock.locked(checkout.ROOT)
    there = {"python_version": version, "python_full_version": f"{version}.0", "extra": ""}
    for name in wanted:
        installed = distribution(name)
        for allowed in installed.metadata.get_all("Requires-Python") or ():
            assert SpecifierSet(allowed).contains(f"{version}.0"), name
        for each in map(Requirement, installed.requires or ()):
            if each.marker is None or each.marker.evaluate(there):
                found = wanted[re.sub(r"[-_.]+", "-", each.name).lower()]
                assert each.specifier.contains(found), (name, str(each))
