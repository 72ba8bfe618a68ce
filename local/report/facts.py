"""What the lines of a journal tell of each task: how far it was when, and what befell it. Pure.

The journal has whole records of the tasks that a line is about, so what a task did is the union
of what its records say.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from sms_watch.journal.entries import Entry, EntryType
from sms_watch.messages.compose import RunContext, compose
from sms_watch.model.notice import Notice, Outcome
from sms_watch.model.task import BROKEN, PHASES, Phase
from sms_watch.rules.movement import WHOLE
from sms_watch.rules.record import TaskRecord, WatchRecord
from sms_watch.text import clean

# Stands for a state where there is no task.
GONE = ""
# When people are there to press Start themselves; what is mended outside of it is time saved.
MORNING, EVENING = 8, 18  # hours, local


@dataclass(frozen=True)
class Point:
    """How far a sub-task was at a moment, in percent."""

    at: datetime
    percent: int
    sub_task: str = ""


@dataclass(frozen=True)
class Start:
    """A start that was intended, and what became of it."""

    at: datetime
    outcome: Outcome

    @property
    def accepted(self) -> bool:
        """Whether the service took it."""
        return self.outcome is Outcome.DONE


@dataclass(frozen=True)
class Band:
    """A span in which a task was in one state.

    ``codes`` are those of a failure, first to last, ``starts`` those sent within it; ``mended``:
    one of them was accepted, and the task went on. ``stalled``: it ran, and did not move.
    """

    begin: datetime
    end: datetime
    state: str
    phase: Phase
    codes: Tuple[str, ...] = ()
    starts: Tuple[Start, ...] = ()
    mended: bool = False
    stalled: bool = False

    @property
    def span(self) -> timedelta:
        """How long it lasted."""
        return self.end - self.begin


@dataclass(frozen=True)
class Sent:
    """A message that was published."""

    at: datetime
    subject: str


@dataclass(frozen=True)
class Story:
    """What became of one task. ``strokes`` are stretches of its curve, without gaps."""

    id: str
    name: str
    bands: Tuple[Band, ...]
    strokes: Tuple[Tuple[Point, ...], ...]
    starts: Tuple[Start, ...]
    failures: int
    lost: timedelta
    saved: timedelta

    @property
    def state(self) -> Band:
        """The state it was in at the end."""
        return [band for band in self.bands if not band.stalled][-1]

    @property
    def percent(self) -> Optional[int]:
        """How far it was when it was last written down."""
        return self.strokes[-1][-1].percent if self.strokes else None

    @property
    def events(self) -> Tuple[Band, ...]:
        """What befell it: all bands but those in which it ran."""
        return tuple(band for band in self.bands if band.stalled or band.phase is not Phase.MOVING)


@dataclass(frozen=True)
class Facts:
    """What a journal tells of the time from ``begin`` to ``end``."""

    begin: datetime
    end: datetime
    stories: Tuple[Story, ...]
    messages: Tuple[Sent, ...]

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
    traces: Dict[str, _Trace] = {}
    starts, messages = _Starts(), _Messages(zone)
    for entry in _held_to(end, entries):
        first = min(first, entry.at)
        starts.add(entry)
        messages.add(entry)
        _trace(traces, entry)
    for task_id, start in starts.all():
        traces.setdefault(task_id, _Trace(task_id)).starts.append(start)
    first = max(begin, first)
    stories = [trace.story(first, end, zone) for trace in traces.values() if trace.spans]
    stories.sort(key=lambda story: (-story.lost, story.name, story.id))
    sent = sorted((each for each in messages.sent if each.at >= first), key=lambda each: each.at)
    return Facts(first, end, tuple(stories), tuple(sent))


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


def _trace(traces: Dict[str, _Trace], entry: Entry) -> None:
    """Take from a line what it says of each task."""
    for task_id, record in entry.tasks.items():
        traces.setdefault(task_id, _Trace(task_id)).add(record, entry.at)
    if entry.watch is not None:
        _note_absence(traces, entry.watch, entry.at)
    for notice in entry.notices:
        if notice.task is not None:
            traces.setdefault(notice.task.id, _Trace(notice.task.id)).hear(notice, entry.at)


def _note_absence(traces: Dict[str, _Trace], watch: WatchRecord, at: datetime) -> None:
    """Note which tasks were told to be gone by a moment; the records say nothing of that."""
    gone = {task_id: sight for task_id, sight in watch.absent.items() if sight.event_id}
    for task_id, sight in gone.items():
        traces.setdefault(task_id, _Trace(task_id)).leave(min(sight.since, at))
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
        if entry.delivered:
            about = [self.known.pop(each, None) for each in entry.delivered.event_ids]
            told = [notice for notice in about if notice is not None]
            subject = _subject(told, entry, entry.delivered.message_id, self.zone)
            self.sent.append(Sent(entry.at, subject))


def _subject(notices: Sequence[Notice], entry: Entry, message_id: str, zone: tzinfo) -> str:
    if not notices:
        return f"message {message_id}"
    subject = compose(notices, RunContext(entry.run, entry.at, zone, "")).subject
    return subject.rpartition(" - ")[0] or subject


def points(record: TaskRecord, at: datetime) -> Iterator[Point]:
    """Return what a record, written at a moment, says of how far its task was."""
    for sample in record.movement.samples:
        if sample.percent is not None:
            yield Point(min(sample.at, at), min(sample.percent, WHOLE), sample.sub_task)


@dataclass
class _Trace:
    """What is gathered of one task.

    ``spans`` are the beginnings of its states, oldest first, with the codes of a failure; ``seen``
    is the last of them as the records have it.
    """

    id: str
    name: str = ""
    spans: List[Tuple[datetime, str, Tuple[str, ...]]] = field(default_factory=list)
    seen: Optional[Tuple[datetime, str]] = None
    curve: Dict[datetime, Point] = field(default_factory=dict)
    starts: List[Start] = field(default_factory=list)
    stalls: List[Tuple[datetime, Optional[datetime]]] = field(default_factory=list)

    def add(self, record: TaskRecord, at: datetime) -> None:
        """Take what a record says, written at a moment, than which nothing in it is later."""
        self.name = record.name or self.name
        self.curve.update((point.at, point) for point in points(record, at))
        codes = (record.failure.code,) if record.failure.code else ()
        if self.seen != (record.since, record.state):
            self.seen = (record.since, record.state)
            self._begin(record.state, min(record.since, at), codes)
        elif not self.is_gone and not set(codes) <= set(self.spans[-1][2]):
            since, state, known = self.spans[-1]
            self.spans[-1] = (since, state, known + codes)
        stalled = bool(self.stalls) and self.stalls[-1][1] is None
        if record.movement.stall and not stalled:
            self.stalls.append((min(record.movement.moved_at or at, at), None))
        elif stalled and not record.movement.stall:
            self.stalls[-1] = (self.stalls[-1][0], max(self.stalls[-1][0], at))

    def leave(self, since: datetime) -> None:
        """Take in that the task is gone."""
        if not self.is_gone:
            self._begin(GONE, since, ())

    def come_back(self, at: datetime) -> None:
        """Take in that it is not gone, and goes on as what it was."""
        if self.is_gone and len(self.spans) > 1:
            _, state, codes = self.spans[-2]
            self._begin(state, at, codes)

    @property
    def is_gone(self) -> bool:
        """Whether the task is told to be gone."""
        return bool(self.spans) and self.spans[-1][1] == GONE

    def _begin(self, state: str, since: datetime, codes: Tuple[str, ...]) -> None:
        """Let a state begin, no earlier than the one before; being paused and paused are one."""
        if self.spans:
            before, former, _ = self.spans[-1]
            since = max(since, before)
            if _phase(former) is _phase(state) is Phase.PAUSED:
                since = self.spans.pop()[0]
        self.spans.append((since, state, codes))

    def hear(self, notice: Notice, at: datetime) -> None:
        """Take from a notice, written at a moment, how far the task was then."""
        task = notice.task
        if task is not None and task.progress.shown is not None:
            point = Point(min(notice.at, at), task.progress.shown, task.progress.sub_task)
            self.curve.setdefault(point.at, point)

    def story(self, begin: datetime, end: datetime, zone: tzinfo) -> Story:
        """Tell what became of the task between two moments."""
        bands = [*self._bands(begin, end), *self._stalled(begin, end)]
        bands.sort(key=lambda band: band.begin)
        failed = [band for band in bands if band.phase in BROKEN]
        return Story(
            self.id,
            clean(self.name) or self.id,
            tuple(bands),
            tuple(self._strokes(bands, begin, end)),
            tuple(start for start in self.starts if begin <= start.at <= end),
            len(failed),
            sum((band.span for band in failed), timedelta(0)),
            saved(bands, end, zone),
        )

    def _bands(self, begin: datetime, end: datetime) -> Iterator[Band]:
        ends = [*(since for since, _, _ in self.spans[1:]), end]
        nexts = [*(_phase(state) for _, state, _ in self.spans[1:]), None]
        for (since, state, codes), until, following in zip(self.spans, ends, nexts):
            over = until < begin or (until == begin and following is not None)
            if over or since > end:
                continue
            starts = self._within(since, until, following) if _phase(state) in BROKEN else ()
            went_on = following in (Phase.MOVING, Phase.FINISHED)
            yield Band(
                max(since, begin),
                min(until, end),
                state,
                _phase(state),
                codes,
                starts,
                mended=went_on and any(start.accepted for start in starts),
            )

    def _within(
        self, since: datetime, until: datetime, following: Optional[Phase]
    ) -> Tuple[Start, ...]:
        """Give the starts of a failure: also one at its end, unless that begins another."""
        return tuple(
            start
            for start in self.starts
            if since <= start.at < until or (start.at == until and following not in BROKEN)
        )

    def _stalled(self, begin: datetime, end: datetime) -> Iterator[Band]:
        for since, until in self.stalls:
            if since <= end and (until or end) >= begin:
                within = max(since, begin), min(until or end, end)
                yield Band(*within, "stalled", Phase.MOVING, stalled=True)

    def _strokes(
        self, bands: Sequence[Band], begin: datetime, end: datetime
    ) -> Iterator[Tuple[Point, ...]]:
        """Cut the curve where the task did not run, or where another sub-task began."""
        resting = [band for band in bands if band.phase is not Phase.MOVING]
        breaks = sorted(band.begin for band in resting)
        strokes: Dict[Tuple[int, str], List[Point]] = {}
        for at in sorted(self.curve):
            rests = any(band.begin < at < band.end for band in resting)
            if begin <= at <= end and not rests:
                point = self.curve[at]
                stretch = (bisect.bisect_left(breaks, at), point.sub_task)
                strokes.setdefault(stretch, []).append(point)
        yield from (tuple(_bends(stroke)) for stroke in strokes.values())


def _bends(stroke: Sequence[Point]) -> Iterator[Point]:
    """Leave out the points that lie within a level stretch, for they change no line."""
    for place, point in enumerate(stroke):
        around = stroke[max(0, place - 1) : place + 2]
        if len(around) < 3 or any(each.percent != point.percent for each in around):
            yield point


def _phase(state: str) -> Phase:
    return PHASES.get(state, Phase.UNKNOWN) if state != GONE else Phase.GONE


def saved(bands: Sequence[Band], end: datetime, zone: tzinfo) -> timedelta:
    """Say how long a task moved, or was finished, where it would have waited for the morning.

    A failure outside of working hours would have kept it until somebody comes, whatever befell it
    in between: those hours count once. One in working hours saves nothing, for somebody is there;
    neither does one that no start of the watchdog mended.
    """
    total, counted = timedelta(0), bands[0].begin if bands else end
    for band in bands:
        local = band.begin.astimezone(zone)
        if not band.mended or band.begin < counted or MORNING <= local.hour < EVENING:
            continue
        morning = local.replace(hour=MORNING, minute=0, second=0, microsecond=0)
        if local.hour >= EVENING:
            morning += timedelta(days=1)
        counted = min(morning, end)
        well = sum((_well(each, band.end, counted) for each in bands), timedelta(0))
        total += max(well, timedelta(0))
    return total


def _well(band: Band, begin: datetime, end: datetime) -> timedelta:
    """Give how long, between two moments, a band is one of moving or of having finished.

    A stall lies within a band in which the task ran, so it is taken off.
    """
    if band.phase not in (Phase.MOVING, Phase.FINISHED):
        return timedelta(0)
    within = max(min(band.end, end) - max(band.begin, begin), timedelta(0))
    return -within if band.stalled else within
