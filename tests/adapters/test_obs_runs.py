"""Runs whose journal is on OBS: what they make, read and write, and what they do without it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from simulated_cloud.buckets import StoredObject
from simulated_cloud.faults import Fault
from simulated_cloud.task import Refused
from sms_watch.journal.entries import Entry, EntryType
from sms_watch.journal.objects import DailyJournal
from sms_watch.rules.record import TaskRecord
from tests.support.builders import DISK_FULL, NOW, minutes
from tests.support.clouds import BUCKET, TOPIC, Night, a_night
from tests.support.fakes import FakeStore
from tests.support.obs_journals import (
    DEFAULT,
    answering,
    objects_of,
)

TODAY = "20261124"
OTHER_TOPIC = TOPIC.replace("night-watch", "wave-2")


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
    (journal,) = (key for key in objects_of(on_obs, DEFAULT) if TODAY in key)
    objects_of(on_obs, DEFAULT)[journal].ordinary = True
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
    folders = {key.partition("/")[0] for key in objects_of(on_obs, DEFAULT)}
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
    answering(on_obs, last_bytes=last_bytes)
    on_obs.storage.create(DEFAULT, "ap-southeast-3", "private")
    for name, data in _a_long_journal().items():
        objects_of(on_obs, DEFAULT)[f"night-watch/{name}"] = StoredObject(data)
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
