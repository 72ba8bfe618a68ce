"""Buckets whose objects can be appended to (OBS API reference, "Appending an Object")."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Dict, Mapping

from simulated_cloud.task import Refused

MOST_APPENDS = 10_000


def etag(data: bytes) -> str:
    """Return the tag of some data, in its quotes."""
    return f'"{hashlib.md5(data).hexdigest()}"'  # noqa: S324 - it protects nothing


@dataclass(frozen=True)
class Part:
    """What a GET gives of an object: the status, the bytes, and which they are."""

    status: int
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class StoredObject:
    """An object; one that was put, not appended, is ordinary and stays so."""

    data: bytes = b""
    appends: int = 0
    ordinary: bool = False

    @property
    def headers(self) -> Dict[str, str]:
        """What every answer says of it; the tag is that of the whole, whatever part is sent."""
        headers = {"ETag": etag(self.data), "Accept-Ranges": "bytes"}
        if not self.ordinary:
            headers["x-obs-object-type"] = "Appendable"
            headers["x-obs-next-append-position"] = str(len(self.data))
        return headers

    def part(self, asked: str, whole_beyond_end: bool = False, last_bytes: bool = False) -> Part:
        """Return the part that a header ``Range`` asks for.

        It needs a first byte, unless ranges of the ``last_bytes`` are understood too; what is no
        range gives the whole object (OBS API reference, "Downloading an Object"). Raise Refused if
        it begins beyond the end ("Error Codes", InvalidRange), unless that too gives the whole
        object.
        """
        at_end, size = re.fullmatch(r"bytes=-(\d+)", asked), len(self.data)
        if at_end and last_bytes:
            asked = f"bytes={max(0, size - int(at_end.group(1)))}-"
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
        first = int(found.group(1)) if found else 0
        last = int(found.group(2)) if found and found.group(2) else size
        if found is None or last < first or (first >= size and whole_beyond_end):
            return Part(200, self.data)
        if first >= size:
            raise Refused(416, "InvalidRange", "The requested range cannot be obtained.")
        data = self.data[first : last + 1]
        end = first + len(data) - 1
        return Part(206, data, {"Content-Range": f"bytes {first}-{end}/{size}"})


@dataclass
class Bucket:
    """A bucket. ``kind`` is standard, or one of those that cannot append."""

    region: str
    owner: str = "us"
    kind: str = "standard"
    acl: str = "private"
    objects: Dict[str, StoredObject] = field(default_factory=dict)


# What each kind of bucket answers to an append: HTTP status and code.
UNABLE = {
    "parallel": (405, "MethodNotAllowed"),
    "worm": (403, "AccessDenied"),
    "replicated": (400, "OperationNotSupported"),
    "archive": (409, "ObjectNotAppendable"),
}


@dataclass
class Storage:
    """All buckets of the simulated cloud, seen by account ``us`` with the rights ``allowed``."""

    region: str = "ap-southeast-3"
    buckets: Dict[str, Bucket] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset({"get", "head", "append", "create"})

    def create(self, name: str, region: str, acl: str) -> None:
        """Make a bucket. Raise Refused if that is not possible."""
        self._allow("create")
        held = self.buckets.get(name)
        if held is not None and held.owner == "us":
            raise Refused(409, "BucketAlreadyOwnedByYou", "You own this bucket already.")
        if held is not None:
            raise Refused(409, "BucketAlreadyExists", "The bucket name is taken.")
        if region != self.region:
            raise Refused(400, "InvalidLocationConstraint", "The location is not ours.")
        self.buckets[name] = Bucket(region, acl=acl)

    def head(self, bucket: str) -> Bucket:
        """Return a bucket. Raise Refused if there is none to be seen."""
        self._allow("head")
        return self._bucket(bucket)

    def get(self, bucket: str, key: str) -> StoredObject:
        """Return an object. Raise Refused if there is none to be seen."""
        self._allow("get")
        held = self._bucket(bucket).objects.get(key)
        if held is None:
            raise Refused(404, "NoSuchKey", "The key does not exist.")
        return held

    def append(self, bucket: str, key: str, position: int, data: bytes) -> int:
        """Append where the object ends; return the next position. Raise Refused if it cannot."""
        self._allow("append")
        into = self._bucket(bucket)
        if into.kind in UNABLE:
            raise Refused(*UNABLE[into.kind], "The bucket cannot append.")
        held = into.objects.get(key, StoredObject())
        if held.ordinary or held.appends >= MOST_APPENDS:
            raise Refused(409, "ObjectNotAppendable", "The object is not appendable.")
        if len(held.data) != position:
            raise Refused(409, "PositionNotEqualToLength", "The position is not the length.")
        held.data += data
        held.appends += 1
        into.objects[key] = held
        return len(held.data)

    def _bucket(self, name: str) -> Bucket:
        held = self.buckets.get(name)
        if held is None:
            raise Refused(404, "NoSuchBucket", "The bucket does not exist.")
        if held.owner != "us":
            raise Refused(403, "AccessDenied", "Access denied.")
        if held.region != self.region:
            raise Refused(301, "PermanentRedirect", "The bucket lies elsewhere.")
        return held

    def _allow(self, right: str) -> None:
        if right not in self.allowed:
            raise Refused(403, "AccessDenied", "Access denied.")
