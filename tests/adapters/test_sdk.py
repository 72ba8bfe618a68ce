"""Every way in which a call can go wrong, through the real SDK, read and written."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, Tuple

import pytest
from huaweicloudsdkcore.exceptions.exceptions import SdkException
from huaweicloudsdksms.v3 import SmsClient

from sms_watch.adapters.sdk import Connection
from sms_watch.errors import CloudError, TaskGone, remedy
from sms_watch.settings.values import Credentials
from tests.support.canaries import leaked
from tests.support.loopback import DROP, SILENT, answer, closed_port, crowded_port, serving
from tests.support.sdk_calls import KEYS, OPERATIONS, attempt, facts_of

# On the way


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refused_connection_was_certainly_not_sent(operation: str) -> None:
    """Nobody listens: tried three times, read or write, and known to have had no effect."""
    tried = attempt(operation, closed_port())
    assert facts_of(tried.error) == (None, "unreachable", True, False)
    assert len(tried.pauses) == 2


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_connection_that_takes_too_long_was_certainly_not_sent(operation: str) -> None:
    """A timeout while connecting is told apart from one while waiting for the answer."""
    with crowded_port() as url:
        tried = attempt(operation, url)
    assert facts_of(tried.error) == (None, "unreachable", True, False)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_unknown_host_was_certainly_not_sent(operation: str) -> None:
    """A name that does not resolve is like a refused connection."""
    tried = attempt(operation, "https://sms.invalid")
    assert facts_of(tried.error) == (None, "unreachable", True, False)
    assert "sms.invalid" in str(tried.error)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (SILENT, "timeout"),
        (DROP, "no_answer"),
        (answer(200, '{"id": "a"', promised=500), "no_answer"),
    ],
    ids=["silent", "drops", "half a body"],
)
def test_a_lost_answer_is_unknown_for_a_write(operation: str, behaviour: str, code: str) -> None:
    """A read is tried again; a write is sent once, for it may have had its effect."""
    with serving(behaviour) as server:
        tried = attempt(operation, server.url)
    is_read = operation == "read"
    assert facts_of(tried.error) == (None, code, is_read, not is_read)
    assert len(server.requests) == (3 if is_read else 1)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_connection_without_tls_gives_no_key_away(operation: str) -> None:
    """Without TLS nothing is sent; as TLS can also break later, a write stays unknown."""
    with serving(answer(200, "{}")) as server:
        tried = attempt(operation, server.url.replace("http:", "https:"))
    is_read = operation == "read"
    assert facts_of(tried.error) == (None, "no_answer", is_read, not is_read)
    assert not leaked(*(request.decode("latin-1") for request in server.requests))


# Answers


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("form", ["SMS", "SMN", "html", "empty"])
def test_every_status_has_its_meaning(operation: str, status: int, form: str) -> None:
    """Reads are tried again on 429 and 5xx, writes on 429 only; a 5xx leaves a write unknown."""
    bodies = {
        "SMS": '{"error_code": "SMS.9004", "error_msg": "no", "encoded_authorization_message":'
        ' "ENCODED"}',
        "SMN": '{"code": "SMS.9004", "message": "no", "request_id": "r-1"}',
        "html": "<html>Bad Gateway</html>",
        "empty": "",
    }
    with serving(answer(status, bodies[form])) as server:
        tried = attempt(operation, server.url)
    is_read = operation == "read"
    code = "SMS.9004" if form in ("SMS", "SMN") else ""
    retryable = status == 429 or (is_read and status >= 500)
    assert facts_of(tried.error) == (status, code, retryable, not is_read and status >= 500)
    assert len(server.requests) == (3 if retryable else 1)


NO_OBJECTS = ("<html>Welcome</html>", "success", '"success"', '""', "null", "[]", "{}", "")


@pytest.mark.parametrize("operation", ["read", "publish"])
@pytest.mark.parametrize("body", NO_OBJECTS)
def test_a_success_that_is_none_is_an_error(operation: str, body: str) -> None:
    """Whatever has not the fields that it should have is taken for no task and no message."""
    with serving(answer(200, body)) as server:
        tried = attempt(operation, server.url)
    is_read = operation == "read"
    assert facts_of(tried.error) == (None, "malformed", is_read, not is_read)
    assert len(server.requests) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_redirect_is_no_success(operation: str) -> None:
    """It is not followed, and never taken for a task, a start or a message."""
    with serving(answer(302, "", "Location: http://127.0.0.1:9/")) as server:
        tried = attempt(operation, server.url)
    is_read = operation == "read"
    assert facts_of(tried.error) == (302, "malformed", is_read, not is_read)
    assert is_read or len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((status, body) for status in (200, 202) for body in NO_OBJECTS),
        (204, ""),
        (200, '{"error_code": null}'),
        (200, '{"error_code": ""}'),
        (200, '{"code": "0", "message": "ok"}'),
        (200, '{"details": "none"}'),
    ],
)
def test_any_success_without_an_error_accepts_a_start(status: int, body: str) -> None:
    """The reference has a string, scripts see an empty object or nothing; one request is sent."""
    with serving(answer(status, body)) as server:
        assert attempt("start", server.url).error is None
    assert len(server.requests) == 1


ERROR = '{"error_code": "SMS.7713", "error_msg": "The task is running."}'


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize(
    "body",
    [ERROR, f"[{ERROR}]", f'{{"details": [null, {ERROR}]}}', f'{{"id": "a", {ERROR[1:]}'],
    ids=["object", "list", "details", "beside others"],
)
def test_a_success_with_an_error_in_it_is_a_refusal(operation: str, status: int, body: str) -> None:
    """It was not taken, that is known, and it keeps code, text and request id."""
    with serving(answer(status, body, "X-Request-Id: req-7")) as server:
        tried = attempt(operation, server.url)
    assert facts_of(tried.error) == (status, "SMS.7713", False, False)
    assert str(tried.error).endswith("The task is running (request req-7)")
    assert len(server.requests) == 1


def test_a_code_that_is_a_number_is_one() -> None:
    """Not all services have texts for codes; 0 is no error."""
    with serving(answer(200, '{"error_code": 7713}')) as server:
        assert facts_of(attempt("start", server.url).error) == (200, "7713", False, False)
    with serving(answer(200, '{"error_code": 0}')) as server:
        assert attempt("start", server.url).error is None


@pytest.mark.parametrize("operation", ["read", "publish"])
def test_an_error_in_the_form_of_smn_is_told_in_place_of_what_is_missing(operation: str) -> None:
    """Its code says more than that the answer makes no sense."""
    body = '{"request_id": "r-1", "code": "SMN.0008", "message": "Invalid subject."}'
    with serving(answer(200, body)) as server:
        tried = attempt(operation, server.url)
    assert facts_of(tried.error) == (200, "SMN.0008", False, False)
    assert str(tried.error).endswith("Invalid subject (request r-1)")


def test_a_message_without_an_id_may_have_been_published() -> None:
    """A success without message_id is an unknown outcome."""
    with serving(answer(200, '{"request_id": "r-1"}')) as server:
        assert facts_of(attempt("publish", server.url).error) == (None, "malformed", False, True)


@pytest.mark.parametrize("operation", ["read", "start"])
@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_task_that_does_not_exist_is_gone(operation: str, status: int) -> None:
    """The code says so, whatever the status beside it."""
    body = '{"error_code": "SMS.7703", "error_msg": "The task does not exist."}'
    with serving(answer(status, body)) as server:
        assert isinstance(attempt(operation, server.url).error, TaskGone)


def test_an_error_names_what_helps_support() -> None:
    """Operation, status, code, text and request id are in the error's text, and no more."""
    body = json.dumps({"error_code": "SMS.9004", "error_msg": "Denied\r\n" + "x" * 500})
    with serving(answer(403, body, "X-Request-Id: req-7")) as server:
        text = str(attempt("start", server.url).error)
    assert text.startswith("start task a: SMS.9004, HTTP 403, Denied xxx")
    assert text.endswith("(request req-7)")
    assert "\n" not in text
    assert len(text) < 300


