"""The pictures of the README: they are there, small, and show what the program shows now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import browser
from tests.support.pictures import DIGESTS, NAMES, PAGE, PLACE, Shown, pictures_of, shown

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
LARGEST = 300_000  # bytes; more is slow to load


@pytest.fixture(scope="module")
def what() -> Shown:
    """Return what the pictures have to show."""
    return shown()


def test_the_pictures_show_what_the_program_shows(what: Shown) -> None:
    """Messages, terminal and page are those of the day on which "make pictures" was run."""
    kept = (PLACE / DIGESTS).read_text(encoding="utf-8")
    assert kept == what.digests(), 'the pictures are out of date: run "make pictures"'


def test_the_terminals_are_made_of_what_is_shown(
    what: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pictures of the terminal are those that would be made now, to the byte."""
    monkeypatch.setattr(browser, "picture", lambda *_: b"")
    made = {name: data for name, data in pictures_of(what).items() if name.startswith("demo")}
    assert made == {name: (PLACE / name).read_bytes() for name in made}
    assert len(made) == 2


def test_another_text_is_another_digest(what: Shown) -> None:
    """A word that changes on the page is seen."""
    changed = what._replace(page=what.page.replace("needs attention", "needs someone"))
    assert changed.page != what.page
    assert changed.digests() != what.digests()


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_small_and_fetches_nothing(name: str) -> None:
    """It loads soon, asks no other host for anything, and a page is as wide as it should be."""
    data = (PLACE / name).read_bytes()
    assert 10_000 < len(data) < LARGEST
    if name.endswith(".png"):
        assert browser.size_of(data) == PAGE
    else:
        assert b"url(" not in data.replace(b"url(#", b"")


def test_no_picture_lies_about() -> None:
    """What lies in the folder are the pictures and their digests."""
    assert {path.name for path in PLACE.iterdir()} == {*NAMES, DIGESTS}


def test_the_readme_shows_each_picture_in_light_and_dark() -> None:
    """Whoever reads in the dark gets the dark one, everybody else the light one."""
    dark = re.findall(
        r'<source media="\(prefers-color-scheme: dark\)" srcset="docs/pictures/(\S+)">', README
    )
    light = re.findall(r'<img src="docs/pictures/(\S+)"', README)
    assert [name.replace("-light", "-dark") for name in light] == dark
    assert sorted([*dark, *light]) == sorted(NAMES)
