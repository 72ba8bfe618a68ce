"""Answers as they came: the error that a body tells of, and whether a call may be sent again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Tuple

import pytest

from sms_watch.adapters.answers import Answer, refusal

CODE = {"error_code": "SMS.0303", "error_msg": "no"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (CODE, "SMS.0303"),
        ([CODE], "SMS.0303"),
        ({"details": [{}, CODE]}, "SMS.0303"),
        ({"code": "SMN.0006", "message": "no"}, "SMN.0006"),
        ({"error_code": 0}, ""),
        (["text"], ""),
        (None, ""),
    ],
)
def test_the_code_of_an_error_is_found_wherever_it_stands(body: Any, code: str) -> None:
    """In the body, a row of it, or its details; in the form of SMN only an error status tells."""
    answer = Answer(HTTPStatus.BAD_REQUEST, body)
    assert answer.said.code == code
    assert answer.has_error is code.startswith("SMS")


@pytest.mark.parametrize(
    ("status", "write", "facts"),
    [
        (HTTPStatus.SERVICE_UNAVAILABLE, False, (True, False)),
        (HTTPStatus.SERVICE_UNAVAILABLE, True, (False, True)),
        (HTTPStatus.TOO_MANY_REQUESTS, True, (True, False)),
        (HTTPStatus.BAD_REQUEST, True, (False, False)),
    ],
)
def test_a_write_is_sent_again_only_if_it_was_not_taken(
    status: int, write: bool, facts: Tuple[bool, bool]
) -> None:
    """A read may be sent again after any passing error; a write only if it was throttled."""
    error = refusal("start task", Answer(status, CODE), write)
    assert (error.retryable, error.outcome_unknown) == facts