def test_a_services_full_stop_does_not_end_our_sentence() -> None:
    """What a run says goes on after the message of a service."""
    failure = CloudError("publish the message", "Backend unavailable.", status=503)
    assert f"{failure}; it is owed" == (
        "publish the message: HTTP 503, Backend unavailable; it is owed"
    )
    assert str(CloudError("publish the message", " . ")) == "publish the message: failed"
    assert str(CloudError("read a", "no permission for...")).endswith("no permission for...")


def test_where_no_time_was_left_the_network_is_not_to_blame() -> None:
    """A call that was not made has another remedy than one that reached nobody."""
    late = CloudError("list tasks", "was not called", code="no_time")
    assert "RUN_BUDGET_SECONDS" in remedy(late, "a right", "SMS_ENDPOINT")
    unreachable = CloudError("list tasks", "could not be reached", code="unreachable")
    assert "SMS_ENDPOINT" in remedy(unreachable, "a right", "SMS_ENDPOINT")


def test_keys_that_were_refused_are_told_to_be_corrected_by_every_call() -> None:
    """A call that was not made for that reason has the remedy of the one that was refused."""
    refused = CloudError("read task a", status=401, code="APIGW.0301")
    unsent = CloudError("read task b", "was not called again", code="keys_refused")
    assert refused.refuses_keys
    assert unsent.refuses_keys
    assert remedy(unsent, "a right", "SMS_ENDPOINT") == remedy(refused, "a right", "SMS_ENDPOINT")
    assert not CloudError("read task c", status=403).refuses_keys


