"""Any sequence of ticks and of what happens outside, through the real handler and adapters."""

from __future__ import annotations

import random
from contextlib import ExitStack
from datetime import timedelta
from typing import Dict, List, NamedTuple, Optional

import requests
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from simulated_cloud.task import FAILED, MOVING, PAUSED, SimTask
from sms_watch.adapters.answers import Answer
from tests.support.drawn_settings import CLASSES
from tests.support.extent import extent
from tests.support.invariants import Invariants
from tests.support.promised_texts import check_journal
from tests.support.simulated_connections import OBS, SMN, SMS
from tests.support.simulated_run import SimulatedRuns, patched_transport
from tests.support.wakes import Killed

IDS = ["task-a", "task-b", "task-c"]
CALLS = [(SMS, "read"), (SMS, "start"), (SMN, "publish"), (OBS, "get"), (OBS, "append")]
GOOD_RUNS = 6
TASKS = st.sampled_from(IDS)
MINUTES = st.sampled_from([1, 2, 3, 5, 15, 31, 240, 60 * 24])


class Strike(NamedTuple):
    """What befalls the next call of an operation, before or after its effect."""

    service: str
    operation: str
    done: bool
    how: str


class Nights(RuleBasedStateMachine):
    """Three tasks and their watchdog. Every promise is checked after every tick."""

    @initialize(types=st.lists(st.sampled_from(["MIGRATE_FILE", "MIGRATE_BLOCK"]), min_size=3))
    def begin(self, types: List[str]) -> None:
        """Begin with three tasks that copy."""
        self.simulated = SimulatedRuns(
            SimTask(name, name, type=kind, size=5e12, recovers_after=recovers)
            for name, kind, recovers in zip(IDS, types, (None, 60.0, 600.0))
        )
        self.world = self.simulated.world
        self.simulated.interfere = self._interfere
        self.promises = Invariants(self.simulated)
        self.strikes: List[Strike] = []
        self.down: Dict[str, bool] = {}
        self.stack = ExitStack()
        dice = random.Random(0)  # noqa: S311 - for pauses, no secret
        self.stack.enter_context(patched_transport(self.simulated, dice.random))

    def teardown(self) -> None:
        """Let all become well; then everything is told at last."""
        if not hasattr(self, "stack"):
            return
        with self.stack:
            self.strikes, self.down = [], {}
            self.simulated.garbled.clear()
            for _ in range(GOOD_RUNS):
                self.tick(2)
            check_journal(self.simulated)

    def _interfere(self, service: str, operation: str, done: bool) -> Optional[Answer]:
        if self.down.get(service) and not done:
            raise requests.ConnectTimeout
        for strike in self.strikes:
            if strike[:3] == (service, operation, done):
                self.strikes.remove(strike)
                return self._befall(strike)
        return None

    def _befall(self, strike: Strike) -> Optional[Answer]:
        if strike.how == "killed":
            raise Killed
        if strike.how == "lost":
            raise requests.ReadTimeout
        if strike.how == "overtaken":
            self.simulated.wake()
            return None
        return Answer(int(strike.how), {"error_code": "APIGW.0000", "error_msg": "no"})

    # What ticks

    @rule(minutes=MINUTES)
    def tick(self, minutes: int) -> None:
        """Let time pass and wake the function."""
        self.simulated.clock.set(self.simulated.clock.now() + timedelta(minutes=minutes))
        self.world.advance()
        self.simulated.wake()
        self.promises.check()

    @rule(times=st.integers(2, 6))
    def tick_on(self, times: int) -> None:
        """Wake the function every other minute for a while."""
        for _ in range(times):
            self.tick(2)

    @rule()
    def tick_twice(self) -> None:
        """Wake the function a second time at once, as a doubled event does."""
        self.world.advance()
        self.simulated.wake()
        self.promises.check()

    # What goes wrong with calls

    @rule(
        call=st.sampled_from(CALLS),
        done=st.booleans(),
        how=st.sampled_from(["killed", "lost", "overtaken"]),
    )
    def strike(self, call: tuple[str, str], done: bool, how: str) -> None:
        """The next such call is the last of its run, has no answer, or is overtaken by a run."""
        self.strikes.append(Strike(*call, done, how))

    @rule(call=st.sampled_from(CALLS), how=st.sampled_from(["401", "403", "404", "429", "500"]))
    def refuse(self, call: tuple[str, str], how: str) -> None:
        """The next such call is refused."""
        self.strikes.append(Strike(*call, False, how))

    @rule(service=st.sampled_from([SMS, SMN, OBS]), down=st.booleans())
    def fall_or_rise(self, service: str, down: bool) -> None:
        """A service goes down, or comes up again."""
        self.down[service] = down

    @rule(name=TASKS, body=st.sampled_from([None, [], {"state": "MIGRATE_FAIL"}]))
    def garble(self, name: str, body: object) -> None:
        """The service answers nonsense for one task, or does no longer."""
        if name in self.simulated.garbled:
            del self.simulated.garbled[name]
        else:
            self.simulated.garbled[name] = body

    # What happens to tasks

    def _standing(self, name: str, *states: str) -> bool:
        return name in self.world.tasks and self.world.tasks[name].state in states

    @rule(name=TASKS, code=st.sampled_from([*CLASSES]))
    def fail(self, name: str, code: str) -> None:
        """A task meets an obstacle that no start mends."""
        if self._standing(name, *MOVING):
            self.world.fail(name, code)

    @rule(name=TASKS, up=st.booleans())
    def line(self, name: str, up: bool) -> None:
        """The line of a task drops, or is there again."""
        if name in self.world.tasks:
            (self.world.line_up if up else self.world.line_down)(name)

    @rule(name=TASKS)
    def pause(self, name: str) -> None:
        """A person pauses a task."""
        if self._standing(name, *MOVING):
            self.world.pause(name)

    @rule(name=TASKS, clears=st.booleans())
    def resume(self, name: str, clears: bool) -> None:
        """A person starts a task, with or without clearing its obstacle away."""
        if self._standing(name, *FAILED, *PAUSED):
            if clears:
                self.world.clear(name)
            self.world.resume(name)

    @rule(name=TASKS, still=st.booleans())
    def freeze(self, name: str, still: bool) -> None:
        """A task stands still without any sign of it, or goes on."""
        if name in self.world.tasks:
            (self.world.freeze if still else self.world.thaw)(name)

    @rule(name=TASKS, connected=st.sampled_from([True, False, None]))
    def connect(self, name: str, connected: Optional[bool]) -> None:
        """The agent of a task comes, goes, or is not spoken of."""
        if name in self.world.tasks:
            self.world.connect(name, connected)

    @rule(name=TASKS, new=st.text(max_size=300))
    def rename(self, name: str, new: str) -> None:
        """A task gets another name, of any letters."""
        if name in self.world.tasks:
            self.world.rename(name, new)

    @precondition(lambda self: len(getattr(getattr(self, "world", None), "tasks", ())) > 1)
    @rule(name=TASKS)
    def delete(self, name: str) -> None:
        """A task is deleted."""
        if name in self.world.tasks:
            self.world.delete(name)


