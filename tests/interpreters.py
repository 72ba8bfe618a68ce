"""The Pythons that the zip is tried on: FunctionGraph's, as far as they are on this machine."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List

RUNTIMES = ("3.9", "3.10", "3.12")


@functools.cache
def interpreters_found() -> Dict[str, str]:
    """Give the interpreter of each of FunctionGraph's versions that really runs here."""
    found: Dict[str, str] = {}
    for version in RUNTIMES:
        for candidate in _candidates(version):
            if _runs(candidate, version):
                found[version] = candidate
                break
    return found


def report_header() -> List[str]:
    """Say for pytest's header which versions the zip is tried on, and which are missing."""
    found = interpreters_found()
    missing = [version for version in RUNTIMES if version not in found]
    lines = [f"zip tried on Python: {', '.join(found) or 'the running one only'}"]
    return [*lines, f"not installed here: {', '.join(missing)}"] if missing else lines


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield on_path
    managed = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(each) for each in sorted(managed.glob(f"versions/{version}.*/bin/python3")))


def _runs(candidate: str, version: str) -> bool:
    tell = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([candidate, "-c", tell], capture_output=True, text=True, check=False)
    except OSError:  # a broken link, or no program at all
        return False
    return done.returncode == 0 and done.stdout.strip() == version
