"""The failure that is open, what people know of it, and whether the task is flapping. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional, Tuple

from sms_watch.model.notice import Kind, check_id, event_id
from sms_watch.rules.call import Call

# More new failures than this within the span are told as one: the task is flapping. It has
# settled when the span passes without another. They are few, so that they and their ends leave
# airtime to say so.
FLAP_SPAN = timedelta(hours=1)
MOST_FAILURES = 2


@dataclass(frozen=True)
class Failure:
    """The open failure of one task.

    ``event_id`` is that of its notice, empty while there is none. ``code`` is that of its error,
    ``call`` the call for a person. ``on_probation``: the task has to move before it counts as
    running again. ``recent`` are the new failures of the hour up to the last one; ``flaps`` counts
    those told as one.
    """

    event_id: str = ""
    code: str = ""
    call: Optional[Call] = None
    on_probation: bool = False
    recent: Tuple[datetime, ...] = ()
    flaps: int = 0

    def check(self) -> None:
        """Raise ValueError if it counts failures that it has no moment of, or its id is none."""
        if self.flaps and not self.recent:
            raise ValueError("failures without a moment")
        if self.event_id:
            check_id(self.event_id)

    @property
    def since(self) -> Optional[datetime]:
        """When it began, starts that got nowhere being one failure."""
        return self.recent[-1] if self.recent else None

    @property
    def openings(self) -> Tuple[str, ...]:
        """The ids of the notices that opened it, oldest first."""
        called = self.call.event_id if self.call else ""
        return tuple(each for each in (self.event_id, called) if each)

    def is_flapping(self, now: datetime) -> bool:
        """Return whether too many failures were seen lately to tell each."""
        return bool(self.flaps) and now - self.recent[-1] < FLAP_SPAN

    def counted(self, is_new: bool, now: datetime, event: str) -> Tuple[Failure, bool]:
        """Take in that the task is failed; the flag says whether that is news."""
        settled = bool(self.flaps) and not self.is_flapping(now)
        opened = event_id(event, Kind.FAILED)
        if not is_new:
            # Settled, but failed: nobody was told of the failure that it stays in.
            stays = replace(self, event_id=self.event_id or opened, flaps=0)
            return (stays, True) if settled else (self, False)
        lately = tuple(moment for moment in self.recent if now - moment < FLAP_SPAN)
        recent = (*lately[-MOST_FAILURES:], now)
        if self.flaps and not settled:
            return replace(self, recent=recent, flaps=self.flaps + 1), False
        flaps = len(recent) if len(recent) > MOST_FAILURES else 0
        return replace(self, event_id=opened, call=None, recent=recent, flaps=flaps), True

    def called(self, event: str, now: datetime, kind: Kind = Kind.NEEDS_PERSON) -> Failure:
        """Ask a person to act, by a notice of this kind."""
        return replace(self, call=Call(event_id(event, kind), now))

    def suspected(self) -> Failure:
        """Put a task on probation that is said to run."""
        return replace(self, on_probation=True)

    def closed(self) -> Failure:
        """End it; the failures of the last hour still count."""
        return Failure(recent=self.recent)
