"""Keys that are refused: how few calls are made with them."""

from __future__ import annotations

import contextlib
import threading
from types import SimpleNamespace
from typing import Any, Callable, List

from sms_watch.adapters.answers import Answer
from sms_watch.adapters.sdk import Caller
from sms_watch.adapters.sms import SmsService
from sms_watch.errors import CloudError
from sms_watch.model.notice import Outcome, Reason
from tests.support.runs import (
    World,
    refused,
)


def test_refused_keys_are_not_hammered() -> None:
    """After HTTP 401 nothing more is asked in that run: the service would lock the key."""
    world = World("a", "b", "c")
    world.service.fail_read("a", CloudError("read the task", status=401, code="APIGW.0301"))
    result = world.run()
    assert world.service.reads == ["a"]
    assert "APIGW.0301" in result.failure


class _RefusingConnection:
    """Answers every call with 401, but none before all that are under way have come."""

    host = "sms"

    def __init__(self) -> None:
        self.client = self
        self.sent: List[str] = []
        self._more_than_four = threading.Barrier(5)

    def show_task_invoker(self, request: Any) -> Any:
        return SimpleNamespace(invoke=lambda: self.sent.append(request.task_id))

    def call(self, send: Callable[[], Any]) -> Answer:
        send()
        with contextlib.suppress(threading.BrokenBarrierError):
            self._more_than_four.wait(timeout=0.2)
        return Answer(401, {"error_code": "APIGW.0301"})


def _refuse_all(world: World) -> Callable[[], int]:
    """Let SMS refuse the keys from now on; return what counts the calls since the last count."""
    connection = _RefusingConnection()
    world.migration = lambda: SmsService(Caller(connection, world.deadline, lambda seconds: None))

    def count() -> int:
        number = len(connection.sent)
        connection.sent.clear()
        return number

    return count


def test_keys_that_worked_are_refused_four_times_and_then_once_a_run() -> None:
    """More than five refusals in a row lock a key: the run that finds out sends four reads."""
    world = World(*"abcdefgh")
    world.run()
    count = _refuse_all(world)
    reads = [(world.run(after=1), count())[1] for _ in range(3)]
    assert reads == [4, 1, 1]


def test_a_dry_run_tries_refused_keys_once() -> None:
    """It leaves no trace from which the next one could know, as a look every minute does not."""
    world = World(*"abcdefgh")
    world.run()
    count = _refuse_all(world)
    assert [(world.run(after=1, dry_run=True), count())[1] for _ in range(2)] == [1, 1]


def test_what_was_not_asked_for_refused_keys_is_said_to_be_so() -> None:
    """The first task has the service's answer, the others wait for their turn."""
    world = World("a", "b")
    _refuse_all(world)
    result = world.run()
    first, second = result.decisions
    assert (first.verdict.reason, second.verdict.reason) == (Reason.UNREADABLE, Reason.NOT_REACHED)
    assert second.detail == "the keys were refused, so it was not asked for"
    assert "correct HUAWEICLOUD_SDK_AK" in result.failure


def test_keys_refused_at_a_start_end_the_starts_of_the_run() -> None:
    """After HTTP 401 on a start the others are skipped, and no attempt of theirs is spent."""
    world = World("a", "b")
    world.service.fail_start("a", refused(401, "APIGW.0301"))
    result = world.run()
    assert result.outcomes == {"a": Outcome.REFUSED, "b": Outcome.SKIPPED}
    assert world.memory.tasks["b"].starts.attempts == 0
    assert world.memory.tasks["b"].starts.last_at is None
