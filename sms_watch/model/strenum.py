"""Enums of strings, as Python 3.11 has them."""

from __future__ import annotations

import enum


class StrEnum(str, enum.Enum):
    """An enum whose members are, and print as, the strings they stand for."""

    def __str__(self) -> str:
        return str(self.value)
