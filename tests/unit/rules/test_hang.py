"""States where nothing should stay, or that nobody knows: when they are told, and their ends."""

from __future__ import annotations

from datetime import timezone
from typing import Any, Dict, Optional, Tuple

import pytest

from sms_watch.messages.grammar import Telling
from sms_watch.messages.sentences import sentence
from sms_watch.model.notice import Kind, Notice, Outcome
from sms_watch.model.task import Task
from sms_watch.rules.call import Call
from sms_watch.rules.decide import decide
from sms_watch.rules.decision import Decision
from sms_watch.rules.record import TaskRecord
from tests.support.builders import (
    LINE_LOST,
    NOW,
    a_policy,
    a_reading,
    a_record,
    a_running_task,
    a_task,
    minutes,
    varied,
)

UTC = timezone.utc
PASSING = ["ABORTING", "RESETING", "SKIPPING", "DELETING", "SYNC_F_ROLLBACKING"]
HANG = Call("20261124-0-0-hanging", NOW - minutes(30))
UNKNOWN = Call("20261124-0-0-unknown_state", NOW - minutes(30))


def _decide(task: Task, known: Optional[TaskRecord] = None, **reading: Any) -> Decision:
    return decide(a_reading(task, **reading), known)


def _kinds(decision: Decision) -> Tuple[Kind, ...]:
    return tuple(notice.kind for notice in decision.notices)


def _record(decision: Decision) -> TaskRecord:
    assert decision.record is not None
    return decision.record


def _start(ago: float, outcome: Outcome = Outcome.DONE) -> Dict[str, Any]:
    return {"last_at": NOW - minutes(ago), "outcome": outcome}


def _notice(decision: Decision) -> Notice:
    (notice,) = decision.notices
    return notice


def _rests(state: str, ago: float = 60, **flat: Any) -> TaskRecord:
    """Return what is remembered of a task that has been in a state for so long."""
    usual = {"state": state, "since": NOW - minutes(ago), "code": "", "failed_event": ""}
    return a_record(**{**usual, **flat})


@pytest.mark.parametrize(("ago", "told"), [(60 - 1 / 60, False), (60, True)])
@pytest.mark.parametrize("state", PASSING)
def test_a_task_that_stays_where_it_should_pass_hangs(state: str, ago: float, told: bool) -> None:
    """After HANG_MINUTES it is told, with since when, and is a call for a person from then on."""
    decision = _decide(a_task(state=state, code=""), _rests(state, ago))
    assert _kinds(decision) == ((Kind.HANGING,) if told else ())
    if told:
        assert _notice(decision).since == NOW - minutes(60)
        assert _record(decision).call == Call("20261124-4711-0-hanging", NOW)
        again = _decide(a_task(state=state, code=""), decision.record, now=NOW + minutes(600))
        assert (_kinds(again), again.record) == ((), decision.record)


@pytest.mark.parametrize("state", ["READY", "ABORT", "SYNC_F_ROLLBACK_SUCCESS", "INVENTED"])
def test_a_task_may_rest_where_it_waits_for_a_person(state: str) -> None:
    """Nothing is wrong with a task that nobody has started, or that somebody has paused."""
    assert Kind.HANGING not in _kinds(_decide(a_task(state=state, code=""), _rests(state, 6000)))


@pytest.mark.parametrize(
    ("started", "event", "told"), [(70, "1-failed", True), (90, "1-failed", False), (70, "", False)]
)
def test_only_a_task_that_was_started_since_it_failed_hangs_in_ready(
    started: float, event: str, told: bool
) -> None:
    """A start of an earlier failure counts as little as one of a failure that is over."""
    failed = (NOW - minutes(80),)
    known = _rests("READY", failed_event=event, recent=failed, **_start(started))
    kinds = _kinds(_decide(a_task(state="READY", code=""), known))
    assert kinds == ((Kind.HANGING,) if told else ())


