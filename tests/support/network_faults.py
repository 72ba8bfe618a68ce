"""Troubles on the wire: what befalls one call of a run, on real sockets and the real libraries.

Every request of the SDK and of the journal leaves through ``HTTPAdapter.send``. There a trouble
may send it elsewhere, shorten its patience, let the simulated cloud spoil its answer, or let the
process die before or after it.
"""

from __future__ import annotations

import functools
import json
import ssl
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

import pytest
import requests
import trustme
from requests.adapters import HTTPAdapter
from werkzeug.serving import make_server

from simulated_cloud.faults import Fault
from tests.support.clouds import Night
from tests.support.loopback import closed_port, crowded_port

QUICK = (0.1, 0.1)  # seconds to connect, to wait
PATIENCE = 0.5  # seconds for a call whose answer drips
SKEW = timedelta(minutes=16)
HTML = "<html>Bad Gateway</html>"
ECHO = "all keys of the run"  # stands for them
XML = f"<Error><Code>AccessDenied</Code><Message>no {ECHO}</Message></Error>"
TAKEN = "<Error><Code>PositionNotEqualToLength</Code></Error>"
WINDOW = (
    '{"error_code": "APIGW.0308", "error_msg": "The throttling threshold has been reached: policy'
    ' ip over ratelimit,limit:20,time:1 minute"}'
)
OLD_TASK = '{"id": "a", "name": "web-01", "state": "RUNNING"}'


# What an answer of OBS is known by.
KEPT = ("x-obs-request-id", "x-obs-next-append-position", "ETag")
Leave = Callable[..., requests.Response]


class Died(BaseException):
    """The process is gone."""


class Places(NamedTuple):
    """Where a request can go astray: addresses, and the file of an authority's certificate."""

    crowd: str
    imposter: str
    authority: str


@dataclass
class Call:
    """One request on its way: what it asks for, and how it can be sent."""

    night: Night
    operation: str
    request: requests.PreparedRequest
    options: Dict[str, Any]
    leave: Leave
    places: Places
    earlier: Optional[Fault]

    def go(self, **options: Any) -> requests.Response:
        """Send it as it is, with other options."""
        return self.leave(self.request, **{**self.options, **options})

    def go_to(self, address: str, **options: Any) -> requests.Response:
        """Send it to another address."""
        self.request = self.request.copy()
        self.request.url = address + urlsplit(str(self.request.url)).path
        return self.go(**options)

    def go_spoilt(self, fault: Fault, **options: Any) -> requests.Response:
        """Let the cloud spoil its answer, and send the keys back with it."""
        body = fault.body.replace(ECHO, " ".join(self.night.keys))
        self.night.faults.add(self.operation, replace(fault, body=body))
        return self.go(**options)

    def go_late(self) -> requests.Response:
        """Let the cloud's clock be ahead of that of the caller."""
        self.night.server.cloud.skew = SKEW
        try:
            return self.go()
        finally:
            self.night.server.cloud.skew = timedelta(0)

    def go_early(self) -> requests.Response:
        """Let another run append first."""
        if self.operation != "append_object":
            return self.go_spoilt(Fault(409, TAKEN))
        self.night.append_as_another()
        return self.go()

    def as_before(self) -> requests.Response:
        """Return the answer that the same question had before, or a task's."""
        return self.go_spoilt(self.earlier or Fault(200, OLD_TASK))

    def die(self) -> requests.Response:
        """Die before it is sent."""
        raise Died

    def go_and_die(self) -> requests.Response:
        """Die once it had its effect."""
        self.go()
        raise Died


Trouble = Callable[[Call], requests.Response]


def _both(name: str, fault: Fault, **options: Any) -> Dict[str, Trouble]:
    """Spoil the answer of a call that had no effect, and of one that had."""
    return {
        f"{name} before": lambda call: call.go_spoilt(fault, **options),
        f"{name} after": lambda call: call.go_spoilt(replace(fault, before=False), **options),
    }


def _refusal(code: str) -> str:
    return json.dumps({"error_code": code, "error_msg": f"no {ECHO}"})


def _task(task_id: str, state: str) -> str:
    return json.dumps({"id": task_id, "name": f"web-01 {ECHO}", "state": state})


def _spoilt(name: str, *fault: Any, **more: Any) -> Dict[str, Trouble]:
    return {name: lambda call: call.go_spoilt(Fault(*fault, **more))}


