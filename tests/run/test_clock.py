"""The time of this machine, and how much of it a run has left."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from simulated_cloud.clock import VirtualClock
from sms_watch.clock import RunClock, SystemClock
from tests.support.builders import NOW


def test_the_clock_is_aware_and_in_utc() -> None:
    """A moment without a zone would be compared with others wrongly, or not at all."""
    clock = SystemClock()
    assert clock.now().tzinfo is timezone.utc
    begun = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() > begun


def test_deadlines_are_counted_from_the_beginning_of_the_run() -> None:
    """Whenever a deadline is asked for, it lies as far from the beginning; ``now`` stays."""
    clock = VirtualClock(NOW)
    clock.sleep(7)
    time = RunClock(clock, clock.now(), clock.monotonic())
    clock.sleep(20)
    assert time.until(50).left() == pytest.approx(30)
    assert time.until(20).left() == pytest.approx(0)
    assert time.now == NOW + timedelta(seconds=7)
    assert time.moment() == NOW + timedelta(seconds=27)
