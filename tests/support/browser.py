"""A real browser, where there is one: what it makes of a page, without network."""

from __future__ import annotations

import functools
import html
import json
import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
SECONDS = 60
THEMES = ("dark", "light")  # in the order of Chromium's numbers (PreferredColorScheme)
# What is measured of a page in a frame of each width.
MEASURE = """
const seen = [...document.querySelectorAll('iframe')].map(frame => {
  const page = frame.contentDocument, root = page.documentElement;
  return {
    width: frame.clientWidth,
    needed: root.scrollWidth,
    curves: [...page.querySelectorAll('.plot .curve')].map(c => c.getBoundingClientRect().width),
    resources: frame.contentWindow.performance.getEntriesByType('resource').length,
    paper: getComputedStyle(page.body).backgroundColor,
    smallest: Math.min(...[...page.querySelectorAll('main *')]
      .filter(e => !e.closest('svg') && e.textContent.trim())
      .map(e => parseFloat(getComputedStyle(e).fontSize))),
  };
});
document.title = JSON.stringify(seen);
"""

# Which choices a page offers, and how many of its rows can be seen when each of them is made.
CHOOSE = """
const page = document.querySelector('iframe').contentDocument, seen = {};
for (const choice of page.querySelectorAll('input[type=radio]')) {
  choice.click();
  const rows = [...page.querySelectorAll('tbody .row')];
  seen[choice.id] = rows.filter(row => row.getClientRects().length).length;
}
document.title = JSON.stringify([seen]);
"""


@functools.cache
def found() -> Optional[str]:
    """Return the browser of this machine, if there is one that runs."""
    for name in NAMES:
        path = shutil.which(name)
        if path is not None and _run(path, "--version") is not None:
            return path
    return None


def report_header() -> List[str]:
    """Return for pytest's header what looks at the pages."""
    path = found()
    if path is None:
        return ["pages looked at by a parser only: there is no Chromium here"]
    return [f"pages looked at in {(_run(path, '--version') or '').strip()}, and by a parser"]


def measures(page: str, widths: Sequence[int], place: Path) -> List[Dict[str, Any]]:
    """Return what the browser makes of a page at each width. There has to be one."""
    return _asked(page, widths, place, MEASURE)


def rows_by_choice(page: str, place: Path) -> Dict[str, int]:
    """Return how many rows of a page are seen after each of its radio buttons is pressed."""
    (seen,) = _asked(page, [1200], place, CHOOSE)
    return seen


def _asked(page: str, widths: Sequence[int], place: Path, question: str) -> List[Dict[str, Any]]:
    """Return what a script finds out about a page, in a frame of each width."""
    frames = "".join(
        f'<iframe width="{width}" height="900" frameborder="0" srcdoc="{html.escape(page)}">'
        "</iframe>"
        for width in widths
    )
    harness = place / "harness.html"
    script = f"<script>addEventListener('load', () => {{{question}}})</script>"
    harness.write_text(f"<!doctype html><body>{frames}{script}", encoding="utf-8")
    dom = _chromium(place, "--dump-dom", harness.as_uri())
    titles = re.findall(r"<title>(\[.*?\])</title>", dom, re.DOTALL)
    assert titles, dom[-2000:]
    seen: List[Dict[str, Any]] = json.loads(html.unescape(titles[-1]))
    return seen


def screenshot(page: str, width: int, place: Path) -> Tuple[Tuple[int, int], int]:
    """Return the size of a picture of a page in points, and in bytes."""
    data = picture(page, (width, 1200), place)
    return size_of(data), len(data)


def picture(page: str, size: Tuple[int, int], place: Path, theme: str = "light") -> bytes:
    """Return a picture (PNG) of the head of a page, in points; the theme is light or dark."""
    source, taken = place / "page.html", place / "page.png"
    source.write_text(page, encoding="utf-8")
    wide, high = size
    scheme = f"--blink-settings=preferredColorScheme={THEMES.index(theme)}"
    window = f"--window-size={wide},{high}"
    _chromium(place, scheme, window, f"--screenshot={taken}", source.as_uri())
    return taken.read_bytes()


def size_of(data: bytes) -> Tuple[int, int]:
    """Return width and height of a PNG in points (PNG specification, "IHDR Image header")."""
    assert data.startswith(b"\x89PNG")
    wide, high = struct.unpack(">II", data[16:24])
    return wide, high


def _chromium(place: Path, *arguments: str) -> str:
    path = found()
    assert path is not None
    said = _run(path, *FLAGS, f"--user-data-dir={place / 'profile'}", *arguments)
    assert said is not None
    return said


def _run(*command: str) -> Optional[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
