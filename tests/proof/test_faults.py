"""Every fault at every call of a run: what is told, what is started, and that all ends well."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

import pytest

from simulated_cloud.context import LocalContext
from simulated_cloud.task import FAILED
from sms_watch import observe
from sms_watch.adapters import sdk
from sms_watch.errors import CloudError, JournalConflict, JournalError, WatchFailed
from sms_watch.model.task import TaskState
from tests.support.builders import a_policy, minutes
from tests.support.canaries import leaked
from tests.support.clouds import KINDS_OF_KEYS, OWN, TEMPORARY, Night, a_night
from tests.support.extent import extent, sample
from tests.support.network_faults import PATIENCE, SKEW, TRIES, TROUBLES, Died, Wire
from tests.support.small_world import SmallWorld

LINE_LOST = "SMS.0807"
# An operation, how many of its calls go well before, and a trouble.
Single = Tuple[str, int, str]
# How many calls of the operation go well before the trouble: the second append is the ack, the
# second read of the task is that of the next run, which sees what its start came to.
PLACES: List[Tuple[str, int]] = [
    ("get_object", 0),
    ("show_task", 0),
    ("append_object", 0),
    ("start_task", 0),
    ("show_task", 1),
    ("publish", 0),
    ("append_object", 1),
]

SINGLES = [(*place, trouble) for place in PLACES for trouble in TROUBLES]
# Those of the first run, which makes the bucket.
PLACES_OF_FIRST = [
    ("get_object", 0),
    ("append_object", 0),
    ("create_bucket", 0),
    ("append_object", 1),
]
FIRST = [(*place, trouble) for place in PLACES_OF_FIRST for trouble in TROUBLES]
LISTED = list(itertools.product(["*", "a"], ["list_tasks", "list_servers"], TROUBLES))


@pytest.fixture
def night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Night]:
    """Return a night over one task, with its journal on OBS, and a kind of keys for each test."""
    monkeypatch.setattr(sdk, "LONGEST_CALL", PATIENCE)
    dice = random.Random(request.node.name)  # noqa: S311 - the same kind every time, no secret
    with a_night(tmp_path) as made:
        made.keep_journal_on_obs()
        made.give_keys(dice.choice(sorted(KINDS_OF_KEYS)))
        yield made


@pytest.mark.parametrize(("operation", "skip", "trouble"), sample(SINGLES, 5))
def test_any_single_trouble_is_overcome(
    night: Night,
    wire: Wire,
    capfd: pytest.CaptureFixture[str],
    operation: str,
    skip: int,
    trouble: str,
) -> None:
    """Told at least once and at most twice, started, running in the end, and no key got out."""
    night.tick()
    _break_down(night)
    wire.strike(operation, skip, trouble)
    ends = [_tick(night) for _ in range(6)]
    assert wire.pending < TRIES, "the trouble struck nothing"
    _check_all_is_well(night)
    # Three runs that are shown how it was before send one more, which the service refuses.
    assert len(night.world.starts) <= (3 if trouble == "stale" else 2)
    assert sum(start.accepted for start in night.world.starts) <= 2
    _check_no_key(night, *ends, *capfd.readouterr())


def _break_down(night: Night) -> None:
    night.world.advance()
    night.world.fail("a", LINE_LOST, obstacle=False)


def _tick(night: Night) -> str:
    """Let a new container run; give how it ended."""
    night.end_of_container()
    try:
        return json.dumps(night.tick(2))
    except (WatchFailed, Died) as end:
        return "".join(traceback.format_exception(type(end), end, end.__traceback__))


def _check_all_is_well(night: Night, most: int = 2) -> None:
    assert night.world.tasks["a"].state == TaskState.RUNNING
    assert night.world.starts
    failed = [notice["event_id"] for notice in night.told if notice["kind"] == "failed"]
    assert failed
    assert all(failed.count(each) <= most for each in failed)
    assert [each["kind"] for each in night.told if each["task_id"]][-1] == "resumed"
    before = len(night.world.inbox)
    night.tick()
    assert len(night.world.inbox) == before
    assert night.world.violations == []


def _check_no_key(night: Night, *texts: str) -> None:
    """No part of a key is in a log, a report, an error, a message or the journal."""
    objects = night.storage.buckets[OWN].objects.values()
    stored = [each.data.decode() for each in objects]
    sent = [json.dumps(message, default=str) for message in night.world.inbox]
    assert stored
    assert sent
    for text in (*texts, *stored, *sent):
        assert not leaked(text)


@pytest.mark.parametrize(("operation", "skip", "trouble"), sample(FIRST, 5))
def test_a_first_run_overcomes_any_trouble(
    night: Night, wire: Wire, operation: str, skip: int, trouble: str
) -> None:
    """The run that makes the bucket can be struck like any other."""
    _break_down(night)
    wire.strike(operation, skip, trouble)
    ends = [_tick(night) for _ in range(6)]
    assert wire.pending < TRIES, "the trouble struck nothing"
    _check_all_is_well(night)
    _check_no_key(night, *ends)


@pytest.mark.parametrize(("ids", "operation", "trouble"), sample(LISTED, 7))
def test_a_list_that_is_struck_loses_and_starts_nothing_amiss(
    night: Night,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    trouble: str,
    ids: str,
) -> None:
    """Watched by list, a task is started and told all the same, and none is called gone."""
    monkeypatch.setattr(observe, "MANY", 0)
    night.texts["SMS_TASK_IDS"] = ids
    night.tick()
    _break_down(night)
    wire.strike(operation, 0, trouble)
    ends = [_tick(night) for _ in range(6)]
    assert wire.pending < TRIES, "the trouble struck nothing"
    _check_all_is_well(night)
    kinds = {notice["kind"] for notice in night.told}
    assert kinds <= {"failed", "resumed", "unknown_state", "blind", "sighted"}
    _check_no_key(night, *ends)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_off_is_told_and_harms_nothing(night: Night, hours: int) -> None:
    """Nothing is started or told while signatures are refused; the failed runs say why."""
    night.tick()
    _break_down(night)
    night.server.cloud.skew = hours * SKEW
    ends = [_tick(night) for _ in range(3)]
    assert all("the clock of this machine is 16 min" in end for end in ends)
    assert night.world.starts == []
    night.server.cloud.skew = timedelta(0)
    for _ in range(3):
        _tick(night)
    _check_all_is_well(night)


def _raise(*_: str) -> str:
    raise RuntimeError(f"{TEMPORARY.secret}: no keys today")


@pytest.mark.parametrize(
    "answer",
    [
        lambda *_: "",
        lambda *_: None,
        lambda *_: 7,
        lambda *_: "EXPIREDEXPIREDEXPIRED",
        _raise,
    ],
    ids=["empty", "none", "a number", "expired", "fails"],
)
@pytest.mark.parametrize("part", ["AccessKey", "SecretKey", "Token"])
def test_an_agency_that_gives_no_good_keys_is_told_and_harms_nothing(
    night: Night, part: str, answer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without good keys nothing is done, and the failed run says what it needs."""
    night.give_keys("an agency")
    night.tick()
    _break_down(night)
    with monkeypatch.context() as spoilt:
        spoilt.setattr(LocalContext, f"getSecurity{part}", answer)
        end = _tick(night)
    assert "WatchFailed" in end
    assert "agency" in end
    assert night.world.starts == []
    for _ in range(3):
        _tick(night)
    _check_all_is_well(night)
    _check_no_key(night, end)


