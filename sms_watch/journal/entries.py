"""The journal: what a line holds, and how lines add up to a memory. Pure.

A line is one JSON object. A *plan* is written before anything is done, an *ack* after, a
*snapshot* holds the whole memory and begins each day, a *seal* ends one. Plan and ack hold whole
records, so folding is replacing: reading the same lines always gives the same memory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Dict, Iterable, Mapping, Optional, Tuple

from sms_watch.errors import JournalError
from sms_watch.journal import codec
from sms_watch.model.notice import Notice, Outcome
from sms_watch.model.strenum import StrEnum
from sms_watch.rules.record import Memory, TaskMemory, WatchMemory

VERSION = 1


class EntryType(StrEnum):
    """What a line is for."""

    SNAPSHOT = "snapshot"
    PLAN = "plan"
    ACK = "ack"
    SEAL = "seal"


@dataclass(frozen=True)
class Entry:
    """One line of the journal.

    ``run`` is the request id of the run that wrote it, ``nonce`` tells this line from every other.
    ``tasks`` and ``watch`` replace what was remembered; ``notices`` are owed from here on until a
    later line lists their ids as ``told``. ``starts`` and ``outcomes`` are for the reader: the
    counts are in ``tasks``. ``lease`` is until when the run ``holder`` (the writer, where it is
    not named) may be at work; an ack of that run ends it.
    """

    v: int
    type: EntryType
    at: datetime
    run: str
    nonce: str
    tasks: Mapping[str, TaskMemory] = field(default_factory=dict)
    watch: Optional[WatchMemory] = None
    notices: Tuple[Notice, ...] = ()
    told: Tuple[str, ...] = ()
    starts: Tuple[str, ...] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    message_id: str = ""
    lease: Optional[datetime] = None
    holder: str = ""


def encode(entry: Entry) -> bytes:
    """Write one entry as one line, with its line end."""
    text = json.dumps(codec.dump(entry), ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"


def decode(line: bytes) -> Entry:
    """Read one line.

    Raises ValueError when the line is not whole or not valid, JournalError when a newer version
    of the watchdog wrote it: to go on would mean to act without knowing what it knew.
    """
    try:
        data = json.loads(line.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    version = data.get("v") if isinstance(data, dict) else None
    if type(version) is int and version > VERSION:
        raise JournalError(
            f"the journal was written in format {version} by a newer sms_watch, this one knows"
            f" format {VERSION}; nothing was done: deploy the newer version again, or name"
            " another place in JOURNAL_URI"
        )
    return codec.load(Entry, data)


def fold(entries: Iterable[Entry]) -> Memory:
    """Add up entries, oldest first, to what is remembered."""
    tasks: Dict[str, TaskMemory] = {}
    outbox: Dict[str, Notice] = {}
    watch = WatchMemory()
    lease: Optional[datetime] = None
    holder = ""
    for entry in entries:
        if entry.type is EntryType.SEAL:
            continue
        if entry.type is EntryType.SNAPSHOT:
            tasks, outbox, watch = {}, {}, WatchMemory()
        tasks.update(entry.tasks)
        outbox.update((notice.event_id, notice) for notice in entry.notices)
        for event_id in entry.told:
            outbox.pop(event_id, None)
        watch = entry.watch or watch
        # An ack that comes late, from a run that was thought dead, leaves the lease of the run
        # that took over alone.
        if entry.type is not EntryType.ACK or entry.run == holder:
            lease, holder = entry.lease, (entry.holder or entry.run) if entry.lease else ""
    return Memory(tasks, outbox, watch, lease, holder)


def snapshot(memory: Memory, at: datetime, run: str, nonce: str) -> Entry:
    """Give the entry that holds a whole memory: folding it alone gives the memory again."""
    return Entry(
        VERSION,
        EntryType.SNAPSHOT,
        at,
        run,
        nonce,
        tasks=memory.tasks,
        watch=memory.watch,
        notices=tuple(memory.outbox.values()),
        lease=memory.lease,
        holder=memory.holder,
    )
