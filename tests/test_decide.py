"""The rules for one task, each by its sentence, with pairs around every border."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Dict, Optional, Tuple

import pytest
from builders import (
    AGENT_RESTARTED,
    DISK_BUSY,
    DISK_FULL,
    HOST_UNKNOWN,
    LINE_LOST,
    NO_RSYNC,
    NOW,
    UNCLEAR,
    a_memory,
    a_policy,
    a_running_task,
    a_started_memory,
    a_task,
    minutes,
)

from sms_watch.model.notice import Action, Kind, Outcome, Reason
from sms_watch.model.policy import Policy
from sms_watch.model.task import ErrorClass, Phase, Progress, Task
from sms_watch.rules.decide import Decision, called, decide, settle
from sms_watch.rules.movement import Sample
from sms_watch.rules.plan import confirm
from sms_watch.rules.record import TaskMemory

SECOND = timedelta(seconds=1)


def _decide(
    task: Task, memory: Optional[TaskMemory] = None, policy: Optional[Policy] = None, **more: Any
) -> Decision:
    return decide(task, memory, NOW, policy or a_policy(), **more)


def _verdict(decision: Decision) -> Tuple[Action, Reason]:
    return decision.action, decision.reason


# States


@pytest.mark.parametrize(
    ("state", "action", "reason", "news"),
    [
        ("READY", Action.WAIT, Reason.READY, ()),
        ("RUNNING", Action.NONE, Reason.MOVING, ()),
        ("SYNCING", Action.NONE, Reason.MOVING, ()),
        ("MIGRATE_FAIL", Action.START, Reason.MENDABLE, (Kind.FAILED,)),
        ("SYNC_FAIL", Action.START, Reason.MENDABLE, (Kind.FAILED,)),
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
    state: str, action: Action, reason: Reason, news: Tuple[Kind, ...]
) -> None:
    """Every state has its action and reason, and is told at first sight if it matters."""
    decision = _decide(a_task(state=state))
    assert (*_verdict(decision), decision.news) == (action, reason, news)
    again = _decide(a_task(state=state), decision.memory)
    assert again.news == ()


def test_a_task_that_goes_to_rest_in_two_steps_is_told_once() -> None:
    """ABORTING and ABORT are one pause; two unknown states are two findings."""
    pausing = _decide(a_task(state="ABORTING"))
    assert _decide(a_task(state="ABORT"), pausing.memory).news == ()
    unknown = _decide(a_task(state="INVENTED"))
    assert _decide(a_task(state="ANOTHER"), unknown.memory).news == (Kind.UNKNOWN_STATE,)


@pytest.mark.parametrize("state", ["ABORT", "MIGRATE_SUCCESS"])
def test_a_rest_ends_the_incident_without_a_closing_notice(state: str) -> None:
    """A failed task that a person pauses, or that ends, is not told as running again later."""
    resting = _decide(a_task(state=state), a_memory())
    assert resting.memory is not None
    assert resting.memory.incident == ""
    assert _decide(a_running_task(), resting.memory).news == ()


def test_a_task_that_waits_keeps_its_incident() -> None:
    """READY and the busy states in between do not swallow the closing notice."""
    waiting = _decide(a_task(state="RESETING"), a_memory())
    assert _decide(a_running_task(), waiting.memory).news == (Kind.RESUMED,)


def test_a_rollback_calls_its_own_person() -> None:
    """What was open before is over; the next sign of life closes the call about the rollback."""
    rolled_back = a_task(state="SYNC_F_ROLLBACK_SUCCESS", code="")
    called = _decide(rolled_back, a_memory(asked=True, relapsed=True))
    assert called.news == (Kind.NEEDS_PERSON,)
    assert called.memory is not None
    assert (called.memory.incident, called.memory.asked) == ("", True)
    assert not called.memory.relapsed
    told = replace(called.memory, incident="20261124-9-0")
    assert _decide(rolled_back, told).memory == told
    assert _decide(a_running_task(), told).news == (Kind.RESUMED,)


@pytest.mark.parametrize(
    ("state", "before", "news"),
    [
        ("ABORT", None, ()),
        ("ABORT", a_memory(), (Kind.PAUSED,)),
        ("INVENTED", None, ()),
        ("SYNC_F_ROLLBACK_SUCCESS", None, (Kind.NEEDS_PERSON,)),
        ("MIGRATE_FAIL", None, (Kind.FAILED,)),
    ],
)
def test_of_what_was_found_by_listing_only_what_happens_from_now_on_is_news(
    state: str, before: Optional[TaskMemory], news: Tuple[Kind, ...]
) -> None:
    """A task first seen at rest was so before anybody watched it; one that needs help is told."""
    assert _decide(a_task(state=state), before, a_policy(discovers=True)).news == news


# Classes


@pytest.mark.parametrize(
    ("code", "type_", "error_class", "verdict", "cap"),
    [
        (LINE_LOST, "MIGRATE_FILE", "transient", (Action.START, Reason.MENDABLE), None),
        (DISK_BUSY, "MIGRATE_FILE", "retryable", (Action.START, Reason.MENDABLE), 5),
        (UNCLEAR, "MIGRATE_FILE", "ambiguous", (Action.START, Reason.MENDABLE), 2),
        ("SMS.9999", "MIGRATE_FILE", "unknown", (Action.START, Reason.MENDABLE), 2),
        ("?", "MIGRATE_FILE", "unknown", (Action.START, Reason.MENDABLE), 2),
        ("", "MIGRATE_FILE", "unknown", (Action.START, Reason.MENDABLE), 2),
        (AGENT_RESTARTED, "MIGRATE_BLOCK", "recreate", (Action.NONE, Reason.NOT_MENDABLE), 0),
        ("SMS.0212", "MIGRATE_BLOCK", "recreate", (Action.NONE, Reason.NOT_MENDABLE), 0),
        (AGENT_RESTARTED, "", "recreate", (Action.NONE, Reason.NOT_MENDABLE), 0),
        (AGENT_RESTARTED, "MIGRATE_FILE", "retryable", (Action.START, Reason.MENDABLE), 5),
        ("SMS.0412", "MIGRATE_FILE", "recreate", (Action.NONE, Reason.NOT_MENDABLE), 0),
        (DISK_FULL, "MIGRATE_FILE", "human", (Action.NONE, Reason.NOT_MENDABLE), 0),
        (NO_RSYNC, "MIGRATE_FILE", "precheck", (Action.NONE, Reason.NOT_MENDABLE), 0),
    ],
)
def test_the_class_of_the_error_decides(
    code: str, type_: str, error_class: str, verdict: Tuple[Action, Reason], cap: Optional[int]
) -> None:
    """Each class has its limit of starts; what a start cannot mend is never started."""
    decision = _decide(a_task(code=code, type=type_))
    assert _verdict(decision) == verdict
    assert (decision.error_class, decision.cap) == (error_class, cap)


@pytest.mark.parametrize("code", [DISK_FULL, "SMS.0412", NO_RSYNC])
def test_what_no_start_can_mend_calls_a_person_at_once_and_once(code: str) -> None:
    """A hopeless failure is told as failed and as needing a person, in one run only."""
    first = _decide(a_task(code=code))
    assert first.news == (Kind.FAILED, Kind.NEEDS_PERSON)
    again = _decide(a_task(code=code), first.memory)
    assert again.news == ()
    assert again.memory == first.memory


def test_each_new_failure_calls_its_own_person() -> None:
    """A task that was mended by a person, and failed hopelessly again, calls again."""
    first = _decide(a_task(code=DISK_FULL)).memory
    assert first is not None
    elsewhere = a_task(code=NO_RSYNC)
    assert _decide(elsewhere, first).news == (Kind.FAILED, Kind.NEEDS_PERSON)


def test_a_persons_own_class_comes_first() -> None:
    """ERROR_CLASSES overrides the table, in both directions."""
    classes = {DISK_FULL: ErrorClass.TRANSIENT, LINE_LOST: ErrorClass.HUMAN}
    policy = a_policy(classes=classes)
    assert _decide(a_task(code=DISK_FULL), policy=policy).action is Action.START
    assert _decide(a_task(code=LINE_LOST), policy=policy).action is Action.NONE


# Attempts and waits


@pytest.mark.parametrize(
    ("tries", "wait"), [(1, 2), (2, 4), (3, 8), (4, 15), (5, 15), (6, 15), (50, 15)]
)
def test_the_waits_between_starts(tries: int, wait: float) -> None:
    """None, 2, 4, 8, 15, 15 ... minutes: a second too early waits, the minute itself starts."""
    early = a_started_memory(tries, ago=wait - 1 / 60)
    due = a_started_memory(tries, ago=wait)
    assert _verdict(_decide(a_task(), early)) == (Action.WAIT, Reason.BACKOFF)
    assert _decide(a_task(), early).next_try == NOW + SECOND
    assert _decide(a_task(), due).action is Action.START


@pytest.mark.parametrize(("before", "wait"), [(0, 2), (1, 4), (2, 8), (3, 15), (4, 15), (9, 15)])
def test_a_start_says_when_the_next_one_may_follow(before: int, wait: float) -> None:
    """The earliest moment of the next try is the wait after the start that is decided now."""
    decision = _decide(a_task(), a_started_memory(before, ago=60))
    assert decision.action is Action.START
    assert decision.next_try == NOW + minutes(wait)


def test_before_the_last_start_the_next_one_is_promised() -> None:
    """Of five starts the fourth says when the fifth may follow."""
    fourth = _decide(a_task(code=DISK_BUSY), a_started_memory(3, ago=60, code=DISK_BUSY))
    assert (fourth.attempt, fourth.cap, fourth.next_try) == (4, 5, NOW + minutes(15))


@pytest.mark.parametrize(
    ("code", "limit"), [(DISK_BUSY, 5), (UNCLEAR, 2), ("", 2), (AGENT_RESTARTED, 5)]
)
def test_attempts_are_limited(code: str, limit: int) -> None:
    """The last attempt is made, one more is not; then a person is called, once."""
    last = _decide(a_task(code=code), a_started_memory(limit - 1, ago=60, code=code))
    assert last.action is Action.START
    assert last.attempt == limit
    assert last.next_try is None
    spent = _decide(a_task(code=code), a_started_memory(limit, ago=60, code=code))
    assert _verdict(spent) == (Action.NONE, Reason.ATTEMPTS_SPENT)
    assert spent.news == (Kind.NEEDS_PERSON,)
    assert (spent.attempt, spent.next_try) == (limit, None)
    again = _decide(a_task(code=code), spent.memory)
    assert again.news == ()
    assert again.memory == spent.memory


def test_spent_attempts_mean_the_longest_wait() -> None:
    """After RESUME_MAX_ATTEMPTS starts the wait is the longest, wherever doubling has got to."""
    policy = a_policy(max_attempts=3, backoff_max=minutes(60))
    assert _decide(a_task(), a_started_memory(2, ago=4), policy).action is Action.START
    assert _decide(a_task(), a_started_memory(3, ago=59), policy).action is Action.WAIT
    assert _decide(a_task(), a_started_memory(3, ago=60), policy).action is Action.START


def test_a_lost_line_is_tried_without_end() -> None:
    """A transient failure goes on being tried at the longest wait; a person is told once."""
    spent = _decide(a_task(), a_started_memory(5, ago=15))
    assert _verdict(spent) == (Action.START, Reason.LONGEST_WAIT)
    assert (spent.attempt, spent.cap) == (6, None)
    assert spent.news == (Kind.NEEDS_PERSON,)
    assert spent.memory is not None
    later = replace(spent.memory, last_start=NOW - minutes(15))
    assert _decide(a_task(), later).news == ()
    assert _decide(a_task(), a_started_memory(500, ago=15)).action is Action.START


def test_the_last_start_gets_time_to_show_its_effect() -> None:
    """A person is called for spent attempts once the shortest wait is over, not before."""
    spent = a_started_memory(5, code=DISK_BUSY)
    task = a_task(code=DISK_BUSY)
    assert _decide(task, replace(spent, last_start=NOW - minutes(2) + SECOND)).news == ()
    assert _decide(task, replace(spent, last_start=NOW - minutes(2))).news == (Kind.NEEDS_PERSON,)


def test_refused_starts_call_a_person_too() -> None:
    """A service that refuses every start spends no attempt, but is not left untold."""
    refused = a_started_memory(0, tries=5, ago=15)
    assert _decide(a_task(), refused).news == (Kind.NEEDS_PERSON,)
    assert _decide(a_task(), replace(refused, tries=4)).news == ()


def test_starting_can_be_switched_off() -> None:
    """With RESUME_MAX_ATTEMPTS=0 nothing is started, and a person is told."""
    decision = _decide(a_task(), policy=a_policy(max_attempts=0))
    assert _verdict(decision) == (Action.NONE, Reason.STARTS_OFF)
    assert decision.cap == 0
    assert decision.news == (Kind.FAILED, Kind.NEEDS_PERSON)


def test_a_guess_is_limited_by_the_policy_too() -> None:
    """With RESUME_MAX_ATTEMPTS=1 an unclear failure is started once."""
    assert _decide(a_task(code=UNCLEAR), policy=a_policy(max_attempts=1)).cap == 1


def test_a_full_run_turns_a_task_away() -> None:
    """Without room in this run a task that is due waits, and nothing of it is counted."""
    decision = _decide(a_task(), room=False)
    assert _verdict(decision) == (Action.WAIT, Reason.RUN_LIMIT)
    assert decision.memory is not None
    assert decision.memory.attempts == 0
    assert decision.news == (Kind.FAILED,)
    assert (decision.attempt, decision.next_try) == (1, None)


# The agent


@pytest.mark.parametrize(("code", "waits"), [(LINE_LOST, True), (HOST_UNKNOWN, False)])
def test_grace_is_for_the_six_codes_that_the_agent_mends(code: str, waits: bool) -> None:
    """RESUME_GRACE_MINUTES leaves the agent's own recovery alone first, for its codes only."""
    policy = a_policy(grace=minutes(10))
    decision = _decide(a_task(code=code), policy=policy)
    expected = (Action.WAIT, Reason.GRACE) if waits else (Action.START, Reason.MENDABLE)
    assert _verdict(decision) == expected


