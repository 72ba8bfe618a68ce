"""The journal on OBS: how it is signed and sent, and races and lost answers."""

from __future__ import annotations

import random
import string
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import requests
import responses
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkobs.v1 import GetObjectRequest, ObsClient
from huaweicloudsdkobs.v1.obs_credentials import ObsCredentials
from huaweicloudsdkobs.v1.obs_signer import OBSSigner

from simulated_cloud import obs_signing
from simulated_cloud.faults import Fault
from simulated_cloud.signing import Key, SignedRequest
from sms_watch.adapters import obs
from sms_watch.adapters.obs_signature import quoted, sign
from sms_watch.adapters.sdk import Caller
from sms_watch.errors import JournalConflict, JournalError
from sms_watch.settings.values import Credentials, ObsJournal
from tests.support.builders import NOW, minutes
from tests.support.clouds import BUCKET, KEY, TEMPORARY, Night, a_night, an_obs_store
from tests.support.fakes import FakeDeadline
from tests.support.loopback import DROP, SILENT, answer, closed_port, serving
from tests.support.obs_journals import (
    LINE,
    NAME,
    OTHER,
    a_store_at,
)

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
            a_store_at(server.url).append(NAME, 0, LINE)
    assert b"Authorization: OBS " in server.requests[0]
    assert b"Basic" not in server.requests[0]
    assert target.requests == []


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
        a_store_at(server.url).append(NAME, 0, LINE)


def test_a_service_that_is_not_there_is_an_error() -> None:
    """The address is named."""
    with pytest.raises(JournalError, match=r"127\.0\.0\.1 could not be reached; check the net"):
        a_store_at(closed_port()).get(NAME)
