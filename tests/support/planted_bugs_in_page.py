"""Mistakes to plant in the page of ``report``."""

from __future__ import annotations

from tests.support.planted_bug import Bug

BUGS = [
    Bug(
        "a curve loses its bends",
        "../sms_watch_cli/report/curve.py",
        "if -off <= near:",
        "if -off > near:",
        "cli/test_report_waves.py::test_a_level_stretch_stays_level_and_a_stall_stays_where_it_was",
    ),
    Bug(
        "bytes that are not known count as none",
        "../sms_watch_cli/report/volume.py",
        "(point.at, point.copied) for point in story.points if point.copied is not None",
        "(point.at, point.copied or 0) for point in story.points",
        "cli/test_report_waves.py::test_the_chart_says_of_how_many_tasks_the_bytes_are_known",
    ),
    Bug(
        "a task that nobody sees has a time left",
        "../sms_watch_cli/report/trace.py",
        "return expected_by(self.id, self.record) if seen else Expected(Standing.UNREAD)",
        "return expected_by(self.id, self.record)",
        "cli/test_report_waves.py::test_a_task_that_nobody_sees_any_more_has_no_time_left",
    ),
    Bug(
        "the expected sum goes on for ever",
        "../sms_watch_cli/report/volume.py",
        "        speed -= own\n",
        "",
        "cli/test_report_waves.py::test_the_sum_goes_on_until_each_task_is_done",
    ),
    Bug(
        "the cut-over may begin before anything is copied",
        "../sms_watch_cli/report/trace.py",
        "began = at if self._goes_on(record) else min(record.since, at)",
        "began = min(record.since, at)",
        "cli/test_report_waves.py::test_the_cut_over_may_begin_when_the_first_copy_is_done",
    ),
    Bug(
        "a choice hides what it should show",
        "../sms_watch_cli/report/page.html.j2",
        ".row:not(.{{ filter.kind }}) {",
        ".row.{{ filter.kind }} {",
        "cli/test_report_waves.py::test_the_overview_is_filtered_by_state_without_a_script",
    ),
    Bug(
        "the tables of a thousand tasks are as long as that of one",
        "../sms_watch_cli/report/page.py",
        "ALL_ROWS = 3_000 ",
        "ALL_ROWS = 3_000_000 ",
        "cli/test_report_waves.py::test_rows_of_many_tasks_share_what_a_page_holds",
    ),
    Bug(
        "a page may be too large for a mail",
        "../sms_watch_cli/report/page.py",
        "    return text if over <= 0 else",
        "    return text if True else",
        "cli/test_report_waves.py::test_of_a_page_that_is_too_large_the_worst_keep_their_charts",
    ),
    Bug(
        "a copy that began anew has the speed of the one before",
        "../sms_watch_cli/report/volume.py",
        "copy = points[begins[-1] if begins else 0 :]",
        "copy = points",
        "cli/test_report_waves.py::test_a_copy_that_began_anew_goes_on_as_it_does_now",
    ),
]
