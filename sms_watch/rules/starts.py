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
# The shortest wait grows to the longest that the settings allow in fewer doublings.
MOST_DOUBLINGS = 16
# A start that was skipped for lack of time in so many runs in a row needs a person.
MOST_SKIPS = 3
# After an accepted start that nothing has come of so far: three runs of a timer that comes every
# minute, the third of which may be early. Runs are not counted: to write that down would make
# every start of an outage three lines longer.
IN_VAIN_AFTER = timedelta(minutes=2, seconds=30)
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
    from the moment it is planned until its answer is recorded, ``None`` once the task was reset.
    ``furthest`` is how far the task ever was when one was sent. ``skips`` counts the runs in a row
    that had no time to send one. ``in_vain_since`` is the moment of the first accepted one after
    which nothing has changed.
    """

    attempts: int = 0
    tries: int = 0
    last_id: str = ""
    last_at: Optional[datetime] = None
    outcome: Optional[Outcome] = None
    furthest: Optional[Progress] = None
    skips: int = 0
    in_vain_since: Optional[datetime] = None

    def backoff(self, policy: Policy) -> timedelta:
        """Return the wait after the last start: doubling, from the shortest up to the longest."""
        if self.tries >= policy.max_attempts:
            return policy.backoff_max
        doublings = min(max(self.tries - 1, 0), MOST_DOUBLINGS)
        return min(policy.backoff * (1 << doublings), policy.backoff_max)

    def is_used_up(self, limit: Optional[int], policy: Policy) -> bool:
        """Return whether as many were made, or refused, as there are before a person is called."""
        most = policy.max_attempts if limit is None else limit
        return max(self.attempts, self.tries) >= most

    def sent(self, start_id: str, progress: Progress, now: datetime) -> Starts:
        """Count one more."""
        furthest = progress.high_water(self.furthest)
        return replace(
            self,
            attempts=self.attempts + 1,
            tries=self.tries + 1,
            last_id=start_id,
            last_at=now,
            outcome=Outcome.UNKNOWN,
            furthest=furthest,
            skips=0,
        )

    def settled(self, outcome: Outcome, before: Starts) -> Starts:
        """Take in the outcome of the last one.

        One that was not taken spends no attempt, but the backoff holds; one that was not sent at
        all leaves what was ``before``, and is counted by itself.
        """
        if outcome is Outcome.SKIPPED:
            return replace(before, skips=min(before.skips + 1, MOST_SKIPS))
        attempts = before.attempts if outcome in NOT_TAKEN else self.attempts
        accepted_at = self.last_at if outcome is Outcome.DONE else None
        return replace(
            self,
            attempts=attempts,
            outcome=outcome,
            in_vain_since=self.in_vain_since or accepted_at,
        )

    def not_due(self) -> Starts:
        """Forget the runs without time, and without effect: the task needs no start."""
        return replace(self.heeded(), skips=0)

    def heeded(self) -> Starts:
        """Take in that something has become of the task, whatever that was."""
        return replace(self, in_vain_since=None) if self.in_vain_since else self

    def were_in_vain(self, now: datetime) -> bool:
        """Return whether accepted ones have had time to show an effect, and have shown none."""
        return self.in_vain_since is not None and now - self.in_vain_since >= IN_VAIN_AFTER

    def undone(self) -> Starts:
        """Take in that a person has reset the task: nobody has started it since."""
        return replace(self, outcome=None)

    def renewed(self) -> Starts:
        """Begin to count anew: the task has held out."""
        return replace(self, attempts=0, tries=0, skips=0)

    def advanced(self, progress: Progress) -> Starts:
        """Begin to count anew: the task has got further than ever before."""
        return replace(self.renewed(), furthest=progress.high_water(self.furthest))
