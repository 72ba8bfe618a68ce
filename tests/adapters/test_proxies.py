"""Proxies of the environment: the way to the services, and none to this machine itself."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Iterator

import pytest
from rich.console import Console

from simulated_cloud.scenarios import SCENARIOS
from sms_watch.adapters import obs
from sms_watch.adapters.sdk import Caller
from sms_watch.errors import PROXY, CloudError, JournalError, remedy
from sms_watch.settings.values import Credentials
from sms_watch_cli.play import play_watched
from sms_watch_cli.screen import Screen
from tests.support.clouds import KEY, TEMPORARY, a_night
from tests.support.fakes import FakeDeadline
from tests.support.loopback import Server, answer, closed_port, serving
from tests.support.services import Call, both_services, read_task
from tests.support.sessions import a_day

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Name a proxy in the environment, as a company does for all of its machines."""
    with serving(answer(502, "")) as server:
        for name in NAMES:
            monkeypatch.setenv(name, server.url)
            monkeypatch.setenv(name.lower(), server.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield server


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
@both_services
def test_what_goes_to_this_machine_goes_through_no_proxy(
    proxy: Server, call: Call, host: str
) -> None:
    """It may be http://, which whoever runs the proxy could read: keys, token and all."""
    with pytest.raises((CloudError, JournalError), match="could not be reached"):
        call(closed_port().replace("127.0.0.1", host))
    assert proxy.requests == []


@both_services
def test_what_goes_to_the_services_goes_through_the_proxy(proxy: Server, call: Call) -> None:
    """As a tunnel, in which nothing can be read but the name of the host."""
    with pytest.raises((CloudError, JournalError), match="could not be reached"):
        call("https://service.invalid")
    assert proxy.requests
    for request in proxy.requests:
        assert request.startswith(b"CONNECT ")
        assert b".invalid:443" in request
        assert KEY.access.encode() not in request


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("http://127.0.0.1:9", PROXY),  # nobody listens there
        ("socks5://127.0.0.1:9", PROXY),
        ("http:///a-path-alone", PROXY),
        ("http://[::", "unreachable"),  # what it is about cannot be told
    ],
)
def test_a_proxy_that_lets_nothing_through_is_named(
    monkeypatch: pytest.MonkeyPatch, named: str, code: str
) -> None:
    """Whatever is wrong with it nothing was sent, so that a write may be sent again."""
    monkeypatch.setenv("HTTPS_PROXY", named)
    monkeypatch.delenv("NO_PROXY", raising=False)
    connection = obs.connect("https://service.invalid")
    caller = Caller(connection, FakeDeadline(), lambda seconds: None)
    with pytest.raises(CloudError, match="could not be reached") as raised:
        caller.write("write", lambda: connection.send("POST", "https://service.invalid/"))
    connection.close()
    error = raised.value
    assert (error.code, error.retryable, error.outcome_unknown) == (code, True, False)
    assert ("HTTPS_PROXY" in remedy(error, "a right", "SMS_ENDPOINT")) == (code == PROXY)


def test_a_host_that_no_proxy_names_is_reached_without_one(
    proxy: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable holds for the services as for every other program."""
    monkeypatch.setenv("NO_PROXY", "service.invalid")
    with pytest.raises(CloudError, match="could not be reached"):
        read_task("https://service.invalid")
    assert proxy.requests == []


@pytest.mark.parametrize("on_obs", [True, False])
def test_a_run_on_this_machine_tells_no_proxy(proxy: Server, tmp_path: Path, on_obs: bool) -> None:
    """Tasks, messages and journal of a cloud on loopback, with the keys of an agency."""
    with a_night(tmp_path) as night:
        if on_obs:
            night.keep_journal_on_obs()
        for name in ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"):
            del night.texts[name]
        night.agency = Credentials(TEMPORARY.access, TEMPORARY.secret, TEMPORARY.token)
        report = night.tick(user_event="test")
    assert night.kinds(report) == ["test"]
    assert proxy.requests == []


def test_the_demo_needs_no_way_out(proxy: Server) -> None:
    """Behind a company's proxy a simulated night is watched like anywhere else."""
    night = SCENARIOS["night"]
    short = replace(night, end=night.begin + timedelta(minutes=5))
    watched = play_watched(short, Screen("night", Console(file=io.StringIO())))
    assert watched.failed == 0
    assert proxy.requests == []


def test_a_check_on_this_machine_tells_no_proxy(proxy: Server, tmp_path: Path) -> None:
    """The clock, for which nothing is signed, included."""
    with a_day(tmp_path) as day:
        day.deploy()
        status, found = day.check()
        day.check_function()
    assert status == 0, found
    assert proxy.requests == []
