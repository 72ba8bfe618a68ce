"""What a run sees of the tasks, apart from what it makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List, Tuple

import pytest

from sms_watch import parallel
from sms_watch.errors import CloudError
from sms_watch.model.notice import Kind
from sms_watch.model.policy import Scope
from sms_watch.model.task import Gone, Task, Unread
from sms_watch.observe import Observed, Observer
from sms_watch.rules.airtime import Airtime
from sms_watch.rules.record import Memory, WatchRecord
from sms_watch.rules.sight import Sight
from tests.support.builders import (
    DISK_FULL,
    NOW,
    a_policy,
    a_record,
    a_running_task,
    a_situation,
    a_task,
    minutes,
)
from tests.support.fakes import FakeService
from tests.support.runs import ports_of, running


def _observe(service: FakeService, scope: Scope, memory: Memory) -> Observed:
    return Observer(ports_of(service), scope, a_situation(), memory).observe()


def test_the_order_of_what_is_seen_is_that_of_the_settings() -> None:
    """Though what the last run had no time for is read first."""
    service = running("a", "b", "c")
    late = Memory(
        {"a": a_record(state="RUNNING", name="a")}, watch=WatchRecord(unread={"c": Sight(NOW)})
    )
    seen = _observe(service, Scope(("a", "b", "c")), late)
    assert service.reads[0] == "c"
    assert [each.id for each in seen.observations if isinstance(each, Task)] == ["a", "b", "c"]
    assert (seen.warnings, seen.failure) == ((), "")


def _unread(**runs: int) -> Memory:
    """Return a memory in which tasks were missed, the first one longest, in vain in so many runs.

    After three it is told.
    """
    unread = {
        name: Sight(NOW + minutes(place), count, "told" if count == 3 else "")
        for place, (name, count) in enumerate(runs.items())
    }
    return Memory({"a": a_record(state="RUNNING")}, watch=WatchRecord(unread=unread))


@pytest.mark.parametrize(
    ("memory", "order"),
    [
        (_unread(), "abcdefghijkl"),
        (_unread(l=0, k=0), "lkabcdefghij"),
        (_unread(d=2, b=0), "dbacefghijkl"),
        (_unread(a=3), "bcdeafghijkl"),
        (_unread(a=3, b=3, c=3, d=3, e=3, f=1), "fghiabcdjkle"),
        (_unread(**dict.fromkeys("abcdefghijkl", 3)), "abcdefghijkl"),
    ],
    ids=[
        *("all were read", "longest missed first", "in vain so far", "told after four"),
        *("four early, others last", "nothing else"),
    ],
)
def test_what_is_told_as_unreadable_holds_up_nothing_else(
    memory: Memory, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that hangs takes its place from no other; yet it gets its turn where few are read."""
    monkeypatch.setattr(parallel, "CONCURRENT_CALLS", 1)
    service = running(*"abcdefghijkl")
    service.on_list.append(CloudError("list the tasks", status=403))
    _observe(service, Scope(tuple("abcdefghijkl")), memory)
    assert "".join(service.reads) == order


FEW_IDS, MANY_IDS = tuple("abcdefgh"), tuple("abcdefghi")


def test_many_tasks_are_found_with_one_list() -> None:
    """With nine ids one list is asked for, and nothing else; with eight each task is read."""
    service = running(*MANY_IDS, "another")
    seen = _observe(service, Scope(MANY_IDS), Memory())
    assert (service.lists, service.reads) == (1, [])
    assert [each.id for each in seen.observations if isinstance(each, Task)] == list(MANY_IDS)
    assert seen.warnings == ()
    _observe(service, Scope(FEW_IDS), Memory())
    assert (service.lists, service.reads) == (1, list(FEW_IDS))


