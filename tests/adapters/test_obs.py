"""The journal on OBS: what is sent, what is answered, and what to do about each refusal."""

from __future__ import annotations

import random
import string
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import requests
import responses
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkobs.v1 import GetObjectRequest, ObsClient
from huaweicloudsdkobs.v1.obs_credentials import ObsCredentials
from huaweicloudsdkobs.v1.obs_signer import OBSSigner

from simulated_cloud import obs_signing
from simulated_cloud.buckets import MOST_APPENDS, Bucket, StoredObject
from simulated_cloud.faults import Fault
from simulated_cloud.shapes import PROJECT
from simulated_cloud.signing import Key, SignedRequest
from simulated_cloud.task import Refused
from sms_watch.adapters import obs
from sms_watch.adapters.obs_signature import quoted, sign
from sms_watch.adapters.sdk import Caller
from sms_watch.errors import JournalClosed, JournalConflict, JournalError
from sms_watch.journal.entries import Entry, EntryType
from sms_watch.journal.objects import DailyJournal
from sms_watch.rules.record import TaskRecord
from sms_watch.settings.values import Credentials, ObsJournal
from tests.support.builders import DISK_FULL, NOW, minutes
from tests.support.clouds import BUCKET, KEY, TEMPORARY, TOPIC, Night, a_night, an_obs_store
from tests.support.fakes import FakeDeadline, FakeStore
from tests.support.loopback import DROP, SILENT, answer, closed_port, serving

DEFAULT = f"sms-watch-{PROJECT}"
NAME = "journal-20261124.jsonl"
LINE = b'{"nonce":"mine"}\n'
OTHER = b'{"nonce":"another"}\n'
TODAY = "20261124"
OTHER_TOPIC = TOPIC.replace("night-watch", "wave-2")


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Return a night whose cloud has a bucket of one's own."""
    with a_night(tmp_path) as made:
        made.storage.create(BUCKET, "ap-southeast-3", "private")
        yield made


def _objects(night: Night, bucket: str = BUCKET) -> Dict[str, StoredObject]:
    return night.storage.buckets[bucket].objects


# The signature


def test_the_signature_is_that_of_the_official_package() -> None:
    """On thousands of generated requests both signers agree, byte for byte."""
    draw = random.Random(4711)  # noqa: S311 - a seed, no secret
    for _ in range(4000):
        method, bucket, key, parameters, headers, keys, now = _a_request(draw)
        ours = sign(method, bucket, key, parameters, headers, keys, now)
        theirs = OBSSigner.doAuth(
            ObsCredentials(keys.access_key, keys.secret_key, keys.security_token or None),
            method,
            bucket,
            OBSSigner.encode_object_key(key),
            list(parameters.items()),
            {name: text for name, text in ours.items() if name != "Authorization"},
        )
        assert ours["Authorization"] == theirs["Authorization"], theirs["CanonicalString"]


def _a_request(draw: random.Random) -> Tuple[Any, ...]:
    def text(letters: str, most: int) -> str:
        return "".join(draw.choices(letters, k=draw.randint(1, most)))

    parameters = draw.choice(
        [{}, {"append": "", "position": str(draw.randint(0, 10**9))}, {"prefix": "x", "append": ""}]
    )
    headers = draw.choice(
        [
            {},
            {"Content-Type": "application/json"},
            {"Content-MD5": "abc==", "x-obs-acl": "private"},
            {"x-obs-meta-a": text(string.ascii_letters, 9)},
        ]
    )
    token = draw.choice(["", text(string.ascii_letters, 200)])
    return (
        draw.choice(["GET", "PUT", "POST", "HEAD"]),
        text(string.ascii_lowercase + string.digits, 40),
        draw.choice(["", text(string.ascii_letters + "/~ _-.+%ä数", 40)]),
        parameters,
        headers,
        Credentials(text(string.ascii_uppercase, 20), text(string.ascii_letters, 40), token),
        NOW + timedelta(seconds=draw.randint(0, 10**8)),
    )


