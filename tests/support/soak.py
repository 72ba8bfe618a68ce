"""Soak of nights from a seed: tasks, people, lines and services, each seed with its own rates.

The same seed always gives the same log, byte for byte.
"""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, List, Optional, Type
from urllib.parse import quote_plus

import requests

from simulated_cloud.task import FAILED, MOVING, PAUSED, SETTING_UP, SimTask
from sms_watch.adapters.answers import Answer
from tests.support.canaries import a_pair, draw, secrets_of
from tests.support.clouds import KEY
from tests.support.drawn_rates import Rates, draw_names, draw_variants
from tests.support.drawn_settings import CLASSES, Figures, Wishes, all_but, draw_settings
from tests.support.drawn_waves import Waves
from tests.support.fickle_services import FickleServices
from tests.support.hardships import Hardships
from tests.support.invariants import Invariants
from tests.support.promised_texts import check_journal
from tests.support.simulated_connections import OBS, SMN, SMS
from tests.support.simulated_run import SimulatedRuns, patched_transport
from tests.support.wakes import Killed, RunRecord

OBSTACLES = list(CLASSES)
GARBAGE: List[Any] = [
    None,
    [],
    {},
    "text",
    {"id": "another", "state": "RUNNING"},
    {"state": "MIGRATE_FAIL"},
]
UNANSWERED: Dict[int, Type[Exception]] = {
    0: requests.ReadTimeout,
    1: requests.ConnectionError,
    5: requests.ConnectTimeout,
}
AGENCY = replace(a_pair("months"), token=draw("months, token", 60))
CALM_TICKS = 8
AMPLE = 50  # seconds, in which a run does its work though a call is slow
ROWS_A_PAGE = 15
PAGES_KEPT = 8
SHOWN = 300  # characters of a line, where a promise was broken


@dataclass(frozen=True)
class Size:
    """How many tasks are watched, how often, and for how many ticks."""

    tasks: int
    tick: timedelta
    ticks: int

    @property
    def hours(self) -> float:
        """The migration-hours in it."""
        return self.tasks * self.ticks * self.tick.total_seconds() / 3600


