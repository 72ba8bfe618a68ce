"""The journal's lines: written, read, cut, foreign, and added up."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.errors import JournalError
from sms_watch.journal import codec
from sms_watch.journal.entries import (
    VERSION,
    Delivery,
    Entry,
    EntryType,
    Mark,
    after,
    decode,
    encode,
    fold,
    snapshot,
)
from sms_watch.journal.entries import read as read_line
from sms_watch.model.notice import Kind, Notice, Outcome, Start
from sms_watch.model.task import Progress
from sms_watch.redaction import Redactor
from sms_watch.rules.airtime import Airtime
from sms_watch.rules.call import Call
from sms_watch.rules.movement import Sample
from sms_watch.rules.plan import plan
from sms_watch.rules.record import Lease, Memory, TaskRecord, WatchRecord
from sms_watch.rules.sight import Sight
from tests.support.builders import (
    NOW,
    a_notice,
    a_record,
    a_running_task,
    a_situation,
    a_started_record,
    a_task,
    varied,
)
from tests.support.strategies import entries, notices


def an_entry(type_: EntryType = EntryType.PLAN, **fields: Any) -> Entry:
    """Return an entry of a run."""
    return Entry(type_, NOW, "run-1", "nonce-1", **fields)


def _delivered(*event_ids: str) -> Entry:
    """Return the entry that a message has told these events."""
    return an_entry(EntryType.ACK, delivered=Delivery("m-1", event_ids))


@given(entries)
def test_an_entry_survives_its_line(entry: Entry) -> None:
    """What is written is one line, and reads as it was, whatever texts it holds."""
    line = encode(entry)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == entry


def test_a_line_is_short_and_plain_to_read() -> None:
    """A line has no spaces to spare, letters of any writing as they are, and no defaults."""
    line = encode(an_entry(tasks={"a": TaskRecord("RUNNING", NOW, "数据库")}))
    assert line.decode("utf-8") == (
        '{"v":1,"type":"plan","at":"2026-11-24T00:03:00Z","run":"run-1","nonce":"nonce-1",'
        '"tasks":{"a":{"state":"RUNNING","since":"2026-11-24T00:03:00Z","name":"数据库"}}}\n'
    )


def test_what_is_to_be_hidden_is_in_no_text_of_a_line() -> None:
    """What an older line remembers goes into the next one without it, and that is a line still."""
    key = "aB3/xY+9Zq=LmN0pQ"
    record = TaskRecord("RUNNING", NOW, f"--sk {key}")
    line = encode(an_entry(tasks={"a": record}, delivered=Delivery(key)), redact=Redactor([key]))
    assert decode(line).tasks["a"].name == "--sk ***"
    assert decode(line).delivered == Delivery("***")


def test_half_a_letter_stops_no_run() -> None:
    """JSON from outside can hold half of a letter, which no file can: it is written as ``?``."""
    line = encode(an_entry(delivered=Delivery("a\ud83db")))
    assert decode(line) == an_entry(delivered=Delivery("a?b"))


@given(entries, st.data())
def test_a_line_that_is_not_whole_is_refused(entry: Entry, data: st.DataObject) -> None:
    """However a line is cut, it is no line any more; only its end may be missing."""
    line = encode(entry)
    cut = data.draw(st.integers(0, len(line) - 2))
    with pytest.raises(ValueError, match=r"."):
        decode(line[:cut])
    assert decode(line[:-1]) == entry


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"7",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"v":1,"type":"plan"}',
        b'{"v":true,"type":"plan","at":"2026-11-24T00:00:00Z","run":"r","nonce":"n"}',
        b'{"v":1,"type":"invented","at":"2026-11-24T00:00:00Z","run":"r","nonce":"n"}',
        b'{"v":1,"type":"plan","at":"2026-11-24T00:00:00","run":"r","nonce":"n"}',
        b'{"v":1,"type":"plan","at":7,"run":"r","nonce":"n"}',
        b'{"v":1,"type":"plan","at":"2026-11-24T00:00:00Z","run":7,"nonce":"n"}',
        b'{"v":1,"type":"plan","at":"2026-11-24T00:00:00Z","run":"r","nonce":"n","tasks":[]}',
        b'{"v":1,"type":"plan","at":"2026-11-24T00:00:00Z","run":"r","nonce":"n","starts":["a"]}',
        b'{"v":1,"type":"ack","at":"2026-11-24T00:00:00Z","run":"r","nonce":"n","delivered":["x"]}',
        b'{"v":1,"type":"ack","at":"2026-11-24T00:00:00Z","run":"r","nonce":"n","delivered":{}}',
        b'{"v":1,"type":"plan","at":"2026-11-24T00:00:00Z","run":"r","nonce":"n",'
        b'"lease":"2026-11-24T00:00:00Z"}',
        b'{"v":1,"type":"plan","at":"2026-11-24T00:00:00Z","run":"r","nonce":"n","watch":1}',
        b'{"v":1,"type":"plan","at":"2026-11-24T00:00:00Z","run":"r","nonce":"n",'
        b'"tasks":{"a":{"state":"RUNNING","since":"2026-11-24T00:00:00Z","starts":{"tries":"1"}}}}',
    ],
)
def test_a_foreign_line_is_refused(line: bytes) -> None:
    """A line of another shape is never half understood."""
    with pytest.raises(ValueError, match=r"."):
        decode(line)


def test_a_line_without_end_in_its_depth_is_refused() -> None:
    """Brackets within brackets, too many to read, are refused as any other foreign line."""
    with pytest.raises(ValueError, match=r"^nested too deeply$"):
        decode(b"[" * 100_000)


@pytest.mark.parametrize("version", [None, True, "1", 1.0, [1], {}, 0, -1, 1000, 10**400])
def test_a_line_without_a_version_is_refused(version: Any) -> None:
    """In which format a line is written is said in each, as a whole number."""
    data = json.loads(encode(an_entry()))
    assert data["v"] == VERSION
    data["v"] = version
    with pytest.raises(ValueError, match=r"^without a version$"):
        decode(json.dumps(data).encode())
    del data["v"]
    with pytest.raises(ValueError, match=r"^without a version$"):
        decode(json.dumps(data).encode())


def test_an_unknown_field_is_passed_over() -> None:
    """A line of the same format with a field of a later version is read without it."""
    data = json.loads(encode(an_entry()))
    data["invented"] = {"a": 1}
    assert decode(json.dumps(data).encode()) == an_entry()


def test_a_whole_number_may_stand_for_a_fraction() -> None:
    """JSON does not tell 5 from 5.0, and neither does a speed."""
    notice = a_notice(task=a_task(speed=5.0))
    line = encode(an_entry(notices=(notice,))).replace(b'"speed":5.0', b'"speed":5')
    assert decode(line).notices == (notice,)


def test_a_kind_of_a_later_version_costs_nothing_else() -> None:
    """What is open by that name stays so; only who knows the kind can tell a notice of it."""
    later = "20261124-0-0-invented"
    record = replace(a_record(failed_event=""), rest=Call(later, NOW))
    entry = an_entry(tasks={"a": record}, notices=(a_notice(), a_notice(event_id=later)))
    data = json.loads(encode(entry))
    data["notices"][1]["kind"] = "invented"
    memory = fold([decode(json.dumps(data).encode())])
    assert memory.tasks == {"a": record}
    assert list(memory.outbox) == [a_notice().event_id]
    (planned,) = plan([a_running_task()], memory, a_situation()).decisions
    assert planned.record
    assert planned.record.rest is None


def test_a_newer_format_stops_everything() -> None:
    """To go on with half of what a newer version knew would do harm: the error says what to do."""
    data = json.loads(encode(an_entry()))
    data["v"] = VERSION + 1
    with pytest.raises(JournalError) as caught:
        decode(json.dumps(data).encode())
    assert str(caught.value) == (
        "the journal was written in format 2 by a newer sms_watch, this one knows format 1;"
        " nothing was done: deploy the newer version again, or name another place in JOURNAL_URI"
    )


def test_what_equals_its_default_is_not_written() -> None:
    """Lines are short: a memory without attempts does not say so."""
    assert b"starts" not in encode(an_entry(tasks={"a": a_record()}))


# Records in lines: whole, or by what changed


HALF_WAY = Progress(5, 50, 1000, "MIGRATE_LINUX_FILE")
RUNNING = a_record(
    state="RUNNING",
    failed_event="",
    last_progress=HALF_WAY,
    moved_at=NOW,
    samples=(Sample(NOW, 50, 1000, 90.0, "MIGRATE_LINUX_FILE"),),
)
LATER = NOW + timedelta(minutes=8)


def _moved(record: TaskRecord, progress: Progress, **fields: Any) -> TaskRecord:
    """Return the record of a running task that was read further on, eight minutes later."""
    return varied(replace(record, movement=record.movement.moved(progress, 95.5, LATER)), **fields)


def test_a_sample_is_three_numbers() -> None:
    """What moves all the time is written compactly: percent, bytes and speed."""
    record = _moved(RUNNING, replace(HALF_WAY, percent=51, copied=2000))
    entry = replace(an_entry(tasks={"a": record}), at=LATER)
    line = encode(entry, Memory({"a": RUNNING}))
    assert json.loads(line)["tasks"] == {"a": [51, 2000, 95.5]}
    assert decode(line, Memory({"a": RUNNING})) == entry


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(_moved(RUNNING, replace(HALF_WAY, place=6)), id="another sub-task"),
        pytest.param(_moved(RUNNING, replace(HALF_WAY, sub_task="NEXT")), id="another name"),
        pytest.param(_moved(RUNNING, HALF_WAY, name="web-02"), id="renamed"),
        pytest.param(_moved(RUNNING, HALF_WAY, suspected_at=LATER), id="suspected"),
    ],
)
def test_what_a_sample_does_not_say_is_written_whole(record: TaskRecord) -> None:
    """A record that changed in anything else stands in its line as it is."""
    entry = replace(an_entry(tasks={"a": record}), at=LATER)
    line = encode(entry, Memory({"a": RUNNING}))
    assert json.loads(line)["tasks"] == {"a": codec.dump(record)}
    assert decode(line, Memory({"a": RUNNING})) == entry


STARTED = a_started_record(last_id="20261124-4711-0-start", outcome=Outcome.UNKNOWN, total_starts=1)


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.REFUSED, Outcome.FAILED])
def test_an_acknowledgement_repeats_nothing(outcome: Outcome) -> None:
    """What became of a start is a word; the record stands in the plan, once in a run."""
    before = varied(STARTED, attempts=0, tries=0, total_starts=0)
    record = STARTED.settled(outcome, before)
    starts = {"a": Start("20261124-4711-0-start", outcome)}
    entry = an_entry(EntryType.ACK, tasks={"a": record}, starts=starts)
    line = encode(entry, Memory({"a": STARTED}))
    assert json.loads(line)["tasks"] == {"a": str(outcome)}
    assert decode(line, Memory({"a": STARTED})) == entry


def test_an_unknown_outcome_changes_nothing() -> None:
    """Until its answer is known a start counts as planned: there is no record to write."""
    starts = {"a": Start("20261124-4711-0-start")}
    entry = an_entry(EntryType.ACK, tasks={"a": STARTED}, starts=starts)
    assert "tasks" not in json.loads(encode(entry, Memory({"a": STARTED})))


def test_a_start_that_was_not_sent_is_written_whole() -> None:
    """It leaves what was before, which the plan does not hold."""
    starts = {"a": Start("20261124-4711-0-start", Outcome.SKIPPED)}
    entry = an_entry(EntryType.ACK, tasks={"a": a_record()}, starts=starts)
    line = encode(entry, Memory({"a": STARTED}))
    assert json.loads(line)["tasks"] == {"a": codec.dump(a_record())}


@pytest.mark.parametrize(
    ("form", "known"),
    [
        pytest.param([51, 2000, 95.5], None, id="a sample of nobody"),
        pytest.param([51, 2000, 95.5], a_record(), id="a sample of what never moved"),
        pytest.param("done", None, id="an outcome of nobody"),
        pytest.param("done", a_record(last_id="another"), id="an outcome of another start"),
    ],
)
def test_a_change_of_what_is_not_known_is_left_out(form: Any, known: Any) -> None:
    """Where the line that it builds on cannot be used, the record stays as it was."""
    data = json.loads(encode(an_entry(EntryType.ACK, starts={"a": Start("b", Outcome.DONE)})))
    line = json.dumps({**data, "tasks": {"a": form}}).encode()
    assert decode(line, Memory({"a": known} if known else {})).tasks == {}


@pytest.mark.parametrize("form", [[51], [-1, 0, 0.0], ["x", 0, 0.0], "gone", "", 7, None, True])
def test_a_change_that_is_none_is_refused(form: Any) -> None:
    """A line with another form of a record is not valid, whoever it is about."""
    data = json.loads(encode(an_entry()))
    with pytest.raises(ValueError, match=r"."):
        decode(json.dumps({**data, "tasks": {"a": form}}).encode(), Memory({"a": RUNNING}))


@given(entries, entries)
def test_whatever_is_known_a_line_says_all(known: Entry, entry: Entry) -> None:
    """Folding the line over what was known gives what the entry itself adds up to."""
    memory = fold([known])
    read = decode(encode(entry, memory), memory)
    assert after(memory, read) == after(memory, entry)


def test_who_waits_is_written_by_what_changed() -> None:
    """Of a thousand that wait a line has those that began to, or have had their turn."""
    waiting = {str(number): Sight(NOW) for number in range(1000)}
    told = {"a": Airtime((NOW,))}
    memory = Memory(watch=WatchRecord(unread=waiting, airtime=told, unlisted=NOW))
    after_it = {**waiting, "new": Sight(NOW), "7": Sight(NOW, 1)}
    del after_it["8"]
    entry = an_entry(watch=replace(memory.watch, unread=after_it, airtime={}))
    line = encode(entry, memory)
    written = json.loads(line)["changes"]
    assert {name: set(changed) for name, changed in written.items()} == {
        "unread": {"new", "7", "8"},
        "airtime": {"a"},
    }
    assert len(line) < 500
    assert decode(line, memory) == entry


def test_a_line_of_before_has_the_whole_record_of_the_watching() -> None:
    """It replaces what was remembered."""
    whole = codec.dump(WatchRecord(unread={"a": Sight(NOW)}))
    line = json.dumps({**json.loads(encode(an_entry())), "watch": whole}).encode()
    memory = Memory(watch=WatchRecord(unread={"b": Sight(NOW)}))
    assert decode(line, memory).watch == WatchRecord(unread={"a": Sight(NOW)})


def test_a_snapshot_has_all_records_whole() -> None:
    """It stands alone, whatever was remembered before it."""
    watch = WatchRecord(unread={"b": Sight(NOW)})
    whole = an_entry(EntryType.SNAPSHOT, tasks={"a": RUNNING}, watch=watch)
    line = encode(whole, Memory({"a": RUNNING}, watch=watch))
    assert line == encode(whole)
    assert decode(line, Memory(watch=WatchRecord(unread={"c": Sight(NOW)}))) == whole


def test_a_mark_stands_in_the_line() -> None:
    """Where the newest snapshot begins, what follows a seal, and whose memory it is."""
    mark = Mark(0, 7, "20261124b", "urn:smn:ap-southeast-3:0:night-watch")
    line = encode(an_entry(EntryType.SEAL), mark=mark)
    assert line.startswith(b'{"v":1,"base":0,"count":7,"next":"20261124b","topic":"urn:smn:')
    assert read_line(line).mark == mark
    assert decode(line) == an_entry(EntryType.SEAL)
    assert read_line(encode(an_entry())).mark == Mark()


def test_before_the_first_line_nothing_is_remembered() -> None:
    """An empty journal is an empty memory: no tasks, nothing pending, and no lease."""
    assert fold([]) == Memory()


def test_a_snapshot_is_an_entry_like_any_other() -> None:
    """It says what it is, who wrote it and when, and in which format."""
    memory = Memory(
        {"a": a_record()},
        {"1": a_notice(event_id="1")},
        WatchRecord(3, NOW),
        Lease(NOW + timedelta(minutes=1), "run-0"),
    )
    assert snapshot(memory, NOW, "run-1", "nonce-1") == an_entry(
        EntryType.SNAPSHOT,
        tasks=memory.tasks,
        watch=memory.watch,
        notices=tuple(memory.outbox.values()),
        lease=memory.lease,
    )


@given(st.lists(entries, max_size=6))
def test_a_snapshot_holds_the_whole_memory(history: List[Entry]) -> None:
    """Folding a snapshot alone gives the memory that it was made of."""
    memory = fold(history)
    assert fold([snapshot(memory, NOW, "run-1", "nonce-1")]) == memory


@given(st.lists(entries, max_size=6), st.data())
def test_a_snapshot_may_stand_for_what_came_before(
    history: List[Entry], data: st.DataObject
) -> None:
    """Cutting a history anywhere and going on from a snapshot changes nothing."""
    place = data.draw(st.integers(0, len(history)))
    earlier, later = history[:place], history[place:]
    renewed = [snapshot(fold(earlier), NOW, "run-1", "nonce-1"), *later]
    assert fold(renewed) == fold(history)


@given(entries, entries)
def test_a_snapshot_replaces_what_came_before(earlier: Entry, whole: Entry) -> None:
    """What a snapshot does not hold is not remembered, whatever stood before it."""
    renewed = replace(whole, type=EntryType.SNAPSHOT)
    assert fold([earlier, renewed]) == fold([renewed])


# What is pending


@given(notices, notices)
def test_what_is_owed_stays_until_it_is_told(owed: Notice, other: Notice) -> None:
    """A notice is pending from its plan on, by its id, until a line says that it was delivered."""
    plan = an_entry(notices=(owed,))
    assert fold([plan]).outbox == {owed.event_id: owed}
    assert fold([plan, an_entry(EntryType.ACK)]).outbox == {owed.event_id: owed}
    assert fold([plan, _delivered(owed.event_id)]).outbox == {}
    kept = {} if other.event_id == owed.event_id else {owed.event_id: owed}
    assert fold([plan, _delivered(other.event_id)]).outbox == kept


def test_a_notice_told_in_the_line_that_owes_it_is_not_owed() -> None:
    """A run may find out, tell and acknowledge in one line."""
    told = a_notice(Kind.RESUMED, event_id="1-end")
    assert fold([replace(_delivered("1-end"), notices=(told,))]).outbox == {}


def test_what_is_told_twice_is_told() -> None:
    """A line may name what is pending no more, as after a run that was thought dead."""
    told = _delivered("1")
    assert fold([an_entry(notices=(a_notice(event_id="1"),)), told, told]).outbox == {}


PLANNED = Start("20261124-4711-0-start")
MADE = Start(PLANNED.id, Outcome.REFUSED, "HTTP 400")
PENDING = a_notice(start=PLANNED)


@pytest.mark.parametrize(
    ("type_", "starts", "known"),
    [
        pytest.param(EntryType.ACK, {"a": MADE}, MADE, id="its own"),
        pytest.param(EntryType.ACK, {"b": MADE}, PLANNED, id="that of another task"),
        pytest.param(EntryType.ACK, {"a": Start("another")}, PLANNED, id="another of its task"),
        pytest.param(EntryType.PLAN, {"a": MADE}, PLANNED, id="a plan intends, and knows nothing"),
    ],
)
def test_what_became_of_a_start_is_known_to_the_notice_that_speaks_of_it(
    type_: EntryType, starts: Any, known: Start
) -> None:
    """A notice that is told by a later run says what became of the start that it is about."""
    memory = fold([an_entry(notices=(PENDING,)), an_entry(type_, starts=starts)])
    assert memory.outbox[PENDING.event_id].verdict.start == known


def test_what_became_of_a_start_changes_nothing_else_that_is_pending() -> None:
    """Notices of other tasks, of no start, and about the watching stay as they were."""
    others = (
        a_notice(Kind.CONNECTED, event_id="1"),
        a_notice(Kind.BLIND, task=None, start=PLANNED, event_id="2"),
        a_notice(task=a_task(id="b"), start=PLANNED, event_id="3"),
    )
    plan = an_entry(notices=(PENDING, *others))
    outbox = fold([plan, an_entry(EntryType.ACK, starts={"a": MADE})]).outbox
    assert tuple(outbox.values())[1:] == others
    assert list(outbox) == [PENDING.event_id, "1", "2", "3"]


@given(notices, entries)
def test_what_a_notice_knows_of_its_start_is_kept_by_a_snapshot(owed: Notice, ack: Entry) -> None:
    """The day may turn between a plan and the message."""
    history = [an_entry(notices=(owed,)), replace(ack, type=EntryType.ACK)]
    renewed = snapshot(fold(history), NOW, "run-2", "nonce-2")
    assert fold([renewed]).outbox == fold(history).outbox


# The lease


def test_an_acknowledgement_ends_the_lease() -> None:
    """While a run is at work its lease holds; its ack, or the next plan, replaces it."""
    lease = Lease(NOW + timedelta(minutes=1), "run-1")
    plan = an_entry(lease=lease)
    assert fold([plan]).lease == lease
    assert fold([plan, an_entry(EntryType.ACK)]).lease is None
    assert fold([plan, an_entry()]).lease is None


def test_what_was_told_is_remembered_while_it_is_open() -> None:
    """Whether it is owed or delivered, over any number of snapshots, and not beyond its end."""
    failed = a_record(failed_event="20261123-0-0-failed")
    told = a_notice(event_id="20261123-0-0-failed")
    memory = fold([an_entry(tasks={"a": failed}, notices=(told,))])
    for _ in range(2):
        assert memory.told == {told.event_id}
        memory = fold([snapshot(memory, NOW, "r", "n"), _delivered(told.event_id)])
    assert memory.outbox == {}
    again = fold([snapshot(memory, NOW, "r", "n")])
    assert again == replace(memory, lease=again.lease)
    over = fold([snapshot(again, NOW, "r", "n"), an_entry(tasks={"a": a_record(failed_event="")})])
    assert over.told == frozenset()


def test_a_late_acknowledgement_leaves_anothers_lease_alone() -> None:
    """A run that outlived its lease does not free the way while the next one is at work."""
    lease = Lease(NOW + timedelta(minutes=1), "run-2")
    slow = an_entry(lease=Lease(NOW, "run-1"))
    other = replace(an_entry(lease=lease), run="run-2")
    late = an_entry(EntryType.ACK)
    assert fold([slow, other, late]).lease == lease
    done = replace(late, run="run-2")
    assert fold([slow, other, late, done]).lease is None
    renewed = snapshot(fold([slow, other]), NOW, "run-3", "nonce-3")
    assert fold([renewed, late]).lease == lease
    assert fold([renewed, done]).lease is None


def test_a_seal_changes_nothing() -> None:
    """The line that closes a day holds no memory, and leaves a lease alone."""
    plan = an_entry(tasks={"a": a_record()}, lease=Lease(NOW, "run-1"))
    assert fold([plan, an_entry(EntryType.SEAL)]) == fold([plan])
    later = an_entry(tasks={"b": a_record()})
    assert set(fold([plan, an_entry(EntryType.SEAL), later]).tasks) == {"a", "b"}
