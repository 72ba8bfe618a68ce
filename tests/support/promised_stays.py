"""What is promised of tasks that hang, and of first copies: told in time, once, and with an end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import AbstractSet, Any, Dict, List, Mapping, Set, Tuple

from sms_watch.model.task import TaskState
from tests.support.drawn_settings import Figures
from tests.support.promised_kinds import BESIDES, PASSING
from tests.support.simulated_run import SimulatedRuns
from tests.support.wakes import GONE, STRANGE, RunRecord

SECOND = timedelta(seconds=1)
# As what a task that hangs is read.
HANGS = (STRANGE, TaskState.READY, TaskState.ABORTING)
# Good runs in a row by which the end of a hang, or of a copy, is told.
IN_TIME = 2


class PromisedStays:
    """Keeps which tasks people know to hang, and of whose first copy they know the end."""

    def __init__(self, simulated: SimulatedRuns, figures: Figures) -> None:
        self._runs, self._figures, self._muted = simulated, figures, figures.muted
        self._hanging: Dict[str, str] = {}
        self._passing: Dict[str, Tuple[str, datetime, int]] = {}
        self._standing: Dict[str, datetime] = {}
        self._left: Dict[str, int] = {}
        self._copying: Set[str] = set()
        self._behind: Set[str] = set()
        self._copied: Dict[str, str] = {}
        self._synchronised: Dict[str, int] = {}
        self._apart = timedelta(0)

    def note_wish(self, muted: AbstractSet[str]) -> None:
        """Take in what nobody wants to hear from now on."""
        self._muted |= muted

    def note_heard(self, notice: Mapping[str, Any], loud: AbstractSet[str]) -> None:
        """Take in what people hear: no hang and no copy twice."""
        kind, task_id, event_id = notice["kind"], notice["task_id"], notice["event_id"]
        if kind == "copied":
            told = self._copied.setdefault(task_id, event_id)
            assert told == event_id, "a first copy told twice"
        if kind == "hanging":
            told = self._hanging.setdefault(task_id, event_id)
            # Its end may be one that nobody wants to hear, or that was summed up.
            quiet = bool(self._muted) or task_id in loud
            assert told == event_id or quiet, "a hang told twice"
        elif kind not in BESIDES or kind in ("moving", "copied"):
            self._hanging.pop(task_id, None)

    def check_new(self, wake: RunRecord, notice: Mapping[str, Any]) -> None:
        """Check what a run has just told: that the task is where it says, and for how long."""
        kind, task_id = notice["kind"], notice["task_id"]
        read_as = wake.saw.get(task_id, ())
        if kind == "hanging":
            assert self._figures.hang, "a hang, where none is to be told"
            assert set(read_as) & set(HANGS), f"a hang, but it was read as {read_as}"
            stood = wake.moment - self._standing.get(task_id, wake.moment)
            assert stood >= self._figures.hang - 2 * self._apart - SECOND, "a hang too early"
        if kind == "copied":
            copied = any(
                each.what == "copied" and each.task_id == task_id
                for each in self._runs.world.happenings
            )
            assert copied, "a first copy that is not done"

    def note_read(self, wake: RunRecord) -> None:
        """Take in what a run has read: since when a task may hang, and whether it copies."""
        self._apart = max(self._apart, abs(wake.moment - wake.begun))
        for task_id, states in wake.saw.items():
            if states[-1] in HANGS:
                # Of two runs at once the one that began first may end last.
                begun = self._standing.get(task_id, wake.moment)
                self._standing[task_id] = min(begun, wake.moment)
            elif wake.good:
                self._standing.pop(task_id, None)
            # At first sight a rollback says that all was copied before anybody looked.
            rolls_back = self._runs.strange.get(task_id) == TaskState.SYNC_F_ROLLBACKING
            if rolls_back and task_id not in self._copying:
                self._behind.add(task_id)
            if states[-1] == TaskState.RUNNING and wake.good:
                self._copying.add(task_id)

    def check(
        self,
        ended: List[RunRecord],
        latest: Mapping[str, str],
        told: Mapping[str, str],
        good: bool,
        loud: AbstractSet[str],
    ) -> None:
        """Check what is known by now; ``told`` is the latest that people heard of each task."""
        self._check_hangs(ended, told, good, loud)
        self._check_ends(latest, told, good, loud)
        self._check_copies(latest, good, loud)

    def _check_hangs(
        self,
        ended: List[RunRecord],
        told: Mapping[str, str],
        good: bool,
        loud: AbstractSet[str],
    ) -> None:
        """A task that stays where nothing should is told, by the second good run that could."""
        now, figures = self._runs.clock.now(), self._figures
        # What a run has read and could not write down nobody remembers.
        recorded = [wake.saw.items() for wake in ended if wake.good]
        read = {name for saw in recorded for name, states in saw if STRANGE in states}
        for task_id, state in self._runs.strange.items():
            if task_id in read:
                before, since, late = self._passing.get(task_id, (state, now, 0))
                since = since if before == state else now
                late = late + good if now - since >= figures.hang else 0
                self._passing[task_id] = state, since, late
                due = figures.hang and "hanging" not in self._muted
                due = due and self._is_no_place(task_id, state, told)
                known = task_id in self._hanging or task_id in loud
                assert not due or known or late <= 1, f"{task_id} hangs, and nobody knows"
        for task_id in self._passing.keys() - self._runs.strange.keys():
            del self._passing[task_id]

    def _is_no_place(self, task_id: str, state: str, told: Mapping[str, str]) -> bool:
        """Return whether a task should not stay in a state: in READY not after it was started.

        Whether it failed before it was started is not known where the clocks are apart, nor
        whether it has run since where nobody wants to hear that.
        """
        known = not self._apart and "resumed" not in self._muted
        failed = known and told.get(task_id) in ("failed", "needs_person")
        return state in PASSING or (state == TaskState.READY and failed)

    def _check_ends(
        self,
        latest: Mapping[str, str],
        told: Mapping[str, str],
        good: bool,
        loud: AbstractSet[str],
    ) -> None:
        """A hang that is over is told to be, unless the failure before it is still open."""
        for task_id in self._hanging:
            over = latest.get(task_id, STRANGE) not in (*HANGS, GONE) and good
            open_still = told.get(task_id) in ("failed", "needs_person")
            self._left[task_id] = self._left.get(task_id, 0) + 1 if over and not open_still else 0
            quiet = bool(self._muted) or task_id in loud
            assert quiet or self._left[task_id] <= IN_TIME, f"{task_id} hangs no more"

    def _check_copies(self, latest: Mapping[str, str], good: bool, loud: AbstractSet[str]) -> None:
        """A first copy that was seen under way is told to be done."""
        for task_id in self._copying - self._behind:
            done = latest.get(task_id) == TaskState.SYNCING and good
            self._synchronised[task_id] = self._synchronised.get(task_id, 0) + 1 if done else 0
            known = task_id in self._copied or task_id in loud or "copied" in self._muted
            late = self._synchronised[task_id] > IN_TIME
            assert known or not late, f"the first copy of {task_id} is done, and nobody knows"
