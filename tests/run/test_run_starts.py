"""The starts of a run: what they came to, and a second look before those that come late."""

from __future__ import annotations

from typing import Any, Callable, Dict

import pytest

from sms_watch.errors import CloudError
from sms_watch.journal.entries import Entry, EntryType
from sms_watch.model.notice import Kind, Outcome
from sms_watch.model.task import Task
from tests.support.runs import (
    World,
    kinds,
    refused,
    unanswered,
    unreachable,
)

FULL = "SMS.1315"


@pytest.mark.parametrize(
    ("error", "outcome", "attempts"),
    [
        (unanswered(), Outcome.UNKNOWN, 1),
        (refused(), Outcome.REFUSED, 0),
        (unreachable("start the task"), Outcome.FAILED, 0),
        (CloudError("start the task", code="certificate"), Outcome.FAILED, 0),
    ],
    ids=["no answer: it may have been taken", "refused", "never sent", "not trusted"],
)
def test_what_a_start_came_to_is_remembered(
    error: CloudError, outcome: Outcome, attempts: int
) -> None:
    """A start that may have been taken spends an attempt; a refused or unsent one does not."""
    world = World("a")
    world.service.stuck = {"a"}
    world.service.fail_start("a", error)
    assert world.run().outcomes == {"a": outcome}
    record = world.memory.tasks["a"]
    assert (record.starts.attempts, record.starts.tries, record.starts.outcome) == (
        attempts,
        1,
        outcome,
    )


def test_an_unanswered_start_is_not_sent_again_in_the_same_run() -> None:
    """An unknown outcome is left to the next read."""
    world = World("a")
    world.service.fail_start("a", unanswered())
    world.run()
    assert world.service.starts == ["a"]
    assert kinds(world.run(after=1)) == [Kind.RESUMED]
    assert world.service.starts == ["a"]


def test_the_backoff_holds_after_a_refusal() -> None:
    """A refused start is not sent again before the first wait is over."""
    world = World("a")
    world.service.fail_start("a", refused(400, "SMS.7713"))
    world.run()
    world.run(after=1)
    assert world.service.starts == ["a"]
    world.run(after=1)
    assert world.service.starts == ["a", "a"]


# What is read as failed, and started some time later


def _slow_to_plan(world: World, meanwhile: Callable[[], Any] = lambda: None) -> None:
    """Let the plan be written six seconds after the reading; ``meanwhile`` something happens."""

    def write(entry: Entry) -> None:
        if entry.type is EntryType.PLAN:
            world.deadline.spend(6)
            meanwhile()

    world.journal.before_append = write


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "ABORT", "code": ""}, "it is now ABORT"),
        ({"state": "RUNNING", "code": ""}, "it is now RUNNING"),
        ({"code": FULL}, f"it is now MIGRATE_FAIL {FULL}"),
    ],
    ids=["paused", "running", "another error"],
)
def test_what_was_read_a_while_ago_is_looked_at_again(changes: Dict[str, str], said: str) -> None:
    """A person may have paused it: then nothing is sent, no attempt is spent, and it is said."""
    world = World("a")
    _slow_to_plan(world, lambda: world.service.change("a", **changes))
    result = world.run()
    assert (world.service.reads, world.service.starts) == (["a", "a"], [])
    assert (result.outcomes, result.details) == ({"a": Outcome.SKIPPED}, {"a": said})
    assert said in world.publisher.messages[0].email
    assert world.memory.tasks["a"].starts.attempts == 0


def test_what_cannot_be_looked_at_again_is_not_started() -> None:
    """Nobody knows whether it is still failed; the next run does."""
    world = World("a")
    _slow_to_plan(world, lambda: world.service.fail_read("a", unreachable()))
    assert world.run().outcomes == {"a": Outcome.SKIPPED}
    world.journal.before_append = lambda entry: None
    assert world.run(after=1).outcomes == {"a": Outcome.DONE}


def test_what_is_still_failed_at_a_second_look_is_started() -> None:
    """However long reading took, as long as the time for starts is not over."""
    world = World("a", "b")
    _slow_to_plan(world)
    assert world.run().outcomes == {"a": Outcome.DONE, "b": Outcome.DONE}
    assert world.service.reads == ["a", "b", "a", "b"]


def test_only_starts_that_come_late_need_a_second_look() -> None:
    """Of a row of slow starts the first go out by the reading that they were decided on."""
    world = World("a", "b", "c", "d")
    world.service.before_start = lambda task_id: world.deadline.spend(3)
    world.run()
    assert world.service.starts == ["a", "b", "c", "d"]
    assert world.service.reads == ["a", "b", "c", "d", "c", "d"]


def test_a_second_look_that_takes_the_time_of_the_start_sends_nothing() -> None:
    """A start that begins too late would be given up without its answer."""
    world = World("a")
    _slow_to_plan(world)

    def read_again(task_id: str) -> Task:
        world.deadline.spend(37)
        return world.service.tasks[task_id]

    world.service.read_again = read_again  # type: ignore[method-assign] # it takes its time
    result = world.run()
    assert (world.service.starts, result.details) == ([], {"a": "no time was left"})
