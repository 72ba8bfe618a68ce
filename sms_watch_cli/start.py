"""How the command begins: whatever is missing is told in words, and Ctrl-C ends at once.

This is read in an instant and needs no package.
"""

from __future__ import annotations

import os
import signal
import sys
from types import ModuleType

from sms_watch_cli import INTERRUPTED, WHAT_TO_TYPE


def main() -> None:
    """Run the command that was typed."""
    try:
        commands = _loaded()
    except ModuleNotFoundError as error:
        sys.exit(f"sms-watch needs {error.name}, which this Python does not have: {WHAT_TO_TYPE}")
    commands.group(prog_name="sms-watch")


def _loaded() -> ModuleType:
    """Import the commands; Ctrl-C ends at once, for nothing was begun."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    try:
        from sms_watch_cli import commands  # noqa: PLC0415 - it takes a second
    finally:
        signal.signal(signal.SIGINT, before)
    return commands


def _end(*_: object) -> None:
    # No exception: what is being imported may catch it, or turn it into another one.
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)
