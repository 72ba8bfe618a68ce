"""What woke the function: a timer, and perhaps a command for this one run. Pure.

The shape of a timer event is that of the FunctionGraph developer guide ("timer trigger"); its
``user_event`` is free text, which people use as a note as often as for a command.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import Any, Tuple

COMMANDS = ("report", "test", "snooze")
AHEAD = ("report", "snooze")
USAGE = "known commands are: test (send a test message)"
# A text this close to a command is a slip of the finger rather than a note.
CLOSE = 0.75


@dataclass(frozen=True)
class Waking:
    """What an event asks for. ``problem`` is for people: a command that cannot be followed."""

    test: bool = False
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


def _command(words: list[str]) -> Waking:
    if not words:
        return Waking()
    word = words[0].lower()
    if word in AHEAD:
        return _refused(words, "is not possible in this version")
    if word == "test" and len(words) == 1:
        return Waking(test=True)
    if word == "test":
        return _refused(words, "has words too many")
    if difflib.get_close_matches(word, COMMANDS, cutoff=CLOSE):
        return _refused(words, "is no command")
    return Waking()


def _refused(words: list[str], why: str) -> Waking:
    text = " ".join(words)[:60]
    return Waking(problem=f"the timer's user_event {text!r} {why}; {USAGE}")
