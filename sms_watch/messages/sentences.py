"""One notice in sentences, as the e-mail and the web hooks have it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Callable, Mapping, Optional

from sms_watch.model.notice import (
    Action,
    Attempt,
    DigestRow,
    Kind,
    Notice,
    Outcome,
    Reason,
)
from sms_watch.model.task import BROKEN, PART_OF_LIST, Phase, Task, TaskState
from sms_watch.rules.reminders import MOST_REMINDERS
from sms_watch.text import MAX_DETAIL, clean, count, duration, when

NO_TASK = Task("", "", "")  # for a notice that has lost its own


@dataclass(frozen=True)
class Phrase:
    """How a kind of notice reads: what follows the task's name in a heading, and in sentences."""

    title: Callable[[Notice], str]
    sentence: Callable[[Notice, tzinfo], str]


def title(notice: Notice) -> str:
    """Return what a heading says of the task, or of the watchdog: "is paused"."""
    return PHRASES[notice.kind].title(notice)


def sentence(notice: Notice, zone: tzinfo) -> str:
    """Return what a notice tells, in sentences, with its times in a zone."""
    return PHRASES[notice.kind].sentence(notice, zone)


def _say_failed(notice: Notice, zone: tzinfo) -> str:
    state = _state(notice)
    if notice.count:
        told = (
            f"It failed {notice.count} times within an hour and came back in between. From now on"
            " its failures and returns are not told one by one: you hear when it has held out for"
            " an hour, when it stays failed, or when a person is needed."
        )
    elif notice.since is not None and notice.since < notice.at:
        told = (
            "It was flapping and comes back no more: it has stood failed"
            f" ({state}) since {when(notice.since, zone)}."
        )
    else:
        told = f"It failed ({state}, seen at {when(notice.at, zone)})."
    return f"{told} {remedy(notice, zone)}".rstrip()


def remedy(notice: Notice, zone: tzinfo) -> str:
    """Return what is done about a failure, in a sentence; empty when that is nothing."""
    verdict, moment = notice.verdict, notice.verdict.attempt.next_try
    next_try = f" at {when(moment, zone)}" if moment else " in the next run"
    if verdict.start is not None:
        detail = f" ({clean(verdict.start.detail, MAX_DETAIL)})" if verdict.start.detail else ""
        said = START_SENTENCES[verdict.start.outcome]
        return said.format(start=_which_start(verdict.attempt), detail=detail, next=next_try)
    return REMEDY_SENTENCES.get(verdict.reason or Reason.MENDABLE, "").format(next=next_try)


def _which_start(attempt: Attempt) -> str:
    return f"start {attempt.number}" + (f" of {attempt.cap}" if attempt.cap is not None else "")


START_SENTENCES: Mapping[Outcome, str] = {
    Outcome.DONE: "Its start was accepted ({start}); that it runs is told when it is seen.",
    Outcome.REFUSED: "Its start was refused{detail}; the next try is{next}.",
    Outcome.FAILED: "Its start could not be sent{detail}; the next try is{next}.",
    Outcome.UNKNOWN: "It was sent a start ({start}) without an answer{detail}; the next run looks.",
    Outcome.SKIPPED: "It was not started in this run{detail}; the next run looks at it again.",
}
REMEDY_SENTENCES: Mapping[Reason, str] = {
    Reason.GRACE: "The SMS agent may recover by itself; if not, it is started{next}.",
    Reason.DISCONNECTED: "The task waits for its agent, which is away: it is started when the"
    " agent is back, and tried{next} all the same.",
    Reason.BACKOFF: "It is started{next}.",
    Reason.NOT_REACHED: "It could not be looked at by itself in this run; its turn comes next.",
    Reason.THROTTLED: "The account makes more calls than SMS allows, so it could not be looked at"
    " by itself; those that have waited longest come first.",
    Reason.RUN_LIMIT: "As many tasks as allowed were started in this run; its turn comes next.",
}


def _say_needs_person(notice: Notice, zone: tzinfo) -> str:
    said = PERSON_SENTENCES.get(notice.verdict.reason or Reason.NOT_MENDABLE, TRIED_ON)
    return said.format(starts=notice.verdict.attempt.number)


