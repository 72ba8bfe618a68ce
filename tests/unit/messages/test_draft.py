"""A message that may be refused for its words, and what is sent in its place."""

from __future__ import annotations

from sms_watch.messages.draft import Draft, Form
from tests.support.builders import a_notice, a_task
from tests.support.messages import CONTEXT

NAME = "a name that nobody takes"
NOTICES = tuple(a_notice(event_id=f"e-{n}", task=a_task(id=str(n), name=NAME)) for n in range(3))


def test_what_is_plainer_says_less_until_nothing_is_left_to_leave_out() -> None:
    """First without names, then in halves, at last each alone and bare."""
    (lean,) = Draft(NOTICES).plainer()
    assert (lean.form, lean.notices) == (Form.LEAN, NOTICES)
    halves = lean.plainer()
    assert [len(half.notices) for half in halves] == [1, 2]
    (bare,) = halves[0].plainer()
    assert bare.form is Form.BARE
    assert bare.plainer() == ()


def test_a_plainer_message_holds_no_text_from_outside() -> None:
    """The name is in the full form alone; every form names its events."""
    for form in Form:
        message = Draft(NOTICES[:1], form).message(CONTEXT)
        assert message.event_ids == ("e-0",)
        assert (NAME in message.email) is (form is Form.FULL)


def test_a_draft_keeps_what_its_message_holds() -> None:
    """What was left out for its size goes into another message."""
    message = Draft(NOTICES[1:]).message(CONTEXT)
    assert Draft(NOTICES).holding(message).notices == NOTICES[1:]
