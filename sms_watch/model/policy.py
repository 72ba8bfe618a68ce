"""Which tasks are watched, and how far the watchdog may go."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import FrozenSet, Mapping, Tuple

from sms_watch.model.notice import Kind
from sms_watch.model.task import ErrorClass


@dataclass(frozen=True)
class Scope:
    """Which tasks are watched: those with these ids, or, without any, every task of the account.

    Of all tasks, ``names`` leaves those whose name matches one of its patterns, in which ``*``
    stands for any letters and ``?`` for one, ``project`` those of one migration project.
    """

    task_ids: Tuple[str, ...] = ()
    names: Tuple[str, ...] = ()
    project: str = ""

    @property
    def discovers(self) -> bool:
        """Whether the tasks have to be found by listing."""
        return not self.task_ids

    def covers(self, name: str) -> bool:
        """Return whether a task of this name is one of those to be watched."""
        return not self.names or any(fnmatchcase(name, pattern) for pattern in self.names)


@dataclass(frozen=True)
class Policy:
    """How far the watchdog may go, and how often it speaks.

    ``stall``, ``hang``, ``remind`` and ``digest`` of zero mean never.
    """

    max_attempts: int = 5
    backoff: timedelta = timedelta(minutes=2)
    backoff_max: timedelta = timedelta(minutes=15)
    max_per_run: int = 20
    grace: timedelta = timedelta(0)
    stall: timedelta = timedelta(minutes=60)
    hang: timedelta = timedelta(minutes=60)
    remind: timedelta = timedelta(hours=4)
    digest: timedelta = timedelta(0)
    classes: Mapping[str, ErrorClass] = field(default_factory=dict)
    notify_on: FrozenSet[Kind] = frozenset(Kind)
