"""The zip: what is in it, that it is the same every time, and that it runs where it has to."""

from __future__ import annotations

import hashlib
import importlib.util
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
from typing import Any, Dict, Iterator, List, Tuple

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
    errors,
    interpreters,
    lock,
    release,
)
from packaging_zip.build import Built
from packaging_zip.interpreters import RUNTIMES
from packaging_zip.lazy import FROZEN
from packaging_zip.lazy import LAZY as LAZY_FILES
from simulated_cloud.clock import VirtualClock
from simulated_cloud.server import CloudServer
from simulated_cloud.task import SimTask
from simulated_cloud.world import World
from sms_watch import frozen
from tests.support.clouds import KEY, TOPIC
from tests.support.interpreters import interpreters_found

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
DATACLASSES = (["from", "dataclasses"], ["import", "dataclasses"])
BUNDLED = ("requests", "urllib3", "certifi", "yaml", "six", "huaweicloudsdkcore")
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
NEWEST = list({RUNNING: "", **interpreters_found()})[-1]


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the zip once, from what is installed for these tests."""
    output = tmp_path_factory.mktemp("zip") / "sms-watch.zip"
    build.build(output)
    return output


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


NAMES = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
told = {}
for package in sys.argv[2:]:
    module = importlib.import_module(package)
    names = [each for each in dir(module) if not each.startswith("_")]
    starred = {}
    exec(f"from {package} import *", starred)
    for name in names:
        alone = {}
        exec(f"from {package} import {name}", alone)
        found = getattr(module, name)
        assert found is alone[name] is starred[name], name
        home = getattr(found, "__module__", "")
        if home.startswith("huaweicloud"):
            assert getattr(importlib.import_module(home), name) is found, name
        told[f"{package}.{name}"] = [type(found).__name__, home, found.__name__
            if hasattr(found, "__name__") else str(found)]
    try:
        module.NoSuchName
    except AttributeError as error:
        told[f"{package} lacks"] = str(error)
print(json.dumps(told))
"""
LAZY = [name.rpartition("/")[0].replace("/", ".") for name in LAZY_FILES]
SDK = [package for package in LAZY if package.startswith("huaweicloudsdk")]
# What these say themselves, and what they are to others beside.
SAID = """
import importlib, json, logging, sys
sys.path.insert(0, sys.argv[1])
told = {}
for package in sys.argv[2:]:
    module = importlib.import_module(package)
    starred = {}
    exec(f"from {package} import *", starred)
    for name in module.__all__:
        found = getattr(module, name)
        assert found is starred[name], name
        told[f"{package}.{name}"] = [type(found).__name__, getattr(found, "__module__", str(found))]
    texts = {name: text for name, text in vars(module).items() if isinstance(text, (str, tuple))}
    for own in ("__file__", "__cached__", "_PACKAGES"):
        texts.pop(own, None)
    told[f"{package} says"] = dict(sorted(texts.items()))
import charset_normalizer, requests, requests_toolbelt
told["detects"] = charset_normalizer.detect("Zażółć gęślą jaźń".encode("utf_16"))["encoding"]
handlers = logging.getLogger("charset_normalizer").handlers
told["handlers"] = [type(each).__name__ for each in handlers]
told["of requests"] = requests.packages.chardet.__name__
told["a form"] = requests_toolbelt.MultipartEncoder({"a": "b"}, boundary="c").to_string().decode()
print(json.dumps(told))
"""


def test_the_lazy_packages_offer_every_name_of_the_original(zipped: Path, tmp_path: Path) -> None:
    """Each public name can be imported in every way, and is the object of the same module."""
    found = _told_of_both(zipped, tmp_path, NAMES, SDK)
    assert found[0] == found[1]
    assert len(found[0]) > 2 * 380  # in both the package and its models, as names and modules


def test_the_other_lazy_packages_do_all_that_the_original_does(
    zipped: Path, tmp_path: Path
) -> None:
    """What they offer is the same, and so is what they do and say when they are imported."""
    found = _told_of_both(zipped, tmp_path, SAID, sorted(set(LAZY) - set(SDK)))
    assert found[0] == found[1]
    assert found[0]["detects"] == "UTF-16"
    assert found[0]["handlers"] == ["NullHandler"]