def test_grace_ends() -> None:
    """A second before the end of grace the task waits, then it is started."""
    policy = a_policy(grace=minutes(10))
    early = a_memory(since=NOW - minutes(10) + SECOND)
    assert _verdict(_decide(a_task(), early, policy)) == (Action.WAIT, Reason.GRACE)
    over = a_memory(since=NOW - minutes(10))
    assert _decide(a_task(), over, policy).action is Action.START


def test_grace_begins_with_each_failure() -> None:
    """A task that ran for hours gets the whole grace when it fails."""
    policy = a_policy(grace=minutes(10))
    ran = a_memory(state="RUNNING", since=NOW - minutes(300), code="", incident="")
    decision = _decide(a_task(), ran, policy)
    assert _verdict(decision) == (Action.WAIT, Reason.GRACE)
    assert decision.next_try == NOW + minutes(10)


def test_a_disconnected_agent_is_waited_for() -> None:
    """While the agent is away the task waits, up to the longest wait, and is tried then."""
    away = a_task(connected=False)
    first = _decide(away)
    assert _verdict(first) == (Action.WAIT, Reason.DISCONNECTED)
    assert first.next_try == NOW + minutes(15)
    early = a_memory(since=NOW - minutes(15) + SECOND, away=True)
    assert _decide(away, early).action is Action.WAIT
    due = a_memory(since=NOW - minutes(15), away=True)
    assert _verdict(_decide(away, due)) == (Action.START, Reason.LONGEST_WAIT)
    tried = a_started_memory(1, ago=14, away=True)
    assert _decide(away, tried).action is Action.WAIT


