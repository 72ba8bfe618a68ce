"""The failure of a task: what opens, counts and ends it, and when a task is flapping."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import List, Tuple

import pytest

from sms_watch.rules.airtime import MOST_TOLD
from sms_watch.rules.call import Call
from sms_watch.rules.failure import MOST_FAILURES, Failure
from tests.support.builders import DISK_FULL, LINE_LOST, NOW, minutes

SECOND = timedelta(seconds=1)
FIRST, EVENT = "20261124-1-0-failed", "20261124-9-0"
CALL = Call("20261124-2-0-needs_person", NOW - minutes(5), 2)
OPEN = Failure(FIRST, LINE_LOST, CALL, on_probation=True, recent=(NOW - minutes(10),))
FLAPPING = replace(OPEN, recent=(NOW - minutes(59),), flaps=7)


def _new(failure: Failure, now: datetime = NOW) -> Tuple[Failure, bool]:
    """Return the failure after a new one that began just now."""
    return failure.counted(is_new=True, now=now, event=EVENT)


def _going_on(failure: Failure, now: datetime = NOW) -> Tuple[Failure, bool]:
    return failure.counted(is_new=False, now=now, event=EVENT)


# What is open


def test_both_notices_of_a_failure_open_it() -> None:
    """Its end follows that it failed and that a person was called, whichever of them there was."""
    assert OPEN.openings == (FIRST, CALL.event_id)
    assert replace(OPEN, call=None).openings == (FIRST,)
    assert replace(OPEN, event_id="").openings == (CALL.event_id,)
    assert Failure().openings == ()


def test_a_failure_began_at_the_last_new_one() -> None:
    """Since when a task has failed is when its latest failure was first read."""
    assert replace(OPEN, recent=(NOW - minutes(50), NOW)).since == NOW
    assert Failure().since is None


def test_a_failure_that_goes_on_is_no_news() -> None:
    """A start that got nowhere changes nothing and is told to nobody."""
    assert _going_on(OPEN) == (OPEN, False)


def test_a_new_failure_is_news_under_an_id_of_its_own() -> None:
    """It is told, and the call of the one before it is over; error and probation stay as read."""
    failure, is_news = _new(OPEN)
    assert is_news
    recent = (NOW - minutes(10), NOW)
    assert failure == replace(OPEN, event_id=f"{EVENT}-failed", call=None, recent=recent)


def test_a_call_has_the_id_of_its_notice() -> None:
    """A person is asked to act from the moment on; nothing was repeated yet."""
    called = OPEN.called(EVENT, NOW)
    assert called == replace(OPEN, call=Call(f"{EVENT}-needs_person", NOW, 0))


def test_a_task_under_suspicion_is_put_on_probation() -> None:
    """It is only said to run: it has to prove it."""
    before = replace(OPEN, on_probation=False)
    assert before.suspected() == OPEN


def test_closing_a_failure_keeps_its_recent_moments() -> None:
    """A task that fails again within the hour is counted from the first time on."""
    assert FLAPPING.closed() == Failure(recent=FLAPPING.recent)


# Flapping


def _hour(*at: float) -> List[Tuple[bool, int]]:
    """Return what new failures at these minutes bring: whether each is told, and for how many."""
    failure, told = Failure(code=DISK_FULL), []
    for minute in at:
        failure, is_news = _new(failure, NOW + minutes(minute))
        told.append((is_news, failure.flaps))
    return told


def test_of_many_failures_in_an_hour_the_third_stands_for_all() -> None:
    """Two in an hour are told one by one, the third as flapping, and those after it not."""
    single = [(True, 0)] * 2
    assert _hour(0, 10, 20, 30, 40) == [*single, (True, 3), (False, 4), (False, 5)]


def test_failures_an_hour_apart_are_not_counted_together() -> None:
    """The third within a second less than an hour is flapping; at the hour the first has lapsed."""
    assert _hour(0, 30, 60 - 1 / 60)[-1] == (True, 3)
    assert _hour(0, 30, 60)[-1] == (True, 0)


def test_failures_and_their_ends_leave_airtime_to_say_that_a_task_is_flapping() -> None:
    """Otherwise the notice that explains the noise would be held back with it."""
    assert 2 * MOST_FAILURES + 1 <= MOST_TOLD


def test_a_flapping_task_has_settled_when_an_hour_passes_without_a_failure() -> None:
    """A second before the hour is over it is flapping, at the hour no more."""
    failure = replace(FLAPPING, recent=(NOW - minutes(60) + SECOND,))
    assert failure.is_flapping(NOW)
    assert not failure.is_flapping(NOW + SECOND)
    assert not replace(failure, flaps=0).is_flapping(NOW)


def test_one_more_while_it_flaps_is_counted_and_not_told() -> None:
    """It goes on under the notice and the call that people have."""
    failure, is_news = _new(FLAPPING)
    assert not is_news
    assert failure == replace(FLAPPING, recent=(NOW - minutes(59), NOW), flaps=8)


def test_one_that_stays_failed_while_it_flaps_is_not_told_either() -> None:
    """Within the hour nobody knows whether it comes back once more."""
    assert _going_on(FLAPPING) == (FLAPPING, False)


def test_a_flapping_task_that_stays_failed_is_told_after_an_hour() -> None:
    """Nobody was told of the failure that it stays in; who was called is not called again."""
    settled = replace(FLAPPING, recent=(NOW - minutes(60),))
    assert _going_on(settled) == (replace(settled, flaps=0), True)
    untold = replace(settled, event_id="")
    assert _going_on(untold)[0].event_id == f"{EVENT}-failed"


def test_a_new_failure_after_an_hour_begins_the_count_anew() -> None:
    """A task that has settled and fails again is told with an event of its own."""
    failure, is_news = _new(replace(FLAPPING, recent=(NOW - minutes(60),)))
    assert is_news
    assert failure.event_id == f"{EVENT}-failed"
    assert (failure.recent, failure.flaps, failure.call) == ((NOW,), 0, None)


def test_no_more_moments_are_kept_than_are_counted() -> None:
    """A record does not grow with each failure of a long night: three moments at most."""
    recent = tuple(NOW - minutes(number) for number in (50, 40, 30))
    failure, _ = _new(replace(FLAPPING, recent=recent))
    assert failure.recent == (*recent[1:], NOW)


@pytest.mark.parametrize("minute", [59, 61])
def test_old_moments_are_dropped(minute: int) -> None:
    """Only the moments of the hour up to the last failure are kept."""
    failure, _ = _new(replace(OPEN, recent=(NOW - minutes(minute),)))
    assert len(failure.recent) == (2 if minute < 60 else 1)
