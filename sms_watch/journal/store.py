"""Where the objects of a journal lie, and how they are named. Pure.

A day is named ``20261124``. Its object may be closed before the day is over: then another follows,
named ``20261124b``, and so on. Names sort as the objects follow each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional, Protocol

from sms_watch.errors import JournalError

# The object in which every journal begins, whenever that is; it holds seals alone, which name the
# first day. So the first two runs ever meet there, on whichever side of midnight each of them is.
BEGINNING = "00000000"
LENGTH = len(BEGINNING)


@dataclass(frozen=True)
class Part:
    """The end of an object: its bytes from ``begin`` on.

    ``appendable`` is false if something tells that nothing can be appended to it. One that exists
    and cannot be read, such as one in an archive, is not ``readable``, and has no bytes here.
    """

    data: bytes
    begin: int = 0
    appendable: bool = True
    readable: bool = True


class AppendStore(Protocol):
    """Where objects of bytes are kept that grow at their end only."""

    @property
    def reopens(self) -> bool:
        """Whether an object that takes nothing more may take more again, as files may."""

    @property
    def moment(self) -> Optional[datetime]:
        """The time by the clock of the store when it last answered, if it has a clock."""

    def tail(self, name: str, size: int) -> Optional[Part]:
        """Return the last ``size`` bytes of an object or more; ``None`` if there is none.

        Raise JournalError if it cannot be told.
        """

    def get(self, name: str, begin: int = 0, end: Optional[int] = None) -> Optional[bytes]:
        """Return the bytes of an object between two places; ``None`` if there is none.

        Raise JournalError if it cannot be read.
        """

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append to an object whose length is ``offset``; at 0 it is made.

        Raise JournalConflict, with nothing written, if it has another length, JournalClosed if it
        takes nothing more, JournalError if it cannot be written.
        """


def name_of(day: str) -> str:
    """Return the name of a day's object."""
    return f"journal-{day}.jsonl"


def day_of(moment: datetime) -> str:
    """Return the day of a moment, in UTC."""
    return f"{moment.astimezone(timezone.utc):%Y%m%d}"


def date_of(day: str) -> str:
    """Return the day without what tells its objects apart."""
    return day[:LENGTH]


def following(day: str) -> str:
    """Return the object that follows within a day. Raise JournalError after the last one."""
    letter = day[LENGTH:] or "a"
    if letter >= "z":
        raise JournalError(
            f"the journal was closed again and again on {date_of(day)}: see that nobody else writes"
            " to its objects, and that the clocks of all machines that run this watchdog agree; or"
            " name another place in JOURNAL_URI"
        )
    return f"{date_of(day)}{chr(ord(letter) + 1)}"
