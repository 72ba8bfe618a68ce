"""The page: what the journal's lines come to, and that it is complete in itself."""

from __future__ import annotations

import functools
import io
import re
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from simulated_cloud.scenarios import SCENARIOS
from simulated_cloud.task import SimTask
from sms_watch.clock import SYSTEM_CLOCK
from sms_watch.journal.entries import Delivery, Entry, EntryType, encode, snapshot
from sms_watch.model.notice import Action, Kind, Outcome, Start
from sms_watch.model.task import Phase, Progress
from sms_watch.rules.call import Call
from sms_watch.rules.movement import Sample
from sms_watch.rules.record import Memory, TaskRecord, WatchRecord
from sms_watch.rules.sight import Sight
from sms_watch_cli.history import history
from sms_watch_cli.play import play_watched
from sms_watch_cli.report.facts import Facts, facts
from sms_watch_cli.report.page import page
from sms_watch_cli.report.story import Band, Story
from sms_watch_cli.screen import Screen
from sms_watch_cli.session import CloudSession
from tests.support import browser, strategies
from tests.support.builders import DISK_FULL, LINE_LOST, a_notice, a_task, minutes, varied
from tests.support.sessions import a_day

EVENING = datetime(2026, 11, 23, 22, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
MORNING = EVENING + 10 * HOUR
UTC = timezone.utc


def _at(hours: float) -> datetime:
    return EVENING + hours * HOUR


def _line(hours: float, kind: EntryType = EntryType.PLAN, **fields: Any) -> Entry:
    at = _at(hours)
    return Entry(kind, at, fields.pop("run", f"run-{hours}"), f"nonce-{hours}-{kind}", **fields)


def _task(hours: float, state: str, since: Optional[float] = None, **flat: Any) -> Entry:
    begun = _at(hours if since is None else since)
    return _line(hours, tasks={"a": varied(TaskRecord(state, begun, "web-01"), **flat)})


def _planned(hours: float, outcome: Outcome = Outcome.UNKNOWN) -> Start:
    return Start(f"20261123-{hours}-0-start", outcome)


def _start(hours: float, outcome: Optional[Outcome] = Outcome.DONE) -> List[Entry]:
    became = {"a": _planned(hours, outcome)} if outcome else {}
    return [
        _line(hours, starts={"a": _planned(hours)}),
        _line(hours, EntryType.ACK, starts=became),
    ]


def _facts(*entries: Entry, end: datetime = MORNING) -> Facts:
    return facts(entries, EVENING - HOUR, end, UTC)


def _story(*entries: Entry, end: datetime = MORNING) -> Story:
    return _facts(*entries, end=end).stories[0]


def _spans(bands: Sequence[Band]) -> List[Tuple[str, float, float]]:
    return [
        (band.state, (band.begin - EVENING) / HOUR, (band.end - EVENING) / HOUR) for band in bands
    ]


STALL = Call("20261124-0-0-stalled", EVENING)
RUNS = _task(0, "RUNNING")
FAILS = _task(2, "MIGRATE_FAIL", code=LINE_LOST)


def test_the_states_are_bands_that_follow_each_other() -> None:
    """Each state lasts until the next; the last one until the end."""
    story = _story(RUNS, FAILS, _task(3, "RUNNING"), _task(9, "MIGRATE_SUCCESS"))
    assert _spans(story.bands) == [
        ("RUNNING", 0, 2),
        ("MIGRATE_FAIL", 2, 3),
        ("RUNNING", 3, 9),
        ("MIGRATE_SUCCESS", 9, 10),
    ]
    assert (story.state.phase, story.failures, story.lost) == (Phase.FINISHED, 1, HOUR)


def test_a_record_that_is_written_again_is_the_same_band() -> None:
    """A snapshot, or an attempt, repeats a state; only a new beginning is a new band."""
    again = _line(2.5, EntryType.SNAPSHOT, tasks=FAILS.tasks)
    story = _story(RUNS, FAILS, again, _task(3, "MIGRATE_FAIL", since=2, code="SMS.3802"))
    assert _spans(story.events) == [("MIGRATE_FAIL", 2, 10)]
    assert story.events[0].codes == (LINE_LOST, "SMS.3802")


def test_what_began_before_is_cut() -> None:
    """Hours before the first line, and lines of other days, are not counted."""
    story = _story(_task(0, "MIGRATE_FAIL", since=-50, code=LINE_LOST), _task(1, "RUNNING"))
    assert story.lost == HOUR


def test_being_paused_is_one_band() -> None:
    """ABORTING and ABORT are one pause."""
    story = _story(RUNS, _task(2, "ABORTING"), _task(2.1, "ABORT"), _task(3, "RUNNING"))
    assert _spans(story.events) == [("ABORT", 2, 3)]
    assert story.lost == timedelta(0)


def _gone(hours: float, since: Optional[float] = None, told: bool = True) -> Entry:
    """Return a line that says that SMS has no such task, or, without since, that it has it."""
    event = "20261124-0-0-gone" if told else ""
    absent = {} if since is None else {"a": Sight(_at(since), 2 if told else 1, event)}
    return _line(hours, watch=WatchRecord(absent=absent))


def test_a_task_that_is_gone_has_a_band_until_it_is_back() -> None:
    """What it was before it goes on then, though no record says so; the records stay as they were.

    One answer is not believed here either.
    """
    again = _line(4, EntryType.SNAPSHOT, tasks=FAILS.tasks, watch=_gone(3, 3).watch)
    doubt = _gone(2.9, 2.9, told=False)
    story = _story(RUNS, FAILS, doubt, _gone(3.1, 3), again, _line(5), _gone(6))
    assert _spans(story.bands) == [
        ("RUNNING", 0, 2),
        ("MIGRATE_FAIL", 2, 3),
        ("", 3, 6),
        ("MIGRATE_FAIL", 6, 10),
    ]
    assert [band.phase for band in story.bands][2] is Phase.GONE
    assert [band.codes for band in story.bands[2:]] == [(), (LINE_LOST,)]
    assert story.lost == 5 * HOUR


def test_a_task_that_is_back_in_another_state_was_gone_until_then() -> None:
    """The line that has its record has the end of its absence too."""
    back = replace(_task(6, "RUNNING"), watch=WatchRecord())
    story = _story(FAILS, _gone(3.1, 3), back, _gone(8.1, 8))
    assert _spans(story.bands) == [
        ("MIGRATE_FAIL", 2, 3),
        ("", 3, 6),
        ("RUNNING", 6, 8),
        ("", 8, 10),
    ]


def test_an_id_that_never_was_a_task_is_shown_as_gone() -> None:
    """By its id, for that is all that is known."""
    story = _story(_gone(3.1, 3))
    assert (story.name, _spans(story.bands)) == ("a", [("", 3.1, 10)])


def test_starts_stand_in_the_failure_that_they_are_about() -> None:
    """Also one at its very end; one that was skipped is none."""
    entries = [RUNS, FAILS, *_start(2), *_start(2.2, Outcome.REFUSED), *_start(2.4, None)]
    story = _story(*entries, *_start(2.45, Outcome.SKIPPED), *_start(2.5), _task(2.5, "RUNNING"))
    failed = story.events[0]
    assert [start.outcome for start in failed.starts] == [
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.UNKNOWN,
        Outcome.DONE,
    ]
    assert failed.mended
    assert len(story.starts) == 4


def test_what_became_of_a_start_is_found_by_its_id() -> None:
    """Whenever it was written down, and whatever became of others of the task since."""
    late = _line(2.3, EntryType.ACK, starts={"a": _planned(2, Outcome.REFUSED)})
    story = _story(RUNS, FAILS, *_start(2, None), *_start(2.2), late)
    assert [start.outcome for start in story.starts] == [Outcome.REFUSED, Outcome.DONE]


def test_a_stall_is_a_band_within_running() -> None:
    """From when it was last seen to move until it moves again."""
    still = _task(4, "RUNNING", since=0, stall=STALL, moved_at=_at(3))
    moves = _task(5, "RUNNING", since=0, moved_at=_at(5))
    assert _spans(_story(RUNS, still, moves).events) == [("stalled", 3, 5)]
    assert _spans(_story(RUNS, still).events) == [("stalled", 3, 10)]


def test_the_curve_is_the_union_of_the_samples() -> None:
    """Samples of all records, by their moment; cut where it did not run or a sub-task ended."""

    def samples(*points: Tuple[float, Optional[int], str]) -> Tuple[Sample, ...]:
        return tuple(Sample(_at(at), percent, sub_task=name) for at, percent, name in points)

    first = samples((0, 100, "SSL_CONFIG"), (0.5, 1, "MIGRATE"), (1, 2, "MIGRATE"))
    second = samples((1, 2, "MIGRATE"), (1.5, 3, "MIGRATE"), (1.7, None, "MIGRATE"))
    third = samples((3, 4, "MIGRATE"), (3.5, 6, "MIGRATE"))
    task = a_task(progress=Progress(percent=4, sub_task="MIGRATE"))
    notice = a_notice(Kind.FAILED, at=_at(2), task=task)
    story = _story(
        _task(1, "RUNNING", since=0, samples=first),
        _task(1.5, "RUNNING", since=0, samples=second),
        replace(FAILS, notices=(notice,)),
        _line(2.5, notices=(replace(notice, at=_at(2.5)),)),
        _task(3.5, "RUNNING", since=3, samples=third),
    )
    assert [[point.percent for point in stroke] for stroke in story.strokes] == [
        [2, 3, 4],
        [4, 6],
    ]
    assert story.percent == 6


# Hours saved


@pytest.mark.parametrize(
    ("entries", "hours"),
    [
        # Down at midnight, up at 1: seven hours until 8 in which it ran.
        ([RUNS, FAILS, *_start(2), _task(3, "RUNNING")], 7),
        # A second failure within the same wait is time that it stood all the same.
        (
            [
                *(RUNS, FAILS, *_start(2), _task(3, "RUNNING"), _task(5, "MIGRATE_FAIL")),
                *(*_start(5), _task(6, "RUNNING")),
            ],
            6,
        ),
        # Nobody's start mended it, or no start was taken.
        ([RUNS, FAILS, _task(3, "RUNNING")], 0),
        ([RUNS, FAILS, *_start(2, Outcome.REFUSED), _task(3, "RUNNING")], 0),
        ([RUNS, FAILS, *_start(2)], 0),
        # A pause or a stall is not saved, an end is.
        ([RUNS, FAILS, *_start(2), _task(3, "RUNNING"), _task(4, "ABORT")], 1),
        ([RUNS, FAILS, *_start(2), _task(3, "RUNNING"), _task(4, "MIGRATE_SUCCESS")], 7),
        (
            [
                *(RUNS, FAILS, *_start(2), _task(3, "RUNNING")),
                _task(5, "RUNNING", since=3, stall=STALL, moved_at=_at(4)),
                _task(6, "RUNNING", since=3, moved_at=_at(6)),
            ],
            5,
        ),
    ],
)
def test_hours_saved_are_those_in_which_it_would_have_stood(
    entries: List[Entry], hours: float
) -> None:
    """Until somebody comes at 8, each hour once, and only what a start of ours mended."""
    assert _story(*entries).saved == hours * HOUR


def test_in_working_hours_nothing_is_saved() -> None:
    """Somebody is there, by the clock of the place where people work."""
    night = [RUNS, FAILS, *_start(2), _task(3, "RUNNING")]
    east = timezone(timedelta(hours=9))
    assert facts(night, EVENING, MORNING, east).saved == timedelta(0)
    assert facts(night, EVENING, MORNING, UTC).saved == 7 * HOUR


def test_the_night_that_is_not_over_counts_so_far() -> None:
    """What has not happened yet is not saved yet."""
    night = [RUNS, FAILS, *_start(2), _task(3, "RUNNING")]
    assert _story(*night, end=_at(4)).saved == HOUR


# Messages


def test_messages_have_the_subjects_that_they_had() -> None:
    """Told in the same run or in a later one, with what became of the start."""
    notice = a_notice(Kind.FAILED, at=_at(2), action=Action.START, start=_planned(2))
    failed = replace(FAILS, notices=(notice,))
    became = {"a": _planned(2, Outcome.DONE)}
    at_once = Delivery("m", (notice.event_id, "unknown"))
    told = _line(2, EntryType.ACK, delivered=at_once, starts=became)
    lost = _line(3, EntryType.ACK, delivered=Delivery("m-2", ("unknown",)))
    sent = _facts(RUNS, failed, told, lost).messages
    assert "web-01 failed and was restarted" in sent[0].subject
    assert "20261124" not in sent[0].subject
    assert sent[1].subject == "message m-2"
    owed = _line(2, EntryType.ACK, starts=became)
    later = _line(3, EntryType.ACK, delivered=Delivery("m", (notice.event_id,)))
    (sent_later,) = _facts(RUNS, failed, owed, later).messages
    assert sent_later.subject == sent[0].subject


# The page

NASTY = "<script>alert(1)</script>\"'&\x1b[2J"


def _a_page(name: str = "web-01", state: str = "MIGRATE_FAIL") -> str:
    sample = Sample(_at(1), 40, sub_task=name)
    record = varied(TaskRecord(state, _at(2), name), code=DISK_FULL, samples=(sample,))
    return page(_facts(RUNS, _line(2, tasks={"a": record})), UTC, "What sms_watch saw")


class _Reader(HTMLParser):
    """Reads a page strictly: what it would load, run, and whether its tags are closed."""

    EMPTY = ("meta", "link", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: List[str] = []
        self.tags: List[str] = []
        self.loads: List[str] = []
        self.wrong: List[str] = []
        self.feed(text)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data", "xlink:href"):
                self.loads.append(value or "")
            if name.startswith("on"):
                self.wrong.append(name)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")


@functools.cache
def _night() -> str:
    """Return the page of a whole night through the real handler, at a timer of five minutes."""
    night = replace(SCENARIOS["night"], every=minutes(5))
    watched = play_watched(night, Screen("night", Console(file=io.StringIO())))
    told = facts(watched.entries, night.begin, night.end, UTC)
    assert told.starts == watched.score.starts
    assert len(told.messages) == watched.score.messages
    return page(told, UTC, night.title)


def test_the_page_is_complete_in_itself() -> None:
    """Nothing is loaded, nothing is run, every tag is closed."""
    read = _Reader(_night())
    assert read.wrong == []
    assert read.loads == ["data:,"]
    assert not {"script", "img", "iframe", "object", "embed", "base", "form"} & set(read.tags)
    assert "url(" not in _night()
    assert "@import" not in _night()
    assert "default-src 'none'" in _night()


def test_the_page_tells_of_a_night_what_happened() -> None:
    """Three tasks with curve, failures, starts and a pause; the sums; the messages."""
    text = _night()
    for told in (
        *("shop-web", "shop-db", "office-win", "MIGRATE_SUCCESS, 100 %", "ABORT: paused"),
        *("SMS.1315: A partition of the target is full.", "shop-db needs attention (SMS.1315)"),
        *("hours saved", 'class="curve"', 'class="start"', 'class="band failed"'),
    ):
        assert told in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_the_times_below_a_chart_differ() -> None:
    """After the very first run too: a chart shows an hour at least."""
    text = page(_facts(RUNS, end=_at(0)), UTC, "What sms_watch saw")
    assert re.findall(r"\\A (\d\d:\d\d)", text) == ["21:00", "21:15", "21:30", "21:45", "22:00"]


def _near(value: Any) -> Any:
    """Return a value of the journal with each of its moments within half a day of the evening."""
    if isinstance(value, datetime):
        return EVENING + timedelta(hours=value.hour - 12, minutes=value.minute)
    if is_dataclass(value) and not isinstance(value, type):
        within = {each.name: _near(getattr(value, each.name)) for each in fields(value)}
        return replace(value, **within)
    if isinstance(value, tuple):
        items = tuple(map(_near, value))
        return type(value)(*items) if hasattr(value, "_fields") else items
    return {key: _near(each) for key, each in value.items()} if isinstance(value, dict) else value


@settings(max_examples=40)
@given(
    st.lists(strategies.entries, max_size=5),
    st.sampled_from([_near, lambda entry: entry]),
    st.integers(1, 31),
)
def test_any_lines_make_a_page(
    lines: List[Entry], moved: Callable[[Entry], Entry], days: int
) -> None:
    """Whatever clocks they were written by: nothing ends before it begins, or lies outside."""
    told = facts([moved(line) for line in lines], EVENING - days * 24 * HOUR, EVENING, UTC)
    assert _Reader(page(told, UTC, "any", ["a remark"])).wrong == []
    assert EVENING - days * 24 * HOUR <= told.begin <= told.end == EVENING
    for story in told.stories:
        states = [band for band in story.bands if not band.stalled]
        moments = [moment for band in states for moment in (band.begin, band.end)]
        moments += [told.begin, told.end] * (not states)
        assert moments == sorted(moments)
        assert (story.state, moments[-1]) == (states[-1], told.end)
        assert all(told.begin <= band.begin <= band.end <= told.end for band in story.bands)
        assert all(told.begin <= start.at <= told.end for start in story.starts)
        assert timedelta(0) <= story.lost <= told.end - told.begin
        assert timedelta(0) <= story.saved <= told.end - told.begin


@pytest.mark.parametrize("ahead", [0.02, 8, 24 * 20])
def test_a_clock_that_was_ahead_hides_nothing(ahead: float) -> None:
    """A line from after now was written before the line behind it, or just now."""
    fails = _task(10 + ahead, "MIGRATE_FAIL", code=LINE_LOST)
    story = _story(RUNS, fails)
    assert _spans(story.bands) == [("RUNNING", 0, 10), ("MIGRATE_FAIL", 10, 10)]
    assert story.state.codes == (LINE_LOST,)
    mended = _story(RUNS, fails, _task(9, "RUNNING"), _task(9.5, "MIGRATE_SUCCESS"))
    assert _spans(mended.bands) == [
        ("RUNNING", 0, 9),
        ("MIGRATE_FAIL", 9, 9),
        ("RUNNING", 9, 9.5),
        ("MIGRATE_SUCCESS", 9.5, 10),
    ]


def test_a_journal_that_begins_after_now_makes_a_page(tmp_path: Path) -> None:
    """The clock of a desk may be behind that of the function: the page says that one is wrong."""
    page_of = functools.partial(_a_report, tmp_path)
    assert "Progress over time: RUNNING" in page_of(timedelta(seconds=59))
    assert "ahead of the clock" not in page_of(timedelta(seconds=30))
    assert "ahead of the clock by which this page was made, by 2 h" in page_of(2 * HOUR)


def _a_report(place: Path, ahead: timedelta) -> str:
    """Return the page of a journal whose only line was written by a clock that is ahead."""
    at, journal = SYSTEM_CLOCK.now() + ahead, place / f"{ahead}"
    line = encode(snapshot(Memory({"a": TaskRecord("RUNNING", at, "web-01")}), at, "r", "n"))
    journal.mkdir()
    (journal / f"journal-{at:%Y%m%d}.jsonl").write_bytes(line)
    with a_day(place) as day:
        day.texts["JOURNAL_URI"] = journal.as_uri()
        result = day.call("report", "--out", str(journal / "page.html"))
    assert result.exit_code == 0, result.output
    return (journal / "page.html").read_text(encoding="utf-8")


def test_a_day_that_has_begun_at_the_function_is_read(tmp_path: Path) -> None:
    """At midnight a desk whose clock is behind looks for the object of the day before."""
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    for at in (midnight - HOUR, midnight):
        line = encode(snapshot(Memory(), at, "r", "n"))
        (tmp_path / f"journal-{at:%Y%m%d}.jsonl").write_bytes(line)
    with (
        a_day(tmp_path) as day,
        CloudSession.of({**day.texts, "JOURNAL_URI": tmp_path.as_uri()}) as cloud_session,
    ):
        begin, now = midnight - HOUR, midnight - timedelta(seconds=30)
        lines = list(history(cloud_session.wiring().store(), begin, now + timedelta(days=1)))
    assert [line.at for line in lines if line] == [midnight - HOUR, midnight]


def test_long_tables_keep_their_newest_rows() -> None:
    """A task that failed thousands of times makes a page that a phone can hold."""
    entries = [RUNS]
    for number in range(300):
        at = 1 + number / 40
        entries += [_task(at, "MIGRATE_FAIL", code=LINE_LOST), _task(at + 0.01, "RUNNING")]
    text = page(_facts(*entries), UTC, "long")
    assert text.count("MIGRATE_FAIL, SMS.0807") < 600  # 300 bands with a title, 200 rows
    assert "100 earlier rows are left out." in text


@pytest.mark.parametrize("where", ["name", "state"])
def test_texts_from_outside_are_escaped(where: str) -> None:
    """A name is no markup, and no control character comes through."""
    text = _a_page(name=NASTY) if where == "name" else _a_page(state=NASTY)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text
    assert _Reader(text).wrong == []


def test_a_journal_without_tasks_makes_a_page_too() -> None:
    """It says that there is nothing to tell."""
    text = page(_facts(_line(0)), UTC, "What sms_watch saw", ["3 lines could not be used."])
    assert "The journal tells of no task" in text
    assert "None was sent" in text
    assert "3 lines could not be used." in text
    assert _Reader(text).wrong == []


def test_the_page_in_a_real_browser_where_there_is_one(tmp_path: Path) -> None:
    """No wider than a phone, curves that are drawn, nothing fetched; by parser without a browser.

    Which of the two it was stands in pytest's header.
    """
    if browser.found() is None:
        assert 'content="width=device-width, initial-scale=1"' in _night()
        assert len(re.findall(r'class="curve" d="M\d+ \d+l', _night())) == 3
        return
    for seen in browser.measures(_night(), [360, 390, 1200], tmp_path):
        assert seen["needed"] <= seen["width"], seen
        assert len(seen["curves"]) == 3  # of three tasks whose bytes are not known
        assert sum(seen["curves"]) > seen["width"] / 2
        assert seen["resources"] == 0
        assert seen["smallest"] >= 11  # points; smaller cannot be read on a phone
    size, length = browser.screenshot(_night(), 390, tmp_path)
    assert size == (390, 1200)
    assert length > 20_000  # an empty page is a tenth of that


# The command


def test_the_report_of_a_journal_in_a_directory(tmp_path: Path) -> None:
    """It reads the days asked for, says what it could not use, and writes one file."""
    now, out = SYSTEM_CLOCK.now(), tmp_path / "page.html"
    record = TaskRecord("RUNNING", now - HOUR, "web-01")
    with a_day(tmp_path, SimTask("a", "web-01")) as day:
        day.journal.mkdir()
        line = encode(snapshot(Memory({"a": record}), now - HOUR, "r", "n"))
        (day.journal / f"journal-{now - HOUR:%Y%m%d}.jsonl").write_bytes(line + b"{torn\n")
        result = day.call("report", "--out", str(out), "--days", "3")
        assert result.exit_code == 0, result.output
        assert day.cloud.calls == {}
    assert "1 task, 0 failures, 0 starts" in result.output
    assert "web-01" in out.read_text(encoding="utf-8")
    assert "1 line of the journal could not be used." in out.read_text(encoding="utf-8")


def test_a_journal_without_lines_is_one_line(tmp_path: Path) -> None:
    """There is no page about nothing: the place is named, with status 2."""
    with a_day(tmp_path) as day:
        result = day.call("report", "--out", str(tmp_path / "page.html"))
    assert result.exit_code == 2
    assert "has no line of the last 7 days" in result.output
    assert not (tmp_path / "page.html").exists()


def test_a_journal_of_a_newer_version_is_one_line(tmp_path: Path) -> None:
    """It is not read by half."""
    with a_day(tmp_path) as day:
        day.journal.mkdir()
        name = f"journal-{SYSTEM_CLOCK.now():%Y%m%d}.jsonl"
        (day.journal / name).write_bytes(b'{"v": 99}\n')
        result = day.call("report", "--out", str(tmp_path / "page.html"))
    assert result.exit_code == 2
    assert "by a newer sms_watch" in result.output
    assert "Traceback" not in result.output
