"""One run against fakes: the order of its steps, and what it tells."""

from __future__ import annotations

from datetime import timedelta
from typing import List

import pytest

from sms_watch.errors import CloudError
from sms_watch.journal.entries import Delivery
from sms_watch.model.notice import Kind, Message, Outcome
from sms_watch.rules.draft import Commands
from sms_watch.rules.record import Lease, Memory
from tests.support.builders import NOW, a_policy
from tests.support.runs import (
    LOST,
    World,
    die_at,
    kinds,
    unanswered,
    unreachable,
)

FULL = "SMS.1315"


def test_a_failed_task_is_started_in_the_run_that_sees_it() -> None:
    """A task that failed on a lost line is started at once; the next run says that it runs."""
    world = World("a")
    result = world.run()
    assert world.service.starts == ["a"]
    assert result.outcomes == {"a": Outcome.DONE}
    assert kinds(result) == [Kind.FAILED]
    assert result.published == "message-1"
    assert not result.failure
    assert kinds(world.run(after=1)) == [Kind.RESUMED]
    assert world.service.reads == ["a", "a"]


def test_the_plan_is_written_before_anything_is_done() -> None:
    """An attempt, its notice and the lease stand in the journal when the start is sent."""
    world = World("a")
    seen: List[Memory] = []
    world.service.before_start = lambda task_id: seen.append(world.memory)
    world.run()
    assert seen[0].tasks["a"].starts.attempts == 1
    assert [notice.kind for notice in seen[0].outbox.values()] == [Kind.FAILED]
    assert seen[0].lease == Lease(NOW + timedelta(seconds=80), "run-1")


def test_the_acknowledgement_comes_last_and_clears_what_was_owed() -> None:
    """After a run nothing is owed, and no lease is held."""
    world = World("a")
    world.run()
    assert world.journal.types() == ["plan", "ack"]
    assert not world.memory.outbox
    assert world.memory.lease is None


def test_a_quiet_run_writes_and_sends_nothing() -> None:
    """Without a change there is no write and no message."""
    world = World("a")
    world.run()
    world.run(after=1)
    before = len(world.journal.entries)
    result = world.run(after=1)
    assert len(world.journal.entries) == before
    assert len(world.publisher.messages) == 2
    assert result.notices == ()


def test_a_start_that_is_only_accepted_is_told_as_such_and_resumed_later() -> None:
    """An accepted start is a request: the task counts as recovered when it is read as running."""
    world = World("a")
    world.service.stuck = {"a"}
    assert world.run().outcomes == {"a": Outcome.DONE}
    assert "accepted" in world.publisher.messages[0].email
    world.service.change("a", state="RUNNING", code="")
    assert kinds(world.run(after=1)) == [Kind.RESUMED]


def test_a_start_that_helps_is_told_by_the_run_that_reads_the_task_as_running() -> None:
    """Not by the one that sends it, which knows only that the service took it."""
    world = World("a")
    world.service.stuck = {"a"}
    world.run()
    world.service.stuck = set()
    helped = world.run(after=2)
    assert helped.outcomes == {"a": Outcome.DONE}
    assert kinds(helped) == []
    assert kinds(world.run(after=1)) == [Kind.RESUMED]


def test_people_never_hear_that_a_task_runs_while_nobody_remembers_it() -> None:
    """A run that dies after its message, and a task that fails again: the last word is failed."""
    world = World("a")
    world.run()
    world.journal.before_append = die_at("ack")
    with pytest.raises(KeyboardInterrupt):
        world.run(after=1)
    world.journal.before_append = lambda entry: None
    failed, resumed = world.told
    assert resumed == f"{failed}-end"
    world.service.change("a", state="MIGRATE_FAIL", code=LOST)
    world.run(after=2)
    assert world.told[2:] == [resumed, "20261124-3-0-failed"]
    assert world.publisher.messages[-1].subject.startswith("sms_watch warning: web-01 failed")


def test_all_notices_of_a_run_are_one_message() -> None:
    """An outage that takes fifty tasks is one message."""
    world = World(*(f"task-{number}" for number in range(50)))
    world.run(policy=a_policy(max_per_run=50))
    assert len(world.publisher.messages) == 1
    assert len(world.told) == 50


def test_a_message_that_could_not_be_published_goes_out_with_the_next_run() -> None:
    """What is owed is sent by a later run, under the same ids, and the run counts as failed."""
    world = World("a")
    world.service.stuck = {"a"}
    world.publisher.errors.append(CloudError("publish", status=500, code="SMN.0016"))
    first = world.run()
    owed = set(world.memory.outbox)
    assert "the next run will send the message" in first.failure
    assert first.published is None
    assert not world.told
    second = world.run(after=1)
    assert set(world.told) == owed
    assert second.published == "message-1"
    assert not second.failure
    assert not world.memory.outbox


def test_a_copy_after_a_lost_answer_carries_the_same_ids() -> None:
    """When the answer to a publish is lost, the second copy has the event ids of the first."""
    world = World("a")
    world.service.stuck = {"a"}
    world.publisher.errors.append(unanswered("publish"))
    assert world.run().failure
    world.run(after=1)
    first, second = world.publisher.messages
    assert first.event_ids == second.event_ids


def test_a_name_that_smn_does_not_take_keeps_no_news_back() -> None:
    """All is told in the same run, which fails; the next one has nothing to tell, and does not."""
    world = World("a", "b")
    world.service.stuck = {"a", "b"}
    world.service.change("a", name="unspeakable")
    world.publisher.refuses = lambda message: "unspeakable" in message.email
    first = world.run()
    assert "SMN refused a message" in first.failure
    assert first.published == "message-1"
    assert [notice.event_id for notice in first.notices] == world.told
    assert not world.memory.outbox
    second = world.run(after=1)
    assert (second.failure, second.notices) == ("", ())


