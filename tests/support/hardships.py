"""What nobody thinks of: hanging reads, texts that command, clocks apart, lines of others.

Drawn for half of the seeds, from dice of their own, so that the other half keep their nights.
"""

from __future__ import annotations

import json
import math
import random
from datetime import timedelta
from typing import Any, Callable, Tuple

from simulated_cloud.task import MOVING, SimTask
from tests.support.promised_kinds import PASSING
from tests.support.simulated_run import SimulatedRuns

# How many runs are at work at once, at the most, and the chance per call that one more begins once
# there are two.
MOST_AT_ONCE = (3, 4, 5)
ONE_MORE = 0.03
OVERLAP = 0.0005
# Seconds by which the clock of a machine is off, and how far one jumps for a run: the cloud refuses
# what was signed a quarter of an hour ago.
OFF = (0, 0, 0, 4, -4, 75, -130, 600, -600)
SLIGHTLY_OFF = (0, 4, -4)
JUMPS = (timedelta(hours=2), -timedelta(hours=3), timedelta(days=40), -timedelta(days=9))
JUMP = 0.01  # the chance per run
PER_TICK = 0.04  # the chance of each hardship
HOSTILE: Tuple[str, ...] = (
    "\x1b]0;owned\x07\x1b[2J",
    "\ud83d half a letter",
    "\U0001f4a5" * 90,
    "<script>alert('x')</script>&amp;</pre>",
    "%s%n{0}${jndi:ldap://127.0.0.1/x}",
    "long " * 1000,
    "\x00\u2028\u2029\x85\u202e",
    "[bank] 【bank】",
    "",
    "=1+1|' /C calc'!A0",
)
# States that nobody knows, and those that a task is to pass through.
STRANGE: Tuple[str, ...] = (
    *("\ud800RUNNING", "RUNNING\n", "<b>", "\x1b[31mFAIL", "running", "🎉" * 40),
    *PASSING,
)
# What is valid JSON, or nearly, and no line, and what is no time.
NO_LINES: Tuple[Any, ...] = (None, [], 7, "x", {}, {"v": 1}, math.nan, 10**400)
NO_TIMES: Tuple[Any, ...] = ("2026-11-24T12:00:00", "9999", math.nan, 10**400, None, [])


class Hardships:
    """The hardships of one seed. ``later`` lets something happen some hours from now."""

    def __init__(
        self,
        seed: int,
        simulated: SimulatedRuns,
        later: Callable[[Callable[[], Any]], None],
        none: bool,
    ) -> None:
        self._dice = random.Random(f"hardships of {seed}")  # noqa: S311 - a seed, no secret
        self.drawn = self._dice.random() < 0.5 and not none
        self._runs, self._world, self._later = simulated, simulated.world, later
        self.most_at_once = self._dice.choice(MOST_AT_ONCE) if self.drawn else 2
        self._apart = self.drawn and self._dice.random() < 0.7
        # A directory has no clock but that of the machine: one that jumps is told by the cloud.
        self.on_disk = self.drawn and seed % 7 == 5
        self._off = SLIGHTLY_OFF if self.on_disk else OFF
        self.calm = False

    def rate(self, usual: float, at_once: int) -> float:
        """Return the chance per call that one more run begins, with some at work."""
        if at_once >= self.most_at_once:
            return 0.0
        return ONE_MORE if at_once > 1 else max(usual, OVERLAP) if self.drawn else usual

    def off(self) -> timedelta:
        """Return by how much the clock of the next run is off."""
        if not self._apart:
            return timedelta(0)
        if not self.calm and self._dice.random() < JUMP:
            return self._dice.choice(JUMPS)
        return timedelta(seconds=self._dice.choice(self._off))

    def happen(self) -> None:
        """Let a hardship of each kind happen now and then."""
        if not self.drawn:
            return
        for befall in (self._hang, self._trickle, self._name, self._state, self._write_odd_line):
            if self._dice.random() < PER_TICK:
                task = self._world.tasks.get(self._dice.choice(self._runs.ids))
                if task is not None:
                    befall(task)

    def _hang(self, task: SimTask) -> None:
        """Let the reads of a task hang, of one at a time, whose line may have broken."""
        hanging = self._runs.hanging
        if not hanging:
            if task.state in MOVING and self._dice.random() < 0.5:
                self._world.fail(task.id, "SMS.0807", obstacle=False)
            hanging.add(task.id)
            self._later(lambda: hanging.discard(task.id))

    def _trickle(self, task: SimTask) -> None:
        """Let a copy fail again and again, and gain one byte a minute."""
        if task.state not in MOVING or not task.to_copy:
            return
        self._world.fail(task.id, "SMS.0805", self._dice.choice(HOSTILE))
        due = self._runs.clock.now()
        for _ in range(self._dice.randint(60, 400)):
            due += timedelta(minutes=1)
            self._world.at(due, lambda: self._gain_a_byte(task))
        self._world.at(due, lambda: self._let_go(task))

    def _gain_a_byte(self, task: SimTask) -> None:
        if task.obstacle and task.to_copy > 1:
            task.copied += 1

    def _let_go(self, task: SimTask) -> None:
        if task.id in self._world.tasks:
            self._world.clear(task.id)

    def _name(self, task: SimTask) -> None:
        self._world.rename(task.id, self._dice.choice(HOSTILE))

    def _state(self, task: SimTask) -> None:
        """Let the service say a state for hours that nobody knows, or where nothing should stay."""
        strange = self._runs.strange
        strange[task.id] = self._dice.choice(STRANGE)
        self._later(lambda: strange.pop(task.id, None))

    def _write_odd_line(self, _: SimTask) -> None:
        """Let another program append to the journal what is no line of it."""
        dated = {n: data for n, data in self._runs.journal().items() if "journal-2" in n}
        if dated:
            name = max(dated)
            last = dated[name].rstrip(b"\n").rpartition(b"\n")[2]
            self._runs.write_odd_line(name, self._odd(last))

    def _odd(self, last: bytes) -> bytes:
        """Return half of a line, or one that is JSON, or nearly, and no value."""
        if self._dice.random() < 0.2:
            return last[: self._dice.randint(1, max(1, len(last) - 1))]
        naive = {
            "v": 1,
            "type": "plan",
            "at": self._dice.choice(NO_TIMES),
            "run": "r",
            "nonce": "n",
        }
        return json.dumps(self._dice.choice([*NO_LINES, naive, naive])).encode() + b"\n"
