"""Sets up ``.venv``: ``python set_up.py requirements-demo.txt``, or ``--on-top`` of what is there.

How it is done: ``packaging_zip/environment.py``. This file alone can be read by every Python, so
that one that is too old is told in words.
"""

import sys

if sys.version_info < (3, 9):  # noqa: UP036 - that nobody has an older one is not ours to say
    sys.exit(
        "sms_watch needs Python 3.9 or later, and this is Python "
        + sys.version.split()[0]
        + ": name another one, such as: make PYTHON=python3.12 demo"
    )

from packaging_zip.environment import main

if __name__ == "__main__":
    main()
