"""The measurements: that all of them are taken and shown, whatever they come to."""

from __future__ import annotations

import io
import sysconfig
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import fresh, pages
from benchmarks.__main__ import Sizes, document, measure
from benchmarks.bare_script import authorization
from benchmarks.figures import on_screen
from benchmarks.layouts import ROOT, Layouts
from simulated_cloud.signing import Key, SignedRequest, problem
from tests.support import browser

TINY = Sizes(
    imports=1,
    runs=1,
    tasks=(1, 2),
    pause=0.001,
    night=timedelta(minutes=1),
    day=timedelta(minutes=6),
    counted=False,
    many=2,
    ticks=3,
    scenes=("disk-full",),
    longest=timedelta(minutes=2),
    page=2,
    drawings=1,
)


def _everything(place: Path) -> Path:
    """Return a folder with all that is installed here beside the sources, without copying it."""
    installed = Path(sysconfig.get_path("purelib")).iterdir()
    for each in (ROOT / "index.py", ROOT / "sms_watch", *installed):
        (place / each.name).symlink_to(each)
    return place


def test_every_measurement_is_on_the_screen_and_in_the_document(tmp_path: Path) -> None:
    """All parts run on tiny sizes, and each figure stands in a table and in the document."""
    folder = _everything(tmp_path)
    layouts = Layouts(folder, folder, folder, folder, size=1, sizes={"3.12": 1})
    tables = dict(measure(TINY, layouts))
    screen = Console(file=io.StringIO(), width=200)
    with screen.capture() as shown:
        for title, figures in tables.items():
            screen.print(on_screen(title, figures))
    printed, written = shown.get(), document(TINY, tables)
    assert [len(figures) for figures in tables.values()] == [6, 13, 14, 16, 9, 8, 2, 2]
    for title, figures in tables.items():
        assert title in printed
        assert f"## {title}" in written
        for figure in figures:
            assert figure.what in printed
            assert f"| {' | '.join(figure.cells)} |" in written


def test_without_a_browser_the_drawing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not measured is neither met nor missed; the size is measured all the same."""
    monkeypatch.setattr(browser, "found", lambda: None)
    size, drawn = pages.figures(2, 1)
    assert (size.met, drawn.met) == (True, None)
    assert drawn.measured == "not measured: no Chromium here"


def test_a_fresh_process_knows_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured goes to the cloud on loopback, also behind a company's proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    show = "import json, urllib.request; print(json.dumps(urllib.request.getproxies()))"
    assert fresh._run([*fresh.ALONE, "-c", show], "").said == {}


def test_the_bare_script_signs_as_the_service_asks() -> None:
    """What the bare script is compared by is a script that works: its signatures are right."""
    key, moment = Key("access", "secret"), "20261124T120500Z"
    url = "https://sms.example.com/v3/tasks/a/action"
    headers = {"Host": "sms.example.com", "X-Sdk-Date": moment, "Content-Type": "application/json"}
    body = b'{"operation": "start"}'
    headers["Authorization"] = authorization("POST", url, headers, body, key.access, key.secret)
    lower = {name.lower(): text for name, text in headers.items()}
    request = SignedRequest("POST", "/v3/tasks/a/action", "", lower, body)
    now = datetime(2026, 11, 24, 12, 6, tzinfo=timezone.utc)
    assert problem(request, [key], now) == ""
    assert problem(replace(request, body=b"{}"), [key], now) != ""
