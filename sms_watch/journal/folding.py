"""How lines add up to a memory, one after the other. Pure.

A record is decoded once, from the last line that has it whole: of a thousand tasks in a long tail
that is a tenth of the work. What is found to be no record then is looked for line by line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from sms_watch.journal.entries import Entry, EntryType, after, decode, expand, read
from sms_watch.rules.record import Memory, TaskRecord, WatchRecord

# A record as it is written in lines: whole, then by what changed, each with its line's entry.
Forms = List[Tuple[Any, Entry]]


@dataclass(frozen=True)
class Folded:
    """What lines add up to.

    ``damaged`` counts those that could not be used. ``complete``: a snapshot was among the others,
    so that nothing is missing that lines before them hold; ``topic`` is that of the last. ``last``
    is the last entry, without its records.
    """

    memory: Memory
    damaged: int = 0
    complete: bool = False
    last: Optional[Entry] = None
    topic: str = ""

    def after(self, entry: Entry, topic: str) -> Folded:
        """Return it with one more entry, which has this topic if it is a snapshot."""
        begins = entry.type is EntryType.SNAPSHOT
        return Folded(
            after(self.memory, entry),
            self.damaged,
            self.complete or begins,
            replace(entry, tasks={}),
            topic if begins else self.topic,
        )

    def without_a_line(self) -> Folded:
        """Return it with one more line that cannot be used."""
        return replace(self, damaged=self.damaged + 1)


def fold_lines(parts: Sequence[bytes]) -> Folded:
    """Return what the lines in parts of objects, oldest first, add up to.

    Raise JournalError if a newer version of the watchdog wrote one of them.
    """
    try:
        return _quickly(parts)
    except ValueError:
        return _carefully(parts)


def replay(parts: Iterable[bytes]) -> Iterator[Optional[Entry]]:
    """Return the entries of all lines, with whole records; ``None`` for one that cannot be used.

    Raise JournalError if a newer version of the watchdog wrote one of them.
    """
    known: Dict[str, TaskRecord] = {}
    watch = WatchRecord()
    for line in _lines(parts):
        try:
            entry = decode(line, Memory(known, watch=watch))
        except ValueError:
            yield None
            continue
        if entry.type is EntryType.SNAPSHOT:
            known, watch = {}, WatchRecord()
        if entry.type is not EntryType.SEAL:
            known.update(entry.tasks)
            watch = entry.watch or watch
        yield entry


def lines_of(part: bytes) -> Iterator[bytes]:
    """Return the lines of a part of an object, without their ends."""
    begin = 0
    while begin < len(part):
        end = part.find(b"\n", begin)
        end = len(part) if end < 0 else end
        yield part[begin:end]
        begin = end + 1


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from lines_of(part)


def _quickly(parts: Sequence[bytes]) -> Folded:
    """Fold lines. Raise ValueError if one of the records that are left is not valid."""
    folded = Folded(Memory())
    written: Dict[str, Forms] = {}
    for text in _lines(parts):
        try:
            line = read(text)
        except ValueError:
            folded = folded.without_a_line()
            continue
        entry = line.after(folded.memory)
        folded = folded.after(entry, line.mark.topic)
        written = {} if entry.type is EntryType.SNAPSHOT else written
        if entry.type is not EntryType.SEAL:  # which changes nothing, whatever it has
            _write(written, line.forms, entry)
    records = ((task_id, _record(task_id, forms)) for task_id, forms in written.items())
    tasks = {task_id: record for task_id, record in records if record is not None}
    return replace(folded, memory=replace(folded.memory, tasks=tasks).settled())


def _write(written: Dict[str, Forms], forms: Any, entry: Entry) -> None:
    for task_id, form in forms.items():
        if isinstance(form, dict):
            written[task_id] = []
        written.setdefault(task_id, []).append((form, entry))


def _record(task_id: str, forms: Forms) -> Optional[TaskRecord]:
    record: Optional[TaskRecord] = None
    for form, entry in forms:
        record = expand(form, task_id, entry, record) or record
    return record


def _carefully(parts: Sequence[bytes]) -> Folded:
    """Fold lines, each of them decoded whole."""
    folded = Folded(Memory())
    for text in _lines(parts):
        try:
            entry, topic = decode(text, folded.memory), read(text).mark.topic
        except ValueError:
            folded = folded.without_a_line()
            continue
        folded = folded.after(entry, topic)
    return replace(folded, memory=folded.memory.settled())
