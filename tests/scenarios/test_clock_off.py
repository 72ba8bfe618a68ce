"""A clock that is off: refused signatures, and what people are told to do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clouds import a_night

AHEAD = "the clock of this machine is 16 min ahead of the service's: set it by NTP"
BEHIND = "the clock of this machine is 16 min behind the service's: set it by NTP"


@pytest.mark.parametrize("on_obs", [False, True], ids=["directory", "OBS"])
@pytest.mark.parametrize(("minutes", "told"), [(16, BEHIND), (-16, AHEAD)])
def test_a_run_that_is_refused_names_the_clock_first(
    tmp_path: Path, on_obs: bool, minutes: int, told: str
) -> None:
    """Whichever journal is in use, and before keys that may well be right."""
    with a_night(tmp_path) as night:
        if on_obs:
            night.keep_journal_on_obs()
        night.server.cloud.skew = timedelta(minutes=minutes)
        why = night.failing_tick()
    assert told in why
    assert "HUAWEICLOUD_SDK_AK" not in why[: why.index(told)]


def test_a_message_that_is_refused_names_the_clock(tmp_path: Path) -> None:
    """SMN's refusal of a signature is explained like that of SMS."""
    with a_night(tmp_path) as night:
        night.server.cloud.skew = timedelta(minutes=16)
        why = night.failing_tick(user_event="test")
    assert why.count(BEHIND) == 2
    assert "publish the message: APIGW.0301" in why
