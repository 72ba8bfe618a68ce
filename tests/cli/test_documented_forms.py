"""Whether the simulated cloud answers in the official form.

Each body that it sends is compared with the models of the official SDK, and with a sample in
``data/answers``. The samples have the documented fields and invented values. Their sources: SMS API
reference ("Querying a Migration Task", "Querying the Migration Task List", "Querying the Source
Server List", "Managing a Migration Task", "Error Codes"); for sub-tasks the sample answers of its
first edition; API Request Signing Guide ("Error Codes"); SMN API reference ("Publishing a Message",
"Querying Topic Details", "Querying Subscriptions of a Topic", "Exception Response"); FunctionGraph
API reference ("Function Model", "Querying All Triggers of a Function").
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, List, NamedTuple

import huaweicloudsdkfunctiongraph.v2 as fgs
import huaweicloudsdksmn.v2 as smn
import huaweicloudsdksms.v3 as sms
import pytest

from simulated_cloud import app
from simulated_cloud.app import Cloud
from simulated_cloud.clock import VirtualClock
from simulated_cloud.setup import Function, Subscription
from simulated_cloud.shapes import PROJECT, task_body
from simulated_cloud.task import SimTask
from simulated_cloud.variants import DOCUMENTED, UNREADABLE, Percents, SubTasks, Variants
from simulated_cloud.world import World
from sms_watch.adapters.task_json import read
from sms_watch.model.task import TaskState
from tests.support.builders import NOW
from tests.support.clouds import KEY, TOPIC

SAMPLES = Path(__file__).parents[1] / "support" / "data" / "answers"
FUNCTION = f"urn:fss:ap-southeast-3:{PROJECT}:function:default:sms-watch"
SMN_PATH = f"/v2/{PROJECT}/notifications/topics/{TOPIC}"
FGS_PATH = f"/v2/{PROJECT}/fgs"


class Call(NamedTuple):
    """How an operation is asked for, and the SDK's model of its answer."""

    path: str
    models: ModuleType
    model: str
    body: Any = None


