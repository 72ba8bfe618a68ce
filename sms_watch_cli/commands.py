"""The commands of ``sms-watch``."""

from __future__ import annotations

import click

from sms_watch import __version__
from sms_watch_cli.checks.command import command as check
from sms_watch_cli.cloud import command as cloud
from sms_watch_cli.invoke import command as invoke
from sms_watch_cli.report.command import command as report
from sms_watch_cli.session import Commands
from sms_watch_cli.simulate import command as simulate
from sms_watch_cli.status import command as status


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sms_watch")
def group() -> None:
    """Look after migrations from your own machine, or play with a simulated cloud.

    Settings come from the environment, or from the file that --env-file names.
    """


for each in (check, status, report, invoke, simulate, cloud):
    group.add_command(each)
