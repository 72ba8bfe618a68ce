"""The pictures of the README, made by the program itself: ``make pictures``.

The terminal is that of ``make demo`` at one moment of its night, and its scoreboard; the page is
the one that ``report`` writes in the middle of the wave. What they show is the same in each run, so
a digest of it beside the pictures says whether they are still right.
"""

from __future__ import annotations

import hashlib
import io
import re
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Mapping, NamedTuple

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME, TerminalTheme

from simulated_cloud.scenarios import SCENARIOS
from sms_watch_cli.boxes import box
from sms_watch_cli.play import play_plain, play_unwatched, play_watched
from sms_watch_cli.report.facts import facts
from sms_watch_cli.report.page import page
from sms_watch_cli.screen import Screen, tasks_at
from tests.support import browser

PLACE = Path(__file__).parents[2] / "docs" / "pictures"
DIGESTS = "digests.txt"
NIGHT = SCENARIOS["night"]
MOMENT = datetime(2026, 11, 24, 3, tzinfo=timezone.utc)  # a disk is full, and a task is paused
WAVE = SCENARIOS["wave"]
# After both outages; a disk is full, a task is paused, two hang, some are still running.
WAVE_SO_FAR = replace(WAVE, end=WAVE.begin + timedelta(hours=44))
COLUMNS, LINES = 96, 40
PAGE = (1200, 825)  # points: the head of the page, and what needs a look
WHITE, INK = (255, 255, 255), (36, 41, 47)
RED, GREEN, YELLOW = (207, 34, 46), (17, 99, 41), (154, 103, 0)
BLUE, PURPLE, CYAN, GREY = (9, 105, 218), (130, 80, 223), (27, 124, 131), (110, 119, 129)
# In rich's own light theme yellow and green cannot be read on white.
LIGHT = TerminalTheme(WHITE, INK, [INK, RED, GREEN, YELLOW, BLUE, PURPLE, CYAN, GREY])
THEMES = {"light": LIGHT, "dark": SVG_EXPORT_THEME}
# Without the fonts, which would be fetched from elsewhere.
SVG = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
NAMES = (*(f"demo-{theme}.svg" for theme in THEMES), *(f"report-{theme}.png" for theme in THEMES))


class Shown(NamedTuple):
    """What the pictures show: a terminal on which it is printed, and a page."""

    terminal: Console
    page: str

    def digests(self) -> str:
        """Return a line for each of both, which is another one when what is shown is."""
        texts = {"demo": self.terminal.export_text(clear=False, styles=True), "report": self.page}
        return "".join(
            f"{name} {hashlib.sha256(text.encode()).hexdigest()}\n" for name, text in texts.items()
        )


class _Album(Screen):
    """A screen that nobody sees, of which one moment is printed on a terminal that is kept."""

    def __init__(self, terminal: Console) -> None:
        super().__init__(NIGHT.title, Console(file=io.StringIO()))
        self._terminal = terminal

    def show(self, moment: datetime, report: Mapping[str, Any]) -> None:
        """Show the state of things after a tick."""
        super().show(moment, report)
        world = self._world
        if moment == MOMENT and world is not None:
            actions = {task["id"]: task for task in report["tasks"]}
            self._terminal.rule(NIGHT.title)
            self._terminal.print(box(world.inbox[-1], COLUMNS))
            self._terminal.print(tasks_at(moment, world, actions, self._terminal))


def shown() -> Shown:
    """Play the night of the demo and the wave, and return what the pictures show of them."""
    terminal = Console(
        file=io.StringIO(),
        width=COLUMNS,
        height=LINES,
        record=True,
        highlight=False,
        force_terminal=True,
        color_system="standard",
        _environ={},  # the same colours, whatever the terminal can show on which this runs
    )
    watched = play_watched(NIGHT, _Album(terminal))
    Screen("", terminal).scoreboard(watched.score, play_plain(NIGHT), play_unwatched(NIGHT))
    wave = play_watched(WAVE_SO_FAR, Screen("", Console(file=io.StringIO())))
    told = facts(wave.entries, WAVE.begin, WAVE_SO_FAR.end, timezone.utc)
    return Shown(terminal, page(told, timezone.utc, WAVE.title))


def pictures_of(what: Shown) -> Dict[str, bytes]:
    """Return the pictures by their names. There has to be a browser."""
    return {**_terminals(what.terminal), **_pages(what.page)}


def _terminals(terminal: Console) -> Dict[str, bytes]:
    return {
        f"demo-{name}.svg": terminal.export_svg(
            title="make demo", theme=theme, clear=False, code_format=SVG, unique_id="demo"
        ).encode()
        for name, theme in THEMES.items()
    }


def _pages(html: str) -> Dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        return {
            f"report-{theme}.png": browser.picture(html, PAGE, Path(place), theme)
            for theme in THEMES
        }


def main() -> None:
    """Write the pictures, and the digests of what they show."""
    if browser.found() is None:
        sys.exit("the pictures are made with Chromium, which is not on this machine: install it")
    what = shown()
    PLACE.mkdir(exist_ok=True)
    for name, data in pictures_of(what).items():
        (PLACE / name).write_bytes(data)
        print(f"{PLACE / name}: {len(data) // 1000} KB")
    (PLACE / DIGESTS).write_text(what.digests(), encoding="utf-8")


if __name__ == "__main__":
    main()