CALLS = {
    "show_task": Call("/v3/tasks/running", sms, "ShowTaskResponse"),
    "list_tasks": Call("/v3/tasks?limit=200", sms, "ListTasksResponse"),
    "list_servers": Call("/v3/sources", sms, "ListServersResponse"),
    "start_task": Call(
        "/v3/tasks/failed/action", sms, "UpdateTaskStatusResponse", {"operation": "start"}
    ),
    "publish": Call(f"{SMN_PATH}/publish", smn, "PublishMessageResponse", {"message": "text"}),
    "show_topic": Call(SMN_PATH, smn, "ListTopicDetailsResponse"),
    "list_subscriptions": Call(
        f"{SMN_PATH}/subscriptions", smn, "ListSubscriptionsByTopicResponse"
    ),
    "show_function": Call(
        f"{FGS_PATH}/functions/{FUNCTION}/config", fgs, "ShowFunctionConfigResponse"
    ),
    "show_asynchronous": Call(
        f"{FGS_PATH}/functions/{FUNCTION}/async-invoke-config",
        fgs,
        "ShowFunctionAsyncInvokeConfigResponse",
    ),
    "list_triggers": Call(f"{FGS_PATH}/triggers/{FUNCTION}", fgs, "ListFunctionTriggersResponse"),
}
# Answers of OBS have no body that an SDK has a model of: bytes, or the XML of an error.
OF_OBS = {"create_bucket", "head_bucket", "get_object", "append_object"}
# Fields that the service sends and the SDK does not know, with the source.
NOT_IN_SDK = {
    # Terraform provider, acceptance tests of huaweicloud_fgs_function_trigger
    ("TriggerEventDataResponseBody", "sync_execution"),
}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Return a cloud that takes every signature, with a task for each sample."""
    monkeypatch.setattr(app, "problem", lambda *_: "")
    made = Cloud(World(VirtualClock(NOW)), [KEY], [TOPIC])
    for task in (
        SimTask("ready", "web-01", state="READY"),
        SimTask("running", "web-02", copied=210e9),
        _failed("failed"),
        SimTask("finished", "web-04", state="MIGRATE_SUCCESS"),
        SimTask("synchronising", "web-05", state="SYNCING"),
    ):
        made.world.add(task)
    made.functions[FUNCTION] = Function(FUNCTION, variables={"LOG_LEVEL": "INFO"})
    made.subscriptions.append(Subscription("sms", "+4915100000042", status=0))
    return made


def _failed(task_id: str) -> SimTask:
    more: Dict[str, Any] = {"type": "MIGRATE_BLOCK", "os_type": "WINDOWS", "copied": 210e9}
    return SimTask(
        task_id, "web-03", state="MIGRATE_FAIL", code="SMS.1807", params=("203.0.113.7",), **more
    )


def _ask(cloud: Cloud, call: Call) -> Any:
    client = cloud.app.test_client()
    answered = client.post(call.path, json=call.body) if call.body else client.get(call.path)
    assert answered.status_code == 200
    return answered.json


# Against the SDK


PLAIN: Dict[str, Any] = {"str": str, "int": int, "float": (int, float), "datetime": str}


def _misfits(value: Any, kind: str, models: ModuleType) -> Iterator[str]:
    """Yield what does not fit in a value of a type, in the words that the SDK has for types."""
    inner = re.fullmatch(r"list\[(.*)\]", kind)
    if inner is not None:
        assert isinstance(value, list), f"{value!r} is no {kind}"
        for each in value:
            yield from _misfits(each, inner.group(1), models)
    elif kind == "bool" or kind in PLAIN:
        fits = isinstance(value, PLAIN.get(kind, bool)) and isinstance(value, bool) == (
            kind == "bool"
        )
        if not fits:
            yield f"{value!r} is no {kind}"
    else:
        yield from _misfits_of_model(value, getattr(models, kind), models)


def _misfits_of_model(value: Any, model: Any, models: ModuleType) -> Iterator[str]:
    fields = {key: name for name, key in model.attribute_map.items()}
    for key, item in value.items():
        if key in fields and item is not None:
            yield from _misfits(item, model.openapi_types[fields[key]], models)
        elif key not in fields and (model.__name__, key) not in NOT_IN_SDK:
            yield f"{model.__name__} has no {key}"
    # What is required is set without a question; anything else only if it is given.
    source = inspect.getsource(model.__init__)
    for name in re.findall(r"^        self\.([a-z]\w*) = \1$", source, re.MULTILINE):
        if value.get(model.attribute_map[name]) is None:
            yield f"{model.__name__} needs {name}"


def _compare(value: Any, models: ModuleType, model: str) -> List[str]:
    made = getattr(models, model)
    if list(made.openapi_types) == ["body"]:  # the body is no object
        return list(_misfits(value, made.openapi_types["body"], models))
    return list(_misfits(value, model, models))


def test_every_answer_is_compared(cloud: Cloud) -> None:
    """No operation of the simulated cloud is left out."""
    served = {rule.endpoint.lstrip("_") for rule in cloud.app.url_map.iter_rules()}
    assert served == {*CALLS, *OF_OBS, "static"}


@pytest.mark.parametrize("operation", CALLS)
def test_answers_fit_the_models_of_the_sdk(cloud: Cloud, operation: str) -> None:
    """Each field is one that the model has, of its type, and none that it needs is missing."""
    call = CALLS[operation]
    assert _compare(_ask(cloud, call), call.models, call.model) == []


@pytest.mark.parametrize("state", [*TaskState])
@pytest.mark.parametrize(
    "variants",
    [
        DOCUMENTED,
        Variants(SubTasks.BEGUN, consistency_check=True),
        Variants(SubTasks.LEFT_OUT, unknown_names=True),
    ],
    ids=["documented", "begun", "left out"],
)
def test_tasks_in_every_state_fit_the_model(state: str, variants: Variants) -> None:
    """So do the forms that are switched to, but for those that are known to break it."""
    world = World(VirtualClock(NOW))
    world.add(SimTask("a", "web-01", state=state, code="SMS.0805", params=("/data",)))
    body = json.loads(json.dumps(task_body(world.read("a"), NOW, variants)))
    assert _compare(body, sms, "ShowTaskResponse") == []
    seen = read(body)
    assert seen is not None
    assert (seen.state, seen.error.code, seen.connected) == (state, "SMS.0805", True)


@pytest.mark.parametrize(
    ("percents", "expected"),
    [
        (Percents.TEXT, ["'42%' is no int"]),
        (Percents.NULL, ["SubTask needs progress"]),
    ],
)
def test_a_body_that_breaks_the_model_is_found(percents: Percents, expected: List[str]) -> None:
    """The comparison sees a text in the place of a number, and what is missing."""
    world = World(VirtualClock(NOW))
    world.add(SimTask("a", "web-01", copied=210e9))
    body = task_body(world.read("a"), NOW, Variants(percents=percents))
    found = _compare(body, sms, "ShowTaskResponse")
    assert set(expected) <= set(found)
    assert _compare({"id": 7, "names": []}, sms, "ShowTaskResponse") == [
        "7 is no str",
        "ShowTaskResponse has no names",
    ]


# Against samples


def _form(value: Any) -> Any:
    """Return what kind of value it is, and of which kinds its parts are."""
    if isinstance(value, dict):
        return {key: _form(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_form(item) for item in value]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if is_number else type(value)


def _differences(ours: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """Yield where two forms differ; null stands for any, and of lists the first items count."""
    if ours is type(None) or theirs is type(None):
        return
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in ours.keys() ^ theirs.keys():
            yield f"{where}.{key} is in one of them only"
        for key in ours.keys() & theirs.keys():
            yield from _differences(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        for one, other in list(zip(ours, theirs))[:1]:
            yield from _differences(one, other, f"{where}[]")
    elif ours != theirs:
        yield f"{where} is {ours} and {theirs}"


def _sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("operation", [each for each in CALLS if each != "show_task"])
def test_answers_have_the_form_of_the_samples(cloud: Cloud, operation: str) -> None:
    """The same fields, and in each the same kind of value."""
    answered = _form(_ask(cloud, CALLS[operation]))
    assert list(_differences(answered, _form(_sample(operation)))) == []


@pytest.mark.parametrize("name", ["ready", "running", "failed", "finished", "synchronising"])
def test_tasks_have_the_form_of_the_samples(cloud: Cloud, name: str) -> None:
    """Fields, states, and which sub-tasks are done, under way and to come."""
    sample, ours = (
        _sample(f"task_{name}"),
        _ask(cloud, CALLS["show_task"]._replace(path=f"/v3/tasks/{name}")),
    )
    assert list(_differences(_form(ours), _form(sample))) == []
    assert [_outline(each) for each in ours["sub_tasks"]] == [
        _outline(each) for each in sample["sub_tasks"]
    ]
    for field in ("state", "type", "os_type", "subtask_info"):
        assert ours[field] == sample[field]
    error, expected = (json.loads(each["error_json"] or "{}") for each in (ours, sample))
    assert error.keys() == expected.keys()
    for field in ("state", "migration_cycle"):
        assert ours["source_server"][field] == sample["source_server"][field]


def _outline(sub_task: Dict[str, Any]) -> Any:
    begun, ended = bool(sub_task["start_date"]), bool(sub_task["end_date"])
    return sub_task["name"], sub_task["progress"], begun, ended, sub_task["user_op"]


def test_refusals_have_the_form_of_the_samples(cloud: Cloud) -> None:
    """Of SMS, of SMS where a right is missing, of the gateway, of SMN and of FunctionGraph."""
    client = cloud.app.test_client()
    cloud.variants = Variants(
        unreadable={"running": UNREADABLE["another user's"]}, reads_a_minute=2
    )
    refused = [
        (client.get("/v3/tasks/none"), 400, "refused_by_sms"),
        (client.get("/v3/tasks/running"), 403, "refused_for_a_right"),
        (client.get("/v3/tasks/running"), 429, "refused_by_the_gateway"),
        (client.post(f"{SMN_PATH}-none/publish", json={}), 404, "refused_by_smn"),
        (client.get(f"{FGS_PATH}/triggers/none"), 404, "refused_by_sms"),
    ]
    for answered, status, sample in refused:
        assert answered.status_code == status
        assert list(_differences(_form(answered.json), _form(_sample(sample)))) == []