def _told_of_both(zipped: Path, place: Path, script: str, packages: List[str]) -> List[Any]:
    """Return what a script says of packages as they are installed, and of those of the zip."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(place)
    found = []
    for folder in (str(distribution("huaweicloudsdksms").locate_file("")), str(place)):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", script, folder, *packages],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    return found


def test_a_lazy_package_loads_what_is_asked_for_alone(zipped: Path, tmp_path: Path) -> None:
    """To import a client and a request takes no other model."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(tmp_path)
    ask = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from huaweicloudsdksms.v3 import SmsClient, ShowTaskRequest\n"
        "print(*(name for name in sys.modules if name.startswith('huaweicloudsdksms.v3.model.')))"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", ask, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["huaweicloudsdksms.v3.model.show_task_request"]


def test_only_the_lazy_packages_differ_from_their_wheels(zipped: Path) -> None:
    """Every other file of the dependencies is as it was installed."""
    with zipfile.ZipFile(zipped) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    changed = set()
    for package in lock.locked(checkout.ROOT):
        for each in distribution(package).files or ():
            if each.as_posix() in files and files[each.as_posix()] != each.read_binary():
                changed.add(each.as_posix())
    assert changed == set(LAZY_FILES)


def test_only_the_imports_of_dataclasses_differ_in_our_own_modules(zipped: Path) -> None:
    """Each has as many lines as in the repository, the others alike; ``frozen`` is as it was."""
    differ: Dict[str, List[str]] = {}
    with zipfile.ZipFile(zipped) as archive:
        for name in archive.namelist():
            if name.startswith("sms_watch/") and name.endswith(".py"):
                usual = (checkout.ROOT / name).read_text(encoding="utf-8").split("\n")
                lines = archive.read(name).decode().split("\n")
                assert len(lines) == len(usual), name
                differ[name] = [was for was, line in zip(usual, lines) if was != line]
    assert differ.pop(FROZEN) == []
    assert all(line.split()[:2] in DATACLASSES for lines in differ.values() for line in lines)
    using = [name for name in differ if "@dataclass" in (checkout.ROOT / name).read_text("utf-8")]
    assert len(using) > 30
    assert all(differ[name] for name in using)


def test_no_module_of_ours_asks_for_more_of_dataclasses_than_the_zip_has() -> None:
    """What is taken from the standard library's module by a dot is in the other one, too."""
    sources = [path.read_text("utf-8") for path in (checkout.ROOT / "sms_watch").rglob("*.py")]
    asked = {
        name
        for text in sources
        if re.search("^import dataclasses$", text, re.MULTILINE)
        for name in re.findall(r"\bdataclasses\.(\w+)", text)
    }
    assert {"fields", "is_dataclass"} <= asked <= set(frozen.__all__)


@pytest.mark.parametrize("version", [*interpreters_found(), RUNNING])
def test_the_dataclasses_of_the_zip_are_those_of_the_repository(
    zipped: Path, tmp_path: Path, version: str
) -> None:
    """Each does what the standard library's does, on each Python: fields, errors, repr and all."""
    told = []
    for name in ("zip", "plain"):
        with zipfile.ZipFile(zipped) as archive:
            archive.extractall(tmp_path / name)
        if name == "plain":
            shutil.copytree(
                checkout.ROOT / "sms_watch", tmp_path / name / "sms_watch", dirs_exist_ok=True
            )
        python = interpreters_found().get(version, sys.executable)
        script = checkout.ROOT / "tests" / "support" / "behaviour.py"
        command = [python, "-s", "-S", "-B", str(script), str(tmp_path / name)]
        # The order of a set would show in its repr.
        env = {"PYTHONHASHSEED": "0"}
        said = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        told.append(json.loads(said.stdout))
    assert told[0] == told[1]
    assert len(told[0]) > 60


