"""Log lines: JSON, short, and without secrets."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from hypothesis import given
from hypothesis import strategies as st

from sms_watch.logs import MAX_TEXT, JsonLog
from sms_watch.redaction import Redactor
from tests.support.builders import NOW
from tests.support.canaries import leaked, secrets_of, temporary

SECRETS = secrets_of(temporary("a log"))


def _log(level: str = "INFO") -> tuple[JsonLog, List[str]]:
    lines: List[str] = []
    redact = Redactor(SECRETS)
    return JsonLog(lines.append, lambda: NOW, "run-1", redact, level), lines


def test_a_line_is_one_json_object() -> None:
    """A line has time, level, event and request id first, then the fields."""
    log, lines = _log()
    log("INFO", "task", id="7a9c", attempt=2, names=("a", "b"))
    assert lines[0].endswith("}\n")
    assert json.loads(lines[0]) == {
        "time": NOW.isoformat(timespec="milliseconds"),
        "level": "INFO",
        "event": "task",
        "request_id": "run-1",
        "id": "7a9c",
        "attempt": 2,
        "names": ["a", "b"],
    }


def test_lines_below_the_level_are_left_out() -> None:
    """LOG_LEVEL decides what is written."""
    log, lines = _log("WARNING")
    for level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        log(level, "x")
    assert [json.loads(line)["level"] for line in lines] == ["WARNING", "ERROR"]


@given(
    st.dictionaries(
        st.text(st.characters(categories=["Ll"]), min_size=1, max_size=5).filter(
            lambda name: name not in ("level", "event")
        ),
        st.recursive(
            st.one_of(st.none(), st.integers(), st.text(max_size=3000)),
            lambda inner: st.lists(inner, max_size=30),
            max_leaves=20,
        ),
        max_size=8,
    )
)
def test_a_line_is_below_8_kb_whatever_is_in_it(fields: Dict[str, Any]) -> None:
    """Long texts are cut, and a line that is too long still is one JSON object."""
    log, lines = _log()
    log("INFO", "x", **fields)
    assert len(lines[0].encode("utf-8")) < 8192
    assert lines[0].count("\n") == 1
    assert json.loads(lines[0])["event"] == "x"


def test_no_secret_is_in_a_line() -> None:
    """A secret is hidden in every field, and in the head; one that a cut runs through as well."""
    log, lines = _log()
    for secret in SECRETS:
        log("INFO", secret, text=f"key {secret}.", nested={"a": [{secret: (secret,)}]})
        log("INFO", "x", long="x" * (MAX_TEXT - 20) + secret, error=OSError(f"{secret} is wrong"))
    assert not leaked(*lines)
    assert all("***" in line for line in lines)
