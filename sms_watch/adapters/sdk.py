"""Calls through the official SDK: clients, one way to call, and every error translated.

What the SDK gives back is not used: its models lose facts (the text "false" becomes True, a
number that is none becomes an exception), so the answers are taken as they came, by the SDK's own
hook for them, where its part ends. Its errors come in a dozen shapes, some of which hold keys: what
leaves this module is a CloudError without a cause.
"""

from __future__ import annotations

import json
import logging
import random
import ssl
import threading
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Tuple, Type, Union
from urllib.parse import urlsplit

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import SdkException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.http.http_handler import HttpHandler
from urllib3.exceptions import (
    ConnectTimeoutError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from sms_watch import __version__
from sms_watch.errors import BROKEN, KEYS_REFUSED, NO_TIME, PROXY, REFUSED, THROTTLED, CloudError
from sms_watch.ports import Deadline
from sms_watch.settings import LOOPBACK, Credentials
from sms_watch.text import MAX_DETAIL, clean

TIMEOUT = (5, 15)  # seconds to connect, to wait for each piece of an answer
LONGEST_CALL = 20.0  # seconds for a call as a whole, however its pieces come
TRIES = 3
PAUSE, LONGEST_PAUSE = 1.0, 20.0  # seconds
PASSING = frozenset({500, 502, 503, 504})
REDIRECTING, FAILING = 300, 400
WORDS = {
    "unreachable": "could not be reached",
    PROXY: "could not be reached through the proxy that the environment names",
    "certificate": "has a certificate that is not trusted",
    "timeout": "did not answer in time",
    "no_answer": "broke off without an answer",
    "malformed": "gave an answer that makes no sense",
    NO_TIME: "was not called, for no time was left",
    KEYS_REFUSED: "was not called again, for it had refused the keys",
}
AWAY = "sends its callers elsewhere, and is not followed"  # by a redirect
UNSENT = frozenset({"unreachable", PROXY, "certificate", NO_TIME, KEYS_REFUSED})
UNANSWERED = frozenset({"timeout", "no_answer", "malformed"})


@dataclass(frozen=True)
class Answer:
    """An answer as it came: HTTP status, and the JSON of its body.

    A body that is no JSON is ``None``; an empty one is an empty object.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Connection:
    """A client of one service.

    ``new_builder`` is that of the service's client class. Raises ValueError without keys: the SDK
    would go and look for some elsewhere.
    """

    def __init__(
        self,
        new_builder: Callable[[], Any],
        endpoint: str,
        credentials: Credentials,
        project_id: Optional[str] = None,
        timeout: Any = TIMEOUT,
    ) -> None:
        if not (credentials.access_key and credentials.secret_key):
            raise ValueError("a client needs both keys")
        keys = BasicCredentials(credentials.access_key, credentials.secret_key, project_id)
        if credentials.security_token:
            keys = keys.with_security_token(credentials.security_token)
        self.host = urlsplit(endpoint).hostname or endpoint
        self.client = (
            new_builder()
            .with_http_config(HttpConfig(timeout=timeout, user_agent=f"sms_watch/{__version__}"))
            .with_credentials(keys)
            .with_endpoint(endpoint)
            .with_http_handler(HttpHandler().add_response_handler(_answered))
            .build()
        )
        self._http = self.client.get_http_client()
        # A netrc entry for the host would replace the signature by a password; requests looks for
        # one only when a session has no authentication of its own. The SDK offers no way to say
        # so, hence its private session.
        self._http._session.auth = keep_signature
        # Nor does its configuration take a host that is reached without a proxy.
        self._http._proxy = proxies_to(self.host)
        _silence(type(self.client).__name__)

    def call(self, send: Callable[[], Any]) -> Answer:
        """Send once, and give the answer that came; without one, raise what happened instead."""
        try:
            send()
        except _Answered as answered:
            return answered.answer
        raise TypeError("the SDK came back without an answer")

    def close(self) -> None:
        """Let go of sockets and threads."""
        self._http.close()
        self._http.executor.shutdown(wait=False)


class _Answered(Exception):  # noqa: N818 - not an error
    """Ends a call of the SDK once its answer is here.

    What would follow is not used, and a quarter of what a call costs: the body taken apart again,
    a model made of it, statuses of 400 and above turned into exceptions.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def _answered(response: requests.Response, **_: Any) -> None:
    raise _Answered(Answer(response.status_code, _json(response), response.headers))


def keep_signature(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authenticate by what is there already; that one is given keeps others away."""
    return request


def proxies_to(host: str) -> Dict[str, str]:
    """Return the choice of proxies for a host: those of the environment, none for loopback.

    What goes to this machine may go by ``http://``, so a proxy on another one could read it all.
    ``no_proxy`` stands for the variable of this name (requests, "Release History", 2.14.0).
    """
    return {"no_proxy": host} if LOOPBACK.fullmatch(host) else {}


def _silence(client: str) -> None:
    # Without a handler of their own, the SDK's loggers write errors to stderr.
    logger = logging.getLogger(f"HuaweiCloud-SDK-{client}")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _json(response: requests.Response) -> Any:
    try:
        return json.loads(response.content or b"{}")
    except (ValueError, RecursionError):
        return None


class KeyGuard:
    """Keeps keys that a service has refused from being tried again in the same run.

    Shared by the callers of one service. After more than five refusals in a row the keys are
    locked for five minutes (API Request Signing Guide, "Common Errors Related to IAM
    Authentication Information").
    """

    def __init__(self) -> None:
        self._refused = threading.Event()

    @property
    def refused(self) -> bool:
        """Whether a call was answered with HTTP 401."""
        return self._refused.is_set()

    def note(self, answer: Answer) -> None:
        """Take note of the answer to a call."""
        if answer.status == REFUSED:
            self._refused.set()


class Caller:
    """Calls a service within a run: again when that is harmless and sensible, within the time.

    Once a call was answered with HTTP 401, further calls with the same ``guard`` raise CloudError
    with the code ``keys_refused``, and nothing is sent. Without one, a caller guards itself.
    """

    def __init__(
        self,
        connection: Any,
        deadline: Deadline,
        sleep: Callable[[float], None],
        draw: Callable[[], float] = random.random,
        guard: Optional[KeyGuard] = None,
    ) -> None:
        self.connection = connection
        self._deadline = deadline
        self._sleep = sleep
        self._draw = draw
        self._guard = guard or KeyGuard()

    def read(self, operation: str, send: Callable[[], Any]) -> Answer:
        """Read: three tries at most. Raises CloudError."""
        return self._again(operation, send, write=False)

    def write(self, operation: str, send: Callable[[], Any]) -> Answer:
        """Write: once, and again only what certainly was not taken. Raises CloudError."""
        return self._again(operation, send, write=True)

    def _again(self, operation: str, send: Callable[[], Any], write: bool) -> Answer:
        tried = 1
        while True:
            answer = self._once(operation, send, write)
            if isinstance(answer, Answer):
                return answer
            pause = self._pause(tried, answer)
            if not answer.retryable or tried == TRIES or pause >= self._deadline.left():
                raise answer
            self._sleep(pause)
            tried += 1

    def _pause(self, tried: int, error: CloudError) -> float:
        """Give the seconds to wait: at random up to a doubling bound, or as the service says."""
        return error.retry_after or self._draw() * min(PAUSE * 2**tried, LONGEST_PAUSE)

    def _once(
        self, operation: str, send: Callable[[], Any], write: bool
    ) -> Union[Answer, CloudError]:
        if self._guard.refused:
            return self._fault(operation, KEYS_REFUSED, write)
        seconds = min(LONGEST_CALL, self._deadline.left())
        if seconds <= 0:
            return self._fault(operation, NO_TIME, write)
        try:
            answer = _within(seconds, lambda: self.connection.call(send))
        except Exception as error:  # whatever the SDK lets through ends here
            return self._fault(operation, _word(error), write)
        self._guard.note(answer)
        if answer.status >= FAILING:
            return _refusal(operation, answer, write)
        if answer.status >= REDIRECTING:
            return self.malformed(operation, write, answer.status)
        return answer

    def malformed(
        self, operation: str, write: bool = False, status: Optional[int] = None
    ) -> CloudError:
        """Give the error for an answer without the fields that it should have.

        It has a ``status`` of its own when it is a redirect.
        """
        return self._fault(operation, "malformed", write, status)

    def _fault(
        self, operation: str, word: str, write: bool, status: Optional[int] = None
    ) -> CloudError:
        if word == "throttled":
            return CloudError(operation, status=THROTTLED, retryable=True)
        return CloudError(
            operation,
            f"{self.connection.host} {AWAY if status else WORDS.get(word, 'could not be called')}",
            status=status,
            code=word,
            retryable=word in ("unreachable", PROXY) or (word in UNANSWERED and not write),
            outcome_unknown=write and word not in UNSENT,
        )


def _within(seconds: float, call: Callable[[], Answer]) -> Answer:
    """Wait for a call, but no longer than ``seconds``. Raises TimeoutError, and what it raises.

    A timeout of a socket is for each piece of an answer: a service that sends a byte now and then
    would hold a run until it is killed. A call that is given up ends in a thread of its own, and
    nobody hears of it.
    """
    ended: SimpleQueue[Union[Answer, BaseException]] = SimpleQueue()

    def work() -> None:
        try:
            ended.put(call())
        except BaseException as error:
            ended.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        end = ended.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(end, BaseException):
        raise end
    return end


def _word(error: Exception) -> str:
    """Say in one word what happened; the SDK's own words hide the cause, and may hold keys."""
    if getattr(error, "status_code", None) == THROTTLED:
        return "throttled"
    causes = list(_causes(error))
    for word, kinds in SIGNS:
        if any(isinstance(cause, kinds) for cause in causes):
            return word
    return type(error).__name__


def _causes(error: Any) -> Iterator[Exception]:
    """Walk through an exception and all that it stands for, wherever the libraries put it."""
    waiting, seen = [error], set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, Exception) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None)]
            waiting += each.args