def test_a_start_does_not_load_what_makes_dataclasses(zipped: Path, tmp_path: Path) -> None:
    """Neither ``dataclasses`` nor ``inspect`` is imported with the function."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(tmp_path)
    ask = (
        "import sys; sys.path.insert(0, sys.argv[1])\nimport index\nindex.initializer(None)\n"
        "print(sorted({'dataclasses', 'inspect'} & set(sys.modules)))"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", ask, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    "more",
    [
        "from a.b import c as d\n",
        "from a.b import *\n",
        "from . import c\n",
        "from ..b import c\n",
        "c.begin()\nfrom a.b import c\n",
    ],
)
def test_a_package_that_does_more_than_import_is_not_made_lazy(tmp_path: Path, more: str) -> None:
    """When the SDK changes so that a lazy twin would do less, there is no zip."""
    root = _a_root(tmp_path, {})
    name = LAZY_FILES[0]
    with pytest.raises(errors.BuildError, match=f"{name}, line 1: .* LAZY in packaging_zip/lazy"):
        build._quick_to_load({name: more.encode()})
    assert root.is_dir()


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


# What is wrong is said in words, and nothing is left to upload by mistake


def test_a_zip_that_cannot_be_imported_is_not_left_behind(tmp_path: Path) -> None:
    """When the proof fails there is an error that says why, and no zip to upload by mistake."""
    root = _a_root(tmp_path, {"index.py": "import nothing_of_that_name\n"})
    output = tmp_path / "out" / "sms-watch.zip"
    output.parent.mkdir()
    output.write_text("what an earlier build left")
    with pytest.raises(errors.BuildError, match="nothing_of_that_name"):
        build.build(output, root, [])
    assert list(output.parent.iterdir()) == []


def test_a_dependency_in_another_version_is_refused(tmp_path: Path) -> None:
    """Only the locked versions go into a zip; what is missing is named."""
    root = _a_root(tmp_path, {"requirements.txt": f"requests==0.0.1 \\\n    {NO_SUCH_HASH}\n"})
    with pytest.raises(errors.NotInstalledError, match=r"requests 0\.0\.1"):
        build.build(tmp_path / "out.zip", root)


def test_a_dependency_that_was_changed_is_refused(tmp_path: Path) -> None:
    """A file that is not as it was installed goes into no zip."""
    root = _a_root(tmp_path, {"requirements.txt": f"tiny==1.0 {NO_SUCH_HASH}\n"})
    _a_wheel(tmp_path, {"tiny.py": "changed = True\n"}, unpacked=True)
    with pytest.raises(errors.BuildError, match=r"tiny\.py of tiny was changed"):
        build.build(tmp_path / "out.zip", root, [str(tmp_path)])


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ("requests==2.0\n", "not a version with its hashes"),
        ("requests>=2.0 {hash}\n", "not a version with its hashes"),
        ("requests==2.0 {hash}\nrequests==2.1 {hash}\n", "not the same for every Python"),
        ("six==1.0 ; python_version < '3.10' {hash}\n", "not the same for every Python"),
    ],
)
def test_a_lock_that_cannot_hold_is_refused(tmp_path: Path, lock: str, words: str) -> None:
    """Every dependency has one version, for every Python, and its hashes."""
    root = _a_root(tmp_path, {"requirements.txt": lock.format(hash=NO_SUCH_HASH)})
    with pytest.raises(errors.BuildError, match=words):
        build.build(tmp_path / "out.zip", root, [])


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ("requests==0.0.1", "package index lacks a locked version"),
        ("tiny==1.0", "find out which of the two was changed"),
    ],
)
def test_what_pip_cannot_install_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str, words: str
) -> None:
    """Without the package index, or with another hash than the lock's, there is no zip."""
    root = _a_root(tmp_path, {"requirements.txt": f"{lock} {NO_SUCH_HASH}\n"})
    _a_wheel(tmp_path, {"tiny.py": ""})
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(errors.BuildError, match=words):
        build.build_afresh(tmp_path / "out.zip", root)
    assert not (tmp_path / "out.zip").exists()


