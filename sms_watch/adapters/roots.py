"""The certificate authorities that the services' certificates are verified with.

The zip holds certifi's as a folder in which OpenSSL finds the one it needs by its name; from
certifi's bundle it reads all of them, some 120, for every new connection. Each connection verifies
alike with both.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional

FOLDER = Path(__file__).resolve().parent.parent / "roots"
# What requests takes in place of certifi's bundle (its documentation, "SSL Cert Verification").
CHOSEN = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def authorities() -> Optional[str]:
    """Return the folder to verify with; ``None`` to leave it to requests.

    That is where the environment names a bundle, which goes before, and outside the zip.
    """
    if any(os.environ.get(name) for name in CHOSEN) or not FOLDER.is_dir():
        return None
    return str(FOLDER)
