"""Errors: what they say, and what they advise."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from sms_watch.errors import (
    KEYS_REFUSED,
    NO_TIME,
    PROXY,
    PUBLISHING,
    SET_PROXY,
    SMN_ADDRESS,
    TOO_MANY_CALLS,
    CloudError,
    SettingsError,
    remedy,
)


def test_an_error_names_the_call_the_code_and_the_request() -> None:
    """In one line, without the full stop of the service."""
    error = CloudError("start task", "No.", status=403, code="SMS.9004", request_id="r-1")
    assert str(error) == "start task: SMS.9004, HTTP 403, No (request r-1)"
    assert str(CloudError("start task", "cut ...")) == "start task: cut ..."
    assert str(CloudError("start task")) == "start task: failed"


def test_settings_are_told_with_all_their_problems() -> None:
    """Each on a line of its own, and counted."""
    assert str(SettingsError(["one"])) == "the settings have 1 problem; nothing was done:\n- one"
    assert "2 problems" in str(SettingsError(["one", "two"]))


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (CloudError("x", code=NO_TIME), "raise RUN_BUDGET_SECONDS"),
        (CloudError("x", code=KEYS_REFUSED), "HUAWEICLOUD_SDK_AK"),
        (CloudError("x", status=HTTPStatus.UNAUTHORIZED), "HUAWEICLOUD_SDK_AK"),
        (CloudError("x", code=TOO_MANY_CALLS), "accepts no more calls"),
        (CloudError("x", code=PROXY), SET_PROXY),
        (CloudError("x"), f"network, and {SMN_ADDRESS}"),
        (CloudError("x", status=HTTPStatus.FORBIDDEN), f"grant {PUBLISHING}"),
        (CloudError("x", status=HTTPStatus.NOT_FOUND), f"correct {SMN_ADDRESS}"),
        (CloudError("x", status=HTTPStatus.BAD_REQUEST), SMN_ADDRESS),
        (CloudError("x", status=HTTPStatus.BAD_GATEWAY), "support"),
    ],
)
def test_every_error_has_its_remedy(error: CloudError, advice: str) -> None:
    """What to do goes by what happened; the right and the address are those of the call."""
    assert advice in remedy(error, PUBLISHING, SMN_ADDRESS)


def test_a_clock_that_is_off_is_set_first() -> None:
    """The usual remedy follows, in case it is not the clock."""
    error = CloudError("x", status=HTTPStatus.UNAUTHORIZED, clock="the clock is 1 h behind")
    assert remedy(error, PUBLISHING, SMN_ADDRESS).startswith("the clock is 1 h behind: set it")
