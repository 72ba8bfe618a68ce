"""The command line: ``python -m local``."""

from __future__ import annotations

import click

from local.invoke import command as invoke
from local.simulate import command as simulate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """What runs on your own machine: a simulated night, and single runs of the handler."""


main.add_command(simulate)
main.add_command(invoke)

if __name__ == "__main__":
    main(prog_name="python -m local")
