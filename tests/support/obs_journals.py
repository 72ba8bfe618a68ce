"""A journal on OBS to be tested: its lines, its objects, and stores at other addresses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict

from simulated_cloud.buckets import MOST_APPENDS, StoredObject
from simulated_cloud.shapes import PROJECT
from sms_watch.adapters import obs
from sms_watch.adapters.sdk import Caller
from sms_watch.settings.values import Credentials, ObsJournal
from tests.support.builders import NOW
from tests.support.clouds import BUCKET, TEMPORARY, Night
from tests.support.fakes import FakeDeadline

DEFAULT = f"sms-watch-{PROJECT}"
NAME = "journal-20261124.jsonl"
LINE = b'{"nonce":"mine"}\n'
OTHER = b'{"nonce":"another"}\n'


def objects_of(night: Night, bucket: str = BUCKET) -> Dict[str, StoredObject]:
    """Return the objects of a bucket."""
    return night.storage.buckets[bucket].objects


def a_store_at(url: str) -> obs.ObsStore:
    """Return a store at an address, which waits for no answer."""
    connection = obs.Connection(url, (0.3, 0.3))
    caller = Caller(connection, FakeDeadline(), lambda seconds: None)
    place = ObsJournal(url, "ap-southeast-3", BUCKET, "watch", own=False)
    keys = Credentials(TEMPORARY.access, TEMPORARY.secret, TEMPORARY.token)
    return obs.ObsStore(place, caller, keys, NOW, lambda text: None)


def answering(night: Night, **variants: Any) -> None:
    """Let the service answer in other documented forms."""
    night.server.cloud.variants = replace(night.server.cloud.variants, **variants)


def full(night: Night) -> None:
    """Put an object there that was appended to as often as can be."""
    objects_of(night)[f"watch/{NAME}"] = StoredObject(b"", MOST_APPENDS)


def written_over(night: Night) -> None:
    """Put an object there that was uploaded, not appended to."""
    objects_of(night)[f"watch/{NAME}"] = StoredObject(b"", ordinary=True)
