"""From settings to ports: adapters, warm clients, and the journal's store.

Used for each run of the function and for each look of a command. Importing this module is slow, for
it imports the SDK.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple, TypeVar

from sms_watch.adapters import obs, sms
from sms_watch.adapters.file import FileStore
from sms_watch.adapters.sdk import Caller, Guard
from sms_watch.clock import RunClock
from sms_watch.journal.objects import DailyJournal
from sms_watch.journal.store import AppendStore
from sms_watch.model.notice import Message
from sms_watch.ports import Ports, Publisher
from sms_watch.settings.values import FileJournal, ObsJournal, Settings
from sms_watch.timetable import Timetable

Connection = TypeVar("Connection")


class Clients:
    """Connections to services, each kept over runs while its address and keys stay the same."""

    def __init__(self) -> None:
        self._kept: Dict[Any, Tuple[Tuple[Any, ...], Any]] = {}

    def __repr__(self) -> str:
        return "Clients()"

    def get(self, connect: Callable[..., Connection], *address: Any) -> Connection:
        """Return the connection that ``connect`` made, made anew if its address has changed.

        One that was kept is told that another run begins.
        """
        known, kept = self._kept.pop(connect, (None, None))
        if kept is not None and known != address:
            kept.close()
            kept = None
        elif kept is not None:
            kept.begin_run()
        connection: Connection = connect(*address) if kept is None else kept
        self._kept[connect] = (address, connection)
        return connection

    def forget(self) -> None:
        """Close all connections, as the end of the container does."""
        for _, connection in self._kept.values():
            connection.close()
        self._kept.clear()


WARM = Clients()  # those of this container


@dataclass(frozen=True)
class Wiring:
    """The way to the cloud, for one run or one look that began at ``time``.

    ``warn`` takes what people should know of the journal's store. ``guard`` is that of SMS alone:
    keys that SMS refuses, on one site or in one region, may be good for a message all the same.
    """

    settings: Settings
    time: RunClock
    timetable: Timetable
    clients: Clients
    warn: Callable[[str], None]
    guard: Guard = field(default_factory=Guard)

    def ports(self, redact: Callable[[Any], Any]) -> Ports:
        """Return all that a run needs. Raise JournalError if the journal cannot be used at all."""
        return Ports(
            self.sms(),
            _OnDemand(self.publisher),
            self.journal(redact),
            self.time.until(self.timetable.budget),
            self.timetable,
            nonce,
            redact,
        )

    def sms(self) -> sms.SmsService:
        """Return the migration tasks."""
        settings, times = self.settings, self.timetable
        connection = self.clients.get(sms.connect, settings.sms_endpoint, settings.credentials)
        return sms.SmsService(
            self.caller(connection, times.reads, self.guard),
            sources=self.caller(connection, times.sources, self.guard, optional=True),
            starts=self.caller(connection, times.sms_calls, self.guard),
        )

    def publisher(self) -> Publisher:
        """Return the topic."""
        from sms_watch.adapters.smn import SmnPublisher  # noqa: PLC0415 - see to_smn

        return SmnPublisher(self.to_smn(), self.settings.topic.urn)

    def to_smn(self) -> Caller:
        """Return what calls SMN."""
        # A fifth of all importing, which most runs do without: they publish nothing.
        from sms_watch.adapters import smn  # noqa: PLC0415 - as said above

        settings = self.settings
        connection = self.clients.get(
            smn.connect, settings.smn_endpoint, settings.credentials, settings.topic.project_id
        )
        return self.caller(connection, self.timetable.publishing)

    def journal(self, redact: Callable[[Any], Any]) -> DailyJournal:
        """Return the journal. Raise JournalError if it cannot be used at all.

        ``redact`` hides the secrets in what is written, which may be nested.
        """
        topic = self.settings.topic.urn
        return DailyJournal(self.store(), self.time.now, nonce, redact, topic, self.warn)

    def store(self) -> AppendStore:
        """Return the store behind the journal. Raise JournalError if there can be none."""
        place = self.settings.journal
        if isinstance(place, FileJournal):
            return FileStore(Path(place.directory), self.warn)
        keys = self.settings.credentials
        return obs.ObsStore(place, self.to_obs(place), keys, self.time.now, self.warn)

    def to_obs(self, place: ObsJournal) -> Caller:
        """Return what calls OBS, where the journal is."""
        connection = self.clients.get(obs.connect, place.endpoint)
        return self.caller(connection, self.timetable.journal)

    def caller(
        self,
        connection: Any,
        seconds: float,
        guard: Optional[Guard] = None,
        optional: bool = False,
    ) -> Caller:
        """Return what calls over a connection until some seconds after the beginning."""
        until, sleep = self.time.until(seconds), self.time.clock.sleep
        return Caller(connection, until, sleep, guard=guard, optional=optional)


@dataclass(frozen=True)
class _OnDemand:
    """A Publisher that is made when there is something to publish: most runs have nothing."""

    make: Callable[[], Publisher]

    def publish(self, message: Message) -> str:
        """Publish one message and return its id. Raise CloudError, as the port describes."""
        return self.make().publish(message)


def nonce() -> str:
    """Return a nonce for a line of the journal."""
    return secrets.token_hex(8)
