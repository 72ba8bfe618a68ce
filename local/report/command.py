"""``report``: the last days as one page, from the journal alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Iterator, Optional, Tuple

import click

from local.desk import Desk, Trouble, env_file_option, shown, shown_place, texts_of, unread_of
from local.report.facts import facts
from local.report.page import page
from sms_watch.journal.entries import Entry, EntryType, decode
from sms_watch.text import count, duration

LONGEST = 31  # days; what is older the watchdog has forgotten
USUAL = 7
CLOCKS_AGREE = timedelta(minutes=1)  # lines come while the page is made, too


def read_days(desk: Desk, now: datetime, days: int) -> Tuple[Tuple[Entry, ...], int]:
    """Return the lines of the last days, oldest first, and how many cannot be used.

    Raise JournalError if the journal cannot be read. The day after is read too: it may have begun
    where the function is.
    """
    store, entries, damaged = desk.wiring().store(), [], 0
    for back in range(days, -2, -1):
        day = (now - timedelta(days=back)).astimezone(timezone.utc)
        for line in (store.get(f"journal-{day:%Y%m%d}.jsonl") or b"").splitlines():
            try:
                entries.append(decode(line))
            except ValueError:
                damaged += 1
    return tuple(entries), damaged


def remarks_on(entries: Tuple[Entry, ...], damaged: int, now: datetime) -> Iterator[str]:
    """Return what readers of the page should know of the journal behind it."""
    if damaged:
        yield f"{count(damaged, 'line')} of the journal could not be used."
    told = (entry.at for entry in entries if entry.type is not EntryType.SEAL)
    ahead = max(told, default=now) - now
    if ahead >= CLOCKS_AGREE:
        yield (
            f"The journal is ahead of the clock by which this page was made, by {duration(ahead)}:"
            " one of the two clocks is wrong. What was written after that moment is shown at it."
        )


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
    with Desk.of(texts_of(env_file), unread=unread_of(env_file)) as desk:
        for warning in desk.unread:  # they concern whoever makes the page, not its readers
            click.echo(shown(f"! {warning}"), err=True)
        now = desk.clock.now()
        entries, damaged = read_days(desk, now, days)
        if not entries:
            place = shown_place(desk.settings)
            raise Trouble(
                f"the journal in {place} has no line of the last {days} days; see that"
                " JOURNAL_URI is that of the watchdog, and that it has run"
            )
        remarks = list(remarks_on(entries, damaged, now))
        zone = desk.settings.zone
        told = facts(entries, now - timedelta(days=days), now, zone)
        write(out, desk.redact(page(told, zone, "What sms_watch saw", remarks)))
        numbers = ((len(told.stories), "task"), (told.failures, "failure"), (told.starts, "start"))
        click.echo(f"{out}: {', '.join(count(*each) for each in numbers)}")
