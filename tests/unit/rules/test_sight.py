"""A task that cannot be read, or is gone: counted to the run that tells it, and no further."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sms_watch.model.notice import Kind
from sms_watch.rules.sight import Sight
from tests.support.builders import NOW, minutes

EVENT = "20261124-4711-0"


@pytest.mark.parametrize(("kind", "runs"), [(Kind.UNREADABLE, 3), (Kind.GONE, 2)])
def test_one_answer_is_no_news(kind: Kind, runs: int) -> None:
    """One may be a passing fault: three in a row are none, two if SMS has no such task.

    Later ones say nothing new.
    """
    sight, news = Sight(NOW), []
    for _ in range(runs + 2):
        sight, is_news = sight.missed(kind, EVENT)
        news.append(is_news)
    assert news == [*[False] * (runs - 1), True, False, False]
    assert sight == Sight(NOW, runs, f"{EVENT}-{kind}")


def test_a_run_that_did_not_ask_changes_nothing() -> None:
    """It has no answer to count."""
    assert Sight(NOW, 2).missed(Kind.UNREADABLE, EVENT, attempted=False) == (Sight(NOW, 2), False)


def test_what_no_call_was_left_for_waits_since_the_first_run_that_passed_it() -> None:
    """That is no answer: it counts for nothing, and the next answer, in vain or not, ends it."""
    later, told = NOW + minutes(5), Sight(NOW, 3, "1-unreadable")
    for sight in (Sight(NOW, 2), told):
        passed = sight.passed(later)
        assert passed.passed(later + minutes(5)) == passed == replace(sight, passed_at=later)
        assert passed.waits_since == later
        asked, _ = passed.missed(Kind.UNREADABLE, EVENT)
        assert asked.passed_at is None


def test_what_people_know_of_and_is_answered_waits_for_nothing() -> None:
    """One that has no answer yet waits since the first run that missed it."""
    assert Sight(NOW, 3, "1-unreadable").waits_since is None
    assert Sight(NOW, 2).waits_since == NOW
