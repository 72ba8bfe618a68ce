"""The two ways that a run calls out, each by one call: the SDK to SMS, and OBS for the journal."""

from __future__ import annotations

from typing import Callable

import pytest
from huaweicloudsdksms.v3 import ShowTaskRequest, SmsClient

from sms_watch.adapters import obs
from sms_watch.adapters.sdk import Caller, Connection
from sms_watch.settings.values import Credentials, ObsJournal
from tests.support.builders import NOW
from tests.support.clouds import KEY
from tests.support.fakes import FakeDeadline

Call = Callable[[str], None]
KEYS = Credentials(KEY.access, KEY.secret)


def read_task(endpoint: str) -> None:
    """Read a task at an endpoint. Raise CloudError if that fails."""
    connection = Connection(SmsClient.new_builder, endpoint, KEYS)
    try:
        caller = Caller(connection, FakeDeadline(), lambda seconds: None)
        request = ShowTaskRequest(task_id="a")
        caller.read("read the task", connection.client.show_task_invoker(request).invoke)
    finally:
        connection.close()


def read_journal(endpoint: str) -> None:
    """Read an object of the journal at an endpoint. Raise JournalError if that fails."""
    place = ObsJournal(endpoint, "ap-southeast-3", "bucket", "watch", own=False)
    connection = obs.connect(endpoint)
    try:
        caller = Caller(connection, FakeDeadline(), lambda seconds: None)
        obs.ObsStore(place, caller, KEYS, NOW, lambda warning: None).get("journal.jsonl")
    finally:
        connection.close()


both_services = pytest.mark.parametrize("call", [read_task, read_journal])
