"""The plan of a run over any tasks and memories: limits, names, and what it leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Tuple

import pytest
from builders import (
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
from hypothesis import given
from hypothesis import strategies as st
from planning import NOTHING, a_plan, after, besides_airtime, kinds
from strategies import IDS, records, tasks, watches

from sms_watch.journal import codec
from sms_watch.model.notice import Action, Kind, Reason
from sms_watch.model.task import Gone, Observation, Progress, Task, Unseen
from sms_watch.rules import plan as plan_module
from sms_watch.rules.call import Call
from sms_watch.rules.decide import Decision, Reading, decide
from sms_watch.rules.plan import BLIND_AFTER_RUNS, Commands, Plan, candidates
from sms_watch.rules.record import Memory, TaskRecord, WatchRecord
from sms_watch.rules.sight import Sight

POLICY = a_policy(max_per_run=2)
UNREAD: Observation = Unseen("a", "HTTP 503")

observations = st.lists(
    st.one_of(tasks, st.builds(Gone, IDS), st.builds(Unseen, IDS, st.just("HTTP 503"))),
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
        if isinstance(each, Unseen):
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
    """Of listed tasks, those whose start is due: failed, mendable, and not too many of them."""
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


def test_blindness_is_told_at_the_third_run_and_its_end_once() -> None:
    """Three runs in a row that read nothing are told once; so is the first that reads again."""
    memory = Memory()
    told: List[List[Kind]] = []
    for seen in [*[UNREAD] * 5, a_running_task(), a_running_task()]:
        planned = a_plan([seen], memory)
        told.append(kinds(planned))
        memory = after(planned, memory)
    assert told == [[], [], [Kind.BLIND], [], [], [Kind.SEES_AGAIN], []]
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
        (Kind.SEES_AGAIN, NOW + minutes(4), NOW),
    ]


def test_what_was_not_read_is_remembered() -> None:
    """The tasks that a run did not read come first in the next one; the others are forgotten."""
    late = [Unseen(name, "no time", reached=False) for name in "cb"]
    planned = a_plan([a_running_task(), *late, Unseen("d", "HTTP 503")])
    assert planned.watch == WatchRecord(
        unread={"c": Sight(NOW), "b": Sight(NOW), "d": Sight(NOW, 1)}
    )
    assert after(a_plan([a_running_task()], after(planned))).watch == WatchRecord()


def test_a_loss_that_was_told_is_remembered_through_blindness() -> None:
    """The end of a blind time does not make a known loss a new one."""
    memory = Memory(watch=WatchRecord(3, NOW, "20261124-0-0-blind", loss_told=True))
    planned = a_plan([a_running_task()], memory, memory_lost=True)
    assert kinds(planned) == [Kind.SEES_AGAIN]
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


@pytest.mark.parametrize("between", [a_running_task(), Unseen("a", "HTTP 503")])
def test_answers_in_a_row_are_those_without_another_between(between: Observation) -> None:
    """A reading begins the count anew; a run without an answer says nothing."""
    other = a_running_task(id="b")
    plans = _night([Gone("a"), other], [between, other], [Gone("a"), other])
    told = [Kind.GONE] if isinstance(between, Unseen) else []
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
    refused = Unseen("a", "HTTP 403", row=a_running_task(listed=True))
    gone: List[Observation] = [Gone("a"), a_task(id="b")]
    plans = _night(gone, gone, [refused, a_task(id="b")], discovers=True)
    assert Kind.READABLE in kinds(plans[2])


def test_of_a_task_that_is_gone_nobody_hears_that_it_cannot_be_read() -> None:
    """One end is enough, and it has the id of the notice that it ends."""
    refused, other = Unseen("a", "HTTP 403"), a_running_task(id="b")
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
    planned = a_plan([Unseen("a", "no time", reached=False), Unseen("b", "HTTP 503")])
    verdicts = [decision.verdict for decision in planned.decisions]
    assert [each.reason for each in verdicts] == [Reason.NOT_REACHED, Reason.UNREADABLE]
    assert [each.action for each in verdicts] == [Action.WAIT, Action.WAIT]
    assert [decision.detail for decision in planned.decisions] == ["no time", "HTTP 503"]


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
    called = a_plan([a_task()], Memory({"a": spent}))
    assert kinds(called) == [Kind.NEEDS_PERSON]
    assert called.tasks["a"].failure.openings == (failed, "20261124-4711-0-needs_person")
    moved = a_running_task(progress=Progress(6))
    runs = a_plan([moved], after(called, Memory({"a": spent})))
    assert [notice.event_id for notice in runs.notices] == [f"{failed}-end"]


# Who wants to hear what


def _wanting(*wanted: Kind) -> Any:
    return a_policy(notify_on=frozenset(wanted))


@pytest.mark.parametrize("wanted", [Kind.FAILED, Kind.NEEDS_PERSON])
def test_either_opening_alone_is_closed(wanted: Kind) -> None:
    """Whichever of the two was told of a failure, its end carries the id of that one."""
    policy = _wanting(wanted, Kind.RESUMED)
    failed = a_plan([a_task(code=DISK_FULL)], policy=policy)
    (opened,) = failed.notices
    assert opened.kind is wanted
    (closed,) = a_plan([a_running_task()], after(failed), policy=policy).notices
    assert (closed.kind, closed.event_id) == (Kind.RESUMED, f"{opened.event_id}-end")


FAILED, CALL = "20261123-0-1-failed", "20261123-0-2-needs_person"
STALL, LOST = "20261123-0-3-stalled", "20261123-0-4-disconnected"
LONG_AGO = NOW - minutes(400)
BROKEN = a_record(failed_event=FAILED, call=Call(CALL, LONG_AGO), code=DISK_FULL)
# It runs, and has stood still since long ago.
STILL = a_record(
    state="RUNNING",
    failed_event="",
    code="",
    last_progress=a_task().progress,
    moved_at=LONG_AGO,
    stall=Call(STALL, LONG_AGO),
)
# What is remembered, what is then read, and the kind that follows up what was told earlier.
FOLLOWS: Dict[str, Tuple[TaskRecord, Task, Kind]] = {
    "resumed": (BROKEN, a_running_task(), Kind.RESUMED),
    "reminder of a call": (BROKEN, a_task(code=DISK_FULL), Kind.REMINDER),
    "moving": (STILL, a_running_task(progress=Progress(6)), Kind.MOVING),
    "reminder of a stall": (STILL, a_running_task(), Kind.REMINDER),
    "connected": (
        a_record(state="RUNNING", failed_event="", code="", lost_event=LOST, lost_at=LONG_AGO),
        a_running_task(connected=True),
        Kind.CONNECTED,
    ),
}
REMINDER = "20261124-4711-0-reminder"


@pytest.mark.parametrize(
    ("case", "opened_by", "event_id"),
    [
        ("resumed", {Kind.FAILED, Kind.NEEDS_PERSON}, f"{FAILED}-end"),
        ("resumed", {Kind.FAILED}, f"{FAILED}-end"),
        ("resumed", {Kind.NEEDS_PERSON}, f"{CALL}-end"),
        ("resumed", {Kind.STALLED, Kind.DISCONNECTED, Kind.BLIND}, None),
        ("reminder of a call", {Kind.FAILED, Kind.NEEDS_PERSON}, REMINDER),
        ("reminder of a call", {Kind.FAILED}, REMINDER),
        ("reminder of a call", {Kind.NEEDS_PERSON}, REMINDER),
        ("reminder of a call", {Kind.STALLED}, None),
        ("moving", {Kind.STALLED}, f"{STALL}-end"),
        ("moving", {Kind.FAILED, Kind.NEEDS_PERSON}, None),
        ("reminder of a stall", {Kind.STALLED}, REMINDER),
        ("reminder of a stall", {Kind.FAILED, Kind.NEEDS_PERSON}, None),
        ("connected", {Kind.DISCONNECTED}, f"{LOST}-end"),
        ("connected", {Kind.FAILED, Kind.STALLED}, None),
    ],
)
def test_what_follows_up_a_notice_is_told_only_if_that_was(
    case: str, opened_by: FrozenSet[Kind], event_id: Optional[str]
) -> None:
    """An end or a reminder goes with a kind that people wanted; an end is named after it."""
    record, task, kind = FOLLOWS[case]
    known = Memory({"a": record})
    told = a_plan([task], known, policy=_wanting(kind, *opened_by)).notices
    assert [(notice.kind, notice.event_id) for notice in told] == (
        [(kind, event_id)] if event_id else []
    )
    muted = a_plan([task], known, policy=_wanting(*opened_by))
    assert kind not in kinds(muted)


def test_a_muted_opening_mutes_its_closing() -> None:
    """A failure that was not told is not told as over, though that kind is wanted."""
    policy = _wanting(Kind.RESUMED)
    memory = Memory()
    for seen in (a_task(code=DISK_FULL), a_running_task()):
        planned = a_plan([seen], memory, policy=policy)
        assert planned.notices == ()
        memory = after(planned, memory)


def test_muted_blindness_is_not_closed() -> None:
    """When blindness is not to be told, neither is its end."""
    memory = Memory()
    for seen in [*[UNREAD] * 4, a_running_task()]:
        planned = a_plan([seen], memory, policy=_wanting(Kind.SEES_AGAIN))
        assert planned.notices == ()
        memory = after(planned, memory)


def test_a_loss_can_be_muted() -> None:
    """NOTIFY_ON holds for what concerns the watching itself, too."""
    policy = _wanting(Kind.FAILED)
    planned = a_plan([a_running_task()], policy=policy, memory_lost=True)
    assert planned.notices == ()
    assert planned.watch == WatchRecord(loss_told=True)


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
    seen, refused = a_running_task(id="b"), Unseen("a", "HTTP 403", remedy="grant the right")
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
    refused = Unseen("a", "SMS.6527")
    told = _night(*[[refused, a_running_task(id="b")]] * 3)[-1].notices
    assert [(notice.kind, notice.task and notice.task.id) for notice in told] == [
        (Kind.UNREADABLE, "a")
    ]


def test_a_read_that_works_in_between_begins_the_count_anew() -> None:
    """Three runs in a row are needed: a service that blinks is no news."""
    refused, seen = Unseen("a", "HTTP 503"), a_running_task(id="b")
    one = [[refused, seen]] * 2 + [[a_running_task(), seen]]
    assert [plan.notices for plan in _night(*one, *one)] == [()] * 6


def test_what_was_not_asked_for_is_not_counted() -> None:
    """A run without time says nothing of a task, neither that it can be read nor that it cannot."""
    late, refused = Unseen("a", "no time", reached=False), Unseen("a", "HTTP 503")
    seen = a_running_task(id="b")
    plans = _night(*[[late, seen]] * 4, *[[refused, seen], [late, seen]] * 3)
    assert [kinds(plan) for plan in plans] == [[]] * 8 + [[Kind.UNREADABLE], []]


def test_a_blind_run_counts_for_no_single_task() -> None:
    """Where nothing can be read, that is told, and no list of tasks beside it."""
    blind = [Unseen("a", "HTTP 503"), Unseen("b", "HTTP 503")]
    assert [kinds(plan) for plan in _night(*[blind] * 4)] == [[], [], [Kind.BLIND], []]


def test_a_failed_task_that_only_the_list_shows_calls_a_person() -> None:
    """Its failure is told; that it cannot be read, and so is not started, calls somebody, once."""
    refused = Unseen("a", "HTTP 403", row=a_task(listed=True))
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
    passed = Unseen("a", "APIGW.0308", throttled=True, row=a_task(listed=True))
    unlisted = Unseen("c", "APIGW.0308", reached=False, throttled=True)
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
    passed = Unseen("a", "APIGW.0308", throttled=True, row=row)
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
    refused, other = Unseen("a", "HTTP 403", row=row), a_running_task(id="b")
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
    refused, other = Unseen("a", "HTTP 403", row=row), a_running_task(id="b")
    unread: List[Observation] = [refused, other]
    plans = _night(*[unread] * 3, [row, other], unread, [a_task(), other], discovers=True)
    assert [kinds(plan) for plan in plans[3:]] == [[], [], [Kind.READABLE]]
    runs = _night(*[unread] * 3, [a_running_task(listed=True), other], discovers=True)
    assert kinds(runs[3]) == [Kind.RESUMED, Kind.READABLE]


def test_a_part_of_the_list_is_told_like_a_task_and_so_is_its_end() -> None:
    """No observation stands for a list that is whole again."""
    part, other = Unseen("*", "HTTP 500", remedy="wait"), a_running_task(id="b")
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


# How much is said of one task


def _noise(number: int) -> List[Sequence[Observation]]:
    """Return runs that each have something to tell of one task."""
    return [[a_task(state=f"INVENTED-{each % 2}", code="")] for each in range(number)]


def test_a_noisy_task_does_not_silence_the_others() -> None:
    """Airtime is counted for each task by itself, and what is about the watching has none."""
    noise = [[*seen, a_running_task(id="b")] for seen in _noise(8)]
    plans = _night(*noise, [*_noise(1)[0], a_task(id="b")], memory_lost=True)
    assert [kinds(plan) for plan in plans[6:]] == [[], [], [Kind.FAILED]]
    assert plans[8].notices[0].task == a_task(id="b")
    commands = Commands(test=True, digest=True)
    assert kinds(_night(*_noise(8), commands=commands)[7]) == [Kind.TEST, Kind.DIGEST]


def test_what_is_held_back_is_remembered_and_never_owed() -> None:
    """The record of the task has it; the notice goes nowhere."""
    plans = _night(*_noise(7))
    assert plans[6].notices == ()
    assert plans[6].tasks["a"].state == "INVENTED-0"
    assert plans[6].watch is not None
    air = plans[6].watch.airtime["a"]
    assert (len(air.told), air.held, air.held_since) == (6, 1, NOW + minutes(6))


def test_a_summary_stands_for_what_was_held_back() -> None:
    """It has the name of the event that it is raised at, and says how many and since when."""
    plans = _night(*_noise(7), *[_noise(1)[0]] * 60)
    assert [number for number, plan in enumerate(plans) if plan.notices] == [*range(6), 66]
    (summary,) = plans[66].notices
    assert (summary.kind, summary.event_id) == (Kind.DIGEST, "20261124-4711-0-digest")
    assert (summary.count, summary.since) == (1, NOW + minutes(6))
    assert summary.task == _noise(1)[0][0]
    assert summary.verdict == plans[66].decisions[0].verdict


@pytest.mark.parametrize("last", [Gone("a", "it is called b now"), Unseen("a", "HTTP 503")])
def test_a_summary_comes_though_the_task_is_not_there(last: Observation) -> None:
    """That it was told to be gone, or not to be read, may be what was held back."""
    other = a_task(id="b", state="ABORT", code="")
    plans = _night(*([*seen, other] for seen in _noise(7)), *[[last, other]] * 61)
    (summary,) = [notice for plan in plans[7:] for notice in plan.notices]
    assert summary.kind is Kind.DIGEST
    assert summary.count == 2
    assert summary.task == Task("a", "web-01", "")
    assert summary.detail == plans[66].decisions[0].detail


def test_a_quiet_run_after_the_noise_writes_nothing() -> None:
    """What was said lately is dropped when there is something else to write."""
    plans = _night(*_noise(6), *[_noise(6)[-1]] * 90)
    assert all(plan.empty for plan in plans[6:])
    memory = Memory(watch=plans[5].watch or WatchRecord())
    later = a_plan([a_task(id="b")], memory, now=NOW + minutes(300))
    assert later.watch is not None
    assert set(later.watch.airtime) == {"b"}


def test_what_nobody_wants_to_hear_takes_no_airtime() -> None:
    """Whoever wants to hear of ends alone hears of the first one."""
    plans = _night(*_noise(9), [a_task(state="ABORT", code="")], policy=_wanting(Kind.PAUSED))
    assert [kinds(plan) for plan in plans] == [[]] * 9 + [[Kind.PAUSED]]
