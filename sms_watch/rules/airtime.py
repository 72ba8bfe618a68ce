"""How much is said about one task: beyond a few messages an hour, one summary. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional, Tuple

SPAN = timedelta(hours=1)
MOST_TOLD = 6  # runs within the span that told something of one task


@dataclass(frozen=True)
class Airtime:
    """What was said of one task lately.

    ``told`` are the moments of the runs that told something of it within the last hour. ``held``
    counts the notices that were held back, ``held_since`` is the moment of the first of them.
    """

    told: Tuple[datetime, ...] = ()
    held: int = 0
    held_since: Optional[datetime] = None

    def is_used_up(self, now: datetime) -> bool:
        """Return whether nothing more is said for now: a noisy hour ends in a summary."""
        return bool(self.held) or len(self._lately(now)) >= MOST_TOLD

    def owes_summary(self, now: datetime) -> bool:
        """Return whether what was held back is to be summed up now."""
        return self.held_since is not None and now - self.held_since >= SPAN

    def is_spent(self, now: datetime) -> bool:
        """Return whether nothing of it matters any more."""
        return not self.held and not self._lately(now)

    def spoke(self, now: datetime) -> Airtime:
        """Count a run that told something."""
        return replace(self, told=(*self._lately(now), now))

    def withheld(self, number: int, now: datetime) -> Airtime:
        """Count notices that are held back."""
        return Airtime(self._lately(now), self.held + number, self.held_since or now)

    def summed_up(self, now: datetime) -> Airtime:
        """Begin another hour, at whose end the next summary may come."""
        return Airtime((now,) * MOST_TOLD)

    def _lately(self, now: datetime) -> Tuple[datetime, ...]:
        return tuple(moment for moment in self.told if now - moment < SPAN)
