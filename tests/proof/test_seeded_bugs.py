"""Tests of the tests: known mistakes, planted one at a time, must be caught.

Each row names what is wrong, where, and the test that catches it. The package is copied, the
mistake planted in the copy, and that one test run against it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import planted_bugs_in_journal as journal
from tests.support import planted_bugs_in_page as page
from tests.support import planted_bugs_in_rules as rules
from tests.support import planted_bugs_in_services as services
from tests.support import planted_bugs_in_words as words
from tests.support.extent import sample
from tests.support.planted_bug import Bug

ROOT = Path(__file__).parents[2]
QUIET = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=planted")

# So many have every seed by which a mistake is caught; the one that is named is played.
HOURS = "30000"

BUGS = [*journal.BUGS, *page.BUGS, *rules.BUGS, *services.BUGS, *words.BUGS]


def test_every_mistake_can_be_planted_and_names_a_test() -> None:
    """What it changes stands in its file just once, and what has to see it is there."""
    for bug in BUGS:
        source = (ROOT / "sms_watch" / bug.file).read_text(encoding="utf-8")
        assert source.count(bug.right) == 1, f"what was right is not there any more: {bug.name}"
        place, name = bug.caught_by.partition("[")[0].split("::")[:2]
        tests = (ROOT / "tests" / place).read_text(encoding="utf-8")
        looks = f"def {name}(" in tests or f"{name} = " in tests
        assert looks, f"nobody looks for it: {bug.name}"


# In a sample every sixteenth; the tests that have to see them run with samples in any case.
@pytest.mark.parametrize("bug", sample(BUGS, 16), ids=lambda bug: bug.name.replace(" ", "-"))
def test_a_planted_mistake_is_caught(bug: Bug, tmp_path: Path) -> None:
    """The test that is named fails with the mistake in place."""
    for name in ("sms_watch", "sms_watch_cli", "simulated_cloud", "packaging_zip", "tests"):
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=leave)
    for name in ("index.py", "build_zip.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    path = tmp_path / "sms_watch" / bug.file
    source = path.read_text(encoding="utf-8")
    assert source.count(bug.right) == 1, "what was right is not there any more"
    path.write_text(source.replace(bug.right, bug.wrong), encoding="utf-8")
    sampled = {name: text for name, text in os.environ.items() if name != "PROOF"}
    sampled["SOAK_HOURS"] = HOURS
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *QUIET, f"tests/{bug.caught_by}"],
        cwd=tmp_path,
        env=sampled,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout, done.stdout
