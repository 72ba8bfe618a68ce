"""What every test stands on: no network but loopback, and no settings from outside."""

from __future__ import annotations

import functools
import ipaddress
import os
import socket
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from hypothesis import HealthCheck, Phase, settings

from sms_watch.clock import SystemClock
from sms_watch.settings.table import NAMES, unknown

# How fast a machine is says nothing about the rules; the first run builds tables of characters.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Of a planted mistake it is enough that it is seen: nobody reads the shortest way to it.
settings.register_profile(
    "planted", settings.get_profile("here"), phases=[Phase.explicit, Phase.generate]
)
# While one works, a few examples say soon what is wrong; all of them are drawn by "make test".
settings.register_profile("quick", settings.get_profile("here"), max_examples=5)
settings.load_profile("here")

# The helpers assert as well.
pytest.register_assert_rewrite("tests.support")
INTERNET = (socket.AF_INET, socket.AF_INET6)


def pytest_report_header() -> List[str]:
    """Return on which of FunctionGraph's Pythons the zip is tried, and what looks at pages."""
    from tests.support import browser, interpreters  # noqa: PLC0415 - asserts are rewritten first

    return [*interpreters.report_header(), *browser.report_header()]


@pytest.fixture(autouse=True)
def refused(monkeypatch: pytest.MonkeyPatch) -> Iterator[List[str]]:
    """Refuse every address but loopback, by name and by number, and fail a test that asked."""
    hosts: List[str] = []
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    look_up = socket.getaddrinfo

    def check(host: Any) -> None:
        if str(host).endswith(".invalid"):  # a name that never exists (RFC 2606)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host not in ("", None) and not _is_loopback(host):
            hosts.append(str(host))
            raise ConnectionRefusedError(f"tests reach nothing but loopback, not {host}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in INTERNET:
            check(address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if self.family in INTERNET:
            check(address[0])
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        check(host)
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield hosts
    assert not hosts, "this test tried to reach the network"


def _is_loopback(host: Any) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return text == "localhost" or ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses between tries pass at once."""
    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: None)


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have a login for this machine in .netrc; give its password."""
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1 login me password hunter22\n", encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    return "hunter22"


@functools.cache
def _is_read(name: str) -> bool:
    """Return whether a variable is one that the handler, or a warning of it, would speak of."""
    ours = name in NAMES or unknown([name])
    return bool(ours) or name.startswith(("RUNTIME_", "HUAWEICLOUD_"))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is set on this machine out of the tests."""
    for name in list(os.environ):
        if _is_read(name):
            monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
