"""One run: observe, decide, record, act, publish, acknowledge. One way, without back and forth.

The order is what makes it safe to die at any point. What is owed is written down before it is
done: an attempt counts before its start is sent, a notice is owed before it is published. A run
that dies is completed by the next one, which judges its starts by what it then reads and sends
its notices with the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import AbstractSet, Dict, Mapping, Sequence, Tuple

from sms_watch.errors import (
    KEYS_REFUSED,
    PUBLISHING,
    SMN_ADDRESS,
    CloudError,
    JournalConflict,
    JournalError,
    remedy,
)
from sms_watch.journal import entries as journal
from sms_watch.journal.entries import Entry, EntryType
from sms_watch.messages.compose import RunContext, compose
from sms_watch.model.notice import Action, Kind, Notice, Outcome, Position, Reason
from sms_watch.model.policy import Policy, Scope
from sms_watch.model.task import Phase, Task
from sms_watch.observe import Observed, Observer, read_task
from sms_watch.ports import History, Ports
from sms_watch.report import Result
from sms_watch.rules.decide import Decision, settle
from sms_watch.rules.plan import Plan, Wishes, confirm, plan
from sms_watch.rules.record import Memory, TaskMemory
from sms_watch.text import clean

# Reasons of a task that will be started as soon as it is its turn, and how long good news about
# others waits for it.
TURNS = frozenset({Reason.RUN_LIMIT, Reason.NOT_REACHED})
LONGEST_WAIT = timedelta(minutes=6)


@dataclass(frozen=True)
class RunRequest:
    """What one run is to do."""

    context: RunContext
    scope: Scope
    policy: Policy
    dry_run: bool = False
    wishes: Wishes = Wishes()  # noqa: RUF009 - it is a constant


def execute(request: RunRequest, ports: Ports) -> Result:
    """Carry out one run. Raise JournalError if the journal cannot be read or written."""
    return _Run(request, ports).execute()


@dataclass(frozen=True)
class _Start:
    """A start that was intended: what became of it, and what to remember and tell of it."""

    task_id: str
    outcome: Outcome
    record: TaskMemory
    detail: str = ""
    notices: Tuple[Notice, ...] = ()


@dataclass(frozen=True)
class _Sent:
    """What became of the message: the notices that were told, or why none was."""

    notices: Tuple[Notice, ...] = ()
    message_id: str = ""
    failure: str = ""


class _Run:
    def __init__(self, request: RunRequest, ports: Ports) -> None:
        self._request = request
        self._ports = ports
        self._now = request.context.at

    def execute(self) -> Result:
        history = self._ports.journal.read()
        memory = journal.fold(history.entries)
        if memory.lease is not None and self._now < memory.lease:
            return Result(warnings=("another run is at work; this one did nothing",))
        observed = self._observe(memory)
        planned = plan(
            observed.observations,
            memory,
            self._now,
            self._request.policy,
            history.position,
            wishes=self._request.wishes,
            memory_lost=history.snapshot_lost,
        )
        warnings = (*_warnings(history), *observed.warnings)
        failures = (observed.failure, _snooze_failure(self._request.wishes, planned))
        failure = "; ".join(text for text in failures if text)
        result = Result(planned.decisions, warnings=warnings, failure=failure)
        if self._request.dry_run:
            skipped = {decision.task_id: Outcome.SKIPPED for decision in planned.starts}
            return replace(result, outcomes=skipped, notices=planned.notices)
        if planned.empty and not memory.outbox and not history.expiring:
            return result
        try:
            position = self._record(planned, memory, history.position)
        except JournalConflict:
            return Result(warnings=("another run was first; this one did nothing",))
        if not _is_work(planned, memory):
            return result
        return self._carry_out(planned, memory, position, result)

    def _carry_out(
        self, planned: Plan, memory: Memory, position: Position, result: Result
    ) -> Result:
        starts = self._act(planned, {*memory.outbox, *(n.event_id for n in planned.notices)})
        news = [notice for start in starts.values() for notice in start.notices]
        records = dict(memory.tasks)
        records.update(planned.tasks)
        records.update((task_id, start.record) for task_id, start in starts.items())
        owed = [
            _as_known(notice, starts, records, self._now)
            for notice in (*memory.outbox.values(), *planned.notices, *news)
        ]
        sent = _Sent() if self._may_wait(owed, planned) else self._publish(owed)
        failure = self._acknowledge(starts, news, sent, position)
        return replace(
            result,
            outcomes={task_id: start.outcome for task_id, start in starts.items()},
            notices=sent.notices,
            published=sent.message_id or None,
            failure="; ".join(text for text in (result.failure, sent.failure, failure) if text),
        )

    def _observe(self, memory: Memory) -> Observed:
        request = self._request
        return Observer(
            self._ports, request.scope, request.policy, memory, self._now, request.dry_run
        ).observe()

    # Record

    def _record(self, planned: Plan, memory: Memory, position: Position) -> Position:
        # From the beginning of the run, whatever time it has used by now.
        until = self._now + timedelta(seconds=self._ports.timetable.lease)
        entry = replace(
            self._entry(EntryType.PLAN),
            tasks=planned.tasks,
            watch=planned.watch,
            notices=planned.notices,
            starts=tuple(decision.task_id for decision in planned.starts),
            lease=until if _is_work(planned, memory) else None,
        )
        return self._ports.journal.append(entry, position)

    def _entry(self, type_: EntryType) -> Entry:
        context = self._request.context
        return Entry(journal.VERSION, type_, context.at, context.run, self._ports.nonce())

    # Act

    def _act(self, planned: Plan, owed: AbstractSet[str]) -> Dict[str, _Start]:
        starts = [self._start(d, planned.tasks[d.task_id]) for d in planned.starts]
        return {start.task_id: self._confirm(start, owed) for start in starts}

    def _start(self, decision: Decision, record: TaskMemory) -> _Start:
        outcome, detail = self._send(decision.task_id)
        return _Start(decision.task_id, outcome, settle(decision, record, outcome), detail)

    def _send(self, task_id: str) -> Tuple[Outcome, str]:
        if self._ports.is_past(self._ports.timetable.starts):
            return Outcome.SKIPPED, ""
        try:
            self._ports.migration.start_task(task_id)
        except CloudError as error:
            if error.code == KEYS_REFUSED:
                return Outcome.SKIPPED, ""
            return _outcome(error), self._ports.redact(str(error))
        return Outcome.DONE, ""

    def _confirm(self, start: _Start, owed: AbstractSet[str]) -> _Start:
        """Read a task once more after its start was accepted: it may be running already.

        Where the failure is told in this very run, so is its end. Where it was told before, the
        next run tells it, which writes it down first: had this run died in between, people would
        have heard that the task runs, and nobody would know that they had.
        """
        if start.outcome is not Outcome.DONE:
            return start
        seen = read_task(self._ports, start.task_id)
        if not isinstance(seen, Task) or seen.phase is not Phase.MOVING:
            return start
        record, notices = start.record, start.notices
        if not record.failure.event or record.failure.event in owed:
            record, notices = confirm(seen, record, self._now, self._request.policy)
        record = replace(record, starts=replace(record.starts, outcome=Outcome.RUNNING))
        return replace(start, outcome=Outcome.RUNNING, record=record, notices=notices)

    # Publish

    def _may_wait(self, owed: Sequence[Notice], planned: Plan) -> bool:
        """Tell whether good news waits for more of its kind: tasks whose turn to start comes next.

        After a long outage they come back some at a time, as many as a run may start; it is one
        event for people. What is owed stands in the journal, and nothing waits for long.
        """
        good = all(notice.kind is Kind.RESUMED for notice in owed)
        young = all(self._now - notice.at < LONGEST_WAIT for notice in owed)
        more = any(d.reason in TURNS or d.action is Action.START for d in planned.decisions)
        return good and young and more

    def _publish(self, owed: Sequence[Notice]) -> _Sent:
        if not owed:
            return _Sent()
        if self._ports.is_past(self._ports.timetable.new_work):
            return _Sent(failure="no time was left to publish; the message is owed still")
        message = compose(owed, self._request.context)
        told = tuple(notice for notice in owed if notice.event_id in message.event_ids)
        try:
            return _Sent(told, self._ports.publisher.publish(message))
        except CloudError as error:
            text, to_do = self._ports.redact(str(error)), remedy(error, PUBLISHING, SMN_ADDRESS)
            return _Sent(failure=f"{text}; {to_do}; the message is owed still")

    # Acknowledge

    def _acknowledge(
        self, starts: Mapping[str, _Start], news: Sequence[Notice], sent: _Sent, position: Position
    ) -> str:
        """Write down what became of the plan; give the reason if that fails."""
        entry = replace(
            self._entry(EntryType.ACK),
            tasks={task_id: start.record for task_id, start in starts.items()},
            notices=tuple(news),
            told=tuple(notice.event_id for notice in sent.notices),
            outcomes={task_id: start.outcome for task_id, start in starts.items()},
            message_id=sent.message_id,
        )
        store = self._ports.journal
        try:
            try:
                store.append(entry, position)
            except JournalConflict:
                # Another run took over, and knows the tasks better: only what was told is added.
                store.append(replace(entry, tasks={}), store.read().position)
        except JournalError as error:
            return self._ports.redact(f"what was done could not be written down: {error}")
        return ""


def _is_work(planned: Plan, memory: Memory) -> bool:
    """Tell whether there is more to do than to remember: only then is a lease held, and ended."""
    return bool(planned.starts or planned.notices or memory.outbox)


def _outcome(error: CloudError) -> Outcome:
    if error.outcome_unknown:
        return Outcome.UNKNOWN
    never_sent = error.retryable or error.status is None
    return Outcome.FAILED if never_sent else Outcome.REFUSED


def _as_known(
    notice: Notice,
    starts: Mapping[str, _Start],
    records: Mapping[str, TaskMemory],
    now: datetime,
) -> Notice:
    """Add to a notice what is known by now of the start it speaks of."""
    if notice.task is None or notice.action is not Action.START:
        return notice
    start, record = starts.get(notice.task.id), records.get(notice.task.id)
    if start is not None and notice.at == now:
        return replace(notice, outcome=start.outcome, detail=start.detail)
    if record is not None and record.starts.last == notice.at:
        return replace(notice, outcome=record.starts.outcome)
    return notice


def _warnings(history: History) -> Tuple[str, ...]:
    if not history.damaged:
        return history.warnings
    return (f"{history.damaged} lines of the journal could not be used", *history.warnings)


def _snooze_failure(wishes: Wishes, planned: Plan) -> str:
    """Say that a snooze names no task of this run: its reminders would come all the same."""
    wish = wishes.snooze
    if wish is None or any(each.task_id == wish.task_id for each in planned.decisions):
        return ""
    return (
        f"the timer's user_event snoozes {clean(wish.task_id)!r}, which is no id of a task that is"
        " watched; nothing is snoozed"
    )
