"""How long the rest of a copy takes, by its pace: what is measured, and how sure that is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.rules.pace import LEAST_SPAN, OLD, Left, Pace, Place, Stretches
from tests.support.builders import NOW, minutes

GIGABYTE = 10**9
HOUR = timedelta(hours=1)


def _places(*pairs: Tuple[float, int]) -> List[Place]:
    """Return places, each given as minutes ago and a number."""
    return [(NOW - minutes(ago), number) for ago, number in pairs]


def _bytes(*pairs: Tuple[float, int], **fields: Any) -> Pace:
    return Pace(_places(*pairs), 100 * GIGABYTE, 0, **fields)


def test_an_even_copy_leaves_no_doubt() -> None:
    """Where all parts were as fast, the least and the most are what is expected."""
    pace = _bytes((120, 0), (60, 10 * GIGABYTE), (0, 20 * GIGABYTE))
    assert pace.left() == Left(8 * 3600, 8 * 3600, 8 * 3600)


def test_an_uneven_copy_may_go_on_at_its_slowest_or_fastest() -> None:
    """The parts say between what the end lies; what is expected is the whole."""
    pace = _bytes((120, 0), (60, 5 * GIGABYTE), (0, 20 * GIGABYTE))
    assert pace.left() == Left(8 * 3600, round(80 / 15 * 3600), 16 * 3600)


def test_a_short_part_says_nothing() -> None:
    """Eight minutes of a day are chance."""
    pace = _bytes((1440, 0), (8, 20 * GIGABYTE), (0, 20 * GIGABYTE + 5))
    left = pace.left()
    assert left is not None
    assert left.most - left.least < 0.02 * left.seconds


def test_a_percentage_may_be_almost_one_more() -> None:
    """Ten percent are more than nine and less than eleven."""
    assert Pace(_places((60, 10), (0, 20))).left() == Left(8 * 3600, 26182, 32000)


def test_the_parts_of_a_percentage_have_to_be_large() -> None:
    """Below five percent a part is fast or slow by how the number is cut."""
    assert Pace(_places((60, 10), (30, 14), (0, 20))).left() == Left(8 * 3600, 24000, 32000)


@pytest.mark.parametrize(("hours", "sure"), [(10, True), (10.1, False)])
def test_nobody_is_sure_far_ahead(hours: float, sure: bool) -> None:
    """Beyond ten times what was measured the rest may take half as long again, or be that fast."""
    done = round(100 * GIGABYTE / (1 + hours))
    left = _bytes((60, 0), (0, done)).left()
    assert left is not None
    assert left.seconds == pytest.approx(hours * 3600, abs=2)
    assert (left.most == pytest.approx(left.seconds, abs=1)) is sure
    if not sure:
        assert left.least == pytest.approx(left.seconds / 1.5, abs=1)
        assert left.most == pytest.approx(left.seconds * 1.5, abs=1)


# What was done before


def test_what_was_done_before_a_failure_counts() -> None:
    """The pace is that of all the time in which it ran."""
    pace = _bytes((30, 30 * GIGABYTE), (0, 40 * GIGABYTE), before=(30 * GIGABYTE, 5400))
    assert pace.left() == Left(3 * 3600, 3 * 3600, 3 * 3600)


def test_a_copy_that_goes_on_is_measured_at_once() -> None:
    """Its first reading after a failure has a time left, by what was done before."""
    pace = _bytes((0, 40 * GIGABYTE), before=(20 * GIGABYTE, 7200))
    left = pace.left()
    assert left is not None
    assert left.seconds == 6 * 3600


def test_of_what_was_done_before_no_more_counts_than_makes_a_day() -> None:
    """After a day of running nothing before it counts; until then its share fades."""
    before = (50 * GIGABYTE, 12 * 3600.0)
    whole = _bytes((720, 0), (0, 10 * GIGABYTE), before=before).left()
    half = _bytes((1080, 0), (0, 10 * GIGABYTE), before=before).left()
    none = _bytes((1440, 0), (0, 10 * GIGABYTE), before=before).left()
    assert whole is not None
    assert half is not None
    assert none is not None
    assert whole.seconds == round(90 / 60 * 24 * 3600)
    assert half.seconds == round(90 / 35 * 24 * 3600)
    assert none.seconds == round(90 / 10 * 24 * 3600)


def test_stretches_add_up_within_a_day() -> None:
    """The older ones are cut to what is left of a day; without bytes none are known of both."""
    day = OLD.total_seconds()
    first, later = Stretches("x", day / 2, 30, 1000), Stretches("x", day * 3 / 4, 10, None)
    assert first.then(first) == Stretches("x", day, 60, 2000)
    assert first.then(later) == Stretches("x", day, 25, None)
    assert first.then(Stretches("x", 2 * day, 10, 5)) == Stretches("x", 2 * day, 10, 5)
    assert first.then(Stretches("y", 60, 1, 5)) == Stretches("y", 60, 1, 5)


def test_nothing_done_before_is_nothing_known() -> None:
    """A stretch without seconds adds nothing, whatever it is added to."""
    assert Stretches("x").then(Stretches("x", 60, 1, 5)) == Stretches("x", 60)
    assert Stretches("x", 60).by_bytes == Stretches("x", 60).by_percent == (0, 0)


# Any places

steps = st.lists(st.tuples(st.integers(1, 600), st.integers(-10, 60)), max_size=6)
befores = st.just((0, 0)) | st.tuples(st.integers(0, 80), st.integers(60, 200_000))


@given(steps, befores, st.integers(0, 1))
def test_the_expected_end_lies_between_the_earliest_and_the_latest(
    walked: List[Tuple[int, int]], before: Tuple[float, float], grain: int
) -> None:
    """Whatever was measured: none is below 0, and doubt is told to a factor of three."""
    at, number, places = NOW, 20, [(NOW, 20)]
    for passed, gained in walked:
        at, number = at + minutes(passed), number + gained
        places.append((at, number))
    left = Pace(places, 100, grain, before).left()
    if left is None:
        return
    assert 0 <= left.least <= left.seconds <= left.most
    assert left.most <= 3 * left.seconds + 2
    assert left.least >= left.seconds / 3 - 2
    assert at - NOW + timedelta(seconds=before[1]) >= LEAST_SPAN


@given(st.integers(1, 97), st.floats(0.2, 48), st.integers(1, 5))
def test_an_even_copy_is_foretold_whenever_it_is_asked(
    percent: int, hours: float, cuts: int
) -> None:
    """However it is cut into places, what is left is in proportion to what is done."""
    done = percent * GIGABYTE
    marks = [(60 * hours * (cuts - n) / cuts, done * n // cuts) for n in range(cuts + 1)]
    left = _bytes(*marks).left()
    if left is None:
        assert hours * (100 - percent) / percent > 365 * 24
        return
    assert left.seconds == pytest.approx((100 - percent) / percent * hours * 3600, rel=0.01, abs=2)


def test_without_a_place_nothing_is_left_to_tell() -> None:
    """A copy of which nothing is known has no end, whatever was done before."""
    assert Pace([], before=(50, 7200)).left() is None
    assert Pace(_places((0, 50))).left() is None
