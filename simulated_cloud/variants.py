"""How the services answer where documents, models of the SDK and reports from the field differ.

The defaults are what the references document. A variant is a fact about a service, not a fault of
a call: it holds for every answer until another one is set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import Mapping, Optional

from simulated_cloud.task import Refused


class SubTasks(Enum):
    """Which sub-tasks an answer lists: those to come as well, only those begun, or none."""

    AHEAD = "ahead"
    BEGUN = "begun"
    LEFT_OUT = "left out"


class Percents(Enum):
    """How progress is written: as a number, as text, or as null while a sub-task is under way."""

    NUMBERS = "numbers"
    TEXT = "text"
    NULL = "null"


@dataclass(frozen=True)
class Reply:
    """What a start is answered with. ``refuses``: it stands for a start that was not taken."""

    status: int
    body: bytes = b""
    refuses: bool = False


# The reference ("Managing a Migration Task") and the SDK's model have a string; scripts report an
# empty body and an empty object.
ACCEPTED: Mapping[str, Reply] = {
    "a string": Reply(200, b'"success"'),
    "bare text": Reply(200, b"success"),
    "an empty string": Reply(200, b'""'),
    "null": Reply(200, b"null"),
    "a list": Reply(200, b"[]"),
    "an object": Reply(200, b"{}"),
    "nothing": Reply(200),
    "202": Reply(202),
    "204": Reply(204),
}
REFUSED = Reply(
    200, b'{"error_code": "SMS.7713", "error_msg": "The task cannot be started."}', refuses=True
)

# Keys that may read tasks, and not list them.
UNLISTABLE = Refused(403, "SMS.9004", "The current account does not have the required permissions.")

# Tasks of somebody else, and one that the service itself fails to read (SMS API reference, "Error
# Codes"; of the first two, the status is reported to be 400 or 403).
UNREADABLE: Mapping[str, Refused] = {
    "another user's": Refused(403, "SMS.6527", "The task belongs to another user."),
    "another account's": Refused(400, "SMS.7602", "The task belongs to another account."),
    "broken": Refused(500, "SMS.9999", "The service has an internal error."),
}


@dataclass(frozen=True)
class Variants:
    """How the services answer.

    ``sub_tasks`` and ``percents`` are the forms of progress, ``unknown_names``: sub-tasks have
    names that no document has, ``consistency_check``: one more stands behind the copy.
    ``named``: ``subtask_info`` names the sub-task under way.
    ``connected``: answers tell whether the agent is connected. ``even_speed``: a copy has the same
    speed at every look, as under a limit. ``start`` is what a start is
    answered with. ``unreadable`` are the refusals of single tasks, by id; they are not listed
    either, unless the service itself fails to read them. ``unseen`` is how many more rows than its
    own a list counts. ``reads_a_minute`` is how many reads of the migration service are answered
    in a minute. ``may_list``: the keys have the right to list. ``whole_beyond_end``: a range that
    begins beyond an object's end gives the whole object, and no error. ``last_bytes``: a range of
    an object's last bytes is understood.
    """

    sub_tasks: SubTasks = SubTasks.AHEAD
    percents: Percents = Percents.NUMBERS
    unknown_names: bool = False
    consistency_check: bool = False
    named: bool = True
    connected: bool = True
    even_speed: bool = False
    start: Reply = ACCEPTED["a string"]
    unreadable: Mapping[str, Refused] = field(default_factory=dict)
    unseen: int = 0
    reads_a_minute: Optional[int] = None
    may_list: bool = True
    whole_beyond_end: bool = False
    last_bytes: bool = False

    def allow(self, task_id: str) -> None:
        """Raise Refused if a task may not, or cannot, be read and started."""
        if task_id in self.unreadable:
            raise self.unreadable[task_id]

    def allow_list(self) -> None:
        """Raise Refused if nothing may be listed."""
        if not self.may_list:
            raise UNLISTABLE

    def lists(self, task_id: str) -> bool:
        """Return whether a list has a row for a task."""
        return task_id not in self.unreadable or self.unreadable[task_id].status >= 500


DOCUMENTED = Variants()


class Gateway:
    """Counts the reads of each minute, as the gateway does that stands before the service."""

    def __init__(self) -> None:
        self._minute: Optional[datetime] = None
        self._reads = 0

    def admit(self, most: Optional[int], now: datetime) -> None:
        """Count a read. Raise Refused if it is beyond the most that a minute has.

        The text has the form of the gateway's own ("API Gateway Error Codes", APIGW.0308).
        """
        minute = now.replace(second=0, microsecond=0)
        self._reads = self._reads + 1 if minute == self._minute else 1
        self._minute = minute
        if most is not None and self._reads > most:
            why = f"policy user over ratelimit,limit:{most},time:1 minute"
            text = f"The throttling threshold has been reached: {why}"
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "APIGW.0308", text)
