"""The files of the installed dependencies that go into the zip."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
from dataclasses import dataclass
from importlib.metadata import Distribution, PackagePath, distributions
from pathlib import Path, PurePosixPath
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from packaging_zip.errors import BuildError, NotInstalledError
from packaging_zip.lock import locked

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
# Compiled parts all have a Python twin; stubs, sources and metadata serve nobody at run time.
DROPPED = frozenset({".so", ".pyd", ".pyc", ".pyi", ".c", ".h"})
LICENCE = re.compile(r"(licen[cs]e|notice|copying|authors)", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """A dependency whose code is in the zip; ``licence`` in the words of its own metadata."""

    name: str
    version: str
    licence: str


def installed_files(root: Path, path: Sequence[str]) -> Tuple[Dict[str, bytes], Tuple[Part, ...]]:
    """Return the files of the locked dependencies, and which have code among them."""
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
    """Return the place of an installed file in the zip, ``None`` when it is left out."""
    if path.parts[0].endswith(".dist-info"):
        return f"licenses/{name}/{path.name}" if LICENCE.match(path.name) else None
    if path.suffix in DROPPED or UNUSED.intersection(path.parts):
        return None
    return None if str(path).startswith(UNUSED_WITHIN) else str(path)
