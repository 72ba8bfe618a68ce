"""What needs several parts of a record: the rules for one task, with pairs around every border."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Optional, Set, Tuple

import pytest

from sms_watch.model.notice import (
    Action,
    Attempt,
    Kind,
    Level,
    Notice,
    Outcome,
    Reason,
    Start,
    Verdict,
)
from sms_watch.model.task import ErrorClass, Progress, Task
from sms_watch.rules.call import Call
from sms_watch.rules.decide import apply_outcome, decide
from sms_watch.rules.decision import Decision
from sms_watch.rules.failure import Failure
from sms_watch.rules.movement import Movement, Sample
from sms_watch.rules.record import TaskRecord, Totals
from sms_watch.rules.starts import Starts
from tests.support.builders import (
    AGENT_RESTARTED,
    DISK_BUSY,
    DISK_FULL,
    HOST_UNKNOWN,
    LINE_LOST,
    NO_RSYNC,
    NOW,
    UNCLEAR,
    a_policy,
    a_reading,
    a_record,
    a_running_task,
    a_started_record,
    a_task,
    minutes,
    varied,
)

TOO_FAST = "SMS.9007"  # speed limit exceeded: SMS pauses the task by itself
SECOND = timedelta(seconds=1)
HERE = a_task().progress
FURTHER, BACK = replace(HERE, percent=51), replace(HERE, percent=40)
CALL = Call("20261124-0-0-needs_person", NOW - minutes(30), 2)
STALL = Call("20261124-0-0-stalled", NOW - minutes(30))
AWAY = {"away_since": NOW - minutes(60)}


def _decide(task: Task, known: Optional[TaskRecord] = None, **reading: Any) -> Decision:
    return decide(a_reading(task, **reading), known)


def _verdict(decision: Decision) -> Tuple[Action, Optional[Reason]]:
    return decision.verdict.action, decision.verdict.reason


def _kinds(decision: Decision) -> Tuple[Kind, ...]:
    return tuple(notice.kind for notice in decision.notices)


def _record(decision: Decision) -> TaskRecord:
    """Return what is remembered before any start of it is sent."""
    assert decision.record is not None
    return decision.record


def _notice(decision: Decision) -> Notice:
    (notice,) = decision.notices
    return notice


# States


@pytest.mark.parametrize(
    ("state", "action", "reason", "kinds"),
    [
        ("READY", Action.WAIT, Reason.READY, ()),
        ("RUNNING", Action.NONE, Reason.MOVING, ()),
        ("SYNCING", Action.NONE, Reason.MOVING, ()),
        ("MIGRATE_FAIL", Action.START, Reason.RESTARTABLE, (Kind.FAILED,)),
        ("SYNC_FAIL", Action.START, Reason.RESTARTABLE, (Kind.FAILED,)),
        ("ABORTING", Action.NONE, Reason.PAUSED, (Kind.PAUSED,)),
        ("ABORT", Action.NONE, Reason.PAUSED, (Kind.PAUSED,)),
        ("MIGRATE_SUCCESS", Action.NONE, Reason.FINISHED, (Kind.FINISHED,)),
        ("SYNC_SUCCESS", Action.NONE, Reason.FINISHED, (Kind.FINISHED,)),
        ("SKIPPING", Action.WAIT, Reason.BUSY, ()),
        ("RESETING", Action.WAIT, Reason.BUSY, ()),
        ("DELETING", Action.WAIT, Reason.BUSY, ()),
        ("SYNC_F_ROLLBACKING", Action.WAIT, Reason.BUSY, ()),
        ("SYNC_F_ROLLBACK_SUCCESS", Action.NONE, Reason.ROLLED_BACK, (Kind.NEEDS_PERSON,)),
        ("INVENTED_NEXT_YEAR", Action.NONE, Reason.UNKNOWN_STATE, (Kind.UNKNOWN_STATE,)),
    ],
)
def test_what_each_state_means_at_first_sight(
    state: str, action: Action, reason: Reason, kinds: Tuple[Kind, ...]
) -> None:
    """Every state has its action and reason, and is told at first sight if it matters."""
    decision = _decide(a_task(state=state))
    assert (*_verdict(decision), _kinds(decision)) == (action, reason, kinds)
    assert decision.event == "20261124-4711-0"
    assert _kinds(_decide(a_task(state=state), decision.record)) == ()


@pytest.mark.parametrize("state", ["READY", "RUNNING", "MIGRATE_FAIL"])
def test_what_is_remembered_at_first_sight(state: str) -> None:
    """State, name and moment are; nothing was sent, and nothing but a failure is open."""
    record = _record(_decide(a_task(state=state)))
    assert (record.state, record.since, record.name) == (state, NOW, "web-01")
    assert (record.starts, record.totals) == (Starts(), Totals())
    failed = Failure("20261124-4711-0-failed", LINE_LOST, recent=(NOW,))
    assert record.failure == (failed if state == "MIGRATE_FAIL" else Failure())


def test_a_task_that_goes_to_rest_in_two_steps_is_told_once() -> None:
    """ABORTING and ABORT are one pause; two unknown states are two findings, the first over."""
    pausing = _decide(a_task(state="ABORTING", code=""))
    assert _kinds(_decide(a_task(state="ABORT", code=""), pausing.record)) == ()
    unknown = _decide(a_task(state="INVENTED"))
    again = _decide(a_task(state="ANOTHER"), unknown.record)
    assert _kinds(again) == (Kind.UNKNOWN_STATE, Kind.MOVING)


@pytest.mark.parametrize("state", ["ABORT", "MIGRATE_SUCCESS"])
def test_a_rest_ends_the_incident_without_a_closing_notice(state: str) -> None:
    """A failed task that a person pauses, or that ends, is not told as running again later."""
    before = a_record(call=CALL, on_probation=True, recent=(NOW,), flaps=7)
    resting = _decide(a_task(state=state, code=""), before)
    assert _record(resting).failure == Failure()
    assert _kinds(_decide(a_running_task(), resting.record)) == ()


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ("ABORT", ""),
        ("MIGRATE_SUCCESS", ""),
        ("READY", "lost"),
        ("SYNC_F_ROLLBACK_SUCCESS", "lost"),
    ],
)
def test_only_a_settled_task_needs_its_agent_no_more(state: str, event: str) -> None:
    """A pause or the end closes the loss of the agent; what rests otherwise goes on needing it."""
    before = a_record(lost_event="lost", lost_at=NOW - minutes(61))
    agent = _record(_decide(a_task(state=state), before)).agent
    assert (agent.event_id, agent.lost_at) == (event, NOW - minutes(61))


@pytest.mark.parametrize("state", ["READY", "RESETING", "INVENTED"])
def test_a_task_that_waits_keeps_its_incident(state: str) -> None:
    """READY and the busy states in between do not swallow the closing notice."""
    before = a_record(call=CALL, on_probation=False, recent=(NOW - minutes(61),))
    waiting = _decide(a_task(state=state), before)
    assert _record(waiting).failure == before.failure
    assert _kinds(_decide(a_running_task(), waiting.record))[0] is Kind.RESUMED


def test_a_pause_by_the_service_is_a_call_for_a_person() -> None:
    """SMS pauses a task by itself and says why: told as that, never started, and open."""
    halted = a_task(state="ABORT", code=TOO_FAST)
    decision = _decide(halted, a_record(call=CALL, on_probation=True))
    notice = _notice(decision)
    assert (notice.kind, notice.level) == (Kind.PAUSED, Level.WARNING)
    assert (notice.verdict.action, notice.verdict.error_class) == (Action.NONE, ErrorClass.HUMAN)
    call = Call("20261124-4711-0-paused", NOW)
    assert _record(decision).failure == Failure(code=TOO_FAST, call=call)
    assert _record(decision).call == call
    again = _decide(halted, decision.record, now=NOW + minutes(1), event="later")
    assert again.record == decision.record
    resumed = _notice(_decide(a_running_task(), decision.record))
    assert (resumed.kind, resumed.follows) == (Kind.RESUMED, (call.event_id,))


@pytest.mark.parametrize(
    ("type_", "error_class"), [("MIGRATE_FILE", "retryable"), ("MIGRATE_BLOCK", "recreate")]
)
def test_a_pause_by_the_service_has_the_class_of_its_code(type_: str, error_class: str) -> None:
    """What people are advised to do is what a failure with this code would need."""
    decision = _decide(a_task(state="ABORT", code=AGENT_RESTARTED, type=type_))
    assert decision.verdict.error_class == error_class


def test_a_persons_pause_is_no_call() -> None:
    """Without an error it was a person who paused the task, on purpose."""
    decision = _decide(a_task(state="ABORT", code=""))
    assert (_notice(decision).level, _record(decision).call) == (Level.INFO, None)


def test_the_reason_of_a_pause_may_come_later() -> None:
    """ABORTING without an error is told; the error that ABORT then has is told as well, once."""
    pausing = _decide(a_task(state="ABORTING", code=""))
    halted = _decide(a_task(state="ABORT", code=TOO_FAST), pausing.record)
    assert [_notice(each).level for each in (pausing, halted)] == [Level.INFO, Level.WARNING]
    over = _decide(a_task(state="ABORT", code=""), halted.record)
    assert (_kinds(over), _record(over).call) == ((), None)


def test_a_pause_by_the_service_is_told_though_it_was_found_by_listing() -> None:
    """It was so before anybody watched, but it needs somebody."""
    halted = _decide(a_task(state="ABORT", code=TOO_FAST), None, discovered=True)
    assert _kinds(halted) == (Kind.PAUSED,)


def test_a_rollback_calls_its_own_person() -> None:
    """What was open before is over; the next sign of life closes the call about the rollback."""
    rolled_back = a_task(state="SYNC_F_ROLLBACK_SUCCESS", code="")
    called = _decide(rolled_back, a_record(call=CALL, on_probation=True, recent=(NOW,), flaps=7))
    assert _kinds(called) == (Kind.NEEDS_PERSON,)
    call = Call("20261124-4711-0-needs_person", NOW)
    assert _record(called).failure == Failure(call=call)
    again = _decide(rolled_back, called.record, now=NOW + minutes(1), event="later")
    assert again.record == called.record
    resumed = _notice(_decide(a_running_task(), called.record))
    assert (resumed.kind, resumed.follows) == (Kind.RESUMED, (call.event_id,))


@pytest.mark.parametrize(
    ("state", "before", "kinds"),
    [
        ("ABORT", None, ()),
        ("ABORT", a_record(), (Kind.PAUSED,)),
        ("INVENTED", None, ()),
        ("SYNC_F_ROLLBACK_SUCCESS", None, (Kind.NEEDS_PERSON,)),
        ("MIGRATE_FAIL", None, (Kind.FAILED,)),
    ],
)
def test_of_what_was_found_by_listing_only_what_happens_from_now_on_is_news(
    state: str, before: Optional[TaskRecord], kinds: Tuple[Kind, ...]
) -> None:
    """A task first seen at rest was so before anybody watched it; one that needs help is told."""
    task = a_task(state=state, code="" if state == "ABORT" else LINE_LOST)
    assert _kinds(_decide(task, before, discovered=True)) == kinds


@pytest.mark.parametrize("state", ["READY", "ABORT", "SYNC_F_ROLLBACK_SUCCESS"])
def test_a_rest_ends_the_stretch_before_it(state: str) -> None:
    """The time that it stood failed is counted, and what is known of its movement forgotten."""
    before = a_record(
        since=NOW - minutes(60), seconds_failed=60.0, moved_at=NOW, last_progress=HERE, stall=STALL
    )
    record = _record(_decide(a_task(state=state, code=""), before))
    assert (record.since, record.totals.seconds_failed) == (NOW, 3660.0)
    assert record.movement == Movement()


@pytest.mark.parametrize("state", ["READY", "ABORT", "SYNC_F_ROLLBACK_SUCCESS"])
def test_a_rest_gives_no_start_and_no_snooze_back(state: str) -> None:
    """What was sent, how often, and until when people want quiet outlasts it."""
    before = a_started_record(2, ago=50, tries=3, snoozed_until=NOW + SECOND, total_starts=4)
    record = _record(_decide(a_task(state=state, code=""), before))
    assert (record.starts, record.snoozed_until) == (before.starts, before.snoozed_until)
    assert record.totals.starts == 4


# Classes


@pytest.mark.parametrize(
    ("code", "type_", "error_class", "verdict", "cap"),
    [
        (LINE_LOST, "MIGRATE_FILE", "transient", (Action.START, Reason.RESTARTABLE), None),
        (DISK_BUSY, "MIGRATE_FILE", "retryable", (Action.START, Reason.RESTARTABLE), 5),
        (UNCLEAR, "MIGRATE_FILE", "ambiguous", (Action.START, Reason.RESTARTABLE), 2),
        ("SMS.9999", "MIGRATE_FILE", "unknown", (Action.START, Reason.RESTARTABLE), 2),
        ("?", "MIGRATE_FILE", "unknown", (Action.START, Reason.RESTARTABLE), 2),
        ("", "MIGRATE_FILE", "unknown", (Action.START, Reason.RESTARTABLE), 2),
        (AGENT_RESTARTED, "MIGRATE_BLOCK", "recreate", (Action.NONE, Reason.NOT_RESTARTABLE), 0),
        ("SMS.0212", "MIGRATE_BLOCK", "recreate", (Action.NONE, Reason.NOT_RESTARTABLE), 0),
        (AGENT_RESTARTED, "", "recreate", (Action.NONE, Reason.NOT_RESTARTABLE), 0),
        (AGENT_RESTARTED, "MIGRATE_FILE", "retryable", (Action.START, Reason.RESTARTABLE), 5),
        ("SMS.0412", "MIGRATE_FILE", "recreate", (Action.NONE, Reason.NOT_RESTARTABLE), 0),
        (DISK_FULL, "MIGRATE_FILE", "human", (Action.NONE, Reason.NOT_RESTARTABLE), 0),
        (NO_RSYNC, "MIGRATE_FILE", "precheck", (Action.NONE, Reason.NOT_RESTARTABLE), 0),
    ],
)
def test_the_class_of_the_error_decides(
    code: str, type_: str, error_class: str, verdict: Tuple[Action, Reason], cap: Optional[int]
) -> None:
    """Each class has its limit of starts; what a start cannot mend is never started."""
    decision = _decide(a_task(code=code, type=type_))
    assert _verdict(decision) == verdict
    assert decision.verdict.error_class == error_class
    assert decision.verdict.attempt.cap == cap
    assert all(notice.verdict == decision.verdict for notice in decision.notices)


@pytest.mark.parametrize("code", [DISK_FULL, "SMS.0412", NO_RSYNC])
def test_what_no_start_can_mend_calls_a_person_at_once_and_once(code: str) -> None:
    """A hopeless failure is told as failed and as needing a person, in one run only."""
    first = _decide(a_task(code=code))
    assert _kinds(first) == (Kind.FAILED, Kind.NEEDS_PERSON)
    again = _decide(a_task(code=code), first.record)
    assert _kinds(again) == ()
    assert again.record == first.record


def test_each_new_failure_calls_its_own_person() -> None:
    """A task that was mended by a person, and failed hopelessly again, calls again."""
    first = _record(_decide(a_task(code=DISK_FULL), event="20261124-1-0"))
    again = _decide(a_task(code=NO_RSYNC), first, event="20261124-2-0")
    assert _kinds(again) == (Kind.FAILED, Kind.NEEDS_PERSON)
    assert _record(again).failure.openings == ("20261124-2-0-failed", "20261124-2-0-needs_person")


def test_a_persons_own_class_comes_first() -> None:
    """ERROR_CLASSES overrides the table, in both directions."""
    classes = {DISK_FULL: ErrorClass.TRANSIENT, LINE_LOST: ErrorClass.HUMAN}
    policy = a_policy(classes=classes)
    assert _decide(a_task(code=DISK_FULL), policy=policy).is_start
    assert not _decide(a_task(code=LINE_LOST), policy=policy).is_start


# Attempts and waits


@pytest.mark.parametrize(("tries", "wait"), [(1, 2), (3, 8), (4, 15), (50, 15)])
def test_a_second_before_the_wait_is_over_a_task_waits(tries: int, wait: float) -> None:
    """A second too early waits, the minute itself starts."""
    early = a_started_record(tries, ago=wait - 1 / 60)
    decision = _decide(a_task(), early)
    assert _verdict(decision) == (Action.WAIT, Reason.BACKOFF)
    assert decision.verdict.attempt == Attempt(tries + 1, None, NOW + SECOND)
    assert _decide(a_task(), a_started_record(tries, ago=wait)).is_start


@pytest.mark.parametrize(("before", "wait"), [(0, 2), (1, 4), (2, 8), (3, 15), (4, 15), (9, 15)])
def test_a_start_says_when_the_next_one_may_follow(before: int, wait: float) -> None:
    """The earliest moment of the next try is the wait after the start that is decided now."""
    decision = _decide(a_task(), a_started_record(before, ago=60))
    assert decision.is_start
    assert decision.verdict.attempt == Attempt(before + 1, None, NOW + minutes(wait))


def test_before_the_last_start_the_next_one_is_promised() -> None:
    """Of five starts the fourth says when the fifth may follow."""
    fourth = _decide(a_task(code=DISK_BUSY), a_started_record(3, ago=60, code=DISK_BUSY))
    assert fourth.verdict.attempt == Attempt(4, 5, NOW + minutes(15))


@pytest.mark.parametrize(
    ("code", "limit"), [(DISK_BUSY, 5), (UNCLEAR, 2), ("", 2), (AGENT_RESTARTED, 5)]
)
def test_attempts_are_limited(code: str, limit: int) -> None:
    """The last attempt is made, one more is not; then a person is called, once."""
    last = _decide(a_task(code=code), a_started_record(limit - 1, ago=60, code=code))
    assert last.is_start
    assert last.verdict.attempt == Attempt(limit, limit, None)
    spent = _decide(a_task(code=code), a_started_record(limit, ago=60, code=code))
    assert _verdict(spent) == (Action.NONE, Reason.ATTEMPTS_SPENT)
    assert _kinds(spent) == (Kind.NEEDS_PERSON,)
    assert spent.verdict.attempt == Attempt(limit, limit, None)
    again = _decide(a_task(code=code), spent.record)
    assert _kinds(again) == ()
    assert again.record == spent.record


def test_a_lost_line_is_tried_without_end() -> None:
    """A transient failure goes on being tried at the longest wait; a person is told once."""
    spent = _decide(a_task(), a_started_record(5, ago=15))
    assert _verdict(spent) == (Action.START, Reason.LONGEST_WAIT)
    assert spent.verdict.attempt == Attempt(6, None, NOW + minutes(15))
    assert _kinds(spent) == (Kind.NEEDS_PERSON,)
    assert _kinds(_decide(a_task(), spent.record)) == ()
    assert _decide(a_task(), a_started_record(500, ago=15)).is_start


def test_the_last_start_gets_time_to_show_its_effect() -> None:
    """A person is called for spent attempts once the shortest wait is over, not before."""
    task = a_task(code=DISK_BUSY)
    early = a_started_record(5, ago=2 - 1 / 60, code=DISK_BUSY)
    assert _kinds(_decide(task, early)) == ()
    due = a_started_record(5, ago=2, code=DISK_BUSY)
    assert _kinds(_decide(task, due)) == (Kind.NEEDS_PERSON,)


def test_refused_starts_call_a_person_too() -> None:
    """A service that refuses every start spends no attempt, but is not left untold."""
    refused = a_started_record(0, tries=5, ago=15)
    assert _kinds(_decide(a_task(), refused)) == (Kind.NEEDS_PERSON,)
    assert _kinds(_decide(a_task(), varied(refused, tries=4))) == ()


def test_starting_can_be_switched_off() -> None:
    """With RESUME_MAX_ATTEMPTS=0 nothing is started, and a person is told."""
    decision = _decide(a_task(), policy=a_policy(max_attempts=0))
    assert _verdict(decision) == (Action.NONE, Reason.STARTS_OFF)
    assert decision.verdict.attempt == Attempt(0, 0, None)
    assert _kinds(decision) == (Kind.FAILED, Kind.NEEDS_PERSON)


def test_a_full_run_turns_a_task_away() -> None:
    """A start that is held back is a wait of which nothing is counted, and is told as one."""
    decision = _decide(a_task()).held_back(Reason.RUN_LIMIT)
    assert _verdict(decision) == (Action.WAIT, Reason.RUN_LIMIT)
    assert (decision.verdict.attempt, decision.verdict.start) == (Attempt(1, None, None), None)
    assert decision.planned(NOW) == decision.record
    assert _record(decision).starts == Starts()
    notice = _notice(decision)
    assert (notice.kind, notice.verdict) == (Kind.FAILED, decision.verdict)


def test_a_task_known_from_a_list_alone_waits() -> None:
    """Its row may be old: one that is due is first read individually, and says no next moment."""
    decision = _decide(a_task(listed=True), a_started_record(1, ago=60))
    assert _verdict(decision) == (Action.WAIT, Reason.NOT_REACHED)
    assert decision.verdict.attempt == Attempt(2, None, None)
    early = _decide(a_task(listed=True), a_started_record(1, ago=1))
    assert _verdict(early) == (Action.WAIT, Reason.BACKOFF)


# The agent


@pytest.mark.parametrize(("code", "waits"), [(LINE_LOST, True), (HOST_UNKNOWN, False)])
def test_grace_is_for_the_six_codes_that_the_agent_mends(code: str, waits: bool) -> None:
    """RESUME_GRACE_MINUTES leaves the agent's own recovery alone first, for its codes only."""
    decision = _decide(a_task(code=code), policy=a_policy(grace=minutes(10)))
    expected = (Action.WAIT, Reason.GRACE) if waits else (Action.START, Reason.RESTARTABLE)
    assert _verdict(decision) == expected