def _signed(key: Key = KEY) -> SignedRequest:
    parameters = {"append": "", "position": "7"}
    keys = Credentials(key.access, key.secret, key.token)
    headers = sign("POST", BUCKET, f"watch/{NAME}", parameters, {}, keys, NOW)
    lower = {name.lower(): text for name, text in headers.items()}
    return SignedRequest("POST", f"/watch/{NAME}", "append&position=7", lower, LINE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ""),
        ({"method": "PUT"}, "SignatureDoesNotMatch"),
        ({"path": "/watch/other"}, "SignatureDoesNotMatch"),
        ({"query": "append&position=8"}, "SignatureDoesNotMatch"),
        ({"query": "position=7"}, "SignatureDoesNotMatch"),
    ],
)
def test_the_simulated_service_checks_signatures(change: Dict[str, Any], expected: str) -> None:
    """Method, object and position are covered, by an implementation of its own."""
    request = replace(_signed(), **change)
    assert obs_signing.problem(request, BUCKET, [KEY], NOW) == expected


def test_the_simulated_service_knows_its_keys() -> None:
    """A stranger, a wrong token, and a clock that is off are told apart."""
    assert obs_signing.problem(_signed(TEMPORARY), BUCKET, [TEMPORARY], NOW) == ""
    assert obs_signing.problem(_signed(), BUCKET, [TEMPORARY], NOW) == "InvalidAccessKeyId"
    another = replace(TEMPORARY, token="another")
    assert obs_signing.problem(_signed(TEMPORARY), BUCKET, [another], NOW) == "InvalidToken"
    late = NOW + minutes(16)
    assert obs_signing.problem(_signed(), BUCKET, [KEY], late) == "RequestTimeTooSkewed"
    bare = replace(_signed(), headers={})
    assert obs_signing.problem(bare, BUCKET, [KEY], NOW) == "AccessDenied"


