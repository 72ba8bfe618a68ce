"""The forecast in a sentence: moments, doubts, and what is in no forecast."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sms_watch.messages.forecasts import ahead, say_forecast
from sms_watch.model.forecast import End, Forecast
from sms_watch.zones import load_zone

UTC = timezone.utc
# A Tuesday.
NOW = datetime(2026, 11, 24, 8, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _end(hours: float, before: float = 0, after: float = 0, name: str = "db-01") -> End:
    at = NOW + hours * HOUR
    return End(at, at - before * HOUR, at + after * HOUR, "4711", name)


def _said(*end: Any, **counts: Any) -> str:
    made = Forecast(_end(*end) if end else None, **counts)
    return say_forecast(made, NOW, UTC)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (_said(), ""),
        (_said(53.95, copying=1), "Copying ends about Thu 14:00."),
        (_said(53.95, copying=48), "Copying ends about Thu 14:00, db-01 last."),
        (_said(53.95, copying=1, finished=1), "Copying ends about Thu 14:00, db-01 last."),
        (
            _said(53.95, copying=48, unmeasured=3),
            "Copying ends about Thu 14:00, db-01 last; 3 of 48 not measured yet.",
        ),
        (
            _said(53.95, copying=48, unmeasured=3, still=2, ready=5, finished=7),
            "Copying ends about Thu 14:00, db-01 last; 3 of 48 not measured yet; 2 not moving, so"
            " not counted; 5 ready for cut-over.",
        ),
        (
            _said(2, copying=2, still=1),
            "Copying ends about 10:10, db-01 last; 1 not moving, so not counted.",
        ),
        (
            _said(copying=1, unmeasured=1),
            "End of copying not known yet: 1 running task not measured yet.",
        ),
        (
            _said(copying=3, unmeasured=3, still=1, ready=2),
            "End of copying not known yet: 3 running tasks not measured yet; 1 not moving; 2 ready"
            " for cut-over.",
        ),
        (_said(still=2), "Nothing is being copied; 2 not moving."),
        (
            _said(still=1, ready=1, finished=3),
            "Nothing is being copied; 1 not moving; 1 ready for cut-over; 3 finished.",
        ),
        (_said(ready=2, finished=3), "All is copied; 2 ready for cut-over; 3 finished."),
        (_said(finished=1), "All is copied; 1 finished."),
        (_said(finished=1, unread=2), "2 not read; 1 finished."),
        (_said(still=1, unread=2), "1 not moving; 2 not read."),
        (_said(2, copying=1, unread=1), "Copying ends about 10:10, db-01 last; 1 not read."),
        (_said(unread=2), ""),
    ],
)
def test_what_a_forecast_says(said: str, sentence: str) -> None:
    """When the last is done and which that is, then all that is not in it."""
    assert said == sentence


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ((50, 10, 10), "Copying ends about Thu 11:00."),
        ((50, 10.1, 0), "Copying ends between Thu 00:00 and Thu 11:00."),
        ((50, 0, 10.1), "Copying ends between Thu 11:00 and Thu 21:00."),
        ((1, 0.5, 0.5), "Copying ends about 09:10."),
        ((1, 0.5, 0.6), "Copying ends between 08:40 and 09:40."),
    ],
)
def test_doubts_are_told_where_they_are_great(end: Any, sentence: str) -> None:
    """Within a fifth of the time left, or half an hour, the end is told alone; else a span is."""
    assert _said(*end, copying=1) == sentence


def test_a_task_without_a_name_is_called_by_its_id() -> None:
    """It is named so that it can be found; a name from outside is shown in one line."""
    for name, shown in (("", "4711"), ("db\n01", "db 01")):
        made = Forecast(_end(2, name=name), copying=2)
        assert say_forecast(made, NOW, UTC) == f"Copying ends about 10:10, {shown} last."


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (0, "08:10"),
        (7 / 60, "08:10"),
        (7.1 / 60, "08:20"),
        (15.9, "Wed 00:00"),
        (23.9, "Wed 08:00"),
        (24, "Wed 08:10"),
        (24.1, "Wed 09:00"),
        (6 * 24, "Mon 09:00"),
        (6 * 24 + 15, "2026-12-01 00:00"),
        (365 * 24, "2027-11-24 09:00"),
    ],
)
def test_a_moment_ahead_is_rounded_up(hours: float, shown: str) -> None:
    """To ten minutes, from a day off to hours; a day is named, and has its date a week off."""
    assert ahead(NOW + hours * HOUR, NOW, UTC) == shown


def test_today_is_that_of_the_zone() -> None:
    """What is tomorrow in one zone is today in another."""
    at = NOW + 13 * HOUR
    assert ahead(at, NOW, load_zone("Asia/Shanghai")) == "Wed 05:10"
    assert ahead(at, NOW, load_zone("America/Los_Angeles")) == "13:10"


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-03-29T00:55", "Sun 03:00"),
        ("2026-10-24T23:55", "Sun 02:00"),
        ("2026-10-25T00:55", "Sun 02:00"),
        ("2026-10-25T01:55", "Sun 03:00"),
    ],
)
def test_a_moment_is_one_that_its_zone_has(at: str, shown: str) -> None:
    """Where clocks are changed an hour is missing, or there twice."""
    moment = datetime.fromisoformat(f"{at}+00:00")
    assert ahead(moment, moment - 47 * HOUR, load_zone("Europe/Berlin")) == shown
