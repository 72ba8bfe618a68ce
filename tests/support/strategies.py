"""Values of all kinds for property tests."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Mapping

from hypothesis import strategies as st

from sms_watch.journal.entries import Delivery, Entry, EntryType
from sms_watch.model.notice import (
    Action,
    Attempt,
    Digest,
    DigestRow,
    Kind,
    Notice,
    Outcome,
    Reason,
    Start,
    Verdict,
)
from sms_watch.model.task import (
    ErrorClass,
    Progress,
    Servers,
    Task,
    TaskError,
    TaskState,
    Transfer,
)
from sms_watch.rules.agent import Agent
from sms_watch.rules.airtime import Airtime
from sms_watch.rules.call import Call
from sms_watch.rules.failure import Failure
from sms_watch.rules.first_copy import FirstCopy
from sms_watch.rules.movement import Movement, Sample
from sms_watch.rules.pace import Stretches
from sms_watch.rules.record import Lease, TaskRecord, Totals, WatchRecord
from sms_watch.rules.sight import Sight
from sms_watch.rules.starts import Starts
from tests.support.builders import DISK_BUSY, DISK_FULL, HOST_UNKNOWN, LINE_LOST, UNCLEAR

IDS = st.sampled_from(["a", "b", "c", "d"])
CODES = st.sampled_from([LINE_LOST, HOST_UNKNOWN, DISK_BUSY, DISK_FULL, UNCLEAR, "?", ""])
STATES = st.sampled_from([*(str(state) for state in TaskState), "INVENTED"])
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2999, 12, 31), timezones=st.just(timezone.utc))  # noqa: DTZ001 - as hypothesis wants them
TEXTS = st.text(max_size=20)

MAYBE_TIMES = st.none() | TIMES

progresses = st.builds(
    Progress,
    st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 200),
    st.none() | st.integers(0, 10**15),
    st.sampled_from(["SSL_CONFIG", "MIGRATE_LINUX_FILE", "DETTACH_AGENT_IMAGE"]) | TEXTS,
)
tasks = st.builds(
    Task,
    IDS,
    TEXTS,
    STATES,
    st.sampled_from(["MIGRATE_FILE", "MIGRATE_BLOCK", ""]),
    st.builds(TaskError, CODES, st.lists(TEXTS, max_size=2).map(tuple)),
    st.sampled_from([True, False, None]),
    progresses,
    st.builds(
        Transfer,
        st.none() | st.floats(0, 1e9),
        st.none() | st.integers(0, 10**15),
        st.none() | st.integers(0, 10**9),
    ),
    st.builds(Servers, TEXTS, TEXTS, TEXTS),
)
gains = st.none() | st.floats(0, 1e9)
samples = st.builds(
    Sample,
    TIMES,
    st.none() | st.integers(0, 100),
    st.none() | st.integers(0, 10**15),
    st.none() | st.floats(0, 1e9),
    st.sampled_from(["SSL_CONFIG", "MIGRATE_LINUX_FILE"]),
)


def event_ids(kind: Kind) -> st.SearchStrategy[str]:
    """Return ids of notices of a kind."""
    return st.integers(0, 9).map(lambda number: f"20261123-0-{number}-{kind}")


def calls(kind: Kind) -> st.SearchStrategy[Call]:
    """Return calls for a person that a notice of a kind has told."""
    return st.builds(Call, event_ids(kind), TIMES, st.integers(0, 6))


records = st.builds(
    TaskRecord,
    STATES,
    TIMES,
    TEXTS,
    st.builds(
        Starts,
        st.integers(0, 9),
        st.integers(0, 9),
        TEXTS,
        MAYBE_TIMES,
        st.none() | st.sampled_from(Outcome),
        st.none() | progresses,
        st.integers(0, 3),
        MAYBE_TIMES,
    ),
    st.builds(
        Failure,
        st.just("") | event_ids(Kind.FAILED),
        CODES,
        st.none() | calls(Kind.NEEDS_PERSON),
        st.booleans(),
        st.lists(TIMES, min_size=1, max_size=3).map(tuple),
        st.integers(0, 9),
    ),
    st.builds(
        Agent, MAYBE_TIMES, MAYBE_TIMES, st.just("") | event_ids(Kind.DISCONNECTED), MAYBE_TIMES
    ),
    st.builds(
        Movement,
        st.none() | progresses,
        MAYBE_TIMES,
        MAYBE_TIMES,
        st.lists(samples, max_size=2).map(tuple),
        st.none() | calls(Kind.STALLED),
        st.builds(FirstCopy, MAYBE_TIMES, st.none() | st.integers(0, 10**15), MAYBE_TIMES),
        st.none() | st.builds(Stretches, TEXTS, st.floats(0, 1e6), gains, gains),
    ),
    st.none() | calls(Kind.HANGING) | calls(Kind.UNKNOWN_STATE),
    MAYBE_TIMES,
    st.builds(Totals, st.integers(0, 9), st.floats(0, 1e9)),
)


def sights(kind: Kind) -> st.SearchStrategy[Mapping[str, Sight]]:
    """Return what is remembered of tasks that were not seen, by id."""
    told = st.just("") | event_ids(kind)
    return st.dictionaries(IDS, st.builds(Sight, TIMES, st.integers(0, 3), told), max_size=2)


airtimes = st.dictionaries(
    IDS,
    st.builds(Airtime, st.lists(TIMES, max_size=7).map(tuple), st.integers(0, 3), MAYBE_TIMES),
    max_size=2,
)
watches = st.builds(
    WatchRecord,
    st.integers(0, 3),
    MAYBE_TIMES,
    st.just("") | event_ids(Kind.BLIND),
    st.booleans(),
    sights(Kind.UNREADABLE),
    sights(Kind.GONE),
    st.integers(0, 3),
    MAYBE_TIMES,
    MAYBE_TIMES,
    airtimes,
)
starts = st.builds(Start, TEXTS, st.sampled_from(Outcome), TEXTS)
verdicts = st.builds(
    Verdict,
    st.sampled_from(Action),
    st.none() | st.sampled_from(Reason),
    st.none() | st.sampled_from(ErrorClass),
    st.builds(Attempt, st.integers(0, 9), st.none() | st.integers(0, 9), MAYBE_TIMES, MAYBE_TIMES),
    st.none() | starts,
    MAYBE_TIMES,
)
digests = st.builds(
    Digest,
    st.lists(
        st.builds(DigestRow, tasks, st.integers(0, 9), st.floats(0, 1e9), MAYBE_TIMES), max_size=2
    ).map(tuple),
    st.integers(0, 9),
    TEXTS,
)
notices = st.builds(
    Notice,
    st.sampled_from(Kind),
    TIMES,
    TEXTS,
    st.none() | tasks,
    verdicts,
    st.lists(TEXTS, max_size=2).map(tuple),
    MAYBE_TIMES,
    st.integers(0, 9),
    TEXTS,
    digests,
)
entries = st.builds(
    Entry,
    st.sampled_from(EntryType),
    TIMES,
    st.text(min_size=1, max_size=20),
    TEXTS,
    st.dictionaries(IDS, records, max_size=3),
    st.none() | watches,
    st.lists(notices, max_size=2).map(tuple),
    st.none() | st.builds(Delivery, TEXTS, st.lists(TEXTS, max_size=2).map(tuple)),
    st.dictionaries(IDS, starts, max_size=2),
    st.none() | st.builds(Lease, TIMES, TEXTS),
)
