"""The page of a whole wave: overview, the chart of all bytes, charts that fold, its size."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Iterator, List, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.journal.entries import Entry, EntryType
from sms_watch.model.notice import Outcome, Start
from sms_watch.model.task import Progress
from sms_watch.rules.call import Call
from sms_watch.rules.movement import Sample
from sms_watch.rules.record import TaskRecord, WatchRecord
from sms_watch.rules.sight import Sight
from sms_watch_cli.report.chart import Window, drawn
from sms_watch_cli.report.curve import area, boxes, line, simplified
from sms_watch_cli.report.facts import Facts, facts
from sms_watch_cli.report.overview import filters, rows
from sms_watch_cli.report.page import page
from sms_watch_cli.report.standing import ORDER, counts, described
from sms_watch_cli.report.verdict import verdict
from sms_watch_cli.report.volume import Volume, size, volume
from tests.support import browser
from tests.support.builders import LINE_LOST, varied
from tests.support.waves import BEGIN, EVERY, GB, HOUR, wave

UTC = timezone.utc
MOST_BYTES = 1_500_000


def _at(hours: float) -> datetime:
    return BEGIN + hours * HOUR


def _line(hours: float, **fields: Any) -> Entry:
    return Entry(EntryType.PLAN, _at(hours), f"run-{hours}", f"n-{hours}", **fields)


def _task(hours: float, state: str, task_id: str = "a", since: float = 0, **flat: Any) -> Entry:
    record = varied(TaskRecord(state, _at(since), f"web-{task_id}"), **flat)
    return _line(hours, tasks={task_id: record})


def _copying(
    until: float, percent: int, task_id: str = "a", copied: bool = True, begin: float = 0
) -> Entry:
    """Return the line of a task that began an hour or more ago, and copies evenly."""
    shares = [(begin, 0), ((begin + until) / 2, percent // 2), (until, percent)]
    samples = tuple(
        Sample(_at(hours), share, share * GB if copied else None, 100.0, "COPY")
        for hours, share in shares
    )
    here = Progress(percent=percent, copied=percent * GB if copied else None, sub_task="COPY")
    moved = {"samples": samples, "last_progress": here, "moved_at": _at(until)}
    return _task(until, "RUNNING", task_id, begin, **moved)


def _facts(*entries: Entry, end: float) -> Facts:
    lines = [_line(0), *sorted(entries, key=lambda entry: entry.at)]
    return facts(lines, BEGIN, _at(end), UTC)


def _many(*entries: Entry, end: float = 2) -> Facts:
    """Return facts of so many tasks that there is an overview."""
    return _facts(*(_task(1, "RUNNING", f"other-{n}") for n in range(6)), *entries, end=end)


def _page(told: Facts) -> str:
    return page(told, UTC, "What sms_watch saw")


@functools.cache
def _waves_page(number: int) -> str:
    """Return the page of so many tasks, three days on."""
    every = min(max(EVERY, EVERY * number / 200), EVERY * 3)  # a curve is short either way
    return _page(facts(wave(number, every), BEGIN, _at(72), UTC))


def _rows(text: str) -> List[Tuple[str, str]]:
    """Return kind and name of each line of the overview."""
    return re.findall(r'<tr class="row (\w+)"><th scope="row"><a href="[^"]+">(.*?)</a>', text)


# The overview


def test_a_task_is_one_line_with_what_there_is_to_know() -> None:
    """Name, state with its code, progress, time, failures and hours lost."""
    told = _many(_task(1, "MIGRATE_FAIL", "z", since=1, code=LINE_LOST), _copying(1, 25), end=2)
    first, second = list(rows(told, UTC))[:2]
    assert first == {
        "name": "web-z",
        "kind": "failed",
        "state": "failed, SMS.0807",
        "percent": None,
        "time": "since Mon 23 Nov 19:00",
        "failures": "1",
        "lost": "1.0",
    }
    assert (second["name"], second["percent"], second["time"]) == ("web-a", 25, "2 h left")


@pytest.mark.parametrize(
    ("entry", "state", "time"),
    [
        (_copying(1, 25), "running", "2 h left"),
        (_task(1, "RUNNING"), "running", "not measured yet"),
        (_task(1, "SYNCING", since=0.5), "ready for cut-over", "since Mon 23 Nov 18:30"),
        (_task(1, "MIGRATE_SUCCESS", since=0.5), "finished", "Mon 23 Nov 18:30"),
        (_task(1, "READY", since=0.5), "not started", "since Mon 23 Nov 18:30"),
        (
            _task(1, "ABORT", since=0.5, code="SMS.9007"),
            "paused, SMS.9007",
            "since Mon 23 Nov 18:30",
        ),
        (_task(1, "ABORT", since=0.5), "paused", "since Mon 23 Nov 18:30"),
        (_task(1, "SKIPPING", since=0.5), "being changed", "since Mon 23 Nov 18:30"),
        (_task(1, "BRAND_NEW", since=0.5), "in an unknown state", "since Mon 23 Nov 18:30"),
        (
            _task(1, "RUNNING", stall=Call("20261124-0-0-stalled", BEGIN), moved_at=_at(0.25)),
            "stalled",
            "since Mon 23 Nov 18:15",
        ),
        (
            _task(1, "SKIPPING", since=0.5, rest=Call("20261124-0-0-hanging", BEGIN)),
            "hanging",
            "since Mon 23 Nov 18:30",
        ),
    ],
)
def test_every_state_has_a_word_and_a_time(entry: Entry, state: str, time: str) -> None:
    """The time left where it was measured, otherwise since when it has been so."""
    told = _facts(entry, end=2)
    (row,) = rows(told, UTC)
    assert (row["state"], row["time"]) == (state, time)
    assert counts(told.stories)[0][0] in ORDER


def test_what_was_so_before_the_days_that_are_shown_is_told_as_such() -> None:
    """When it became so is not in these days."""
    done = _task(1, "MIGRATE_SUCCESS", since=-9)
    paused = _task(1, "ABORT", "b", since=-9)
    times = [row["time"] for row in rows(_facts(done, paused, end=2), UTC)]
    assert times == ["since before Mon 23 Nov 18:00", "before Mon 23 Nov 18:00"]


def test_a_task_that_nobody_sees_any_more_has_no_time_left() -> None:
    """It says when it was last seen, and has no part in the forecast."""
    blind = _line(1.1, watch=WatchRecord(blind_runs=1, blind_since=_at(1.1)))
    told = _facts(_copying(1, 25), blind, end=3)
    (row,) = rows(told, UTC)
    assert row["time"] == "last seen Mon 23 Nov 19:06"
    assert (told.forecast.end, told.forecast.unread) == (None, 1)


def test_a_task_that_hangs_has_a_band_until_it_does_not() -> None:
    """It needs somebody, as one that has stalled; the two are told apart."""
    hang = Call("20261124-0-0-hanging", BEGIN)
    stall = Call("20261124-0-0-stalled", BEGIN)
    hangs = _task(2, "SKIPPING", since=1, rest=hang)
    (story,) = _facts(hangs, end=3).stories
    assert (described(story), story.needs_look) == ("hanging", True)
    again = _task(2.5, "SKIPPING", since=1, rest=hang)
    stalls = _task(4, "RUNNING", since=3, stall=stall, moved_at=_at(3))
    (later,) = _facts(hangs, again, stalls, _task(5, "RUNNING", since=3), end=6).stories
    stood = [(band.state, band.begin, band.end) for band in later.bands if band.stalled]
    assert stood == [("hanging", _at(1), _at(4)), ("stalled", _at(3), _at(5))]
    assert "hanging: it stayed in a state that should pass." in _page(_facts(hangs, end=3))
    assert not later.needs_look


def test_a_stall_that_was_over_before_the_days_that_are_shown_is_no_part_of_them() -> None:
    """Lines from before are read only for what they began."""
    stall = Call("20261124-0-0-stalled", BEGIN)
    lines = [_task(1, "RUNNING", stall=stall, moved_at=_at(0)), _task(2, "RUNNING")]
    (story,) = facts([*lines, _task(5, "RUNNING")], _at(4), _at(6), UTC).stories
    assert [band.state for band in story.bands] == ["RUNNING"]


def test_what_is_copied_has_a_full_bar() -> None:
    """A synchronisation stays at a few percent between two rounds, which says nothing."""
    synchronising = _task(
        1, "SYNCING", samples=(Sample(_at(1), 6, sub_task="SYNC"),), last_progress=Progress()
    )
    told = _facts(synchronising, end=2)
    (row,) = rows(told, UTC)
    assert row["percent"] == 100
    assert "SYNCING, 6 %" not in _page(told)


def test_the_cut_over_may_begin_when_the_first_copy_is_done() -> None:
    """A record counts both from the start of the copy; the page from the line that says so."""
    told = _facts(_copying(2, 99), _task(3, "SYNCING"), _task(5, "SYNCING"), end=6)
    (row,) = rows(told, UTC)
    assert row["time"] == "since Mon 23 Nov 21:00"
    (band,) = told.stories[0].events
    assert (band.state, band.begin, band.end) == ("SYNCING", _at(3), _at(6))
    assert "SYNCING: ready for cut-over." in _page(told)
    assert 'class="band cut_over"' in _page(told)


def test_tasks_of_the_same_name_are_told_apart() -> None:
    """By their ids, wherever the page names them; one without a name is its id already."""
    same = [_line(1, tasks={each: TaskRecord("RUNNING", _at(0), "web")}) for each in ("a", "b")]
    other = _line(1, tasks={each: TaskRecord("RUNNING", _at(0), "") for each in ("c", "d")})
    told = _facts(*same, other, end=2)
    assert [story.name for story in told.stories] == ["c", "d", "web (a)", "web (b)"]
    copies = [
        _line(1, tasks={each: replace(_copying(1, 50).tasks["a"], name="db")}) for each in "ab"
    ]
    assert verdict(_facts(*copies, end=1), UTC).ahead == "Copying ends about 20:00, db (b) last."


def test_the_worst_stand_first_and_what_is_done_last() -> None:
    """Then paused ones; of those that stand alike the one that has lost the most hours."""
    told = _facts(
        _task(1, "MIGRATE_SUCCESS", "done"),
        _task(1, "SYNCING", "copied"),
        _task(1, "RUNNING", "calm"),
        _task(0.5, "MIGRATE_FAIL", "tried", code=LINE_LOST),
        _task(1, "RUNNING", "tried", since=1),
        _task(1, "ABORT", "rests"),
        _task(1, "MIGRATE_FAIL", "down", code=LINE_LOST),
        end=2,
    )
    order = [story.id for story in told.stories]
    assert order == ["down", "rests", "tried", "calm", "copied", "done"]
    assert [name for _, name in _rows(_page(told))] == [f"web-{each}" for each in order]


def test_the_overview_is_filtered_by_state_without_a_script() -> None:
    """One radio button a state that occurs, with how many there are; all are shown at first."""
    told = _many(_task(1, "MIGRATE_FAIL", code=LINE_LOST), _task(1, "SYNCING", "b"))
    text = _page(told)
    assert [(each["word"], each["count"]) for each in filters(told.stories)] == [
        ("All", "8"),
        ("Failed", "1"),
        ("Running", "6"),
        ("Ready for cut-over", "1"),
    ]
    shown = re.findall(r'<input type="radio" name="show" id="show-(\w+)"( checked)?>', text)
    assert shown == [("all", " checked"), ("failed", ""), ("moving", ""), ("cut_over", "")]
    for kind, _ in shown[1:]:
        assert f"main:has(#show-{kind}:checked) .row:not(.{kind})" in text
    assert "<script" not in text


def test_in_a_real_browser_where_there_is_one_a_choice_shows_its_rows(tmp_path: Path) -> None:
    """As many as it says, and no others."""
    told = _many(_task(1, "MIGRATE_FAIL", code=LINE_LOST), _task(1, "SYNCING", "b"))
    if browser.found() is None:
        assert _page(told).count('<input type="radio"') == 4
        return
    chosen = browser.rows_by_choice(_page(told), tmp_path)
    assert chosen == {"show-all": 8, "show-failed": 1, "show-moving": 6, "show-cut_over": 1}


def test_counts_of_a_thousand_are_grouped() -> None:
    """So that they are read at a glance."""
    told = _facts(*(_task(1, "RUNNING", str(n)) for n in range(1_000)), end=2)
    assert [each["count"] for each in filters(told.stories)] == ["1,000", "1,000"]
    assert "1,000 running" in verdict(told, UTC).sentence


def test_headings_of_rows_and_columns_are_marked_as_such() -> None:
    """Whoever hears the page is told what a cell is about."""
    text = _page(_many())
    (table,) = re.findall(r'<table class="overview".*?</table>', text, re.DOTALL)
    assert len(re.findall('<th scope="col">', table)) == 6
    assert len(re.findall('<th scope="row">', table)) == 6
    assert "<th>" not in text


def test_starts_that_were_not_taken_are_counted_apart() -> None:
    """Beside the failure in which they were sent."""
    starts = {"a": Start("20261123-19-0-start", Outcome.UNKNOWN)}
    fails = _task(1, "MIGRATE_FAIL", since=1, code=LINE_LOST)
    refused = {"a": replace(starts["a"], outcome=Outcome.REFUSED)}
    sent = [_line(1, starts=starts), replace(_line(1, starts=refused), type=EntryType.ACK)]
    assert "<i>1 h so far, 1 start, 0 accepted</i>" in _page(_facts(fails, *sent, end=2))


NASTY = "<b>\"'&" + "\u202e" + "x" * 300
HEBREW = "\u05e9\u05e8\u05ea-01 " * 6


def test_names_from_outside_are_shortened_and_escaped_in_the_overview() -> None:
    """No markup, nothing invisible; where letters run from right to left only the name does."""
    told = _many(*(_named(name, 1) for name in (NASTY, HEBREW)))
    text = _page(told)
    assert "<b>&" not in text
    assert "\u202e" not in text
    assert "&lt;b&gt;" in text
    assert "x" * 64 not in text
    assert "summary h2, .overview a { unicode-bidi: isolate; }" in text


def _named(name: str, hours: float) -> Entry:
    return _line(hours, tasks={f"id-{len(name)}": TaskRecord("RUNNING", _at(0), name)})


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2, "relative luminance")."""
    digits = colour if len(colour) == 6 else "".join(each * 2 for each in colour)
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_of_a_text_can_be_read_on_its_ground() -> None:
    """At least 4.5 to 1 (WCAG 2.2, 1.4.3), in light, in dark, and on paper."""
    themes = re.findall(r":root \{(.*?)\}", _page(_many()), re.DOTALL)
    assert len(themes) == 3
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): #(\w{3,6});", theme))
        for text in ("ink", "soft", "move", "fail", "pause", "stall", "done"):
            for ground in ("paper", "card"):
                lights = sorted(_luminance(colours[each]) + 0.05 for each in (text, ground))
                assert lights[1] / lights[0] >= 4.5, (text, ground)


