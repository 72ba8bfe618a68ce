"""Fixtures of this folder: the stores that a journal may lie on."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from sms_watch.journal.store import AppendStore
from tests.support.journals import KINDS, STORES


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AppendStore]:
    """Return a store of each kind, one after the other."""
    with STORES[request.param](tmp_path) as made:
        yield made
