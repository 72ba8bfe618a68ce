"""The simulated cloud: its signatures, its bodies, its faults, and the truth behind them."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

import pytest
import requests
from builders import DISK_FULL, NOW
from clouds import KEY, TEMPORARY, TOPIC, Night, a_night
from fakes import FakeDeadline
from huaweicloudsdksms.v3 import ShowTaskResponse, SmsClient
from loopback import answer, serving

from local.clock import VirtualClock
from local.cloud.faults import Fault, Faults
from local.cloud.shapes import PROJECT, task_body
from local.cloud.signing import Key, SignedRequest, problem
from local.cloud.world import Refused, SimTask, World
from sms_watch.adapters import smn
from sms_watch.adapters.sdk import Caller
from sms_watch.adapters.task_json import read
from sms_watch.errors import CloudError
from sms_watch.model.notice import Message
from sms_watch.model.task import TaskState
from sms_watch.settings import Credentials

HOUR = timedelta(hours=1)


def a_world(*tasks: SimTask) -> World:
    """Give a world at the beginning of its time."""
    world = World(VirtualClock(NOW))
    for task in tasks or (SimTask("a", "web-01"),):
        world.add(task)
    return world


def _pass(world: World, **span: float) -> None:
    clock = world.clock
    assert isinstance(clock, VirtualClock)
    clock.set(clock.now() + timedelta(**span))
    world.settle()


# Time


def test_a_clock_does_not_go_back() -> None:
    """Time is aware, and moves on only."""
    clock = VirtualClock(NOW)
    clock.sleep(90)
    assert (clock.now(), clock.monotonic()) == (NOW + timedelta(seconds=90), 90)
    with pytest.raises(ValueError, match="does not go back"):
        clock.set(NOW)
    with pytest.raises(ValueError, match="without a time zone"):
        VirtualClock(datetime(2026, 11, 24))  # noqa: DTZ001 - what it is about


# The world


def test_a_task_copies_at_its_speed_and_ends() -> None:
    """500 GB at 200 Mbit/s take 20,000 seconds."""
    world = a_world()
    _pass(world, seconds=10_000)
    assert world.tasks["a"].percent == 50
    _pass(world, seconds=10_000)
    assert world.tasks["a"].state == TaskState.MIGRATE_SUCCESS


def test_looking_often_changes_nothing() -> None:
    """A night is the same whether it is looked at every minute or once."""
    worlds = [a_world(SimTask("a", "w", recovers_after=60)) for _ in range(2)]
    for world in worlds:
        world.at(NOW + HOUR, world.line_down)
        world.at(NOW + 2 * HOUR, world.line_up)
        world.at(NOW + 3 * HOUR, functools.partial(world.pause, "a"))
    for _ in range(4 * 60):
        _pass(worlds[0], minutes=1)
    _pass(worlds[1], hours=4)
    assert worlds[0].happenings == worlds[1].happenings
    one, other = (world.tasks["a"] for world in worlds)
    assert one.copied == pytest.approx(other.copied)
    assert (one.failed, one.waited) == (other.failed, other.waited)


@pytest.mark.parametrize(
    ("type_", "broke", "unreachable"),
    [("MIGRATE_FILE", "SMS.0807", "SMS.3802"), ("MIGRATE_BLOCK", "SMS.1807", "SMS.2802")],
)
def test_a_broken_line_fails_a_task_and_its_starts(
    type_: str, broke: str, unreachable: str
) -> None:
    """The copy breaks with one code, a start without a line with another."""
    world = a_world(SimTask("a", "web-01", type=type_))
    world.line_down()
    _pass(world, seconds=29)
    assert world.tasks["a"].state == TaskState.RUNNING
    _pass(world, seconds=1)
    assert (world.tasks["a"].state, world.tasks["a"].code) == (TaskState.MIGRATE_FAIL, broke)
    world.start("a")
    _pass(world, seconds=60)
    assert (world.tasks["a"].state, world.tasks["a"].code) == (TaskState.MIGRATE_FAIL, unreachable)
    world.line_up()
    world.start("a")
    _pass(world, seconds=60)
    assert world.tasks["a"].state == TaskState.RUNNING


def test_an_obstacle_stays_until_it_is_cleared() -> None:
    """A hopeless start fails again with the same code, and is counted as hopeless."""
    world = a_world()
    world.fail("a", DISK_FULL)
    world.start("a")
    _pass(world, minutes=1)
    assert world.tasks["a"].code == DISK_FULL
    world.clear("a")
    world.start("a")
    _pass(world, minutes=1)
    assert world.tasks["a"].state == TaskState.RUNNING
    assert [start.hopeless for start in world.starts] == [True, False]


def test_standing_still_is_counted_while_a_start_would_help() -> None:
    """Time without a line is nobody's loss; time with one is."""
    world = a_world()
    world.line_down()
    _pass(world, minutes=10)
    world.line_up()
    _pass(world, minutes=5)
    assert world.tasks["a"].waited == timedelta(minutes=5)
    assert world.tasks["a"].failed == timedelta(minutes=14, seconds=30)


