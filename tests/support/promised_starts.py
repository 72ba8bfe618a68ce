"""What the watchdog promises of its starts: which, how often, how close, and that they come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Dict, Mapping, Set, Tuple

from simulated_cloud.task import FAILED, MOVING
from simulated_cloud.variants import Percents
from simulated_cloud.world import Start
from tests.support.drawn_settings import Figures
from tests.support.simulated_run import SimulatedRuns
from tests.support.wakes import RunRecord

PROOF = timedelta(minutes=30)
GROUND = 0.02  # of a copy: a percent of it is seen at the latest when two are done
# The clock of the store has whole seconds.
SECOND = timedelta(seconds=1)


class PromisedStarts:
    """Keeps the starts of all tasks: the moment of the ``last`` of each, and their ``number``."""

    def __init__(self, simulated: SimulatedRuns, figures: Figures) -> None:
        self._runs, self._figures = simulated, figures
        self.number = 0
        self.last: Dict[str, datetime] = {}
        self._idle: Dict[str, datetime] = {}
        self._unanswered: Set[str] = set()
        self._checked_at = simulated.clock.now()

    def check_run(self, wake: RunRecord) -> None:
        """One run starts what it has read as failed, not too much of it and not too soon."""
        assert len(wake.starts) <= self._figures.most_starts, "too many starts in one run"
        for start in wake.starts:
            assert start.read_as in FAILED, f"a start of a task that was {start.read_as}"
            last = self.last.get(start.task_id)
            # By the moments of the runs, for a timer is what paces them. A later one, within this
            # one, may have ended before it.
            apart = self._figures.backoff - SECOND
            assert last is None or abs(wake.moment - last) >= apart, "two starts too close"
            self.last[start.task_id] = max(wake.moment, last or wake.moment)
        # One that was planned may have been taken, so it counts, though the world never saw it.
        if not wake.good:
            self._unanswered |= wake.planned

    def check_caps(self) -> None:
        """What no start mends is not started more often than its class allows."""
        starts = self._runs.world.starts
        for start in starts[self.number :]:
            limit = self._figures.limit(start.code)
            said = f"{start.task_id} was started too often on {start.code}"
            assert limit is None or self._in_a_row(start.task_id) <= limit, said
        self.number = len(starts)

    def _in_a_row(self, task_id: str) -> int:
        """Count the latest starts between which the task neither got further nor ran for long."""
        latest = [each for each in self._runs.world.starts if each.task_id == task_id]
        size = self._runs.world.tasks[task_id].size
        met = (latest[-1].code, _ground(latest[-1], size))
        until, count = latest[-1].at, 0
        for start in reversed(latest):
            if (start.code, _ground(start, size)) != met or self._ran_long(
                task_id, start.at, until
            ):
                break
            until, count = start.at, count + 1
        return count

    def _ran_long(self, task_id: str, after: datetime, before: datetime) -> bool:
        """Return whether a task ran for long enough between two moments to count as recovered."""
        begun = before
        for each in self._runs.world.happenings:
            if each.task_id == task_id and after <= each.at <= before:
                if each.at - begun >= PROOF:
                    return True
                state = each.what.partition(" ")[0]
                begun = each.at if state in MOVING else before if state in FAILED else begun
        return False

    def check_brought_back(self, latest: Mapping[str, str], good: bool) -> None:
        """What a start would bring back is started, however often that was done before."""
        now = self._runs.clock.now()
        tick, self._checked_at = now - self._checked_at, now
        self._unanswered -= {task_id for task_id, state in latest.items() if state in MOVING}
        for task_id in self._runs.ids:
            due = latest.get(task_id) in FAILED and good and self._is_due(task_id)
            since = self._idle.get(task_id, now) if due else now
            self._idle[task_id] = max(since, self.last.get(task_id, since))
            waited = now - self._idle[task_id]
            longest = self._figures.longest_wait + (3 + self._turns) * tick
            assert waited <= longest, f"{task_id} stands still for {waited}"

    @property
    def _turns(self) -> int:
        """How many runs it takes to start all tasks, beside the first."""
        return (len(self._runs.ids) - 1) // self._figures.most_starts

    def _is_due(self, task_id: str) -> bool:
        """Return whether a start of a failed task helps, is taken, and is within what is allowed.

        What is not started without end has a fresh count once it has got further, if that shows.
        """
        simulated, task = self._runs, self._runs.world.tasks.get(task_id)
        if task is None or not task.restartable or task.connected is False:
            return False
        unread = (
            *simulated.garbled,
            *simulated.hanging,
            *simulated.strange,
            *simulated.variants.unreadable,
        )
        # After a read that hangs a start needs another look, and a throttled account has none.
        stuck = bool(simulated.hanging and simulated.variants.reads_a_minute)
        if simulated.variants.start.refuses or task_id in unread or stuck:
            return False
        limit = self._figures.limit(task.code)
        if limit is None:
            return True
        copied = [each.far[1] for each in simulated.world.starts if each.task_id == task_id]
        further = task.copied - max(copied, default=0) >= GROUND * task.size
        counted = task_id not in self._unanswered
        return bool(limit) and counted and further and self._shows

    @property
    def _shows(self) -> bool:
        """Whether it can be seen how far a copy is.

        Read by its id a task has percentages alone, and they may be null for a whole run (SMS API
        reference, "Querying a Migration Task"): that it got further is then seen by nobody.
        """
        return self._runs.discovers or self._runs.variants.percents is not Percents.NULL


def _ground(start: Start, size: float) -> Tuple[float, int, float]:
    """Return how far a task was at a start, in what is worth a fresh count of them."""
    prepared, copied, closed = start.far
    return prepared, int(100 * copied / size), closed
