"""A night against the simulated cloud: the real handler, tick by tick, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Callable

import click

from index import handler
from local import walkthrough
from local.clock import VirtualClock
from local.cloud.server import CloudServer
from local.cloud.shapes import PROJECT
from local.cloud.signing import Key
from local.cloud.world import World
from local.context import LocalContext, timer_event
from local.scenarios import SCENARIOS, Scenario
from local.screen import Screen
from sms_watch.handler import WARM

TICK = timedelta(minutes=1)
TOPIC = f"urn:smn:ap-southeast-3:{PROJECT}:night-watch"
KEY = Key("SIMULATEDACCESSKEY00", "simulated-secret-key-of-forty-characters")


@dataclass(frozen=True)
class Score:
    """What a night came to. ``lost`` is the time that tasks stood still though a start would do.

    ``calls`` are those to all services, as far as anybody made any.
    """

    name: str
    messages: int
    starts: int
    harmful: int
    lost: timedelta
    calls: int = 0

    @classmethod
    def of(cls, name: str, world: World, calls: int = 0) -> Score:
        """Count what happened in a world; harmful are starts on paused or hopeless tasks."""
        world.settle()
        return cls(
            name,
            len(world.inbox),
            len(world.starts),
            sum(start.paused or start.hopeless for start in world.starts),
            sum((task.waited for task in world.tasks.values()), timedelta(0)),
            calls,
        )


def play(scenario: Scenario, each_minute: Callable[[World], None]) -> World:
    """Let a night pass, minute by minute."""
    clock = VirtualClock(scenario.begin)
    world = scenario.world(World(clock))
    while clock.now() <= scenario.end:
        each_minute(world)
        clock.set(clock.now() + TICK)
    return world


def play_plain(scenario: Scenario) -> Score:
    """Play the night by the plain script's rules, one function a task."""

    reads = 0

    def each_minute(world: World) -> None:
        nonlocal reads
        for task_id in list(world.tasks):
            reads += 1
            walkthrough.tick(world, task_id)

    world = play(scenario, each_minute)
    return Score.of("a plain script", world, reads + len(world.starts) + len(world.inbox))


def play_unwatched(scenario: Scenario) -> Score:
    """Play the night with nobody there until the morning."""
    return Score.of("nobody", play(scenario, lambda world: world.settle()))


def play_watched(scenario: Scenario, screen: Screen) -> Score:
    """Play the night with the real handler against the cloud on loopback."""
    clock = VirtualClock(scenario.begin)
    world = scenario.world(World(clock))
    with CloudServer(world, [KEY], [TOPIC]) as server:
        context = LocalContext(_settings(world, server.url))
        with screen.showing(world):
            while clock.now() <= scenario.end:
                moment = clock.now()
                report = handler(timer_event(moment), context, clock=clock)
                # FunctionGraph deletes a container about a minute after its last request.
                WARM.forget()
                screen.show(moment, report)
                clock.set(max(moment + TICK, clock.now()))
        screen.journal(server.cloud.storage)
    return Score.of("sms_watch", world, sum(server.cloud.calls.values()))


def _settings(world: World, url: str) -> dict[str, str]:
    return {
        "SMS_TASK_IDS": " ".join(world.tasks),
        "SMN_TOPIC_URN": TOPIC,
        "HUAWEICLOUD_SDK_AK": KEY.access,
        "HUAWEICLOUD_SDK_SK": KEY.secret,
        "SMS_ENDPOINT": url,
        "SMN_ENDPOINT": url,
        "OBS_ENDPOINT": url,
        "LOG_LEVEL": "ERROR",
    }


@click.command("simulate")
@click.argument("scenario", type=click.Choice(sorted(SCENARIOS)), default="night")
def command(scenario: str) -> None:
    """Play a night of timer events against a simulated cloud on this machine."""
    night = SCENARIOS[scenario]
    screen = Screen(night.title)
    watched = play_watched(night, screen)
    screen.scoreboard([watched, play_plain(night), play_unwatched(night)])
