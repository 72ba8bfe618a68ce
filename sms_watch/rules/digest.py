"""The regular message about all tasks. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Sequence

from sms_watch.model.notice import Action, Kind, Notice, Standing
from sms_watch.model.policy import Policy
from sms_watch.model.task import Phase
from sms_watch.rules.decide import Decision
from sms_watch.rules.record import WatchMemory

MOST_STANDINGS = 100
# In a digest what needs somebody comes first: what failed, then what stands still.
URGENT = (Phase.FAILED, Phase.ROLLED_BACK, Phase.MOVING, Phase.UNKNOWN)


def is_due(
    decisions: Sequence[Decision], watch: WatchMemory, now: datetime, policy: Policy
) -> bool:
    """Whether the regular digest is to be sent."""
    # A digest of nothing helps nobody: the regular one waits until something can be read.
    sees = any(decision.task is not None for decision in decisions)
    on = sees and bool(policy.digest) and Kind.DIGEST in policy.notify_on
    return on and watch.digested is not None and now - watch.digested >= policy.digest


def digest(decisions: Sequence[Decision], watch: WatchMemory, now: datetime, event: str) -> Notice:
    """Make the digest, those that need somebody first."""
    made = [
        # What becomes of a start of this very run is for the next digest to tell.
        Standing(
            d.task,
            d.memory.totals.starts - (d.action is Action.START),
            d.memory.lost(now),
            d.memory.movement.moved if d.memory.movement.event else None,
        )
        for d in decisions
        if d.task is not None and d.memory is not None and d.memory.phase is not Phase.GONE
    ]
    made.sort(key=lambda each: (_urgency(each), each.task.name, each.task.id))
    unread = [d for d in decisions if d.task is None]
    detail = f"{len(unread)} could not be read: {unread[0].detail}" if unread else ""
    return Notice(
        Kind.DIGEST,
        now,
        event,
        since=watch.digested,
        standings=tuple(made[:MOST_STANDINGS]),
        more=len(made[MOST_STANDINGS:]),
        detail=detail,
    )


def _urgency(standing: Standing) -> int:
    phase = standing.task.phase
    rests = phase not in URGENT or (phase is Phase.MOVING and standing.still is None)
    return len(URGENT) if rests else URGENT.index(phase)
