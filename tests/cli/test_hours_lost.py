"""Hours lost: one definition for the terminal, the page and the digest, in every scenario."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from rich.console import Console

from simulated_cloud.scenarios import SCENARIOS, Scenario
from sms_watch.journal.entries import fold
from sms_watch_cli.play import Watched, play_plain, play_unwatched, play_watched
from sms_watch_cli.report.page import page
from sms_watch_cli.report.story import hours
from sms_watch_cli.screen import Screen

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def _short(name: str) -> Scenario:
    """Return a scenario at a slow timer, and no more than a night of it."""
    whole = SCENARIOS[name]
    end = min(whole.end, whole.begin + 10 * HOUR)
    return replace(whole, every=10 * MINUTE, end=end)


def _watch(scenario: Scenario) -> Watched:
    return play_watched(scenario, Screen("", Console(file=io.StringIO(), width=100)))


def _digested(watched: Watched, scenario: Scenario) -> timedelta:
    """Return what the digests have told, and what one at the end would tell."""
    told = sum(
        row.seconds_failed
        for entry in watched.entries
        for notice in entry.notices
        for row in notice.digest.rows
    )
    left = (
        each.seconds_failed(scenario.end) for each in fold(list(watched.entries)).tasks.values()
    )
    return timedelta(seconds=told + sum(left))


@pytest.mark.parametrize("name", SCENARIOS)
def test_terminal_page_and_digest_agree(name: str) -> None:
    """What the scoreboard, the page and the digests show is the same, to the last digit."""
    scenario = _short(name)
    watched, board = _watch(scenario), io.StringIO()
    shown = hours(_digested(watched, scenario))
    Screen("", Console(file=board, width=100)).scoreboard(
        watched.score, watched.score, watched.score
    )
    assert re.findall(r"│ sms_watch +│ +([\d.]+) │", board.getvalue()) == [shown] * 3
    text = re.sub(r"<[^>]*>|\s+", " ", page(watched.told, timezone.utc, "x"))
    assert re.search(rf"hours lost +{re.escape(shown)} |{re.escape(shown)} +hours lost", text), (
        shown
    )


def test_all_rules_are_measured_by_the_runs_of_the_same_timer() -> None:
    """Where nobody can help, the watchdog, the plain script's runs and nobody lose alike."""
    whole = SCENARIOS["disk-full"]
    night = replace(whole, end=whole.begin + 2 * HOUR)
    watched, nobody = _watch(night).score, play_unwatched(night)
    assert watched.lost == nobody.lost == 30 * MINUTE
    # Its starts in vain make the task run for some seconds, but never when a run looks.
    assert play_plain(night).lost == 30 * MINUTE


def test_what_nobody_saw_is_not_lost_but_avoidable() -> None:
    """While OBS is down no run sees a failure; that a start would have helped stays counted."""
    score = _watch(_short("obs-down")).score
    assert score.lost < HOUR < score.avoidable
