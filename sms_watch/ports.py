"""What the watchdog needs of the outside, shaped by its own verbs.

The adapters implement these against the cloud, the tests against fakes; both pass the same
contract tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, Optional, Protocol

from sms_watch.journal.entries import Entry, JournalReading
from sms_watch.model.notice import Message, Position
from sms_watch.model.task import Listing, Task
from sms_watch.timetable import Timetable


class Clock(Protocol):
    """The time, as the outside knows it."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds on a clock that is never set."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Deadline(Protocol):
    """The time that a run may still use."""

    def left(self) -> float:
        """Return the seconds left in which new work may begin; 0 or less when there are none."""


class Log(Protocol):
    """Where a run says what it does, for later readers."""

    def __call__(self, level: str, event: str, **fields: Any) -> None:
        """Write one line: an event with its fields."""


class MigrationService(Protocol):
    """The migration tasks.

    Once the service has refused the keys, every further call in the same run raises CloudError
    with the code ``keys_refused``, and nothing is sent; once it has throttled a read for longer
    than reads may last, every further read raises one with the code ``too_many_calls``.
    """

    def read_task(self, task_id: str) -> Task:
        """Read one task.

        Raise TaskGone if the service has no such task, CloudError when it cannot be read.
        """

    def read_again(self, task_id: str) -> Task:
        """Return one task right before its start, when the time of the reads may be over.

        Raise as ``read_task`` does.
        """

    def list_tasks(self, project: str, most: Optional[int] = None) -> Listing:
        """List all tasks, or those whose source servers belong to a migration project.

        With ``most`` the tasks could be read by their ids as well: the list ends early enough for
        that, and is not read on if it has more rows than so many.

        Raise CloudError if not even the beginning of the list can be read; for a project, and with
        ``most``, also if the keys may not list the source servers: a project is known by these, and
        the tasks themselves may tell the connection. A list with too many rows is one with the
        code ``too_many_rows``.
        """

    def start_task(self, task_id: str) -> None:
        """Ask for one failed task to be started. Returning means that the request was accepted.

        Raise CloudError: ``retryable`` when it certainly never reached the service or was
        throttled, ``outcome_unknown`` when it may have been taken, neither when it was refused.
        """


class Publisher(Protocol):
    """The topic that people listen to."""

    def publish(self, message: Message) -> str:
        """Publish one message and return its id. Raise CloudError as ``start_task`` does."""


class JournalStore(Protocol):
    """The journal: two verbs."""

    def read(self) -> JournalReading:
        """Read everything, and the position after it. Raise JournalError."""

    def append(self, entry: Entry, position: Position) -> Position:
        """Append one entry at ``position`` and return the position after it.

        Raise JournalConflict, with nothing written, when another entry stands there already,
        JournalError when it cannot be written.
        """


@dataclass(frozen=True)
class Ports:
    """All that a run reaches the world through.

    ``deadline`` ends with the budget of ``timetable``. ``nonce`` returns a new one for each line of
    the journal; ``redact`` hides the secrets in a text; what comes in goes through it before it
    is compared, remembered or told.
    """

    migration: MigrationService
    publisher: Publisher
    journal: JournalStore
    deadline: Deadline
    timetable: Timetable
    nonce: Callable[[], str]
    redact: Callable[[str], str]

    def elapsed(self) -> float:
        """Return the seconds since the run began."""
        return self.timetable.budget - self.deadline.left()

    def is_past(self, limit: float) -> bool:
        """Return whether a limit of the timetable is over, in seconds since the run began."""
        return self.elapsed() >= limit
