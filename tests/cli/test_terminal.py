"""What commands print: texts from outside command no terminal, whoever has written them."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import quote

import pytest

from simulated_cloud.setup import Subscription
from simulated_cloud.task import SimTask
from sms_watch.adapters import sdk
from sms_watch.clock import SYSTEM_CLOCK
from sms_watch.journal.entries import Entry, EntryType, encode, snapshot
from sms_watch.model.notice import Outcome, Start
from sms_watch.rules.record import Memory, TaskRecord
from sms_watch_cli.checks import command
from sms_watch_cli.checks.findings import Finding, Verdict
from sms_watch_cli.session import CommandError
from tests.support.sessions import URN, Day, a_day

# A title, a cleared screen, a colour by the one-letter form, and letters from right to left.
EVIL = "x\x1b]0;owned\x07\x1b[2J\x9b31m\u202eEVIL\r\b\x7f"

pytestmark = pytest.mark.usefixtures("no_waiting")


def _unseen(text: str) -> str:
    """Return the letters of a text that a terminal does not show, but may obey."""
    return "".join(sorted({each for each in text if unicodedata.category(each)[0] == "C"} - {"\n"}))


def _spoilt(value: Any, name: str = "") -> Any:
    """Put what a terminal would obey into every text of an answer, and in place of some numbers."""
    if isinstance(value, dict):
        return {key: _spoilt(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_spoilt(each) for each in value]
    if name in ("max_async_retry_attempts", "timeout"):
        return EVIL
    is_text = isinstance(value, str) and name not in ("id", "error_json", "trigger_type_code")
    return value + EVIL if is_text and value != "ACTIVE" else value


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    """Return a day on which SMS, SMN and FunctionGraph answer with hostile texts."""
    read = sdk._json
    monkeypatch.setattr(sdk, "_json", lambda response: _spoilt(read(response)))
    with a_day(tmp_path, SimTask("a", "web-01"), SimTask("b", "db-01")) as made:
        made.world.fail("b", "SMS.0807", EVIL)
        for status in range(5):
            made.cloud.subscriptions.append(Subscription("sms", "+4915100000042", status))
        made.deploy(agency="sms-watch")
        yield made


def _remember(day: Day) -> None:
    """Let the journal have a run, an answer and a task with hostile names."""
    now = SYSTEM_CLOCK.now()
    memory = Memory({"a": TaskRecord(f"RUNNING{EVIL}", now, f"web-01{EVIL}")})
    start = {"a": Start("20261124-0-0-start", Outcome.DONE, EVIL)}
    lines = encode(snapshot(memory, now, f"run{EVIL}", "n"))
    lines += encode(Entry(EntryType.ACK, now, f"run{EVIL}", "m", starts=start))
    day.journal.mkdir()
    (day.journal / f"journal-{now:%Y%m%d}.jsonl").write_bytes(lines)


@pytest.mark.parametrize("ids", ["a b", "*"])
@pytest.mark.parametrize(
    "line",
    [
        f"check --function {URN} --function-endpoint {{url}}",
        f"check --json --function {URN} --function-endpoint {{url}}",
        "status --once",
        "status --json",
        "invoke",
        "report --out {place}/page.html",
    ],
    ids=lambda line: "".join(line.split(" --")[:2]),
)
def test_texts_of_the_services_command_no_terminal(day: Day, line: str, ids: str) -> None:
    """States, names, protocols, agencies, schedules, and what the journal kept of such."""
    day.texts["SMS_TASK_IDS"] = ids
    _remember(day)
    result = day.call(*line.format(url=day.server.url, place=day.place).split())
    assert result.exit_code in (0, 1, 2), result.output
    assert "Traceback" not in result.output
    assert ("EVIL" in result.output) == (not line.startswith("report"))
    assert _unseen(result.output) == ""


@pytest.mark.parametrize("line", ["check", "status --once", "invoke", "report"])
def test_the_place_of_the_journal_commands_no_terminal(tmp_path: Path, line: str) -> None:
    """A directory may have any name, and an error names it."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with a_day(tmp_path, SimTask("a", "web-01")) as day:
        day.texts["JOURNAL_URI"] = f"{(tmp_path / 'file').as_uri()}/{quote(EVIL)}"
        result = day.call(*line.split())
    assert "EVIL" in result.output
    assert _unseen(result.output) == ""


def test_no_finding_commands_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a check finds is one line of letters that can be seen, in text and remedy."""
    found = Finding("topic", Verdict.WARNING, f"{EVIL}\n{EVIL}", f"{EVIL}\n{EVIL}")
    monkeypatch.setattr(command, "findings", lambda *_: iter([found]))
    with a_day(tmp_path) as day:
        result = day.call("check")
        _, (shown,) = day.check()
    assert _unseen(result.output + shown["text"] + shown["remedy"]) == ""
    assert "\n" not in shown["text"] + shown["remedy"]


def test_an_error_keeps_its_lines() -> None:
    """Each of them is cleaned; several problems stand below each other."""
    assert CommandError(f"two problems:\n- one{EVIL}\n- two").message.count("\n") == 2
    assert _unseen(CommandError(EVIL).message) == ""
