"""A task that cannot be read while others can. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Tuple

from sms_watch.model.notice import Kind, event_id, kind_of

UNREADABLE_AFTER_RUNS = 3


@dataclass(frozen=True)
class Sight:
    """What is remembered of a task that the last run did not read.

    ``since`` is the first run that missed it. ``runs`` counts the runs in a row that tried in vain,
    up to the one that is told; ``event_id`` is the id of its notice.
    """

    since: datetime
    runs: int = 0
    event_id: str = ""

    def check(self) -> None:
        """Raise ValueError if its id is that of no event."""
        if self.event_id:
            kind_of(self.event_id)

    def missed(self, attempted: bool, event: str) -> Tuple[Sight, bool]:
        """Take in that it was missed once more; the flag says whether that is news."""
        if not attempted or self.runs >= UNREADABLE_AFTER_RUNS:
            return self, False
        sight = replace(self, runs=self.runs + 1)
        if sight.runs < UNREADABLE_AFTER_RUNS:
            return sight, False
        return replace(sight, event_id=event_id(event, Kind.UNREADABLE)), True
