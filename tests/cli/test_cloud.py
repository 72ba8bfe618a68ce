"""The simulated cloud: its signatures, its bodies, its faults, and the truth behind them."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

import pytest
import requests
from huaweicloudsdksms.v3 import ShowTaskResponse, SmsClient

from simulated_cloud import app, obs_signing
from simulated_cloud.app import Cloud
from simulated_cloud.buckets import Bucket, StoredObject, etag
from simulated_cloud.clock import VirtualClock
from simulated_cloud.faults import Fault, Faults
from simulated_cloud.shapes import PROJECT, REQUEST_ID, source_id, task_body
from simulated_cloud.signing import Key, SignedRequest, problem
from simulated_cloud.task import CLOSING, SETTING_UP, Refused, SimTask
from simulated_cloud.variants import (
    ACCEPTED,
    DOCUMENTED,
    REFUSED,
    UNREADABLE,
    Percents,
    Reply,
    SubTasks,
    Variants,
)
from simulated_cloud.world import World
from sms_watch.adapters import smn
from sms_watch.adapters.sdk import Caller
from sms_watch.adapters.task_json import read
from sms_watch.errors import CloudError
from sms_watch.model.notice import Message
from sms_watch.model.task import TaskState
from sms_watch.settings.values import Credentials
from tests.support.builders import DISK_FULL, NOW
from tests.support.clouds import KEY, TEMPORARY, TOPIC, Night, a_night
from tests.support.fakes import FakeDeadline
from tests.support.loopback import answer, serving

HOUR = timedelta(hours=1)


def a_world(*tasks: SimTask) -> World:
    """Return a world at the beginning of its time."""
    world = World(VirtualClock(NOW))
    for task in tasks or (SimTask("a", "web-01"),):
        world.add(task)
    return world


def _pass(world: World, **span: float) -> None:
    clock = world.clock
    assert isinstance(clock, VirtualClock)
    clock.set(clock.now() + timedelta(**span))
    world.advance()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Return a cloud with one task that takes every signature, to be asked without a socket."""
    monkeypatch.setattr(app, "problem", lambda *_: "")
    monkeypatch.setattr(obs_signing, "problem", lambda *_: "")
    return Cloud(a_world(), [KEY], [TOPIC])


def _get(cloud: Cloud, path: str, **headers: str) -> Any:
    return cloud.app.test_client().get(path, headers=headers)


def _start(cloud: Cloud, task_id: str = "a") -> Any:
    body = {"operation": "start"}
    return cloud.app.test_client().post(f"/v3/tasks/{task_id}/action", json=body)


def _send(cloud: Cloud, **fields: Any) -> Any:
    path = f"/v2/{PROJECT}/notifications/topics/{TOPIC}/publish"
    return cloud.app.test_client().post(path, json=fields)


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
    """500 GB at 200 Mbit/s take 20,000 seconds, and then the target is configured."""
    world = a_world()
    _pass(world, seconds=10_000)
    assert world.tasks["a"].percent == 50
    _pass(world, seconds=10_000)
    assert world.tasks["a"].copied_at == NOW + timedelta(seconds=20_000)
    assert world.tasks["a"].state == TaskState.RUNNING
    _pass(world, seconds=CLOSING)
    assert world.tasks["a"].state == TaskState.MIGRATE_SUCCESS


def test_a_task_that_is_ready_prepares_before_it_copies() -> None:
    """Once it is started, minutes pass in which no byte moves."""
    world = a_world(SimTask("a", "web-01", state="READY", picks_up_after=0))
    _pass(world, hours=1)
    world.start("a")
    _pass(world, seconds=SETTING_UP)
    assert (world.tasks["a"].state, world.tasks["a"].copied) == (TaskState.RUNNING, 0)
    assert world.tasks["a"].begun == NOW + HOUR
    _pass(world, seconds=10_000)
    assert world.tasks["a"].percent == 50


def test_a_task_that_synchronises_goes_on_when_its_copy_is_done() -> None:
    """It is not configured before somebody launches the target, and says SYNCING for ever."""
    world = a_world(SimTask("a", "web-01", synchronises=True))
    _pass(world, seconds=20_000)
    assert world.tasks["a"].state == TaskState.SYNCING
    _pass(world, hours=100)
    assert world.tasks["a"].state == TaskState.SYNCING


