"""The plan of a run over any tasks and memories: limits, names, and what it leaves behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Sequence

import pytest
from builders import (
    DISK_FULL,
    NOW,
    a_memory,
    a_policy,
    a_running_task,
    a_started_memory,
    a_task,
    minutes,
)
from hypothesis import given
from hypothesis import strategies as st
from strategies import IDS, memories, tasks, watches

from sms_watch.journal.entries import VERSION, Entry, EntryType, fold, snapshot
from sms_watch.model.notice import Action, Kind, Position, Reason
from sms_watch.model.task import Gone, Observation, Unseen
from sms_watch.rules.plan import BLIND_AFTER_RUNS, Plan, Wishes, plan
from sms_watch.rules.record import Memory, TaskMemory, WatchMemory

PLACE = Position("20261124", 4711)
POLICY = a_policy(max_per_run=2)

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
        lambda memory, since, sent: replace(memory, since=since, last_start=sent),
        memories,
        moments,
        st.none() | moments,
    ),
)
minds = st.builds(Memory, known, st.just({}), watches)


def _plan(seen: Sequence[Observation], memory: Memory, **more: Any) -> Plan:
    return plan(seen, memory, NOW, POLICY, PLACE, **more)


def _after(planned: Plan, memory: Memory) -> Memory:
    """Give the memory as the next run would read it."""
    entry = Entry(
        VERSION,
        EntryType.PLAN,
        NOW,
        "run-1",
        "nonce-1",
        tasks=planned.tasks,
        watch=planned.watch,
        notices=planned.notices,
    )
    return fold([snapshot(memory, NOW, "run-0", "nonce-0"), entry])


def _kinds(planned: Plan) -> List[Kind]:
    return [notice.kind for notice in planned.notices]


@given(observations, minds)
def test_every_task_gets_one_answer_with_a_reason(
    seen: Sequence[Observation], memory: Memory
) -> None:
    """Each observation is answered once, in its place."""
    planned = _plan(seen, memory)
    names = [getattr(each, "id", getattr(each, "task_id", "")) for each in seen]
    assert [decision.task_id for decision in planned.decisions] == names
    assert all(isinstance(decision.reason, Reason) for decision in planned.decisions)


@given(observations, minds)
def test_no_more_starts_than_a_run_may_send(seen: Sequence[Observation], memory: Memory) -> None:
    """The limit of starts in one run holds, and only failed tasks are started."""
    starts = _plan(seen, memory).starts
    assert len(starts) <= POLICY.max_per_run
    assert all(start.task and start.task.state.endswith("FAIL") for start in starts)


@given(observations, minds, st.randoms())
def test_the_order_of_the_tasks_does_not_matter(
    seen: Sequence[Observation], memory: Memory, random: Any
) -> None:
    """Which tasks are started and what is remembered is the same in any order."""
    shuffled = list(seen)
    random.shuffle(shuffled)
    one, other = _plan(seen, memory), _plan(shuffled, memory)
    assert {d.task_id: d for d in one.decisions} == {d.task_id: d for d in other.decisions}
    assert set(one.tasks) == set(other.tasks)
    assert sorted(_kinds(one)) == sorted(_kinds(other))


@given(observations, minds, st.booleans(), st.booleans())
def test_events_have_names_of_their_own(
    seen: Sequence[Observation], memory: Memory, test: bool, lost: bool
) -> None:
    """No two openings share an id, and an id never names two different things."""
    wishes = Wishes(test=test, digest=test)
    planned = _plan(seen, memory, wishes=wishes, memory_lost=lost)
    ids = [notice.event_id for notice in planned.notices if not notice.event_id.endswith("-end")]
    assert len(ids) == len(set(ids))
    assert all(event_id.startswith("20261124-4711-") for event_id in ids)
    assert planned == _plan(seen, memory, wishes=wishes, memory_lost=lost)


@given(observations, minds)
def test_a_plan_that_was_written_down_is_not_made_again(
    seen: Sequence[Observation], memory: Memory
) -> None:
    """The next run, seeing the same at the same moment, starts nothing twice and tells nothing."""
    first = _plan(seen, memory)
    again = _plan(seen, _after(first, memory))
    started = {start.task_id for start in first.starts}
    assert not started & {start.task_id for start in again.starts}
    assert [kind for kind in _kinds(again) if kind is not Kind.BLIND] == []


@given(observations, minds)
def test_what_is_planned_is_remembered(seen: Sequence[Observation], memory: Memory) -> None:
    """What is owed survives in the journal, and what was not seen stays as it was."""
    planned = _plan(seen, memory)
    after = _after(planned, memory)
    assert set(after.outbox) == {notice.event_id for notice in planned.notices}
    for each in seen:
        if isinstance(each, Unseen):
            assert after.tasks.get(each.task_id) == memory.tasks.get(each.task_id)


def test_who_has_waited_longest_is_started_first() -> None:
    """When a run has not room for all, the tasks take turns."""
    seen = [a_task(id=name) for name in "abc"]
    waited: Dict[str, TaskMemory] = {
        "a": a_memory(since=NOW - minutes(1)),
        "b": a_memory(since=NOW - minutes(3)),
        "c": a_memory(since=NOW - minutes(2)),
    }
    planned = _plan(seen, Memory(waited))
    assert [start.task_id for start in planned.starts] == ["b", "c"]
    assert planned.decisions[0].reason is Reason.RUN_LIMIT
    waited["b"] = replace(waited["b"], last_start=NOW - minutes(1))
    waited["a"] = replace(waited["a"], since=NOW - minutes(2))
    again = _plan(seen, Memory(waited))
    assert [start.task_id for start in again.starts] == ["a", "c"]


def test_a_quiet_plan_is_empty() -> None:
    """Nothing new leaves nothing to record."""
    seen = [a_running_task()]
    memory = _after(_plan(seen, Memory()), Memory())
    assert not _plan(seen, Memory()).empty
    assert _plan(seen, memory).empty


def test_blindness_is_told_at_the_third_run_and_its_end_once() -> None:
    """Three runs in a row that read nothing are told once; so is the first that reads again."""
    memory = Memory()
    told: List[List[Kind]] = []
    blind: List[Observation] = [Unseen("a", "HTTP 503")] * 5
    for seen in [*blind, a_running_task(), a_running_task()]:
        planned = _plan([seen], memory)
        told.append(_kinds(planned))
        memory = _after(planned, memory)
    assert told == [[], [], [Kind.BLIND], [], [], [Kind.SEES_AGAIN], []]
    assert _plan([blind[0]], replace(memory, watch=WatchMemory(3, NOW, "1"))).empty
    opened, closed = memory.outbox.values()
    assert closed.event_id == f"{opened.event_id}-end"
    assert opened.detail == "HTTP 503"
    assert BLIND_AFTER_RUNS == 3


def test_a_short_blindness_is_not_told() -> None:
    """Two runs that read nothing, and a third that does, tell nobody."""
    memory = Memory()
    short: List[Observation] = [Unseen("a", "HTTP 503")] * 2
    for seen in [*short, a_running_task()]:
        planned = _plan([seen], memory)
        assert planned.notices == ()
        memory = _after(planned, memory)
    assert memory.watch == WatchMemory()


def test_one_task_that_is_seen_is_enough_to_see() -> None:
    """A run that reads one task of two is not blind."""
    planned = _plan([Unseen("a", "HTTP 503"), a_running_task(id="b")], Memory())
    assert planned.watch is None


def test_muted_blindness_is_not_closed() -> None:
    """When blindness is not to be told, neither is its end."""
    policy = a_policy(notify_on=frozenset({Kind.SEES_AGAIN}))
    memory = Memory()
    blind: List[Observation] = [Unseen("a", "HTTP 503")] * 4
    for seen in [*blind, a_running_task()]:
        planned = plan([seen], memory, NOW, policy, PLACE)
        assert planned.notices == ()
        memory = _after(planned, memory)


def test_blindness_knows_its_first_run() -> None:
    """Both its notices say since when: that is the first of the runs, not the one that told."""
    memory, told = Memory(), []
    steps: List[Observation] = [Unseen("a", "HTTP 503")] * 4
    for number, seen in enumerate([*steps, a_running_task()]):
        planned = plan([seen], memory, NOW + minutes(number), POLICY, PLACE)
        told += [(notice.kind, notice.at, notice.since) for notice in planned.notices]
        memory = _after(planned, memory)
    assert told == [
        (Kind.BLIND, NOW + minutes(2), NOW),
        (Kind.SEES_AGAIN, NOW + minutes(4), NOW),
    ]


def test_a_muted_opening_mutes_its_closing() -> None:
    """A failure that was not told is not told as over, though that kind is wanted."""
    policy = a_policy(notify_on=frozenset({Kind.RESUMED}))
    memory = Memory()
    for seen in (a_task(code=DISK_FULL), a_running_task()):
        planned = plan([seen], memory, NOW, policy, PLACE)
        assert planned.notices == ()
        memory = _after(planned, memory)


@pytest.mark.parametrize("wanted", [Kind.FAILED, Kind.NEEDS_PERSON])
def test_either_opening_alone_is_closed(wanted: Kind) -> None:
    """Whichever of the two was told of a failure, its end carries the id of that one."""
    policy = a_policy(notify_on=frozenset({wanted, Kind.RESUMED}))
    failed = plan([a_task(code=DISK_FULL)], Memory(), NOW, policy, PLACE)
    (opened,) = failed.notices
    assert opened.kind is wanted
    runs = plan([a_running_task()], _after(failed, Memory()), NOW, policy, PLACE)
    (closed,) = runs.notices
    assert (closed.kind, closed.event_id) == (Kind.RESUMED, f"{opened.event_id}-end")


def test_each_task_is_closed_under_its_own_opening() -> None:
    """Tasks that fail in one run have an event each; both kinds about one are closed once."""
    seen = [a_task(id="a"), a_task(id="b", code=DISK_FULL), a_task(id="c")]
    failed = _plan(seen, Memory())
    openings = {n.task.id: n.event_id for n in failed.notices[::-1] if n.task}
    assert {name: task.incident for name, task in failed.tasks.items()} == openings
    assert len(set(openings.values())) == 3
    assert failed.notices[1].kind is Kind.FAILED
    runs = _plan([a_running_task(id=name) for name in "abc"], _after(failed, Memory()))
    closings = {n.task.id: n.event_id for n in runs.notices if n.task}
    assert closings == {name: f"{event}-end" for name, event in openings.items()}


def test_a_loss_can_be_muted() -> None:
    """NOTIFY_ON holds for what concerns the watching itself, too."""
    policy = a_policy(notify_on=frozenset({Kind.FAILED}))
    planned = plan([a_running_task()], Memory(), NOW, policy, PLACE, memory_lost=True)
    assert planned.notices == ()
    assert planned.watch == WatchMemory(loss_told=True)


def test_a_loss_that_was_told_is_remembered_through_blindness() -> None:
    """The end of a blind time does not make a known loss a new one."""
    memory = Memory(watch=WatchMemory(3, NOW, "20261124-0-0", loss_told=True))
    planned = _plan([a_running_task()], memory, memory_lost=True)
    assert _kinds(planned) == [Kind.SEES_AGAIN]
    assert planned.watch == WatchMemory(loss_told=True)


def test_a_lost_memory_is_told_once_for_each_loss() -> None:
    """The loss is told when it is found; a later loss is told again."""
    memory, told = Memory(), []
    for lost in (True, True, False, True):
        planned = _plan([a_running_task()], memory, memory_lost=lost)
        told.append(_kinds(planned))
        memory = _after(planned, memory)
    assert told == [[Kind.MEMORY_LOST], [], [], [Kind.MEMORY_LOST]]


def test_a_test_notice_is_made_on_request() -> None:
    """The command test adds one notice, whatever else there is; it cannot be muted."""
    policy = a_policy(notify_on=frozenset())
    planned = plan([a_running_task()], Memory(), NOW, policy, PLACE, wishes=Wishes(test=True))
    assert _kinds(planned) == [Kind.TEST]


def test_a_later_call_for_a_person_does_not_rename_the_incident() -> None:
    """What ends a failure is named after the notice that first told it."""
    spent = a_started_memory(5, ago=15, incident="20261123-1-0")
    planned = _plan([a_task()], Memory({"a": spent}))
    assert _kinds(planned) == [Kind.NEEDS_PERSON]
    assert planned.tasks["a"].incident == "20261123-1-0"


def test_a_gone_task_that_comes_back_is_followed_again() -> None:
    """What was gone and is there again is treated as at first sight."""
    gone = _plan([Gone("a")], Memory())
    assert _kinds(gone) == [Kind.GONE]
    known = Memory({"a": a_memory()})
    assert _kinds(_plan([Gone("a")], known)) == [Kind.GONE]
    memory = _after(gone, Memory())
    assert _kinds(_plan([Gone("a")], memory)) == []
    back = _plan([a_task()], memory)
    assert _kinds(back) == [Kind.FAILED]
    assert back.decisions[0].action is Action.START


def test_a_task_that_was_not_reached_is_told_apart_from_one_that_failed_to_be_read() -> None:
    """Without time or keys a task is not reached; with an answer that is none it is unreadable."""
    planned = _plan([Unseen("a", "no time", reached=False), Unseen("b", "HTTP 503")], Memory())
    assert [d.reason for d in planned.decisions] == [Reason.NOT_REACHED, Reason.UNREADABLE]
    assert [d.action for d in planned.decisions] == [Action.WAIT, Action.WAIT]
