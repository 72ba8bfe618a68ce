"""Fresh processes that see one folder alone, and how long they take from start to end."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, Dict, List, Mapping, TypeVar

from benchmarks.layouts import ROOT

Measured = TypeVar("Measured")

# Nothing of the environment is seen, and nothing is compiled for the next process.
ALONE = (sys.executable, "-I", "-S", "-B")
CHILD = ROOT / "benchmarks" / "child.py"
IMPORT_FROM = "import sys; sys.path.insert(0, sys.argv[1]); "


@dataclass(frozen=True)
class Ended:
    """What a process printed last, the seconds of its life, and those of a processor."""

    said: Dict[str, Any]
    seconds: float
    cpu: float


def import_once(folder: Path, statements: str) -> float:
    """Import in a fresh process, and give its seconds."""
    return _run([*ALONE, "-c", IMPORT_FROM + statements, str(folder)], "").seconds


def work_once(
    folder: Path, work: str, env: Mapping[str, str] = MappingProxyType({}), **orders: Any
) -> Ended:
    """Let a fresh process do a piece of work of ``child.py``."""
    return _run([*ALONE, str(CHILD), str(folder)], json.dumps({"work": work, **orders}), env)


def counts_instructions() -> bool:
    """Return whether valgrind is installed here."""
    return shutil.which("valgrind") is not None


def instructions(
    folder: Path, work: str, env: Mapping[str, str] = MappingProxyType({}), **orders: Any
) -> int:
    """Return how many instructions a fresh process takes for a piece of work."""
    with tempfile.NamedTemporaryFile() as log:
        count = [
            "valgrind",
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ]
        command = [*count, f"--log-file={log.name}", *ALONE, str(CHILD), str(folder)]
        _run(command, json.dumps({"work": work, **orders}), env)
        (said,) = re.findall(r"I\s+refs:\s+([\d,]+)", Path(log.name).read_text(encoding="utf-8"))
    return int(said.replace(",", ""))


def _run(command: List[str], orders: str, more: Mapping[str, str] = MappingProxyType({})) -> Ended:
    # The bare script would send to a proxy what is meant for the cloud on loopback; and whoever
    # trusts a bundle of their own would trust none of ours.
    away = ("_proxy", "_ca_bundle")
    env = {name: text for name, text in os.environ.items() if not name.lower().endswith(away)}
    begun, used = time.perf_counter(), _used()
    done = subprocess.run(
        command, input=orders, env={**env, **more}, stdout=subprocess.PIPE, text=True, check=True
    )
    seconds, cpu = time.perf_counter() - begun, _used() - used
    lines = done.stdout.splitlines()
    return Ended(json.loads(lines[-1]) if lines else {}, seconds, cpu)


def _used() -> float:
    """Return the seconds of a processor that ended processes of ours have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def interleaved(
    times: int, variants: Mapping[str, Callable[[], Measured]]
) -> Dict[str, List[Measured]]:
    """Measure every variant in turn, again and again: what else the machine does meets them all."""
    found: Dict[str, List[Measured]] = {name: [] for name in variants}
    for _ in range(times):
        for name, measure in variants.items():
            found[name].append(measure())
    return found


def median(seconds: List[float]) -> float:
    """Give the middle one."""
    return statistics.median(seconds)
