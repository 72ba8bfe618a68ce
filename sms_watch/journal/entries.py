"""The journal: what a line holds, and how lines add up to a memory. Pure.

A line is one JSON object. A *plan* is written before anything is done, an *ack* after, a
*snapshot* holds the whole memory and begins each day, a *seal* ends one. Plan and ack hold whole
records, so folding is replacing: reading the same lines always gives the same memory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Tuple

from sms_watch.errors import JournalError
from sms_watch.journal import codec
from sms_watch.model.notice import Notice, Position, Start
from sms_watch.model.strenum import StrEnum
from sms_watch.rules.record import Lease, Memory, TaskRecord, WatchRecord

VERSION = 1


class EntryType(StrEnum):
    """What a line is for."""

    SNAPSHOT = "snapshot"
    PLAN = "plan"
    ACK = "ack"
    SEAL = "seal"


@dataclass(frozen=True)
class Delivery:
    """A message that was published, and the events that it told."""

    message_id: str
    event_ids: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One line of the journal.

    ``run`` is the request id of the run that wrote it, ``nonce`` tells this line from every other.
    ``tasks`` and ``watch`` replace what was remembered; ``notices`` are pending from here on until
    a later line lists their ids as ``delivered``. ``starts``, by task id, are those intended in a
    plan, and in an ack what became of them. An ack of the run that holds the ``lease`` ends it.
    """

    type: EntryType
    at: datetime
    run: str
    nonce: str
    tasks: Mapping[str, TaskRecord] = field(default_factory=dict)
    watch: Optional[WatchRecord] = None
    notices: Tuple[Notice, ...] = ()
    delivered: Optional[Delivery] = None
    starts: Mapping[str, Start] = field(default_factory=dict)
    lease: Optional[Lease] = None


@dataclass(frozen=True)
class JournalReading:
    """The journal as it was read.

    ``position`` is where the next entry goes. ``damaged`` counts the lines that could not be
    used; ``snapshot_lost`` tells that one of them held the memory as a whole. ``expiring`` tells
    that the newest entry is so old that a later run would no longer find it.
    """

    entries: Tuple[Entry, ...]
    position: Position
    damaged: int = 0
    snapshot_lost: bool = False
    expiring: bool = False
    warnings: Tuple[str, ...] = ()


def as_it_is(value: Any) -> Any:
    """Return the value: nothing in it is hidden."""
    return value


def encode(entry: Entry, redact: Callable[[Any], Any] = as_it_is) -> bytes:
    """Return one entry as one line, with its line end; ``redact`` hides what must not be in it.

    What an older line has remembered may hold what is a key by now.
    """
    data = redact({"v": VERSION, **codec.dump(entry)})
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"


def decode(line: bytes) -> Entry:
    """Return the entry in one line.

    Raises ValueError if the line is not whole or not valid, JournalError if a newer version of the
    watchdog wrote it: to go on would mean to act without knowing what it knew.
    """
    try:
        data = json.loads(line.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    version = data.get("v") if isinstance(data, dict) else None
    if type(version) is not int:
        raise ValueError("without a version")
    if version > VERSION:
        raise JournalError(
            f"the journal was written in format {version} by a newer sms_watch, this one knows"
            f" format {VERSION}; nothing was done: deploy the newer version again, or name"
            " another place in JOURNAL_URI"
        )
    return codec.load(Entry, data)


def fold(entries: Iterable[Entry]) -> Memory:
    """Return what entries, oldest first, add up to."""
    tasks: Dict[str, TaskRecord] = {}
    outbox: Dict[str, Notice] = {}
    watch = WatchRecord()
    lease: Optional[Lease] = None
    for entry in entries:
        if entry.type is EntryType.SEAL:
            continue
        if entry.type is EntryType.SNAPSHOT:
            tasks, outbox, watch = {}, {}, WatchRecord()
        tasks.update(entry.tasks)
        outbox.update((notice.event_id, notice) for notice in entry.notices)
        if entry.delivered is not None:
            for event_id in entry.delivered.event_ids:
                outbox.pop(event_id, None)
        if entry.type is EntryType.ACK:
            outbox = {key: notice.knowing(entry.starts) for key, notice in outbox.items()}
        watch = entry.watch or watch
        # An ack that comes late, from a run that was thought dead, leaves the lease of the run
        # that took over alone.
        if entry.type is not EntryType.ACK or (lease is not None and entry.run == lease.holder):
            lease = entry.lease
    return Memory(tasks, outbox, watch, lease)


def snapshot(memory: Memory, at: datetime, run: str, nonce: str) -> Entry:
    """Return the entry that holds a whole memory: folding it alone gives the memory again."""
    return Entry(
        EntryType.SNAPSHOT,
        at,
        run,
        nonce,
        tasks=memory.tasks,
        watch=memory.watch,
        notices=tuple(memory.outbox.values()),
        lease=memory.lease,
    )
