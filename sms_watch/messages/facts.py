"""The facts of a task in words: code, servers, progress, speed, time left. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Optional

from sms_watch.model.notice import Action, Kind, Notice, Reason
from sms_watch.model.task import ErrorClass, Phase, Task, TaskState
from sms_watch.rules.error_codes import Code, Help, look_up
from sms_watch.text import amount, bar, clean, duration

MAX_CODE = 12
BAR = 20
CALLS = frozenset({Kind.NEEDS_PERSON, Kind.REMINDER})


def shown_code(task: Task) -> str:
    """Return the error code of a task as people may see it, empty if it has none."""
    return clean(task.error.code, MAX_CODE) if task.error.code.startswith("SMS.") else ""


def code_of(failure: Notice, task: Task) -> Code:
    """Return what the code of a failed task means, under the class that was decided on."""
    known = look_up(shown_code(task), task.type)
    return known.under(failure.verdict.error_class or ErrorClass.UNKNOWN)


def help_for(failure: Notice) -> Help:
    """Return what the task needs from people, as its start was decided when this was told."""
    if failure.verdict.reason is Reason.STARTS_OFF:
        return Help.START
    if failure.verdict.action is Action.NONE:
        return Help.FIX
    return Help.NOW if failure.kind in CALLS else Help.LATER


def servers(task: Task) -> str:
    """Return between which servers a task copies; empty if neither is known."""
    source, target = clean(task.servers.source), clean(task.servers.target)
    return f"{source or 'unknown'} -> {target or 'unknown'}" if source or target else ""


def progress(task: Task) -> str:
    """Return how far a task is, how fast, and how long the rest takes."""
    percent = task.progress.shown
    if percent is None and not task.progress.sub_task:
        return ""
    parts = (bar_of(percent), clean(task.progress.sub_task), speed(task), time_left(task))
    return ", ".join(part for part in parts if part)


def speed(task: Task) -> str:
    """Return how fast a task copies; what does not run may still be shown with an old speed."""
    known = task.transfer.speed
    return f"{known:.0f} Mbit/s" if known and task.phase is Phase.MOVING else ""


def time_left(task: Task) -> str:
    """Return how long the rest takes, or that nobody knows; empty for what does not run."""
    if task.state != TaskState.RUNNING:
        return ""
    if task.transfer.remaining is None:
        return "time left unknown"
    return f"about {duration(timedelta(seconds=task.transfer.remaining))} left"


def copied_since(task: Task) -> str:
    """Return what a full copy has copied since it was first seen, and how fast on average."""
    copied, mean = task.progress.copied, task.transfer.speed
    return f"{amount(copied)} at {mean:.0f} Mbit/s on average" if copied and mean else ""


def bar_of(percent: Optional[int]) -> str:
    """Return a bar and its percentage."""
    return f"{bar(percent, BAR)} {'?' if percent is None else percent} %"
