"""What a run did, as the handler returns it and as the log tells it. Pure.

FunctionGraph hands the result of a timer's run to a destination at most; people read it in the
console's test and in LTS.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from sms_watch.model.notice import Action, Notice, Outcome, Reason
from sms_watch.model.task import Phase
from sms_watch.rules.decision import Decision
from sms_watch.text import MAX_DETAIL, clean

MAX_REPORT = 64_000  # bytes
LARGEST_COUNT = 10  # bytes

IDLE = frozenset({Reason.MOVING, Reason.PAUSED, Reason.FINISHED, Reason.GONE, Reason.READY})


@dataclass(frozen=True)
class Result:
    """What became of one run.

    ``notices`` are those that were told; in a dry run, those that would be. ``details`` are texts
    about starts, by task id. ``failure`` says why the platform must count the run as failed, empty
    when it need not.
    """

    decisions: Tuple[Decision, ...] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    notices: Tuple[Notice, ...] = ()
    published: Optional[str] = None
    warnings: Tuple[str, ...] = ()
    failure: str = ""


def report(result: Result, run: str, now: datetime, dry_run: bool) -> Dict[str, Any]:
    """Return the result as JSON can hold it, at most 64 KB: tasks at rest are left out first.

    The count ``left_out`` says of how many tasks there is no row; those at rest have no other line
    in the log either.
    """
    made: Dict[str, Any] = {
        "run": run,
        "at": _utc(now),
        "dry_run": dry_run,
        "tasks": [],
        "notices": [],
        "published": result.published,
        "counts": _counts(result),
        "warnings": list(result.warnings),
    }
    room = MAX_REPORT - _size(made) - LARGEST_COUNT
    made["notices"] = _fitting((_notice(notice) for notice in result.notices), room // 2)
    tasks = _tasks(result, now, room - _size(made["notices"]))
    made["tasks"] = tasks
    made["counts"]["left_out"] = len(result.decisions) - len(tasks)
    return made


def _tasks(result: Result, now: datetime, room: int) -> List[Dict[str, Any]]:
    """Return the tasks in their order if there is room for all, else as many, busy ones first."""
    busy_first = sorted(result.decisions, key=lambda decision: decision.verdict.reason in IDLE)
    rows = _fitting((_task(decision, result, now) for decision in busy_first), room)
    if len(rows) < len(busy_first):
        return rows
    place = {decision.task_id: number for number, decision in enumerate(result.decisions)}
    return sorted(rows, key=lambda row: place[row["id"]])


def _fitting(made: Iterator[Dict[str, Any]], room: int) -> List[Dict[str, Any]]:
    """Return the first of them that fit, without making the others."""
    kept = []
    for each in made:
        room -= _size(each) + len(", ")
        if room < 0:
            break
        kept.append(each)
    return kept


def is_idle(task: Mapping[str, Any]) -> bool:
    """Return whether a task of a report is at rest, so that the log needs no line about it."""
    return task["reason"] in IDLE


def _task(decision: Decision, result: Result, now: datetime) -> Dict[str, Any]:
    task = decision.task
    remaining = task.transfer.remaining if task and task.phase is Phase.MOVING else None
    outcome = result.outcomes.get(decision.task_id)
    made: Dict[str, Any] = {
        "id": decision.task_id,
        "name": clean(task.name) if task else "",
        "state": clean(task.state) or None if task else None,
        "action": str(decision.verdict.action),
        "reason": str(decision.verdict.reason),
        "attempt": decision.verdict.attempt.number,
        "outcome": str(outcome) if outcome else None,
        "progress": task.progress.shown if task else None,
        "eta": _utc(now + timedelta(seconds=remaining)) if remaining else None,
    }
    detail = decision.detail or result.details.get(decision.task_id, "")
    if detail:
        made["detail"] = clean(detail, MAX_DETAIL)
    return made


def _notice(notice: Notice) -> Dict[str, Any]:
    return {
        "event_id": notice.event_id,
        "kind": str(notice.kind),
        "task_id": notice.task.id if notice.task else None,
    }


def _counts(result: Result) -> Dict[str, int]:
    actions = [decision.verdict.action for decision in result.decisions]
    taken = [each for each in result.outcomes.values() if each is Outcome.DONE]
    return {
        "tasks": len(actions),
        **{str(action): actions.count(action) for action in Action},
        "unread": sum(decision.task is None for decision in result.decisions),
        "accepted": len(taken),
        "notices": len(result.notices),
        "left_out": 0,
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def _size(made: Any) -> int:
    return len(json.dumps(made))
