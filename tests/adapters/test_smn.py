"""What is sent to SMN, to the letter, with the network taken away."""

from __future__ import annotations

import json
import ssl
from typing import Any, Tuple

import pytest
import requests
import responses
from requests.exceptions import SSLError
from responses import matchers

from sms_watch.adapters import smn
from sms_watch.adapters.sdk import Caller, Connection
from sms_watch.adapters.smn import A_DAY, structure
from sms_watch.errors import CloudError
from sms_watch.model.notice import Message
from sms_watch.settings.values import Credentials
from tests.support.fakes import FakeDeadline

PROJECT = "0" * 32
TOPIC = f"urn:smn:ap-southeast-3:{PROJECT}:night-watch"
SMN = "https://smn.ap-southeast-3.myhuaweicloud.com"
PUBLISH = f"{SMN}/v2/{PROJECT}/notifications/topics/{TOPIC.replace(':', '%3A')}/publish"
KEYS = Credentials("AK0123456789ABCDEF00", "sk" * 20)
MESSAGE = Message("Betreff: übel", "default", "e-mail text", "short text", "{}", ("1",))


def _caller(connection: Connection) -> Caller:
    return Caller(connection, FakeDeadline(), lambda seconds: None)


def _smn(keys: Credentials = KEYS) -> smn.SmnPublisher:
    return smn.SmnPublisher(_caller(smn.connect(SMN, keys, PROJECT)), TOPIC)


@responses.activate
def test_a_message_has_a_subject_and_a_structure() -> None:
    """The structure is a string that holds JSON; a message of the night has a day to arrive."""
    body = matchers.json_params_matcher(
        {
            "subject": MESSAGE.subject,
            "message_structure": structure(MESSAGE),
            "time_to_live": A_DAY,
        }
    )
    route = responses.post(PUBLISH, json={"message_id": "m-1"}, match=[body])
    assert _smn().publish(MESSAGE) == "m-1"
    assert route.call_count == 1
    sent: Any = json.loads(responses.calls[0].request.body or "")
    assert set(json.loads(sent["message_structure"])) == {
        "default",
        "email",
        "sms",
        "http",
        "https",
    }


@pytest.mark.parametrize(
    ("raised", "facts"),
    [
        (requests.ConnectTimeout("x"), ("unreachable", True, False)),
        (requests.ReadTimeout("x"), ("timeout", False, True)),
        (requests.ConnectionError("x"), ("no_answer", False, True)),
        (requests.exceptions.ChunkedEncodingError("x"), ("no_answer", False, True)),
        (SSLError(ssl.SSLCertVerificationError("x")), ("certificate", False, False)),
        (SSLError(ssl.SSLError("bad record mac")), ("no_answer", False, True)),
    ],
    ids=lambda value: type(value).__name__,
)
@responses.activate
def test_what_requests_raises_on_a_write_is_translated(
    raised: Exception, facts: Tuple[str, bool, bool]
) -> None:
    """The SDK lets some of it through and dresses up the rest; all of it is told apart."""
    responses.post(PUBLISH, body=raised)
    with pytest.raises(CloudError) as caught:
        _smn().publish(MESSAGE)
    error = caught.value
    assert (error.code, error.retryable, error.outcome_unknown) == facts
