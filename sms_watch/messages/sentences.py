"""One notice in words: a heading, sentences, and what to do, by its kind. Pure.

In templates, words in braces depend on how many tasks they are about (see ``grammar``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Callable, Mapping, Optional

from sms_watch.messages.digests import digest_title, say_digest
from sms_watch.messages.facts import copied_since
from sms_watch.messages.failures import (
    NO_TASK,
    OFFLINE,
    failed_title,
    first_seen,
    gap_of,
    person_advice,
    remedy,
    say_failed,
    say_needs_person,
    say_resumed,
    seen_after,
    state_of,
)
from sms_watch.messages.grammar import Telling
from sms_watch.messages.titles import (
    always,
    follows,
    gone_title,
    moving_title,
    never_seen,
    paused_title,
    phase_of,
    readable_title,
    reminder_title,
    resumed_title,
    runs,
)
from sms_watch.model.notice import Kind, Notice, Reason
from sms_watch.model.task import BROKEN, PART_OF_LIST, TaskState
from sms_watch.rules.reminders import MOST_REMINDERS
from sms_watch.text import MAX_DETAIL, clean, count, duration

Say = Callable[[Notice, Telling], str]


def _nothing(notice: Notice, telling: Telling) -> str:
    return ""


@dataclass(frozen=True)
class Phrase:
    """How a kind of notice reads: what follows the task's name in a heading, what is told, advice.

    A heading is a template; ``{code}`` stands where its error code is shown.
    """

    title: Callable[[Notice], str]
    sentence: Say
    advice: Say = _nothing


def title(notice: Notice) -> str:
    """Return the template of what a heading says of the task, or of the watchdog."""
    text = PHRASES[notice.kind].title(notice)
    return text if "{code}" in text else text + "{code}"


def sentence(notice: Notice, telling: Telling) -> str:
    """Return what a notice tells, in sentences."""
    return PHRASES[notice.kind].sentence(notice, telling)


def advice(notice: Notice, telling: Telling) -> str:
    """Return what people are to do, in sentences; empty when that is nothing."""
    return PHRASES[notice.kind].advice(notice, telling)


# At rest


def _say_paused(notice: Notice, telling: Telling) -> str:
    state = telling.alone(f" ({state_of(notice)})")
    seen = telling.alone(first_seen(notice, telling))
    if (notice.task or NO_TASK).is_halted:
        text = "SMS itself paused {them}{state} because of an error{seen}. " + LEFT_PAUSED
    elif state_of(notice) == TaskState.ABORTING:
        text = "Being paused{state}{seen}. " + LEFT_ALONE
    else:
        text = "Paused by a person{state}{seen}. " + LEFT_ALONE
    return telling.say(text, state=state, seen=seen)


LEFT_PAUSED = "sms_watch does not restart a paused task."
LEFT_ALONE = "sms_watch leaves {them} alone until someone presses Start."


def _say_finished(notice: Notice, telling: Telling) -> str:
    return telling.alone(f"Finished ({state_of(notice)}){first_seen(notice, telling)}.")


def _say_gone(notice: Notice, telling: Telling) -> str:
    if notice.detail:
        return telling.alone(f"No longer watched: {clean(notice.detail, MAX_DETAIL)}.")
    if never_seen(notice):
        return telling.say("SMS has no such {task} (SMS.7703), and none was ever seen.")
    return telling.say("SMS has no such {task} any more (SMS.7703).")


def _gone_advice(notice: Notice, telling: Telling) -> str:
    if notice.detail:
        return ""
    if never_seen(notice):
        return "Correct SMS_TASK_IDS, which takes the IDs of tasks, not those of servers."
    return telling.say(
        "If {it} {was} deleted on purpose, remove {its} ID from SMS_TASK_IDS, unless that is *."
    )


def _say_unknown_state(notice: Notice, telling: Telling) -> str:
    state = telling.alone(f", {state_of(notice)!r},")
    text = (
        "{Its} state{state} is not known to this version of sms_watch, which leaves {them} alone."
    )
    return telling.say(text, state=state)


def _say_hanging(notice: Notice, telling: Telling) -> str:
    if telling.many:
        return "No task should stay in such a state for long."
    return f"{_stuck(notice, telling)}. No task should stay in this state."


def _stuck(notice: Notice, telling: Telling) -> str:
    return f"In state {state_of(notice)} since {_since(notice, telling)}"


def _since(notice: Notice, telling: Telling) -> str:
    """Return since when something is so, and how long that is by now."""
    stood = f" ({duration(notice.at - notice.since)} so far)" if notice.since else ""
    return f"{moment(notice.since, telling)}{stood}"


def moment(since: Optional[datetime], telling: Telling) -> str:
    """Return a moment that may not be known."""
    return telling.when(since) if since else "it was first seen"


def _look_at_task(notice: Notice, telling: Telling) -> str:
    return telling.say(
        "Check the {task} and {its} {agent} in the SMS console, and contact technical support if"
        " {it} {does} not move on."
    )


# What cannot be read


def _say_blind(notice: Notice, telling: Telling) -> str:
    since = f" since {telling.when(notice.since)}" if notice.since else ""
    detail = clean(notice.detail, MAX_DETAIL)
    reason = f" Reason: {detail.rstrip('.')}." if detail else ""
    return (
        f"No task could be read{since}, so failed tasks are neither noticed nor restarted.{reason}"
        " Every run tries again, and you will hear from us once it works."
    )


def _blind_advice(notice: Notice, telling: Telling) -> str:
    return "Check the keys or the agency, and whether SMS itself is available."


def _say_sighted(notice: Notice, telling: Telling) -> str:
    blind = notice.at - notice.since if notice.since else timedelta(0)
    return (
        f"Tasks can be read again as of {telling.when(notice.at)}, after a gap of"
        f" {duration(blind)}. Anything that changed in the meantime is reported as well."
    )


def _say_unreadable(notice: Notice, telling: Telling) -> str:
    if telling.many:
        return "These tasks could not be read, while others could. " + UNWATCHED.format(it="they")
    since = f" since {telling.when(notice.since)}" if notice.since else ""
    detail = clean(notice.detail, 2 * MAX_DETAIL).rstrip(".")
    if (notice.task or NO_TASK).id == PART_OF_LIST:
        return f"Could not be read{since}: {detail}. Every run tries again."
    until = UNWATCHED.format(it="it")
    if state_of(notice):
        listed = f"The list of tasks shows it as {state_of(notice)}"
        until = f"{listed}, but it is not restarted until it can be read by ID."
    return (
        f"Could not be read{since}, while other tasks could: {detail}. {until}"
        " Every run tries again."
    )


UNWATCHED = "Until {it} can be read, a failure is neither noticed nor restarted."


def _say_readable(notice: Notice, telling: Telling) -> str:
    again = "Exists again" if follows(notice, Kind.GONE) else "Can be read again"
    state = f" ({state_of(notice)})" if state_of(notice) else ""
    return telling.alone(f"{again}{state} after {duration(_lasted(notice))}.")


def _lasted(notice: Notice) -> timedelta:
    return notice.at - notice.since if notice.since else timedelta(0)


# Running


def _say_stalled(notice: Notice, telling: Telling) -> str:
    state = telling.alone(f" {state_of(notice)}") or " running"
    since = telling.alone(f" since {moment(notice.since, telling)}{_at_place(notice)}")
    return telling.say(
        "{It} {is}{state}, but no progress has been seen{since}: neither the sub-task nor the"
        " percentage nor the bytes copied have changed.",
        state=state,
        since=since,
    )


def _at_place(notice: Notice) -> str:
    progress = (notice.task or NO_TASK).progress
    if not progress.sub_task:
        return ""
    at = f" at {progress.shown} %" if progress.shown is not None else ""
    return f" ({clean(progress.sub_task)}{at})"


def _stall_advice(notice: Notice, telling: Telling) -> str:
    return telling.say(
        "Check the {agent} on the {source} and the network; if that does not help, pause the {task}"
        " and press Start in the SMS console."
    )


def _say_moving(notice: Notice, telling: Telling) -> str:
    if telling.many:
        return ""
    seen, stalled = first_seen(notice, telling), follows(notice, Kind.STALLED)
    if not seen and notice.since:
        without = " without progress" if stalled else ""
        seen = f" after {duration(_lasted(notice))}{without}"
    return f"Moving again{seen}." if stalled else f"Moved on to {state_of(notice)}{seen}."


def _say_copied(notice: Notice, telling: Telling) -> str:
    done = telling.say("The first full copy is done, and changes are being synchronised.")
    return f"{done} {telling.alone(_copy_seen(notice, telling))}".rstrip()


def _copy_seen(notice: Notice, telling: Telling) -> str:
    """Return how long a copy was seen under way, and how fast it was, unless a gap hides that."""
    task, is_known = notice.task or NO_TASK, notice.since is not None and not gap_of(notice)
    much = copied_since(task) if is_known else ""
    lasted = duration(_lasted(notice)) if notice.since else ""
    seen = seen_after("Seen synchronising", "copying", lasted, notice, telling)
    return f"{seen}{much and ': '}{much}."


def _copied_advice(notice: Notice, telling: Telling) -> str:
    return telling.say(
        "Start the cut-over when you are ready; until then changes keep being synchronised."
    )


def _say_disconnected(notice: Notice, telling: Telling) -> str:
    told = telling.say(OFFLINE)
    if runs(notice):
        return told + telling.say(
            " Should the {task} fail, {it} will be restarted once {its} {agent} {is} back."
        )
    done = remedy(notice, telling)
    return done if done.startswith(told) else f"{told} {done}".strip()


def _agent_advice(notice: Notice, telling: Telling) -> str:
    return telling.say(
        "Check that the {source} {is} up, and that {its} SMS {agent} {is} running and can reach SMS"
        " on port 443."
    )


def _say_connected(notice: Notice, telling: Telling) -> str:
    seen = telling.alone(f" at {telling.when(notice.at)}")
    told = telling.say(
        "The SMS {agent} on the {source} {was} seen connected again{seen}.", seen=seen
    )
    return f"{told} {remedy(notice, telling)}".rstrip()


# What is repeated, or summed up


def _say_reminder(notice: Notice, telling: Telling) -> str:
    return " ".join(filter(None, (_still(notice, telling), _which_reminder(notice))))


def _which_reminder(notice: Notice) -> str:
    if notice.count >= MOST_REMINDERS:
        return f"This is the last of {MOST_REMINDERS} reminders, though the matter stays open."
    return f"This is reminder {notice.count} of {MOST_REMINDERS}."


def _still(notice: Notice, telling: Telling) -> str:
    """Return what is still so."""
    since = _since(notice, telling)
    if runs(notice):
        return telling.alone(f"No progress seen since {since}.")
    if phase_of(notice) in BROKEN:
        failed = telling.alone(f"Seen failed since {since}. ")
        return failed + say_needs_person(notice, telling)
    if (notice.task or NO_TASK).is_halted and state_of(notice) != TaskState.ABORTING:
        return telling.alone(f"Seen paused by SMS since {since}. ") + LEFT_PAUSED
    return telling.alone(f"{_stuck(notice, telling)}.")


def _reminder_advice(notice: Notice, telling: Telling) -> str:
    if runs(notice):
        return _stall_advice(notice, telling)
    if phase_of(notice) in BROKEN:
        return person_advice(notice, telling)
    return "" if notice.verdict.error_class else _look_at_task(notice, telling)


def _say_all(notice: Notice, telling: Telling) -> str:
    return say_digest(notice, telling) if notice.task is None else _say_summary(notice, telling)


def _say_summary(notice: Notice, telling: Telling) -> str:
    """Return what stands for all that was held back of one task."""
    held = f" ({count(notice.count, 'notice')} held back since {moment(notice.since, telling)})"
    state = state_of(notice)
    now = f" Now in state {state}." if state else " It cannot be read now."
    if notice.verdict.reason is Reason.GONE:
        now = f" {_say_gone(notice, telling)}"
    return telling.say(
        "{It} change{s} too often to report every change{held}.{now} While this goes on you get one"
        " summary an hour, and hear at once when someone has to act.",
        held=telling.alone(held),
        now=telling.alone(now),
    )


# The watchdog itself


def _say_memory_lost(notice: Notice, telling: Telling) -> str:
    return (
        "Part of the journal could not be read. Restarts are counted from zero again, and some"
        " messages may be repeated. The tasks are watched as before."
    )


def _memory_advice(notice: Notice, telling: Telling) -> str:
    return "Check who else writes to the place that JOURNAL_URI names."


def _say_test(notice: Notice, telling: Telling) -> str:
    return "This is the test message you asked for. Messages reach you."


PHRASES: Mapping[Kind, Phrase] = {
    Kind.NEEDS_PERSON: Phrase(always("need{s} attention"), say_needs_person, person_advice),
    Kind.BLIND: Phrase(always("cannot read any task"), _say_blind, _blind_advice),
    Kind.MEMORY_LOST: Phrase(
        always("has lost part of its memory"), _say_memory_lost, _memory_advice
    ),
    Kind.GONE: Phrase(gone_title, _say_gone, _gone_advice),
    Kind.FAILED: Phrase(failed_title, say_failed),
    Kind.UNREADABLE: Phrase(always("cannot be read"), _say_unreadable),
    Kind.STALLED: Phrase(always("{has} stalled"), _say_stalled, _stall_advice),
    Kind.HANGING: Phrase(always("{is} stuck"), _say_hanging, _look_at_task),
    Kind.DISCONNECTED: Phrase(
        always("lost contact with {its} SMS {agent}"), _say_disconnected, _agent_advice
    ),
    Kind.UNKNOWN_STATE: Phrase(
        always("{is} in an unknown state"), _say_unknown_state, _look_at_task
    ),
    Kind.REMINDER: Phrase(reminder_title, _say_reminder, _reminder_advice),
    Kind.PAUSED: Phrase(paused_title, _say_paused),
    Kind.COPIED: Phrase(
        always("{has} finished {its} first full copy"), _say_copied, _copied_advice
    ),
    Kind.RESUMED: Phrase(resumed_title, say_resumed),
    Kind.MOVING: Phrase(moving_title, _say_moving),
    Kind.CONNECTED: Phrase(always("{is} back in contact with {its} SMS {agent}"), _say_connected),
    Kind.READABLE: Phrase(readable_title, _say_readable),
    Kind.SIGHTED: Phrase(always("can read tasks again"), _say_sighted),
    Kind.FINISHED: Phrase(always("{has} finished"), _say_finished),
    Kind.DIGEST: Phrase(digest_title, _say_all),
    Kind.TEST: Phrase(always("sent a test message"), _say_test),
}
