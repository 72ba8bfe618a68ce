"""The Pythons that the zip is tried on: FunctionGraph's, as far as they are on this machine."""

from __future__ import annotations

import contextlib
import functools
from typing import Dict, List

from build_zip import RUNTIMES, BuildError, interpreter


@functools.cache
def interpreters_found() -> Dict[str, str]:
    """Give the interpreter of each of FunctionGraph's versions that really runs here."""
    found: Dict[str, str] = {}
    for version in RUNTIMES:
        with contextlib.suppress(BuildError):
            found[version] = interpreter(version)
    return found


def report_header() -> List[str]:
    """Say for pytest's header which versions the zip is tried on, and which are missing."""
    found = interpreters_found()
    missing = [version for version in RUNTIMES if version not in found]
    lines = [f"zip tried on Python: {', '.join(found) or 'the running one only'}"]
    return [*lines, f"not installed here: {', '.join(missing)}"] if missing else lines
