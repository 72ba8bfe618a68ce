"""What woke the function: a timer, and perhaps a command for this one run. Pure.

The shape of a timer event is that of the FunctionGraph developer guide ("timer trigger"); its
``user_event`` is free text, which people use as a note as often as for a command.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, List, Tuple

from sms_watch.rules.plan import Commands
from sms_watch.rules.reminders import Snooze

COMMANDS = ("report", "test", "snooze")
USAGE = (
    "known commands are: report (send a digest now), test (send a test message), snooze 8h TASK_ID"
    " (no reminders for that task; 30m, 8h or 2d)"
)
# A text this close to a command is a slip of the finger rather than a note.
CLOSE = 0.75
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST_SNOOZE = timedelta(days=30)


@dataclass(frozen=True)
class Waking:
    """What an event asks for. ``problem`` is for people: a command that cannot be followed."""

    commands: Commands = Commands()
    warnings: Tuple[str, ...] = ()
    problem: str = ""


def read(event: Any) -> Waking:
    """Say what an event asks for. Whatever it is, the run takes place."""
    fields = event if isinstance(event, dict) else {}
    foreign = fields.get("trigger_type") != "TIMER"
    warnings = ("the event is not one of a timer; the run took place all the same",)
    text = fields.get("user_event") or ""
    waking = _command(text.split()) if isinstance(text, str) else Waking()
    return replace(waking, warnings=warnings if foreign else ())


def _command(words: List[str]) -> Waking:
    if not words:
        return Waking()
    word = words[0].lower()
    if word == "snooze":
        return _snooze(words)
    if word in COMMANDS and len(words) > 1:
        return _refused(words, "has words too many")
    if word in COMMANDS:
        return Waking(Commands(test=word == "test", digest=word == "report"))
    if difflib.get_close_matches(word, COMMANDS, cutoff=CLOSE):
        return _refused(words, "is no command")
    return Waking()


def _snooze(words: List[str]) -> Waking:
    """Read ``snooze 8h TASK_ID``: a span in minutes, hours or days, and a task."""
    if len(words) != len(("snooze", "span", "task")):
        return _refused(words, "needs a span and a task id")
    number, unit = words[1][:-1], words[1][-1:].lower()
    if not re.fullmatch(r"[1-9][0-9]{0,4}", number) or unit not in UNITS:
        return _refused(words, "has no span such as 8h")
    span = timedelta(**{UNITS[unit]: int(number)})
    if span > LONGEST_SNOOZE:
        return _refused(words, "is longer than 30 days")
    return Waking(Commands(snooze=Snooze(words[2], span)))


def _refused(words: List[str], why: str) -> Waking:
    text = " ".join(words)[:60]
    return Waking(problem=f"the timer's user_event {text!r} {why}; {USAGE}")
