"""docs/troubleshooting.md quotes what the program says, word by word."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator, List

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SOURCES = [ROOT / "index.py", *ROOT.glob("sms_watch/**/*.py"), *ROOT.glob("sms_watch_cli/**/*.py")]
SHORTEST = 8  # letters of a text of the program that is recognised within a quotation
OF_OTHERS = "sms-watch: command not found"  # the shell's


def _constants() -> Iterator[str]:
    """Yield each text in the code of the program; of one with values in it, what is between."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.split(r"\{\w*\}", node.value)


SAID = sorted(set(_constants()), key=len, reverse=True)


def _quoted(page: str) -> List[str]:
    """Return the parts of what stands in the first column of the tables, without what differs."""
    firsts = re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)
    texts = [text for first in firsts for text in re.findall(r"`([^`]+)`", first)]
    parts = [
        part.strip(" :,;") for text in texts if text != OF_OTHERS for part in text.split("...")
    ]
    return [part for part in parts if part and not re.fullmatch(r"HTTP \d{3}", part)]


def _unsaid(part: str) -> List[str]:
    """Return what is left of a quotation without the texts that the program puts together."""
    rest = [part]
    for text in (said.strip() for said in SAID):
        if len(text) >= SHORTEST:
            rest = [piece for each in rest for piece in each.split(text)]
    left = [piece.strip(" :,;()") for piece in rest]
    return [piece for piece in left if not any(piece in said for said in SAID)]


@pytest.mark.parametrize("part", _quoted(PAGE))
def test_what_is_quoted_is_said(part: str) -> None:
    """Whoever searches the page for the text of an error finds it."""
    assert _unsaid(part) == []


def test_a_text_that_nobody_says_is_seen() -> None:
    """A word that differs from that of the program is one too many."""
    assert _unsaid("there is no such bucket: build it, or correct JOURNAL_URI")


def test_the_page_quotes_something() -> None:
    """The tables are read: some dozens of texts are compared."""
    assert len(_quoted(PAGE)) > 40
