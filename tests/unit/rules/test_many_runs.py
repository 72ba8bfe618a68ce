"""What people hear of one task over many runs: flapping, and an agent that comes and goes."""

from __future__ import annotations

from typing import List, Sequence

import pytest

from sms_watch.model.notice import Kind, Notice, Reason
from sms_watch.model.task import Progress, Task
from sms_watch.rules.call import Call
from sms_watch.rules.record import Memory
from tests.support.builders import (
    DISK_FULL,
    LINE_LOST,
    NOW,
    a_record,
    a_running_task,
    a_task,
    minutes,
)
from tests.support.planning import NOTHING, a_plan, after, heard


def _told(steps: Sequence[Task], gap: float) -> List[Notice]:
    """Return what is told of a task over readings so many minutes apart."""
    memory = NOTHING
    told: List[Notice] = []
    for number, task in enumerate(steps):
        planned = a_plan([task], memory, now=NOW + minutes(gap * number))
        memory = after(planned, memory)
        told += planned.notices
    return told


def _kinds(steps: Sequence[Task], gap: float) -> List[Kind]:
    return [notice.kind for notice in _told(steps, gap)]


def _swings(number: int) -> List[Task]:
    """Return a task that fails and comes back, a little further each time."""
    return [
        make(progress=Progress(5, step))
        for step in range(number)
        for make in (a_task, a_running_task)
    ]


# Flapping


@pytest.mark.parametrize(("times", "flapping"), [(2, False), (3, True), (9, True)])
def test_more_than_two_failures_in_an_hour_are_told_as_one(times: int, flapping: bool) -> None:
    """Two are told in pairs; the third is the last that is told until it has settled."""
    pairs = [Kind.FAILED, Kind.RESUMED] * 2
    assert _kinds(_swings(times), gap=3) == pairs + ([Kind.FAILED] if flapping else [])


@pytest.mark.parametrize(("gap", "flapping"), [(15, False), (14.9, True)])
def test_failures_count_within_an_hour(gap: float, flapping: bool) -> None:
    """The first of three failures that is an hour old is no part of it any more."""
    assert _kinds(_swings(3), gap).count(Kind.RESUMED) == (2 if flapping else 3)


def test_the_end_of_flapping_is_the_end_of_the_last_failure_that_was_told() -> None:
    """An hour after the last failure one notice says so, with the count and that failure's id."""
    settles = [a_running_task(progress=Progress(6, percent)) for percent in range(20)]
    told = _told([*_swings(7), *settles], gap=4)
    assert [notice.kind for notice in told] == [Kind.FAILED, Kind.RESUMED] * 3
    assert [notice.count for notice in told] == [0] * 4 + [3, 7]
    assert told[-1].event_id == f"{told[-2].event_id}-end"


@pytest.mark.parametrize(("ago", "told"), [(60 - 1 / 60, False), (60, True)])
def test_a_flapping_task_has_settled_after_an_hour(ago: float, told: bool) -> None:
    """An hour without a failure is the end, a second less is not; the end has the count."""
    recent = tuple(NOW - minutes(ago + earlier) for earlier in (20, 10, 0))
    record = a_record(state="RUNNING", since=NOW - minutes(ago), flaps=7, recent=recent, code="")
    planned = a_plan([a_running_task()], heard(Memory({"a": record})))
    assert [(notice.kind, notice.count) for notice in planned.notices] == (
        [(Kind.RESUMED, 7)] if told else []
    )


def test_a_flapping_task_that_stays_failed_is_told_and_asked_about_once() -> None:
    """After an hour in one failure people hear since when; a call for a person is not repeated."""
    began = NOW - minutes(60)
    record = a_record(
        since=began,
        code=LINE_LOST,
        call=Call("20261123-0-1-needs_person", began),
        flaps=6,
        recent=(began,),
        last_at=NOW,
        tries=6,
        furthest=Progress(),
    )
    planned = a_plan([a_task(progress=Progress())], Memory({"a": record}))
    assert [(n.kind, n.count, n.since) for n in planned.notices] == [(Kind.FAILED, 0, began)]
    failure = planned.tasks["a"].failure
    assert (failure.flaps, failure.openings) == (0, record.failure.openings)
    again = a_plan([a_task(progress=Progress())], after(planned, Memory({"a": record})))
    assert again.empty


def test_the_time_since_a_failure_spans_the_starts_that_came_to_nothing() -> None:
    """Running again says how long after the failure that was told, not after the last relapse."""
    steps = [a_task(), *[a_running_task(), a_task()] * 3, a_running_task(progress=Progress(6))]
    told = _told(steps, gap=20)
    last = [notice for notice in told if notice.kind is Kind.FAILED][-1]
    assert (told[-1].kind, told[-1].since) == (Kind.RESUMED, last.at)


# Failed, and then running again


def test_a_failure_that_a_start_mends_is_two_messages() -> None:
    """One tick tells the failure, the next one that the task runs, under the same event."""
    failed, resumed = _told([a_task(), a_running_task(), a_running_task()], gap=1)
    assert [failed.kind, resumed.kind] == [Kind.FAILED, Kind.RESUMED]
    assert (resumed.at, resumed.since) == (NOW + minutes(1), NOW)
    assert resumed.event_id == f"{failed.event_id}-end"


