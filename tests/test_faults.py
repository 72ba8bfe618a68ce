"""Every fault at every call of a run: what is told, what is started, and that all ends well."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

import pytest
from builders import a_policy, minutes
from clouds import Night, a_night
from runs import SmallWorld

from local.cloud.faults import Fault
from sms_watch.errors import CloudError, JournalConflict, JournalError, WatchFailed
from sms_watch.model import TaskState

LINE_LOST = "SMS.0807"
OPERATIONS = ("show_task", "start_task", "publish", "get_object", "append_object")
HTML = "<html>Bad Gateway</html>"
XML = "<Error><Code>AccessDenied</Code></Error>"
FAULTS: Dict[str, Fault] = {
    "reset before": Fault(drop=True),
    "reset after": Fault(drop=True, before=False),
    "cut body": Fault(200, '{"id": "a", "sta', cut=True),
    "cut body after": Fault(200, '{"mess', cut=True, before=False),
    "301": Fault(301, headers={"Location": "http://127.0.0.1:9/"}),
    "302": Fault(302, headers={"Location": "http://127.0.0.1:9/"}),
    "400": Fault(400, '{"error_code": "SMS.1001", "error_msg": "no"}'),
    "401": Fault(401, '{"error_code": "APIGW.0301", "error_msg": "no"}'),
    "403": Fault(403, XML),
    "404": Fault(404, HTML),
    "404 json": Fault(404, '{"error_code": "APIGW.0101", "error_msg": "no"}'),
    "409": Fault(409, "<Error><Code>PositionNotEqualToLength</Code></Error>"),
    "409 after": Fault(409, "<Error><Code>PositionNotEqualToLength</Code></Error>", before=False),
    "429": Fault(429),
    "429 with Retry-After": Fault(429, headers={"Retry-After": "1"}),
    "500 before": Fault(500),
    "500 after": Fault(500, before=False),
    "503": Fault(503, HTML),
    "HTML with 200": Fault(200, HTML),
    "cut JSON": Fault(200, '{"id": "a", "state": '),
    "a list": Fault(200, "[]"),
    "unknown state": Fault(200, '{"id": "a", "name": "web-01", "state": "INVENTED"}'),
}
# How many calls of the operation go well before the fault strikes: the second append is the ack.
PLACES: List[Tuple[str, int]] = [*((name, 0) for name in OPERATIONS), ("append_object", 1)]


def _strike(night: Night, operation: str, skip: int, fault: Fault) -> None:
    """Let a fault strike the call after ``skip`` others; a read has three tries, so all fail."""
    take, seen = night.faults.take, itertools.count()
    times = 3 if operation in ("show_task", "get_object") else 1

    def spoil(called: str, about: str) -> Optional[Fault]:
        number = next(seen) if called == operation else -1
        return fault if skip <= number < skip + times else take(called, about)

    night.faults.take = spoil  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize(("operation", "skip"), PLACES)
def test_any_single_fault_is_overcome(
    tmp_path: Path, operation: str, skip: int, fault: Fault
) -> None:
    """Told at least once and at most twice, started once, running in the end, nothing owed."""
    with a_night(tmp_path) as night:
        night.keep_journal_on_obs()
        night.tick()
        night.world.settle()
        night.world.fail("a", LINE_LOST, obstacle=False)
        _strike(night, operation, skip, fault)
        _tick_whatever_comes(night)
        for _ in range(5):
            night.end_of_container()
            _tick_whatever_comes(night)
        assert night.world.tasks["a"].state == TaskState.RUNNING
        assert 1 <= len(night.world.starts) <= 2
        told = [subject for subject in night.subjects if "failed" in subject]
        assert 1 <= len(told) <= 2
        assert "running again" in night.subjects[-1]
        before = len(night.world.inbox)
        night.tick()
        assert len(night.world.inbox) == before
        assert night.world.violations == []


def _tick_whatever_comes(night: Night) -> None:
    with contextlib.suppress(WatchFailed):
        night.tick(2)


# Pairs, where each kind of fault stands for all that leave the same behind


class Died(BaseException):
    """The process is gone."""


def _lost(taken: bool) -> Callable[[str], BaseException]:
    def make(name: str) -> BaseException:
        return CloudError(name, status=503, retryable=not taken, outcome_unknown=taken)

    return make


def _conflict(name: str) -> BaseException:
    return JournalConflict("taken") if name == "append" else CloudError(name, status=409)


KINDS: Dict[str, Tuple[bool, Callable[[str], BaseException]]] = {
    "refused": (False, lambda name: CloudError(name, status=403)),
    "not sent": (False, _lost(taken=False)),
    "answer lost": (True, _lost(taken=True)),
    "dies before": (False, lambda name: Died()),
    "dies after": (True, lambda name: Died()),
    "conflict": (False, _conflict),
}
CALLS = range(8)


def _down() -> JournalError:
    return JournalError("OBS is down")


class Striker:
    """Strikes one call of one run with one kind of fault."""

    def __init__(self, call: int, kind: str) -> None:
        self._call, (self._after, self._make) = call, KINDS[kind]
        self._number = -1

    def __call__(self, name: str, done: bool) -> None:
        """Count the calls, and strike."""
        self._number += not done
        if self._number == self._call and done is self._after:
            error = self._make(name)
            if name in ("get", "append") and isinstance(error, CloudError):
                error = _down()
            raise error


def _run(world: SmallWorld, striker: Optional[Striker]) -> None:
    with contextlib.suppress(Died, JournalError):
        world.run(striker)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS)
def test_any_two_faults_are_overcome(call: int, kind: str) -> None:
    """Two runs in a row, each struck at any call by any kind: nothing untold, no start too soon."""
    for second, other in itertools.product(CALLS, KINDS):
        world = SmallWorld("a", "b")
        for striker in (Striker(call, kind), Striker(second, other)):
            _run(world, striker)
            world.now += minutes(2)
        for _ in range(4):
            _run(world, None)
            world.now += minutes(2)
        failed = [event for event in world.copies if not event.endswith("-end")]
        assert len(failed) >= 2, (second, other)
        assert max(world.copies.values()) <= 3, (second, other, world.copies)
        assert not world.memory().outbox, (second, other)
        for name in world.task_ids:
            times = [moment for task_id, moment in world.starts if task_id == name]
            waits = [later - earlier for earlier, later in zip(times, times[1:])]
            assert times, (second, other)
            assert all(wait >= a_policy().backoff for wait in waits), (second, other)
