"""Time zones by name, on any system: many have no time-zone database.

``build_zip.py`` packs that of the package ``tzdata`` into one file of the zip, a sixth of what its
600 files would take. On one's own machine the package itself is found by the standard library.
"""

from __future__ import annotations

import io
import pkgutil
import tarfile
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PACKED = "zones.tar.gz"


def load_zone(name: str) -> tzinfo:
    """Return a time zone: the system's, or the one that came along.

    Raise KeyError or ValueError when there is no zone of that name.
    """
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return _packed(name)


def _packed(name: str) -> tzinfo:
    try:
        data = pkgutil.get_data("sms_watch", PACKED)
    except OSError:
        data = None
    if not data:
        raise KeyError(name)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = archive.extractfile(name)
        if found is None:
            raise KeyError(name)
        return ZoneInfo.from_file(found, key=name)
