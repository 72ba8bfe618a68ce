"""One run: observe, decide, record, act, publish, acknowledge. One way, without back and forth.

The order is what makes it safe to die at any point. What is owed is written down before it is
done: an attempt counts before its start is sent, a notice is owed before it is published. A run
that dies is completed by the next one, which judges its starts by what it then reads and sends
its notices with the same ids.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import AbstractSet, Callable, Dict, Mapping, Sequence, Tuple

from sms_watch import journal
from sms_watch.decide import Decision, Plan, confirm, plan, settle
from sms_watch.errors import CloudError, JournalConflict, JournalError, TaskGone
from sms_watch.journal import Entry, EntryType
from sms_watch.messages import Imprint, compose
from sms_watch.model import (
    Action,
    Gone,
    Memory,
    Notice,
    Observation,
    Outcome,
    Phase,
    Policy,
    Position,
    Task,
    TaskMemory,
    Unseen,
)
from sms_watch.ports import Deadline, History, JournalStore, MigrationService, Publisher
from sms_watch.report import Result

READ_AT_ONCE = 8
# Shares of a run's time after which no more reads, no more starts begin: what was decided must
# still be written down, and what was written down must still be told.
READ_SHARE = 0.7
START_SHARE = 0.85
# A run may overrun its time by the call it is in; until then nobody else may act.
LEASE_MARGIN = timedelta(seconds=30)
LOCKED_OUT = 401


@dataclass(frozen=True)
class Outside:
    """What a run reaches the world through. ``budget`` is what the deadline began with."""

    migration: MigrationService
    publisher: Publisher
    journal: JournalStore
    deadline: Deadline
    budget: float
    nonce: Callable[[], str]
    redact: Callable[[str], str]


@dataclass(frozen=True)
class Order:
    """What one run is to do. ``test``: send a test message besides."""

    imprint: Imprint
    task_ids: Tuple[str, ...]
    policy: Policy
    dry_run: bool = False
    test: bool = False


def execute(order: Order, outside: Outside) -> Result:
    """Carry out one run. Raises JournalError when the journal cannot be read or written."""
    return _Run(order, outside).execute()


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
    def __init__(self, order: Order, outside: Outside) -> None:
        self._order = order
        self._out = outside
        self._now = order.imprint.at
        self._locked_out = False

    def execute(self) -> Result:
        history = self._out.journal.read()
        memory = journal.fold(history.entries)
        if memory.lease is not None and self._now < memory.lease:
            return Result(warnings=("another run is at work; this one did nothing",))
        seen = self._observe()
        planned = plan(
            seen,
            memory,
            self._now,
            self._order.policy,
            history.position,
            test=self._order.test,
            memory_lost=history.snapshot_lost,
        )
        result = Result(
            planned.decisions, warnings=_warnings(history), failure=_blind_failure(seen)
        )
        if self._order.dry_run:
            skipped = {decision.task_id: Outcome.SKIPPED for decision in planned.starts}
            return replace(result, outcomes=skipped, notices=planned.notices)
        if planned.empty and not memory.outbox and not history.expiring:
            return result
        try:
            position = self._record(planned, history.position)
        except JournalConflict:
            return Result(warnings=("another run was first; this one did nothing",))
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
        sent = self._publish(owed)
        failure = self._acknowledge(starts, news, sent, position)
        return replace(
            result,
            outcomes={task_id: start.outcome for task_id, start in starts.items()},
            notices=sent.notices,
            published=sent.message_id or None,
            failure="; ".join(text for text in (result.failure, sent.failure, failure) if text),
        )

    # Observe

    def _observe(self) -> Tuple[Observation, ...]:
        first, *others = self._order.task_ids
        # The first goes alone: keys that are refused get locked by a row of further tries.
        seen = [self._read(first)]
        with ThreadPoolExecutor(READ_AT_ONCE) as pool:
            seen += pool.map(self._read, others)
        return tuple(seen)

    def _read(self, task_id: str) -> Observation:
        if self._locked_out:
            return Unseen(task_id, "the keys were refused, so no more was asked", reached=False)
        if self._is_past(READ_SHARE):
            return Unseen(task_id, "no time was left to read it", reached=False)
        try:
            return self._out.migration.read_task(task_id)
        except TaskGone:
            return Gone(task_id)
        except CloudError as error:
            return Unseen(task_id, self._heed(error))

    def _heed(self, error: CloudError) -> str:
        """Remember that the keys were refused, if they were, and give the error's text."""
        self._locked_out = self._locked_out or error.status == LOCKED_OUT
        return self._out.redact(str(error))

    def _is_past(self, share: float) -> bool:
        return self._out.deadline.left() <= self._out.budget * (1 - share)

    # Record

    def _record(self, planned: Plan, position: Position) -> Position:
        lease = timedelta(seconds=max(self._out.deadline.left(), 0)) + LEASE_MARGIN
        entry = replace(
            self._entry(EntryType.PLAN),
            tasks=planned.tasks,
            watch=planned.watch,
            notices=planned.notices,
            starts=tuple(decision.task_id for decision in planned.starts),
            lease=self._now + lease,
        )
        return self._out.journal.append(entry, position)

    def _entry(self, type_: EntryType) -> Entry:
        imprint = self._order.imprint
        return Entry(journal.VERSION, type_, imprint.at, imprint.run, self._out.nonce())

    # Act

    def _act(self, planned: Plan, owed: AbstractSet[str]) -> Dict[str, _Start]:
        starts = [self._start(d, planned.tasks[d.task_id]) for d in planned.starts]
        return {start.task_id: self._confirm(start, owed) for start in starts}

    def _start(self, decision: Decision, record: TaskMemory) -> _Start:
        outcome, detail = self._send(decision.task_id)
        return _Start(decision.task_id, outcome, settle(decision, record, outcome), detail)

    def _send(self, task_id: str) -> Tuple[Outcome, str]:
        if self._locked_out or self._is_past(START_SHARE):
            return Outcome.SKIPPED, ""
        try:
            self._out.migration.start_task(task_id)
        except CloudError as error:
            return _outcome(error), self._heed(error)
        return Outcome.DONE, ""

    def _confirm(self, start: _Start, owed: AbstractSet[str]) -> _Start:
        """Read a task once more after its start was accepted: it may be running already.

        Where the failure is told in this very run, so is its end. Where it was told before, the
        next run tells it, which writes it down first: had this run died in between, people would
        have heard that the task runs, and nobody would know that they had.
        """
        if start.outcome is not Outcome.DONE:
            return start
        seen = self._read(start.task_id)
        if not isinstance(seen, Task) or seen.phase is not Phase.MOVING:
            return start
        if start.record.incident and start.record.incident not in owed:
            record = replace(start.record, outcome=Outcome.RUNNING)
            return replace(start, outcome=Outcome.RUNNING, record=record)
        again, notices = confirm(seen, start.record, self._now, self._order.policy)
        record = replace(again.memory or start.record, outcome=Outcome.RUNNING)
        return replace(start, outcome=Outcome.RUNNING, record=record, notices=notices)

    # Publish

    def _publish(self, owed: Sequence[Notice]) -> _Sent:
        if not owed:
            return _Sent()
        if self._is_past(1):
            return _Sent(failure="no time was left to publish; the message is owed still")
        message = compose(owed, self._order.imprint)
        told = tuple(notice for notice in owed if notice.event_id in message.event_ids)
        try:
            return _Sent(told, self._out.publisher.publish(message))
        except CloudError as error:
            return _Sent(failure=f"{self._heed(error)}; the message is owed still")

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
        store = self._out.journal
        try:
            try:
                store.append(entry, position)
            except JournalConflict:
                # Another run took over, and knows the tasks better: only what was told is added.
                store.append(replace(entry, tasks={}), store.read().position)
        except JournalError as error:
            return self._out.redact(f"what was done could not be written down: {error}")
        return ""


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
    if record is not None and record.last_start == notice.at:
        return replace(notice, outcome=record.outcome)
    return notice


def _warnings(history: History) -> Tuple[str, ...]:
    if not history.damaged:
        return history.warnings
    return (f"{history.damaged} lines of the journal could not be used", *history.warnings)


def _blind_failure(seen: Sequence[Observation]) -> str:
    unseen = [each for each in seen if isinstance(each, Unseen)]
    return f"no task could be read: {unseen[0].detail}" if len(unseen) == len(seen) else ""