def test_the_official_client_reads_what_was_appended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulated service answers the package huaweicloudsdkobs as it answers us."""
    look_up = obs_socket().getaddrinfo
    monkeypatch.setattr(
        obs_socket(), "getaddrinfo", lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more)
    )
    with a_night(tmp_path) as night:
        # This client signs with the clock of the machine.
        night.clock._moment = datetime.now(timezone.utc)
        night.storage.create(BUCKET, "ap-southeast-3", "private")
        with an_obs_store(night) as store:
            store.append(NAME, 0, LINE)
            store.append(NAME, len(LINE), OTHER)
        port = night.server.url.rpartition(":")[2]
        client = (
            ObsClient.new_builder()
            .with_credentials(ObsCredentials(KEY.access, KEY.secret))
            .with_http_config(HttpConfig(timeout=(5, 5)))
            .with_endpoint(f"http://obs.test:{port}")
            .build()
        )
        request = GetObjectRequest(bucket_name=BUCKET, object_key=f"watch/{NAME}")
        received: List[bytes] = []
        client.get_object(request).consume_download_stream(
            lambda stream: received.extend(stream.iter_content(1024))
        )
        client.get_http_client().close()
    assert b"".join(received) == LINE + OTHER


def test_the_length_can_be_asked_for_alone(night: Night) -> None:
    """HEAD answers with the position of the next append, and without a body."""
    with an_obs_store(night) as store:
        store.append(NAME, 0, LINE)
    keys = Credentials(KEY.access, KEY.secret)
    headers = sign("HEAD", BUCKET, f"watch/{NAME}", {}, {}, keys, NOW)
    url = f"{night.server.url}/{BUCKET}/watch/{NAME}"
    reply = requests.head(url, headers=headers, timeout=5)
    assert reply.headers["x-obs-next-append-position"] == str(len(LINE))
    assert reply.headers["x-obs-object-type"] == "Appendable"
    assert reply.content == b""
    assert night.calls["head_object"] == 1


def obs_socket() -> Any:
    """Return the module through which every look-up of a name goes."""
    import socket  # noqa: PLC0415 - to be patched, not used

    return socket


# What is sent


@responses.activate
def test_a_bucket_is_named_by_its_host() -> None:
    """At real endpoints the bucket is the first part of the host, the key the path."""
    url = f"https://{BUCKET}.obs.ap-southeast-3.myhuaweicloud.com/watch/{NAME}"
    position = {"x-obs-next-append-position": str(7 + len(LINE))}
    route = responses.post(f"{url}?append&position=7", headers=position)
    place = ObsJournal(
        "https://obs.ap-southeast-3.myhuaweicloud.com", "ap-southeast-3", BUCKET, "watch"
    )
    connection = obs.connect(place.endpoint)
    caller = Caller(connection, FakeDeadline(), lambda seconds: None)
    keys = Credentials(TEMPORARY.access, TEMPORARY.secret, TEMPORARY.token)
    obs.ObsStore(place, caller, keys, NOW, lambda text: None).append(NAME, 7, LINE)
    sent = responses.calls[0].request
    assert route.call_count == 1
    assert sent.url == f"{url}?append&position=7"
    assert sent.body == LINE
    assert sent.headers["x-obs-security-token"] == TEMPORARY.token
    assert sent.headers["x-obs-date"].endswith("GMT")
    assert sent.headers["Authorization"].startswith(f"OBS {TEMPORARY.access}:")
    connection.close()


def test_a_key_is_quoted_as_it_is_signed() -> None:
    """Slashes and tildes stand for themselves."""
    assert quoted("a b/ä~.jsonl") == "a%20b/%C3%A4~.jsonl"


@pytest.mark.parametrize("key", [KEY, TEMPORARY], ids=["permanent", "temporary"])
def test_permanent_and_temporary_keys_are_accepted(night: Night, key: Key) -> None:
    """With a token or without, what is written is read."""
    with an_obs_store(night, key=key) as store:
        store.append(NAME, 0, LINE)
        assert store.get(NAME) == LINE


@pytest.mark.usefixtures("netrc")
def test_netrc_and_redirects_take_no_keys_along() -> None:
    """A netrc entry does not replace the signature, and a redirect is not followed."""
    with serving(answer(200, "")) as target:
        reply = answer(307, "", f"Location: {target.url}/stolen")
        with serving(reply) as server, pytest.raises(JournalError, match="OBS_REGION"):
            _store_at(server.url).append(NAME, 0, LINE)
    assert b"Authorization: OBS " in server.requests[0]
    assert b"Basic" not in server.requests[0]
    assert target.requests == []


def _store_at(url: str, own: bool = False) -> obs.ObsStore:
    connection = obs.Connection(url, (0.3, 0.3))
    caller = Caller(connection, FakeDeadline(), lambda seconds: None)
    place = ObsJournal(url, "ap-southeast-3", BUCKET, "watch", own)
    keys = Credentials(TEMPORARY.access, TEMPORARY.secret, TEMPORARY.token)
    return obs.ObsStore(place, caller, keys, NOW, lambda text: None)


# The end of an object


LONG = b"".join(b"line %06d of a long object\n" % number for number in range(20_000))
SHORT = LONG[:2700]
REFUSED = "<Error><Code>InvalidRange</Code></Error>"


def _has(night: Night, data: bytes) -> None:
    _objects(night)[f"watch/{NAME}"] = StoredObject(data)


def _answering(night: Night, **variants: Any) -> None:
    night.server.cloud.variants = replace(night.server.cloud.variants, **variants)


def _asked(night: Night) -> Dict[str, int]:
    return {
        name: night.calls[name] for name in ("get_object", "head_object") if name in night.calls
    }


def _see_end(night: Night, data: bytes, size: int) -> None:
    """See that the end of an object is read right, and no more of it than was asked for."""
    with an_obs_store(night) as store:
        part = store.tail(NAME, size)
    assert part is not None
    assert part.data == data[part.begin :]
    assert part.begin == max(0, len(data) - size)
    assert (part.appendable, part.readable) == (True, True)


@pytest.mark.parametrize("data", [SHORT, LONG], ids=["short", "long"])
@pytest.mark.parametrize("size", [1, 1000, 10**7])
def test_the_last_bytes_are_one_request_where_the_service_gives_them(
    night: Night, data: bytes, size: int
) -> None:
    """A range of last bytes is all that it takes, also where it is longer than the object."""
    _has(night, data)
    _answering(night, last_bytes=True)
    _see_end(night, data, size)
    assert _asked(night) == {"get_object": 1}


def test_a_long_object_that_comes_whole_is_not_taken_in(night: Night) -> None:
    """Where such a range is none, the answer tells the length, and a range that is one follows."""
    _has(night, LONG)
    _see_end(night, LONG, 1000)
    assert _asked(night) == {"get_object": 2}


def test_a_short_object_that_comes_whole_is_taken(night: Night) -> None:
    """There is nothing to save by asking again."""
    _has(night, SHORT)
    with an_obs_store(night) as store:
        part = store.tail(NAME, 100)
    assert part is not None
    assert (part.begin, part.data) == (0, SHORT)
    assert _asked(night) == {"get_object": 1}


@pytest.mark.parametrize("status", [400, 416, 501])
def test_a_service_that_refuses_such_a_range_is_asked_for_the_length(
    night: Night, status: int
) -> None:
    """A refusal is no missing object; a range from a first byte on is asked for instead."""
    _has(night, LONG)
    night.faults.add("get_object", Fault(status, REFUSED))
    _see_end(night, LONG, 1000)
    assert _asked(night) == {"get_object": 2, "head_object": 1}


def test_a_service_that_refuses_every_range_is_read_whole(night: Night) -> None:
    """It costs bytes, and nothing else."""
    _has(night, LONG)
    night.faults.add("get_object", Fault(416, REFUSED), times=2)
    _see_end(night, LONG, 1000)
    assert _asked(night) == {"get_object": 3, "head_object": 2}


def test_where_nothing_stands_nothing_is_read(night: Night) -> None:
    """A long object is not read whole to see that an append was not taken."""
    _has(night, LONG)
    night.faults.add("append_object", Fault(500))
    with an_obs_store(night) as store:
        store.append(NAME, len(LONG), LINE)
        assert store.get(NAME) == LONG + LINE
    assert _asked(night) == {"get_object": 2, "head_object": 1}


@pytest.mark.parametrize("content_range", ["", "bytes 0-9/10", "bytes */10", "bytes x-y/z"])
def test_a_part_that_does_not_say_which_it_is_is_none(night: Night, content_range: str) -> None:
    """Bytes of an unknown place are never taken for the end."""
    _has(night, LONG)
    headers = {"x-obs-request-id": "1", "Content-Range": content_range}
    night.faults.add("get_object", Fault(206, "odd bytes", headers=headers))
    _see_end(night, LONG, 1000)


def test_an_object_of_nothing_has_an_end(night: Night) -> None:
    """Of no bytes there is no range: the service refuses it, and the length is 0."""
    _has(night, b"")
    _answering(night, last_bytes=True)
    _see_end(night, b"", 1000)


@pytest.mark.parametrize("beyond", [True, False])
def test_nothing_stands_beyond_the_end(night: Night, beyond: bool) -> None:
    """Whether the service refuses such a range, or gives the whole object: there is nothing."""
    _has(night, SHORT)
    _answering(night, whole_beyond_end=beyond)
    with an_obs_store(night) as store:
        assert store.get(NAME, len(SHORT)) == b""
        assert store.get(NAME, len(SHORT) + 7) == b""
        assert store.get(NAME, 100, 200) == SHORT[100:200]


@pytest.mark.parametrize("skew", [-600, 0, 600])
def test_the_time_is_that_of_the_service(night: Night, skew: int) -> None:
    """Its answers tell it, also one that there is no such object; an answer of another does not."""
    night.server.cloud.skew = timedelta(seconds=skew)
    with an_obs_store(night) as store:
        assert store.moment is None
        night.faults.add("get_object", Fault(404, "<html>not here</html>"))
        with pytest.raises(JournalError):
            store.tail(NAME, 1)
        assert store.moment is None
        assert store.tail(NAME, 1) is None
        assert store.moment == NOW + timedelta(seconds=skew)


# Objects that take no more


def _full(night: Night) -> None:
    _objects(night)[f"watch/{NAME}"] = StoredObject(b"", MOST_APPENDS)


def _written_over(night: Night) -> None:
    _objects(night)[f"watch/{NAME}"] = StoredObject(b"", ordinary=True)


@pytest.mark.parametrize("change", [_full, _written_over], ids=["full", "written over"])
def test_an_object_that_takes_no_more_is_told_from_a_bucket_that_takes_none(
    night: Night, change: Any
) -> None:
    """The journal can go on in another object; without one the error says what to do."""
    change(night)
    with an_obs_store(night) as store, pytest.raises(JournalClosed, match="name another prefix"):
        store.append(NAME, 0, LINE)


def test_an_object_that_was_put_there_does_not_look_appendable(night: Night) -> None:
    """Only one that was made by appending tells where the next append goes."""
    _has(night, SHORT)
    with an_obs_store(night) as store:
        for ordinary in (False, True):
            _objects(night)[f"watch/{NAME}"].ordinary = ordinary
            part = store.tail(NAME, 10)
            assert part is not None
            assert part.appendable is not ordinary


def test_an_object_in_an_archive_can_be_seen_and_not_read(night: Night) -> None:
    """It is there, and so it is no empty journal; to append to it is refused alike."""
    in_archive = Fault(403, "<Error><Code>InvalidObjectState</Code></Error>")
    night.faults.add("get_object", in_archive)
    night.faults.add("append_object", in_archive)
    with an_obs_store(night) as store:
        part = store.tail(NAME, 10)
        assert part is not None
        assert (part.data, part.appendable, part.readable) == (b"", False, False)
        with pytest.raises(JournalClosed):
            store.append(NAME, 4, LINE)


# Races and lost answers


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drop=True, before=False),
        Fault(500, before=False),
        Fault(503, before=False),
        Fault(302, before=False),
    ],
    ids=["dropped", "500", "503", "302"],
)
def test_an_append_whose_answer_was_lost_is_ones_own(night: Night, fault: Fault) -> None:
    """What stands at the position tells: no conflict, and no second line."""
    night.faults.add("append_object", fault)
    with an_obs_store(night) as store:
        store.append(NAME, 0, LINE)
        assert store.get(NAME) == LINE
    assert night.calls["append_object"] == 1


def test_an_append_that_was_sent_twice_on_the_way_is_ones_own(night: Night) -> None:
    """A proxy that repeats a request gets 409 for the copy; the first has won."""
    conflict = "<Error><Code>PositionNotEqualToLength</Code></Error>"
    night.faults.add("append_object", Fault(409, conflict, before=False))
    with an_obs_store(night) as store:
        store.append(NAME, 0, LINE)
        assert store.get(NAME) == LINE


@pytest.mark.parametrize(
    "fault", [Fault(drop=True), Fault(500), Fault(503), Fault(200, "<html>Sign in</html>")]
)
def test_an_append_that_was_not_taken_is_sent_once_more(night: Night, fault: Fault) -> None:
    """When nothing stands at the position, the entry goes there after all."""
    night.faults.add("append_object", fault)
    with an_obs_store(night) as store:
        store.append(NAME, 0, LINE)
        assert store.get(NAME) == LINE
    assert night.calls["append_object"] == 2


def test_a_lost_answer_after_which_another_stands_there_is_a_conflict(night: Night) -> None:
    """Whoever is found at the position has won, whatever was lost."""
    with an_obs_store(night) as other, an_obs_store(night) as store:
        other.append(NAME, 0, OTHER)
        night.faults.add("append_object", Fault(drop=True))
        with pytest.raises(JournalConflict):
            store.append(NAME, 0, LINE)
        assert store.get(NAME) == OTHER


def test_an_append_that_stays_unanswered_is_an_error(night: Night) -> None:
    """Without certainty nothing is done: the run ends before it acts."""
    night.faults.add("append_object", Fault(503), times=9)
    with an_obs_store(night) as store, pytest.raises(JournalError, match="next run tries again"):
        store.append(NAME, 0, LINE)
    assert night.calls["append_object"] == 2


@pytest.mark.parametrize(("behaviour", "said"), [(SILENT, "in time"), (DROP, "without an answer")])
def test_a_service_that_does_not_answer_is_an_error(behaviour: str, said: str) -> None:
    """Silence is bounded, and explained."""
    with serving(behaviour) as server, pytest.raises(JournalError, match=said):
        _store_at(server.url).append(NAME, 0, LINE)


def test_a_service_that_is_not_there_is_an_error() -> None:
    """The address is named."""
    with pytest.raises(JournalError, match=r"127\.0\.0\.1 could not be reached; check the net"):
        _store_at(closed_port()).get(NAME)


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
        (_full, "appended to 10,000 times"),
        (_written_over, "written over"),
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
        _store_at(server.url).get(NAME)


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
        _store_at(server.url).get(NAME)


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


# Through the handler


@pytest.fixture
def on_obs(tmp_path: Path) -> Iterator[Night]:
    """Return a night whose journal is where it is by default."""
    with a_night(tmp_path) as made:
        made.keep_journal_on_obs()
        yield made


def test_the_first_run_says_what_it_made(on_obs: Night) -> None:
    """The report has the bucket, and the empty memory."""
    warnings = on_obs.tick()["warnings"]
    assert any(f"the bucket {DEFAULT} was made" in text for text in warnings)
    assert any("no journal was found" in text for text in warnings)
    assert on_obs.tick()["warnings"] == []


def test_a_quiet_run_is_one_get_and_no_write(on_obs: Night) -> None:
    """Beside the tasks, a run that finds nothing new asks OBS once."""
    on_obs.tick()
    before = dict(on_obs.calls)
    on_obs.tick()
    on_obs.tick()
    grown = {name: number - before.get(name, 0) for name, number in on_obs.calls.items()}
    assert {name: number for name, number in grown.items() if number} == {
        "show_task": 2,
        "get_object": 2,
    }


@pytest.mark.slow
def test_memory_survives_the_container(on_obs: Night) -> None:
    """Attempts, waits and what was told are known to a container that is new every time."""
    on_obs.world.at(NOW + minutes(5), on_obs.world.line_down)
    on_obs.world.at(NOW + minutes(50), on_obs.world.line_up)
    for _ in range(70):
        on_obs.tick()
        on_obs.end_of_container()
    assert on_obs.subjects == [
        "sms_watch warning: web-01 failed (SMS.0807) and was restarted",
        "sms_watch critical: web-01 needs attention (SMS.3802)",
        "sms_watch info: web-01 is running again",
    ]
    assert 5 <= len(on_obs.world.starts) <= 8


def test_a_bucket_that_a_person_named_is_never_made(on_obs: Night) -> None:
    """A typing error in JOURNAL_URI is an error, and not a new bucket."""
    on_obs.texts["JOURNAL_URI"] = "obs://a-bucket-with-a-tpyo/watch"
    _fail(on_obs)
    assert "there is no such bucket" in on_obs.failing_tick()
    assert on_obs.storage.buckets == {}
    assert on_obs.world.starts == []


def _fail(night: Night) -> None:
    night.world.advance()
    night.world.fail("a", "SMS.0807", obstacle=False)


@pytest.mark.parametrize("operation", ["get_object", "append_object"])
@pytest.mark.parametrize("status", [403, 500, 503])
def test_without_its_journal_a_run_does_not_act(on_obs: Night, operation: str, status: int) -> None:
    """OBS is down, or closed: no start, no message, a failed run, and nothing lost."""
    on_obs.tick()
    _fail(on_obs)
    on_obs.faults.add(operation, Fault(status), times=3)
    assert "obs://" in on_obs.failing_tick()
    assert (on_obs.world.starts, on_obs.world.inbox) == ([], [])
    on_obs.server.cloud.faults._rules.clear()
    assert on_obs.kinds(on_obs.tick()) == ["failed"]
    assert len(on_obs.world.starts) == 1


def test_an_acknowledgement_that_is_lost_costs_a_copy_at_most(
    on_obs: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OBS goes down between the message and its acknowledgement: told again, with the same ids."""
    on_obs.tick()
    on_obs.world.advance()
    on_obs.world.fail("a", DISK_FULL)
    appends = on_obs.calls["append_object"]
    serve = on_obs.storage.append

    def fail_second(*about: Any) -> int:
        if on_obs.calls["append_object"] > appends + 1:
            raise Refused(403, "AccessDenied", "Access denied.")
        return serve(*about)

    monkeypatch.setattr(on_obs.storage, "append", fail_second)
    assert "could not be written to the journal" in on_obs.failing_tick()
    monkeypatch.setattr(on_obs.storage, "append", serve)
    on_obs.tick(2)
    first, second = on_obs.world.inbox
    assert first["subject"] == second["subject"]
    assert on_obs.kinds(on_obs.tick()) == []


