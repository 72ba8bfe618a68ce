"""What README.md and docs/deploy.md say about running it, held against what really happens."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from simulated_cloud.faults import Fault
from simulated_cloud.task import SimTask
from tests.support.clouds import a_night

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "deploy.md"
PAGES = [ROOT / "README.md", DOCS]
MODULE = ROOT / "deploy" / "terraform"
# What people have to know before they wonder, and the words that say it.
KNOWN = {
    "rights on OBS are not there at once": r"OBS.{0,60} 15 minutes",
    "a policy may be skipped in the first apply": r"`terraform plan` once more",
    "console and Terraform do not mix": r"upload.{0,60} console.{0,120} Terraform",
    "another runtime is another function": r"`runtime`.{0,60} anew",
    "some regions take less": r"4,096.{0,120} region.{0,40} 2,048",
    "an exception may be told or not": r"exception.{0,120} failure destination.{0,80} two ways",
    "a tick during a run is lost or late": r"discarded.{0,60} or queued",
}
TASK = "11111111-2222-3333-4444-555555555555"
# LTS user guide, "Using Search Syntax": the default delimiters between words.
DELIMITERS = re.compile(r"[,'\";=()\[\]{}@&<>/:\\?\s]+")
FINDS: Dict[str, Callable[[Dict[str, Any]], bool]] = {
    "what happened to one task": lambda line: TASK in json.dumps(line),
    "all restarts of last night": lambda line: line.get("action") == "start",
    "restarts that were not accepted": (
        lambda line: line.get("action") == "start" and line["outcome"] != "done"
    ),
    "which tasks wait, and why": lambda line: line.get("action") == "wait",
    "errors": lambda line: line["level"] == "ERROR",
    "warnings": lambda line: line["level"] == "WARNING",
    "runs with a message to send": lambda line: bool(line.get("notices")),
    "one run, by its request id": lambda line: line["request_id"] == "run-4",
}


def _queries() -> Dict[str, str]:
    table = DOCS.read_text(encoding="utf-8").partition("<!-- queries -->")[2].partition("<!--")[0]
    return dict(re.findall(r"^\| (.+?) \| `(.+?)`", table, re.MULTILINE))


def _is_found(query: str, line: str) -> bool:
    """Return whether LTS finds a line: all words are in it, and none of those after "not"."""
    words = set(DELIMITERS.split(line))
    wanted, *unwanted = query.split(" and not ")
    return set(wanted.split(" and ")) <= words and not words & set(unwanted)


@pytest.fixture
def lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> List[str]:
    """Return the log of a night with starts, refused ones, waits, messages and a failed run."""
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("fact", KNOWN)
def test_what_surprises_people_is_said_beforehand(page: Path, fact: str) -> None:
    """Both pages say what the service and the provider do that nobody would expect."""
    assert re.search(KNOWN[fact], " ".join(page.read_text(encoding="utf-8").split()))


@pytest.mark.parametrize("place", ["terraform", "rfs"])
def test_the_page_names_the_versions_that_are_asked_for(place: str) -> None:
    """docs/deploy.md has the provider's versions as the module and the template have them."""
    text = (ROOT / "deploy" / place / "versions.tf").read_text(encoding="utf-8")
    (version,) = re.findall(r'version = ">= (\d+\.\d+\.\d+)"', text)
    assert f"version {version} or later" in " ".join(DOCS.read_text(encoding="utf-8").split())


def test_the_page_names_the_runtimes_that_the_module_takes() -> None:
    """Python 3.9, 3.10 and 3.12, in the page as in the check of the module's variable."""
    taken = re.findall(r'"Python(3\.\d+)"[,\]]', (MODULE / "variables.tf").read_text("utf-8"))
    *first, last = dict.fromkeys(taken)
    assert f"Python {', '.join(first)} and {last}" in DOCS.read_text(encoding="utf-8")


def test_a_resource_that_is_to_be_made_anew_exists() -> None:
    """The address that the page gives to ``-replace`` is one of the module's resources."""
    named = re.findall(r"-replace=module\.(\w+)\.(\w+)\.(\w+)", DOCS.read_text(encoding="utf-8"))
    assert named
    example = (MODULE / "examples" / "new" / "main.tf").read_text(encoding="utf-8")
    main = (MODULE / "main.tf").read_text(encoding="utf-8")
    for module, of, name in named:
        assert f'module "{module}" {{' in example
        assert f'resource "{of}" "{name}" {{' in main


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
