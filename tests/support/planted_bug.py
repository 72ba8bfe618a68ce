"""A mistake that is planted in a copy of the package, and the test that is to catch it."""

from __future__ import annotations

from typing import NamedTuple


class Bug(NamedTuple):
    """A mistake: in ``file``, ``right`` becomes ``wrong``; ``caught_by`` names a test."""

    name: str
    file: str
    right: str
    wrong: str
    caught_by: str
