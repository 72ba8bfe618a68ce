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
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Callable, Iterator, Optional, Tuple, Type, Union
from urllib.parse import urlsplit

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import SdkException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.http.http_handler import HttpHandler
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from sms_watch import __version__
from sms_watch.adapters.answers import Answer, refusal
from sms_watch.adapters.calls import POOLS, GivenUp, within
from sms_watch.adapters.roots import authorities
from sms_watch.errors import KEYS_REFUSED, NO_TIME, PROXY, TOO_MANY_CALLS, CloudError
from sms_watch.ports import Deadline
from sms_watch.settings.readers import LOOPBACK
from sms_watch.settings.values import Credentials

TIMEOUT = (5, 15)  # seconds to connect, to wait for each piece of an answer
LONGEST_CALL = 20.0  # seconds for a call as a whole, however its pieces come
# The part of the time left that a read may use with all its tries, and a write with its pauses.
SHARE = 0.5
TRIES = 3
PAUSE, LONGEST_PAUSE = 1.0, 20.0  # seconds
REDIRECTING = 300
HARMLESS = frozenset({"GET", "HEAD"})  # methods that change nothing
WORDS = {
    "unreachable": "could not be reached",
    PROXY: "could not be reached through the proxy named in the environment",
    "certificate": "has a certificate that is not trusted",
    "timeout": "did not respond in time",
    "no_answer": "closed the connection without an answer",
    "malformed": "gave an invalid answer",
    NO_TIME: "was not called because no time was left",
    KEYS_REFUSED: "was not called again because it had refused the keys",
    TOO_MANY_CALLS: "was not called again in this run because it had answered",
}
AWAY = "redirects its callers elsewhere, which is not followed"  # by a redirect
UNSENT = frozenset({"unreachable", PROXY, "certificate", NO_TIME, KEYS_REFUSED})
UNANSWERED = frozenset({"timeout", "no_answer", "malformed"})


class Transport(HTTPAdapter):
    """Sends every request once, and never writes over a connection of an earlier run.

    Until the next run a service, or something on the way, closes a connection that is idle, and a
    container that was frozen need not have heard of it. A read that meets such a connection fails
    and is tried again; of a write nobody could say whether it was taken. So before the first write
    of a run all that earlier ones have left open is let go. Within a run urllib3 sees before each
    request whether its connection was closed, but for the instant in which both meet: then the
    outcome of a write is unknown, and it is not repeated (RFC 9110, section 9.2.2).

    By sending once it also brings a 429 back whole: the SDK's own adapter would try a read again,
    and raise an exception without the answer. Its connections send nothing for a call that was
    given up.

    What goes to loopback, which may be by ``http://``, goes through no proxy: that may be another
    machine, and could read it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._left_open = False

    def begin_run(self) -> None:
        """Take what is open for left by an earlier run."""
        self._left_open = True

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make what keeps the connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Return what keeps the connections by way of a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        """Send a request, a write over a connection of this run."""
        if self._left_open and request.method not in HARMLESS:
            self._left_open = False
            self.close()
        if LOOPBACK.fullmatch(urlsplit(request.url or "").hostname or ""):
            options["proxies"] = {}
        return super().send(request, *args, **options)


def _http_config(timeout: Any) -> HttpConfig:
    name = f"sms_watch/{__version__}"
    return HttpConfig(timeout=timeout, user_agent=name, ssl_ca_cert=authorities())


def transport_of(session: requests.Session) -> Transport:
    """Let a session send by a transport of its own; return that."""
    transport = Transport()
    for scheme in ("https://", "http://"):
        session.mount(scheme, transport)
    # A netrc entry for the host would replace the signature by a password; requests looks for one
    # only when a session has no authentication of its own.
    session.auth = keep_signature
    return transport


class Connection:
    """A client of one service.

    ``new_builder`` is that of the service's client class. Raise ValueError without keys: the SDK
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
            .with_http_config(_http_config(timeout))
            .with_credentials(keys)
            .with_endpoint(endpoint)
            .with_http_handler(HttpHandler().add_response_handler(_answered))
            .build()
        )
        self._http = self.client.get_http_client()
        # The SDK offers no way to choose how its requests are sent, hence its private session.
        self._transport = transport_of(self._http._session)
        _silence(type(self.client).__name__)

    def call(self, send: Callable[[], Any]) -> Answer:
        """Send once, and return the answer; raise what happened instead if none came."""
        try:
            send()
        except _Answered as answered:
            return answered.answer
        raise TypeError("the SDK came back without an answer")

    def begin_run(self) -> None:
        """Keep the sockets of earlier runs for reading alone."""
        self._transport.begin_run()

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
    raise _Answered(Answer.of(response, _json(response)))


