"""Builds the zip for FunctionGraph: ``python build_zip.py [--plain | --python 3.10]``.

``index.py`` stands at the root, beside the package and the locked dependencies, as pure Python:
one zip runs on Python 3.9, 3.10 and 3.12. Compiled files, which shorten every cold start, are added
for each of these that is installed here; ``--python`` adds those for one alone, ``--plain`` none.
The same input and interpreters give the same bytes. What is built is proved by importing it in
interpreters that see nothing else.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import functools
import gzip
import hashlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, PackagePath, distributions
from pathlib import Path, PurePosixPath
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from build_lazy import NotLazyError, lazy, with_quick_dataclasses
from build_roots import hashed

ROOT = Path(__file__).resolve().parent
OUTPUT = Path("dist/sms-watch.zip")
RUNTIMES = ("3.9", "3.10", "3.12")  # FunctionGraph's (developer guide, "Python")
BUILDERS = ("build_zip.py", "build_lazy.py", "build_roots.py")
# All that decides what is in the zip.
INPUT = ("index.py", "sms_watch", "requirements.txt", *BUILDERS)
# Installed because a dependency asks for them, and never imported. Of pymongo only bson is.
UNUSED = frozenset({"pymongo", "gridfs", "dns", "bin", "__pycache__", ".."})
UNUSED_WITHIN = (
    "simplejson/tests/",
    "requests_toolbelt/downloadutils/",
    "urllib3/contrib/emscripten/",
    "charset_normalizer/cli/",
)
# The time zones are packed into one file, which sms_watch/zones.py reads.
ZONES, ZONES_WITHIN, PACKED = "tzdata", "tzdata/zoneinfo/", "sms_watch/zones.tar.gz"
# The authorities are laid out in a folder, which sms_watch/adapters/roots.py names.
BUNDLE, ROOTS = "certifi/cacert.pem", "sms_watch/roots/"
# Compiled parts all have a Python twin; stubs, sources and metadata serve nobody at run time.
DROPPED = frozenset({".so", ".pyd", ".pyc", ".pyi", ".c", ".h"})
LICENCE = re.compile(r"(licen[cs]e|notice|copying|authors)", re.IGNORECASE)
LONG_AGO = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = 0o100644 << 16
UNIX = 3
# Of compiled wheels only the Python part is taken. It is the same for every platform but for the
# line ends of the Windows ones: naming one platform gives the same files wherever one builds.
WHEELS = ("--only-binary=:all:", "--platform=manylinux2014_x86_64", "--python-version=3.9")
NO_PIP = "this Python has no pip: use another one, or run make zip"
OTHER_HASHES = (
    "what the package index gave is not what requirements.txt has the hashes of (pip's own words"
    " stand above): nothing was built; find out which of the two was changed, and by whom"
)
PIP_FAILED = (
    "pip could not install the locked dependencies (its own words stand above): "
    "check that the package index can be reached, then run this again"
)
PIP_SAYS = {"No module named pip": NO_PIP, "DO NOT MATCH THE HASHES": OTHER_HASHES}
ASK_GIT = (
    "see that git is installed and what git status says there; or build with --allow-dirty, and"
    " nobody knows from what"
)
SLOW_START = "every cold start takes two to three times as long"
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
# The path is the one that a traceback shows on FunctionGraph, wherever the zip was built.
COMPILE = """
import py_compile, sys
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for name in sys.stdin.read().split("\\n"):
    where = "/opt/function/code/" + name
    py_compile.compile(name, dfile=where, doraise=True, invalidation_mode=unchecked)
"""
IMPORTS = """
import importlib, os, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import index, sms_watch
for each in pkgutil.walk_packages(sms_watch.__path__, "sms_watch."):
    importlib.import_module(each.name)
"""
LOADED = """
for each in list(sys.modules.values()):
    path = os.path.realpath(getattr(each, "__file__", None) or "")
    if path.startswith(os.path.realpath(sys.argv[1]) + os.sep):
        print(os.path.relpath(path, os.path.realpath(sys.argv[1])).replace(os.sep, "/"))
