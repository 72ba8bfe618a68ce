"""Settings, clock, keys, tasks, and the right to start them."""

from __future__ import annotations

from typing import Iterator, List, Mapping, Sequence, Union

import requests

from sms_watch.adapters.answers import date_of
from sms_watch.adapters.sdk import transport_of
from sms_watch.errors import (
    LISTING,
    READING,
    SMS_ADDRESS,
    CloudError,
    TaskGone,
    remedy,
)
from sms_watch.journal.entries import Entry
from sms_watch.model.notice import Outcome
from sms_watch.model.policy import Policy
from sms_watch.model.task import ErrorClass, Gone, Observation, Phase, Task
from sms_watch.observe import EMPTY_LIST, NOBODY
from sms_watch.parallel import map_concurrently
from sms_watch.rules.error_codes import Help, explain
from sms_watch.rules.starts import NEVER_RESTARTED
from sms_watch.text import clean, count
from sms_watch_cli.checks.findings import Finding, Verdict
from sms_watch_cli.session import CloudSession, shown_place

SKEW = 15 * 60  # seconds; beyond it signatures are refused (API Request Signing Guide)
CLOSE_TO = 60  # seconds; a clock that is further off is on its way out
AGREED = 2  # seconds; the header tells whole ones
TIMEOUT = (5, 10)  # seconds to connect, to wait
STARTING = (
    "sms:server:manageTask (in the older model sms:server:migrationServer, as a global-service"
    " policy)"
)


def settings(cloud_session: CloudSession, texts: Mapping[str, str]) -> Iterator[Finding]:
    """Judge the settings beyond what made them valid."""
    made = cloud_session.settings
    tasks = (
        "every task of the account"
        if made.scope.discovers
        else count(len(made.scope.task_ids), "task")
    )
    yield Finding(
        "settings",
        Verdict.OK,
        f"{len(texts)} are set: watching {tasks}, with the topic in {made.topic.region} and the"
        f" journal in {shown_place(made)}",
    )
    if made.dry_run:
        yield Finding(
            "settings",
            Verdict.WARNING,
            "DRY_RUN is on: nothing is started, sent or written",
            "remove it when the watchdog is to act",
        )


def clock(cloud_session: CloudSession) -> Finding:
    """Compare our clock with that of SMS, by the Date of an answer to an unsigned request.

    Unsigned, because a signature from a clock that is off is refused, and because a request
    without a key counts against none.
    """
    url = cloud_session.settings.sms_endpoint
    try:
        with requests.Session() as session:
            transport_of(session)
            answer = session.get(
                f"{url}/v3/tasks", params={"limit": 1}, timeout=TIMEOUT, allow_redirects=False
            )
    except requests.RequestException as error:
        text = f"{url} could not be reached ({type(error).__name__})"
        return Finding("clock", Verdict.FAILED, text, f"check the network, and {SMS_ADDRESS}")
    theirs = date_of(answer.headers)
    if theirs is None:
        return Finding("clock", Verdict.NOTE, f"unknown: {url} answers without a time")
    ahead = round((cloud_session.clock.now() - theirs).total_seconds())
    where = "ahead of" if ahead > 0 else "behind"
    text = f"{abs(ahead)} s {where} the service's"
    if abs(ahead) > SKEW:
        why = "SMS refuses what is signed more than 15 minutes off: set the clock by NTP"
        return Finding("clock", Verdict.FAILED, text, why)
    if abs(ahead) > CLOSE_TO:
        why = "beyond 15 minutes SMS refuses all calls: set the clock by NTP"
        return Finding("clock", Verdict.WARNING, text, why)
    agrees = "agrees with the service's"
    return Finding("clock", Verdict.OK, text if abs(ahead) > AGREED else agrees)


# What SMS says of the tasks

Seen = Union[Observation, CloudError]


def seen_by_id(cloud_session: CloudSession) -> List[Seen]:
    """Read the tasks that are named: one alone, then the others unless the keys are refused."""
    sms = cloud_session.wiring().sms()

    def read(task_id: str) -> Seen:
        try:
            return sms.read_task(task_id)
        except TaskGone:
            return Gone(task_id)
        except CloudError as error:
            return error

    first, *others = cloud_session.settings.scope.task_ids
    seen = read(first)
    if isinstance(seen, CloudError) and (seen.status is None or seen.refuses_keys):
        return [seen]
    return [seen, *map_concurrently(read, others)]


def keys(seen: Sequence[Seen]) -> Finding:
    """Return whether the keys were accepted: by any answer but 401, even a refusal for rights."""
    errors = [each for each in seen if isinstance(each, CloudError)]
    # The service's own words before ours for the calls that were then not made.
    refused = sorted((e for e in errors if e.refuses_keys), key=lambda error: error.status is None)
    if refused:
        return Finding("keys", Verdict.FAILED, str(refused[0]), remedy(refused[0], "", SMS_ADDRESS))
    answered = [error for error in errors if error.status is not None]
    if errors and len(errors) == len(seen) and not answered:
        return Finding("keys", Verdict.NOTE, "unknown: SMS gave no answer")
    return Finding("keys", Verdict.OK, "accepted by SMS")


