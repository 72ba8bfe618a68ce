"""The command ``build_zip.py``: what it is asked, and what it says."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from packaging_zip.build import Built, build, build_afresh, manifest
from packaging_zip.checkout import changes
from packaging_zip.errors import BuildError, NotInstalledError
from packaging_zip.interpreters import RUNTIMES, installed_runtimes
from packaging_zip.release import ZIPS, bill_of, refuse_half, sums_of, write_sums

OUTPUT = Path("dist/sms-watch.zip")
SLOW_START = "every cold start takes two to three times as long"


def main(arguments: Optional[List[str]] = None) -> None:
    """Build, and say what was built."""
    parser = argparse.ArgumentParser(description="Build the zip for FunctionGraph.")
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help=f"the zip to write, by default {OUTPUT}"
    )
    compiling = parser.add_mutually_exclusive_group()
    compiling.add_argument(
        "--python",
        choices=RUNTIMES,
        help="compile for this version only, by default for all that are installed",
    )
    compiling.add_argument("--plain", action="store_true", help="compile nothing")
    compiling.add_argument(
        "--release",
        action="store_true",
        help="build all zips of a release into the folder of --output, with checksums",
    )
    parser.add_argument(
        "--allow-dirty", action="store_true", help="also build changes that are not committed"
    )
    chosen = parser.parse_args(arguments)
    try:
        if chosen.release:
            _release(chosen.output.parent, chosen.allow_dirty)
        else:
            _build(chosen.output, _versions(chosen), chosen.allow_dirty)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise SystemExit(f"build_zip: {where}{error.strerror}") from None
    except BuildError as error:
        raise SystemExit(f"build_zip: {error}") from None


def _versions(chosen: argparse.Namespace) -> Tuple[str, ...]:
    if chosen.plain:
        return ()
    return (chosen.python,) if chosen.python else installed_runtimes()


def _release(folder: Path, allow_dirty: bool) -> None:
    for stale in sums_of(folder):
        stale.unlink(missing_ok=True)
    refuse_half()
    for name, versions in ZIPS.items():
        _build(folder / name, versions, allow_dirty)
        print()
    for written in write_sums(folder, list(ZIPS)):
        print(f"{written}: checksums of the zips and their bills")


def _build(output: Path, versions: Sequence[str], allow_dirty: bool) -> None:
    bill = bill_of(output)
    for stale in (output, bill):
        stale.unlink(missing_ok=True)
    changed = [] if allow_dirty else changes()
    if changed:
        raise BuildError(
            f"{', '.join(changed)}: not as in the last commit, so nobody could build this zip"
            " again; commit, or build with --allow-dirty"
        )
    if output.parent == OUTPUT.parent:
        output.parent.mkdir(exist_ok=True)
    try:
        built = build(output, versions=versions)
    except NotInstalledError as error:
        print(f"{error}; installing for this build", file=sys.stderr)
        built = build_afresh(output, versions=versions)
    content = output.read_bytes()
    print(f"{output}: {len(content):,} bytes, {len(built.files)} files")
    print(_compiled_for(versions))
    print(f"SHA-512 {hashlib.sha512(content).hexdigest()}", *manifest(built.files), sep="\n")
    _write_bill(bill, content, built)


def _compiled_for(versions: Sequence[str]) -> str:
    """Return for which versions the zip is compiled, and what it costs not to be for others."""
    missing = [version for version in RUNTIMES if version not in versions]
    told = f"compiled for Python {', '.join(versions)}" if versions else "nothing is compiled"
    if not missing:
        return told
    unknown = [version for version in missing if version not in installed_runtimes()]
    why = f"; not installed here: Python {', '.join(unknown)}" if unknown else ""
    return f"{told}; on {', '.join(missing)} {SLOW_START}{why}"


def _write_bill(bill: Path, content: bytes, built: Built) -> None:
    if importlib.util.find_spec("cyclonedx") is None:
        print("no SBOM: cyclonedx-python-lib is not installed here; make zip installs it")
        return
    from packaging_zip import sbom  # noqa: PLC0415 - the zip itself needs nothing but Python and pip

    bill.write_text(sbom.bill(content, built.parts), encoding="utf-8")
    print(f"{bill}: the bill of materials (a CycloneDX SBOM)")
