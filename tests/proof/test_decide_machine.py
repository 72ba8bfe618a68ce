"""Any sequence of what tasks, people and lines do, tick by tick, against the rules' promises.

Most rules change the task and look at it in one step, and one lets it come and go for a while, so
that a usual run gets to what needs a long way: spent attempts, half an hour of running, flapping.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Dict, List, Mapping, Optional, Set

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sms_watch.journal.entries import Entry, EntryType, fold
from sms_watch.model.notice import Kind, Notice, Outcome, Position
from sms_watch.model.task import Gone, Observation, Progress, Task, Unread
from sms_watch.rules.decide import apply_outcome
from sms_watch.rules.draft import Plan
from sms_watch.rules.plan import plan
from sms_watch.rules.record import TaskRecord
from tests.support.builders import (
    AGENT_RESTARTED,
    DISK_BUSY,
    DISK_FULL,
    HOST_UNKNOWN,
    LINE_LOST,
    NOW,
    UNCLEAR,
    a_policy,
    a_situation,
    a_task,
    minutes,
    varied,
)
from tests.support.extent import extent

LIMITS = {
    LINE_LOST: None,
    HOST_UNKNOWN: None,
    DISK_BUSY: 5,
    UNCLEAR: 2,
    DISK_FULL: 0,
    AGENT_RESTARTED: 0,
}
WAITS = [minutes(number) for number in (2, 2, 4, 8, 15)]
SHORTEST, LONGEST, HALF_AN_HOUR, AN_HOUR = minutes(2), minutes(15), minutes(30), minutes(60)
FAILED = ("MIGRATE_FAIL", "SYNC_FAIL")
MOVING = ("RUNNING", "SYNCING")
COPIED = ("SYNCING", "MIGRATE_SUCCESS")
BEHIND = ("SYNC_FAIL", "SYNC_F_ROLLBACK_SUCCESS")
ENDS = {
    "ABORTING": Kind.PAUSED,
    "ABORT": Kind.PAUSED,
    "MIGRATE_SUCCESS": Kind.FINISHED,
    "SYNC_F_ROLLBACK_SUCCESS": Kind.NEEDS_PERSON,
}
# Beside what this machine is about: movement, connection, reminders, and how much of all this is
# told in an hour, have tests of their own.
APART = {
    *(Kind.STALLED, Kind.HANGING, Kind.MOVING),
    *(Kind.DISCONNECTED, Kind.CONNECTED, Kind.REMINDER),
}
POLICY = a_policy(notify_on=frozenset(set(Kind) - APART))

CODES = st.sampled_from(list(LIMITS))
# Without an outcome a run dies after its plan, before the start is sent.
OUTCOMES = st.none() | st.sampled_from(Outcome)
# In minutes, with both sides of each wait, and of the half hour that a task has to run.
WAITED = st.sampled_from([1, 2, 3, 4, 8, 14, 15, 20, 25, 29, 30, 40])


class Truth:
    """What is true of the one task, kept from what was read and sent, without the rule book.

    ``streak`` are the starts in a row without progress that may have been taken, ``tries`` all
    that were sent. ``skips`` are the runs in a row that had no time for one. ``unproved``: it was
    told as running, and broke again at the same place. ``copied``: its first full copy is done.
    The agent went at ``went_at``, came back at ``back_at``.
    """

    def __init__(self) -> None:
        self.last: Optional[Task] = None
        self.since = NOW
        self.code = ""
        self.streak = 0
        self.tries = 0
        self.skips = 0
        self.sent: Optional[datetime] = None
        self.mark: Optional[Progress] = None
        self.is_open = False
        self.called = False
        self.unproved = False
        self.went_at: Optional[datetime] = None
        self.back_at: Optional[datetime] = None
        self.fails: List[datetime] = []
        self.flaps = 0
        self.copied = False

    def due_news(self, task: Task, now: datetime) -> Set[Kind]:
        """Take in what was read, and return what is to be told of it."""
        state, before = task.state, self.last
        was = before.state if before else ""
        further = task.progress.is_ahead_of(self.mark)
        copied = self._copied(state, was)
        if state not in FAILED or further:
            self.skips = 0
        if state in FAILED:
            news = self._failed(task, was, further, now)
        elif state in MOVING:
            news = self._moving(task, was, further, now)
        else:
            news = self._resting(state, was, now)
        self.last = task
        return news | copied

    def may_start(self, task: Task, now: datetime) -> bool:
        """Return whether the task, which was just taken in, is to be started."""
        limit = LIMITS.get(task.error.code, 0)
        if task.state not in FAILED or (limit is not None and self.streak >= limit):
            return False
        if task.connected is False and now < max(self.since, self.sent or self.since) + LONGEST:
            return False
        wait = WAITS[self.tries] if self.tries < len(WAITS) else LONGEST
        if self.went_at and self.back_at and self.back_at - self.went_at >= LONGEST:
            wait = wait if self.sent and self.sent >= self.back_at else SHORTEST
        return self.sent is None or now >= self.sent + wait

    def started(self, task: Task, now: datetime, outcome: Optional[Outcome]) -> None:
        """Take in a start, and what became of it; None: the run died, and it may be sent."""
        self.skips = self.skips + 1 if outcome is Outcome.SKIPPED else 0
        if outcome is Outcome.SKIPPED:
            return
        self.sent, self.tries = now, self.tries + 1
        self.mark = task.progress.high_water(self.mark)
        if outcome not in (Outcome.REFUSED, Outcome.FAILED):
            self.streak += 1

    def _copied(self, state: str, was: str) -> Set[Kind]:
        """Return whether the first full copy is news, before anything else is taken in."""
        waited = self.is_open and bool(self.fails and self.sent and self.sent >= self.fails[-1])
        reset = (was, state) == ("RESETING", "READY")
        if reset or ((was, state) == ("READY", "RUNNING") and not waited):
            self.copied = False
        before, over = self.copied, state in COPIED or (not was and state in BEHIND)
        self.copied = before or over
        seen = bool(was) and state == "SYNCING"
        return {Kind.COPIED} if seen and not before else set()

    def _failed(self, task: Task, was: str, further: bool, now: datetime) -> Set[Kind]:
        same_line = LIMITS[task.error.code] is None and LIMITS.get(self.code, 0) is None
        other_error = task.error.code != self.code and not same_line
        quiet = was in MOVING and self.unproved and not further
        is_new = (task.state != was and not quiet) or other_error or further
        self.unproved = not further and (self.unproved or (was in MOVING and self.streak > 0))
        if is_new or task.state != was:
            self.since = now
        told = self._count_failure(is_new, now)
        if told:
            # Who was called while it was flapping is not called again because it stays failed.
            self.is_open, self.called = True, self.called and not is_new
        if further:
            self.streak = self.tries = 0
            self.mark = task.progress.high_water(self.mark)
        self._look_at_agent(task.connected, now)
        self.code = task.error.code
        return ({Kind.FAILED} if told else set()) | self._call(task, now)

    def _look_at_agent(self, connected: Optional[bool], now: datetime) -> None:
        is_away = self.went_at is not None and self.back_at is None
        if connected is False and not is_away:
            self.went_at, self.back_at = now, None
        if connected and is_away:
            self.back_at = now

    def _count_failure(self, is_new: bool, now: datetime) -> bool:
        """Return whether a failure is told: more than two in an hour are told as one."""
        if self.flaps and now - self.fails[-1] >= AN_HOUR:
            self.flaps = 0
            if not is_new:
                return True  # nobody was told of the failure that it stays in
        if not is_new:
            return False
        self.fails = [*(each for each in self.fails if now - each < AN_HOUR), now]
        if self.flaps:
            self.flaps += 1
            return False
        self.flaps = len(self.fails) if len(self.fails) > 2 else 0
        return True

    def _call(self, task: Task, now: datetime) -> Set[Kind]:
        limit = LIMITS[task.error.code]
        spent = max(self.streak, self.tries) >= (5 if limit is None else limit)
        waited = self.sent is not None and now >= self.sent + SHORTEST
        if self.called or not (limit == 0 or (spent and waited) or self.skips >= 3):
            return set()
        self.called = True
        return {Kind.NEEDS_PERSON}

    def _moving(self, task: Task, was: str, further: bool, now: datetime) -> Set[Kind]:
        if was not in MOVING:
            self.since = now
        self.went_at = self.back_at = None
        healthy = now - self.since >= HALF_AN_HOUR
        if healthy:
            self.streak = self.tries = 0
        if self.is_open and task.connected is False:
            self.unproved = True
        flapping = bool(self.flaps) and now - self.fails[-1] < AN_HOUR
        if flapping or (self.unproved and not (further or healthy)):
            return set()
        closes = self.is_open
        self.is_open = self.called = self.unproved = False
        self.flaps = 0
        return {Kind.RESUMED} if closes else set()

    def _resting(self, state: str, was: str, now: datetime) -> Set[Kind]:
        kind = ENDS.get(state)
        if was != state:
            self.since = now
        if kind is None:
            return {Kind.UNKNOWN_STATE} if state == "INVENTED" and was != state else set()
        is_told = ENDS.get(was) is not kind
        calls = kind is Kind.NEEDS_PERSON
        if is_told or not calls:
            self.is_open, self.called, self.unproved = calls, calls, False
            self.flaps, self.fails = 0, []
            self.code = "" if calls else self.code  # people know another reason by now
        return {kind} if is_told else set()


def _raised(planned: Plan) -> List[Notice]:
    """Return what this machine is about of all that a run would tell, if there were room."""
    about_watch = [notice for notice in planned.notices if notice.task is None]
    about_task = [notice for each in planned.decisions for notice in each.notices]
    return [*about_watch, *(notice for notice in about_task if notice.kind not in APART)]


class OneTask(RuleBasedStateMachine):
    """A task in the world, ticks that look at it, and what was started and told."""

    @initialize()
    def begin(self) -> None:
        """Begin with a running task that nobody knows."""
        self.now: datetime = NOW
        self.task = a_task(state="RUNNING", code="", type="MIGRATE_BLOCK")
        self.entries: List[Entry] = []
        self.truth = Truth()
        self.gone_runs = 0
        self.unread = 0
        self.told: Dict[str, Notice] = {}

    @rule(code=CODES, state=st.sampled_from(FAILED), outcome=OUTCOMES, wait=WAITED)
    def fails(self, code: str, state: str, outcome: Optional[Outcome], wait: int) -> None:
        """The task fails, or fails otherwise, and is looked at."""
        self.task = varied(self.task, state=state, code=code)
        self.tick(outcome, wait, 1)

    @rule(state=st.sampled_from(MOVING), wait=WAITED, times=st.integers(1, 2))
    def runs(self, state: str, wait: int, times: int) -> None:
        """The task runs, for whatever reason, and is looked at."""
        self.task = varied(self.task, state=state, code="")
        self.tick(Outcome.DONE, wait, times)

    @rule(code=CODES, wait=st.integers(1, 9), more=st.integers(0, 1), times=st.integers(2, 6))
    def flaps(self, code: str, wait: int, more: int, times: int) -> None:
        """The task fails and comes back, a little further each time or not."""
        for _ in range(times):
            self.moves(more)
            self.fails(code, FAILED[0], Outcome.DONE, wait)
            self.runs(MOVING[0], wait, 1)

    @rule(more=st.integers(-2, 3))
    def moves(self, more: int) -> None:
        """The copy gets further, or falls back, whatever state the next tick finds it in."""
        percent = min(max((self.task.progress.percent or 0) + more, 0), 100)
        self.task = varied(self.task, progress=replace(self.task.progress, percent=percent))

    @rule(state=st.sampled_from([*ENDS, "READY", "RESETING", "INVENTED"]))
    def rests(self, state: str) -> None:
        """A person pauses the task, or it comes to some other rest."""
        self.task = varied(self.task, state=state, code="")

    @rule(connected=st.booleans())
    def connects(self, connected: bool) -> None:
        """The agent comes or goes."""
        self.task = replace(self.task, connected=connected)

    @rule(outcome=OUTCOMES, wait=WAITED, times=st.integers(1, 4))
    def tick(self, outcome: Optional[Outcome], wait: int, times: int) -> None:
        """Some runs that find the task as it is."""
        for _ in range(times):
            self.now += minutes(wait)
            self._see(self.task, self._watch_news(seen=True), outcome)

    @rule()
    def tick_in_the_dark(self) -> None:
        """One run that cannot read the task, and so does nothing about it."""
        self._see(Unread("a", "HTTP 503"), self._watch_news(seen=False), Outcome.DONE)

    @rule()
    def tick_without_the_task(self) -> None:
        """One run that finds the task gone; nothing of it is forgotten."""
        self.gone_runs += 1
        news = self._watch_news(seen=True) | ({Kind.GONE} if self.gone_runs == 2 else set())
        self._see(Gone("a"), news, Outcome.DONE)

    def _watch_news(self, seen: bool) -> Set[Kind]:
        before, self.unread = self.unread, 0 if seen else self.unread + 1
        if seen:
            return {Kind.SIGHTED} if before >= 3 else set()
        return {Kind.BLIND} if self.unread == 3 else set()

    def _see(self, seen: Observation, news: Set[Kind], outcome: Optional[Outcome]) -> None:
        due = False
        if isinstance(seen, Task):
            news |= {Kind.READABLE} if self.gone_runs >= 2 else set()
            self.gone_runs = 0
            news |= self.truth.due_news(seen, self.now)
            due = self.truth.may_start(seen, self.now)
        position = Position("20261124", len(self.entries))
        situation = a_situation(now=self.now, policy=POLICY, position=position)
        planned = plan([seen], fold(self.entries), situation)
        raised = _raised(planned)
        kinds = [notice.kind for notice in raised]
        assert sorted(kinds) == sorted(news), "not what has changed since it was last told"
        assert bool(planned.starts) is due, "not when the rules say"
        told = [notice for notice in planned.notices if notice.kind is not Kind.DIGEST]
        assert all(notice in raised for notice in told), "told, but not raised"
        for notice in raised:
            self._tell(notice)
        self._write_down(planned, outcome)
        if due:
            self.truth.started(self.task, self.now, outcome)

    def _tell(self, notice: Notice) -> None:
        assert notice.event_id not in self.told, "an event told twice"
        self.told[notice.event_id] = notice
        if notice.event_id.endswith("-end"):
            assert notice.kind in (Kind.RESUMED, Kind.READABLE, Kind.SIGHTED)
            opening = self.told[notice.event_id[: -len("-end")]].kind
            openings = {
                Kind.RESUMED: (Kind.FAILED, Kind.NEEDS_PERSON),
                Kind.READABLE: (Kind.GONE,),
            }
            assert opening in openings.get(notice.kind, (Kind.BLIND,))

    def _write_down(self, planned: Plan, outcome: Optional[Outcome]) -> None:
        if not planned.empty:
            entry = self._entry(EntryType.PLAN, planned.tasks)
            self.entries.append(replace(entry, watch=planned.watch, notices=planned.notices))
        for start in planned.starts:
            if outcome is not None:
                record = apply_outcome(start, planned.tasks[start.task_id], outcome)
                self.entries.append(self._entry(EntryType.ACK, {start.task_id: record}))

    def _entry(self, type_: EntryType, tasks: Mapping[str, TaskRecord]) -> Entry:
        return Entry(type_, self.now, "run", f"n{len(self.entries)}", tasks)

    @invariant()
    def a_failure_that_was_seen_is_told(self) -> None:
        """Whatever happened, a failed task that a run has seen was told, and is open."""
        if not getattr(self, "entries", None):
            return
        record = fold(self.entries).tasks.get("a")
        if record is not None and record.state in FAILED:
            assert record.failure.event_id in self.told


TestOneTask = OneTask.TestCase
TestOneTask.settings = settings(max_examples=extent(200, 60), stateful_step_count=50, deadline=None)
