"""Every way in which a call can go wrong, through the real SDK, read and written."""

from __future__ import annotations

import json
import traceback
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, Callable, List, NamedTuple, Optional, Tuple, Union

import pytest
from huaweicloudsdkcore.exceptions.exceptions import SdkException
from huaweicloudsdksmn.v2 import SmnClient
from huaweicloudsdksms.v3 import SmsClient

from sms_watch.adapters import sdk
from sms_watch.adapters.answers import Answer
from sms_watch.adapters.sdk import Caller, Connection, Guard
from sms_watch.adapters.smn import SmnPublisher
from sms_watch.adapters.sms import SmsService
from sms_watch.errors import CloudError, TaskGone, remedy
from sms_watch.model.notice import Message
from sms_watch.settings.values import Credentials
from tests.support.canaries import credentials, leaked, temporary
from tests.support.fakes import FakeDeadline
from tests.support.loopback import DROP, SILENT, answer, closed_port, crowded_port, serving

KEYS = credentials(temporary("a run"))
MESSAGE = Message("subject", "default", "email", "short", "{}", ("1",))
URN = f"urn:smn:ap-southeast-3:{'0' * 32}:night"
QUICK = (0.3, 0.3)
OPERATIONS = ("read", "start", "publish")
THROTTLED = "The throttling threshold has been reached: policy ip over ratelimit,limit:20,time:"


class Tried(NamedTuple):
    """What a call came to: its error, and how long it paused in between."""

    error: Optional[CloudError]
    pauses: Tuple[float, ...]


def _try(operation: str, url: str, rest: float = 50.0, timeout: Any = QUICK) -> Tried:
    """Make a call against an address, with pauses that take no time."""
    pauses: List[float] = []
    builder = SmnClient.new_builder if operation == "publish" else SmsClient.new_builder
    connection = Connection(builder, url, KEYS, "0" * 32, timeout=timeout)
    caller = Caller(connection, FakeDeadline(rest), pauses.append, draw=lambda: 0.5)
    try:
        _call(operation, caller)
    except CloudError as error:
        _assert_clean(error)
        return Tried(error, tuple(pauses))
    finally:
        connection.close()
    return Tried(None, tuple(pauses))


def _call(operation: str, caller: Caller) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "read": lambda: SmsService(caller).read_task("a"),
        "start": lambda: SmsService(caller).start_task("a"),
        "publish": lambda: SmnPublisher(caller, URN).publish(MESSAGE),
    }
    calls[operation]()


