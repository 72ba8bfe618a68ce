"""The journal on OBS, by AppendObject (OBS API reference, "Appending an Object").

AppendObject takes the position where the writer believes the object to end, and refuses with 409
when it ends elsewhere: that is the compare-and-swap on which two runs at once depend. An append
whose answer was lost is settled by reading: what stands at the position is one's own entry or
somebody else's, for every line has a nonce.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Callable, Dict, Mapping, Optional
from urllib.parse import urlsplit

import requests

from sms_watch.adapters.answers import Answer
from sms_watch.adapters.obs_signature import quoted, sign
from sms_watch.adapters.roots import authorities
from sms_watch.adapters.sdk import TIMEOUT, Caller, transport_of
from sms_watch.errors import (
    FORBIDDEN,
    PROXY,
    REFUSED,
    SET_PROXY,
    THROTTLED,
    TOO_SKEWED,
    CloudError,
    JournalConflict,
    JournalError,
    clock_first,
)
from sms_watch.settings import LOOPBACK, Credentials, ObsJournal

CONFLICT = 409
# What tells an answer of OBS from that of something on the way (OBS API reference, "Common
# Response Headers" and "Appending an Object").
REQUEST_ID, NEXT_POSITION = "x-obs-request-id", "x-obs-next-append-position"
NO_BUCKET, NO_OBJECT, MOVED_ON = "NoSuchBucket", "NoSuchKey", "PositionNotEqualToLength"

CANNOT_APPEND = (
    "this bucket cannot append (a parallel file system, WORM, cross-region replication or archive"
    " storage cannot): name an ordinary bucket of the standard class in JOURNAL_URI"
)
# OBS permissions configuration guide, "IAM Permissions"; API reference, "Appending an Object".
JUST_GRANTED = "rights that were just granted take up to 15 minutes on OBS"
GRANT = (
    "grant obs:object:GetObject and obs:object:PutObject on it, and obs:bucket:ListBucket on the"
    f" bucket ({JUST_GRANTED}); with the default bucket, the name may also belong to another"
    " account: then name a bucket of your own in JOURNAL_URI"
)
TO_APPEND = (
    f"{GRANT}; a bucket with WORM (write once, read many) refuses to append with the same 403: then"
    " name one without it, of the standard class, in JOURNAL_URI"
)
TO_MAKE = (
    "the first run makes it and may not: grant obs:bucket:CreateBucket for that run"
    f" ({JUST_GRANTED}), make the bucket by hand (private, standard class), or name another one in"
    " JOURNAL_URI"
)
# What to do about each of the service's codes (OBS API reference, "Error Codes").
REMEDIES: Mapping[str, str] = {
    NO_BUCKET: "there is no such bucket: make it, or correct JOURNAL_URI",
    "InvalidAccessKeyId": "the access key is not known: correct HUAWEICLOUD_SDK_AK, or the agency",
    "SignatureDoesNotMatch": (
        "the secret key does not match the access key: correct HUAWEICLOUD_SDK_SK, or check the"
        " function's agency"
    ),
    "ExpiredToken": "the temporary keys have expired: renew them, or use the function's agency",
    "InvalidToken": (
        "the security token is missing or not accepted: renew the temporary keys, or check the"
        " function's agency"
    ),
    TOO_SKEWED: "contact OBS support",
    "ObjectNotAppendable": (
        "its object was appended to 10,000 times or written over, or its storage is archived:"
        " name another prefix or a bucket of the standard class in JOURNAL_URI"
    ),
    "AppendTooLarge": "its object is full: name another prefix in JOURNAL_URI",
    "OperationNotSupported": CANNOT_APPEND,
    "MethodNotAllowed": CANNOT_APPEND,
    "NotImplemented": CANNOT_APPEND,
    "InvalidObjectState": CANNOT_APPEND,
    "unreachable": "check the network, OBS_REGION and OBS_ENDPOINT; the next run tries again",
    PROXY: SET_PROXY,
    "certificate": "check OBS_ENDPOINT, and what stands between this machine and OBS",
    "InvalidLocationConstraint": (
        "OBS_ENDPOINT is not in the region of OBS_REGION, or of the topic if that is not set:"
        " correct one of them"
    ),
    "BucketAlreadyExists": (
        "its name belongs to another account: name a bucket of your own in JOURNAL_URI"
    ),
}
SET_REGION = (
    "set OBS_REGION to the region that the OBS console shows for it, and correct OBS_ENDPOINT if"
    " that is set"
)
LOOK_AGAIN = (
    "check JOURNAL_URI, OBS_REGION and OBS_ENDPOINT; if they are right, contact OBS support"
)
LATER = "the next run tries again; if it keeps failing, contact OBS support"


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
        body: Any = response.content
        if not response.ok or response.is_redirect:
            body = _fields(response)
        return Answer.of(response, body)

    def send(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send one request; redirects are not followed, for they would take the token along."""
        return self._session.request(
            method, url, timeout=self._timeout, allow_redirects=False, **options
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


def _fields(response: requests.Response) -> Dict[str, str]:
    """Return code, message and request id of an error's XML; the id may stand in a header alone."""
    found = {
        name: re.search(rf"<{tag}>([^<]*)</{tag}>", response.text)
        for name, tag in (("code", "Code"), ("message", "Message"), ("request_id", "RequestId"))
    }
    told = {name: match.group(1) for name, match in found.items() if match}
    return {"request_id": response.headers.get(REQUEST_ID, ""), **told}


class ObsStore:
    """An append store in a bucket; ``remark`` takes what people should know of it."""

    def __init__(
        self,
        place: ObsJournal,
        caller: Caller,
        credentials: Credentials,
        now: datetime,
        remark: Callable[[str], None],
    ) -> None:
        self._place = place
        self._caller = caller
        self._credentials = credentials
        self._now = now
        self._remark = remark

    def get(self, name: str) -> Optional[bytes]:
        """Return an object, ``None`` if there is none. Raise JournalError if it cannot be read."""
        try:
            answer = self._caller.read("read the journal", self._request("GET", name))
        except CloudError as error:
            if error.code == NO_OBJECT or (error.code == NO_BUCKET and self._place.own):
                return None
            raise self._explained(error) from None
        if REQUEST_ID not in answer.headers:
            # Something on the way answered in place of OBS.
            raise self._explained(self._caller.malformed("read the journal"))
        content: bytes = answer.body
        return content

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append to an object whose length is ``offset``; at 0 it is made.

        Raise JournalConflict, with nothing written, if it has another length, JournalError if it
        cannot be written.
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
        entry stands there, JournalError if sending again would not help.
        """
        if error.code == NO_BUCKET and self._place.own:
            self._make_bucket()
            return False
        if not (error.outcome_unknown or error.status == CONFLICT):
            raise self._explained(error, TO_APPEND)
        standing = (self.get(name) or b"")[offset:]
        if standing.startswith(data):
            return True
        if error.code == MOVED_ON:
            raise JournalConflict(f"{name} has grown since it was read")
        if error.status == CONFLICT:
            raise self._explained(error)
        return False

    def _try(self, send: Callable[[], requests.Response]) -> Optional[CloudError]:
        operation = "write the journal"
        try:
            answer = self._caller.write(operation, send)
        except CloudError as error:
            return error
        if NEXT_POSITION not in answer.headers:
            return self._caller.malformed(operation, write=True)
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
        self._remark(f"the bucket {self._place.bucket} was made, private, for the journal")

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
        return lambda: self._caller.connection.send(method, url, data=data, headers=signed)

    def _explained(self, error: CloudError, denied: str = GRANT) -> JournalError:
        remedy = clock_first(error, REMEDIES.get(error.code) or _by_status(error, denied))
        what = f"the journal in obs://{self._place.bucket}/{self._place.prefix} failed"
        return JournalError(f"{what}: {error}; {remedy}")


def _by_status(error: CloudError, denied: str) -> str:
    status = error.status or 0
    if 300 <= status < 400:
        return f"the bucket lies in another region: {SET_REGION}"
    by_status = {
        REFUSED: denied,
        FORBIDDEN: denied,
        405: CANNOT_APPEND,
        CONFLICT: LATER,
        THROTTLED: LATER,
    }
    return by_status.get(status, LOOK_AGAIN if 400 <= status < 500 else LATER)
