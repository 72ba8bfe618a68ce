"""Times that have not come yet. Pure.

A run whose clock was ahead leaves them behind. To obey them would mean to wait for hours or weeks:
with a start, a reminder, a digest. What was noted as having happened has happened by now.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Tuple

from sms_watch.rules.record import Memory
from sms_watch.timetable import LONGEST_LEASE

# Clocks differ by less than this: the cloud refuses signatures that are further off.
SKEW = timedelta(minutes=15)
# What is meant to lie ahead.
AHEAD = frozenset({"snoozed_until", "next_try", "lease", "forecast"})
PLAIN = frozenset({str, int, float, bool, type(None)})


def held(memory: Memory, now: datetime) -> Tuple[Memory, bool]:
    """Return a memory with ``now`` for times far ahead of it, and whether there were any.

    A lease that ends later than any that a run takes is none.
    """
    kept: Memory = _held(memory, now)
    longest = timedelta(seconds=LONGEST_LEASE) + SKEW
    if kept.lease is not None and kept.lease.until > now + longest:
        kept = dataclasses.replace(kept, lease=None)
    return kept, kept is not memory


def _held(value: Any, now: datetime) -> Any:
    """Return a value with ``now`` for times ahead of it; the very value if it has none."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, datetime):
        return now if value > now + SKEW else value
    if isinstance(value, tuple):
        items = [_held(item, now) for item in value]
        if all(item is before for item, before in zip(items, value)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, Mapping):
        found = _changed(value, now)
        return {**value, **found} if found else value
    if dataclasses.is_dataclass(value):
        found = _changed(vars(value), now)
        return dataclasses.replace(value, **found) if found else value  # type: ignore[type-var] # an instance
    return value


def _changed(items: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    made = ((name, item, _held(item, now)) for name, item in items.items() if name not in AHEAD)
    return {name: after for name, before, after in made if after is not before}
