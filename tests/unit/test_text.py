"""Words that every text needs: lines from outside, bars, numbers, spans."""

from __future__ import annotations

import unicodedata
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.text import amount, bar, clean

HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from('[]【】\r\n\t\x00\u202e\u2028数😀"\\')), max_size=600
)


@pytest.mark.parametrize(
    ("text", "limit", "cleaned"),
    [
        ("  two   spaces ", 64, "two spaces"),
        ("a\tb\x00c\u200bd\u2028e\u00a0f", 64, "a b c d e f"),
        ("数据库 Zürich №1_CZ", 64, "数据库 Zürich №1_CZ"),
        ("数\t据", 64, "数 据"),
        ("x" * 64, 64, "x" * 64),
        ("x" * 65, 64, "x" * 61 + "..."),
        ("x" * 60 + " yyyy", 64, "x" * 60 + "..."),
        ("\x00" * 16 + "beyond", 4, ""),
        ("\x00" * 15 + "x", 4, "x"),
    ],
)
def test_what_cleaning_leaves_of_a_text(text: str, limit: int, cleaned: str) -> None:
    """One line of what can be seen; what stands beyond four times its limit is not looked at."""
    assert clean(text, limit) == cleaned


@given(HOSTILE, st.integers(4, 100))
def test_cleaning_cuts_at_a_character(text: str, limit: int) -> None:
    """A cleaned text is one line without invisible characters, and no longer than asked."""
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert cleaned == clean(cleaned, limit)
    assert not [letter for letter in cleaned if unicodedata.category(letter)[0] == "C"]


@pytest.mark.parametrize(("percent", "filled"), [(None, 0), (0, 0), (1, 1), (99, 99), (100, 100)])
def test_a_bar_is_as_full_as_its_task(percent: Optional[int], filled: int) -> None:
    """One that is not known, or at 0, is empty, however long it is."""
    assert bar(percent, 100) == f"[{'#' * filled}{'.' * (100 - filled)}]"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1_260_000, "1.26 MB"),
        (99_900_000_000, "99.9 GB"),
        (120_400_000_000, "120 GB"),
        (3_500_000_000_000, "3.5 TB"),
        (10**18, "1000 PB"),
    ],
)
def test_an_amount_is_told_in_three_figures(number: int, said: str) -> None:
    """Bytes in the unit that suits them, by thousands."""
    assert amount(number) == said
