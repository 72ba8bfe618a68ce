"""Why the zip cannot be built."""

from __future__ import annotations


class BuildError(Exception):
    """The zip cannot be built; the text says what to do."""


class NotInstalledError(BuildError):
    """A locked dependency is not installed where it was looked for."""
