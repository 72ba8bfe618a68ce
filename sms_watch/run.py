"""One run: observe, decide, record, act, publish, acknowledge. One way, without back and forth.

The order is what makes it safe to die at any point. What is to be done is written down
first: an attempt counts before its start is sent, a notice is pending before it is published. A run
that dies is completed by the next one, which judges its starts by what it then reads and sends
its notices with the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Mapping, Optional, Sequence, Tuple

from sms_watch.errors import (
    KEYS_REFUSED,
    CloudError,
    JournalConflict,
    JournalError,
    JournalMoved,
)
from sms_watch.journal.entries import Delivery, Entry, EntryType, JournalReading
from sms_watch.looks import what_has_changed
from sms_watch.messages.compose import RunContext
from sms_watch.model.notice import Kind, Notice, Outcome, Position, Reason, Start
from sms_watch.model.policy import Policy, Scope
from sms_watch.model.task import Task
from sms_watch.observe import Observer
from sms_watch.ports import Ports
from sms_watch.publishing import Sent, publish
from sms_watch.report import Result
from sms_watch.rules.decide import apply_outcome
from sms_watch.rules.decision import Decision
from sms_watch.rules.draft import Commands, Plan, Situation
from sms_watch.rules.plan import plan
from sms_watch.rules.record import Lease, Memory
from sms_watch.text import clean, count
from sms_watch.timetable import OVERRUN

TOO_LATE = "no time was left"
# Reasons of a task that will be started as soon as it is its turn, and how long good news about
# others waits for it.
TURNS = frozenset({Reason.RUN_LIMIT, Reason.NOT_REACHED, Reason.THROTTLED})
LONGEST_WAIT = timedelta(minutes=6)
# Clocks that differ by less show the same time: it is told in whole seconds, and some pass by then.
SAME_TIME = timedelta(seconds=20)


@dataclass(frozen=True)
class RunRequest:
    """What one run is to do."""

    context: RunContext
    scope: Scope
    policy: Policy
    dry_run: bool = False
    commands: Commands = Commands()


def execute(request: RunRequest, ports: Ports) -> Result:
    """Carry out one run. Raise JournalError if the journal cannot be read or written."""
    return _Run(request, ports).execute()


class _Run:
    def __init__(self, request: RunRequest, ports: Ports) -> None:
        self._request = request
        self._ports = ports
        self._now = request.context.at
        self._read_at = 0.0  # seconds since the run began
        self._last_work: float = ports.timetable.new_work

    def execute(self) -> Result:
        while True:
            try:
                return self._run()
            except JournalMoved:
                # What was read is not the end of it. By now the journal knows where it goes on; of
                # a day it can be moved a few times at most.
                continue

    def _run(self) -> Result:
        history = self._ports.journal.read()
        memory = history.memory
        self._go_by(history.at)
        if memory.lease is not None and self._moment(history) < memory.lease.until:
            return Result(warnings=("another run is at work; this one did nothing",))
        situation = self._situation(history)
        self._read_at = self._ports.elapsed()
        observed = Observer(
            self._ports, self._request.scope, situation, memory, self._request.dry_run
        ).observe()
        situation = replace(situation, short_list=observed.short_list, unlisted=observed.unlisted)
        planned = plan(observed.observations, memory, situation)
        warnings = (*_warnings(history), *observed.warnings)
        failures = (observed.failure, _snooze_failure(self._request.commands, planned))
        failure = "; ".join(text for text in failures if text)
        result = Result(planned.decisions, warnings=warnings, failure=failure)
        if self._request.dry_run:
            skipped = {decision.task_id: Outcome.SKIPPED for decision in planned.starts}
            return replace(result, outcomes=skipped, notices=planned.notices)
        if planned.empty and not memory.outbox and not history.expiring:
            return result
        try:
            position = self._record(planned, history)
        except JournalConflict:
            return Result(warnings=("another run was first; this one did nothing",))
        if not _is_work(planned, memory):
            return result
        return self._carry_out(planned, memory, position, result)

    def _carry_out(
        self, planned: Plan, memory: Memory, position: Position, result: Result
    ) -> Result:
        starts = {decision.task_id: self._start(decision) for decision in planned.starts}
        outbox = (*memory.outbox.values(), *planned.notices)
        pending = [notice.knowing(starts) for notice in outbox]
        waits = self._may_wait(pending, planned)
        sent = Sent() if waits else self._publish(pending)
        failure = self._acknowledge(planned, starts, sent, position)
        return replace(
            result,
            outcomes={task_id: start.outcome for task_id, start in starts.items()},
            details={task_id: start.detail for task_id, start in starts.items()},
            notices=sent.notices,
            published=sent.message_id or None,
            failure="; ".join(text for text in (result.failure, sent.failure, failure) if text),
        )

    def _situation(self, history: JournalReading) -> Situation:
        request = self._request
        return Situation(
            self._now,
            request.policy,
            history.position,
            request.scope.discovers,
            request.commands,
            history.snapshot_lost,
        )

    def _go_by(self, read_at: Optional[datetime]) -> None:
        """Go by the clock of the journal, if it has one and one's own is another: all runs do."""
        if read_at is None:
            return
        off = read_at - (self._now + timedelta(seconds=self._ports.elapsed()))
        if abs(off) > SAME_TIME:
            self._now += off

    def _moment(self, history: JournalReading) -> datetime:
        """Return when the journal was read, by the one clock that all runs go by."""
        return history.at or self._now

    # Record

    def _record(self, planned: Plan, history: JournalReading) -> Position:
        self._last_work = self._ports.timetable.last_work(self._ports.elapsed())
        # From the beginning of the run, which was before the journal was read.
        until = self._moment(history) + timedelta(seconds=self._last_work + OVERRUN)
        lease = Lease(until, self._request.context.run)
        entry = replace(
            self._entry(EntryType.PLAN),
            tasks=planned.tasks,
            watch=planned.watch,
            notices=planned.notices,
            starts={d.task_id: d.verdict.start for d in planned.starts if d.verdict.start},
            lease=lease if _is_work(planned, history.memory) else None,
        )
        return self._ports.journal.append(entry, history.position)

    def _entry(self, type_: EntryType) -> Entry:
        return Entry(type_, self._now, self._request.context.run, self._ports.nonce())

    # Act

    def _start(self, decision: Decision) -> Start:
        """Send the start that was decided; return what became of it."""
        start, task = decision.verdict.start, decision.task
        assert start is not None  # noqa: S101 - it is a decision to start
        assert task is not None  # noqa: S101 - as above
        reason = self._why_not(task)
        if reason:
            return replace(start, outcome=Outcome.SKIPPED, detail=reason)
        try:
            self._ports.migration.start_task(decision.task_id)
        except CloudError as error:
            detail = self._ports.redact(str(error))
            return replace(start, outcome=_outcome(error), detail=detail)
        return replace(start, outcome=Outcome.DONE)

    def _why_not(self, task: Task) -> str:
        """Return why a start is not sent after all, empty if it is.

        Where reading took long, a person may have started and paused the task meanwhile: so it is
        looked at once more.
        """
        ports = self._ports
        latest = min(ports.timetable.starts, self._last_work)
        if ports.is_past(latest):
            return TOO_LATE
        if not ports.is_past(self._read_at + ports.timetable.fresh):
            return ""
        return what_has_changed(ports, task) or (TOO_LATE if ports.is_past(latest) else "")

    # Publish

    def _may_wait(self, pending: Sequence[Notice], planned: Plan) -> bool:
        """Return whether good news waits for more of its kind: tasks whose turn comes next.

        After a long outage they come back some at a time, as many as a run may start; it is one
        event for people. What is pending stands in the journal, and nothing waits for long.
        """
        good = all(notice.kind is Kind.RESUMED for notice in pending)
        young = all(self._now - notice.at < LONGEST_WAIT for notice in pending)
        more = any(d.is_start or d.verdict.reason in TURNS for d in planned.decisions)
        return good and young and more

    def _publish(self, pending: Sequence[Notice]) -> Sent:
        context = replace(self._request.context, at=self._now)
        return publish(pending, context, self._ports, self._last_work)

    # Acknowledge

    def _acknowledge(
        self, planned: Plan, starts: Mapping[str, Start], sent: Sent, position: Position
    ) -> str:
        """Record what became of the plan; return the reason if that fails."""
        told = tuple(notice.event_id for notice in sent.notices)
        entry = replace(
            self._entry(EntryType.ACK),
            tasks={
                d.task_id: apply_outcome(d, planned.tasks[d.task_id], starts[d.task_id].outcome)
                for d in planned.starts
            },
            delivered=Delivery(sent.message_id, told) if sent.message_id else None,
            starts=starts,
        )
        store = self._ports.journal
        try:
            try:
                store.append(entry, position)
            except (JournalConflict, JournalMoved):
                # Another run took over, and knows the tasks better: only what was told is added.
                store.append(replace(entry, tasks={}), store.read().position)
        except JournalError as error:
            return self._ports.redact(
                f"what this run did could not be written to the journal: {error}"
            )
        return ""


def _is_work(planned: Plan, memory: Memory) -> bool:
    """Return whether there is more to do than to remember: only then is a lease held, and ended."""
    return bool(planned.starts or planned.notices or memory.outbox)


def _outcome(error: CloudError) -> Outcome:
    if error.code == KEYS_REFUSED:
        return Outcome.SKIPPED
    if error.outcome_unknown:
        return Outcome.UNKNOWN
    never_sent = error.retryable or error.status is None
    return Outcome.FAILED if never_sent else Outcome.REFUSED


def _warnings(history: JournalReading) -> Tuple[str, ...]:
    if not history.damaged:
        return history.warnings
    return (f"{count(history.damaged, 'line')} of the journal could not be read", *history.warnings)


def _snooze_failure(commands: Commands, planned: Plan) -> str:
    """Warn that a snooze names no task of this run: its reminders would come all the same."""
    snooze = commands.snooze
    if snooze is None or any(each.task_id == snooze.task_id for each in planned.decisions):
        return ""
    return (
        f"the timer's user_event snoozes {clean(snooze.task_id)!r}, which is not the id of a"
        " watched task; nothing is snoozed"
    )