def test_data_that_grows_is_copied_as_well() -> None:
    """A percentage is of what was counted, so it passes 100 while the copy goes on."""
    world = a_world()
    _pass(world, seconds=10_000)
    world.grow("a", 250e9)
    _pass(world, seconds=15_000)
    assert (world.tasks["a"].percent, world.tasks["a"].state) == (125, TaskState.RUNNING)
    _pass(world, seconds=5_000 + CLOSING)
    assert (world.tasks["a"].percent, world.tasks["a"].state) == (150, TaskState.MIGRATE_SUCCESS)
    world.grow("a", 1)
    assert world.tasks["a"].percent == 150


def test_the_service_pauses_a_task_that_is_too_fast() -> None:
    """It is paused with an error, and a start of it counts as one of a paused task."""
    world = a_world()
    world.overspeed("a")
    body = task_body(world.read("a"), NOW)
    assert body["state"] == "ABORT"
    assert json.loads(body["error_json"]) == {"error_param": "[]", "error_code": "SMS.9007"}
    world.start("a")
    assert [(start.accepted, start.paused) for start in world.starts] == [(True, True)]
    _pass(world, minutes=1)
    assert (world.tasks["a"].state, world.tasks["a"].code) == (TaskState.RUNNING, "")


def test_a_task_that_is_held_stays_where_it_is_until_it_settles() -> None:
    """Nothing of it moves in between, and it goes on from there; what does not move is not held."""
    world = a_world(SimTask("a", "web-01"), SimTask("b", "web-02", state="ABORT"))
    _pass(world, seconds=10_000)
    for task_id in "ab":
        world.hold(task_id, TaskState.RESETING)
    _pass(world, hours=100)
    assert [world.tasks[task_id].state for task_id in "ab"] == [TaskState.RESETING, TaskState.ABORT]
    for task_id in "ab":
        world.settle(task_id)
    _pass(world, seconds=5_000)
    assert (world.tasks["a"].state, world.tasks["a"].percent) == (TaskState.RUNNING, 75)
    assert world.tasks["b"].state == TaskState.ABORT


def test_a_start_that_the_agent_ignores_leaves_the_task_in_ready() -> None:
    """The start is accepted, and nothing comes of it before the agent is itself again."""
    world = a_world()
    begun = world.tasks["a"].begun
    _pass(world, seconds=10_000)
    world.ignore_starts("a")
    world.fail("a", "SMS.0807", obstacle=False)
    world.start("a")
    _pass(world, hours=100)
    assert (world.tasks["a"].state, world.tasks["a"].code) == (TaskState.READY, "")
    assert [start.accepted for start in world.starts] == [True]
    world.settle("a")
    assert (world.tasks["a"].state, world.tasks["a"].percent) == (TaskState.RUNNING, 50)
    assert world.tasks["a"].begun == begun
    world.fail("a", "SMS.0807", obstacle=False)
    world.start("a")
    _pass(world, minutes=1)
    assert world.tasks["a"].state == TaskState.RUNNING


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
    assert one.waited == other.waited


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


# Sub-tasks


SET_UP = ("CREATE_CLOUD_SERVER", "SSL_CONFIG", "ATTACH_AGENT_IMAGE", "FORMAT_DISK_LINUX_FILE")
FILES = (*SET_UP, "MIGRATE_LINUX_FILE", "CONFIGURE_LINUX_FILE", "DETTACH_AGENT_IMAGE")


def _rows(world: World, variants: Variants = DOCUMENTED) -> List[Dict[str, Any]]:
    now = world.clock.now()
    rows: List[Dict[str, Any]] = task_body(world.read("a"), now, variants)["sub_tasks"]
    for row in rows:
        # Nothing is dated in the future, and what has ended has begun.
        assert (row["start_date"] or 0) <= (row["end_date"] or now.timestamp() * 1000)
        assert (row["end_date"] or 0) <= now.timestamp() * 1000
    return rows


def _outline(rows: List[Dict[str, Any]]) -> List[Any]:
    """Return the progress of each sub-task, and whether it has begun and ended."""
    return [(row["progress"], bool(row["start_date"]), bool(row["end_date"])) for row in rows]


