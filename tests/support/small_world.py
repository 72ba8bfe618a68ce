"""Runs of the watchdog in one small world, whose every call to the outside can be interfered with.

The rules, the run and the journal are the real ones; only the cloud and the store are fakes.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Optional, Tuple

from sms_watch.journal.objects import DailyJournal
from sms_watch.journal.store import Part
from sms_watch.messages.compose import RunContext
from sms_watch.model.notice import Message
from sms_watch.model.policy import Scope
from sms_watch.model.task import Listing, Task
from sms_watch.ports import Ports
from sms_watch.report import Result
from sms_watch.rules.record import Memory
from sms_watch.run import RunRequest, execute
from sms_watch.timetable import Timetable
from tests.support.builders import NOW, a_policy, a_task
from tests.support.fakes import FakeDeadline, FakePublisher, FakeService, FakeStore

TIMETABLE = Timetable(50)
# Told before and after each call to the outside: its name, and whether its effect is done.
Watch = Callable[[str, bool], None]


class SmallWorld:
    """Some failed tasks that no start brings back, a topic, and a journal."""

    def __init__(self, *task_ids: str, now: datetime = NOW) -> None:
        self.service = FakeService(*(a_task(id=task_id, name=task_id) for task_id in task_ids))
        self.service.stuck = set(task_ids)
        self.publisher = FakePublisher()
        self.store = FakeStore()
        self.task_ids = task_ids
        self.now = now
        self.starts: List[Tuple[str, datetime]] = []
        self._count = itertools.count()

    def run(self, watch: Optional[Watch] = None, now: Optional[datetime] = None) -> Result:
        """Do one run; ``watch`` sees its calls."""
        number, moment = next(self._count), now or self.now
        nonces = itertools.count()

        def nonce() -> str:
            return f"{number}-{next(nonces)}"

        outside = _WatchedRun(self, moment, watch or (lambda name, done: None))
        context = RunContext(f"run-{number}", moment, timezone.utc, "https://console.example/")
        return execute(
            RunRequest(context, Scope(self.task_ids), a_policy()),
            Ports(
                outside,
                outside,
                DailyJournal(outside, moment, nonce),
                FakeDeadline(TIMETABLE.budget),
                TIMETABLE,
                nonce,
                lambda text: text,
            ),
        )

    def memory(self, now: Optional[datetime] = None) -> Memory:
        """Return what is remembered."""
        journal = DailyJournal(self.store, now or self.now, lambda: "reader")
        return journal.read().memory

    @property
    def copies(self) -> Dict[str, int]:
        """How often each event was told."""
        told = [each for message in self.publisher.messages for each in message.event_ids]
        return {event_id: told.count(event_id) for event_id in told}


class _WatchedRun:
    """The outside of one run, with somebody watching each call."""

    reopens = False

    def __init__(self, world: SmallWorld, now: datetime, watch: Watch) -> None:
        self._world, self._now, self._watch = world, now, watch
        self._looked = False

    def _call(self, name: str, act: Callable[[], Any]) -> Any:
        self._watch(name, False)
        answer = act()
        self._watch(name, True)
        return answer

    def read_task(self, task_id: str) -> Task:
        task: Task = self._call("read", lambda: self._world.service.read_task(task_id))
        return task

    def read_again(self, task_id: str) -> Task:
        return self.read_task(task_id)

    def list_tasks(self, project: str, most: Optional[int] = None) -> Listing:
        listing: Listing = self._call("list", lambda: self._world.service.list_tasks(project))
        return listing

    def start_task(self, task_id: str) -> None:
        def start() -> None:
            self._world.service.start_task(task_id)
            self._world.starts.append((task_id, self._now))

        self._call("start", start)

    def publish(self, message: Message) -> str:
        name: str = self._call("publish", lambda: self._world.publisher.publish(message))
        return name

    @property
    def moment(self) -> Optional[datetime]:
        return self._world.store.moment

    def tail(self, name: str, size: int) -> Optional[Part]:
        # Of the looks at days without an object only the first is watched: there are thirty.
        if self._looked and name not in self._world.store.objects:
            return None
        self._looked = True
        part: Optional[Part] = self._call("get", lambda: self._world.store.tail(name, size))
        return part

    def get(self, name: str, begin: int = 0, end: Optional[int] = None) -> Optional[bytes]:
        data: Optional[bytes] = self._call("get", lambda: self._world.store.get(name, begin, end))
        return data

    def append(self, name: str, offset: int, data: bytes) -> None:
        self._call("append", lambda: self._world.store.append(name, offset, data))