def _assert_clean(error: CloudError) -> None:
    """No key, in whole or in part, and nothing encoded for administrators, is in an error."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    assert not leaked(text)
    assert "ENCODED" not in text


def _facts(error: Optional[CloudError]) -> Tuple[Any, ...]:
    assert error is not None
    return error.status, error.code, error.retryable, error.outcome_unknown


# On the way


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refused_connection_was_certainly_not_sent(operation: str) -> None:
    """Nobody listens: tried three times, read or write, and known to have had no effect."""
    tried = _try(operation, closed_port())
    assert _facts(tried.error) == (None, "unreachable", True, False)
    assert len(tried.pauses) == 2


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_connection_that_takes_too_long_was_certainly_not_sent(operation: str) -> None:
    """A timeout while connecting is told apart from one while waiting for the answer."""
    with crowded_port() as url:
        tried = _try(operation, url)
    assert _facts(tried.error) == (None, "unreachable", True, False)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_unknown_host_was_certainly_not_sent(operation: str) -> None:
    """A name that does not resolve is like a refused connection."""
    tried = _try(operation, "https://sms.invalid")
    assert _facts(tried.error) == (None, "unreachable", True, False)
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
        tried = _try(operation, server.url)
    is_read = operation == "read"
    assert _facts(tried.error) == (None, code, is_read, not is_read)
    assert len(server.requests) == (3 if is_read else 1)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_connection_without_tls_gives_no_key_away(operation: str) -> None:
    """Without TLS nothing is sent; as TLS can also break later, a write stays unknown."""
    with serving(answer(200, "{}")) as server:
        tried = _try(operation, server.url.replace("http:", "https:"))
    is_read = operation == "read"
    assert _facts(tried.error) == (None, "no_answer", is_read, not is_read)
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
        tried = _try(operation, server.url)
    is_read = operation == "read"
    code = "SMS.9004" if form in ("SMS", "SMN") else ""
    retryable = status == 429 or (is_read and status >= 500)
    assert _facts(tried.error) == (status, code, retryable, not is_read and status >= 500)
    assert len(server.requests) == (3 if retryable else 1)


NO_OBJECTS = ("<html>Welcome</html>", "success", '"success"', '""', "null", "[]", "{}", "")


@pytest.mark.parametrize("operation", ["read", "publish"])
@pytest.mark.parametrize("body", NO_OBJECTS)
def test_a_success_that_is_none_is_an_error(operation: str, body: str) -> None:
    """Whatever has not the fields that it should have is taken for no task and no message."""
    with serving(answer(200, body)) as server:
        tried = _try(operation, server.url)
    is_read = operation == "read"
    assert _facts(tried.error) == (None, "malformed", is_read, not is_read)
    assert len(server.requests) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_redirect_is_no_success(operation: str) -> None:
    """It is not followed, and never taken for a task, a start or a message."""
    with serving(answer(302, "", "Location: http://127.0.0.1:9/")) as server:
        tried = _try(operation, server.url)
    is_read = operation == "read"
    assert _facts(tried.error) == (302, "malformed", is_read, not is_read)
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
        assert _try("start", server.url).error is None
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
        tried = _try(operation, server.url)
    assert _facts(tried.error) == (status, "SMS.7713", False, False)
    assert str(tried.error).endswith("The task is running (request req-7)")
    assert len(server.requests) == 1


def test_a_code_that_is_a_number_is_one() -> None:
    """Not all services have texts for codes; 0 is no error."""
    with serving(answer(200, '{"error_code": 7713}')) as server:
        assert _facts(_try("start", server.url).error) == (200, "7713", False, False)
    with serving(answer(200, '{"error_code": 0}')) as server:
        assert _try("start", server.url).error is None


@pytest.mark.parametrize("operation", ["read", "publish"])
def test_an_error_in_the_form_of_smn_is_told_in_place_of_what_is_missing(operation: str) -> None:
    """Its code says more than that the answer makes no sense."""
    body = '{"request_id": "r-1", "code": "SMN.0008", "message": "Invalid subject."}'
    with serving(answer(200, body)) as server:
        tried = _try(operation, server.url)
    assert _facts(tried.error) == (200, "SMN.0008", False, False)
    assert str(tried.error).endswith("Invalid subject (request r-1)")


def test_a_message_without_an_id_may_have_been_published() -> None:
    """A success without message_id is an unknown outcome."""
    with serving(answer(200, '{"request_id": "r-1"}')) as server:
        assert _facts(_try("publish", server.url).error) == (None, "malformed", False, True)


@pytest.mark.parametrize("operation", ["read", "start"])
@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_task_that_does_not_exist_is_gone(operation: str, status: int) -> None:
    """The code says so, whatever the status beside it."""
    body = '{"error_code": "SMS.7703", "error_msg": "The task does not exist."}'
    with serving(answer(status, body)) as server:
        assert isinstance(_try(operation, server.url).error, TaskGone)


def test_an_error_names_what_helps_support() -> None:
    """Operation, status, code, text and request id are in the error's text, and no more."""
    body = json.dumps({"error_code": "SMS.9004", "error_msg": "Denied\r\n" + "x" * 500})
    with serving(answer(403, body, "X-Request-Id: req-7")) as server:
        text = str(_try("start", server.url).error)
    assert text.startswith("start task a: SMS.9004, HTTP 403, Denied xxx")
    assert text.endswith("(request req-7)")
    assert "\n" not in text
    assert len(text) < 300


# Trying again


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


def test_pauses_double_and_are_drawn_at_random() -> None:
    """Full jitter: somewhere up to 2 s, then somewhere up to 4 s."""
    assert _try("read", closed_port()).pauses == (1.0, 2.0)