# A proxy that is away, or refuses the tunnel; one that is no proxy for HTTP, such as SOCKS.
PROXIED = (ProxyError, requests.exceptions.InvalidProxyURL, requests.exceptions.InvalidSchema)
UNCONNECTED = (
    NewConnectionError,
    ConnectTimeoutError,
    requests.ConnectTimeout,
    requests.exceptions.InvalidURL,
)
# In this order: the first sign that is found anywhere among the causes counts.
SIGNS: Tuple[Tuple[str, Tuple[Type[Exception], ...]], ...] = (
    (PROXY, PROXIED),
    ("unreachable", UNCONNECTED),
    # Any other fault of TLS can come after the request was sent.
    ("certificate", (ssl.SSLCertVerificationError,)),
    ("timeout", (ReadTimeoutError, requests.ReadTimeout, TimeoutError)),
    ("no_answer", (requests.RequestException, SdkException, OSError)),
)


def _refusal(operation: str, answer: Answer, write: bool) -> CloudError:
    code, message, request_id = _said(answer.body)
    throttled = answer.status == THROTTLED
    retryable = throttled or (not write and answer.status in PASSING)
    return CloudError(
        operation,
        clean(message, MAX_DETAIL),
        status=answer.status,
        code=clean(code),
        request_id=clean(answer.headers.get("X-Request-Id") or request_id),
        retryable=retryable,
        outcome_unknown=write and answer.status >= BROKEN,
        retry_after=_seconds(answer.headers.get("Retry-After", "")) if retryable else 0,
    )


def _said(body: Any) -> Tuple[str, str, str]:
    """Give code, message and request id of an error body; nothing else of it is of use."""
    fields = body if isinstance(body, dict) else {}
    texts: Dict[str, str] = {name: item for name, item in fields.items() if isinstance(item, str)}
    return (
        texts.get("error_code") or texts.get("code") or "",
        texts.get("error_msg") or texts.get("message") or "",
        texts.get("request_id") or "",
    )


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0