def test_grace_ends() -> None:
    """A second before the end of grace the task waits, then it is started."""
    policy = a_policy(grace=minutes(10))
    early = a_record(since=NOW - minutes(10) + SECOND)
    assert _verdict(_decide(a_task(), early, policy=policy)) == (Action.WAIT, Reason.GRACE)
    over = a_record(since=NOW - minutes(10))
    assert _decide(a_task(), over, policy=policy).is_start


def test_grace_begins_with_each_failure() -> None:
    """A task that ran for hours gets the whole grace when it fails."""
    ran = a_record(state="RUNNING", since=NOW - minutes(300), code="", failed_event="")
    decision = _decide(a_task(), ran, policy=a_policy(grace=minutes(10)))
    assert _verdict(decision) == (Action.WAIT, Reason.GRACE)
    assert decision.verdict.attempt.next_try == NOW + minutes(10)


def test_a_disconnected_agent_is_waited_for() -> None:
    """While the agent is away the task waits, up to the longest wait, and is tried then."""
    away = a_task(connected=False)
    first = _decide(away)
    assert _verdict(first) == (Action.WAIT, Reason.DISCONNECTED)
    assert first.verdict.attempt.next_try == NOW + minutes(15)
    early = a_record(since=NOW - minutes(15) + SECOND, **AWAY)
    assert not _decide(away, early).is_start
    due = a_record(since=NOW - minutes(15), **AWAY)
    assert _verdict(_decide(away, due)) == (Action.START, Reason.LONGEST_WAIT)
    tried = a_started_record(1, ago=14, **AWAY)
    assert not _decide(away, tried).is_start


