"""The journal in a directory, for a server with a disk that lasts.

Appending under a lock, after a look at the length, is what AppendObject does on OBS: whoever
finds the object longer than expected has lost the race.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional

from sms_watch.errors import JournalConflict, JournalError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment] # looked at before use

LOCK_TRIES = 100
LOCK_WAIT = 0.05  # seconds


class FileStore:
    """An append store in ``directory``, which is made when it is missing.

    Raises JournalError on a system without file locks.
    """

    def __init__(self, directory: Path) -> None:
        if fcntl is None:
            raise JournalError(
                "JOURNAL_URI: a journal in a directory needs the file locks of Linux or macOS;"
                " on Windows run the watchdog within WSL"
            )
        self._directory = directory

    def get(self, name: str) -> Optional[bytes]:
        """Give a file's content, ``None`` when there is none. Raises JournalError.

        Reading takes no lock: half of a line that is being written may be seen, but nothing can
        be appended after it, because the position has moved by then.
        """
        with self._explained("read"):
            try:
                return (self._directory / name).read_bytes()
            except FileNotFoundError:
                return None

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append to a file whose length is ``offset``, and see it on the disk before returning.

        Raises JournalConflict, with nothing written, when it has another length, JournalError
        when it cannot be written.
        """
        path = self._directory / name
        with self._explained("written"):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                _lock(descriptor)
                if os.fstat(descriptor).st_size != offset:
                    raise JournalConflict(f"{path} has grown since it was read")
                _write(descriptor, offset, data)
            finally:
                os.close(descriptor)
            if not offset:
                _sync_directory(self._directory)

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalError(
                f"the journal in {self._directory} could not be {done}:"
                f" {error.strerror or error}; make sure that JOURNAL_URI names a directory"
                " that this user may read and write, on a disk with space left"
            ) from None


def _lock(descriptor: int) -> None:
    """Lock a file; the lock goes with the descriptor, and with the process if it dies."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_WAIT)
        else:
            return
    raise TimeoutError(None, "another process has held its lock for seconds")


def _write(descriptor: int, offset: int, data: bytes) -> None:
    try:
        rest = data
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        # A half of a line would stand in the way of the next one.
        os.ftruncate(descriptor, offset)
        raise


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