def test_a_failed_task_and_one_that_the_list_lacks_are_read() -> None:
    """A row starts nothing; and what is in no row may be there, or be gone."""
    service = running(*MANY_IDS)
    service.tasks["d"] = a_task(id="d")
    service.unlisted = {"b"}
    del service.tasks["f"]
    seen = _observe(service, Scope(MANY_IDS), Memory())
    assert sorted(service.reads) == ["b", "d", "f"]
    assert seen.observations[5] == Gone("f")
    assert [isinstance(each, Task) and not each.listed for each in seen.observations] == [
        name in "bd" for name in MANY_IDS
    ]
    assert "and none was ever seen: f" in seen.warnings[0]
    assert not seen.short_list


def test_what_a_start_is_due_for_is_read_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is time for few reads, those that change something are made."""
    monkeypatch.setattr(parallel, "CONCURRENT_CALLS", 1)
    service = running(*MANY_IDS)
    service.unlisted = {"a"}
    service.tasks.update(b=a_task(id="b", code=DISK_FULL), d=a_task(id="d"))
    _observe(service, Scope(MANY_IDS), Memory())
    assert service.reads == ["d", "a", "b"]


def test_one_that_the_list_lacks_has_its_turn_where_few_reads_are_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Starts that are due in every run do not keep it from being looked at for ever."""
    monkeypatch.setattr(parallel, "CONCURRENT_CALLS", 1)
    service = running(*MANY_IDS)
    service.unlisted = {"a"}
    service.tasks.update(d=a_task(id="d"), e=a_task(id="e"))
    passed = Memory(watch=WatchRecord(unread={"a": Sight(NOW, passed_at=NOW)}))
    _observe(service, Scope(MANY_IDS), passed)
    assert service.reads == ["a", "d", "e"]


def test_what_a_start_is_due_for_goes_before_all_that_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reads that decide nothing take no turn from one that does, however long they have waited."""
    monkeypatch.setattr(parallel, "CONCURRENT_CALLS", 1)
    service = running(*MANY_IDS)
    for name in "abc":
        service.tasks[name] = a_task(id=name, code=DISK_FULL)
    service.tasks["d"] = a_task(id="d")
    unread = {name: Sight(NOW).passed(NOW - minutes(9)) for name in "abc"}
    _observe(service, Scope(MANY_IDS), Memory(watch=WatchRecord(unread=unread)))
    assert service.reads == ["d", "a", "b", "c"]


def test_a_failed_task_that_cannot_be_read_is_what_its_row_says() -> None:
    """That it failed can be told; to start it, it has to be read."""
    service = running(*MANY_IDS)
    service.tasks["d"] = a_task(id="d")
    service.fail_read("d", CloudError("read d", status=503))
    seen = _observe(service, Scope(MANY_IDS), Memory()).observations[3]
    assert isinstance(seen, Unread)
    assert seen.row is not None
    assert seen.row.listed


@pytest.mark.parametrize(
    "error",
    [
        CloudError("list the tasks", status=403),
        CloudError("list the tasks", status=503),
        CloudError("list the tasks", code="timeout"),
        CloudError("list the tasks", status=429, retry_after=60),
    ],
)
def test_without_the_list_all_are_read_one_by_one(error: CloudError) -> None:
    """Whatever keeps the list away keeps no task from being seen."""
    service = running(*MANY_IDS)
    service.on_list.append(error)
    seen = _observe(service, Scope(MANY_IDS), Memory())
    assert sorted(service.reads) == list(MANY_IDS)
    assert all(isinstance(each, Task) for each in seen.observations)


def test_what_the_right_to_list_would_gain_is_said_once() -> None:
    """In the run that finds out, and in no later one."""
    said = []
    for memory in (Memory(), Memory(watch=WatchRecord(unlisted=NOW))):
        service = running(*MANY_IDS)
        service.on_list.append(CloudError("list the tasks", status=403))
        said.append(_observe(service, Scope(MANY_IDS), memory).warnings)
    ((hint,), later) = said
    assert "all 9 are read one by one" in hint
    assert "sms:server:listTask" in hint
    assert later == ()


def test_keys_that_the_list_is_refused_for_are_not_tried_again() -> None:
    """The refusal counts for all tasks, and says what to do."""
    service = running(*MANY_IDS)
    service.on_list.append(CloudError("list the tasks", status=401))
    seen = _observe(service, Scope(MANY_IDS), Memory())
    assert service.reads == []
    assert "correct HUAWEICLOUD_SDK_AK" in seen.failure
    assert [each.task_id for each in seen.observations if isinstance(each, Unread)] == [*MANY_IDS]


def test_whoever_was_passed_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where people know that it cannot be read: an answer is what it waits for."""
    monkeypatch.setattr(parallel, "CONCURRENT_CALLS", 1)
    memory = _unread(a=3, b=3, c=1)
    unread = dict(memory.watch.unread)
    unread["b"] = unread["b"].passed(NOW + minutes(1))
    unread["c"] = unread["c"].passed(NOW)
    service = running(*"abcdefgh")
    _observe(service, Scope(tuple("abcdefgh")), replace(memory, watch=WatchRecord(unread=unread)))
    assert "".join(service.reads) == "cbdeafgh"


