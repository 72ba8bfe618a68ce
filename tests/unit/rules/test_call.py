"""A call for a person, and how often it was told again."""

from __future__ import annotations

from sms_watch.rules.call import Call
from tests.support.builders import NOW, minutes

CALL = Call("20261124-1-0-stalled", NOW)


def test_a_reminder_is_counted_under_the_same_id() -> None:
    """The wait for the next one begins with it."""
    later = NOW + minutes(240)
    assert CALL.repeated(later) == Call(CALL.event_id, later, 1)
    assert CALL.repeated(later).repeated(later).reminders == 2


def test_a_call_has_waited_since_it_was_last_told() -> None:
    """What counts is how long nothing has been said of it."""
    assert CALL.waited(NOW + minutes(30)) == minutes(30)
