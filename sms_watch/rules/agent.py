"""The SMS agent on the source: whether it is connected, and what people know of that. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional, Tuple

from sms_watch.model.notice import Kind, check_id, event_id

TOLD_EVERY = timedelta(hours=1)  # at most, of an agent that comes and goes


@dataclass(frozen=True)
class Agent:
    """The agent of one task.

    Of a failed task, it is away since ``away_since``, or was until ``back_at``. ``event_id`` is
    that of the loss that is open, which was raised last at ``lost_at``.
    """

    away_since: Optional[datetime] = None
    back_at: Optional[datetime] = None
    event_id: str = ""
    lost_at: Optional[datetime] = None

    def check(self) -> None:
        """Raise ValueError if its id is that of no event."""
        if self.event_id:
            check_id(self.event_id)

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

    def failing(self, connected: Optional[bool], now: datetime) -> Agent:
        """Return the agent of a task that was read as failed. What is not known is ignored."""
        is_away = self.away_since is not None and self.back_at is None
        if connected is False and not is_away:
            return replace(self, away_since=now, back_at=None)
        return replace(self, back_at=now) if connected and is_away else self

    def running(self) -> Agent:
        """Return the agent of a task that was read as running."""
        return replace(self, away_since=None, back_at=None)

    def is_back_since(self, last: Optional[datetime]) -> bool:
        """Return whether it has come back after the last start, if there was one."""
        return self.back_at is not None and (last is None or last < self.back_at)

    def was_away_for(self, span: timedelta) -> bool:
        """Return whether it was away for so long, and is back."""
        if self.away_since is None or self.back_at is None:
            return False
        return self.back_at - self.away_since >= span

    def closed(self) -> Agent:
        """End a loss without a word: the task needs its agent no more."""
        return replace(self, event_id="")
