"""What the SMS error codes mean: a class for the rules, a gist and advice for people.

The table is ``error_codes.csv`` beside this module. Which codes exist and what causes them is
from the SMS API reference (error codes) and the SMS FAQs; the class is a judgement on the
documented cause. ``auto_recovery`` marks the six codes that the SMS agent may recover from by
itself (SMS FAQs, "automatic recovery").
"""

from __future__ import annotations

import csv
import functools
import io
import pkgutil
from dataclasses import dataclass, replace
from typing import Mapping

from sms_watch.model.task import ErrorClass

# The agent or the source was restarted. A file-level copy goes on from there, a block-level one
# has lost its place (SMS FAQs, "resumable transfer").
AGENT_RESTARTED = frozenset({"SMS.0212", "SMS.1414"})
FILE_LEVEL = "MIGRATE_FILE"
# How the advice for each class begins: with what happens by itself.
NOT_STARTED = "Not started: "
OPENINGS: Mapping[ErrorClass, str] = {
    ErrorClass.TRANSIENT: "Started again by itself for as long as this lasts. ",
    ErrorClass.RETRYABLE: "Started again by itself a few times. ",
    ErrorClass.AMBIGUOUS: "Started again at most twice. ",
    ErrorClass.UNKNOWN: "Started again at most twice. ",
    ErrorClass.RECREATE: NOT_STARTED,
    ErrorClass.HUMAN: NOT_STARTED,
    ErrorClass.PRECHECK: NOT_STARTED,
}


@dataclass(frozen=True)
class Code:
    """One error code: what it means and what to do about it."""

    code: str
    error_class: ErrorClass
    auto_recovery: bool
    gist: str
    advice: str


NO_CODE = Code(
    "",
    ErrorClass.UNKNOWN,
    auto_recovery=False,
    gist="The task failed without a readable error code.",
    advice="Started again at most twice. If it still fails, read its error in the SMS console.",
)


@functools.lru_cache(maxsize=1)
def table() -> Mapping[str, Code]:
    """Give the whole table by code."""
    text = (pkgutil.get_data("sms_watch.rules", "error_codes.csv") or b"").decode("utf-8")
    return {
        row["code"]: Code(
            row["code"],
            ErrorClass(row["class"]),
            row["auto_recovery"] == "yes",
            row["gist"],
            row["advice"],
        )
        for row in csv.DictReader(io.StringIO(text))
    }


def explain(code: str, task_type: str, overrides: Mapping[str, ErrorClass]) -> Code:
    """Say what a code means for a task of this type, under the user's own classes.

    ``task_type`` is ``MIGRATE_FILE`` or ``MIGRATE_BLOCK``. A code that the table lacks, or none
    at all, is of class unknown.
    """
    known = table().get(code)
    if known is None:
        known = _unlisted(code)
    elif code in AGENT_RESTARTED and task_type == FILE_LEVEL:
        known = replace(
            known,
            error_class=ErrorClass.RETRYABLE,
            advice="Started again by itself a few times. The copy goes on where it stopped.",
        )
    return _overridden(known, overrides.get(code, known.error_class))


def _overridden(known: Code, error_class: ErrorClass) -> Code:
    """Give the code a class of the user's own; its advice then begins with what that class does."""
    advice = known.advice
    if OPENINGS[error_class] != OPENINGS[known.error_class]:
        rest = advice[len(OPENINGS[known.error_class]) :]
        first = str.lower if OPENINGS[error_class] == NOT_STARTED else str.upper
        advice = OPENINGS[error_class] + first(rest[:1]) + rest[1:]
    return replace(known, error_class=error_class, advice=advice)


def _unlisted(code: str) -> Code:
    if not code.startswith("SMS."):
        return NO_CODE
    return replace(
        NO_CODE,
        code=code,
        gist="The error code is not in the table of known codes.",
        advice=f"Started again at most twice. If it still fails, look up {code} in the SMS manual.",
    )
