"""All tasks at one moment: a digest too long for one message."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, Optional

import pytest

from sms_watch.messages.compose import MAX_MESSAGE
from sms_watch.messages.digests import row_state
from sms_watch.model.notice import DigestRow, Kind
from sms_watch.model.task import Progress
from tests.support.builders import a_running_task, a_task
from tests.support.messages import a_notice, message_of


def test_a_long_digest_says_what_is_left_out() -> None:
    """Of more than a hundred tasks the rest is counted, and the sums say whose they are."""
    rows = tuple(DigestRow(a_task(id=f"t{n}", name=f"web-{n}"), 1) for n in range(100))
    message = message_of(a_notice(Kind.DIGEST, task=None, rows=rows, more=7))
    assert message.email.startswith("digest of 107 tasks: 100 failed, 7 not listed\n")
    assert "among the 100 tasks listed: 100 restarts" in message.email
    assert "\n  and 7 more\n" in message.email
    assert message.email.count("\n  web-") == 100


def test_a_heading_counts_no_more_states_than_can_be_read() -> None:
    """Those that nobody knows may be long, and as many as there are tasks."""
    states = [f"{number:02}" + "\U0001f600" * 60 for number in range(100)]
    rows = tuple(DigestRow(a_task(id=state[:2], name=state, state=state)) for state in states)
    message = message_of(a_notice(Kind.DIGEST, task=None, rows=rows, more=900))
    heading = message.email.splitlines()[0]
    assert heading.startswith("digest of 1,000 tasks: 1 00")
    assert heading.endswith(", 80 in other states, 900 not listed")
    texts = [message.default, message.email, message.short, message.web, message.web]
    assert len(json.dumps(json.dumps(texts))) < MAX_MESSAGE


SINCE = datetime(2026, 11, 24, 7, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("state", "still_since", "word"),
    [
        ("READY", None, "not started"),
        ("READY", SINCE, "hanging"),
        ("RESETING", SINCE, "hanging"),
        ("RUNNING", SINCE, "stalled"),
        ("SYNCING", SINCE, "stalled"),
        ("SYNCING", None, "ready for cut-over"),
        ("RUNNING", None, "running"),
    ],
)
def test_a_digest_says_what_may_be_cut_over_and_what_hangs(
    state: str, still_since: Optional[datetime], word: str
) -> None:
    """In the words of the page: nothing that only waits for its start is called ready."""
    assert row_state(DigestRow(a_task(state=state, code=""), still_since=still_since)) == word


@pytest.mark.parametrize("state", ["SYNCING", "SYNC_FAIL"])
def test_no_percentage_is_told_of_a_task_whose_first_copy_is_done(state: str) -> None:
    """SMS counts the round of synchronisation that is under way, which says nothing of the task."""
    assert "%" in _digest(DigestRow(a_running_task(progress=_percent(6))))
    assert "%" not in _digest(DigestRow(a_running_task(state=state, progress=_percent(6))))


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ((0, 0), "no time lost to failures."),
        ((3600, 0), "1 h lost to failures."),
        ((3600, 3600), "2 h lost to failures, all tasks together."),
    ],
)
def test_hours_that_several_tasks_lost_are_told_as_a_sum(lost: Any, said: str) -> None:
    """They may be more than have passed since the last digest."""
    rows = (DigestRow(a_task(id=str(n), name=str(n)), 0, each) for n, each in enumerate(lost))
    assert said in _digest(*rows)


def _percent(done: int) -> Progress:
    return Progress(percent=done, sub_task="SYNC_LINUX_FILE")


def _digest(*rows: DigestRow) -> str:
    return " ".join(message_of(a_notice(Kind.DIGEST, task=None, rows=rows)).email.split())
