"""What a misspelt name was meant to be."""

from __future__ import annotations

from typing import Optional

import pytest

from sms_watch.spelling import Vocabulary

NAMES = Vocabulary(["DRY_RUN", "REMIND_HOURS", "LOG_LEVEL"], frozenset({"LOG"}))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DRYRUN", "DRY_RUN"),
        ("dry_run", "DRY_RUN"),
        ("DRY_RNU", "DRY_RUN"),
        ("REMIND_HOUR", "REMIND_HOURS"),
        ("REMIND_ALWAYS_IN_VAIN", ""),
        ("LOG_LEVELS", "LOG_LEVEL"),
        ("LOG_FILE", None),
        ("PATH", None),
    ],
)
def test_a_name_is_taken_for_the_one_that_it_is_like(name: str, meant: Optional[str]) -> None:
    """After a word of our own every name is meant for us; after a shared one, a close one is."""
    assert NAMES.meant(name) == meant