@pytest.mark.usefixtures("netrc")
def test_netrc_never_replaces_the_signature() -> None:
    """An entry for the host in .netrc is not sent in place of the signature."""
    with serving(answer(200, "{}")) as server:
        attempt("start", server.url)
    assert b"SDK-HMAC-SHA256" in server.requests[0]
    assert b"Basic" not in server.requests[0]


def test_a_client_without_keys_is_not_made() -> None:
    """Empty keys would send the SDK looking for others elsewhere."""
    with pytest.raises(ValueError, match="both keys"):
        Connection(SmsClient.new_builder, "https://sms.invalid", Credentials("", ""))


def test_a_connection_does_not_show_its_keys() -> None:
    """No representation on the way holds a key."""
    connection = Connection(SmsClient.new_builder, "https://sms.invalid", KEYS)
    assert not leaked(repr(connection), repr(vars(connection)))
    connection.close()


def test_the_sdk_says_nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """The SDK's own log, with addresses in it, does not reach the function's log."""
    attempt("read", closed_port())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "error",
    [
        SdkException(KEYS.secret_key),
        ValueError(KEYS.secret_key),
        TypeError(KEYS.secret_key),
        RuntimeError(KEYS.secret_key),
        OSError(KEYS.secret_key),
        KeyError(KEYS.secret_key),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("operation", ["read", "start"])
def test_whatever_the_sdk_raises_is_translated(
    operation: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No exception of another kind leaves an adapter, and no text of one."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(SmsClient, "do_http_request", fail)
    tried = attempt(operation, "https://sms.invalid")
    assert tried.error is not None
    assert tried.error.outcome_unknown is (operation == "start")


# Clocks


def _dated(status: int, code: str, ahead: timedelta) -> str:
    """Return an answer of a service whose clock is behind ours by a span."""
    theirs = format_datetime(datetime.now(timezone.utc) - ahead, usegmt=True)
    return answer(status, json.dumps({"error_code": code}), f"Date: {theirs}")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(minutes=16), "16 min ahead of"),
        (timedelta(minutes=-16), "16 min behind"),
        (timedelta(minutes=6), "6 min ahead of"),
        (timedelta(hours=-8), "8 h behind"),
    ],
)
def test_keys_refused_to_a_clock_that_is_off_have_a_remedy_before_the_usual(
    operation: str, ahead: timedelta, words: str
) -> None:
    """A signature is refused for its date as for its keys, with the same code."""
    with serving(_dated(401, "APIGW.0301", ahead)) as server:
        error = attempt(operation, server.url).error
    assert error is not None
    told = remedy(error, "a right", "SMS_ENDPOINT")
    assert told.startswith(f"the clock of this machine is {words} the service's: set it by NTP")
    assert told.index("HUAWEICLOUD_SDK_AK") > told.index("NTP")


@pytest.mark.parametrize(
    ("status", "code", "minutes"),
    [(401, "APIGW.0301", 4), (403, "SMS.9004", 16), (400, "SMS.7713", 16)],
    ids=["nearly right", "a right is missing", "another refusal"],
)
def test_a_clock_is_not_blamed_without_reason(status: int, code: str, minutes: int) -> None:
    """Clocks that agree have no part in a refusal, nor has a clock in one of another kind."""
    with serving(_dated(status, code, timedelta(minutes=minutes))) as server:
        error = attempt("read", server.url).error
    assert error is not None
    assert "clock" not in remedy(error, "a right", "SMS_ENDPOINT")


@pytest.mark.parametrize("headers", [(), ("Date: tomorrow",)], ids=["none", "no such date"])
def test_a_service_that_tells_no_time_says_nothing_of_clocks(headers: Tuple[str, ...]) -> None:
    """Keys are all that is left to blame."""
    with serving(answer(401, "{}", *headers)) as server:
        error = attempt("read", server.url).error
    assert error is not None
    assert "clock" not in remedy(error, "a right", "SMS_ENDPOINT")
