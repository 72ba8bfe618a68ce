"""The first full copy: when it begins and ends, and that its end is news once."""

from __future__ import annotations

from datetime import timedelta
from typing import List, Optional, Tuple

import pytest

from sms_watch.model.notice import Kind, Notice
from sms_watch.model.task import Progress, Task
from sms_watch.rules.decide import decide
from sms_watch.rules.first_copy import FirstCopy
from sms_watch.rules.record import TaskRecord
from tests.support.builders import NOW, a_policy, a_reading, a_task, minutes, varied

COPIED = 60 * 10**9  # bytes
BEGUN = FirstCopy(NOW - minutes(300), 10**9)


def _task(state: str, copied: Optional[int] = COPIED, sub_task: str = "") -> Task:
    code = "SMS.0807" if state.endswith("FAIL") else ""
    return a_task(state=state, code=code, progress=Progress(None, None, copied, sub_task))


def _seen(
    *states: str, known: Optional[TaskRecord] = None
) -> Tuple[List[Tuple[str, Kind]], TaskRecord]:
    """Return what is told of a task that is read every half hour, and what is remembered."""
    told: List[Tuple[str, Kind]] = []
    for number, state in enumerate(states):
        now = NOW + minutes(30 * number)
        decision = decide(a_reading(_task(state), now=now, event=f"2026-0-{number}"), known)
        known = decision.planned(now)
        told += [(state, notice.kind) for notice in decision.notices]
    assert known is not None
    return told, known


def _copies(*states: str) -> List[Tuple[str, Kind]]:
    return [each for each in _seen(*states)[0] if each[1] is Kind.COPIED]


def _told(known: FirstCopy, task: Task) -> Notice:
    record = varied(TaskRecord("RUNNING", NOW - minutes(300)), first_copy=known)
    (notice,) = decide(a_reading(task), record).notices
    return notice


TOLD = [("SYNCING", Kind.COPIED)]


@pytest.mark.parametrize(
    "states",
    [
        ("RUNNING", "SYNCING", "SYNCING"),
        ("READY", "SYNCING"),
        ("RUNNING", "MIGRATE_FAIL", "SYNCING"),
        ("RUNNING", "MIGRATE_FAIL", "RUNNING", "SYNCING"),
        ("RUNNING", "SYNC_FAIL", "SYNCING", "SYNC_FAIL", "SYNCING"),
        ("RUNNING", "ABORT", "SYNCING"),
        ("RUNNING", "MIGRATE_FAIL", "READY", "RUNNING", "SYNCING"),
        ("RUNNING", "INVENTED", "SYNCING"),
        ("MIGRATE_FAIL", "SYNCING"),
        ("ABORT", "RUNNING", "SYNCING", "RUNNING", "SYNCING"),
        ("RUNNING", "SYNCING", "ABORT", "READY", "SYNCING"),
        ("RUNNING", "SYNCING", "SYNC_FAIL", "READY", "RUNNING", "SYNCING"),
    ],
)
def test_the_end_of_a_first_copy_is_told_once(states: Tuple[str, ...]) -> None:
    """Whatever lay between, and whatever the synchronisation does afterwards."""
    assert _copies(*states) == TOLD


@pytest.mark.parametrize(
    "states",
    [
        ("SYNCING", "SYNCING"),
        ("SYNCING", "SYNC_FAIL", "SYNCING"),
        ("SYNC_FAIL", "SYNCING"),
        ("SYNC_F_ROLLBACKING", "SYNC_F_ROLLBACK_SUCCESS", "SYNCING"),
        ("RUNNING", "SYNC_SUCCESS"),
        ("RUNNING", "MIGRATE_SUCCESS", "SYNCING"),
        ("SYNC_SUCCESS", "SYNCING"),
        ("RUNNING", "SYNC_FAIL"),
    ],
)
def test_no_copy_is_told_that_nobody_saw_or_that_has_an_end_of_its_own(
    states: Tuple[str, ...],
) -> None:
    """What was done at first sight is remembered as done; an end is told as finished."""
    assert _copies(*states) == []


@pytest.mark.parametrize("state", ["MIGRATE_FAIL", "RUNNING"])
def test_a_task_first_seen_in_its_synchronisation_has_its_copy_behind_it(state: str) -> None:
    """One that failed there may say MIGRATE_FAIL; its sub-task says where it was."""
    first = decide(a_reading(_task(state, sub_task="SYNC_LINUX_FILE")), None).record
    assert first is not None
    assert first.movement.first_copy.done_at == NOW
    kinds = [each.kind for each in decide(a_reading(_task("SYNCING")), first).notices]
    assert Kind.COPIED not in kinds


@pytest.mark.parametrize(
    "between",
    [
        ("READY", "RUNNING"),
        ("RESETING", "READY"),
        ("SYNC_FAIL", "RESETING", "READY", "RUNNING"),
    ],
)
def test_a_task_that_is_reset_is_copied_anew(between: Tuple[str, ...]) -> None:
    """Its next full copy is told as well, and counts from its own beginning."""
    told, record = _seen("RUNNING", "SYNCING", *between, "SYNCING")
    assert [each for each in told if each[1] is Kind.COPIED] == TOLD * 2
    begun = NOW + minutes(30 * (1 + len(between))) if between[-1] == "RUNNING" else None
    assert record.movement.first_copy.begun_at == begun


