"""The plan of a run over any tasks and memories: limits, names, and what it leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.journal import codec
from sms_watch.model.notice import Action, Kind, Reason
from sms_watch.model.task import Gone, Observation, Progress, Task, Unread
from sms_watch.rules import plan as plan_module
from sms_watch.rules.call import Call
from sms_watch.rules.decide import decide
from sms_watch.rules.decision import Decision, Reading
from sms_watch.rules.draft import Commands, Plan
from sms_watch.rules.plan import candidates
from sms_watch.rules.record import Memory, TaskRecord
from tests.support.builders import (
    DISK_BUSY,
    DISK_FULL,
    LINE_LOST,
    NOW,
    a_policy,
    a_record,
    a_running_task,
    a_situation,
    a_started_record,
    a_task,
    minutes,
    varied,
)
from tests.support.planning import NOTHING, a_plan, after, besides_airtime, heard, kinds
from tests.support.strategies import IDS, records, tasks, watches

POLICY = a_policy(max_per_run=2)
UNREAD: Observation = Unread("a", "HTTP 503")

observations = st.lists(
    st.one_of(tasks, st.builds(Gone, IDS), st.builds(Unread, IDS, st.just("HTTP 503"))),
    min_size=1,
    max_size=4,
    unique_by=lambda seen: getattr(seen, "id", getattr(seen, "task_id", "")),
)
# What is remembered was remembered before now, by some minutes or some hours.
moments = st.integers(0, 200).map(lambda ago: NOW - minutes(ago))
known = st.dictionaries(
    IDS,
    st.builds(
        lambda record, since, sent: varied(record, since=since, last_at=sent),
        records,
        moments,
        st.none() | moments,
    ),
)
minds = st.builds(Memory, known, st.just({}), watches)


def _names(seen: Sequence[Observation]) -> List[str]:
    return [getattr(each, "id", getattr(each, "task_id", "")) for each in seen]


# Any tasks and memories


@given(observations, minds)
def test_every_task_gets_one_answer_with_a_reason(
    seen: Sequence[Observation], memory: Memory
) -> None:
    """Each observation is answered once, in its place."""
    planned = a_plan(seen, memory, policy=POLICY)
    assert [decision.task_id for decision in planned.decisions] == _names(seen)
    assert all(isinstance(decision.verdict.reason, Reason) for decision in planned.decisions)


@given(observations, minds)
def test_no_more_starts_than_a_run_may_send(seen: Sequence[Observation], memory: Memory) -> None:
    """The limit of starts in one run holds, and only failed tasks are started."""
    starts = a_plan(seen, memory, policy=POLICY).starts
    assert len(starts) <= POLICY.max_per_run
    assert all(start.task and start.task.state.endswith("FAIL") for start in starts)


@given(observations, minds, st.randoms())
def test_the_order_of_the_tasks_does_not_matter(
    seen: Sequence[Observation], memory: Memory, random: Any
) -> None:
    """In any order the same is started, remembered and told, but for the names of the events."""
    shuffled = list(seen)
    random.shuffle(shuffled)
    one, other = (a_plan(each, memory, policy=POLICY) for each in (seen, shuffled))
    assert _without_events(one) == _without_events(other)


def _without_events(planned: Plan) -> Tuple[Any, ...]:
    """Return what a plan says of each task, with the name of the event hidden; then its kinds."""
    hidden = {
        decision.task_id: json.dumps(
            [codec.dump(decision), codec.dump(planned.tasks.get(decision.task_id))]
        ).replace(decision.event, "EVENT")
        for decision in planned.decisions
    }
    watch = planned.watch
    if watch is not None:
        unread, absent = (
            {name: replace(sight, event_id="") for name, sight in sights.items()}
            for sights in (watch.unread, watch.absent)
        )
        watch = replace(watch, event_id="", unread=unread, absent=absent)
    return hidden, sorted(kinds(planned)), watch


@given(observations, minds, st.booleans(), st.booleans())
def test_events_have_names_of_their_own(
    seen: Sequence[Observation], memory: Memory, asked: bool, lost: bool
) -> None:
    """An opening is named after the place in the journal, its task's number, and its kind."""
    situation = {"commands": Commands(test=asked, digest=asked), "memory_lost": lost}
    planned = a_plan(seen, memory, policy=POLICY, **situation)
    openings = [notice for notice in planned.notices if not notice.event_id.endswith("-end")]
    assert len(openings) == len({notice.event_id for notice in openings})
    for notice in openings:
        number = _names(seen).index(notice.task.id) if notice.task else len(seen)
        assert notice.event_id == f"20261124-4711-{number}-{notice.kind}"
    assert planned == a_plan(seen, memory, policy=POLICY, **situation)


