"""The failure that is open, what people know of it, and whether the task is flapping. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional, Tuple

from sms_watch.rules.call import Call

# More new failures than this within the span are told as one: the task is flapping. It has
# settled when the span passes without another.
FLAP_SPAN = timedelta(hours=1)
MOST_FAILURES = 4


@dataclass(frozen=True)
class Failure:
    """The open failure.

    ``event`` is the id of the notice that told it, empty when none did. ``call``: a person was
    asked to act. ``on_probation``: it has to move before it counts as running again. ``recent``
    are the new failures of the hour up to the last one; ``flaps`` counts those told as one.
    """

    event: str = ""
    code: str = ""
    call: Optional[Call] = None
    on_probation: bool = False
    recent: Tuple[datetime, ...] = ()
    flaps: int = 0

    @property
    def since(self) -> Optional[datetime]:
        """When it began, starts that got nowhere being one failure."""
        return self.recent[-1] if self.recent else None

    def is_flapping(self, now: datetime) -> bool:
        """Whether too many failures were seen lately to tell each."""
        return bool(self.flaps) and now - self.recent[-1] < FLAP_SPAN

    def counted(self, is_new: bool, now: datetime) -> Tuple[Failure, bool]:
        """Take in that the task is failed; the flag says whether people are told."""
        settled = bool(self.flaps) and not self.is_flapping(now)
        if not is_new:
            # Settled, but failed: nobody was told of the failure that it stays in.
            return (replace(self, flaps=0), True) if settled else (self, False)
        lately = tuple(moment for moment in self.recent if now - moment < FLAP_SPAN)
        recent = (*lately[-MOST_FAILURES:], now)
        if self.flaps and not settled:
            return replace(self, recent=recent, flaps=self.flaps + 1), False
        flaps = len(recent) if len(recent) > MOST_FAILURES else 0
        return replace(self, event="", call=None, recent=recent, flaps=flaps), True

    def closed(self) -> Failure:
        """End it; the failures of the last hour still count."""
        return Failure(recent=self.recent)
