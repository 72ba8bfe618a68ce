"""Values to JSON and back: nothing lost, nothing guessed."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterator, Tuple, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.journal import codec
from sms_watch.journal.entries import Delivery, Entry, EntryType, decode, encode
from sms_watch.model.forecast import End, Forecast
from sms_watch.model.notice import Action, Digest, DigestRow, Kind, Outcome, Reason, Start
from sms_watch.model.task import ErrorClass, Progress, Task, TaskError, Transfer
from sms_watch.rules.agent import Agent
from sms_watch.rules.airtime import Airtime
from sms_watch.rules.call import Call
from sms_watch.rules.failure import Failure
from sms_watch.rules.first_copy import FirstCopy
from sms_watch.rules.movement import Sample
from sms_watch.rules.pace import Stretches
from sms_watch.rules.record import Lease, TaskRecord, Totals, WatchRecord
from sms_watch.rules.sight import Sight
from tests.support.builders import NOW, a_notice, a_record, a_started_record, a_task
from tests.support.strategies import entries, notices, progresses, records, tasks, watches

Path = Tuple[Union[str, int], ...]

HALF_WAY = Progress(5, 50, 7, "MIGRATE_LINUX_FILE")
# A value or two of every type that JSON has.
ODD = [None, True, 7, 1.5, "text", [], {}, [7], {"a": 7}]
NAUGHTY = ["\ud800", "\x00\x1f\x7f\x85", "a\r\nb\u2028\u2029", "\U0001f4be 你好", '"\\', "\ufeff"]


def _through_json(value: Any) -> Any:
    return codec.load(type(value), json.loads(json.dumps(codec.dump(value), allow_nan=False)))


@given(st.one_of(progresses, tasks, records, watches, notices, entries))
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    """Whatever the journal holds is equal after it was written and read."""
    assert _through_json(value) == value


@given(st.one_of(tasks, records, watches))
def test_what_comes_back_has_the_types_that_it_had(value: Any) -> None:
    """Words come back as words, tuples as tuples, so that comparing by identity stays true."""
    back = _through_json(value)
    for field in dataclasses.fields(value):
        assert type(getattr(back, field.name)) is type(getattr(value, field.name)), field.name


def test_words_come_back_as_members() -> None:
    """A rule that asks `is Action.START` must get the member, not the string."""
    start = Start("20261124-0-0-start", Outcome.DONE)
    notice = _through_json(a_notice(Kind.FAILED, action=Action.START, start=start))
    assert notice.kind is Kind.FAILED
    assert notice.verdict.action is Action.START
    assert notice.verdict.start.outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Progress(), {}),
        (Progress(percent=0, copied=0), {"percent": 0, "copied": 0}),
        (WatchRecord(loss_told=True), {"loss_told": True}),
        (Task("a", "", "READY", connected=False), {"connected": False}),
        (Task("a", "", "READY", error=TaskError()), {}),
        (Task("a", "", "READY", error=TaskError(params=("b",))), {"error": {"params": ["b"]}}),
        (Task("a", "", "READY", progress=Progress(1)), {"progress": {"place": 1}}),
        (TaskRecord("READY", NOW), {"since": "2026-11-24T00:03:00Z"}),
    ],
)
def test_only_what_equals_its_default_is_left_out(value: Any, written: Dict[str, Any]) -> None:
    """Nought and false are values of their own wherever the default is another."""
    always = {"id": "a", "name": "", "state": "READY"}
    expected = {**{k: v for k, v in always.items() if hasattr(value, k)}, **written}
    if isinstance(value, TaskRecord):
        del expected["name"]
    assert codec.dump(value) == expected
    assert _through_json(value) == value


def test_a_time_is_written_in_utc_and_read_aware() -> None:
    """A moment told in another zone is the same moment, and is never read without a zone."""
    elsewhere = datetime(2026, 11, 24, 8, 3, tzinfo=timezone(timedelta(hours=8)))
    record = TaskRecord("READY", elsewhere)
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
        "2026-11-24Z",
        "20261124T000300Z",
        "1999-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        1795478580,
        None,
    ],
)
def test_a_time_that_is_none_is_refused(text: Any) -> None:
    """Only a whole moment in UTC is taken for one."""
    with pytest.raises(ValueError, match=r"."):
        codec.load(TaskRecord, {"state": "READY", "since": text})


@pytest.mark.parametrize("number", [-1, -(10**9), 10**18 + 1, 10**400])
def test_a_number_that_counts_nothing_is_refused(number: int) -> None:
    """What is counted is never below 0, and no sum of it leaves what a machine can hold."""
    with pytest.raises(ValueError, match=r"."):
        codec.load(Totals, {"starts": number})
    assert codec.load(Totals, {"starts": 10**18}).starts == 10**18


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e19, 10**400, -(10**400)])
def test_a_fraction_that_is_no_number_is_refused(number: Any) -> None:
    """Neither what is no number nor what is without end is ever reckoned with."""
    with pytest.raises(ValueError, match=r"."):
        codec.load(Transfer, {"speed": number})


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Failure, {"flaps": 5}),
        (Failure, {"event_id": "7"}),
        (Call, {"event_id": "2026-11-24T00:03-failed", "at": "2026-11-24T00:03:00Z"}),
        (Agent, {"event_id": "x"}),
        (Sight, {"since": "2026-11-24T00:03:00Z", "event_id": "x"}),
        (WatchRecord, {"event_id": "x"}),
        (Totals, {"seconds_failed": 1e12}),
        (DigestRow, {"task": {"id": "a", "name": "", "state": ""}, "seconds_failed": -1e12}),
        (Transfer, {"remaining": 10**12}),
    ],
)
def test_a_value_whose_fields_do_not_fit_each_other_is_refused(kind: Any, data: Any) -> None:
    """What no run would have written is not taken, so that it breaks none later."""
    with pytest.raises(ValueError, match=r"."):
        codec.load(kind, data)


@pytest.mark.parametrize("row", [[], ["2026-11-24T00:03:00Z", 50], {"at": 1}, None, "text"])
def test_a_sample_is_a_row_of_all_its_fields(row: Any) -> None:
    """One that is too short is refused; more of a later version may stand behind it."""
    with pytest.raises(ValueError, match=r"."):
        codec.load(Sample, row)
    whole = ["2026-11-24T00:03:00Z", 50, None, 1.5, "x"]
    assert codec.load(Sample, [*whole, {"invented": 1}]) == Sample(NOW, 50, None, 1.5, "x")
    assert codec.dump(Sample(NOW, 50, None, 1.5, "x")) == whole


# Every field of every value in a line, each of them filled.
FULL_TASK = a_task(
    error_params=("192.0.2.1",),
    connected=True,
    progress=HALF_WAY,
    speed=1.5,
    size=2000,
    remaining=7,
    source="web-01 (192.0.2.12)",
    target="web-01-new (192.0.2.13)",
    source_id="s-1",
    listed=True,
)
FULL = Entry(
    EntryType.PLAN,
    NOW,
    "run-1",
    "nonce-1",
    tasks={
        "a": a_started_record(
            since=NOW,
            last_id="20261124-0-0-start",
            outcome=Outcome.DONE,
            furthest=HALF_WAY,
            call=Call("20261124-0-0-needs_person", NOW, 1),
            on_probation=True,
            recent=(NOW,),
            flaps=5,
            skips=3,
            in_vain_since=NOW,
            away_since=NOW,
            back_at=NOW,
            lost_event="20261124-0-2-disconnected",
            lost_at=NOW,
            last_progress=HALF_WAY,
            moved_at=NOW,
            suspected_at=NOW,
            samples=(Sample(NOW, 50, 1000, 1.5, "MIGRATE_LINUX_FILE"),),
            stall=Call("20261124-0-1-stalled", NOW, 2),
            first_copy=FirstCopy(NOW, 7, NOW),
            before=Stretches("MIGRATE_LINUX_FILE", 3600.5, 4.5, 5.5),
            rest=Call("20261124-0-1-hanging", NOW, 2),
            snoozed_until=NOW,
            total_starts=2,
            seconds_failed=1.5,
        )
    },
    watch=WatchRecord(
        1,
        NOW,
        "20261124-0-0-blind",
        loss_told=True,
        unread={"b": Sight(NOW, 3, "20261124-0-1-unreadable", NOW)},
        absent={"c": Sight(NOW, 2, "20261124-0-1-gone", NOW)},
        short_lists=3,
        unlisted=NOW,
        digested_at=NOW,
        airtime={"a": Airtime((NOW,), 2, NOW)},
    ),
    notices=(
        a_notice(
            task=FULL_TASK,
            action=Action.START,
            reason=Reason.RESTARTABLE,
            error_class=ErrorClass.TRANSIENT,
            number=1,
            cap=5,
            next_try=NOW,
            in_vain_since=NOW,
            start=Start("20261124-0-0-start", Outcome.DONE, "HTTP 503"),
            unread_since=NOW,
            follows=("20261123-0-0-failed",),
            since=NOW,
            count=5,
            detail="HTTP 503",
            rows=(DigestRow(FULL_TASK, 2, 1.5, NOW),),
            more=3,
            unread="1 could not be read",
            forecast=Forecast(End(NOW, NOW, NOW, "a", "db-01"), 6, 5, 4, 3, 2, 1),
        ),
    ),
    delivered=Delivery("m-1", ("20261123-0-0-failed",)),
    starts={"a": Start("20261124-0-0-start", Outcome.DONE, "HTTP 503")},
    lease=Lease(NOW, "run-1"),
)
# What may be missing, and so may be null: the places in the line, without the task's id.
NULLABLE = {
    "tasks.a.starts.in_vain_since",
    "tasks.a.starts.last_at",
    "tasks.a.starts.outcome",
    "tasks.a.starts.furthest",
    "tasks.a.starts.furthest.place",
    "tasks.a.starts.furthest.percent",
    "tasks.a.starts.furthest.copied",
    "tasks.a.failure.call",
    "tasks.a.agent.away_since",
    "tasks.a.agent.back_at",
    "tasks.a.agent.lost_at",
    "tasks.a.movement.last_progress",
    "tasks.a.movement.last_progress.place",
    "tasks.a.movement.last_progress.percent",
    "tasks.a.movement.last_progress.copied",
    "tasks.a.movement.moved_at",
    "tasks.a.movement.suspected_at",
    *(f"tasks.a.movement.samples.0.{place}" for place in (1, 2, 3)),  # percent, bytes, speed
    "tasks.a.movement.stall",
    "tasks.a.movement.first_copy.begun_at",
    "tasks.a.movement.first_copy.copied",
    "tasks.a.movement.first_copy.done_at",
    "tasks.a.movement.before",
    *(f"tasks.a.movement.before.{place}" for place in (2, 3)),  # percent and bytes
    "tasks.a.rest",
    "tasks.a.snoozed_until",
    "watch",
    "watch.blind_since",
    "watch.unread.b.passed_at",
    "watch.absent.c.passed_at",
    "watch.unlisted",
    "watch.digested_at",
    "watch.airtime.a.held_since",
    "notices.0.task",
    *(
        f"notices.0.{task}.{place}"
        for task in ("task", "digest.rows.0.task")
        for place in (
            "connected",
            "progress.place",
            "progress.percent",
            "progress.copied",
            "transfer.speed",
            "transfer.size",
            "transfer.remaining",
        )
    ),
    "notices.0.verdict.reason",
    "notices.0.verdict.error_class",
    "notices.0.verdict.attempt.cap",
    "notices.0.verdict.attempt.next_try",
    "notices.0.verdict.attempt.in_vain_since",
    "notices.0.verdict.start",
    "notices.0.verdict.unread_since",
    "notices.0.since",
    "notices.0.digest.rows.0.still_since",
    "notices.0.digest.forecast.end",
    "delivered",
    "lease",
}


def _places(data: Any, path: Path = ()) -> Iterator[Path]:
    """Return the way to every value in a line, from the outside in."""
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
    """Return the full line with one value put in, or in the place of another."""
    data = codec.dump(FULL)
    _inside(data, path[:-1])[path[-1]] = odd
    return data


def _values(value: Any) -> Iterator[Any]:
    """Return every dataclass within a value, and the value itself if it is one."""
    inner: Any = value
    if dataclasses.is_dataclass(value):
        yield value
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
    for each in inner.values() if isinstance(inner, dict) else inner:
        if dataclasses.is_dataclass(each) or isinstance(each, (tuple, dict)):
            yield from _values(each)


def test_the_full_line_has_every_field() -> None:
    """The line that the next tests spoil leaves no field of any value out."""
    for value in _values(FULL):
        assert set(codec.dump(value)) == {field.name for field in dataclasses.fields(value)}
    kinds = {type(value) for value in _values(FULL)}
    assert kinds >= {TaskRecord, Failure, Call, Start, Lease, Delivery, Digest}
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
        ("tasks", "a", "starts"),
        ("tasks", "a", "failure", "call"),
        ("watch",),
        ("notices", 0),
        ("notices", 0, "task", "error"),
        ("notices", 0, "verdict", "attempt"),
    ],
    ids=_dotted,
)
def test_a_field_of_a_later_version_is_passed_over(path: Path) -> None:
    """In any value of a line an unknown field may stand, and changes nothing."""
    data = _with((*path, "invented_next_year"), {"v": [1, None]})
    assert codec.load(Entry, data) == FULL


@pytest.mark.parametrize(
    "path",
    [
        ("type",),
        ("at",),
        ("run",),
        ("nonce",),
        ("tasks", "a", "state"),
        ("tasks", "a", "failure", "call", "at"),
        ("notices", 0, "event_id"),
        ("lease", "holder"),
    ],
    ids=_dotted,
)
def test_what_is_indispensable_must_be_there(path: Path) -> None:
    """A value without one of its own parts is refused, and the error names the value."""
    data = codec.dump(FULL)
    del _inside(data, path[:-1])[path[-1]]
    with pytest.raises(ValueError, match=r"Entry|TaskRecord|Call|Notice|Lease"):
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
    entry = dataclasses.replace(FULL, tasks={name: a_record(name=name)}, run=name)
    line = encode(entry)
    assert len(line.splitlines()) == 1
    kept = name.encode("utf-8", "replace").decode()
    assert decode(line).tasks == {kept: a_record(name=kept)}
    assert decode(line).run == kept
