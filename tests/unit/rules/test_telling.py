"""What people want to hear, and how much of it: kinds that are muted, tasks that are noisy."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

import pytest

from sms_watch.model.notice import Kind, kind_of
from sms_watch.model.task import Gone, Observation, Progress, Task, Unread
from sms_watch.rules.call import Call
from sms_watch.rules.draft import Commands, Plan
from sms_watch.rules.record import Memory, TaskRecord, WatchRecord
from tests.support.builders import (
    DISK_FULL,
    NOW,
    a_policy,
    a_record,
    a_running_task,
    a_task,
    minutes,
)
from tests.support.planning import a_plan, after, kinds
from tests.unit.rules.test_plan import UNREAD

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
    ("case", "told_of", "event_id"),
    [
        ("resumed", {Kind.FAILED, Kind.NEEDS_PERSON}, f"{FAILED}-end"),
        ("resumed", {Kind.FAILED}, f"{FAILED}-end"),
        ("resumed", {Kind.NEEDS_PERSON}, f"{CALL}-end"),
        ("resumed", {Kind.STALLED, Kind.DISCONNECTED, Kind.BLIND}, None),
        ("reminder of a call", {Kind.FAILED, Kind.NEEDS_PERSON}, REMINDER),
        ("reminder of a call", {Kind.FAILED}, REMINDER),
        ("reminder of a call", {Kind.NEEDS_PERSON}, REMINDER),
        ("reminder of a call", set(), None),
        ("moving", {Kind.STALLED}, f"{STALL}-end"),
        ("moving", {Kind.FAILED, Kind.NEEDS_PERSON}, None),
        ("reminder of a stall", {Kind.STALLED}, REMINDER),
        ("reminder of a stall", set(), None),
        ("connected", {Kind.DISCONNECTED}, f"{LOST}-end"),
        ("connected", {Kind.FAILED, Kind.STALLED}, None),
    ],
)
def test_what_follows_up_a_notice_is_told_only_if_that_was(
    case: str, told_of: FrozenSet[Kind], event_id: Optional[str]
) -> None:
    """An end or a reminder goes with what people heard of; an end is named after it."""
    record, task, kind = FOLLOWS[case]
    told = frozenset(each for each in record.openings if kind_of(each) in told_of)
    known = Memory({"a": record}, told=told)
    heard = a_plan([task], known, policy=_wanting(kind)).notices
    assert [(notice.kind, notice.event_id) for notice in heard] == (
        [(kind, event_id)] if event_id else []
    )
    muted = a_plan([task], known, policy=_wanting(*set(Kind) - {kind}))
    assert kind not in kinds(muted)


@pytest.mark.parametrize(
    ("before", "after_it", "told"),
    [(set(Kind), {Kind.RESUMED}, True), ({Kind.RESUMED}, set(Kind), False)],
    ids=["wanted then", "wanted by now"],
)
def test_what_was_told_counts_and_not_who_wants_to_hear_it_by_now(
    before: Set[Kind], after_it: Set[Kind], told: bool
) -> None:
    """An end without its beginning says nothing, and a beginning without its end is not true."""
    failed = a_plan([a_task()], policy=_wanting(*before))
    memory = after(failed)
    assert (memory.told == frozenset(failed.tasks["a"].openings)) is told
    ended = a_plan([a_running_task()], memory, policy=_wanting(*after_it))
    assert kinds(ended) == ([Kind.RESUMED] if told else [])
    assert after(ended, memory).told == frozenset()


HANG, UNKNOWN = "20261123-0-5-hanging", "20261123-0-6-unknown_state"


@pytest.mark.parametrize("rest", [HANG, UNKNOWN])
@pytest.mark.parametrize(
    ("task", "became"),
    [
        (a_task(code=DISK_FULL), Kind.NEEDS_PERSON),
        (a_task(state="ABORT", code=""), Kind.PAUSED),
        (a_task(state="SYNC_SUCCESS", code=""), Kind.FINISHED),
        (a_task(state="SYNCING", code=""), Kind.COPIED),
    ],
)
def test_the_end_of_a_hang_is_told_once_by_what_people_want_to_hear(
    rest: str, task: Task, became: Kind
) -> None:
    """What the task became says it; to who does not want to hear that, that it has moved on."""
    record = a_record(state="SKIPPING", code="", failed_event="", rest=Call(rest, NOW))
    known = Memory({"a": record}, told=frozenset({rest}))
    assert Kind.MOVING not in kinds(a_plan([task], known))
    assert became in kinds(a_plan([task], known))
    muted = a_plan([task], known, policy=_wanting(Kind.MOVING))
    assert [notice.event_id for notice in muted.notices] == [f"{rest}-end"]


def test_a_call_that_nobody_was_told_of_is_told_by_its_reminder() -> None:
    """Once its kind is wanted: it still stands, and nothing else would ever tell it."""
    known = Memory({"a": BROKEN})
    policy = _wanting(Kind.NEEDS_PERSON, Kind.REMINDER, Kind.RESUMED)
    reminded = a_plan([a_task(code=DISK_FULL)], known, policy=policy)
    assert [(each.kind, each.follows) for each in reminded.notices] == [(Kind.REMINDER, (CALL,))]
    memory = after(reminded, known)
    assert memory.told == {CALL}
    ended = a_plan([a_running_task()], memory, policy=policy)
    assert [notice.event_id for notice in ended.notices] == [f"{CALL}-end"]


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
        planned = a_plan([seen], memory, policy=_wanting(Kind.SIGHTED))
        assert planned.notices == ()
        memory = after(planned, memory)


def test_a_loss_can_be_muted() -> None:
    """NOTIFY_ON holds for what concerns the watching itself, too."""
    policy = _wanting(Kind.FAILED)
    planned = a_plan([a_running_task()], policy=policy, memory_lost=True)
    assert planned.notices == ()
    assert planned.watch == WatchRecord(loss_told=True)


# One task among many that cannot be read


def _night(*observed: Sequence[Any], **situation: Any) -> List[Plan]:
    """Return the plans of runs a minute apart, each with what the one before remembers."""
    memory, plans = Memory(), []
    for number, seen in enumerate(observed):
        plans.append(a_plan(seen, memory, now=NOW + minutes(number), **situation))
        memory = after(plans[-1], memory)
    return plans


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
    assert (len(air.told_at), air.held, air.held_since) == (6, 1, NOW + minutes(6))


def test_a_summary_stands_for_what_was_held_back() -> None:
    """It has the name of the event that it is raised at, and says how many and since when."""
    plans = _night(*_noise(7), *[_noise(1)[0]] * 60)
    assert [number for number, plan in enumerate(plans) if plan.notices] == [*range(6), 66]
    (summary,) = plans[66].notices
    assert (summary.kind, summary.event_id) == (Kind.DIGEST, "20261124-4711-0-digest")
    assert (summary.count, summary.since) == (1, NOW + minutes(6))
    assert summary.task == _noise(1)[0][0]
    assert summary.verdict == plans[66].decisions[0].verdict


def test_a_summary_can_be_muted() -> None:
    """It is a digest of one task, and what it would stand for is then told by nobody."""
    policy = _wanting(*set(Kind) - {Kind.DIGEST})
    plans = _night(*_noise(7), *[_noise(1)[0]] * 60, policy=policy)
    assert [number for number, plan in enumerate(plans) if plan.notices] == [*range(6)]


@pytest.mark.parametrize("last", [Gone("a", "it is called b now"), Unread("a", "HTTP 503")])
def test_a_summary_comes_though_the_task_is_not_there(last: Observation) -> None:
    """That it was told to be gone, or not to be read, may be what was held back."""
    other = a_task(id="b", state="ABORT", code="")
    plans = _night(*([*seen, other] for seen in _noise(7)), *[[last, other]] * 61)
    (summary,) = [notice for plan in plans[7:] for notice in plan.notices]
    assert summary.kind is Kind.DIGEST
    assert summary.count == 2
    assert summary.task == Task("a", "web-01", "")
    assert summary.detail == plans[66].decisions[0].detail


def _pause_after_noise(runs: int) -> Memory:
    """Let SMS pause a noisy task, which nobody hears, and return the memory some runs later."""
    paused = a_task(state="ABORT", code=DISK_FULL)
    memory = Memory()
    for number, (seen,) in enumerate([*_noise(7), *[[paused]] * runs]):
        planned = a_plan([seen], memory, now=NOW + minutes(number))
        memory = after(planned, memory)
    return memory


@pytest.mark.parametrize(("runs", "told"), [(30, False), (200, True)])
def test_the_end_of_what_was_held_back_goes_out_once_a_summary_stood_for_it(
    runs: int, told: bool
) -> None:
    """Whoever was told how a task stands has to hear that it does not any more."""
    memory = _pause_after_noise(runs)
    (paused,) = memory.tasks["a"].openings
    assert kind_of(paused) is Kind.PAUSED
    assert (paused in memory.told) is told
    ended = a_plan([a_running_task()], memory, now=NOW + minutes(runs + 8))
    assert (Kind.RESUMED in kinds(ended)) is told


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
