"""What the age of a journal costs: a cold run in the morning and in the evening of a day.

The day is played by the real handler on a clock that hurries, against the simulated cloud, whose
OBS holds the journal. Then the line is down for another day: every task fails, and is started until
no start is left. The same is measured after it, and in the first run of the next day.
"""

from __future__ import annotations

import contextlib
import io
from datetime import datetime, timedelta, timezone
from typing import List, Sequence

from benchmarks.cloud import Account, Cost, an_account, cost_once, costs
from benchmarks.figures import Figure, at_most
from benchmarks.fresh import counts_instructions
from benchmarks.layouts import Layouts
from index import handler
from simulated_cloud.context import LocalContext, timer_event
from sms_watch.wiring import WARM

MIDNIGHT = datetime(2026, 11, 24, tzinfo=timezone.utc)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MIB, KB = 2**20, 1000
ALL = ("*",)
# So that all starts are made in so few runs.
STARTS = {"RESUME_MAX_PER_RUN": "100"}
MOST_GROWTH, MOST_KB, MOST_MIB = 1.2, 200, 96


def figures(
    layouts: Layouts, times: int, numbers: Sequence[int], runs: int, counted: bool
) -> List[Figure]:
    """Play a day of so many runs for each number of tasks, for the last one an outage as well."""
    counted = counted and counts_instructions()
    found: List[Figure] = []
    for number in numbers:
        with an_account(number, MIDNIGHT) as account:
            played = _Played(account, layouts, times, counted)
            found += _aged(f"{number:,} running tasks", played, runs, number == numbers[0])
            if number == numbers[-1]:
                found += _broken(f"{number:,} failed tasks", played, runs)
    return found


def _aged(tasks: str, played: _Played, runs: int, few: bool) -> List[Figure]:
    step = DAY / runs
    played.play(MIDNIGHT, step, 2)
    morning = played.cost()
    played.play(MIDNIGHT + 2 * step, step, runs - 2)
    evening = played.cost()
    return [
        Figure(f"{tasks}, in the morning", _told(morning)),
        Figure(f"{tasks}, in the evening", _told(evening)),
        evening.to(morning, "... evening to morning", MOST_GROWTH),
        _bounded(evening),
        *([at_most("... bytes from OBS", evening.read / KB, MOST_KB, "{:.0f} KB")] if few else []),
    ]


def _broken(tasks: str, played: _Played, runs: int) -> List[Figure]:
    played.account.server.cloud.world.line_down()
    played.play(MIDNIGHT + DAY, DAY / runs, runs)
    evening = played.cost()
    played.account.clock.set(MIDNIGHT + 2 * DAY + MINUTE)
    first = played.first()
    return [
        Figure(f"{tasks}, after a day", _told(evening)),
        _bounded(evening),
        Figure(f"{tasks}, the first run of the next day", _told(first)),
        _bounded(first),
    ]


def _told(cost: Cost) -> str:
    return f"{cost}; {cost.peak / MIB:.0f} MiB; {cost.read / KB:,.0f} KB from OBS"


def _bounded(cost: Cost) -> Figure:
    return at_most("... peak memory", cost.peak / MIB, MOST_MIB, "{:.0f} MiB")


class _Played:
    """An account that is watched by the real handler."""

    def __init__(self, account: Account, layouts: Layouts, times: int, counted: bool) -> None:
        self.account, self._times, self._counted = account, times, counted
        self._folder = layouts.ours_compiled

    def play(self, begin: datetime, step: timedelta, runs: int) -> None:
        """Do so many runs; it is a minute after the last one then."""
        texts = {**self.account.texts(self._folder.name, *ALL), **STARTS}
        for moment in (begin + number * step for number in range(runs)):
            self.account.clock.set(max(moment, self.account.clock.now()))
            self.account.server.cloud.world.advance()
            with contextlib.redirect_stdout(io.StringIO()):
                handler(timer_event(moment), LocalContext(texts), clock=self.account.clock)
            WARM.forget()
        self.account.clock.set(self.account.clock.now() + MINUTE)

    def cost(self) -> Cost:
        """Return what a cold run costs now."""
        ours = {"": (self._folder, "once")}
        return costs(self.account, ours, ALL, self._times, self._counted)[""]

    def first(self) -> Cost:
        """Return what the next run costs."""
        return cost_once(self.account, (self._folder, "once"), ALL)
