"""How much all tasks together have copied, over time, as far as their bytes are known. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Iterator, List, Sequence, Tuple

from sms_watch_cli.report.story import Gap, Story

Sum = Tuple[datetime, float]
STEPS = 240  # in which the time is summed up
RECENT = timedelta(hours=2)  # by which a task goes on
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True)
class Volume:
    """The bytes that were copied, summed up over the tasks ``known``.

    ``strokes`` are stretches of the sum, cut where nobody saw the tasks; ``ahead`` is what is
    expected after them. A task counts with what was last known of it, and before that with what
    was first known: the sum is one of the same tasks at any time.
    """

    known: int = 0
    strokes: Tuple[Tuple[Sum, ...], ...] = ()
    ahead: Tuple[Sum, ...] = ()

    @property
    def copied(self) -> float:
        """What was copied in the end."""
        return self.strokes[-1][-1][1] if self.strokes else 0.0

    @property
    def most(self) -> float:
        """The highest of all sums, also of those that are expected."""
        return max((sum_ for each in (*self.strokes, self.ahead) for _, sum_ in each), default=0.0)


def volume(stories: Sequence[Story], gaps: Sequence[Gap], begin: datetime, end: datetime) -> Volume:
    """Sum up what tasks have copied between two moments; ``gaps`` are common to all of them."""
    known = [points for points in map(_known, stories) if points]
    if not known:
        return Volume()
    moments = _moments(gaps, begin, end)
    sums = [sum(each) for each in zip(*(_course(points, moments) for points in known))]
    strokes = tuple(_cut(list(zip(moments, sums)), gaps))
    return Volume(len(known), strokes, tuple(_ahead(stories, (end, sums[-1]))))


def size(amount: float) -> str:
    """Return a number of bytes as people say it: ``1.2 TB``."""
    unit = 0
    while amount >= 1000 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.1f} {UNITS[unit]}" if amount < 10 and unit else f"{amount:.0f} {UNITS[unit]}"


def _known(story: Story) -> List[Tuple[datetime, int]]:
    return [(point.at, point.copied) for point in story.points if point.copied is not None]


def _moments(gaps: Sequence[Gap], begin: datetime, end: datetime) -> List[datetime]:
    steps = {begin + (end - begin) * step / STEPS for step in range(STEPS + 1)}
    return sorted(steps.union(*((gap.begin, gap.end) for gap in gaps)))


def _course(points: Sequence[Tuple[datetime, int]], moments: Sequence[datetime]) -> Iterator[float]:
    """Yield what a task had copied at each moment, evenly between two points.

    Fewer bytes than before are those of a copy that began anew: nothing is taken off before that.
    """
    last = 0
    for moment in moments:
        while last < len(points) and points[last][0] <= moment:
            last += 1
        if last in (0, len(points)):
            yield points[min(last, len(points) - 1)][1]
        else:
            (since, low), (until, high) = points[last - 1], points[last]
            yield low + max(high - low, 0) * ((moment - since) / (until - since))


def _cut(sums: Sequence[Sum], gaps: Sequence[Gap]) -> Iterator[Tuple[Sum, ...]]:
    """Yield the stretches between gaps."""
    begins = [sums[0][0], *(gap.end for gap in gaps)]
    ends = [*(gap.begin for gap in gaps), sums[-1][0]]
    for begin, end in zip(begins, ends):
        yield tuple((at, amount) for at, amount in sums if begin <= at <= end)


def _ahead(stories: Sequence[Story], now: Sum) -> Iterator[Sum]:
    """Yield how the sum goes on, if each task goes on as it lately did until its end.

    Where nothing is known of how they go on, there is nothing.
    """
    at, amount = now
    going = sorted(
        (story.end.at, _gain(_known(story), story.end.at) / (story.end.at - at).total_seconds())
        for story in stories
        if story.end is not None and story.end.at > at
    )
    speed = sum(own for _, own in going)
    if not speed:
        return
    for end, own in going:
        if end > at:
            yield at, amount
            at, amount = end, amount + speed * (end - at).total_seconds()
        speed -= own
    yield at, amount


def _gain(points: Sequence[Tuple[datetime, int]], end: datetime) -> float:
    """Return the bytes that a task copies from the last that is known of it until its end."""
    lately = _lately(points)
    if len(lately) < 2:
        return 0.0
    (since, before), (at, copied) = lately[0], lately[-1]
    return (copied - before) * ((end - at) / (at - since))


def _lately(points: Sequence[Tuple[datetime, int]]) -> Sequence[Tuple[datetime, int]]:
    """Return the last points of a copy: those of its last hours, or two."""
    begins = [
        place for place in range(1, len(points)) if points[place][1] < points[place - 1][1]
    ]  # anew, for bytes are only lost when a task is reset
    copy = points[begins[-1] if begins else 0 :]
    recent = [(at, copied) for at, copied in copy if copy[-1][0] - at <= RECENT]
    return recent if len(recent) > 1 else copy[-2:]