def test_the_longest_of_all_waits_is_the_one_that_is_told() -> None:
    """A task that waits for several things says which of them comes last, and when."""
    policy = a_policy(grace=minutes(10))
    just_started = a_started_record(4, ago=1, since=NOW)
    assert _verdict(_decide(a_task(), just_started, policy=policy))[1] is Reason.BACKOFF
    away = _decide(a_task(connected=False), just_started, policy=policy)
    assert _verdict(away)[1] is Reason.DISCONNECTED
    assert away.verdict.attempt.next_try == NOW + minutes(15)
    long_ago = a_started_record(1, ago=60, since=NOW)
    assert _verdict(_decide(a_task(), long_ago, policy=policy))[1] is Reason.GRACE


def test_a_task_is_started_in_the_run_that_sees_its_agent_back() -> None:
    """An agent that is connected again ends the wait, though it was not away for long."""
    lately = {"away_since": NOW - SECOND}
    for away in (AWAY, lately):
        back = _decide(a_task(connected=True), a_record(**away))
        assert _verdict(back) == (Action.START, Reason.RECONNECTED)


@pytest.mark.parametrize(("ago", "started"), [(15, True), (15 - 1 / 60, False)])
def test_an_agent_that_was_away_for_long_ends_the_backoff(ago: float, started: bool) -> None:
    """One that was away for the longest wait is a new chance; one that comes and goes is none."""
    tired = a_started_record(4, ago=3, away_since=NOW - minutes(ago))
    decision = _decide(a_task(connected=True), tired)
    assert decision.is_start is started
    assert decision.verdict.reason is (Reason.RECONNECTED if started else Reason.BACKOFF)
    # The count goes on, so what comes after it is the longest wait.
    due = NOW + minutes(15) if started else NOW + minutes(12)
    assert decision.verdict.attempt == Attempt(5, None, due)


