"""Connections that are kept over runs, on servers that close them meanwhile or just then."""

from __future__ import annotations

from typing import Callable, Dict, Iterator

import pytest

from simulated_cloud.clock import VirtualClock
from sms_watch.clock import RunClock
from sms_watch.context import settings_of
from sms_watch.errors import CloudError
from sms_watch.model.notice import Message
from sms_watch.timetable import Timetable
from sms_watch.wiring import Clients, Wiring
from tests.support.builders import NOW
from tests.support.clouds import KEY, TOPIC
from tests.support.loopback import Keeper, answer, keeping

MESSAGE = Message("subject", "default", "email", "short", "{}", ("1",))
TASK = '{"id": "a", "name": "web-01", "state": "RUNNING", "message_id": "m-1"}'
# What every service takes for a success.
TAKEN = answer(200, TASK, "x-obs-request-id: r-1", "x-obs-next-append-position: 5")
WRITES = ("start", "publish", "append")


@pytest.fixture
def clients() -> Iterator[Clients]:
    """Yield the connections of a container."""
    made = Clients()
    yield made
    made.forget()


def _run(server: Keeper, clients: Clients) -> Wiring:
    """Begin a run in that container."""
    texts = {
        "SMS_TASK_IDS": "a",
        "SMN_TOPIC_URN": TOPIC,
        "HUAWEICLOUD_SDK_AK": KEY.access,
        "HUAWEICLOUD_SDK_SK": KEY.secret,
        "SMS_ENDPOINT": server.url,
        "SMN_ENDPOINT": server.url,
        "OBS_ENDPOINT": server.url,
    }
    clock = VirtualClock(NOW)
    time = RunClock(clock, NOW, clock.monotonic())
    return Wiring(settings_of(texts), time, Timetable(50), clients, lambda warning: None)


def _write(operation: str, wiring: Wiring) -> None:
    writes: Dict[str, Callable[[], object]] = {
        "start": lambda: wiring.sms().start_task("a"),
        "publish": lambda: wiring.publisher().publish(MESSAGE),
        "append": lambda: wiring.store().append("journal.jsonl", 0, b"line\n"),
    }
    writes[operation]()


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("early", [True, False], ids=["closed before", "closed on arrival"])
def test_a_write_of_the_next_run_goes_out_once(
    clients: Clients, operation: str, early: bool
) -> None:
    """It goes over a connection of its own run, whatever became of the old one."""
    with keeping(TAKEN, early=early) as server:
        _write(operation, _run(server, clients))
        _write(operation, _run(server, clients))
        clients.forget()
    assert len(server.requests) == 2
    assert server.connections == 2


def test_a_read_of_the_next_run_is_tried_again(clients: Clients) -> None:
    """It may use what is left open, for it can be repeated."""
    with keeping(TAKEN) as server:
        for _ in range(2):
            assert _run(server, clients).sms().read_task("a").name == "web-01"
        clients.forget()
    assert len(server.requests) == 3


def test_a_read_keeps_its_connection_over_runs(clients: Clients) -> None:
    """Where the service leaves it open, a warm container spares a handshake."""
    with keeping(TAKEN, serves=9) as server:
        for _ in range(3):
            _run(server, clients).sms().read_task("a")
        clients.forget()
    assert server.connections == 1


def test_a_write_shares_the_connection_of_its_run(clients: Clients) -> None:
    """What was read or written a moment ago is no reason for a handshake."""
    with keeping(TAKEN, serves=9) as server:
        sms = _run(server, clients).sms()
        sms.read_task("a")
        sms.start_task("a")
        sms.start_task("a")
        clients.forget()
    assert server.connections == 1


def test_a_connection_that_was_closed_within_a_run_is_noticed(clients: Clients) -> None:
    """What was closed before a write is not used for it."""
    with keeping(TAKEN, early=True) as server:
        sms = _run(server, clients).sms()
        sms.start_task("a")
        server.await_ends()
        sms.start_task("a")
        clients.forget()
    assert len(server.requests) == 2


def test_a_write_that_meets_the_closing_is_not_repeated(clients: Clients) -> None:
    """Nobody can say whether it was taken: it is sent once, and its outcome is unknown."""
    with keeping(TAKEN) as server:
        sms = _run(server, clients).sms()
        sms.start_task("a")
        with pytest.raises(CloudError) as lost:
            sms.start_task("a")
        clients.forget()
    assert (lost.value.code, lost.value.outcome_unknown) == ("no_answer", True)
    assert len(server.requests) == 2
