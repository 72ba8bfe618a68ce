"""The starts in a row of a failed task: how they are counted, their limit, the waits between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import pytest

from sms_watch.model.notice import Outcome
from sms_watch.model.task import ErrorClass
from sms_watch.rules.starts import Starts, cap
from tests.support.builders import NOW, a_policy, a_task, minutes

HERE = a_task().progress
FURTHER, BACK = replace(HERE, percent=51), replace(HERE, percent=40)
TWO = Starts(2, 3, "20261124-0-0-start", NOW - minutes(60), Outcome.DONE, HERE)


# The limit


@pytest.mark.parametrize(
    ("error_class", "limit"),
    [
        ("transient", None),
        ("retryable", 5),
        ("ambiguous", 2),
        ("unknown", 2),
        ("recreate", 0),
        ("human", 0),
        ("precheck", 0),
    ],
)
def test_each_class_has_its_limit_of_starts(error_class: str, limit: Optional[int]) -> None:
    """A lost line has no limit, a guess is made twice, what no start can mend is never started."""
    assert cap(ErrorClass(error_class), a_policy()) == limit


@pytest.mark.parametrize("error_class", ErrorClass)
def test_without_starts_every_limit_is_none(error_class: ErrorClass) -> None:
    """With RESUME_MAX_ATTEMPTS=0 no class has a start, a lost line neither."""
    assert cap(error_class, a_policy(max_attempts=0)) == 0


@pytest.mark.parametrize("error_class", [ErrorClass.AMBIGUOUS, ErrorClass.UNKNOWN])
def test_a_guess_is_limited_by_the_policy_too(error_class: ErrorClass) -> None:
    """With RESUME_MAX_ATTEMPTS=1 an unclear failure is started once, with 9 still only twice."""
    assert cap(error_class, a_policy(max_attempts=1)) == 1
    assert cap(error_class, a_policy(max_attempts=9)) == 2


@pytest.mark.parametrize(
    ("attempts", "tries", "limit", "used_up"),
    [
        (1, 1, 2, False),
        (2, 2, 2, True),
        (4, 4, None, False),
        (5, 5, None, True),
        (0, 4, None, False),
        (0, 5, None, True),
        (3, 2, 3, True),
    ],
)
def test_refused_starts_use_up_the_limit_too(
    attempts: int, tries: int, limit: Optional[int], used_up: bool
) -> None:
    """Starts are used up once as many were taken or refused; RESUME_MAX_ATTEMPTS if no limit."""
    assert Starts(attempts, tries).is_used_up(limit, a_policy()) is used_up


# The waits


@pytest.mark.parametrize(
    ("tries", "wait"), [(0, 2), (1, 2), (2, 4), (3, 8), (4, 15), (5, 15), (6, 15), (50, 15)]
)
def test_the_waits_between_starts(tries: int, wait: float) -> None:
    """After one start, two ... the waits are 2, 4, 8, 15, 15 ... minutes, and never less than 2.

    A count that began anew does not end the wait after the start before it.
    """
    assert Starts(0, tries).backoff(a_policy()) == minutes(wait)


@pytest.mark.parametrize(("tries", "wait"), [(2, 4), (3, 60), (4, 60)])
def test_spent_attempts_mean_the_longest_wait(tries: int, wait: float) -> None:
    """After RESUME_MAX_ATTEMPTS starts the wait is the longest, wherever doubling has got to."""
    policy = a_policy(max_attempts=3, backoff_max=minutes(60))
    assert Starts(0, tries).backoff(policy) == minutes(wait)


@pytest.mark.parametrize("max_attempts", [5, 100])
@pytest.mark.parametrize("backoff", [1, 1440])
def test_the_waits_have_no_end_that_they_cannot_reach(max_attempts: int, backoff: float) -> None:
    """Whatever the settings allow, after however many tries the wait is a span, and the longest."""
    policy = a_policy(
        max_attempts=max_attempts, backoff=minutes(backoff), backoff_max=minutes(1440)
    )
    assert [Starts(0, tries).backoff(policy) for tries in (12, 41, 100, 10_000)] == (
        [minutes(1440)] * 4
    )


# The count


def test_a_start_is_counted_before_it_is_sent() -> None:
    """One more start has its id, its moment and an outcome that is not known yet."""
    sent = TWO.sent("20261124-9-0-start", HERE, NOW)
    assert sent == Starts(3, 4, "20261124-9-0-start", NOW, Outcome.UNKNOWN, HERE)
    assert Starts().sent("1", HERE, NOW) == Starts(1, 1, "1", NOW, Outcome.UNKNOWN, HERE)


def test_a_start_further_back_keeps_the_furthest_place() -> None:
    """How far the task ever was at a start is a high-water mark."""
    assert TWO.sent("1", BACK, NOW).furthest == HERE
    assert TWO.sent("1", FURTHER, NOW).furthest == FURTHER


def test_what_was_copied_before_a_start_is_no_progress_after_it() -> None:
    """If bytes are not known when it is sent, more of them later say nothing about it."""
    known = replace(TWO, furthest=replace(HERE, copied=1000))
    started = known.sent("1", HERE, NOW)
    assert not replace(HERE, copied=2000).is_ahead_of(started.furthest, least_bytes=1)
    assert FURTHER.is_ahead_of(started.furthest)
    again = started.sent("2", replace(HERE, copied=2000), NOW)
    assert replace(HERE, copied=2001).is_ahead_of(again.furthest, least_bytes=1)


@pytest.mark.parametrize(
    ("outcome", "attempts", "tries", "last_at"),
    [
        (Outcome.DONE, 3, 4, NOW),
        (Outcome.UNKNOWN, 3, 4, NOW),
        (Outcome.REFUSED, 2, 4, NOW),
        (Outcome.FAILED, 2, 4, NOW),
        (Outcome.SKIPPED, 2, 3, NOW - minutes(60)),
    ],
)
def test_what_a_start_came_to_settles_its_attempt(
    outcome: Outcome, attempts: int, tries: int, last_at: Any
) -> None:
    """A start that was not taken spends no attempt; one not sent is no start."""
    starts = TWO.sent("1", HERE, NOW).settled(outcome, TWO)
    assert (starts.attempts, starts.tries, starts.last_at) == (attempts, tries, last_at)
    assert starts.outcome is (TWO.outcome if outcome is Outcome.SKIPPED else outcome)


@pytest.mark.parametrize("before", [Starts(), TWO, replace(TWO, outcome=Outcome.REFUSED)])
def test_a_start_that_was_not_sent_is_counted_by_itself(before: Starts) -> None:
    """The starts are then those from before, and one more run had no time for one."""
    skipped = before.sent("1", HERE, NOW).settled(Outcome.SKIPPED, before)
    assert skipped == replace(before, skips=1)


def test_runs_without_time_are_counted_in_a_row_and_no_further_than_they_matter() -> None:
    """A start that is sent ends the row, and so does a task that needs none."""
    starts = TWO
    for number in (1, 2, 3, 3):
        starts = starts.sent("1", HERE, NOW).settled(Outcome.SKIPPED, starts)
        assert starts == replace(TWO, skips=number)
    assert starts.sent("1", HERE, NOW).skips == 0
    assert starts.not_due() == TWO


def test_a_fresh_count_forgets_no_start() -> None:
    """A task that held out has its attempts anew; when the last start was, is still known."""
    assert replace(TWO, skips=2).renewed() == replace(TWO, attempts=0, tries=0)


def test_progress_gives_a_fresh_count() -> None:
    """A task that got further has its attempts anew, and has to get further than this next."""
    assert TWO.advanced(FURTHER) == replace(TWO, attempts=0, tries=0, furthest=FURTHER)


def test_more_bytes_are_progress_though_the_percentage_fell() -> None:
    """Of either measure the most that was ever seen is kept."""
    starts = replace(TWO, furthest=replace(HERE, copied=100))
    assert starts.advanced(replace(BACK, copied=200)).furthest == replace(HERE, copied=200)


# Without effect


def test_nothing_has_come_of_the_first_accepted_start_since_then() -> None:
    """Later ones, accepted or not, leave the moment as it is; one with another outcome is none."""
    first = Starts().sent("1", HERE, NOW).settled(Outcome.DONE, Starts())
    assert first.in_vain_since == NOW
    for outcome in Outcome:
        later = first.sent("2", HERE, NOW + minutes(5)).settled(outcome, first)
        assert later.in_vain_since == NOW
        alone = Starts().sent("1", HERE, NOW).settled(outcome, Starts())
        assert alone.in_vain_since == (NOW if outcome is Outcome.DONE else None)
    assert Starts().sent("1", HERE, NOW).in_vain_since is None


def test_whatever_becomes_of_a_task_is_an_effect() -> None:
    """A task that is read as anything but failed has taken up its start."""
    starts = replace(TWO, in_vain_since=NOW)
    assert starts.heeded() == starts.not_due() == TWO
    assert TWO.heeded() is TWO


@pytest.mark.parametrize(("seconds", "told"), [(149, False), (150, True)])
def test_a_start_has_three_runs_to_show_an_effect(seconds: int, told: bool) -> None:
    """The third of them may be early; before that nothing is said of it."""
    starts = replace(TWO, in_vain_since=NOW)
    assert starts.were_in_vain(NOW + minutes(seconds / 60)) is told
    assert not TWO.were_in_vain(NOW)
