"""Answers as they came, and the errors that they tell of: codes, pauses, clocks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Dict, Mapping, NamedTuple, Optional

import requests

from sms_watch.errors import TOO_SKEWED, CloudError
from sms_watch.text import MAX_DETAIL, clean, duration

PASSING = frozenset(
    {
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
# How a throttling policy names itself, as in "policy ip over ratelimit,limit:20,time:1 minute" (an
# answer of the gateway with the code APIGW.0308).
WINDOW = re.compile(r"\btime: *([0-9]{1,6}) *(second|minute|hour|day)")
SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
# Signatures are refused beyond 15 minutes (API Request Signing Guide, "X-Sdk-Date"; OBS API
# reference, "RequestTimeTooSkewed"). A third of that is more than a slow answer explains, and soon
# enough to tell of a clock that runs away.
CLOCK_OFF = timedelta(minutes=5)
SIGNED_AT = "%Y%m%dT%H%M%SZ"  # the form of X-Sdk-Date
# The codes with which OBS refuses a signature, under HTTP 403 ("Error Codes").
UNSIGNED = frozenset({TOO_SKEWED, "SignatureDoesNotMatch"})


class Said(NamedTuple):
    """What an error body says; nothing else of it is of use."""

    code: str
    message: str
    request_id: str


@dataclass(frozen=True)
class Answer:
    """An answer as it came: HTTP status, and the JSON of its body.

    A body that is no JSON is ``None``; an empty one is an empty object. ``ahead`` is by how much
    the clock that signed the request is ahead of the one that dated a refusal, ``None`` where
    that is not told.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    ahead: Optional[timedelta] = None

    @classmethod
    def of(cls, response: requests.Response, body: Any) -> Answer:
        """Return an answer with its body as it was understood."""
        ahead = _ahead(response) if response.status_code >= HTTPStatus.BAD_REQUEST else None
        return cls(response.status_code, body, response.headers, ahead)

    @property
    def has_error(self) -> bool:
        """Whether there is an ``error_code`` in the body, whatever the status."""
        return bool(_error_in(self.body))

    @property
    def said(self) -> Said:
        """What the body says of an error, with empty texts for what it does not."""
        fields = _error_in(self.body) or (self.body if isinstance(self.body, dict) else {})
        texts = {name: _text(item) for name, item in fields.items()}
        return Said(
            texts.get("error_code") or texts.get("code") or "",
            texts.get("error_msg") or texts.get("message") or "",
            self.headers.get("X-Request-Id") or texts.get("request_id") or "",
        )


def refusal(operation: str, answer: Answer, write: bool) -> CloudError:
    """Return the error of an answer that tells of one, by its status or in its body."""
    said = answer.said
    throttled = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    retryable = throttled or (not write and answer.status in PASSING)
    unsigned = answer.status == HTTPStatus.UNAUTHORIZED or said.code in UNSIGNED
    return CloudError(
        operation,
        clean(said.message, MAX_DETAIL),
        status=answer.status,
        code=clean(said.code),
        request_id=clean(said.request_id),
        retryable=retryable,
        outcome_unknown=write and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        retry_after=_named_pause(answer.headers, said.message) if retryable else 0,
        clock=_clock(answer.ahead, said.code) if unsigned else "",
    )


def _error_in(body: Any) -> Dict[str, Any]:
    """Return the object in an answer that has an ``error_code``, empty if none has.

    That is the body itself, a row of it, or one of its ``details`` (SMS API reference, "Error
    Codes").
    """
    inner = body.get("details") if isinstance(body, dict) else body
    rows = [body, *(inner if isinstance(inner, list) else ())]
    return next((row for row in rows if isinstance(row, dict) and _text(row.get("error_code"))), {})


def _text(item: Any) -> str:
    """Return a text, or a number as one, for some codes are numbers; 0 is none."""
    return str(item) if item and type(item) in (str, int) else ""


def _named_pause(headers: Mapping[str, str], message: str) -> float:
    """Return the seconds for which a service wants to be left alone, 0 if it names none.

    Retry-After names them, or the window of the policy that throttles: the longer one counts.
    """
    header, window = headers.get("Retry-After", ""), WINDOW.search(message)
    asked = float(header) if header.isdecimal() else 0.0
    return max(asked, float(window[1]) * SECONDS[window[2]] if window else 0.0)


# Clocks


def date_of(headers: Mapping[str, str]) -> Optional[datetime]:
    """Return the moment at which an answer was made, aware, ``None`` where it is not told."""
    return _moment(headers.get("Date", ""))


def _ahead(response: requests.Response) -> Optional[timedelta]:
    signed, theirs = response.request.headers, date_of(response.headers)
    ours = _moment(signed.get("X-Sdk-Date") or signed.get("x-obs-date") or "")
    return ours - theirs if ours and theirs else None


def _moment(text: str) -> Optional[datetime]:
    try:
        if text.endswith("Z"):
            return datetime.strptime(text, SIGNED_AT).replace(tzinfo=timezone.utc)
        return parsedate_to_datetime(text).astimezone(timezone.utc)
    except (TypeError, ValueError):
        return None


def _clock(ahead: Optional[timedelta], code: str) -> str:
    """Return words for how far our clock is off; none where it is not, or nobody says so."""
    if ahead is not None and abs(ahead) >= CLOCK_OFF:
        where = "ahead of" if ahead > timedelta(0) else "behind"
        return f"the clock of this machine is {duration(abs(ahead))} {where} the service's"
    return "the clock of this machine is off by more than 15 minutes" if code == TOO_SKEWED else ""
