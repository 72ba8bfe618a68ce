"""What a release has: zips for every runtime, for each alone, and plain, with their checksums."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from packaging_zip.errors import BuildError
from packaging_zip.interpreters import RUNTIMES, installed_runtimes

# The zips by name, with the versions that each is compiled for.
ZIPS: Dict[str, Tuple[str, ...]] = {
    "sms-watch.zip": RUNTIMES,
    **{f"sms-watch-python{version}.zip": (version,) for version in RUNTIMES},
    "sms-watch-plain.zip": (),
}
SUMS = ("sha512", "sha256")


def refuse_half() -> None:
    """Raise BuildError if what is installed here does not do for all of a release."""
    missing = [version for version in RUNTIMES if version not in installed_runtimes()]
    if missing:
        raise BuildError(
            f"a release is compiled for Python {', '.join(RUNTIMES)}, and there is no"
            f" {', '.join(missing)} here: install it, on the path or with pyenv"
        )
    if importlib.util.find_spec("cyclonedx") is None:
        raise BuildError(
            "a release has bills of materials: run make release, which installs for it"
        )


def bill_of(zipped: Path) -> Path:
    """Return where the bill of materials of a zip lies."""
    return zipped.with_suffix(".cdx.json")


def sums_of(folder: Path) -> List[Path]:
    """Return where the checksums of a release lie."""
    return [folder / f"{name.upper()}SUMS" for name in SUMS]


def write_sums(folder: Path, zips: Sequence[str]) -> List[Path]:
    """Write the checksums of zips and their bills, as ``sha512sum --check`` reads them."""
    files = sorted(each for name in zips for each in (folder / name, bill_of(folder / name)))
    for name, path in zip(SUMS, sums_of(folder)):
        lines = (
            f"{hashlib.new(name, each.read_bytes()).hexdigest()}  {each.name}\n" for each in files
        )
        path.write_text("".join(lines), encoding="utf-8")
    return sums_of(folder)
