"""A task that cannot be read: counted to the run that tells it, and no further."""

from __future__ import annotations

from builders import NOW

from sms_watch.rules.sight import UNREADABLE_AFTER_RUNS, Sight

EVENT = "20261124-4711-0"


def test_the_third_run_in_a_row_is_news() -> None:
    """Earlier ones may be a passing fault, later ones say nothing new."""
    sight, news = Sight(NOW), []
    for _ in range(UNREADABLE_AFTER_RUNS + 2):
        sight, is_news = sight.missed(True, EVENT)
        news.append(is_news)
    assert news == [False, False, True, False, False]
    assert sight == Sight(NOW, 3, f"{EVENT}-unreadable")


def test_a_run_that_did_not_ask_changes_nothing() -> None:
    """It has no answer to count."""
    assert Sight(NOW, 2).missed(False, EVENT) == (Sight(NOW, 2), False)
