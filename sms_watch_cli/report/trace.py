"""From the records of one task, line by line, to its story. Pure."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from sms_watch.model.notice import Notice
from sms_watch.model.task import BROKEN, PHASES, Phase
from sms_watch.rules.forecast import Expected, Standing, expected_by
from sms_watch.rules.movement import Sample
from sms_watch.rules.pace import WHOLE
from sms_watch.rules.record import TaskRecord
from sms_watch.text import clean
from sms_watch_cli.report.story import (
    GONE,
    HANGING,
    STALLED,
    Band,
    Gap,
    Mark,
    Point,
    Start,
    Story,
    saved,
)


def points(record: TaskRecord, before: Sequence[Sample], at: datetime) -> Iterator[Point]:
    """Yield how far a task was by the samples of a record that were not there before.

    No sample was taken later than the record was written, at ``at``.
    """
    for sample in record.movement.samples:
        percent = None if sample.percent is None else min(sample.percent, WHOLE)
        if sample not in before and (percent, sample.copied) != (None, None):
            yield Point(min(sample.at, at), percent, sample.sub_task, sample.copied)


class _Stand(NamedTuple):
    """A span in which a task stood where nothing should; the last one may be open."""

    since: datetime
    until: Optional[datetime]
    why: str


@dataclass
class Trace:
    """What is gathered of one task.

    ``spans`` are the beginnings of its states, oldest first, with the codes of a failure; ``seen``
    is the last of them as the records have it, ``record`` the last record.
    """

    id: str
    name: str = ""
    spans: List[Tuple[datetime, str, Tuple[str, ...]]] = field(default_factory=list)
    seen: Optional[Tuple[datetime, str]] = None
    record: Optional[TaskRecord] = None
    curve: Dict[datetime, Point] = field(default_factory=dict)
    starts: List[Start] = field(default_factory=list)
    stands: List[_Stand] = field(default_factory=list)

    def add(self, record: TaskRecord, at: datetime) -> None:
        """Take what a record says, written at a moment, than which nothing in it is later."""
        before = self.record.movement.samples if self.record else ()
        self.curve.update((point.at, point) for point in points(record, before, at))
        self.name, self.record = record.name or self.name, record
        codes = (record.failure.code,) if record.failure.code else ()
        if self.seen != (record.since, record.state):
            began = at if self._goes_on(record) else min(record.since, at)
            self.seen = (record.since, record.state)
            self._begin(record.state, began, codes)
        elif not self.is_gone and not set(codes) <= set(self.spans[-1][2]):
            since, state, known = self.spans[-1]
            self.spans[-1] = (since, state, known + codes)
        self._stand(record, at)

    def _goes_on(self, record: TaskRecord) -> bool:
        """Return whether a task moves on in another state, which to a record is the same one."""
        known = self.seen is not None and self.seen[0] == record.since
        return known and record.phase is Phase.MOVING

    def _stand(self, record: TaskRecord, at: datetime) -> None:
        """Take in whether the task stands where nothing should, and since when."""
        why = STALLED if record.movement.stall else HANGING if record.hang else ""
        if self.stands and self.stands[-1].until is None:
            last = self.stands[-1]
            if last.why == why:
                return
            self.stands[-1] = last._replace(until=max(last.since, at))
        if why:
            self.stands.append(_Stand(min(record.still_since or at, at), None, why))

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
        """Begin a state, no earlier than the one before; being paused and paused are one."""
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
            here = task.progress
            point = Point(min(notice.at, at), here.shown, here.sub_task, here.copied)
            self.curve.setdefault(point.at, point)

    def story(self, begin: datetime, end: datetime, zone: tzinfo, unseen: Sequence[Gap]) -> Story:
        """Return what became of the task between two moments; ``unseen`` is when it was not read.

        Hours are lost from the run that first saw it failed to the one that saw it otherwise, or
        that looked last: as the digest counts them.
        """
        bands = [*self._bands(begin, end), *self._stalled(begin, end)]
        bands.sort(key=lambda band: band.begin)
        gaps = [gap for gap in unseen if _concerns(gap, bands)]
        looked = gaps[-1].begin if gaps and gaps[-1].end == end else end
        failed = [band for band in bands if band.phase in BROKEN]
        points = [self.curve[at] for at in sorted(self.curve) if begin <= at <= end]
        return Story(
            self.id,
            clean(self.name) or self.id,
            tuple(bands),
            tuple(_strokes(points, bands, gaps)),
            tuple(start for start in self.starts if begin <= start.at <= end),
            len(failed),
            sum((band.until(looked) for band in failed), timedelta(0)),
            saved(bands, end, zone, gaps),
            tuple(gaps),
            tuple(points),
            self._expected(looked == end),
        )

    def _expected(self, seen: bool) -> Optional[Expected]:
        """Return its part in the forecast; of one that was not seen lately nothing is known."""
        if self.record is None or self.is_gone:
            return None
        return expected_by(self.id, self.record) if seen else Expected(Standing.UNREAD)

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
        """Return the starts of a failure: also one at its end, unless that begins another."""
        return tuple(
            start
            for start in self.starts
            if since <= start.at < until or (start.at == until and following not in BROKEN)
        )

    def _stalled(self, begin: datetime, end: datetime) -> Iterator[Band]:
        for since, until, why in self.stands:
            if since <= end and (until or end) >= begin:
                within = max(since, begin), min(until or end, end)
                phase = Phase.MOVING if why == STALLED else Phase.BUSY
                yield Band(*within, why, phase, stalled=True)


def _strokes(
    points: Sequence[Point], bands: Sequence[Band], gaps: Sequence[Gap]
) -> Iterator[Tuple[Mark, ...]]:
    """Cut the curve where the task did not run, was not seen, or began another sub-task."""
    resting = [band for band in bands if band.phase is not Phase.MOVING]
    breaks = sorted([*(band.begin for band in resting), *(gap.begin for gap in gaps)])
    strokes: Dict[Tuple[int, str], List[Mark]] = {}
    for point in points:
        rests = any(band.begin < point.at < band.end for band in resting)
        if point.percent is not None and not rests:
            stretch = (bisect.bisect_left(breaks, point.at), point.sub_task)
            strokes.setdefault(stretch, []).append(Mark(point.at, point.percent))
    yield from map(tuple, map(_bends, strokes.values()))


def _concerns(gap: Gap, bands: Sequence[Band]) -> bool:
    """Return whether a gap hides anything: it began after the task was known, and before its end.

    What has finished or is gone stays so, whether anybody looks or not.
    """
    before = [band for band in bands if band.begin <= gap.begin and not band.stalled]
    return bool(before) and before[-1].phase not in (Phase.FINISHED, Phase.GONE)


def _bends(stroke: Sequence[Mark]) -> Iterator[Mark]:
    """Leave out the points that lie within a level stretch, for they change no line."""
    for place, point in enumerate(stroke):
        around = stroke[max(0, place - 1) : place + 2]
        if len(around) < 3 or any(each.percent != point.percent for each in around):
            yield point


def _phase(state: str) -> Phase:
    return PHASES.get(state, Phase.UNKNOWN) if state != GONE else Phase.GONE