def test_a_task_is_started_in_the_run_that_sees_its_agent_back() -> None:
    """An agent that is connected again ends the wait."""
    back = _decide(a_task(connected=True), a_memory(away=True))
    assert _verdict(back) == (Action.START, Reason.RECONNECTED)
    tired = a_started_memory(4, ago=3, away=True)
    assert _verdict(_decide(a_task(connected=True), tired)) == (Action.START, Reason.RECONNECTED)


def test_a_flapping_agent_does_not_shorten_the_first_wait() -> None:
    """However often the agent comes back, two starts are never closer than the shortest wait."""
    early = a_started_memory(4, ago=2 - 1 / 60, away=True)
    assert _decide(a_task(connected=True), early).action is Action.WAIT


def test_an_agent_that_came_back_to_a_running_task_ends_no_wait() -> None:
    """Only who was away when the task was last seen failed comes back to it."""
    ran = a_started_memory(4, 3, state="RUNNING", since=NOW - minutes(2), away=True, code="")
    running = _decide(a_running_task(), ran).memory
    assert running is not None
    assert not running.away
    failed = _decide(a_task(connected=True), running)
    assert _verdict(failed) == (Action.WAIT, Reason.BACKOFF)


def test_an_agent_of_unknown_connection_changes_nothing() -> None:
    """A missing connected is unknown, and not down."""
    assert _decide(a_task(connected=None)).action is Action.START
    away = a_memory(away=True)
    assert _verdict(_decide(a_task(connected=None), away)) == (Action.START, Reason.MENDABLE)


