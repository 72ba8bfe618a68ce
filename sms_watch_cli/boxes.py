"""A message of the watchdog as it is shown on a terminal: a box in the colour of its level."""

from __future__ import annotations

import itertools
import json
import re
import textwrap
from typing import Any, Dict, List, Mapping

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from sms_watch.model.notice import Kind, Level
from sms_watch.text import count

MOST_PARAGRAPHS = 3  # of a message; there is one for each task, or for many of a kind
MOST_LINES = 30  # of a box; a list of fifty tasks would push all else off the screen
FRAME = 4  # columns that a box takes
LABEL = re.compile(r" *(?:\S.*? {2,})?")  # what stands before the text of a line
GOOD_NEWS = frozenset(
    {
        Kind.COPIED,
        Kind.RESUMED,
        Kind.MOVING,
        Kind.CONNECTED,
        Kind.FINISHED,
        Kind.READABLE,
        Kind.SIGHTED,
    }
)
COLOURS = ((Level.CRITICAL, "red"), (Level.WARNING, "yellow"))


def box(message: Mapping[str, Any], width: int, clock: str = "%H:%M") -> Panel:
    """Return a message in a box as wide as the terminal; ``clock`` is the form of its moment."""
    # No title of the panel: it would be cut where it is longer than a line.
    subject = f"{message['at']:{clock}} message: {message['subject'].rpartition(' - ')[0]}"
    paragraphs = message["email"].split("\n\nSMS console:")[0].split("\n\n")
    more = len(paragraphs) - MOST_PARAGRAPHS
    rest = [f"... and {count(more, 'more paragraph')}"] if more > 0 else []
    text = "\n\n".join([*paragraphs[:MOST_PARAGRAPHS], *rest])
    colour = _colour(_notices(message))
    return Panel(
        Group(Text(subject, style=f"bold {colour}"), Text(f"\n{_lines(text, width - FRAME)}")),
        border_style=colour,
    )


def _lines(text: str, width: int) -> str:
    """Return a text as lines of a width, of which only so many are shown as a screen has."""
    lines = [wrapped(line, width) for line in text.splitlines()]
    heights = itertools.accumulate(line.count("\n") + 1 for line in lines)
    fitting = sum(height <= MOST_LINES for height in heights)
    more = len(lines) - fitting
    rest = [f"... and {count(more, 'more line')}"] if more > 0 else []
    return "\n".join([*lines[:fitting], *rest])


def wrapped(line: str, width: int) -> str:
    """Return a line cut where it is too long; what goes on is as far in as its text began.

    The rule below a heading does not go on: it would be as long as the heading in one line.
    """
    if set(line) == {"-"}:
        return line[:width]
    label = LABEL.match(line)
    indent = len(label.group()) if label else 0
    hang = " " * (indent if indent < width // 2 else 0)
    return "\n".join(textwrap.wrap(line, width, subsequent_indent=hang))


def _notices(message: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Return what a message tells, as a web hook gets it."""
    notices: List[Dict[str, Any]] = json.loads(message.get("http", '{"notices": []}'))["notices"]
    return notices


def _colour(notices: List[Dict[str, Any]]) -> str:
    levels = {notice["level"] for notice in notices}
    for level, colour in COLOURS:
        if level in levels:
            return colour
    good = notices and all(notice["kind"] in GOOD_NEWS for notice in notices)
    return "green" if good else "blue"
