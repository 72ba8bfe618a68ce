"""Where the objects of a journal lie: their names sort as they follow each other."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from sms_watch.errors import JournalError
from sms_watch.journal.store import BEGINNING, date_of, day_of, following, name_of
from tests.support.builders import NOW


def test_a_day_is_that_of_utc() -> None:
    """Wherever the machine stands, its runs meet in one object."""
    early = datetime(2026, 11, 25, 1, tzinfo=timezone(timedelta(hours=8)))
    assert day_of(early) == day_of(NOW) == "20261124"


def test_objects_of_a_day_sort_as_they_follow_each_other() -> None:
    """The next one has a letter; the day before and the day after stay before and after."""
    days = ["20261124"]
    while not days[-1].endswith("z"):
        days.append(following(days[-1]))
    names = [name_of(day) for day in [BEGINNING, *days, "20261125"]]
    assert names == sorted(names)
    assert {date_of(day) for day in days} == {"20261124"}


def test_the_letters_of_a_day_have_an_end() -> None:
    """After the last one the error says what closes objects so often."""
    with pytest.raises(JournalError, match="closed again and again on 20261124"):
        following("20261124z")