def test_an_agent_that_is_back_does_not_shorten_the_first_wait() -> None:
    """Two starts are never closer than the shortest wait; it is started when that is over."""
    early = a_started_record(4, ago=2 - 1 / 60, **AWAY)
    seen = _decide(a_task(connected=True), early)
    assert _verdict(seen) == (Action.WAIT, Reason.BACKOFF)
    assert seen.verdict.attempt.next_try == NOW + SECOND
    later = _decide(a_task(connected=True), seen.record, now=NOW + SECOND)
    assert _verdict(later) == (Action.START, Reason.RECONNECTED)


def test_the_return_of_an_agent_is_used_up_by_a_start() -> None:
    """The start after it waits for the backoff."""
    started = a_started_record(4, ago=3, away_since=NOW - minutes(60), back_at=NOW - minutes(3))
    assert _verdict(_decide(a_task(connected=True), started)) == (Action.WAIT, Reason.BACKOFF)


def test_an_agent_that_came_back_to_a_running_task_ends_no_wait() -> None:
    """Only who was away when the task was last seen failed comes back to it."""
    ran = a_started_record(4, 3, state="RUNNING", since=NOW - minutes(2), code="", **AWAY)
    running = _record(_decide(a_running_task(), ran))
    assert running.agent.away_since is None
    failed = _decide(a_task(connected=True), running)
    assert _verdict(failed) == (Action.WAIT, Reason.BACKOFF)


def test_an_agent_of_unknown_connection_changes_nothing() -> None:
    """A missing connected is unknown, and not down."""
    assert _decide(a_task(connected=None)).is_start
    away = _decide(a_task(connected=None), a_record(**AWAY))
    assert _verdict(away) == (Action.START, Reason.RESTARTABLE)
    assert _record(away).agent.away_since == AWAY["away_since"]


@pytest.mark.parametrize("task", [a_task(), a_running_task()], ids=["failed", "running"])
def test_an_agent_that_is_back_closes_the_notice_of_its_loss(task: Task) -> None:
    """Whatever the task does: both are told of it, and the end has the id of the loss, marked."""
    away = _decide(replace(task, connected=False))
    lost = f"{away.event}-disconnected"
    assert away.notices[-1].event_id == _record(away).agent.event_id == lost
    back = _decide(replace(task, connected=True), away.record, event="20261124-9-0")
    notice = _notice(back)
    assert (notice.kind, notice.follows) == (Kind.CONNECTED, (lost,))
    assert notice.event_id == f"{lost}-end"
    assert notice.verdict == back.verdict
    assert _record(back).agent.event_id == ""