# New failures and old ones


@pytest.mark.parametrize(
    ("task", "told"),
    [
        pytest.param(a_task(), False, id="the same failure going on"),
        pytest.param(a_task(code=DISK_FULL), True, id="an error of another kind"),
        pytest.param(a_task(code=HOST_UNKNOWN), False, id="another sign of a broken line"),
        pytest.param(a_task(progress=Progress(1, 5, 51)), True, id="the copy got further"),
        pytest.param(a_task(progress=Progress(1, 5, 49)), False, id="the copy fell back"),
        pytest.param(a_task(state="SYNC_FAIL"), True, id="another state"),
    ],
)
def test_a_failure_is_told_again_only_when_it_is_another(task: Task, told: bool) -> None:
    """A start that got nowhere is the same failure, of which nobody needs a second message."""
    decision = _decide(task, a_started_memory(1, ago=1))
    assert (Kind.FAILED in decision.news) is told


def test_a_failure_after_running_is_a_new_one() -> None:
    """A task that was told as running, and failed again, is told again."""
    ran = a_started_memory(1, ago=5, state="RUNNING", incident="", code="")
    assert _decide(a_task(), ran).news == (Kind.FAILED,)


@pytest.mark.parametrize(
    "progress",
    [
        Progress(1, 5, 51),
        Progress(1, 6, 0),
        Progress(2, 1, 0),
        Progress(1, 5, 50, copied=2),
    ],
    ids=["percent", "sub-task", "round", "bytes"],
)
def test_progress_gives_a_fresh_count(progress: Progress) -> None:
    """Whichever measure moved, the attempts begin anew, and the start is at once."""
    memory = a_started_memory(5, ago=1, mark=Progress(1, 5, 50, copied=1))
    decision = _decide(a_task(progress=progress), memory)
    assert _verdict(decision) == (Action.START, Reason.MENDABLE)
    assert decision.attempt == 1


