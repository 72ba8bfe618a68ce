"""Checks SDK-HMAC-SHA256 signatures, by the API Request Signing Guide and not by the SDK's code."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Mapping, Sequence, Tuple
from urllib.parse import parse_qsl, quote

SKEW = timedelta(minutes=15)
FORM = re.compile(r"SDK-HMAC-SHA256 Access=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})")


@dataclass(frozen=True)
class Key:
    """A pair of keys that the simulated cloud knows; temporary ones come with a token."""

    access: str
    secret: str
    token: str = ""


@dataclass(frozen=True)
class SignedRequest:
    """What a signature covers. ``path`` and ``query`` are as sent, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def problem(request: SignedRequest, keys: Sequence[Key], now: datetime) -> str:
    """Return what is wrong with a request's signature; nothing is when the text is empty."""
    found = FORM.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        return "no signature"
    access, names, signature = found.groups()
    key = next((key for key in keys if key.access == access), None)
    if key is None:
        return "an unknown key"
    if request.headers.get("x-security-token", "") != key.token:
        return "the wrong security token"
    if not _is_fresh(request.headers.get("x-sdk-date", ""), now):
        return "a clock that is off by more than 15 minutes"
    if "x-sdk-date" not in names.split(";") or "host" not in names.split(";"):
        return "a date or host that is not signed"
    if not hmac.compare_digest(_signature(request, names, key.secret), signature):
        return "a signature that does not fit"
    return ""


def _is_fresh(text: str, now: datetime) -> bool:
    try:
        signed = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    return abs(now - signed) <= SKEW


def _signature(request: SignedRequest, names: str, secret: str) -> str:
    headers = "".join(
        f"{name}:{request.headers.get(name, '').strip()}\n" for name in names.split(";")
    )
    path = request.path if request.path.endswith("/") else request.path + "/"
    lines = [
        request.method,
        path,
        _canonical(parse_qsl(request.query, keep_blank_values=True)),
        headers,
        names,
        hashlib.sha256(request.body).hexdigest(),
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    to_sign = f"SDK-HMAC-SHA256\n{request.headers['x-sdk-date']}\n{digest}"
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _canonical(query: Sequence[Tuple[str, str]]) -> str:
    return "&".join(
        f"{quote(name, safe='~')}={quote(text, safe='~')}" for name, text in sorted(query)
    )
