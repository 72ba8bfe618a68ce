"""Golden texts: every kind alone and what comes together, as the reader gets it.

With ``GOLDEN=write`` in the environment the files of ``tests/unit/messages/golden`` are written
anew; read the difference aloud before it is committed.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest

from sms_watch.messages.compose import RunContext, compose
from sms_watch.model.forecast import End, Forecast
from sms_watch.model.notice import (
    Action,
    Digest,
    DigestRow,
    Kind,
    Message,
    Notice,
    Outcome,
    Reason,
    Start,
)
from sms_watch.model.task import ErrorClass, Progress, Task
from tests.support.builders import NOW, a_notice, minutes, varied

PLACE = Path(__file__).with_name("golden")
CONTEXT = RunContext(
    "1f0e9c7a",
    NOW,
    timezone(timedelta(hours=8)),
    "https://console-intl.huaweicloud.com/sms/",
    minutes(15),
)
HOUR = timedelta(hours=1)
TASK = varied(
    Task("7a9c1c55", "db-01", "MIGRATE_FAIL", "MIGRATE_FILE"),
    code="SMS.0807",
    progress=Progress(5, 52, None, "MIGRATE_LINUX_FILE"),
    source="db-src (192.0.2.4)",
    target="db-dst (198.51.100.3)",
)
RUNNING = varied(TASK, state="RUNNING", code="", speed=118.4, remaining=9000)
SYNCING = varied(RUNNING, state="SYNCING", remaining=None)
FULL = varied(TASK, code="SMS.1315", error_params=("/data",))


def _notice(kind: Kind, index: int = 0, **flat: Any) -> Notice:
    """Return a notice about the task; ``index`` is the number of its event."""
    usual: Dict[str, Any] = {"event_id": f"20261124-4711-{index}-{kind}", "task": TASK}
    return a_notice(kind, **{**usual, **flat})


def _start(outcome: Outcome = Outcome.DONE, detail: str = "") -> Start:
    return Start("20261124-4711-0-start", outcome, detail)


def _failed(**fields: Any) -> Notice:
    """Return a failure on a lost line whose start was accepted."""
    usual: Dict[str, Any] = {
        "error_class": ErrorClass.TRANSIENT,
        "action": Action.START,
        "reason": Reason.RESTARTABLE,
        "number": 1,
        "next_try": NOW + minutes(2),
        "since": NOW,
        "start": _start(),
    }
    return _notice(Kind.FAILED, **{**usual, **fields})


def _hopeless(kind: Kind, **fields: Any) -> Notice:
    """Return a notice about a full disk, which no start mends."""
    usual: Dict[str, Any] = {
        "task": FULL,
        "error_class": ErrorClass.HUMAN,
        "reason": Reason.NOT_RESTARTABLE,
        "cap": 0,
        "since": NOW,
    }
    return _notice(kind, **{**usual, **fields})


def _tired(kind: Kind, **fields: Any) -> Notice:
    """Return a notice about a line that has been down through all usual starts."""
    usual: Dict[str, Any] = {
        "error_class": ErrorClass.TRANSIENT,
        "action": Action.WAIT,
        "reason": Reason.BACKOFF,
        "number": 6,
        "next_try": NOW + minutes(13),
        "since": NOW - HOUR,
    }
    return _notice(kind, **{**usual, **fields})


def _end(kind: Kind, of: Kind, **fields: Any) -> Notice:
    """Return the end of what a notice of another kind told."""
    opening = f"20261124-4000-0-{of}"
    usual: Dict[str, Any] = {"task": RUNNING, "event_id": f"{opening}-end", "follows": (opening,)}
    return _notice(kind, **{**usual, **fields})


def _copied(index: int = 0, since: Any = NOW - 5 * HOUR, **flat: Any) -> Notice:
    """Return that 120 GB were copied in five hours."""
    usual = {"progress": Progress(copied=120 * 10**9), "speed": 53.3}
    task = varied(SYNCING, **{**usual, **flat})
    return _notice(Kind.COPIED, index, task=task, since=since)


def _summary(**fields: Any) -> Notice:
    """Return what stands for all that was held back in an hour."""
    return _notice(Kind.DIGEST, **{"since": NOW - HOUR, "count": 29, **fields})


def _outage() -> Tuple[Notice, ...]:
    names = ("web-01", "web-02", "db-01")
    return tuple(
        _failed(index=index, task=varied(TASK, id=f"{index}{TASK.id[1:]}", name=name))
        for index, name in enumerate(names)
    )


def _away() -> Tuple[Notice, ...]:
    """Return the call about a failed task whose agent is away as well."""
    task = varied(FULL, connected=False)
    return (
        _hopeless(Kind.FAILED, task=task),
        _hopeless(Kind.NEEDS_PERSON, task=task, index=1),
        _hopeless(Kind.DISCONNECTED, task=task, index=2),
    )


def _digest_of_one() -> Notice:
    """Return a digest of one task in a state that nobody knows, with one start and one minute."""
    row = DigestRow(varied(FULL, state="FREEZING", progress=Progress()), 1, 60.0)
    unread = f"1 could not be read: {DENIED}"
    digest = Digest((row,), unread=unread, forecast=Forecast(still=1, unread=1))
    return Notice(Kind.DIGEST, NOW, "20261124-4711-1-digest", digest=digest)


def _digest() -> Notice:
    names = (
        "数据库迁移-华东-01",
        "pelayan-pangkalan-data",
        "خادم قاعدة البيانات",
        "🚀 web-04",
        "db-05",
    )
    quarter = DigestRow(varied(RUNNING, progress=replace(RUNNING.progress, percent=27)))
    made = (
        DigestRow(FULL, 0, 5 * 3600),
        DigestRow(varied(RUNNING, remaining=None), 0, 0, NOW - 3 * HOUR),
        replace(quarter, starts=3, seconds_failed=1500),
        DigestRow(varied(RUNNING, state="SYNCING", speed=0.0, connected=False)),
        DigestRow(varied(RUNNING, state="MIGRATE_SUCCESS", speed=None, progress=Progress())),
    )
    end = End(NOW + 2.5 * HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR, "t2", names[2])
    rows = tuple(
        replace(each, task=replace(each.task, id=f"t{index}", name=name))
        for index, (each, name) in enumerate(zip(made, names))
    )
    return Notice(
        Kind.DIGEST,
        NOW,
        "20261124-4711-5-digest",
        since=NOW - 24 * HOUR,
        digest=Digest(rows, forecast=Forecast(end, copying=1, still=2, ready=1, finished=1)),
    )


ABOUT_WATCH: Dict[str, Any] = {"task": None}
RESETS = varied(RUNNING, state="RESETING", speed=None, remaining=None)
PART = Task("*", "a part of the list of tasks", "")
DENIED = "read task 7a9c1c55: HTTP 403, SMS.9004: no permission"
AT_LENGTH = f"{DENIED} for this operation; ask whoever looks after the account."
NOWHERE = varied(RUNNING, progress=Progress(), remaining=None)
HALTED = varied(RUNNING, state="ABORT", code="SMS.9007", error_params=("100 Mbit/s",))
UNMEASURED = varied(NOWHERE, progress=Progress(2, None, None, "SSL_CONFIG"))
SCENES: Dict[str, Tuple[Notice, ...]] = {
    # Every kind alone
    "failed": (_failed(),),
    "failed_and_running_again": (
        _failed(),
        _notice(
            Kind.RESUMED,
            event_id="20261124-4711-0-failed-end",
            task=RUNNING,
            since=NOW - minutes(3),
        ),
    ),
    "failed_refused": (_failed(start=_start(Outcome.REFUSED, "start task: HTTP 400, SMS.7713")),),
    "resumed": (_notice(Kind.RESUMED, task=RUNNING, since=NOW - minutes(42)),),
    "needs_person": (_hopeless(Kind.FAILED), _hopeless(Kind.NEEDS_PERSON, index=1)),
    "needs_person_tried_on": (_tired(Kind.NEEDS_PERSON),),
    "needs_person_spent": (
        _tired(
            Kind.NEEDS_PERSON,
            task=varied(TASK, code="SMS.1103"),
            error_class=ErrorClass.RETRYABLE,
            action=Action.NONE,
            reason=Reason.ATTEMPTS_SPENT,
            number=5,
            cap=5,
            next_try=None,
        ),
    ),
    "needs_person_starts_off": (
        _tired(Kind.FAILED, action=Action.NONE, reason=Reason.STARTS_OFF, number=0, since=NOW),
        _tired(Kind.NEEDS_PERSON, action=Action.NONE, reason=Reason.STARTS_OFF, number=0, index=1),
    ),
    "needs_person_agent_too_old": (
        _hopeless(Kind.NEEDS_PERSON, task=varied(TASK, code="SMS.6306", type="MIGRATE_BLOCK")),
    ),
    "needs_person_new_task": (
        _hopeless(
            Kind.NEEDS_PERSON,
            task=varied(TASK, code="SMS.1414", type="MIGRATE_BLOCK"),
            error_class=ErrorClass.RECREATE,
        ),
    ),
    "needs_person_for_lack_of_time": (
        _tired(Kind.NEEDS_PERSON, reason=Reason.NO_TIME, number=1, next_try=None),
    ),
    "needs_person_for_want_of_calls": (
        _tired(Kind.NEEDS_PERSON, reason=Reason.THROTTLED, number=1, next_try=None),
    ),
    "needs_person_as_only_the_list_shows_it": (
        _notice(
            Kind.UNREADABLE,
            since=NOW - minutes(2),
            error_class=ErrorClass.TRANSIENT,
            action=Action.WAIT,
            reason=Reason.NOT_REACHED,
            number=1,
            detail=f"{DENIED}; grant sms:server:getTask",
        ),
        _tired(
            Kind.NEEDS_PERSON,
            reason=Reason.NOT_REACHED,
            number=1,
            next_try=None,
            since=NOW - minutes(2),
            index=1,
        ),
    ),
    "needs_person_rolled_back": (
        _notice(
            Kind.NEEDS_PERSON,
            task=varied(RUNNING, state="SYNC_F_ROLLBACK_SUCCESS"),
            reason=Reason.ROLLED_BACK,
        ),
    ),
    "stalled": (
        _notice(Kind.STALLED, task=varied(RUNNING, remaining=None, speed=0.0), since=NOW - HOUR),
    ),
    "moving": (_end(Kind.MOVING, Kind.STALLED, since=NOW - 3 * HOUR),),
    "hanging": (_notice(Kind.HANGING, task=RESETS, since=NOW - HOUR),),
    "copied": (_copied(),),
    "copied_without_bytes": (_copied(progress=Progress(), speed=None),),
    "copied_by_the_time_it_was_seen": (_copied(progress=Progress(), speed=None, since=None),),
    "several_copied": tuple(
        _copied(n, NOW - n * HOUR, id=f"{n}a9c1c55", name=f"db-0{n}", speed=160 / n)
        for n in range(1, 4)
    ),
    "resumed_and_copied": (
        _end(Kind.RESUMED, Kind.FAILED, task=SYNCING, since=NOW - minutes(20)),
        _copied(),
    ),
    "moving_and_copied": (
        _end(Kind.MOVING, Kind.STALLED, task=SYNCING, since=NOW - 2 * HOUR),
        _copied(),
    ),
    "moved_on": (_end(Kind.MOVING, Kind.HANGING, since=NOW - 3 * HOUR),),
    "moved_on_from_an_unknown_state": (
        _end(Kind.MOVING, Kind.UNKNOWN_STATE, task=RESETS, since=NOW - minutes(7)),
    ),
    "reminder_of_a_hang": (_notice(Kind.REMINDER, task=RESETS, since=NOW - 5 * HOUR, count=1),),
    "reminder_of_a_call_in_an_unknown_state": (
        _notice(
            Kind.REMINDER, task=varied(RUNNING, state="FREEZING"), since=NOW - 5 * HOUR, count=1
        ),
    ),
    "disconnected": (_notice(Kind.DISCONNECTED, task=varied(RUNNING, connected=False)),),
    "connected": (_notice(Kind.CONNECTED, task=RUNNING),),
    "paused": (_notice(Kind.PAUSED, task=varied(RUNNING, state="ABORT")),),
    "paused_for_now": (_notice(Kind.PAUSED, task=varied(RUNNING, state="ABORTING")),),
    "paused_by_sms": (_notice(Kind.PAUSED, task=HALTED, error_class=ErrorClass.HUMAN),),
    "reminder_of_a_pause_by_sms": (
        _notice(
            Kind.REMINDER,
            task=HALTED,
            error_class=ErrorClass.HUMAN,
            since=NOW - 4 * HOUR,
            count=1,
        ),
    ),
    "unreadable": (
        _notice(
            Kind.UNREADABLE,
            task=Task("7a9c1c55", "", ""),
            since=NOW - minutes(2),
            detail=f"{DENIED}; grant sms:server:getTask",
        ),
    ),
    "readable": (_end(Kind.READABLE, Kind.UNREADABLE, since=NOW - HOUR),),
    "readable_after_gone": (_end(Kind.READABLE, Kind.GONE, task=TASK, since=NOW - HOUR),),
    "unreadable_part_of_the_list": (
        _notice(
            Kind.UNREADABLE,
            task=PART,
            since=NOW - minutes(2),
            detail="a part of the list of tasks could not be read: list tasks from 200: HTTP 500;"
            " tasks in it that are new are not watched until it can be read",
        ),
    ),
    "readable_part_of_the_list": (
        _end(Kind.READABLE, Kind.UNREADABLE, task=PART, since=NOW - HOUR),
    ),
    "finished": (
        _notice(
            Kind.FINISHED,
            task=replace(
                RUNNING, state="MIGRATE_SUCCESS", progress=replace(RUNNING.progress, percent=100)
            ),
        ),
    ),
    "never_there": (_notice(Kind.GONE, task=Task("7a9c1c55", "", "")),),
    "gone": (_notice(Kind.GONE, task=Task("7a9c1c55", "db-01", "")),),
    "gone_as_it_was_renamed": (
        _notice(
            Kind.GONE,
            task=Task("7a9c1c55", "db-01", ""),
            detail="it is now named 'done-01', which does not match SMS_TASK_NAMES",
        ),
    ),
    "unknown_state": (_notice(Kind.UNKNOWN_STATE, task=varied(RUNNING, state="FREEZING")),),
    "blind": (_notice(Kind.BLIND, since=NOW - minutes(2), detail=DENIED, **ABOUT_WATCH),),
    "sighted": (_notice(Kind.SIGHTED, since=NOW - HOUR, **ABOUT_WATCH),),
    "memory_lost": (_notice(Kind.MEMORY_LOST, **ABOUT_WATCH),),
    "test": (_notice(Kind.TEST, **ABOUT_WATCH),),
    "reminder": (_hopeless(Kind.REMINDER, since=NOW - 4 * HOUR, count=1),),
    "needs_person_in_vain": (_tired(Kind.NEEDS_PERSON, in_vain_since=NOW - HOUR),),
    "reminder_in_vain": (
        _tired(Kind.REMINDER, since=NOW - 9 * HOUR, number=31, count=2, in_vain_since=NOW - HOUR),
    ),
    "several_in_vain": tuple(
        _tired(
            Kind.NEEDS_PERSON,
            index=index,
            task=varied(TASK, id=f"{index}a9c1c55", name=f"db-0{index}"),
            in_vain_since=NOW - minutes(50 + index),
        )
        for index in range(3)
    ),
    "failed_and_in_vain": (
        _tired(Kind.FAILED, in_vain_since=NOW - HOUR),
        _tired(Kind.NEEDS_PERSON, index=1, in_vain_since=NOW - HOUR),
    ),
    "reminder_tried_on": (_tired(Kind.REMINDER, since=NOW - 9 * HOUR, number=31, count=2),),
    "reminder_starts_off": (
        _tired(
            Kind.REMINDER,
            action=Action.NONE,
            reason=Reason.STARTS_OFF,
            number=0,
            next_try=None,
            count=1,
        ),
    ),
    "reminder_of_a_stall": (
        _notice(Kind.REMINDER, task=varied(RUNNING, remaining=None), since=NOW - 5 * HOUR, count=1),
    ),
    "reminder_last": (_hopeless(Kind.REMINDER, since=NOW - 24 * HOUR, count=6),),
    "flapping": (_failed(count=3),),
    "changes_all_the_time": (_summary(task=varied(RUNNING, state="ABORT")),),
    "changes_all_the_time_and_failed": (
        _summary(task=TASK, error_class=ErrorClass.TRANSIENT, action=Action.WAIT, number=3),
    ),
    "changes_all_the_time_and_cannot_be_read": (
        _summary(task=Task("7a9c1c55", "db-01", ""), reason=Reason.UNREADABLE),
    ),
    "changes_all_the_time_and_is_gone": (
        _summary(task=Task("7a9c1c55", "db-01", ""), reason=Reason.GONE),
    ),
    "flapping_settled": (_notice(Kind.RESUMED, task=RUNNING, since=NOW - HOUR, count=11),),
    "flapping_stays_failed": (_failed(since=NOW - HOUR, number=4),),
    "digest": (_digest(),),
    "digest_of_what_rests": (
        Notice(
            Kind.DIGEST,
            NOW,
            "20261124-4711-2-digest",
            since=NOW - 24 * HOUR,
            digest=Digest(
                (DigestRow(HALTED), DigestRow(RESETS, still_since=NOW - 2 * HOUR)),
                forecast=Forecast(still=2),
            ),
        ),
    ),
    "digest_empty": (Notice(Kind.DIGEST, NOW, "20261124-4711-0-digest"),),
    # After a gap in which nothing was read
    "failed_after_a_gap": (_failed(unread_since=NOW - 2 * HOUR),),
    "outage_after_a_gap": tuple(varied(each, unread_since=NOW - 2 * HOUR) for each in _outage()),
    "resumed_after_a_gap": (
        _notice(
            Kind.RESUMED,
            task=RUNNING,
            since=NOW - 5 * HOUR,
            unread_since=NOW - 2 * HOUR - minutes(7),
        ),
    ),
    "finished_after_a_gap": (
        _notice(
            Kind.FINISHED,
            task=varied(RUNNING, state="MIGRATE_SUCCESS", speed=None, remaining=None),
            unread_since=NOW - 2 * HOUR,
        ),
    ),
    "paused_after_a_gap": (
        _notice(Kind.PAUSED, task=varied(RUNNING, state="ABORT"), unread_since=NOW - 2 * HOUR),
    ),
    "paused_by_sms_after_a_gap": (
        _notice(
            Kind.PAUSED, task=HALTED, error_class=ErrorClass.HUMAN, unread_since=NOW - 2 * HOUR
        ),
    ),
    "copied_after_a_gap": (varied(_copied(), unread_since=NOW - 2 * HOUR),),
    "several_copied_after_a_gap": tuple(
        varied(_copied(n, id=f"{n}a9c1c55", name=f"db-0{n}"), unread_since=NOW - 2 * HOUR)
        for n in range(1, 3)
    ),
    "moving_after_a_gap": (
        _end(Kind.MOVING, Kind.STALLED, since=NOW - 3 * HOUR, unread_since=NOW - 2 * HOUR),
    ),
    "moved_on_after_a_gap": (
        _end(Kind.MOVING, Kind.HANGING, since=NOW - 3 * HOUR, unread_since=NOW - minutes(25)),
    ),
    # Where less is known, or at more length
    "resumed_after_a_rollback": (_notice(Kind.RESUMED, task=RUNNING),),
    "stalled_unmeasured": (_notice(Kind.STALLED, task=UNMEASURED),),
    "stalled_nowhere": (_notice(Kind.STALLED, task=NOWHERE, since=NOW - HOUR),),
    "moving_from_first_sight": (_end(Kind.MOVING, Kind.STALLED),),
    "reminder_from_first_sight": (_hopeless(Kind.REMINDER, since=None, count=2),),
    "failed_without_a_code": (
        _failed(
            task=varied(TASK, code="?", error_params=("/data", "x" * 80)),
            error_class=ErrorClass.UNKNOWN,
            cap=2,
        ),
    ),
    "failed_at_length": (_failed(task=varied(TASK, error_params=("/data", "x" * 80))),),
    "failed_as_its_agent_restarted": (
        _failed(
            task=varied(TASK, code="SMS.1414"),
            error_class=ErrorClass.RETRYABLE,
            cap=5,
        ),
    ),
    "failed_as_a_class_of_ones_own_says": (
        _failed(task=FULL),  # human in the table, transient by ERROR_CLASSES
    ),
    "needs_person_as_a_class_of_ones_own_says": (
        _hopeless(Kind.FAILED, task=TASK),  # transient in the table, human by ERROR_CLASSES
        _hopeless(Kind.NEEDS_PERSON, task=TASK, index=1),
    ),
    "blind_unexplained": (_notice(Kind.BLIND, **ABOUT_WATCH),),
    "blind_at_length": (_notice(Kind.BLIND, since=NOW, detail=AT_LENGTH, **ABOUT_WATCH),),
    "sighted_at_once": (_notice(Kind.SIGHTED, **ABOUT_WATCH),),
    "digest_of_one": (_digest_of_one(),),
    # Together
    "outage_of_three_tasks": _outage(),
    "needs_person_and_agent_away": _away(),
    "failed_and_agent_away": (
        _failed(
            task=varied(TASK, connected=False),
            action=Action.WAIT,
            reason=Reason.DISCONNECTED,
            start=None,
            next_try=NOW + minutes(15),
        ),
        _notice(
            Kind.DISCONNECTED,
            task=varied(TASK, connected=False),
            error_class=ErrorClass.TRANSIENT,
            action=Action.WAIT,
            reason=Reason.DISCONNECTED,
            next_try=NOW + minutes(15),
            index=1,
        ),
    ),
    "failed_before_and_agent_away": (
        _tired(
            Kind.DISCONNECTED,
            task=varied(TASK, connected=False),
            reason=Reason.DISCONNECTED,
        ),
    ),
    "agent_back_and_started": (
        replace(
            _failed(reason=Reason.RECONNECTED, number=2, task=varied(TASK, connected=True)),
            kind=Kind.CONNECTED,
        ),
    ),
    "agent_back_and_waiting": (
        replace(
            _failed(action=Action.WAIT, reason=Reason.BACKOFF, number=2, start=None),
            kind=Kind.CONNECTED,
            task=varied(TASK, connected=True),
        ),
    ),
    "sighted_and_what_happened": (
        _notice(Kind.SIGHTED, since=NOW - HOUR, **ABOUT_WATCH),
        _hopeless(Kind.FAILED, index=1, unread_since=NOW - HOUR),
        _hopeless(Kind.NEEDS_PERSON, index=2, unread_since=NOW - HOUR),
    ),
}


def _shown(message: Message) -> str:
    web = json.dumps(json.loads(message.web), indent=2, ensure_ascii=False)
    return (
        f"--- subject\n{message.subject}\n--- e-mail\n{message.email}"
        f"--- default\n{message.default}\n--- short text\n{message.short}\n--- web hook\n{web}\n"
    )


@pytest.mark.parametrize("scene", SCENES)
def test_what_people_read(scene: str) -> None:
    """Each scene reads as its golden text does, in all forms of the message."""
    shown = _shown(compose(SCENES[scene], CONTEXT))
    path = PLACE / f"{scene}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


# What people do; never what the tool does, and never that nothing is to be done.
IMPERATIVES = {"Check", "Correct", "Delete", "Find", "Free", "Grant", "If", "Look", "Press", "Read"}
IMPERATIVES |= {"Remove", "Start", "Uninstall"}
GOOD_NEWS = {"copied", "finished", "resumed", "moving", "connected", "readable", "sighted", "test"}


@pytest.mark.parametrize("scene", SCENES)
def test_what_to_do_is_shown_where_there_is_something_to_do(scene: str) -> None:
    """It tells people what they do, and stands in no message that is good news alone."""
    rows = re.findall("^  What to do   (.*)$", compose(SCENES[scene], CONTEXT).email, re.MULTILINE)
    assert all(row.split()[0] in IMPERATIVES for row in rows), rows
    kinds = {notice.kind for notice in SCENES[scene]}
    # Of the good news one asks for something.
    assert not rows or "copied" in kinds or not kinds <= GOOD_NEWS
    calls = kinds & {Kind.NEEDS_PERSON, Kind.REMINDER, Kind.BLIND, Kind.STALLED, Kind.HANGING}
    assert rows or not calls


def test_every_kind_has_a_golden_text() -> None:
    """No kind is told without that somebody has read it, and no text is left over."""
    assert {notice.kind for notices in SCENES.values() for notice in notices} == set(Kind)
    assert {path.stem for path in PLACE.glob("*.txt")} == set(SCENES)
