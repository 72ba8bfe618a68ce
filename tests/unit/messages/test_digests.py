"""All tasks at one moment: a digest too long for one message."""

from __future__ import annotations

import json

from sms_watch.messages.compose import MAX_MESSAGE
from sms_watch.model.notice import DigestRow, Kind
from tests.support.builders import a_task
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
