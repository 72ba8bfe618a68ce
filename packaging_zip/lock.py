"""The locked dependencies: their names, versions and hashes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict

from packaging_zip.errors import BuildError

HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def locked(root: Path) -> Dict[str, str]:
    """Return name and version of every locked dependency. Raise BuildError for a spoilt lock."""
    text = (root / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found: Dict[str, str] = {}
    for line in text.splitlines():
        requirement = line.partition("#")[0].strip()
        if not requirement:
            continue
        pinned = re.match(r"([a-z0-9-]+)==([^\s;]+)", requirement)
        if pinned is None or not HASH.search(requirement):
            raise BuildError(f"requirements.txt: {line[:60]!r} is not a version with its hashes")
        name, version = pinned.groups()
        if ";" in requirement or name in found:
            raise BuildError(
                f"requirements.txt: {name} is not the same for every Python, but the zip is;"
                " lock one version for all"
            )
        found[name] = version
    return found
