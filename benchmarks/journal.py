"""How long it takes to read a day's journal: a quiet day, and one of trouble without end.

The measure is the bare ``json.loads`` of the same lines.
"""

from __future__ import annotations

import itertools
import json
import time
import tracemalloc
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import Callable, Dict, Iterator, List, Optional

from benchmarks.figures import Figure
from sms_watch.errors import CloudError
from sms_watch.journal.objects import DailyJournal
from sms_watch.journal.store import Part
from sms_watch.messages.compose import RunContext
from sms_watch.model.notice import Message
from sms_watch.model.policy import Policy, Scope
from sms_watch.model.task import Listing, Progress, Task, TaskError
from sms_watch.ports import Ports
from sms_watch.run import RunRequest, execute
from sms_watch.timetable import Timetable

MIDNIGHT = datetime(2026, 11, 24, tzinfo=timezone.utc)
TASKS = 100
MINUTE = timedelta(minutes=1)
EVERY = 5  # minutes
REPEATS = 5


class Day:
    """A hundred tasks that move all day; ``breaks`` says which one fails at a minute."""

    def __init__(self, length: timedelta, breaks: Callable[[int], Optional[int]]) -> None:
        self.minutes = length // MINUTE
        self.objects: Dict[str, bytes] = {}
        self._breaks = breaks
        self._minute = 0
        self._nonces = (f"{number:016x}" for number in itertools.count())

    def play(self) -> bytes:
        """Run every five minutes of the day, and return the day's object."""
        minutes = range(0, self.minutes, EVERY)
        ids = tuple(f"task-{number:03}" for number in range(TASKS))
        for self._minute in minutes:
            now = MIDNIGHT + timedelta(minutes=self._minute)
            context = RunContext(
                f"run-{self._minute}", now, timezone.utc, "https://console.example/"
            )
            journal = DailyJournal(self, now, self._nonce)
            execute(
                RunRequest(context, Scope(ids), Policy()),
                Ports(self, self, journal, self, Timetable(50), self._nonce, str),
            )
        return self.objects["journal-20261124.jsonl"]

    def _nonce(self) -> str:
        return next(self._nonces)

    def left(self) -> float:
        """Leave time enough."""
        return 50.0

    def read_task(self, task_id: str) -> Task:
        """Return a task that moves on every minute."""
        progress = Progress(5, self._minute * 100 // self.minutes, None, "MIGRATE_LINUX_FILE")
        broken = self._breaks(self._minute) == int(task_id[-3:])
        state, code = ("MIGRATE_FAIL", "SMS.0807") if broken else ("RUNNING", "")
        return Task(
            task_id, f"server {task_id}", state, "MIGRATE_FILE", TaskError(code), progress=progress
        )

    def read_again(self, task_id: str) -> Task:
        """Return the same task."""
        return self.read_task(task_id)

    def list_tasks(self, project: str, most: Optional[int] = None) -> Listing:
        """Raise CloudError: the tasks are read by their ids."""
        raise CloudError("list the tasks", status=HTTPStatus.FORBIDDEN)

    def start_task(self, task_id: str) -> None:
        """Take a start."""

    def publish(self, message: Message) -> str:
        """Take a message."""
        return "message"

    moment: Optional[datetime] = None
    reopens = False

    def tail(self, name: str, size: int) -> Optional[Part]:
        """Return the end of an object."""
        data = self.objects.get(name)
        if data is None:
            return None
        begin = max(0, len(data) - size)
        return Part(data[begin:], begin)

    def get(self, name: str, begin: int = 0, end: Optional[int] = None) -> Optional[bytes]:
        """Return the bytes of an object between two places."""
        data = self.objects.get(name)
        return None if data is None else data[begin:end]

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append to a day's object."""
        self.objects[name] = self.objects.get(name, b"") + data


def _seconds(work: Callable[[], object]) -> float:
    def once() -> Iterator[float]:
        for _ in range(REPEATS):
            begun = time.perf_counter()
            work()
            yield time.perf_counter() - begun

    return min(once())


def figures(length: timedelta) -> List[Figure]:
    """Play both days, and return what reading them costs."""
    return [
        *_measured("a day on which nothing breaks", Day(length, lambda minute: None)),
        *_measured("a task breaks every five minutes", Day(length, _every_five_minutes)),
    ]


def _measured(name: str, day: Day) -> List[Figure]:
    data = day.play()
    now = MIDNIGHT + MINUTE * (day.minutes - 1)
    lines = data.splitlines()

    def read() -> object:
        return DailyJournal(day, now, str).read().memory

    bare = _seconds(lambda: [json.loads(line) for line in lines])
    whole = _seconds(read)
    tracemalloc.start()
    read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return [
        Figure(name, f"{len(lines)} lines, {len(data) / 1024:.0f} KiB"),
        Figure("... read and folded in", f"{whole * 1000:.1f} ms"),
        Figure("... to the bare json.loads of its lines", f"{whole / bare:.1f} x"),
        Figure("... peak of what is allocated", f"{peak / 2**20:.1f} MiB"),
    ]


def _every_five_minutes(minute: int) -> Optional[int]:
    return minute // 5 % TASKS if minute % 5 == 0 else None
