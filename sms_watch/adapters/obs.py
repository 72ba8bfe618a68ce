"""The journal on OBS, by AppendObject (OBS API reference, "Appending an Object").

AppendObject takes the position where the writer believes the object to end, and refuses with 409
when it ends elsewhere: that is the compare-and-swap on which two runs at once depend. An append
whose answer was lost is settled by reading: what stands at the position is one's own entry or
somebody else's, for every line has a nonce.

Of an object its last bytes are asked for. The reference ("Downloading an Object") describes ranges
from a first byte on, and says that a range which is not valid brings the whole object: whether one
of the last bytes is valid, it does not say. So whatever comes is served: the last bytes, the whole
object, which is not taken in if it is long, or a refusal. After the last two the length is known,
or asked for, and a range from a first byte on is sent.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Callable, Dict, Mapping, Optional, Tuple
from urllib.parse import urlsplit

import requests

from sms_watch.adapters.answers import Answer
from sms_watch.adapters.obs_remedies import (
    ARCHIVED,
    CLOSED,
    GRANT,
    MOVED_ON,
    NO_BUCKET,
    NO_OBJECT,
    REMEDIES,
    TO_APPEND,
    TO_MAKE,
    by_status,
)
from sms_watch.adapters.obs_signature import quoted, sign
from sms_watch.adapters.roots import authorities
from sms_watch.adapters.sdk import TIMEOUT, Caller, transport_of
from sms_watch.errors import (
    CloudError,
    JournalClosed,
    JournalConflict,
    JournalError,
    clock_first,
)
from sms_watch.journal.store import Part
from sms_watch.settings.readers import LOOPBACK
from sms_watch.settings.values import Credentials, ObsJournal

# How a service, or something before it, refuses a range that it does not understand.
NO_RANGE = frozenset({400, 416, 501})
# A whole object that came in place of a part is taken in up to this; bytes.
MOST_UNASKED = 192 * 1024
READING, WRITING = "read the journal", "write the journal"
# What tells an answer of OBS from that of something on the way (OBS API reference, "Common
# Response Headers" and "Appending an Object").
REQUEST_ID, NEXT_POSITION = "x-obs-request-id", "x-obs-next-append-position"
STORAGE_CLASS = "x-obs-storage-class"  # only of what is not of the standard class


class Connection:
    """One HTTP connection to the bucket, kept over calls. ``timeout`` is in seconds."""

    def __init__(self, endpoint: str, timeout: Any = TIMEOUT) -> None:
        self.host = urlsplit(endpoint).hostname or endpoint
        self._timeout = timeout
        self._session = requests.Session()
        self._session.verify = authorities() or True
        self._transport = transport_of(self._session)

    def call(self, send: Callable[[], requests.Response]) -> Answer:
        """Send once and return the answer; an error's XML becomes fields."""
        response = send()
        if _is_too_much(response):
            response.close()
            return Answer(response.status_code, None, response.headers)
        body: Any = response.content
        if not response.ok or response.is_redirect:
            body = _fields(response)
        return Answer.of(response, body)

    def send(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send one request; redirects are not followed, for they would take the token along."""
        return self._session.request(
            method, url, timeout=self._timeout, allow_redirects=False, stream=True, **options
        )

    def begin_run(self) -> None:
        """Keep the sockets of earlier runs for reading alone."""
        self._transport.begin_run()

    def close(self) -> None:
        """Close the sockets."""
        self._session.close()


def connect(endpoint: str) -> Connection:
    """Make a connection."""
    return Connection(endpoint)


def address(place: ObsJournal, key: str) -> str:
    """Return the address of an object, or of the bucket: by host, or by path on loopback."""
    parts = urlsplit(place.endpoint)
    if LOOPBACK.fullmatch(parts.hostname or ""):
        return f"{place.endpoint}/{place.bucket}/{quoted(key)}"
    return f"{parts.scheme}://{place.bucket}.{parts.netloc}/{quoted(key)}"


def _is_too_much(response: requests.Response) -> bool:
    """Return whether a long whole object comes where a part of it was asked for."""
    asked = "Range" in response.request.headers and response.status_code == HTTPStatus.OK
    return asked and _length(response.headers) > MOST_UNASKED


def _length(headers: Mapping[str, str]) -> int:
    """Return the length of what an answer brings, or would bring; 0 if it does not tell."""
    text = headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else 0


def _first_byte(answer: Answer) -> Optional[int]:
    """Return where the bytes of an answer begin; ``None`` if it does not tell, or has none."""
    if answer.body is None or answer.status == HTTPStatus.OK:
        return None if answer.body is None else 0
    found = re.fullmatch(r"bytes (\d+)-(\d+)/\d+", answer.headers.get("Content-Range", ""))
    begin, end = (int(found.group(1)), int(found.group(2)) + 1) if found else (0, -1)
    return begin if end - begin == len(answer.body) else None


def _fields(response: requests.Response) -> Dict[str, str]:
    """Return code, message and request id of an error's XML; the id may stand in a header alone."""
    found = {
        name: re.search(rf"<{tag}>([^<]*)</{tag}>", response.text)
        for name, tag in (("code", "Code"), ("message", "Message"), ("request_id", "RequestId"))
    }
    told = {name: match.group(1) for name, match in found.items() if match}
    return {"request_id": response.headers.get(REQUEST_ID, ""), **told}


class ObsStore:
    """An append store in a bucket; ``warn`` takes what people should know of it.

    ``moment`` is the time by the clock of OBS when it last answered.
    """

    moment: Optional[datetime] = None
    reopens = False

    def __init__(
        self,
        place: ObsJournal,
        caller: Caller,
        credentials: Credentials,
        now: datetime,
        warn: Callable[[str], None],
    ) -> None:
        self._place = place
        self._caller = caller
        self._credentials = credentials
        self._now = now
        self._warn = warn

    def tail(self, name: str, size: int) -> Optional[Part]:
        """Return the last ``size`` bytes of an object or more; ``None`` if there is none.

        Raise JournalError if it cannot be read.
        """
        try:
            data, begin, headers = self._last(name, size)
        except CloudError as error:
            if error.code == ARCHIVED:
                return Part(b"", appendable=False, readable=False)
            self._see_absence(error)
            return None
        if data is None:
            data = self.get(name, begin)
        # API reference, "Downloading an Object": only an object that can be appended to has these.
        is_open = NEXT_POSITION in headers and STORAGE_CLASS not in headers
        return None if data is None else Part(data, begin, is_open)

    def get(self, name: str, begin: int = 0, end: Optional[int] = None) -> Optional[bytes]:
        """Return the bytes of an object between two places; ``None`` if there is none.

        Raise JournalError if it cannot be read.
        """
        try:
            part = self._between(name, begin, end) if begin or end is not None else None
            if part is None:
                whole: bytes = self._read(self._ask(name)).body
                part = whole[begin:end]
        except CloudError as error:
            self._see_absence(error)
            return None
        return part

    def _last(self, name: str, size: int) -> Tuple[Optional[bytes], int, Mapping[str, str]]:
        """Return the last bytes of an object, where they begin, and what was said of it.

        If the service does not give them, the bytes are missing, and only the place is told.
        """
        try:
            answer = self._read(self._ask(name, f"bytes=-{size}"))
        except CloudError as error:
            if error.status not in NO_RANGE:
                raise
        else:
            begin = _first_byte(answer)
            if begin is not None:
                return answer.body, begin, answer.headers
            if answer.status == HTTPStatus.OK:
                return None, max(0, _length(answer.headers) - size), answer.headers
        headers = self._read(self._request("HEAD", name)).headers
        return None, max(0, _length(headers) - size), headers

    def _between(self, name: str, begin: int, end: Optional[int]) -> Optional[bytes]:
        """Return the bytes between two places; ``None`` if the service gives no such part."""
        try:
            asked = f"bytes={begin}-{'' if end is None else end - 1}"
            answer = self._read(self._ask(name, asked))
        except CloudError as error:
            if error.status not in NO_RANGE:
                raise
            ends = error.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            return b"" if ends and self._size(name) <= begin else None
        first = _first_byte(answer)
        if first is None or first > begin:
            return None
        data: bytes = answer.body
        return data[begin - first : None if end is None else end - first]

    def _size(self, name: str) -> int:
        return _length(self._read(self._request("HEAD", name)).headers)

    def _ask(self, name: str, part: str = "") -> Callable[[], requests.Response]:
        """Return what asks for an object, or for a part of it."""
        return self._request("GET", name, headers={"Range": part} if part else {})

    def _read(self, send: Callable[[], requests.Response]) -> Answer:
        """Return what OBS answers. Raise CloudError if it is not what was asked for."""
        answer = self._caller.read(READING, send)
        if REQUEST_ID not in answer.headers:
            # Something on the way answered in place of OBS.
            raise self._caller.malformed(READING)
        return answer

    def _see_absence(self, error: CloudError) -> None:
        """Raise JournalError if an error says anything but that there is no such object."""
        if error.code != NO_OBJECT and not (error.code == NO_BUCKET and self._place.own):
            raise self._explained(error) from None

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append to an object whose length is ``offset``; at 0 it is made.

        Raise JournalConflict, with nothing written, if it has another length, JournalClosed if it
        takes nothing more, JournalError if it cannot be written.
        """
        parameters = {"append": "", "position": str(offset)}
        send = self._request("POST", name, parameters, data)
        error = self._try(send)
        if error is None or self._has_won(error, name, offset, data):
            return
        # It was not taken, and may be sent again: whoever came first is found by the position.
        error = self._try(send)
        if error is None or self._has_won(error, name, offset, data):
            return
        raise self._explained(error, TO_APPEND)

    def _has_won(self, error: CloudError, name: str, offset: int, data: bytes) -> bool:
        """Return whether an append that ended in an error was taken all the same.

        False means that it was not, and may be sent again. Raise JournalConflict if another
        entry stands there, JournalClosed if the object takes nothing more, JournalError if sending
        again would not help.
        """
        if error.code == NO_BUCKET and self._place.own:
            self._make_bucket()
            return False
        explained = self._explained(error, TO_APPEND)
        if not (error.outcome_unknown or error.status == HTTPStatus.CONFLICT):
            raise JournalClosed(str(explained)) if error.code in CLOSED else explained
        if (self.get(name, offset) or b"").startswith(data):
            return True
        if error.code == MOVED_ON:
            raise JournalConflict(f"{name} has grown since it was read")
        if error.code in CLOSED:
            raise JournalClosed(str(explained))
        if error.status == HTTPStatus.CONFLICT:
            raise self._explained(error)
        return False

    def _try(self, send: Callable[[], requests.Response]) -> Optional[CloudError]:
        try:
            answer = self._caller.write(WRITING, send)
        except CloudError as error:
            return error
        if NEXT_POSITION not in answer.headers:
            return self._caller.malformed(WRITING, write=True)
        return None

    def _make_bucket(self) -> None:
        """Make the default bucket, private. One that another run has just made is as good."""
        location = (
            f'<CreateBucketConfiguration xmlns="http://obs.{self._place.region}.myhuaweicloud.com'
            f'/doc/2015-06-30/"><Location>{self._place.region}</Location>'
            "</CreateBucketConfiguration>"
        )
        send = self._request("PUT", None, {}, location.encode(), {"x-obs-acl": "private"})
        try:
            self._caller.write("make the journal's bucket", send)
        except CloudError as error:
            if error.code == "BucketAlreadyOwnedByYou":
                return
            raise self._explained(error, TO_MAKE) from None
        self._warn(f"the bucket {self._place.bucket} was made, private, for the journal")

    def _request(
        self,
        method: str,
        name: Optional[str],
        parameters: Optional[Mapping[str, str]] = None,
        data: bytes = b"",
        headers: Optional[Mapping[str, str]] = None,
    ) -> Callable[[], requests.Response]:
        """Return what sends a signed request for an object, or for the bucket without a name."""
        prefix = self._place.prefix
        key = "" if name is None else f"{prefix}/{name}" if prefix else name
        chosen = dict(parameters or {})
        signed = sign(
            method,
            self._place.bucket,
            key,
            chosen,
            dict(headers or {}),
            self._credentials,
            self._now,
        )
        query = "&".join(f"{item}={text}" if text else item for item, text in chosen.items())
        url = address(self._place, key) + (f"?{query}" if query else "")

        def send() -> requests.Response:
            response: requests.Response = self._caller.connection.send(
                method, url, data=data, headers=signed
            )
            self._note_time(response.headers)
            return response

        return send

    def _note_time(self, headers: Mapping[str, str]) -> None:
        """Take in what time it is at OBS, which alone all runs agree on."""
        try:
            moment = parsedate_to_datetime(headers.get("Date", ""))
        except (TypeError, ValueError, IndexError):
            return
        if REQUEST_ID in headers and moment.tzinfo is not None:
            self.moment = moment.astimezone(timezone.utc)

    def _explained(self, error: CloudError, denied: str = GRANT) -> JournalError:
        remedy = clock_first(error, REMEDIES.get(error.code) or by_status(error, denied))
        what = f"the journal in obs://{self._place.bucket}/{self._place.prefix} failed"
        return JournalError(f"{what}: {error}; {remedy}")
