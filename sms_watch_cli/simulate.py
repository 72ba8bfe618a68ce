"""A night against the simulated cloud, as a command."""

from __future__ import annotations

from datetime import timezone
from pathlib import Path
from typing import Optional

import click

from simulated_cloud.scenarios import SCENARIOS
from sms_watch_cli.play import play_plain, play_unwatched, play_watched
from sms_watch_cli.report.command import write
from sms_watch_cli.report.page import page
from sms_watch_cli.screen import Screen
from sms_watch_cli.session import STDOUT, CommandError, out_option

NAMES = "\n".join(f"  {name:<12} {SCENARIOS[name].title}" for name in sorted(SCENARIOS))


@click.command("simulate", epilog=f"\b\nScenarios:\n{NAMES}")
@click.argument(
    "scenario", type=click.Choice(sorted(SCENARIOS)), default="night", metavar="[SCENARIO]"
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Vary what the scenario leaves to chance.",
)
@out_option("--report", "Also write the report page of the scenario.")
@click.option("--verbose", is_flag=True, help="Also show what the journal holds at the end.")
def command(scenario: str, seed: int, out: Optional[Path], verbose: bool) -> None:
    """Play a scenario on a simulated cloud, faster than real time.

    The real handler runs tick by tick on this machine, on loopback and with a fast clock. At the
    end a scoreboard compares it with a plain script, and with nobody watching.
    """
    if out == STDOUT:
        raise CommandError("standard output shows the scenario; name a file for the page")
    night = SCENARIOS[scenario]
    screen = Screen(night.title, line=night.line)
    watched = play_watched(night, screen, seed)
    if verbose:
        screen.journal(watched.storage)
    plain, nobody = play_plain(night, seed), play_unwatched(night, seed)
    screen.scoreboard(watched.score, plain, nobody, watched.failed)
    if out is not None:
        write(out, page(watched.told, timezone.utc, night.title))
    screen.what_next(scenario, out)
