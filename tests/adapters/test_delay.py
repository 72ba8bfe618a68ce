"""Modules of the SDK's that a run does not use: they are executed when somebody asks."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sms_watch.adapters import UNUSED, delay

START = """
import sys
from sms_watch.adapters import UNUSED, sms
print(sorted({type(sys.modules[name]).__name__ for name in UNUSED}))
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import univ
import pyasn1.codec.der.encoder
print(decoder.decode(encoder.encode(univ.Integer(7)))[0])
print(sorted({type(sys.modules[name]).__name__ for name in UNUSED}))
print(pyasn1.codec.der.encoder is encoder is sys.modules["pyasn1.codec.der.encoder"])
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a package with a module that cannot be executed twice."""
    (tmp_path / "some_package").mkdir()
    (tmp_path / "some_package" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "some_package" / "part.py").write_text(
        "import sys\nassert not hasattr(sys, 'part_was_executed')\n"
        "sys.part_was_executed = True\nvalue = 7\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.setattr(sys, "part_was_executed", True, raising=False)
    monkeypatch.delattr(sys, "part_was_executed")
    return "some_package"


def test_a_module_is_executed_when_something_of_it_is_asked_for(package: str) -> None:
    """To import it, as a part of its package or by its name, does nothing yet; to use it does."""
    delay(f"{package}.part")
    found = importlib.import_module(package)
    part: ModuleType = found.part
    assert not hasattr(sys, "part_was_executed")
    assert part.value == 7
    assert hasattr(sys, "part_was_executed")
    assert importlib.import_module(f"{package}.part") is part
    delay(f"{package}.part")
    assert sys.modules[f"{package}.part"] is part


@pytest.mark.parametrize("name", ["some_package.missing", "no_package.part", "some_package"])
def test_a_module_that_is_missing_or_loaded_is_left_alone(package: str, name: str) -> None:
    """That something is missing, whoever imports it is told, as ever."""
    importlib.import_module(package)
    before = set(sys.modules)
    delay(name)
    assert set(sys.modules) == before


def test_a_start_executes_nothing_that_only_other_signatures_need() -> None:
    """The SDK imports them, and whoever uses them gets the real modules."""
    said = subprocess.run(
        [sys.executable, "-c", START],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines() == ["['_LazyModule']", "7", "['module']", "True"]
    assert len(UNUSED) == 3