def keep_signature(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authenticate by what is there already; that one is given keeps others away."""
    return request


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


@dataclass
class Guard:
    """What a service has said that keeps further calls from it in the same run.

    Shared by the callers of one service, and set by whichever hears of it. ``refused``: a call was
    answered with HTTP 401; after more than five in a row the keys are locked for five minutes (API
    Request Signing Guide, "Common Errors Related to IAM Authentication Information").
    ``throttled``: the code with which reads were throttled for longer than the run lasts, empty
    if they were not.
    """

    refused: bool = False
    throttled: str = ""


class Caller:
    """Calls a service within a run: again when that is harmless and sensible, within the time.

    A call leaves half of the time to others: a read with all its tries, a write, whose last try may
    take what there is, with its pauses.

    Once a call was answered with HTTP 401, further calls with the same ``guard`` raise CloudError
    with the code ``keys_refused``, and nothing is sent. Once a read was throttled for longer than
    the time lasts, further reads raise one with the code ``too_many_calls``; a write is sent all
    the same, for it may have a limit of its own. So may what is ``optional``: a throttling of that
    keeps no other read back. Without a guard, a caller guards itself.
    """

    def __init__(
        self,
        connection: Any,
        deadline: Deadline,
        sleep: Callable[[float], None],
        draw: Callable[[], float] = random.random,
        guard: Optional[Guard] = None,
        optional: bool = False,
    ) -> None:
        self.connection = connection
        self._deadline = deadline
        self._sleep = sleep
        self._draw = draw
        self._guard = guard or Guard()
        self._optional = optional

    def read(self, operation: str, send: Callable[[], Any]) -> Answer:
        """Read: three tries at most. Raise CloudError if it fails."""
        try:
            return self._again(operation, send, write=False)
        except CloudError as error:
            outlasts = error.retry_after >= self._deadline.left()
            if error.status == HTTPStatus.TOO_MANY_REQUESTS and outlasts and not self._optional:
                self._guard.throttled = error.code or f"HTTP {HTTPStatus.TOO_MANY_REQUESTS}"
            raise

    def write(self, operation: str, send: Callable[[], Any]) -> Answer:
        """Write: once, unless it was certainly not taken. Raise CloudError if it fails."""
        return self._again(operation, send, write=True)

    def _again(self, operation: str, send: Callable[[], Any], write: bool) -> Answer:
        others = (1 - SHARE) * self._deadline.left()  # the time that they are left
        tried = 1
        while True:
            answer = self._once(operation, send, write, 0.0 if write else others)
            if isinstance(answer, Answer):
                return answer
            pause = self._pause(tried, answer)
            is_last = tried == TRIES or pause >= self._deadline.left() - others
            if is_last or not answer.retryable:
                raise answer
            self._sleep(pause)
            tried += 1

    def _pause(self, tried: int, error: CloudError) -> float:
        """Return the seconds to wait: at random up to a doubling bound, or as the service says."""
        return error.retry_after or self._draw() * min(PAUSE * 2**tried, LONGEST_PAUSE)

    def _once(
        self, operation: str, send: Callable[[], Any], write: bool, others: float
    ) -> Union[Answer, CloudError]:
        if self._guard.refused:
            return self._fault(operation, KEYS_REFUSED, write)
        if self._guard.throttled and not write:
            return self._fault(operation, TOO_MANY_CALLS, write)
        seconds = min(LONGEST_CALL, self._deadline.left() - others)
        if seconds <= 0:
            return self._fault(operation, NO_TIME, write)
        try:
            answer: Answer = within(seconds, lambda: self.connection.call(send))
        except Exception as error:  # whatever the SDK lets through ends here
            return self._fault(operation, _word(error), write)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._guard.refused = True
        if answer.status >= HTTPStatus.BAD_REQUEST or answer.has_error:
            return refusal(operation, answer, write)
        if answer.status >= REDIRECTING:
            return self._fault(operation, "malformed", write, answer.status)
        return answer

    def malformed(
        self, operation: str, write: bool = False, answer: Optional[Answer] = None
    ) -> CloudError:
        """Return the error for a success without the fields that it should have.

        It is the one that the answer tells of, if it does.
        """
        if answer is not None and answer.said.code:
            return refusal(operation, answer, write)
        return self._fault(operation, "malformed", write)

    def _fault(
        self, operation: str, word: str, write: bool, status: Optional[int] = None
    ) -> CloudError:
        """Return the error for what happened on the way; with a status it is a redirect."""
        what = AWAY if status else WORDS.get(word, "could not be called")
        throttled = f" {self._guard.throttled}" if word == TOO_MANY_CALLS else ""
        return CloudError(
            operation,
            f"{self.connection.host} {what}{throttled}",
            status=status,
            code=word,
            retryable=word in ("unreachable", PROXY) or (word in UNANSWERED and not write),
            outcome_unknown=write and word not in UNSENT,
        )


def _word(error: Exception) -> str:
    """Return one word for what happened; the SDK's own hide the cause, and may hold keys."""
    causes = list(_causes(error))
    for word, kinds in SIGNS:
        if any(isinstance(cause, kinds) for cause in causes):
            return word
    return type(error).__name__


def _causes(error: Any) -> Iterator[Exception]:
    """Yield an exception and all that it stands for, wherever the libraries put it."""
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
    GivenUp,
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