TRIED_ON = (
    "Its starts have not helped so far. It is tried on, at the longest wait, but please look."
)
PERSON_SENTENCES: Mapping[Reason, str] = {
    Reason.NO_TIME: "Run after run ended before there was time to start it: see which calls are"
    " slow in the log, and raise RUN_BUDGET_SECONDS and the function's timeout, or press Start.",
    Reason.NOT_REACHED: "It stands failed in the list of tasks, but it cannot be read by its id, so"
    " it is not restarted: grant the right to read it, or press Start in the SMS console.",
    Reason.THROTTLED: "It stands failed in the list of tasks, but the account makes more calls than"
    " SMS allows, so it is not read and restarted: let other programs that use the account ask less"
    " often, or press Start in the SMS console.",
    Reason.NOT_MENDABLE: "A start cannot mend this: a person is needed.",
    Reason.ATTEMPTS_SPENT: "No start has helped ({starts} made) and no more follow: a person is"
    " needed.",
    Reason.STARTS_OFF: "Starting is switched off (RESUME_MAX_ATTEMPTS is 0): a person has to start"
    " it in the SMS console.",
    Reason.ROLLED_BACK: "Its synchronisation failed and was rolled back: a person is needed,"
    " who looks at its error in the SMS console.",
}


def _say_resumed(notice: Notice, zone: tzinfo) -> str:
    if notice.count:
        return f"It has been running for an hour now, after failing {notice.count} times."
    stood = notice.at - notice.since if notice.since else timedelta(0)
    after = f", {duration(stood)} after it failed" if stood >= timedelta(minutes=1) else ""
    return f"It was seen running again at {when(notice.at, zone)}{after}."


def _say_paused(notice: Notice, zone: tzinfo) -> str:
    task, state = notice.task or NO_TASK, _state(notice)
    if task.is_halted:
        return f"SMS itself paused it ({state}) because of the error below; no person did. {HALTED}"
    if task.state == TaskState.ABORTING:
        return f"It is being paused ({state}). It is left alone until a person starts it."
    return f"A person paused it ({state}). It is left alone until a person starts it."


HALTED = (
    "It is not restarted by sms_watch: remove the cause first, then press Start in the SMS console."
)


def _say_finished(notice: Notice, zone: tzinfo) -> str:
    return f"It is finished ({_state(notice)})."


def _say_gone(notice: Notice, zone: tzinfo) -> str:
    if notice.detail:
        return f"It is not watched any more: {clean(notice.detail, MAX_DETAIL)}."
    if never_seen(notice):
        return (
            "SMS has no task with this id (SMS.7703), and none was ever seen. Correct it in"
            " SMS_TASK_IDS, which takes the ids of tasks, not those of servers."
        )
    return (
        "SMS has no such task (SMS.7703). If it was deleted on purpose, there is nothing to do, but"
        " take its id out of SMS_TASK_IDS if it stands there."
    )


def never_seen(notice: Notice) -> bool:
    """Tell whether nothing is known of a task that does not exist, not even its name."""
    return notice.task is not None and not notice.task.name


def _say_unknown_state(notice: Notice, zone: tzinfo) -> str:
    return f"Its state, {_state(notice)!r}, is not one that sms_watch knows. It is left alone."


def _state(notice: Notice) -> str:
    return clean((notice.task or NO_TASK).state)


def _say_blind(notice: Notice, zone: tzinfo) -> str:
    since = f" since {when(notice.since, zone)}" if notice.since else ""
    detail = clean(notice.detail, MAX_DETAIL)
    reason = f" The reason: {detail.rstrip('.')}." if detail else ""
    return (
        f"No task could be read{since}, so failed ones are neither seen nor started.{reason}"
        " It is tried again in every run, and you hear when it works."
        " If this lasts, look at the keys or the agency, and at whether SMS itself works."
    )


def _say_unreadable(notice: Notice, zone: tzinfo) -> str:
    since = f" since {when(notice.since, zone)}" if notice.since else ""
    detail = clean(notice.detail, 2 * MAX_DETAIL).rstrip(".")
    if (notice.task or NO_TASK).id == PART_OF_LIST:
        return f"It could not be read{since}: {detail}. It is tried again in every run."
    until = "it is not watched: a failure would be neither seen nor restarted"
    if _state(notice):
        until = f"it is not restarted; that it is {_state(notice)} is known from the list of tasks"
    return (
        f"It could not be read{since}, while other tasks could: {detail}. Until it can be read,"
        f" {until}. It is tried again in every run."
    )


def _say_readable(notice: Notice, zone: tzinfo) -> str:
    missed = notice.at - notice.since if notice.since else timedelta(0)
    state = f" ({_state(notice)})" if _state(notice) else ""
    can = "is there again" if _follows(notice, Kind.GONE) else "can be read again"
    return f"It {can}{state}, after {duration(missed)}, and is watched as before."


def _say_hanging(notice: Notice, zone: tzinfo) -> str:
    stood = f", {duration(notice.at - notice.since)} by now" if notice.since else ""
    return (
        f"It has been {_state(notice)} since {_moment(notice.since, zone)}{stood}; no task should"
        f" stay there. {HANG_ADVICE}"
    )


HANG_ADVICE = (
    "sms_watch leaves it alone: look at the task and its agent in the SMS console, and ask the"
    " service's support if it does not move on."
)