# Charts that fold


def test_charts_of_many_tasks_are_folded_and_those_of_few_are_open() -> None:
    """Each is drawn all the same."""
    few = _page(_facts(*(_task(1, "RUNNING", str(n)) for n in range(5)), end=2))
    many = _page(_many())
    assert (few.count("<details open>"), few.count("<details>")) == (5, 0)
    assert (many.count("<details open>"), many.count("<details>")) == (0, 6)
    assert many.count('class="plot"') == 6


def test_what_is_folded_is_not_printed() -> None:
    """On paper nobody can unfold it; what was unfolded before is printed."""
    printed = _page(_many()).split("@media print")[1]
    assert ".folded:not(:has([open]))" in printed


def test_of_a_choice_that_leaves_tasks_out_paper_says_so() -> None:
    """The rows that were not chosen are not printed, so the choice is; all tasks are no choice."""
    printed = _page(_many()).split("@media print")[1]
    assert "  .filter:has(#show-all:checked), .unfold" in printed


# Curves of few points


def test_a_level_stretch_stays_level_and_a_stall_stays_where_it_was() -> None:
    """Of many points on straight lines the bends stay, and nothing else."""
    rises = [(float(x), float(x)) for x in range(40)]
    stands = [(float(x), 39.0) for x in range(40, 70)]
    goes_on = [(float(x), x - 30.0) for x in range(70, 100)]
    (kept,) = simplified([[*rises, *stands, *goes_on]], 0.5, 200)
    assert kept == [(0, 0), (39, 39), (69, 39), (99, 69)]


