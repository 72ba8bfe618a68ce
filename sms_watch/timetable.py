"""When a run stops beginning what: all of its time limits in one value. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# From its plan on a run acts for so long at most, in seconds, however long its budget is: for so
# long others wait for it, and for no longer if it has died.
LONGEST_ACT = 300
# A call that was begun may overrun by so much.
OVERRUN = 30
LONGEST_LEASE = LONGEST_ACT + OVERRUN


@dataclass(frozen=True)
class Timetable:
    """The limits of a run, in seconds since it began; b is ``budget``, RUN_BUDGET_SECONDS.

    ::

        |sources ----------| 0.5 b
        |reads -------------------| 0.7 b
        |starts -------------------------| 0.85 b
        |sms_calls -----------------------------| 0.9 b
        |new_work -------------------------------------| b
        |publishing ----------------------------------------| b + 3
        |journal ----------------------------------------------| b + 5
        |timeout ----------------------------------------------------| b + 10
        |lease -----------------------------------------------------------------| b + 30

    Each leaves time for what follows it: what was decided must still be written down, and what
    was written down must still be told. A run may overrun its budget by the call it is in. With a
    long budget nothing new begins some minutes after the plan already, and the lease ends with it.
    """

    budget: int

    @property
    def sources(self) -> float:
        """When reads are given up that a run can do without: those of lists."""
        return 0.5 * self.budget

    @property
    def reads(self) -> float:
        """When reads of tasks are given up."""
        return 0.7 * self.budget

    @property
    def fresh(self) -> float:
        """How long after the reads began a task may be started without another look at it."""
        return 5.0

    @property
    def starts(self) -> float:
        """When no more starts begin."""
        return 0.85 * self.budget

    @property
    def sms_calls(self) -> float:
        """When starts are given up, and with them all calls to SMS."""
        return 0.9 * self.budget

    @property
    def new_work(self) -> int:
        """When nothing new begins any more."""
        return self.budget

    @property
    def publishing(self) -> int:
        """When the publishing of a message is given up."""
        return self.budget + 3

    @property
    def journal(self) -> int:
        """When calls for the journal are given up."""
        return self.budget + 5

    @property
    def timeout(self) -> int:
        """When FunctionGraph may kill the run: the least timeout to set for the function."""
        return self.budget + 10

    @property
    def lease(self) -> int:
        """When another run may act: until then this one may still be in its last call."""
        return self.budget + OVERRUN

    def last_work(self, planned: float) -> float:
        """Return when nothing new begins any more in a run that had its plan at a time."""
        return min(self.new_work, max(planned, 0) + LONGEST_ACT)