TestNights = Nights.TestCase
TestNights.settings = settings(max_examples=extent(80, 15), stateful_step_count=40, deadline=None)


def test_what_a_run_at_the_same_moment_owes_is_not_taken_for_new() -> None:
    """A doubled event publishes what the first run could not, though the task has moved on."""
    nights = Nights()
    nights.begin(types=["MIGRATE_FILE"] * len(IDS))
    nights.refuse(call=(SMN, "publish"), how="401")
    nights.connect(connected=False, name="task-a")
    nights.tick_twice()
    nights.pause("task-a")
    nights.tick_twice()
    nights.teardown()
    assert [n["kind"] for n in nights.simulated.wakes[1].notices] == ["disconnected", "paused"]


def test_a_copy_after_a_lost_answer_is_no_second_telling() -> None:
    """A run that could not know is overtaken as it ends: what counts is who published first."""
    nights = Nights()
    nights.begin(types=["MIGRATE_FILE"] * len(IDS))
    nights.tick(2)
    nights.strike(call=(OBS, "append"), done=True, how="lost")
    nights.strike(call=(SMN, "publish"), done=True, how="lost")
    nights.strike(call=(OBS, "append"), done=True, how="overtaken")
    nights.pause("task-a")
    nights.tick(2)
    nights.teardown()
    paused = [message for message in nights.world.inbox if "paused" in message["subject"]]
    assert len(paused) == 2
