"""The limits of a run: their order, and their figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.settings.table import SETTINGS
from sms_watch.timetable import Timetable


def _accepted(seconds: int) -> bool:
    (setting,) = [each for each in SETTINGS if each.name == "RUN_BUDGET_SECONDS"]
    try:
        return bool(setting.read(str(seconds)))
    except ValueError:
        return False


def _limits(budget: int) -> list[float]:
    each = Timetable(budget)
    return [
        *(each.sources, each.reads, each.starts, each.sms_calls, each.new_work),
        *(each.publishing, each.journal, each.timeout, each.lease),
    ]


@given(st.integers(0, 4000).filter(_accepted))
def test_each_limit_leaves_time_for_what_follows_it(budget: int) -> None:
    """Reads end before starts, these before publishing, and so on, for every budget accepted.

    What a run can do without ends before what it needs.
    """
    limits = _limits(budget)
    assert limits[0] > 0
    assert all(earlier < later for earlier, later in zip(limits, limits[1:]))


def test_the_limits_of_the_default_budget() -> None:
    """With 50 seconds reads end after 35, and a timeout of 60 seconds is enough."""
    assert _limits(50) == pytest.approx([25, 35, 42.5, 45, 50, 53, 55, 60, 80])
