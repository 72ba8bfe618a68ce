"""What a service says once of keys and of throttling, and what follows for all calls."""

from __future__ import annotations

from typing import Any, Callable, Optional, Union

import pytest

from sms_watch.adapters.answers import Answer
from sms_watch.adapters.sdk import Caller, Guard
from sms_watch.errors import CloudError, remedy
from tests.support.fakes import FakeDeadline
from tests.support.sdk_calls import THROTTLED, facts_of


class _Answering:
    """A connection that gives these answers or statuses one after the other, and then 200."""

    host = "sms"

    def __init__(self, *answers: Union[int, Answer]) -> None:
        self._answers = [each if isinstance(each, Answer) else Answer(each, {}) for each in answers]
        self.sent = 0

    def call(self, send: Callable[[], Any]) -> Answer:
        self.sent += 1
        return self._answers.pop(0) if self._answers else Answer(200, {})


def _caller(connection: _Answering, guard: Optional[Guard] = None) -> Caller:
    return Caller(connection, FakeDeadline(), lambda seconds: None, guard=guard)


def _code(call: Callable[[str, Callable[[], Any]], Answer]) -> str:
    """Make a call; return the code of its error, empty if it has none."""
    try:
        call("x", lambda: None)
    except CloudError as error:
        return error.code or str(error.status)
    return ""


def test_callers_that_share_a_guard_know_of_a_refusal() -> None:
    """What one of them is refused, none of them sends again, to read or to write."""
    guard = Guard()
    one, other = _Answering(401), _Answering()
    assert _code(_caller(one, guard).read) == "401"
    codes = [_code(call) for call in (_caller(other, guard).read, _caller(other, guard).write)]
    assert codes == ["keys_refused", "keys_refused"]
    assert (one.sent, other.sent) == (1, 0)


def test_a_caller_without_a_guard_of_others_knows_of_its_own_refusals_alone() -> None:
    """Keys that one service refuses may be good for another."""
    refused, other = _caller(_Answering(401)), _caller(_Answering())
    assert [_code(refused.read), _code(refused.write)] == ["401", "keys_refused"]
    assert _code(other.write) == ""


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_another_refusal_says_nothing_about_the_keys(status: int) -> None:
    """A right that is missing, or a task that is not there, stops no other call."""
    caller = _caller(_Answering(status))
    assert [_code(caller.write), _code(caller.write)] == [str(status), ""]


def test_a_read_is_not_tried_again_once_another_was_refused() -> None:
    """While a read pauses before its second try, a refusal of another call ends it."""
    guard, connection = Guard(), _Answering(503)

    def be_refused(seconds: float) -> None:
        _code(_caller(_Answering(401), guard).read)

    caller = Caller(connection, FakeDeadline(), be_refused, guard=guard)
    assert _code(caller.read) == "keys_refused"
    assert connection.sent == 1


def _throttled(window: str) -> Answer:
    return Answer(429, {"error_code": "APIGW.0308", "error_msg": THROTTLED + window})


def test_reads_that_were_throttled_beyond_the_run_are_not_sent_again() -> None:
    """One answer says it for all reads; a start may have a limit of its own, and is sent."""
    guard = Guard()
    one, other = _Answering(_throttled("1 minute")), _Answering()
    assert _code(_caller(one, guard).read) == "APIGW.0308"
    with pytest.raises(CloudError, match=r"APIGW\.0308") as unsent:
        _caller(other, guard).read("read task b", lambda: None)
    assert facts_of(unsent.value) == (None, "too_many_calls", False, False)
    assert unsent.value.is_throttled
    assert "in a minute" in remedy(unsent.value, "a right", "SMS_ENDPOINT")
    assert (one.sent, other.sent) == (1, 0)
    assert _code(_caller(other, guard).write) == ""
    assert other.sent == 1


def test_a_throttling_without_a_code_is_told_by_its_status() -> None:
    """Whoever reads why nothing was asked finds what was answered."""
    caller = _caller(_Answering(Answer(429, None, {"Retry-After": "60"})))
    assert _code(caller.read) == "429"
    with pytest.raises(CloudError, match="it had answered HTTP 429"):
        caller.read("read task b", lambda: None)


@pytest.mark.parametrize("window", ["2 second", "1 fortnight"])
def test_a_throttling_that_the_run_outlasts_keeps_no_read_back(window: str) -> None:
    """Three tries go by, and the next read is sent all the same."""
    connection = _Answering(*3 * [_throttled(window)])
    caller = _caller(connection)
    assert [_code(caller.read), _code(caller.read)] == ["APIGW.0308", ""]
    assert connection.sent == 4


def test_a_throttled_read_that_is_optional_keeps_no_other_back() -> None:
    """The limit may be that of its list alone; what the others meet it goes without."""
    guard = Guard()
    optional = Caller(
        _Answering(_throttled("1 minute")), FakeDeadline(), print, guard=guard, optional=True
    )
    assert _code(optional.read) == "APIGW.0308"
    assert [_code(_caller(_Answering(_throttled("1 minute")), guard).read)] == ["APIGW.0308"]
    assert _code(optional.read) == "too_many_calls"


def test_a_throttled_write_keeps_no_read_back() -> None:
    """The limit may be that of the write alone."""
    caller = _caller(_Answering(_throttled("1 minute")))
    assert [_code(caller.write), _code(caller.read)] == ["APIGW.0308", ""]
