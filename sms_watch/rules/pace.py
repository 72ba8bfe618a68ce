"""How fast a copy gets on, and how long the rest of it takes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Iterator, NamedTuple, Optional, Sequence, Tuple

WHOLE = 100  # percent
# An advance is measured over at least this much, for a percentage comes in whole numbers.
LEAST_PERCENT = 2
LEAST_SPAN = timedelta(minutes=10)
# A day has hours in which a line is slow and hours in which it is fast; the last two alone foretell
# badly.
OLD = timedelta(hours=24)
# A rest that takes longer is no forecast: a copy that creeps will not go on creeping for years.
FARTHEST = timedelta(days=365)
# How even an advance is shows in parts of it that are so long, and so many percent.
LEAST_PART, LEAST_PERCENT_OF_PART = 1 / 8, 5
# Further ahead than so many times what was measured nobody is sure: it may be this factor more or
# less. To no more than the last factor is doubt told at all.
FAR_AHEAD, UNSURE, MOST_UNSURE = 10, 1.5, 3.0

Place = Tuple[datetime, int]
Gain = Tuple[float, float]  # how much, and in how many seconds
NO_GAIN: Gain = (0, 0)


class Left(NamedTuple):
    """The time left of a copy, in seconds: what its advance leads to, the least, and the most."""

    seconds: int
    least: int
    most: int


class Stretches(NamedTuple):
    """How much was done, in how many seconds, before a task last failed or rested.

    ``percent`` and ``copied`` (bytes) are what was gained; ``None`` if that is not known.
    """

    sub_task: str
    seconds: float = 0
    percent: Optional[float] = None
    copied: Optional[float] = None

    @property
    def by_percent(self) -> Gain:
        """What is known of it in percent."""
        return NO_GAIN if self.percent is None else (self.percent, self.seconds)

    @property
    def by_bytes(self) -> Gain:
        """What is known of it in bytes."""
        return NO_GAIN if self.copied is None else (self.copied, self.seconds)

    def then(self, later: Stretches) -> Stretches:
        """Return both together, of the same sub-task; of the older no more than makes a day."""
        if self.sub_task != later.sub_task:
            return later
        share = share_of_day(self.seconds, later.seconds)
        return Stretches(
            self.sub_task,
            round(later.seconds + share * self.seconds),
            _sum(later.percent, self.percent, share),
            _sum(later.copied, self.copied, share),
        )


def share_of_day(older: float, newer: float) -> float:
    """Return how much of some seconds still counts, before newer ones."""
    day = OLD.total_seconds()
    return 1 if older <= 0 or older + newer <= day else max(day - newer, 0) / older


def _sum(later: Optional[float], earlier: Optional[float], share: float) -> Optional[float]:
    return None if later is None or earlier is None else round(later + share * earlier, 1)


@dataclass(frozen=True)
class Pace:
    """How far a copy was at some moments, oldest first, and how far it goes.

    In bytes, or in percent. A number may be more than what it says by less than ``grain``.
    ``before`` is what was done in how many seconds before it last failed or rested.
    """

    places: Sequence[Place]
    whole: int = WHOLE
    grain: int = 1
    before: Gain = NO_GAIN

    def left(self) -> Optional[Left]:
        """Return the time left; ``None`` if too little was measured, or next to nothing moved.

        The least and the most are what the fastest and the slowest part of it lead to.
        """
        if not self.places:
            return None
        (begin, first), (end, last) = self.places[0], self.places[-1]
        since = (end - begin).total_seconds()
        share = share_of_day(self.before[1], since)
        done, span = last - first + share * self.before[0], since + share * self.before[1]
        if span < LEAST_SPAN.total_seconds() or done < max(1, LEAST_PERCENT * self.grain):
            return None
        speed = done / span
        seconds = max(self.whole - last, 0) / speed
        if seconds > FARTHEST.total_seconds():
            return None
        bounds = [(done - self.grain) / span, (done + self.grain) / span]
        factors = [each / speed for each in (*bounds, *self._parts(span))]
        factors += [UNSURE, 1 / UNSURE] if seconds > FAR_AHEAD * span else []
        least = seconds / min(max(factors), MOST_UNSURE)
        most = seconds / max(min(factors), 1 / MOST_UNSURE)
        return Left(round(seconds), round(least), round(most))

    def _parts(self, span: float) -> Iterator[float]:
        """Yield the speeds of the parts that are long enough to say something."""
        gained = (
            (after - before, (end - begin).total_seconds())
            for (begin, before), (end, after) in zip(self.places, self.places[1:])
        )
        for done, seconds in (self.before, *gained):
            long = seconds >= max(LEAST_SPAN.total_seconds(), LEAST_PART * span)
            if long and done >= LEAST_PERCENT_OF_PART * self.grain:
                yield done / seconds
