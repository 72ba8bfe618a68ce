"""Enums of strings."""

from __future__ import annotations

import json

from sms_watch.model.strenum import StrEnum


class Colour(StrEnum):
    """An enum."""

    RED = "red"


def test_a_member_is_the_string_it_stands_for() -> None:
    """Printed, compared, looked up and written as JSON."""
    assert f"{Colour.RED}" == str(Colour.RED) == "red"
    assert "red" in list(Colour)
    assert {"red": 1}[Colour.RED] == 1
    assert json.dumps(Colour.RED) == '"red"'