DONE, TO_COME = (100, True, True), (0, False, False)


def _under_way(percent: int) -> Any:
    return (percent, True, False)


def test_sub_tasks_are_listed_ahead() -> None:
    """Those done at 100 with an end, the one under way without, those to come at 0."""
    world = a_world(SimTask("a", "web-01", copied=210e9))
    assert [row["name"] for row in _rows(world)] == [*FILES]
    assert _outline(_rows(world)) == [*[DONE] * 4, _under_way(42), *[TO_COME] * 2]
    assert task_body(world.read("a"), NOW)["subtask_info"] == "MIGRATE_LINUX_FILE-42"


def test_a_task_that_was_never_started_has_all_before_it() -> None:
    """All its sub-tasks are at 0, and none has begun."""
    world = a_world(SimTask("a", "web-01", state="READY"))
    body = task_body(world.read("a"), NOW)
    assert _outline(body["sub_tasks"]) == [TO_COME] * 7
    assert (body["start_date"], body["subtask_info"]) == (None, None)


def test_setting_up_takes_minutes_of_its_own() -> None:
    """Each sub-task before the copy has its start, its percentage and its end."""
    world = a_world(SimTask("a", "web-01", prepared=0))
    _pass(world, seconds=SETTING_UP * 3 / 8)
    assert _outline(_rows(world)) == [DONE, _under_way(50), *[TO_COME] * 5]
    _pass(world, seconds=SETTING_UP * 5 / 8)
    assert _outline(_rows(world)) == [*[DONE] * 4, _under_way(0), *[TO_COME] * 2]


def test_what_follows_the_copy_takes_minutes_as_well() -> None:
    """The copy has ended at 100, and the target is configured."""
    world = a_world(SimTask("a", "web-01", copied=500e9))
    _pass(world, seconds=CLOSING / 4)
    assert _outline(_rows(world)) == [*[DONE] * 5, _under_way(50), TO_COME]
    _pass(world, seconds=CLOSING)
    assert _outline(_rows(world)) == [DONE] * 7


@pytest.mark.parametrize("state", ["MIGRATE_FAIL", "ABORTING", "ABORT", "SKIPPING"])
def test_a_task_that_stands_shows_where(state: str) -> None:
    """What was under way when it failed or was paused has no end, and the rest is to come."""
    world = a_world(SimTask("a", "web-01", copied=210e9, state=state))
    assert _outline(_rows(world)) == [*[DONE] * 4, _under_way(42), *[TO_COME] * 2]


@pytest.mark.parametrize("state", ["SYNCING", "SYNC_FAIL"])
def test_synchronising_is_a_sub_task_behind_the_copy(state: str) -> None:
    """It stays at 6 % for as long as it lasts; only a speed shows that it goes on."""
    world = a_world(SimTask("a", "web-01", state=state))
    _pass(world, hours=10)
    rows = _rows(world)
    assert [row["name"] for row in rows] == [*SET_UP, "MIGRATE_LINUX_FILE", "SYNC_LINUX_FILE"]
    assert _outline(rows) == [*[DONE] * 5, _under_way(6)]
    speed = task_body(world.read("a"), world.clock.now())["migrate_speed"]
    assert (speed > 0) is (state == "SYNCING")


@pytest.mark.parametrize(
    ("os_type", "type_", "expected"),
    [
        ("LINUX", "MIGRATE_FILE", FILES[3:6]),
        (
            "LINUX",
            "MIGRATE_BLOCK",
            ("FORMAT_DISK_LINUX_BLOCK", "MIGRATE_LINUX_BLOCK", "CONFIGURE_LINUX_BLOCK"),
        ),
        (
            "WINDOWS",
            "MIGRATE_BLOCK",
            ("FORMAT_DISK_WINDOWS", "MIGRATE_WINDOWS_BLOCK", "CONFIGURE_WINDOWS"),
        ),
    ],
)
def test_names_of_sub_tasks_tell_system_and_level(os_type: str, type_: str, expected: Any) -> None:
    """They are those of the SDK's own list."""
    world = a_world(SimTask("a", "web-01", type=type_, os_type=os_type))
    assert tuple(row["name"] for row in _rows(world))[3:6] == expected