def test_a_persons_pause_ends_a_failure_without_a_closing_notice() -> None:
    """Who paused a task knows that it does not fail any more, and that it runs later."""
    paused = a_task(state="ABORT", code="")
    steps = [a_task(code=DISK_FULL), paused, a_running_task()]
    assert _kinds(steps, gap=1) == [Kind.FAILED, Kind.NEEDS_PERSON, Kind.PAUSED]


# The agent

AWAY, BACK = a_running_task(connected=False), a_running_task(connected=True)


def test_an_agent_is_told_as_lost_and_as_back_once() -> None:
    """What is not known changes nothing, and a reset in between does not tell it again."""
    unknown = a_running_task(connected=None)
    reset = a_task(state="RESETING", code="", connected=False)
    steps = [BACK, AWAY, AWAY, unknown, reset, AWAY, BACK, BACK, unknown]
    assert _kinds(steps, gap=1) == [Kind.DISCONNECTED, Kind.CONNECTED]


@pytest.mark.parametrize(("gap", "losses"), [(30, 2), (29.9, 1)])
def test_an_agent_that_comes_and_goes_is_told_as_lost_once_an_hour(gap: float, losses: int) -> None:
    """A loss within an hour of one that was told is not told, and neither is its end."""
    of_the_agent = (Kind.DISCONNECTED, Kind.CONNECTED)
    told = [kind for kind in _kinds([AWAY, BACK, AWAY, BACK], gap) if kind in of_the_agent]
    assert told == [Kind.DISCONNECTED, Kind.CONNECTED] * losses


def test_a_pause_ends_what_was_told_of_the_agent() -> None:
    """Nobody needs to hear that the agent of a paused task is back."""
    steps = [AWAY, a_task(state="ABORT", code="", connected=False), BACK]
    assert _kinds(steps, gap=1) == [Kind.DISCONNECTED, Kind.PAUSED]


def test_a_lost_agent_mutes_the_repeated_failures_of_its_task() -> None:
    """While it is away, starts that run for a moment and fail again are told no more."""
    fails = a_task(connected=False)
    kinds = _kinds([fails, *[AWAY, fails] * 5], gap=16)
    assert kinds.count(Kind.FAILED) == 1
    assert Kind.RESUMED not in kinds
    assert kinds.count(Kind.DISCONNECTED) == 1


def test_an_agent_that_comes_and_goes_gives_no_start() -> None:
    """However often it is seen back, the waits between the starts are those of the backoff."""
    memory, started = NOTHING, []
    for minute in range(60):
        seen = a_task(connected=minute % 2 == 1)
        planned = a_plan([seen], memory, now=NOW + minutes(minute))
        memory = after(planned, memory)
        started += [minute for _ in planned.starts]
    assert started == [1, 3, 7, 15, 30, 45]


def test_an_agent_that_was_away_for_long_gives_a_start_when_it_is_back() -> None:
    """It ends the longest wait, though not the shortest; one whose return is not known does not."""
    away, back = a_task(connected=False), a_task(connected=True)
    steps = [*[away] * 17, a_task(connected=None), back, back]
    memory, started = NOTHING, []
    for minute, seen in enumerate(steps):
        planned = a_plan([seen], memory, now=NOW + minutes(minute))
        memory = after(planned, memory)
        started += [(minute, each.verdict.reason) for each in planned.starts]
    assert started == [
        (15, Reason.LONGEST_WAIT),
        (17, Reason.RESTARTABLE),
        (19, Reason.RECONNECTED),
    ]


# Where nothing should stay


def _rests(*states: str) -> List[Task]:
    return [a_task(state=state, code="") for state in states]


def test_a_hang_is_told_once_and_so_is_its_end() -> None:
    """An hour in a state that a task only passes through; then it is seen in another."""
    told = _told(_rests(*["RESETING"] * 9, "READY", "READY"), gap=15)
    assert [(each.kind, each.at - NOW) for each in told] == [
        (Kind.HANGING, minutes(60)),
        (Kind.MOVING, minutes(135)),
    ]
    assert [each.since for each in told] == [NOW, NOW]
    assert told[1].event_id == f"{told[0].event_id}-end"


def test_a_hang_is_reminded_of_like_a_stall() -> None:
    """Every four hours, six times; the reminder says since when."""
    told = _told(_rests(*["DELETING"] * 40), gap=60)
    assert [each.kind for each in told] == [Kind.HANGING, *[Kind.REMINDER] * 6]
    assert {each.since for each in told} == {NOW}


def test_states_that_follow_each_other_are_no_hang() -> None:
    """Each counts from its own beginning, though they mean the same to the watchdog."""
    assert _kinds(_rests(*["RESETING", "SKIPPING"] * 20), gap=45) == []
    assert _kinds(_rests("ABORT", "ABORT", "ABORTING"), gap=45) == [Kind.PAUSED]


