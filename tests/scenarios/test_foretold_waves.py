"""A small wave, drawn and summed up here, whose end the rules foretell while it is under way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Dict, List, Tuple

import pytest

from sms_watch.model.forecast import Forecast
from sms_watch.model.task import Progress, Task
from sms_watch.rules.draft import Commands
from sms_watch.rules.record import Memory
from tests.support.builders import LINE_LOST, NOW, a_running_task, a_task
from tests.support.planning import a_plan, after

TICK, HOUR = timedelta(minutes=10), timedelta(hours=1)
COPY = "MIGRATE_LINUX_FILE"
TASKS, OUTAGE = 12, (24, 48)  # ticks


@dataclass
class Copy:
    """A copy: its name, its size in bytes, how many it copies in each tick, and by when."""

    name: str
    size: int
    speeds: List[int]
    copied: int = 0

    def seen(self, down: bool) -> Task:
        """Return the task as it is read."""
        progress = Progress(5, 100 * self.copied // self.size, self.copied, COPY)
        about = {"id": self.name, "name": self.name, "progress": progress, "size": self.size}
        if self.copied >= self.size:
            return a_task(state="MIGRATE_SUCCESS", code="", **about)
        return a_task(code=LINE_LOST, **about) if down else a_running_task(**about)


def _copy(number: int, chance: Random) -> Copy:
    """Return a copy of 8 to 30 hours, whose speed changes every hour by two fifths at the most."""
    speed, ticks = chance.randint(10**9, 10**10), chance.randint(48, 180)
    speeds = [round(speed * chance.uniform(0.6, 1.4)) for _ in range(60) for _ in range(6)]
    return Copy(f"server-{number:02}", speed * ticks, speeds)


def _played(seed: int) -> Tuple[Dict[datetime, Forecast], datetime]:
    """Return what is foretold at each tick of a wave, and when it is really done."""
    chance = Random(seed)  # noqa: S311 - a game, not a secret
    copies = [_copy(number, chance) for number in range(TASKS)]
    memory, told, now = Memory(), {}, NOW
    for tick in range(400):
        now = NOW + tick * TICK
        down = OUTAGE[0] <= tick < OUTAGE[1]
        seen = [each.seen(down) for each in copies]
        planned = a_plan(seen, memory, now=now, commands=Commands(digest=True))
        memory = after(planned, memory)
        told[now] = next(each.digest.forecast for each in planned.notices if each.kind == "digest")
        if all(each.copied >= each.size for each in copies):
            break
        for each in copies:
            each.copied += 0 if down else each.speeds[tick]
    return told, now


@pytest.mark.parametrize("seed", range(5))
def test_the_end_of_a_wave_is_foretold_from_its_first_half_on(seed: int) -> None:
    """It is within a fifth of the time left, and known again in the first run after an outage.

    While the line is down nothing is foretold; when all is done, that is told.
    """
    told, done = _played(seed)
    outage = [NOW + tick * TICK for tick in range(*OUTAGE)]
    assert all(told[moment].end is None and told[moment].still for moment in outage)
    half = NOW + (done - NOW) / 2
    later = {moment: made for moment, made in told.items() if half <= moment < done}
    wrong = 0
    for moment, made in later.items():
        assert made.end is not None
        assert made.copying + made.finished == TASKS
        wrong += abs(made.end.at - done) > max(0.2 * (done - moment), 2 * TICK)
    assert wrong <= 0.1 * len(later)
    assert told[outage[-1] + TICK].end is not None
    assert told[done] == Forecast(finished=TASKS)
