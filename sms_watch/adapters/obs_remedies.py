"""What to do about a refusal of OBS, by its code or its status."""

from __future__ import annotations

from http import HTTPStatus
from typing import Mapping

from sms_watch.errors import (
    PROXY,
    SET_PROXY,
    TOO_SKEWED,
    CloudError,
)

NO_BUCKET, NO_OBJECT, MOVED_ON = "NoSuchBucket", "NoSuchKey", "PositionNotEqualToLength"
ARCHIVED = "InvalidObjectState"
# An object that was put or copied, or lies in an archive, takes no more, nor does a full one.
CLOSED = frozenset({"ObjectNotAppendable", "AppendTooLarge", ARCHIVED})

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


def by_status(error: CloudError, denied: str) -> str:
    """Return what to do about an error without a known code."""
    status = error.status or 0
    if 300 <= status < 400:
        return f"the bucket lies in another region: {SET_REGION}"
    by_status = {
        HTTPStatus.UNAUTHORIZED: denied,
        HTTPStatus.FORBIDDEN: denied,
        405: CANNOT_APPEND,
        HTTPStatus.CONFLICT: LATER,
        HTTPStatus.TOO_MANY_REQUESTS: LATER,
    }
    return by_status.get(status, LOOK_AGAIN if 400 <= status < 500 else LATER)
