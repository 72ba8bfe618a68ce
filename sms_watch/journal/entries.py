"""The journal: what a line holds, and how entries add up to a memory. Pure.

A line is one JSON object. A *plan* is written before anything is done, an *ack* after, a
*snapshot* holds the whole memory, a *seal* ends an object. Entries hold whole records, so folding
is replacing: reading the same lines always gives the same memory. In its line a record is written
by what changed, where that is a sample of its progress or the outcome of its start, and so is that
of the watching (``changes``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Callable, Dict, Iterable, Mapping, NamedTuple, NoReturn, Optional, Tuple

from sms_watch.errors import JournalError
from sms_watch.journal import codec
from sms_watch.journal.changes import Changes, bare
from sms_watch.model.notice import KINDS, Notice, Outcome, Position, Start
from sms_watch.model.strenum import StrEnum
from sms_watch.rules.record import Lease, Memory, TaskRecord, WatchRecord

VERSION = 1
MOST_VERSIONS = 1000  # a higher number is no version
NOTHING = Memory()


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
    a later line lists their ids as ``delivered``; a snapshot lists there, without a message, what
    was told earlier and is open. ``starts``, by task id, are those intended in a
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
class Mark:
    """What a line says of the object that it stands in.

    ``base`` is where the newest snapshot begins that is not behind this line, in bytes, and
    ``count`` which append to the object this one was. ``next`` is the object that follows a seal,
    ``topic`` the one that is told what a snapshot remembers.
    """

    base: Optional[int] = None
    count: int = 0
    next: str = ""
    topic: str = ""


class Line(NamedTuple):
    """A line as it was read: its entry without the records, and these as they are written there.

    ``changes`` are those of the record of the watching, which is bare; ``None`` if it is whole.
    """

    entry: Entry
    mark: Mark
    forms: Mapping[str, Any]
    changes: Optional[Changes] = None

    def after(self, memory: Memory) -> Entry:
        """Return the entry with the whole record of the watching, after what was remembered."""
        watch = self.entry.watch
        if watch is None or self.changes is None:
            return self.entry
        before = NOTHING if self.entry.type is EntryType.SNAPSHOT else memory
        return replace(self.entry, watch=self.changes.applied(watch, before.watch))


@dataclass(frozen=True)
class JournalReading:
    """The journal as it was read.

    ``position`` is where the next entry goes. ``at`` is when it was read, by the clock of the
    store; ``None`` if that has none. ``damaged`` counts the lines that could not be used;
    ``snapshot_lost`` tells that a part of the memory is gone with one of them. ``expiring`` tells
    that the newest entry is so old that a later run would no longer find it. ``last`` is the last
    entry, without its records.
    """

    memory: Memory
    position: Position
    at: Optional[datetime] = None
    damaged: int = 0
    snapshot_lost: bool = False
    expiring: bool = False
    warnings: Tuple[str, ...] = ()
    last: Optional[Entry] = None


# Lines


def as_it_is(value: Any) -> Any:
    """Return the value: nothing in it is hidden."""
    return value


def encode(
    entry: Entry,
    known: Memory = NOTHING,
    mark: Optional[Mark] = None,
    redact: Callable[[Any], Any] = as_it_is,
) -> bytes:
    """Return one entry as one line, with its line end; ``known`` is what was remembered so far.

    A snapshot builds on nothing, so that all of its records are written whole.
    ``redact`` hides what must not be in it: what an older line has remembered may hold what is a
    key by now.
    """
    known = NOTHING if entry.type is EntryType.SNAPSHOT else known
    watch = bare(entry.watch) if entry.watch else None
    rest = codec.dump(replace(entry, tasks={}, watch=watch))
    data = {"v": VERSION, **codec.dump(mark or Mark()), **rest}
    if entry.watch:
        data["changes"] = codec.dump(Changes.between(known.watch, entry.watch))
    forms = {
        task_id: _form(task_id, record, known.tasks.get(task_id), entry)
        for task_id, record in entry.tasks.items()
        if record != known.tasks.get(task_id)
    }
    text = json.dumps(
        redact({**data, "tasks": forms} if forms else data),
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    return text.encode(errors="replace") + b"\n"


def decode(line: bytes, known: Memory = NOTHING) -> Entry:
    """Return the entry in one line; records are whole, as far as what they build on is ``known``.

    Raise ValueError if the line is not whole or not valid, JournalError if a newer version of the
    watchdog wrote it: to go on would mean to act without knowing what it knew.
    """
    found = read(line)
    entry = found.after(known)
    tasks: Dict[str, TaskRecord] = {}
    for task_id, form in found.forms.items():
        record = expand(form, task_id, entry, known.tasks.get(task_id))
        if record is not None:
            tasks[task_id] = record
    return replace(entry, tasks=tasks)


def read(line: bytes) -> Line:
    """Return a line without looking into its records. Raise as ``decode`` does."""
    try:
        data = DECODER.decode(line.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    version = data.get("v") if isinstance(data, dict) else None
    if type(version) is not int or not 0 < version < MOST_VERSIONS:
        raise ValueError("without a version")
    if version > VERSION:
        raise JournalError(
            f"the journal was written in format {version} by a newer sms_watch, this one knows"
            f" format {VERSION}; nothing was done: deploy the newer version again, or name"
            " another place in JOURNAL_URI"
        )
    forms, form = data.pop("tasks", {}), data.pop("changes", None)
    if not isinstance(forms, dict):
        raise ValueError("without tasks")
    if isinstance(data.get("notices"), list):
        data["notices"] = [row for row in data["notices"] if not _is_of_later_kind(row)]
    changes = None if form is None else codec.load(Changes, form)
    return Line(codec.load(Entry, data), codec.load(Mark, data), forms, changes)


def _is_of_later_kind(row: Any) -> bool:
    """Return whether a notice is of a kind that only a later version of the watchdog can tell."""
    kind = row.get("kind") if isinstance(row, dict) else None
    return isinstance(kind, str) and kind not in KINDS


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


DECODER = json.JSONDecoder(parse_constant=_refuse)


# Records in lines: whole, or by what changed


class _Step(NamedTuple):
    """A sample of a task that is at the same sub-task as before: percent, bytes and Mbit/s."""

    percent: Optional[int]
    copied: Optional[int]
    speed: Optional[float]


def _form(task_id: str, record: TaskRecord, known: Optional[TaskRecord], entry: Entry) -> Any:
    """Return a record as it is written: by what changed, if that says all of it."""
    if known is not None:
        for change in _changes(task_id, record, entry):
            if expand(change, task_id, entry, known) == record:
                return change
    return codec.dump(record)


def _changes(task_id: str, record: TaskRecord, entry: Entry) -> Iterable[Any]:
    start, movement = entry.starts.get(task_id), record.movement
    if entry.type is EntryType.ACK and start is not None:
        yield str(start.outcome)
    if movement.last_progress is not None and movement.samples:
        here = movement.last_progress
        yield codec.dump(_Step(here.percent, here.copied, movement.samples[-1].speed))


def expand(
    form: Any, task_id: str, entry: Entry, known: Optional[TaskRecord]
) -> Optional[TaskRecord]:
    """Return the record that is written in a line; ``None`` if what it builds on is not known.

    Raise ValueError if it is not valid.
    """
    if isinstance(form, dict):
        return codec.load(TaskRecord, form)
    if isinstance(form, list):
        return _sampled(codec.load(_Step, form), entry, known)
    return _settled(codec.load(Outcome, form), entry.starts.get(task_id), known)


def _sampled(step: _Step, entry: Entry, known: Optional[TaskRecord]) -> Optional[TaskRecord]:
    if known is None or known.movement.last_progress is None:
        return None
    here = replace(known.movement.last_progress, percent=step.percent, copied=step.copied)
    return replace(known, movement=known.movement.moved(here, step.speed, entry.at))


def _settled(
    outcome: Outcome, start: Optional[Start], known: Optional[TaskRecord]
) -> Optional[TaskRecord]:
    if known is None or start is None or start.id != known.starts.last_id:
        return None
    return known.settled(outcome, known.uncounted())


# What entries add up to


def fold(entries: Iterable[Entry]) -> Memory:
    """Return what entries, oldest first, add up to: what lines that are folded must agree with."""
    memory = Memory()
    for entry in entries:
        memory = after(memory, entry)
    return memory.settled()


def after(memory: Memory, entry: Entry) -> Memory:
    """Return what is remembered after one more entry, before it is settled."""
    if entry.type is EntryType.SEAL:
        return memory
    if entry.type is EntryType.SNAPSHOT:
        memory = Memory(lease=memory.lease)
    outbox = {**memory.outbox, **{notice.event_id: notice for notice in entry.notices}}
    delivered = entry.delivered.event_ids if entry.delivered else ()
    for event_id in delivered:
        outbox.pop(event_id, None)
    told = memory.told.union(delivered, *(notice.tells_of for notice in entry.notices))
    lease = entry.lease
    if entry.type is EntryType.ACK:
        outbox = {key: notice.knowing(entry.starts) for key, notice in outbox.items()}
        # One that comes late, from a run that was thought dead, leaves the lease of the run that
        # took over alone.
        ends = memory.lease is not None and entry.run == memory.lease.holder
        lease = entry.lease if ends else memory.lease
    watch = entry.watch or memory.watch
    return Memory({**memory.tasks, **entry.tasks}, outbox, watch, lease, told)


def snapshot(memory: Memory, at: datetime, run: str, nonce: str) -> Entry:
    """Return the entry that holds a whole memory: folding it alone gives the memory again."""
    told = sorted(memory.settled().told - memory.outbox.keys())
    return Entry(
        EntryType.SNAPSHOT,
        at,
        run,
        nonce,
        tasks=memory.tasks,
        watch=memory.watch,
        notices=tuple(memory.outbox.values()),
        delivered=Delivery("", tuple(told)) if told else None,
        lease=memory.lease,
    )