def test_a_loss_of_the_agent_of_a_failed_task_says_since_when_it_failed() -> None:
    """People hear of all at once: the failure's own moment and count stand in each notice."""
    began = NOW - minutes(9)
    before = a_record(recent=(began,), flaps=7, code=DISK_FULL)
    lost = _decide(a_task(connected=False, code=DISK_FULL), before)
    assert [(each.kind, each.since, each.count) for each in lost.notices] == [
        (Kind.NEEDS_PERSON, began, 7),
        (Kind.DISCONNECTED, began, 7),
    ]
    assert _record(lost).agent.lost_at == NOW
    back = _notice(_decide(a_task(connected=True, code=DISK_FULL), lost.record))
    assert (back.kind, back.since, back.count) == (Kind.CONNECTED, began, 7)


# New failures and old ones


@pytest.mark.parametrize(
    ("task", "told"),
    [
        pytest.param(a_task(), False, id="the same failure going on"),
        pytest.param(a_task(code=DISK_FULL), True, id="an error of another kind"),
        pytest.param(a_task(code=HOST_UNKNOWN), False, id="another sign of a broken line"),
        pytest.param(a_task(progress=FURTHER), True, id="the copy got further"),
        pytest.param(a_task(progress=BACK), False, id="the copy fell back"),
        pytest.param(a_task(state="SYNC_FAIL"), True, id="another state"),
    ],
)
def test_a_failure_is_told_again_only_when_it_is_another(task: Task, told: bool) -> None:
    """A start that got nowhere is the same failure, of which nobody needs a second message."""
    decision = _decide(task, a_started_record(1, ago=1))
    assert (Kind.FAILED in _kinds(decision)) is told


def test_two_codes_of_one_class_are_two_failures_unless_the_line_is_broken() -> None:
    """Only transient codes are signs of one thing; a person's own class counts there too."""
    known = a_started_record(1, ago=1, code=DISK_BUSY)
    assert Kind.FAILED in _kinds(_decide(a_task(code=AGENT_RESTARTED), known))
    policy = a_policy(classes={DISK_BUSY: ErrorClass.TRANSIENT})
    assert _kinds(_decide(a_task(), known, policy=policy)) == ()


def test_a_failure_after_running_is_a_new_one() -> None:
    """A task that was told as running, and failed again, is told again."""
    ran = a_started_record(1, ago=5, state="RUNNING", failed_event="", code="")
    assert _kinds(_decide(a_task(), ran)) == (Kind.FAILED,)


def test_a_failure_that_goes_on_changes_nothing() -> None:
    """The moment, the call, the moments that count and the totals stay; the code is the latest."""
    recent = (NOW - minutes(59),)
    known = a_started_record(call=CALL, on_probation=True, recent=recent, seconds_failed=60.0)
    assert _decide(a_task(), known).record == known
    other = _decide(a_task(code=HOST_UNKNOWN), known)
    assert other.record == varied(known, code=HOST_UNKNOWN)


def test_another_failure_begins_a_stretch_of_its_own() -> None:
    """The time of the one before is counted, its call is over, its starts count on."""
    known = a_started_record(
        2, ago=50, name="old", call=CALL, on_probation=True, seconds_failed=60.0, stall=STALL
    )
    record = _record(_decide(a_task(state="SYNC_FAIL", name=""), known))
    assert (record.state, record.since, record.name) == ("SYNC_FAIL", NOW, "old")
    assert record.totals.seconds_failed == 3660.0
    assert (record.starts, record.movement) == (known.starts, Movement())
    failed = "20261124-4711-0-failed"
    assert record.failure == Failure(failed, LINE_LOST, None, on_probation=True, recent=(NOW,))


def test_another_failure_at_rest_is_no_relapse() -> None:
    """Only a task that broke while it ran has to prove next time that it runs."""
    for state, relapses in (("READY", False), ("RUNNING", True)):
        record = _record(_decide(a_task(), a_started_record(1, state=state, code="")))
        assert record.failure.on_probation is relapses, state


@pytest.mark.parametrize("progress", [FURTHER, replace(HERE, copied=11)], ids=["percent", "bytes"])
def test_progress_gives_a_fresh_count(progress: Progress) -> None:
    """Whichever measure gained ground, the attempts begin anew, and so do the waits."""
    known = a_started_record(5, ago=2, furthest=replace(HERE, copied=1), on_probation=True)
    decision = _decide(a_task(progress=progress, size=1000), known)
    assert _verdict(decision) == (Action.START, Reason.RESTARTABLE)
    assert decision.verdict.attempt == Attempt(1, None, NOW + minutes(2))
    assert _record(decision).starts == known.starts.advanced(progress)
    assert not _record(decision).failure.on_probation


def test_a_fresh_count_does_not_end_the_shortest_wait() -> None:
    """Two starts are never closer than that, whatever was gained between them."""
    known = a_started_record(5, ago=2 - 1 / 60)
    decision = _decide(a_task(progress=FURTHER), known)
    assert _verdict(decision) == (Action.WAIT, Reason.BACKOFF)
    assert decision.verdict.attempt == Attempt(1, None, NOW + SECOND)


@pytest.mark.parametrize(
    ("copied", "size"), [(10, 1000), (10**9, None)], ids=["a byte less than a percent", "no size"]
)
def test_a_few_bytes_are_no_progress(copied: int, size: Optional[int]) -> None:
    """A copy that dies after a second each time has gained no ground: its starts are counted on."""
    mark = replace(HERE, copied=1)
    known = a_started_record(2, ago=60, code=UNCLEAR, furthest=mark, on_probation=True)
    seen = a_task(progress=replace(HERE, copied=copied), size=size, code=UNCLEAR)
    decision = _decide(seen, known)
    assert _verdict(decision) == (Action.NONE, Reason.ATTEMPTS_SPENT)
    assert _kinds(decision) == (Kind.NEEDS_PERSON,)
    assert _record(decision).failure.on_probation
    runs = varied(seen, state="RUNNING", code="")
    assert _kinds(_decide(runs, known)) == ()


def test_ground_covered_twice_is_no_progress() -> None:
    """A copy that fell back and came again to the same place has not moved."""
    fallen = _decide(a_task(progress=BACK), a_started_record(3, ago=60))
    assert (fallen.is_start, fallen.verdict.attempt.number) == (True, 4)
    assert _decide(a_task(), fallen.planned(NOW)).verdict.attempt.number == 5


