"""Several calls at once."""

from __future__ import annotations

import threading

import pytest

from sms_watch.parallel import CONCURRENT_CALLS, map_concurrently


def test_results_stand_in_the_order_of_the_items() -> None:
    """Whichever call is the first to end."""
    assert map_concurrently(lambda number: number * 2, range(50)) == [n * 2 for n in range(50)]


def test_as_many_calls_as_may_be_are_under_way_together() -> None:
    """All of them wait for each other; one alone would wait for ever."""
    together = threading.Barrier(CONCURRENT_CALLS, timeout=20)
    waited = map_concurrently(lambda _: together.wait() >= 0, range(CONCURRENT_CALLS))
    assert waited == [True] * CONCURRENT_CALLS


def test_an_error_of_a_call_is_raised() -> None:
    """It is not lost among the results."""

    def fail(number: int) -> int:
        raise ValueError(number)

    with pytest.raises(ValueError, match="1"):
        map_concurrently(fail, [1])
