"""What a chart shows where: the time from left to right, and of one task what befell it. Pure.

Charts stretch with the page, so all of their words stand outside of them. They have the same time
from left to right, so that what is above each other was at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from sms_watch.model.task import Phase
from sms_watch_cli.report.curve import Place, area, boxes, line, simplified
from sms_watch_cli.report.facts import Facts
from sms_watch_cli.report.standing import CUT_OVER, kind_of
from sms_watch_cli.report.story import Band, Gap, Mark, Start, Story
from sms_watch_cli.report.volume import Sum, Volume

WIDTH, HEIGHT = 1000.0, 100.0  # units of a chart, whatever its size
TICKS = 5
LEAST = timedelta(hours=1)  # that a chart shows; of less, the times below it would be all the same
SHOWN = (Phase.FAILED, Phase.ROLLED_BACK, Phase.PAUSED, CUT_OVER, Phase.FINISHED)
NEAR = 1.0  # percent: they come in whole numbers, so a line is no more exact
MOST_PLACES, LEAST_PLACES = 1_000, 12  # of the curve of a task, in all of its strokes
ALL_PLACES = 20_000  # that the curves of all tasks share
EMPTY: Dict[str, Any] = {"bands": [], "starts": "", "refused": ""}  # of what no single task has


@dataclass(frozen=True)
class Window:
    """The time that charts show: what was, up to ``now``, and what is expected after it."""

    begin: datetime
    now: datetime
    end: datetime

    @classmethod
    def of(cls, facts: Facts) -> Window:
        """Return the window of a page. What is to come has no more room than what was."""
        begin = min(facts.begin, facts.end - LEAST)
        ends = [story.end.at for story in facts.stories if story.end is not None]
        farthest = max([*ends, facts.end])
        return cls(begin, facts.end, min(farthest, facts.end + (facts.end - begin)))

    def x(self, at: datetime) -> float:
        """Return where a moment is; one that is not shown is at the side that it is beyond."""
        return min(max((at - self.begin) / (self.end - self.begin), 0.0), 1.0) * WIDTH

    def ticks(self, zone: tzinfo) -> Iterator[Tuple[str, str]]:
        """Yield day and hour of the moments that stand below a chart, at even distances."""
        for tick in range(TICKS):
            at = self.begin + (self.end - self.begin) * tick / (TICKS - 1)
            local = at.astimezone(zone)
            yield f"{local:%d %b}", f"{local:%H:%M}"

    def cut(self, course: Sequence[Tuple[datetime, float]]) -> List[Tuple[datetime, float]]:
        """Return a course as far as the window has it."""
        shown = [each for each in course if each[0] <= self.end]
        if shown and len(shown) < len(course):
            (since, low), (until, high) = shown[-1], course[len(shown)]
            share = (self.end - since) / (until - since)
            shown.append((self.end, low + (high - low) * share))
        return shown


def places(tasks: int) -> int:
    """Return how many places a curve may have where so many tasks have one."""
    return max(LEAST_PLACES, min(MOST_PLACES, ALL_PLACES // max(tasks, 1)))


def drawn(story: Story, window: Window, most: int) -> Dict[str, Any]:
    """Return the shapes of the chart of one task, as the data of paths."""
    strokes = [_stroke(stroke, window) for stroke in story.strokes]
    return {
        "bands": _bands(story.events, window),
        **hatched(story.gaps, window),
        **_curves(simplified(strokes, NEAR, most)),
        "ahead": _ahead(story, window),
        "starts": _starts(story.starts, window, accepted=True),
        "refused": _starts(story.starts, window, accepted=False),
    }


def summed(told: Volume, gaps: Sequence[Gap], window: Window) -> Dict[str, Any]:
    """Return the shapes of the chart of what all tasks have copied, and ``most``, its height."""
    ahead = window.cut(told.ahead)
    most = max(amount for each in (*told.strokes, ahead) for _, amount in each)

    def curve(sums: Sequence[Sum]) -> List[Place]:
        return [(window.x(at), HEIGHT - amount / most * HEIGHT) for at, amount in sums]

    def near(strokes: Sequence[Sequence[Sum]]) -> List[List[Place]]:
        return simplified([curve(each) for each in strokes], NEAR / 2, MOST_PLACES)

    return {
        "most": most,
        **EMPTY,
        **hatched(gaps, window),
        **_curves(near(told.strokes)),
        "ahead": line(*near([ahead])) if ahead else "",
    }


def hatched(gaps: Sequence[Gap], window: Window) -> Dict[str, str]:
    """Return where nobody saw anything: what is covered up there, and the line to hatch."""
    spans = [(window.x(gap.begin), window.x(gap.end)) for gap in gaps]
    middle = HEIGHT / 2
    return {
        "unseen": boxes(spans, HEIGHT),
        "gaps": "".join(f"M{begin:.0f} {middle:.0f}H{end:.0f}" for begin, end in spans),
    }


def _curves(strokes: Sequence[Sequence[Place]]) -> Dict[str, str]:
    return {
        "area": "".join(area(stroke, HEIGHT) for stroke in strokes),
        "curve": "".join(map(line, strokes)),
    }


def _bands(bands: Sequence[Band], window: Window) -> List[Tuple[str, str]]:
    """Return the boxes of each kind of band. Their edges show where one is short."""
    named: Dict[str, List[Tuple[float, float]]] = {}
    for band in bands:
        named.setdefault(_name(band), []).append((window.x(band.begin), window.x(band.end)))
    return [(name, boxes(spans, HEIGHT)) for name, spans in named.items()]


def _name(band: Band) -> str:
    if band.stalled:
        return band.state
    name = kind_of(band)
    return name if name in SHOWN else "other"


def _stroke(stroke: Sequence[Mark], window: Window) -> List[Place]:
    return [(window.x(point.at), HEIGHT - point.percent) for point in stroke]


def _ahead(story: Story, window: Window) -> str:
    if story.end is None or not story.strokes:
        return ""
    last = story.strokes[-1][-1]
    ahead = window.cut([(last.at, HEIGHT - last.percent), (story.end.at, 0.0)])
    return line([(window.x(at), y) for at, y in ahead])


def _starts(starts: Sequence[Start], window: Window, accepted: bool) -> str:
    at = dict.fromkeys(round(window.x(each.at)) for each in starts if each.accepted is accepted)
    return "".join(f"M{x} 88v12" for x in at)
