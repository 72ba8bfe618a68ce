"""Fixtures of this folder: troubles on the wire, which load Flask, TLS and the SDK."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from tests.support.clouds import BUCKET, Night, a_night
from tests.support.network_faults import places, wire

__all__ = ["places", "wire"]


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Return a night whose cloud has a bucket of one's own."""
    with a_night(tmp_path) as made:
        made.storage.create(BUCKET, "ap-southeast-3", "private")
        yield made