@pytest.mark.parametrize(("ran", "number"), [(30, 1), (30 - 1 / 60, 4)])
def test_half_an_hour_of_running_gives_a_fresh_count(ran: float, number: int) -> None:
    """Read as running for thirty minutes clears the attempts, a second less does not."""
    known = a_started_record(3, ago=60, state="RUNNING", code="", since=NOW - minutes(ran))
    seen = _decide(a_running_task(progress=HERE), known)
    assert _decide(a_task(), seen.record).verdict.attempt.number == number


def test_hours_in_which_nobody_looked_give_no_fresh_count() -> None:
    """Whether a task ran until it was found failed again is not known, so its starts count on."""
    known = a_started_record(3, ago=300, state="RUNNING", code="", since=NOW - minutes(300))
    assert _decide(a_task(), known).verdict.attempt.number == 4


def test_a_fresh_count_is_written_down_once() -> None:
    """The half hour is remembered when it is seen, and a quiet run after it writes nothing."""
    known = a_started_record(3, ago=60, state="RUNNING", code="", since=NOW - minutes(30))
    seen = _decide(a_running_task(), known)
    assert _record(seen).starts == known.starts.renewed()
    assert _decide(a_running_task(), seen.record).record == seen.record


@pytest.mark.parametrize("state", ["READY", "ABORT", "RESETING"])
def test_half_an_hour_of_rest_gives_no_fresh_count(state: str) -> None:
    """Only running proves anything: a task that lay still for hours has the attempts it had."""
    known = a_started_record(3, ago=300, state=state, code="", since=NOW - minutes(300))
    assert _decide(a_task(), known).verdict.attempt.number == 4


def test_one_more_failure_while_a_task_flaps_is_counted_and_not_told() -> None:
    """It goes on under what people have, with the call; the task has to prove that it runs."""
    lately = NOW - minutes(59)
    known = a_started_record(state="RUNNING", call=CALL, recent=(lately,), flaps=7)
    decision = _decide(a_task(), known)
    assert _kinds(decision) == ()
    expected = replace(
        known.failure, on_probation=True, recent=(lately, NOW), flaps=8, call=CALL, code=LINE_LOST
    )
    assert _record(decision).failure == expected


def test_a_flapping_task_is_told_with_its_failures() -> None:
    """The third failure within the hour says how many it stands for, and since when."""
    recent = tuple(NOW - minutes(ago) for ago in (20, 10))
    known = a_record(state="RUNNING", code="", failed_event="", recent=recent)
    notice = _notice(_decide(a_task(), known))
    assert (notice.kind, notice.count, notice.since) == (Kind.FAILED, 3, NOW)


# Running again


def test_running_again_is_told_if_the_failure_was() -> None:
    """A closing notice goes out only if there was an opening, and follows it."""
    resumed = _notice(_decide(a_running_task(), a_record(call=CALL)))
    assert resumed.kind is Kind.RESUMED
    assert resumed.follows == ("20261124-0-0-failed", CALL.event_id)
    assert resumed.event_id == "20261124-0-0-failed-end"
    assert _kinds(_decide(a_running_task(), a_record(failed_event=""))) == ()


def test_a_closing_notice_says_since_when() -> None:
    """The notice that a task runs again knows when it had failed, as far as that was seen."""
    began = NOW - minutes(42)
    assert _notice(_decide(a_running_task(), a_record(since=began))).since == began
    counted = a_record(since=NOW, recent=(began,))
    assert _notice(_decide(a_running_task(), counted)).since == began
    waiting = a_record(state="READY", since=began)
    assert _notice(_decide(a_running_task(), waiting)).since is None


def test_running_again_closes_the_failure_and_begins_a_stretch() -> None:
    """Its moments still count; the time that it stood failed is summed up; its starts count on."""
    known = a_started_record(
        2,
        ago=50,
        call=CALL,
        recent=(NOW - minutes(60),),
        flaps=7,
        seconds_failed=60.0,
        **AWAY,
    )
    task = a_running_task(progress=FURTHER, speed=80.0)
    decision = _decide(task, known)
    record = _record(decision)
    assert (record.state, record.since, record.totals.seconds_failed) == ("RUNNING", NOW, 3660.0)
    assert record.failure == known.failure.closed()
    assert record.starts == known.starts
    assert record.agent.away_since is None
    assert (record.movement.last_progress, record.movement.moved_at) == (FURTHER, NOW)
    notice = _notice(decision)
    assert (notice.count, notice.since) == (7, NOW - minutes(60))
    assert _decide(task, record).record == record


def test_only_a_return_is_told_with_its_failures() -> None:
    """While a task that comes and goes has not held out, nothing is told of its running."""
    known = a_started_record(call=CALL, recent=(NOW - minutes(59),), flaps=7)
    decision = _decide(a_running_task(), known)
    assert _kinds(decision) == ()
    assert _record(decision).failure == known.failure


def test_what_its_agent_is_not_there_to_do_is_not_told() -> None:
    """A failed task whose agent is away and whose state says running has to move first."""
    known = a_record(lost_event="lost", furthest=HERE)
    running = _decide(a_running_task(connected=False), known)
    assert _kinds(running) == ()
    assert _record(running).failure == varied(known, on_probation=True).failure
    moved = a_running_task(progress=FURTHER, connected=False)
    assert _kinds(_decide(moved, running.record)) == (Kind.RESUMED,)
    healthy = _decide(a_running_task(connected=False), a_record(failed_event="", lost_event="lost"))
    assert not _record(healthy).failure.on_probation


def test_after_a_relapse_running_has_to_be_proved() -> None:
    """A task that broke again at the same place is told as running only once it has moved."""
    begun = NOW - minutes(5)
    ran = a_started_record(1, 5, state="RUNNING", since=begun, failed_event="", code="")
    relapse = _decide(a_task(), ran)
    running = _decide(a_running_task(), relapse.record)
    assert _kinds(running) == ()
    assert _kinds(_decide(a_task(), running.record)) == ()
    moved = _decide(a_running_task(progress=FURTHER), running.record)
    assert _kinds(moved) == (Kind.RESUMED,)
    assert _kinds(_decide(a_running_task(progress=FURTHER), moved.record)) == ()


def test_after_a_relapse_half_an_hour_of_running_is_proof_as_well() -> None:
    """A task whose progress cannot be read is believed after thirty minutes."""
    unproved = a_started_record(2, state="RUNNING", since=NOW - minutes(30), on_probation=True)
    assert _kinds(_decide(a_running_task(), unproved)) == (Kind.RESUMED,)
    early = replace(unproved, since=NOW - minutes(30) + SECOND)
    assert _kinds(_decide(a_running_task(), early)) == ()


def test_a_failure_that_was_never_started_is_no_relapse() -> None:
    """A task that fails for the first time after running is told when it runs again."""
    failed = _decide(a_task(), _decide(a_running_task()).record)
    assert _kinds(_decide(a_running_task(), failed.record)) == (Kind.RESUMED,)


# What is remembered


def test_what_is_planned_is_the_start_that_was_decided() -> None:
    """The record of a start has it counted under the id of the decision, before it is sent."""
    decision = _decide(a_task(), a_started_record(2, ago=60))
    start = Start("20261124-4711-0-start", Outcome.UNKNOWN)
    assert decision.verdict.start == start
    assert decision.planned(NOW) == _record(decision).started(start.id, a_task(), NOW)


