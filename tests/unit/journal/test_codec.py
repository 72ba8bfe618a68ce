"""Values to JSON and back: nothing lost, nothing guessed."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterator, Tuple, Union

import pytest
from builders import NOW, a_memory, a_started_memory, a_task
from hypothesis import given
from hypothesis import strategies as st
from strategies import memories, notices, progresses, tasks, watches

from sms_watch.journal import codec
from sms_watch.journal.entries import VERSION, Entry, EntryType, decode, encode
from sms_watch.model.notice import Action, Kind, Notice, Outcome, Reason, Standing
from sms_watch.model.task import ErrorClass, Progress, Task
from sms_watch.rules.movement import Sample
from sms_watch.rules.record import TaskMemory, WatchMemory

Path = Tuple[Union[str, int], ...]

HALF_WAY = Progress(1, 5, 50, 7, "MIGRATE_LINUX_FILE")
# A value or two of every type that JSON has.
ODD = [None, True, 7, 1.5, "text", [], {}, [7], {"a": 7}]
NAUGHTY = ["\ud800", "\x00\x1f\x7f\x85", "a\r\nb\u2028\u2029", "\U0001f4be 你好", '"\\', "\ufeff"]


def _through_json(value: Any) -> Any:
    return codec.load(type(value), json.loads(json.dumps(codec.dump(value), allow_nan=False)))


@given(st.one_of(progresses, tasks, memories, watches, notices))
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    """Whatever the journal holds is equal after it was written and read."""
    assert _through_json(value) == value


@given(st.one_of(tasks, memories, watches))
def test_what_comes_back_has_the_types_that_it_had(value: Any) -> None:
    """Words come back as words, tuples as tuples, so that comparing by identity stays true."""
    back = _through_json(value)
    for field in dataclasses.fields(value):
        assert type(getattr(back, field.name)) is type(getattr(value, field.name)), field.name


def test_words_come_back_as_members() -> None:
    """A rule that asks `is Action.START` must get the member, not the string."""
    notice = _through_json(Notice(Kind.FAILED, NOW, action=Action.START, outcome=Outcome.DONE))
    assert notice.kind is Kind.FAILED
    assert notice.action is Action.START
    assert notice.outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Progress(), {}),
        (Progress(percent=0, copied=0), {"percent": 0, "copied": 0}),
        (WatchMemory(loss_told=True), {"loss_told": True}),
        (Task("a", "", "READY", connected=False), {"connected": False}),
        (Task("a", "", "READY", error_params=()), {}),
        (Task("a", "", "READY", progress=Progress(cycle=1)), {"progress": {"cycle": 1}}),
        (TaskMemory("READY", NOW), {"since": "2026-11-24T00:03:00Z"}),
    ],
)
def test_only_what_equals_its_default_is_left_out(value: Any, written: Dict[str, Any]) -> None:
    """Nought and false are values of their own wherever the default is another."""
    always = {"id": "a", "name": "", "state": "READY"}
    expected = {**{k: v for k, v in always.items() if hasattr(value, k)}, **written}
    if isinstance(value, TaskMemory):
        del expected["name"]
    assert codec.dump(value) == expected
    assert _through_json(value) == value


def test_a_time_is_written_in_utc_and_read_aware() -> None:
    """A moment told in another zone is the same moment, and is never read without a zone."""
    elsewhere = datetime(2026, 11, 24, 8, 3, tzinfo=timezone(timedelta(hours=8)))
    record = TaskMemory("READY", elsewhere)
    assert codec.dump(record)["since"] == "2026-11-24T00:03:00Z"
    back = _through_json(record)
    assert back == record
    assert back.since.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "now",
        "2026-11-24T00:03:00",
        "2026-11-24T00:03:00+08:00",
        "2026-11-24T00:03:00+08:00Z",
        "2026-13-24T00:03:00Z",
        "2026-11-24T24:03:00Z",
        1795478580,
        None,
    ],
)
def test_a_time_that_is_none_is_refused(text: Any) -> None:
    """Only a whole moment in UTC is taken for one."""
    with pytest.raises(ValueError, match=r"."):
        codec.load(TaskMemory, {"state": "READY", "since": text})


# Every field of every value in a line, each of them filled.
FULL = Entry(
    VERSION,
    EntryType.PLAN,
    NOW,
    "run-1",
    "nonce-1",
    tasks={
        "a": a_started_memory(
            since=NOW,
            asked=True,
            away=True,
            relapsed=True,
            outcome=Outcome.DONE,
            mark=HALF_WAY,
            place=HALF_WAY,
            moved=NOW,
            suspected=NOW,
            samples=(Sample(NOW, 50, 1000, 1.5, "MIGRATE_LINUX_FILE"),),
            stalled="20261124-0-1",
            parted="20261124-0-2",
            parted_at=NOW,
            failures=(NOW,),
            flaps=5,
            reminded=1,
            reminded_at=NOW,
            snoozed=NOW,
            starts=2,
            lost=1.5,
        )
    },
    watch=WatchMemory(1, NOW, "20261124-0-0", loss_told=True, unreached=("b",), digested=NOW),
    notices=(
        Notice(
            Kind.FAILED,
            NOW,
            "20261124-0-0",
            a_task(
                error_params=("192.0.2.1",),
                connected=True,
                progress=HALF_WAY,
                speed=1.5,
                remaining=7,
                source="web-01 (192.0.2.12)",
                target="web-01-new (192.0.2.13)",
                source_id="s-1",
                size=2000,
                listed=True,
            ),
            ErrorClass.TRANSIENT,
            Action.START,
            Reason.MENDABLE,
            1,
            5,
            NOW,
            NOW,
            Outcome.DONE,
            "HTTP 503",
            5,
            (Standing(a_task(progress=HALF_WAY), 2, 1.5),),
            3,
        ),
    ),
    told=("20261123-0-0",),
    starts=("a",),
    outcomes={"a": Outcome.DONE},
    message_id="m-1",
    lease=NOW,
    holder="run-1",
)
# What may be missing, and so may be null: the places in the line, without the task's id.
NULLABLE = {
    "tasks.a.last_start",
    "tasks.a.mark",
    "tasks.a.mark.percent",
    "tasks.a.mark.copied",
    "tasks.a.outcome",
    "tasks.a.place",
    "tasks.a.place.percent",
    "tasks.a.place.copied",
    "tasks.a.moved",
    "tasks.a.suspected",
    "tasks.a.samples.0.percent",
    "tasks.a.samples.0.copied",
    "tasks.a.samples.0.speed",
    "tasks.a.parted_at",
    "tasks.a.reminded_at",
    "tasks.a.snoozed",
    "watch",
    "watch.blind_since",
    "watch.digested",
    "notices.0.task.size",
    "notices.0.standings.0.task.progress.percent",
    "notices.0.standings.0.task.progress.copied",
    "notices.0.task",
    "notices.0.task.connected",
    "notices.0.task.progress.percent",
    "notices.0.task.progress.copied",
    "notices.0.task.speed",
    "notices.0.task.remaining",
    "notices.0.error_class",
    "notices.0.reason",
    "notices.0.cap",
    "notices.0.next_try",
    "notices.0.since",
    "notices.0.outcome",
    "lease",
}


def _places(data: Any, path: Path = ()) -> Iterator[Path]:
    """Give the way to every value in a line, from the outside in."""
    inner = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in inner:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from _places(value, (*path, key))


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


PLACES = list(_places(codec.dump(FULL)))


def _inside(data: Any, path: Path) -> Any:
    for key in path:
        data = data[key]
    return data


def _with(path: Path, odd: Any) -> Any:
    """Give the full line with one value put in, or in the place of another."""
    data = codec.dump(FULL)
    _inside(data, path[:-1])[path[-1]] = odd
    return data


def test_the_full_line_has_every_field() -> None:
    """The line that the next tests spoil leaves no field out."""
    for value in (FULL, FULL.tasks["a"], FULL.watch, FULL.notices[0], FULL.notices[0].task):
        assert dataclasses.is_dataclass(value)
        assert set(codec.dump(value)) == {field.name for field in dataclasses.fields(value)}
    assert _through_json(FULL) == FULL


@pytest.mark.parametrize("path", PLACES, ids=_dotted)
def test_a_value_of_another_type_is_refused(path: Path) -> None:
    """Nowhere in a line is a value of the wrong type taken, or raises anything but ValueError."""
    before = _inside(codec.dump(FULL), path)
    for odd in ODD:
        data = _with(path, odd)
        if type(odd) is type(before) or (type(before) is float and type(odd) is int):
            continue
        if odd is None and _dotted(path) in NULLABLE:
            assert codec.load(Entry, data) != FULL
            continue
        with pytest.raises(ValueError, match=r"."):
            codec.load(Entry, data)


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("tasks", "a"),
        ("tasks", "a", "mark"),
        ("watch",),
        ("notices", 0),
        ("notices", 0, "task"),
    ],
    ids=_dotted,
)
def test_a_field_of_a_later_version_is_passed_over(path: Path) -> None:
    """In any value of a line an unknown field may stand, and changes nothing."""
    data = _with((*path, "invented_next_year"), {"v": [1, None]})
    assert codec.load(Entry, data) == FULL


@pytest.mark.parametrize(
    "path", [("v",), ("type",), ("at",), ("run",), ("nonce",), ("tasks", "a", "state")]
)
def test_what_is_indispensable_must_be_there(path: Path) -> None:
    """A value without one of its own parts is refused, and the error names the value."""
    data = codec.dump(FULL)
    del _inside(data, path[:-1])[path[-1]]
    with pytest.raises(ValueError, match=r"Entry|TaskMemory"):
        codec.load(Entry, data)


def test_a_line_may_be_cut_at_no_byte() -> None:
    """Up to its closing brace no beginning of a line is a line, wherever the cut falls."""
    line = encode(dataclasses.replace(FULL, run="\U0001f4be 你好"))
    for cut in range(len(line) - 1):
        with pytest.raises(ValueError, match=r"."):
            decode(line[:cut])


@pytest.mark.parametrize("name", NAUGHTY, ids=ascii)
def test_no_name_breaks_a_line(name: str) -> None:
    """Control characters and line ends survive inside one line; half a character is replaced."""
    entry = dataclasses.replace(FULL, tasks={name: a_memory(name=name)}, run=name)
    line = encode(entry)
    assert len(line.splitlines()) == 1
    kept = name.encode("utf-8", "replace").decode()
    assert decode(line).tasks == {kept: a_memory(name=kept)}
    assert decode(line).run == kept