@pytest.mark.parametrize("state", ["RUNNING", "MIGRATE_SUCCESS", "SYNCING", "SKIPPING"])
def test_a_start_in_the_wrong_state_is_refused(state: str) -> None:
    """SMS.7713 is the service's word for it; the attempt is kept in the log."""
    world = a_world(SimTask("a", "web-01", state=state))
    with pytest.raises(Refused, match="cannot be started"):
        world.start("a")
    assert [start.accepted for start in world.starts] == [False]


def test_a_start_on_a_paused_task_is_counted() -> None:
    """The service takes it, although a person wanted rest."""
    world = a_world()
    world.pause("a")
    _pass(world, minutes=1)
    assert world.tasks["a"].state == TaskState.ABORT
    world.start("a")
    assert [(start.accepted, start.paused) for start in world.starts] == [(True, True)]


# Bodies


@pytest.mark.parametrize("state", [*TaskState])
@pytest.mark.parametrize("connected", [True, False, None])
def test_bodies_are_those_of_the_service(state: str, connected: Any) -> None:
    """Every key is one that the SDK's model knows, and its value survives the model."""
    task = SimTask("a", "web-01", state=state, code=DISK_FULL, params=("/dev/sda1",))
    task.connected = connected
    body = task_body(a_world(task).tasks["a"], NOW)
    known = set(ShowTaskResponse.attribute_map.values())
    assert set(body) <= known
    client = SmsClient()
    client.model_package = __import__("huaweicloudsdksms.v3", fromlist=["v3"])
    model = client._deserialize(json.loads(json.dumps(body)), "ShowTaskResponse")
    assert _without_nothing(model) == _without_nothing(body)
    seen = read(body)
    assert seen is not None
    assert (seen.state, seen.error.code, seen.connected) == (state, DISK_FULL, connected)


def _without_nothing(value: Any) -> Any:
    if hasattr(value, "attribute_map"):
        named = {key: getattr(value, name) for name, key in value.attribute_map.items()}
        return _without_nothing(named)
    if isinstance(value, dict):
        kept = {name: _without_nothing(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item is not None}
    if isinstance(value, list):
        return [_without_nothing(item) for item in value]
    return value


# Signatures


def a_signed_request(key: Key = KEY) -> SignedRequest:
    """Give a request as the official SDK sends it."""
    with serving(answer(200, '{"message_id": "m"}')) as server:
        keys = Credentials(key.access, key.secret, key.token)
        connection = smn.connect(server.url, keys, PROJECT)
        caller = Caller(connection, FakeDeadline(), lambda seconds: None)
        smn.SmnPublisher(caller, TOPIC).publish(Message("s", "e", "t", "{}", ()))
        connection.close()
    head, body = server.requests[0].split(b"\r\n\r\n", 1)
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in lines)}
    return SignedRequest(method, path, query, headers, body)


