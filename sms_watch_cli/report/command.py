"""``report``: the last days as one page, from the journal alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Dict, Iterator, Optional

import click

from sms_watch.journal.entries import Entry, EntryType
from sms_watch.text import count, duration
from sms_watch_cli.history import history
from sms_watch_cli.report.facts import facts
from sms_watch_cli.report.page import page
from sms_watch_cli.session import (
    STDOUT,
    CloudSession,
    CommandError,
    cannot_write,
    env_file_option,
    out_option,
    shown,
    shown_place,
    texts_of,
    unread_of,
)

LONGEST = 31  # days; what is older the watchdog has forgotten
USUAL = 7
CLOCKS_AGREE = timedelta(minutes=1)  # lines come while the page is made, too


@dataclass
class _Counted:
    """The entries of a journal, one by one; counts them, and the lines that cannot be used.

    ``latest`` is the time of the latest entry.
    """

    lines: Iterator[Optional[Entry]]
    latest: datetime
    entries: int = 0
    damaged: int = 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self.lines:
            if entry is None:
                self.damaged += 1
                continue
            self.entries += 1
            if entry.type is not EntryType.SEAL:
                self.latest = max(self.latest, entry.at)
            yield entry


def remarks_on(counted: _Counted, now: datetime) -> Iterator[str]:
    """Return what readers of the page should know of the journal behind it."""
    if counted.damaged:
        yield f"{count(counted.damaged, 'line')} of the journal could not be used."
    ahead = counted.latest - now
    if ahead >= CLOCKS_AGREE:
        yield (
            f"The journal is ahead of the clock by which this page was made, by {duration(ahead)}:"
            " one of the two clocks is wrong. What was written after that moment is shown at it."
        )


def write(out: Path, html: str) -> None:
    """Write the page. Raise CommandError if it cannot be written."""
    if out == STDOUT:
        click.echo(html, nl=False)
        return
    try:
        out.write_text(html, encoding="utf-8")
    except BrokenPipeError:  # whoever read has gone; click ends quietly
        raise
    except OSError as error:
        raise cannot_write(out, error) from None


@click.command("report")
@env_file_option
@out_option(
    "--out",
    "Where to write the page; - is standard output.",
    default=Path("report.html"),
    show_default=True,
)
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST),
    default=USUAL,
    show_default=True,
    help="How far to look back.",
)
def command(given: Dict[str, str], out: Path, days: int) -> None:
    """Write one HTML page about the last days.

    It shows progress, failures, starts, stalls and messages, from the journal alone. The page
    needs no network: it can be sent by mail, read on a phone, and printed.
    """
    with CloudSession.of(texts_of(given), unread=unread_of(given)) as cloud_session:
        for warning in cloud_session.unread:  # they concern whoever makes the page, not its readers
            click.echo(shown(f"! {warning}"), err=True)
        now = cloud_session.clock.now()
        zone, begin = cloud_session.settings.zone, now - timedelta(days=days)
        counted = _Counted(
            history(cloud_session.wiring().store(), begin, now + timedelta(days=1)), begin
        )
        told = facts(counted, begin, now, zone)
        if not counted.entries:
            place = shown_place(cloud_session.settings)
            raise CommandError(
                f"the journal in {place} has no line of the last {days} days; see that"
                " JOURNAL_URI is that of the watchdog, and that it has run"
            )
        remarks = list(remarks_on(counted, now))
        write(out, cloud_session.redact(page(told, zone, "What sms_watch saw", remarks)))
        numbers = ((len(told.stories), "task"), (told.failures, "failure"), (told.starts, "start"))
        counts = ", ".join(count(*each) for each in numbers)
        click.echo(f"{out}: {counts}", err=out == STDOUT)