def test_a_journal_that_was_put_back_from_a_backup_goes_on(on_obs: Night) -> None:
    """One run tells it; nothing is started or told twice, and no run fails."""
    on_obs.tick()
    on_obs.world.fail("a", DISK_FULL)
    on_obs.tick()
    (journal,) = (key for key in _objects(on_obs, DEFAULT) if TODAY in key)
    _objects(on_obs, DEFAULT)[journal].ordinary = True
    assert on_obs.tick()["warnings"] == []
    on_obs.world.clear("a")
    on_obs.world.resume("a")
    (warning,) = on_obs.tick()["warnings"]
    assert "can no longer be appended to" in warning
    for _ in range(20):
        assert on_obs.tick()["warnings"] == []
    on_obs.clock.set(NOW + timedelta(days=1))
    on_obs.world.fail("a", DISK_FULL)
    assert on_obs.tick()["warnings"] == []
    told = [notice["kind"] for notice in on_obs.told]
    assert told == ["failed", "needs_person", "resumed", "failed", "needs_person"]


def test_two_functions_have_two_journals(on_obs: Night) -> None:
    """In one project, with two topics, neither knows of the other."""
    on_obs.tick()
    on_obs.texts["SMN_TOPIC_URN"] = OTHER_TOPIC
    assert any("no journal was found" in text for text in on_obs.tick()["warnings"])
    folders = {key.partition("/")[0] for key in _objects(on_obs, DEFAULT)}
    assert folders == {"night-watch", "wave-2"}