@pytest.mark.parametrize("outcome", Outcome)
def test_only_a_start_that_may_have_been_taken_lets_a_task_hang_in_ready(outcome: Outcome) -> None:
    """After a refusal it waits there because nobody has started it."""
    known = _rests(
        "READY", failed_event="1-failed", recent=(NOW - minutes(80),), **_start(70, outcome)
    )
    told = _kinds(_decide(a_task(state="READY", code=""), known))
    taken = outcome in (Outcome.DONE, Outcome.UNKNOWN)
    assert told == ((Kind.HANGING,) if taken else ())


def test_a_task_that_a_person_has_reset_waits_in_ready_for_its_start() -> None:
    """What was started before that is over, though people still hear of its failure."""
    known = _rests("READY", 0, failed_event="1-failed", recent=(NOW - minutes(80),), **_start(70))
    record: Optional[TaskRecord] = known
    for number, state in enumerate(("RESETING", "READY", "READY", "READY")):
        task = a_task(state=state, code="")
        decision = _decide(task, record, now=NOW + minutes(59 * number))
        assert _kinds(decision) == ()
        record = decision.record
    assert record is not None
    assert record.starts.last_at == known.starts.last_at


def test_after_how_long_a_hang_is_told_is_for_the_policy_to_say() -> None:
    """With HANG_MINUTES=0 nothing is a hang."""
    task, known = a_task(state="RESETING", code=""), _rests("RESETING", 10)
    assert _kinds(_decide(task, known, policy=a_policy(hang=minutes(10)))) == (Kind.HANGING,)
    assert _kinds(_decide(task, _rests("RESETING", 6000), policy=a_policy(hang=minutes(0)))) == ()


@pytest.mark.parametrize("rest", [HANG, UNKNOWN])
@pytest.mark.parametrize("state", ["READY", "RUNNING", "SKIPPING"])
def test_the_end_of_a_hang_is_told_where_nothing_else_is(state: str, rest: Call) -> None:
    """It says since when the task was where it is no more, and follows what opened that."""
    decision = _decide(a_task(state=state, code=""), _rests("INVENTED", 90, rest=rest))
    notice = _notice(decision)
    assert (notice.kind, notice.since) == (Kind.MOVING, NOW - minutes(90))
    assert (notice.follows, notice.event_id) == ((rest.event_id,), f"{rest.event_id}-end")
    assert _record(decision).rest is None


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (a_task(), Kind.FAILED),
        (a_task(state="ABORT", code=""), Kind.PAUSED),
        (a_task(state="SYNC_SUCCESS", code=""), Kind.FINISHED),
        (a_task(state="SYNC_F_ROLLBACK_SUCCESS", code=""), Kind.NEEDS_PERSON),
        (a_task(state="INVENTED", code=""), Kind.UNKNOWN_STATE),
        (a_running_task(), Kind.RESUMED),
    ],
)
def test_the_end_of_a_hang_is_told_besides_its_new_state(task: Task, told: Kind) -> None:
    """Which of them people hear depends on what they want to hear."""
    decision = _decide(task, _rests("RESETING", 90, rest=HANG, failed_event="1-failed"))
    assert _kinds(decision) == (told, Kind.MOVING)
    assert _record(decision).rest == (
        Call(f"{decision.event}-unknown_state", NOW) if told is Kind.UNKNOWN_STATE else None
    )


def test_after_a_run_that_proved_nothing_no_span_is_told() -> None:
    """It hung before that run, and since when it did is not remembered."""
    recent = (NOW - minutes(200),)
    unproved = {"failed_event": "1-failed", "on_probation": True, "recent": recent, "attempts": 1}
    known = _rests("RUNNING", 2, rest=HANG, furthest=a_task().progress, **unproved)
    notice = _notice(_decide(a_task(), varied(known, code=LINE_LOST)))
    assert (notice.kind, notice.since) == (Kind.MOVING, None)
    assert sentence(notice, Telling(UTC)) == "Moved on to MIGRATE_FAIL."
