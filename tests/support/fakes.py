"""Fakes of what a run reaches the world through; they pass the contract tests of the real ones.

Each keeps what was asked of it, and can be told to fail before or after the effect.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Callable, Deque, Dict, List, Optional, Sequence, TypeVar

from sms_watch.errors import (
    KEYS_REFUSED,
    TOO_MANY_CALLS,
    TOO_MANY_ROWS,
    CloudError,
    JournalClosed,
    JournalConflict,
    TaskGone,
)
from sms_watch.journal.entries import Entry, JournalReading, fold
from sms_watch.journal.store import Part
from sms_watch.model.notice import Message, Position
from sms_watch.model.task import Listing, Task, TaskState
from sms_watch.ports import MigrationService
from tests.support.builders import varied

Returned = TypeVar("Returned")


@dataclass
class FakeDeadline:
    """A deadline with a settable rest; ``costs`` is taken from it each time it is asked."""

    rest: float = 50.0
    costs: float = 0.0

    def left(self) -> float:
        rest = self.rest
        self.rest -= self.costs
        return rest

    def spend(self, seconds: float) -> None:
        """Let time pass."""
        self.rest -= seconds


class FakeService:
    """Migration tasks in memory. A start makes a failed task run, unless ``stuck`` names it.

    ``unlisted`` are the rows that the list has lost, ``why`` says so, ``missing`` is how many it
    counts all the same. ``broken``: a page cannot be read. ``strange`` are the rows without sense.
    ``closed`` are the errors of tasks that are somebody else's: they can be read, started and
    listed by nobody here. A project is named by its source server.
    """

    def __init__(self, *tasks: Task) -> None:
        self.tasks: Dict[str, Task] = {task.id: task for task in tasks}
        self.stuck: set[str] = set()
        self.unlisted: set[str] = set()
        self.why = "a part is missing"
        self.missing = 0
        self.broken = False
        self.strange: set[str] = set()
        self.closed: Dict[str, CloudError] = {}
        self.lists = 0
        self.on_list: Deque[Exception] = deque()
        self.reads: List[str] = []
        self.starts: List[str] = []
        self.on_read: Dict[str, Deque[Exception]] = {}
        self.on_start: Dict[str, Deque[Exception]] = {}
        self.before_start: Callable[[str], Any] = lambda task_id: None

    def change(self, task_id: str, **fields: Any) -> None:
        """Change a task, as the world outside would."""
        self.tasks[task_id] = varied(self.tasks[task_id], **fields)

    def fail_read(self, task_id: str, *errors: Exception) -> None:
        """Let the next reads of a task fail, one error after the other."""
        self.on_read[task_id] = deque(errors)

    def fail_start(self, task_id: str, *errors: Exception) -> None:
        """Let the next starts of a task fail; one with an unknown outcome has its effect."""
        self.on_start[task_id] = deque(errors)

    def read_task(self, task_id: str) -> Task:
        self.reads.append(task_id)
        if self.on_read.get(task_id):
            raise self.on_read[task_id].popleft()
        self._allow(task_id)
        if task_id not in self.tasks:
            raise TaskGone("read the task", status=400, code="SMS.7703")
        return self.tasks[task_id]

    def read_again(self, task_id: str) -> Task:
        return self.read_task(task_id)

    def list_tasks(self, project: str, most: Optional[int] = None) -> Listing:
        self.lists += 1
        if self.on_list:
            raise self.on_list.popleft()
        if most is not None and len(self.tasks) > most:
            raise CloudError("list the tasks", code=TOO_MANY_ROWS)
        chosen = [t for t in self.tasks.values() if not project or t.servers.source_id == project]
        ids = frozenset(self.tasks) - self.unlisted - frozenset(self.closed)
        rows = tuple(replace(t, listed=True) for t in chosen if t.id in ids - self.strange)
        complete = not (self.unlisted or self.missing or self.broken)
        why, strange = "" if complete else self.why, frozenset(self.strange)
        return Listing(rows, ids, complete, why, self.missing, self.broken, strange)

    def _allow(self, task_id: str) -> None:
        if task_id in self.closed:
            raise self.closed[task_id]

    def start_task(self, task_id: str) -> None:
        self.before_start(task_id)
        self.starts.append(task_id)
        self._allow(task_id)
        errors = self.on_start.get(task_id)
        error = errors.popleft() if errors else None
        if error is None or getattr(error, "outcome_unknown", False):
            self._start(task_id)
        if error is not None:
            raise error

    def _start(self, task_id: str) -> None:
        if task_id not in self.tasks:
            raise TaskGone("start the task", status=400, code="SMS.7703")
        startable = (TaskState.MIGRATE_FAIL, TaskState.SYNC_FAIL, TaskState.ABORT, TaskState.READY)
        if self.tasks[task_id].state not in startable:
            raise CloudError("start the task", status=400, code="SMS.7713")
        if task_id not in self.stuck:
            self.change(task_id, state="RUNNING", code="")


class OneRun:
    """Migration tasks as one run reaches them.

    Keys that were refused are not tried again, and nothing is read once a pause was asked for.
    """

    def __init__(self, service: MigrationService) -> None:
        self._service = service
        self._refused = False
        self._throttled = False

    def read_task(self, task_id: str) -> Task:
        return self._read(lambda: self._service.read_task(task_id))

    def read_again(self, task_id: str) -> Task:
        return self._read(lambda: self._service.read_again(task_id))

    def list_tasks(self, project: str, most: Optional[int] = None) -> Listing:
        return self._read(lambda: self._service.list_tasks(project, most), most is not None)

    def start_task(self, task_id: str) -> None:
        self._call(lambda: self._service.start_task(task_id))

    def _read(self, call: Callable[[], Returned], optional: bool = False) -> Returned:
        if self._throttled:
            raise CloudError("read from the service", code=TOO_MANY_CALLS)
        try:
            return self._call(call)
        except CloudError as error:
            self._throttled = bool(error.retry_after) and not optional
            raise

    def _call(self, call: Callable[[], Returned]) -> Returned:
        if self._refused:
            raise CloudError("call the service", code=KEYS_REFUSED)
        try:
            return call()
        except CloudError as error:
            self._refused = error.status == 401
            raise


class FakePublisher:
    """A topic whose messages are kept. It takes none for which ``refuses`` holds."""

    def __init__(self) -> None:
        self.messages: List[Message] = []
        self.errors: Deque[Exception] = deque()
        self.refuses: Callable[[Message], bool] = lambda message: False
        self.tries = 0

    def publish(self, message: Message) -> str:
        self.tries += 1
        error = self.errors.popleft() if self.errors else None
        if error is None and self.refuses(message):
            error = CloudError("publish the message", "Sensitive.", status=400, code="SMN.0227")
        if error is None or getattr(error, "outcome_unknown", False):
            self.messages.append(message)
        if error is not None:
            raise error
        return f"message-{len(self.messages)}"


@dataclass
class FakeJournal:
    """A journal in memory, one position a line."""

    entries: List[Entry] = field(default_factory=list)
    day: str = "20261124"
    before_append: Callable[[Entry], Any] = lambda entry: None
    history: Dict[str, Any] = field(default_factory=dict)
    read_error: Optional[Exception] = None

    def read(self) -> JournalReading:
        if self.read_error is not None:
            raise self.read_error
        return JournalReading(fold(self.entries), self._position(), **self.history)

    def append(self, entry: Entry, position: Position) -> Position:
        self.before_append(entry)
        if position != self._position():
            raise JournalConflict("another run has written here")
        self.entries.append(entry)
        return self._position()

    def types(self) -> Sequence[str]:
        return [str(entry.type) for entry in self.entries]

    def _position(self) -> Position:
        return Position(self.day, len(self.entries))


class FakeStore:
    """An append store in memory; ``before_append`` may raise, as a process that dies does.

    ``closed`` are the objects that take nothing more, ``shows_it`` whether that can be seen.
    ``moment`` is what its clock shows; ``bytes`` counts those that were read.
    """

    def __init__(self) -> None:
        self.objects: Dict[str, bytes] = {}
        self.gets = self.bytes = 0
        self.before_append: Callable[[str], Any] = lambda name: None
        self.closed: set[str] = set()
        self.shows_it = True
        self.moment: Optional[datetime] = None
        self.reopens = False

    def tail(self, name: str, size: int) -> Optional[Part]:
        begin = max(0, len(self.objects.get(name, b"")) - size)
        data = self.get(name, begin)
        is_open = name not in self.closed or not self.shows_it
        return None if data is None else Part(data, begin, is_open)

    def get(self, name: str, begin: int = 0, end: Optional[int] = None) -> Optional[bytes]:
        self.gets += 1
        data = self.objects.get(name)
        part = None if data is None else data[begin:end]
        self.bytes += len(part or b"")
        return part

    def append(self, name: str, offset: int, data: bytes) -> None:
        self.before_append(name)
        if name in self.closed:
            raise JournalClosed(f"{name} takes nothing more")
        if len(self.objects.get(name, b"")) != offset:
            raise JournalConflict("taken")
        self.objects[name] = self.objects.get(name, b"") + data