def tasks(cloud_session: CloudSession, seen: Sequence[Seen]) -> Iterator[Finding]:
    """Judge each task that was read, or not."""
    there = _all(cloud_session) if any(isinstance(each, Gone) for each in seen) else ()
    for each in seen:
        if isinstance(each, CloudError):
            if not each.refuses_keys:
                yield Finding("task", Verdict.FAILED, str(each), remedy(each, READING, SMS_ADDRESS))
        elif isinstance(each, Task):
            yield task(each, cloud_session.settings.policy)
        elif isinstance(each, Gone):
            text = f"{each.task_id}: SMS has no such task"
            yield Finding("task", Verdict.FAILED, text, _meant(each.task_id, there))


def _all(cloud_session: CloudSession) -> Sequence[Task]:
    """Return all tasks of the account, none when these keys may not list them."""
    try:
        return cloud_session.wiring().sms().list_tasks("").tasks
    except CloudError:
        return ()


def _meant(wrong: str, there: Sequence[Task]) -> str:
    """Return which task is meant by what is no id of a task, as far as that is to be seen."""
    for each in there:
        for said, what in (
            (each.servers.source_id, "a source server"),
            (each.name, "the name of a task"),
        ):
            if wrong == said:
                return f"this is {what}: put the id of its task, {each.id}, into SMS_TASK_IDS"
    return "correct the id in SMS_TASK_IDS; if the task exists, SMS_REGION may name the wrong site"


def task(found: Task, policy: Policy) -> Finding:
    """Judge one task: what it is called, how it stands, and whether that needs somebody."""
    percent = found.progress.shown
    text = f"{found.id} {found.name}: {clean(found.state)}"
    if found.phase is Phase.MOVING and percent is not None:
        text += f", {percent} %"
    if found.phase is Phase.FAILED:
        code = explain(found.error.code, found.type, policy.classes)
        text += f" ({found.error.code or 'no code'}: {code.summary})"
        needed = _help(code.error_class, policy)
        verdict = Verdict.NOTE if needed is Help.LATER else Verdict.WARNING
        return Finding("task", verdict, text, code.what_to_do(needed))
    if found.phase is Phase.UNKNOWN:
        return Finding(
            "task",
            Verdict.WARNING,
            text,
            "sms_watch does not know this state: look at the task in the console",
        )
    if found.connected is False and found.phase is not Phase.FINISHED:
        why = "make sure that the SMS agent runs on the source and reaches SMS"
        return Finding("task", Verdict.WARNING, f"{text}, its agent is not connected", why)
    if found.phase is Phase.PAUSED:
        return Finding("task", Verdict.NOTE, f"{text}, left alone until somebody presses Start")
    return Finding("task", Verdict.OK, text)


def _help(error_class: ErrorClass, policy: Policy) -> Help:
    if error_class in NEVER_RESTARTED:
        return Help.FIX
    return Help.LATER if policy.max_attempts else Help.START


def listed(cloud_session: CloudSession) -> Iterator[Union[Finding, CloudError]]:
    """Judge the tasks that are found by listing: how many, and those that need somebody.

    A listing that failed comes as its error, so that the keys can be judged by it.
    """
    scope = cloud_session.settings.scope
    try:
        listing = cloud_session.wiring().sms().list_tasks(scope.project)
    except CloudError as error:
        yield error
        return
    found = [
        each for each in listing.tasks if scope.covers(each.name) and each.id not in listing.unsure
    ]
    if not found:
        yield Finding("tasks", Verdict.WARNING, NOBODY if listing.tasks else EMPTY_LIST)
        return
    phases = [str(each.phase) for each in found]
    counted = ", ".join(f"{phases.count(phase)} {phase}" for phase in sorted(set(phases)))
    yield Finding("tasks", Verdict.OK, f"{len(found)} found by listing: {counted}")
    for doubt in filter(None, (listing.detail, listing.without_sources)):
        yield Finding("tasks", Verdict.WARNING, doubt, f"the lists need {LISTING}")
    judged = [task(each, cloud_session.settings.policy) for each in found]
    yield from (each for each in judged if each.verdict is not Verdict.OK)


def listing_failed(error: CloudError) -> Finding:
    """Judge a list of tasks that could not be read."""
    return Finding("tasks", Verdict.FAILED, str(error), remedy(error, LISTING, SMS_ADDRESS))


def right_to_start(policy: Policy, entries: Sequence[Entry]) -> Finding:
    """Return what is known of the right to start.

    The service has no way to ask ahead, and starting to find out is out of the question: what can
    be told is whether a start was ever accepted, and by the journal's word alone.
    """
    if not policy.max_attempts:
        text = "restarts are switched off: RESUME_MAX_ATTEMPTS is 0"
        return Finding("right to start", Verdict.NOTE, text)
    accepted = [
        entry
        for entry in entries
        if any(start.outcome is Outcome.DONE for start in entry.starts.values())
    ]
    if accepted:
        last = accepted[-1]
        text = f"a restart was accepted at {last.at:%Y-%m-%d %H:%M} UTC, in run {clean(last.run)}"
        return Finding("right to start", Verdict.OK, text)
    return Finding(
        "right to start",
        Verdict.NOTE,
        "SMS offers no way to ask, and no restart was accepted within the last day",
        f"check in IAM that the function's keys have {STARTING}",
    )


def is_locked_out(seen: Sequence[object]) -> bool:
    """Return whether the keys were refused: then further calls would get them locked."""
    return any(isinstance(each, CloudError) and each.refuses_keys for each in seen)
