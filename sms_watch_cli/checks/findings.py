"""What a check finds: a verdict, the fact behind it, and what to do. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Iterator

from sms_watch.model.strenum import StrEnum


class Verdict(StrEnum):
    """How a thing stands. A note is neither good nor bad: mostly what no service tells."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    FAILED = "failed"


# The exit status for the worst verdict of all.
STATUS = {Verdict.OK: 0, Verdict.NOTE: 0, Verdict.WARNING: 1, Verdict.FAILED: 2}


@dataclass(frozen=True)
class Finding:
    """One line of the check. ``remedy`` says what to do, empty when there is nothing to do."""

    about: str
    verdict: Verdict
    text: str
    remedy: str = ""


def unread(about: str, warnings: Iterable[str]) -> Iterator[Finding]:
    """Return a finding of each variable that looks like a setting and is none."""
    for warning in warnings:
        text, _, remedy = warning.partition("; ")
        yield Finding(about, Verdict.WARNING, text, remedy)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict; nothing found is well."""
    order = list(Verdict)
    return max((each.verdict for each in findings), key=order.index, default=Verdict.OK)


def shown_address(protocol: str, endpoint: str) -> str:
    """Show whom a subscription reaches, so that its owner knows it and nobody else can use it."""
    if protocol == "email":
        name, _, host = endpoint.partition("@")
        return f"{name[:1]}...@{host}"
    if "://" in endpoint:
        return re.sub(r"(://)(?:[^/@]*@)?([^/?#]*).*", r"\1\2/...", endpoint)
    return f"...{endpoint[-3:]}" if endpoint else "no address"
