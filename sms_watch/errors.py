"""What can go wrong, told in a way that says what to do next."""

from __future__ import annotations

from typing import Optional, Sequence

REFUSED, FORBIDDEN, ABSENT, THROTTLED, BROKEN = 401, 403, 404, 429, 500
# The codes of calls that were not made: no time was left; the service had refused the keys before.
NO_TIME, KEYS_REFUSED = "no_time", "keys_refused"
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
    word of ours for what happened on the way (``timeout``, ``unreachable``, ``no_answer``,
    ``certificate``, ``malformed``), or kept the call from being sent (``no_time``,
    ``keys_refused``). ``request_id`` is the service's. ``retryable``: the same call
    may be sent again without harm, after ``retry_after`` seconds if the service named them.
    ``outcome_unknown``: a write may have taken effect.
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
    ) -> None:
        self.operation = operation
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retryable = retryable
        self.outcome_unknown = outcome_unknown
        self.retry_after = retry_after
        super().__init__(self._text())

    @property
    def refuses_keys(self) -> bool:
        """Whether the keys were refused, by this call or by one before it."""
        return self.status == REFUSED or self.code == KEYS_REFUSED

    @property
    def is_throttled(self) -> bool:
        """Whether the account has made too many calls."""
        return self.status == THROTTLED

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
    """Say what to do about a call that failed.

    ``rights`` are those that the call needs, ``address`` the settings that name the service.
    """
    if error.code == NO_TIME:
        return "the next run goes on; if it lasts, raise RUN_BUDGET_SECONDS and the timeout"
    if error.refuses_keys:
        return (
            "correct HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (with temporary keys,"
            " HUAWEICLOUD_SDK_SECURITY_TOKEN too) or the function's agency; see that the keys are"
            f" active in IAM, and of the site that {address} name"
        )
    if error.status is None:
        return f"look at the network, and at {address}"
    if error.status == FORBIDDEN:
        return f"grant {rights}"
    if error.status == ABSENT:
        return f"correct {address}"
    if error.status == THROTTLED:
        return "the service takes no more calls for now: try again in a minute"
    if error.status < BROKEN:
        return f"see that {address} are right; if they are, ask the service's support"
    return "to try again may help; if it lasts, ask the service's support, with the request id"
