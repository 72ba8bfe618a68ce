"""What woke the function, and the command it may hold."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulated_cloud.context import timer_event
from sms_watch.events import TimerEvent, parse_event
from sms_watch.rules.draft import Commands
from sms_watch.rules.reminders import Snooze
from tests.support.builders import NOW


@pytest.mark.parametrize("text", ["", "  ", "check", "every 5 minutes", '{"a": 1}', "night watch"])
def test_an_ordinary_text_is_a_normal_run(text: str) -> None:
    """What people write into user_event as a note asks for nothing."""
    found = parse_event(timer_event(NOW, text))
    assert (found.commands, found.warnings, found.problem) == (Commands(), (), "")


@pytest.mark.parametrize("text", ["test", " TEST ", "Test\n"])
def test_a_test_message_can_be_asked_for(text: str) -> None:
    """The word test asks for a test message."""
    assert parse_event(timer_event(NOW, text)).commands == Commands(test=True)


@pytest.mark.parametrize("text", ["report", " REPORT "])
def test_a_digest_can_be_asked_for(text: str) -> None:
    """The word report asks for a digest."""
    assert parse_event(timer_event(NOW, text)).commands == Commands(digest=True)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("snooze 8h 7a9c", 480), ("Snooze 30M 7a9c", 30), ("snooze  2d  7a9c", 2880)],
)
def test_reminders_can_be_silenced_for_a_while(text: str, minutes: int) -> None:
    """A span in minutes, hours or days, and the task that it is for."""
    snooze = parse_event(timer_event(NOW, text)).commands.snooze
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
    found = parse_event(timer_event(NOW, text))
    assert found.commands == Commands()
    assert "snooze 8h TASK_ID" in found.problem


@pytest.mark.parametrize("text", ["tset", "reprot", "snoose 8h 7a9c", "test now", "tests"])
def test_a_command_that_is_none_is_a_problem(text: str) -> None:
    """A slip in a command is not taken for a note: the error lists the known commands."""
    found = parse_event(timer_event(NOW, text))
    assert found.commands == Commands()
    assert text in found.problem
    assert "known commands are: report" in found.problem


@pytest.mark.parametrize(
    "event", [None, {}, [], "text", 7, {"trigger_type": "OBS"}, [{"trigger_type": "TIMER"}]]
)
def test_another_event_is_a_normal_run_with_a_warning(event: Any) -> None:
    """An event that is no timer's still runs, and the report says so, and where commands go."""
    found = parse_event(event)
    assert (found.commands, found.problem) == (Commands(), "")
    assert "not from a timer" in found.warnings[0]
    assert "a command is read only from user_event" in found.warnings[0]


A_TEST = timer_event(NOW, "test")


@pytest.mark.parametrize(
    "event",
    [
        json.dumps(A_TEST),
        json.dumps(A_TEST).encode(),
        bytearray(json.dumps(A_TEST), "utf-8"),
        b"\xef\xbb\xbf" + json.dumps(A_TEST).encode(),  # as some editors begin a file
        json.dumps(json.dumps(A_TEST)),
        {**A_TEST, "user_event": b"test"},
        {**A_TEST, "user_event": '"test"'},  # what jsonencode("test") makes of it
    ],
    ids=["text", "bytes", "bytearray", "with a mark", "text in text", "bytes within", "quoted"],
)
def test_an_event_as_json_text_is_the_event(event: Any) -> None:
    """Whoever calls the function may hand over what it is called with as text or bytes."""
    assert parse_event(event) == TimerEvent(Commands(test=True))


@pytest.mark.parametrize("event", ["test", b"snooze 8h 7a9c", '"report"', ["test"], {"a": "test"}])
def test_a_command_that_is_no_user_event_is_refused_in_words(event: Any) -> None:
    """Nothing is guessed from a bare text; the warning says where a command belongs."""
    found = parse_event(event)
    assert found.commands == Commands()
    assert "a command is read only from user_event" in " ".join(found.warnings)


@pytest.mark.parametrize(
    "user_event",
    [
        {"command": "test"},
        {"Test": True},
        ["snooze", "8h", "7a9c"],
        {"do": {"first": ["report"]}},
        '{"command": "snooze 8h 7a9c"}',
        ' ["test"] ',
        b'{"command": "test"}',
    ],
)
def test_a_command_within_json_is_refused_in_words(user_event: Any) -> None:
    """A note may hold such a word too, so none is carried out; the warning says how to give it."""
    found = parse_event({**A_TEST, "user_event": user_event})
    assert (found.commands, found.problem) == (Commands(), "")
    (warning,) = found.warnings
    assert "as plain text" in warning
    assert "known commands are: report" in warning


@pytest.mark.parametrize(
    "user_event", [None, {}, [], 7, True, "null", "7", '{"a": 1}', {"a": None}, {"latest": 1}, '""']
)
def test_a_user_event_without_a_command_is_a_normal_run(user_event: Any) -> None:
    """Whatever its type, a note asks for nothing, and no event needs one."""
    assert parse_event({**A_TEST, "user_event": user_event}) == TimerEvent()
    assert parse_event({"trigger_type": "TIMER"}) == TimerEvent()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(st.one_of(JSON, st.fixed_dictionaries({"trigger_type": JSON, "user_event": JSON})))
def test_no_event_is_too_odd(event: Any) -> None:
    """Whatever JSON a console sends, it is read without an exception, and alike as text."""
    found = parse_event(event)
    assert isinstance(found.commands, Commands)
    if isinstance(event, dict):
        assert parse_event(json.dumps(event)) == found


def test_an_event_without_bottom_is_read_all_the_same() -> None:
    """JSON within JSON a hundred thousand times over costs no run."""
    depth = 100_000
    nested: Any = []
    for _ in range(depth):
        nested = [nested]
    for event in ("[" * depth + "]" * depth, {"user_event": nested}, {"user_event": "[" * depth}):
        assert parse_event(event).commands == Commands()
