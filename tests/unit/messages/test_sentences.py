"""Each kind of notice in sentences."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from sms_watch.model.notice import Kind
from tests.support.builders import NOW
from tests.support.messages import ABOUT_WATCH, a_notice, message_of, web_notices


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words(kind: Kind) -> None:
    """Every notice has a heading, a sentence and its event id in all forms of a message."""
    notice = a_notice(kind, since=NOW - timedelta(minutes=3), detail="HTTP 503")
    message = message_of(replace(notice, task=None) if kind in ABOUT_WATCH else notice)
    told = web_notices(message)[0]
    assert told["kind"] == kind
    assert told["level"] == notice.level
    assert len(told["text"]) > 20
    # The counts of a digest are in the heading of the e-mail, and advice is in its table.
    said = re.split(r"(?<=\.) ", told["text"])[kind is Kind.DIGEST :]
    assert all(sentence in message.email for sentence in said)
    assert notice.event_id in message.email
    assert notice.event_id in message.subject
    assert message.short.startswith("sms_watch: ")
    assert message.event_ids == (notice.event_id,)


@pytest.mark.parametrize("kind", Kind)
def test_a_notice_without_its_task_is_told_all_the_same(kind: Kind) -> None:
    """What an older version owed about a task, and knows no more of, stops no message."""
    notice = a_notice(kind, task=None)
    message = message_of(notice)
    assert notice.event_id in message.email
    assert "None" not in message.email + message.short + message.subject
