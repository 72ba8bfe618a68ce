"""What woke the function, and the command it may hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from local.context import timer_event
from sms_watch.events import read
from sms_watch.rules.plan import Commands
from sms_watch.rules.reminders import Snooze


@pytest.mark.parametrize("text", ["", "  ", "check", "every 5 minutes", '{"a": 1}', "night watch"])
def test_an_ordinary_text_is_a_normal_run(text: str) -> None:
    """What people write into user_event as a note asks for nothing."""
    waking = read(timer_event(NOW, text))
    assert (waking.commands, waking.warnings, waking.problem) == (Commands(), (), "")


@pytest.mark.parametrize("text", ["test", " TEST ", "Test\n"])
def test_a_test_message_can_be_asked_for(text: str) -> None:
    """The word test asks for a test message."""
    assert read(timer_event(NOW, text)).commands == Commands(test=True)


@pytest.mark.parametrize("text", ["report", " REPORT "])
def test_a_digest_can_be_asked_for(text: str) -> None:
    """The word report asks for a digest."""
    assert read(timer_event(NOW, text)).commands == Commands(digest=True)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("snooze 8h 7a9c", 480), ("Snooze 30M 7a9c", 30), ("snooze  2d  7a9c", 2880)],
)
def test_reminders_can_be_silenced_for_a_while(text: str, minutes: int) -> None:
    """A span in minutes, hours or days, and the task that it is for."""
    snooze = read(timer_event(NOW, text)).commands.snooze
    assert snooze == Snooze("7a9c", timedelta(minutes=minutes))


@pytest.mark.parametrize(
    "text",
    [
        *("snooze", "snooze 8h", "snooze 7a9c", "snooze 7a9c 8h", "snooze 8h 7a9c now"),
        *("snooze 0h 7a9c", "snooze -1h 7a9c", "snooze 8 7a9c", "snooze 8w 7a9c", "snooze 31d x"),
    ],
)
def test_a_snooze_that_is_not_understood_is_a_problem(text: str) -> None:
    """What it should look like is said; nothing is silenced by a guess."""
    waking = read(timer_event(NOW, text))
    assert waking.commands == Commands()
    assert "snooze 8h TASK_ID" in waking.problem


@pytest.mark.parametrize("text", ["tset", "reprot", "snoose 8h 7a9c", "test now", "tests"])
def test_a_command_that_is_none_is_a_problem(text: str) -> None:
    """A slip in a command is not taken for a note: the error lists the known commands."""
    waking = read(timer_event(NOW, text))
    assert waking.commands == Commands()
    assert text in waking.problem
    assert "known commands are: report" in waking.problem


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
    assert isinstance(read(event).commands, Commands)