@given(observations, minds)
def test_a_plan_that_was_written_down_is_not_made_again(
    seen: Sequence[Observation], memory: Memory
) -> None:
    """The next run, seeing the same at the same moment, starts nothing twice and tells nothing.

    But for what has to be seen twice before it is told.
    """
    first = a_plan(seen, memory, policy=POLICY)
    again = a_plan(seen, after(first, memory), policy=POLICY)
    started = {start.task_id for start in first.starts}
    assert not started & {start.task_id for start in again.starts}
    assert set(kinds(again)) <= {Kind.BLIND, Kind.UNREADABLE, Kind.GONE}


@given(observations, minds)
def test_what_is_planned_is_remembered(seen: Sequence[Observation], memory: Memory) -> None:
    """What is pending survives in the journal, and what was not seen stays as it was."""
    planned = a_plan(seen, memory, policy=POLICY)
    next_ = after(planned, memory)
    assert set(next_.outbox) == {notice.event_id for notice in planned.notices}
    for each in seen:
        if isinstance(each, Unread):
            assert next_.tasks.get(each.task_id) == memory.tasks.get(each.task_id)


@given(observations, minds, st.frozensets(st.sampled_from(Kind)))
def test_who_wants_to_hear_what_changes_no_fact(
    seen: Sequence[Observation], memory: Memory, wanted: FrozenSet[Kind]
) -> None:
    """NOTIFY_ON chooses among the notices; decisions and records are the same for everybody."""
    told = a_plan(seen, memory, policy=POLICY)
    muted = a_plan(seen, memory, policy=replace(POLICY, notify_on=wanted))
    assert (muted.decisions, muted.tasks) == (told.decisions, told.tasks)
    assert besides_airtime(muted, memory) == besides_airtime(told, memory)
    # What earlier runs held back was wanted then.
    assert all(notice.kind in wanted for notice in muted.notices if notice.kind is not Kind.DIGEST)


# Starts


def test_who_has_waited_longest_is_started_first() -> None:
    """When a run has not room for all, the tasks take turns."""
    seen = [a_task(id=name) for name in "abc"]
    waited: Dict[str, TaskRecord] = {
        "a": a_record(since=NOW - minutes(1)),
        "b": a_record(since=NOW - minutes(3)),
        "c": a_record(since=NOW - minutes(2)),
    }
    planned = a_plan(seen, Memory(waited), policy=POLICY)
    assert [start.task_id for start in planned.starts] == ["b", "c"]
    waited["b"] = varied(waited["b"], last_at=NOW - minutes(1))
    waited["a"] = replace(waited["a"], since=NOW - minutes(2))
    again = a_plan(seen, Memory(waited), policy=POLICY)
    assert [start.task_id for start in again.starts] == ["a", "c"]


def test_a_full_run_turns_a_task_away() -> None:
    """A task for which there is no room waits, is told so, and nothing of a start is counted."""
    seen = [a_task(id=name) for name in "abc"]
    planned = a_plan(seen, policy=POLICY)
    late = planned.decisions[2].verdict
    assert (late.action, late.reason) == (Action.WAIT, Reason.RUN_LIMIT)
    assert (late.start, late.attempt.number, late.attempt.next_try) == (None, 1, None)
    assert planned.tasks["c"].starts.attempts == 0
    assert [notice.verdict for notice in planned.notices if notice.task == seen[2]] == [late]


def test_a_start_has_the_name_of_its_event() -> None:
    """Its id is known when it is decided: in the verdict, in the record, and in the notice."""
    planned = a_plan([a_running_task(id="b"), a_task()])
    (start,) = planned.starts
    assert start.verdict.start is not None
    assert start.verdict.start.id == "20261124-4711-1-start"
    assert planned.tasks["a"].starts.last_id == "20261124-4711-1-start"
    assert planned.notices[0].verdict.start == start.verdict.start


def test_only_what_would_be_started_is_a_candidate() -> None:
    """Of listed tasks, those whose start is due: failed, restartable, and not too many of them."""
    listed = [
        a_running_task(id="running", listed=True),
        a_task(id="hopeless", code=DISK_FULL, listed=True),
        a_task(id="waiting", listed=True),
        *(a_task(id=f"due-{number:02}", listed=True) for number in range(30)),
    ]
    memory = Memory({"waiting": a_started_record()})
    found = candidates(listed, memory, a_situation())
    assert found == tuple(f"due-{number:02}" for number in range(20))


