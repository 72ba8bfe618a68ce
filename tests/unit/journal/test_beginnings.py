"""How a journal begins, and whose it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sms_watch.errors import (
    JournalConflict,
    JournalError,
)
from sms_watch.journal.entries import Entry, EntryType, Mark, encode
from sms_watch.journal.objects import EMPTY
from sms_watch.journal.store import BEGINNING, AppendStore, name_of
from sms_watch.model.notice import Position
from sms_watch.rules.record import Memory
from tests.support.builders import NOW, minutes
from tests.support.journals import (
    DAY,
    MIDNIGHT,
    TODAY,
    TOMORROW,
    a_journal,
    an_entry,
    append,
    lines_in,
    long_entry,
    mark_of,
    read,
    types_of,
)

# The beginning


def test_of_the_first_two_runs_ever_one_wins(store: AppendStore) -> None:
    """On whichever side of midnight each of them is: they meet at one place."""
    before, after = MIDNIGHT - minutes(0.5), MIDNIGHT + minutes(0.5)
    one, other = a_journal(store, before), a_journal(store, after)
    here, there = one.read().position, other.read().position
    two = {here.day, there.day}
    other.append(an_entry(after, "ABORT"), there)
    with pytest.raises(JournalConflict):
        one.append(an_entry(before, "RUNNING"), here)
    assert mark_of(store, after) == "ABORT"
    assert two <= {TODAY, TOMORROW}


def test_a_first_run_that_died_between_is_followed(store: AppendStore) -> None:
    """The place that it chose is the place where the journal begins, also for the next day."""
    seal = Entry(EntryType.SEAL, NOW, "run", "seal")
    store.append(name_of(BEGINNING), 0, encode(seal, mark=Mark(next=TODAY)))
    for now in (NOW, MIDNIGHT):
        found = read(store, now)
        assert (found.position, found.memory) == (Position(TODAY, 0), Memory())
        assert found.warnings == (EMPTY,)
    append(store, MIDNIGHT, "RUNNING")
    assert types_of(store) == ["snapshot", "plan"]
    append(store, MIDNIGHT, "ABORT")
    assert types_of(store, TOMORROW) == ["snapshot", "plan"]
    assert mark_of(store, MIDNIGHT) == "ABORT"


def test_a_journal_that_was_forgotten_begins_anew_at_the_same_place(store: AppendStore) -> None:
    """After more than 31 days the second seal stands where the first does, and one run wins."""
    append(store, NOW, "RUNNING")
    later = NOW + 40 * DAY
    one, other = a_journal(store, later), a_journal(store, later)
    here, there = one.read().position, other.read().position
    one.append(an_entry(later, "ABORT"), here)
    with pytest.raises(JournalConflict):
        other.append(an_entry(later, "RUNNING"), there)
    assert types_of(store, BEGINNING) == ["seal", "seal"]
    assert mark_of(store, later) == "ABORT"


def test_half_a_seal_at_the_beginning_is_closed(store: AppendStore) -> None:
    """What the first run of all left behind when it died stands in the way of none."""
    store.append(name_of(BEGINNING), 0, b'{"v":1,"ne')
    append(store, NOW, "RUNNING")
    assert types_of(store, BEGINNING) == ["damaged", "seal"]
    assert mark_of(store) == "RUNNING"


# Whose it is


MINE, THEIRS = (f"urn:smn:ap-southeast-3:{'0' * 32}:{name}" for name in ("wave-1", "wave-2"))


def test_a_journal_of_another_topic_is_refused(store: AppendStore) -> None:
    """It would tell this one's news there: both are named, and what to do."""
    append(store, NOW, "RUNNING", topic=MINE)
    assert a_journal(store, topic=MINE).read().memory.tasks
    for now in (NOW, MIDNIGHT):
        with pytest.raises(JournalError) as caught:
            a_journal(store, now, topic=THEIRS).read()
        assert f"tells {MINE}, and not {THEIRS}" in str(caught.value)
        assert "name a new place in JOURNAL_URI" in str(caught.value)


def test_a_later_snapshot_says_whose_it_is_too(store: AppendStore) -> None:
    """Also where the run reads from one within the day."""
    for number in range(40):
        journal = a_journal(store, topic=MINE)
        journal.append(long_entry(number), journal.read().position)
    assert types_of(store).count("snapshot") > 2
    with pytest.raises(JournalError, match="that of another watch"):
        a_journal(store, topic=THEIRS).read()


def test_a_journal_that_does_not_say_whose_it_is_is_taken(store: AppendStore) -> None:
    """One that was begun without a topic gets one with its next snapshot."""
    append(store, NOW, "RUNNING")
    assert append(store, MIDNIGHT, "ABORT", topic=MINE)
    with pytest.raises(JournalError, match="that of another watch"):
        a_journal(store, MIDNIGHT, topic=THEIRS).read()


def test_lines_are_told_apart_by_their_nonces(store: AppendStore) -> None:
    """Two runs that write the same thing at the same moment write different bytes."""
    append(store, NOW, "RUNNING")
    append(store, NOW, "RUNNING")
    lines = [json.loads(line) for line in lines_in(store)]
    assert len({line["nonce"] for line in lines}) == len(lines)
    assert [line["count"] for line in lines] == [1, 1, 2]
    assert replace(an_entry(), nonce="x") != an_entry()
