"""Whether a running task moves: stalls, samples and the time left, with pairs around borders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.model.notice import Kind, closing_id
from sms_watch.model.task import Progress, Task
from sms_watch.rules.call import Call
from sms_watch.rules.decide import decide
from sms_watch.rules.movement import MOST_SAMPLES, Movement, Sample
from sms_watch.rules.pace import OLD, Stretches
from sms_watch.rules.record import TaskRecord
from tests.support.builders import (
    NOW,
    a_policy,
    a_reading,
    a_record,
    a_running_task,
    a_task,
    minutes,
)

SECOND = timedelta(seconds=1)
STALL = a_policy().stall
NEVER = timedelta(0)
HERE = Progress(5, 50, 1000, "MIGRATE_LINUX_FILE")
GIGABYTE = 10**9
EVENT = "20261124-4711-0"
STALLED = Call(f"{EVENT}-stalled", NOW)


def _movement(**fields: Any) -> Movement:
    """Return that of a task that was last seen to move an hour ago."""
    at = NOW - minutes(60)
    usual = {
        "last_progress": HERE,
        "moved_at": at,
        "suspected_at": NOW - minutes(15),
        "samples": (Sample(at, 50, 1000, 100.0, "MIGRATE_LINUX_FILE"),),
    }
    return Movement(**{**usual, **fields})


def _still(**fields: Any) -> Task:
    return a_running_task(**{"progress": HERE, "speed": 0.0, **fields})


def _read(movement: Movement, task: Task, now: datetime = NOW) -> Tuple[Movement, Optional[Kind]]:
    return movement.read(task, now, STALL, EVENT)


# Stalls


@pytest.mark.parametrize(("early", "told"), [(SECOND, False), (timedelta(0), True)])
def test_a_stall_is_told_at_stall_minutes(early: timedelta, told: bool) -> None:
    """A second before STALL_MINUTES nothing is told, at it the stall is."""
    movement = _movement(moved_at=NOW - minutes(60) + early)
    assert _read(movement, _still())[1] is (Kind.STALLED if told else None)


@pytest.mark.parametrize(("early", "told"), [(SECOND, False), (timedelta(0), True)])
def test_the_last_quarter_of_a_stall_has_to_be_watched(early: timedelta, told: bool) -> None:
    """After hours in which nobody looked, one reading is a suspicion and no stall."""
    watched = NOW - minutes(15) + early
    movement = _movement(moved_at=NOW - minutes(600), suspected_at=watched)
    assert _read(movement, _still())[1] is (Kind.STALLED if told else None)
    assert _read(replace(movement, suspected_at=None), _still())[1] is None


def test_a_suspicion_is_written_down_at_three_quarters() -> None:
    """A second before the last quarter of the time nothing is written, at it a sample is too."""
    early = _movement(moved_at=NOW - minutes(45) + SECOND, suspected_at=None)
    assert _read(early, _still())[0] is early
    movement = _movement(moved_at=NOW - minutes(45), suspected_at=None)
    sample = Sample(NOW, 50, 1000, 0.0, "MIGRATE_LINUX_FILE")
    suspected = replace(movement, suspected_at=NOW, samples=(*movement.samples, sample))
    assert _read(movement, _still()) == (suspected, None)


def test_a_suspicion_is_written_down_once() -> None:
    """A quiet run in the last quarter leaves everything as it is."""
    movement = _movement(suspected_at=NOW - minutes(5))
    assert _read(movement, _still())[0] is movement


def test_a_task_that_moves_under_suspicion_is_cleared_at_once() -> None:
    """What moved in the last quarter begins the whole time anew."""
    movement, news = _read(_movement(), _still(progress=replace(HERE, percent=51)))
    assert (movement.moved_at, movement.suspected_at, news) == (NOW, None, None)


@pytest.mark.parametrize(("still", "told"), [(60, False), (119, False), (120, True)])
def test_where_bytes_are_known_no_more_a_stall_takes_twice_as_long(still: int, told: bool) -> None:
    """They may move while nothing else does; yet a copy that stands still is told at last."""
    movement = _movement(moved_at=NOW - minutes(still), suspected_at=NOW - minutes(30))
    blind = _still(progress=replace(HERE, copied=None))
    assert (_read(movement, blind)[1] is Kind.STALLED) is told
    by_id = replace(movement, samples=(_by_id(movement.samples[0]),))
    assert _read(by_id, blind)[1] is Kind.STALLED


def _by_id(sample: Sample) -> Sample:
    """Return a sample as one of a task that is read by its id, which has no bytes."""
    return sample._replace(copied=None)


def test_stall_minutes_of_zero_means_never() -> None:
    """With STALL_MINUTES=0 nothing is suspected and nothing is told."""
    for suspected_at in (None, NOW - minutes(5000)):
        movement = _movement(moved_at=NOW - minutes(6000), suspected_at=suspected_at)
        assert movement.read(_still(), NOW, NEVER, EVENT) == (movement, None)


@pytest.mark.parametrize(
    ("task", "told"),
    [
        pytest.param(_still(), True, id="nothing moved"),
        pytest.param(_still(progress=replace(HERE, percent=51)), False, id="the percentage moved"),
        pytest.param(_still(progress=replace(HERE, percent=49)), False, id="it fell back"),
        pytest.param(_still(progress=replace(HERE, copied=1001)), False, id="only bytes moved"),
        pytest.param(_still(progress=replace(HERE, place=6)), False, id="another sub-task"),
        pytest.param(_still(progress=replace(HERE, percent=137)), False, id="beyond 100 percent"),
        pytest.param(_still(progress=replace(HERE, sub_task="NEXT")), False, id="another name"),
        pytest.param(_still(progress=replace(HERE, percent=None)), True, id="no percentage"),
        pytest.param(_still(progress=replace(HERE, copied=None)), False, id="no bytes by now"),
        pytest.param(_still(progress=replace(HERE, place=None)), True, id="no list of sub-tasks"),
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
        pytest.param(
            _still(state="SYNCING"), False, id="a synchronisation that waits at 50 percent"
        ),
        pytest.param(
            _still(state="SYNCING", speed=None), False, id="a synchronisation of no speed"
        ),
        pytest.param(_still(state="SYNCING", speed=100.0), True, id="a synchronisation in a round"),
    ],
)
def test_what_counts_as_movement(task: Task, told: bool) -> None:
    """Sub-task, percentage and bytes count in either direction, a speed only where it varies."""
    assert _movement().is_stalled(task, NOW, STALL) is told


def test_a_speed_of_zero_in_the_sample_proves_nothing_later() -> None:
    """A sample without a speed is compared with no speed."""
    unknown = _movement(samples=(Sample(NOW, 50, 1000, None, "x"),))
    assert not unknown.has_moved(_still(speed=100.0))
    assert not _movement(samples=()).has_moved(_still(speed=100.0))


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (1000, 1001, False),
        (1000, 1000, True),
        (1000, None, False),
        (None, 1000, True),
        (None, 1001, False),
    ],
)
def test_bytes_that_were_not_known_at_first_count_all_the_same(
    before: Optional[int], now: Optional[int], told: bool
) -> None:
    """A record without bytes is made up for by the newest sample that has some."""
    blind = replace(HERE, copied=None)
    samples = (_movement().samples[0], Sample(NOW - minutes(15), 50, before, 100.0, HERE.sub_task))
    movement = _movement(last_progress=blind, samples=samples)
    task = _still(progress=replace(HERE, copied=now), speed=100.0)
    assert _read(movement, task)[1] is (Kind.STALLED if told else None)


def test_bytes_show_a_copy_move_from_when_they_are_first_known() -> None:
    """Also one at an even speed and a percentage that takes hours, first read by its id."""
    blind = replace(HERE, copied=None)
    first = Sample(NOW - minutes(60), 50, None, 100.0, HERE.sub_task)
    movement = _movement(last_progress=blind, samples=(first,), suspected_at=None)
    for ago, copied in ((50, 1000), (20, 2000), (10, 3000)):
        task = _still(progress=replace(HERE, copied=copied), speed=100.0)
        movement, told = _read(movement, task, NOW - minutes(ago))
        assert told is None
    assert (movement.moved_at, movement.suspected_at) == (NOW - minutes(10), None)


def test_file_comparison_may_last_for_hours() -> None:
    """At one percentage, with a speed that varies and is 0 between samples, nothing is told."""
    movement = Movement()
    for minute in range(600):
        speed = 0.0 if minute % 13 == 0 else 40.0 + minute % 7
        task = _still(progress=Progress(5, 6, None, "MIGRATE_LINUX_FILE"), speed=speed)
        movement, news = _read(movement, task, NOW + minutes(minute))
        assert news is None


def test_a_speed_shows_nothing_where_bytes_are_known() -> None:
    """They stand still, whatever the speed says."""
    assert _movement().is_stalled(_still(speed=100.0), NOW, STALL)


def test_a_stall_that_is_open_is_written_down_once() -> None:
    """However long it lasts, a quiet run leaves everything as it is."""
    movement, news = _read(_movement(), _still())
    assert (movement, news) == (_movement(stall=STALLED), Kind.STALLED)
    for later in (1, 60, 600):
        assert _read(movement, _still(), NOW + minutes(later)) == (movement, None)


def test_the_first_reading_that_moved_ends_a_stall() -> None:
    """From then on it is followed as any other."""
    movement, news = _read(_movement(stall=STALLED), _still(progress=replace(HERE, copied=1001)))
    assert news is Kind.MOVING
    assert (movement.stall, movement.moved_at, movement.suspected_at) == (None, NOW, None)


def test_a_stall_and_its_end_are_told_once_with_their_beginning() -> None:
    """Told is since when it stands; the end has the id of its beginning, and says the same."""
    before = replace(a_record(state="RUNNING", failed_event="", code=""), movement=_movement())
    stall = decide(a_reading(_still()), before)
    (told,) = stall.notices
    assert (told.kind, told.since) == (Kind.STALLED, NOW - minutes(60))
    again = decide(a_reading(_still(), now=NOW + minutes(1)), stall.record)
    assert again.notices == ()
    moved = _still(progress=replace(HERE, copied=1001))
    end = decide(a_reading(moved, now=NOW + minutes(2)), again.record)
    (ended,) = end.notices
    assert (ended.kind, ended.since) == (Kind.MOVING, NOW - minutes(60))
    assert (ended.event_id, ended.follows) == (closing_id(told.event_id), (told.event_id,))


@pytest.mark.parametrize("state", ["MIGRATE_FAIL", "RESETING", "ABORT", "MIGRATE_SUCCESS"])
def test_a_new_stretch_after_a_failure_begins_anew(state: str) -> None:
    """The time before a failure, or a rest, is no part of a stall after it."""
    before = replace(a_record(state="RUNNING"), movement=_movement(stall=STALLED))
    over = decide(a_reading(a_task(state=state, progress=HERE)), before).record
    assert over is not None
    assert over.movement == Movement(first_copy=over.movement.first_copy)
    again = decide(a_reading(_still(), now=NOW + minutes(1)), over).record
    assert again is not None
    assert again.movement.moved_at == NOW + minutes(1)


def test_what_was_measured_before_a_failure_still_counts() -> None:
    """The first reading after an outage has a time left, of which the outage is no part."""
    record, minute = TaskRecord("RUNNING", NOW), 0
    for minute in range(0, 121, 8):
        task = _still(progress=Progress(5, 20 + minute // 8))
        moved = decide(a_reading(task, now=NOW + minutes(minute)), record).record
        assert moved is not None
        record = moved
    # A percent in eight minutes; then it fails for ten hours, once more at once, and goes on.
    for state, passed in (("MIGRATE_FAIL", 121), ("RUNNING", 721), ("MIGRATE_FAIL", 722)):
        task = a_task(state=state, progress=Progress(5, 35))
        after = decide(a_reading(task, now=NOW + minutes(passed)), record).record
        assert after is not None
        record = after
    assert record.movement.before == Stretches("", 7200, 15, None)
    seen = decide(a_reading(_still(progress=Progress(5, 35)), now=NOW + minutes(900)), record)
    assert seen.task is not None
    assert seen.task.transfer.remaining == 65 * 8 * 60
    other = _still(progress=Progress(6, 0, None, "CONFIGURE"))
    again = decide(a_reading(other, now=NOW + minutes(900)), record)
    assert again.task is not None
    assert again.task.transfer.remaining is None


def test_the_hours_of_a_stall_are_no_part_of_the_pace() -> None:
    """When it moves again, the time left is as before it stood."""
    samples = (_sample(720, 40), _sample(600, 60))
    stalled = _movement(samples=samples, stall=STALLED, last_progress=Progress(5, 60))
    moved, news = _read(stalled, _at(61))
    assert news is Kind.MOVING
    assert moved.remaining(_at(61), NOW) == 39 * 6 * 60


def test_what_fell_back_has_to_be_done_again() -> None:
    """A stretch in which a copy lost ground adds its time, and no ground."""
    samples = (_sample(60, 50, 1000), _sample(0, 40, 900))
    ended = Movement(samples=samples, before=Stretches(HERE.sub_task, 600, 5, 100)).ended()
    assert ended.before == Stretches(HERE.sub_task, 4200, 5, 100)
    unknown = Movement(samples=(_sample(60, 50, 1000), _sample(0, None, None))).ended()
    assert unknown.before == Stretches(HERE.sub_task, 3600)


# Samples


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        ((0, 0, 0), (0, 7, 59), False),
        ((0, 0, 0), (0, 8, 0), True),
        ((0, 7, 59), (0, 8, 0), True),
        ((0, 8, 0), (0, 15, 59), False),
    ],
)
def test_a_sample_is_taken_every_eight_minutes(
    last: Tuple[int, int, int], now: Tuple[int, int, int], due: bool
) -> None:
    """The minutes are those of the clock, so that all tasks are written down in one line."""
    midnight = NOW.replace(hour=0, minute=0, second=0)
    before, moment = (
        midnight + timedelta(hours=hour, minutes=minute, seconds=second)
        for hour, minute, second in (last, now)
    )
    movement, _ = _read(Movement(), _still(), before)
    assert len(movement.samples) == 1
    moved = _still(progress=replace(HERE, percent=51))
    assert (_read(movement, moved, moment)[0] != movement) is due


def test_what_stands_still_is_not_sampled() -> None:
    """Eight minutes in which nothing moved leave no sample."""
    movement = _movement(moved_at=NOW - minutes(40), suspected_at=None)
    assert _read(movement, _still())[0] is movement


@pytest.mark.parametrize("every", [8, 9, 15, 30, 59])
def test_few_samples_are_kept_and_one_of_them_is_old(every: int) -> None:
    """The advance is measured over half a day at the least, and a day at the most."""
    movement = Movement()
    for number in range(60 * 72 // every):
        task = _still(progress=replace(HERE, percent=number))
        now = NOW + minutes(every * number)
        movement, _ = _read(movement, task, now)
        moments = [sample.at for sample in movement.samples]
        assert len(moments) == min(number + 1, MOST_SAMPLES)
        assert moments[-1] == now
        assert moments == sorted(moments)
        assert now - moments[0] <= OLD
        assert now - NOW < OLD or now - moments[0] >= OLD / 2
        between = [after - before for before, after in zip(moments, moments[1:])]
        assert number < MOST_SAMPLES or max(between) <= (now - moments[0]) * 2 / 3


@pytest.mark.parametrize("tick", [1, 2, 3, 5])
@pytest.mark.parametrize("stop", range(30))
def test_a_stall_is_told_within_ten_minutes_of_its_time(tick: int, stop: int) -> None:
    """With a timer of up to five minutes: 60 to 70 minutes after the last movement, at 60."""
    movement, minute, last = Movement(), 0, 60 + stop
    while True:
        task = _still(progress=Progress(5, 50, min(minute, last)), speed=0.0)
        movement, news = _read(movement, task, NOW + minutes(minute))
        if news is Kind.STALLED:
            break
        minute += tick
    assert 60 <= minute - last <= 70


def test_a_short_stall_is_not_told_late_for_want_of_samples() -> None:
    """With STALL_MINUTES below a quarter of an hour, movement is written down often enough."""
    movement, told = Movement(), []
    for minute in range(30):
        task = _still(progress=Progress(5, min(minute, 10)))
        movement, news = movement.read(task, NOW + minutes(minute), minutes(8), EVENT)
        if news is Kind.STALLED:
            told.append(minute)
    # It last moved at minute 10; what is written down may be three quarters of the time later.
    assert 18 <= told[0] <= 18 + 6 + 1


# The time left


def _sample(ago: float, percent: Optional[int] = 50, copied: Optional[int] = None) -> Sample:
    return Sample(NOW - minutes(ago), percent, copied, None, "MIGRATE_LINUX_FILE")


def _at(percent: Optional[int] = 60, copied: Optional[int] = None, **fields: Any) -> Task:
    progress = Progress(5, percent, copied, "MIGRATE_LINUX_FILE")
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
        pytest.param(_at(60), [_sample(30)._replace(sub_task="x")], None, id="another sub-task"),
        pytest.param(
            _at(60),
            [_sample(60)._replace(sub_task="x"), _sample(30)],
            2 * 3600,
            id="the oldest of this sub-task",
        ),
        pytest.param(_at(60, state="SYNCING"), [_sample(30)], None, id="a synchronisation"),
        pytest.param(_at(60, state="ABORT"), [_sample(30)], None, id="a pause"),
        pytest.param(
            _at(None, HALF, size=HALF),
            [_sample(10, copied=0)],
            0,
            id="all that there is",
        ),
        pytest.param(
            _at(None, HALF, size=20 * GIGABYTE),
            [_sample(10, copied=0)],
            None,
            id="more copied than there is",
        ),
        pytest.param(
            _at(60, HALF, size=20 * GIGABYTE),
            [_sample(60, percent=30, copied=0)],
            80 * 60,
            id="copied again, so that only its percentage tells",
        ),
        pytest.param(
            _at(None, HALF, size=10**16),
            [_sample(180, copied=HALF - 1)],
            None,
            id="a creeping copy",
        ),
    ],
)
def test_how_long_the_rest_takes(task: Task, samples: List[Sample], left: Optional[int]) -> None:
    """The time left is measured over the samples of this sub-task; otherwise it is not told."""
    assert Movement(samples=tuple(samples)).remaining(task, NOW) == left


def test_a_stalled_task_has_no_forecast() -> None:
    """Where nothing moves, the advance of hours ago promises no end."""
    measured = _movement(samples=(_sample(90, 30), _sample(60)))
    for movement, known in ((replace(measured, suspected_at=None), True), (measured, False)):
        before = replace(a_record(state="RUNNING"), movement=movement)
        task = decide(a_reading(_still()), before).task
        assert task is not None
        assert (task.transfer.remaining is not None) is known


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
    """Whatever is read: what is told as a stall was recorded to move STALL_MINUTES ago, or more."""
    limit, now, movement = minutes(stall), NOW, Movement()
    for gap, progress, speed in seen:
        now += minutes(gap)
        before = movement
        task = a_running_task(progress=progress, speed=speed)
        movement, news = movement.read(task, now, limit, EVENT)
        if news is Kind.STALLED:
            assert before.moved_at is not None
            assert now - before.moved_at >= limit
            assert before.last_progress is not None
            assert not progress.differs_from(before.last_progress)
            assert movement == replace(before, stall=Call(f"{EVENT}-stalled", now))


@given(st.lists(st.integers(1, 59), min_size=1, max_size=40))
def test_a_task_that_rises_at_each_reading_never_stalls(gaps: List[int]) -> None:
    """However seldom it is looked at, a percentage that grows is no stall."""
    now, movement = NOW, Movement()
    for percent, gap in enumerate(gaps):
        now += minutes(gap * 3)
        movement, news = _read(movement, _still(progress=Progress(5, percent)), now)
        assert news is None


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
    left = Movement(samples=tuple(samples)).remaining(_at(percent, copied, size=size), NOW)
    assert left is None or 0 <= left <= 366 * 24 * 3600
