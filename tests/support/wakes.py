"""One simulated run: when and by which clock it ran, what it read, did and put out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Dict, List, NamedTuple, Optional, Set

from simulated_cloud.clock import VirtualClock
from sms_watch.run import SAME_TIME

# What a task is read as when there is none, when it was not read, and in a state nobody knows.
GONE, UNREAD, STRANGE = "gone", "unread", "strange"
# How far the clock of a signature may be off (OBS API reference, "Error Codes",
# RequestTimeTooSkewed).
SIGNED_WITHIN = timedelta(minutes=15)


class Killed(BaseException):
    """The process is gone."""


class Hangs(TimeoutError):  # noqa: N818 - what a task does
    """One task whose read has no answer; nothing else is amiss."""


@dataclass(frozen=True)
class ClockApart:
    """The clock of one machine, which is ``off`` by some time."""

    clock: VirtualClock
    off: timedelta

    def now(self) -> datetime:
        """Return the moment that this machine shows."""
        return self.clock.now() + self.off

    def monotonic(self) -> float:
        """Return seconds, which pass here as everywhere."""
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.clock.sleep(seconds)


class Start(NamedTuple):
    """A start that was sent, and the state in which this run had read the task."""

    task_id: str
    read_as: str


@dataclass
class RunRecord:
    """One run: when, what it read, started and sent, how it ended, and all that it put out.

    ``off`` is by how much its clock was off. ``reads`` are the states of tasks that were read by
    themselves, ``listed`` those of rows. ``denied`` are the ids that it asked after and got no task
    for, ``planned`` those whose start it wrote down. ``refused`` counts the messages that were not
    taken for their words, ``answered`` the notices of those whose answer came.
    ``held_up`` is how long it stood still while runs within it had the clock. ``published_as`` and
    ``told_as`` number publishing and the writing down of it, ``ended_as`` its end, over all runs:
    so it is known which came first in two that overlap.
    """

    begun: datetime
    ended: datetime
    off: timedelta = timedelta(0)
    ended_as: int = 0
    held_up: timedelta = timedelta(0)
    report: Optional[Dict[str, Any]] = None
    failure: str = ""
    killed: bool = False
    touched: bool = False
    reads: Dict[str, List[str]] = field(default_factory=dict)
    listed: Dict[str, List[str]] = field(default_factory=dict)
    denied: Set[str] = field(default_factory=set)
    planned: Set[str] = field(default_factory=set)
    starts: List[Start] = field(default_factory=list)
    notices: List[Dict[str, Any]] = field(default_factory=list)
    messages: int = 0
    refused: int = 0
    answered: int = 0
    appends: int = 0
    published: bool = False
    published_as: int = 0
    told_as: Optional[int] = None
    output: List[str] = field(default_factory=list)

    @property
    def saw(self) -> Dict[str, List[str]]:
        """The states that it has seen of each task: in a list, and then by itself."""
        names = [*self.listed, *self.reads]
        return {name: self.listed.get(name, []) + self.reads.get(name, []) for name in names}

    @property
    def busy(self) -> bool:
        """Whether it left the work to another run."""
        warnings = self.report["warnings"] if self.report else ()
        return any("another run" in text for text in warnings)

    @property
    def good(self) -> bool:
        """Whether nothing interfered with it, and it did its work."""
        return self.report is not None and not self.touched and not self.busy

    @property
    def moment(self) -> datetime:
        """When it began, by the clock that it goes by: its own, unless the store's is another."""
        return self.begun + (self.off if abs(self.off) <= SAME_TIME else timedelta(0))

    @property
    def is_refused(self) -> bool:
        """Whether the services refuse what it signs, for its clock is too far off."""
        return abs(self.off) > SIGNED_WITHIN