"""
PROOF = """
from sms_watch.rules.error_codes import table
assert callable(index.handler) and callable(index.initializer) and table()
"""


class BuildError(Exception):
    """The zip cannot be built; the text says what to do."""


class NotInstalledError(BuildError):
    """A locked dependency is not installed where it was looked for."""


@dataclass(frozen=True)
class Part:
    """A dependency whose code is in the zip; ``licence`` in the words of its own metadata."""

    name: str
    version: str
    licence: str


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
        raise BuildError(f"there is no folder {output.parent}: make it, or name another one")
    compilers = [interpreter(version) for version in versions]
    dependencies, parts = _dependencies(root, sys.path if path is None else path)
    files = _quick_to_load({**_sources(root), **dependencies})
    for made in [compiled(files, compiler) for compiler in compilers]:
        files.update(made)
    unproved = output.with_name(f"{output.name}.unproved")
    try:
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
        raise BuildError(f"{error}; take it out of LAZY in build_lazy.py") from None


def prove(zipped: Path, python: str = sys.executable) -> None:
    """Import ``index`` and every module of the package from the zip alone. Raises BuildError."""
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(zipped) as archive:
            archive.extractall(place)
        _imported(python, place, PROOF)


def _imported(python: str, place: str, then: str) -> str:
    """Import all that a run needs from a folder alone, and give what is printed after it."""
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", IMPORTS + then, place],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"what was built cannot be imported by {python}: {_last(done.stderr)}")
    return done.stdout


def _last(words: str) -> str:
    return (words.strip().splitlines() or ["no reason was given"])[-1]


def compiled(files: Mapping[str, bytes], python: str) -> Dict[str, bytes]:
    """Give a compiled twin of every module that a run loads, used without a look at the source."""
    # The order of a set would show in the bytes.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as place:
        for name, content in files.items():
            target = Path(place, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        loaded = sorted(_imported(python, place, LOADED).split())
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
            raise BuildError(f"{python} cannot compile what is in the zip: {_last(done.stderr)}")
        made = sorted(Path(place).rglob("*.pyc"))
        return {each.relative_to(place).as_posix(): each.read_bytes() for each in made}


@functools.cache
def interpreter(version: str) -> str:
    """Give an interpreter of a version that really runs here. Raises BuildError."""
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


def changes(root: Path = ROOT) -> List[str]:
    """Return the files of the zip that differ from the last commit; none where there is no git.

    Raise BuildError if git, which is there, cannot be asked.
    """
    if not _is_checkout(root):
        if (root / ".git").exists():
            raise BuildError(f"{root} is a checkout, but git does not answer: {ASK_GIT}")
        return []
    status = _git(root, "status", "--porcelain", "-uall", "--", *INPUT) or ""
    # What git was told to take for unchanged (git-update-index) is in no status.
    flags = _git(root, "ls-files", "-v", "--", *INPUT) or ""
    overlooked = [line[2:] for line in flags.splitlines() if not line.startswith("H ")]
    return [line[3:] for line in status.splitlines()] + overlooked


def _is_checkout(root: Path) -> bool:
    """Return whether git tracks this folder; one within another checkout is no part of that."""
    top = _git(root, "rev-parse", "--show-toplevel")
    return top is not None and Path(top.strip()).resolve() == root.resolve()


def _git(root: Path, *arguments: str) -> Optional[str]:
    """Return what git says of a folder, ``None`` if it says nothing."""
    # In a hook of git's own, variables name the repository that the hook is for.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            # Whoever owns the folder: its code is about to run in any case.
            ["git", "-c", "safe.directory=*", "-C", str(root), *arguments],
            env=plain,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def locked(root: Path) -> Dict[str, str]:
    """Give name and version of every locked dependency. Raises BuildError for a spoilt lock."""
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


def _sources(root: Path) -> Dict[str, bytes]:
    """Return the code: what git tracks or would, all of it where there is no git.

    Raise BuildError if a file lies elsewhere, behind a link.
    """
    chosen = [each for each in _found(root) if each.suffix in (".py", ".csv")]
    top = root.resolve()
    linked = [each for each in chosen if each.resolve() != top / each.relative_to(root)]
    if linked:
        names = ", ".join(str(each.relative_to(root)) for each in linked)
        raise BuildError(f"{names}: reached by a link; put the file itself in its place")
    # A file that was deleted, but not in a commit yet, is tracked still.
    there = [each for each in chosen if each.exists()]
    return {each.relative_to(root).as_posix(): each.read_bytes() for each in there}


def _found(root: Path) -> List[Path]:
    if not _is_checkout(root):
        return [root / "index.py", *sorted((root / "sms_watch").rglob("*"))]
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = _git(root, *listing, "--", "index.py", "sms_watch") or ""
    return [root / name for name in sorted(set(names.split("\0")) - {""})]


def _dependencies(root: Path, path: Sequence[str]) -> Tuple[Dict[str, bytes], Tuple[Part, ...]]:
    missing = locked(root)
    files: Dict[str, bytes] = {}
    parts: List[Part] = []
    for installed in distributions(path=list(path)):
        name = _plain(installed.metadata["Name"])
        if missing.get(name) == installed.version:
            del missing[name]
            theirs = dict(_files_of(name, installed))
            theirs = _packed(theirs) if name == ZONES else theirs
            files.update(theirs)
            if not all(each.startswith("licenses/") for each in theirs):
                parts.append(Part(name, installed.version, _licence(installed)))
    if missing:
        listed = ", ".join(f"{name} {version}" for name, version in sorted(missing.items()))
        raise NotInstalledError(f"not installed here in the locked version: {listed}")
    return files, tuple(sorted(parts, key=lambda part: part.name))


def _packed(files: Mapping[str, bytes]) -> Dict[str, bytes]:
    """Put the time zones into one archive, in which a zone of two names stands once."""
    licences = {each: files[each] for each in files if each.startswith("licenses/")}
    zones = {
        each[len(ZONES_WITHIN) :]: content
        for each, content in files.items()
        if each.startswith(ZONES_WITHIN) and content.startswith(b"TZif")
    }
    packed, names = io.BytesIO(), {content: name for name, content in sorted(zones.items())}
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        # Zones that are alike stand together, and each before the names that stand for it.
        for name in sorted(zones, key=lambda name: (zones[name], name != names[zones[name]], name)):
            entry = tarfile.TarInfo(name)
            if name == names[zones[name]]:
                entry.size = len(zones[name])
            else:
                entry.type, entry.linkname = tarfile.LNKTYPE, names[zones[name]]
            archive.addfile(entry, io.BytesIO(zones[name]))
    squeezed = io.BytesIO()
    # Not gzip.compress: what it writes about the system is not the same from Python to Python.
    with gzip.GzipFile(filename="", mode="wb", fileobj=squeezed, compresslevel=9, mtime=0) as file:
        file.write(packed.getvalue())
    return {**licences, PACKED: squeezed.getvalue()}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(installed: Distribution) -> str:
    for field in ("License-Expression", "License"):
        for text in installed.metadata.get_all(field) or ():
            return str(text)
    return ""


def _files_of(name: str, installed: Distribution) -> Iterator[Tuple[str, bytes]]:
    for each in installed.files or ():
        target = _target(name, PurePosixPath(each.as_posix()))
        if target is not None:
            yield target, _content(name, each)


def _content(name: str, file: PackagePath) -> bytes:
    """Read an installed file, which has to be as it was installed."""
    content = Path(str(file.locate())).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    if file.hash is not None and file.hash.mode == "sha256" and file.hash.value != digest:
        raise BuildError(
            f"{file} of {name} was changed after it was installed: install it anew (make clean)"
        )
    return content


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
            known = (reason for words, reason in PIP_SAYS.items() if words in done.stderr)
            raise BuildError(next(known, PIP_FAILED))
        return build(output, root, [place], versions)


def manifest(files: Mapping[str, bytes]) -> List[str]:
    """Say what is in the zip, a line for each file or folder at its root.

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


