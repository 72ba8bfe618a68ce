"""Checks OBS signatures, by the OBS API reference and not by the watchdog's code."""

from __future__ import annotations

import base64
import hmac
import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import List, Sequence

from simulated_cloud.signing import SKEW, Key, SignedRequest

FORM = re.compile(r"OBS ([^:\s]+):(\S+)")
# Of the sub-resources that a signature covers, those that the simulated service knows.
SUB_RESOURCES = ("acl", "append", "location", "position")


def problem(request: SignedRequest, bucket: str, keys: Sequence[Key], now: datetime) -> str:
    """Name the error code for what is wrong with a signature; empty when nothing is.

    The request's ``path`` is that of the object within its bucket, as sent.
    """
    found = FORM.fullmatch(request.headers.get("authorization", ""))
    key = next((key for key in keys if found and key.access == found.group(1)), None)
    if found is None:
        return "AccessDenied"
    if key is None:
        return "InvalidAccessKeyId"
    if request.headers.get("x-obs-security-token", "") != key.token:
        return "InvalidToken"
    said = request.headers
    if not _is_fresh(said.get("x-obs-date", said.get("date", "")), now):
        return "RequestTimeTooSkewed"
    expected = _signature(request, bucket, key.secret)
    return "" if hmac.compare_digest(expected, found.group(2)) else "SignatureDoesNotMatch"


def _is_fresh(text: str, now: datetime) -> bool:
    try:
        sent = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return False
    return abs(sent.astimezone(timezone.utc) - now) <= SKEW


def _signature(request: SignedRequest, bucket: str, secret: str) -> str:
    said = request.headers
    date = "" if "x-obs-date" in said else said.get("date", "")
    lines = (request.method, said.get("content-md5", ""), said.get("content-type", ""), date)
    text = "\n".join(lines) + "\n"
    for name in sorted(each for each in said if each.startswith("x-obs-")):
        text += f"{name}:{said[name]}\n"
    text += f"/{bucket}/{request.path.lstrip('/')}{_query(request.query)}"
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def _query(query: str) -> str:
    kept: List[str] = [each for each in query.split("&") if each.split("=")[0] in SUB_RESOURCES]
    return f"?{'&'.join(sorted(kept))}" if kept else ""
