"""Journals on stores of every kind, and what tests do with them as runs do."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable, ContextManager, Dict, Iterator, List

import pytest

from sms_watch.adapters.file import FileStore
from sms_watch.adapters.obs import ObsStore
from sms_watch.journal.entries import Entry, EntryType, JournalReading
from sms_watch.journal.folding import replay
from sms_watch.journal.objects import DailyJournal
from sms_watch.journal.store import AppendStore, name_of
from sms_watch.model.notice import Position
from tests.support.builders import NOW, a_record
from tests.support.clouds import BUCKET, a_night, an_obs_store, set_time, stored_objects
from tests.support.fakes import FakeStore

DAY = timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0, minute=0) + DAY
TODAY, TOMORROW = "20261124", "20261125"
LONG = "x" * 900  # the name of a task that makes a record of a kilobyte
NONCES = itertools.count()


@contextmanager
def _in_memory(place: Path) -> Iterator[AppendStore]:
    yield FakeStore()


@contextmanager
def _in_files(place: Path) -> Iterator[AppendStore]:
    yield FileStore(place / "a" / "journal")


@contextmanager
def _on_obs(place: Path) -> Iterator[AppendStore]:
    with a_night(place) as night:
        night.storage.create(BUCKET, "ap-southeast-3", "private")
        with an_obs_store(night) as store:
            yield store


STORES: Dict[str, Callable[[Path], ContextManager[AppendStore]]] = {
    "memory": _in_memory,
    "file": _in_files,
    "obs": _on_obs,
}
# For fixtures: that on OBS starts a server for each test.
KINDS = ["memory", "file", pytest.param("obs", marks=pytest.mark.slow)]


def put(store: AppendStore, name: str, data: bytes) -> None:
    """Put other content in an object's place, as an accident would."""
    if isinstance(store, FakeStore):
        store.objects[name] = data
    elif isinstance(store, FileStore):
        (store._directory / name).write_bytes(data)
    else:
        stored_objects(store)[f"watch/{name}"].data = data


def a_journal(store: AppendStore, now: datetime = NOW, **more: Any) -> DailyJournal:
    """Return the journal of a run at a moment, which is that of the store's clock as well."""
    if isinstance(store, ObsStore):
        set_time(store, now)
    return DailyJournal(store, now, lambda: f"nonce-{next(NONCES)}", **more)


def an_entry(now: datetime = NOW, mark: str = "RUNNING", **fields: Any) -> Entry:
    """Return an entry that is told from others by the state in it."""
    entry = Entry(EntryType.PLAN, now, "run", f"entry-{next(NONCES)}")
    return replace(entry, **{"tasks": {"a": a_record(state=mark, since=NOW)}, **fields})


def append(store: AppendStore, now: datetime, mark: str, **more: Any) -> Position:
    """Read the journal and append to it, as a run does."""
    journal = a_journal(store, now, **more)
    return journal.append(an_entry(now, mark), journal.read().position)


def read(store: AppendStore, now: datetime = NOW) -> JournalReading:
    """Read the journal, as a run does."""
    return a_journal(store, now).read()


def mark_of(store: AppendStore, now: datetime = NOW) -> str:
    """Return the state that tells which entry was the last."""
    return read(store, now).memory.tasks["a"].state


def types_of(store: AppendStore, day: str = TODAY) -> List[str]:
    """Return what the lines of a day's object are."""
    data = store.get(name_of(day)) or b""
    return [str(entry.type) if entry else "damaged" for entry in replay([data])]


def long_entry(number: int, now: datetime = NOW, tasks: int = 10) -> Entry:
    """Return an entry of some kilobytes; entries of five numbers in a row are about other tasks."""
    about = (f"task-{number % 5}-{each}" for each in range(tasks))
    record = a_record(state=f"STATE-{number}", name=LONG, since=NOW)
    return an_entry(now, tasks=dict.fromkeys(about, record))


def fill(store: AppendStore, number: int, now: datetime = NOW, tasks: int = 10) -> List[Entry]:
    """Append entries of some kilobytes as one run after the other does; return them."""
    written = [long_entry(each, now, tasks) for each in range(number)]
    for entry in written:
        journal = a_journal(store, now)
        journal.append(entry, journal.read().position)
    return written


def lines_in(store: AppendStore, day: str = TODAY) -> List[bytes]:
    """Return the lines of a day's first object."""
    return (store.get(name_of(day)) or b"").splitlines(keepends=True)