def _say_sees_again(notice: Notice, zone: tzinfo) -> str:
    blind = notice.at - notice.since if notice.since else timedelta(0)
    return (
        f"Tasks can be read again since {when(notice.at, zone)}, after {duration(blind)}."
        " What happened in between is told as well, if anything did."
    )


def _say_stalled(notice: Notice, zone: tzinfo) -> str:
    return (
        f"It is {_state(notice)}, but neither its sub-task nor its percentage nor its bytes have"
        f" moved since {_moment(notice.since, zone)}{_at_place(notice)}. {STALL_ADVICE}"
    )


STALL_ADVICE = (
    "It is not started or stopped by sms_watch: look at the agent on the source and at the line;"
    " if nothing helps, pause it and start it in the console."
)


def runs(notice: Notice) -> bool:
    """Return whether a notice is about a task that runs."""
    return phase_of(notice) is Phase.MOVING


def phase_of(notice: Notice) -> Phase:
    """Return what the state of a notice's task means."""
    return (notice.task or NO_TASK).phase


def _at_place(notice: Notice) -> str:
    progress = (notice.task or NO_TASK).progress
    if not progress.sub_task:
        return ""
    at = f" at {progress.shown} %" if progress.shown is not None else ""
    return f" ({clean(progress.sub_task)}{at})"


def _say_moving(notice: Notice, zone: tzinfo) -> str:
    still = notice.at - notice.since if notice.since else timedelta(0)
    if _follows(notice, Kind.STALLED):
        return f"It moves again, after it had stood still for {duration(still)}."
    return f"It has moved on ({_state(notice)}), after {duration(still)}."


def _say_disconnected(notice: Notice, zone: tzinfo) -> str:
    told = (
        "The SMS agent on its source is away: see that the source is up, that the agent runs, and"
        " that it reaches SMS on port 443."
    )
    if runs(notice):
        return f"{told} Should the task fail, it is started when the agent is back."
    return f"{told} {remedy(notice, zone)}".rstrip()


def _say_connected(notice: Notice, zone: tzinfo) -> str:
    seen = when(notice.at, zone)
    told = f"The SMS agent on its source was seen connected again at {seen}."
    return f"{told} {remedy(notice, zone)}".rstrip()


def _say_reminder(notice: Notice, zone: tzinfo) -> str:
    last = (
        f" This is reminder {notice.count} of {MOST_REMINDERS}, the last: no more follow, though it"
        " stands open."
        if notice.count >= MOST_REMINDERS
        else f" This is reminder {notice.count} of {MOST_REMINDERS}."
    )
    stood = f", {duration(notice.at - notice.since)} by now" if notice.since else ""
    since = f"{_moment(notice.since, zone)}{stood}"
    if runs(notice):
        return f"It has not moved since {since}. {STALL_ADVICE}{last}"
    if phase_of(notice) in BROKEN:
        return f"It has stood failed since {since}. {_say_needs_person(notice, zone)}{last}"
    if (notice.task or NO_TASK).is_halted and _state(notice) != TaskState.ABORTING:
        return f"SMS has kept it paused since {since}. {HALTED}{last}"
    return f"It has been {_state(notice)} since {since}. {HANG_ADVICE}{last}"


def _say_summary(notice: Notice, zone: tzinfo) -> str:
    """Say what stands for all that was held back of one task."""
    state = _state(notice)
    now = f"It is {state} now." if state else "It cannot be read now."
    if notice.verdict.reason is Reason.GONE:
        now = _say_gone(notice, zone)
    return (
        f"It changes too often to tell each change ({count(notice.count, 'notice')} held back since"
        f" {_moment(notice.since, zone)}). {now} As long as this goes on you hear once an hour, and"
        " at once when a person is needed."
    )


def _say_digest(notice: Notice, zone: tzinfo) -> str:
    if notice.task is not None:
        return _say_summary(notice, zone)
    shown = notice.digest
    starts = sum(row.starts for row in shown.rows)
    lost = timedelta(seconds=sum(row.seconds_failed for row in shown.rows))
    stood = f"{duration(lost)} lost" if lost >= timedelta(minutes=1) else "no time lost"
    since = f"Since {when(notice.since, zone)}" if notice.since else "So far"
    among = f" among the {len(shown.rows)} tasks listed" if shown.more else ""
    unread = f" {clean(shown.unread, MAX_DETAIL)}" if shown.unread else ""
    return f"{since}{among}: {count(starts, 'start')}, {stood} by standing failed.{unread}"


def _moment(moment: Optional[datetime], zone: tzinfo) -> str:
    return when(moment, zone) if moment else "it was first seen"


