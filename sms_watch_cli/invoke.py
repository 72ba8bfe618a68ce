"""One run of the handler on one's own machine, with a fake timer event."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

import click

from index import handler
from simulated_cloud.context import LocalContext, timer_event
from sms_watch.errors import WatchFailed
from sms_watch_cli.session import CommandError, asking, env_file_option, shown, texts_of

FAILURE = '"event":"failed"'


class _Log(io.TextIOBase):
    """Passes on what the handler logs, but for why a run failed: the command itself says that."""

    def __init__(self) -> None:
        self._out = sys.stdout

    def write(self, line: str) -> int:
        """Write one line of the log."""
        return len(line) if FAILURE in line else self._out.write(line)


def invoke(event_file: Optional[Path], given: Mapping[str, str], quiet: bool) -> Dict[str, Any]:
    """Run the handler once and return its report.

    ``event_file`` holds the event as JSON; without it, it is a timer's. ``given`` are settings by
    name; what they lack comes from the environment. Nothing is logged if ``quiet``. Raise
    CommandError if the event cannot be used, WatchFailed if the run failed.
    """
    event, context = _event(event_file), LocalContext(given)
    with contextlib.redirect_stdout(io.StringIO() if quiet else _Log()):
        return handler(event, context)


def _event(path: Optional[Path]) -> Any:
    if path is None:
        return timer_event(datetime.now(timezone.utc))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CommandError(f"{path} holds no JSON: {error}") from None


@click.command("invoke")
@click.option(
    "--event",
    "event_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The event, as JSON; by default one of a timer.",
)
@click.option("--quiet", is_flag=True, help="For cron: print nothing unless the run fails.")
@env_file_option
def command(event_file: Optional[Path], quiet: bool, given: Dict[str, str]) -> None:
    """Run the handler once, and print its log and its report.

    Exit status: 0, or 1 if the run failed, as FunctionGraph would count it.
    """
    try:
        report = invoke(event_file, given, quiet)
    except WatchFailed as failure:
        raise click.ClickException(shown(asking(str(failure), texts_of(given)))) from None
    if not quiet:
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
