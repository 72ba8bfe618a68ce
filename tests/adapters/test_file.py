"""The journal in a directory: locks, disks that fail, disks on the network, and odd names."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, List, NoReturn, Tuple

import pytest

from sms_watch.adapters import file
from sms_watch.adapters.file import FileStore
from sms_watch.errors import JournalError
from tests.support.builders import NOW
from tests.support.journals import MIDNIGHT, append, mark_of, read

# Files


WRITER = """
import sys
from pathlib import Path
from datetime import datetime, timezone
from sms_watch.adapters.file import FileStore
from sms_watch.errors import JournalConflict
store, name, won = FileStore(Path(sys.argv[1])), "x", 0
while won < 200:
    length = len(store.get(name) or b"")
    try:
        store.append(name, length, f"{sys.argv[2]} {won}\\n".encode())
        won += 1
    except JournalConflict:
        pass
"""


def test_two_processes_never_write_over_each_other(tmp_path: Path) -> None:
    """Every line that one of two processes was told is written stands in the file, once."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [subprocess.Popen([*command, name], env=env) for name in ("one", "two")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    lines = (tmp_path / "x").read_text(encoding="utf-8").splitlines()
    expected = [f"{name} {number}" for name in ("one", "two") for number in range(200)]
    assert sorted(lines) == sorted(expected)
    assert [line for line in lines if line.startswith("one")] == expected[:200]


def test_a_journal_is_for_its_owner(tmp_path: Path) -> None:
    """Directory and files can be read by nobody else."""
    store = FileStore(tmp_path / "journal")
    store.append("x", 0, b"one\n")
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "journal" / "x").stat().st_mode & 0o777 == 0o600


