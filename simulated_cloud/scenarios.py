"""What to play: which tasks there are, and what happens to them and to the cloud, when."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Callable, Dict, Mapping, NamedTuple, Tuple

from simulated_cloud.faults import Fault, Faults
from simulated_cloud.task import BITS, MEGABIT, SimTask
from simulated_cloud.world import World
from sms_watch.model.task import TaskState

DISK_FULL = "SMS.1315"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GB = 1e9
ALWAYS = 10**9  # calls
BUSY = Fault(503, '{"error_code": "APIGW.0201", "error_msg": "Backend unavailable."}')
OBS = ("get_object", "append_object", "create_bucket")
SMN = ("publish",)


@dataclass(frozen=True)
class Outage:
    """A service that answers nothing but errors for a while. ``begin`` and ``end`` are hours."""

    operations: Tuple[str, ...]
    begin: float
    end: float


@dataclass(frozen=True)
class Scenario:
    """A night, or more.

    ``script`` fills a world with tasks and with what will happen; what it leaves to chance comes
    from the seed. ``every`` is the period of the timer, ``line`` how often a log without a
    terminal gets a line. ``discovers``: the tasks are found by listing. ``outages`` are those of
    the services around the watchdog; the rules it is compared with are played without them.
    ``settings`` are those of the function that are not as usual.
    """

    title: str
    begin: datetime
    end: datetime
    script: Callable[[World, datetime, Random], None]
    every: timedelta = MINUTE
    line: timedelta = HOUR
    discovers: bool = False
    outages: Tuple[Outage, ...] = field(default=())
    settings: Mapping[str, str] = field(default_factory=dict)

    def world(self, world: World, seed: int = 0) -> World:
        """Return the world with this night ahead of it."""
        self.script(world, self.begin, Random(seed))  # noqa: S311 - a game, not a secret
        return world

    def trouble(self, world: World, faults: Faults) -> None:
        """Let the services of a cloud fail when their outages come."""
        for outage in self.outages:
            for operation in outage.operations:
                begins = functools.partial(faults.add, operation, BUSY, ALWAYS)
                world.at(self.begin + outage.begin * HOUR, begins)
                ends = functools.partial(faults.clear, operation)
                world.at(self.begin + outage.end * HOUR, ends)


def _three(world: World) -> None:
    """Add three servers that take most of a night."""
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


def _at(world: World, begin: datetime, hours: float, what: Callable[..., None], *on: str) -> None:
    world.at(begin + hours * HOUR, functools.partial(what, *on))


def _night(world: World, begin: datetime, chance: Random) -> None:
    at = functools.partial(_at, world, begin)
    _three(world)
    at(2, world.line_down)
    at(2 + 25 / 60, world.line_up)
    at(3 + 25 / 60, world.line_down)
    at(3 + 26 / 60, world.line_up)
    at(4, world.pause, "7d3c-win")
    at(5, world.fail, "7d3c-db", DISK_FULL, "/dev/vdb1")
    at(8, world.resume, "7d3c-win")
    at(9, world.clear, "7d3c-db")
    at(9 + 1 / 60, world.resume, "7d3c-db")


def _quiet(world: World, begin: datetime, chance: Random) -> None:
    # Nine days of copying each, so nothing happens in seven.
    for name, speed in (("archive-01", 240), ("archive-02", 160), ("archive-03", 80)):
        size = 9 * 86_400 * speed * 1e6 / 8
        world.add(SimTask(f"41aa-{name[-2:]}", name, size=size, speed=speed))


def _outage(world: World, begin: datetime, chance: Random) -> None:
    _three(world)
    _at(world, begin, 1, world.line_down)
    _at(world, begin, 9, world.line_up)


def _flapping(world: World, begin: datetime, chance: Random) -> None:
    _three(world)
    hours = 1.0
    while hours < 7:
        _at(world, begin, hours, world.line_down)
        hours += chance.uniform(1, 3) / 60
        _at(world, begin, hours, world.line_up)
        # More than four failures within an hour, for the most part.
        hours += chance.uniform(3, 15) / 60


def _fifty(world: World, begin: datetime, chance: Random) -> None:
    for number in range(1, 51):
        # None is done before the outage comes.
        size, speed = chance.uniform(120, 500) * 1e9, chance.uniform(40, 150)
        done = chance.uniform(0, 0.4)
        world.add(
            SimTask(
                f"9e01-{number:02}",
                f"wave1-{number:02}",
                size=size,
                speed=speed,
                copied=done * size,
            )
        )
    _at(world, begin, 1, world.line_down)
    _at(world, begin, 1.75, world.line_up)


class Servers(NamedTuple):
    """Ten servers of a kind; ``size`` in GB and ``span`` in hours of copying, each from and to."""

    size: Tuple[float, float]
    span: Tuple[float, float]
    type: str = "MIGRATE_FILE"
    os_type: str = "LINUX"

    def one(self, name: str, chance: Random) -> SimTask:
        """Return one of them, which nobody has started yet."""
        size, span = chance.uniform(*self.size) * GB, chance.uniform(*self.span) * HOUR
        if name == LARGEST:
            size, span = 6_000 * GB, 48 * HOUR
        return SimTask(
            name,
            name,
            type=self.type,
            os_type=self.os_type,
            size=size,
            speed=size * BITS / MEGABIT / span.total_seconds(),
            synchronises=name in SYNCHRONISED,
            state=TaskState.READY,
        )


WAVE: Mapping[str, Servers] = {
    "web": Servers((40, 200), (1, 4)),
    "app": Servers((80, 400), (4, 9)),
    "desk": Servers((60, 250), (2, 6), "MIGRATE_BLOCK", "WINDOWS"),
    "db": Servers((500, 2_500), (8, 30)),
    "file": Servers((1_500, 4_500), (20, 46)),
}
LARGEST = "file-01"
SYNCHRONISED = (*(f"db-{number:02}" for number in range(1, 11)), "app-01", "app-02")
ON_DAY_TWO = tuple(
    f"{kind}-{number:02}" for kind in WAVE if kind != "file" for number in (8, 9, 10)
)


def _wave(world: World, begin: datetime, chance: Random) -> None:
    at = functools.partial(_at, world, begin)
    for kind, servers in WAVE.items():
        for number in range(1, 11):
            task = world.add(servers.one(f"{kind}-{number:02}", chance))
            earliest, latest = (15, 17) if task.id in ON_DAY_TWO else (0, 3)
            at(chance.uniform(earliest, latest), world.resume, task.id)
    at(3.5, world.pause, "app-03")
    at(50, world.resume, "app-03")
    at(8, world.ignore_starts, "file-02")  # so it hangs in READY after the first outage
    at(8, world.line_down)
    at(10.5, world.line_up)
    at(16, world.settle, "file-02")
    at(17.5, world.hold, "desk-10", TaskState.RESETING)
    at(29, world.line_down)
    at(38, world.line_up)
    at(40, world.fail, "file-04", DISK_FULL, "/dev/vdb1")
    at(40, world.hold, "db-03", TaskState.SKIPPING)
    at(46, world.settle, "db-03")
    at(47, world.clear, "file-04")
    at(47 + 1 / 60, world.resume, "file-04")
    at(48, world.settle, "desk-10")


def _disk(world: World, begin: datetime, chance: Random) -> None:
    _three(world)
    _at(world, begin, 1.5, world.fail, "7d3c-db", DISK_FULL, "/dev/vdb1")
    _at(world, begin, 9, world.clear, "7d3c-db")
    _at(world, begin, 9 + 1 / 60, world.resume, "7d3c-db")


def _short_outage(world: World, begin: datetime, chance: Random) -> None:
    _three(world)
    _at(world, begin, 1.5, world.line_down)
    _at(world, begin, 2, world.line_up)


BEGIN = datetime(2026, 11, 23, 22, tzinfo=timezone.utc)
MORNING = BEGIN + 10 * HOUR
FRIDAY = datetime(2026, 11, 20, 18, tzinfo=timezone.utc)

SCENARIOS: Dict[str, Scenario] = {
    "night": Scenario(
        "One night: an outage, a short drop, a pause, a full disk",
        BEGIN,
        MORNING,
        _night,
        settings={"DIGEST_HOURS": "9"},  # one is there in the morning
    ),
    "quiet-week": Scenario(
        "A quiet week: nothing happens, a timer of five minutes",
        BEGIN,
        BEGIN + timedelta(days=7),
        _quiet,
        every=5 * MINUTE,
        line=timedelta(days=1),
        discovers=True,
    ),
    "outage": Scenario("The line is down for eight hours", BEGIN, MORNING, _outage),
    "flapping": Scenario(
        "The line comes and goes for six hours, by chance", BEGIN, MORNING, _flapping
    ),
    "fifty": Scenario(
        "Fifty tasks, and one outage that takes them all",
        BEGIN,
        BEGIN + 4 * HOUR,
        _fifty,
        discovers=True,
    ),
    "wave": Scenario(
        "Fifty servers over a weekend: two outages, and three that hang",
        FRIDAY,
        FRIDAY + 64 * HOUR,
        _wave,
        every=15 * MINUTE,
        line=6 * HOUR,
        discovers=True,
        settings={"DIGEST_HOURS": "12"},
    ),
    "disk-full": Scenario("A disk fills up, and nobody is there", BEGIN, MORNING, _disk),
    "obs-down": Scenario(
        "OBS is down for two hours, and within them the line drops",
        BEGIN,
        BEGIN + 6 * HOUR,
        _short_outage,
        outages=(Outage(OBS, 1, 3),),
    ),
    "smn-down": Scenario(
        "SMN is down for two hours, and within them the line drops",
        BEGIN,
        BEGIN + 6 * HOUR,
        _short_outage,
        outages=(Outage(SMN, 1, 3),),
    ),
}
