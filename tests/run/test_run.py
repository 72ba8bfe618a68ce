"""One run against fakes: the order of its steps, and what a failure at each of them leaves."""

from __future__ import annotations

import contextlib
import threading
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, Callable, Dict, List

import pytest

from sms_watch.adapters.answers import Answer
from sms_watch.adapters.sdk import Caller
from sms_watch.adapters.sms import SmsService
from sms_watch.errors import CloudError, JournalConflict, JournalError, JournalMoved
from sms_watch.journal.entries import Delivery, Entry, EntryType, JournalReading, fold
from sms_watch.messages.compose import RunContext
from sms_watch.model.notice import Kind, Message, Outcome, Reason
from sms_watch.model.policy import Scope
from sms_watch.model.task import Task
from sms_watch.ports import MigrationService, Ports
from sms_watch.report import Result
from sms_watch.rules.draft import Commands
from sms_watch.rules.record import Lease, Memory
from sms_watch.run import RunRequest, execute
from sms_watch.timetable import Timetable
from tests.support.builders import NOW, a_policy, a_task
from tests.support.fakes import FakeDeadline, FakeJournal, FakePublisher, FakeService, OneRun

TIMETABLE = Timetable(50)
LOST = "SMS.0807"
FULL = "SMS.1315"


class World:
    """The fakes of one world, and runs in it."""

    def __init__(self, *task_ids: str) -> None:
        tasks = [a_task(id=task_id) for task_id in task_ids]
        self.service = FakeService(*tasks)
        self.publisher = FakePublisher()
        self.journal = FakeJournal()
        self.timetable = TIMETABLE
        self.deadline = FakeDeadline()
        self.migration: Callable[[], MigrationService] = lambda: OneRun(self.service)
        self.task_ids = task_ids
        self.now = NOW
        self.runs = 0

    def run(self, after: int = 0, **order: Any) -> Result:
        """Do a run, some minutes after the last."""
        self.now += timedelta(minutes=after)
        self.runs += 1
        self.deadline.rest = self.timetable.budget
        nonces = (f"n{self.runs}-{index}" for index in range(10))
        return execute(
            RunRequest(
                RunContext(f"run-{self.runs}", self.now, timezone.utc, "https://console.example/"),
                order.pop("scope", Scope(self.task_ids)),
                order.pop("policy", a_policy()),
                **order,
            ),
            Ports(
                self.migration(),
                self.publisher,
                self.journal,
                self.deadline,
                self.timetable,
                lambda: next(nonces),
                lambda text: text,
            ),
        )

    @property
    def memory(self) -> Memory:
        return fold(self.journal.entries)

    @property
    def told(self) -> List[str]:
        return [event_id for message in self.publisher.messages for event_id in message.event_ids]


def _kinds(result: Result) -> List[Kind]:
    return [notice.kind for notice in result.notices]


def _unanswered(operation: str = "start the task") -> CloudError:
    return CloudError(operation, code="timeout", outcome_unknown=True)


def _refused(status: int = 403, code: str = "SMS.9004") -> CloudError:
    return CloudError("start the task", status=status, code=code)


def _unreachable(operation: str = "read the task") -> CloudError:
    return CloudError(operation, code="unreachable", retryable=True)


def test_a_failed_task_is_started_in_the_run_that_sees_it() -> None:
    """A task that failed on a lost line is started at once; the next run says that it runs."""
    world = World("a")
    result = world.run()
    assert world.service.starts == ["a"]
    assert result.outcomes == {"a": Outcome.DONE}
    assert _kinds(result) == [Kind.FAILED]
    assert result.published == "message-1"
    assert not result.failure
    assert _kinds(world.run(after=1)) == [Kind.RESUMED]
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
    assert _kinds(world.run(after=1)) == [Kind.RESUMED]


def test_a_start_that_helps_is_told_by_the_run_that_reads_the_task_as_running() -> None:
    """Not by the one that sends it, which knows only that the service took it."""
    world = World("a")
    world.service.stuck = {"a"}
    world.run()
    world.service.stuck = set()
    helped = world.run(after=2)
    assert helped.outcomes == {"a": Outcome.DONE}
    assert _kinds(helped) == []
    assert _kinds(world.run(after=1)) == [Kind.RESUMED]


def test_people_never_hear_that_a_task_runs_while_nobody_remembers_it() -> None:
    """A run that dies after its message, and a task that fails again: the last word is failed."""
    world = World("a")
    world.run()
    world.journal.before_append = _die_at("ack")
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
    world.publisher.errors.append(_unanswered("publish"))
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


