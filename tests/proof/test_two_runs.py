"""Two runs at once in every order of their calls, and runs that die after any call."""

from __future__ import annotations

import itertools
import queue
import random
import threading
from datetime import datetime, timedelta
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple

import pytest

from tests.support.builders import DISK_FULL, NOW, a_policy, minutes
from tests.support.extent import WHOLE, sample
from tests.support.small_world import SmallWorld

ORDERS = 60  # of each scene, in a sample
MIDNIGHT = NOW.replace(hour=0, minute=0) + timedelta(days=1)


# Every order of the calls of two runs


class Interleaving:
    """Runs several functions in threads, one call at a time, in an order that is given.

    ``choices`` says at each point who goes on; beyond its end the first one does. ``options``
    holds, afterwards, how many could have gone on at each point.
    """

    def __init__(self, choices: Sequence[int]) -> None:
        self._choices = choices
        self.options: List[int] = []
        self.taken: List[int] = []
        self._arrived: queue.Queue[Tuple[int, Optional[BaseException], bool]] = queue.Queue()

    def run(self, functions: Sequence[Callable[[Callable[[str, bool], None]], Any]]) -> None:
        """Run the functions to their ends. Raises what any of them raised."""
        gates = [threading.Semaphore(0) for _ in functions]
        threads = [
            threading.Thread(target=self._live, args=(index, function, gates[index]))
            for index, function in enumerate(functions)
        ]
        for thread in threads:
            thread.start()
        waiting = sorted(self._wait() for _ in functions)
        while waiting:
            chosen = waiting[self._choose(len(waiting))]
            gates[chosen].release()
            index, error, ended = self._arrived.get(timeout=30)
            assert index == chosen
            if error is not None:
                raise error
            if ended:
                waiting.remove(index)
        for thread in threads:
            thread.join()

    def _wait(self) -> int:
        index, _, _ = self._arrived.get(timeout=30)
        return index

    def _choose(self, options: int) -> int:
        place = len(self.taken)
        choice = self._choices[place] % options if place < len(self._choices) else 0
        self.options.append(options)
        self.taken.append(choice)
        return choice

    def _live(self, index: int, function: Any, gate: threading.Semaphore) -> None:
        def watch(name: str, done: bool) -> None:
            if not done:
                self._arrived.put((index, None, False))
                gate.acquire()

        error: Optional[BaseException] = None
        try:
            watch("begin", False)
            function(watch)
        except BaseException as raised:
            error = raised
        self._arrived.put((index, error, True))


def _every_order(make: Callable[[], Tuple[Any, Sequence[Any]]]) -> Iterator[Any]:
    """Play a scene once for every order of its calls, and return what each leaves."""
    choices: List[int] = []
    while True:
        scene, functions = make()
        played = Interleaving(choices)
        played.run(functions)
        yield scene
        choices = played.taken
        while choices and choices[-1] + 1 >= played.options[len(choices) - 1]:
            choices = choices[:-1]
        if not choices:
            return
        choices = [*choices[:-1], choices[-1] + 1]


def _some_orders(make: Callable[[], Tuple[Any, Sequence[Any]]]) -> Iterator[Any]:
    """Play a scene in some orders, drawn at each place where they part."""
    dice = random.Random(7)  # noqa: S311 - the same orders every time, no secret
    for _ in range(ORDERS):
        scene, functions = make()
        Interleaving([dice.randrange(6) for _ in range(100)]).run(functions)
        yield scene


_orders = _every_order if WHOLE else _some_orders


def _two_runs(world: SmallWorld, one: datetime, other: datetime) -> Sequence[Any]:
    return [lambda watch: world.run(watch, one), lambda watch: world.run(watch, other)]


def _first_sight() -> Tuple[SmallWorld, Sequence[Any]]:
    world = SmallWorld("a")
    return world, _two_runs(world, NOW, NOW)


def _known_task() -> Tuple[SmallWorld, Sequence[Any]]:
    world = SmallWorld("a")
    world.service.change("a", state="RUNNING", code="")
    world.run()
    world.service.change("a", state="MIGRATE_FAIL", code="SMS.0807")
    return world, _two_runs(world, NOW + minutes(1), NOW + minutes(1))


def _across_midnight() -> Tuple[SmallWorld, Sequence[Any]]:
    world = SmallWorld("a", now=MIDNIGHT - minutes(10))
    world.service.change("a", state="RUNNING", code="")
    world.run()
    world.service.change("a", state="MIGRATE_FAIL", code="SMS.0807")
    return world, _two_runs(world, MIDNIGHT - minutes(0.5), MIDNIGHT + minutes(0.5))


def _both_after_midnight() -> Tuple[SmallWorld, Sequence[Any]]:
    world = SmallWorld("a", now=MIDNIGHT - minutes(10))
    world.service.change("a", state="RUNNING", code="")
    world.run()
    world.service.change("a", state="MIGRATE_FAIL", code="SMS.0807")
    return world, _two_runs(world, MIDNIGHT + minutes(0.5), MIDNIGHT + minutes(0.5))


def _first_ever_across_midnight() -> Tuple[SmallWorld, Sequence[Any]]:
    world = SmallWorld("a", now=MIDNIGHT - minutes(10))
    return world, _two_runs(world, MIDNIGHT - minutes(0.5), MIDNIGHT + minutes(0.5))


def _clocks_apart() -> Tuple[SmallWorld, Sequence[Any]]:
    world = SmallWorld("a")
    world.store.moment = NOW
    world.service.change("a", state="RUNNING", code="")
    world.run()
    world.service.change("a", state="MIGRATE_FAIL", code="SMS.0807")
    world.store.moment = NOW + minutes(1)
    return world, _two_runs(world, NOW + minutes(1), NOW + minutes(3.5))


