"""The command line: ``sms-watch``, or ``python -m sms_watch_cli``.

How it begins: ``start``. This file and ``__init__`` alone can be read by every Python, so that one
that is too old is told in words.
"""

import sys

from sms_watch_cli import WHAT_TO_TYPE

if sys.version_info < (3, 9):  # noqa: UP036 - that nobody has an older one is not ours to say
    sys.exit(
        "sms-watch needs Python 3.9 or later, and this is Python "
        + sys.version.split()[0]
        + ": "
        + WHAT_TO_TYPE
    )

from sms_watch_cli.start import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
