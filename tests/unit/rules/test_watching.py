"""What is told of the watching: blindness, tasks that are gone or unreadable, a lost memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List, Optional, Sequence

import pytest

from sms_watch.model.notice import Action, Kind, Reason
from sms_watch.model.task import Gone, Observation, Task, Unread
from sms_watch.rules.call import Call
from sms_watch.rules.draft import Plan
from sms_watch.rules.record import Memory, TaskRecord, WatchRecord
from sms_watch.rules.sight import Sight
from sms_watch.rules.watching import BLIND_AFTER_RUNS
from tests.support.builders import (
    DISK_BUSY,
    DISK_FULL,
    NOW,
    a_policy,
    a_record,
    a_running_task,
    a_started_record,
    a_task,
    minutes,
)
from tests.support.planning import a_plan, after, heard, kinds
from tests.unit.rules.test_plan import UNREAD


def test_blindness_is_told_at_the_third_run_and_its_end_once() -> None:
    """Three runs in a row that read nothing are told once; so is the first that reads again."""
    memory = Memory()
    told: List[List[Kind]] = []
    for seen in [*[UNREAD] * 5, a_running_task(), a_running_task()]:
        planned = a_plan([seen], memory)
        told.append(kinds(planned))
        memory = after(planned, memory)
    assert told == [[], [], [Kind.BLIND], [], [], [Kind.SIGHTED], []]
    assert a_plan([UNREAD], replace(memory, watch=WatchRecord(3, NOW, "1"))).empty
    opened, closed = memory.outbox.values()
    assert opened.event_id == "20261124-4711-1-blind"
    assert closed.event_id == f"{opened.event_id}-end"
    assert opened.detail == "HTTP 503"
    assert BLIND_AFTER_RUNS == 3


def test_a_short_blindness_is_not_told() -> None:
    """Two runs that read nothing, and a third that does, tell nobody."""
    memory = Memory()
    for seen in [*[UNREAD] * 2, a_running_task()]:
        planned = a_plan([seen], memory)
        assert planned.notices == ()
        memory = after(planned, memory)
    assert memory.watch == WatchRecord()


def test_one_task_that_is_seen_is_enough_to_see() -> None:
    """A run that reads one task of two is not blind."""
    planned = a_plan([UNREAD, a_running_task(id="b")])
    assert planned.watch is not None
    assert planned.watch.blind_runs == 0


def test_an_account_without_tasks_is_no_blindness() -> None:
    """Where there is nothing to read, nothing was missed."""
    assert a_plan([]).empty


def test_blindness_knows_its_first_run() -> None:
    """Both its notices say since when: that is the first of the runs, not the one that told."""
    memory, told = Memory(), []
    for number, seen in enumerate([*[UNREAD] * 4, a_running_task()]):
        planned = a_plan([seen], memory, now=NOW + minutes(number))
        told += [(notice.kind, notice.at, notice.since) for notice in planned.notices]
        memory = after(planned, memory)
    assert told == [
        (Kind.BLIND, NOW + minutes(2), NOW),
        (Kind.SIGHTED, NOW + minutes(4), NOW),
    ]


def test_what_was_not_read_is_remembered() -> None:
    """The tasks that a run did not read come first in the next one; the others are forgotten."""
    late = [Unread(name, "no time", attempted=False) for name in "cb"]
    planned = a_plan([a_running_task(), *late, Unread("d", "HTTP 503")])
    assert planned.watch == WatchRecord(
        unread={"c": Sight(NOW), "b": Sight(NOW), "d": Sight(NOW, 1)}
    )
    assert after(a_plan([a_running_task()], after(planned))).watch == WatchRecord()


def test_a_loss_that_was_told_is_remembered_through_blindness() -> None:
    """The end of a blind time does not make a known loss a new one."""
    memory = Memory(watch=WatchRecord(3, NOW, "20261124-0-0-blind", loss_told=True))
    planned = a_plan([a_running_task()], heard(memory), memory_lost=True)
    assert kinds(planned) == [Kind.SIGHTED]
    assert planned.watch == WatchRecord(loss_told=True)


def test_a_lost_memory_is_told_once_for_each_loss() -> None:
    """The loss is told when it is found; a later loss is told again."""
    memory, told = Memory(), []
    for lost in (True, True, False, True):
        planned = a_plan([a_running_task()], memory, memory_lost=lost)
        told.append(kinds(planned))
        memory = after(planned, memory)
    assert told == [[Kind.MEMORY_LOST], [], [], [Kind.MEMORY_LOST]]


# Tasks that are not there, or could not be read


def test_gone_is_believed_at_the_second_answer() -> None:
    """One may be a passing fault; it is told once, and a quiet run after it writes nothing."""
    plans = _night(*[[Gone("a")]] * 4)
    assert [kinds(plan) for plan in plans] == [[], [Kind.GONE], [], []]
    assert plans[3].empty
    assert {plan.decisions[0].verdict.reason for plan in plans} == {Reason.GONE}


@pytest.mark.parametrize("state", ["MIGRATE_FAIL", "MIGRATE_SUCCESS", "INVENTED_NEXT_YEAR"])
def test_a_gone_task_is_told_by_its_name_and_nothing_of_it_is_forgotten(state: str) -> None:
    """What is remembered outlasts it, for it may be there again."""
    known = Memory({"a": a_started_record(3, state=state)})
    first = a_plan([Gone("a", "it is called b now")], known)
    planned = a_plan([Gone("a", "it is called b now")], after(first, known))
    assert (planned.notices[0].task, planned.notices[0].detail) == (
        Task("a", "web-01", ""),
        "it is called b now",
    )
    assert (first.tasks, planned.tasks) == ({}, {})


def test_a_gone_task_that_is_back_is_told_and_goes_on() -> None:
    """Its incident is the same, its starts count on, and the waits between them hold."""
    failed = a_task(code=DISK_BUSY)
    plans = _night([failed], *[[Gone("a")]] * 3, *[[failed]] * 2)
    assert [kinds(plan) for plan in plans] == [
        [Kind.FAILED],
        [],
        [Kind.GONE],
        [],
        [Kind.READABLE],
        [],
    ]
    told, back = plans[2].notices[0], plans[4].notices[0]
    assert (back.event_id, back.since) == (f"{told.event_id}-end", NOW + minutes(1))
    assert plans[4].decisions[0].verdict.attempt.number == 2


@pytest.mark.parametrize("between", [a_running_task(), Unread("a", "HTTP 503")])
def test_answers_in_a_row_are_those_without_another_between(between: Observation) -> None:
    """A reading begins the count anew; a run without an answer says nothing."""
    other = a_running_task(id="b")
    plans = _night([Gone("a"), other], [between, other], [Gone("a"), other])
    told = [Kind.GONE] if isinstance(between, Unread) else []
    assert [kinds(plan) for plan in plans] == [[], [], told]


def test_a_service_that_says_gone_now_and_then_changes_nothing() -> None:
    """At every second read: nothing is told, and nothing is started that would not be."""
    two: List[Sequence[Observation]] = [[a_task(code=DISK_BUSY)], [Gone("a")]]
    plans = _night(*two * 30)
    assert [kind for plan in plans for kind in kinds(plan)] == [Kind.FAILED, Kind.NEEDS_PERSON]
    assert [number for number, plan in enumerate(plans) if plan.starts] == [0, 2, 6, 14, 30]


def test_what_is_told_to_be_gone_stays_so_while_nobody_asks_for_it() -> None:
    """With a list, a run after that reads other tasks only."""
    plans = _night(*[[Gone("a")]] * 2, *[[a_running_task(id="b")]] * 2, [a_running_task()])
    assert [kinds(plan) for plan in plans] == [[], [Kind.GONE], [], [], [Kind.READABLE]]


def test_a_row_shows_that_a_task_is_there_again() -> None:
    """Though it cannot be read by itself."""
    refused = Unread("a", "HTTP 403", row=a_running_task(listed=True))
    gone: List[Observation] = [Gone("a"), a_task(id="b")]
    plans = _night(gone, gone, [refused, a_task(id="b")], discovers=True)
    assert Kind.READABLE in kinds(plans[2])


def test_of_a_task_that_is_gone_nobody_hears_that_it_cannot_be_read() -> None:
    """One end is enough, and it has the id of the notice that it ends."""
    refused, other = Unread("a", "HTTP 403"), a_running_task(id="b")
    seen = [a_running_task(), other]
    plans = _night(*[[refused, other]] * 3, *[[Gone("a"), other]] * 2, seen, seen)
    told = [notice for plan in plans for notice in plan.notices]
    assert [notice.kind for notice in told] == [Kind.UNREADABLE, Kind.GONE, Kind.READABLE]
    assert told[2].event_id == f"{told[1].event_id}-end"
    once = _night(*[[refused, other]] * 3, [Gone("a"), other], seen)
    told = [notice for plan in once for notice in plan.notices]
    assert [notice.event_id for notice in told][1:] == [f"{told[0].event_id}-end"]


def test_a_task_that_was_not_reached_is_told_apart_from_one_that_failed_to_be_read() -> None:
    """Without time or keys a task is not reached; with an answer that is none it is unreadable."""
    planned = a_plan([Unread("a", "no time", attempted=False), Unread("b", "HTTP 503")])
    verdicts = [decision.verdict for decision in planned.decisions]
    assert [each.reason for each in verdicts] == [Reason.NOT_REACHED, Reason.UNREADABLE]
    assert [each.action for each in verdicts] == [Action.WAIT, Action.WAIT]
    assert [decision.detail for decision in planned.decisions] == ["no time", "HTTP 503"]


# One task among many that cannot be read


def _night(*observed: Sequence[Any], **situation: Any) -> List[Plan]:
    """Return the plans of runs a minute apart, each with what the one before remembers."""
    memory, plans = Memory(), []
    for number, seen in enumerate(observed):
        plans.append(a_plan(seen, memory, now=NOW + minutes(number), **situation))
        memory = after(plans[-1], memory)
    return plans


def test_a_task_that_cannot_be_read_is_told_once_and_its_end_once() -> None:
    """After three runs people hear that it is not watched, why, and what to do; then that it is."""
    seen, refused = a_running_task(id="b"), Unread("a", "HTTP 403", remedy="grant the right")
    plans = _night(*[[refused, seen]] * 5, [a_running_task(), seen], [a_running_task(), seen])
    told = [(number, notice) for number, each in enumerate(plans) for notice in each.notices]
    assert [(number, notice.kind) for number, notice in told] == [
        (2, Kind.UNREADABLE),
        (5, Kind.READABLE),
    ]
    (_, opened), (_, closed) = told
    assert (opened.since, opened.detail) == (NOW, "HTTP 403; grant the right")
    assert (closed.event_id, closed.since) == (f"{opened.event_id}-end", NOW)
    assert plans[3].empty
    assert plans[6].empty


def test_a_task_that_was_never_read_is_told_by_its_id() -> None:
    """Nothing is remembered of it, and it is missed all the same."""
    refused = Unread("a", "SMS.6527")
    told = _night(*[[refused, a_running_task(id="b")]] * 3)[-1].notices
    assert [(notice.kind, notice.task and notice.task.id) for notice in told] == [
        (Kind.UNREADABLE, "a")
    ]


def test_a_read_that_works_in_between_begins_the_count_anew() -> None:
    """Three runs in a row are needed: a service that blinks is no news."""
    refused, seen = Unread("a", "HTTP 503"), a_running_task(id="b")
    one = [[refused, seen]] * 2 + [[a_running_task(), seen]]
    assert [plan.notices for plan in _night(*one, *one)] == [()] * 6


def test_what_was_not_asked_for_is_not_counted() -> None:
    """A run without time says nothing of a task, neither that it can be read nor that it cannot."""
    late, refused = Unread("a", "no time", attempted=False), Unread("a", "HTTP 503")
    seen = a_running_task(id="b")
    plans = _night(*[[late, seen]] * 4, *[[refused, seen], [late, seen]] * 3)
    assert [kinds(plan) for plan in plans] == [[]] * 8 + [[Kind.UNREADABLE], []]


def test_a_blind_run_counts_for_no_single_task() -> None:
    """Where nothing can be read, that is told, and no list of tasks beside it."""
    blind = [Unread("a", "HTTP 503"), Unread("b", "HTTP 503")]
    assert [kinds(plan) for plan in _night(*[blind] * 4)] == [[], [], [Kind.BLIND], []]


def test_a_failed_task_that_only_the_list_shows_calls_a_person() -> None:
    """Its failure is told; that it cannot be read, and so is not started, calls somebody, once."""
    refused = Unread("a", "HTTP 403", row=a_task(listed=True))
    plans = _night(*[[refused, a_running_task(id="b")]] * 4, discovers=True)
    assert [kinds(plan) for plan in plans] == [
        [Kind.FAILED],
        [],
        [Kind.UNREADABLE, Kind.NEEDS_PERSON],
        [],
    ]
    verdicts = [plan.decisions[0].verdict for plan in plans]
    assert {(each.action, each.reason) for each in verdicts} == {
        (Action.WAIT, Reason.NOT_REACHED),
    }
    assert plans[0].decisions[0].detail == "HTTP 403"
    call = plans[2].notices[1]
    assert (call.verdict, call.since) == (verdicts[2], NOW)
    assert plans[2].tasks["a"].failure.call == Call(call.event_id, NOW + minutes(2))


def test_a_failed_task_that_no_call_is_left_for_calls_a_person_after_the_longest_wait() -> None:
    """It is told as failed, never as unreadable, and a person is called once."""
    passed = Unread("a", "APIGW.0308", throttled=True, row=a_task(listed=True))
    unlisted = Unread("c", "APIGW.0308", attempted=False, throttled=True)
    plans = _night(*[[passed, a_running_task(id="b"), unlisted]] * 18, discovers=True)
    told = [(minute, kind) for minute, plan in enumerate(plans) for kind in kinds(plan)]
    longest = int(a_policy().backoff_max / minutes(1))
    assert told == [(0, Kind.FAILED), (longest, Kind.NEEDS_PERSON)]
    verdicts = {each.verdict.reason for plan in plans for each in plan.decisions}
    assert verdicts == {Reason.THROTTLED, Reason.MOVING}
    assert all(plan.empty for plan in plans[1:longest])


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(a_running_task(listed=True), id="it runs"),
        pytest.param(a_task(code=DISK_FULL, listed=True), id="a person was called before"),
    ],
)
def test_nobody_is_called_for_want_of_calls_where_no_start_is_due(row: Task) -> None:
    """What a list shows is enough there."""
    passed = Unread("a", "APIGW.0308", throttled=True, row=row)
    plans = _night(*[[passed, a_running_task(id="b")]] * 18, discovers=True)
    assert [kind for plan in plans[1:] for kind in kinds(plan)] == []


@pytest.mark.parametrize(
    ("row", "known"),
    [
        pytest.param(a_task(code=DISK_FULL, listed=True), None, id="called before"),
        pytest.param(a_running_task(listed=True), None, id="it runs"),
        pytest.param(None, a_record(), id="no row"),
    ],
)
def test_nobody_is_called_for_a_task_that_cannot_be_read(
    row: Optional[Task], known: Optional[TaskRecord]
) -> None:
    """Unless a list shows that it has failed, and nobody was called yet."""
    refused, other = Unread("a", "HTTP 403", row=row), a_running_task(id="b")
    memory = Memory({"a": known} if known else {})
    told: List[Kind] = []
    for number in range(4):
        planned = a_plan([refused, other], memory, now=NOW + minutes(number), discovers=True)
        memory, told = after(planned, memory), [*told, *kinds(planned)]
    assert told.count(Kind.UNREADABLE) == 1
    assert told.count(Kind.NEEDS_PERSON) == (row is not None and row.error.code == DISK_FULL)


def test_a_row_of_a_failed_task_does_not_say_that_it_can_be_read() -> None:
    """In a run that has no room to try, people do not hear that it can; by itself, they do."""
    row = a_task(listed=True)
    refused, other = Unread("a", "HTTP 403", row=row), a_running_task(id="b")
    unread: List[Observation] = [refused, other]
    plans = _night(*[unread] * 3, [row, other], unread, [a_task(), other], discovers=True)
    assert [kinds(plan) for plan in plans[3:]] == [[], [], [Kind.READABLE]]
    runs = _night(*[unread] * 3, [a_running_task(listed=True), other], discovers=True)
    assert kinds(runs[3]) == [Kind.RESUMED, Kind.READABLE]


def test_a_part_of_the_list_is_told_like_a_task_and_so_is_its_end() -> None:
    """No observation stands for a list that is whole again."""
    part, other = Unread("*", "HTTP 500", remedy="wait"), a_running_task(id="b")
    plans = _night(*[[part, other]] * 4, [other], [other], discovers=True)
    assert [kinds(plan) for plan in plans] == [
        *[[], [], [Kind.UNREADABLE], []],
        *[[Kind.READABLE], []],
    ]
    told, back = plans[2].notices[0], plans[4].notices[0]
    assert told.task == back.task == Task("*", "a part of the list of tasks", "")
    assert back.event_id == f"{told.event_id}-end"
    two: List[Sequence[Observation]] = [[part, other], [other]]
    assert [kinds(plan) for plan in _night(*two * 4)] == [[]] * 8


def test_since_when_a_list_is_of_no_use_is_remembered_for_as_long_as_it_is() -> None:
    """It is written down once, and forgotten when a list was had."""
    seen = [a_running_task()]
    plans = _night(*[seen] * 3, unlisted=NOW)
    assert [plan.watch and plan.watch.unlisted for plan in plans] == [NOW, None, None]
    assert a_plan(seen, Memory(watch=WatchRecord(unlisted=NOW))).watch == WatchRecord()


def test_a_short_list_is_counted_up_to_where_it_is_no_passing_thing() -> None:
    """Three runs in a row; it is written down no further, and forgotten when the list is whole."""
    seen = [a_running_task()]
    plans = _night(*[seen] * 4, short_list=True)
    assert [plan.watch and plan.watch.short_lists for plan in plans] == [1, 2, 3, None]
    whole = a_plan(seen, Memory(watch=WatchRecord(short_lists=3)))
    assert whole.watch == WatchRecord()
