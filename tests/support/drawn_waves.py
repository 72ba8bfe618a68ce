"""What a wave of migrations has in store: first copies that end in time, and tasks that hang.

Drawn for most seeds, from dice of their own, so that all else of a seed stays what it was.
"""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import Any, Callable

from simulated_cloud.task import BITS, FAILED, MEGABIT, MOVING, SimTask
from simulated_cloud.world import Start
from sms_watch.model.task import TaskState
from tests.support.promised_kinds import PASSING
from tests.support.simulated_run import SimulatedRuns

SYNCHRONISES = 0.3  # of the tasks
WAITS = 0.2  # the chance that a task whose start was accepted is not taken up for hours
PER_TICK = 0.02  # the chance that a task hangs
MINUTES = (30, 400)  # for how long
# The share of a seed's time after which a first copy is done that nothing hinders.
DONE_AFTER = (0.05, 0.7)


class Waves:
    """The waves of one seed, which lasts for a ``span``."""

    def __init__(self, seed: int, span: timedelta, none: bool) -> None:
        self._dice = random.Random(f"waves of {seed}")  # noqa: S311 - a seed, no secret
        self.drawn = self._dice.random() < 0.7 and not none
        self._span, self._seen = span, 0

    def drawing(self, task: SimTask) -> SimTask:
        """Return a task of this seed; some synchronise before its end."""
        if self.drawn and self._dice.random() < SYNCHRONISES:
            seconds = self._dice.uniform(*DONE_AFTER) * self._span.total_seconds()
            task.size = seconds * task.speed * MEGABIT / BITS
            task.synchronises = True
        return task

    def happen(self, runs: SimulatedRuns) -> None:
        """Let tasks hang, for minutes or hours."""
        world, dice = runs.world, self._dice
        started, self._seen = world.starts[self._seen :], len(world.starts)
        if not self.drawn:
            return
        for start in started:
            if _is_waited_for(runs, start) and dice.random() < WAITS:
                self._hang(runs, start.task_id, TaskState.READY)
        task = world.tasks.get(dice.choice(runs.ids))
        if task is None or dice.random() >= PER_TICK:
            return
        state = dice.choice([*PASSING, TaskState.ABORTING])
        if state != TaskState.ABORTING:
            self._hang(runs, task.id, state)
        elif task.state in MOVING:
            self._hang_in_pause(runs, task)

    def _later(self, runs: SimulatedRuns, action: Callable[[], Any]) -> None:
        span = timedelta(minutes=self._dice.randint(*MINUTES))
        runs.world.at(runs.clock.now() + span, action)

    def _hang(self, runs: SimulatedRuns, task_id: str, state: str) -> None:
        """Let the service say that a task is in a state, whatever becomes of it."""
        if task_id not in runs.strange:
            runs.strange[task_id] = state
            self._later(runs, lambda: runs.strange.pop(task_id, None))

    def _hang_in_pause(self, runs: SimulatedRuns, task: SimTask) -> None:
        """Let a pause come to its end late; then a person starts the task."""
        world = runs.world
        world.pause(task.id)
        task.version += 1  # so it does not come to rest

        def end() -> None:
            if task.id in world.tasks and task.state == TaskState.ABORTING:
                world.pause(task.id)
                self._later(runs, start)

        def start() -> None:
            if task.id in world.tasks and task.state == TaskState.ABORT:
                world.resume(task.id)

        self._later(runs, end)


def _is_waited_for(runs: SimulatedRuns, start: Start) -> bool:
    """Return whether a start was accepted, and its task has not failed again since."""
    later = itertools.takewhile(lambda each: each.at > start.at, reversed(runs.world.happenings))
    failed = any(
        each.task_id == start.task_id and each.what.partition(" ")[0] in FAILED for each in later
    )
    return start.accepted and start.task_id in runs.world.tasks and not failed
