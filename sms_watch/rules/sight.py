"""A task that cannot be read while others can, or that is not there any more. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Mapping, Optional, Tuple

from sms_watch.model.notice import Kind, check_id, event_id

# How many runs in a row have to give the same answer before it is told. One may be a passing fault,
# also where the service says that there is no such task.
AFTER_RUNS: Mapping[Kind, int] = {Kind.UNREADABLE: 3, Kind.GONE: 2}


@dataclass(frozen=True)
class Sight:
    """What is remembered of a task that the last run did not see.

    ``since`` is the first run that missed it. ``runs`` counts the runs in a row that asked in vain,
    up to the one that is told; ``event_id`` is the id of its notice. ``passed_at`` is the first run
    since its last answer that had no call left for it, for the account had made too many.
    """

    since: datetime
    runs: int = 0
    event_id: str = ""
    passed_at: Optional[datetime] = None

    @property
    def waits_since(self) -> Optional[datetime]:
        """Since when it waits for its turn; ``None`` if it is answered, and people know of it."""
        return self.passed_at or (None if self.event_id else self.since)

    def passed(self, now: datetime) -> Sight:
        """Take in that no call was left for it, which says nothing of the task."""
        return self if self.passed_at else replace(self, passed_at=now)

    def check(self) -> None:
        """Raise ValueError if its id is that of no event."""
        if self.event_id:
            check_id(self.event_id)

    def missed(self, kind: Kind, event: str, attempted: bool = True) -> Tuple[Sight, bool]:
        """Take in that it was missed once more; the flag says whether a notice is due."""
        if not attempted:
            return self, False
        if self.runs >= AFTER_RUNS[kind]:
            return replace(self, passed_at=None), False
        sight = replace(self, runs=self.runs + 1, passed_at=None)
        if sight.runs < AFTER_RUNS[kind]:
            return sight, False
        return replace(sight, event_id=event_id(event, kind)), True
