"""What a page tells of one task: its states, its curve, its starts, and what was not seen. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple, Optional, Sequence, Tuple

from sms_watch.model.forecast import End
from sms_watch.model.notice import Outcome
from sms_watch.model.task import Phase, TaskState
from sms_watch.rules.forecast import Expected

# Stands for a state where there is no task.
GONE = ""
# Stand for states in which it does not move, though it should: it runs, or something is done to it.
STALLED, HANGING = "stalled", "hanging"
# When people are there to press Start themselves; what is mended outside of it is time saved.
MORNING, EVENING = 8, 18  # hours, local
# In these states somebody should look at a task, worst first.
NEED = (Phase.FAILED, Phase.ROLLED_BACK, Phase.UNKNOWN)
# What everybody means by it: the page, the scoreboard of a simulated night, and the digest.
HOURS_LOST = (
    "Hours lost: how long tasks stood failed, all told, whether or not a restart would have helped,"
    " counted from the run that first saw a failure to the run that saw it over."
)
RESTS = len(NEED) + 1


def hours(span: timedelta) -> str:
    """Return a span in hours, as it stands in a table."""
    return f"{span / timedelta(hours=1):,.1f}"


class Mark(NamedTuple):
    """How far a sub-task was at a moment, in percent."""

    at: datetime
    percent: int


class Point(NamedTuple):
    """What was read at a moment: how far a sub-task was, in percent, and the bytes copied."""

    at: datetime
    percent: Optional[int]
    sub_task: str = ""
    copied: Optional[int] = None


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
    one of them was accepted, and the task went on. ``stalled``: it stood within another state.
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

    def until(self, moment: datetime) -> timedelta:
        """Return how long it had lasted at a moment, or at its end if that was before."""
        return max(min(self.end, moment) - self.begin, timedelta(0))


@dataclass(frozen=True)
class Gap:
    """A span in which nobody saw how the task was; ``why`` says what the journal tells of it."""

    begin: datetime
    end: datetime
    why: str

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
    """What became of one task.

    ``strokes`` are stretches of its curve in percent, ``points`` all that is known of how far it
    was when, ``gaps`` the spans in which it was not seen. A state that began or ended in a gap has
    the moments at which it was seen. ``expected`` is its part in the forecast, ``None`` if it has
    none.
    """

    id: str
    name: str
    bands: Tuple[Band, ...]
    strokes: Tuple[Tuple[Mark, ...], ...]
    starts: Tuple[Start, ...]
    failures: int
    lost: timedelta
    saved: timedelta
    gaps: Tuple[Gap, ...] = ()
    points: Tuple[Point, ...] = ()
    expected: Optional[Expected] = None

    @property
    def end(self) -> Optional[End]:
        """When its copy is expected to be done, as far as that was measured."""
        return self.expected.end if self.expected else None

    def named(self, name: str) -> Story:
        """Return it by another name, also where it is the last one of a forecast."""
        end = replace(self.end, name=name) if self.end else None
        return replace(self, name=name, expected=self.expected and self.expected._replace(end=end))

    @property
    def state(self) -> Band:
        """The state it was in at the end."""
        return [band for band in self.bands if not band.stalled][-1]

    @property
    def percent(self) -> Optional[int]:
        """How far it was when it was last written down."""
        return self.strokes[-1][-1].percent if self.strokes else None

    @property
    def unseen_since(self) -> Optional[datetime]:
        """When it was last seen, if that was before the end."""
        last = self.gaps[-1] if self.gaps else None
        return last.begin if last and last.end == self.state.end else None

    @property
    def needs_look(self) -> bool:
        """Whether somebody should look at it: it goes no further, and nobody wanted that."""
        return self.rank < RESTS

    @property
    def still(self) -> Optional[Band]:
        """The stall or the hang in which it is at the end."""
        stalls = (band for band in self.bands if band.stalled and band.end == self.state.end)
        return next(stalls, None)

    @property
    def rank(self) -> int:
        """Its place by how much somebody is needed; from ``RESTS`` on nobody is."""
        phase = self.state.phase
        if phase in NEED:
            return NEED.index(phase)
        halted = phase is Phase.PAUSED and self.state.codes
        return len(NEED) if self.still or halted else RESTS + (phase is not Phase.PAUSED)

    def gap_before(self, band: Band) -> Optional[Gap]:
        """Return the gap at whose end a state was first seen."""
        return next((gap for gap in self.gaps if gap.begin < band.begin == gap.end), None)

    def gap_at_end(self, band: Band) -> Optional[Gap]:
        """Return the gap in which a state ended, nobody knows when."""
        return next(
            (gap for gap in self.gaps if band.begin <= gap.begin and gap.end == band.end), None
        )

    @property
    def events(self) -> Tuple[Band, ...]:
        """What befell it: all bands but those in which it made its first copy."""
        return tuple(band for band in self.bands if band.stalled or not _copies(band))


def _copies(band: Band) -> bool:
    return band.phase is Phase.MOVING and band.state != TaskState.SYNCING


def saved(
    bands: Sequence[Band], end: datetime, zone: tzinfo, gaps: Sequence[Gap] = ()
) -> timedelta:
    """Return how long a task moved, or was finished, where it would have waited for the morning.

    A failure outside of working hours would have kept it until somebody comes, whatever befell it
    in between: those hours count once. One in working hours saves nothing, for somebody is there;
    neither does one that no start of the watchdog mended. That it moved in a gap nobody saw.
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
        well = sum((_well(each, band.end, counted, gaps) for each in bands), timedelta(0))
        total += max(well, timedelta(0))
    return total


def _well(band: Band, begin: datetime, end: datetime, gaps: Sequence[Gap]) -> timedelta:
    """Return how long, between two moments, a band is one of moving or of having finished.

    A stall lies within a band in which the task ran, so it is taken off.
    """
    if band.phase not in (Phase.MOVING, Phase.FINISHED):
        return timedelta(0)
    since, until = max(band.begin, begin), min(band.end, end)
    well = max(until - since, timedelta(0))
    if band.phase is Phase.MOVING:
        well -= sum((_overlap(gap, since, until) for gap in gaps), timedelta(0))
    return -well if band.stalled else well


def _overlap(gap: Gap, begin: datetime, end: datetime) -> timedelta:
    return max(min(gap.end, end) - max(gap.begin, begin), timedelta(0))
