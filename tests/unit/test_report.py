"""The report: its fields, and its size."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Dict

import pytest

import sms_watch.report as report_module
from sms_watch.model.notice import Action, Attempt, Kind, Notice, Outcome, Reason, Verdict
from sms_watch.model.task import Progress
from sms_watch.report import MAX_REPORT, Result, is_idle, report
from sms_watch.rules.decision import Decision
from tests.support.builders import NOW, a_task


def _report(*decisions: Decision, **fields: Any) -> Any:
    return json.loads(json.dumps(report(Result(decisions, **fields), "run-1", NOW, False)))


def _moving(task_id: str) -> Decision:
    progress = Progress(5, 52)
    task = a_task(id=task_id, state="RUNNING", name="db-01", progress=progress, remaining=3600)
    return Decision(task_id, Verdict(reason=Reason.MOVING), task=task)


def _started(task_id: str) -> Decision:
    task = a_task(id=task_id, state="MIGRATE_FAIL", name="db-01", remaining=3600)
    verdict = Verdict(Action.START, Reason.RESTARTABLE, attempt=Attempt(2))
    return Decision(task_id, verdict, task=task)


def test_a_task_has_its_fields() -> None:
    """Each task has id, name, state, action, reason, attempt, outcome, progress and eta."""
    tasks = _report(_moving("a"), _started("b"), outcomes={"b": Outcome.DONE})["tasks"]
    assert tasks[0] == {
        "id": "a",
        "name": "db-01",
        "state": "RUNNING",
        "action": "none",
        "reason": "moving",
        "attempt": 0,
        "outcome": None,
        "progress": 52,
        "eta": (NOW + timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
    }
    assert (tasks[1]["action"], tasks[1]["outcome"], tasks[1]["attempt"]) == ("start", "done", 2)
    assert tasks[1]["eta"] is None


def test_a_task_that_was_not_read_says_why() -> None:
    """A task without a state has the reason and the error's text."""
    verdict = Verdict(Action.WAIT, Reason.UNREADABLE)
    unread = Decision("a", verdict, detail="read the task: HTTP 503")
    task = _report(unread)["tasks"][0]
    assert (task["state"], task["reason"]) == (None, "unreadable")
    assert task["detail"] == "read the task: HTTP 503"


def test_a_start_that_was_not_sent_or_not_taken_says_why() -> None:
    """The text about a start stands with its task; one that was accepted needs none."""
    starts = {"a": "it is now ABORT", "b": ""}
    tasks = _report(_started("a"), _started("b"), details=starts)["tasks"]
    assert tasks[0]["detail"] == "it is now ABORT"
    assert "detail" not in tasks[1]


def test_the_run_has_its_fields() -> None:
    """A report has run, at, dry_run, tasks, notices, published, counts and warnings."""
    notice = Notice(Kind.FAILED, NOW, "20261124-0-0-failed", a_task(id="b"))
    made = _report(
        _moving("a"),
        _started("b"),
        outcomes={"b": Outcome.DONE},
        notices=(notice, Notice(Kind.TEST, NOW, "20261124-0-1-test")),
        published="m-1",
        warnings=("look",),
    )
    del made["tasks"]
    assert made == {
        "run": "run-1",
        "at": NOW.isoformat().replace("+00:00", "Z"),
        "dry_run": False,
        "notices": [
            {"event_id": "20261124-0-0-failed", "kind": "failed", "task_id": "b"},
            {"event_id": "20261124-0-1-test", "kind": "test", "task_id": None},
        ],
        "published": "m-1",
        "counts": {
            "tasks": 2,
            "start": 1,
            "wait": 0,
            "none": 1,
            "unread": 0,
            "accepted": 1,
            "notices": 2,
            "left_out": 0,
        },
        "warnings": ["look"],
    }


def test_a_report_is_at_most_64_kb() -> None:
    """Of a thousand tasks those at rest are left out first, and a count says how many.

    It is no warning, for nobody has to do anything about it.
    """
    decisions = [*(_moving(f"m{number}") for number in range(900)), _started("s")]
    made = _report(*decisions)
    assert MAX_REPORT - 500 < len(json.dumps(made)) <= MAX_REPORT
    assert made["tasks"][0]["id"] == "s"
    assert made["counts"]["left_out"] == 901 - len(made["tasks"])
    assert made["counts"]["tasks"] == 901
    assert made["warnings"] == []


def test_tasks_stand_in_the_order_of_the_settings_where_there_is_room() -> None:
    """Only a report that cannot hold all has the busy ones first."""
    tasks = _report(_moving("b"), _started("c"), _moving("a"))["tasks"]
    assert [task["id"] for task in tasks] == ["b", "c", "a"]


def test_the_rows_of_a_report_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every minute makes a report: what does not fit into it is not made."""
    made, make = [], report_module._task

    def count(decision: Decision, *about: Any) -> Dict[str, Any]:
        made.append(decision)
        return make(decision, *about)

    monkeypatch.setattr(report_module, "_task", count)
    tasks = _report(*(_moving(f"m{number}") for number in range(900)))["tasks"]
    assert len(made) == len(tasks) + 1


def test_many_notices_leave_room_for_tasks() -> None:
    """They take half of a report at most, and their number is told all the same."""
    notices = tuple(Notice(Kind.FAILED, NOW, f"20261124-0-{n}-failed") for n in range(1000))
    made = _report(*(_moving(f"m{number}") for number in range(900)), notices=notices)
    assert len(json.dumps(made)) <= MAX_REPORT
    assert made["counts"]["notices"] == 1000
    assert len(made["notices"]) > 300
    assert len(made["tasks"]) > 100


def test_what_is_at_rest_is_idle() -> None:
    """The log has no line for a task that moves, and one for a task that was started."""
    moving, started = _report(_moving("a"), _started("b"))["tasks"]
    assert is_idle(moving)
    assert not is_idle(started)
