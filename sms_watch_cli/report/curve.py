"""Curves of few points that show where something moved and where it stood. Pure."""

from __future__ import annotations

import heapq
import itertools
from typing import Iterator, List, Sequence, Tuple

Place = Tuple[float, float]


def simplified(curves: Sequence[Sequence[Place]], near: float, most: int) -> List[List[Place]]:
    """Return of each curve the places from which it can be drawn.

    What is left out lies no farther than ``near`` above or below the line, so a level stretch
    stays level and a bend stays where it was. If that takes more than ``most`` places of all
    curves, those stay without which a line would be the farthest off. The first and the last of
    each curve always stay.
    """
    whole = [place for curve in curves for place in curve]
    ends = list(itertools.accumulate(map(len, curves), initial=0))
    spans = [(begin, end - 1) for begin, end in zip(ends, ends[1:])]
    kept = {place for span in spans for place in span}
    farthest = [each for span in spans for each in _farthest(whole, *span)]
    heapq.heapify(farthest)
    while farthest and len(kept) < most:
        off, begin, bend, end = heapq.heappop(farthest)
        if -off <= near:
            break
        kept.add(bend)
        for each in (*_farthest(whole, begin, bend), *_farthest(whole, bend, end)):
            heapq.heappush(farthest, each)
    return [[whole[at] for at in range(begin, end + 1) if at in kept] for begin, end in spans]


def _farthest(
    curve: Sequence[Place], begin: int, end: int
) -> Iterator[Tuple[float, int, int, int]]:
    """Yield the place between two others that is the farthest off the line between them.

    It comes as a heap has it, the farthest first.
    """
    (left, low), (right, high) = curve[begin], curve[end]
    slope = (high - low) / (right - left) if right > left else 0.0
    between = range(begin + 1, end)
    if between:
        offs = [abs(curve[place][1] - low - slope * (curve[place][0] - left)) for place in between]
        off = max(offs)
        yield -off, begin, begin + 1 + offs.index(off), end


def line(curve: Sequence[Place]) -> str:
    """Return a line as the data of a path (SVG, "Path data"), in whole units and short."""
    here = _rounded(curve[0])
    steps: List[str] = []
    for place in map(_rounded, curve[1:]):
        if place != here:
            steps.append(f"{place[0] - here[0]} {place[1] - here[1]}")
        here = place
    x, y = _rounded(curve[0])
    # A dot is a line as short as can be.
    return f"M{x} {y}l{' '.join(steps)}" if steps else f"M{x} {y}h.1"


def area(curve: Sequence[Place], floor: float) -> str:
    """Return what lies below a line as the data of a path."""
    return f"{line(curve)}V{floor:.0f}H{curve[0][0]:.0f}z"


def boxes(spans: Sequence[Tuple[float, float]], height: float) -> str:
    """Return spans as boxes of the whole height, open at the bottom, as the data of a path."""
    ends = dict.fromkeys((round(begin), round(end)) for begin, end in spans)
    return "".join(f"M{begin} {height:.0f}V0H{end}V{height:.0f}" for begin, end in ends)


def _rounded(place: Place) -> Tuple[int, int]:
    return round(place[0]), round(place[1])
