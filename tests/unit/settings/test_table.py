"""The table of settings: the README shows the same, and slips in a name are warned of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, Iterator, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.settings.table import SETTINGS, unknown
from tests.support.setting_texts import NAMES


def test_the_readme_shows_the_same_table() -> None:
    """The table in README.md has every setting, its default and its meaning, and no other."""
    readme = Path(__file__).parents[3].joinpath("README.md").read_text(encoding="utf-8")
    table = readme.split("<!-- settings -->\n")[1].split("<!-- /settings -->")[0]
    rows = [f"| `{setting.name}` | {setting.shown} | {setting.meaning} |\n" for setting in SETTINGS]
    assert table == "| name | default | meaning |\n|---|---|---|\n" + "".join(rows)


# A variable that nobody reads


LETTERS = "AKSMNBO_XE9"  # all in which names that are alike differ, and some more


def _slips(name: str) -> Iterator[str]:
    """Return what becomes of a name by one slip: a letter less, more, another, or two swapped."""
    for at in range(len(name) + 1):
        head, tail = name[:at], name[at:]
        yield head + tail[1:]
        yield head + tail[1::-1] + tail[2:]
        yield from (head + letter + tail for letter in LETTERS)
        yield from (head + letter + tail[1:] for letter in LETTERS)


def _named(warning: str) -> str:
    found = re.fullmatch(r"\S+ is not a setting of sms_watch; did you mean (\w+)\?", warning)
    assert found is not None, warning
    return found.group(1)


def test_every_slip_in_the_name_of_a_setting_is_warned_of_with_the_right_name() -> None:
    """Wherever the slip is in whichever name: what was meant is named."""
    meant: Dict[str, Set[str]] = {}
    for name in NAMES:
        for slip in _slips(name):
            meant.setdefault(slip, set()).add(name)
    slips = sorted(meant.keys() - set(NAMES))
    warnings = unknown(slips)
    assert len(warnings) == len(slips) > 5_000
    for slip, warning in zip(slips, warnings):
        assert warning.startswith(f"{slip} is not a setting of sms_watch; ")
        assert _named(warning) in meant[slip], warning


@given(st.sets(st.sampled_from(NAMES)))
def test_no_setting_is_ever_warned_of(names: Set[str]) -> None:
    """The names that are read are those of the table, all together or some."""
    assert unknown(names) == ()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DRYRUN", "DRY_RUN"),
        ("STALL_MINUTE", "STALL_MINUTES"),
        ("JOURNAL_URL", "JOURNAL_URI"),
        ("dry_run", "DRY_RUN"),
        ("Dry-Run", "DRY_RUN"),
        ("TIMEZONE", "TIME_ZONE"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("HUAWEICLOUD_AK", "HUAWEICLOUD_SDK_AK"),
        ("HUAWEICLOUD_SDKSK", "HUAWEICLOUD_SDK_SK"),
        ("HUAWEICLOUD_SDK_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
        ("RUN_BUDGET", "RUN_BUDGET_SECONDS"),
        ("ERROR_CLASS", "ERROR_CLASSES"),
        ("TASK_IDS", "SMS_TASK_IDS"),
        ("TOPIC_URN", "SMN_TOPIC_URN"),
        ("MAX_ATTEMPTS", "RESUME_MAX_ATTEMPTS"),
        ("STALL_HOURS", "STALL_MINUTES"),
        ("RESUME_BACKOF_MAX_MINUTE", "RESUME_BACKOFF_MAX_MINUTES"),
        ("SMS_TIME_ZONE", "TIME_ZONE"),
        ("JOURNAL_BUCKET", "JOURNAL_URI"),
    ],
)
def test_a_name_that_people_think_of_is_warned_of(name: str, meant: str) -> None:
    """Another spelling, a word less, or another unit."""
    assert [_named(warning) for warning in unknown([name])] == [meant]


@pytest.mark.parametrize(
    "name", ["SMS_PHONE_NUMBER", "RESUME_WHEN_IT_RAINS", "DIGEST_OF_ALL_THE_FILES"]
)
def test_a_name_that_begins_like_ours_is_warned_of(name: str) -> None:
    """Where nothing is like it, no name is guessed."""
    assert unknown([name]) == (f"{name} is not a setting of sms_watch; the README lists them",)


def test_a_name_is_shown_in_one_short_line() -> None:
    """Where a variable may have any name, no name breaks a line or fills a log."""
    (warning,) = unknown(["SMS_\n" + "X" * 5000])
    assert len(warning) < 150
    assert "\n" not in warning


# Of a login shell, a desktop, systemd, Windows, Python, CI, containers, other tools for this cloud
# and for others, and of FunctionGraph (user manual, "Configuring Environment Variables").
USUAL = Path(__file__).parents[2] / "support" / "data" / "usual_variables.txt"


def test_variables_of_others_are_not_warned_of() -> None:
    """What shells, CI, other tools and FunctionGraph set is none of our business."""
    names = USUAL.read_text(encoding="utf-8").split()
    assert len(names) > 200
    assert unknown(names) == ()