@pytest.mark.parametrize(
    ("task", "known"),
    [
        (a_running_task(), None),
        (a_task(), a_started_record(1, ago=1)),
        (a_task(code=DISK_FULL), None),
    ],
)
def test_without_a_start_nothing_is_counted(task: Task, known: Optional[TaskRecord]) -> None:
    """What is remembered of a task that runs, waits or needs a person is the record as it is."""
    decision = _decide(task, known)
    assert decision.verdict.start is None
    assert decision.planned(NOW) == decision.record


@pytest.mark.parametrize(
    ("outcome", "taken"),
    [
        (Outcome.DONE, True),
        (Outcome.UNKNOWN, True),
        (Outcome.REFUSED, False),
        (Outcome.FAILED, False),
        (Outcome.SKIPPED, False),
    ],
)
def test_a_start_that_was_not_taken_is_not_in_the_total(outcome: Outcome, taken: bool) -> None:
    """The digest counts what may have been started; what was told stays told either way."""
    decision = _decide(a_task(), a_started_record(2, ago=60, total_starts=4, failed_event="1"))
    planned = decision.planned(NOW)
    assert planned is not None
    after = apply_outcome(decision, planned, outcome)
    assert after.totals.starts == (5 if taken else 4)
    starts = planned.starts.settled(outcome, _record(decision).starts)
    assert (after.starts, after.failure) == (starts, planned.failure)


@pytest.mark.parametrize(
    "before", [None, a_record(), a_started_record(2, ago=60, outcome=Outcome.REFUSED)]
)
def test_a_start_that_was_not_sent_is_counted_as_that_alone(before: Optional[TaskRecord]) -> None:
    """The record is as if no start had been decided, but for the run that had no time."""
    decision = _decide(a_task(), before)
    planned = decision.planned(NOW)
    assert planned is not None
    assert planned != decision.record
    settled = apply_outcome(decision, planned, Outcome.SKIPPED)
    assert settled == varied(_record(decision), skips=1)


def _late(skips: int, **flat: Any) -> TaskRecord:
    return a_record(since=NOW - minutes(9), skips=skips, **flat)


@pytest.mark.parametrize(("skips", "calls"), [(2, False), (3, True)])
def test_runs_that_never_have_time_for_a_start_call_a_person(skips: int, calls: bool) -> None:
    """Three in a row are no passing thing; the start is tried in this run all the same."""
    decision = _decide(a_task(), _late(skips))
    assert decision.is_start
    assert _kinds(decision) == ((Kind.NEEDS_PERSON,) if calls else ())
    if calls:
        said = _notice(decision).verdict
        assert (said.action, said.reason, said.start) == (Action.WAIT, Reason.NO_TIME, None)
        assert said.attempt == Attempt(1, None, None)
        assert _kinds(_decide(a_task(), decision.record)) == ()
        assert _notice(decision.held_back(Reason.RUN_LIMIT)).verdict == said


def test_what_no_start_can_mend_is_no_lack_of_time() -> None:
    """Where the error is another by now, people hear what it needs."""
    decision = _decide(a_task(code=DISK_FULL), _late(3))
    assert [notice.verdict.reason for notice in decision.notices] == [Reason.NOT_RESTARTABLE] * 2


@pytest.mark.parametrize("state", ["RUNNING", "READY", "ABORT"])
def test_a_task_that_needs_no_start_has_missed_none(state: str) -> None:
    """The runs without time are counted in a row: the next failure begins anew."""
    record = _record(_decide(a_task(state=state, code=""), _late(3)))
    assert record.starts.skips == 0
    assert Kind.NEEDS_PERSON not in _kinds(_decide(a_task(), record))


@pytest.mark.parametrize(
    ("before", "state", "kept"),
    [
        ("RUNNING", "RUNNING", True),
        ("RUNNING", "SYNCING", True),
        ("ABORTING", "ABORT", True),
        ("RESETING", "SKIPPING", False),
        ("RESETING", "RESETING", True),
        ("ABORT", "ABORTING", False),
        ("READY", "RUNNING", False),
        ("RUNNING", "READY", False),
        ("MIGRATE_FAIL", "ABORT", False),
        ("MIGRATE_FAIL", "MIGRATE_FAIL", True),
        ("MIGRATE_FAIL", "SYNC_FAIL", False),
    ],
)
def test_what_goes_on_keeps_its_beginning(before: str, state: str, kept: bool) -> None:
    """States that mean the same go on since the first of them; another meaning begins anew.

    So does each state that a task only passes through.
    """
    began = NOW - minutes(42)
    record = _record(_decide(a_task(state=state), a_record(state=before, since=began)))
    assert record.since == (began if kept else NOW)


@pytest.mark.parametrize("state", ["RUNNING", "ABORT", "SYNC_F_ROLLBACK_SUCCESS"])
def test_an_error_that_is_over_is_forgotten(state: str) -> None:
    """A task that runs, or that people were told of, has no code to compare the next one with."""
    assert _record(_decide(a_task(state=state, code=""), a_record())).failure.code == ""


def test_a_failure_that_comes_back_from_a_rest_untold_is_the_same() -> None:
    """Started, said to run, at rest, said to run, and failed at the same place: nobody hears it."""
    record = _record(_decide(a_task(), a_started_record(1, on_probation=True)))
    for state in ("RUNNING", "READY", "RUNNING", "MIGRATE_FAIL"):
        code = LINE_LOST if state == "MIGRATE_FAIL" else ""
        decision = _decide(a_task(state=state, code=code), record)
        assert _kinds(decision) == ()
        record = _record(decision)


def test_a_rest_is_told_since_it_was_first_read() -> None:
    """The notice of a pause says when it began; the same moment is remembered."""
    decision = _decide(a_task(state="ABORT"), a_record(since=NOW - minutes(42)))
    assert (_notice(decision).since, _record(decision).since) == (NOW, NOW)


# Movement


def _still(last: float, **flat: Any) -> TaskRecord:
    """Return what is remembered of a running task that was last seen to move so long ago."""
    usual = {
        "state": "RUNNING",
        "since": NOW - minutes(600),
        "code": "",
        "failed_event": "",
        "last_progress": HERE,
        "moved_at": NOW - minutes(last),
    }
    return a_record(**{**usual, **flat})


def test_a_stall_and_its_end_are_told_since_the_last_movement() -> None:
    """The stall opens under its own id, and the first movement after it closes it."""
    known = _still(60, suspected_at=NOW - minutes(15))
    stalled = _decide(a_running_task(), known)
    notice = _notice(stalled)
    assert (notice.kind, notice.since) == (Kind.STALLED, NOW - minutes(60))
    assert _record(stalled).movement.stall == Call(notice.event_id, NOW)
    moves = _notice(_decide(a_running_task(progress=FURTHER), stalled.record, event="later"))
    assert (moves.kind, moves.since) == (Kind.MOVING, NOW - minutes(60))
    assert (moves.follows, moves.event_id) == ((notice.event_id,), f"{notice.event_id}-end")