# The switches for forms


def test_sub_tasks_that_have_not_begun_can_be_left_out() -> None:
    """Some answers list no more than those begun, some none at all."""
    world = a_world(SimTask("a", "web-01", copied=210e9))
    begun = _rows(world, Variants(SubTasks.BEGUN))
    assert [row["name"] for row in begun] == [*FILES[:5]]
    assert _outline(begun) == [*[DONE] * 4, _under_way(42)]
    body = task_body(world.read("a"), NOW, Variants(SubTasks.LEFT_OUT))
    assert "sub_tasks" not in body
    assert body["subtask_info"] == "MIGRATE_LINUX_FILE-42"


def test_percentages_can_be_text_or_null() -> None:
    """Null is that of the sub-task under way; nobody says how far it is then."""
    world = a_world(SimTask("a", "web-01", copied=210e9))
    texts = [row["progress"] for row in _rows(world, Variants(percents=Percents.TEXT))]
    assert texts == [*["100%"] * 4, "42%", "0%", "0%"]
    body = task_body(world.read("a"), NOW, Variants(percents=Percents.NULL))
    assert [row["progress"] for row in body["sub_tasks"]] == [*[100] * 4, None, 0, 0]
    assert body["subtask_info"] is None


def test_the_sub_task_under_way_need_not_be_named() -> None:
    """It stands in the list of sub-tasks all the same."""
    world = a_world(SimTask("a", "web-01", copied=210e9))
    body = task_body(world.read("a"), NOW, Variants(named=False))
    assert (body["subtask_info"], len(body["sub_tasks"])) == (None, 7)


def test_sub_tasks_can_have_names_that_nobody_knows() -> None:
    """Their places stay what they are."""
    world = a_world(SimTask("a", "web-01", copied=210e9))
    body = task_body(world.read("a"), NOW, Variants(unknown_names=True))
    assert [row["name"] for row in body["sub_tasks"]] == [f"PHASE_{place}" for place in range(7)]
    assert body["subtask_info"] == "PHASE_4-42"


def test_a_consistency_check_can_stand_behind_the_copy() -> None:
    """It takes its part of the minutes after the copy."""
    world = a_world(SimTask("a", "web-01", copied=500e9))
    _pass(world, seconds=CLOSING / 6)
    rows = _rows(world, Variants(consistency_check=True))
    assert [row["name"] for row in rows[4:]] == [FILES[4], "CHECK_CONSISTENCY", *FILES[5:]]
    assert _outline(rows) == [*[DONE] * 5, _under_way(50), *[TO_COME] * 2]


def test_an_agent_can_be_left_unspoken_of(cloud: Cloud) -> None:
    """Then neither a task nor a source server tells whether it is connected."""
    cloud.variants = Variants(connected=False)
    assert "connected" not in _get(cloud, "/v3/tasks/a").json
    assert "connected" not in _get(cloud, "/v3/sources").json["source_servers"][0]
    cloud.variants = DOCUMENTED
    assert _get(cloud, "/v3/tasks/a").json["connected"] is True


# What a start is answered with


def test_a_start_is_answered_with_a_string(cloud: Cloud) -> None:
    """That is what the reference and the SDK's model have."""
    cloud.world.fail("a", "SMS.0807", obstacle=False)
    answered = _start(cloud)
    assert (answered.status_code, answered.json) == (200, "success")
    assert [start.accepted for start in cloud.world.starts] == [True]


@pytest.mark.parametrize("reply", ACCEPTED.values(), ids=[*ACCEPTED])
def test_a_start_can_be_answered_with_anything(cloud: Cloud, reply: Reply) -> None:
    """Whatever its answer is, it is taken."""
    cloud.world.fail("a", "SMS.0807", obstacle=False)
    cloud.variants = Variants(start=reply)
    answered = _start(cloud)
    assert (answered.status_code, answered.data) == (reply.status, reply.body)
    _pass(cloud.world, minutes=1)
    assert cloud.world.tasks["a"].state == TaskState.RUNNING


