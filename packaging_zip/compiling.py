"""Compiled twins of the modules that a run loads."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, Mapping

from packaging_zip.errors import BuildError
from packaging_zip.prove import imported, last_line

# The path is the one that a traceback shows on FunctionGraph, wherever the zip was built.
COMPILE = """
import py_compile, sys
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for name in sys.stdin.read().split("\\n"):
    where = "/opt/function/code/" + name
    py_compile.compile(name, dfile=where, doraise=True, invalidation_mode=unchecked)
"""
LOADED = """
for each in list(sys.modules.values()):
    path = os.path.realpath(getattr(each, "__file__", None) or "")
    if path.startswith(os.path.realpath(sys.argv[1]) + os.sep):
        print(os.path.relpath(path, os.path.realpath(sys.argv[1])).replace(os.sep, "/"))
"""


def compiled(files: Mapping[str, bytes], python: str) -> Dict[str, bytes]:
    """Return compiled twins of the modules that a run loads, used without a look at the source."""
    # The order of a set would show in the bytes.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as place:
        for name, content in files.items():
            target = Path(place, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        loaded = sorted(imported(python, place, LOADED).split())
        done = subprocess.run(
            [python, "-s", "-S", "-B", "-c", COMPILE],
            input="\n".join(loaded),
            cwd=place,
            env={**plain, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildError(
                f"{python} cannot compile what is in the zip: {last_line(done.stderr)}"
            )
        made = sorted(Path(place).rglob("*.pyc"))
        return {each.relative_to(place).as_posix(): each.read_bytes() for each in made}
