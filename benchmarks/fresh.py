"""Fresh processes that see one folder alone, and how long they take from start to end."""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import shutil
import signal
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
# The time in which a share of a processor is used up, as in Linux's own limit (cpu.cfs_period_us).
PERIOD = 0.1  # seconds
LOOK = 0.002  # seconds
IMPORT_FROM = "import sys; sys.path.insert(0, sys.argv[1]); "


@dataclass(frozen=True)
class Ended:
    """What a process printed last, the seconds of its life, and those of a processor."""

    said: Dict[str, Any]
    seconds: float
    cpu: float


def import_once(folder: Path, statements: str) -> float:
    """Import in a fresh process, and return its seconds."""
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


def can_be_held_back() -> bool:
    """Return whether this system tells how much of a processor another process has used."""
    return hasattr(ctypes.CDLL(None), "clock_getcpuclockid")


def held_back(
    folder: Path,
    work: str,
    share: float,
    env: Mapping[str, str] = MappingProxyType({}),
    **orders: Any,
) -> float:
    """Return the seconds of a process that gets a share of a processor, and then has to wait."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [*ALONE, str(CHILD), str(folder)],
        env={**_environment(), **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        if process.stdin is not None:
            process.stdin.write(json.dumps({"work": work, **orders}))
            process.stdin.close()
        while process.poll() is None:
            _hold_back(process, share)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return time.perf_counter() - begun


def _hold_back(process: subprocess.Popen[str], share: float) -> None:
    """Run a process for one period, and stop it for as long as it has used up its share."""
    end, most = time.perf_counter() + PERIOD, _used_by(process) + share * PERIOD
    while process.poll() is None and time.perf_counter() < end:
        if _used_by(process) < most:
            time.sleep(LOOK)
            continue
        process.send_signal(signal.SIGSTOP)
        time.sleep(max(0.0, end - time.perf_counter()))
        process.send_signal(signal.SIGCONT)


def _used_by(process: subprocess.Popen[str]) -> float:
    """Return the seconds of a processor that a process has used with all its threads."""
    clock = ctypes.c_int()
    ctypes.CDLL(None).clock_getcpuclockid(process.pid, ctypes.byref(clock))
    try:
        return time.clock_gettime(clock.value)
    except OSError:  # it has just ended
        return 0.0


def _run(command: List[str], orders: str, more: Mapping[str, str] = MappingProxyType({})) -> Ended:
    begun, used = time.perf_counter(), _used()
    done = subprocess.run(
        command,
        input=orders,
        env={**_environment(), **more},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, cpu = time.perf_counter() - begun, _used() - used
    lines = done.stdout.splitlines()
    return Ended(json.loads(lines[-1]) if lines else {}, seconds, cpu)


def _environment() -> Dict[str, str]:
    # The bare script would send to a proxy what is meant for the cloud on loopback; and whoever
    # trusts a bundle of their own would trust none of ours.
    away = ("_proxy", "_ca_bundle")
    return {name: text for name, text in os.environ.items() if not name.lower().endswith(away)}


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
    """Return the middle one."""
    return statistics.median(seconds)
