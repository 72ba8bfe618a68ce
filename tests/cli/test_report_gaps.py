"""The page claims nothing that nobody saw: gaps, by the evidence that the journal has."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Iterator, List, Tuple

import pytest

from sms_watch.journal.entries import Entry, EntryType
from sms_watch.model.notice import Outcome, Start
from sms_watch.model.task import Progress
from sms_watch.rules.movement import Sample
from sms_watch.rules.record import TaskRecord, WatchRecord
from sms_watch.rules.sight import Sight
from sms_watch_cli.report.facts import Facts, facts
from sms_watch_cli.report.gaps import BLIND, SILENT, UNREAD
from sms_watch_cli.report.page import page
from sms_watch_cli.report.story import Gap
from sms_watch_cli.report.verdict import verdict
from tests.support.builders import LINE_LOST, varied

EVENING = datetime(2026, 11, 23, 22, tzinfo=timezone.utc)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
UTC = timezone.utc


def _at(hours: float) -> datetime:
    return EVENING + hours * HOUR


def _line(hours: float, **fields: Any) -> Entry:
    kind = fields.pop("type", EntryType.PLAN)
    return Entry(kind, _at(hours), f"run-{hours}", f"nonce-{hours}-{kind}", **fields)


def _task(hours: float, state: str, since: float, task_id: str = "a", **flat: Any) -> Entry:
    record = varied(TaskRecord(state, _at(since), f"web-{task_id}"), **flat)
    return _line(hours, tasks={task_id: record})


def _sample(hours: float, percent: int, since: float = 0, **flat: Any) -> Entry:
    samples = (Sample(_at(hours), percent, sub_task="COPY"),)
    here = {"last_progress": Progress(percent=percent), "moved_at": _at(hours), **flat}
    return _task(hours, "RUNNING", since, samples=samples, **here)


def _running(begin: float, end: float, since: float = 0, every: float = 0.125) -> List[Entry]:
    """Return the samples of a task that runs from one hour to another."""
    steps = round((end - begin) / every)
    return [
        _sample(begin + n * every, int(10 * (begin + n * every)), since) for n in range(steps + 1)
    ]


def _failed(hours: float, since: float = -1) -> Entry:
    return _task(hours, "MIGRATE_FAIL", hours if since < 0 else since, code=LINE_LOST)


def _blind(hours: float, since: float = -1) -> Entry:
    """Return a line of a run that could read nothing, or, without since, that can read again."""
    watch = WatchRecord(blind_runs=1, blind_since=_at(since)) if since >= 0 else WatchRecord()
    return _line(hours, watch=watch)


def _facts(*entries: Entry, end: float = 10) -> Facts:
    return facts(entries, EVENING - HOUR, _at(end), UTC)


def _spans(gaps: Tuple[Gap, ...]) -> List[Tuple[float, float, str]]:
    return [((g.begin - EVENING) / HOUR, (g.end - EVENING) / HOUR, g.why) for g in gaps]


def _text(told: Facts) -> str:
    return re.sub(r"<[^>]+>", " ", page(told, UTC, "What sms_watch saw"))


BACK = _line(3, watch=WatchRecord(), tasks=_failed(3).tasks)


def test_a_failure_after_a_gap_is_first_seen_then() -> None:
    """Not when it failed: nobody knows that; and the curve ends where the last sample was."""
    told = _facts(*_running(0, 1), _blind(1.01, 1.01), BACK, end=3.5)
    (story,) = told.stories
    assert _spans(story.gaps) == [(1.01, 3, BLIND)]
    assert (
        "First seen at 01:00, after a gap of 1 h 59 min in which nothing could be read."
        in _text(told)
    )
    assert [stroke[-1].at for stroke in story.strokes] == [_at(1)]


def test_no_curve_is_drawn_through_a_gap() -> None:
    """The samples on either side of it are two strokes, though the task ran all the time."""
    again = _line(3, watch=WatchRecord(), tasks=_sample(3, 30).tasks)
    told = _facts(*_running(0, 1), _blind(1.1, 1.1), again, *_running(3.125, 4), end=4)
    (story,) = told.stories
    assert [(s[0].at, s[-1].at) for s in story.strokes] == [(_at(0), _at(1)), (_at(3), _at(4))]
    assert page(told, UTC, "x").count('class="gap"') == 2  # one is that of the legend


def test_what_ended_in_a_gap_lasted_from_to() -> None:
    """The least that was seen, and the most that it can be; the hours count the latter."""
    again = _line(3, watch=WatchRecord(), tasks=_sample(3, 30, since=3).tasks)
    told = _facts(*_running(0, 1), _failed(1.5), _blind(2, 2), again, end=3.5)
    assert "30 min to 1 h 30 min" in _text(told)
    assert told.lost == 1.5 * HOUR


def test_silence_of_a_task_that_runs_is_a_gap() -> None:
    """A run that succeeds would have written a sample, or that the task does not move."""
    told = _facts(*_running(0, 1), *_running(4, 5), end=5)
    assert _spans(told.gaps) == [(1, 4, SILENT)]


@pytest.mark.parametrize(
    "entry",
    [
        _failed(1.1),
        _task(1.1, "ABORT", 1.1),
        _task(1.1, "SYNCING", 1.1, last_progress=Progress(percent=100)),
        _sample(1.1, 11, suspected_at=_at(1.1)),
        _line(1.1, watch=WatchRecord(absent={"a": Sight(_at(1.1), 2, "20261124-0-0-gone")})),
    ],
    ids=["failed", "paused", "synchronising", "watched for a stall", "gone"],
)
def test_silence_by_itself_is_no_gap(entry: Entry) -> None:
    """A quiet run writes nothing where there is nothing to sample."""
    assert _facts(*_running(0, 1), entry, end=9).gaps == ()


def test_a_slow_timer_makes_no_gaps() -> None:
    """What is long goes by how often lines come."""
    assert _facts(*_running(0, 20, every=2), end=21).gaps == ()
    assert len(_facts(*_running(0, 20, every=2), end=28).gaps) == 1


def test_another_task_that_is_sampled_shows_that_runs_took_place() -> None:
    """Only where no line at all was written nobody looked."""
    others = [
        _task(n / 8, "RUNNING", 0, "b", last_progress=Progress(percent=n), moved_at=_at(n / 8))
        for n in range(9, 40)
    ]
    assert _facts(*_running(0, 1), *others, end=5).gaps == ()


def test_a_task_that_cannot_be_read_has_a_gap_of_its_own() -> None:
    """The others go on; a passing fault of one run is none."""
    unread = _line(1.1, watch=WatchRecord(unread={"a": Sight(_at(1.1), 1)}))
    other = _task(0, "RUNNING", 0, "b")
    told = _facts(other, *_running(0, 1), unread, _line(3, watch=WatchRecord()), end=3.5)
    assert {story.id: _spans(story.gaps) for story in told.stories} == {
        "a": [(1.1, 3, UNREAD)],
        "b": [],
    }
    soon = _line(1.1 + 1 / 60, watch=WatchRecord())
    assert [story.gaps for story in _facts(other, *_running(0, 1), unread, soon).stories] == [
        (),
        (),
    ]


def test_what_has_finished_has_no_gap() -> None:
    """It stays so, whether anybody looks or not."""
    done = _task(0, "MIGRATE_SUCCESS", 0, "b")
    told = _facts(done, *_running(0, 1), _blind(1.1, 1.1), _line(3, watch=WatchRecord()), end=3.5)
    assert {story.id: len(story.gaps) for story in told.stories} == {"a": 1, "b": 0}


def test_a_function_that_stopped_is_the_verdict() -> None:
    """The state is that when last seen, and no hours are lost that nobody saw."""
    told = _facts(*_running(0, 1), end=9)
    said = verdict(told, UTC)
    assert (said.kind, said.sentence[:58]) == (
        "bad",
        "The tasks have not been seen since 2026-11-23 23:00 +00:00",
    )
    assert "RUNNING, 10 %, last seen Mon 23 Nov 23:00" in _text(told)
    blind = _facts(*_running(0, 1), _failed(1.1), _blind(2, 2), end=9)
    assert blind.lost == 0.9 * HOUR
    assert "54 min when last seen" in _text(blind)


def test_hours_in_a_gap_are_not_saved() -> None:
    """Nobody saw the task move in them."""

    def night(*between: Entry) -> Iterator[Entry]:
        start = Start("20261123-1-0-start", Outcome.UNKNOWN)
        yield from (*_running(0, 1), _failed(1.5), _line(1.5, starts={"a": start}))
        done = {"a": Start(start.id, Outcome.DONE)}
        yield _line(1.5, type=EntryType.ACK, starts=done)
        yield from (_sample(2, 20, since=2), *between)

    seen = _facts(*night(*_running(2.1, 10, since=2)))
    blind = _facts(*night(_blind(3, 3), _line(5, watch=WatchRecord()), *_running(5, 10, since=2)))
    assert seen.saved - blind.saved == 2 * HOUR


# The verdict, and the overview


def test_the_verdict_names_who_needs_attention() -> None:
    """Worst first, with state and code; what rests or runs is well."""
    stalled = _task(2, "RUNNING", 0, "b")
    told = _facts(stalled, _failed(2), end=3)
    said = verdict(told, UTC)
    assert said.sentence == "1 of 2 tasks needs attention: web-a (failed, SMS.0807)."
    assert said.details == ("1 failure, still open: 1.0 hours lost.",)
    assert verdict(_facts(*_running(0, 1), end=1), UTC).sentence == (
        "No task needs attention: 1 running."
    )


def test_who_needs_attention_comes_before_who_lost_more() -> None:
    """Failed, then halted by SMS; then those that people paused; then by the hours lost."""
    lost = [_failed(0, 0), _task(2, "RUNNING", 2)]
    fresh = _task(2.9, "MIGRATE_FAIL", 2.9, "b", code=LINE_LOST)
    halted = _task(2, "ABORT", 2, "c", code="SMS.9007")
    told = _facts(*lost, _task(2, "ABORT", 2, "d"), halted, fresh, end=3)
    assert [story.id for story in told.stories] == ["b", "c", "d", "a"]
    assert [story.needs_look for story in told.stories] == [True, True, False, False]


def test_more_than_five_tasks_have_an_overview_worst_first() -> None:
    """It says so, and each row leads to its task."""
    many = [_task(1, "RUNNING", 0, str(number)) for number in range(5)]
    assert "Worst first" not in _text(_facts(*many, end=2))
    text = page(_facts(*many, _failed(1), end=2), UTC, "x")
    assert "Worst first" in text
    rows = re.findall(r'<a href="#(task-\d)">(.*?)</a>', text)
    assert rows[:2] == [("task-1", "web-a"), ("task-2", "web-0")]
    assert all(f'id="{anchor}"' in text for anchor, _ in rows)


def test_the_page_says_when_and_by_what_it_was_made() -> None:
    """A page that is passed on is judged by its age."""
    text = _text(_facts(*_running(0, 1), end=1))
    assert re.search(r"Generated at 2026-11-23 23:00 \+00:00 by sms_watch \d+\.\d+\.\d+", text)


@pytest.mark.parametrize("state", ["MIGRATE_FAIL", "SYNC_FAIL", "SYNC_F_ROLLBACK_SUCCESS"])
def test_hours_lost_are_those_of_the_digest(state: str) -> None:
    """One definition for both: how long a task stood failed, whatever would have helped."""
    broken = TaskRecord(state, _at(1), "web-a")
    told = _facts(*_running(0, 1), _line(1, tasks={"a": broken}), end=3)
    assert told.lost.total_seconds() == broken.seconds_failed(_at(3)) == 7_200
