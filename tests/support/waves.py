"""Journals of many tasks over days, made of records as runs write them, without running any."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Dict, Iterator, List, Tuple

from sms_watch.journal.entries import Entry, EntryType
from sms_watch.model.notice import Outcome, Start
from sms_watch.model.task import Progress, TaskState
from sms_watch.rules.record import TaskRecord
from tests.support.builders import LINE_LOST, varied

BEGIN = datetime(2026, 11, 23, 18, tzinfo=timezone.utc)
DAYS = 3
EVERY = timedelta(minutes=8)  # as often as runs take samples
HOUR = timedelta(hours=1)
OUTAGES = ((20.0, 22.5), (44.0, 47.0))  # hours since the beginning
GB = 10**9
COPY = "MIGRATE_LINUX_FILE"
PLACES = ("kuala-lumpur-web", "production-db", "office-file-server")


@dataclass(frozen=True)
class Server:
    """One server of a wave: when its copy begins, in hours, and how many hours it takes."""

    id: str
    begin: float
    takes: float
    size: int
    synchronises: bool
    stays_failed: bool

    def copied(self, hours: float) -> float:
        """Return the share that is copied by then; an outage stops it."""
        lost = sum(max(min(hours, end) - max(self.begin, since), 0.0) for since, end in OUTAGES)
        return min(max(hours - self.begin - lost, 0.0) / self.takes, 1.0)

    def state(self, hours: float) -> str:
        """Return its state by then."""
        if hours < self.begin:
            return TaskState.READY
        if self.copied(hours) >= 1:
            return TaskState.SYNCING if self.synchronises else TaskState.MIGRATE_SUCCESS
        last = len(OUTAGES) - 1
        for number, (since, end) in enumerate(OUTAGES):
            if since <= hours < (1e9 if self.stays_failed and number == last else end):
                return TaskState.MIGRATE_FAIL
        return TaskState.RUNNING


def servers(number: int) -> List[Server]:
    """Return the servers of a wave, each of its own."""
    return [
        Server(
            str(uuid.UUID(int=n * 2**96 + n)),
            n * 37 % 480 / 20,
            8 + n * 61 % 900 / 10,
            (40 + n * 83 % 2000) * GB,
            n % 4 == 0,
            n % 50 == 7,
        )
        for n in range(number)
    ]


def wave(number: int, every: timedelta = EVERY) -> Iterator[Entry]:
    """Yield the lines of a journal of so many tasks over three days, with a sample so often."""
    watched = servers(number)
    known: Dict[str, TaskRecord] = {}
    for tick in range(DAYS * 24 * HOUR // every):
        at = BEGIN + tick * every
        tasks, starts = _changed(watched, known, at)
        known.update(tasks)
        if tasks:
            yield Entry(EntryType.PLAN, at, f"run-{tick}", f"n-{tick}", tasks=tasks, starts=starts)
        if starts:
            done = {each: replace(start, outcome=Outcome.DONE) for each, start in starts.items()}
            yield Entry(EntryType.ACK, at, f"run-{tick}", f"a-{tick}", starts=done)


def _changed(
    watched: List[Server], known: Dict[str, TaskRecord], at: datetime
) -> Tuple[Dict[str, TaskRecord], Dict[str, Start]]:
    tasks: Dict[str, TaskRecord] = {}
    starts: Dict[str, Start] = {}
    for number, server in enumerate(watched):
        hours = (at - BEGIN) / HOUR
        state, share = server.state(hours), server.copied(hours)
        before = known.get(server.id) or TaskRecord("", at, f"{PLACES[number % 3]}-{number:04}")
        here = before
        if state != before.state:
            code = LINE_LOST if state == TaskState.MIGRATE_FAIL else ""
            here = varied(replace(before, state=state, since=at), code=code)
        if state == TaskState.MIGRATE_FAIL and here is not before:
            starts[server.id] = Start(f"{at:%Y%m%d}-{number}-0-start", Outcome.UNKNOWN)
        if state == TaskState.RUNNING:
            progress = Progress(3, int(100 * share), int(server.size * share), COPY)
            here = replace(here, movement=here.movement.moved(progress, 200.0, at))
        if here is not before:
            tasks[server.id] = here
    return tasks, starts