def test_a_start_can_be_refused_with_200(cloud: Cloud) -> None:
    """Its body has an error code, and nothing is started."""
    cloud.world.fail("a", "SMS.0807", obstacle=False)
    cloud.variants = Variants(start=REFUSED)
    answered = _start(cloud)
    assert (answered.status_code, answered.json["error_code"]) == (200, "SMS.7713")
    _pass(cloud.world, minutes=1)
    assert cloud.world.tasks["a"].state == TaskState.MIGRATE_FAIL


# Refusals


@pytest.mark.parametrize("name", [*UNREADABLE])
def test_one_task_among_several_can_be_refused(cloud: Cloud, name: str) -> None:
    """It cannot be read or started; what belongs to others is not listed either."""
    refused = UNREADABLE[name]
    cloud.world.add(SimTask("b", "web-02", state="MIGRATE_FAIL"))
    cloud.variants = Variants(unreadable={"b": refused})
    for answered in (_get(cloud, "/v3/tasks/b"), _start(cloud, "b")):
        assert answered.status_code == refused.status
        assert answered.json["error_code"] == refused.code
    assert _get(cloud, "/v3/tasks/a").json["id"] == "a"
    listed = ["a", "b"] if refused.status >= 500 else ["a"]
    assert [row["id"] for row in _get(cloud, "/v3/tasks").json["tasks"]] == listed
    assert cloud.world.starts == []


def test_refusals_have_the_form_of_their_service(cloud: Cloud) -> None:
    """SMS, its lack of a right, SMN and the gateway each have fields of their own."""
    missing = _get(cloud, "/v3/tasks/none")
    assert set(missing.json) == {"error_code", "error_msg"}
    cloud.variants = Variants(unreadable={"a": UNREADABLE["another user's"]})
    said = _get(cloud, "/v3/tasks/a").json
    assert said["details"] == [{"error_code": "SMS.6527", "error_msg": said["error_msg"]}]
    assert said["error_param"] == [said["error_msg"]]
    assert said["encoded_authorization_message"] == "CANARY"
    assert set(_send(cloud).json) == {"request_id", "code", "message"}
    assert set(_get(cloud, "/v3/none").json) == {"error_code", "error_msg", "request_id"}


def test_answers_carry_the_id_of_the_request(cloud: Cloud) -> None:
    """That of the gateway stands in a header, whether the call was refused or not."""
    cloud.storage.buckets["bucket"] = Bucket("ap-southeast-3")
    paths = ["/v3/tasks/a", "/v3/tasks/none", "/v3/tasks", "/v3/none", "/v2/p/fgs/triggers/none"]
    for path in paths:
        assert _get(cloud, path).headers["X-Request-Id"] == REQUEST_ID
    for answered in (_start(cloud), _send(cloud), _send(cloud, message="text")):
        assert answered.headers["X-Request-Id"] == REQUEST_ID
    assert _get(cloud, "/bucket/none").headers["x-obs-request-id"]


def test_reads_can_be_limited_by_the_minute(cloud: Cloud) -> None:
    """The read after the last one of a minute is refused, and the next minute begins anew."""
    cloud.variants = Variants(reads_a_minute=2)
    answered = [_get(cloud, path) for path in ("/v3/tasks/a", "/v3/sources", "/v3/tasks/a")]
    assert [each.status_code for each in answered] == [200, 200, 429]
    assert answered[-1].json["error_code"] == "APIGW.0308"
    assert answered[-1].json["error_msg"].endswith("limit:2,time:1 minute")
    assert _start(cloud).status_code != 429
    _pass(cloud.world, minutes=1)
    assert _get(cloud, "/v3/tasks/a").status_code == 200


# Lists


