"""Runs against fakes: a world of them, what services answer, and deaths at a step."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any, Callable, List

from sms_watch.errors import CloudError
from sms_watch.journal.entries import Entry, fold
from sms_watch.messages.compose import RunContext
from sms_watch.model.notice import Kind
from sms_watch.model.policy import Scope
from sms_watch.ports import MigrationService, Ports
from sms_watch.report import Result
from sms_watch.rules.record import Memory
from sms_watch.run import RunRequest, execute
from sms_watch.timetable import Timetable
from tests.support.builders import NOW, a_policy, a_running_task, a_task
from tests.support.fakes import FakeDeadline, FakeJournal, FakePublisher, FakeService, OneRun

TIMETABLE = Timetable(50)
LOST = "SMS.0807"


class World:
    """The fakes of one world, and runs in it."""

    def __init__(self, *task_ids: str) -> None:
        """Begin with a failed task for each of these ids."""
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
        """What the journal adds up to."""
        return fold(self.journal.entries)

    @property
    def told(self) -> List[str]:
        """The ids of all events that were published."""
        return [event_id for message in self.publisher.messages for event_id in message.event_ids]


def ports_of(service: FakeService, rest: float = 50.0) -> Ports:
    """Return the ports of a run that has so many seconds left, and hides one word."""
    return Ports(
        OneRun(service),
        FakePublisher(),
        FakeJournal(),
        FakeDeadline(rest),
        TIMETABLE,
        lambda: "nonce",
        lambda text: text.replace("secret", "***"),
    )


def running(*task_ids: str) -> FakeService:
    """Return a service with running tasks that are named by their ids."""
    return FakeService(*(a_running_task(id=task_id, name=task_id) for task_id in task_ids))


def kinds(result: Result) -> List[Kind]:
    """Return the kinds of the notices of a run."""
    return [notice.kind for notice in result.notices]


def unanswered(operation: str = "start the task") -> CloudError:
    """Return the error of a call that may have been taken."""
    return CloudError(operation, code="timeout", outcome_unknown=True)


def refused(status: int = 403, code: str = "SMS.9004") -> CloudError:
    """Return the error of a start that the service does not take."""
    return CloudError("start the task", status=status, code=code)


def unreachable(operation: str = "read the task") -> CloudError:
    """Return the error of a call that was never sent."""
    return CloudError(operation, code="unreachable", retryable=True)


def die(*_: Any) -> None:
    """End the run as if its process died."""
    raise KeyboardInterrupt


def die_at(type_: str) -> Callable[[Entry], None]:
    """Return what ends the run when it would write an entry of a type."""

    def check(entry: Entry) -> None:
        if entry.type == type_:
            raise KeyboardInterrupt

    return check


def raising(error: Exception) -> Callable[[Entry], None]:
    """Return what raises an error when an entry would be written."""

    def check(entry: Entry) -> None:
        raise error

    return check
