"""Headings: what each says of a task, by what its notice knows."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from sms_watch.messages import titles
from sms_watch.model.notice import Kind, Notice
from tests.support.builders import a_notice, a_running_task, a_task


@pytest.mark.parametrize(
    ("title", "facts", "words"),
    [
        (titles.resumed_title, {}, "{is} running again"),
        (titles.resumed_title, {"count": 3}, "{is} stable again"),
        (titles.paused_title, {"task": a_task(state="ABORT", code="")}, "{is} paused"),
        (titles.moving_title, {"follows": ("1-stalled",)}, "{is} moving again"),
        (titles.moving_title, {"follows": ("1-hanging",)}, "{has} moved on"),
        (titles.readable_title, {"follows": ("1-gone",)}, "{is} back"),
        (titles.readable_title, {"follows": ("1-unreadable",)}, "can be read again"),
        (titles.gone_title, {"detail": "renamed"}, "{is} no longer watched"),
        (titles.gone_title, {"task": a_task(name="")}, "{does} not exist"),
        (titles.gone_title, {}, "no longer exist{s}"),
        (titles.reminder_title, {"task": a_running_task()}, "{is} still stalled"),
        (titles.reminder_title, {}, "still need{s} attention"),
    ],
)
def test_a_heading_says_what_its_notice_knows(
    title: Callable[[Notice], str], facts: Any, words: str
) -> None:
    """The same kind reads otherwise after another beginning, or about another state."""
    assert title(a_notice(**facts)) == words


def test_a_heading_may_be_always_the_same() -> None:
    """Whatever the notice, and whatever is known of its task."""
    title = titles.always("{is} done")
    assert {title(a_notice(kind, task=None)) for kind in Kind} == {"{is} done"}