def test_after_how_long_a_stall_is_told_is_for_the_policy_to_say() -> None:
    """With STALL_MINUTES=0 nothing is a stall."""
    known = _still(600, suspected_at=NOW - minutes(300))
    assert _kinds(_decide(a_running_task(), known)) == (Kind.STALLED,)
    assert _kinds(_decide(a_running_task(), known, policy=a_policy(stall=timedelta(0)))) == ()


def test_a_stall_goes_on_though_its_failure_is_over() -> None:
    """What was told as running again may still stand still: people hear of it in turn."""
    known = _still(600, since=NOW - minutes(30), failed_event="1", call=CALL, stall=STALL)
    record = _record(_decide(a_running_task(), known))
    assert (record.failure, record.movement.stall, record.call) == (Failure(), STALL, STALL)


@pytest.mark.parametrize(("stall", "known"), [(None, True), (STALL, False)])
def test_a_task_that_stands_still_has_no_time_left(stall: Optional[Call], known: bool) -> None:
    """Where people hear that nothing moves, an advance of hours ago promises nothing."""
    samples = (Sample(NOW - minutes(300), 10, sub_task=HERE.sub_task),)
    decision = _decide(a_running_task(), _still(0, samples=samples, stall=stall))
    assert decision.task is not None
    assert (decision.task.transfer.remaining is not None) is known


def test_what_is_told_of_a_running_task_has_its_time_left() -> None:
    """A notice shows the task as it is in the answer, with what was worked out of it."""
    samples = (Sample(NOW - minutes(300), 10, sub_task=HERE.sub_task),)
    known = _still(0, samples=samples, failed_event="1")
    decision = _decide(a_running_task(), known)
    assert _notice(decision).task == decision.task
    assert decision.task is not None
    assert decision.task.transfer.remaining == 300 * 60 / 40 * 50


def test_of_what_a_run_brings_the_failure_comes_first() -> None:
    """One reading can close the failure, lose the agent and find a stall: in that order."""
    known = _still(60, suspected_at=NOW - minutes(15), failed_event="1", since=NOW - minutes(30))
    decision = _decide(a_running_task(connected=False), known)
    assert _kinds(decision) == (Kind.RESUMED, Kind.DISCONNECTED, Kind.STALLED)
    failed = _decide(a_task(code=DISK_FULL, connected=False))
    assert _kinds(failed) == (Kind.FAILED, Kind.NEEDS_PERSON, Kind.DISCONNECTED)


@pytest.mark.parametrize(
    ("task", "known", "kinds"),
    [
        (a_task(connected=False), None, {Kind.FAILED, Kind.DISCONNECTED}),
        (a_running_task(), a_record(), {Kind.RESUMED}),
        (a_running_task(progress=FURTHER), _still(60, stall=STALL), {Kind.MOVING}),
        (a_running_task(), _still(60, suspected_at=NOW - minutes(15)), {Kind.STALLED}),
        (a_task(state="ABORT"), a_record(), {Kind.PAUSED}),
    ],
)
def test_every_notice_says_what_is_done(
    task: Task, known: Optional[TaskRecord], kinds: Set[Kind]
) -> None:
    """What people are told of a task has the verdict of the same run."""
    decision = _decide(task, known)
    assert {notice.kind for notice in decision.notices} == kinds
    assert all(notice.verdict == decision.verdict for notice in decision.notices)


def test_every_notice_is_named_after_the_reading_and_its_moment() -> None:
    """Its id begins with the place in the journal, and it says when it was recorded."""
    later = NOW + minutes(1)
    decision = _decide(a_task(code=DISK_FULL), now=later, event="20261124-9-3")
    assert decision.event == "20261124-9-3"
    assert [notice.event_id for notice in decision.notices] == [
        "20261124-9-3-failed",
        "20261124-9-3-needs_person",
    ]
    assert {notice.at for notice in decision.notices} == {later}


def test_nothing_is_planned_where_nothing_is_known() -> None:
    """A task that could not be read keeps what is remembered of it, if anything is."""
    for known in (None, a_record()):
        decision = Decision("a", Verdict(Action.WAIT, Reason.UNREADABLE), record=known)
        assert decision.planned(NOW) is known


# A start that nothing comes of


def _in_vain(known: TaskRecord, task: Optional[Task] = None) -> Optional[datetime]:
    return _decide(task or a_task(), known).verdict.attempt.in_vain_since


STARTED = a_started_record(1, ago=10, outcome=Outcome.DONE, in_vain_since=NOW - minutes(10))


def test_what_is_told_of_a_failed_task_says_that_its_start_had_no_effect() -> None:
    """Whatever the notice is about, it knows since when a start was accepted in vain."""
    assert _in_vain(STARTED) == NOW - minutes(10)
    lost = _notice(_decide(a_task(connected=False), STARTED))
    assert lost.kind is Kind.DISCONNECTED
    assert lost.verdict.attempt.in_vain_since == NOW - minutes(10)


@pytest.mark.parametrize(
    ("known", "task"),
    [
        pytest.param(varied(STARTED, in_vain_since=NOW - minutes(2)), a_task(), id="two runs"),
        pytest.param(STARTED, a_task(code=HOST_UNKNOWN), id="another code"),
        pytest.param(STARTED, a_task(state="SYNC_FAIL"), id="another state"),
        pytest.param(STARTED, a_task(progress=FURTHER), id="further"),
        pytest.param(STARTED, a_task(listed=True), id="a row that may be old"),
        pytest.param(varied(STARTED, state="RUNNING"), a_task(), id="it has run"),
    ],
)
def test_a_start_is_not_said_to_have_no_effect_where_that_is_not_known(
    known: TaskRecord, task: Task
) -> None:
    """State, code and place have to be what they were, in a reading that is new."""
    assert _in_vain(known, task) is None


@pytest.mark.parametrize("state", ["RUNNING", "READY", "ABORT"])
def test_a_task_that_has_left_its_failure_has_taken_up_its_start(state: str) -> None:
    """The next failure is one that no start was made in vain for."""
    after = _record(_decide(a_task(state=state, code=""), STARTED))
    assert after.starts.in_vain_since is None


def test_a_stalled_task_that_begins_to_synchronise_moves() -> None:
    """Also where its answers do not say which sub-task is under way."""
    stall, nowhere = Call("20261124-2-0-stalled", NOW - minutes(20)), Progress()
    known = a_record(state="RUNNING", code="", failed_event="", stall=stall, last_progress=nowhere)
    known = varied(known, moved_at=NOW - minutes(90))
    decision = _decide(a_task(state="SYNCING", code="", progress=nowhere), known)
    assert _kinds(decision) == (Kind.MOVING, Kind.COPIED)
    assert (_record(decision).call, _record(decision).movement.moved_at) == (None, NOW)
