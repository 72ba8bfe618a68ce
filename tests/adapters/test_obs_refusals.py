"""What OBS refuses, and what to do about it; the default bucket, and how it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulated_cloud.buckets import Bucket
from simulated_cloud.faults import Fault
from simulated_cloud.signing import Key
from sms_watch.adapters import obs
from sms_watch.errors import JournalError
from tests.support.builders import NOW, minutes
from tests.support.clouds import BUCKET, KEY, TEMPORARY, Night, an_obs_store
from tests.support.loopback import answer, serving
from tests.support.obs_journals import (
    DEFAULT,
    LINE,
    NAME,
    a_store_at,
    full,
    written_over,
)

# Refusals and their remedies


def _kind(kind: str) -> Any:
    def change(night: Night) -> None:
        night.storage.buckets[BUCKET].kind = kind

    return change


def _without(*rights: str) -> Any:
    def change(night: Night) -> None:
        night.storage.allowed = night.storage.allowed - set(rights)

    return change


def _no_bucket(night: Night) -> None:
    night.storage.buckets.clear()


def _elsewhere(night: Night) -> None:
    night.storage.buckets[BUCKET].region = "cn-north-4"


def _somebody_elses(night: Night) -> None:
    night.storage.buckets[BUCKET].owner = "them"


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (_kind("parallel"), "name an ordinary bucket"),
        (_kind("replicated"), "name an ordinary bucket"),
        (_kind("archive"), "a bucket of the standard class"),
        (_kind("worm"), "WORM (write once, read many) refuses to append with the same 403"),
        (full, "appended to 10,000 times"),
        (written_over, "written over"),
        (_without("append"), "obs:object:PutObject"),
        (_no_bucket, "make it, or correct JOURNAL_URI"),
        (_elsewhere, "OBS_REGION"),
        (_somebody_elses, "belong to another account"),
    ],
)
def test_a_bucket_that_cannot_be_written_is_explained(
    night: Night, change: Any, remedy: str
) -> None:
    """The error names the bucket, the cause and the remedy; nothing is written."""
    change(night)
    before = {name: bucket.objects for name, bucket in night.storage.buckets.items()}
    with an_obs_store(night) as store, pytest.raises(JournalError) as caught:
        store.append(NAME, 0, LINE)
    assert f"obs://{BUCKET}/watch" in str(caught.value)
    assert remedy in str(caught.value)
    assert {name: bucket.objects for name, bucket in night.storage.buckets.items()} == before


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (_without("get"), "obs:object:GetObject"),
        (_no_bucket, "make it, or correct JOURNAL_URI"),
        (_elsewhere, "OBS_REGION"),
        (_somebody_elses, "belong to another account"),
    ],
)
def test_a_bucket_that_cannot_be_read_is_explained(night: Night, change: Any, remedy: str) -> None:
    """A journal that cannot be read is never taken for an empty one."""
    change(night)
    with an_obs_store(night) as store, pytest.raises(JournalError, match=remedy):
        store.get(NAME)


def _use(store: obs.ObsStore) -> None:
    store.get(NAME)
    store.append(NAME, 0, LINE)


BARE = Fault(403)
DENIED = Fault(403, "<Error><Code>AccessDenied</Code></Error>")


@pytest.mark.parametrize("fault", [BARE, DENIED], ids=["bare", "AccessDenied"])
@pytest.mark.parametrize(
    ("operation", "right", "worm"),
    [
        ("get_object", "obs:object:GetObject", False),
        ("append_object", "obs:object:PutObject", True),
        ("create_bucket", "obs:bucket:CreateBucket", False),
    ],
)
def test_a_right_that_is_missing_may_just_have_been_granted(
    night: Night, operation: str, right: str, worm: bool, fault: Fault
) -> None:
    """A 403 names the right of that call and how long OBS takes; of an append also WORM."""
    night.faults.add(operation, fault)
    own = operation == "create_bucket"
    with an_obs_store(night, own=own) as store, pytest.raises(JournalError) as caught:
        _use(store)
    text = str(caught.value)
    assert right in text
    assert "rights that were just granted take up to 15 minutes on OBS" in text
    assert ("WORM" in text) is worm


@pytest.mark.parametrize(
    "body", ["", "<Error><Code>AccessDenied</Code><RequestId>0001AB</RequestId></Error>"]
)
def test_a_refusal_keeps_its_request_id(body: str) -> None:
    """OBS support asks for it; an answer without a body has it in a header."""
    reply = answer(403, body, "x-obs-request-id: 0001AB")
    with serving(reply) as server, pytest.raises(JournalError, match=r"\(request 0001AB\)"):
        a_store_at(server.url).get(NAME)


@pytest.mark.parametrize(
    ("key", "clock", "remedy"),
    [
        (replace(KEY, secret="wrong" * 8), 0, "correct HUAWEICLOUD_SDK_SK"),
        (replace(KEY, access="UNKNOWNKEY0000000001"), 0, "correct HUAWEICLOUD_SDK_AK"),
        (replace(TEMPORARY, token="expired"), 0, "renew the temporary keys"),
        (KEY, 16, "the clock of this machine is 16 min behind the service's: set it by NTP"),
        (replace(KEY, secret="wrong" * 8), 6, "6 min behind .* correct HUAWEICLOUD_SDK_SK"),
    ],
)
def test_keys_and_clocks_that_are_wrong_are_explained(
    night: Night, key: Key, clock: int, remedy: str
) -> None:
    """Each has its own remedy, and no key is in the text."""
    with an_obs_store(night, key=key) as store:
        night.clock.set(NOW + minutes(clock))
        with pytest.raises(JournalError, match=remedy) as caught:
            store.get(NAME)
    assert key.secret not in str(caught.value)


def test_a_clock_is_told_to_be_off_though_nobody_says_how_far() -> None:
    """The code says enough where an answer of OBS has no date."""
    reply = answer(403, "<Error><Code>RequestTimeTooSkewed</Code></Error>")
    with serving(reply) as server, pytest.raises(JournalError, match="more than 15 minutes: set"):
        a_store_at(server.url).get(NAME)


@pytest.mark.parametrize("status", [200, 404])
def test_a_page_that_is_no_answer_of_obs_is_not_a_journal(night: Night, status: int) -> None:
    """An answer of something else on the way does not make the watchdog forget."""
    night.faults.add("get_object", Fault(status, "<html>Sign in</html>"))
    with an_obs_store(night) as store, pytest.raises(JournalError):
        store.get(NAME)


# The default bucket


def test_the_default_bucket_is_made_private_by_the_first_entry(night: Night) -> None:
    """Nobody has to set up anything more; people are told that it was made."""
    with an_obs_store(night, own=True) as store:
        assert store.get(NAME) is None
        assert DEFAULT not in night.storage.buckets
        store.append(NAME, 0, LINE)
        assert store.get(NAME) == LINE
    made = night.storage.buckets[DEFAULT]
    assert (made.acl, made.region) == ("private", "ap-southeast-3")
    assert night.remarks == [f"the bucket {DEFAULT} was made, private, for the journal"]


def test_a_bucket_that_another_run_has_just_made_is_as_good(night: Night) -> None:
    """Two first runs at once make one bucket."""
    with an_obs_store(night, own=True) as store:
        night.faults.add("append_object", _error(404, "NoSuchBucket"))
        night.storage.buckets[DEFAULT] = Bucket("ap-southeast-3")
        store.append(NAME, 0, LINE)
    assert night.remarks == []


def _error(status: int, code: str) -> Fault:
    return Fault(status, f"<Error><Code>{code}</Code></Error>")


@pytest.mark.parametrize(
    ("allowed", "owner", "remedy"),
    [
        ({"get", "append"}, "", "obs:bucket:CreateBucket"),
        ({"get", "append", "create"}, "them", "belong to another account"),
    ],
)
def test_a_default_bucket_that_cannot_be_made_is_explained(
    night: Night, allowed: Any, owner: str, remedy: str
) -> None:
    """A missing right, or a name that is taken: the error says what to do."""
    night.storage.allowed = frozenset(allowed)
    if owner:
        night.storage.buckets[DEFAULT] = Bucket("ap-southeast-3", owner=owner)
    with an_obs_store(night, own=True) as store, pytest.raises(JournalError, match=remedy):
        store.append(NAME, 0, LINE)


def test_a_name_that_is_taken_is_explained_when_it_is_made(night: Night) -> None:
    """BucketAlreadyExists means that the name is somebody else's."""
    night.faults.add("create_bucket", _error(409, "BucketAlreadyExists"))
    taken = pytest.raises(JournalError, match="belongs to another account")
    with an_obs_store(night, own=True) as store, taken:
        store.append(NAME, 0, LINE)


def test_a_default_bucket_is_not_made_in_another_region(night: Night) -> None:
    """OBS refuses it at an endpoint that is not of its region; both settings are named."""
    night.storage.region = "cn-north-4"
    told = pytest.raises(JournalError, match="OBS_ENDPOINT is not in the region of OBS_REGION")
    with an_obs_store(night, own=True) as store, told:
        store.append(NAME, 0, LINE)
    assert DEFAULT not in night.storage.buckets


@pytest.mark.parametrize(
    ("status", "remedy"), [(400, "if they are right, contact OBS support"), (409, "tries again")]
)
def test_what_does_not_pass_by_itself_is_told_from_what_does(
    night: Night, status: int, remedy: str
) -> None:
    """A request that makes no sense to OBS will make none in the next run either."""
    night.faults.add("get_object", _error(status, "NeverHeardOf"))
    with an_obs_store(night) as store, pytest.raises(JournalError, match=remedy):
        store.get(NAME)