def test_ground_covered_twice_is_no_progress() -> None:
    """A copy that fell back and came again to the same place has not moved."""
    memory = a_started_memory(3, ago=60, mark=Progress(1, 5, 60))
    fallen = _decide(a_task(progress=Progress(1, 5, 40)), memory)
    assert (fallen.action, fallen.attempt) == (Action.START, 4)
    assert _decide(a_task(progress=Progress(1, 5, 60)), fallen.memory).attempt == 5


@pytest.mark.parametrize(("ran", "attempt"), [(30, 1), (30 - 1 / 60, 4)])
def test_half_an_hour_of_running_gives_a_fresh_count(ran: float, attempt: int) -> None:
    """Read as running for thirty minutes clears the attempts, a second less does not."""
    memory = a_started_memory(3, ago=60, state="RUNNING", code="", since=NOW - minutes(ran))
    seen = _decide(a_running_task(progress=memory.mark or Progress()), memory)
    assert _decide(a_task(), seen.memory).attempt == attempt


def test_hours_in_which_nobody_looked_give_no_fresh_count() -> None:
    """Whether a task ran until it was found failed again is not known, so its starts count on."""
    memory = a_started_memory(3, ago=300, state="RUNNING", code="", since=NOW - minutes(300))
    assert _decide(a_task(), memory).attempt == 4


def test_a_fresh_count_is_written_down_once() -> None:
    """The half hour is remembered when it is seen, and a quiet run after it writes nothing."""
    memory = a_started_memory(3, ago=60, state="RUNNING", code="", since=NOW - minutes(30))
    seen = _decide(a_running_task(), memory)
    assert seen.memory is not None
    assert (seen.memory.attempts, seen.memory.tries) == (0, 0)
    assert _decide(a_running_task(), seen.memory).memory == seen.memory


@pytest.mark.parametrize("state", ["READY", "ABORT", "RESETING"])
def test_half_an_hour_of_rest_gives_no_fresh_count(state: str) -> None:
    """Only running proves anything: a task that lay still for hours has the attempts it had."""
    memory = a_started_memory(3, ago=300, state=state, code="", since=NOW - minutes(300))
    assert _decide(a_task(), memory).attempt == 4


# Running again


def test_running_again_is_told_if_the_failure_was() -> None:
    """A closing notice goes out only if its opening was told."""
    assert _decide(a_running_task(), a_memory()).news == (Kind.RESUMED,)
    assert _decide(a_running_task(), a_memory(incident="")).news == ()
    muted = a_policy(notify_on=frozenset({Kind.FAILED}))
    assert _decide(a_running_task(), a_memory(), muted).news == ()


def test_a_closing_notice_says_since_when() -> None:
    """The notice that a task runs again knows when it had failed; plain running knows nothing."""
    began = NOW - minutes(42)
    assert _decide(a_running_task(), a_memory(since=began)).since == began
    assert _decide(a_running_task(), a_memory(state="READY", since=began)).since is None
    assert _decide(a_running_task()).since is None


def test_a_muted_kind_is_not_told() -> None:
    """NOTIFY_ON decides what is told, and nothing else."""
    muted = _decide(a_task(), policy=a_policy(notify_on=frozenset()))
    assert muted.news == ()
    assert muted.action is Action.START


def test_after_a_relapse_running_has_to_be_proved() -> None:
    """A task that broke again at the same place is told as running only once it has moved."""
    begun = NOW - minutes(5)
    ran = a_started_memory(1, 5, state="RUNNING", since=begun, incident="", code="")
    relapse = _decide(a_task(), ran)
    assert relapse.memory is not None
    open_again = replace(relapse.memory, incident="20261124-9-0")
    running = _decide(a_running_task(), open_again)
    assert running.news == ()
    assert running.memory is not None
    assert _decide(a_task(), running.memory).news == ()
    moved = _decide(a_running_task(progress=Progress(1, 5, 51)), running.memory)
    assert moved.news == (Kind.RESUMED,)
    assert _decide(a_running_task(progress=Progress(1, 5, 51)), moved.memory).news == ()


def test_after_a_relapse_half_an_hour_of_running_is_proof_as_well() -> None:
    """A task whose progress cannot be read is believed after thirty minutes."""
    unproved = a_started_memory(2, state="RUNNING", since=NOW - minutes(30), relapsed=True)
    assert _decide(a_running_task(), unproved).news == (Kind.RESUMED,)
    early = replace(unproved, since=NOW - minutes(30) + SECOND)
    assert _decide(a_running_task(), early).news == ()


def test_a_failure_that_was_never_started_is_no_relapse() -> None:
    """A task that fails for the first time after running is told when it runs again."""
    running = _decide(a_running_task())
    failed = _decide(a_task(), running.memory)
    assert failed.memory is not None
    again = _decide(a_running_task(), replace(failed.memory, incident="20261124-0-0"))
    assert again.news == (Kind.RESUMED,)


# What is remembered


