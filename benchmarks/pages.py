"""The page of a wave of three days: how large it is, and how long a browser takes to draw it.

The time is that of a picture of the page, less that of a picture of an empty one.
"""

from __future__ import annotations

import time
from datetime import timedelta, timezone
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import List

from benchmarks.figures import Figure, at_most
from sms_watch.text import count
from sms_watch_cli.report.facts import facts
from sms_watch_cli.report.page import page
from tests.support import browser, waves

SIZE = (1200, 900)  # points of the picture
EVERY = 3 * waves.EVERY  # a curve is short either way
EMPTY = "<!doctype html><title>Empty</title>"
MOST_MEGABYTES, MOST_SECONDS = 1.5, 2.0


def figures(tasks: int, repeats: int) -> List[Figure]:
    """Make the page of so many tasks, and return its size and the median of the times."""
    text = made(tasks)
    name = f"the page of {count(tasks, 'task')}"
    size = at_most(f"{name}: size", len(text.encode()) / 1e6, MOST_MEGABYTES, "{:.2f} MB")
    what = f"{name}: drawn"
    if browser.found() is None:
        return [size, Figure(what, "not measured: no Chromium here")]
    return [size, at_most(what, _seconds(text, repeats), MOST_SECONDS, "{:.2f} s")]


def made(tasks: int) -> str:
    """Return the page of so many tasks at the end of their wave."""
    end = waves.BEGIN + timedelta(days=waves.DAYS)
    told = facts(waves.wave(tasks, EVERY), waves.BEGIN, end, timezone.utc)
    return page(told, timezone.utc, "What sms_watch saw")


def _seconds(text: str, repeats: int) -> float:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        _drawn(EMPTY, place)  # the first start of a browser makes its profile
        pairs = [(_drawn(EMPTY, place), _drawn(text, place)) for _ in range(repeats)]
        return median(whole for _, whole in pairs) - median(empty for empty, _ in pairs)


def _drawn(text: str, place: Path) -> float:
    begun = time.perf_counter()
    browser.picture(text, SIZE, place)
    return time.perf_counter() - begun
