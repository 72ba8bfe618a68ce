"""Nights to play: which tasks there are, and what happens to them when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Callable, Mapping

from local.cloud.world import SimTask, World

DISK_FULL = "SMS.1315"


@dataclass(frozen=True)
class Scenario:
    """A night. ``script`` fills a world with tasks and with what will happen."""

    title: str
    begin: datetime
    end: datetime
    script: Callable[[World, datetime], None]

    def world(self, world: World) -> World:
        """Give the world with this night ahead of it."""
        self.script(world, self.begin)
        return world


def _night(world: World, begin: datetime) -> None:
    def at(hours: float, what: Callable[..., None], *about: str) -> None:
        world.at(begin + timedelta(hours=hours), lambda: what(*about))

    world.add(SimTask("7d3c-web", "shop-web", size=560e9, speed=240))
    world.add(SimTask("7d3c-db", "shop-db", size=2_000e9, speed=300, copied=400e9))
    world.add(
        SimTask(
            "7d3c-win",
            "office-win",
            type="MIGRATE_BLOCK",
            os_type="WINDOWS",
            size=700e9,
            speed=160,
            copied=200e9,
        )
    )
    at(2, world.line_down)
    at(2 + 25 / 60, world.line_up)
    at(3 + 25 / 60, world.line_down)
    at(3 + 26 / 60, world.line_up)
    at(4, world.pause, "7d3c-win")
    at(5, world.fail, "7d3c-db", DISK_FULL, "/dev/vdb1")
    at(8, world.resume, "7d3c-win")
    at(9, world.clear, "7d3c-db")
    at(9 + 1 / 60, world.resume, "7d3c-db")


BEGIN = datetime(2026, 11, 23, 22, tzinfo=timezone.utc)

SCENARIOS: Mapping[str, Scenario] = {
    "night": Scenario(
        "One night: an outage, a short drop, a pause, a full disk",
        BEGIN,
        BEGIN + timedelta(hours=10),
        _night,
    ),
}
