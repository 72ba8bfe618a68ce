"""What a heading says of a task, by the kind of its notice: templates (see ``grammar``). Pure."""

from __future__ import annotations

from typing import Callable

from sms_watch.messages.failures import NO_TASK
from sms_watch.model.notice import Kind, Notice
from sms_watch.model.task import Phase


def always(text: str) -> Callable[[Notice], str]:
    """Return a heading that is the same for all notices of a kind."""
    return lambda notice: text


def resumed_title(notice: Notice) -> str:
    """Return the heading for a task that runs again."""
    return "{is} stable again" if notice.count else "{is} running again"


def paused_title(notice: Notice) -> str:
    """Return the heading for a task that is paused, by a person or by SMS."""
    return "{was} paused by SMS" if (notice.task or NO_TASK).is_halted else "{is} paused"


def moving_title(notice: Notice) -> str:
    """Return the heading for a task that goes on."""
    return "{is} moving again" if follows(notice, Kind.STALLED) else "{has} moved on"


def readable_title(notice: Notice) -> str:
    """Return the heading for a task that can be read again, or is there again."""
    return "{is} back" if follows(notice, Kind.GONE) else "can be read again"


def follows(notice: Notice, kind: Kind) -> bool:
    """Return whether a notice ends one of a kind."""
    return any(each.endswith(f"-{kind}") for each in notice.follows)


def gone_title(notice: Notice) -> str:
    """Return the heading for a task that is not there."""
    if notice.detail:
        return "{is} no longer watched"
    return "{does} not exist" if never_seen(notice) else "no longer exist{s}"


def reminder_title(notice: Notice) -> str:
    """Return the heading for what is still so."""
    return "{is} still stalled" if runs(notice) else "still need{s} attention"


def never_seen(notice: Notice) -> bool:
    """Return whether nothing is known of a task that does not exist, not even its name."""
    return notice.task is not None and not notice.task.name


def runs(notice: Notice) -> bool:
    """Return whether a notice is about a task that runs."""
    return phase_of(notice) is Phase.MOVING


def phase_of(notice: Notice) -> Phase:
    """Return what the state of a notice's task means."""
    return (notice.task or NO_TASK).phase
