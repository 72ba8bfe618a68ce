"""What people are told of the watching itself: what cannot be read, is gone, or was lost. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import (
    NamedTuple,
    Optional,
)

from sms_watch.model.notice import (
    Kind,
    Notice,
    Reason,
    Verdict,
    closing_id,
)
from sms_watch.model.task import PART_OF_LIST, Gone, Observation, Phase, Task, Unread
from sms_watch.rules.decision import Decision
from sms_watch.rules.draft import Draft
from sms_watch.rules.sight import Sight

BLIND_AFTER_RUNS = 3
# A list that changes while it is read is short once or twice; one that stays so has a reason.
SHORT_AFTER_RUNS = 3
NAMES = {PART_OF_LIST: "a part of the list of tasks"}


def look_at_watch(draft: Draft) -> Draft:
    """Return whether the watchdog itself can see and remember."""
    return _note_sight(_note_list(_note_loss(draft)))


def _note_loss(draft: Draft) -> Draft:
    """Add, once, the notice that the journal has lost a part of what was remembered."""
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
    """Add the notice when several runs in a row could read nothing, and when one can read again."""
    unseen = [seen for seen in draft.observations if isinstance(seen, Unread) and not seen.row]
    if unseen and len(unseen) == len(draft.observations):
        return _note_blindness(draft, unseen[0].detail)
    watch, notices = draft.watch, draft.notices
    if watch.event_id:
        follows = (watch.event_id,)
        notice = Notice(
            Kind.SIGHTED,
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
    """Add what is to be told of tasks that cannot be read, are gone, or are back."""
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
    row = seen.row if isinstance(seen, Unread) else seen
    if absent and row:
        decision, absent = _told_back(decision, absent, draft), None
    if isinstance(seen, Unread) and seen.throttled:
        unread = (unread or Sight(now)).passed(now)
        decision = _told_passed(decision, unread, draft)
    elif isinstance(seen, Unread):
        unread, is_news = (unread or Sight(now)).missed(
            Kind.UNREADABLE, decision.event, seen.attempted
        )
        decision = _told_unreadable(decision, seen, unread, draft) if is_news else decision
    # Of a failed task a row says what became of it, and not that it can be read by itself.
    elif unread and not (seen.listed and seen.phase is Phase.FAILED):
        decision, unread = _told_back(decision, unread, draft), None
    return _Look(decision, unread, absent)


def _told_unreadable(decision: Decision, seen: Unread, sight: Sight, draft: Draft) -> Decision:
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
    """Add the notice that a task can be read, or is there, again, if people heard otherwise."""
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
    """Add the notice that all pages of the list can be read; no observation stands for that."""
    told = _told_back(Decision(PART_OF_LIST, Verdict()), sight, draft).notices
    return replace(draft, notices=(*draft.notices, *told))
