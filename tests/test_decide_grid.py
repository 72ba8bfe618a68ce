"""Every state with every class, memory and circumstance, against one line of its own.

The line is written from the rules in words, not from the code: a task may be started when it has
failed on something that a start can mend, its attempts are not spent, no wait is running, its
agent is not away, and the run has room.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Iterator, NamedTuple, Optional

import pytest
from builders import NOW, a_memory, a_policy, a_task, minutes

from sms_watch.model.notice import Action, Kind, Position, Reason
from sms_watch.model.task import ErrorClass, Gone, Task, TaskState
from sms_watch.rules.decide import decide
from sms_watch.rules.error_codes import table
from sms_watch.rules.plan import plan
from sms_watch.rules.record import Memory, TaskMemory

STATES = [*(str(state) for state in TaskState), "INVENTED_NEXT_YEAR"]
LIMITS = {"transient": None, "retryable": 5, "ambiguous": 2, "unknown": 2}
WAITS = [0, 2, 4, 8, 15, 15, 15]
POLICY = a_policy()


class Case(NamedTuple):
    """One cell of the grid. ``ago`` are the minutes since the last start."""

    state: str
    error_class: str
    attempts: int
    tries: int
    ago: Optional[float]
    connected: Optional[bool]
    was_away: bool
    room: bool

    @property
    def task(self) -> Task:
        code = CODES[self.error_class]
        return a_task(state=self.state, code=code, connected=self.connected, type="MIGRATE_BLOCK")

    @property
    def memory(self) -> Optional[TaskMemory]:
        if self.ago is None:
            return None
        return a_memory(
            state=self.state,
            since=NOW - timedelta(days=1),
            code=CODES[self.error_class],
            attempts=self.attempts,
            tries=self.tries,
            last_start=NOW - minutes(self.ago),
            mark=a_task().progress,
            away=self.was_away,
        )

    @property
    def may_start(self) -> bool:
        """Say whether the rules, in words, allow a start."""
        if self.state not in ("MIGRATE_FAIL", "SYNC_FAIL") or self.error_class not in LIMITS:
            return False
        limit = LIMITS[self.error_class]
        known = self.ago is not None
        if known and limit is not None and self.attempts >= limit:
            return False
        if self.connected is False:
            return self.room and known and (self.ago or 0) >= 15
        came_back = known and self.was_away and self.connected is True
        wait = WAITS[min(self.tries, 1) if came_back else self.tries]
        return self.room and (not known or (self.ago or 0) >= wait)


CODES = {
    str(each): next((c.code for c in table().values() if c.error_class is each), "SMS.9999")
    for each in ErrorClass
}


def _cases() -> Iterator[Case]:
    for state, error_class, connected, room in itertools.product(
        STATES, CODES, (True, False, None), (True, False)
    ):
        yield Case(state, error_class, 0, 0, None, connected, False, room)
        for (attempts, tries), ago, was_away in itertools.product(
            [(0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (4, 4), (5, 5), (0, 6)],
            [1, 2, 3.9, 4, 8, 14.9, 15],
            (True, False),
        ):
            yield Case(state, error_class, attempts, tries, ago, connected, was_away, room)


@pytest.mark.parametrize("state", STATES)
def test_a_start_is_decided_exactly_when_the_rules_allow_it(state: str) -> None:
    """In every cell of the grid the decision and the rule in words agree."""
    cases = [case for case in _cases() if case.state == state]
    assert len(cases) > 2000
    for case in cases:
        decision = decide(case.task, case.memory, NOW, POLICY, case.room)
        assert (decision.action is Action.START) is case.may_start, case
        assert decision.reason, case
        assert decision.memory is not None, case
        # A day of running, as all these memories have it, clears the count.
        before = 0 if state in ("RUNNING", "SYNCING") else case.attempts
        assert decision.memory.attempts == before + (1 if case.may_start else 0), case


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_told_twice(state: str) -> None:
    """In every cell, what was planned and remembered brings no news at the same moment again."""
    place = Position("20261124", 4711)
    for case in (case for case in _cases() if case.state == state and case.room):
        known = Memory({"a": case.memory} if case.memory else {})
        first = plan([case.task], known, NOW, POLICY, place)
        after = Memory({**known.tasks, **first.tasks})
        again = plan([case.task], after, NOW, POLICY, place)
        assert not again.notices, case
        assert not (first.starts and again.starts), case


def test_a_failure_at_first_sight_is_always_told() -> None:
    """Whatever its class, a failed task that nobody knew of is told as failed."""
    for error_class in CODES:
        case = Case("MIGRATE_FAIL", error_class, 0, 0, None, None, False, True)
        assert Kind.FAILED in decide(case.task, None, NOW, POLICY).news


@pytest.mark.parametrize("type_", ["MIGRATE_FILE", "MIGRATE_BLOCK", ""])
def test_every_code_of_the_table_is_treated_by_its_class(type_: str) -> None:
    """At first sight a failed task is started unless its code is of a class without starts.

    A restarted agent is one, unless the copy is known to be at file level.
    """
    for code in table().values():
        for state in STATES:
            decision = decide(a_task(state=state, code=code.code, type=type_), None, NOW, POLICY)
            mendable = str(code.error_class) in LIMITS
            if code.code in ("SMS.0212", "SMS.1414"):
                mendable = type_ == "MIGRATE_FILE"
            may_start = mendable and state in ("MIGRATE_FAIL", "SYNC_FAIL")
            assert (decision.action is Action.START) is may_start, (code.code, state)


@pytest.mark.parametrize("state", [*STATES, ""])
def test_a_task_that_is_gone_is_never_started(state: str) -> None:
    """Whatever was known of it: gone is told once, and all that is left of a task is its name."""
    known = Memory({"a": a_memory(state=state, attempts=3, tries=3, asked=True, relapsed=True)})
    place = Position("20261124", 4711)
    planned = plan([Gone("a")], known, NOW, POLICY, place)
    (decision,) = planned.decisions
    assert (decision.action, decision.reason) == (Action.NONE, Reason.GONE)
    assert [notice.kind for notice in planned.notices] == ([Kind.GONE] if state else [])
    if state:
        assert planned.tasks == {"a": TaskMemory("", NOW, "web-01")}
    after = Memory({**known.tasks, **planned.tasks})
    assert plan([Gone("a")], after, NOW, POLICY, place).empty
