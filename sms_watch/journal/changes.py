"""The record of the watching in a line: by what changed. Pure.

Who waits for a turn, who is gone, and how much was said of whom has an entry for each of a thousand
tasks, of which a run changes a few.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Mapping, Optional, TypeVar

from sms_watch.rules.airtime import Airtime
from sms_watch.rules.record import WatchRecord
from sms_watch.rules.sight import Sight

T = TypeVar("T")


@dataclass(frozen=True)
class Changes:
    """What changed by task ids in the record of the watching; ``None`` for what is forgotten."""

    unread: Mapping[str, Optional[Sight]] = field(default_factory=dict)
    absent: Mapping[str, Optional[Sight]] = field(default_factory=dict)
    airtime: Mapping[str, Optional[Airtime]] = field(default_factory=dict)

    @classmethod
    def between(cls, before: WatchRecord, after: WatchRecord) -> Changes:
        """Return what makes one record the other, but for what has no task id."""
        return cls(
            _changed(before.unread, after.unread),
            _changed(before.absent, after.absent),
            _changed(before.airtime, after.airtime),
        )

    def applied(self, bare: WatchRecord, before: WatchRecord) -> WatchRecord:
        """Return a record that was ``bare``, as it became out of the one before it."""
        return replace(
            bare,
            unread=_applied(self.unread, before.unread),
            absent=_applied(self.absent, before.absent),
            airtime=_applied(self.airtime, before.airtime),
        )


def bare(watch: WatchRecord) -> WatchRecord:
    """Return the record without what it has by task ids."""
    return replace(watch, unread={}, absent={}, airtime={})


def _changed(before: Mapping[str, T], after: Mapping[str, T]) -> Mapping[str, Optional[T]]:
    new = {key: value for key, value in after.items() if value != before.get(key)}
    return {**new, **dict.fromkeys(before.keys() - after.keys())}


def _applied(changes: Mapping[str, Optional[T]], before: Mapping[str, T]) -> Mapping[str, T]:
    merged = {**before, **changes}
    return {key: value for key, value in merged.items() if value is not None}
