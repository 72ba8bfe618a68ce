"""How much is said of one task: six messages an hour, then a summary an hour."""

from __future__ import annotations

from typing import List, Tuple

from sms_watch.model.notice import Kind, Notice
from sms_watch.rules.airtime import MOST_TOLD, MOST_WITH_CALLS, Airtime
from tests.support.builders import NOW, a_notice, minutes

NEWS = [a_notice(Kind.FAILED), a_notice(Kind.DISCONNECTED)]
CALL = a_notice(Kind.NEEDS_PERSON)
FULL = Airtime((NOW,) * MOST_TOLD)


def _spend(air: Airtime, *runs: Tuple[float, List[Notice]]) -> Tuple[Airtime, List[int]]:
    """Return the airtime after runs at these minutes, and how many notices each of them tells."""
    told = []
    for minute, news in runs:
        air, heard = air.spent(news, NOW + minutes(minute))
        told.append(len(heard))
    return air, told


def test_six_runs_an_hour_may_tell_something() -> None:
    """However much each of them has to tell; what comes after it is held back, and counted."""
    runs = [(float(minute), NEWS) for minute in range(8)]
    air, told = _spend(Airtime(), *runs)
    assert told == [2, 2, 2, 2, 2, 2, 0, 0]
    assert (air.held, air.held_since) == (4, NOW + minutes(6))


def test_an_hour_later_there_is_room_again() -> None:
    """A task of which something is told every ten minutes is told all the time."""
    _, told = _spend(Airtime(), *((10.0 * number, NEWS) for number in range(30)))
    assert told == [2] * 30
    _, told = _spend(Airtime(), *((9.9 * number, NEWS) for number in range(7)))
    assert told[-1] == 0


def test_a_run_without_news_changes_nothing() -> None:
    """Not even what is an hour old is dropped: that would be a line of the journal."""
    assert FULL.spent([], NOW + minutes(600)) == (FULL, [])


def test_once_something_was_held_back_all_is_until_the_summary() -> None:
    """Otherwise people would read an end whose beginning they never had."""
    held = Airtime((NOW,), 3, NOW)
    after, told = held.spent(NEWS, NOW + minutes(59))
    assert (after.held, after.held_since, told) == (5, NOW, [])


def test_a_call_for_a_person_is_told_all_the_same() -> None:
    """It goes out at once, and what comes with it is held back."""
    after, told = FULL.spent([*NEWS, CALL], NOW + minutes(1))
    assert told == [CALL]
    assert (after.held, len(after.told_at)) == (2, MOST_TOLD + 1)
    after, told = FULL.spent([CALL], NOW + minutes(1))
    assert (told, after.held, after.held_since) == ([CALL], 0, None)


def test_calls_are_bounded_too() -> None:
    """A task that needs somebody every minute sends twelve messages an hour and no more."""
    air, told = _spend(Airtime(), *((float(minute), [CALL]) for minute in range(20)))
    assert told == [1] * MOST_WITH_CALLS + [0] * 8
    assert air.held == 8


def test_a_summary_is_due_an_hour_after_the_first_that_was_held_back() -> None:
    """A second earlier it is not; where nothing was held back there is none."""
    held = Airtime(held=1, held_since=NOW)
    assert not held.owes_summary(NOW + minutes(60 - 1 / 60))
    assert held.owes_summary(NOW + minutes(60))
    assert not FULL.owes_summary(NOW + minutes(600))


def test_a_summary_begins_an_hour_of_silence() -> None:
    """While it goes on nothing but summaries is told; after a quiet hour everything is again."""
    after = Airtime((), 9, NOW - minutes(60)).summed_up(NOW)
    assert (after.held, after.held_since) == (0, None)
    noisy, told = after.spent(NEWS, NOW + minutes(59))
    assert (told, noisy.held_since) == ([], NOW + minutes(59))
    _, told = after.spent(NEWS, NOW + minutes(60))
    assert told == NEWS


def test_what_is_over_is_forgotten() -> None:
    """An hour after the last message nothing is left, but for what was held back."""
    assert not FULL.is_over(NOW + minutes(59))
    assert FULL.is_over(NOW + minutes(60))
    assert not Airtime(held=1, held_since=NOW).is_over(NOW + minutes(600))
