"""A task out of an answer, whatever the answer holds."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.adapters.task_json import read
from sms_watch.model.task import Phase, Progress, Servers, Task, TaskError, Transfer

FAILED: Dict[str, Any] = {
    "id": "7a9c",
    "name": "db-01",
    "type": "MIGRATE_BLOCK",
    "os_type": "WINDOWS",
    "state": "MIGRATE_FAIL",
    "connected": True,
    "error_json": '{"error_code":"SMS.1807","error_param":"[\\"203.0.113.22\\"]"}',
    "migrate_speed": 42.5,
    "sub_tasks": [
        {"name": "CREATE_CLOUD_SERVER", "progress": 100, "end_date": 1, "user_op": "REPLICATE"},
        {"name": "MIGRATE_WINDOWS_BLOCK", "progress": 37, "end_date": None, "user_op": "REPLICATE"},
    ],
    "source_server": {"id": "s-2", "name": "win02", "ip": "192.0.2.12"},
    "target_server": {"name": "win02-new", "ip": "203.0.113.22"},
}


def _read(**fields: Any) -> Task:
    task = read({**FAILED, **fields})
    assert task is not None
    return task


def test_a_task_in_full() -> None:
    """Every field that the watchdog knows is taken from its place."""
    assert _read() == Task(
        "7a9c",
        "db-01",
        "MIGRATE_FAIL",
        "MIGRATE_BLOCK",
        TaskError("SMS.1807", ("203.0.113.22",)),
        True,
        Progress(1, 37, None, "MIGRATE_WINDOWS_BLOCK"),
        Transfer(42.5),
        Servers("win02 (192.0.2.12)", "win02-new (203.0.113.22)", "s-2"),
    )


@pytest.mark.parametrize(
    ("error_json", "code", "params"),
    [
        ("", "", ()),
        (None, "", ()),
        ('{"error_param":"[]","error_code":"SMS.2802"}', "SMS.2802", ()),
        ('{"error_code":"SMS.2802"}', "SMS.2802", ()),
        ('{"error_code":"SMS.2802","error_param":"plain"}', "SMS.2802", ("plain",)),
        ('{"error_code":"SMS.2802","error_param":["a","b"]}', "SMS.2802", ("a", "b")),
        ({"error_code": "SMS.2802", "error_param": ["a"]}, "SMS.2802", ("a",)),
        ('{"error_param":"[\\"/dev/sda1\\"]","error_code":"SMS.13', "?", ()),
        ('{"error_code":"SMS.1315","error_par', "SMS.1315", ()),
        ("something else entirely", "?", ()),
        ("{'error_code': 'SMS.0807'}", "SMS.0807", ()),
        ("[" * 100_000, "?", ()),
        ('{"error_code":"SMS.0807\\u202e"}', "SMS.0807", ()),
        ('{"error_code":"' + "S" * 99 + '"}', "?", ()),
        ('{"error_code":"SMS.0805","error_param":[7, null, "a\\nb"]}', "SMS.0805", ("7", "a b")),
        (7, "?", ()),
    ],
)
def test_the_error_is_found_however_it_is_packed(
    error_json: Any, code: str, params: Tuple[str, ...]
) -> None:
    """An object in a string with a list in a string; a cut one is searched for its code."""
    task = _read(error_json=error_json)
    assert task.error == TaskError(code, params)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        (None, None),
        ("false", False),
        ("True", True),
        ("?", None),
        (0, None),
        (1, None),
        ([], None),
    ],
)
def test_connected_is_known_or_unknown(value: Any, expected: Optional[bool]) -> None:
    """The text "false" is not true for being there, and what says nothing is unknown."""
    assert _read(connected=value).connected is expected


@pytest.mark.parametrize(
    ("value", "speed"),
    [
        (7, 7.0),
        ("7.5", 7.5),
        ("fast", None),
        (True, None),
        (-1, None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_a_number_is_one_or_unknown(value: Any, speed: Optional[float]) -> None:
    """A text that is no number costs the number, not the task."""
    task = _read(migrate_speed=value)
    assert task.transfer.speed == speed


def test_a_missing_connected_is_unknown() -> None:
    """Most answers leave the field out; that does not mean that the agent is away."""
    fields = {name: value for name, value in FAILED.items() if name != "connected"}
    task = read(fields)
    assert task is not None
    assert task.connected is None


COPY = "MIGRATE_LINUX_FILE"
NAMES = ["SSL_CONFIG", "ATTACH_AGENT_IMAGE", COPY, "CONFIGURE_LINUX_FILE", "DETTACH_AGENT_IMAGE"]


def _listed(*percents: Any) -> List[Dict[str, Any]]:
    """Return the usual sub-tasks; 100 has ended, 0 is to come, a pair says itself what it is."""
    usual = {100: "ended", 0: ""}
    return _named(
        NAMES,
        [
            each if isinstance(each, tuple) else (each, usual.get(each, "begun"))
            for each in percents
        ],
    )


def _named(names: List[str], steps: Sequence[Tuple[Any, str]]) -> List[Dict[str, Any]]:
    return [
        {
            "name": name,
            "progress": percent,
            "start_date": 1_764_000_000_000 if came_to else None,
            "end_date": 1_764_000_600_000 if came_to == "ended" else None,
        }
        for name, (percent, came_to) in zip(names, steps)
    ]


@pytest.mark.parametrize(
    ("sub_tasks", "info", "expected"),
    [
        (None, f"{COPY}-62", Progress(None, 62, None, COPY)),
        (None, f"{COPY}-162", Progress(None, 162, None, COPY)),
        ([], "garbage", Progress()),
        (None, None, Progress()),
        ([{"name": "SSL_CONFIG", "progress": None}], "", Progress(0, None, None, "SSL_CONFIG")),
        (
            [{"name": "SSL_CONFIG", "progress": 100}, {"name": "INVENTED", "progress": "7"}],
            "",
            Progress(1, 7, None, "INVENTED"),
        ),
        (
            [
                {"name": "MIGRATE_LINUX_FILE", "progress": 100, "end_date": 1, "user_op": "A"},
                {"name": "SYNC_LINUX_FILE", "progress": 40, "end_date": None, "user_op": "B"},
            ],
            "",
            Progress(1, 40, None, "SYNC_LINUX_FILE"),
        ),
        (
            [{"name": "MIGRATE_LINUX_FILE", "progress": 250, "end_date": 1}],
            "",
            Progress(0, 250, None, COPY),
        ),
        # Those to come are listed ahead, at 0.
        (_listed(100, 100, 42, 0, 0), "", Progress(2, 42, None, COPY)),
        (_listed(100, 100, 42, 0, 0), f"{COPY}-42", Progress(2, 42, None, COPY)),
        (_listed(0, 0, 0, 0, 0), "", Progress(0, 0, None, "SSL_CONFIG")),
        # Between two sub-tasks: the next one has not begun.
        (_listed(100, 100, 100, 0, 0), "", Progress(3, 0, None, "CONFIGURE_LINUX_FILE")),
        (_listed(100, 100, 100, 100, 100), "", Progress(4, 100, None, "DETTACH_AGENT_IMAGE")),
        # What has no end goes on, whatever its percentage is.
        (_listed(100, 100, (100, "begun"), 0, 0), "", Progress(2, 100, None, COPY)),
        (_listed(100, 100, (137, "begun"), 0, 0), "", Progress(2, 137, None, COPY)),
        (_listed(100, 100, (0, "begun"), 0, 0), "", Progress(2, 0, None, COPY)),
        (_listed(100, 100, (None, "begun"), 0, 0), "", Progress(2, None, None, COPY)),
        (_listed(100, 100, (None, "begun"), 0, 0), f"{COPY}-42", Progress(2, 42, None, COPY)),
        (_listed(100, 100, ("42%", "begun"), 0, 0), "", Progress(2, 42, None, COPY)),
        # What has ended is over, with less than 100 as well.
        (_listed(100, 100, (97, "ended"), 5, 0), "", Progress(3, 5, None, "CONFIGURE_LINUX_FILE")),
        # The answer names the one under way.
        (_listed(100, 100, 42, 1, 0), f"{COPY}-42", Progress(2, 42, None, COPY)),
        (_listed(100, 100, 42, 0, 0), "INVENTED-7", Progress(2, 42, None, COPY)),
        # A consistency check, or anything else, may stand behind the copy.
        (
            [*_listed(100, 100, 100), {"name": "CONSISTENCY", "progress": 3}, *_listed(0)],
            "",
            Progress(3, 3, None, "CONSISTENCY"),
        ),
    ],
)
def test_progress_is_that_of_the_sub_task_under_way(
    sub_tasks: Any, info: Any, expected: Progress
) -> None:
    """Old rounds stay in the list, those to come stand in it ahead; none has all of it."""
    assert _read(sub_tasks=sub_tasks, subtask_info=info).progress == expected


@pytest.mark.parametrize("ahead", [True, False])
def test_each_step_of_a_migration_is_further_than_the_one_before(ahead: bool) -> None:
    """Every sub-task and every percent is progress, whether those to come are listed or not."""
    names = [*NAMES[:3], "ANYTHING", *NAMES[3:]]
    steps = [
        [(100, "ended")] * done + [(percent, "begun")] + [(0, "")] * (len(names) - done - 1)
        for done in range(len(names))
        for percent in (0, 1, 100, 130)
    ]
    seen = [
        _read(sub_tasks=_named(names, step if ahead else [each for each in step if any(each)]))
        for step in steps
    ]
    places = [task.progress for task in seen]
    assert all(later.is_ahead_of(earlier) for earlier, later in zip(places, places[1:]))
    assert [each.sub_task for each in places[::4]] == names


@pytest.mark.parametrize("field", ["id", "state"])
@pytest.mark.parametrize("value", [None, "", 7, [], {}])
def test_a_task_without_id_or_state_is_none(field: str, value: Any) -> None:
    """These two are indispensable."""
    assert read({**FAILED, field: value}) is None


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*FAILED, "progress", "error_code", "ip"]), inner),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(FAILED)), JSON))
def test_no_odd_value_keeps_a_task_from_being_read(fields: Dict[str, Any]) -> None:
    """Whatever any other field holds, a task with an id and a state is a task."""
    task = _read(**{**fields, "id": "7a9c", "state": "MIGRATE_FAIL"})
    assert (task.id, task.state) == ("7a9c", "MIGRATE_FAIL")
    assert task.progress.shown is None or 0 <= task.progress.shown <= 100
    assert task.transfer.speed is None or task.transfer.speed >= 0
    json.dumps([task.error.params, task.servers.source], allow_nan=False)


ANY_TEXT = st.text(max_size=30).map(lambda text: text * 40)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_texts_are_lines_of_a_bounded_length(name: str, address: str, param: str) -> None:
    """However long and strange they are, what is kept of them is short, visible and one line."""
    error = json.dumps({"error_code": "SMS.0805", "error_param": json.dumps([param] * 50)})
    servers = {"name": name, "ip": address}
    sub_tasks = [{"name": name, "progress": 5}]
    task = _read(name=name, source_server=servers, error_json=error, sub_tasks=sub_tasks)
    texts = [task.name, task.servers.source, task.progress.sub_task, *task.error.params]
    assert sum(map(len, texts)) <= 12 * 210
    assert all(text.isprintable() for text in texts)


@pytest.mark.parametrize("state", ["RUNNING\u200b", "RUNNING\n", " MIGRATE_FAIL", "x" * 10_000])
def test_what_only_looks_like_a_state_is_none(state: str) -> None:
    """A state with an invisible letter too many is an unknown one, and never starts anything."""
    assert _read(state=state).phase is Phase.UNKNOWN


@given(JSON)
def test_no_answer_is_too_odd(body: Any) -> None:
    """An answer that is no task gives none, and no exception."""
    assert read(body) is None or isinstance(body, dict)
