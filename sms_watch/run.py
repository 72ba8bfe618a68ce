"""One run: observe, decide, record, act, publish, acknowledge. One way, without back and forth.

The order is what makes it safe to die at any point. What is owed is written down before it is
done: an attempt counts before its start is sent, a notice is owed before it is published. A run
that dies is completed by the next one, which judges its starts by what it then reads and sends
its notices with the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Callable, Dict, FrozenSet, List, Mapping, Sequence, Tuple

from sms_watch.errors import (
    LISTING,
    PUBLISHING,
    READING,
    REFUSED,
    SMN_ADDRESS,
    SMS_ADDRESS,
    CloudError,
    JournalConflict,
    JournalError,
    TaskGone,
    remedy,
)
from sms_watch.journal import entries as journal
from sms_watch.journal.entries import Delivery, Entry, EntryType, JournalReading
from sms_watch.messages.compose import Imprint, compose
from sms_watch.model.notice import Kind, Notice, Outcome, Position, Reason, Start
from sms_watch.model.policy import Policy, Scope
from sms_watch.model.task import Gone, Observation, Phase, Task, Unseen
from sms_watch.parallel import at_once
from sms_watch.ports import Deadline, JournalStore, MigrationService, Publisher
from sms_watch.report import Result
from sms_watch.rules.decide import Decision, settle
from sms_watch.rules.plan import Commands, Plan, Situation, candidates, plan
from sms_watch.rules.record import Lease, Memory
from sms_watch.text import MAX_DETAIL, clean

# Shares of a run's time after which no more reads, no more starts begin: what was decided must
# still be written down, and what was written down must still be told.
READ_SHARE = 0.7
START_SHARE = 0.85
# A run may overrun its time by the call it is in; until then nobody else may act.
LEASE_MARGIN = timedelta(seconds=30)
# Reads that go before all others, to see whether the keys are good: more than five refusals in a
# row lock them. One, unless the last run could read with them.
ONE, FEW = 1, 4
# Reasons of a task that will be started as soon as it is its turn, and how long good news about
# others waits for it.
TURNS = frozenset({Reason.RUN_LIMIT, Reason.NOT_REACHED})
LONGEST_WAIT = timedelta(minutes=6)
EMPTY_LIST = (
    "SMS lists no migration task; if there are some, see that SMS_REGION is the site that they are"
    " on, that the keys belong to their account, and that SMS_MIGRATION_PROJECT is theirs"
)
STRANGE = (
    "correct SMS_TASK_IDS, which takes the ids of tasks, not their names or those of servers; if"
    f" the tasks exist, look at {SMS_ADDRESS}"
)
NOBODY = "no task has a name that SMS_TASK_NAMES asks for"


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
    """What one run is to do."""

    imprint: Imprint
    scope: Scope
    policy: Policy
    dry_run: bool = False
    commands: Commands = Commands()


def execute(order: Order, outside: Outside) -> Result:
    """Carry out one run. Raises JournalError when the journal cannot be read or written."""
    return _Run(order, outside).execute()


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
        self._remarks: List[str] = []

    def execute(self) -> Result:
        history = self._out.journal.read()
        memory = journal.fold(history.entries)
        if memory.lease is not None and self._now < memory.lease.until:
            return Result(warnings=("another run is at work; this one did nothing",))
        seen = self._observe(memory)
        situation = replace(self._situation(history.position), memory_lost=history.snapshot_lost)
        planned = plan(seen, memory, situation)
        warnings = (*_warnings(history), *self._remarks)
        failures = (_blind_failure(seen), _snooze_failure(self._order.commands, planned))
        failure = "; ".join(text for text in failures if text)
        result = Result(planned.decisions, warnings=warnings, failure=failure)
        if self._order.dry_run:
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
        starts = {decision.task_id: self._start(decision) for decision in planned.starts}
        pending = (*memory.outbox.values(), *planned.notices)
        owed = [notice.knowing(starts) for notice in pending]
        sent = _Sent() if self._may_wait(owed, planned) else self._publish(owed)
        failure = self._acknowledge(planned, starts, sent, position)
        return replace(
            result,
            outcomes={task_id: start.outcome for task_id, start in starts.items()},
            notices=sent.notices,
            published=sent.message_id or None,
            failure="; ".join(text for text in (result.failure, sent.failure, failure) if text),
        )

    def _situation(self, position: Position) -> Situation:
        order = self._order
        return Situation(self._now, order.policy, position, order.scope.discovers, order.commands)

    # Observe

    def _observe(self, memory: Memory) -> Tuple[Observation, ...]:
        if self._order.scope.discovers:
            return self._discover(memory)
        task_ids = _late_first(self._order.scope.task_ids, memory)
        # A dry run leaves no trace, so the one after it would not know that the keys were refused.
        first = FEW if _saw(memory) and not self._order.dry_run else ONE
        seen = self._read_all(task_ids[:first])
        seen.update(self._read_all(task_ids[first:]))
        strange = [task_id for task_id in seen if _is_strange(seen[task_id], memory)]
        if strange:
            shown = clean(", ".join(strange), MAX_DETAIL)
            self._remarks.append(f"SMS has no such task, nor was one ever seen: {shown}; {STRANGE}")
        return tuple(seen[task_id] for task_id in self._order.scope.task_ids)

    def _discover(self, memory: Memory) -> Tuple[Observation, ...]:
        """Find the tasks by listing, and read by themselves those that a decision needs.

        These are the failed ones that a start is due for, and those that were known and are not
        in the list: a list may be old, or have missed a row.
        """
        scope, known = self._order.scope, _unfinished(memory)
        try:
            listing = self._out.migration.list_tasks(scope.project)
        except CloudError as error:
            return tuple(self._unseen(each, error, LISTING) for each in known or ("*",))
        if listing.detail:
            self._remarks.append(self._out.redact(listing.detail))
        listed = {task.id: task for task in listing.tasks if scope.covers(task.name)}
        if not listed:
            self._remarks.append(NOBODY if listing.tasks else EMPTY_LIST)
        situation = self._situation(Position("", 0))
        due = candidates(tuple(listed.values()), memory, situation)
        missing = [task_id for task_id in known if task_id not in listing.ids]
        read = self._read_all([*due, *_late_first(missing, memory)])
        for task_id, seen in read.items():
            if task_id in listed:
                read[task_id] = _joined(seen, listed[task_id])
            elif isinstance(seen, Gone) and not listing.complete:
                read[task_id] = Unseen(task_id, f"SMS has no such task, but {listing.detail}")
        over = () if not listing.complete else _finished(memory) - listing.ids
        return (*{**listed, **read}.values(), *(Gone(task_id) for task_id in sorted(over)))

    def _read_all(self, task_ids: Sequence[str]) -> Dict[str, Observation]:
        return dict(zip(task_ids, at_once(self._read, task_ids)))

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
            return self._unseen(task_id, error, READING)

    def _unseen(self, task_id: str, error: CloudError, rights: str) -> Unseen:
        return Unseen(task_id, self._heed(error), remedy=remedy(error, rights, SMS_ADDRESS))

    def _heed(self, error: CloudError) -> str:
        """Remember that the keys were refused, if they were, and give the error's text."""
        self._locked_out = self._locked_out or error.status == REFUSED
        return self._out.redact(str(error))

    def _is_past(self, share: float) -> bool:
        return self._out.deadline.left() <= self._out.budget * (1 - share)

    # Record

    def _record(self, planned: Plan, memory: Memory, position: Position) -> Position:
        # From the beginning of the run, whatever time it has used by now.
        until = self._now + timedelta(seconds=self._out.budget) + LEASE_MARGIN
        lease = Lease(until, self._order.imprint.run)
        starts = {d.task_id: d.verdict.start for d in planned.starts if d.verdict.start}
        entry = replace(
            self._entry(EntryType.PLAN),
            tasks=planned.tasks,
            watch=planned.watch,
            notices=planned.notices,
            starts=starts,
            lease=lease if _is_work(planned, memory) else None,
        )
        return self._out.journal.append(entry, position)

    def _entry(self, type_: EntryType) -> Entry:
        imprint = self._order.imprint
        return Entry(type_, imprint.at, imprint.run, self._out.nonce())

    # Act

    def _start(self, decision: Decision) -> Start:
        """Send the start that was decided; return what became of it."""
        start = decision.verdict.start
        assert start is not None  # noqa: S101 - it is a decision to start
        if self._locked_out or self._is_past(START_SHARE):
            return replace(start, outcome=Outcome.SKIPPED)
        try:
            self._out.migration.start_task(decision.task_id)
        except CloudError as error:
            return replace(start, outcome=_outcome(error), detail=self._heed(error))
        return replace(start, outcome=Outcome.DONE)

    # Publish

    def _may_wait(self, owed: Sequence[Notice], planned: Plan) -> bool:
        """Tell whether good news waits for more of its kind: tasks whose turn to start comes next.

        After a long outage they come back some at a time, as many as a run may start; it is one
        event for people. What is owed stands in the journal, and nothing waits for long.
        """
        good = all(notice.kind is Kind.RESUMED for notice in owed)
        young = all(self._now - notice.at < LONGEST_WAIT for notice in owed)
        more = any(d.is_start or d.verdict.reason in TURNS for d in planned.decisions)
        return good and young and more

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
            to_do = remedy(error, PUBLISHING, SMN_ADDRESS)
            return _Sent(failure=f"{self._heed(error)}; {to_do}; the message is owed still")

    # Acknowledge

    def _acknowledge(
        self, planned: Plan, starts: Mapping[str, Start], sent: _Sent, position: Position
    ) -> str:
        """Record what became of the plan; return the reason if that fails."""
        told = tuple(notice.event_id for notice in sent.notices)
        entry = replace(
            self._entry(EntryType.ACK),
            tasks={
                d.task_id: settle(d, planned.tasks[d.task_id], starts[d.task_id].outcome)
                for d in planned.starts
            },
            delivered=Delivery(sent.message_id, told) if sent.message_id else None,
            starts=starts,
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


def _is_work(planned: Plan, memory: Memory) -> bool:
    """Tell whether there is more to do than to remember: only then is a lease held, and ended."""
    return bool(planned.starts or planned.notices or memory.outbox)


def _saw(memory: Memory) -> bool:
    """Tell whether the last run could read a task."""
    return bool(memory.tasks) and not memory.watch.blind_runs


def _is_strange(seen: Observation, memory: Memory) -> bool:
    """Tell whether there is no such task, and as far as is remembered never was."""
    if not isinstance(seen, Gone):
        return False
    known = memory.tasks.get(seen.task_id)
    return known is None or not known.name


def _late_first(task_ids: Sequence[str], memory: Memory) -> Sequence[str]:
    """Put those first that the last run did not read."""
    return sorted(task_ids, key=lambda task_id: task_id not in memory.watch.unread)


def _unfinished(memory: Memory) -> Sequence[str]:
    over = (Phase.GONE, Phase.FINISHED)
    return [task_id for task_id, record in memory.tasks.items() if record.phase not in over]


def _finished(memory: Memory) -> FrozenSet[str]:
    return frozenset(
        task_id for task_id, record in memory.tasks.items() if record.phase is Phase.FINISHED
    )


def _joined(seen: Observation, listed: Task) -> Observation:
    """Add to a task what only the lists know of it: bytes, and the connection if need be.

    One that could not be read is what its row says: enough to tell, and too little to start it.
    """
    if isinstance(seen, Unseen):
        return listed
    if isinstance(seen, Gone):
        return seen
    progress = replace(seen.progress, copied=listed.progress.copied)
    connected = listed.connected if seen.connected is None else seen.connected
    transfer = replace(seen.transfer, size=listed.transfer.size)
    return replace(seen, progress=progress, connected=connected, transfer=transfer)


def _outcome(error: CloudError) -> Outcome:
    if error.outcome_unknown:
        return Outcome.UNKNOWN
    never_sent = error.retryable or error.status is None
    return Outcome.FAILED if never_sent else Outcome.REFUSED


def _warnings(history: JournalReading) -> Tuple[str, ...]:
    if not history.damaged:
        return history.warnings
    return (f"{history.damaged} lines of the journal could not be used", *history.warnings)


def _snooze_failure(commands: Commands, planned: Plan) -> str:
    """Say that a snooze names no task of this run: its reminders would come all the same."""
    snooze = commands.snooze
    if snooze is None or any(each.task_id == snooze.task_id for each in planned.decisions):
        return ""
    return (
        f"the timer's user_event snoozes {clean(snooze.task_id)!r}, which is not the id of a"
        " watched task; nothing is snoozed"
    )


def _blind_failure(seen: Sequence[Observation]) -> str:
    unseen = [each for each in seen if isinstance(each, Unseen)]
    if not unseen or len(unseen) < len(seen):
        return ""
    told = next((each for each in unseen if each.reached), unseen[0])
    return "; ".join(filter(None, (f"no task could be read: {told.detail}", told.remedy)))
