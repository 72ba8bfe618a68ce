"""When all that is being copied will be done, as far as it was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Optional


@dataclass(frozen=True)
class End:
    """When a copy is expected to be done, and of which task.

    ``at`` is the moment that the measured advance leads to, between ``earliest`` and ``latest``:
    how far these lie apart says how sure it is.
    """

    at: datetime
    earliest: datetime
    latest: datetime
    task_id: str
    name: str = ""

    def lean(self) -> End:
        """Return it without the name, which people have given."""
        return replace(self, name="")


@dataclass(frozen=True)
class Forecast:
    """When the last copy will be done, and what is not in that.

    ``end`` is that of the last task, by those that were measured; ``None`` if none was. Of the
    tasks ``copying``, so many are ``unmeasured``. Those that stand ``still`` have no end that
    anybody could tell: failed, stalled, paused, not begun, or in a state that is not known.
    ``ready`` are those that are copied and synchronise until the cut-over, and ``finished`` those
    after it. What the ``unread`` ones do was not seen.
    """

    end: Optional[End] = None
    copying: int = 0
    unmeasured: int = 0
    still: int = 0
    ready: int = 0
    finished: int = 0
    unread: int = 0

    def lean(self) -> Forecast:
        """Return the forecast without any text from outside."""
        return replace(self, end=self.end.lean() if self.end else None)