def _say_memory_lost(notice: Notice, zone: tzinfo) -> str:
    return (
        "A part of the journal could not be read. Starts are counted from zero again, and what"
        " was told before may be told once more. The tasks are watched as before."
    )


def _say_test(notice: Notice, zone: tzinfo) -> str:
    return "This is the test message that was asked for. Messages reach you."


# What a heading says


def _always(text: str) -> Callable[[Notice], str]:
    return lambda notice: text


def _failed_title(notice: Notice) -> str:
    if notice.count:
        return "is flapping"
    verdict = notice.verdict
    if verdict.start is not None:
        return f"failed, {START_TITLES[verdict.start.outcome]}"
    return "failed, waiting" if verdict.action is Action.WAIT else "failed"


START_TITLES: Mapping[Outcome, str] = {
    Outcome.DONE: "started again",
    Outcome.REFUSED: "start refused",
    Outcome.FAILED: "start not sent",
    Outcome.UNKNOWN: "start not answered",
    Outcome.SKIPPED: "waiting",
}


def _resumed_title(notice: Notice) -> str:
    return "has settled" if notice.count else "is running again"


def _paused_title(notice: Notice) -> str:
    return "was paused by SMS" if (notice.task or NO_TASK).is_halted else "is paused"


def _moving_title(notice: Notice) -> str:
    return "moves again" if _follows(notice, Kind.STALLED) else "has moved on"


def _readable_title(notice: Notice) -> str:
    return "is there again" if _follows(notice, Kind.GONE) else "can be read again"


def _follows(notice: Notice, kind: Kind) -> bool:
    """Return whether a notice ends one of a kind."""
    return any(each.endswith(f"-{kind}") for each in notice.follows)


def _gone_title(notice: Notice) -> str:
    if notice.detail:
        return "is not watched any more"
    return "does not exist" if never_seen(notice) else "is gone"


def _reminder_title(notice: Notice) -> str:
    return "still does not move" if runs(notice) else "still needs a person"


def digest_title(notice: Notice) -> str:
    """Return the counts of a digest: ``3 tasks, 1 failed, 2 running``.

    That of one task says that it changes too often to tell each change.
    """
    if notice.task is not None:
        return "changes all the time"
    words = [row_state(row) for row in notice.digest.rows]
    number = len(words) + notice.digest.more
    counts = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    return ", ".join([count(number, "task"), *counts])


def row_state(row: DigestRow) -> str:
    """Return the state of a task in a digest, in words."""
    if row.still_since is not None:
        return "standing still"
    if row.task.state == TaskState.SYNCING:
        return "synchronising"
    if row.task.is_halted:
        return "paused by SMS"
    return PHASE_WORDS.get(row.task.phase) or clean(row.task.state)


PHASE_WORDS: Mapping[Phase, str] = {
    Phase.READY: "ready",
    Phase.MOVING: "running",
    Phase.FAILED: "failed",
    Phase.PAUSED: "paused",
    Phase.FINISHED: "finished",
    Phase.BUSY: "busy",
    Phase.ROLLED_BACK: "rolled back",
}
PHRASES: Mapping[Kind, Phrase] = {
    Kind.NEEDS_PERSON: Phrase(_always("needs a person"), _say_needs_person),
    Kind.BLIND: Phrase(_always("is blind"), _say_blind),
    Kind.MEMORY_LOST: Phrase(_always("has lost its memory"), _say_memory_lost),
    Kind.GONE: Phrase(_gone_title, _say_gone),
    Kind.FAILED: Phrase(_failed_title, _say_failed),
    Kind.UNREADABLE: Phrase(_always("cannot be read"), _say_unreadable),
    Kind.STALLED: Phrase(_always("stands still"), _say_stalled),
    Kind.HANGING: Phrase(_always("hangs"), _say_hanging),
    Kind.DISCONNECTED: Phrase(_always("has lost its agent"), _say_disconnected),
    Kind.UNKNOWN_STATE: Phrase(_always("is in an unknown state"), _say_unknown_state),
    Kind.REMINDER: Phrase(_reminder_title, _say_reminder),
    Kind.PAUSED: Phrase(_paused_title, _say_paused),
    Kind.RESUMED: Phrase(_resumed_title, _say_resumed),
    Kind.MOVING: Phrase(_moving_title, _say_moving),
    Kind.CONNECTED: Phrase(_always("has its agent back"), _say_connected),
    Kind.READABLE: Phrase(_readable_title, _say_readable),
    Kind.SEES_AGAIN: Phrase(_always("sees again"), _say_sees_again),
    Kind.FINISHED: Phrase(_always("is finished"), _say_finished),
    Kind.DIGEST: Phrase(digest_title, _say_digest),
    Kind.TEST: Phrase(_always("sends a test message"), _say_test),
}
