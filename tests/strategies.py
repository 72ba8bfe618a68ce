"""Values of all kinds for property tests."""

from __future__ import annotations

from datetime import timezone

from builders import DISK_BUSY, DISK_FULL, HOST_UNKNOWN, LINE_LOST, UNCLEAR
from hypothesis import strategies as st

from sms_watch.journal.entries import VERSION, Entry, EntryType
from sms_watch.model.notice import Action, Kind, Notice, Outcome, Reason, Standing
from sms_watch.model.task import ErrorClass, Progress, Task, TaskState
from sms_watch.rules.movement import Sample
from sms_watch.rules.record import TaskMemory, WatchMemory

IDS = st.sampled_from(["a", "b", "c", "d"])
CODES = st.sampled_from([LINE_LOST, HOST_UNKNOWN, DISK_BUSY, DISK_FULL, UNCLEAR, "?", ""])
STATES = st.sampled_from([*(str(state) for state in TaskState), "INVENTED"])
TIMES = st.datetimes(timezones=st.just(timezone.utc))
TEXTS = st.text(max_size=20)

progresses = st.builds(
    Progress,
    st.integers(0, 3),
    st.integers(0, 9),
    st.none() | st.integers(0, 100),
    st.none() | st.integers(0, 10**15),
    TEXTS,
)
tasks = st.builds(
    Task,
    IDS,
    TEXTS,
    STATES,
    type=st.sampled_from(["MIGRATE_FILE", "MIGRATE_BLOCK", ""]),
    code=CODES,
    error_params=st.lists(TEXTS, max_size=2).map(tuple),
    connected=st.sampled_from([True, False, None]),
    progress=progresses,
    speed=st.none() | st.floats(0, 1e9),
    remaining=st.none() | st.integers(0, 10**9),
    source=TEXTS,
    target=TEXTS,
)
samples = st.builds(
    Sample, TIMES, st.none() | st.integers(0, 100), st.none() | st.integers(0, 10**15)
)
memories = st.builds(
    TaskMemory,
    STATES | st.just(""),
    TIMES,
    TEXTS,
    CODES,
    st.integers(0, 9),
    st.integers(0, 9),
    st.none() | TIMES,
    st.none() | progresses,
    TEXTS,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.sampled_from(Outcome),
    place=st.none() | progresses,
    moved=st.none() | TIMES,
    suspected=st.none() | TIMES,
    samples=st.lists(samples, max_size=2).map(tuple),
    stalled=st.just("") | TEXTS,
    parted=st.just("") | TEXTS,
    parted_at=st.none() | TIMES,
    failures=st.lists(TIMES, min_size=1, max_size=3).map(tuple),
    flaps=st.integers(0, 9),
    reminded=st.integers(0, 6),
    reminded_at=st.none() | TIMES,
    snoozed=st.none() | TIMES,
    starts=st.integers(0, 9),
    lost=st.floats(0, 1e9),
)
watches = st.builds(
    WatchMemory,
    st.integers(0, 3),
    st.none() | TIMES,
    TEXTS,
    st.booleans(),
    digested=st.none() | TIMES,
)
notices = st.builds(
    Notice,
    st.sampled_from(Kind),
    TIMES,
    TEXTS,
    st.none() | tasks,
    st.none() | st.sampled_from(ErrorClass),
    st.sampled_from(Action),
    st.none() | st.sampled_from(Reason),
    st.integers(0, 9),
    st.none() | st.integers(0, 9),
    st.none() | TIMES,
    st.none() | TIMES,
    st.none() | st.sampled_from(Outcome),
    TEXTS,
    st.integers(0, 9),
    st.lists(st.builds(Standing, tasks, st.integers(0, 9), st.floats(0, 1e9)), max_size=2).map(
        tuple
    ),
    st.integers(0, 9),
)
entries = st.builds(
    Entry,
    st.just(VERSION),
    st.sampled_from(EntryType),
    TIMES,
    st.text(min_size=1, max_size=20),
    TEXTS,
    st.dictionaries(IDS, memories, max_size=3),
    st.none() | watches,
    st.lists(notices, max_size=2).map(tuple),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.lists(IDS, max_size=2).map(tuple),
    st.dictionaries(IDS, st.sampled_from(Outcome), max_size=2),
    TEXTS,
    st.none() | TIMES,
    TEXTS,
)
