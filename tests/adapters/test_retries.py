"""When a call is tried again, and how long it pauses before."""

from __future__ import annotations

import json
from typing import Callable, List

import pytest

from sms_watch.adapters import sdk
from sms_watch.adapters.answers import Answer
from tests.support.loopback import answer, closed_port, serving
from tests.support.sdk_calls import OPERATIONS, THROTTLED, attempt, facts_of


def test_pauses_double_and_are_drawn_at_random() -> None:
    """Full jitter: somewhere up to 2 s, then somewhere up to 4 s."""
    assert attempt("read", closed_port()).pauses == (1.0, 2.0)


def test_the_service_may_name_the_pause() -> None:
    """Retry-After is obeyed by reads and writes."""
    with serving(answer(429, "", "Retry-After: 7")) as server:
        assert [attempt(operation, server.url).pauses for operation in OPERATIONS] == 3 * [(7, 7)]


@pytest.mark.parametrize(
    ("window", "header", "pause"),
    [
        ("5 second", "", 5),
        ("2 minute", "", 120),
        ("1 hour", "", 3600),
        ("1 day", "", 86_400),
        ("5 second", "Retry-After: 7", 7),
        ("5 second", "Retry-After: 3", 5),
        ("1 fortnight", "Retry-After: 3", 3),
    ],
)
def test_a_throttling_policy_names_its_window(window: str, header: str, pause: float) -> None:
    """The pause is the window in the text, or Retry-After where that is longer."""
    body = json.dumps({"error_code": "APIGW.0308", "error_msg": THROTTLED + window})
    reply = answer(429, body, *filter(None, [header]))
    with serving(reply) as server:
        error = attempt("publish", server.url, rest=1.0).error
    assert error is not None
    assert error.retry_after == pause


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_is_tried_again_within_a_window_that_outlasts_the_run(operation: str) -> None:
    """It would be wasted; code and request id are kept, of a read too."""
    body = json.dumps({"error_code": "APIGW.0308", "error_msg": THROTTLED + "1 minute"})
    with serving(answer(429, body, "X-Request-Id: req-7")) as server:
        tried = attempt(operation, server.url)
    assert facts_of(tried.error) == (429, "APIGW.0308", True, False)
    assert str(tried.error).endswith("limit:20,time:1 minute (request req-7)")
    assert (len(server.requests), tried.pauses) == (1, ())


def test_a_busy_service_may_name_the_pause_of_a_read() -> None:
    """Retry-After is obeyed with a 503 as with a 429."""
    with serving(answer(503, "", "Retry-After: 7")) as server:
        assert attempt("read", server.url).pauses == (7, 7)


@pytest.mark.parametrize(
    "text", ["soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "\N{SUPERSCRIPT TWO}"]
)
def test_a_pause_that_is_no_number_of_seconds_is_ours_to_choose(text: str) -> None:
    """An odd Retry-After costs nothing but itself."""
    with serving(answer(429, "", f"Retry-After: {text}").encode("latin-1")) as server:
        assert attempt("publish", server.url).pauses == (1.0, 2.0)


@pytest.mark.parametrize("rest", [0.2, 0.9, 1.0])
def test_nothing_is_tried_again_beyond_the_deadline(rest: float) -> None:
    """A pause that would use up the time left is not begun."""
    with serving(answer(503, "")) as server:
        assert attempt("read", server.url, rest=rest).pauses == ()
    assert len(server.requests) == 1


@pytest.mark.parametrize(("pause", "tries"), [("14", 3), ("15", 1)])
@pytest.mark.parametrize(("operation", "status"), [("read", 503), ("start", 429)])
def test_a_call_does_not_pause_for_more_than_half_of_the_time(
    operation: str, status: int, pause: str, tries: int
) -> None:
    """What a service asks for one task takes nothing from the others."""
    with serving(answer(status, "", f"Retry-After: {pause}")) as server:
        attempt(operation, server.url, rest=30.0)
    assert len(server.requests) == tries


@pytest.mark.parametrize(("operation", "seconds"), [("read", 7.5), ("start", 15.0)])
def test_a_read_leaves_half_of_the_time_to_others(
    operation: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write may need what there is."""
    given: List[float] = []

    def within(seconds: float, work: Callable[[], Answer]) -> Answer:
        given.append(seconds)
        return Answer(403, {})

    monkeypatch.setattr(sdk, "within", within)
    attempt(operation, "https://sms.invalid", rest=15.0)
    assert given == [seconds]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_that_no_time_is_left_for_is_not_made(operation: str) -> None:
    """It certainly had no effect, and is not tried again."""
    with serving(answer(200, "{}")) as server:
        tried = attempt(operation, server.url, rest=0.0)
    assert facts_of(tried.error) == (None, "no_time", False, False)
    assert server.requests == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_that_drips_is_given_up(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the whole never does: a call has an end all the same."""
    monkeypatch.setattr(sdk, "LONGEST_CALL", 0.15)
    with serving(answer(200, "{}"), drip=0.02) as server:
        tried = attempt(operation, server.url)
    is_read = operation == "read"
    assert facts_of(tried.error) == (None, "timeout", is_read, not is_read)
    assert len(server.requests) == (3 if is_read else 1)
