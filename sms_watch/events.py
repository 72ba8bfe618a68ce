"""What an event of the function asks for: a timer's, perhaps with a command for one run. Pure.

The shape of a timer event is that of the FunctionGraph developer guide ("timer trigger"); its
``user_event`` is free text, which people use as a note as often as for a command.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, List, Tuple

from sms_watch.rules.draft import Commands
from sms_watch.rules.reminders import Snooze

COMMANDS = ("report", "test", "snooze")
USAGE = (
    "known commands are: report (send a digest now), test (send a test message), snooze 8h TASK_ID"
    " (no reminders for that task; 30m, 8h or 2d)"
)
NOT_A_TIMERS = (
    "the event is not from a timer; the run took place all the same, but a command is read only"
    " from user_event"
)
# A text this close to a command is a slip of the finger rather than a note.
CLOSE = 0.75
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST_SNOOZE = timedelta(days=30)
SNOOZE_WORDS = 3  # snooze, a span, a task id


@dataclass(frozen=True)
class TimerEvent:
    """What an event asks for. ``problem`` is for people: a command that cannot be followed."""

    commands: Commands = Commands()
    warnings: Tuple[str, ...] = ()
    problem: str = ""


def parse_event(event: Any) -> TimerEvent:
    """Return what an event asks for. Whatever it is, the run takes place.

    The event may be JSON as text or bytes as well, and so may its ``user_event``. What is no text
    in the end is not carried out: a word in an object is a note as easily as a command.
    """
    found = _decoded(event)
    fields = found if isinstance(found, dict) else {}
    asked = _asked(_decoded(fields.get("user_event")))
    foreign = () if fields.get("trigger_type") == "TIMER" else (NOT_A_TIMERS,)
    return replace(asked, warnings=(*foreign, *asked.warnings))


def _decoded(value: Any) -> Any:
    """Return what a text or bytes hold as JSON; a text that is none, or a bare number, as it is."""
    if isinstance(value, (bytes, bytearray)):
        value = value.decode("utf-8-sig", "replace")
    if not isinstance(value, str):
        return value
    try:
        held = json.loads(value)
    except (ValueError, RecursionError):
        return value
    if isinstance(held, str):
        return _decoded(held)
    return held if isinstance(held, (dict, list)) else value


def _asked(user_event: Any) -> TimerEvent:
    if isinstance(user_event, str):
        return _command(user_event.split())
    found = [word for word in COMMANDS if word in _words_within(user_event)]
    return TimerEvent(warnings=(_misplaced(found[0]),) if found else ())


def _words_within(value: Any) -> List[str]:
    try:
        return re.findall(r"\w+", repr(value).lower())
    except RecursionError:
        return []


def _command(words: List[str]) -> TimerEvent:
    if not words:
        return TimerEvent()
    word = words[0].lower()
    if word == "snooze":
        return _snooze(words)
    if word in COMMANDS and len(words) > 1:
        return _refused(words, "has too many words")
    if word in COMMANDS:
        return TimerEvent(Commands(test=word == "test", digest=word == "report"))
    if _is_slip(word):
        return _refused(words, "is not a command")
    return TimerEvent()


def _is_slip(word: str) -> bool:
    import difflib  # noqa: PLC0415 - few events have a text, and every cold start would pay for it

    return bool(difflib.get_close_matches(word, COMMANDS, cutoff=CLOSE))


def _snooze(words: List[str]) -> TimerEvent:
    """Read ``snooze 8h TASK_ID``: a span in minutes, hours or days, and a task."""
    if len(words) != SNOOZE_WORDS:
        return _refused(words, "needs a time span and a task ID")
    number, unit = words[1][:-1], words[1][-1:].lower()
    if not re.fullmatch(r"[1-9][0-9]{0,4}", number) or unit not in UNITS:
        return _refused(words, "has no time span such as 8h")
    span = timedelta(**{UNITS[unit]: int(number)})
    if span > LONGEST_SNOOZE:
        return _refused(words, "is longer than 30 days")
    return TimerEvent(Commands(snooze=Snooze(words[2], span)))


def _refused(words: List[str], why: str) -> TimerEvent:
    text = " ".join(words)[:60]
    return TimerEvent(problem=f"the timer's user_event {text!r} {why}; {USAGE}")


def _misplaced(word: str) -> str:
    return (
        f"the timer's user_event is JSON with {word!r} in it, so nothing was carried out: give"
        f" the command as plain text; {USAGE}"
    )
