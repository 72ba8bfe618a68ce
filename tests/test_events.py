"""What woke the function, and the command it may hold."""

from __future__ import annotations

from typing import Any

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from local.context import timer_event
from sms_watch.events import read


@pytest.mark.parametrize("text", ["", "  ", "check", "every 5 minutes", '{"a": 1}', "night watch"])
def test_an_ordinary_text_is_a_normal_run(text: str) -> None:
    """What people write into user_event as a note asks for nothing."""
    waking = read(timer_event(NOW, text))
    assert (waking.test, waking.warnings, waking.problem) == (False, (), "")


@pytest.mark.parametrize("text", ["test", " TEST ", "Test\n"])
def test_a_test_message_can_be_asked_for(text: str) -> None:
    """The word test asks for a test message."""
    assert read(timer_event(NOW, text)).test


@pytest.mark.parametrize("text", ["tset", "reprot", "snoose 8h 7a9c", "test now", "tests"])
def test_a_command_that_is_none_is_a_problem(text: str) -> None:
    """A slip in a command is not taken for a note: the error lists the known commands."""
    waking = read(timer_event(NOW, text))
    assert not waking.test
    assert text in waking.problem
    assert "known commands are: test" in waking.problem


@pytest.mark.parametrize("text", ["report", "snooze 8h 7a9c"])
def test_a_command_of_a_later_version_is_a_problem(text: str) -> None:
    """What this version cannot do is said rather than passed over."""
    assert "not possible in this version" in read(timer_event(NOW, text)).problem


@pytest.mark.parametrize(
    "event", [None, {}, [], "text", 7, {"trigger_type": "OBS"}, [{"trigger_type": "TIMER"}]]
)
def test_another_event_is_a_normal_run_with_a_warning(event: Any) -> None:
    """An event that is no timer's still runs, and the report says so."""
    waking = read(event)
    assert not waking.problem
    assert "not one of a timer" in waking.warnings[0]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(st.one_of(JSON, st.fixed_dictionaries({"trigger_type": JSON, "user_event": JSON})))
def test_no_event_is_too_odd(event: Any) -> None:
    """Whatever JSON a console sends, it is read without an exception."""
    assert read(event).test in (True, False)