def test_keys_may_read_tasks_and_not_list_them(cloud: Cloud) -> None:
    """The right to list is one of its own; by default they have it."""
    paths = ["/v3/tasks", "/v3/sources", "/v3/tasks/a"]
    assert [_get(cloud, path).status_code for path in paths] == [200, 200, 200]
    cloud.variants = Variants(may_list=False)
    answered = [_get(cloud, path) for path in paths]
    assert [each.status_code for each in answered] == [403, 403, 200]
    assert answered[0].json["error_code"] == "SMS.9004"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a", "b", "c"]),
        ("state=RUNNING", ["a", "c"]),
        ("state=MIGRATE_FAIL&name=web-01", []),
        ("name=web-02", ["b"]),
        ("id=c", ["c"]),
        ("source_server_id={b}", ["b"]),
        ("enterprise_project_id=eps", ["c"]),
        ("limit=0", []),
    ],
)
def test_tasks_are_listed_by_what_is_asked(cloud: Cloud, query: str, expected: List[str]) -> None:
    """Every filter of the reference counts, and the count is that of all matches."""
    b = cloud.world.add(SimTask("b", "web-02", state="MIGRATE_FAIL"))
    cloud.world.add(SimTask("c", "web-03", enterprise_project="eps"))
    page = _get(cloud, "/v3/tasks?" + query.format(b=source_id(b))).json
    assert [row["id"] for row in page["tasks"]] == expected
    assert page["count"] == (len(expected) if "limit" not in query else 3)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", ["web-01", "web-02"]),
        ("state=error", ["web-02"]),
        ("name=web-01", ["web-01"]),
        ("id={b}", ["web-02"]),
        ("ip=192.0.2.1", []),
        ("migproject=wave", ["web-02"]),
        ("migration_cycle=setting", []),
        ("connected=false", ["web-02"]),
        ("enterprise_project_id=0", ["web-01", "web-02"]),
    ],
)
def test_sources_are_listed_by_what_is_asked(cloud: Cloud, query: str, expected: List[str]) -> None:
    """A limit of 0 is the usual one here."""
    b = SimTask("b", "web-02", state="MIGRATE_FAIL", project="wave", connected=False)
    cloud.world.add(b)
    page = _get(cloud, "/v3/sources?" + query.format(b=source_id(b))).json
    assert [row["name"] for row in page["source_servers"]] == expected
    assert page["count"] == len(expected)


def test_a_list_is_given_by_pages(cloud: Cloud) -> None:
    """The count does not depend on the page, and a page beyond the limits is refused."""
    for number in range(4):
        cloud.world.add(SimTask(f"task-{number}", "web"))
    page = _get(cloud, "/v3/tasks?limit=2&offset=3").json
    assert [row["id"] for row in page["tasks"]] == ["task-2", "task-3"]
    assert page["count"] == 5
    for query in ("limit=201", "limit=-1", "offset=65536"):
        assert _get(cloud, f"/v3/tasks?{query}").status_code == 400


def test_a_list_can_count_more_than_it_shows(cloud: Cloud) -> None:
    """So it is with tasks of enterprise projects that the caller may not see."""
    cloud.variants = Variants(unseen=3)
    for path, name in (("/v3/tasks", "tasks"), ("/v3/sources", "source_servers")):
        page = _get(cloud, path).json
        assert (page["count"], len(page[name])) == (4, 1)


# Messages


def test_a_plain_message_is_taken(cloud: Cloud) -> None:
    """It is for every protocol, and needs no subject."""
    answered = _send(cloud, message="a disk is full")
    assert set(answered.json) == {"request_id", "message_id"}
    assert cloud.world.inbox == [{"at": NOW, "subject": "", "default": "a disk is full"}]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "SMN.0009"),
        ({"message": ""}, "SMN.0009"),
        ({"message": "x" * 262_145}, "SMN.0009"),
        ({"message": "x", "message_template_name": "none"}, "SMN.0027"),
        ({"message": "x", "message_structure": "{}"}, "SMN.0021"),
        ({"message_structure": '{"sms": "no default"}'}, "SMN.0021"),
    ],
)
def test_a_message_that_says_nothing_is_refused(
    cloud: Cloud, fields: Mapping[str, Any], code: str
) -> None:
    """A structure goes before a template, and that before a plain message."""
    assert _send(cloud, **fields).json["code"] == code
    assert cloud.world.inbox == []


@pytest.mark.parametrize("life", [3600, "0", "86401", "-1", "a day"])
def test_a_message_that_lives_too_long_is_a_violation(cloud: Cloud, life: Any) -> None:
    """Its life is a text of seconds, a day at most; the usual one is an hour."""
    _send(cloud, message="x", time_to_live=life)
    assert cloud.world.violations == [f"a message that is to live for {life!r}"]
    _send(cloud, message="x", time_to_live="86400")
    _send(cloud, message="x")
    assert len(cloud.world.violations) == 1