def test_tasks_that_cannot_be_read_take_no_start_from_others() -> None:
    """They have waited longest, and would be all that a run may start, or look at again."""
    service = FakeService(*(a_task(id=name) for name in "abcdef"))
    situation = a_situation(policy=a_policy(max_per_run=2))
    observer = Observer(ports_of(service), Scope(), situation, _unread(a=3, b=3, c=0, d=0))
    observer.observe()
    assert sorted(service.reads) == list("abcdef")


def test_a_failure_is_told_by_a_task_that_was_asked_for() -> None:
    """Not by one that had to wait; and there is none if anything could be seen."""
    waiting = Unread("a", "no time was left to read it", attempted=False)
    asked = Unread("b", "HTTP 403", remedy="grant the right")
    assert Observed((waiting, asked)).failure == "no task could be read: HTTP 403; grant the right"
    assert Observed((waiting,)).failure == "no task could be read: no time was left to read it"
    assert Observed((waiting, Gone("b"))).failure == ""
    assert Observed(()).failure == ""


def test_an_id_that_was_never_a_tasks_is_warned_of_in_the_value_that_is_returned() -> None:
    """One that was seen once is not: it may have been deleted since."""
    record = a_record(state="RUNNING", name="b")
    seen = _observe(running("c"), Scope(("a", "b", "c")), Memory({"b": record}))
    (warning,) = seen.warnings
    assert "and none was ever seen: a; correct SMS_TASK_IDS" in warning


@pytest.mark.parametrize(
    ("tasks", "names", "warnings"),
    [
        ("", (), ["SMS lists no migration task"]),
        ("a", ("b",), ["no task has a name that matches SMS_TASK_NAMES"]),
        ("a", (), []),
    ],
)
def test_a_list_with_nothing_to_watch_is_warned_of(
    tasks: str, names: Tuple[str, ...], warnings: List[str]
) -> None:
    """With what to look at, for silence would look like peace."""
    seen = _observe(running(*tasks), Scope(names=names), Memory())
    assert len(seen.warnings) == len(warnings)
    assert all(text.startswith(start) for text, start in zip(seen.warnings, warnings))


@pytest.mark.parametrize(
    ("unread", "status", "hinted"), [((), 429, False), (("b",), 429, True), (("b",), 503, False)]
)
@pytest.mark.parametrize(
    ("ids", "hint"),
    [
        (("a", "b"), "SMS_TASK_IDS=*"),
        ((), "let other programs that use the account"),
        (MANY_IDS, "let other programs that use the account"),
    ],
)
def test_an_account_that_stays_throttled_is_told_what_helps(
    unread: Tuple[str, ...], status: int, hinted: bool, ids: Tuple[str, ...], hint: str
) -> None:
    """One throttled run may pass; from the second on a list, or the others, need fewer calls."""
    service = FakeService(a_task(id="a"), a_task(id="b"))
    service.fail_read("b", CloudError("read b", status=status))
    watch = WatchRecord(unread={task_id: Sight(NOW) for task_id in unread})
    seen = _observe(service, Scope(ids), Memory(watch=watch))
    assert any(hint in text for text in seen.warnings) is hinted


# By listing

WAVE = Scope(names=("wave1-*",))