@dataclass
class Soak:
    """One seed's world, its watchdog, and the log of both.

    ``as_before``: without the settings and hardships that were not drawn yet when it was kept.
    """

    seed: int
    size: Size
    as_before: bool = False
    log: List[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Set the stage."""
        self.dice = random.Random(self.seed)  # noqa: S311 - a seed, no secret
        self.rates = Rates.draw(self.dice)
        # Of their own, so that a seed that was kept has the nights for which it was kept.
        self.more_dice = random.Random(f"variants of {self.seed}")  # noqa: S311 - as above
        self._numbers = itertools.count()
        self.waves = Waves(self.seed, self.size.ticks * self.size.tick, self.as_before)
        self.keys = AGENCY if self.seed % 2 else KEY
        self.simulated = SimulatedRuns(self._new_task() for _ in range(self.size.tasks))
        self.simulated.keys, self.simulated.by_agency = self.keys, self.keys is AGENCY
        self.simulated.interfere = self._interfere
        self.simulated.spoil = self._spoil
        self.simulated.discovers = self.seed % 3 == 1
        if self.seed % 5 == 3:
            self.simulated.refuses = lambda message: "server 1" in message
        variants = draw_variants(self.more_dice, self.simulated.discovers)
        # Of the accounts whose tasks are named, every second one may not list them.
        variants = replace(variants, may_list=self.seed % 3 != 2)
        self.simulated.variants = variants if self.as_before else draw_names(self.seed, variants)
        self.services = FickleServices(
            self.more_dice, self.simulated, self.size.tasks, self._later, self._resume
        )
        self._pages: List[Dict[str, Any]] = []
        self.world, self.clock = self.simulated.world, self.simulated.clock
        self.simulated.more = {} if self.as_before else draw_settings(self.seed)
        self.figures = Figures.of(self.simulated.more)
        self.promises = Invariants(self.simulated, self.figures)
        self.wishes = Wishes(self.seed, none=self.as_before)
        self.hardships = Hardships(self.seed, self.simulated, self._later, self.as_before)
        self.simulated.off = self.hardships.off
        self.ticks = 0
        self.calm = False
        self.struck = 0
        self._down: Dict[str, int] = {}
        self._logged = self._seen = 0
        self._at_once = 1

    def _new_task(self) -> SimTask:
        number = next(self._numbers)
        # People give an agent its keys on its command line, and that as a name to its server.
        keys = f" --sk {self.keys.secret}" if number % 4 == 3 else ""
        task = SimTask(
            f"task-{number:02}",
            f"server {number}{keys}",
            type=self.dice.choice(["MIGRATE_FILE", "MIGRATE_BLOCK"]),
            size=self.dice.uniform(1e12, 30e12) / self.more_dice.choice([1, 1, 30]),
            speed=self.dice.uniform(20, 300),
            synchronises=self.dice.random() < 0.3,
            recovers_after=self.dice.choice([None, None, 60, 600]),
            picks_up_after=self.dice.choice([0, 10, 90]),
            connected=self.dice.choice([True, None]),
            prepared=self.more_dice.choice([0, SETTING_UP, SETTING_UP]),
        )
        return self.waves.drawing(task)

    def tick(self) -> None:
        """Let the time between two ticks pass, wake the function, and check its promises."""
        self.ticks += 1
        due = self.clock.now() + self.size.tick
        self.clock.set(due - timedelta(seconds=due.second, microseconds=due.microsecond))
        self.hardships.calm = self.calm
        if not self.calm:
            self._trouble()
            self.hardships.happen()
            self._wish()
            self.waves.happen(self.simulated)
        self.world.advance()
        if self.calm or self.dice.random() >= self.rates.missed:
            self.simulated.wake()
        if not self.calm and self.dice.random() < self.rates.overlap:
            self.simulated.wake()
        self._write_log()
        self.promises.check()

    def _wish(self) -> None:
        """Let somebody want to hear of other kinds from now on, now and then."""
        muted = self.wishes.drawn()
        if muted is not None:
            self.simulated.more = {**self.simulated.more, "NOTIFY_ON": all_but(muted)}
            self.promises.mute(muted)

    # What goes wrong with calls

    def _interfere(self, service: str, operation: str, done: bool) -> Optional[Answer]:
        if self.calm:
            return None
        if not done and self.ticks < self._down.get(service, 0):
            return self._lost(done)
        if self._strikes(self.rates.kill):
            raise Killed
        if self._strikes(self.rates.after if done else self.rates.before):
            return self._lost(done)
        if not done and self._strikes(self.rates.slow):
            self._pass_time(self.dice.uniform(0, 30))
        rate = self.hardships.rate(self.rates.overlap, self._at_once)
        if self._at_once < self.hardships.most_at_once and self._strikes(rate):
            self._at_once += 1
            self.simulated.wake()
            self._at_once -= 1
        return None

    def _strikes(self, rate: float) -> bool:
        struck = self.dice.random() < rate
        self.struck += struck
        return struck

    def _pass_time(self, seconds: float) -> None:
        """Let a call take its time, or be given up."""
        patience = self.simulated.patience
        self.clock.sleep(min(seconds, patience))
        if self.figures.budget < AMPLE:
            self.simulated.touch()  # too slow for so short a run to do its work
        if seconds > patience:
            raise TimeoutError(self._echo())

    def _lost(self, done: bool) -> Answer:
        """Return an answer that is none, or raise what comes without one.

        Only a call that had no effect can end in a failed connection or in a refusal.
        """
        draw = self.dice.randrange(5 if done else 9)
        if draw in UNANSWERED:
            raise UNANSWERED[draw](self._echo())
        echo = self._echo()
        body = {"error_code": "APIGW.0301", "code": "AccessDenied", "error_msg": echo}
        answers = {
            2: Answer(200, None),
            3: Answer(500, body),
            4: Answer(503, None, {"Retry-After": str(self.dice.choice([1, 10, 600]))}),
            6: Answer(302, None),
            7: Answer(401, body),
            8: Answer(403, {**body, "message": echo}),
        }
        return answers[draw]

    def _echo(self) -> str:
        """Return the keys, as they are and as they stand in an address, the last one cut."""
        keys = secrets_of(self.keys)
        return " ".join([*keys, *map(quote_plus, keys)])

    def _spoil(self, page: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        """Return a page of the list that is old, or with a row too many or too few."""
        self._pages = [page, *self._pages[:PAGES_KEPT]]
        if self.calm or not self._strikes(self.rates.after):
            return None
        draw, rows = self.dice.randrange(4), page["tasks"]
        if draw == 0:
            return self.dice.choice(self._pages)
        if draw == 1:
            return {**page, "tasks": [*rows[:1], *rows]}
        return {"count": page["count"] - draw % 2, "tasks": rows[:-1]}

    # What happens to tasks

    def _trouble(self) -> None:
        for service in (SMS, SMN, OBS):
            if self.dice.random() < self.rates.outage:
                self._down[service] = self.ticks + self.dice.randint(1, 40)
        if self.dice.random() < self.rates.trouble:
            task_id = self.dice.choice(self.simulated.ids)
            if task_id in self.world.tasks:
                self._happen(self.world.tasks[task_id])
        self.services.answer_otherwise()

    def _happen(self, task: SimTask) -> None:
        """Let something happen to one task, or to the line of many."""
        dice, world = self.dice, self.world
        draw = dice.random()
        if draw < 0.4:
            self._cut_line()
        elif draw < 0.65 and task.state in MOVING:
            world.fail(task.id, dice.choice(OBSTACLES), f"agent -ak={self.keys.access}")
            self._later(lambda: self._mend(task))
        elif draw < 0.8 and task.state in MOVING:
            world.pause(task.id)
            self._later(lambda: self._resume(task))
        elif draw < 0.83:
            world.delete(task.id)
            self._later(lambda: self._replace(task.id))
        elif draw < 0.88:
            world.connect(task.id, dice.choice([True, False, None]))
        elif draw < 0.9:
            world.freeze(task.id)
            self._later(lambda: self._thaw(task))
        elif draw < 0.94:
            self.simulated.garbled[task.id] = dice.choice(GARBAGE)
            self._later(lambda: self.simulated.garbled.pop(task.id, None))
        else:
            world.rename(task.id, f"renamed {dice.randint(0, 99)}\r\n[\u202e]")

    def _later(self, action: Any) -> None:
        span = timedelta(minutes=self.dice.randint(30, 900))
        self.world.at(self.clock.now() + span, action)

    def _cut_line(self) -> None:
        standing = sorted(self.world.tasks)
        some = self.dice.sample(standing, min(len(standing), self.dice.randint(1, 10)))
        self.world.line_down(*some)
        back = self.clock.now() + timedelta(minutes=self.dice.randint(1, 300))

        def mend() -> None:
            left = [task_id for task_id in some if task_id in self.world.tasks]
            if left:  # no name at all would mean every line
                self.world.line_up(*left)

        self.world.at(back, mend)

    def _replace(self, task_id: str) -> None:
        """Watch a new task in place of one that was deleted, as people change the setting."""
        self.simulated.watch(self.world.add(self._new_task()), task_id)

    def _thaw(self, task: SimTask) -> None:
        if task.id in self.world.tasks:
            self.world.thaw(task.id)

    def _mend(self, task: SimTask) -> None:
        if task.id in self.world.tasks:
            self.world.clear(task.id)
            self._resume(task)

    def _resume(self, task: SimTask) -> None:
        if task.id in self.world.tasks and task.state in (*FAILED, *PAUSED):
            self.world.resume(task.id)

    # The log

    def _write_log(self) -> None:
        """Write down all that happened, was put out and was sent since the last tick."""
        self.log.append(f"tick {self.ticks} at {self.clock.now().isoformat()}")
        self.log += [
            f"  {each.at.isoformat()} {each.task_id} {each.what}"
            for each in self.world.happenings[self._logged :]
        ]
        self._logged = len(self.world.happenings)
        for wake in self._new_wakes():
            how = "killed" if wake.killed else wake.failure[:100] or "well"
            self.log.append(f"  run of {wake.begun.isoformat()} ended {how}")
            self.log += [f"    {text.rstrip()}" for text in wake.output]

    def _new_wakes(self) -> List[RunRecord]:
        seen, self._seen = self._seen, len(self.simulated.wakes)
        return self.simulated.wakes[seen:]


def play(seed: int, size: Size, as_before: bool = False) -> Soak:
    """Play a seed, then let it become calm, and see that all is told at last.

    Raise AssertionError, with what it takes to replay the seed, when a promise is broken.
    """
    months = Soak(seed, size, as_before)
    with (
        TemporaryDirectory() as place,
        patched_transport(months.simulated, months.dice.random, ROWS_A_PAGE),
    ):
        if months.hardships.on_disk:
            months.simulated.place = Path(place) / "journal"
        try:
            for number in range(size.ticks + CALM_TICKS):
                months.calm = number >= size.ticks
                months.tick()
            check_journal(months.simulated)
        except AssertionError as broken:
            recent = "\n".join(line[:SHOWN] for line in months.log[-30:])
            raise AssertionError(
                f"seed {seed}, tick {months.ticks}: {broken}\nto replay it: make test"
                f" PYTEST_ARGS=\"-k 'promises_hold and {seed}-'\"\n{recent}"
            ) from broken
    return months


def summary(months: Soak) -> str:
    """Return the figures of a seed in a line."""
    wakes = months.simulated.wakes
    figures = {
        "seed": months.seed,
        "hours": months.size.hours,
        "runs": len(wakes),
        "killed": sum(wake.killed for wake in wakes),
        "failed": sum(bool(wake.failure) for wake in wakes),
        "faults": months.struck,
        "starts": sum(len(wake.starts) for wake in wakes),
        "messages": sum(wake.messages for wake in wakes),
    }
    return json.dumps(figures)
