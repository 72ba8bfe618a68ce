"""Fresh processes that see one folder alone, and how long they take from start to end."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, TypeVar

from benchmarks.layouts import ROOT

Measured = TypeVar("Measured")

# Nothing of the environment is seen, and nothing is compiled for the next process.
ALONE = (sys.executable, "-I", "-S", "-B")
CHILD = ROOT / "benchmarks" / "child.py"
IMPORT_FROM = "import sys; sys.path.insert(0, sys.argv[1]); "


@dataclass(frozen=True)
class Ended:
    """What a process printed last, and the seconds of its life."""

    said: Dict[str, Any]
    seconds: float


def import_once(folder: Path, statements: str) -> float:
    """Import in a fresh process, and give its seconds."""
    return _run([*ALONE, "-c", IMPORT_FROM + statements, str(folder)], "").seconds


def work_once(folder: Path, work: str, **orders: Any) -> Ended:
    """Let a fresh process do a piece of work of ``child.py``."""
    return _run([*ALONE, str(CHILD), str(folder)], json.dumps({"work": work, **orders}))


def _run(command: List[str], orders: str) -> Ended:
    # The bare script would send to a proxy what is meant for the cloud on loopback.
    env = {name: text for name, text in os.environ.items() if not name.lower().endswith("_proxy")}
    begun = time.perf_counter()
    done = subprocess.run(
        command, input=orders, env=env, stdout=subprocess.PIPE, text=True, check=True
    )
    seconds = time.perf_counter() - begun
    lines = done.stdout.splitlines()
    return Ended(json.loads(lines[-1]) if lines else {}, seconds)


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
