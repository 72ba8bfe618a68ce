"""What the lines of a journal tell of each task: how far it was when, and what befell it. Pure.

The journal has whole records of the tasks that a line is about, so what a task did is the union
of what its records say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Dict, Iterable, Iterator, List, Sequence, Tuple

from sms_watch.journal.entries import Entry, EntryType
from sms_watch.messages.compose import RunContext, compose
from sms_watch.model.forecast import Forecast
from sms_watch.model.notice import Notice, Outcome
from sms_watch.rules.forecast import forecast
from sms_watch.rules.record import WatchRecord
from sms_watch.text import clean
from sms_watch_cli.report.gaps import Gaps
from sms_watch_cli.report.standing import worst_first
from sms_watch_cli.report.story import Gap, Sent, Start, Story
from sms_watch_cli.report.trace import Trace


@dataclass(frozen=True)
class Facts:
    """What a journal tells of the time from ``begin`` to ``end``.

    The tasks that are worst off come first. ``gaps`` are the spans in which none of them was seen.
    """

    begin: datetime
    end: datetime
    stories: Tuple[Story, ...]
    messages: Tuple[Sent, ...]
    gaps: Tuple[Gap, ...] = ()

    @property
    def forecast(self) -> Forecast:
        """When the last copy will be done, as far as that was measured."""
        return forecast(story.expected for story in self.stories if story.expected is not None)

    @property
    def failures(self) -> int:
        """How often a task failed."""
        return sum(story.failures for story in self.stories)

    @property
    def starts(self) -> int:
        """How many starts were sent."""
        return sum(len(story.starts) for story in self.stories)

    @property
    def lost(self) -> timedelta:
        """How long tasks stood failed, all told."""
        return sum((story.lost for story in self.stories), timedelta(0))

    @property
    def saved(self) -> timedelta:
        """How long they moved, or were finished, where they would have waited for the morning."""
        return sum((story.saved for story in self.stories), timedelta(0))


def facts(entries: Iterable[Entry], begin: datetime, end: datetime, zone: tzinfo) -> Facts:
    """Gather what is told of the time between two moments; ``zone`` is where people work.

    ``entries`` are in the order of the journal. None of them is kept: there may be thousands, each
    with a thousand records. Whatever their times are, nothing is told that would be before
    ``begin``, after ``end``, or over before it began.
    """
    first = end
    traces: Dict[str, Trace] = {}
    starts, messages, gaps = _Starts(), _Messages(zone), Gaps()
    for entry in _held_to(end, entries):
        first = min(first, entry.at)
        starts.add(entry)
        messages.add(entry)
        gaps.add(entry)
        _trace(traces, entry)
    for task_id, start in starts.all():
        traces.setdefault(task_id, Trace(task_id)).starts.append(start)
    first = max(begin, first)
    common = gaps.of_all(first, end)
    stories = [
        trace.story(first, end, zone, gaps.of(trace.id, common, first, end))
        for trace in traces.values()
        if trace.spans
    ]
    stories = sorted(_told_apart(stories), key=worst_first)
    sent = sorted((each for each in messages.sent if each.at >= first), key=lambda each: each.at)
    return Facts(first, end, tuple(stories), tuple(sent), common)


def _told_apart(stories: Sequence[Story]) -> Iterator[Story]:
    """Yield the stories; where tasks have the same name, their ids stand behind it."""
    known = Counter(story.name for story in stories)
    for story in stories:
        same = known[story.name] > 1 and story.name != story.id
        yield story.named(f"{story.name} ({clean(story.id)})") if same else story


def _held_to(end: datetime, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the lines that tell of something, none of them later than ``end``.

    One from after the end had a clock that was ahead, or the end has one that is behind: it was
    written before the line behind it, and before the end.
    """
    ahead: List[Entry] = []
    for entry in entries:
        if entry.type is EntryType.SEAL:
            continue
        if entry.at > end:
            ahead.append(entry)
            continue
        yield from (replace(each, at=entry.at) for each in ahead)
        ahead.clear()
        yield entry
    yield from (replace(each, at=end) for each in ahead)


def _trace(traces: Dict[str, Trace], entry: Entry) -> None:
    """Take from a line what it says of each task."""
    for task_id, record in entry.tasks.items():
        traces.setdefault(task_id, Trace(task_id)).add(record, entry.at)
    if entry.watch is not None:
        _note_absence(traces, entry.watch, entry.at)
    for notice in entry.notices:
        if notice.task is not None:
            traces.setdefault(notice.task.id, Trace(notice.task.id)).hear(notice, entry.at)


def _note_absence(traces: Dict[str, Trace], watch: WatchRecord, at: datetime) -> None:
    """Note which tasks were told to be gone by a moment; the records say nothing of that."""
    gone = {task_id: sight for task_id, sight in watch.absent.items() if sight.event_id}
    for task_id, sight in gone.items():
        traces.setdefault(task_id, Trace(task_id)).leave(min(sight.since, at))
    for task_id in traces.keys() - gone.keys():
        traces[task_id].come_back(at)


@dataclass
class _Starts:
    """The starts that were planned, and by their ids what the same runs wrote down later."""

    planned: List[Tuple[str, str, datetime]] = field(default_factory=list)
    became: Dict[str, Outcome] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take in a line."""
        for task_id, start in entry.starts.items():
            if entry.type is EntryType.ACK:
                self.became[start.id] = start.outcome
            elif entry.type is EntryType.PLAN:
                self.planned.append((task_id, start.id, entry.at))

    def all(self) -> Iterator[Tuple[str, Start]]:
        """Yield all that were sent, by their tasks."""
        for task_id, start_id, at in self.planned:
            outcome = self.became.get(start_id, Outcome.UNKNOWN)
            if outcome is not Outcome.SKIPPED:
                yield task_id, Start(at, outcome)


@dataclass
class _Messages:
    """The messages, each with the subject that its notices make."""

    zone: tzinfo
    sent: List[Sent] = field(default_factory=list)
    known: Dict[str, Notice] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take in a line."""
        self.known.update((notice.event_id, notice) for notice in entry.notices)
        if entry.type is EntryType.ACK:
            for key, notice in self.known.items():
                self.known[key] = notice.knowing(entry.starts)
        if entry.delivered and entry.delivered.message_id:
            about = [self.known.pop(each, None) for each in entry.delivered.event_ids]
            told = [notice for notice in about if notice is not None]
            subject = _subject(told, entry, entry.delivered.message_id, self.zone)
            self.sent.append(Sent(entry.at, subject))


def _subject(notices: Sequence[Notice], entry: Entry, message_id: str, zone: tzinfo) -> str:
    if not notices:
        return f"message {message_id}"
    subject = compose(notices, RunContext(entry.run, entry.at, zone, "")).subject
    return subject.rpartition(" - ")[0] or subject
