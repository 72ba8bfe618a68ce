"""One run of the handler on one's own machine, with a fake timer event."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Optional

import click

from index import handler
from simulated_cloud.context import LocalContext, timer_event
from sms_watch.errors import WatchFailed
from sms_watch_cli.session import CommandError, env_file_option, read_env_file, shown


def invoke(event_file: Optional[Path], env_file: Optional[Path]) -> Dict[str, Any]:
    """Run the handler once and return its report.

    ``event_file`` holds the event as JSON; without it, it is a timer's. ``env_file`` holds the
    settings, one ``NAME=value`` a line; what it does not name comes from the environment. Raises
    CommandError when a file cannot be used, WatchFailed when the run failed.
    """
    return handler(_event(event_file), LocalContext(read_env_file(env_file)))


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
    help="The event as JSON; a timer's without it.",
)
@env_file_option
def command(event_file: Optional[Path], env_file: Optional[Path]) -> None:
    """Do one run of the handler, and print its log and its report.

    Exit status: 0, or 1 when the run failed as FunctionGraph would count it.
    """
    try:
        report = invoke(event_file, env_file)
    except WatchFailed as failure:
        raise click.ClickException(shown(str(failure))) from None
    click.echo(json.dumps(report, indent=2, ensure_ascii=False))