def test_the_service_may_name_the_pause() -> None:
    """Retry-After is obeyed by reads and writes."""
    with serving(answer(429, "", "Retry-After: 7")) as server:
        assert [_try(operation, server.url).pauses for operation in OPERATIONS] == 3 * [(7, 7)]


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
        error = _try("publish", server.url, rest=1.0).error
    assert error is not None
    assert error.retry_after == pause


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_is_tried_again_within_a_window_that_outlasts_the_run(operation: str) -> None:
    """It would be wasted; code and request id are kept, of a read too."""
    body = json.dumps({"error_code": "APIGW.0308", "error_msg": THROTTLED + "1 minute"})
    with serving(answer(429, body, "X-Request-Id: req-7")) as server:
        tried = _try(operation, server.url)
    assert _facts(tried.error) == (429, "APIGW.0308", True, False)
    assert str(tried.error).endswith("limit:20,time:1 minute (request req-7)")
    assert (len(server.requests), tried.pauses) == (1, ())


def test_a_busy_service_may_name_the_pause_of_a_read() -> None:
    """Retry-After is obeyed with a 503 as with a 429."""
    with serving(answer(503, "", "Retry-After: 7")) as server:
        assert _try("read", server.url).pauses == (7, 7)


@pytest.mark.parametrize(
    "text", ["soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "\N{SUPERSCRIPT TWO}"]
)
def test_a_pause_that_is_no_number_of_seconds_is_ours_to_choose(text: str) -> None:
    """An odd Retry-After costs nothing but itself."""
    with serving(answer(429, "", f"Retry-After: {text}").encode("latin-1")) as server:
        assert _try("publish", server.url).pauses == (1.0, 2.0)


@pytest.mark.parametrize("rest", [0.2, 0.9, 1.0])
def test_nothing_is_tried_again_beyond_the_deadline(rest: float) -> None:
    """A pause that would use up the time left is not begun."""
    with serving(answer(503, "")) as server:
        assert _try("read", server.url, rest=rest).pauses == ()
    assert len(server.requests) == 1


@pytest.mark.parametrize(("pause", "tries"), [("14", 3), ("15", 1)])
@pytest.mark.parametrize(("operation", "status"), [("read", 503), ("start", 429)])
def test_a_call_does_not_pause_for_more_than_half_of_the_time(
    operation: str, status: int, pause: str, tries: int
) -> None:
    """What a service asks for one task takes nothing from the others."""
    with serving(answer(status, "", f"Retry-After: {pause}")) as server:
        _try(operation, server.url, rest=30.0)
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
    _try(operation, "https://sms.invalid", rest=15.0)
    assert given == [seconds]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_that_no_time_is_left_for_is_not_made(operation: str) -> None:
    """It certainly had no effect, and is not tried again."""
    with serving(answer(200, "{}")) as server:
        tried = _try(operation, server.url, rest=0.0)
    assert _facts(tried.error) == (None, "no_time", False, False)
    assert server.requests == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_that_drips_is_given_up(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the whole never does: a call has an end all the same."""
    monkeypatch.setattr(sdk, "LONGEST_CALL", 0.15)
    with serving(answer(200, "{}"), drip=0.02) as server:
        tried = _try(operation, server.url)
    is_read = operation == "read"
    assert _facts(tried.error) == (None, "timeout", is_read, not is_read)
    assert len(server.requests) == (3 if is_read else 1)


# What a service says once, and what follows for all calls


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
    assert _facts(unsent.value) == (None, "too_many_calls", False, False)
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


@pytest.mark.usefixtures("netrc")
def test_netrc_never_replaces_the_signature() -> None:
    """An entry for the host in .netrc is not sent in place of the signature."""
    with serving(answer(200, "{}")) as server:
        _try("start", server.url)
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
    _try("read", closed_port())
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
    tried = _try(operation, "https://sms.invalid")
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
        error = _try(operation, server.url).error
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
        error = _try("read", server.url).error
    assert error is not None
    assert "clock" not in remedy(error, "a right", "SMS_ENDPOINT")


@pytest.mark.parametrize("headers", [(), ("Date: tomorrow",)], ids=["none", "no such date"])
def test_a_service_that_tells_no_time_says_nothing_of_clocks(headers: Tuple[str, ...]) -> None:
    """Keys are all that is left to blame."""
    with serving(answer(401, "{}", *headers)) as server:
        error = _try("read", server.url).error
    assert error is not None
    assert "clock" not in remedy(error, "a right", "SMS_ENDPOINT")
