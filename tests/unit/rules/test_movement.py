"""Whether a running task moves: stalls, samples and the time left, with pairs around borders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, List, Optional, Tuple

import pytest
from builders import NOW, a_policy, a_running_task, a_task, minutes
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.model.notice import Kind
from sms_watch.model.task import Progress, Task
from sms_watch.rules.decide import decide
from sms_watch.rules.movement import (
    MOST_SAMPLES,
    OLD,
    Sample,
    follow,
    forget,
    moves,
    remaining,
    stands_still,
)
from sms_watch.rules.record import TaskMemory

SECOND = timedelta(seconds=1)
POLICY = a_policy()
HERE = Progress(1, 5, 50, 1000, "MIGRATE_LINUX_FILE")
GIGABYTE = 10**9


def _record(**fields: Any) -> TaskMemory:
    """Give what is remembered of a task that was last seen to move an hour ago."""
    at = NOW - minutes(60)
    usual = {
        "state": "RUNNING",
        "since": at,
        "place": HERE,
        "moved": at,
        "suspected": NOW - minutes(15),
        "samples": (Sample(at, 50, 1000, 100.0, "MIGRATE_LINUX_FILE"),),
    }
    return TaskMemory(**{**usual, **fields})


def _still(**fields: Any) -> Task:
    return a_running_task(**{"progress": HERE, "speed": 0.0, **fields})


# Stalls


@pytest.mark.parametrize(("early", "told"), [(SECOND, False), (timedelta(0), True)])
def test_a_stall_is_told_at_stall_minutes(early: timedelta, told: bool) -> None:
    """A second before STALL_MINUTES nothing is told, at it the stall is."""
    record = _record(moved=NOW - minutes(60) + early)
    assert stands_still(_still(), record, NOW, POLICY) is told


@pytest.mark.parametrize(("early", "told"), [(SECOND, False), (timedelta(0), True)])
def test_the_last_quarter_of_a_stall_has_to_be_watched(early: timedelta, told: bool) -> None:
    """After hours in which nobody looked, one reading is a suspicion and no stall."""
    record = _record(moved=NOW - minutes(600), suspected=NOW - minutes(15) + early)
    assert stands_still(_still(), record, NOW, POLICY) is told
    assert not stands_still(_still(), replace(record, suspected=None), NOW, POLICY)


def test_a_suspicion_is_written_down_at_three_quarters() -> None:
    """A second before the last quarter of the time nothing is written, at it a sample is too."""
    early = _record(moved=NOW - minutes(45) + SECOND, suspected=None)
    assert follow(_still(), early, NOW, POLICY) is early
    record = _record(moved=NOW - minutes(45), suspected=None)
    followed = follow(_still(), record, NOW, POLICY)
    sample = Sample(NOW, 50, 1000, 0.0, "MIGRATE_LINUX_FILE")
    assert followed == replace(record, suspected=NOW, samples=(*record.samples, sample))


def test_a_suspicion_is_written_down_once() -> None:
    """A quiet run in the last quarter leaves the record as it is."""
    record = _record(suspected=NOW - minutes(5))
    assert follow(_still(), record, NOW, POLICY) is record


def test_a_task_that_moves_under_suspicion_is_cleared_at_once() -> None:
    """What moved in the last quarter begins the whole time anew."""
    record = follow(_still(progress=replace(HERE, percent=51)), _record(), NOW, POLICY)
    assert (record.moved, record.suspected) == (NOW, None)


def test_stall_minutes_of_zero_means_never() -> None:
    """With STALL_MINUTES=0 nothing is suspected and nothing is told."""
    off = a_policy(stall=timedelta(0))
    record = _record(moved=NOW - minutes(6000), suspected=None)
    assert follow(_still(), record, NOW, off) is record
    assert not stands_still(_still(), _record(moved=NOW - minutes(6000)), NOW, off)


@pytest.mark.parametrize(
    ("task", "told"),
    [
        pytest.param(_still(), True, id="nothing moved"),
        pytest.param(_still(progress=replace(HERE, percent=51)), False, id="the percentage moved"),
        pytest.param(_still(progress=replace(HERE, percent=49)), False, id="it fell back"),
        pytest.param(_still(progress=replace(HERE, copied=1001)), False, id="only bytes moved"),
        pytest.param(_still(progress=replace(HERE, step=6)), False, id="another sub-task"),
        pytest.param(_still(progress=replace(HERE, cycle=2)), False, id="another round"),
        pytest.param(_still(progress=replace(HERE, percent=None)), True, id="no percentage"),
        pytest.param(_still(progress=replace(HERE, copied=None)), True, id="no bytes"),
        pytest.param(_still(progress=replace(HERE, cycle=0)), True, id="the round is not said"),
        pytest.param(_still(speed=100.0), True, id="the speed is frozen"),
        pytest.param(_still(speed=100.1), False, id="the speed goes up and down"),
        pytest.param(_still(speed=None), True, id="no speed"),
        pytest.param(
            _still(state="SYNCING", progress=replace(HERE, percent=100)),
            False,
            id="a synchronisation with nothing to do",
        ),
        pytest.param(
            _still(state="SYNCING", progress=replace(HERE, percent=None)),
            False,
            id="a synchronisation of unknown percentage",
        ),
        pytest.param(_still(state="SYNCING"), True, id="a synchronisation in a round"),
    ],
)
def test_what_counts_as_movement(task: Task, told: bool) -> None:
    """Sub-task, percentage and bytes count in either direction, a speed only where it varies."""
    assert stands_still(task, _record(), NOW, POLICY) is told


def test_a_speed_of_zero_in_the_sample_proves_nothing_later() -> None:
    """A sample without a speed is compared with no speed."""
    unknown = _record(samples=(Sample(NOW, 50, 1000, None, "x"),))
    assert not moves(_still(speed=100.0), unknown)
    assert not moves(_still(speed=100.0), _record(samples=()))


def test_file_comparison_may_last_for_hours() -> None:
    """At one percentage, with a speed that varies and is 0 between samples, nothing is told."""
    record = None
    for minute in range(600):
        speed = 0.0 if minute % 13 == 0 else 40.0 + minute % 7
        task = _still(progress=Progress(1, 5, 6, None, "MIGRATE_LINUX_FILE"), speed=speed)
        seen = decide(task, record, NOW + minutes(minute), POLICY)
        assert seen.news == ()
        record = seen.memory


def test_a_muted_stall_writes_nothing_down() -> None:
    """Without stalled in NOTIFY_ON no stall is opened, so a quiet run leaves the record alone."""
    muted = a_policy(notify_on=frozenset({Kind.FAILED, Kind.REMINDER}))
    record = decide(_still(), _record(), NOW, muted).memory
    assert record is not None
    assert record.reminded_at is None
    assert decide(_still(), record, NOW + minutes(1), muted).memory == record


def test_a_stall_and_its_end_are_told_once_with_their_beginning() -> None:
    """Told is since when it stands; the end is told by the first reading that moved."""
    stall = decide(_still(), _record(), NOW, POLICY)
    assert (stall.news, stall.still_since) == ((Kind.STALLED,), NOW - minutes(60))
    assert stall.memory is not None
    told = replace(stall.memory, stalled="20261124-9-0")
    assert decide(_still(), told, NOW + minutes(1), POLICY).news == ()
    moved = _still(progress=replace(HERE, copied=1001))
    end = decide(moved, told, NOW + minutes(2), POLICY)
    assert (end.news, end.still_since) == ((Kind.MOVING,), NOW - minutes(60))
    assert end.memory is not None
    assert (end.memory.stalled, end.memory.moved) == ("", NOW + minutes(2))
    assert end.memory.reminded_at is None


def test_a_new_stretch_after_a_failure_begins_anew() -> None:
    """The time before a failure is no part of a stall, nor of a forecast, after it."""
    failed = decide(a_task(progress=HERE), _record(stalled="20261124-9-0"), NOW, POLICY).memory
    assert failed is not None
    assert (failed.place, failed.moved, failed.suspected) == (None, None, None)
    assert (failed.samples, failed.stalled) == ((), "")
    again = decide(_still(), failed, NOW + minutes(1), POLICY).memory
    assert again is not None
    assert again.moved == NOW + minutes(1)
    assert forget(again).moved is None


# Samples


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        ((0, 0, 0), (0, 29, 59), False),
        ((0, 0, 0), (0, 30, 0), True),
        ((0, 29, 59), (0, 30, 0), True),
        ((0, 30, 0), (0, 59, 59), False),
    ],
)
def test_a_sample_is_taken_in_each_half_of_an_hour(
    last: Tuple[int, int, int], now: Tuple[int, int, int], due: bool
) -> None:
    """The halves are those of the clock, so that all tasks are written down in one line."""
    midnight = NOW.replace(hour=0, minute=0, second=0)
    before, moment = (
        midnight + timedelta(hours=hour, minutes=minute, seconds=second)
        for hour, minute, second in (last, now)
    )
    record = follow(_still(), TaskMemory("RUNNING", before), before, POLICY)
    assert len(record.samples) == 1
    moved = _still(progress=replace(HERE, percent=51))
    assert (follow(moved, record, moment, POLICY) != record) is due


def test_what_stands_still_is_not_sampled() -> None:
    """Another half of an hour in which nothing moved leaves no sample."""
    record = _record(moved=NOW - minutes(40), suspected=None)
    assert follow(_still(), record, NOW, POLICY) is record


def test_few_samples_are_kept_and_one_of_them_is_old() -> None:
    """An old one to measure from, two hours at most, and the newest two; the newest is last."""
    record: TaskMemory = TaskMemory("RUNNING", NOW)
    for number in range(20):
        task = _still(progress=replace(HERE, percent=number))
        now = NOW + minutes(30 * number)
        record = follow(task, record, now, POLICY)
        assert len(record.samples) == min(number + 1, MOST_SAMPLES)
        assert record.samples[-1].at == now
        assert [each.at for each in record.samples] == sorted(each.at for each in record.samples)
        assert now - record.samples[0].at <= OLD
        assert number < 3 or now - record.samples[0].at >= minutes(60)


def test_a_short_stall_is_not_told_late_for_want_of_samples() -> None:
    """With STALL_MINUTES below a quarter of an hour, movement is written down often enough."""
    policy = a_policy(stall=minutes(8))
    record, told = None, []
    for minute in range(30):
        percent = min(minute, 10)
        task = _still(progress=Progress(1, 5, percent))
        decision = decide(task, record, NOW + minutes(minute), policy)
        record = decision.memory
        if Kind.STALLED in decision.news:
            told.append(minute)
    # It last moved at minute 10; what is written down may be three quarters of the time later.
    assert 18 <= told[0] <= 18 + 6 + 1


# The time left


def _sample(ago: float, percent: Optional[int] = 50, copied: Optional[int] = None) -> Sample:
    return Sample(NOW - minutes(ago), percent, copied, None, "MIGRATE_LINUX_FILE")


def _at(percent: Optional[int] = 60, copied: Optional[int] = None, **fields: Any) -> Task:
    progress = Progress(1, 5, percent, copied, "MIGRATE_LINUX_FILE")
    return a_running_task(**{"progress": progress, **fields})


HALF = 50 * GIGABYTE
TASK_BY_BYTES = _at(None, HALF, size=100 * GIGABYTE)


@pytest.mark.parametrize(
    ("task", "samples", "left"),
    [
        pytest.param(_at(60), [_sample(30)], 2 * 3600, id="by percent"),
        pytest.param(TASK_BY_BYTES, [_sample(10, copied=HALF // 2)], 1200, id="by bytes"),
        pytest.param(
            replace(TASK_BY_BYTES, progress=replace(TASK_BY_BYTES.progress, percent=99)),
            [_sample(10, 1, HALF // 2)],
            1200,
            id="bytes before percent",
        ),
        pytest.param(_at(60, HALF), [_sample(30, 50, 0)], 2 * 3600, id="bytes of unknown size"),
        pytest.param(_at(60), [_sample(30), _sample(15, 59)], 2 * 3600, id="the oldest sample"),
        pytest.param(_at(60), [_sample(10)], 2400, id="ten minutes are enough"),
        pytest.param(_at(60), [_sample(10 - 1 / 60)], None, id="a second less is not"),
        pytest.param(_at(52), [_sample(30)], 48 * 900, id="two percent are enough"),
        pytest.param(_at(51), [_sample(30)], None, id="one percent is not"),
        pytest.param(_at(50), [_sample(30)], None, id="nothing moved"),
        pytest.param(_at(40), [_sample(30)], None, id="it fell back"),
        pytest.param(_at(100), [_sample(30)], 0, id="it is there"),
        pytest.param(_at(60), [], None, id="nothing measured"),
        pytest.param(_at(None), [_sample(30)], None, id="no percentage"),
        pytest.param(_at(60), [replace(_sample(30), sub_task="x")], None, id="another sub-task"),
        pytest.param(
            _at(60),
            [replace(_sample(60), sub_task="x"), _sample(30)],
            2 * 3600,
            id="the oldest of this sub-task",
        ),
        pytest.param(_at(60, state="SYNCING"), [_sample(30)], None, id="a synchronisation"),
        pytest.param(_at(60, state="ABORT"), [_sample(30)], None, id="a pause"),
        pytest.param(
            replace(TASK_BY_BYTES, size=20 * GIGABYTE),
            [_sample(10, copied=0)],
            0,
            id="more copied than there was",
        ),
        pytest.param(
            replace(TASK_BY_BYTES, size=10**16),
            [_sample(180, copied=HALF - 1)],
            None,
            id="a creeping copy",
        ),
    ],
)
def test_how_long_the_rest_takes(task: Task, samples: List[Sample], left: Optional[int]) -> None:
    """The time left is measured over the samples of this sub-task; otherwise it is not told."""
    assert remaining(task, samples, NOW) == left


def test_a_stalled_task_has_no_forecast() -> None:
    """Where nothing moves, the advance of hours ago promises no end."""
    record = _record(samples=(_sample(90, 30), _sample(60)))
    before = decide(_still(), replace(record, suspected=None), NOW, POLICY)
    assert before.task is not None
    assert before.task.remaining is not None
    stall = decide(_still(), record, NOW, POLICY)
    assert stall.task is not None
    assert stall.task.remaining is None


# Any sequence

percents = st.none() | st.integers(0, 100)
readings = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.builds(Progress, st.integers(0, 2), st.integers(0, 3), percents, percents),
        st.sampled_from([None, 0.0, 10.0, 11.0]),
    ),
    max_size=30,
)


@given(readings, st.integers(1, 120))
def test_no_stall_is_told_early(
    seen: List[Tuple[int, Progress, Optional[float]]], stall: int
) -> None:
    """Whatever is read: a told stall stood still in every reading of the last STALL_MINUTES."""
    policy = a_policy(stall=minutes(stall))
    now, record = NOW, None
    past: List[Tuple[datetime, Progress]] = []
    for gap, progress, speed in seen:
        now += minutes(gap)
        past.append((now, progress))
        decision = decide(a_running_task(progress=progress, speed=speed), record, now, policy)
        record = decision.memory
        if Kind.STALLED not in decision.news:
            continue
        assert record is not None
        assert now - past[0][0] >= policy.stall
        recent = [place for at, place in past if at > now - policy.stall]
        assert record.place is not None
        assert not progress.differs(record.place)
        assert len(recent) >= 1
        assert decision.still_since is not None
        assert now - decision.still_since >= policy.stall
        record = replace(record, stalled="told")


@given(st.lists(st.integers(1, 59), min_size=1, max_size=40))
def test_a_task_that_rises_at_each_reading_never_stalls(gaps: List[int]) -> None:
    """However seldom it is looked at, a percentage that grows is no stall."""
    now, record = NOW, None
    for percent, gap in enumerate(gaps):
        now += minutes(gap * 3)
        seen = decide(_still(progress=Progress(1, 5, percent)), record, now, POLICY)
        record = seen.memory
        assert seen.news == ()


@given(
    st.lists(st.builds(_sample, st.integers(0, 200), percents, st.none() | st.integers(0, 10**15))),
    percents,
    st.none() | st.integers(0, 10**15),
    st.none() | st.integers(0, 10**15),
)
def test_the_time_left_is_never_negative_nor_absurd(
    samples: List[Sample], percent: Optional[int], copied: Optional[int], size: Optional[int]
) -> None:
    """A forecast lies between now and a year, or there is none."""
    left = remaining(_at(percent, copied, size=size), samples, NOW)
    assert left is None or 0 <= left <= 366 * 24 * 3600
