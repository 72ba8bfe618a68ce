"""The SMS agent on the source: whether it is connected, and what people know of that. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional, Tuple

from sms_watch.model.notice import Kind

TOLD_EVERY = timedelta(hours=1)  # at most, of an agent that comes and goes


@dataclass(frozen=True)
class Agent:
    """The agent. ``away``: it was not connected when the task was last read as failed.

    ``event`` is the id of the notice that told its loss, while it is lost; ``told_at`` is when.
    """

    away: bool = False
    event: str = ""
    told_at: Optional[datetime] = None

    def read(
        self, connected: Optional[bool], now: datetime, event: str
    ) -> Tuple[Agent, Optional[Kind]]:
        """Take in a reading, with the id for a loss; an empty id tells none."""
        lately = self.told_at is not None and now - self.told_at < TOLD_EVERY
        if connected is False and event and not self.event and not lately:
            return replace(self, event=event, told_at=now), Kind.DISCONNECTED
        if connected and self.event:
            return replace(self, event=""), Kind.CONNECTED
        return self, None
