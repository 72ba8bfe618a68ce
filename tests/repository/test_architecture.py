"""The shape of the code: who imports whom, who reads the clock, what can be sent at all."""

from __future__ import annotations

import ast
import graphlib
import importlib
import re
import socket
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Iterator, List, Set, get_args, get_type_hints

import pytest

from sms_watch.journal.entries import Entry
from sms_watch.model.notice import Digest, Notice, Verdict
from sms_watch.model.task import Task
from sms_watch.rules.decision import Decision
from sms_watch.rules.record import TaskRecord
from sms_watch.rules.starts import Starts

ROOT = Path(__file__).parents[2]
FOLDERS = ("sms_watch", "sms_watch_cli", "simulated_cloud", "packaging_zip", "tests", "benchmarks")
PACKAGE = ROOT / "sms_watch"
TESTS = ROOT / "tests"
SOURCES = [path for name in FOLDERS for path in sorted((ROOT / name).rglob("*.py"))]
SOURCES += sorted(ROOT.glob("*.py"))
# What touches the world: the names that pure modules, and all but the handler, may not use.
WORLDLY = {"open", "print", "input", "exec", "eval", "__import__"}
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter"}
# Python 3.11 and later have what reads TOML under a name of its own.
toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
PROJECT = toml.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {each["id"]: each for each in PROJECT["tool"]["importlinter"]["contracts"]}


def _files(module: str) -> List[Path]:
    """Return the file of a module, or all files of a package."""
    path = ROOT / module.replace(".", "/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


PURE = [path for module in CONTRACTS["pure"]["source_modules"] for path in _files(module)]
# The other operations of the SMS API (reference, "Managing Migration Tasks").
OTHER_OPERATIONS = {"stop", "restart", "cutover", "test", "clone_test", "migration_test", "skip"}
OTHER_OPERATIONS |= {"network_check", "clear", "collect_log", "sync_failed_rollback"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name):
                yield called.id
            elif isinstance(called, ast.Attribute):
                yield called.attr


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_imports_point_one_way() -> None:
    """The contracts of pyproject.toml are kept; every module has its layer."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def _module(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name[: -len(".__init__")] if name.endswith(".__init__") else name


def _imported(tree: ast.AST) -> Iterator[str]:
    """Return the modules that are imported anywhere, and what may be one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def test_no_two_modules_import_each_other() -> None:
    """Nor in a longer circle, at whatever time, nor for annotations alone."""
    imports = {_module(path): set(_imported(_tree(path))) for path in SOURCES}
    known = {name: {each for each in found if each in imports} for name, found in imports.items()}
    # A package and a module of it are one thing to whoever imports either.
    own = {name: {each for each in found if each != name} for name, found in known.items()}
    assert len(list(graphlib.TopologicalSorter(own).static_order())) == len(imports)


def _test_of(module: Path) -> Path:
    """Return where the test of a module of the package is: at the same path, in its folder."""
    inner = module.relative_to(PACKAGE)
    folder = "adapters" if inner.parts[0] == "adapters" else "unit" if module in PURE else "run"
    inner = inner.relative_to("adapters") if folder == "adapters" else inner
    return TESTS / folder / inner.with_name(f"test_{inner.name}")


def test_every_module_has_its_test_at_the_same_path() -> None:
    """A test is found by the path of what it is about."""
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    assert [str(_test_of(path)) for path in sorted(modules) if not _test_of(path).exists()] == []


def test_no_module_is_long() -> None:
    """A file of the product has fewer than 400 lines."""
    ours = [path for path in SOURCES if TESTS not in path.parents]
    assert [
        path.name for path in ours if len(path.read_text(encoding="utf-8").split("\n")) > 400
    ] == []


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rules_touch_nothing_of_the_world(path: Path) -> None:
    """Pure modules read no clock, open no file, print nothing."""
    assert not set(_called(_tree(path))) & (WORLDLY | CLOCKS)


def test_the_clock_is_read_in_one_place() -> None:
    """Only the handler asks the clock what time it is; everything else is told."""
    readers = [
        path.name
        for path in sorted(PACKAGE.rglob("*.py"))
        if {"now", "utcnow", "today"} & set(_called(_tree(path)))
    ]
    asked = list(_called(_tree(PACKAGE / "clock.py")))
    assert readers == ["clock.py", "handler.py"]
    assert asked.count("now") == 1, "the system's clock, which the handler asks"


def test_the_checks_see_what_they_look_for() -> None:
    """A module that reads the clock and a file would be found."""
    bad = ast.parse("import datetime\nx = datetime.datetime.now()\nopen('x')\ny = 'restart'")
    assert {"now", "open"} <= set(_called(bad))
    assert "restart" in set(_texts(bad))


def test_no_remembered_value_has_many_fields() -> None:
    """What is remembered or told is made of small values: none has more than ten fields."""
    values = _values(Entry)
    assert {TaskRecord, Starts, Notice, Task, Digest} <= values
    assert {each.__name__: len(fields(each)) for each in values if len(fields(each)) > 10} == {}
    assert max(len(fields(each)) for each in (Decision, Verdict)) <= 10


def _values(hint: Any) -> Set[Any]:
    """Return all dataclasses that a value of this type may hold."""
    if not is_dataclass(hint):
        return {each for argument in get_args(hint) for each in _values(argument)}
    inner = {each for inner in get_type_hints(hint).values() for each in _values(inner)}
    return {hint, *inner}


def test_start_is_the_only_operation_that_can_be_sent() -> None:
    """No other operation of the API stands anywhere in what talks to the service."""
    for path in (PACKAGE / "adapters").glob("*.py"):
        assert not OTHER_OPERATIONS & set(_texts(_tree(path))), path
    assert "start" in set(_texts(_tree(PACKAGE / "adapters" / "sms.py")))


def test_every_test_says_which_rule_it_holds() -> None:
    """Each test function has a docstring, and none is skipped."""
    silent: List[str] = []
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                silent += [] if ast.get_docstring(node) else [f"{path.name}: {node.name}"]
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("skip", "skipif", "xfail", "importorskip"), path
    assert silent == []


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("198.51.100.1", 443)])
def test_no_test_reaches_the_network(refused: List[str], address: tuple[str, int]) -> None:
    """Addresses other than loopback are refused, and a test that asked would fail."""
    with pytest.raises(ConnectionRefusedError, match="nothing but loopback"):
        socket.create_connection(address, timeout=1)
    with pytest.raises(ConnectionRefusedError, match=r"not sms\.example\.com"):
        socket.getaddrinfo("sms.example.com", 443)
    with socket.socket() as bare, pytest.raises(ConnectionRefusedError):
        bare.connect_ex(address)
    assert len(refused) == 3
    refused.clear()


def test_every_exception_from_lint_and_types_has_its_reason() -> None:
    """What a tool is told to pass over says why, on its own line."""
    bare = [
        f"{path.name}: {line.strip()}"
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"# (noqa|type: ignore|pragma)", line)
        and not re.search(r"# (noqa: \w+ - |type: ignore\[[\w-]+\] # |pragma: no \w+ - )\S", line)
    ]
    assert bare == []