def test_a_python_that_is_not_here_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the wanted interpreter there is an error that says what to do, and no zip."""
    monkeypatch.setattr(
        interpreters, "_candidates", lambda version: iter([str(tmp_path / "python")])
    )
    interpreters.interpreter.cache_clear()
    with pytest.raises(errors.BuildError, match=r"no Python 3\.10 here .* install it"):
        build.build(tmp_path / "out.zip", versions=("3.10",))
    interpreters.interpreter.cache_clear()
    assert list(tmp_path.iterdir()) == []


def test_a_python_that_functiongraph_lacks_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is compiled for a version that FunctionGraph does not have."""
    with pytest.raises(SystemExit):
        command.main(["--python", "3.11"])
    assert "invalid choice: '3.11'" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    """A missing folder, or a file in a folder's place, ends the build with one line."""
    (tmp_path / "taken").write_text("")
    for folder, words in (
        ("taken", "Not a directory"),
        ("missing", "there is no folder .*missing"),
    ):
        output = tmp_path / folder / "sms-watch.zip"
        with pytest.raises(SystemExit, match=f"build_zip: .*{words}"):
            command.main(["--allow-dirty", "--output", str(output)])
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    """Nothing is looked for, installed or compiled for a zip that has no place."""
    (tmp_path / "sms-watch.zip.unproved").mkdir()
    root = _a_root(tmp_path, {"requirements.txt": "no lock at all"})
    with pytest.raises(IsADirectoryError):
        build.build(tmp_path / "sms-watch.zip", root)


def test_what_is_in_no_commit_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip that nobody could build again is not built unless that is asked for."""
    output = tmp_path / "sms-watch.zip"
    output.write_text("what an earlier build left")
    monkeypatch.setattr(command, "changes", lambda: ["index.py"])
    with pytest.raises(SystemExit, match=r"index\.py: not as in the last commit.*--allow-dirty"):
        command.main(["--output", str(output)])
    assert list(tmp_path.iterdir()) == []


def test_only_changes_of_the_zip_count(tmp_path: Path) -> None:
    """What differs from the last commit is found, new files too; what is not in the zip is not."""
    root = _a_root(tmp_path, {"README.md": ""})
    assert checkout.changes(root) == []  # unpacked from an archive, without git
    _commit(root)
    assert checkout.changes(root) == []
    for name in ("README.md", "index.py", "sms_watch/new.py"):
        (root / name).write_text("changed = True\n", encoding="utf-8")
    assert checkout.changes(root) == ["index.py", "sms_watch/new.py"]
    assert checkout.changes(root / "sms_watch") == []  # lies within a checkout of something else


def test_a_change_that_git_was_told_to_overlook_counts(tmp_path: Path) -> None:
    """What is in no status of git may differ from the commit all the same."""
    root = _a_root(tmp_path, {"sms_watch/one.py": "", "sms_watch/two.py": ""})
    _commit(root)
    for flag, name in (("--assume-unchanged", "one.py"), ("--skip-worktree", "two.py")):
        _call_git(root, "update-index", flag, f"sms_watch/{name}")
        (root / "sms_watch" / name).write_text("changed = True\n", encoding="utf-8")
    assert checkout.changes(root) == ["sms_watch/one.py", "sms_watch/two.py"]


def test_what_git_ignores_is_in_no_zip(tmp_path: Path) -> None:
    """Of a checkout the zip holds what is tracked, and before a commit what will be."""
    ignored = {".gitignore": "ignored*\n", "sms_watch/ignored.py": "", "sms_watch/ignored.csv": ""}
    tracked = {"sms_watch/table.csv": "", "sms_watch/gone.py": "", "sms_watch/notes.txt": ""}
    root = _a_root(tmp_path, {**ignored, **tracked, "sms_watch/own.py": ""})
    (root / ".git" / "info").mkdir(parents=True)
    (root / ".git" / "info" / "exclude").write_text("own.py\n", encoding="utf-8")
    _commit(root)
    (root / "sms_watch" / "new.py").write_text("", encoding="utf-8")
    (root / "sms_watch" / "gone.py").unlink()
    assert set(checkout.sources(root)) == {"index.py", "sms_watch/new.py", "sms_watch/table.csv"}


def test_without_git_all_of_the_package_is_in_the_zip(tmp_path: Path) -> None:
    """What was unpacked from an archive is taken as it is, also within another checkout."""
    root = _a_root(tmp_path, {"sms_watch/one.py": "", "sms_watch/two.txt": ""})
    assert set(checkout.sources(root)) == {"index.py", "sms_watch/one.py"}
    (tmp_path / ".gitignore").write_text("root\n", encoding="utf-8")
    _commit(tmp_path)
    assert set(checkout.sources(root)) == {"index.py", "sms_watch/one.py"}


@pytest.mark.parametrize("in_git", [True, False])
@pytest.mark.parametrize("linked", ["sms_watch/link.py", "sms_watch/table.csv", "index.py"])
def test_what_lies_elsewhere_is_refused(tmp_path: Path, linked: str, in_git: bool) -> None:
    """A link is no file of the package: what stands behind it may be anything."""
    (tmp_path / "secret").write_text("password = 'hunter22'\n", encoding="utf-8")
    root = _a_root(tmp_path, {})
    (root / linked).unlink(missing_ok=True)
    (root / linked).symlink_to(tmp_path / "secret")
    if in_git:
        _commit(root)
    with pytest.raises(errors.BuildError, match=f"^{linked}: reached by a link"):
        build.build(tmp_path / "out.zip", root, [])


def test_a_package_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """The files are named, although none of them is a link itself."""
    root = _a_root(tmp_path, {"sms_watch/one.py": ""})
    (root / "sms_watch").rename(tmp_path / "elsewhere")
    (root / "sms_watch").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(errors.BuildError, match=r"^sms_watch/one\.py: reached by a link"):
        build.build(tmp_path / "out.zip", root, [])


def test_a_checkout_without_git_is_not_taken_for_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where git cannot be asked nobody knows what is in a commit."""
    root = _a_root(tmp_path, {})
    _commit(root)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.BuildError, match=r"git does not answer.*--allow-dirty"):
        checkout.changes(root)


