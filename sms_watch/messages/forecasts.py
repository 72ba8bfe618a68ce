"""When all copies will be done, in a sentence. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Iterator

from sms_watch.model.forecast import End, Forecast
from sms_watch.text import clean, count

# So far, in parts of the time left, may the earliest and the latest end lie from the expected one
# for it to be told alone. That close are the forecasts that docs/benchmarks.md measures.
SURE = 0.2
LEAST_DOUBT = timedelta(minutes=30)
DAY, HOUR, TEN_MINUTES = timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)
A_WEEK_OFF = 7  # days: the name of the day would be that of today


def say_forecast(forecast: Forecast, now: datetime, zone: tzinfo) -> str:
    """Return a forecast made ``now`` in a sentence; empty where there is no task.

    ``Copying ends about Thu 14:00, db-01 last; 3 of 48 not measured yet.``
    """
    said = "; ".join(_parts(forecast, now, zone))
    return f"{said}." if said else ""


def _parts(forecast: Forecast, now: datetime, zone: tzinfo) -> Iterator[str]:
    seen = forecast.copying + forecast.still + forecast.ready + forecast.finished
    if not seen:
        return
    yield from _copies(forecast, now, zone)
    if forecast.still:
        # An end holds for what moves; where there is none, nothing has to be left out of it.
        yield f"{forecast.still:,} not moving{', so not counted' if forecast.end else ''}"
    if forecast.unread:
        yield f"{forecast.unread:,} not read"
    if forecast.ready:
        yield f"{forecast.ready:,} ready for cut-over"
    if forecast.finished and not forecast.copying:
        yield f"{forecast.finished:,} finished"


def _copies(forecast: Forecast, now: datetime, zone: tzinfo) -> Iterator[str]:
    """Yield when those that run will be done; that all is copied, only where all was seen."""
    if forecast.end:
        last = "" if _is_alone(forecast) else f", {_name(forecast.end)} last"
        yield f"Copying ends {_when(forecast.end, now, zone)}{last}"
        if forecast.unmeasured:
            yield f"{forecast.unmeasured:,} of {forecast.copying:,} not measured yet"
    elif forecast.copying:
        unmeasured = count(forecast.copying, "running task")
        yield f"End of copying not known yet: {unmeasured} not measured yet"
    elif not forecast.unread:
        yield "Nothing is being copied" if forecast.still else "All is copied"


def _is_alone(forecast: Forecast) -> bool:
    """Return whether nobody has to be told which task an end is about."""
    others = forecast.still + forecast.ready + forecast.finished + forecast.unread
    return forecast.copying == 1 and not others


def _name(end: End) -> str:
    return clean(end.name) or end.task_id


def _when(end: End, now: datetime, zone: tzinfo) -> str:
    """Return the expected end, or where it is far from sure between when it lies."""
    doubt = max(end.at - end.earliest, end.latest - end.at)
    if doubt <= max(SURE * (end.at - now), LEAST_DOUBT):
        return f"about {ahead(end.at, now, zone)}"
    earliest, latest = (ahead(moment, now, zone) for moment in (end.earliest, end.latest))
    return f"between {earliest} and {latest}"


def ahead(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """Return when something is expected, rounded up: ``14:10``, ``Thu 14:00``.

    It is rounded to ten minutes, from a day off to hours. A day within the next six has its name, a
    later one its date.
    """
    step = HOUR if moment - now > DAY else TEN_MINUTES
    local = _rounded_up(moment, step, zone)
    days = (local.date() - now.astimezone(zone).date()).days
    if days <= 0:
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}" if days < A_WEEK_OFF else f"{local:%Y-%m-%d %H:%M}"


def _rounded_up(moment: datetime, step: timedelta, zone: tzinfo) -> datetime:
    """Return the next moment whose time in the zone is a whole step, also as its clocks change."""
    local = moment.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (moment.astimezone(timezone.utc) + -(local - midnight) % step).astimezone(zone)
