"""The journal in a directory, for a server with a disk that lasts: its own, or a share with locks.

Appending under a lock, after a look at the length, is what AppendObject does on OBS: whoever
finds the object longer than expected has lost the race.

What can fail comes before the bytes of an entry, or they are taken back: an append that fails has
written nothing, and one that has written does not fail. A name that stands for another place, or
for something that is no file, is refused: whoever may write to the directory can lay it there.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Callable, Iterator, Optional

from sms_watch.errors import JournalClosed, JournalConflict, JournalError
from sms_watch.journal.store import Part

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment] # looked at before use

CHUNK = 1 << 20  # bytes that are read at once
LOCK_TRIES = 100
LOCK_WAIT = 0.05  # seconds
# How a disk says that it cannot synchronise a directory, as SMB shares did before Linux 4.17
# (fsync(2), EINVAL): its names are in the hands of its server.
UNSYNCHRONISED = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})

USUAL = (
    "make sure that JOURNAL_URI names a directory that this user may read and write, on a disk"
    " with space left"
)
NEEDS_LOCKS = (
    "a journal needs a disk that can lock files, for two runs at once must not write over each"
    " other: name in JOURNAL_URI a directory on a local disk, or on a share that is mounted with"
    " locks"
)
HELD = (
    "another process has been holding its lock for seconds: check whether a run hangs, here or on"
    " another machine that shares the directory, and end it"
)
NOT_TAKEN_BACK = (
    "what was written could not be undone, so the entry may be there all the same; the next run"
    " goes by what it finds"
)
NO_FILE = (
    "{} is no file but a link, a pipe or the like, which the watchdog does not make: see who else"
    " writes to the directory, and take it away"
)
OPEN_TO_ALL = (
    "anybody on this machine may write to {}, and so make the watchdog forget, or repeat what it"
    " has told: take that right away (chmod o-w), or name another directory in JOURNAL_URI"
)
# What a file is opened with: a link is not followed, and a pipe does not make anybody wait.
SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
LINK = frozenset({errno.ELOOP, errno.EMLINK})  # how a link is told that is not followed (open(2))


class FileStore:
    """An append store in ``directory``, which is made when it is missing.

    ``warn`` takes what people should know of it. Raise JournalError on a system without file locks.
    """

    moment: Optional[datetime] = None  # it has no clock but that of the machine
    reopens = True  # the rights of a file can be taken away, and given back

    def __init__(self, directory: Path, warn: Callable[[str], None] = lambda text: None) -> None:
        if fcntl is None:
            raise JournalError(
                "JOURNAL_URI: a journal in a directory needs the file locks of Linux or macOS;"
                " on Windows run the watchdog within WSL"
            )
        self._directory = directory
        with suppress(OSError):
            if directory.stat().st_mode & stat.S_IWOTH:
                warn(OPEN_TO_ALL.format(directory))

    def tail(self, name: str, size: int) -> Optional[Part]:
        """Return the last ``size`` bytes of a file; ``None`` if there is none.

        Reading takes no lock: half of a line that is being written may be seen, but nothing can
        be appended after it, because the position has moved by then. Raise JournalError if that
        fails.
        """
        with self._explained("read"):
            try:
                with _opened(self._directory / name, os.O_RDONLY) as descriptor:
                    begin = max(0, os.fstat(descriptor).st_size - size)
                    data = _read(descriptor, begin)
            except FileNotFoundError:
                return None
        return Part(data, begin, os.access(self._directory / name, os.W_OK))

    def get(self, name: str, begin: int = 0, end: Optional[int] = None) -> Optional[bytes]:
        """Return the bytes of a file between two places; ``None`` if there is none.

        Raise JournalError if it fails.
        """
        with self._explained("read"):
            try:
                with _opened(self._directory / name, os.O_RDONLY) as descriptor:
                    return _read(descriptor, begin, end)
            except FileNotFoundError:
                return None

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append to a file whose length is ``offset``, and see it on the disk before returning.

        Raise JournalConflict, with nothing written, if it has another length, JournalClosed if
        this user may not write to it, JournalError if it cannot be written; the text says so where
        even then it may have been.
        """
        path = self._directory / name
        with self._explained("written"):
            _make(self._directory)
            if path.exists() and not os.access(path, os.W_OK):
                raise JournalClosed(f"{path} may not be written to by this user; {USUAL}")
            with _opened(path, os.O_RDWR | os.O_CREAT | os.O_APPEND) as descriptor:
                self._lock(descriptor)
                if os.fstat(descriptor).st_size != offset:
                    raise JournalConflict(f"{path} has grown since it was read")
                if not offset:
                    _sync_directory(self._directory)
                _write(descriptor, offset, data)

    def _lock(self, descriptor: int) -> None:
        with self._explained("locked", NEEDS_LOCKS):
            for _ in range(LOCK_TRIES):
                if _got_lock(descriptor):
                    return
                time.sleep(LOCK_WAIT)
        raise JournalError(f"the journal in {self._directory} could not be locked: {HELD}")

    @contextmanager
    def _explained(self, done: str, remedy: str = USUAL) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalError(
                f"the journal in {self._directory} could not be {done}:"
                f" {error.strerror or error}; {remedy}"
            ) from None


def _make(directory: Path) -> None:
    """Make a directory, and those above it, and see their names on the disk."""
    if directory.is_dir():
        return
    _make(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    _sync_directory(directory.parent)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Open a file, or a directory. Raise JournalError if the name stands for anything else."""
    try:
        descriptor = os.open(path, flags | SAFELY, 0o600)
    except OSError as error:
        # A pipe that nobody reads is told by ENXIO.
        if error.errno in (*LINK, errno.ENXIO):
            raise JournalError(NO_FILE.format(path)) from None
        raise
    try:
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise JournalError(NO_FILE.format(path))
        yield descriptor
    finally:
        # What had to reach the disk was synchronised before, so that closing tells nothing more.
        with suppress(OSError):
            os.close(descriptor)


def _got_lock(descriptor: int) -> bool:
    """Lock a file and return whether that went.

    The lock goes with the descriptor, and with the process if it dies. One that is held is told by
    EAGAIN, on SMB by EACCES (STATUS_LOCK_NOT_GRANTED in Linux's map of errors).
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _read(descriptor: int, begin: int, end: Optional[int] = None) -> bytes:
    """Return the bytes of a file between two places, or up to its end."""
    parts = []
    while end is None or begin < end:
        part = os.pread(descriptor, CHUNK if end is None else end - begin, begin)
        if not part:
            break
        parts.append(part)
        begin += len(part)
    return b"".join(parts)


def _write(descriptor: int, offset: int, data: bytes) -> None:
    try:
        rest = data
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError as error:
        _take_back(descriptor, offset, error)
        raise


def _take_back(descriptor: int, offset: int, why: OSError) -> None:
    """Cut a file to its length before; half of a line would stand in the way of the next one."""
    try:
        os.ftruncate(descriptor, offset)
        os.fsync(descriptor)
    except OSError:
        raise OSError(why.errno, f"{why.strerror}, and {NOT_TAKEN_BACK}") from None


def _sync_directory(directory: Path) -> None:
    """See the names in a directory on the disk, as far as the disk can do that."""
    with _opened(directory, os.O_RDONLY) as descriptor:
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in UNSYNCHRONISED:
                raise