TROUBLES: Dict[str, Trouble] = {
    "name not found": lambda call: call.go_to("http://sms.invalid"),
    "refused": lambda call: call.go_to(closed_port()),
    "certificate of nobody": lambda call: call.go_to(call.places.imposter, verify=True),
    "certificate of another": lambda call: call.go_to(
        call.places.imposter, verify=call.places.authority
    ),
    "connect timeout": lambda call: call.go_to(call.places.crowd, timeout=QUICK),
    **_both("read timeout", Fault(delay=0.3), timeout=QUICK),
    **_both("reset", Fault(drop=True)),
    **_both("cut body", Fault(200, '{"id": "a", "sta', cut=True)),
    **_both("drip", Fault(200, HTML, drip=0.05)),
    **_spoilt("301", 301, headers={"Location": "http://127.0.0.1:9/"}),
    **_spoilt("302", 302, headers={"Location": "http://127.0.0.1:9/"}),
    **_spoilt("400", 400, _refusal("SMS.1001")),
    **_spoilt("401", 401, _refusal("APIGW.0301")),
    **_spoilt("403", 403, XML),
    **_spoilt("404", 404, HTML),
    **_spoilt("404 JSON", 404, _refusal("APIGW.0101")),
    "409 lost": lambda call: call.go_early(),
    "409 won": lambda call: call.go_spoilt(Fault(409, TAKEN, before=False)),
    **_spoilt("429", 429),
    **_spoilt("429 with Retry-After", 429, headers={"Retry-After": "1"}),
    **_spoilt("429 with a long Retry-After", 429, headers={"Retry-After": "3600"}),
    **_spoilt("429 with a window", 429, WINDOW),
    **_both("500", Fault(500)),
    **_both("503", Fault(503, HTML)),
    **_both("HTML with 200", Fault(200, HTML)),
    **_both("cut JSON", Fault(200, '{"id": "a", "state": ')),
    **_spoilt("an error with 200", 200, _refusal("SMS.1001")),
    **_spoilt("a list", 200, "[]"),
    **_spoilt("an empty object", 200, "{}"),
    **_spoilt("unknown state", 200, _task("a", "INVENTED")),
    **_spoilt("another task", 200, _task("b", "RUNNING")),
    "stale": lambda call: call.as_before(),
    "killed before": lambda call: call.die(),
    "killed after": lambda call: call.go_and_die(),
    "clock 16 minutes off": lambda call: call.go_late(),
}

# A call that is given up only after three tries has to be struck three times.
TRIES = 3
READS = ("show_task", "list_tasks", "list_servers", "get_object")
RESENT = ("name not found", "refused", "connect timeout", "429", "429 with Retry-After")
# And of these one is enough: nothing is tried again in that run.
GIVEN_UP = ("429 with a long Retry-After", "429 with a window", "an error with 200")
ONCE = ("killed before", "killed after", "409 lost", "409 won", *GIVEN_UP)


class Wire:
    """What leaves a night's function: counts the requests, and lets troubles befall some."""

    def __init__(self, night: Night, places: Places) -> None:
        self._night, self._places = night, places
        self._seen: Dict[str, int] = {}
        self._strikes: Dict[Tuple[str, int], str] = {}
        self._answers: Dict[str, Fault] = {}

    def strike(self, operation: str, skip: int, trouble: str) -> None:
        """Let a trouble befall the call of an operation after ``skip`` others from now on."""
        is_read = operation in READS
        again = trouble in RESENT or (is_read and trouble not in ONCE)
        first = self._seen.get(operation, 0) + skip
        for number in range(first, first + (TRIES if again else 1)):
            self._strikes[operation, number] = trouble

    @property
    def pending(self) -> int:
        """How many strikes no request has met."""
        return len(self._strikes)

    def send(self, leave: Leave, request: requests.PreparedRequest, options: Any) -> Any:
        """Send a request on its way, through its trouble if it has one."""
        operation, url = _operation(request), str(request.url)
        number = self._seen.get(operation, 0)
        self._seen[operation] = number + 1
        trouble = self._strikes.pop((operation, number), None)
        if trouble is not None:
            earlier = self._answers.get(url)
            call = Call(self._night, operation, request, options, leave, self._places, earlier)
            return TROUBLES[trouble](call)
        answer = leave(request, **options)
        if request.method == "GET" and answer.ok:
            kept = {name: answer.headers[name] for name in KEPT if name in answer.headers}
            self._answers[url] = Fault(200, answer.text, kept)
        return answer


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Return places where requests go astray: a crowd, and a server with another's name."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    with ExitStack() as stack:
        crowd = stack.enter_context(crowded_port())
        imposter = stack.enter_context(_imposter(context))
        yield Places(crowd, imposter, str(path))


@contextmanager
def _imposter(context: ssl.SSLContext) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, _never, threaded=True, ssl_context=context)
    server.log = lambda *_: None  # type: ignore[method-assign] # handshakes are meant to fail
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _never(environ: Any, start_response: Any) -> Any:
    raise AssertionError("a request reached a server with the wrong certificate")


@pytest.fixture
def wire(night: Night, places: Places, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Return the wire of a night."""
    made, leave = Wire(night, places), HTTPAdapter.send

    def send(adapter: HTTPAdapter, request: Any, *_: Any, **options: Any) -> Any:
        return made.send(functools.partial(leave, adapter), request, options)

    monkeypatch.setattr(HTTPAdapter, "send", send)
    return made


def _operation(request: requests.PreparedRequest) -> str:
    """Name what a request asks for, as the simulated cloud does."""
    path = urlsplit(str(request.url)).path
    if path.endswith(("/v3/tasks", "/v3/sources")):
        return "list_tasks" if path.endswith("tasks") else "list_servers"
    if "/v3/tasks/" in path:
        return "start_task" if request.method == "POST" else "show_task"
    if path.endswith("/publish"):
        return "publish"
    return {"GET": "get_object", "POST": "append_object"}.get(str(request.method), "create_bucket")
