"""The proof of a zip: interpreters that see nothing else import all that is in it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from packaging_zip.errors import BuildError

IMPORTS = """
import importlib, os, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import index, sms_watch
for each in pkgutil.walk_packages(sms_watch.__path__, "sms_watch."):
    importlib.import_module(each.name)
"""
PROOF = """
from sms_watch.rules.error_codes import table
assert callable(index.handler) and callable(index.initializer) and table()
"""


def prove(zipped: Path, python: str = sys.executable) -> None:
    """Import ``index`` and every module of the package from the zip alone. Raise BuildError."""
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(zipped) as archive:
            archive.extractall(place)
        imported(python, place, PROOF)


def imported(python: str, place: str, then: str) -> str:
    """Import all that a run needs from a folder alone, and return what is printed after it."""
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", IMPORTS + then, place],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"what was built cannot be imported by {python}: {last_line(done.stderr)}")
    return done.stdout


def last_line(words: str) -> str:
    """Return the last line of what a program wrote on stderr."""
    return (words.strip().splitlines() or ["no reason was given"])[-1]