# Pairs on the wire: a sample of all of them, a larger one in a soak

PAIRS = round(float(os.environ.get("SOAK_HOURS", extent(20_000, 4_000))) / 200)
DICE = random.Random(4)  # noqa: S311 - the same pairs every time, no secret


@pytest.mark.parametrize(
    ("first", "second", "later"),
    [(DICE.choice(SINGLES), DICE.choice(SINGLES), DICE.randrange(3)) for _ in range(PAIRS)],
    ids=str,
)
def test_two_troubles_in_one_outage_are_overcome(
    night: Night, wire: Wire, first: Single, second: Single, later: int
) -> None:
    """Both strike while the line is down; no start comes too soon, and all is told in the end."""
    night.tick()
    night.world.line_down("a")
    wire.strike(*first)
    ends = [_tick(night) for _ in range(later)]
    wire.strike(*second)
    ends += [_tick(night) for _ in range(5 - later)]
    # Troubles of three runs each would let an outage pass that no run has seen.
    while not night.world.starts and len(ends) < 9:
        ends.append(_tick(night))
    night.world.line_up("a")
    ends += [_tick(night) for _ in range(9)]
    _check_all_is_well(night, most=3)
    times = [start.at for start in night.world.starts]
    assert all(after - before >= minutes(2) for before, after in zip(times, times[1:]))
    assert all(start.state in FAILED for start in night.world.starts)
    _check_no_key(night, *ends)


