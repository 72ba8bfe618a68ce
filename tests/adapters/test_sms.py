"""What is sent to SMS, to the letter, with the network taken away."""

from __future__ import annotations

from typing import Dict

import pytest
import responses
from responses import matchers

from sms_watch.adapters import sms
from sms_watch.adapters.sdk import Caller, Connection
from sms_watch.settings.values import Credentials
from tests.support.fakes import FakeDeadline

PROJECT = "0" * 32
SMS = "https://sms.ap-southeast-3.myhuaweicloud.com"
KEYS = Credentials("AK0123456789ABCDEF00", "sk" * 20)
TEMPORARY = Credentials("AK0123456789ABCDEF01", "sk" * 20, "token" * 50)
TASK = {"id": "7a9c", "name": "db-01", "state": "RUNNING"}


def _caller(connection: Connection) -> Caller:
    return Caller(connection, FakeDeadline(), lambda seconds: None)


def _sms(keys: Credentials = KEYS) -> sms.SmsService:
    return sms.SmsService(_caller(sms.connect(SMS, keys)))


def _headers() -> Dict[str, str]:
    return {name.lower(): text for name, text in responses.calls[0].request.headers.items()}


@responses.activate
def test_a_task_is_asked_for_by_its_path() -> None:
    """GET /v3/tasks/<id>, once."""
    route = responses.get(f"{SMS}/v3/tasks/7a9c", json=TASK)
    assert _sms().read_task("7a9c").name == "db-01"
    assert route.call_count == 1


@responses.activate
def test_a_start_is_one_operation_and_no_more() -> None:
    """POST /v3/tasks/<id>/action with the operation start and no other field, once."""
    body = matchers.json_params_matcher({"operation": "start"})
    route = responses.post(f"{SMS}/v3/tasks/7a9c/action", json={}, match=[body])
    _sms().start_task("7a9c")
    assert route.call_count == 1


@pytest.mark.parametrize("keys", [KEYS, TEMPORARY], ids=["permanent", "temporary"])
@responses.activate
def test_every_call_is_signed(keys: Credentials) -> None:
    """SDK-HMAC-SHA256 over a date, with the token when the keys are temporary."""
    responses.post(f"{SMS}/v3/tasks/7a9c/action", json={})
    _sms(keys).start_task("7a9c")
    headers = _headers()
    assert headers["authorization"].startswith(f"SDK-HMAC-SHA256 Access={keys.access_key}, ")
    assert headers["x-sdk-date"].endswith("Z")
    assert headers.get("x-security-token", "") == keys.security_token
    assert "sms_watch" in headers["user-agent"]
