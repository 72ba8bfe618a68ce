"""Runs over all tasks of an account, against fakes."""

from __future__ import annotations

from datetime import timezone

import pytest

from sms_watch.errors import CloudError
from sms_watch.messages.compose import RunContext
from sms_watch.model.notice import Action, Kind, Outcome, Reason
from sms_watch.model.policy import Scope
from sms_watch.model.task import Listing, Phase
from sms_watch.ports import Ports
from sms_watch.report import Result
from sms_watch.rules.decide import decide
from sms_watch.rules.plan import candidates
from sms_watch.rules.record import Memory
from sms_watch.run import RunRequest, execute
from sms_watch.timetable import Timetable
from tests.support.builders import (
    LINE_LOST,
    NOW,
    a_policy,
    a_reading,
    a_situation,
    a_task,
    minutes,
)
from tests.support.fakes import FakeDeadline, FakeJournal, FakePublisher, FakeService, OneRun

# The rules


def test_a_task_known_from_a_list_alone_is_never_started() -> None:
    """A row may be old: whatever it says, it waits for a reading of its own."""
    listed = a_task(listed=True)
    verdict = decide(a_reading(listed), None).verdict
    assert (verdict.action, verdict.reason) == (Action.WAIT, Reason.NOT_REACHED)
    assert candidates([listed], Memory(), a_situation()) == ("a",)


# Runs against fakes


class Account:
    """The fakes of an account, and runs over all of it."""

    def __init__(self, *task_ids: str) -> None:
        self.service = FakeService(*(a_task(id=task_id) for task_id in task_ids))
        self.journal = FakeJournal()
        self.publisher = FakePublisher()
        self.deadline = FakeDeadline(50.0)
        self.now = NOW

    def run(self, scope: Scope = Scope()) -> Result:  # noqa: B008 - it is a constant
        """Do a run, a minute after the last."""
        self.now += minutes(1)
        context = RunContext("run", self.now, timezone.utc, "https://console.example/")
        return execute(
            RunRequest(context, scope, a_policy()),
            Ports(
                OneRun(self.service),
                self.publisher,
                self.journal,
                self.deadline,
                Timetable(50),
                lambda: f"nonce-{len(self.journal.entries)}",
                lambda text: text.replace("secret", "***"),
            ),
        )


def test_an_old_row_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says failed, the task itself says running: nobody starts or tells anything."""
    account = Account("a")
    account.service.change("a", state="RUNNING", code="")
    account.run()
    stale = Listing((a_task(listed=True),), frozenset({"a"}), True)
    monkeypatch.setattr(account.service, "list_tasks", lambda *asked: stale)
    result = account.run()
    assert account.service.starts == []
    assert result.notices == ()


def test_a_failure_that_only_the_list_shows_is_told_all_the_same() -> None:
    """A task that cannot be read by itself is not started, but its failure is no secret."""
    account = Account("a")
    account.service.change("a", state="RUNNING", code="")
    account.run()
    account.service.change("a", state="MIGRATE_FAIL", code=LINE_LOST)
    account.service.fail_read("a", CloudError("read the task", status=503, retryable=True))
    result = account.run()
    assert account.service.starts == []
    assert [(n.kind, n.verdict.reason) for n in result.notices] == [
        (Kind.FAILED, Reason.NOT_REACHED)
    ]
    assert [n.kind for n in account.run().notices] == []
    assert account.service.starts == ["a"]


def test_a_task_that_the_list_has_lost_is_read_by_itself() -> None:
    """A list that missed a row loses no task: it is started like any other."""
    account = Account("a", "b")
    account.service.stuck = {"a", "b"}
    account.run()
    account.service.unlisted = {"b"}
    account.run()
    account.run()
    assert account.service.starts == ["a", "b", "a", "b"]


def test_a_task_is_gone_only_when_the_list_was_whole() -> None:
    """An answer that it does not exist is doubted while the list is known to be broken."""
    account = Account("a", "b", "c")
    account.run()
    account.run()
    account.service.unlisted = {"c"}
    del account.service.tasks["b"]
    doubted = account.run()
    assert Kind.GONE not in [notice.kind for notice in doubted.notices]
    assert "a part is missing" in next(d.detail for d in doubted.decisions if d.task_id == "b")
    account.service.unlisted = set()
    told = [[notice.kind for notice in account.run().notices] for _ in range(3)]
    assert told == [[], [Kind.GONE], []]


def test_a_secret_in_a_broken_list_is_hidden_wherever_it_is_told() -> None:
    """What a service sends back with an error is in no warning, decision or journal."""
    account = Account("a", "b")
    account.run()
    account.service.unlisted, account.service.why = {"b"}, "refused: secret"
    del account.service.tasks["b"]
    result = account.run()
    said = [*result.warnings, *(decision.detail for decision in result.decisions)]
    assert any("refused: ***" in text for text in result.warnings)
    assert not any("secret" in text for text in said)


def test_what_was_not_reached_is_reported_and_comes_first_in_the_next_run() -> None:
    """A slow hour starves nobody: the tasks that had to wait are the first of the next run."""
    account = Account("a", "b", "c", "d")
    ids = Scope(("a", "b", "c", "d"))
    account.run(ids)
    account.service.reads.clear()
    account.deadline.costs = 15
    late = account.run(ids)
    reasons = {d.task_id: d.verdict.reason for d in late.decisions}
    assert reasons["c"] is reasons["d"] is Reason.NOT_REACHED
    account.deadline.rest, account.deadline.costs = 50, 0
    account.service.reads.clear()
    account.run(ids)
    assert account.service.reads[0] == "c"
    assert set(account.service.reads[:2]) == {"c", "d"}
    account.service.reads.clear()
    account.run(ids)
    assert account.service.reads[0] == "a"


def test_a_start_of_a_listed_task_is_told_as_any_other() -> None:
    """Watching by list changes what is read, and nothing of what is told."""
    by_list, by_id = Account("a"), Account("a")
    one, other = by_list.run(), by_id.run(Scope(("a",)))
    assert [n.kind for n in one.notices] == [n.kind for n in other.notices]
    assert one.outcomes == other.outcomes == {"a": Outcome.DONE}
    assert one.decisions[0].task is not None
    assert one.decisions[0].task.phase is Phase.FAILED
