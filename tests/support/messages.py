"""Messages for tests: a notice with all its facts, and what is made of it."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import Any, List

from sms_watch.messages.compose import RunContext, compose
from sms_watch.model.notice import Action, Kind, Message, Notice, Outcome, Reason, Start
from sms_watch.model.task import ErrorClass, Progress
from tests.support import builders
from tests.support.builders import NOW, a_task

CONTEXT = RunContext("run-1", NOW, timezone(timedelta(hours=8)), "https://console.example/sms/")
ABOUT_WATCH = {Kind.BLIND, Kind.SIGHTED, Kind.MEMORY_LOST, Kind.TEST, Kind.DIGEST}


def a_start(outcome: Outcome = Outcome.DONE, detail: str = "") -> Start:
    """Return a start of which this is known."""
    return Start("20261124-0-0-start", outcome, detail)


def a_notice(kind: Kind = Kind.FAILED, **flat: Any) -> Notice:
    """Return a notice about a task that failed on a lost line and was sent a start."""
    usual = {
        "event_id": f"20261124-0-{kind}",
        "task": a_task(
            id="7a9c",
            name="db-01",
            source="db-src (192.0.2.4)",
            target="db-dst (198.51.100.3)",
            progress=Progress(5, 52, None, "MIGRATE_LINUX_FILE"),
            speed=120.4,
        ),
        "error_class": ErrorClass.TRANSIENT,
        "action": Action.START,
        "reason": Reason.RESTARTABLE,
        "number": 1,
        "next_try": NOW + timedelta(minutes=2),
        "start": a_start(),
    }
    return builders.a_notice(kind, **{**usual, **flat})


def message_of(*notices: Notice) -> Message:
    """Return the message of these notices."""
    return compose(notices, CONTEXT)


def web_notices(message: Message) -> List[Any]:
    """Return the notices of a message as a web hook gets them."""
    told: List[Any] = json.loads(message.web)["notices"]
    return told


def shown_time(minutes: int = 0) -> str:
    """Return a moment as messages show it, some minutes after NOW."""
    moment = (NOW + timedelta(minutes=minutes)).astimezone(CONTEXT.zone)
    return f"{moment:%Y-%m-%d %H:%M} +08:00"


def test_the_last_start_has_no_next_try() -> None:
    """When no more starts follow, none is promised."""
    email = message_of(a_notice(number=5, cap=5, next_try=None)).email
    assert "  Restarts     5 of 5\n" in email


def test_progress_that_is_not_known_is_not_made_up() -> None:
    """A sub-task without a percentage shows a question mark, no sub-task shows nothing."""
    unknown = a_task(progress=Progress(2, None, None, "SSL_CONFIG"))
    assert "] ? %, SSL_CONFIG\n" in message_of(a_notice(task=unknown)).email
    assert "Progress" not in message_of(a_notice(task=a_task(progress=Progress()))).email


def test_failed_and_running_again_in_one_message_is_one_line() -> None:
    """A failure that is told late, of a task that runs again, has one heading, and both."""
    back = NOW + timedelta(minutes=1)
    message = message_of(a_notice(), a_notice(Kind.RESUMED, at=back, since=NOW, start=None))
    assert message.subject.startswith(
        "sms_watch info: db-01 failed (SMS.0807) and is running again"
    )
    assert (
        f"Seen failed (MIGRATE_FAIL) at {shown_time()}. Restart accepted (attempt 1). Seen running"
        f" again at {shown_time(1)}, 1 min after it was first seen failed.\n"
    ) in message.email
    assert message.email.count("---\n") == 1
    assert len(web_notices(message)) == 2


def test_the_worst_task_is_named_and_the_others_counted() -> None:
    """The subject names what needs a person first, however many other tasks there are."""
    others = [
        a_notice(task=a_task(id=f"t{number}", name=f"web-{number}"), event_id=f"e{number}")
        for number in range(3)
    ]
    worst = a_notice(Kind.NEEDS_PERSON, reason=Reason.NOT_RESTARTABLE)
    message = message_of(*others, worst)
    assert message.subject.startswith(
        "sms_watch critical: db-01 needs attention (SMS.0807), and 3 more"
    )
    assert message.email.startswith("db-01 needs attention")


def test_tasks_that_matter_alike_keep_the_order_in_which_they_are_watched() -> None:
    """Fifty tasks are told as web-0, web-1, web-2, and not as web-0, web-1, web-10."""
    names = [f"web-{number}" for number in range(50)]
    told = [
        a_notice(task=a_task(id=name, name=name), event_id=f"20261124-4711-{number}")
        for number, name in enumerate(names)
    ]
    assert [each["task_id"] for each in web_notices(message_of(*told))] == names


def test_a_failure_of_a_task_that_runs_again_is_not_the_worst() -> None:
    """What has mended itself stands below what still needs a person."""
    mended = a_task(id="a", name="mended")
    message = message_of(
        a_notice(Kind.NEEDS_PERSON, task=mended, event_id="1"),
        a_notice(Kind.RESUMED, task=mended, event_id="2", at=NOW + timedelta(minutes=1)),
        a_notice(Kind.PAUSED, task=a_task(id="b", name="resting", code=""), event_id="3"),
    )
    assert message.subject.startswith("sms_watch info: resting is paused")
