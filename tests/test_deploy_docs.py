"""What docs/deploy.md promises about logs and costs, held against what really happens."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from clouds import a_night

from local.cloud.faults import Fault
from local.cloud.world import SimTask
from sms_watch.model import Kind

DOCS = Path(__file__).parents[1] / "docs" / "deploy.md"
TASK = "11111111-2222-3333-4444-555555555555"
# LTS user guide, "Using Search Syntax": the default delimiters between words.
DELIMITERS = re.compile(r"[,'\";=()\[\]{}@&<>/:\\?\s]+")
FINDS: Dict[str, Callable[[Dict[str, Any]], bool]] = {
    "what happened to one task": lambda line: TASK in json.dumps(line),
    "all starts of last night": lambda line: line.get("action") == "start",
    "starts that were not accepted": (
        lambda line: line.get("action") == "start" and line["outcome"] != "done"
    ),
    "what waits, and why": lambda line: line.get("action") == "wait",
    "errors": lambda line: line["level"] == "ERROR",
    "what to look at some day": lambda line: line["level"] == "WARNING",
    "the runs that had something to tell": lambda line: bool(line.get("notices")),
    "one run, from the failure message": lambda line: line["request_id"] == "run-4",
}


def _queries() -> Dict[str, str]:
    table = DOCS.read_text(encoding="utf-8").partition("<!-- queries -->")[2].partition("<!--")[0]
    return dict(re.findall(r"^\| (.+?) \| `(.+?)`", table, re.MULTILINE))


def _is_found(query: str, line: str) -> bool:
    """Say whether LTS finds a line: all words are in it, and none of those after "not"."""
    words = set(DELIMITERS.split(line))
    wanted, *unwanted = query.split(" and not ")
    return set(wanted.split(" and ")) <= words and not words & set(unwanted)


@pytest.fixture
def lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> List[str]:
    """Give the log of a night with starts, refused ones, waits, messages and a failed run."""
    with a_night(tmp_path, SimTask(TASK, "web-01"), SimTask("b", "db-01")) as night:
        night.tick()
        night.world.fail(TASK, "SMS.0201", obstacle=False)
        night.world.fail("b", "SMS.0201")
        night.tick()
        night.tick()
        night.faults.add("start_task", Fault(status=400), about="b")
        night.failing_tick(user_event="test test")
        night.tick(minutes=2)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("question", FINDS)
def test_a_search_finds_what_it_is_for(lines: List[str], question: str) -> None:
    """Each search of the table finds all the lines that answer its question, and no other."""
    expected = [line for line in lines if FINDS[question](json.loads(line))]
    assert expected, "the night has no such line"
    assert [line for line in lines if _is_found(_queries()[question], line)] == expected


def test_every_search_is_tried() -> None:
    """No search stands in the table that was not tried."""
    assert set(_queries()) == set(FINDS)


def test_the_costs_add_up() -> None:
    """Each product in the table of costs is worked out right, to three digits."""
    text = DOCS.read_text(encoding="utf-8")
    products = re.findall(r"\| ([\d,]+) \| ([\d,]+) x ([\d.]+) s x ([\d.]+) GB; ([\d.]+) %", text)
    assert len(products) == 3
    for shown, runs, seconds, memory, share in products:
        product = float(runs.replace(",", "")) * float(seconds) * float(memory)
        assert float(shown.replace(",", "")) == pytest.approx(product, rel=0.005)
        assert float(share) == pytest.approx(product / 400_000 * 100, abs=0.5)
    assert 730 * 60 == 43_800


def test_every_kind_of_notice_is_explained() -> None:
    """README.md has each kind once, in the order in which a message has them."""
    text = (DOCS.parents[1] / "README.md").read_text(encoding="utf-8")
    table = text.partition("| kind | it means | do |")[2].partition("\n\n")[0]
    firsts = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(firsts)) == [str(kind) for kind in Kind]


def test_links_lead_somewhere() -> None:
    """Every link in README.md and docs/deploy.md is to a file, and to a heading in it."""
    for page in (DOCS, DOCS.parents[1] / "README.md"):
        for target in re.findall(r"\]\(([^):]+)\)", page.read_text(encoding="utf-8")):
            name, _, anchor = target.partition("#")
            text = (page.parent / name if name else page).resolve().read_text(encoding="utf-8")
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            known = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
            assert not anchor or anchor in known, target
