"""All tasks of a run: who is started, and what is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import (
    Callable,
    Iterable,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from sms_watch.model.notice import (
    Action,
    Kind,
    Notice,
    Position,
    Reason,
    Verdict,
    closing_id,
    event_id,
)
from sms_watch.model.policy import Policy
from sms_watch.model.task import PART_OF_LIST, Gone, Observation, Phase, Task, Unseen
from sms_watch.rules import digest
from sms_watch.rules.call import Call
from sms_watch.rules.decide import Decision, Reading, decide
from sms_watch.rules.record import Memory, TaskRecord, WatchRecord
from sms_watch.rules.reminders import Snooze, reminders_due
from sms_watch.rules.sight import Sight
from sms_watch.rules.telling import wanted, within_airtime

BLIND_AFTER_RUNS = 3
# A list that changes while it is read is short once or twice; one that stays so has a reason.
SHORT_AFTER_RUNS = 3
NAMES = {PART_OF_LIST: "a part of the list of tasks"}
GONE = Verdict(reason=Reason.GONE)
# A person is called after the last try, for one of these reasons.
CALLS = frozenset({Reason.BACKOFF, Reason.ATTEMPTS_SPENT, Reason.LONGEST_WAIT})


@dataclass(frozen=True)
class Commands:
    """What people ask of one run by the timer's text."""

    test: bool = False
    digest: bool = False
    snooze: Optional[Snooze] = None


@dataclass(frozen=True)
class Situation:
    """What all decisions of a run share.

    ``position`` is where the plan will stand in the journal; event ids are made from it.
    ``discovers``: the tasks were found by listing. ``memory_lost``: the journal has lost its
    snapshot. ``short_list``: the list of tasks has fewer rows than it counts. ``unlisted``: since
    when a list is of no use.
    """

    now: datetime
    policy: Policy
    position: Position
    discovers: bool = False
    commands: Commands = Commands()
    memory_lost: bool = False
    short_list: bool = False
    unlisted: Optional[datetime] = None

    def reading(self, task: Task, event: str) -> Reading:
        """Return the reading of a task in this run."""
        return Reading(task, self.now, self.policy, event, self.discovers)


