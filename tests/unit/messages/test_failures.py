"""Failures in sentences: what is known of a start, why a task waits, why someone has to act."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sms_watch.model.notice import Action, Kind, Outcome, Reason
from tests.support.builders import NOW
from tests.support.messages import a_notice, a_start, message_of


@pytest.mark.parametrize(
    ("outcome", "heading", "sentence"),
    [
        (Outcome.DONE, " and was restarted", "Restart accepted (attempt 1 of 5)"),
        (Outcome.REFUSED, "; restart refused", "refused to restart it (HTTP 403). Next try at"),
        (Outcome.FAILED, "; restart not sent", "could not be sent (HTTP 403). Next try at"),
        (Outcome.UNKNOWN, "; restart not confirmed", "(attempt 1 of 5) but did not answer (HTTP"),
        (Outcome.SKIPPED, "; restart pending", "Not restarted in this run (HTTP 403)."),
        (None, "", "08:03 +08:00.\n"),
    ],
)
def test_what_is_known_of_a_start_is_said(outcome: Any, heading: str, sentence: str) -> None:
    """An accepted start, a refused one and one without an answer are told apart."""
    start = a_start(outcome, "HTTP 403") if outcome else None
    email = message_of(a_notice(start=start, cap=5)).email
    assert email.startswith(f"db-01 failed (SMS.0807){heading}\n")
    assert sentence in email


@pytest.mark.parametrize("detail", ["", "start task 7a9c: " + "x" * 100])
def test_a_refused_start_is_told_with_what_is_known_of_it(detail: str) -> None:
    """The answer stands in brackets, at some length; without one there are none."""
    start = a_start(Outcome.REFUSED, detail)
    email = message_of(a_notice(start=start, next_try=None)).email
    shown = f" ({detail})" if detail else ""
    assert f"SMS refused to restart it{shown}. Next try in the next run.\n" in email


def test_a_failure_that_is_not_started_says_no_more() -> None:
    """Where nothing is done about a failure, its heading promises nothing."""
    notice = a_notice(action=Action.NONE, reason=Reason.NOT_RESTARTABLE, start=None)
    assert message_of(notice).email.startswith("db-01 failed (SMS.0807)\n")


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason.GRACE, "may recover by itself"),
        (Reason.DISCONNECTED, "source is offline. The task will be restarted once it is back"),
        (Reason.BACKOFF, "It will be restarted at"),
        (Reason.RUN_LIMIT, "its turn comes next"),
        (Reason.THROTTLED, "SMS limits how many calls the account makes"),
    ],
)
def test_why_a_failed_task_waits_is_said(reason: Reason, sentence: str) -> None:
    """A task that is not started at once comes with the reason and the moment."""
    email = message_of(a_notice(action=Action.WAIT, reason=reason, start=None)).email
    assert email.startswith("db-01 failed (SMS.0807); restart pending\n")
    assert sentence in email


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason.NOT_RESTARTABLE, "Restarting will not fix this; someone has to act."),
        (Reason.ATTEMPTS_SPENT, "5 restarts have not helped, and no more will be tried"),
        (Reason.STARTS_OFF, "RESUME_MAX_ATTEMPTS is 0"),
        (Reason.ROLLED_BACK, "was rolled back"),
        (Reason.BACKOFF, "It keeps being retried, but please investigate."),
        (Reason.LONGEST_WAIT, "It keeps being retried, but"),
    ],
)
def test_why_a_person_is_needed_is_said(reason: Reason, sentence: str) -> None:
    """A call for a person says whether the watchdog has given up."""
    notice = a_notice(Kind.NEEDS_PERSON, action=Action.NONE, reason=reason, number=5, cap=5)
    assert sentence in message_of(notice).email


def test_how_long_it_stood_still_is_said() -> None:
    """A task seen running again says how long after its failure."""
    notice = a_notice(Kind.RESUMED, since=NOW - timedelta(hours=26, minutes=5))
    assert "1 d 2 h after it was first seen failed" in message_of(notice).email


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(59, "again at 2026-11-24 08:03 +08:00."), (60, ", 1 min after it was first seen failed.")],
)
def test_less_than_a_minute_is_not_said(seconds: int, said: str) -> None:
    """A task that is back within a minute is told without how long it stood."""
    notice = a_notice(Kind.RESUMED, since=NOW - timedelta(seconds=seconds))
    assert said in message_of(notice).email


@pytest.mark.parametrize("detail", ["HTTP 503", "HTTP 503.", "needs a proxy for IPX", "in HEX..."])
def test_a_reason_ends_with_one_full_stop(detail: str) -> None:
    """However an answer ends, the sentence about it does so once, and loses no letter."""
    email = message_of(a_notice(Kind.BLIND, task=None, detail=detail)).email
    assert f"Reason: {detail.strip('.')}. Every run tries again" in email
