"""What pip says when it fails, and what to do about it."""

from __future__ import annotations

import re
from typing import Tuple

# In this order: a proxy that refuses, for example, is also an index that is not reached.
REASONS: Tuple[Tuple[str, str], ...] = (
    ("No module named pip", "this Python has no pip: use another one, or run make zip"),
    (
        "DO NOT MATCH THE HASHES",
        "what the package index gave is not what the lock has the hashes of: nothing more was"
        " done; find out which of the two was changed, and by whom",
    ),
    ("No space left on device|Errno 28", "the disk is full: free some space, then run this again"),
    (
        "Permission denied|Read-only file system",
        "a folder cannot be written: work in a copy of the repository in a folder of your own",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED|SSLError|confirming the ssl certificate",
        "the certificate of the package index is not trusted here: where a proxy opens TLS, name"
        " the file of its authority in PIP_CERT, then run this again",
    ),
    (
        "ProxyError|[Cc]annot connect to proxy|Tunnel connection failed|\\b407\\b",
        "the proxy did not let pip through: correct HTTPS_PROXY (http://user:password@host:port),"
        " or unset it where there is none",
    ),
    (
        "NewConnectionError|NameResolutionError|Failed to establish a new connection|[Tt]imed out"
        "|connection broken|[Nn]etwork is unreachable|Connection to .* failed",
        "the package index cannot be reached: connect this machine to the network; behind a proxy,"
        " set HTTPS_PROXY=http://host:port, or correct it; for an index of your own, set"
        " PIP_INDEX_URL; then run this again",
    ),
    (
        "No matching distribution found|Could not find a version",
        "the package index lacks a locked version: it may be a mirror that is behind, or this"
        " Python or machine is one that the package is not made for; try another Python, such as"
        " make PYTHON=python3.12, or another index in PIP_INDEX_URL",
    ),
)
UNKNOWN = (
    "pip could not install the locked packages: check that the package index can be reached, then"
    " run this again"
)


def reason(words: str) -> str:
    """Return why pip failed, by what it wrote, and what to do."""
    return next((said for pattern, said in REASONS if re.search(pattern, words)), UNKNOWN)
