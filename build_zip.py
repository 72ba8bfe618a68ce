"""Builds the zip for FunctionGraph: ``python build_zip.py [--output dist/sms-watch.zip]``.

``index.py`` stands at the root, beside the package and the locked dependencies, as pure Python:
one zip runs on Python 3.9, 3.10 and 3.12. The same input gives the same bytes. What is built is
proved by importing it in an interpreter that sees nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath
from typing import Dict, Iterator, List, Mapping, Optional, Sequence

ROOT = Path(__file__).resolve().parent
OUTPUT = Path("dist/sms-watch.zip")
# Installed because a dependency asks for them, and never imported. Of pymongo only bson is.
UNUSED = frozenset({"pymongo", "gridfs", "dns", "bin", "__pycache__", ".."})
UNUSED_WITHIN = ("simplejson/tests/", "requests_toolbelt/downloadutils/")
# Compiled parts all have a Python twin; stubs, sources and metadata serve nobody at run time.
DROPPED = frozenset({".so", ".pyd", ".pyc", ".pyi", ".c", ".h"})
LICENCE = re.compile(r"(licen[cs]e|notice|copying|authors)", re.IGNORECASE)
LONG_AGO = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = 0o100644 << 16
UNIX = 3
# Of compiled wheels only the Python part is taken. It is the same for every platform but for the
# line ends of the Windows ones: naming one platform gives the same files wherever one builds.
WHEELS = ("--only-binary=:all:", "--platform=manylinux2014_x86_64", "--python-version=3.9")
PIP_FAILED = (
    "pip could not install the locked dependencies (its own words stand above): "
    "check that the package index can be reached, then run this again"
)
PROOF = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import index, sms_watch
for each in pkgutil.walk_packages(sms_watch.__path__, "sms_watch."):
    importlib.import_module(each.name)
from sms_watch.error_codes import table
assert callable(index.handler) and callable(index.initializer) and table()
"""


class BuildError(Exception):
    """The zip cannot be built; the text says what to do."""


class NotInstalledError(BuildError):
    """A locked dependency is not installed where it was looked for."""


def build(
    output: Path, root: Path = ROOT, path: Optional[Sequence[str]] = None
) -> Dict[str, bytes]:
    """Build the zip at ``output`` and give its files by name.

    ``path`` is where the dependencies are installed (without it: where this interpreter finds
    its own). Raises BuildError, or OSError for a file that cannot be read or written; then
    nothing stands at ``output``, not even what an earlier build left there.
    """
    output.unlink(missing_ok=True)
    files = {**_sources(root), **_dependencies(root, sys.path if path is None else path)}
    output.parent.mkdir(parents=True, exist_ok=True)
    unproved = output.with_name(f"{output.name}.unproved")
    try:
        _write(unproved, files)
        prove(unproved)
        unproved.replace(output)
    finally:
        unproved.unlink(missing_ok=True)
    return files


def prove(zipped: Path, python: str = sys.executable) -> None:
    """Import ``index`` and every module of the package from the zip alone. Raises BuildError."""
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(zipped) as archive:
            archive.extractall(place)
        done = subprocess.run(
            [python, "-I", "-S", "-B", "-c", PROOF, place],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise BuildError(f"what was built cannot be imported by {python}: {reason}")


def locked(root: Path) -> Dict[str, str]:
    """Give name and version of every locked dependency."""
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", text, re.MULTILINE))


def _sources(root: Path) -> Dict[str, bytes]:
    package = sorted((root / "sms_watch").rglob("*"))
    chosen = [root / "index.py", *(each for each in package if each.suffix in (".py", ".csv"))]
    return {each.relative_to(root).as_posix(): each.read_bytes() for each in chosen}


def _dependencies(root: Path, path: Sequence[str]) -> Dict[str, bytes]:
    wanted = locked(root)
    missing = dict(wanted)
    files: Dict[str, bytes] = {}
    for installed in distributions(path=list(path)):
        name = _plain(installed.metadata["Name"])
        if missing.get(name) == installed.version:
            del missing[name]
            files.update(_files_of(name, installed))
    if missing:
        listed = ", ".join(f"{name} {version}" for name, version in sorted(missing.items()))
        raise NotInstalledError(f"not installed here in the locked version: {listed}")
    return files


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files_of(name: str, installed: Distribution) -> Iterator[tuple[str, bytes]]:
    for each in installed.files or ():
        target = _target(name, PurePosixPath(each.as_posix()))
        if target is not None:
            yield target, Path(str(installed.locate_file(each))).read_bytes()


def _target(name: str, path: PurePosixPath) -> Optional[str]:
    """Give the place of an installed file in the zip, ``None`` when it is left out."""
    if path.parts[0].endswith(".dist-info"):
        return f"licenses/{name}/{path.name}" if LICENCE.match(path.name) else None
    if path.suffix in DROPPED or UNUSED.intersection(path.parts):
        return None
    return None if str(path).startswith(UNUSED_WITHIN) else str(path)


def _write(output: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(output, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.create_system, entry.external_attr = UNIX, PLAIN_FILE
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 9)


def build_afresh(output: Path, root: Path = ROOT) -> Dict[str, bytes]:
    """Install the locked dependencies for this build alone, and build. Raises BuildError."""
    with tempfile.TemporaryDirectory() as place:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        options = ["--no-deps", "--no-compile", "--require-hashes", *WHEELS, "--target", place]
        done = subprocess.run([*pip, *options, "-r", str(root / "requirements.txt")], check=False)
        if done.returncode:
            raise BuildError(PIP_FAILED)
        return build(output, root, [place])


def main(arguments: Optional[List[str]] = None) -> None:
    """Build, and say what was built."""
    parser = argparse.ArgumentParser(description="Build the zip for FunctionGraph.")
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"where to ({OUTPUT})")
    output = parser.parse_args(arguments).output
    try:
        try:
            files = build(output)
        except NotInstalledError as error:
            print(f"{error}; installing for this build", file=sys.stderr)
            files = build_afresh(output)
    except (BuildError, OSError) as error:
        raise SystemExit(f"build_zip: {error}") from None
    content = output.read_bytes()
    print(f"{output}: {len(content):,} bytes, {len(files)} files")
    print(f"SHA-512 {hashlib.sha512(content).hexdigest()}")


if __name__ == "__main__":
    main()
