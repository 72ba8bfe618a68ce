"""A plain script and `sms_watch` on the same simulated account, and a month of each."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import List

from rich.console import Console

from benchmarks.figures import Figure
from benchmarks.fresh import interleaved, median, work_once
from benchmarks.layouts import Layouts
from benchmarks.runs import settings
from benchmarks.service import ids, slow_service
from simulated_cloud.clock import VirtualClock
from simulated_cloud.scenarios import Scenario
from simulated_cloud.score import Score
from simulated_cloud.world import World
from sms_watch_cli.play import play_plain, play_watched
from sms_watch_cli.screen import Screen

RUNS_A_MONTH = 43_800  # one a minute
MEMORY = 128 / 1024  # GB


def figures(layouts: Layouts, times: int, night: Scenario, pause: float) -> List[Figure]:
    """Play a night by both rules, then time a cold run of each."""
    plain = play_plain(night)
    ours = play_watched(night, Screen("", Console(quiet=True))).score
    number = len(night.world(World(VirtualClock(night.begin))).tasks)
    with tempfile.TemporaryDirectory() as journal, slow_service(number, pause) as url:
        texts = settings(url, ids(number), Path(journal))
        work_once(layouts.ours_compiled, "once", texts=texts)
        seconds = {
            name: median(each)
            for name, each in interleaved(
                times,
                {
                    "plain": lambda: work_once(layouts.plain, "plain", texts=texts).seconds,
                    "plain, compiled": lambda: (
                        work_once(layouts.plain_compiled, "plain", texts=texts).seconds
                    ),
                    "bare": lambda: work_once(layouts.plain_compiled, "bare", texts=texts).seconds,
                    "ours": lambda: work_once(layouts.ours_compiled, "once", texts=texts).seconds,
                },
            ).items()
        }
    return [
        *_played("a plain script", plain),
        Figure("... seconds of a cold run on the SDK, for each task", f"{seconds['plain']:.2f}"),
        Figure("... the same, compiled", f"{seconds['plain, compiled']:.2f}"),
        Figure("... the same without the SDK, a bare script", f"{seconds['bare']:.2f}"),
        Figure("... GB-seconds a month", f"{gb_seconds(seconds['plain']) * number:,.0f}"),
        Figure("... the same without the SDK", f"{gb_seconds(seconds['bare']) * number:,.0f}"),
        *_played("sms_watch", ours),
        Figure(f"... seconds of a cold run, for all {number}", f"{seconds['ours']:.2f}"),
        Figure("... to a bare script's for one", f"{seconds['ours'] / seconds['bare']:.2f} x"),
        Figure("... GB-seconds a month", f"{gb_seconds(seconds['ours']):,.0f}"),
    ]


def _played(name: str, score: Score) -> List[Figure]:
    return [
        Figure(f"{name}: calls", f"{score.calls:,}"),
        Figure("... messages", f"{score.messages:,}"),
        Figure("... starts", f"{score.starts:,}"),
        Figure("... starts on paused or hopeless tasks", f"{score.harmful:,}"),
    ]


def gb_seconds(seconds: float) -> float:
    """Return what a month of such runs is billed as."""
    return RUNS_A_MONTH * seconds * MEMORY