curves = st.lists(st.integers(0, 100), min_size=1, max_size=60).map(
    lambda heights: [(float(x), float(y)) for x, y in enumerate(heights)]
)


def _height(curve: Sequence[Tuple[float, float]], x: float) -> float:
    (left, low), (right, high) = next(
        (a, b) for a, b in zip(curve, [*curve[1:], curve[-1]]) if a[0] <= x <= b[0]
    )
    return low if left == right else low + (high - low) * (x - left) / (right - left)


@given(curves, st.integers(0, 5))
def test_what_is_left_out_of_a_curve_is_near_its_line(
    curve: List[Tuple[float, float]], near: int
) -> None:
    """No farther above or below it than was asked for, at any of its points."""
    (kept,) = simplified([curve], near, len(curve))
    assert all(abs(_height(kept, x) - y) <= near + 1e-9 for x, y in curve)
    assert (kept[0], kept[-1]) == (curve[0], curve[-1])
    assert set(kept) <= set(curve)


def test_a_curve_of_a_bounded_length_keeps_its_largest_moves() -> None:
    """A jump is not lost among many small ones."""
    wavy = [(float(x), 2.0 * (x % 2)) for x in range(100)]
    wavy[50] = (50.0, 90.0)
    (kept,) = simplified([wavy], 0, 6)
    assert len(kept) == 6
    assert (50.0, 90.0) in kept


