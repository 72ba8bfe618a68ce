"""Words for people that every text needs: lines from outside, numbers, moments, spans. Pure."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta, tzinfo
from typing import Optional

MAX_NAME = 64  # characters of a text from outside
MAX_DETAIL = 200
THOUSAND, HUNDREDS = 1000, 100


def clean(text: str, limit: int = MAX_NAME) -> str:
    """Make a text from outside safe to show: one line, nothing invisible, cut at a character."""
    text = text[: 4 * limit]
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."


def count(number: int, what: str) -> str:
    """Return how many there are: ``1 task``, ``2,000 tasks``."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def amount(number: int) -> str:
    """Return a number of bytes in words: ``120 GB``, ``3.5 TB``."""
    size, unit = float(number), "bytes"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if size < THOUSAND:
            break
        size, unit = size / THOUSAND, larger
    return f"{size:.3g} {unit}" if size < HUNDREDS else f"{size:.0f} {unit}"


def bar(percent: Optional[int], length: int) -> str:
    """Draw a bar of a length in letters; what is not known is empty."""
    filled = length * (percent or 0) // 100
    return f"[{'#' * filled}{'.' * (length - filled)}]"


def when(moment: datetime, zone: tzinfo) -> str:
    """Return when something was: ``2026-11-24 08:03 +08:00``."""
    local = moment.astimezone(zone)
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M} {offset[:3]}:{offset[3:5]}"


def duration(span: timedelta) -> str:
    """Return a span in words: ``1 d 3 h``, ``5 h 25 min``."""
    minutes = round(span.total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    shown = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(shown[:2]) or "less than a minute"
