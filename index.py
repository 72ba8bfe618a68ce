"""What FunctionGraph calls: ``index.handler`` on every tick, ``index.initializer`` before.

The libraries beside this file go before those of the runtime and of dependency packages, which are
older. This file alone can be read by every Python, so that one that is too old is told in words.
"""

import os.path
import sys

if sys.version_info < (3, 9):  # noqa: UP036 - that nobody chooses an older one is not ours to say
    raise RuntimeError(
        "sms_watch needs Python 3.9 or later, and this is Python "
        + sys.version.split()[0]
        + ": create the function anew with the runtime Python 3.12, 3.10 or 3.9"
    )

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from sms_watch.handler import handler, initializer

__all__ = ["handler", "initializer"]