def _known(**flat: Any) -> Memory:
    """Return what is remembered of a running task of the first wave."""
    return Memory({"a": a_record(**{"state": "RUNNING", "name": "wave1-a", **flat})})


def test_a_task_that_leaves_the_scope_by_another_name_is_gone_for_those_who_watch() -> None:
    """They hear what it is called now; nothing is read for that."""
    service = running("a")
    service.change("a", name="done-a")
    (seen,) = _observe(service, WAVE, _known()).observations
    assert seen == Gone("a", "it is now named 'done-a', which does not match SMS_TASK_NAMES")
    assert service.reads == []


@pytest.mark.parametrize(
    "memory",
    [
        pytest.param(Memory(), id="it never was watched"),
        pytest.param(_known(state="MIGRATE_SUCCESS"), id="it is finished"),
        pytest.param(_known(name="db-a"), id="its name was asked for by other settings"),
        pytest.param(
            replace(_known(), watch=WatchRecord(absent={"a": Sight(NOW, 2, "1-gone")})),
            id="people know",
        ),
    ],
)
def test_nobody_misses_a_task_of_another_name(memory: Memory) -> None:
    """Unless it was watched under the same settings until it was renamed."""
    service = running("a")
    service.change("a", name="done-a")
    assert _observe(service, WAVE, memory).observations == ()


def test_a_page_that_cannot_be_read_stands_for_the_tasks_on_it() -> None:
    """Nobody knows which they are, but that there may be some is said of each run."""
    service = running("a")
    service.broken, service.why = True, "refused: secret"
    seen = _observe(service, Scope(), Memory())
    assert seen.observations[1:] == (
        Unread(
            "*",
            "refused: ***",
            remedy="tasks in it that are new are not watched until it can be read",
        ),
    )
    assert seen.failure == ""


def test_a_known_task_whose_row_makes_no_sense_is_read_by_itself() -> None:
    """Its row shows that it is there, and nothing else; one that nobody knows waits."""
    service = running("a", "b")
    service.strange = {"a", "b"}
    seen = _observe(service, Scope(), _known())
    assert service.reads == ["a"]
    assert [each.id for each in seen.observations if isinstance(each, Task)] == ["a"]


@pytest.mark.parametrize(("runs", "held", "asked"), [(1, 0, True), (2, 0, False), (2, 1, True)])
def test_a_task_is_asked_for_until_people_know_that_it_is_gone(
    runs: int, held: int, asked: bool
) -> None:
    """That takes a second answer, and no noise that holds the news back."""
    watch = WatchRecord(
        absent={"a": Sight(NOW).missed(Kind.GONE, "1")[0]}, airtime={"a": Airtime((), held)}
    )
    if runs > 1:
        watch = replace(watch, absent={"a": Sight(NOW, 2, "1-gone")})
    service = running()
    _observe(service, Scope(), replace(_known(), watch=watch))
    assert service.reads == (["a"] if asked else [])


@pytest.mark.parametrize(
    ("runs", "said"), [(2, "the list of tasks changed"), (3, "enterprise projects")]
)
def test_a_list_that_stays_short_says_why_and_what_follows(runs: int, said: str) -> None:
    """A list that changes is short once; one that counts what it never shows has a reason."""
    service = running("a")
    service.unlisted, service.why, service.missing = {"b"}, "the list of tasks changed", 2
    seen = _observe(service, Scope(), Memory(watch=WatchRecord(short_lists=runs)))
    assert seen.short_list
    (warning,) = seen.warnings
    assert said in warning


def test_keys_in_what_is_read_are_hidden() -> None:
    """In a task that is read by its id, in a row of the list, and in what is said of the list."""
    service = FakeService(a_running_task(name="--sk secret"), a_running_task(id="secret"))
    service.unlisted, service.why = {"b"}, "a secret part is missing"
    by_id, found = _observe(service, Scope(("a",)), Memory()), _observe(service, Scope(), Memory())
    for seen in (by_id, found):
        (task,) = seen.observations
        assert isinstance(task, Task)
        assert (task.id, task.name) == ("a", "--sk ***")
    assert found.warnings == ("a *** part is missing",)
