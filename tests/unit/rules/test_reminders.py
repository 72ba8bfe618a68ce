"""What is said again, and regularly: reminders with an end, snooze, the digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, List, Sequence

import pytest
from builders import (
    DISK_FULL,
    LINE_LOST,
    NO_RSYNC,
    NOW,
    a_memory,
    a_policy,
    a_running_task,
    a_started_memory,
    a_task,
    minutes,
)

from sms_watch.journal.entries import VERSION, Entry, EntryType, fold, snapshot
from sms_watch.model.notice import Kind, Notice, Outcome, Position, Standing
from sms_watch.model.task import Observation, Progress, Task, Unseen
from sms_watch.rules.decide import settle
from sms_watch.rules.plan import Plan, Wishes, plan
from sms_watch.rules.record import Memory, TaskMemory, WatchMemory
from sms_watch.rules.reminders import (
    MOST_REMINDERS,
    MOST_STANDINGS,
    Snooze,
    digested,
    due,
    is_open,
    lost,
    snoozed,
    standings,
)

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FULL = a_task(code=DISK_FULL)
DAILY = a_policy(digest=24 * HOUR)


def _open(ago: timedelta = 4 * HOUR, **fields: Any) -> TaskMemory:
    """Give what is remembered of a task about which a person was asked so long ago."""
    usual = {"code": DISK_FULL, "asked": True, "since": NOW - ago, "reminded_at": NOW - ago}
    return a_memory(**{**usual, **fields})


def _plan(seen: Sequence[Observation], memory: Memory, now: datetime = NOW, **more: Any) -> Plan:
    policy = more.pop("policy", a_policy())
    return plan(seen, memory, now, policy, Position("20261124", 4711), **more)


def _after(planned: Plan, memory: Memory, now: datetime = NOW) -> Memory:
    """Give the memory as the next run would read it."""
    entry = Entry(
        VERSION,
        EntryType.PLAN,
        now,
        "run-1",
        "nonce-1",
        tasks=planned.tasks,
        watch=planned.watch,
        told=tuple(notice.event_id for notice in planned.notices),
        notices=planned.notices,
    )
    return fold([snapshot(memory, now, "run-0", "nonce-0"), entry])


def _kinds(planned: Plan) -> List[Kind]:
    return [notice.kind for notice in planned.notices]


def _digest(planned: Plan) -> Notice:
    return next(notice for notice in planned.notices if notice.kind is Kind.DIGEST)


# Reminders


@pytest.mark.parametrize(("early", "told"), [(SECOND, False), (timedelta(0), True)])
def test_a_reminder_comes_after_remind_hours(early: timedelta, told: bool) -> None:
    """A second before REMIND_HOURS nothing is said, at it the reminder is."""
    planned = _plan([FULL], Memory({"a": _open(4 * HOUR - early)}))
    assert (Kind.REMINDER in _kinds(planned)) is told


def test_six_reminders_are_all() -> None:
    """They are numbered, REMIND_HOURS apart, and after the sixth nothing more is said."""
    memory, told = Memory({"a": _open(timedelta(0))}), []
    for hour in range(72):
        now = NOW + hour * HOUR
        planned = _plan([FULL], memory, now)
        memory = _after(planned, memory, now)
        told += [(hour, notice.count) for notice in planned.notices]
    assert told == [(4 * number, number) for number in range(1, 7)]
    assert MOST_REMINDERS == 6


@pytest.mark.parametrize(
    ("record", "open_"),
    [
        pytest.param(_open(), True, id="a failure that a person was asked about"),
        pytest.param(_open(asked=False), False, id="a failure that is being mended"),
        pytest.param(_open(state="RUNNING"), False, id="it runs, and has to prove itself"),
        pytest.param(_open(state="SYNC_F_ROLLBACK_SUCCESS"), True, id="a rollback"),
        pytest.param(_open(state="RUNNING", asked=False, stalled="1"), True, id="a stall"),
        pytest.param(_open(state="ABORT", asked=False), False, id="a pause"),
        pytest.param(_open(state="", asked=False), False, id="a task that is gone"),
    ],
)
def test_what_stands_open(record: TaskMemory, open_: bool) -> None:
    """Only what needs a person and has been told is repeated."""
    assert is_open(record) is open_
    assert bool(due({"a": record}, NOW, a_policy())) is open_


@pytest.mark.parametrize(
    "policy",
    [a_policy(remind=timedelta(0)), a_policy(notify_on=frozenset(Kind) - {Kind.REMINDER})],
    ids=["REMIND_HOURS=0", "NOTIFY_ON without reminder"],
)
def test_reminders_can_be_switched_off(policy: Any) -> None:
    """With either setting nothing is repeated and nothing is counted."""
    memory = Memory({"a": _open(400 * HOUR)})
    planned = _plan([FULL], memory, policy=policy)
    assert planned.empty


@pytest.mark.parametrize(("ago", "joins"), [(3 * HOUR - SECOND, False), (3 * HOUR, True)])
def test_reminders_that_would_be_due_soon_come_along(ago: timedelta, joins: bool) -> None:
    """From three quarters of the time on, a task joins the reminder of another."""
    records = {"a": _open(), "b": _open(ago)}
    seen = [FULL, replace(FULL, id="b")]
    told = [notice.task and notice.task.id for notice in _plan(seen, Memory(records)).notices]
    assert told == (["a", "b"] if joins else ["a"])


def test_a_reminder_says_since_when() -> None:
    """However often a start came to nothing in between, the failure began when it was told."""
    began = NOW - 9 * HOUR
    record = _open(since=NOW - minutes(1), failures=(began,))
    assert _plan([FULL], Memory({"a": record})).notices[0].since == began
    stall = _open(
        state="RUNNING", incident="", asked=False, stalled="1", moved=began, place=Progress()
    )
    task = a_running_task(progress=Progress())
    assert _plan([task], Memory({"a": stall})).notices[0].since == began


def test_a_new_failure_counts_its_own_reminders() -> None:
    """Where another failure is told, its reminders begin at one."""
    record = _open(400 * HOUR, reminded=6)
    planned = _plan([a_task(code=NO_RSYNC)], Memory({"a": record}))
    assert _kinds(planned) == [Kind.FAILED, Kind.NEEDS_PERSON]
    assert (planned.tasks["a"].reminded, planned.tasks["a"].reminded_at) == (0, NOW)


def test_nothing_is_repeated_of_a_task_that_cannot_be_read() -> None:
    """What nobody could look at may be over."""
    memory = Memory({"a": _open(400 * HOUR)})
    assert _plan([Unseen("a", "HTTP 503")], memory).notices == ()


def test_a_stall_is_reminded_of_from_its_first_notice_on() -> None:
    """The call about a stall is remembered in the run that tells it."""
    at = NOW - HOUR
    record = TaskMemory("RUNNING", at, place=Progress(1, 5, 5), moved=at, suspected=at)
    planned = _plan([a_running_task(progress=Progress(1, 5, 5))], Memory({"a": record}))
    assert _kinds(planned) == [Kind.STALLED]
    assert planned.tasks["a"].reminded_at == NOW
    assert planned.tasks["a"].stalled == "20261124-4711-0"


# Snooze


@pytest.mark.parametrize(("later", "told"), [(-SECOND, False), (timedelta(0), True)])
def test_a_snooze_ends_when_it_ends(later: timedelta, told: bool) -> None:
    """A second before its end no reminder comes, at it the one that is due does."""
    record = _open(9 * HOUR, snoozed=NOW - later)
    assert (Kind.REMINDER in _kinds(_plan([FULL], Memory({"a": record})))) is told


def test_a_wish_that_holds_already_changes_nothing() -> None:
    """A timer repeats its text on every tick; the snooze does not grow, and nothing is written."""
    wish = Snooze("a", 8 * HOUR)
    first = snoozed(_open(), wish, NOW)
    assert first.snoozed == NOW + 8 * HOUR
    assert snoozed(first, wish, NOW + HOUR) is first
    assert snoozed(first, wish, NOW + 8 * HOUR).snoozed == NOW + 16 * HOUR
    memory = Memory({"a": first})
    assert _plan([FULL], memory, NOW + HOUR, wishes=Wishes(snooze=wish)).empty


def test_a_snooze_holds_for_its_task_alone() -> None:
    """The other tasks are spoken of as ever, and so is all that is no reminder."""
    records = {"a": _open(), "b": _open()}
    seen = [FULL, replace(FULL, id="b")]
    planned = _plan(seen, Memory(records), wishes=Wishes(snooze=Snooze("a", HOUR)))
    assert [notice.task and notice.task.id for notice in planned.notices] == ["b"]
    assert planned.tasks["a"].snoozed == NOW + HOUR
    news = _plan([a_task(code=NO_RSYNC)], _after(planned, Memory(records)))
    assert _kinds(news) == [Kind.FAILED, Kind.NEEDS_PERSON]


def test_a_snooze_is_kept_where_the_task_was_not_read() -> None:
    """The wish is written into what is remembered, and nothing else of it changes."""
    memory, wish = Memory({"a": _open()}), Wishes(snooze=Snooze("a", HOUR))
    planned = _plan([Unseen("a", "HTTP 503")], memory, wishes=wish)
    assert planned.tasks == {"a": replace(_open(), snoozed=NOW + HOUR)}
    assert planned.notices == ()
    assert _plan([Unseen("b", "HTTP 503")], memory, wishes=wish).tasks == {}


# The digest


def test_the_first_digest_comes_after_digest_hours() -> None:
    """The first run only notes when it was; at DIGEST_HOURS the digest comes, then again."""
    memory, told = Memory(), []
    for hour in range(73):
        now = NOW + hour * HOUR
        task = a_running_task(progress=Progress(1, 5, hour))
        planned = _plan([task], memory, now, policy=DAILY)
        memory = _after(planned, memory, now)
        told += [(hour, notice.kind, notice.since) for notice in planned.notices]
    assert told == [(24 * day, Kind.DIGEST, NOW + 24 * (day - 1) * HOUR) for day in (1, 2, 3)]


@pytest.mark.parametrize(("early", "told"), [(SECOND, False), (timedelta(0), True)])
def test_a_digest_is_due_to_the_second(early: timedelta, told: bool) -> None:
    """Before DIGEST_HOURS since the last one there is none."""
    watch = WatchMemory(digested=NOW - 24 * HOUR + early)
    planned = _plan([FULL], Memory({"a": _open(HOUR)}, watch=watch), policy=DAILY)
    assert (Kind.DIGEST in _kinds(planned)) is told


def test_a_digest_can_be_muted_and_asked_for() -> None:
    """DIGEST_HOURS=0 or NOTIFY_ON without it mean none, and the command report always one."""
    memory = Memory({"a": _open(HOUR)}, watch=WatchMemory(digested=NOW - 99 * HOUR))
    muted = a_policy(digest=24 * HOUR, notify_on=frozenset(Kind) - {Kind.DIGEST})
    for policy in (a_policy(), muted):
        assert _plan([FULL], memory, policy=policy).empty
        asked = _plan([FULL], memory, policy=policy, wishes=Wishes(digest=True))
        assert _kinds(asked) == [Kind.DIGEST]
        assert asked.watch is not None
        assert asked.watch.digested == NOW


def test_a_regular_digest_waits_until_something_can_be_read() -> None:
    """A digest of nothing is not sent; one that is asked for says what could not be read."""
    memory = Memory({"a": _open(HOUR)}, watch=WatchMemory(digested=NOW - 24 * HOUR))
    blind = [Unseen("a", "HTTP 503")]
    assert _kinds(_plan(blind, memory, policy=DAILY)) == []
    asked = _digest(_plan(blind, memory, policy=DAILY, wishes=Wishes(digest=True)))
    assert (asked.standings, asked.detail) == ((), "1 could not be read: HTTP 503")
    seen: List[Observation] = [FULL, Unseen("b", "HTTP 503")]
    assert _digest(_plan(seen, memory, policy=DAILY)).detail == "1 could not be read: HTTP 503"


def test_the_time_lost_is_counted_from_digest_to_digest() -> None:
    """A task that stands failed over a digest loses its time before it and after it, once each."""
    failed = a_memory(since=NOW - 5 * HOUR, lost=600.0)
    assert lost(failed, NOW) == 5 * 3600 + 600
    after = digested(failed, NOW)
    assert lost(after, NOW) == 0
    assert lost(after, NOW + HOUR) == 3600
    running = replace(after, state="RUNNING", lost=lost(after, NOW + HOUR), since=NOW + HOUR)
    assert lost(running, NOW + 9 * HOUR) == 3600


def test_a_night_of_failures_adds_up_over_all_digests() -> None:
    """However failures, runs and digests lie, the seconds lost are those spent failed."""
    memory, told = Memory(), 0.0
    for minute in range(24 * 60):
        now = NOW + minutes(minute)
        fails = minute % 50 < 20
        task = a_task() if fails else a_running_task(progress=Progress(1, 5, minute // 15))
        planned = _plan([task], memory, now, policy=a_policy(digest=minutes(7 * 60 + 13)))
        memory = _after(planned, memory, now)
        told += sum(each.lost for notice in planned.notices for each in notice.standings)
    left = lost(memory.tasks["a"], NOW + minutes(24 * 60 - 1))
    assert told + left == 60 * sum(minute % 50 < 20 for minute in range(24 * 60))


@pytest.mark.parametrize(
    ("outcome", "next_"),
    [(Outcome.DONE, 1), (Outcome.UNKNOWN, 1), (Outcome.REFUSED, 0), (Outcome.SKIPPED, 0)],
)
def test_a_start_in_the_run_of_a_digest_is_counted_once(outcome: Outcome, next_: int) -> None:
    """What becomes of it is not known yet, so it belongs to the next digest, if it was taken."""
    record = a_started_memory(2, ago=60, starts=3, incident="1")
    planned = _plan([a_task()], Memory({"a": record}), wishes=Wishes(digest=True))
    assert len(planned.starts) == 1
    assert _digest(planned).standings[0].starts == 3
    assert settle(planned.starts[0], planned.tasks["a"], outcome).starts == next_


def test_the_most_urgent_come_first() -> None:
    """What failed, what was rolled back, what stands still, what is unknown, then by name."""
    running = a_running_task()
    made: List[Any] = [
        (replace(running, id="1", name="z"), TaskMemory("RUNNING", NOW)),
        (replace(running, id="2", name="y"), TaskMemory("RUNNING", NOW, stalled="1", moved=NOW)),
        (a_task(id="3", name="x"), a_memory()),
        (a_task(id="4", name="w", state="ABORT"), a_memory(state="ABORT")),
        (a_task(id="5", name="v", state="INVENTED"), a_memory(state="INVENTED")),
        (a_task(id="6", name="u", state="SYNC_F_ROLLBACK_SUCCESS"), a_memory()),
        (a_task(id="7", name="t"), a_memory()),
    ]
    shown, more = standings(made, NOW)
    assert [each.task.id for each in shown] == ["7", "3", "6", "2", "5", "4", "1"]
    assert [each.still for each in shown if each.still] == [NOW]
    assert more == 0


@pytest.mark.parametrize(("number", "more"), [(100, 0), (101, 1)])
def test_a_digest_holds_a_hundred_tasks(number: int, more: int) -> None:
    """Those that need nobody are counted when there is no room for them."""
    calm = [
        (a_running_task(id=f"t{n}", name="a"), TaskMemory("RUNNING", NOW)) for n in range(number)
    ]
    calm[-1] = (a_task(id="bad", name="z"), a_memory())
    shown, left = standings(calm, NOW)
    assert (len(shown), left) == (MOST_STANDINGS, more)
    assert shown[0].task.id == "bad"


def test_a_task_that_is_gone_is_in_no_digest() -> None:
    """Only what the service still has is listed, what rests as well."""
    seen = [a_task(state="MIGRATE_SUCCESS", code=""), a_running_task(id="b")]
    shown = _digest(_plan(seen, Memory(), wishes=Wishes(digest=True))).standings
    assert {each.task.id for each in shown} == {"a", "b"}
    assert all(isinstance(each, Standing) for each in shown)


# Flapping and the agent, over what is remembered


def _told(steps: Sequence[Task], gap: float) -> List[Kind]:
    """Give the kinds that are told of a task over readings so many minutes apart."""
    memory = Memory()
    kinds: List[Kind] = []
    for number, task in enumerate(steps):
        now = NOW + minutes(gap * number)
        planned = _plan([task], memory, now)
        memory = _after(planned, memory, now)
        kinds += _kinds(planned)
    return kinds


def _swings(number: int) -> List[Task]:
    """Give a task that fails and comes back, a little further each time."""
    states = [(a_task, step) for step in range(number)]
    return [
        make(progress=Progress(1, 5, step))
        for failed, step in states
        for make in (failed, a_running_task)
    ]


@pytest.mark.parametrize(("times", "flapping"), [(4, False), (5, True), (9, True)])
def test_more_than_four_failures_in_an_hour_are_told_as_one(times: int, flapping: bool) -> None:
    """Four are told in pairs; the fifth is the last that is told until it has settled."""
    kinds = _told(_swings(times), gap=3)
    pairs = [Kind.FAILED, Kind.RESUMED] * 4
    assert kinds == pairs + ([Kind.FAILED] if flapping else [])


@pytest.mark.parametrize(("gap", "flapping"), [(7.5, False), (7.4, True)])
def test_failures_count_within_an_hour(gap: float, flapping: bool) -> None:
    """The first of five failures that is an hour old is no part of it any more."""
    kinds = _told(_swings(5), gap)
    assert kinds.count(Kind.RESUMED) == (4 if flapping else 5)


@pytest.mark.parametrize(("after", "told"), [(60 - 1 / 60, False), (60, True)])
def test_a_flapping_task_has_settled_after_an_hour(after: float, told: bool) -> None:
    """An hour without a failure is the end, a second less is not; the end has the count."""
    failures = tuple(NOW - minutes(after + ago) for ago in (40, 30, 20, 10, 0))
    record = a_memory(
        state="RUNNING", since=NOW - minutes(after), flaps=7, failures=failures, code=""
    )
    planned = _plan([a_running_task()], Memory({"a": record}))
    assert [(notice.kind, notice.count) for notice in planned.notices] == (
        [(Kind.RESUMED, 7)] if told else []
    )


def test_a_flapping_task_that_stays_failed_is_told_and_asked_about_once() -> None:
    """After an hour in one failure people hear since when; a call for a person is not repeated."""
    began = NOW - HOUR
    record = _open(
        HOUR, flaps=6, failures=(began,), code=LINE_LOST, last_start=NOW, tries=6, mark=Progress()
    )
    planned = _plan([a_task(progress=Progress())], Memory({"a": record}))
    assert [(n.kind, n.count, n.since) for n in planned.notices] == [(Kind.FAILED, 0, began)]
    after = planned.tasks["a"]
    assert (after.flaps, after.asked, after.incident) == (0, True, record.incident)
    assert _plan([a_task(progress=Progress())], _after(planned, Memory({"a": record}))).empty


def test_an_agent_is_told_as_lost_and_as_back_once() -> None:
    """What is not known changes nothing, and a reset in between does not tell it again."""
    away, back = a_running_task(connected=False), a_running_task(connected=True)
    unknown = a_running_task(connected=None)
    reset = a_task(state="RESETING", code="", connected=False)
    steps = [back, away, away, unknown, reset, away, back, back, unknown]
    assert _told(steps, gap=1) == [Kind.DISCONNECTED, Kind.CONNECTED]


def test_a_pause_ends_what_was_told_of_the_agent() -> None:
    """Nobody needs to hear that the agent of a paused task is back."""
    away, back = a_running_task(connected=False), a_running_task(connected=True)
    steps = [away, a_task(state="ABORT", code="", connected=False), back]
    assert _told(steps, gap=1) == [Kind.DISCONNECTED, Kind.PAUSED]


def test_a_lost_agent_mutes_the_repeated_failures_of_its_task() -> None:
    """While it is away, starts that run for a moment and fail again are told no more."""
    away = [
        a_task(connected=False),
        *[a_running_task(connected=False), a_task(connected=False)] * 5,
    ]
    kinds = _told(away, gap=16)
    assert kinds.count(Kind.FAILED) == 1
    assert Kind.RESUMED not in kinds
    assert kinds.count(Kind.DISCONNECTED) == 1


def test_the_time_since_a_failure_spans_the_starts_that_came_to_nothing() -> None:
    """Running again says how long after the failure that was told, not after the last relapse."""
    memory = Memory()
    steps = [a_task(), *[a_running_task(), a_task()] * 3, a_running_task(progress=Progress(1, 6))]
    told: List[Notice] = []
    for number, task in enumerate(steps):
        planned = _plan([task], memory, NOW + minutes(20 * number))
        memory = _after(planned, memory)
        told += planned.notices
    last = [notice for notice in told if notice.kind is Kind.FAILED][-1]
    assert told[-1].kind is Kind.RESUMED
    assert told[-1].since == last.at