def test_curves_share_their_places_and_keep_their_ends() -> None:
    """The largest moves of any of them stay, so a task that fails often has no longer a curve."""
    wavy = [(float(x), 2.0 * (x % 2)) for x in range(100)]
    jumps = [(float(x), 90.0 if x == 150 else 0.0) for x in range(100, 200)]
    first, second, third = simplified([wavy, jumps, [(200.0, 5.0)]], 0, 8)
    assert first == [wavy[0], wavy[-1]]
    assert second == [jumps[0], *jumps[49:52], jumps[-1]]
    assert third == [(200.0, 5.0)]


def test_a_curve_that_falls_at_once_is_kept_so() -> None:
    """Two places one above the other are no reason to divide by nothing."""
    falls: List[Tuple[float, float]] = [(1, 5), (1, 90), (1, 3)]
    assert simplified([falls], 1, 9) == [falls]


def test_paths_are_short_and_whole() -> None:
    """Steps, not places; a dot is a line as short as can be; what does not move is no step."""
    assert line([(0, 100), (10.2, 90), (10.4, 90.1), (20, 80)]) == "M0 100l10 -10 10 -10"
    assert line([(5, 50)]) == line([(5, 50), (5.1, 50.2)]) == "M5 50h.1"
    assert area([(0, 100), (10, 90)], 100) == "M0 100l10 -10V100H0z"
    assert boxes([(1, 3), (1.2, 3.1), (7, 7)], 100) == "M1 100V0H3V100M7 100V0H7V100"