def test_a_pause_that_does_not_come_to_an_end_is_told() -> None:
    """ABORTING is a state to pass through; the ABORT after it ends the hang."""
    kinds = _kinds(_rests("ABORTING", "ABORTING", "ABORTING", "ABORT", "ABORT"), gap=30)
    assert kinds == [Kind.PAUSED, Kind.HANGING, Kind.MOVING]


def test_a_task_that_waits_after_its_start_hangs() -> None:
    """READY is where a task waits for a person; not one that was started, and failed before."""
    ready = a_task(state="READY", code="")
    assert _kinds([ready] * 9, gap=30) == []
    assert _kinds([a_task(), *[ready] * 3, a_running_task()], gap=30) == [
        *[Kind.FAILED, Kind.HANGING, Kind.RESUMED],
    ]
    assert _kinds([a_task(code=DISK_FULL), *[ready] * 3], gap=30) == [
        *[Kind.FAILED, Kind.NEEDS_PERSON],
    ]


def test_a_call_keeps_its_reminders_where_its_task_hangs() -> None:
    """Whoever was called is called again, whatever state the task is in by then."""
    for state in ("READY", "RESETING", "INVENTED"):
        waits = a_task(state=state, code="")
        kinds = _kinds([a_task(code=DISK_FULL), *[waits] * 9], gap=60)
        assert kinds[:2] == [Kind.FAILED, Kind.NEEDS_PERSON]
        assert kinds.count(Kind.REMINDER) == 2, state


def test_an_unknown_state_has_an_end() -> None:
    """It is told where the task came to, unless that is told by itself."""
    unknown = a_task(state="INVENTED", code="")
    assert _kinds([unknown, unknown, a_running_task(), a_running_task()], gap=1) == [
        *[Kind.UNKNOWN_STATE, Kind.MOVING],
    ]
    for seen, kind in (
        (a_task(), Kind.FAILED),
        (a_task(state="ABORT", code=""), Kind.PAUSED),
        (a_task(state="MIGRATE_SUCCESS", code=""), Kind.FINISHED),
        (a_task(state="ANOTHER", code=""), Kind.UNKNOWN_STATE),
    ):
        assert _kinds([unknown, seen, seen], gap=1) == [Kind.UNKNOWN_STATE, kind]


def test_a_task_that_leaves_an_unknown_state_and_fails_again_is_told_as_failed() -> None:
    """Its failure was never over: that it runs is no news until it is proved."""
    unknown = a_task(state="INVENTED", code="")
    away, fails = a_running_task(connected=False), a_task(connected=False)
    told = _told([fails, unknown, away, away, fails, fails], gap=1)
    ends = [each for each in told if each.follows and each.follows[0].endswith("unknown_state")]
    assert [(each.kind, each.task and each.task.state) for each in ends] == [
        (Kind.MOVING, "MIGRATE_FAIL")
    ]


def test_a_task_that_leaves_an_unknown_state_and_is_proved_to_run_is_told_once() -> None:
    """As running again, which is the end of both."""
    unknown = a_task(state="INVENTED", code="")
    away, back = a_running_task(connected=False), a_running_task(connected=True)
    kinds = _kinds([a_task(connected=False), unknown, away, back, back], gap=20)
    assert kinds.count(Kind.RESUMED) == 1
    assert Kind.MOVING not in kinds


# Much at once


def test_what_changes_all_the_time_is_summed_up_each_hour() -> None:
    """Two states in turn that nobody knows: six messages, then one an hour, while it goes on."""
    steps = [a_task(state=f"INVENTED-{minute % 2}", code="") for minute in range(240)]
    told = _told(steps, gap=1)
    assert [each.kind for each in told[:6]] == [Kind.UNKNOWN_STATE] * 6
    assert [(each.kind, each.at - NOW, each.count) for each in told[6:]] == [
        (Kind.DIGEST, minutes(66), 61),
        (Kind.DIGEST, minutes(127), 61),
        (Kind.DIGEST, minutes(188), 61),
    ]
    assert [each.since for each in told[6:]] == [
        NOW + minutes(6),
        NOW + minutes(67),
        NOW + minutes(128),
    ]


def test_after_the_noise_the_last_word_is_told() -> None:
    """Of what was held back nothing is lost: the summary says how it stands, an hour late."""
    noise = [a_task(state=f"INVENTED-{minute % 2}", code="") for minute in range(10)]
    told = _told([*noise, *[a_task(state="MIGRATE_SUCCESS", code="")] * 240], gap=1)
    assert len(told) == 7
    assert (told[6].kind, told[6].at) == (Kind.DIGEST, NOW + minutes(66))
    assert told[6].task is not None
    assert told[6].task.state == "MIGRATE_SUCCESS"


def test_a_person_is_called_whatever_the_noise() -> None:
    """What needs somebody now does not wait for the summary."""
    noise = [a_task(state=f"INVENTED-{minute % 2}", code="") for minute in range(10)]
    kinds = _kinds([*noise, a_task(code=DISK_FULL)], gap=1)
    assert kinds == [*[Kind.UNKNOWN_STATE] * 6, Kind.NEEDS_PERSON]
