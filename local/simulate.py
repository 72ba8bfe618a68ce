"""A night against the simulated cloud: the real handler, tick by tick, and what came of it."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from datetime import timezone
from pathlib import Path
from typing import Callable, Optional, Tuple

import click

from index import handler
from local import walkthrough
from local.clock import VirtualClock
from local.cloud.buckets import Storage
from local.cloud.server import CloudServer
from local.cloud.setup import KEY, TOPIC, settings
from local.cloud.world import World
from local.context import LocalContext, timer_event
from local.report.command import write
from local.report.facts import facts
from local.report.page import page
from local.scenarios import SCENARIOS, Scenario
from local.score import Score
from local.screen import Screen
from sms_watch.errors import WatchFailed
from sms_watch.journal.entries import Entry
from sms_watch.journal.folding import replay
from sms_watch.wiring import WARM


@dataclass(frozen=True)
class Watched:
    """What the watchdog made of a night: its score, its journal, and how many runs failed.

    ``storage`` has the journal as it lies on OBS.
    """

    score: Score
    entries: Tuple[Entry, ...]
    failed: int
    storage: Storage


def play(scenario: Scenario, each_tick: Callable[[World], None], seed: int = 0) -> World:
    """Let a night pass, tick by tick."""
    clock = VirtualClock(scenario.begin)
    world = scenario.world(World(clock), seed)
    while clock.now() <= scenario.end:
        each_tick(world)
        clock.set(clock.now() + scenario.every)
    return world


def play_plain(scenario: Scenario, seed: int = 0) -> Score:
    """Play the night by the plain script's rules, one function a task."""
    reads = 0

    def each_tick(world: World) -> None:
        nonlocal reads
        for task_id in list(world.tasks):
            reads += 1
            walkthrough.tick(world, task_id)

    world = play(scenario, each_tick, seed)
    return Score.of("a plain script", world, reads + len(world.starts) + len(world.inbox))


def play_unwatched(scenario: Scenario, seed: int = 0) -> Score:
    """Play the night with nobody there until the morning."""
    return Score.of("nobody", play(scenario, lambda world: world.settle(), seed))


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
                world.settle()
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
    score = Score.of("sms_watch", world, sum(server.cloud.calls.values()))
    return Watched(score, _entries(storage), failed, storage)


def _entries(storage: Storage) -> Tuple[Entry, ...]:
    """Read the journal out of the buckets, oldest first."""
    objects = {
        key: stored for each in storage.buckets.values() for key, stored in each.objects.items()
    }
    lines = replay(objects[key].data for key in sorted(objects))
    return tuple(entry for entry in lines if entry is not None)


NAMES = "\n".join(f"  {name:<12} {SCENARIOS[name].title}" for name in sorted(SCENARIOS))


@click.command("simulate", epilog=f"\b\nScenarios:\n{NAMES}")
@click.argument(
    "scenario", type=click.Choice(sorted(SCENARIOS)), default="night", metavar="[SCENARIO]"
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another course of chance.")
@click.option(
    "--report",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page that the report command makes of such a journal.",
)
@click.option("--verbose", is_flag=True, help="Also show what the journal holds in the end.")
def command(scenario: str, seed: int, out: Optional[Path], verbose: bool) -> None:
    """Play a night of timer events against a simulated cloud.

    The real handler runs tick by tick on this machine, on loopback and on a fast clock. The
    scoreboard at the end compares it with a plain script, and with nobody, in the same night.
    """
    night = SCENARIOS[scenario]
    screen = Screen(night.title, line=night.line)
    watched = play_watched(night, screen, seed)
    if verbose:
        screen.journal(watched.storage)
    plain, nobody = play_plain(night, seed), play_unwatched(night, seed)
    screen.scoreboard(watched.score, plain, nobody, watched.failed)
    if out is not None:
        told = facts(watched.entries, night.begin, night.end, timezone.utc)
        write(out, page(told, timezone.utc, night.title))
    screen.what_next(scenario, out)
