"""The time of this machine, and how much of it a run has left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from sms_watch.ports import Clock


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Return seconds on a clock that is never set."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


class Budget:
    """The deadline of a run, on a monotonic clock.

    FunctionGraph's own time methods are not used: two published runtimes disagree about their
    unit (FunctionGraph developer guide, "context").
    """

    def __init__(self, clock: Clock, begun: float, seconds: float) -> None:
        self._clock = clock
        self._end = begun + seconds

    def left(self) -> float:
        """Return the seconds left in which new work may begin; 0 or less if there are none."""
        return self._end - self._clock.monotonic()


@dataclass(frozen=True)
class RunClock:
    """The clock of one run, read when the run began.

    ``now`` is that moment, aware, in UTC; ``begun`` is what the monotonic clock showed then.
    """

    clock: Clock
    now: datetime
    begun: float

    def until(self, seconds: float) -> Budget:
        """Return the deadline that lies some seconds after the beginning of the run."""
        return Budget(self.clock, self.begun, seconds)

    def moment(self) -> datetime:
        """Return the present moment, by the seconds that have passed since the beginning."""
        return self.now + timedelta(seconds=self.clock.monotonic() - self.begun)