# What all tasks have copied


def _volume(*entries: Entry, end: float) -> Volume:
    told = _facts(*entries, end=end)
    return volume(told.stories, told.gaps, told.begin, told.end)


def _amounts(told: Volume, *hours: float) -> List[float]:
    sums = {at: amount / GB for stroke in told.strokes for at, amount in stroke}
    return [sums[_at(each)] for each in hours]


def test_bytes_are_summed_up_over_all_tasks() -> None:
    """Evenly between two samples; what a task had copied stays copied."""
    told = _volume(_copying(2, 40), _copying(4, 20, "b", begin=2), end=8)
    assert told.known == 2
    assert _amounts(told, 0, 1, 2, 3, 8) == [0, 20, 40, 50, 60]


def test_a_task_that_was_under_way_when_the_days_began_is_no_jump() -> None:
    """What was first known of it counts from the beginning: the sum is of the same tasks."""
    later = _task(2, "RUNNING", "b", samples=(Sample(_at(2), 50, 500 * GB, sub_task="COPY"),))
    assert _amounts(_volume(_copying(4, 40), later, end=4), 0, 4) == [500, 540]


def test_the_chart_says_of_how_many_tasks_the_bytes_are_known() -> None:
    """What is not known is not made up, and no chart is drawn where nothing is."""
    told = _facts(_copying(2, 40), _copying(2, 40, "b", copied=False), end=2)
    assert "40 GB by 1 of 2 tasks; of the others the bytes are not known." in _page(told)
    nothing = _facts(*(_copying(2, 40, each, copied=False) for each in "ab"), end=2)
    assert "Copied by all tasks" not in _page(nothing)
    assert volume(nothing.stories, (), BEGIN, _at(2)).known == 0


