"""A failure in sentences: that it was seen, what is done, and why someone has to act. Pure.

In templates, words in braces depend on how many tasks they are about (see ``grammar``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Mapping, Tuple

from sms_watch.messages.grammar import Telling
from sms_watch.model.notice import Action, Attempt, Notice, Outcome, Reason
from sms_watch.model.task import Task
from sms_watch.text import MAX_DETAIL, clean, count, duration

NO_TASK = Task("", "", "")  # for a notice that has lost its own

FLAPPING = (
    "{It} failed {count} times within an hour and recovered in between. Single failures and"
    " recoveries are no longer reported: you will hear from us when {it} {has} run for an hour,"
    " when {it} stay{s} failed, or when someone has to act."
)
PROMISE = "You will hear from us once {it} {is} running again."
START_SENTENCES: Mapping[Outcome, str] = {
    Outcome.DONE: "{Restart} accepted{attempt}.{promise}",
    Outcome.REFUSED: "SMS refused to restart {them}{detail}.{next}",
    Outcome.FAILED: "The request to restart {them} could not be sent{detail}.{next}",
    Outcome.UNKNOWN: "SMS was asked to restart {them}{attempt} but did not answer{detail}. The next"
    " run will check.",
    Outcome.SKIPPED: "Not restarted in this run{detail}. The next run will look again.",
}
OFFLINE = "The SMS {agent} on the {source} {is} offline."
REMEDY_SENTENCES: Mapping[Reason, str] = {
    Reason.GRACE: "The SMS agent may recover by itself; if it does not, the {task} will be"
    " restarted{at}.",
    Reason.DISCONNECTED: OFFLINE
    + " The {task} will be restarted once {it} {is} back; if that takes"
    " long, a restart is tried anyway{at}.",
    Reason.BACKOFF: "{It} will be restarted{at}.",
    Reason.NOT_REACHED: "{It} could not be read by ID in this run; {its} turn comes in the next.",
    Reason.THROTTLED: "SMS limits how many calls the account makes, so {it} could not be read by ID"
    " in this run; those that have waited longest come first.",
    Reason.RUN_LIMIT: "This run has restarted as many tasks as RESUME_MAX_PER_RUN allows; {its}"
    " turn comes next.",
}
START_TITLES: Mapping[Outcome, str] = {
    Outcome.DONE: "failed{code} and {was} restarted",
    Outcome.REFUSED: "failed{code}; restart refused",
    Outcome.FAILED: "failed{code}; restart not sent",
    Outcome.UNKNOWN: "failed{code}; restart not confirmed",
    Outcome.SKIPPED: "failed{code}; restart pending",
}
RETRIED = "{vain}. {It} keep{s} being retried{every}, but please investigate."
PERSON_SENTENCES: Mapping[Reason, str] = {
    Reason.NO_TIME: "Run after run ended before there was time to restart {them}.",
    Reason.NOT_REACHED: "{It} cannot be restarted before {it} can be read by ID; someone has to"
    " act.",
    Reason.THROTTLED: "SMS limits how many calls the account makes, and none was left to read and"
    " restart {them}; someone has to act.",
    Reason.NOT_RESTARTABLE: "Restarting will not fix this; someone has to act.",
    Reason.ATTEMPTS_SPENT: "{vain}, and no more will be tried; someone has to act.",
    Reason.STARTS_OFF: "Restarting is switched off (RESUME_MAX_ATTEMPTS is 0); someone has to act.",
    Reason.ROLLED_BACK: "{Its} synchronisation failed and was rolled back; someone has to act.",
}
# What to do besides the advice for the code.
PERSON_ADVICE: Mapping[Reason, str] = {
    Reason.NO_TIME: "Find the slow calls in the log and raise RUN_BUDGET_SECONDS and the function's"
    " timeout, or press Start in the SMS console.",
    Reason.NOT_REACHED: "Grant the right to read {them}, or press Start in the SMS console.",
    Reason.THROTTLED: "Let other programs that use the account call less often, or press Start in"
    " the SMS console.",
    Reason.ROLLED_BACK: "Look up {its} error in the SMS console and fix the cause.",
}


def failed_title(notice: Notice) -> str:
    """Return what a heading says of a failure."""
    if notice.count:
        return "keep{s} failing"
    verdict = notice.verdict
    if verdict.start is not None:
        return START_TITLES[verdict.start.outcome]
    return START_TITLES[Outcome.SKIPPED] if verdict.action is Action.WAIT else "failed"


def say_failed(notice: Notice, telling: Telling) -> str:
    """Return that a task was seen failed, and what is done about it."""
    return f"{_seen(notice, telling)} {remedy(notice, telling)}".strip()


def _seen(notice: Notice, telling: Telling) -> str:
    state = telling.alone(f" ({state_of(notice)})")
    if notice.count:
        return telling.say(FLAPPING, count=notice.count)
    if stays_failed(notice):
        kept = "{It} kept failing and recovering, and {has} now stayed failed{state}{since}."
        since = telling.alone(f" since {telling.when(notice.since or notice.at)}")
        return telling.say(kept, state=state, since=since)
    first = "First seen" if gap_of(notice) else "Seen"
    return telling.alone(f"{first} failed{state} at {seen_at(notice, telling)}.")


def stays_failed(notice: Notice) -> bool:
    """Return whether a notice tells of a failure that began earlier, while it was flapping."""
    return notice.since is not None and notice.since < notice.at


def gap_of(notice: Notice) -> str:
    """Return how long nobody had read the task before; empty where that is not known to be long."""
    since = notice.verdict.unread_since
    return duration(notice.at - since) if since else ""


def seen_at(notice: Notice, telling: Telling) -> str:
    """Return when something was seen, and how long nobody had looked before."""
    gap = gap_of(notice)
    after = f", after a gap of {gap} in which nothing was read" if gap else ""
    return telling.when(notice.at) + after


def first_seen(notice: Notice, telling: Telling) -> str:
    """Return when something was first seen that began in a gap; empty where there was none."""
    return f", first seen at {seen_at(notice, telling)}" if gap_of(notice) else ""


def remedy(notice: Notice, telling: Telling) -> str:
    """Return what is done about a failure, in sentences; empty when that is nothing."""
    verdict, moment = notice.verdict, notice.verdict.attempt.next_try
    at = telling.alone(f" at {telling.when(moment)}" if moment else " in the next run")
    if verdict.start is None:
        return telling.say(REMEDY_SENTENCES.get(verdict.reason or Reason.RESTARTABLE, ""), at=at)
    detail = clean(verdict.start.detail, MAX_DETAIL)
    return telling.say(
        START_SENTENCES[verdict.start.outcome],
        attempt=telling.alone(f" (attempt {_number(verdict.attempt)})"),
        detail=telling.alone(f" ({detail})" if detail else ""),
        next=telling.alone(f" Next try{at}."),
        # Of what is flapping single recoveries are not told.
        promise="" if notice.count else " " + telling.say(PROMISE),
    )


def _number(attempt: Attempt) -> str:
    return str(attempt.number) + (f" of {attempt.cap}" if attempt.cap is not None else "")


def restarts(notice: Notice, telling: Telling) -> str:
    """Return how many restarts were made of how many, and when the next one may follow."""
    attempt = notice.verdict.attempt
    if not attempt.number:
        return ""
    # One that waits speaks of the start that comes next.
    made = attempt.number - (notice.verdict.action is Action.WAIT)
    text = f"{made or 'none'} so far" if attempt.cap is None else f"{made} of {attempt.cap}"
    next_try = attempt.next_try
    return text if next_try is None else f"{text}; next not before {telling.when(next_try)}"


def say_in_vain(notice: Notice, telling: Telling) -> str:
    """Return that nothing has come of a restart that was accepted; empty if that is not so."""
    since = unheeded(notice, telling)
    return telling.alone(f"No change has been seen {since}.") if since else ""


def unheeded(notice: Notice, telling: Telling) -> str:
    """Return since which accepted restart nothing has changed; empty if something has."""
    since = notice.verdict.attempt.in_vain_since
    return f"since a restart was accepted at {telling.when(since)}" if since else ""


def say_needs_person(notice: Notice, telling: Telling) -> str:
    """Return why someone has to act."""
    said = PERSON_SENTENCES.get(notice.verdict.reason or Reason.NOT_RESTARTABLE, RETRIED)
    every = f" every {duration(telling.retry)}" if telling.retry else ""
    return telling.say(said, vain=_in_vain(notice, telling), every=every)


def _in_vain(notice: Notice, telling: Telling) -> str:
    """Return how many restarts had time to help, and did not."""
    made = notice.verdict.attempt.number - (notice.verdict.action is not Action.NONE)
    if telling.many or made < 1:
        return "Restarts have not helped"
    return f"{count(made, 'restart')} {'has' if made == 1 else 'have'} not helped"


def person_advice(notice: Notice, telling: Telling) -> str:
    """Return what to do about a failure besides what its code asks for; mostly nothing."""
    return telling.say(PERSON_ADVICE.get(notice.verdict.reason or Reason.NOT_RESTARTABLE, ""))


def say_resumed(notice: Notice, telling: Telling) -> str:
    """Return that a task was seen running again."""
    if notice.count:
        failures = telling.alone(f", after {count(notice.count, 'failure')}")
        return telling.say("{It} {has} now run for an hour{failures}.", failures=failures)
    seen = seen_after("Seen running again", "failed", stood_for(notice), notice, telling)
    return telling.alone(f"{seen}.")


def seen_after(now: str, before: str, lasted: str, notice: Notice, telling: Telling) -> str:
    """Return when a task was seen as it is, and how long after it was first seen otherwise."""
    seen = f"{now} at {seen_at(notice, telling)}"
    if lasted and gap_of(notice):
        return f"{seen}. It was first seen {before} {lasted} earlier"
    return f"{seen}, {lasted} after it was first seen {before}" if lasted else seen


def stood_for(notice: Notice) -> str:
    """Return how long what a notice ends has lasted; empty below a minute."""
    stood = notice.at - notice.since if notice.since else timedelta(0)
    return duration(stood) if stood >= timedelta(minutes=1) else ""


def state_of(notice: Notice) -> str:
    """Return the state of a notice's task."""
    return clean((notice.task or NO_TASK).state)


def details(notice: Notice) -> Tuple[str, ...]:
    """Return the texts from outside that came with a notice."""
    start = notice.verdict.start
    return notice.detail, start.detail if start else ""
