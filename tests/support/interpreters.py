"""The Pythons that the zip is tried on: FunctionGraph's, as far as they are on this machine."""

from __future__ import annotations

import functools
import sys
from typing import Dict, List

from packaging_zip.interpreters import RUNTIMES, installed_runtimes, interpreter

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


@functools.cache
def interpreters_found() -> Dict[str, str]:
    """Return the interpreter of each of FunctionGraph's versions that really runs here."""
    return {version: interpreter(version) for version in installed_runtimes()}


def report_header() -> List[str]:
    """Return for pytest's header which versions the zip is tried on, and which are missing."""
    found = interpreters_found()
    missing = [version for version in RUNTIMES if version not in found]
    lines = [f"zip tried on Python: {', '.join(found) or 'the running one only'}"]
    return [*lines, f"not installed here: {', '.join(missing)}"] if missing else lines