def test_the_sum_has_no_line_through_a_gap() -> None:
    """Nobody knows how much was copied in it."""
    blind = _line(2.1, watch=WatchRecord(blind_runs=1, blind_since=_at(2.1)))
    back = _line(4, watch=WatchRecord(), tasks=_copying(4, 80).tasks)
    told = _facts(_copying(2, 40), blind, back, _copying(2, 40, "b"), end=5)
    first, second = volume(told.stories, told.gaps, told.begin, told.end).strokes
    assert (first[-1][0], second[0][0]) == (_at(2.1), _at(4))
    assert _page(told).count('class="gap"') == 4  # the legend's, that of all, and one each


def test_the_sum_goes_on_until_each_task_is_done() -> None:
    """At the speed that it had lately; what is done adds nothing more."""
    told = _volume(_copying(2, 50), _copying(2, 25, "b"), end=2)
    assert [(at, round(amount / GB)) for at, amount in told.ahead] == [
        (_at(2), 75),
        (_at(4), 150),
        (_at(8), 200),
    ]


def test_the_sum_goes_on_from_what_was_last_known() -> None:
    """What is copied between the last sample and now is no less, whoever looks later."""
    told = _volume(_copying(2, 50), _copying(2, 25, "b"), end=2.5)
    assert [(at, round(amount / GB)) for at, amount in told.ahead] == [
        (_at(2.5), 75),
        (_at(4), 145),
        (_at(8), 200),
    ]


def test_a_copy_that_began_anew_goes_on_as_it_does_now() -> None:
    """Bytes are lost when a task is reset, at that moment; they say nothing of its speed."""
    reset = _task(1.25, "READY", since=1.25)
    told = _volume(_copying(1, 40), reset, _copying(2, 10, begin=1.5), _copying(2, 40, "b"), end=2)
    assert _amounts(told, 1.25, 1.5) == [65, 30]
    assert [round(amount / GB) for _, amount in told.ahead] == [50, 170, 200]


def test_where_nobody_knows_how_fast_a_copy_is_no_bytes_are_expected() -> None:
    """A journal of one line has one point of each task, and says when it will be done."""
    told = facts([_copying(2, 50)], BEGIN, _at(2), UTC)
    assert told.forecast.end is not None
    assert volume(told.stories, (), told.begin, told.end).ahead == ()


