"""A night against the simulated cloud: the real handler, tick by tick, and what came of it."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Callable, Tuple

from index import handler
from simulated_cloud import plain_script
from simulated_cloud.buckets import Storage
from simulated_cloud.clock import VirtualClock
from simulated_cloud.context import LocalContext, timer_event
from simulated_cloud.scenarios import Scenario
from simulated_cloud.score import Score
from simulated_cloud.server import CloudServer
from simulated_cloud.setup import KEY, TOPIC, settings
from simulated_cloud.task import FAILED
from simulated_cloud.world import World
from sms_watch.errors import WatchFailed
from sms_watch.journal.entries import Entry
from sms_watch.journal.folding import replay
from sms_watch.wiring import WARM
from sms_watch_cli.report.facts import Facts, facts
from sms_watch_cli.screen import Screen


@dataclass(frozen=True)
class Watched:
    """What the watchdog made of a night: its score, its journal, and how many runs failed.

    ``told`` is what the page tells of the journal; ``storage`` has it as it lies on OBS.
    """

    score: Score
    told: Facts
    entries: Tuple[Entry, ...]
    failed: int
    storage: Storage


def play(
    scenario: Scenario, each_tick: Callable[[World], None], seed: int = 0
) -> Tuple[World, timedelta]:
    """Play a night, tick by tick; return the world, and how long its ticks saw tasks failed.

    That is counted as a journal has it: from the tick that first saw a failure to the one that saw
    it over, or to the end.
    """
    clock, lost = VirtualClock(scenario.begin), timedelta(0)
    world = scenario.world(World(clock), seed)
    while clock.now() <= scenario.end:
        seen = sum(task.state in FAILED for task in world.all())
        lost += seen * min(scenario.every, scenario.end - clock.now())
        each_tick(world)
        clock.set(clock.now() + scenario.every)
    return world, lost


def play_plain(scenario: Scenario, seed: int = 0) -> Score:
    """Play the night by the plain script's rules, one function a task."""
    reads = 0

    def each_tick(world: World) -> None:
        nonlocal reads
        for task_id in list(world.tasks):
            reads += 1
            plain_script.tick(world, task_id)

    world, lost = play(scenario, each_tick, seed)
    return Score.of("a plain script", world, lost, reads + len(world.starts) + len(world.inbox))


def play_unwatched(scenario: Scenario, seed: int = 0) -> Score:
    """Play the night with nobody there until the morning."""
    return Score.of("nobody", *play(scenario, lambda world: None, seed))


def play_watched(scenario: Scenario, screen: Screen, seed: int = 0) -> Watched:
    """Play the night with the real handler against the cloud on loopback."""
    clock = VirtualClock(scenario.begin)
    world = scenario.world(World(clock), seed)
    failed = 0
    with CloudServer(world, [KEY], [TOPIC]) as server:
        scenario.trouble(world, server.cloud.faults)
        task_ids = ["*"] if scenario.discovers else world.tasks
        texts = settings(server.url, task_ids)
        context = LocalContext({**texts, **scenario.settings, "LOG_LEVEL": "ERROR"})
        with screen.showing(world):
            while clock.now() <= scenario.end:
                moment = clock.now()
                # What is due by now happens before anybody looks.
                world.advance()
                try:
                    # Its log is that of the function; what there is to see, the screen shows.
                    with contextlib.redirect_stdout(io.StringIO()):
                        report = handler(timer_event(moment), context, clock=clock)
                except WatchFailed as failure:
                    failed += 1
                    screen.failed(moment, str(failure))
                else:
                    screen.show(moment, report)
                # FunctionGraph deletes a container about a minute after its last request.
                WARM.forget()
                clock.set(max(moment + scenario.every, clock.now()))
        storage = server.cloud.storage
    entries = _entries(storage)
    told = facts(entries, scenario.begin, scenario.end, timezone.utc)
    score = Score.of("sms_watch", world, told.lost, sum(server.cloud.calls.values()))
    return Watched(score, told, entries, failed, storage)


def _entries(storage: Storage) -> Tuple[Entry, ...]:
    """Read the journal out of the buckets, oldest first."""
    objects = {
        key: stored for each in storage.buckets.values() for key, stored in each.objects.items()
    }
    lines = replay(objects[key].data for key in sorted(objects))
    return tuple(entry for entry in lines if entry is not None)
