"""The journal: whether it can be read, and what can be told of appending without doing it."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Iterator, Mapping, Tuple

from sms_watch.adapters import obs, obs_remedies
from sms_watch.adapters.file import OPEN_TO_ALL
from sms_watch.adapters.obs_signature import sign
from sms_watch.adapters.sdk import Caller
from sms_watch.errors import CloudError, JournalError
from sms_watch.journal.entries import Entry, JournalReading
from sms_watch.settings.values import FileJournal, ObsJournal
from sms_watch.text import clean, count
from sms_watch_cli.checks.findings import Finding, Verdict
from sms_watch_cli.history import history
from sms_watch_cli.session import CloudSession, shown_place

LEAST_ROOM = 50_000_000  # bytes; a day of a busy journal is some hundred thousand
ANOTHER = "name another directory in JOURNAL_URI"
NEVER_WRITTEN = "only appending would show whether these keys may"
APPENDING = "make sure that the function's keys have obs:object:PutObject on it"


def read(cloud_session: CloudSession) -> Tuple[Finding, Tuple[Entry, ...]]:
    """Read the journal as a run would; return what was found, and the starts of the last day.

    They are in entries, without the records.
    """
    wiring, now = cloud_session.wiring(), cloud_session.clock.now()
    try:
        finding = _judged(cloud_session, wiring.journal(cloud_session.redact).read())
        lines = history(wiring.store(), now - timedelta(days=1), now)
        return finding, tuple(replace(line, tasks={}) for line in lines if line and line.starts)
    except JournalError as error:
        # The error names its remedy itself.
        return Finding("journal", Verdict.FAILED, str(error)), ()


def _judged(cloud_session: CloudSession, found: JournalReading) -> Finding:
    where, last = shown_place(cloud_session.settings), found.last
    if last is None and not found.damaged:
        return Finding(
            "journal", Verdict.OK, f"{where} can be read, and is empty until the first run"
        )
    if last is None or found.snapshot_lost or found.damaged:
        text = f"{where}: {count(found.damaged, 'line')} cannot be used"
        lost = ", and everything remembered is lost" if found.snapshot_lost else ""
        return Finding("journal", Verdict.WARNING, text + lost, "find out who else writes there")
    text = f"{where} can be read; its last line was written at {last.at:%Y-%m-%d %H:%M} UTC"
    text = f"{text} by run {clean(last.run)}"
    return Finding("journal", Verdict.OK, text)


def appending(cloud_session: CloudSession) -> Iterator[Finding]:
    """Return whether the journal can be appended to, as far as looking tells."""
    place = cloud_session.settings.journal
    if isinstance(place, FileJournal):
        yield _directory(Path(place.directory))
    else:
        yield _bucket(cloud_session, place)


def _directory(path: Path) -> Finding:
    """Judge a directory, or the nearest one above it: the first run makes what is missing."""
    about, nearest = "appending", path
    # By os.path, which takes what cannot be looked at for what is not there; Path raises.
    while not os.path.exists(nearest):
        nearest = nearest.parent
    if not os.path.isdir(nearest):
        text = f"{nearest} is a file, so a journal cannot be written there"
        return Finding(about, Verdict.FAILED, text, ANOTHER)
    if not os.access(nearest, os.W_OK | os.X_OK):
        text = f"this user may not write to {nearest}"
        return Finding(about, Verdict.FAILED, text, f"change its owner, or {ANOTHER}")
    kept = path.glob("journal-*.jsonl") if nearest == path else ()
    if nearest == path and path.stat().st_mode & stat.S_IWOTH:
        return Finding(about, Verdict.WARNING, OPEN_TO_ALL.format(path))
    locked = [each.name for each in kept if not os.access(each, os.W_OK)]
    if locked:
        text = f"this user may not write to {', '.join(sorted(locked)[-3:])} in {path}"
        return Finding(
            about, Verdict.FAILED, text, "change their owner to the user of the watchdog"
        )
    room = shutil.disk_usage(nearest).free
    if room < LEAST_ROOM:
        text = f"the disk of {nearest} has only {room // 1_000_000} MB left"
        why = f"free space, or {ANOTHER}: without its journal the watchdog does nothing"
        return Finding(about, Verdict.WARNING if room else Verdict.FAILED, text, why)
    made = "" if nearest == path else ", which the first run creates"
    return Finding(about, Verdict.OK, f"this user may write to {path}{made}")


def _bucket(cloud_session: CloudSession, place: ObsJournal) -> Finding:
    """Judge a bucket by its metadata (OBS API reference, "Obtaining Bucket Metadata")."""
    about, keys = "appending", cloud_session.settings.credentials
    caller = cloud_session.wiring().to_obs(place)

    def send() -> object:
        headers = sign("HEAD", place.bucket, "", {}, {}, keys, cloud_session.clock.now())
        return caller.connection.send("HEAD", obs.address(place, ""), headers=headers)

    try:
        headers = caller.read("look at the bucket", send).headers
    except CloudError as error:
        return _unseen(about, place, error)
    return _metadata(about, place, headers, caller)


def _unseen(about: str, place: ObsJournal, error: CloudError) -> Finding:
    if error.status == HTTPStatus.NOT_FOUND and place.own:
        text = f"the bucket {place.bucket} does not exist yet; the first run creates it, private"
        why = "for that run the function's keys need obs:bucket:CreateBucket"
        return Finding(about, Verdict.NOTE, text, why)
    if error.status == HTTPStatus.NOT_FOUND:
        text = f"there is no bucket {place.bucket}"
        why = "create it (private, standard class), or correct JOURNAL_URI"
        return Finding(about, Verdict.FAILED, text, why)
    if error.status == HTTPStatus.FORBIDDEN:
        text = f"unknown: these keys may not look at the bucket {place.bucket} (HTTP 403)"
        why = "check that it is yours, of the standard class, without WORM, no parallel file system"
        return Finding(
            about, Verdict.NOTE, text, f"{why}; {APPENDING} ({obs_remedies.JUST_GRANTED})"
        )
    if error.status is not None and 300 <= error.status < 400:
        text = f"the bucket {place.bucket} is in another region than {place.region}"
        return Finding(about, Verdict.FAILED, text, obs_remedies.SET_REGION)
    return Finding(about, Verdict.FAILED, str(error), "check OBS_REGION and OBS_ENDPOINT")


def _metadata(about: str, place: ObsJournal, headers: Mapping[str, str], caller: Caller) -> Finding:
    if obs.REQUEST_ID not in headers:
        error = caller.malformed("look at the bucket")
        return Finding(about, Verdict.FAILED, str(error), "check OBS_ENDPOINT")
    kind = headers.get("x-obs-storage-class", "STANDARD")
    if headers.get("x-obs-fs-file-interface") == "Enabled":
        text = f"{place.bucket} is a parallel file system, which cannot append"
        return Finding(about, Verdict.FAILED, text, "name an ordinary bucket in JOURNAL_URI")
    if kind != "STANDARD":
        text = f"{place.bucket} is of the class {clean(kind)}; the journal needs the standard class"
        return Finding(about, Verdict.FAILED, text, "name another bucket in JOURNAL_URI")
    text = f"{place.bucket} is an ordinary bucket of the standard class; {NEVER_WRITTEN}"
    return Finding(about, Verdict.NOTE, text, APPENDING)