# All pairs, where each kind of fault stands for all that look the same to a run


def _lost(name: str) -> BaseException:
    if name in OF_THE_JOURNAL:
        return JournalError("OBS is down")
    return CloudError(name, status=503, retryable=name == "read", outcome_unknown=True)


def _unsent(name: str) -> BaseException:
    if name in OF_THE_JOURNAL:
        return JournalError("OBS is out of reach")
    return CloudError(name, code="unreachable", retryable=True)


def _refused(status: int) -> Callable[[str], BaseException]:
    def make(name: str) -> BaseException:
        if name == "append" and status == 409:
            return JournalConflict("taken")
        if name in OF_THE_JOURNAL:
            return JournalError(f"OBS answers {status}")
        return CloudError(name, status=status)

    return make


def _dies(name: str) -> BaseException:
    return Died()


OF_THE_JOURNAL = ("get", "append")
# Whether the call has its effect, and what the run gets to see.
KINDS: Dict[str, Tuple[bool, Callable[[str], BaseException]]] = {
    "refused": (False, _refused(403)),
    "keys refused": (False, _refused(401)),
    "conflict": (False, _refused(409)),
    "not sent": (False, _unsent),
    "question lost": (False, _lost),
    "answer lost": (True, _lost),
    "dies before": (False, _dies),
    "dies after": (True, _dies),
}
CALLS = range(8)
Strike = Tuple[int, str]


class Striker:
    """Strikes some calls of one run, each with one kind of fault."""

    def __init__(self, *strikes: Strike) -> None:
        self._strikes = dict(strikes)
        self._number = -1

    def __call__(self, name: str, done: bool) -> None:
        """Count the calls, and strike."""
        self._number += not done
        after, make = KINDS.get(self._strikes.get(self._number, ""), (None, _dies))
        if done is after:
            raise make(name)


def _run(world: SmallWorld, *strikes: Strike) -> None:
    with contextlib.suppress(Died, JournalError):
        world.run(Striker(*strikes))
    world.now += minutes(2)


def _pairs(first: Strike) -> Iterator[Tuple[Sequence[Strike], Sequence[Strike]]]:
    """Return what strikes one run, and what strikes the next, with one other fault in either."""
    for second in itertools.product(CALLS, KINDS):
        yield [first], [second]
        if second[0] > first[0]:
            yield [first, second], []


@pytest.mark.parametrize(("call", "kind"), sample(list(itertools.product(CALLS, KINDS)), 7))
def test_any_two_faults_are_overcome(call: int, kind: str) -> None:
    """In one run or in two in a row: nothing untold, no copy too many, no start too soon."""
    for pair in _pairs((call, kind)):
        world = SmallWorld("a", "b")
        for strikes in pair:
            _run(world, *strikes)
        for _ in range(4):
            _run(world)
        failed = [event for event in world.copies if not event.endswith("-end")]
        assert len(failed) >= 2, pair
        assert max(world.copies.values()) <= 3, (pair, world.copies)
        assert not world.memory().outbox, pair
        for name in world.task_ids:
            times = [moment for task_id, moment in world.starts if task_id == name]
            waits = [later - earlier for earlier, later in zip(times, times[1:])]
            assert times, pair
            assert all(wait >= a_policy().backoff for wait in waits), pair
