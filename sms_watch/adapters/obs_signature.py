"""The signature of OBS in the Authorization header (OBS API reference, "Header authentication").

Written by hand because the official package has no call that appends; it is held equal to that
package's signer in the tests.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Dict, Mapping
from urllib.parse import quote

from sms_watch.settings.values import Credentials

# The parameters that a signature covers, of those that are sent from here.
SIGNED_PARAMETERS = frozenset({"append", "position"})


def sign(
    method: str,
    bucket: str,
    key: str,
    parameters: Mapping[str, str],
    headers: Mapping[str, str],
    credentials: Credentials,
    now: datetime,
) -> Dict[str, str]:
    """Return the headers to send: those given, the date, the token if there is one, the signature.

    ``key`` is the object's, as it is; empty for the bucket itself.
    """
    signed = {**headers, "x-obs-date": format_datetime(now.astimezone(timezone.utc), usegmt=True)}
    if credentials.security_token:
        signed["x-obs-security-token"] = credentials.security_token
    lines = [
        method,
        headers.get("Content-MD5", ""),
        headers.get("Content-Type", ""),
        "",  # the date stands among the headers below
        *(f"{name}:{text}" for name, text in sorted(signed.items()) if name.startswith("x-obs-")),
        _resource(bucket, key, parameters),
    ]
    digest = hmac.new(credentials.secret_key.encode(), "\n".join(lines).encode(), hashlib.sha1)
    signature = base64.b64encode(digest.digest()).decode()
    return {**signed, "Authorization": f"OBS {credentials.access_key}:{signature}"}


def quoted(key: str) -> str:
    """Return a key as it stands in an address."""
    return quote(key, safe="/~")


def _resource(bucket: str, key: str, parameters: Mapping[str, str]) -> str:
    chosen = sorted(item for item in parameters.items() if item[0] in SIGNED_PARAMETERS)
    query = "&".join(f"{name}={text}" if text else name for name, text in chosen)
    return f"/{bucket}/{quoted(key)}" + (f"?{query}" if query else "")
