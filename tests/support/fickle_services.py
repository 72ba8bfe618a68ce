"""What services do by themselves, to one task or to all callers: now and then something odd."""

from __future__ import annotations

import functools
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any, Callable

from simulated_cloud.task import MOVING, SimTask
from simulated_cloud.variants import ACCEPTED, DOCUMENTED, REFUSED, UNREADABLE
from tests.support.drawn_settings import CLASSES, NEVER
from tests.support.simulated_run import SimulatedRuns

ODD = 0.04  # the chance per tick that a service does something of its own
SOMETIMES_MENDED = [code for code, named in CLASSES.items() if named not in NEVER]


class FickleServices:
    """The services of one seed, over so many ``tasks``.

    ``later`` lets something happen some hours from now, ``resume`` starts a task as people do.
    """

    def __init__(
        self,
        dice: random.Random,
        simulated: SimulatedRuns,
        tasks: int,
        later: Callable[[Callable[[], Any]], None],
        resume: Callable[[SimTask], None],
    ) -> None:
        self._dice, self._runs, self._world, self._tasks = dice, simulated, simulated.world, tasks
        self._later, self._resume = later, resume

    def answer_otherwise(self) -> None:
        """Draw what the next starts are answered with, and now and then something odder."""
        dice = self._dice
        if not self._runs.variants.start.refuses:
            self._vary(start=dice.choice(list(ACCEPTED.values())))
        task = self._world.tasks.get(dice.choice(self._runs.ids))
        if task is not None and dice.random() < ODD:
            dice.choice(BY_ITSELF)(self, task)

    def _vary(self, **variants: Any) -> None:
        self._runs.variants = replace(self._runs.variants, **variants)

    def _overspeed(self, task: SimTask) -> None:
        if task.state in MOVING:
            self._world.overspeed(task.id)
            self._later(lambda: self._resume(task))

    def _grow(self, task: SimTask) -> None:
        self._world.grow(task.id, self._dice.uniform(0.1, 1) * task.size)

    def _fail_on(self, _: SimTask) -> None:
        """Let the quickest copy fail again and again, and get well further in between."""
        copies = [each for each in self._world.tasks.values() if each.copying]
        if copies:
            quickest = min(copies, key=lambda each: each.size / each.speed)
            due = self._runs.clock.now()
            for _time in range(self._dice.randint(3, 9)):
                due += timedelta(minutes=self._dice.randint(10, 25))
                self._world.at(due, functools.partial(self._fail, quickest))

    def _fail(self, task: SimTask) -> None:
        if task.id in self._world.tasks and task.working:
            code = self._dice.choice(SOMETIMES_MENDED)
            self._world.fail(task.id, code, obstacle=False)

    def _close(self, task: SimTask) -> None:
        """Let nobody read one task."""
        why = self._dice.choice(list(UNREADABLE.values()))
        self._vary(unreadable={**self._runs.variants.unreadable, task.id: why})
        self._later(lambda: self._open(task.id))

    def _open(self, task_id: str) -> None:
        closed = dict(self._runs.variants.unreadable)
        closed.pop(task_id, None)
        self._vary(unreadable=closed)

    def _refuse_starts(self, _: SimTask) -> None:
        self._vary(start=REFUSED)
        self._later(lambda: self._vary(start=DOCUMENTED.start))

    def _count_more(self, _: SimTask) -> None:
        self._vary(unseen=self._dice.randint(1, 9))
        self._later(lambda: self._vary(unseen=0))

    def _throttle(self, _: SimTask) -> None:
        """Let two thirds as many reads be made in a minute as there are tasks, lists among them."""
        self._vary(reads_a_minute=self._tasks * 2 // 3)
        self._later(lambda: self._vary(reads_a_minute=None))


# What the services may do by themselves, to one task or to all callers.
BY_ITSELF = (
    FickleServices._overspeed,
    FickleServices._grow,
    *[FickleServices._fail_on] * 4,
    FickleServices._close,
    FickleServices._refuse_starts,
    FickleServices._count_more,
    FickleServices._throttle,
)
