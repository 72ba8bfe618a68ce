"""Any sequence of what tasks, people and lines do, tick by tick, against the rules' promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Dict, List, Mapping, Optional, Tuple

from builders import (
    AGENT_RESTARTED,
    DISK_BUSY,
    DISK_FULL,
    LINE_LOST,
    NOW,
    UNCLEAR,
    a_policy,
    a_task,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sms_watch.decide import plan, settle
from sms_watch.journal import VERSION, Entry, EntryType, fold
from sms_watch.model import Kind, Notice, Outcome, Position, Progress, TaskMemory, TaskState

LIMITS = {LINE_LOST: None, DISK_BUSY: 5, UNCLEAR: 2, DISK_FULL: 0, AGENT_RESTARTED: 0}
TAKEN = (Outcome.DONE, Outcome.UNKNOWN)
POLICY = a_policy()


class OneTask(RuleBasedStateMachine):
    """A task in the world, ticks that look at it, and what was started and told."""

    @initialize()
    def begin(self) -> None:
        """Begin with a running task that nobody knows."""
        self.now: datetime = NOW
        self.task = a_task(state="RUNNING", code="", type="MIGRATE_BLOCK")
        self.entries: List[Entry] = []
        self.starts: List[datetime] = []
        # Starts that may have been taken, in a row without progress or half an hour of running.
        self.streak = 0
        self.last_tried: Optional[datetime] = None
        self.seen_at_start: Optional[Progress] = None
        self.running_since: Optional[datetime] = NOW
        self.told: Dict[str, Notice] = {}
        self.connected_again = False

    @rule(minutes=st.integers(1, 40))
    def time_passes(self, minutes: int) -> None:
        """Let minutes pass."""
        self.now += timedelta(minutes=minutes)

    @rule(code=st.sampled_from(list(LIMITS)))
    def fails(self, code: str) -> None:
        """The task fails, or fails otherwise."""
        self.task = replace(self.task, state="MIGRATE_FAIL", code=code)

    @rule()
    def runs(self) -> None:
        """The task runs, for whatever reason."""
        self.task = replace(self.task, state="RUNNING", code="")

    @rule(more=st.integers(1, 3))
    def moves(self, more: int) -> None:
        """The copy gets further."""
        percent = min((self.task.progress.percent or 0) + more, 100)
        self.task = replace(self.task, state="RUNNING", code="", progress=Progress(1, 5, percent))

    @rule(state=st.sampled_from(["ABORT", "MIGRATE_SUCCESS", "READY", "RESETING", "INVENTED"]))
    def rests(self, state: str) -> None:
        """A person pauses the task, or it comes to some other rest."""
        self.task = replace(self.task, state=state, code="")

    @rule(connected=st.sampled_from([True, False, None]))
    def connects(self, connected: Optional[bool]) -> None:
        """The agent comes or goes."""
        self.task = replace(self.task, connected=connected)

    @rule(outcome=st.sampled_from([Outcome.DONE, Outcome.UNKNOWN, Outcome.REFUSED, None]))
    def tick(self, outcome: Optional[Outcome]) -> None:
        """One run; without an outcome it dies after its plan, before the start is sent."""
        memory = fold(self.entries)
        self._follow()
        place = Position("20261124", len(self.entries))
        planned = plan([self.task], memory, self.now, POLICY, place)
        for notice in planned.notices:
            self._tell(notice)
        if planned.starts:
            self._start(outcome)
        if not planned.empty:
            self._append(EntryType.PLAN, planned.tasks, planned.notices)
        for start in planned.starts:
            if outcome is not None:
                record = settle(start, planned.tasks[start.task_id], outcome)
                self._append(EntryType.ACK, {start.task_id: record}, ())

    def _follow(self) -> None:
        """Keep the truth about the streak, from what a run can see."""
        running = self.task.state in (TaskState.RUNNING, TaskState.SYNCING)
        failed = self.task.state in (TaskState.MIGRATE_FAIL, TaskState.SYNC_FAIL)
        if failed and self.seen_at_start is not None:
            moved = self.task.progress.beyond(self.seen_at_start)
            half_hour = timedelta(minutes=30)
            ran = self.running_since is not None and self.now - self.running_since >= half_hour
            if moved or ran:
                self.streak, self.seen_at_start = 0, self.task.progress
                self.last_tried = None
        if running and self.running_since is None:
            self.running_since = self.now
        if not running:
            self.running_since = None

    def _start(self, outcome: Optional[Outcome]) -> None:
        limit = LIMITS[self.task.code]
        assert self.task.state == "MIGRATE_FAIL"
        assert limit is None or self.streak < limit, "more starts than the class allows"
        if self.last_tried is not None:
            assert self.now - self.last_tried >= POLICY.backoff, "starts too close together"
            if self.streak >= POLICY.max_attempts and self.task.connected is not True:
                assert self.now - self.last_tried >= POLICY.backoff_max, "not the longest wait"
        self.starts.append(self.now)
        self.last_tried = self.now
        self.seen_at_start = self.task.progress.furthest(self.seen_at_start)
        if outcome is None or outcome in TAKEN:
            self.streak += 1

    def _tell(self, notice: Notice) -> None:
        assert notice.event_id not in self.told, "an event told twice"
        self.told[notice.event_id] = notice
        if notice.kind is Kind.RESUMED:
            opening = self.told[notice.event_id[: -len("-end")]]
            assert opening.kind in (Kind.FAILED, Kind.NEEDS_PERSON)
            assert self.task.state == "RUNNING"

    def _append(
        self, type_: EntryType, tasks: Mapping[str, TaskMemory], notices: Tuple[Notice, ...]
    ) -> None:
        entry = Entry(VERSION, type_, self.now, "run", f"n{len(self.entries)}")
        self.entries.append(replace(entry, tasks=tasks, notices=notices))

    @invariant()
    def a_failure_that_was_seen_is_told(self) -> None:
        """Whatever happened, a failed task that a run has seen was told, and is open."""
        if not getattr(self, "entries", None):
            return
        record = fold(self.entries).tasks.get("a")
        if record is not None and record.state == "MIGRATE_FAIL":
            assert record.incident in self.told


TestOneTask = OneTask.TestCase
TestOneTask.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
