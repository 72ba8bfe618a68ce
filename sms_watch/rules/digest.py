"""The regular message about all tasks. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Sequence

from sms_watch.model.notice import Digest, DigestRow
from sms_watch.model.policy import Policy
from sms_watch.model.task import Phase, TaskState
from sms_watch.rules.decision import Decision
from sms_watch.rules.forecast import of_decisions
from sms_watch.rules.record import WatchRecord

MOST_ROWS = 100
# In a digest what needs somebody comes first: what failed, then what was paused by SMS itself, then
# what stands still.
URGENT = (Phase.FAILED, Phase.ROLLED_BACK, Phase.PAUSED, Phase.MOVING, Phase.UNKNOWN)
# The others stand together by what they do: who asks what may be cut over looks at one place.
CALM = (Phase.PAUSED, Phase.BUSY, Phase.MOVING, Phase.READY, TaskState.SYNCING, Phase.FINISHED)


def is_due(
    decisions: Sequence[Decision], watch: WatchRecord, now: datetime, policy: Policy
) -> bool:
    """Return whether the regular digest is to be sent."""
    # A digest of nothing helps nobody: the regular one waits until something can be read.
    sees = any(decision.is_there for decision in decisions)
    last = watch.digested_at
    return sees and bool(policy.digest) and last is not None and now - last >= policy.digest


def digest(decisions: Sequence[Decision], now: datetime) -> Digest:
    """Return the digest of all tasks, those that need somebody first."""
    rows = [
        DigestRow(
            d.task,
            d.record.totals.starts,
            d.record.seconds_failed(now),
            d.record.still_since,
        )
        for d in decisions
        if d.task is not None and d.record is not None and d.is_there
    ]
    rows.sort(key=lambda row: (_place(row), row.task.name, row.task.id))
    unread = [d for d in decisions if d.task is None]
    detail = f"{len(unread)} could not be read: {unread[0].detail}" if unread else ""
    foretold = of_decisions(decisions, now)
    return Digest(tuple(rows[:MOST_ROWS]), len(rows[MOST_ROWS:]), detail, foretold)


def _place(row: DigestRow) -> int:
    phase = Phase.MOVING if row.still_since else row.task.phase
    moves = phase is Phase.MOVING and row.still_since is None
    rests = phase not in URGENT or moves or (phase is Phase.PAUSED and not row.task.is_halted)
    if not rests:
        return URGENT.index(phase)
    at_cut_over = row.task.state == TaskState.SYNCING
    return len(URGENT) + CALM.index(TaskState.SYNCING if at_cut_over else phase)