def test_a_start_is_counted_before_it_is_sent() -> None:
    """The record of a decision to start holds the attempt, the moment and the mark."""
    record = _decide(a_task()).memory
    assert record is not None
    assert (record.attempts, record.tries, record.last_start) == (1, 1, NOW)
    assert record.mark == a_task().progress
    assert record.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("outcome", "attempts", "tries", "last_start"),
    [
        (Outcome.DONE, 3, 3, NOW),
        (Outcome.UNKNOWN, 3, 3, NOW),
        (Outcome.REFUSED, 2, 3, NOW),
        (Outcome.FAILED, 2, 3, NOW),
        (Outcome.SKIPPED, 2, 2, NOW - minutes(60)),
    ],
)
def test_what_a_start_came_to_settles_its_attempt(
    outcome: Outcome, attempts: int, tries: int, last_start: Any
) -> None:
    """A start that was not taken spends no attempt; one not sent leaves no trace."""
    decision = _decide(a_task(), a_started_memory(2, ago=60))
    assert decision.memory is not None
    record = settle(decision, decision.memory, outcome)
    assert (record.attempts, record.tries, record.last_start) == (attempts, tries, last_start)
    assert record.outcome is (None if outcome is Outcome.SKIPPED else outcome)
    assert record.incident == decision.memory.incident


@pytest.mark.parametrize(
    "before",
    [
        None,
        a_memory(),
        a_started_memory(2, ago=60),
        a_started_memory(2, ago=60, outcome=Outcome.REFUSED),
    ],
)
def test_a_start_that_was_not_sent_leaves_no_trace(before: Optional[TaskMemory]) -> None:
    """What is told stays told; the rest of the record is as if no start had been decided."""
    decision = _decide(a_task(), before)
    assert decision.memory is not None
    assert decision.unstarted is not None
    named = replace(decision.memory, incident="20261124-9-0")
    left = settle(decision, named, Outcome.SKIPPED)
    assert left == replace(decision.unstarted, incident="20261124-9-0")


def test_a_second_look_closes_what_the_first_opened() -> None:
    """A task seen running after its start, in the same run, is told under the opening's id."""
    planned = replace(_decide(a_task()).memory or a_memory(), incident="20261124-7-0")
    again, notices = confirm(a_running_task(), planned, NOW, a_policy())
    assert [(notice.kind, notice.event_id) for notice in notices] == [
        (Kind.RESUMED, "20261124-7-0-end")
    ]
    assert again.memory is not None
    assert again.memory.phase is Phase.MOVING
    assert again.memory.attempts == 1


@pytest.mark.parametrize(
    ("before", "state", "kept"),
    [
        ("RUNNING", "RUNNING", True),
        ("RUNNING", "SYNCING", True),
        ("ABORTING", "ABORT", True),
        ("RESETING", "SKIPPING", True),
        ("READY", "RUNNING", False),
        ("RUNNING", "READY", False),
        ("MIGRATE_FAIL", "ABORT", False),
        ("MIGRATE_FAIL", "MIGRATE_FAIL", True),
        ("MIGRATE_FAIL", "SYNC_FAIL", False),
    ],
)
def test_what_goes_on_keeps_its_beginning(before: str, state: str, kept: bool) -> None:
    """States that mean the same go on since the first of them; another meaning begins anew."""
    began = NOW - minutes(42)
    record = _decide(a_task(state=state), a_memory(state=before, since=began)).memory
    assert record is not None
    assert record.since == (began if kept else NOW)


def test_an_error_that_is_over_is_forgotten() -> None:
    """A task that rests or runs has no code; the next failure is compared with none."""
    for state in ("READY", "RUNNING", "ABORT"):
        record = _decide(a_task(state=state), a_memory()).memory
        assert record is not None
        assert record.code == ""


def test_a_name_once_known_is_kept() -> None:
    """A task that comes without its name keeps the one it had."""
    record = _decide(a_running_task(name=""), a_memory()).memory
    assert record is not None
    assert record.name == "web-01"


EVERYTHING = a_memory(
    since=NOW - minutes(60),
    attempts=2,
    tries=3,
    last_start=NOW - minutes(50),
    mark=Progress(1, 5, 50),
    asked=True,
    relapsed=True,
    outcome=Outcome.DONE,
    place=Progress(1, 5, 49),
    moved=NOW - minutes(70),
    suspected=NOW - minutes(65),
    samples=(Sample(NOW - minutes(70), 49),),
    stalled="20261124-1-0",
    parted="20261124-2-0",
    parted_at=NOW - minutes(61),
    failures=(NOW - minutes(59),),
    reminded=2,
    reminded_at=NOW - minutes(30),
    snoozed=NOW,
    starts=4,
    lost=60.0,
)
# A stretch of running is over, and an hour of standing failed is.
RAN: Dict[str, Any] = {
    "place": None,
    "moved": None,
    "suspected": None,
    "samples": (),
    "stalled": "",
}
STOOD: Dict[str, Any] = {**RAN, "since": NOW, "lost": 3660.0}
CLOSED: Dict[str, Any] = {"incident": "", "asked": False, "reminded_at": None}


