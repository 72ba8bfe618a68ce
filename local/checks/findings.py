"""What a check finds: a verdict, the fact behind it, and what to do. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable

from sms_watch.errors import CloudError
from sms_watch.model import Words

REFUSED, FORBIDDEN, ABSENT, THROTTLED = 401, 403, 404, 429


class Verdict(Words):
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


def worst(findings: Iterable[Finding]) -> Verdict:
    """Give the worst verdict; nothing found is well."""
    order = list(Verdict)
    return max((each.verdict for each in findings), key=order.index, default=Verdict.OK)


def remedy(error: CloudError, rights: str, address: str) -> str:
    """Say what to do about a call that failed.

    ``rights`` are those that the call needs, ``address`` the settings that name the service.
    """
    if error.status == REFUSED:
        return (
            "correct HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (with temporary keys,"
            " HUAWEICLOUD_SDK_SECURITY_TOKEN too), and see that they are active in IAM"
        )
    if error.status == FORBIDDEN:
        return f"grant {rights}"
    if error.status == ABSENT:
        return f"correct {address}"
    if error.status == THROTTLED:
        return "the service takes no more calls for now: try again in a minute"
    if error.status is None:
        return f"look at the network of this machine, and at {address}"
    return "try again; if it lasts, ask the service's support, with the request id"


def shown_address(protocol: str, endpoint: str) -> str:
    """Show whom a subscription reaches, so that its owner knows it and nobody else can use it."""
    if protocol == "email":
        name, _, host = endpoint.partition("@")
        return f"{name[:1]}...@{host}"
    if "://" in endpoint:
        return re.sub(r"(://)(?:[^/@]*@)?([^/?#]*).*", r"\1\2/...", endpoint)
    return f"...{endpoint[-3:]}" if endpoint else "no address"