def test_only_failed_tasks_are_decided_about_to_find_candidates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a thousand tasks most move, and each decision costs."""
    decided = []

    def count(reading: Reading, known: Optional[TaskRecord]) -> Decision:
        decided.append(reading.task.id)
        return decide(reading, known)

    monkeypatch.setattr(plan_module, "decide", count)
    moving = [a_running_task(id=f"m{number}", listed=True) for number in range(9)]
    assert candidates([*moving, a_task(listed=True)], Memory(), a_situation()) == ("a",)
    assert decided == ["a"]


# An outage of many tasks


def _outage(*others: Tuple[Task, TaskRecord], **situation: Any) -> Plan:
    """Return the plan of a run that calls about a task ``z``, and has read these as well."""
    mine = (a_task(id="z"), a_started_record(5, ago=2))
    seen = [task for task, _ in (*others, mine)]
    memory = Memory({task.id: record for task, record in (*others, mine)})
    planned = a_plan(seen, memory, **situation)
    assert planned.tasks["z"].failure.call is not None
    return planned


CALLED = Call("20261123-0-0-needs_person", NOW - minutes(5))


@pytest.mark.parametrize(
    ("code", "record", "goes_along"),
    [
        pytest.param(LINE_LOST, a_started_record(4), True, id="a try behind the others"),
        pytest.param(LINE_LOST, a_started_record(3), False, id="two tries behind"),
        pytest.param(LINE_LOST, a_started_record(1, tries=4), True, id="refused again and again"),
        pytest.param(DISK_BUSY, a_started_record(5), True, id="its last start just made"),
        pytest.param(DISK_BUSY, a_started_record(4), False, id="a start left"),
        pytest.param(DISK_BUSY, a_started_record(4, ago=15), True, id="its last start made now"),
        pytest.param(LINE_LOST, a_started_record(4, call=CALLED), False, id="called before"),
    ],
)
def test_one_call_for_a_person_takes_along_who_has_had_the_last_try(
    code: str, record: TaskRecord, goes_along: bool
) -> None:
    """Of the tasks of one outage a person hears at once, without the wait after each last try."""
    record = varied(record, code=code)
    planned = _outage((a_task(code=code), record))
    told = [notice for notice in planned.notices if notice.task and notice.task.id == "a"]
    assert [(each.kind, each.event_id) for each in told] == (
        [(Kind.NEEDS_PERSON, "20261124-4711-0-needs_person")] if goes_along else []
    )
    kept = planned.tasks.get("a", record).failure.call
    assert kept == (
        Call("20261124-4711-0-needs_person", NOW) if goes_along else record.failure.call
    )


@pytest.mark.parametrize(
    ("code", "ago", "reason"),
    [
        (LINE_LOST, 2, Reason.BACKOFF),
        (LINE_LOST, 15, Reason.LONGEST_WAIT),
        (DISK_BUSY, 2, Reason.ATTEMPTS_SPENT),
    ],
)
def test_a_call_after_the_last_try_takes_the_others_along(
    code: str, ago: float, reason: Reason
) -> None:
    """Whether trying goes on or not, the tasks of one outage are told together."""
    spent = a_started_record(5, ago=ago, code=code)
    seen = [a_task(), a_task(id="z", code=code)]
    planned = a_plan(seen, Memory({"a": a_started_record(4), "z": spent}))
    assert planned.decisions[1].verdict.reason is reason
    assert kinds(planned) == [Kind.NEEDS_PERSON, Kind.NEEDS_PERSON]


def test_a_task_whose_last_start_finds_no_room_does_not_go_along() -> None:
    """It has a start left, which the next run sends."""
    late = (a_task(id="b", code=DISK_BUSY), a_started_record(4, ago=15, code=DISK_BUSY))
    first = (a_task(id="a"), a_started_record(1, ago=16))
    planned = _outage(first, late, policy=a_policy(max_per_run=1))
    assert [start.task_id for start in planned.starts] == ["a"]
    assert planned.decisions[1].verdict.reason is Reason.RUN_LIMIT
    assert [notice.task.id for notice in planned.notices if notice.task] == ["z"]


def test_a_call_that_goes_along_says_what_the_others_say() -> None:
    """Its notice has the verdict on its task, and since when that is failed."""
    began = NOW - minutes(42)
    planned = _outage((a_task(), a_started_record(4, recent=(began,))))
    (told,) = (notice for notice in planned.notices if notice.task == a_task())
    assert told.verdict == planned.decisions[0].verdict
    assert told.verdict.reason is Reason.BACKOFF
    assert told.since == began


@pytest.mark.parametrize("state", ["RUNNING", "READY", "ABORT"])
def test_only_a_failed_task_goes_along(state: str) -> None:
    """A task that stands failed no more keeps its starts, but needs nobody."""
    other = a_task(state=state, code="")
    record = a_started_record(5, state=state, code="", failed_event="")
    planned = _outage((other, record))
    assert [notice.task.id for notice in planned.notices if notice.task] == ["z"]


def test_a_task_that_could_not_be_read_does_not_go_along() -> None:
    """What nobody could look at may be over."""
    spent = {name: a_started_record(5, ago=2) for name in "az"}
    planned = a_plan([UNREAD, a_task(id="z")], Memory(spent))
    assert [notice.task.id for notice in planned.notices if notice.task] == ["z"]


def test_with_one_try_a_task_goes_along_only_after_it() -> None:
    """With RESUME_MAX_ATTEMPTS=1 a task that was refused once has had its last try."""
    policy = a_policy(max_attempts=1)
    for tries, goes_along in ((0, False), (1, True)):
        record = a_started_record(0, tries=tries)
        planned = _outage((a_task(connected=False), record), policy=policy)
        assert (planned.tasks["a"].failure.call is not None) is goes_along, tries


def test_a_call_that_nobody_wants_to_hear_takes_the_others_along_all_the_same() -> None:
    """With needs_person left out of NOTIFY_ON nothing is told, and the same is remembered."""
    policy = a_policy(notify_on=frozenset({Kind.FAILED}))
    planned = _outage((a_task(), a_started_record(4)), policy=policy)
    assert planned.notices == ()
    assert planned.tasks["a"].failure.call == Call("20261124-4711-0-needs_person", NOW)


def test_what_no_start_can_mend_takes_nobody_along() -> None:
    """A disk that is full says nothing about the line that others have lost."""
    seen = [a_task(), a_task(id="z", code=DISK_FULL)]
    planned = a_plan(seen, Memory({"a": a_started_record(4)}))
    assert [(n.kind, n.task.id) for n in planned.notices if n.task] == [
        (Kind.FAILED, "z"),
        (Kind.NEEDS_PERSON, "z"),
    ]


# What the watchdog sees and remembers


def test_a_quiet_plan_is_empty() -> None:
    """Nothing new leaves nothing to record."""
    seen = [a_running_task()]
    first = a_plan(seen)
    assert not first.empty
    assert a_plan(seen, after(first)).empty


# What ends something


def test_each_task_is_closed_under_its_own_opening() -> None:
    """Tasks that fail in one run have an event each; both kinds about one are closed once."""
    seen = [a_task(id="a"), a_task(id="b", code=DISK_FULL), a_task(id="c")]
    failed = a_plan(seen)
    openings = {n.task.id: n.event_id for n in failed.notices[::-1] if n.task}
    assert {name: task.failure.event_id for name, task in failed.tasks.items()} == openings
    assert len(set(openings.values())) == 3
    assert failed.notices[1].kind is Kind.FAILED
    runs = a_plan([a_running_task(id=name) for name in "abc"], after(failed))
    closings = {n.task.id: n.event_id for n in runs.notices if n.task}
    assert closings == {name: f"{event}-end" for name, event in openings.items()}


def test_a_later_call_for_a_person_does_not_rename_the_incident() -> None:
    """What ends a failure is named after the notice that first told it."""
    failed = "20261123-1-0-failed"
    spent = a_started_record(5, ago=15, failed_event=failed)
    known = heard(Memory({"a": spent}))
    called = a_plan([a_task()], known)
    assert kinds(called) == [Kind.NEEDS_PERSON]
    assert called.tasks["a"].failure.openings == (failed, "20261124-4711-0-needs_person")
    moved = a_running_task(progress=Progress(6))
    runs = a_plan([moved], after(called, known))
    assert [notice.event_id for notice in runs.notices] == [f"{failed}-end"]


# Who wants to hear what


def _wanting(*wanted: Kind) -> Any:
    return a_policy(notify_on=frozenset(wanted))


def test_a_test_notice_is_made_on_request() -> None:
    """The command test adds one notice, whatever else there is; it cannot be muted."""
    planned = a_plan([a_running_task()], policy=_wanting(), commands=Commands(test=True))
    assert [(notice.kind, notice.event_id) for notice in planned.notices] == [
        (Kind.TEST, "20261124-4711-1-test")
    ]


def test_both_commands_are_answered_whoever_wants_to_hear_nothing() -> None:
    """What somebody asked for in this run is no news, so NOTIFY_ON has no say in it."""
    commands = Commands(test=True, digest=True)
    planned = a_plan([a_task()], NOTHING, policy=_wanting(), commands=commands)
    assert kinds(planned) == [Kind.TEST, Kind.DIGEST]