def test_two_functions_are_not_given_one_journal(on_obs: Night) -> None:
    """The second fails in words, before it reads a task or tells another's news."""
    on_obs.texts["JOURNAL_URI"] = f"obs://{BUCKET}/both"
    on_obs.storage.create(BUCKET, "ap-southeast-3", "private")
    on_obs.tick()
    calls = dict(on_obs.calls)
    on_obs.texts["SMN_TOPIC_URN"] = OTHER_TOPIC
    why = on_obs.failing_tick()
    assert f"tells {TOPIC}, and not {OTHER_TOPIC}" in why
    assert "JOURNAL_URI" in why
    assert on_obs.calls["show_task"] == calls["show_task"]


@pytest.mark.parametrize("last_bytes", [True, False])
def test_a_run_reads_little_of_a_long_journal(on_obs: Night, last_bytes: bool) -> None:
    """However long the day's object has become, what leaves OBS for a run is bounded."""
    _answering(on_obs, last_bytes=last_bytes)
    on_obs.storage.create(DEFAULT, "ap-southeast-3", "private")
    for name, data in _a_long_journal().items():
        _objects(on_obs, DEFAULT)[f"night-watch/{name}"] = StoredObject(data)
    on_obs.tick()
    before = dict(on_obs.calls)
    assert on_obs.tick()["warnings"] == []
    assert on_obs.calls["get_object"] - before["get_object"] == (1 if last_bytes else 2)
    assert "head_object" not in on_obs.calls


def _a_long_journal() -> Dict[str, bytes]:
    """Return the objects of a journal of a megabyte and a half."""
    store = FakeStore()
    journal = DailyJournal(store, NOW, lambda: "nonce", topic=TOPIC)
    position = journal.read().position
    for number in range(50):
        record = TaskRecord(f"AT-{number}", NOW, "y" * 900)
        tasks = dict.fromkeys((f"x-{each}" for each in range(30)), record)
        entry = Entry(EntryType.PLAN, NOW, "run", f"n-{number}", tasks)
        position = journal.append(entry, position)
    assert sum(map(len, store.objects.values())) > 1_400_000
    return store.objects


def test_dry_run_makes_no_bucket(on_obs: Night) -> None:
    """DRY_RUN writes nothing, not even a bucket."""
    on_obs.texts["DRY_RUN"] = "true"
    on_obs.tick()
    assert on_obs.storage.buckets == {}
    assert TOPIC in on_obs.texts["SMN_TOPIC_URN"]
