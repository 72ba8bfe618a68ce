"""The command line: ``sms-watch``, or ``python -m sms_watch_cli``.

This is read in an instant and needs no package, so whatever is missing is told in words, and
Ctrl-C while the rest is loaded ends at once.
"""

import os
import signal
import sys
from types import ModuleType

from sms_watch_cli import INTERRUPTED

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main() -> None:
    """Run the command that was typed."""
    if sys.version_info < (3, 9):  # noqa: UP036 - that nobody has an older one is not ours to say
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"sms-watch needs Python 3.9 or later, and this is Python {found}: {_what()}")
    try:
        commands = _loaded()
    except ModuleNotFoundError as error:
        sys.exit(f"sms-watch needs {error.name}, which this Python does not have: {_what()}")
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


def _what() -> str:
    """Return what to type, in the checkout that this lies in."""
    command = os.path.join(ROOT, ".venv", "bin", "sms-watch")
    if os.path.exists(command):
        return f"type {command}"
    return f"type: cd {ROOT} && make demo, and then {command}"


if __name__ == "__main__":
    main()
