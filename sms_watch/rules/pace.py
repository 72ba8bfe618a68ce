"""How fast a copy gets on, and how long the rest of it takes. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Iterator, NamedTuple, Optional, Sequence, Tuple

WHOLE = 100  # percent
# An advance is measured over at least this much, for a percentage comes in whole numbers.
LEAST_PERCENT = 2
LEAST_SPAN = timedelta(minutes=10)
# A rest that takes longer is no forecast: a copy that creeps will not go on creeping for years.
FARTHEST = timedelta(days=365)
# How even an advance is shows in parts of it that are so long, and so many percent.
LEAST_PART, LEAST_PERCENT_OF_PART = 1 / 8, 5
# Further ahead than so many times what was measured nobody is sure: it may be this factor more or
# less. To no more than the last factor is doubt told at all.
FAR_AHEAD, UNSURE, MOST_UNSURE = 10, 1.5, 3.0

Place = Tuple[datetime, int]


class Left(NamedTuple):
    """The time left of a copy, in seconds: what its advance leads to, the least, and the most."""

    seconds: int
    least: int
    most: int


@dataclass(frozen=True)
class Pace:
    """How far a copy was at some moments, oldest first, and how far it goes.

    In bytes, or in percent. A number may be more than what it says by less than ``grain``.
    """

    places: Sequence[Place]
    whole: int = WHOLE
    grain: int = 1

    def left(self) -> Optional[Left]:
        """Return the time left; ``None`` if too little was measured, or next to nothing moved.

        The least and the most are what the fastest and the slowest part of it lead to.
        """
        if len(self.places) < 2:
            return None
        (begin, first), (end, last) = self.places[0], self.places[-1]
        span, done = end - begin, last - first
        if span < LEAST_SPAN or done < max(1, LEAST_PERCENT * self.grain):
            return None
        speed = done / span.total_seconds()
        seconds = max(self.whole - last, 0) / speed
        if seconds > FARTHEST.total_seconds():
            return None
        factors = [each / speed for each in (*self._bounds(span, done), *self._parts(span))]
        factors += [UNSURE, 1 / UNSURE] if seconds > FAR_AHEAD * span.total_seconds() else []
        least = seconds / min(max(factors), MOST_UNSURE)
        most = seconds / max(min(factors), 1 / MOST_UNSURE)
        return Left(round(seconds), math.floor(least), math.ceil(most))

    def _bounds(self, span: timedelta, done: int) -> Tuple[float, float]:
        """Return between which speeds it was as a whole, as far as the numbers tell."""
        seconds = span.total_seconds()
        return (done - self.grain) / seconds, (done + self.grain) / seconds

    def _parts(self, span: timedelta) -> Iterator[float]:
        """Yield the speeds of the parts that are long enough to say something."""
        for (begin, before), (end, after) in zip(self.places, self.places[1:]):
            long = end - begin >= max(LEAST_SPAN, LEAST_PART * span)
            if long and after - before >= LEAST_PERCENT_OF_PART * self.grain:
                yield (after - before) / (end - begin).total_seconds()