@dataclass(frozen=True)
class Plan:
    """What one run is to record, do and tell.

    ``tasks`` are the records that change, with the starts counted, ``watch`` that of the watching
    itself if it changes.
    """

    decisions: Tuple[Decision, ...]
    tasks: Mapping[str, TaskRecord] = field(default_factory=dict)
    watch: Optional[WatchRecord] = None
    notices: Tuple[Notice, ...] = ()

    @property
    def starts(self) -> Tuple[Decision, ...]:
        """The decisions to start a task."""
        return tuple(decision for decision in self.decisions if decision.is_start)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to record."""
        return not (self.tasks or self.watch or self.notices)


@dataclass(frozen=True)
class Draft:
    """A plan in the making.

    ``notices`` are about the watching itself; those about a task are in its decision. ``answers``
    are what somebody asked for, and are told whatever the settings say.
    """

    situation: Situation
    observations: Sequence[Observation]
    memory: Memory
    watch: WatchRecord
    decisions: Tuple[Decision, ...] = ()
    notices: Tuple[Notice, ...] = ()
    answers: Tuple[Notice, ...] = ()

    def deciding(self, decisions: Iterable[Decision]) -> Draft:
        """Put other decisions in the place of these."""
        return replace(self, decisions=tuple(decisions))

    def event_id(self, kind: Kind) -> str:
        """Return the id of a notice about the watching itself, numbered after the tasks."""
        return event_id(self.situation.position.event(len(self.observations)), kind)

    def plan(self) -> Plan:
        """Return the plan; this alone looks at who wants to hear what, and how much."""
        now, known = self.situation.now, self.memory.tasks
        planned = ((each.task_id, each.planned(now)) for each in self.decisions)
        changed = {
            key: record
            for key, record in planned
            if record is not None and record != known.get(key)
        }
        about_tasks = [notice for each in self.decisions for notice in each.notices]
        heard = wanted([*self.notices, *about_tasks], self.situation.policy.notify_on)
        told, airtime = within_airtime(heard, self.decisions, self.watch.airtime, now)
        watch = replace(self.watch, airtime=airtime)
        return Plan(
            self.decisions,
            changed,
            watch if watch != self.memory.watch else None,
            (*self.answers, *told),
        )


def plan(observations: Sequence[Observation], memory: Memory, situation: Situation) -> Plan:
    """Decide for all tasks of a run."""
    draft = Draft(situation, observations, memory, memory.watch)
    for step in STEPS:
        draft = step(draft)
    return draft.plan()


def candidates(tasks: Sequence[Task], memory: Memory, situation: Situation) -> Tuple[str, ...]:
    """Return the ids of listed tasks that would be started now: each is first read individually."""
    failed = [replace(task, listed=False) for task in tasks if task.phase is Phase.FAILED]
    draft = _limit_starts(_decide_each(Draft(situation, failed, memory, memory.watch)))
    return tuple(decision.task_id for decision in draft.decisions if decision.is_start)


# The steps, in their order


def _decide_each(draft: Draft) -> Draft:
    """Decide about each task."""
    situation, known = draft.situation, draft.memory.tasks
    return draft.deciding(
        _decide_one(seen, known, situation, situation.position.event(number))
        for number, seen in enumerate(draft.observations)
    )


def _limit_starts(draft: Draft) -> Draft:
    """Hold back those that have waited least, where a run may not start all."""
    starts = sorted((d for d in draft.decisions if d.is_start), key=_waiting_since)
    late = {decision.task_id for decision in starts[draft.situation.policy.max_per_run :]}
    return draft.deciding(
        d.held_back(Reason.RUN_LIMIT) if d.task_id in late else d for d in draft.decisions
    )


def _call_together(draft: Draft) -> Draft:
    """Call a person for all tasks of an outage at once.

    Their last tries are minutes apart, because only so many are started in a run. When the wait
    after one of them is over, the others go along that have had theirs.
    """
    calls = [
        notice.verdict.reason
        for decision in draft.decisions
        for notice in decision.notices
        if notice.kind is Kind.NEEDS_PERSON
    ]
    if not CALLS.intersection(calls):
        return draft
    return draft.deciding(_called(decision, draft.situation) for decision in draft.decisions)


def _quieten(draft: Draft) -> Draft:
    """Hold back the reminders of a task, where somebody asked for that."""
    snooze, now = draft.situation.commands.snooze, draft.situation.now
    if snooze is None:
        return draft
    return draft.deciding(
        replace(decision, record=decision.record.snoozed(snooze.span, now))
        if decision.record is not None and decision.task_id == snooze.task_id
        else decision
        for decision in draft.decisions
    )


def _remind(draft: Draft) -> Draft:
    """Repeat the calls that are still open."""
    read = {d.task_id: d.record for d in draft.decisions if d.record is not None and d.is_there}
    due = reminders_due(read, draft.situation.now, draft.situation.policy)
    return draft.deciding(
        _reminded(decision, draft.situation) if decision.task_id in due else decision
        for decision in draft.decisions
    )


def _look_at_watch(draft: Draft) -> Draft:
    """Say whether the watchdog itself can see and remember."""
    return _note_sight(_note_list(_note_loss(draft)))


def _answer_test(draft: Draft) -> Draft:
    """Send a test message, where somebody asked for one."""
    if not draft.situation.commands.test:
        return draft
    notice = Notice(Kind.TEST, draft.situation.now, draft.event_id(Kind.TEST))
    return replace(draft, answers=(*draft.answers, notice))


def _send_digest(draft: Draft) -> Draft:
    """Show how all tasks stand, when that is due or somebody asked for it."""
    situation, watch = draft.situation, draft.watch
    now, policy, asked = situation.now, situation.policy, situation.commands.digest
    if not asked and not digest.is_due(draft.decisions, watch, now, policy):
        counts = bool(policy.digest) and watch.digested_at is None
        return replace(draft, watch=replace(watch, digested_at=now)) if counts else draft
    notice = Notice(
        Kind.DIGEST,
        now,
        draft.event_id(Kind.DIGEST),
        since=watch.digested_at,
        digest=digest.digest(draft.decisions, now),
    )
    draft = draft.deciding(_digested(decision, now) for decision in draft.decisions)
    draft = replace(draft, watch=replace(watch, digested_at=now))
    if asked:
        return replace(draft, answers=(*draft.answers, notice))
    return replace(draft, notices=(*draft.notices, notice))


Step = Callable[[Draft], Draft]
STEPS: Tuple[Step, ...] = (
    _decide_each,
    _limit_starts,  # before anything else looks at who is started
    _call_together,
    _quieten,  # a snooze holds for this very run ...
    _remind,  # ... so it comes before the reminders
    _look_at_watch,
    _answer_test,
    _send_digest,  # last: it shows what all others have changed
)


# One task


def _decide_one(
    seen: Observation, known: Mapping[str, TaskRecord], situation: Situation, event: str
) -> Decision:
    if isinstance(seen, Task):
        return decide(situation.reading(seen, event), known.get(seen.id))
    if isinstance(seen, Gone):
        # What is remembered stays: the service may be wrong, and the task may come back.
        record = known.get(seen.task_id)
        task, verdict = Task(seen.task_id, record.name if record else "", ""), GONE
        return Decision(seen.task_id, verdict, event, task, record, detail=seen.detail)
    if seen.row is not None:
        decision = decide(situation.reading(seen.row, event), known.get(seen.task_id))
        if seen.throttled and decision.verdict.reason is Reason.NOT_REACHED:
            decision = decision.held_back(Reason.THROTTLED)
        return replace(decision, detail=seen.detail)
    reason = Reason.UNREADABLE if seen.reached else Reason.NOT_REACHED
    reason = Reason.THROTTLED if seen.throttled else reason
    verdict, record = Verdict(Action.WAIT, reason), known.get(seen.task_id)
    return Decision(seen.task_id, verdict, event, record=record, detail=seen.detail)


def _waiting_since(decision: Decision) -> Tuple[datetime, str]:
    assert decision.record is not None  # noqa: S101 - a start always has one
    return decision.record.starts.last_at or decision.record.since, decision.task_id


def _called(decision: Decision, situation: Situation) -> Decision:
    """Call about a task that has had its last try, or the last but one if it has no limit."""
    record, task, verdict = decision.record, decision.task, decision.verdict
    after = decision.planned(situation.now)
    if record is None or task is None or after is None or verdict.error_class is None:
        return decision
    cap, policy = verdict.attempt.cap, situation.policy
    limit = policy.max_attempts - 1 if cap is None else cap
    if record.failure.call or not after.starts.is_used_up(max(limit, 1), policy):
        return decision
    failure = record.failure.called(decision.event, situation.now)
    notice = situation.reading(task, decision.event).notice(
        Kind.NEEDS_PERSON, verdict, since=record.failed_since
    )
    return replace(decision, record=replace(record, failure=failure)).telling(notice)


def _reminded(decision: Decision, situation: Situation) -> Decision:
    record, task = decision.record, decision.task
    assert record is not None  # noqa: S101 - a reminder is due by what is in it
    assert record.call is not None  # noqa: S101 - as above
    assert task is not None  # noqa: S101 - of tasks that were not read none is due
    call = record.call.repeated(situation.now)
    notice = situation.reading(task, decision.event).notice(
        Kind.REMINDER,
        decision.verdict,
        follows=_repeated(record, call),
        since=record.standing_since,
        count=call.reminders,
    )
    return replace(decision, record=record.reminded(call)).telling(notice)


def _repeated(record: TaskRecord, call: Call) -> Tuple[str, ...]:
    """Return the ids of the notices that a reminder repeats."""
    openings = record.failure.openings
    return openings if call.event_id in openings else (call.event_id,)


def _digested(decision: Decision, now: datetime) -> Decision:
    if decision.record is None or not decision.is_there:
        return decision
    return replace(decision, record=decision.record.digested(now))


# The watching itself


def _note_loss(draft: Draft) -> Draft:
    """Say once that the journal has lost a part of what was remembered."""
    lost = draft.situation.memory_lost
    if lost and not draft.watch.loss_told:
        notice = Notice(Kind.MEMORY_LOST, draft.situation.now, draft.event_id(Kind.MEMORY_LOST))
        draft = replace(draft, notices=(*draft.notices, notice))
    return replace(draft, watch=replace(draft.watch, loss_told=lost))


def _note_list(draft: Draft) -> Draft:
    """Count the runs in a row whose list was short, up to where it is no passing thing."""
    situation = draft.situation
    runs = min(draft.watch.short_lists + 1, SHORT_AFTER_RUNS) if situation.short_list else 0
    watch = replace(draft.watch, short_lists=runs, unlisted=situation.unlisted)
    return replace(draft, watch=watch)


def _note_sight(draft: Draft) -> Draft:
    """Say when several runs in a row could read nothing, and when one can read again."""
    unseen = [seen for seen in draft.observations if isinstance(seen, Unseen) and not seen.row]
    if unseen and len(unseen) == len(draft.observations):
        return _note_blindness(draft, unseen[0].detail)
    watch, notices = draft.watch, draft.notices
    if watch.event_id:
        follows = (watch.event_id,)
        notice = Notice(
            Kind.SEES_AGAIN,
            draft.situation.now,
            closing_id(watch.event_id),
            follows=follows,
            since=watch.blind_since,
        )
        notices = (*notices, notice)
    watch = replace(watch, blind_runs=0, blind_since=None, event_id="")
    return _note_missing(replace(draft, watch=watch, notices=notices))


def _note_blindness(draft: Draft, detail: str) -> Draft:
    watch, now = draft.watch, draft.situation.now
    if watch.blind_runs >= BLIND_AFTER_RUNS:
        return draft
    watch = replace(watch, blind_runs=watch.blind_runs + 1, blind_since=watch.blind_since or now)
    if watch.blind_runs < BLIND_AFTER_RUNS:
        return replace(draft, watch=watch)
    event = draft.event_id(Kind.BLIND)
    notice = Notice(Kind.BLIND, now, event, since=watch.blind_since, detail=detail)
    watch = replace(watch, event_id=event)
    return replace(draft, watch=watch, notices=(*draft.notices, notice))


def _note_missing(draft: Draft) -> Draft:
    """Say of each task when it cannot be read or is gone, run after run, and when it is back."""
    watch = draft.watch
    looks = [_look(*pair, draft) for pair in zip(draft.observations, draft.decisions)]
    asked = {look.decision.task_id for look in looks}
    unread = {look.decision.task_id: look.unread for look in looks if look.unread}
    absent = {look.decision.task_id: look.absent for look in looks if look.absent}
    # After a task that is told to be gone nobody asks any more.
    lasting = {key: sight for key, sight in watch.absent.items() if key not in asked}
    draft = draft.deciding(look.decision for look in looks)
    if PART_OF_LIST in watch.unread.keys() - asked:
        draft = _whole_again(draft, watch.unread[PART_OF_LIST])
    watch = replace(watch, unread=unread, absent={**lasting, **absent})
    return replace(draft, watch=watch)


class _Look(NamedTuple):
    """What a run finds of a task: its decision, and what is remembered if it was not seen."""

    decision: Decision
    unread: Optional[Sight]
    absent: Optional[Sight]


def _look(seen: Observation, decision: Decision, draft: Draft) -> _Look:
    watch, now = draft.watch, draft.situation.now
    unread, absent = watch.unread.get(decision.task_id), watch.absent.get(decision.task_id)
    if isinstance(seen, Gone):
        absent, is_news = (absent or Sight(now)).missed(Kind.GONE, decision.event)
        decision = _told_gone(decision, draft) if is_news else decision
        return _Look(decision, None if absent.event_id else unread, absent)
    row = seen.row if isinstance(seen, Unseen) else seen
    if absent and row:
        decision, absent = _told_back(decision, absent, draft), None
    if isinstance(seen, Unseen) and seen.throttled:
        unread = (unread or Sight(now)).passed(now)
        decision = _told_passed(decision, unread, draft)
    elif isinstance(seen, Unseen):
        unread, is_news = (unread or Sight(now)).missed(
            Kind.UNREADABLE, decision.event, seen.reached
        )
        decision = _told_unreadable(decision, seen, unread, draft) if is_news else decision
    # Of a failed task a row says what became of it, and not that it can be read by itself.
    elif unread and not (seen.listed and seen.phase is Phase.FAILED):
        decision, unread = _told_back(decision, unread, draft), None
    return _Look(decision, unread, absent)


def _told_unreadable(decision: Decision, seen: Unseen, sight: Sight, draft: Draft) -> Decision:
    reading = draft.situation.reading(_named(decision), decision.event)
    detail = "; ".join(filter(None, (seen.detail, seen.remedy)))
    decision = decision.telling(
        reading.notice(Kind.UNREADABLE, decision.verdict, since=sight.since, detail=detail)
    )
    # A list says that it has failed, and nobody starts it: that is more than a task not watched.
    is_failed = seen.row is not None and seen.row.phase is Phase.FAILED
    return _told_not_started(decision, draft) if is_failed else decision


def _told_passed(decision: Decision, sight: Sight, draft: Draft) -> Decision:
    """Call a person when a start that is due has waited for a call longer than any start waits."""
    waited = draft.situation.now - (sight.passed_at or draft.situation.now)
    is_due = decision.verdict.reason is Reason.THROTTLED and decision.task is not None
    if not is_due or waited < draft.situation.policy.backoff_max:
        return decision
    return _told_not_started(decision, draft)


def _told_not_started(decision: Decision, draft: Draft) -> Decision:
    """Call a person about a failed task that only a list shows, unless one is called."""
    record = decision.record
    if record is None or record.failure.call:
        return decision
    reading = draft.situation.reading(_named(decision), decision.event)
    failure = record.failure.called(decision.event, draft.situation.now)
    call = reading.notice(Kind.NEEDS_PERSON, decision.verdict, since=record.failed_since)
    return replace(decision, record=replace(record, failure=failure)).telling(call)


def _told_gone(decision: Decision, draft: Draft) -> Decision:
    reading = draft.situation.reading(_named(decision), decision.event)
    return decision.telling(reading.notice(Kind.GONE, decision.verdict, detail=decision.detail))


def _told_back(decision: Decision, sight: Sight, draft: Draft) -> Decision:
    """Tell that a task can be read again, or is there again, if people heard otherwise."""
    if not sight.event_id:
        return decision
    reading, follows = draft.situation.reading(_named(decision), decision.event), (sight.event_id,)
    return decision.telling(
        reading.closing(Kind.READABLE, follows, decision.verdict, since=sight.since)
    )


def _named(decision: Decision) -> Task:
    """Return the task of a decision; of one that was not read, with the name that is known."""
    if decision.task is not None:
        return decision.task
    name = decision.record.name if decision.record else NAMES.get(decision.task_id, "")
    return Task(decision.task_id, name, "")


def _whole_again(draft: Draft, sight: Sight) -> Draft:
    """Tell that all pages of the list can be read again; no observation stands for that."""
    told = _told_back(Decision(PART_OF_LIST, Verdict()), sight, draft).notices
    return replace(draft, notices=(*draft.notices, *told))