@pytest.mark.parametrize(
    ("error", "outcome", "attempts"),
    [
        (_unanswered(), Outcome.UNKNOWN, 1),
        (_refused(), Outcome.REFUSED, 0),
        (_unreachable("start the task"), Outcome.FAILED, 0),
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
    world.service.fail_start("a", _unanswered())
    world.run()
    assert world.service.starts == ["a"]
    assert _kinds(world.run(after=1)) == [Kind.RESUMED]
    assert world.service.starts == ["a"]


def test_the_backoff_holds_after_a_refusal() -> None:
    """A refused start is not sent again before the first wait is over."""
    world = World("a")
    world.service.fail_start("a", _refused(400, "SMS.7713"))
    world.run()
    world.run(after=1)
    assert world.service.starts == ["a"]
    world.run(after=1)
    assert world.service.starts == ["a", "a"]


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
        world.service.fail_read("a", _unreachable())
        failures.append(world.run(after=1).failure)
    assert all("no task could be read" in failure for failure in failures)
    assert [message.subject.split(" - ")[0] for message in world.publisher.messages] == [
        "sms_watch critical: the watchdog cannot read any task"
    ]
    world.service.change("a", state="RUNNING", code="")
    assert _kinds(world.run(after=1)) == [Kind.SIGHTED]


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
    world.service.fail_start("a", _refused(401, "APIGW.0301"))
    result = world.run()
    assert result.outcomes == {"a": Outcome.REFUSED, "b": Outcome.SKIPPED}
    assert world.memory.tasks["b"].starts.attempts == 0
    assert world.memory.tasks["b"].starts.last_at is None


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
    world.service.before_start = _die
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
    world.service.before_start = _die
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
    assert _kinds(result) == [Kind.FAILED]
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
    world.service.before_start = _die
    with pytest.raises(KeyboardInterrupt):
        world.run()
    reads = list(world.service.reads)
    result = world.run(after=1)
    assert "another run is at work" in result.warnings[0]
    assert world.service.reads == reads
    assert world.journal.types() == ["plan"]


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_run_that_died_before_its_start_is_completed_by_the_next() -> None:
    """The attempt counts although nothing was sent, and the notice goes out with its id."""
    world = World("a")
    world.service.before_start = _die
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
    world.journal.before_append = _die_at("ack")
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.journal.before_append = lambda entry: None
    world.run(after=2)
    first, second = world.publisher.messages
    assert set(first.event_ids) == set(second.event_ids)


def _die_at(type_: str) -> Callable[[Entry], None]:
    def check(entry: Entry) -> None:
        if entry.type == type_:
            raise KeyboardInterrupt

    return check


def test_the_loser_of_a_race_does_nothing() -> None:
    """A conflict at the plan means that another run was first: no start, no message."""
    world = World("a")
    world.journal.before_append = _raise(JournalConflict("taken"))
    result = world.run()
    assert "another run was first" in result.warnings[0]
    assert not result.failure
    assert not world.service.starts
    assert not world.publisher.messages


def _raise(error: Exception) -> Callable[[Entry], None]:
    def check(entry: Entry) -> None:
        raise error

    return check


def test_without_its_journal_a_run_does_not_act() -> None:
    """A journal that cannot be read or written stops everything before the first start."""
    for part in ("read_error", "before_append"):
        world = World("a")
        error = JournalError("no such directory")
        setattr(world.journal, part, error if part == "read_error" else _raise(error))
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


def test_a_dry_run_decides_the_same_and_does_nothing() -> None:
    """DRY_RUN reports the starts and notices of a real run; nothing is started or written."""
    world = World("a")
    dry = world.run(dry_run=True)
    assert dry.outcomes == {"a": Outcome.SKIPPED}
    assert _kinds(dry) == [Kind.FAILED]
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
    _slow_to_plan(world, lambda: world.service.fail_read("a", _unreachable()))
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


def test_a_test_message_is_sent_once_when_it_is_asked_for() -> None:
    """The command test sends one message, though nothing has changed."""
    world = World("a")
    world.service.change("a", state="RUNNING", code="")
    world.run()
    assert _kinds(world.run(after=1, commands=Commands(test=True))) == [Kind.TEST]
    assert _kinds(world.run(after=1)) == []


def test_a_lost_memory_is_told_once() -> None:
    """A journal without its snapshot is told in one message, not in every run."""
    world = World("a")
    world.service.change("a", state="RUNNING", code="")
    world.journal.history = {"snapshot_lost": True, "damaged": 1}
    first = world.run()
    assert _kinds(first) == [Kind.MEMORY_LOST]
    assert "1 line of the journal" in first.warnings[0]
    assert _kinds(world.run(after=1)) == []


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
    assert [_kinds(world.run(after=1)) for _ in range(3)] == [[], [Kind.GONE], []]


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


_ = datetime
