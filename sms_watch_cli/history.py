"""All lines of a journal over some days, for what looks back further than a run does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Iterator, Optional

from sms_watch.journal.entries import Entry
from sms_watch.journal.folding import replay
from sms_watch.journal.store import AppendStore, day_of, following, name_of

DAY = timedelta(days=1)


def history(store: AppendStore, begin: datetime, end: datetime) -> Iterator[Optional[Entry]]:
    """Return the entries of the days from ``begin`` to ``end``, oldest first, with whole records.

    There is a ``None`` for every line that cannot be used. Raise JournalError if the journal cannot
    be read.
    """
    return replay(_objects(store, begin, end))


def _objects(store: AppendStore, begin: datetime, end: datetime) -> Iterator[bytes]:
    """Return the objects of all days; a day may have several."""
    while day_of(begin) <= day_of(end):
        day = day_of(begin)
        data = store.get(name_of(day))
        while data is not None:
            yield data
            day = following(day)
            data = store.get(name_of(day))
        begin += DAY
