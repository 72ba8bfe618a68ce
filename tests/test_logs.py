"""Log lines: JSON, short, and without secrets."""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.logs import JsonLog, Redactor

ACCESS = "CANARYACCESSKEY00001"
SECRET = "canary/secret+key=" + "0123456789" * 4
TOKEN = "canarytoken" + "".join(chr(65 + number % 26) for number in range(1500))


def _log(level: str = "INFO") -> tuple[JsonLog, List[str]]:
    lines: List[str] = []
    redact = Redactor([ACCESS, SECRET, TOKEN, ""])
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


@pytest.mark.parametrize("secret", [ACCESS, SECRET, TOKEN], ids=["AK", "SK", "token"])
def test_no_secret_is_in_a_line(secret: str) -> None:
    """A secret is hidden alone, within a text, nested, as a name, quoted for a URL, and cut."""
    from urllib.parse import quote  # noqa: PLC0415 - a form of this test only

    log, lines = _log()
    texts = [secret, f"key {secret}, again {secret}.", quote(secret, safe=""), secret[:15] + "..."]
    log("INFO", "x", text=texts, nested={"a": [{secret: texts}]})
    assert secret[:12] not in lines[0]
    assert quote(secret[:15], safe="") not in lines[0]
    assert "***" in lines[0]


def test_what_stands_around_a_secret_stays() -> None:
    """Hiding takes the secret and no more."""
    assert Redactor([ACCESS])(f"before {ACCESS} after") == "before *** after"


def test_short_words_are_no_secrets() -> None:
    """A value too short to be a key hides no ordinary words."""
    assert Redactor(["task", ""])("the task") == "the task"


def test_the_redactor_does_not_show_its_secrets() -> None:
    """The representation holds nothing."""
    assert repr(Redactor([ACCESS])) == "Redactor()"


@given(st.text(max_size=50), st.text(min_size=8, max_size=40), st.text(max_size=50))
def test_no_secret_survives_anywhere(before: str, secret: str, after: str) -> None:
    """Whatever surrounds a secret, it is not in the text any more."""
    hidden = Redactor([secret])(before + secret + after)
    assert secret not in hidden or secret in "***"
