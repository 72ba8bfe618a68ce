"""A run that dies, is late, or meets another one: what its leases and its journal leave."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sms_watch.errors import JournalConflict, JournalError, JournalMoved
from sms_watch.journal.entries import Entry, EntryType, JournalReading
from sms_watch.model.notice import Kind, Outcome
from sms_watch.rules.record import Lease
from sms_watch.timetable import Timetable
from tests.support.builders import NOW
from tests.support.runs import (
    World,
    die,
    die_at,
    kinds,
    raising,
)


def test_a_run_that_was_slow_to_plan_holds_its_lease_for_as_long_as_any_other() -> None:
    """However much time reading took, nobody else acts before this run is certainly over."""
    world = World("a", "b", "c")
    world.deadline.costs = 9
    world.run()
    (planned,) = [entry for entry in world.journal.entries if entry.type is EntryType.PLAN]
    assert planned.lease == Lease(NOW + timedelta(seconds=80), "run-1")


@pytest.mark.parametrize(("budget", "used", "ends"), [(50, 3, 80), (300, 3, 330), (3600, 3, 345)])
def test_a_run_with_a_long_budget_that_dies_holds_others_up_for_minutes(
    budget: int, used: int, ends: int
) -> None:
    """From its plan on a run acts for five minutes at most, and its lease ends with that."""
    world = World("a")
    world.timetable = Timetable(budget)
    world.deadline.costs = used
    world.service.before_start = die
    with pytest.raises(KeyboardInterrupt):
        world.run()
    (planned,) = world.journal.entries
    assert planned.lease is not None
    assert planned.lease.until - NOW <= timedelta(seconds=ends)


def test_nothing_begins_once_the_lease_may_end() -> None:
    """However much of a long budget is left: another run may act by then."""
    world = World("a", "b")
    world.timetable = Timetable(3600)
    world.service.before_start = lambda task_id: setattr(world.deadline, "rest", 3600 - 310)
    result = world.run()
    assert result.outcomes == {"a": Outcome.DONE, "b": Outcome.SKIPPED}
    assert "no time was left to publish" in result.failure


@pytest.mark.parametrize("ahead", [-130, -75, 75, 130, 600])
def test_a_lease_is_judged_by_the_clock_of_the_journal(ahead: int) -> None:
    """Of two runs whose own clocks are apart one acts; the other sees that it is at work."""
    world = World("a")
    world.service.before_start = die
    world.journal.history = {"at": NOW}
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.now = NOW + timedelta(seconds=ahead)
    world.journal.history = {"at": NOW + timedelta(seconds=10)}
    assert "another run is at work" in world.run().warnings[0]
    world.journal.history = {"at": NOW + timedelta(seconds=80)}
    assert world.run().warnings == ()


@pytest.mark.parametrize(("off", "corrected"), [(0, False), (20, False), (-130, True), (130, True)])
def test_all_runs_go_by_the_clock_of_the_journal(off: int, corrected: bool) -> None:
    """With a clock of one's own that differs, what is remembered has the journal's time."""
    world = World("a")
    world.now = NOW + timedelta(seconds=off)
    world.journal.history = {"at": NOW}
    world.run()
    at = NOW if corrected else world.now
    assert {entry.at for entry in world.journal.entries} == {at}
    assert world.memory.tasks["a"].starts.last_at == at


def test_a_slow_run_has_no_other_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has passed before the journal was read is no difference."""
    world = World("a")
    real = world.journal.read

    def slowly() -> JournalReading:
        world.deadline.rest = 20
        return real()

    monkeypatch.setattr(world.journal, "read", slowly)
    world.journal.history = {"at": NOW + timedelta(seconds=30)}
    world.run()
    assert {entry.at for entry in world.journal.entries} == {NOW}


def test_a_run_that_read_too_little_begins_anew() -> None:
    """Where the journal has moved on, tasks are read and decided about again, and acted on once."""
    world = World("a")
    moves = iter([JournalMoved("to another object"), JournalMoved("and on")])

    def move(entry: Entry) -> None:
        for error in moves:
            raise error

    world.journal.before_append = move
    result = world.run()
    assert kinds(result) == [Kind.FAILED]
    assert world.service.reads == ["a", "a", "a"]
    assert world.service.starts == ["a"]
    assert world.journal.types() == ["plan", "ack"]


