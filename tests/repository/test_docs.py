"""The documents: what they name exists, and what they list is complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Set

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from simulated_cloud.scenarios import SCENARIOS
from sms_watch import __version__
from sms_watch.context import settings_of
from sms_watch.model.notice import Kind
from sms_watch.settings.table import unknown
from sms_watch_cli.boxes import wrapped
from sms_watch_cli.checks.function import RUNTIMES
from sms_watch_cli.session import read_env_file

ROOT = Path(__file__).parents[2]
DOCS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("deploy/**/*.md")),
]
README = DOCS[0].read_text(encoding="utf-8")
SAMPLE_WIDTH = 92  # columns; what is longer has to be scrolled on a usual screen
NAMES = [str(path.relative_to(ROOT)) for path in DOCS]
TESTS = [path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py")]
LOCKED = ("requirements.in", "requirements-demo.in", "requirements-dev.in")
TREES = (
    "docs",
    "sms_watch",
    "benchmarks",
    "sms_watch_cli",
    "simulated_cloud",
    "packaging_zip",
    "tests",
    "deploy",
)
FILES = [*ROOT.glob("*.*"), *(path for tree in TREES for path in ROOT.glob(f"{tree}/**/*.*"))]


def _quoted(text: str) -> Set[str]:
    """Return what stands between backticks in a text, outside of its blocks of code."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def _anchors(text: str) -> Set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_links_lead_somewhere(path: Path) -> None:
    """Every link in a document is to a file or a folder, and to a heading in it."""
    for link in re.findall(r"\]\(([^):]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_files_and_tests_that_are_named_exist(path: Path) -> None:
    """A file of code, and a test, that a document names is there."""
    for name in _quoted(path.read_text(encoding="utf-8")):
        if re.fullmatch(r"[\w/]+\.(py|csv|toml|in|tf)", name):
            assert any(path.as_posix().endswith(f"/{name}") for path in FILES), name
        if re.fullmatch(r"test_\w+", name):
            assert any(f"def {name}(" in text for text in TESTS), name


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_commands_of_make_that_are_named_exist(path: Path) -> None:
    """A command such as `make test` that a document names is one of the Makefile's."""
    made = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make (?:[A-Z]+=\S+ )?([a-z][a-z-]*)", text, re.MULTILINE))
    assert named <= made


def _block(name: str) -> str:
    """Return the block of code in README.md that stands between comments of a name."""
    part = README.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    (code,) = re.findall(r"\n```\w*\n(.+?)```\n", part, re.DOTALL)
    return str(code)


def test_the_sample_message_is_a_real_one() -> None:
    """The mail in README.md is the one of the golden texts, its lines wrapped."""
    golden = (ROOT / "tests/unit/messages/golden/failed.txt").read_text(encoding="utf-8")
    mail = golden.partition("--- e-mail\n")[2].partition("\n\nSMS console:")[0]
    lines = [wrapped(line, SAMPLE_WIDTH) for line in mail.splitlines()]
    assert _block("message").splitlines() == "\n".join(lines).splitlines()


def test_the_block_for_terraform_is_that_of_the_example() -> None:
    """What README.md gives to copy is the module of the example, whose arguments are tried."""
    example = ROOT / "deploy" / "terraform" / "examples" / "new" / "main.tf"
    block = _block("terraform")
    assert block.startswith('module "sms_watch" {')
    assert block in example.read_text(encoding="utf-8")


def test_the_sample_of_settings_is_complete(tmp_path: Path) -> None:
    """The my.env of README.md is a file that the commands take as it is, without a warning."""
    path = tmp_path / "my.env"
    path.write_text(_block("my.env"), encoding="utf-8")
    assert settings_of(read_env_file(path)).credentials is not None
    assert not unknown(read_env_file(path))


def test_the_licence_is_named_where_people_look() -> None:
    """README.md, pyproject.toml and the text of the licence name the same one."""
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "Apache License 2.0 ([LICENSE](LICENSE))" in README
    words = (ROOT / "LICENSE").read_text(encoding="utf-8").split()
    assert " ".join(words).startswith("Apache License Version 2.0, January 2004")


def test_the_line_below_the_title_is_true() -> None:
    """README.md begins with the runtimes of FunctionGraph, the licence, and how it was tested."""
    versions = ", ".join(runtime[len("Python") :] for runtime in RUNTIMES)
    assert README.splitlines()[2].split(" · ") == [
        f"Python {versions}",
        "[Apache-2.0](LICENSE)",
        "[tested on a simulated cloud](#limits)",
    ]


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_a_document_loads_nothing_from_elsewhere(path: Path) -> None:
    """Pictures lie in the repository: whoever reads a document is seen by nobody else."""
    text = path.read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)|(?:src|srcset)=\"([^\"]+)\"", text)
    for target in ("".join(each) for each in shown):
        assert (path.parent / target).exists(), target


def test_the_table_of_contents_is_complete() -> None:
    """README.md begins with a link to each of its chapters, in their order."""
    chapters = re.findall(r"^## (.+)$", README, re.MULTILINE)
    contents = README.partition("**Contents:**")[2].partition("\n\n")[0]
    assert re.findall(r"\[(.+?)\]\(#", contents) == chapters


def test_every_dependency_has_its_reason() -> None:
    """docs/dependencies.md has a row for each package that is asked for, and for no other."""
    text = "".join((ROOT / name).read_text() for name in LOCKED)
    lines = [line for line in text.split("\n") if line and line[0] not in "-#"]
    asked = {Requirement(line).name for line in lines}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) == asked


def test_every_scenario_is_named() -> None:
    """README.md says what can be played besides the night of `make demo`."""
    assert set(SCENARIOS) - _quoted(README) <= {"night", "wave"}
    assert "make demo SCENARIO=wave" in README


def test_every_kind_of_notice_is_explained() -> None:
    """README.md has each kind once, in the order in which a message has them."""
    table = README.partition("| kind | it means | do |")[2].partition("\n\n")[0]
    firsts = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(firsts)) == [str(kind) for kind in Kind]


def test_the_changelog_is_not_ahead_of_the_version() -> None:
    """The newest release in the changelog is this version, or an earlier one."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d[^\]]*)\] - \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)
    assert text.count("\n## ") == text.count("## [Unreleased]") + len(released)
    assert all(Version(each) <= Version(__version__) for each in released)
