"""What the zip loads when it is asked for, and its dataclasses: the same as the originals."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Dict, List

import pytest

from packaging_zip import (
    checkout,
    lock,
)
from packaging_zip.lazy import FROZEN
from packaging_zip.lazy import LAZY as LAZY_FILES
from sms_watch import frozen
from tests.support.interpreters import RUNNING, interpreters_found

DATACLASSES = (["from", "dataclasses"], ["import", "dataclasses"])


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