def test_an_acknowledgement_follows_a_journal_that_moved() -> None:
    """Closed between plan and acknowledgement, it is written where the journal goes on."""
    world = World("a")
    moves = iter([None, JournalMoved("to another object")])

    def move(entry: Entry) -> None:
        error = next(moves, None)
        if error is not None:
            raise error

    world.journal.before_append = move
    assert not world.run().failure
    assert world.journal.types() == ["plan", "ack"]
    assert not world.memory.outbox


def test_a_live_lease_ends_a_run_quietly() -> None:
    """While another run is at work nothing is read, started, written or sent."""
    world = World("a")
    world.service.before_start = die
    with pytest.raises(KeyboardInterrupt):
        world.run()
    reads = list(world.service.reads)
    result = world.run(after=1)
    assert "another run is at work" in result.warnings[0]
    assert world.service.reads == reads
    assert world.journal.types() == ["plan"]


def test_a_run_that_died_before_its_start_is_completed_by_the_next() -> None:
    """The attempt counts although nothing was sent, and the notice goes out with its id."""
    world = World("a")
    world.service.before_start = die
    with pytest.raises(KeyboardInterrupt):
        world.run()
    owed = list(world.memory.outbox)
    world.service.before_start = lambda task_id: None
    result = world.run(after=2)
    assert owed[0] in world.told
    assert world.service.starts == ["a"]
    assert world.memory.tasks["a"].starts.attempts == 2
    assert not result.failure


def test_a_run_that_died_after_publishing_is_repeated_with_the_same_ids() -> None:
    """A process that dies between publish and acknowledgement leaves a copy, no new event."""
    world = World("a")
    world.service.stuck = {"a"}
    world.journal.before_append = die_at("ack")
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.journal.before_append = lambda entry: None
    world.run(after=2)
    first, second = world.publisher.messages
    assert set(first.event_ids) == set(second.event_ids)


def test_the_loser_of_a_race_does_nothing() -> None:
    """A conflict at the plan means that another run was first: no start, no message."""
    world = World("a")
    world.journal.before_append = raising(JournalConflict("taken"))
    result = world.run()
    assert "another run was first" in result.warnings[0]
    assert not result.failure
    assert not world.service.starts
    assert not world.publisher.messages


def test_without_its_journal_a_run_does_not_act() -> None:
    """A journal that cannot be read or written stops everything before the first start."""
    for part in ("read_error", "before_append"):
        world = World("a")
        error = JournalError("no such directory")
        setattr(world.journal, part, error if part == "read_error" else raising(error))
        with pytest.raises(JournalError):
            world.run()
        assert not world.service.starts
        assert not world.publisher.messages


def test_an_acknowledgement_that_cannot_be_written_fails_the_run() -> None:
    """What was done but not written down is said, for it is told again, once, by the same ids."""
    world = World("a")

    def refuse_ack(entry: Entry) -> None:
        if entry.type == "ack":
            raise JournalError("disk full")

    world.journal.before_append = refuse_ack
    result = world.run()
    assert "could not be written to the journal: disk full" in result.failure
    assert result.published == "message-1"
    world.journal.before_append = lambda entry: None
    for minute in (1, 2):
        world.run(after=minute)
    first, copy = world.publisher.messages
    assert set(first.event_ids) <= set(copy.event_ids)


def test_an_acknowledgement_that_comes_late_adds_only_what_was_told() -> None:
    """When another run took over meanwhile, its records of the tasks stand."""
    world = World("a")

    def overtake(task_id: str) -> None:
        world.journal.entries.append(world.journal.entries[0])

    world.service.before_start = overtake
    result = world.run()
    assert not result.failure
    assert world.journal.types() == ["plan", "plan", "ack"]
    assert not world.journal.entries[-1].tasks
    assert not world.memory.outbox
