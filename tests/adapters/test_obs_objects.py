"""The objects of a journal on OBS: how their ends are read, and which take no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Dict

import pytest

from simulated_cloud.buckets import StoredObject
from simulated_cloud.faults import Fault
from sms_watch.errors import JournalClosed, JournalError
from tests.support.builders import NOW
from tests.support.clouds import Night, an_obs_store
from tests.support.obs_journals import (
    LINE,
    NAME,
    answering,
    full,
    objects_of,
    written_over,
)

# The end of an object


LONG = b"".join(b"line %06d of a long object\n" % number for number in range(20_000))
SHORT = LONG[:2700]
REFUSED = "<Error><Code>InvalidRange</Code></Error>"


def _has(night: Night, data: bytes) -> None:
    objects_of(night)[f"watch/{NAME}"] = StoredObject(data)


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
    answering(night, last_bytes=True)
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
    answering(night, last_bytes=True)
    _see_end(night, b"", 1000)


@pytest.mark.parametrize("beyond", [True, False])
def test_nothing_stands_beyond_the_end(night: Night, beyond: bool) -> None:
    """Whether the service refuses such a range, or gives the whole object: there is nothing."""
    _has(night, SHORT)
    answering(night, whole_beyond_end=beyond)
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


@pytest.mark.parametrize("change", [full, written_over], ids=["full", "written over"])
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
            objects_of(night)[f"watch/{NAME}"].ordinary = ordinary
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
