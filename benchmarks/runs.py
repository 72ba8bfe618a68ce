"""Runs in which nothing has changed, of few tasks and of many, by their ids and by ``*``."""

from __future__ import annotations

import functools
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.fresh import interleaved, median, work_once
from benchmarks.layouts import Layouts
from benchmarks.service import MAY_LIST, MAY_NOT_LIST, ids, slow_service

MIB = 2**20
MODES = ("ids", "*")
UNLISTED = "without the right to list"
ONE_BY_ONE = f"{UNLISTED}, one after the other"
LEAST_GAIN, MOST_GROWTH, MOST_MIB, MOST_CALLS, MOST_CALLS_OF_NAMED = 7, 12, 96, 12, 5
Measured = Dict[str, Any]


def settings(
    url: str, task_ids: Sequence[str], journal: Path, key: str = MAY_LIST
) -> Dict[str, str]:
    """Return the settings of a function against a service on this machine."""
    return {
        "SMS_TASK_IDS": " ".join(task_ids),
        "SMN_TOPIC_URN": f"urn:smn:ap-southeast-3:{'0' * 32}:night-watch",
        "HUAWEICLOUD_SDK_AK": key,
        "HUAWEICLOUD_SDK_SK": "simulated-secret-key-of-forty-characters",
        "SMS_ENDPOINT": url,
        "SMN_ENDPOINT": url,
        "JOURNAL_URI": journal.as_uri(),
        "LOG_LEVEL": "ERROR",
    }


def figures(layouts: Layouts, times: int, numbers: Sequence[int], pause: float) -> List[Figure]:
    """Measure runs for each number of tasks in both modes; the last two numbers are compared."""
    few, many = numbers[-2:]
    with ExitStack() as services:
        urls = {each: services.enter_context(slow_service(each, pause)) for each in numbers}
        variants: Dict[str, Callable[[], Measured]] = {
            _name(number, mode): functools.partial(_run, layouts, urls[number], number, mode)
            for number in numbers
            for mode in MODES
        }
        named = _name(few, "ids")
        unlisted, slowest = (f"{named}, {each}" for each in (UNLISTED, ONE_BY_ONE))
        reads = functools.partial(_run, layouts, urls[few], few, "ids", key=MAY_NOT_LIST)
        variants[unlisted] = reads
        variants[slowest] = functools.partial(reads, concurrent_calls=1)
        found = interleaved(times, variants)
    seconds = {name: median([run["seconds"] for run in each]) for name, each in found.items()}
    peaks = {name: median([run["peak"] for run in each]) / MIB for name, each in found.items()}
    all_found = _name(many, "*")
    every = [run for each in found.values() for run in each]
    return [
        *(
            Figure(
                f"a run, {name}",
                f"calls: {_most(runs, 'calls'):,}; {seconds[name]:.2f} s; {peaks[name]:.0f} MiB",
            )
            for name, runs in found.items()
        ),
        at_most(f"peak memory, {all_found}", peaks[all_found], MOST_MIB, "{:.0f} MiB"),
        at_most(f"calls, {all_found}", _most(found[all_found], "calls"), MOST_CALLS, "{}"),
        at_most(f"calls, {named}", _most(found[named], "calls"), MOST_CALLS_OF_NAMED, "{}"),
        at_least(
            f"{few:,} ids, {ONE_BY_ONE}, to ours",
            seconds[slowest] / seconds[unlisted],
            LEAST_GAIN,
        ),
        *(
            at_most(
                f"{many:,} tasks to {few:,} tasks, {mode}",
                seconds[_name(many, mode)] / seconds[_name(few, mode)],
                MOST_GROWTH,
            )
            for mode in MODES
        ),
        at_most("bytes written by a quiet run", _most(every, "written"), 0, "{}"),
        at_most("messages sent by a quiet run", _most(every, "messages"), 0, "{}"),
    ]


def _name(number: int, mode: str) -> str:
    return f"{number:,} {'task' if number == 1 else 'tasks'}, {mode}"


def _most(runs: Sequence[Measured], name: str) -> int:
    return max(int(run[name]) for run in runs)


def _run(
    layouts: Layouts,
    url: str,
    number: int,
    mode: str,
    concurrent_calls: int = 0,
    key: str = MAY_LIST,
) -> Measured:
    with tempfile.TemporaryDirectory() as journal:
        texts = settings(url, ["*"] if mode == "*" else ids(number), Path(journal), key)
        said = work_once(
            layouts.ours_compiled, "runs", texts=texts, concurrent_calls=concurrent_calls
        ).said
    if said["tasks"] != number:
        raise ValueError(f"{said['tasks']} of {number} tasks were looked at")
    return said
