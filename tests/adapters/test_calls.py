"""Calls that are given up: nothing is sent for them later, no thread and no socket is left."""

from __future__ import annotations

import contextlib
import gc
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
import trustme

from simulated_cloud.clock import VirtualClock
from sms_watch.adapters import sdk
from sms_watch.clock import RunClock
from sms_watch.context import settings_of
from sms_watch.errors import CloudError, JournalError
from sms_watch.model.notice import Message
from sms_watch.timetable import Timetable
from sms_watch.wiring import Clients, Wiring
from tests.support.builders import NOW
from tests.support.clouds import KEY, TOPIC
from tests.support.loopback import SILENT, Server, answer, serving

MESSAGE = Message("subject", "default", "email", "short", "{}", ("1",))
OPERATIONS = ("read", "start", "publish", "append")
RUNS = 20
PATIENCE = 0.1  # seconds for a call
DRIP = 0.02  # seconds between two bytes
LONGEST_END = 5.0  # seconds until a thread that has nothing to wait for has ended


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give calls up soon, and make each of them once."""
    monkeypatch.setattr(sdk, "LONGEST_CALL", PATIENCE)
    monkeypatch.setattr(sdk, "TRIES", 1)


@pytest.fixture
def clients() -> Iterator[Clients]:
    """Yield the connections of a container."""
    made = Clients()
    yield made
    made.forget()


def _run(url: str, clients: Clients) -> Wiring:
    """Begin a run in that container."""
    texts = {
        "SMS_TASK_IDS": "a",
        "SMN_TOPIC_URN": TOPIC,
        "HUAWEICLOUD_SDK_AK": KEY.access,
        "HUAWEICLOUD_SDK_SK": KEY.secret,
        **dict.fromkeys(("SMS_ENDPOINT", "SMN_ENDPOINT", "OBS_ENDPOINT"), url),
    }
    clock = VirtualClock(NOW)
    time = RunClock(clock, NOW, clock.monotonic())
    return Wiring(settings_of(texts), time, Timetable(50), clients, lambda warning: None)


def _call(operation: str, wiring: Wiring) -> None:
    calls: Dict[str, Callable[[], object]] = {
        "read": lambda: wiring.sms().read_task("a"),
        "start": lambda: wiring.sms().start_task("a"),
        "publish": lambda: wiring.publisher().publish(MESSAGE),
        "append": lambda: wiring.store().append("journal.jsonl", 0, b"line\n"),
    }
    calls[operation]()


def _under_way() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "call"]


def _await_their_ends() -> None:
    for thread in _under_way():
        thread.join(LONGEST_END)
    assert not _under_way()


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let no name be found before the event that is yielded."""
    found, look_up = threading.Event(), socket.getaddrinfo

    def slowly(*args: Any, **options: Any) -> Any:
        found.wait()
        return look_up(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    yield found
    found.set()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_was_given_up_before_it_was_sent_is_never_sent(
    operation: str, clients: Clients, slow_names: threading.Event
) -> None:
    """A name that is found at last is too late: meanwhile a person may have paused the task."""
    with serving(answer(200, "{}")) as server:
        with contextlib.suppress(CloudError, JournalError):
            _call(operation, _run(server.url.replace("127.0.0.1", "localhost"), clients))
        assert _under_way()
        slow_names.set()
        _await_their_ends()
    assert not any(server.requests)


@pytest.mark.parametrize("operation", ["start", "publish"])
@pytest.mark.usefixtures("slow_names")
def test_what_was_not_sent_is_known_to_have_had_no_effect(operation: str, clients: Clients) -> None:
    """No attempt is spent on it, and no message is feared to be told twice."""
    with serving(answer(200, "{}")) as server, pytest.raises(CloudError) as unsent:
        _call(operation, _run(server.url.replace("127.0.0.1", "localhost"), clients))
    assert (unsent.value.code, unsent.value.outcome_unknown) == ("unreachable", False)


def _open_to(server: Server) -> int:
    """Count the sockets of this process that are open, but for those of a server."""
    own = {id(each) for each in server.sockets}
    found = (each for each in gc.get_objects() if isinstance(each, socket.socket))
    return sum(each.fileno() >= 0 and id(each) not in own for each in found)


def _settled(server: Server, before: int) -> bool:
    """Wait until all that was given up has ended; return whether no socket is left of it."""
    end = time.monotonic() + LONGEST_END
    while time.monotonic() < end and (_under_way() or _open_to(server) > before):
        time.sleep(0.01)
    return not _under_way() and _open_to(server) <= before


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return what a server on loopback proves itself with, to whoever asks in this test."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    return context


@pytest.mark.slow
@pytest.mark.parametrize(
    ("secure", "drip"),
    [(True, DRIP), (False, DRIP), (False, 0.0)],
    ids=["TLS that drips", "drips", "silent"],
)
def test_a_warm_container_keeps_nothing_of_calls_that_were_given_up(
    secure: bool, drip: float, clients: Clients, tls: ssl.SSLContext
) -> None:
    """After many runs there are as many threads and sockets as before them."""
    behaviour = answer(200, "x" * 10_000) if drip else SILENT
    with serving(behaviour, drip, tls if secure else None) as server:
        before = _open_to(server)
        for number in range(RUNS):
            with pytest.raises((CloudError, JournalError)):
                _call(OPERATIONS[number % len(OPERATIONS)], _run(server.url, clients))
        assert _settled(server, before)
        assert len(server.requests) >= RUNS
