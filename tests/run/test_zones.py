"""Time zones by name, also where the system has no database of them."""

from __future__ import annotations

import io
import pkgutil
import tarfile
import zoneinfo
from datetime import datetime
from importlib.resources import files

import pytest

from sms_watch.zones import PACKED, load_zone

NAME = "Asia/Shanghai"


@pytest.fixture
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no zones on this machine but those in a packed file."""
    packed = io.BytesIO()
    data = files("tzdata.zoneinfo.Asia").joinpath("Shanghai").read_bytes()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(NAME)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))

    def get_data(package: str, name: str) -> bytes:
        assert (package, name) == ("sms_watch", PACKED)
        return packed.getvalue()

    def find(name: str) -> zoneinfo.ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(pkgutil, "get_data", get_data)
    monkeypatch.setattr("sms_watch.zones.ZoneInfo", _Absent)


class _Absent(zoneinfo.ZoneInfo):
    """Zones of a system that has none."""

    def __new__(cls, key: str) -> _Absent:
        raise zoneinfo.ZoneInfoNotFoundError(key)


def test_a_zone_is_found_by_its_name() -> None:
    """The system's own, or that of the package tzdata."""
    moment = datetime(2026, 11, 24, tzinfo=load_zone(NAME))
    assert moment.strftime("%z") == "+0800"


@pytest.mark.usefixtures("_no_database")
def test_without_a_database_the_packed_zones_serve() -> None:
    """As on FunctionGraph; a name that is in neither is a KeyError."""
    assert str(datetime(2026, 11, 24, tzinfo=load_zone(NAME)).utcoffset()) == "8:00:00"
    with pytest.raises(KeyError):
        load_zone("Asia/Nowhere")


def test_an_unknown_zone_is_an_error() -> None:
    """Here nothing is packed: what the system does not know nobody knows."""
    with pytest.raises(KeyError):
        load_zone("Nowhere/At_All")
