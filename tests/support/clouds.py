"""A simulated cloud with one world, ready for the real handler or the real adapters."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from index import handler
from simulated_cloud.buckets import Storage, StoredObject
from simulated_cloud.clock import VirtualClock
from simulated_cloud.context import LocalContext, timer_event
from simulated_cloud.server import CloudServer
from simulated_cloud.shapes import PROJECT
from simulated_cloud.signing import Key
from simulated_cloud.task import SimTask
from simulated_cloud.world import World
from sms_watch.adapters import obs
from sms_watch.adapters.sdk import Caller
from sms_watch.errors import WatchFailed
from sms_watch.journal.entries import Entry, EntryType, encode, snapshot
from sms_watch.rules.record import Memory
from sms_watch.settings.values import Credentials, ObsJournal
from sms_watch.wiring import WARM
from tests.support.builders import NOW
from tests.support.canaries import a_pair, credentials, secrets_of, temporary
from tests.support.fakes import FakeDeadline

TOPIC = f"urn:smn:ap-southeast-3:{PROJECT}:night-watch"
KEY = a_pair("the watchdog")
OWN = f"sms-watch-{PROJECT}"
TEMPORARY = temporary("the agency")
VARIABLES = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN")
# The kinds of keys that runs may have: those in the settings, those of the function's agency.
KINDS_OF_KEYS: Dict[str, Tuple[Optional[Key], Optional[Key]]] = {
    "keys of one's own": (KEY, None),
    "temporary keys of one's own": (TEMPORARY, None),
    "an agency": (None, TEMPORARY),
    "an agency that is not used": (KEY, TEMPORARY),
}


class Night:
    """A world, its cloud, and the function that watches it."""

    def __init__(self, server: CloudServer, world: World, clock: VirtualClock, place: Path) -> None:
        self.server, self.world, self.clock = server, world, clock
        self.faults, self.calls = server.cloud.faults, server.cloud.calls
        self.journal = place
        self.texts: Dict[str, str] = {
            "SMS_TASK_IDS": " ".join(world.tasks) or "a",
            "SMN_TOPIC_URN": TOPIC,
            "JOURNAL_URI": place.as_uri(),
            "HUAWEICLOUD_SDK_AK": KEY.access,
            "HUAWEICLOUD_SDK_SK": KEY.secret,
            "SMS_ENDPOINT": server.url,
            "SMN_ENDPOINT": server.url,
            "OBS_ENDPOINT": server.url,
        }
        self.agency = Credentials("", "")
        self.ticks = 0
        self.remarks: List[str] = []

    def give_keys(self, kind: str) -> None:
        """Let the runs have keys of a kind, and no others."""
        own, agency = KINDS_OF_KEYS[kind]
        for name in VARIABLES:
            self.texts.pop(name, None)
        self.texts.update(zip(VARIABLES, secrets_of(own) if own else ()))
        self.agency = credentials(agency) if agency else Credentials("", "")

    @property
    def keys(self) -> List[str]:
        """All keys that the runs have, used or not."""
        own = [self.texts.get(name, "") for name in VARIABLES]
        agency = (self.agency.access_key, self.agency.secret_key, self.agency.security_token)
        return [key for key in (*own, *agency) if key]

    @property
    def storage(self) -> Storage:
        """The buckets of the cloud."""
        return self.server.cloud.storage

    def keep_journal_on_obs(self) -> None:
        """Let the journal be kept where it is by default."""
        del self.texts["JOURNAL_URI"]

    def append_as_another(self) -> None:
        """Let another run write a line into the journal on OBS."""
        now = self.clock.now()
        line = encode(Entry(EntryType.ACK, now, "another-run", "another-nonce"))
        key = f"night-watch/journal-{now:%Y%m%d}.jsonl"
        held = self.storage.buckets[OWN].objects.get(key)
        if held is None:
            line = encode(snapshot(Memory(), now, "another-run", "a-nonce")) + line
        self.storage.append(OWN, key, len(held.data) if held else 0, line)

    def end_of_container(self) -> None:
        """Let the container go, as FunctionGraph does after a minute without a request."""
        WARM.forget()

    def tick(self, minutes: float = 1, user_event: Any = "", event: Any = None) -> Dict[str, Any]:
        """Let minutes pass and wake the function; give its report. Raise WatchFailed."""
        self.clock.set(self.clock.now() + timedelta(minutes=minutes))
        self.ticks += 1
        context = LocalContext(self.texts, f"run-{self.ticks}", self.agency)
        usual = timer_event(self.clock.now(), user_event)
        return handler(usual if event is None else event, context, clock=self.clock)

    def failing_tick(self, minutes: float = 1, **more: Any) -> str:
        """Let minutes pass and wake the function, which is to fail; give its reason."""
        try:
            report = self.tick(minutes, **more)
        except WatchFailed as failure:
            return str(failure)
        raise AssertionError(f"the run did not fail: {report}")

    def ticks_until(self, moment: datetime) -> None:
        """Wake the function every minute up to a moment."""
        while self.clock.now() < moment:
            self.tick()

    def kinds(self, report: Dict[str, Any]) -> List[str]:
        """Return the kinds of notice in a report."""
        return [notice["kind"] for notice in report["notices"]]

    @property
    def told(self) -> List[Dict[str, Any]]:
        """All notices of all messages."""
        texts = [json.loads(message["http"]) for message in self.world.inbox]
        return [notice for text in texts for notice in text["notices"]]

    @property
    def subjects(self) -> List[str]:
        """The subjects of all messages, without their event ids."""
        return [message["subject"].rpartition(" - ")[0] for message in self.world.inbox]


BUCKET = "a-bucket-of-ones-own"
NIGHTS: Dict[int, Night] = {}


@contextmanager
def an_obs_store(
    night: Night, own: bool = False, key: Key = KEY, rest: float = 50.0, timeout: Any = (5, 15)
) -> Iterator[obs.ObsStore]:
    """Return a store in a bucket of the night's cloud."""
    bucket = OWN if own else BUCKET
    place = ObsJournal(night.server.url, "ap-southeast-3", bucket, "watch", own)
    connection = obs.Connection(night.server.url, timeout)
    caller = Caller(connection, FakeDeadline(rest), lambda seconds: None)
    keys = credentials(key)
    store = obs.ObsStore(place, caller, keys, night.clock.now(), night.remarks.append)
    NIGHTS[id(store)] = night
    yield store
    connection.close()


def stored_objects(store: object) -> Dict[str, StoredObject]:
    """Return the objects behind a store on OBS, to damage them."""
    return NIGHTS[id(store)].storage.buckets[BUCKET].objects


def set_time(store: obs.ObsStore, now: datetime) -> None:
    """Let it be another time at OBS, and where it is called from; also an earlier one."""
    NIGHTS[id(store)].clock._moment = store._now = now


@contextmanager
def a_night(place: Path, *tasks: SimTask) -> Iterator[Night]:
    """Return a night over some tasks, or over one that copies."""
    clock = VirtualClock(NOW)
    world = World(clock)
    for task in tasks or (SimTask("a", "web-01"),):
        world.add(task)
    with CloudServer(world, [KEY, TEMPORARY], [TOPIC]) as server:
        yield Night(server, world, clock, place / "journal")
