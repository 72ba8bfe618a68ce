"""Folders to import from: the zip as it is built, and what ``pip install -t`` lays out."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Dict, Iterator, Mapping, Optional, Tuple

from packaging_zip import build, checkout, compiling, interpreters, lock

ROOT = checkout.ROOT
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
# What a cold start is compared with: how it was before anything was done about it.
FORMER = "93a1424"
BUILD_FORMER = """
import sys
from pathlib import Path
import build_zip
build_zip.build(Path(sys.argv[1], "former.zip"))
build_zip.build(Path(sys.argv[1], "former-compiled.zip"), python=sys.argv[2])
"""


@dataclass(frozen=True)
class Layouts:
    """The folders, and how large the zips are: ``sizes`` of those for some versions of Python.

    The ``former`` ones are of an earlier version, ``None`` where git does not have it or its
    dependencies were others.
    """

    ours: Path
    ours_compiled: Path
    plain: Path
    plain_compiled: Path
    size: int
    sizes: Mapping[str, int]
    former: Optional[Path] = None
    former_compiled: Optional[Path] = None

    @classmethod
    def within(cls, place: Path) -> Layouts:
        """Lay everything out in a folder, for the running Python."""
        bare, compiled = place / "bare.zip", place / "compiled.zip"
        build.build(bare)
        build.build(compiled, versions=(RUNNING,))
        plain = _plain()
        # Modules that are compiled to machine code have no twin.
        pure = {name: content for name, content in plain.items() if not name.endswith(".so")}
        return cls(
            _unpacked(bare, place / "ours"),
            _unpacked(compiled, place / "ours-compiled"),
            _written(plain, place / "plain"),
            _written(
                {**plain, **compiling.compiled(pure, sys.executable)}, place / "plain-compiled"
            ),
            bare.stat().st_size,
            dict(_sizes(place / "other.zip")),
            *_former(place),
        )


def _sizes(zipped: Path) -> Iterator[Tuple[str, int]]:
    """Build for each of FunctionGraph's versions that is on this machine, and all; weigh."""
    here = interpreters.installed_runtimes()
    for versions in (*((version,) for version in here), here):
        build.build(zipped, versions=versions)
        yield ", ".join(versions), zipped.stat().st_size


def _former(place: Path) -> Tuple[Path, ...]:
    """Lay out the zip of the former version, plain and compiled; nothing where that cannot be."""
    command = ["git", "-C", str(ROOT), "archive", FORMER]
    found = subprocess.run(command, capture_output=True, check=False)
    if found.returncode:
        return ()
    source = place / "former-source"
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        archive.extractall(source)
    command = [sys.executable, "-c", BUILD_FORMER, str(place), RUNNING]
    if subprocess.run(command, cwd=source, capture_output=True, check=False).returncode:
        return ()
    names = ("former", "former-compiled")
    return tuple(_unpacked(place / f"{name}.zip", place / name) for name in names)


def _unpacked(zipped: Path, folder: Path) -> Path:
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder


def _written(files: Mapping[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def _plain() -> Dict[str, bytes]:
    """Return all files of the locked distributions, and ours beside them; nothing is compiled."""
    files = {
        each.relative_to(ROOT).as_posix(): each.read_bytes()
        for each in (ROOT / "index.py", *sorted((ROOT / "sms_watch").rglob("*")))
        if each.suffix in (".py", ".csv")
    }
    for name in lock.locked(ROOT):
        for each in distribution(name).files or ():
            if ".." not in each.parts and each.suffix != ".pyc":
                files[each.as_posix()] = Path(str(each.locate())).read_bytes()
    return files