def test_the_acknowledgement_lists_exactly_what_several_messages_have_told() -> None:
    """One line holds them all, with the id of the last message; what is refused stays owed."""
    world = World("a", "b", "c")
    world.service.stuck = {"a", "b", "c"}
    refused = "20261124-0-1-failed"
    world.publisher.refuses = lambda message: refused in message.event_ids
    result = world.run()
    assert world.journal.types() == ["plan", "ack"]
    told = ("20261124-0-0-failed", "20261124-0-2-failed")
    assert world.journal.entries[-1].delivered == Delivery("message-2", told)
    assert tuple(world.memory.outbox) == (refused,)
    assert result.failure.endswith("the next run will send the others")
    world.publisher.refuses = lambda message: False
    assert not world.run(after=1).failure
    assert world.told == [*told, refused]


def test_one_bad_task_does_not_stop_the_others() -> None:
    """A task that cannot be read is reported by itself; the others are looked after."""
    world = World("a", "b", "c")
    world.service.fail_read("b", CloudError("read the task", status=200, code="malformed"))
    result = world.run()
    assert world.service.starts == ["a", "c"]
    assert [decision.verdict.reason for decision in result.decisions][1] == "unreadable"
    assert not result.failure


def test_a_run_that_can_read_nothing_counts_as_failed_and_is_told_after_three() -> None:
    """Blindness fails every run, is told at the third, and ended by one message."""
    world = World("a")
    failures = []
    for _ in range(4):
        world.service.fail_read("a", unreachable())
        failures.append(world.run(after=1).failure)
    assert all("no task could be read" in failure for failure in failures)
    assert [message.subject.split(" - ")[0] for message in world.publisher.messages] == [
        "sms_watch critical: the watchdog cannot read any task"
    ]
    world.service.change("a", state="RUNNING", code="")
    assert kinds(world.run(after=1)) == [Kind.SIGHTED]


def test_a_dry_run_decides_the_same_and_does_nothing() -> None:
    """DRY_RUN reports the starts and notices of a real run; nothing is started or written."""
    world = World("a")
    dry = world.run(dry_run=True)
    assert dry.outcomes == {"a": Outcome.SKIPPED}
    assert kinds(dry) == [Kind.FAILED]
    assert (world.service.starts, world.publisher.messages, world.journal.entries) == ([], [], [])
    assert world.run().decisions == dry.decisions


def test_no_new_work_begins_when_time_runs_out() -> None:
    """Without time a task is reported as not reached, and what is told of it is nothing."""
    world = World("a", "b")
    world.deadline.costs = 30
    result = world.run()
    assert [decision.verdict.reason for decision in result.decisions] == [
        "restartable",
        "not_reached",
    ]
    assert result.outcomes == {"a": Outcome.SKIPPED}
    assert "no time was left to publish" in result.failure
    assert world.memory.tasks["a"].starts.attempts == 0


def test_a_test_message_is_sent_once_when_it_is_asked_for() -> None:
    """The command test sends one message, though nothing has changed."""
    world = World("a")
    world.service.change("a", state="RUNNING", code="")
    world.run()
    assert kinds(world.run(after=1, commands=Commands(test=True))) == [Kind.TEST]
    assert kinds(world.run(after=1)) == []


def test_a_lost_memory_is_told_once() -> None:
    """A journal without its snapshot is told in one message, not in every run."""
    world = World("a")
    world.service.change("a", state="RUNNING", code="")
    world.journal.history = {"snapshot_lost": True, "damaged": 1}
    first = world.run()
    assert kinds(first) == [Kind.MEMORY_LOST]
    assert "1 line of the journal" in first.warnings[0]
    assert kinds(world.run(after=1)) == []


def test_an_old_journal_is_renewed_before_it_expires() -> None:
    """A quiet run writes when what is remembered would soon be out of reach."""
    world = World("a")
    world.service.change("a", state="RUNNING", code="")
    world.run()
    before = len(world.journal.entries)
    world.journal.history = {"expiring": True}
    world.run(after=1)
    assert len(world.journal.entries) == before + 1
    assert not world.publisher.messages


@pytest.mark.slow
def test_notices_that_do_not_fit_stay_owed() -> None:
    """A message too large is published in parts, one a run; nothing is left out."""
    world = World(*(f"task-{number:04}" for number in range(1200)))
    for task_id in world.task_ids:
        world.service.change(task_id, code=FULL, name="n" * 64)
    world.run()
    while world.memory.outbox:
        world.run(after=1)
    assert len(world.publisher.messages) > 1
    assert len(world.told) == len(set(world.told)) == 2400


def test_a_gone_task_is_told_once() -> None:
    """A task that the service does not have is told at the second answer and then known."""
    world = World("a")
    del world.service.tasks["a"]
    assert [kinds(world.run(after=1)) for _ in range(3)] == [[], [Kind.GONE], []]


def _subjects(messages: List[Message]) -> List[str]:
    return [message.subject for message in messages]


def test_a_flapping_task_does_not_fill_the_mailbox() -> None:
    """Through an hour in which every start holds for seconds only, two messages are sent."""
    world = World("a")
    for _ in range(60):
        world.run(after=1)
        world.service.change("a", state="MIGRATE_FAIL", code=LOST)
    kinds = [event.rpartition("-")[2] for event in world.told]
    assert kinds == ["failed", "needs_person"], _subjects(world.publisher.messages)
    assert _at_least_apart(world.service.starts)


def _at_least_apart(starts: List[str]) -> bool:
    return len(starts) <= 8
