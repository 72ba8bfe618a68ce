"""When nobody saw how the tasks were, by the evidence of the journal. Pure.

That nothing was written is no such evidence by itself: a quiet run writes nothing. But of a task
that runs every few minutes a sample is written, or that it does not move.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple

from sms_watch.journal.entries import Entry
from sms_watch.rules.gaps import LEAST_GAP, is_followed
from sms_watch.rules.record import WatchRecord
from sms_watch_cli.report.story import Gap

# By then a run has written a sample, or that it looks out for a stall (three quarters of an hour at
# the usual STALL_MINUTES). A slow timer takes longer: some of its periods.
QUIET, PERIODS = timedelta(hours=1), 3
SAME_RUN = timedelta(minutes=1)  # lines that are no farther apart tell nothing of the timer
BLIND = "nothing could be read"
UNREAD = "the task could not be read"
SILENT = "nothing was recorded"


@dataclass
class _Spans:
    """Spans that begin and end with lines of the journal; the last one may be open."""

    spans: List[Tuple[datetime, Optional[datetime]]] = field(default_factory=list)

    def note(self, since: Optional[datetime], at: datetime) -> None:
        """Take in a line, and since when something lasts by it, if it does."""
        lasts = bool(self.spans) and self.spans[-1][1] is None
        if since is not None and not lasts:
            self.spans.append((min(since, at), None))
        elif since is None and lasts:
            begin = self.spans[-1][0]
            self.spans[-1] = (begin, max(begin, at))

    def gaps(self, end: datetime, why: str) -> Iterator[Gap]:
        """Yield them as gaps."""
        for since, until in self.spans:
            yield Gap(since, end if until is None else until, why)


@dataclass
class Gaps:
    """Gathers from the lines of a journal, oldest first, when nobody saw how the tasks were."""

    _blind: _Spans = field(default_factory=_Spans)
    _unread: Dict[str, _Spans] = field(default_factory=dict)
    _quiet: List[Tuple[datetime, datetime]] = field(default_factory=list)
    _expected: Set[str] = field(default_factory=set)
    _last: Optional[datetime] = None

    def add(self, entry: Entry) -> None:
        """Take in a line."""
        if self._last is not None and self._expected and entry.at - self._last > SAME_RUN:
            self._quiet.append((self._last, entry.at))
        self._last = max(self._last or entry.at, entry.at)
        if entry.watch is not None:
            self._note(entry.watch, entry.at)
        for task_id, record in entry.tasks.items():
            expect = self._expected.add if is_followed(record) else self._expected.discard
            expect(task_id)

    def _note(self, watch: WatchRecord, at: datetime) -> None:
        self._blind.note(watch.blind_since, at)
        for task_id in {*self._unread, *watch.unread}:
            sight = watch.unread.get(task_id)
            self._unread.setdefault(task_id, _Spans()).note(sight.since if sight else None, at)
        self._expected -= {*watch.unread, *watch.absent}

    def of_all(self, begin: datetime, end: datetime) -> Tuple[Gap, ...]:
        """Return the spans between two moments in which no task was seen."""
        return _joined([*self._blind.gaps(end, BLIND), *self._silences(end)], begin, end)

    def of(
        self, task_id: str, common: Sequence[Gap], begin: datetime, end: datetime
    ) -> Tuple[Gap, ...]:
        """Return the spans in which a task was not seen: the ``common`` ones, and its own."""
        own = self._unread.get(task_id, _Spans()).gaps(end, UNREAD)
        return _joined([*common, *own], begin, end)

    def _silences(self, end: datetime) -> Iterator[Gap]:
        quiet = list(self._quiet)
        usual = timedelta(seconds=median(map(_seconds, quiet))) if quiet else timedelta(0)
        if self._last is not None and self._expected:
            quiet.append((self._last, end))
        for since, until in quiet:
            if until - since > max(QUIET, PERIODS * usual):
                yield Gap(since, until, SILENT)


def _seconds(span: Tuple[datetime, datetime]) -> float:
    return (span[1] - span[0]).total_seconds()


def _joined(gaps: Sequence[Gap], begin: datetime, end: datetime) -> Tuple[Gap, ...]:
    """Return the gaps between two moments, those that overlap as one, and no passing faults."""
    joined: List[Gap] = []
    for gap in sorted(gaps, key=lambda gap: gap.begin):
        held = replace(gap, begin=max(gap.begin, begin), end=min(gap.end, end))
        if held.span < LEAST_GAP:
            continue
        if joined and held.begin <= joined[-1].end:
            joined[-1] = replace(joined[-1], end=max(joined[-1].end, held.end))
        else:
            joined.append(held)
    return tuple(joined)
