"""What the watchdog promises of each message, and of the lines of its journal."""

from __future__ import annotations

from typing import Any, Mapping

from sms_watch.journal.folding import replay
from tests.support.simulated_run import SimulatedRuns

MOST_SUBJECT, MOST_SHORT = 512, 490  # bytes, characters
NEVER_IN_SHORT = set("[]【】")


def check_texts(message: Mapping[str, Any]) -> None:
    """Whatever letters others use, a message keeps its limits and commands nothing."""
    short = message["sms"]
    assert len(message["subject"].encode()) <= MOST_SUBJECT, "a subject that is too long"
    assert len(short) <= MOST_SHORT, "a text message that is too long"
    assert not set(short) & NEVER_IN_SHORT, "a text message that operators refuse"
    for name in ("subject", "sms", "email", "default"):
        rest = message[name].replace("\n", "")
        assert rest.isprintable(), f"a letter that commands in {name}: {rest!a}"


def check_journal(simulated: SimulatedRuns) -> None:
    """Check that every line that the watchdog wrote is there and can be read."""
    odd, lines = 0, set()
    for data in simulated.journal().values():
        assert data.endswith(b"\n") or simulated.odd_lines
        odd += list(replay([data])).count(None)
        lines.update(data.split(b"\n"))
    assert odd <= simulated.odd_lines, "a line of the journal cannot be read"
    assert simulated.written <= lines, "a line of the journal is not there any more"
