"""Lines as they add up: decoded once, in whatever parts they come, and whatever is odd in them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, Iterator, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.errors import JournalError
from sms_watch.journal import folding
from sms_watch.journal.entries import (
    Entry,
    EntryType,
    Mark,
    after,
    encode,
    expand,
    fold,
    snapshot,
)
from sms_watch.journal.folding import Folded, fold_lines, replay
from sms_watch.journal.future import held
from sms_watch.messages.compose import RunContext, compose
from sms_watch.model.notice import Outcome, Start
from sms_watch.model.policy import Policy
from sms_watch.model.task import Gone, Observation, Progress, Unread
from sms_watch.rules.plan import plan
from sms_watch.rules.record import Memory
from tests.support.builders import NOW, a_record, a_running_task, a_situation, a_task
from tests.support.strategies import entries
from tests.unit.journal.test_codec import FULL


def _lines(history: List[Entry]) -> List[bytes]:
    """Return entries as a journal writes them, each by what changed since those before it."""
    lines, memory = [], Memory()
    for entry in history:
        lines.append(encode(entry, memory))
        memory = after(memory, entry)
    return lines


def _a_life(draw: random.Random) -> List[Entry]:
    """Return what runs write about a task that is started, moves on, and fails again."""
    history, memory, now = [], Memory(), NOW
    for number in range(draw.randint(1, 12)):
        now += timedelta(minutes=draw.choice([1, 8, 30]))
        states = ["RUNNING", "RUNNING", "MIGRATE_FAIL"]
        place = Progress(5, draw.randint(40, 60), draw.randint(0, 10**12), "MIGRATE_LINUX_FILE")
        task = a_task(
            state=draw.choice(states), progress=place, code=draw.choice(["SMS.0807", "SMS.1103"])
        )
        planned = plan([task], memory, replace(a_situation(), now=now))
        starts = {d.task_id: d.verdict.start for d in planned.starts if d.verdict.start}
        entry = Entry(EntryType.PLAN, now, f"run-{number}", f"n-{number}", planned.tasks)
        history.append(replace(entry, starts=starts, notices=planned.notices))
        made = {
            key: replace(each, outcome=draw.choice(list(Outcome))) for key, each in starts.items()
        }
        settled = {
            d.task_id: planned.tasks[d.task_id].settled(made[d.task_id].outcome, d.record)
            for d in planned.starts
            if d.record is not None
        }
        history.append(replace(entry, type=EntryType.ACK, tasks=settled, starts=made))
        memory = fold(history)
        if draw.random() < 0.2:
            history.append(snapshot(memory, now, "run", f"s-{number}"))
    return history


def _parts(lines: List[bytes], draw: random.Random) -> List[bytes]:
    """Return lines in parts, as objects hold them; the last line of a part may have no end."""
    cuts = sorted(draw.sample(range(len(lines) + 1), min(2, len(lines))))
    ends = zip([0, *cuts], [*cuts, len(lines)])
    parts = [b"".join(lines[begin:end]) for begin, end in ends]
    return [part[:-1] if draw.random() < 0.3 else part for part in parts]


@given(st.randoms(use_true_random=False))
def test_lines_add_up_to_what_their_entries_do(draw: random.Random) -> None:
    """In whatever parts they come, decoded once or each by itself: it is the same memory."""
    history = _a_life(draw)
    parts = _parts(_lines(history), draw)
    folded = fold_lines(parts)
    assert folded.memory == fold(history)
    assert folded == folding._carefully(parts)
    assert fold([entry for entry in replay(parts) if entry is not None]) == fold(history)


@given(st.lists(entries, max_size=5))
def test_any_lines_add_up_to_what_their_entries_do(history: List[Entry]) -> None:
    """The same for entries that no run would write."""
    folded = fold_lines(_lines(history))
    assert folded.memory == fold(history)
    assert folded.damaged == 0
    assert folded.complete is any(entry.type is EntryType.SNAPSHOT for entry in history)
    assert folded.last == (replace(history[-1], tasks={}) if history else None)


def test_no_lines_are_no_memory() -> None:
    """An object without a byte, or none at all, tells nothing."""
    assert fold_lines([]) == fold_lines([b"", b""]) == Folded(Memory())


def _plan(mark: str) -> bytes:
    return encode(Entry(EntryType.PLAN, NOW, "run", "n", tasks={"a": a_record(state=mark)}))


def test_a_line_that_cannot_be_used_is_counted() -> None:
    """The lines around it are read; what is counted is lines, empty ones as well."""
    folded = fold_lines([_plan("RUNNING") + b"garbage\n\n" + _plan("ABORT")])
    assert (folded.damaged, folded.memory.tasks["a"].state) == (2, "ABORT")


def test_a_record_that_is_none_costs_its_line() -> None:
    """If it is the last of its task, all of its line is left out; what was known before stays."""
    watch = b'"watch":{"loss_told":true}'
    odd = _plan("ABORT").replace(b'"tasks"', watch + b',"tasks"').replace(b'"ABORT"', b"7")
    folded = fold_lines([_plan("RUNNING") + odd])
    assert (folded.damaged, folded.memory.tasks["a"].state) == (1, "RUNNING")
    assert not folded.memory.watch.loss_told
    assert [each is None for each in replay([_plan("RUNNING") + odd])] == [False, True]


def test_a_record_that_another_has_replaced_is_not_looked_at() -> None:
    """Each record is decoded once, from the last line that has it."""
    odd = _plan("ABORT").replace(b'"ABORT"', b"7")
    assert fold_lines([odd + _plan("RUNNING")]) == fold_lines([_plan("RUNNING")])


def test_a_record_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred lines about one task the last whole one is decoded, and what follows it."""
    seen = []

    def watched(form: Any, *rest: Any) -> Any:
        seen.append(form)
        return expand(form, *rest)

    monkeypatch.setattr("sms_watch.journal.folding.expand", watched)
    fold_lines([_plan("RUNNING") * 99 + _plan("ABORT")])
    assert len(seen) == 1


