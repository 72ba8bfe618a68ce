"""What can go wrong, told in a way that says what to do next."""

from __future__ import annotations

from http import HTTPStatus
from typing import Optional, Sequence

# The codes of calls that were not made: no time was left; the service had refused the keys before,
# or throttled the account for longer than the run lasts.
NO_TIME, KEYS_REFUSED, TOO_MANY_CALLS = "no_time", "keys_refused", "too_many_calls"
TOO_MANY_ROWS = "too_many_rows"  # the code of a list that takes more than what it stands in for
# OBS's code for a clock that is off (OBS API reference, "Error Codes").
TOO_SKEWED = "RequestTimeTooSkewed"
# SMN's codes for a subject and a message that it does not take, though their status, 403, is that
# of a right that is missing (SMN API reference, "Error Codes").
WORDS_REFUSED = frozenset({"SMN.0008", "SMN.0009"})
PROXY = "proxy"  # the code of calls that the environment's proxy did not let through
SET_PROXY = "correct HTTPS_PROXY in the environment, or name the host in NO_PROXY"
# The rights that calls need, and the settings that say where they go.
READING = "sms:server:getTask (in the older model sms:server:queryServer)"
LISTING = (
    "sms:server:listTask and sms:server:list (in the older model sms:server:queryServer), besides"
    " sms:server:getTask"
)
PUBLISHING = "smn:topic:publish"
SMS_ADDRESS = "SMS_REGION (ap-southeast-3, or cn-north-4 on the Chinese site) and SMS_ENDPOINT"
SMN_ADDRESS = "SMN_TOPIC_URN (its region is the third part) and SMN_ENDPOINT"


class WatchError(Exception):
    """Anything that the watchdog itself raises. Texts hold no secrets and are made for people."""


class WatchFailed(WatchError):  # noqa: N818 - what people see in the console
    """A run that FunctionGraph must count as failed.

    Raised by the handler alone: an exception is the only thing that makes an invocation fail.
    """


class SettingsError(WatchError):
    """The settings are wrong; ``problems`` holds one line for each thing that is."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        many = "problem" if len(self.problems) == 1 else "problems"
        lines = "".join(f"\n- {problem}" for problem in self.problems)
        super().__init__(f"the settings have {len(self.problems)} {many}; nothing was done:{lines}")


class JournalError(WatchError):
    """The journal could not be read or written; the text names the remedy."""


class JournalConflict(JournalError):  # noqa: N818 - a lost race rather than a fault
    """Another run has appended to the journal since it was read."""


class JournalMoved(JournalError):  # noqa: N818 - nothing is wrong
    """The journal goes on in another object than the one that was read."""


class JournalClosed(JournalError):  # noqa: N818 - the object is whole, and takes no more
    """An object of the journal can no longer be appended to; nothing was written."""


class CloudError(WatchError):
    """A call to the cloud that did not succeed.

    ``operation`` is what was tried, for people. ``status`` is the HTTP status, ``None`` when no
    answer came. ``code`` is the service's own (``SMS.7713``, ``SMN.0006``, ``APIGW.0301``) or a
    word of ours for what happened on the way (``timeout``, ``unreachable``, ``proxy``,
    ``no_answer``, ``certificate``, ``malformed``), or kept the call from being sent (``no_time``,
    ``keys_refused``, ``too_many_calls``) or a list from being read on (``too_many_rows``).
    ``request_id`` is the service's. ``retryable``: the same call may be sent again without harm,
    after ``retry_after`` seconds if the service named them. ``outcome_unknown``: a write may have
    taken effect. ``clock`` says how far our clock is off, where a signature was refused and that
    may be why; otherwise it is empty.
    """

    def __init__(
        self,
        operation: str,
        message: str = "",
        *,
        status: Optional[int] = None,
        code: str = "",
        request_id: str = "",
        retryable: bool = False,
        outcome_unknown: bool = False,
        retry_after: float = 0.0,
        clock: str = "",
    ) -> None:
        self.operation = operation
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retryable = retryable
        self.outcome_unknown = outcome_unknown
        self.retry_after = retry_after
        self.clock = clock
        super().__init__(self._text())

    @property
    def refuses_keys(self) -> bool:
        """Whether the keys were refused, by this call or by one before it."""
        return self.status == HTTPStatus.UNAUTHORIZED or self.code == KEYS_REFUSED

    @property
    def is_throttled(self) -> bool:
        """Whether the account has made too many calls."""
        return self.status == HTTPStatus.TOO_MANY_REQUESTS or self.code == TOO_MANY_CALLS

    @property
    def refuses_words(self) -> bool:
        """Whether the call was refused for what it says: another that says less may be taken."""
        if self.code in WORDS_REFUSED:
            return True
        other = (
            None,
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.TOO_MANY_REQUESTS,
        )
        return (
            self.status not in other
            and HTTPStatus.BAD_REQUEST <= (self.status or 0) < HTTPStatus.INTERNAL_SERVER_ERROR
        )

    def _text(self) -> str:
        # Services end their messages with a full stop; here the sentence goes on. One that was cut
        # keeps its dots.
        cut = self.message.endswith("...")
        message = self.message if cut else self.message.rstrip(" .")
        parts = [self.code, f"HTTP {self.status}" if self.status else "", message]
        said = ", ".join(part for part in parts if part)
        asked = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.operation}: {said or 'failed'}{asked}"


class TaskGone(CloudError):  # noqa: N818 - a finding rather than a fault
    """The service has no such task (SMS.7703)."""


def remedy(error: CloudError, rights: str, address: str) -> str:
    """Return what to do about a call that failed.

    ``rights`` are those that the call needs, ``address`` the settings that name the service.
    """
    return clock_first(error, _usual_remedy(error, rights, address))


def clock_first(error: CloudError, usual: str) -> str:
    """Return what to do about a call that failed, and before it what to do about our clock."""
    if not error.clock:
        return usual
    set_it = f"{error.clock}: set it by NTP, for beyond 15 minutes every call is refused"
    return f"{set_it}; if that does not help, {usual}"


def _usual_remedy(error: CloudError, rights: str, address: str) -> str:
    if error.code == NO_TIME:
        return "the next run continues; if this recurs, raise RUN_BUDGET_SECONDS and the timeout"
    if error.refuses_keys:
        return (
            "correct HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (with temporary keys,"
            " HUAWEICLOUD_SDK_SECURITY_TOKEN too) or the function's agency; check that the keys are"
            f" active in IAM and belong to the site that {address} name"
        )
    if error.is_throttled:
        return "the service accepts no more calls for now: try again in a minute"
    if error.code == PROXY:
        return SET_PROXY
    if error.status is None:
        return f"check the network, and {address}"
    if error.status == HTTPStatus.FORBIDDEN:
        return f"grant {rights}"
    if error.status == HTTPStatus.NOT_FOUND:
        return f"correct {address}"
    if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"check {address}; if they are right, contact the service's support"
    return "try again; if it keeps failing, contact the service's support with the request ID"
