"""The starts of a failed task: how many were made, and when the next may follow. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional

from sms_watch.model.notice import Outcome
from sms_watch.model.policy import Policy
from sms_watch.model.task import ErrorClass, Progress

NEVER_RESTARTED = frozenset({ErrorClass.RECREATE, ErrorClass.HUMAN, ErrorClass.PRECHECK})
RESTARTED_TWICE = frozenset({ErrorClass.AMBIGUOUS, ErrorClass.UNKNOWN})
TWICE = 2
# A start with one of these outcomes certainly started nothing.
NOT_TAKEN = frozenset({Outcome.REFUSED, Outcome.FAILED, Outcome.SKIPPED})


def cap(error_class: ErrorClass, policy: Policy) -> Optional[int]:
    """Return the most starts in a row for a class of errors; ``None`` means no limit."""
    if error_class in NEVER_RESTARTED:
        return 0
    if error_class in RESTARTED_TWICE:
        return min(TWICE, policy.max_attempts)
    if error_class is ErrorClass.TRANSIENT and policy.max_attempts:
        return None
    return policy.max_attempts


@dataclass(frozen=True)
class Starts:
    """The starts in a row without progress.

    ``attempts`` may have been accepted; ``tries`` also counts refused ones and sets the backoff.
    The last one has the id ``last_id``, was sent at ``last_at``, and had this ``outcome``: unknown
    from the moment it is planned until its answer is recorded. ``furthest`` is how far the task
    ever was when one was sent.
    """

    attempts: int = 0
    tries: int = 0
    last_id: str = ""
    last_at: Optional[datetime] = None
    outcome: Optional[Outcome] = None
    furthest: Optional[Progress] = None

    def backoff(self, policy: Policy) -> timedelta:
        """Return the wait after the last start: doubling, up to the longest."""
        if self.tries == 0:
            return timedelta(0)
        if self.tries >= policy.max_attempts:
            return policy.backoff_max
        return min(policy.backoff * (1 << (self.tries - 1)), policy.backoff_max)

    def is_used_up(self, limit: Optional[int], policy: Policy) -> bool:
        """Return whether as many were made, or refused, as there are before a person is called."""
        most = policy.max_attempts if limit is None else limit
        return max(self.attempts, self.tries) >= most

    def sent(self, start_id: str, progress: Progress, now: datetime) -> Starts:
        """Count one more.

        Bytes that are not known now are not known of the furthest place either: what was copied up
        to this start must not be taken for progress after it.
        """
        furthest = progress.high_water(self.furthest)
        if progress.copied is None:
            furthest = replace(furthest, copied=None)
        return Starts(self.attempts + 1, self.tries + 1, start_id, now, Outcome.UNKNOWN, furthest)

    def settled(self, outcome: Outcome, before: Starts) -> Starts:
        """Take in the outcome of the last one.

        One that was not taken spends no attempt, but the backoff holds; one that was not sent at
        all leaves what was ``before``.
        """
        if outcome is Outcome.SKIPPED:
            return before
        attempts = before.attempts if outcome in NOT_TAKEN else self.attempts
        return replace(self, attempts=attempts, outcome=outcome)

    def renewed(self) -> Starts:
        """Begin to count anew: the task has held out."""
        return replace(self, attempts=0, tries=0)

    def advanced(self, progress: Progress) -> Starts:
        """Begin to count anew: the task has got further than ever before."""
        return replace(self.renewed(), furthest=progress.high_water(self.furthest))

    def reconnected(self) -> Starts:
        """Begin the waits anew; two starts are never closer than the shortest of them."""
        return replace(self, tries=min(self.tries, 1))
