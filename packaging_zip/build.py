"""The zip itself: what goes into it, in which bytes, and what it came to."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from packaging_zip.checkout import ROOT, sources
from packaging_zip.collect import Part, installed_files
from packaging_zip.compiling import compiled
from packaging_zip.errors import BuildError
from packaging_zip.interpreters import interpreter
from packaging_zip.lazy import NotLazyError, lazy, with_quick_dataclasses
from packaging_zip.pip_words import reason
from packaging_zip.prove import prove
from packaging_zip.roots import hashed

# The authorities are laid out in a folder, which sms_watch/adapters/roots.py names.
BUNDLE, ROOTS = "certifi/cacert.pem", "sms_watch/roots/"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = 0o100644 << 16
UNIX = 3
# Of compiled wheels only the Python part is taken. It is the same for every platform but for the
# line ends of the Windows ones: naming one platform gives the same files wherever one builds.
WHEELS = ("--only-binary=:all:", "--platform=manylinux2014_x86_64", "--python-version=3.9")


@dataclass(frozen=True)
class Built:
    """What was built: the files by name, and the dependencies that they come from."""

    files: Dict[str, bytes]
    parts: Tuple[Part, ...]


def build(
    output: Path,
    root: Path = ROOT,
    path: Optional[Sequence[str]] = None,
    versions: Sequence[str] = (),
) -> Built:
    """Build the zip at ``output`` and return what is in it.

    ``path`` is where the dependencies are installed (without it: where this interpreter finds
    its own). ``versions`` are those of Python to compile for. Raise BuildError, or OSError for a
    file that cannot be read or written; then nothing stands at ``output``, not even what an
    earlier build left there.
    """
    output.unlink(missing_ok=True)
    if not output.parent.is_dir():
        raise BuildError(f"there is no folder {output.parent}: create it, or name another one")
    unproved = output.with_name(f"{output.name}.unproved")
    unproved.open("wb").close()  # what cannot be written is told before the work
    try:
        compilers = [interpreter(version) for version in versions]
        dependencies, parts = installed_files(root, sys.path if path is None else path)
        files = _quick_to_load({**sources(root), **dependencies})
        for made in [compiled(files, compiler) for compiler in compilers]:
            files.update(made)
        _write(unproved, files)
        for prover in compilers or [sys.executable]:
            prove(unproved, prover)
        unproved.replace(output)
    finally:
        unproved.unlink(missing_ok=True)
    return Built(files, parts)


def _quick_to_load(files: Dict[str, bytes]) -> Dict[str, bytes]:
    """Return the files with lazy packages, quick dataclasses, and a folder of authorities."""
    bundle = files.get(BUNDLE, b"").decode()
    roots = {f"{ROOTS}{name}": content for name, content in hashed(bundle).items()}
    try:
        return {**files, **lazy(files), **with_quick_dataclasses(files), **roots}
    except NotLazyError as error:
        raise BuildError(f"{error}; take it out of LAZY in packaging_zip/lazy.py") from None


def _write(output: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(output, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.create_system, entry.external_attr = UNIX, PLAIN_FILE
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 9)


def build_afresh(output: Path, root: Path = ROOT, versions: Sequence[str] = ()) -> Built:
    """Install the locked dependencies for this build alone, and build. Raise BuildError."""
    with tempfile.TemporaryDirectory() as place:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        options = ["--no-deps", "--no-compile", "--require-hashes", *WHEELS, "--target", place]
        done = subprocess.run(
            [*pip, *options, "-r", str(root / "requirements.txt")],
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.stderr.write(done.stderr)
            raise BuildError(reason(done.stderr))
        return build(output, root, [place], versions)


def manifest(files: Mapping[str, bytes]) -> List[str]:
    """Return what is in the zip, a line for each file or folder at its root.

    The digests are of names and contents: they are the same on every machine, while the bytes of
    a zip also depend on the version of zlib.
    """
    groups: Dict[str, List[str]] = {}
    for name in sorted(files):
        groups.setdefault(name.partition("/")[0], []).append(name)
    lines = []
    for top, names in groups.items():
        digest = hashlib.sha256()
        for name in names:
            digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
        size = sum(len(files[name]) for name in names)
        lines.append(f"{top:<20} {len(names):>4} {size:>10,}  {digest.hexdigest()[:16]}")
    return [f"{'at the root':<20} {'files':>4} {'bytes':>9}  SHA-256, its beginning", *lines]
