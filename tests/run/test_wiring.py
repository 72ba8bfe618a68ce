"""From settings to ports: which connections are made, kept and closed, and who shares what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, List

import pytest

from simulated_cloud.clock import VirtualClock
from sms_watch.adapters.sdk import Caller
from sms_watch.clock import RunClock
from sms_watch.context import settings_of
from sms_watch.timetable import Timetable
from sms_watch.wiring import Clients, Wiring
from tests.support.builders import NOW
from tests.support.canaries import leaked
from tests.support.clouds import KEY, TOPIC

ROOT = Path(__file__).parents[2]
TEXTS = {
    "SMS_TASK_IDS": "a",
    "SMN_TOPIC_URN": TOPIC,
    "HUAWEICLOUD_SDK_AK": KEY.access,
    "HUAWEICLOUD_SDK_SK": KEY.secret,
}


class _Connection:
    def __init__(self) -> None:
        self.closed = False
        self.runs = 1

    def begin_run(self) -> None:
        self.runs += 1

    def close(self) -> None:
        self.closed = True


def _connect(*address: Any) -> _Connection:
    return _Connection()


def _connect_elsewhere(*address: Any) -> _Connection:
    if "bad" in address:
        raise ValueError("a client needs both keys")
    return _Connection()


def _wiring(clients: Clients, **more: str) -> Wiring:
    clock = VirtualClock(NOW)
    time = RunClock(clock, NOW, clock.monotonic())
    warnings: List[str] = []
    return Wiring(settings_of({**TEXTS, **more}), time, Timetable(50), clients, warnings.append)


def test_a_connection_is_kept_while_its_address_stays_the_same() -> None:
    """Another address closes it; another service has one of its own."""
    clients = Clients()
    first = clients.get(_connect, "https://a", "keys")
    assert clients.get(_connect, "https://a", "keys") is first
    assert first.runs == 2, "it is told when another run begins"
    other = clients.get(_connect_elsewhere, "https://a", "keys")
    second = clients.get(_connect, "https://a", "other keys")
    assert second is not first
    assert (first.closed, second.closed, other.closed) == (True, False, False)
    clients.forget()
    assert second.closed
    assert other.closed


def test_a_connection_that_was_closed_is_never_given_again() -> None:
    """When the next one cannot be made, the old address gets a new connection."""
    clients = Clients()
    first = clients.get(_connect_elsewhere, "good")
    with pytest.raises(ValueError, match="both keys"):
        clients.get(_connect_elsewhere, "bad")
    assert first.closed
    assert not clients.get(_connect_elsewhere, "good").closed


def test_clients_do_not_show_their_keys() -> None:
    """An address holds keys."""
    clients = Clients()
    clients.get(_connect, KEY.secret)
    assert not leaked(repr(clients))


def _callers(wiring: Wiring) -> List[Caller]:
    """Return what calls SMS in a run: for the sources, the reads and the starts."""
    sms = wiring.sms()
    return [sms._sources, sms._reads, sms._starts]


def test_calls_to_sms_share_a_guard_and_no_other_service_does() -> None:
    """Keys that SMS refuses may be good for a message: its publishing is tried all the same."""
    clients = Clients()
    wiring = _wiring(clients)
    try:
        sms = [*_callers(wiring), *_callers(wiring)]
        others = [wiring.to_smn(), wiring.store()._caller]  # type: ignore[attr-defined] # it is on OBS
    finally:
        clients.forget()
    assert all(caller._guard is wiring.guard for caller in sms)
    assert len({id(caller._guard) for caller in [*sms, *others]}) == 3


def test_each_service_has_the_end_of_the_timetable() -> None:
    """Of SMS the sources end first, then the reads, the starts, publishing, and the journal."""
    clients = Clients()
    wiring = _wiring(clients)
    try:
        callers: List[Any] = [*_callers(wiring), wiring.to_smn(), wiring.store()._caller]  # type: ignore[attr-defined] # it is on OBS
        ports = wiring.ports(str)
    finally:
        clients.forget()
    left = [caller._deadline.left() for caller in callers]
    assert left == pytest.approx([25, 35, 45, 53, 55])
    assert ports.deadline.left() == pytest.approx(50)


def _modules_after(code: str) -> List[str]:
    """Return the modules that a fresh process has imported after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import index", ["huaweicloudsdkcore", "requests", "sms_watch.wiring"]),
        ("import sms_watch.wiring", ["huaweicloudsdksmn", "sms_watch.adapters.smn"]),
    ],
    ids=["the handler", "the adapters"],
)
def test_what_is_slow_to_import_is_imported_when_it_is_needed(code: str, absent: List[str]) -> None:
    """Wrong settings are told without the SDK, and a quiet run does without the topic's client."""
    assert not set(absent) & set(_modules_after(code))


def test_the_initializer_imports_what_a_run_needs() -> None:
    """What takes long is done before the first timer event."""
    assert "huaweicloudsdksms.v3" in _modules_after("import index; index.initializer(None)")
