"""All tasks at one moment: a digest too long for one message."""

from __future__ import annotations

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