@pytest.mark.parametrize(
    ("state", "changed"),
    [
        ("READY", {}),
        ("ABORT", {**CLOSED, "relapsed": False, "flaps": 0, "failures": (), "parted": ""}),
        (
            "SYNC_F_ROLLBACK_SUCCESS",
            {
                "incident": "",
                "relapsed": False,
                "flaps": 0,
                "failures": (),
                "reminded": 0,
                "reminded_at": NOW,
            },
        ),
    ],
)
def test_what_a_rest_changes_in_the_record(state: str, changed: Dict[str, Any]) -> None:
    """A rest ends the stretch before it and, where it settles things, what was open: no more."""
    before = replace(EVERYTHING, flaps=7)
    decision = _decide(a_task(state=state, code=""), before)
    assert decision.memory == replace(before, state=state, code="", **STOOD, **changed)
    assert decision.since == NOW


@pytest.mark.parametrize(
    ("before", "task", "changed"),
    [
        pytest.param({}, a_task(), RAN, id="the same failure going on"),
        pytest.param(
            {},
            a_task(state="SYNC_FAIL", name=""),
            {**STOOD, **CLOSED, "failures": (NOW - minutes(59), NOW)},
            id="another failure at the same place",
        ),
        pytest.param(
            {"state": "RUNNING", "code": "", "relapsed": False},
            a_task(progress=Progress(1, 5, 55)),
            {
                **RAN,
                **CLOSED,
                "since": NOW,
                "attempts": 0,
                "tries": 0,
                "mark": Progress(1, 5, 55),
                "failures": (NOW - minutes(59), NOW),
            },
            id="a failure further on",
        ),
        pytest.param(
            {"mark": Progress(1, 5, 60, 100)},
            a_task(progress=Progress(1, 5, 40, 200)),
            {
                **STOOD,
                **CLOSED,
                "attempts": 0,
                "tries": 0,
                "relapsed": False,
                "mark": Progress(1, 5, 60, 200),
                "failures": (NOW - minutes(59), NOW),
            },
            id="more bytes, though its percentage fell",
        ),
        pytest.param(
            {"state": "RUNNING", "relapsed": False, "flaps": 7},
            a_task(),
            {
                **RAN,
                "since": NOW,
                "relapsed": True,
                "failures": (NOW - minutes(59), NOW),
                "flaps": 8,
            },
            id="one more while it flaps",
        ),
        pytest.param(
            {"parted": ""},
            a_task(connected=False),
            {**RAN, "away": True, "parted_at": NOW},
            id="its agent goes away",
        ),
    ],
)
def test_what_a_failure_changes_in_the_record(
    before: Dict[str, Any], task: Task, changed: Dict[str, Any]
) -> None:
    """A failure counts its moment and its time, and a new one begins a new incident: no more."""
    known = replace(EVERYTHING, **before)
    decision = _decide(task, known)
    after: Dict[str, Any] = {"state": task.state, "code": task.code, **changed}
    assert decision.unstarted is not None
    assert decision.unstarted == replace(known, **after)
    assert decision.flaps == decision.unstarted.flaps
    assert decision.since == decision.unstarted.failures[-1]


def test_what_running_again_changes_in_the_record() -> None:
    """A task that came back further than it had got begins a stretch, and owes nothing: no more."""
    an_hour_ago = NOW - minutes(60)
    before = replace(EVERYTHING, **RAN, flaps=7, failures=(an_hour_ago,), away=True)
    task = a_running_task(progress=Progress(1, 5, 55), speed=80.0)
    decision = _decide(task, before)
    assert decision.memory == replace(
        before,
        state="RUNNING",
        since=NOW,
        code="",
        lost=3660.0,
        away=False,
        relapsed=False,
        flaps=0,
        place=task.progress,
        moved=NOW,
        samples=(Sample(NOW, 55, None, 80.0),),
        **CLOSED,
    )
    assert (decision.flaps, decision.since) == (7, an_hour_ago)
    assert _decide(task, decision.memory).flaps == 0


def test_only_a_return_is_told_with_its_failures() -> None:
    """While a task that comes and goes has not held out, its running has no count and no since."""
    decision = _decide(a_running_task(), replace(EVERYTHING, **RAN, flaps=7))
    assert (decision.news, decision.flaps, decision.since) == ((), 0, None)


def test_a_reminder_of_a_stall_goes_on_though_its_failure_is_over() -> None:
    """What was told as running again may still stand still: people hear of it in turn."""
    place = a_task().progress
    still = replace(
        EVERYTHING, state="RUNNING", code="", since=NOW - minutes(30), place=place, samples=()
    )
    record = _decide(a_running_task(), still).memory
    assert record is not None
    assert (record.incident, record.stalled) == ("", "20261124-1-0")
    assert record.reminded_at == NOW - minutes(30)


