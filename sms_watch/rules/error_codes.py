"""What the SMS error codes mean: a class for the rules, a summary and advice for people.

The table is ``error_codes.csv`` beside this module. Which codes exist and what causes them is
from the SMS API reference ("Error Codes") and the SMS FAQs ("Error Codes and Solutions"); the
class is a judgement on the documented cause. ``auto_recovery`` marks the six codes that the SMS
agent may recover from by itself (SMS FAQs, "How Do I Configure Automatic Recovery?").

``advice`` is an imperative and no more: who starts the task, and whether anybody has to, is not
in the table. It depends on the class, the settings and the starts made, and ``Code.what_to_do``
says it. ``then`` is what comes after the advice where that is not simply a start.
"""

from __future__ import annotations

import csv
import functools
import io
import pkgutil
from dataclasses import dataclass, replace
from typing import Mapping

from sms_watch.model.strenum import StrEnum
from sms_watch.model.task import ErrorClass

# The agent or the source was restarted. A file-level copy goes on from there, a block-level one
# has lost its place (SMS FAQs, "Does SMS Support Resumable Data Transfer?").
AGENT_RESTARTED = frozenset({"SMS.0212", "SMS.1414"})
FILE_LEVEL = "MIGRATE_FILE"
BLOCK_LEVEL = "MIGRATE_BLOCK"


class Then(StrEnum):
    """What follows on the advice before the task runs again."""

    START = "start"  # it is started
    AGENT = "agent"  # the advice restarts the agent: a block-level copy has to begin anew
    NEW_TASK = "new_task"  # only a new task helps
    NONE = "none"  # nothing: the advice goes to support, or to another way of migrating


class Help(StrEnum):
    """What a failed task needs from people."""

    LATER = "later"  # it is started by itself; advice in case that does not help
    NOW = "now"  # it is started by itself, in vain so far
    START = "start"  # nobody else starts it, and a start may be all that it needs
    FIX = "fix"  # nothing starts it, and no start helps before something is fixed


PRESS_START = "press Start in the SMS console"
FORMS: Mapping[Help, str] = {
    Help.LATER: "if it keeps failing, {advice}.",
    Help.NOW: "{advice}.",
    Help.START: PRESS_START + ". If it keeps failing, {advice}.",
    Help.FIX: "{advice}.",
}
AFTER_A_FIX = f", then {PRESS_START}"
PRICES: Mapping[Then, str] = {
    Then.START: "",
    Then.AGENT: " (a block-level task has to be recreated, and all its data copied again)",
    Then.NEW_TASK: ", then create and start a new task (all data is copied again)",
    Then.NONE: "",
}
RESTARTS = frozenset({Then.START, Then.AGENT})
# A restart of the agent costs nothing at file level, and the task at block level.
AFTER_A_RESTART: Mapping[str, Then] = {FILE_LEVEL: Then.START, BLOCK_LEVEL: Then.NEW_TASK}


@dataclass(frozen=True)
class Code:
    """One error code: what it means and what to do about it.

    ``summary`` is a sentence. ``advice`` is an imperative without capital and full stop.
    """

    code: str
    error_class: ErrorClass
    auto_recovery: bool
    summary: str
    advice: str
    then: Then = Then.START

    def under(self, error_class: ErrorClass) -> Code:
        """Return the code with a class of the user's own; the advice stays what it is."""
        then = Then.NEW_TASK if error_class is ErrorClass.RECREATE else self.then
        return replace(self, error_class=error_class, then=then)

    def what_to_do(self, needed: Help) -> str:
        """Return the advice in a sentence or two, for the help that the task needs."""
        start = AFTER_A_FIX if needed is Help.FIX and self.then in RESTARTS else ""
        text = FORMS[needed].format(advice=self.advice + start + PRICES[self.then])
        return text[0].upper() + text[1:]


NO_CODE = Code(
    "",
    ErrorClass.UNKNOWN,
    auto_recovery=False,
    summary="The task failed without a readable error code.",
    advice="read the error in the task details",
)
AT_FILE_LEVEL = Code(
    "",
    ErrorClass.RETRYABLE,
    auto_recovery=False,
    summary="The agent or the source was restarted; a file-level copy resumes where it stopped.",
    advice="check that the agent and the source stay up",
)


@functools.lru_cache(maxsize=1)
def table() -> Mapping[str, Code]:
    """Return the whole table by code."""
    text = (pkgutil.get_data("sms_watch.rules", "error_codes.csv") or b"").decode("utf-8")
    return {row["code"]: _code(row) for row in csv.DictReader(io.StringIO(text))}


def _code(row: Mapping[str, str]) -> Code:
    error_class = ErrorClass(row["class"])
    return Code(
        row["code"],
        error_class,
        row["auto_recovery"] == "yes",
        row["summary"],
        row["advice"],
        Then(row["then"] or Then.START),
    ).under(error_class)


def look_up(code: str, task_type: str) -> Code:
    """Return what a code means for a task of a type, ``MIGRATE_FILE`` or ``MIGRATE_BLOCK``.

    A code that the table lacks, or none at all, is of class unknown.
    """
    known = table().get(code)
    if known is None:
        return _unlisted(code)
    if code in AGENT_RESTARTED and task_type == FILE_LEVEL:
        return replace(AT_FILE_LEVEL, code=code)
    if known.then is Then.AGENT:
        return replace(known, then=AFTER_A_RESTART.get(task_type, Then.AGENT))
    return known


def _unlisted(code: str) -> Code:
    if not code.startswith("SMS."):
        return NO_CODE
    return replace(
        NO_CODE,
        code=code,
        summary="This version of sms_watch does not know the error code.",
        advice=f"look up {code} in the SMS documentation",
    )


def explain(code: str, task_type: str, overrides: Mapping[str, ErrorClass]) -> Code:
    """Return what a code means for a task of this type, under the user's own classes."""
    known = look_up(code, task_type)
    return known.under(overrides.get(code, known.error_class))
