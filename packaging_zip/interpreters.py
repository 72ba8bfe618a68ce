"""The versions of Python that FunctionGraph has, and those of them that are installed here."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator, Tuple

from packaging_zip.errors import BuildError

RUNTIMES = ("3.9", "3.10", "3.12")  # FunctionGraph's (developer guide, "Python")


@functools.cache
def interpreter(version: str) -> str:
    """Return an interpreter of a version that really runs here. Raise BuildError."""
    for candidate in _candidates(version):
        if _runs(candidate, version):
            return candidate
    raise BuildError(
        f"there is no Python {version} here (neither python{version} on the path nor one of"
        " pyenv's): install it, or leave --python out; the zip then runs on every version"
    )


def installed_runtimes() -> Tuple[str, ...]:
    """Return those of FunctionGraph's versions of Python that can be compiled for here."""
    found = []
    for version in RUNTIMES:
        with contextlib.suppress(BuildError):
            interpreter(version)
            found.append(version)
    return tuple(found)


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
