"""A clock that only moves when it is told to, so that a night passes in seconds."""

from __future__ import annotations

from datetime import datetime, timedelta


class VirtualClock:
    """Time of a simulation. Starts at ``moment``; raises ValueError if that is naive."""

    def __init__(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone is no moment")
        self._begun = moment
        self._moment = moment

    def now(self) -> datetime:
        """Return the moment."""
        return self._moment

    def monotonic(self) -> float:
        """Return the seconds since the simulation began."""
        return (self._moment - self._begun).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.set(self._moment + timedelta(seconds=seconds))

    def set(self, moment: datetime) -> None:
        """Move on to a moment. Raise ValueError if it lies in the past."""
        if moment < self._moment:
            raise ValueError(f"time does not go back from {self._moment} to {moment}")
        self._moment = moment
