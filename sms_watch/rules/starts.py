"""The starts of a failed task: how many were made, and when the next may follow. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional

from sms_watch.model.notice import Outcome
from sms_watch.model.policy import Policy
from sms_watch.model.task import ErrorClass, Progress

HOPELESS = frozenset({ErrorClass.RECREATE, ErrorClass.HUMAN, ErrorClass.PRECHECK})
GUESSES = frozenset({ErrorClass.AMBIGUOUS, ErrorClass.UNKNOWN})
GUESS_ATTEMPTS = 2


def cap(error_class: ErrorClass, policy: Policy) -> Optional[int]:
    """Return the most starts in a row for a class of errors; ``None`` means no limit."""
    if error_class in HOPELESS:
        return 0
    if error_class in GUESSES:
        return min(GUESS_ATTEMPTS, policy.max_attempts)
    if error_class is ErrorClass.TRANSIENT and policy.max_attempts:
        return None
    return policy.max_attempts


@dataclass(frozen=True)
class Starts:
    """The starts in a row without progress.

    ``attempts`` may have been accepted; ``tries`` also counts refused ones and sets the backoff.
    ``mark`` is the furthest progress when one was last sent. ``outcome`` is that of the last one,
    unknown from the moment it is planned until its answer is recorded.
    """

    attempts: int = 0
    tries: int = 0
    last: Optional[datetime] = None
    mark: Optional[Progress] = None
    outcome: Optional[Outcome] = None

    def backoff(self, policy: Policy) -> timedelta:
        """Return the wait after the last start: doubling, up to the longest."""
        if self.tries == 0:
            return timedelta(0)
        if self.tries >= policy.max_attempts:
            return policy.backoff_max
        return min(policy.backoff * (1 << (self.tries - 1)), policy.backoff_max)

    def is_used_up(self, limit: Optional[int], policy: Policy) -> bool:
        """Whether as many were made, or refused, as there are before a person is called."""
        most = policy.max_attempts if limit is None else limit
        return max(self.attempts, self.tries) >= most

    def sent(self, progress: Progress, now: datetime) -> Starts:
        """Count one more."""
        mark = progress.furthest(self.mark)
        return Starts(self.attempts + 1, self.tries + 1, now, mark, Outcome.UNKNOWN)

    def settled(self, outcome: Outcome, before: Starts) -> Starts:
        """Take in what became of the last one; one that was not sent leaves ``before``."""
        if outcome is Outcome.SKIPPED:
            return before
        attempts = before.attempts if outcome in NOT_TAKEN else self.attempts
        return replace(self, attempts=attempts, outcome=outcome)

    def renewed(self) -> Starts:
        """Begin to count anew."""
        return replace(self, attempts=0, tries=0)

    def reconnected(self) -> Starts:
        """Begin the waits anew; two starts are never closer than the shortest of them."""
        return replace(self, tries=min(self.tries, 1))


# A start that was refused, or never reached the service, spends no attempt.
NOT_TAKEN = frozenset({Outcome.REFUSED, Outcome.FAILED})