def test_a_task_that_stands_still_has_no_time_left() -> None:
    """Where people hear that nothing moves, an advance of hours ago promises nothing."""
    samples = (Sample(NOW - minutes(300), 10, sub_task="MIGRATE_LINUX_FILE"),)
    record = a_memory(
        state="RUNNING", code="", incident="", place=a_task().progress, moved=NOW, samples=samples
    )
    for stalled, known in (("", True), ("20261124-1-0", False)):
        seen = _decide(a_running_task(), replace(record, stalled=stalled)).task
        assert seen is not None
        assert (seen.remaining is not None) is known


@pytest.mark.parametrize("task", [a_task(name="new"), a_running_task(name="new")])
def test_a_new_name_is_remembered(task: Task) -> None:
    """A task that a person renamed is known by its new name from then on."""
    record = _decide(task, a_memory()).memory
    assert record is not None
    assert record.name == "new"


@pytest.mark.parametrize(
    ("ago", "told"), [(60 - 1 / 60, False), (60, True)], ids=["within an hour", "an hour later"]
)
def test_an_agent_that_comes_and_goes_is_told_once_an_hour(ago: float, told: bool) -> None:
    """Within an hour of its last loss another one is no news, and is not counted."""
    record = a_memory(state="RUNNING", code="", incident="", parted_at=NOW - minutes(ago))
    decision = _decide(a_running_task(connected=False), record)
    assert decision.memory is not None
    assert decision.news == ((Kind.DISCONNECTED,) if told else ())
    assert decision.memory.parted_at == (NOW if told else record.parted_at)


def test_a_loss_of_the_agent_that_nobody_hears_of_begins_no_hour() -> None:
    """With DISCONNECTED left out of NOTIFY_ON nothing is remembered of it."""
    policy = a_policy(notify_on=frozenset({Kind.CONNECTED}))
    decision = _decide(a_running_task(connected=False), None, policy)
    assert decision.memory is not None
    assert decision.memory.parted_at is None


def test_an_agent_that_is_back_is_away_no_more() -> None:
    """With the notice that it is back, the one of its loss is closed."""
    decision = _decide(a_running_task(connected=True), a_memory(state="RUNNING", parted="1"))
    assert Kind.CONNECTED in decision.news
    assert decision.memory is not None
    assert decision.memory.parted == ""


# An outage of many tasks


@pytest.mark.parametrize(
    ("code", "memory", "goes_along"),
    [
        pytest.param(LINE_LOST, a_started_memory(4), True, id="a try behind the others"),
        pytest.param(LINE_LOST, a_started_memory(3), False, id="two tries behind"),
        pytest.param(LINE_LOST, a_started_memory(1, tries=4), True, id="refused again and again"),
        pytest.param(DISK_BUSY, a_started_memory(5), True, id="its last start just made"),
        pytest.param(DISK_BUSY, a_started_memory(4), False, id="a start left"),
        pytest.param(LINE_LOST, a_started_memory(4, asked=True), False, id="called before"),
    ],
)
def test_one_call_for_a_person_takes_along_who_has_had_the_last_try(
    code: str, memory: TaskMemory, goes_along: bool
) -> None:
    """Of the tasks of one outage a person hears at once, without the wait after each last try."""
    waiting = _decide(a_task(code=code), replace(memory, code=code))
    assert waiting.news == ()
    taken = called(waiting, NOW, a_policy())
    assert taken.news == ((Kind.NEEDS_PERSON,) if goes_along else ())
    if goes_along:
        assert waiting.memory is not None
        asked = replace(waiting.memory, asked=True, reminded=0, reminded_at=NOW)
        assert (taken.memory, taken.unstarted) == (asked, asked)
    else:
        assert taken == waiting


@pytest.mark.parametrize("state", ["RUNNING", "READY", "ABORT"])
def test_only_a_failed_task_goes_along(state: str) -> None:
    """A task that stands failed no more keeps its starts, but needs nobody."""
    other = _decide(a_task(state=state, code=""), a_started_memory(5, state=state, code=""))
    assert called(other, NOW, a_policy()) == other


def test_a_call_that_nobody_wants_to_hear_is_remembered_all_the_same() -> None:
    """With NEEDS_PERSON left out of NOTIFY_ON the tasks that go along are not told either."""
    policy = a_policy(notify_on=frozenset({Kind.FAILED}))
    taken = called(_decide(a_task(), a_started_memory(4), policy), NOW, policy)
    assert taken.news == ()
    assert taken.memory is not None
    assert taken.memory.asked


def test_with_one_try_a_task_goes_along_only_after_it() -> None:
    """With RESUME_MAX_ATTEMPTS=1 a task that was refused once has had its last try."""
    policy = a_policy(max_attempts=1)
    for tries, goes_along in ((0, False), (1, True)):
        away = a_task(connected=False)
        decision = _decide(away, a_started_memory(0, tries=tries), policy)
        assert (called(decision, NOW, policy) != decision) is goes_along, tries