def test_a_snapshot_knows_its_topic() -> None:
    """The last one tells whose memory it is."""
    first, second = (
        encode(snapshot(Memory(), NOW, "run", topic), mark=Mark(topic=topic)) for topic in "ab"
    )
    odd = _plan("ABORT").replace(b'"ABORT"', b"7")
    for lines in (first + second, first + second + odd):
        assert fold_lines([lines + _plan("RUNNING")]).topic == "b"


def test_a_newer_version_stops_everything() -> None:
    """However lines are folded, one of a later version is never left out."""
    newer = _plan("RUNNING").replace(b'"v":1', b'"v":2')
    odd = _plan("ABORT").replace(b'"ABORT"', b"7")
    for lines in (newer, odd + newer):
        with pytest.raises(JournalError, match="newer sms_watch"):
            fold_lines([lines])


# Lines that are valid JSON and no valid values


ODD: List[Any] = [
    *(None, True, False, 0, -1, 1.5, 1e308, -1e308, 10**15, 10**18, 10**30, 10**400),
    *("", "x", "RUNNING", "start", "failed", "done", "Z", "1e5Z", "2026-11-24Z", "2026-W48-2Z"),
    *("20261124T120000Z", "2026-11-24T12:00:00+05:00Z", "9999-12-31T23:59:59Z"),
    *("0001-01-01T00:00:00Z", "2999-12-31T23:59:59Z", "2000-01-01T00:00:00Z"),
    *([], {}, [[]], {"a": 1}, float("nan"), float("inf")),
]
ACK = Entry(
    EntryType.ACK, NOW, "run-1", "n-2", starts={"a": Start("20261124-0-0-start", Outcome.REFUSED)}
)
CHANGES = [
    {**json.loads(encode(ACK)), "tasks": {"a": "refused"}},
    {**json.loads(encode(ACK)), "tasks": {"a": [51, 2000, 95.5]}},
]


def _ways(data: Any, path: Tuple[Any, ...] = ()) -> Iterator[Tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in inner:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from _ways(value, (*path, key))


def _spoilt(data: Any, draw: random.Random) -> bytes:
    """Return a line in which one to three values are others, or missing."""
    data = json.loads(json.dumps(data))
    for _ in range(draw.randint(1, 3)):
        *way, key = draw.choice(list(_ways(data)))
        inner = data
        for each in way:
            inner = inner[each]
        if draw.random() < 0.8:
            inner[key] = draw.choice(ODD)
        else:
            del inner[key]
    return json.dumps(data).encode() + b"\n"


READINGS: List[List[Observation]] = [
    [a_task(), Gone("b")],
    [a_running_task(), Unread("b", "why")],
    [a_task(state="ABORT", connected=False), a_task(id="b")],
    [a_task(connected=True)],
    [a_task(state="MIGRATE_SUCCESS")],
    [a_task(state="INVENTED")],
    [Unread("a", "why")],
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_no_odd_line_breaks_a_later_run(seed: int) -> None:
    """A line is left out, or what it says can be planned with, told, and written down again."""
    draw = random.Random(seed)  # noqa: S311 - a seed, no secret
    for _ in range(25):
        before = encode(FULL)
        line = _spoilt(draw.choice([json.loads(before), *CHANGES]), draw)
        folded = fold_lines([before + line])
        memory, _ = held(folded.memory, NOW)
        whole = encode(snapshot(memory, NOW, "run", "nonce"))
        assert fold_lines([whole]).memory == memory
        _plan_and_tell(draw.choice(READINGS), memory, whole)


def _plan_and_tell(seen: List[Observation], memory: Memory, whole: bytes) -> None:
    planned = plan(seen, memory, a_situation(policy=Policy(digest=timedelta(hours=1))))
    owed = [*memory.outbox.values(), *planned.notices]
    if owed:
        compose(owed, RunContext("run", NOW, timezone.utc, "https://console.example/"))
    entry = Entry(EntryType.PLAN, NOW, "run", "n", planned.tasks, planned.watch, planned.notices)
    folded = fold_lines([whole, encode(entry, memory)])
    assert (folded.damaged, folded.memory) == (0, after(memory, entry))
