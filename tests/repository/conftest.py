"""Fixtures of this folder: the zip, which takes a while to build."""

from __future__ import annotations

from pathlib import Path

import pytest

from packaging_zip import build


@pytest.fixture(scope="session")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the zip once, from what is installed for these tests."""
    output = tmp_path_factory.mktemp("zip") / "sms-watch.zip"
    build.build(output)
    return output