def test_two_samples_that_are_far_apart_tell_of_a_speed() -> None:
    """A slow timer takes fewer samples than one in two hours."""
    told = _volume(_copying(8, 50), _copying(8, 50, "b"), end=8)
    assert [round(amount / GB) for _, amount in told.ahead] == [100, 200]


def test_a_task_whose_bytes_are_not_known_adds_none_to_what_is_expected() -> None:
    """It goes on all the same."""
    told = _volume(_copying(2, 50), _copying(2, 25, "b", copied=False), end=2)
    assert [round(amount / GB) for _, amount in told.ahead] == [50, 100, 100]


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_500, "1.5 kB"),
        (42e9, "42 GB"),
        (1.24e12, "1.2 TB"),
        (9e18, "9000 PB"),
    ],
)
def test_bytes_are_said_in_the_unit_that_suits_them(amount: float, said: str) -> None:
    """In powers of a thousand, as the console of the service has them."""
    assert size(amount) == said


# What is expected


def test_the_verdict_says_when_the_last_copy_will_be_done() -> None:
    """And which task that is; it says nothing of it where nothing was measured."""
    told = verdict(_facts(_copying(2, 50), _copying(2, 25, "b"), end=2), UTC)
    assert told.sentence == "No task needs attention: 2 running."
    assert told.ahead == "Copying ends about Tue 02:00, web-b last."
    assert verdict(_facts(_task(1, "RUNNING"), end=2), UTC).ahead == ""
    failed = _facts(_copying(2, 50), _task(1, "MIGRATE_FAIL", "b", code=LINE_LOST), end=2)
    assert verdict(failed, UTC).sentence == (
        "1 of 2 tasks needs attention: web-b (failed, SMS.0807)."
    )
    goes_on = "attention: web-b (failed, SMS.0807). <span>Copying ends about 22:00, web-a last"
    assert goes_on in _page(failed)


def test_a_chart_goes_on_to_the_expected_end_as_a_dashed_line() -> None:
    """From the last sample; the chart has room for it, as much as for what was."""
    told = _facts(_copying(2, 50), end=2)
    window = Window.of(told)
    assert (window.begin, window.now, window.end) == (_at(0), _at(2), _at(4))
    chart = drawn(told.stories[0], window, 200)
    assert (chart["curve"], chart["ahead"]) == ("M0 100l500 -50", "M500 50l500 -50")
    assert "2 h left, until about Mon 23 Nov 22:00" in _page(told)
    assert re.search(r"--now\) 50\.00% 0", _page(told))


def test_an_end_that_is_far_off_does_not_press_the_past_together() -> None:
    """The line leaves the chart on its way; the words say when it will be done."""
    told = _facts(_copying(2, 10), end=2)
    window = Window.of(told)
    assert window.end == _at(4)
    assert drawn(told.stories[0], window, 200)["ahead"] == "M500 90l500 -10"
    assert "until about Tue 24 Nov 14:00" in _page(told)


def test_where_nothing_is_expected_a_chart_ends_now() -> None:
    """What failed or is done has no line ahead."""
    told = _facts(_task(1, "MIGRATE_SUCCESS"), end=2)
    assert Window.of(told).end == told.end
    assert drawn(told.stories[0], Window.of(told), 200)["ahead"] == ""
    assert 'class="ahead"' not in _page(told)


def test_a_task_that_is_gone_has_no_part_in_the_forecast() -> None:
    """It is not waited for."""
    gone = _line(1, watch=WatchRecord(absent={"a": Sight(_at(1), 2, "20261124-0-0-gone")}))
    told = _facts(_copying(0.5, 25), gone, end=2)
    assert (described(told.stories[0]), told.stories[0].end) == ("gone", None)
    assert told.forecast.copying == 0


# A thousand tasks over three days


