"""One look at one task: what it shows, and what keeps it from sight.

It changes nothing, so many may be taken at once.
"""

from __future__ import annotations

from sms_watch.errors import (
    KEYS_REFUSED,
    NO_TIME,
    READING,
    SMS_ADDRESS,
    TOO_MANY_CALLS,
    CloudError,
    TaskGone,
    remedy,
)
from sms_watch.model.task import Gone, Observation, Task, Unread
from sms_watch.ports import Ports
from sms_watch.rules.error_codes import Help, table

LATE = "no time was left to read it"


def read_task(ports: Ports, task_id: str) -> Observation:
    """Read one task by its id, unless time, keys or the number of calls forbid it."""
    if ports.is_past(ports.timetable.reads):
        return Unread(task_id, LATE, attempted=False)
    try:
        return ports.migration.read_task(task_id).with_texts(ports.redact)
    except TaskGone:
        return Gone(task_id)
    except CloudError as error:
        if error.code == NO_TIME:
            return Unread(task_id, LATE, attempted=False)
        if error.code == KEYS_REFUSED:
            return Unread(
                task_id, "the keys were refused, so it was not asked for", attempted=False
            )
        if error.code == TOO_MANY_CALLS:
            return Unread(task_id, ports.redact(str(error)), attempted=False, throttled=True)
        return unseen(ports, task_id, error, READING)


def what_has_changed(ports: Ports, task: Task) -> str:
    """Read a failed task once more; return why it is not to be started, empty if it is."""
    try:
        seen = ports.migration.read_again(task.id).with_texts(ports.redact)
    except CloudError as error:
        return ports.redact(f"it could not be read again: {error}")
    if (seen.state, seen.error.code) == (task.state, task.error.code):
        return ""
    return f"it is now {' '.join(filter(None, (seen.state, seen.error.code)))}"


def unseen(ports: Ports, task_id: str, error: CloudError, rights: str) -> Unread:
    """Return what stands for a task that an error has kept from sight, with what to do about it."""
    known = table().get(error.code)
    to_do = known.what_to_do(Help.NOW) if known else remedy(error, rights, SMS_ADDRESS)
    return Unread(task_id, ports.redact(str(error)), remedy=to_do, throttled=error.is_throttled)
