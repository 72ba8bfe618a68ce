"""What others may have laid into the directory of a journal, or may write to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, List

import pytest

from sms_watch.adapters.file import FileStore
from sms_watch.errors import JournalError

NAME = "journal-20261124.jsonl"


def _link(place: Path) -> None:
    """Lay a link to a file of somebody else's."""
    (place.parent / "a file of others").write_bytes(b"precious\n")
    place.symlink_to(place.parent / "a file of others")


def _pipe(place: Path) -> None:
    """Lay a pipe that nobody reads from or writes to."""
    os.mkfifo(place)


@pytest.mark.parametrize("lay", [_link, _pipe])
@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.tail(NAME, 100),
        lambda store: store.get(NAME),
        lambda store: store.append(NAME, 0, b"a line\n"),
        lambda store: store.append(NAME, len(b"precious\n"), b"a line\n"),
    ],
    ids=["the end", "all", "the first line", "a line more"],
)
def test_what_is_no_file_is_refused(
    tmp_path: Path, lay: Callable[[Path], None], use: Callable[[FileStore], object]
) -> None:
    """A link is not followed, a pipe not waited for; the error says what to do, at once."""
    lay(tmp_path / NAME)
    with pytest.raises(JournalError, match="is no file but a link, a pipe or the like"):
        use(FileStore(tmp_path))
    for other in tmp_path.glob("a file*"):
        assert other.read_bytes() == b"precious\n"


@pytest.mark.parametrize(("mode", "warned"), [(0o700, False), (0o775, False), (0o777, True)])
def test_a_directory_that_anybody_may_write_to_is_warned_of(
    tmp_path: Path, mode: int, warned: bool
) -> None:
    """Whoever may write there can make the watchdog forget."""
    place = tmp_path / "journal"
    said: List[str] = []
    place.mkdir()
    place.chmod(mode)
    FileStore(place, said.append)
    assert bool(said) is warned
    assert all("chmod o-w" in text for text in said)
