"""Words for people that more than one command needs. Pure."""

from __future__ import annotations


def count(number: int, what: str) -> str:
    """Say how many there are: ``1 task``, ``2 tasks``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