def _closed_object() -> Tuple[SmallWorld, Sequence[Any]]:
    world, two = _known_task()
    world.store.closed = set(world.store.objects)
    world.store.shows_it = False
    return world, two


def _hopeless() -> Tuple[SmallWorld, Sequence[Any]]:
    world = SmallWorld("a")
    world.service.change("a", code=DISK_FULL)
    return world, _two_runs(world, NOW, NOW)


@pytest.mark.parametrize(
    ("scene", "starts", "notices"),
    [
        (_first_sight, 1, 1),
        (_known_task, 1, 1),
        (_across_midnight, 1, 1),
        (_both_after_midnight, 1, 1),
        (_first_ever_across_midnight, 1, 1),
        (_clocks_apart, 1, 1),
        (_closed_object, 1, 1),
        (_hopeless, 0, 2),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).strip("_"),
)
def test_two_runs_at_once_do_the_work_of_one(
    scene: Callable[[], Tuple[SmallWorld, Sequence[Any]]], starts: int, notices: int
) -> None:
    """In every order of their calls: one start for a failure, one message for a change."""
    orders = 0
    for world in _orders(scene):
        orders += 1
        assert len(world.starts) == starts
        assert world.copies == dict.fromkeys(world.copies, 1)
        assert len(world.copies) == notices
        world.store.shows_it = True
        assert not world.memory(MIDNIGHT + minutes(1)).outbox
    assert orders > 20


def test_three_runs_at_once_do_the_work_of_one() -> None:
    """A retry and a manual test beside the timer change nothing."""

    def scene() -> Tuple[SmallWorld, Sequence[Any]]:
        world, two = _hopeless()
        return world, [*two, lambda watch: world.run(watch, NOW)]

    orders = 0
    for world in itertools.islice(_orders(scene), 1500):
        orders += 1
        assert world.copies == dict.fromkeys(world.copies, 1)
        assert len(world.copies) == 2
    assert orders > (500 if WHOLE else 20)


def test_every_order_is_played() -> None:
    """Two functions of two calls each have ten orders with their beginnings, and all are seen."""

    def scene() -> Tuple[List[str], Sequence[Any]]:
        seen: List[str] = []

        def calls(name: str) -> Any:
            def function(watch: Any) -> None:
                for number in range(2):
                    watch("call", False)
                    seen.append(f"{name}{number}")

            return function

        return seen, [calls("a"), calls("b")]

    orders = {tuple(seen) for seen in _every_order(scene)}
    expected = {
        order
        for order in itertools.permutations(["a0", "a1", "b0", "b1"])
        if order.index("a0") < order.index("a1") and order.index("b0") < order.index("b1")
    }
    assert orders == expected


# Runs that die


class Killed(BaseException):
    """The process is gone."""


class Killer:
    """Kills a run at its ``number``-th call, before or after the effect."""

    def __init__(self, number: int, after: bool) -> None:
        self._number, self._after = number, after
        self._calls = itertools.count()
        self.name = ""

    def __call__(self, name: str, done: bool) -> None:
        if not done:
            self._current = next(self._calls)
        if self._current == self._number and done is self._after:
            self.name = name
            raise Killed


def _try(world: SmallWorld, killer: Optional[Killer]) -> bool:
    """Do a run; say whether it was killed."""
    try:
        world.run(killer)
    except Killed:
        return True
    return False


def _calls_of_a_run() -> int:
    calls: List[str] = []
    SmallWorld("a", "b").run(lambda name, done: None if done else calls.append(name))
    return len(calls)


KILLS = [(number, after) for number in range(_calls_of_a_run()) for after in (False, True)]


def _aftermath(world: SmallWorld, killers: Sequence[Killer]) -> None:
    """Let the runs die, then let runs go on undisturbed, and see that all is well."""
    between = 0
    for killer in killers:
        killed = _try(world, killer)
        published = killer.name == "publish" and killer._after
        between += killed and (published or killer.name == "append")
        world.now += minutes(1)
    for _ in range(8):
        world.run()
        world.now += minutes(1)
    kinds = {event_id: world.copies[event_id] for event_id in world.copies}
    told = [notice for message in world.publisher.messages for notice in message.event_ids]
    assert len(kinds) == 2, told
    assert all(number <= 1 + between for number in kinds.values()), told
    assert not world.memory().outbox
    _assert_policy(world)


def _assert_policy(world: SmallWorld) -> None:
    """No start goes uncounted, and none comes before its wait is over."""
    for name in world.task_ids:
        times = [moment for task_id, moment in world.starts if task_id == name]
        assert 1 <= len(times) <= world.memory().tasks[name].starts.attempts
        waits = [later - earlier for earlier, later in zip(times, times[1:])]
        assert all(wait >= a_policy().backoff for wait in waits), times


@pytest.mark.parametrize(("number", "after"), KILLS)
def test_a_run_may_die_at_any_call(number: int, after: bool) -> None:
    """Nothing stays untold, no start goes uncounted, and copies need a lost acknowledgement."""
    _aftermath(SmallWorld("a", "b"), [Killer(number, after)])


@pytest.mark.parametrize(("number", "after"), KILLS)
def test_two_runs_in_a_row_may_die_at_any_call(number: int, after: bool) -> None:
    """The same when the run that takes over dies as well, at any of its calls."""
    for again, again_after in sample(KILLS, 5):
        _aftermath(SmallWorld("a", "b"), [Killer(number, after), Killer(again, again_after)])


def test_a_run_that_is_killed_is_really_killed() -> None:
    """The killer strikes, at the call that it is told."""
    world, killer = SmallWorld("a"), Killer(0, after=False)
    assert _try(world, killer)
    assert killer.name == "get"
    assert world.store.objects == {}