@pytest.mark.parametrize("rest", ["ABORT", "SYNC_FAIL"])
def test_a_synchronisation_that_a_person_starts_again_is_no_new_copy(rest: str) -> None:
    """It passes READY as a task does that was reset; its sub-task says that it goes on."""
    known: Optional[TaskRecord] = None
    kinds: List[Kind] = []
    for number, state in enumerate(("RUNNING", "SYNCING", rest, "READY", "RUNNING", "SYNCING")):
        now, copying = NOW + minutes(5 * number), number == 0
        task = _task(state, sub_task="MIGRATE_LINUX_FILE" if copying else "SYNC_LINUX_FILE")
        policy = a_policy(max_attempts=0)
        reading = a_reading(task, now=now, event=f"2026-0-{number}", policy=policy)
        decision = decide(reading, known)
        known, kinds = decision.record, [*kinds, *(each.kind for each in decision.notices)]
    assert kinds.count(Kind.COPIED) == 1


def test_bytes_that_are_counted_anew_count_from_there() -> None:
    """The source server still had those of an earlier task when this one began."""
    copy, _ = FirstCopy().read(_task("RUNNING", 9 * COPIED), NOW, "READY", False)
    copy, _ = copy.read(_task("RUNNING", 0), NOW + minutes(1), "RUNNING", False)
    assert copy == FirstCopy(NOW, 0)
    for copied in (None, 5):
        assert copy.read(_task("RUNNING", copied), NOW, "RUNNING", False)[0] is copy
    done, _ = copy.read(_task("SYNCING"), NOW + minutes(60), "RUNNING", False)
    assert done.measured(_task("SYNCING")).progress.copied == COPIED


def test_the_span_is_that_since_the_copy_was_first_seen() -> None:
    """Failures do not begin it anew; what was copied in it gives the average."""
    notice = _told(BEGUN, _task("SYNCING"))
    assert (notice.kind, notice.since) == (Kind.COPIED, BEGUN.begun_at)
    assert notice.task is not None
    assert notice.task.progress == Progress(copied=COPIED - 10**9)
    assert notice.task.transfer.speed == pytest.approx((COPIED - 10**9) * 8 / 1e6 / 18_000)
    assert notice.task.state == "SYNCING"


@pytest.mark.parametrize(
    ("known", "copied"),
    [(BEGUN, None), (FirstCopy(NOW - minutes(5)), COPIED), (FirstCopy(), COPIED)],
)
def test_no_amount_is_told_that_nobody_measured(known: FirstCopy, copied: Optional[int]) -> None:
    """Bytes have to be known at both ends."""
    notice = _told(known, _task("SYNCING", copied))
    assert notice.task is not None
    assert (notice.task.progress, notice.task.transfer.speed) == (Progress(), None)


def test_a_copy_that_took_no_time_has_no_speed() -> None:
    """Two readings at one moment are no measure; bytes that fell are none either."""
    at_once = FirstCopy(NOW, 0, NOW).measured(_task("SYNCING"))
    assert (at_once.progress.copied, at_once.transfer.speed) == (COPIED, None)
    fell = FirstCopy(NOW, 2 * COPIED, NOW + timedelta(hours=1)).measured(_task("SYNCING"))
    assert (fell.progress.copied, fell.transfer.speed) == (0, 0)


def test_what_is_remembered_changes_at_the_borders_alone() -> None:
    """A run that reads the same again writes nothing for it."""
    copy, _ = FirstCopy().read(_task("RUNNING"), NOW, "READY", False)
    assert copy == FirstCopy(NOW, COPIED)
    for state in ("RUNNING", "MIGRATE_FAIL", "ABORT"):
        assert copy.read(_task(state), NOW + minutes(9), "RUNNING", False)[0] is copy
    done, is_news = copy.read(_task("SYNCING"), NOW + minutes(9), "RUNNING", False)
    assert (done, is_news) == (FirstCopy(NOW, COPIED, NOW + minutes(9)), True)
    assert done.read(_task("SYNCING"), NOW + minutes(10), "SYNCING", False) == (done, False)


def test_a_record_without_it_that_synchronises_is_no_news() -> None:
    """What an older version remembers of a task that synchronises tells nobody anything."""
    told, record = _seen("SYNCING", known=TaskRecord("SYNCING", NOW - minutes(60)))
    assert (told, record.movement.first_copy) == ([], FirstCopy(done_at=NOW))


def test_a_copy_that_is_done_ends_a_hang() -> None:
    """It says in which state the task is: who hears of it does not hear that it moved on."""
    told, record = _seen("RUNNING", *["SKIPPING"] * 4, "SYNCING")
    assert told == [("SKIPPING", Kind.HANGING), *TOLD, ("SYNCING", Kind.MOVING)]
    assert record.rest is None


def test_a_copy_is_told_besides_a_recovery() -> None:
    """Both are said, in the order of what happened."""
    told, _ = _seen("RUNNING", "MIGRATE_FAIL", "SYNCING")
    assert told[1:] == [("SYNCING", Kind.RESUMED), *TOLD]