# Objects


@pytest.fixture
def stored(cloud: Cloud) -> Cloud:
    """Return a cloud with an object of ten bytes."""
    held = Bucket("ap-southeast-3", objects={"journal": StoredObject(b"0123456789", 1)})
    cloud.storage.buckets["bucket"] = held
    return cloud


@pytest.mark.parametrize(
    ("asked", "data", "named"),
    [
        ("bytes=3-5", b"345", "bytes 3-5/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=0-99", b"0123456789", "bytes 0-9/10"),
        ("bytes=5-3", b"0123456789", ""),
        ("bytes=-3", b"0123456789", ""),
        ("lines=1-2", b"0123456789", ""),
        ("", b"0123456789", ""),
    ],
)
def test_a_part_of_an_object_can_be_had(stored: Cloud, asked: str, data: bytes, named: str) -> None:
    """A range needs its first byte, and what is none gives the whole; the tag is the whole's."""
    answered = _get(stored, "/bucket/journal", **({"Range": asked} if asked else {}))
    assert answered.status_code == (206 if named else 200)
    assert answered.data == data
    assert answered.headers.get("Content-Range", "") == named
    assert answered.headers["ETag"] == etag(b"0123456789")
    assert answered.headers["x-obs-next-append-position"] == "10"


def test_a_range_beyond_the_end_is_refused(stored: Cloud) -> None:
    """By the table of errors that is 416; by the text of the call the whole object is given."""
    answered = _get(stored, "/bucket/journal", Range="bytes=10-")
    assert (answered.status_code, b"InvalidRange" in answered.data) == (416, True)
    stored.variants = Variants(whole_beyond_end=True)
    answered = _get(stored, "/bucket/journal", Range="bytes=10-")
    assert (answered.status_code, answered.data) == (200, b"0123456789")


def test_a_head_has_the_length_and_no_bytes(stored: Cloud) -> None:
    """It says of an object what a GET says."""
    answered = stored.app.test_client().head("/bucket/journal")
    assert (answered.status_code, answered.data) == (200, b"")
    assert answered.headers["Content-Length"] == "10"
    assert answered.headers["ETag"] == etag(b"0123456789")


def test_an_append_is_tagged_by_what_was_appended(stored: Cloud) -> None:
    """Its tag is not that of the whole object."""
    path = "/bucket/journal?append&position=10"
    answered = stored.app.test_client().post(path, data=b"abc")
    assert answered.headers["ETag"] == etag(b"abc")
    assert answered.headers["x-obs-next-append-position"] == "13"


# Signatures


def a_signed_request(key: Key = KEY) -> SignedRequest:
    """Return a request as the official SDK sends it."""
    with serving(answer(200, '{"message_id": "m"}')) as server:
        keys = Credentials(key.access, key.secret, key.token)
        connection = smn.connect(server.url, keys, PROJECT)
        caller = Caller(connection, FakeDeadline(), lambda seconds: None)
        smn.SmnPublisher(caller, TOPIC).publish(Message("s", "d", "e", "t", "{}"))
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
        (Message("s" * 513, "d", "e", "t", "{}"), "SMN.0008"),
        (Message("two\nlines", "d", "e", "t", "{}"), "SMN.0008"),
        (Message("s", "d", "e", "t" * 491, "{}"), "SMN.0009"),
        (Message("s", "d", "e", "[t]", "{}"), "SMN.0009"),
        (Message("s", "d", "e" * 270_000, "t", "{}"), "SMN.0009"),
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
        _publish(night, Message("s", "d", "e", "t", "{}"), TOPIC + "-other")


def test_faults_strike_as_often_as_they_are_told() -> None:
    """A rule counts down, and may be about one task only."""
    faults, fault = Faults(), Fault(503)
    faults.add("show_task", fault, times=2, about="a")
    assert faults.take("show_task", "b") is None
    assert faults.take("start_task", "a") is None
    assert [faults.take("show_task", "a") for _ in range(3)] == [fault, fault, None]