def main(arguments: Optional[List[str]] = None) -> None:
    """Build, and say what was built."""
    parser = argparse.ArgumentParser(description="Build the zip for FunctionGraph.")
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"where to ({OUTPUT})")
    compiling = parser.add_mutually_exclusive_group()
    compiling.add_argument("--python", choices=RUNTIMES, help="compile for this version alone")
    compiling.add_argument("--plain", action="store_true", help="compile nothing")
    parser.add_argument(
        "--allow-dirty", action="store_true", help="build also what is in no commit"
    )
    chosen = parser.parse_args(arguments)
    try:
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


def _build(output: Path, versions: Sequence[str], allow_dirty: bool) -> None:
    bill = output.with_suffix(".cdx.json")
    for stale in (output, bill):
        stale.unlink(missing_ok=True)
    changed = [] if allow_dirty else changes()
    if changed:
        raise BuildError(
            f"{', '.join(changed)}: not as in the last commit, so nobody could build this zip"
            " again; commit, or build with --allow-dirty"
        )
    if output == OUTPUT:
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
        print("no SBOM: cyclonedx-python-lib is not installed here; make zip has it")
        return
    import build_sbom  # noqa: PLC0415 - the zip itself needs nothing but Python and pip

    bill.write_text(build_sbom.bill(content, built.parts), encoding="utf-8")
    print(f"{bill}: what is in it, as a CycloneDX SBOM")


if __name__ == "__main__":
    main()