@pytest.mark.slow
def test_the_page_of_a_thousand_tasks_can_be_sent_by_mail() -> None:
    """Three days with two outages of all of them are less than one and a half megabytes."""
    text = _waves_page(1_000)
    assert len(text.encode()) < MOST_BYTES
    assert len(_rows(text)) == text.count("<details>") == 1_000


def _troubled(number: int, failures: int, name: str) -> Iterator[Entry]:
    """Yield the lines of tasks that all fail so often, and copy in between."""
    for tick in range(2 * failures):
        at, fails = tick / 2, tick % 2 == 1
        here = Sample(_at(at), tick * 37 % 100, tick * GB, 100.0, "COPY")
        record = varied(
            TaskRecord("MIGRATE_FAIL" if fails else "RUNNING", _at(at), name),
            code=LINE_LOST if fails else "",
            samples=() if fails else (here,),
        )
        ids = [f"task-{n:04}" for n in range(number)]
        start = Start("20261123-1-0-start", Outcome.UNKNOWN)
        starts = {each: replace(start, id=f"{tick}-{each}") for each in ids} if fails else {}
        yield _line(at, tasks=dict.fromkeys(ids, record), starts=starts)


@pytest.mark.slow
@pytest.mark.parametrize("name", ['&"<>' * 75, "\U0001f600" * 300])
def test_no_page_of_a_thousand_tasks_is_too_large_for_a_mail(name: str) -> None:
    """Whatever befell them all, and whatever people named them; no task is left out."""
    text = _page(facts(_troubled(1_000, 30, name), BEGIN, _at(31), UTC))
    assert 1_200_000 < len(text.encode()) < MOST_BYTES
    assert len(_rows(text)) == text.count("<details>") == 1_000


def test_of_a_page_that_is_too_large_the_worst_keep_their_charts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What stands best goes without, as few tasks as that takes, and says so."""
    down = _task(9, "MIGRATE_FAIL", "down", since=9, code=LINE_LOST)
    told = facts([*_troubled(12, 16, "web"), down], BEGIN, _at(16), UTC)
    whole = _page(told)
    monkeypatch.setattr("sms_watch_cli.report.page.MOST_BYTES", len(whole.encode()))
    assert _page(told) == whole
    monkeypatch.setattr("sms_watch_cli.report.page.MOST_BYTES", len(whole.encode()) - 300)
    text = _page(told)
    assert len(text.encode()) <= len(whole.encode()) - 300
    kept = ['class="plot"' in each for each in text.split("<article")[1:]]
    assert kept == [True] * 12 + [False]
    assert "Chart and incidents are left out" in text.split("<article")[-1]


def test_rows_of_many_tasks_share_what_a_page_holds() -> None:
    """Each keeps its newest, and says how many are left out."""
    assert "earlier rows are left out" not in _waves_page(50)
    fails = [
        entry
        for n in range(6)
        for entry in (
            _task(1 + n / 10, "MIGRATE_FAIL", since=1 + n / 10, code=LINE_LOST),
            _task(1.05 + n / 10, "RUNNING", since=1.05 + n / 10),
        )
    ]
    others = (_task(1, "RUNNING", f"other-{n}") for n in range(1_000))
    assert "3 earlier rows are left out" in _page(_facts(*others, *fails, end=2))


def test_the_page_of_a_wave_in_a_real_browser_where_there_is_one(tmp_path: Path) -> None:
    """It fits a phone without scrolling sideways, whatever names there are, and can be read."""
    if browser.found() is None:
        assert 'content="width=device-width, initial-scale=1"' in _waves_page(50)
        return
    named = _page(_many(_named(NASTY, 1), _named(HEBREW, 1)))
    pages = (_waves_page(50), named)
    for seen in (
        each for text in pages for each in browser.measures(text, [320, 390, 1200], tmp_path)
    ):
        assert seen["needed"] <= seen["width"], seen
        assert seen["smallest"] >= 11
        assert seen["resources"] == 0