@pytest.mark.parametrize("key", [KEY, TEMPORARY], ids=["permanent", "temporary"])
def test_what_the_sdk_signs_is_accepted(key: Key) -> None:
    """Two implementations of the signing guide agree, with and without a token."""
    assert problem(a_signed_request(key), [key], _now()) == ""


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _header(name: str, text: str) -> Callable[[SignedRequest], SignedRequest]:
    def change(request: SignedRequest) -> SignedRequest:
        return replace(request, headers={**request.headers, name: text})

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda request: replace(request, method="PUT"), "does not fit"),
        (lambda request: replace(request, path=request.path + "x"), "does not fit"),
        (lambda request: replace(request, query="x=1"), "does not fit"),
        (lambda request: replace(request, body=request.body + b" "), "does not fit"),
        (_header("host", "elsewhere"), "does not fit"),
        (_header("authorization", ""), "no signature"),
        (_header("authorization", "Basic bWU6aHVudGVyMjI="), "no signature"),
        (_header("x-security-token", "another"), "security token"),
        (_header("x-sdk-date", "20200101T000000Z"), "15 minutes"),
        (_header("x-sdk-date", "yesterday"), "15 minutes"),
    ],
)
def test_what_was_tampered_with_is_refused(
    change: Callable[[SignedRequest], SignedRequest], expected: str
) -> None:
    """Method, path, query, body, host, token and date are all covered."""
    assert expected in problem(change(a_signed_request()), [KEY], _now())


def test_a_stranger_is_refused() -> None:
    """An unknown key, a wrong secret, and a signature that leaves the date out are refused."""
    request = a_signed_request()
    assert "unknown key" in problem(request, [TEMPORARY], _now())
    assert "does not fit" in problem(request, [replace(KEY, secret="another")], _now())
    bare = request.headers["authorization"].replace("x-sdk-date", "x-sdk-data")
    assert "not signed" in problem(_header("authorization", bare)(request), [KEY], _now())
    assert "15 minutes" in problem(request, [KEY], _now() + timedelta(minutes=16))


# Over HTTP


def test_an_unsigned_call_is_answered_401(tmp_path: Path) -> None:
    """Whoever does not sign is told so, in the gateway's own words."""
    with a_night(tmp_path) as night:
        reply = requests.get(f"{night.server.url}/v3/tasks/a", timeout=5)
    assert (reply.status_code, reply.json()["error_code"]) == (401, "APIGW.0301")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v3/nothing"), ("DELETE", "/v3/tasks/a"), ("PUT", "/v3/tasks/a/action")],
)
def test_an_unknown_call_is_kept_as_a_violation(tmp_path: Path, method: str, path: str) -> None:
    """The watchdog has no business with any other call."""
    with a_night(tmp_path) as night:
        reply = requests.request(method, night.server.url + path, timeout=5)
        assert reply.json()["error_code"] == "APIGW.0101"
        assert len(night.world.violations) == 1


def _publish(night: Night, message: Message, topic: str = TOPIC) -> Any:
    connection = smn.connect(night.server.url, Credentials(KEY.access, KEY.secret), PROJECT)
    caller = Caller(connection, FakeDeadline(), lambda seconds: None)
    try:
        return smn.SmnPublisher(caller, topic).publish(message)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Message("s" * 513, "e", "t", "{}"), "SMN.0008"),
        (Message("two\nlines", "e", "t", "{}"), "SMN.0008"),
        (Message("s", "e", "t" * 491, "{}"), "SMN.0009"),
        (Message("s", "e", "[t]", "{}"), "SMN.0009"),
        (Message("s", "e" * 140_000, "t", "{}"), "SMN.0009"),
    ],
)
def test_a_message_beyond_the_limits_is_refused(
    tmp_path: Path, message: Message, code: str
) -> None:
    """The topic is as strict as the documents say."""
    with a_night(tmp_path) as night:
        with pytest.raises(CloudError, match=code):
            _publish(night, message)
        assert night.world.inbox == []


def test_an_unknown_topic_is_refused(tmp_path: Path) -> None:
    """A topic that does not exist takes no message."""
    with a_night(tmp_path) as night, pytest.raises(CloudError, match=r"SMN\.0006"):
        _publish(night, Message("s", "e", "t", "{}"), TOPIC + "-other")


def test_faults_strike_as_often_as_they_are_told() -> None:
    """A rule counts down, and may be about one task only."""
    faults, fault = Faults(), Fault(503)
    faults.add("show_task", fault, times=2, about="a")
    assert faults.take("show_task", "b") is None
    assert faults.take("start_task", "a") is None
    assert [faults.take("show_task", "a") for _ in range(3)] == [fault, fault, None]
