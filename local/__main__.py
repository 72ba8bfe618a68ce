"""The command line: ``python -m local``."""

from __future__ import annotations

import click

from local.checks.command import command as check
from local.desk import Commands
from local.invoke import command as invoke
from local.report.command import command as report
from local.serve import command as cloud
from local.simulate import command as simulate
from local.status import command as status
from sms_watch import __version__


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sms_watch")
def main() -> None:
    """Look after a migration from your own machine, or play one night on it.

    Settings come from the environment, or from a file that --env-file names.
    """


for each in (check, status, report, invoke, simulate, cloud):
    main.add_command(each)

if __name__ == "__main__":
    main(prog_name="python -m local")
