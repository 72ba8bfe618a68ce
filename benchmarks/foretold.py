"""How well the end of a copy is foretold: the real handler says it at half-time, then it comes.

Half-time is the middle run of those that saw the task copy. What is compared is the time in which
it went on copying: an outage that comes later nobody can foresee, and it is no part of either. A
copy of less than an hour is not counted; one that was not measured by half-time is missed.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from rich.console import Console

from benchmarks.figures import Figure, at_least
from simulated_cloud.scenarios import SCENARIOS, Scenario
from simulated_cloud.task import SimTask
from simulated_cloud.world import World
from sms_watch_cli.play import play_watched
from sms_watch_cli.screen import Screen

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 11, 20, 18, tzinfo=timezone.utc)
NEAR, BAR = 20.0, 90.0  # percent
SERVERS = 50
UNEVEN = "a wave of uneven speeds"
# Those with copies that end, of the scenarios that people can play.
PLAYED = ("night", "disk-full", "fifty", "wave")


def uneven(world: World, begin: datetime, chance: Random) -> None:
    """Fill a wave of copies of 8 to 48 hours.

    Their speeds change every hour, by up to two fifths either way, their data grow, and the line is
    down twice.
    """
    for number in range(SERVERS):
        speed, hours = chance.uniform(50, 300), chance.uniform(8, 48)
        size = speed * 1e6 / 8 * hours * HOUR.total_seconds()
        task = world.add(
            SimTask(f"5c0e-{number:02}", f"uneven-{number:02}", size=size, speed=speed)
        )
        for hour in range(72):
            moment = begin + (hour + chance.random()) * HOUR
            world.at(
                moment, functools.partial(world.pace, task.id, speed * chance.uniform(0.6, 1.4))
            )
            world.at(moment, functools.partial(world.grow, task.id, size / 1000))
    for down, up in ((10, 12), (30, 34)):
        world.at(begin + down * HOUR, world.line_down)
        world.at(begin + up * HOUR, world.line_up)


SCENES: Mapping[str, Scenario] = {
    **{name: SCENARIOS[name] for name in PLAYED},
    UNEVEN: Scenario(
        "Fifty servers, whose speeds change every hour",
        BEGIN,
        BEGIN + 72 * HOUR,
        uneven,
        every=timedelta(minutes=10),
        discovers=True,
    ),
}


def figures(scenes: Sequence[str], longest: timedelta) -> List[Figure]:
    """Play each scene, no longer than that; return how many of its copies were foretold well."""
    found: List[Figure] = []
    near, counted = 0, 0
    for name in scenes:
        scene = SCENES[name]
        errors = errors_of(replace(scene, end=min(scene.end, scene.begin + longest)))
        close = sum(error <= NEAR for error in errors)
        found.append(
            Figure(f"{name}: copies foretold within {NEAR:.0f} %", f"{close} of {len(errors)}")
        )
        near, counted = near + close, counted + len(errors)
    share = 100 * near / counted if counted else 0.0
    return [*found, at_least(f"all: within {NEAR:.0f} %", share, BAR, "{:.0f} %")]


def errors_of(scene: Scenario) -> List[float]:
    """Return by how much each forecast at half-time was wrong, in percent of the rest."""
    watcher = _Watcher()
    play_watched(scene, watcher)
    copies = (watcher.copy(task_id, scene.every) for task_id in watcher.seen)
    return [copy.error for copy in copies if copy is not None and copy.length >= HOUR]


@dataclass(frozen=True)
class Copy:
    """How long a copy took while it was watched, and what was foretold of its second half."""

    length: timedelta
    rest: timedelta
    foretold: Optional[timedelta]

    @property
    def error(self) -> float:
        """By how much the forecast was wrong, in percent of what was left."""
        if self.foretold is None:
            return 100.0
        return 100 * abs(self.foretold - self.rest) / self.rest


class _Watcher(Screen):
    """Keeps, for each run that sees a task copy, the moment and the end that it foretells."""

    def __init__(self) -> None:
        super().__init__("", Console(quiet=True))
        self.seen: Dict[str, List[Tuple[datetime, Optional[datetime]]]] = {}

    @contextmanager
    def showing(self, world: World) -> Iterator[None]:
        self.world = world
        yield

    def show(self, moment: datetime, report: Mapping[str, Any]) -> None:
        for row in report["tasks"]:
            if self.world.tasks[row["id"]].copying:
                eta = row["eta"]
                end = datetime.fromisoformat(eta.replace("Z", "+00:00")) if eta else None
                self.seen.setdefault(row["id"], []).append((moment, end))

    def copy(self, task_id: str, every: timedelta) -> Optional[Copy]:
        """Return what was seen of a copy that has ended."""
        seen, ended = self.seen[task_id], self.world.tasks[task_id].copied_at
        if ended is None:
            return None
        half = len(seen) // 2
        moment, end = seen[half]
        # An outage may lie behind the last run that saw it copy.
        rest = (len(seen) - 1 - half) * every + min(ended - seen[-1][0], every)
        return Copy(len(seen) * every, rest, end - moment if end else None)
