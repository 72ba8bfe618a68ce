"""Calls through the real SDK against an address, and what they come to."""

from __future__ import annotations

import traceback
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

from huaweicloudsdksmn.v2 import SmnClient
from huaweicloudsdksms.v3 import SmsClient

from sms_watch.adapters.sdk import Caller, Connection
from sms_watch.adapters.smn import SmnPublisher
from sms_watch.adapters.sms import SmsService
from sms_watch.errors import CloudError
from sms_watch.model.notice import Message
from tests.support.canaries import credentials, leaked, temporary
from tests.support.fakes import FakeDeadline

KEYS = credentials(temporary("a run"))
MESSAGE = Message("subject", "default", "email", "short", "{}", ("1",))
URN = f"urn:smn:ap-southeast-3:{'0' * 32}:night"
QUICK = (0.3, 0.3)
OPERATIONS = ("read", "start", "publish")
THROTTLED = "The throttling threshold has been reached: policy ip over ratelimit,limit:20,time:"


class Tried(NamedTuple):
    """What a call came to: its error, and how long it paused in between."""

    error: Optional[CloudError]
    pauses: Tuple[float, ...]


def attempt(operation: str, url: str, rest: float = 50.0, timeout: Any = QUICK) -> Tried:
    """Make a call against an address, with pauses that take no time."""
    pauses: List[float] = []
    builder = SmnClient.new_builder if operation == "publish" else SmsClient.new_builder
    connection = Connection(builder, url, KEYS, "0" * 32, timeout=timeout)
    caller = Caller(connection, FakeDeadline(rest), pauses.append, draw=lambda: 0.5)
    try:
        _call(operation, caller)
    except CloudError as error:
        _assert_clean(error)
        return Tried(error, tuple(pauses))
    finally:
        connection.close()
    return Tried(None, tuple(pauses))


def _call(operation: str, caller: Caller) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "read": lambda: SmsService(caller).read_task("a"),
        "start": lambda: SmsService(caller).start_task("a"),
        "publish": lambda: SmnPublisher(caller, URN).publish(MESSAGE),
    }
    calls[operation]()


def _assert_clean(error: CloudError) -> None:
    """No key, in whole or in part, and nothing encoded for administrators, is in an error."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    assert not leaked(text)
    assert "ENCODED" not in text


def facts_of(error: Optional[CloudError]) -> Tuple[Any, ...]:
    """Return what an error says for programs: status, code, whether again, whether in doubt."""
    assert error is not None
    return error.status, error.code, error.retryable, error.outcome_unknown
