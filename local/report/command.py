"""``report``: the last days as one page, from the journal alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Iterator, List, Optional

import click

from local.desk import Desk, Trouble, env_file_option, shown_place, texts_of
from local.history import history
from local.report.facts import facts
from local.report.page import page
from sms_watch.journal.entries import Entry
from sms_watch.text import count

LONGEST = 31  # days; what is older the watchdog has forgotten
USUAL = 7


@dataclass
class _Counted:
    """The entries of a journal, one by one; counts them, and the lines that cannot be used."""

    lines: Iterator[Optional[Entry]]
    entries: int = 0
    damaged: int = 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self.lines:
            if entry is None:
                self.damaged += 1
            else:
                self.entries += 1
                yield entry


def write(out: Path, html: str) -> None:
    """Write the page. Raises Trouble when it cannot be written."""
    try:
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise Trouble(f"{out} cannot be written: {error.strerror}; name another file") from None


@click.command("report")
@env_file_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="Where to write the page.",
)
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST),
    default=USUAL,
    show_default=True,
    help="How far to look back.",
)
def command(env_file: Optional[Path], out: Path, days: int) -> None:
    """Write one HTML page about the last days.

    It shows progress, failures, starts, stalls and messages, from the journal alone. The page
    needs no network: it can be sent by mail, read on a phone, and printed.
    """
    with Desk.of(texts_of(env_file)) as desk:
        now = desk.clock.now()
        zone, begin = desk.settings.zone, now - timedelta(days=days)
        counted = _Counted(history(desk.wiring().store(), begin, now))
        told = facts(counted, begin, now, zone)
        if not counted.entries:
            place = shown_place(desk.settings)
            raise Trouble(
                f"the journal in {place} has no line of the last {days} days; see that"
                " JOURNAL_URI is that of the watchdog, and that it has run"
            )
        remarks: List[str] = []
        if counted.damaged:
            remarks.append(f"{count(counted.damaged, 'line')} of the journal could not be used.")
        write(out, page(told, zone, "What sms_watch saw", remarks))
        numbers = ((len(told.stories), "task"), (told.failures, "failure"), (told.starts, "start"))
        click.echo(f"{out}: {', '.join(count(*each) for each in numbers)}")
