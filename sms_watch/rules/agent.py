"""The SMS agent on the source: whether it is connected, and what people know of that. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional, Tuple

from sms_watch.model.notice import Kind, event_id, kind_of

TOLD_EVERY = timedelta(hours=1)  # at most, of an agent that comes and goes


@dataclass(frozen=True)
class Agent:
    """The agent of one task.

    ``was_away_when_failed``: it was not connected when the task was last read as failed.
    ``event_id`` is that of the loss that is open, which was raised last at ``lost_at``.
    """

    was_away_when_failed: bool = False
    event_id: str = ""
    lost_at: Optional[datetime] = None

    def check(self) -> None:
        """Raise ValueError if its id is that of no event."""
        if self.event_id:
            kind_of(self.event_id)

    def read(
        self, connected: Optional[bool], now: datetime, event: str
    ) -> Tuple[Agent, Optional[Kind]]:
        """Take in a reading; return the agent, and what is new. What is not known is ignored."""
        lately = self.lost_at is not None and now - self.lost_at < TOLD_EVERY
        if connected is False and not self.event_id and not lately:
            lost = event_id(event, Kind.DISCONNECTED)
            return replace(self, event_id=lost, lost_at=now), Kind.DISCONNECTED
        if connected and self.event_id:
            return replace(self, event_id=""), Kind.CONNECTED
        return self, None

    def failing(self, connected: Optional[bool]) -> Agent:
        """Return the agent of a task that was read as failed."""
        return replace(self, was_away_when_failed=connected is False)

    def running(self) -> Agent:
        """Return the agent of a task that was read as running."""
        return replace(self, was_away_when_failed=False)

    def closed(self) -> Agent:
        """End a loss without a word: the task needs its agent no more."""
        return replace(self, event_id="")
