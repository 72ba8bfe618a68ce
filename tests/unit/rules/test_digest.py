"""What is said regularly: when the digest comes, whom it shows, and what it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, List, Optional

import pytest

from sms_watch.model.forecast import Forecast
from sms_watch.model.notice import Digest, Kind, Notice, Outcome, Verdict
from sms_watch.model.task import Gone, Observation, Progress, Task, TaskState, Unread
from sms_watch.rules.call import Call
from sms_watch.rules.decide import apply_outcome
from sms_watch.rules.decision import Decision
from sms_watch.rules.digest import MOST_ROWS, digest
from sms_watch.rules.draft import Commands, Plan
from sms_watch.rules.record import Memory, TaskRecord, WatchRecord
from tests.support.builders import (
    DISK_FULL,
    NOW,
    a_policy,
    a_record,
    a_running_task,
    a_started_record,
    a_task,
    minutes,
    varied,
)
from tests.support.planning import NOTHING, a_plan, after, heard, kinds

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FULL = a_task(code=DISK_FULL)
DAILY = a_policy(digest=24 * HOUR)
STALL = Call("20261123-0-0-stalled", NOW)
# Of a failure that needs a person; that was told an hour ago, so it is not repeated yet.
OPEN = a_record(
    code=DISK_FULL, since=NOW - HOUR, call=Call("20261123-0-0-needs_person", NOW - HOUR)
)


def _the(planned: Plan) -> Notice:
    """Return the digest in a plan."""
    return next(notice for notice in planned.notices if notice.kind is Kind.DIGEST)


def _asked(seen: List[Observation], memory: Memory = NOTHING, **situation: Any) -> Digest:
    """Return the digest that somebody asked for."""
    commands = Commands(digest=True)
    return _the(a_plan(seen, memory, commands=commands, **situation)).digest


def _known(task: Task, record: Optional[TaskRecord] = None) -> Decision:
    """Return the decision about a task that is remembered like this."""
    record = record or TaskRecord(task.state, NOW)
    return Decision(task.id, Verdict(), task=task, record=record)


# When


def test_the_first_digest_comes_after_digest_hours() -> None:
    """The first run only notes when it was; at DIGEST_HOURS the digest comes, then again."""
    memory, told = Memory(), []
    for hour in range(73):
        task = a_running_task(progress=Progress(5, hour))
        planned = a_plan([task], memory, now=NOW + hour * HOUR, policy=DAILY)
        memory = after(planned, memory)
        told += [(hour, notice.kind, notice.since) for notice in planned.notices]
    assert told == [(24 * day, Kind.DIGEST, NOW + 24 * (day - 1) * HOUR) for day in (1, 2, 3)]


@pytest.mark.parametrize(("early", "told"), [(SECOND, False), (timedelta(0), True)])
def test_a_digest_is_due_to_the_second(early: timedelta, told: bool) -> None:
    """Before DIGEST_HOURS since the last one there is none."""
    watch = WatchRecord(digested_at=NOW - 24 * HOUR + early)
    planned = a_plan([FULL], Memory({"a": OPEN}, watch=watch), policy=DAILY)
    assert (Kind.DIGEST in kinds(planned)) is told


def test_a_digest_can_be_muted_and_asked_for() -> None:
    """DIGEST_HOURS=0 means none, and the command report always one, whatever NOTIFY_ON says."""
    memory = Memory({"a": OPEN}, watch=WatchRecord(digested_at=NOW - 99 * HOUR))
    for policy in (a_policy(), a_policy(notify_on=frozenset(Kind) - {Kind.DIGEST})):
        assert a_plan([FULL], memory, policy=policy).empty
        asked = a_plan([FULL], memory, policy=policy, commands=Commands(digest=True))
        assert kinds(asked) == [Kind.DIGEST]
        assert asked.watch is not None
        assert asked.watch.digested_at == NOW


def test_a_regular_digest_waits_until_something_can_be_read() -> None:
    """A digest of nothing is not sent; one that is asked for says what could not be read."""
    memory = Memory({"a": OPEN}, watch=WatchRecord(digested_at=NOW - 24 * HOUR))
    blind: List[Observation] = [Unread("a", "HTTP 503")]
    assert kinds(a_plan(blind, memory, policy=DAILY)) == []
    unread = "1 could not be read: HTTP 503"
    assert _asked(blind, memory, policy=DAILY) == Digest(unread=unread, forecast=Forecast(unread=1))
    seen: List[Observation] = [FULL, Unread("b", "HTTP 503")]
    assert _the(a_plan(seen, memory, policy=DAILY)).digest.unread == unread


# What it counts


def test_the_time_lost_is_counted_from_digest_to_digest() -> None:
    """A task that stands failed over a digest loses its time before it and after it, once each."""
    failed = a_record(since=NOW - 5 * HOUR, seconds_failed=600.0)
    assert failed.seconds_failed(NOW) == 5 * 3600 + 600
    counted = failed.digested(NOW)
    assert counted.seconds_failed(NOW) == 0
    assert counted.seconds_failed(NOW + HOUR) == 3600
    running = counted.read(a_running_task(), NOW + HOUR, begins=True)
    assert running.seconds_failed(NOW + 9 * HOUR) == 3600


def test_a_night_of_failures_adds_up_over_all_digests() -> None:
    """However failures, runs and digests lie, the seconds lost are those spent failed."""
    memory, told = Memory(), 0.0
    policy = a_policy(digest=minutes(7 * 60 + 13))
    for minute in range(24 * 60):
        fails = minute % 50 < 20
        task = a_task() if fails else a_running_task(progress=Progress(5, minute // 15))
        planned = a_plan([task], memory, now=NOW + minutes(minute), policy=policy)
        memory = after(planned, memory)
        rows = [row for notice in planned.notices for row in notice.digest.rows]
        told += sum(row.seconds_failed for row in rows)
    left = memory.tasks["a"].seconds_failed(NOW + minutes(24 * 60 - 1))
    assert told + left == 60 * sum(minute % 50 < 20 for minute in range(24 * 60))


@pytest.mark.parametrize(
    ("outcome", "next_"),
    [
        (Outcome.DONE, 1),
        (Outcome.UNKNOWN, 1),
        (Outcome.REFUSED, 0),
        (Outcome.FAILED, 0),
        (Outcome.SKIPPED, 0),
    ],
)
def test_a_start_in_the_run_of_a_digest_is_counted_once(outcome: Outcome, next_: int) -> None:
    """What becomes of it is not known yet, so it belongs to the next digest, if it was taken."""
    memory = Memory({"a": a_started_record(2, ago=60, total_starts=3)})
    planned = a_plan([a_task()], memory, commands=Commands(digest=True))
    (start,) = planned.starts
    assert _the(planned).digest.rows[0].starts == 3
    assert apply_outcome(start, planned.tasks["a"], outcome).totals.starts == next_


@pytest.mark.parametrize("absent", [Unread("a", "HTTP 503"), Gone("a")], ids=["unseen", "gone"])
def test_a_task_that_was_not_seen_keeps_its_counts(absent: Observation) -> None:
    """A digest that does not show it ends no count of it."""
    memory = Memory({"a": a_record(total_starts=3, seconds_failed=60.0)})
    seen: List[Observation] = [absent, a_running_task(id="b")]
    planned = a_plan(seen, memory, commands=Commands(digest=True))
    assert set(planned.tasks) == {"b"}


# Whom it shows


def test_the_most_urgent_come_first() -> None:
    """What failed, was rolled back, or paused by SMS; what stands still; then the others."""
    stalled = varied(TaskRecord("RUNNING", NOW), stall=STALL, moved_at=NOW)
    hanging = TaskRecord("RESETING", NOW, rest=Call("20261123-0-0-hanging", NOW))
    shown = digest(
        [
            _known(a_running_task(id="1", name="z")),
            _known(a_running_task(id="2", name="y"), stalled),
            _known(a_task(id="3", name="x")),
            _known(a_task(id="4", name="w", state="ABORT", code="")),
            _known(a_task(id="8", name="w", state="ABORT", code="SMS.9007")),
            _known(a_task(id="5", name="v", state="INVENTED")),
            _known(a_task(id="6", name="u", state="SYNC_F_ROLLBACK_SUCCESS")),
            _known(a_task(id="7", name="t")),
            _known(a_task(id="9", name="s", state="RESETING", code=""), hanging),
            _known(a_task(id="0", name="r", state="RESETING", code="")),
        ],
        NOW,
    )
    assert "".join(row.task.id for row in shown.rows) == "7368925401"
    assert [row.task.id for row in shown.rows if row.still_since] == ["9", "2"]
    assert shown.more == 0


def test_those_that_need_nobody_stand_together_by_what_they_do() -> None:
    """Those ready for cut-over follow those on their way, and the finished ones come last."""
    states = ["MIGRATE_SUCCESS", "SYNCING", "RUNNING", "READY", "ABORT"] * 2
    tasks = [a_task(id=str(n), name=str(n), state=state, code="") for n, state in enumerate(states)]
    shown = digest([_known(task) for task in tasks], NOW)
    assert "".join(row.task.id for row in shown.rows) == "4927381605"


@pytest.mark.parametrize("state", [*TaskState, "INVENTED"])
def test_a_digest_has_a_place_for_every_state(state: str) -> None:
    """A run that sends a digest fails for none of them."""
    assert len(digest([_known(a_task(state=state, code=""))], NOW).rows) == 1


@pytest.mark.parametrize(("number", "more"), [(100, 0), (101, 1)])
def test_a_digest_holds_a_hundred_tasks(number: int, more: int) -> None:
    """Those that need nobody are counted when there is no room for them."""
    calm = [_known(a_running_task(id=f"t{n}", name="a")) for n in range(number - 1)]
    shown = digest([*calm, _known(a_task(id="bad", name="z"))], NOW)
    assert (len(shown.rows), shown.more) == (MOST_ROWS, more)
    assert shown.rows[0].task.id == "bad"


def test_the_forecast_of_a_digest_is_that_of_all_tasks() -> None:
    """Also of those that it has no room to list: how many are ready for cut-over is the whole."""
    calm: List[Observation] = [
        a_running_task(id=f"t{n}", state="SYNCING") for n in range(MOST_ROWS)
    ]
    shown = _asked([*calm, a_task(id="bad"), a_running_task(id="new")])
    assert shown.more == 2
    assert shown.forecast == Forecast(copying=1, unmeasured=1, still=1, ready=MOST_ROWS)


def test_a_task_that_is_gone_is_in_no_digest() -> None:
    """Only what the service still has is listed, what rests as well."""
    finished = a_task(state="MIGRATE_SUCCESS", code="")
    seen: List[Observation] = [finished, a_running_task(id="b"), Gone("c")]
    assert {row.task.id for row in _asked(seen).rows} == {"a", "b"}


HERE = Progress(5, 50)
# It was last seen to move ten hours ago, and has been watched for a stall since.
STANDS = varied(
    TaskRecord("RUNNING", NOW - 11 * HOUR),
    last_progress=HERE,
    moved_at=NOW - 10 * HOUR,
    suspected_at=NOW - 9 * HOUR,
)


@pytest.mark.parametrize("wanted", [frozenset(Kind), frozenset({Kind.DIGEST})])
@pytest.mark.parametrize(
    "record", [STANDS, varied(STANDS, stall=STALL)], ids=["told in this run", "told before"]
)
def test_a_task_that_stands_still_is_shown_as_that(record: TaskRecord, wanted: Any) -> None:
    """Also in the run that finds it out, and also where nobody wants to hear of stalls."""
    task = a_running_task(progress=HERE)
    (row,) = _asked([task], Memory({"a": record}), policy=a_policy(notify_on=wanted)).rows
    assert row.still_since == NOW - 10 * HOUR


def test_a_digest_shows_what_the_same_run_has_changed() -> None:
    """A task that moves again is shown as running, under a notice that says so."""
    moves = a_running_task(progress=replace(HERE, percent=51))
    planned = a_plan(
        [moves], heard(Memory({"a": varied(STANDS, stall=STALL)})), commands=Commands(digest=True)
    )
    assert kinds(planned) == [Kind.DIGEST, Kind.MOVING]
    assert _the(planned).digest.rows[0].still_since is None