def test_a_hook_of_another_repository_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables that git gives to its hooks name another repository than this one."""
    root = _a_root(tmp_path, {"index.py": "this = 1\n"})
    another = _a_root(tmp_path / "another", {"index.py": "other = 1\n"})
    for each in (root, another):
        _commit(each)
    monkeypatch.setenv("GIT_DIR", str(another / ".git"))
    assert checkout.changes(root) == []


def test_without_the_library_there_is_a_zip_and_no_bill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The zip needs nothing but Python and pip; that its bill is missing is said."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    command._write_bill(tmp_path / "bill.json", b"", Built({}, ()))
    assert "no SBOM" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


NO_SUCH_HASH = f"--hash=sha256:{'0' * 64}"


def _a_root(place: Path, files: Dict[str, str]) -> Path:
    root = place / "root"
    (root / "sms_watch").mkdir(parents=True)
    for name, text in {"index.py": "", "requirements.txt": "", **files}.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def _commit(root: Path) -> None:
    """Make a repository of a folder, and commit all that is in it."""
    for step in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        _call_git(root, *step)


def _call_git(root: Path, *arguments: str) -> None:
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, *arguments], check=True)


def _a_wheel(place: Path, files: Dict[str, str], unpacked: bool = False) -> None:
    """Make a wheel of a package "tiny", or lay its files where an installation would."""
    within = "tiny-1.0.dist-info"
    wrong = "sha256=AAAA" if unpacked else ""
    members = {
        **files,
        f"{within}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{within}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{within}/RECORD": "".join(f"{name},{wrong},\n" for name in files),
    }
    if unpacked:
        (place / within).mkdir()
        for name, text in members.items():
            (place / name).write_text(text, encoding="utf-8")
        return
    with zipfile.ZipFile(place / "tiny-1.0-py3-none-any.whl", "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