def test_a_place_that_is_no_directory_is_explained(tmp_path: Path) -> None:
    """The error names the path, the reason, and the variable to change."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = FileStore(tmp_path / "file")
    with pytest.raises(JournalError, match=r"file could not be written: .*JOURNAL_URI"):
        store.append("x", 0, b"one\n")
    (tmp_path / "journal-20261124.jsonl").mkdir()
    with pytest.raises(JournalError, match="could not be read: Is a directory"):
        FileStore(tmp_path).get("journal-20261124.jsonl")


# Disks that fail, and disks on the network


def _fails(number: int, *_: Any) -> NoReturn:
    raise OSError(number, os.strerror(number))


def _failing(call: Callable[..., Any], number: int, turn: int, after: bool) -> Callable[..., Any]:
    """Return a call that fails at its turn, the first being 0, before its effect or after it."""
    turns = itertools.count()

    def made(*arguments: Any) -> Any:
        if next(turns) != turn:
            return call(*arguments)
        if after:
            call(*arguments)
        _fails(number)

    return made


def _writing(room: int) -> Callable[[int, bytes], int]:
    """Return an ``os.write`` of a disk that has room for so many bytes, and is full then."""
    real, left = os.write, iter([room])

    def write(descriptor: int, data: bytes) -> int:
        taken = next(left, 0)
        return real(descriptor, data[:taken]) if taken else _fails(errno.ENOSPC)

    return write


EITHER_WAY = [
    *(("open", turn) for turn in (0, 1)),
    *(("fstat", 0), ("write", 0), ("mkdir", 0)),
    *(("fsync", turn) for turn in (0, 1, 2)),
]
CALLS = [
    *((call, turn, after) for call, turn in EITHER_WAY for after in (False, True)),
    # Linux lets go of a file whatever closing it says (close(2)).
    *(("close", turn, True) for turn in (0, 1, 2)),
]


@pytest.mark.parametrize("before", [b"", b"one\n"], ids=["first", "later"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.ESTALE])
@pytest.mark.parametrize(("call", "turn", "after"), CALLS)
def test_an_append_that_fails_has_written_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    turn: int,
    after: bool,
    number: int,
    before: bytes,
) -> None:
    """Whichever call of it fails, before its effect or after it: an append is believed rightly."""
    store = FileStore(tmp_path / "journal")
    if before:
        store.append("x", 0, before)
    failed = False
    with monkeypatch.context() as patched:
        patched.setattr(os, call, _failing(getattr(os, call), number, turn, after))
        try:
            store.append("x", len(before), b"two\n")
        except JournalError:
            failed = True
    assert (store.get("x") or b"") == (before if failed else before + b"two\n")
    after_it = store.get("x") or b""
    store.append("x", len(after_it), b"three\n")
    assert store.get("x") == after_it + b"three\n"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP])
def test_a_disk_that_cannot_synchronise_a_directory_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """On a share, names are in the hands of its server: every entry is written, and believed."""
    real = os.fsync

    def synchronise(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            _fails(number)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", synchronise)
    store = FileStore(tmp_path / "a" / "journal")
    append(store, NOW, "RUNNING")
    append(store, MIDNIGHT, "ABORT")
    assert mark_of(store, MIDNIGHT) == "ABORT"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_disk_that_cannot_synchronise_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """An entry that nobody knows to be on the disk is none, and is taken back."""
    store = FileStore(tmp_path)
    store.append("x", 0, b"one\n")
    monkeypatch.setattr(os, "fsync", _failing(os.fsync, number, 0, after=False))
    with pytest.raises(JournalError, match="could not be written"):
        store.append("x", 4, b"two\n")
    assert store.get("x") == b"one\n"


@pytest.mark.parametrize(
    "number", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS], ids=os.strerror
)
def test_a_disk_that_cannot_lock_files_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The error says what kind of disk it has to be and what to change; nothing is written."""
    store = FileStore(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", _failing(fcntl.flock, number, 0, after=False))
        with pytest.raises(JournalError) as caught:
            store.append("x", 0, b"one\n")
    text = str(caught.value)
    assert f"could not be locked: {os.strerror(number)}; a journal needs a disk that can" in text
    assert "JOURNAL_URI a directory on a local disk, or on a share that is mounted with lo" in text
    assert not store.get("x")


def test_a_lock_that_is_held_on_a_share_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMB says "permission denied" of a lock that another machine holds for a moment."""
    monkeypatch.setattr(file, "LOCK_WAIT", 0.0)
    monkeypatch.setattr(fcntl, "flock", _failing(fcntl.flock, errno.EACCES, 0, after=False))
    store = FileStore(tmp_path)
    store.append("x", 0, b"one\n")
    assert store.get("x") == b"one\n"


def test_names_are_on_the_disk_before_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut loses no directory and no file that an entry was written to."""
    real = os.fsync
    synchronised: List[Tuple[int, bytes]] = []
    written = tmp_path / "a" / "journal" / "x"

    def synchronise(descriptor: int) -> None:
        held = written.read_bytes() if written.exists() else b""
        synchronised.append((os.fstat(descriptor).st_ino, held))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", synchronise)
    FileStore(written.parent).append("x", 0, b"one\n")
    places = (tmp_path, written.parent.parent, written.parent, written)
    numbers = [each.stat().st_ino for each in places]
    assert synchronised == list(zip(numbers, [b"", b"", b"", b"one\n"]))


def test_a_full_disk_leaves_no_half_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole is taken back."""
    store = FileStore(tmp_path)
    store.append("x", 0, b"one\n")
    monkeypatch.setattr(os, "write", _writing(2))
    with pytest.raises(JournalError, match="No space left"):
        store.append("x", 4, b"two\n")
    assert store.get("x") == b"one\n"


def test_a_half_of_a_line_that_cannot_be_taken_back_is_closed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error leaves open what stands there; the reader skips it and the next entry is whole."""
    store = FileStore(tmp_path)
    append(store, NOW, "RUNNING")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", _writing(20))
        patched.setattr(os, "ftruncate", lambda *_: _fails(errno.EIO))
        with pytest.raises(JournalError, match=r"No space left .* the entry may be there"):
            append(store, NOW, "ABORT")
    assert (read(store).damaged, mark_of(store)) == (1, "RUNNING")
    append(store, NOW, "MIGRATE_FAIL")
    assert (read(store).damaged, mark_of(store)) == (1, "MIGRATE_FAIL")


@pytest.mark.parametrize("stays", ["ftruncate", "fsync"])
def test_an_entry_that_cannot_be_taken_back_is_not_denied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stays: str
) -> None:
    """On a disk that fails at the end of an append, and then again, nothing certain is claimed."""
    store = FileStore(tmp_path)
    append(store, NOW, "RUNNING")
    with monkeypatch.context() as patched:
        for call in {"fsync", stays}:
            patched.setattr(os, call, lambda *_: _fails(errno.EIO))
        with pytest.raises(JournalError, match="the next run goes by what it finds"):
            append(store, NOW, "ABORT")
    assert mark_of(store) == {"ftruncate": "ABORT", "fsync": "RUNNING"}[stays]


def test_a_lock_that_is_held_for_long_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs with the lock does not make this one hang."""
    monkeypatch.setattr(file, "LOCK_WAIT", 0.0)
    store = FileStore(tmp_path)
    store.append("x", 0, b"one\n")
    descriptor = os.open(tmp_path / "x", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(
            JournalError, match=r"holding its lock for seconds: check .* and end it"
        ):
            store.append("x", 4, b"two\n")
    finally:
        os.close(descriptor)
    store.append("x", 4, b"two\n")


def test_without_file_locks_there_is_noa_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a system without them the error says what to do instead."""
    monkeypatch.setattr(file, "fcntl", None)
    with pytest.raises(JournalError, match="WSL"):
        FileStore(tmp_path)
