"""How much is said about one task: beyond a few messages an hour, one summary. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Optional, Sequence, Tuple

from sms_watch.model.notice import Level, Notice

SPAN = timedelta(hours=1)
# Runs within the span that tell something of one task; and with those that call a person.
MOST_TOLD = 6
MOST_WITH_CALLS = 12


@dataclass(frozen=True)
class Airtime:
    """What was said of one task lately.

    ``told_at`` are the moments of the runs that told something of it within the last hour. ``held``
    counts the notices that were held back, ``held_since`` is the moment of the first of them.
    """

    told_at: Tuple[datetime, ...] = ()
    held: int = 0
    held_since: Optional[datetime] = None

    def spent(self, news: Sequence[Notice], now: datetime) -> Tuple[Airtime, Sequence[Notice]]:
        """Take in the news of a run; return the airtime after it, and what is told of them.

        Once something was held back, all is until the summary, but for calls for a person.
        """
        if not news:
            return self, news
        lately = tuple(moment for moment in self.told_at if now - moment < SPAN)
        told = news
        if self.held or len(lately) >= MOST_TOLD:
            calls = [notice for notice in news if notice.level is Level.CRITICAL]
            told = calls if len(lately) < MOST_WITH_CALLS else ()
        held = len(news) - len(told)
        since = self.held_since or (now if held else None)
        return Airtime((*lately, now) if told else lately, self.held + held, since), told

    def owes_summary(self, now: datetime) -> bool:
        """Return whether what was held back is to be summed up: an hour after the first of it."""
        return self.held_since is not None and now - self.held_since >= SPAN

    def summed_up(self, now: datetime) -> Airtime:
        """Begin another hour, in which nothing is told before the summary at its end."""
        return Airtime((now,) * MOST_TOLD)

    def is_over(self, now: datetime) -> bool:
        """Return whether nothing of it matters any more."""
        return not self.held and all(now - moment >= SPAN for moment in self.told_at)
