"""Which tasks are watched."""

from __future__ import annotations

from typing import Tuple

import pytest

from sms_watch.model.policy import Scope


@pytest.mark.parametrize(
    ("names", "covered"),
    [
        ((), True),
        (("wave1-*",), True),
        (("other", "wave1-app0?"), True),
        (("app*",), False),
        (("WAVE1-*",), False),
    ],
)
def test_a_name_is_covered_by_any_of_the_patterns(names: Tuple[str, ...], covered: bool) -> None:
    """Patterns hold for the whole name, capitals and all; without any, every name is covered."""
    assert Scope(names=names).covers("wave1-app01") is covered


def test_tasks_are_found_by_listing_only_where_none_is_named() -> None:
    """A filter chooses among those that are found; ids need no list."""
    assert Scope().discovers
    assert Scope(names=("wave1-*",), project="p-1").discovers
    assert not Scope(("7a9c",)).discovers
