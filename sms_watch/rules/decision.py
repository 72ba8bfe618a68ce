"""A task as it was just read, and the answer for it: what ``decide`` takes and gives. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Optional, Tuple

from sms_watch.model.notice import (
    Action,
    Kind,
    Notice,
    Reason,
    Verdict,
    closing_id,
    event_id,
)
from sms_watch.model.policy import Policy
from sms_watch.model.task import Task
from sms_watch.rules.record import TaskRecord


@dataclass(frozen=True)
class Reading:
    """A task as it was just read: when, and under which policy.

    ``event`` names what it brings (see ``Position.event``). ``discovered``: it was found by
    listing, so what was at rest before the watchdog came is remembered without a word.
    """

    task: Task
    now: datetime
    policy: Policy
    event: str
    discovered: bool = False

    def notice(self, kind: Kind, verdict: Verdict, **facts: Any) -> Notice:
        """Return a notice about the task, with an id of its own."""
        about = event_id(self.event, kind)
        return Notice(kind, self.now, about, self.task, verdict, **facts)

    def closing(
        self, kind: Kind, follows: Tuple[str, ...], verdict: Verdict, **facts: Any
    ) -> Notice:
        """Return a notice that ends what others opened; it has the id of the first, marked."""
        about = closing_id(follows[0])
        return Notice(kind, self.now, about, self.task, verdict, follows, **facts)


@dataclass(frozen=True)
class Decision:
    """The answer for one task.

    ``record`` is what is to be remembered from now on, without the start if one is decided
    (``None``: nothing is known of the task). ``event`` is that of the reading, ``detail`` says
    why a task could not be read.
    """

    task_id: str
    verdict: Verdict
    event: str = ""
    task: Optional[Task] = None
    record: Optional[TaskRecord] = None
    notices: Tuple[Notice, ...] = ()
    detail: str = ""

    @property
    def is_start(self) -> bool:
        """Whether the task is to be started."""
        return self.verdict.action is Action.START

    @property
    def is_there(self) -> bool:
        """Whether the task was read, or found in a list."""
        return self.task is not None and self.verdict.reason is not Reason.GONE

    def planned(self, now: datetime) -> Optional[TaskRecord]:
        """Return the record with the start counted, if one is decided."""
        if self.record is None or self.task is None or self.verdict.start is None:
            return self.record
        return self.record.started(self.verdict.start.id, self.task, now)

    def held_back(self, reason: Reason) -> Decision:
        """Turn a start into a wait, because this run has made as many calls as it may."""
        attempt = replace(self.verdict.attempt, next_try=None)
        verdict = replace(
            self.verdict,
            action=Action.WAIT,
            reason=reason,
            attempt=attempt,
            start=None,
        )
        notices = tuple(
            replace(notice, verdict=verdict) if notice.verdict == self.verdict else notice
            for notice in self.notices
        )
        return replace(self, verdict=verdict, notices=notices)

    def telling(self, *notices: Notice) -> Decision:
        """Add notices."""
        return replace(self, notices=(*self.notices, *notices))
