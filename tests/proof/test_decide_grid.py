"""Every state with every class, memory and circumstance, against one line of its own.

The line is written from the rules in words, not from the code: a task may be started when it has
failed on something that a start can mend, its attempts are not spent, no wait is running, and its
agent is not away. One that was away for as long as the longest wait, and is back, ends every wait
but the shortest. A run without room then holds it back.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Iterator, NamedTuple, Optional

import pytest

from sms_watch.model.notice import Action, Kind, Outcome, Reason
from sms_watch.model.task import ErrorClass, Gone, Task, TaskState
from sms_watch.rules.call import Call
from sms_watch.rules.decide import decide
from sms_watch.rules.error_codes import table
from sms_watch.rules.first_copy import FirstCopy
from sms_watch.rules.plan import plan
from sms_watch.rules.record import Memory, TaskRecord
from tests.support.builders import NOW, a_policy, a_reading, a_record, a_situation, a_task, minutes
from tests.support.extent import sample

STATES = [*(str(state) for state in TaskState), "INVENTED_NEXT_YEAR"]
LIMITS = {"transient": None, "retryable": 5, "ambiguous": 2, "unknown": 2}
PASSING = ("ABORTING", "RESETING", "DELETING", "SKIPPING", "SYNC_F_ROLLBACKING")
SHORTEST, LONGEST = 2, 15
WAITS = [SHORTEST, SHORTEST, 4, 8, LONGEST, LONGEST, LONGEST]
RUN = a_situation()


class Case(NamedTuple):
    """One cell of the grid. ``ago`` are the minutes since the last start.

    ``away`` are the minutes that the agent has been away, as the last run read it.
    """

    state: str
    error_class: str
    attempts: int
    tries: int
    ago: Optional[float]
    connected: Optional[bool]
    away: Optional[float]

    @property
    def task(self) -> Task:
        code = CODES[self.error_class]
        return a_task(state=self.state, code=code, connected=self.connected, type="MIGRATE_BLOCK")

    @property
    def record(self) -> Optional[TaskRecord]:
        if self.ago is None:
            return None
        return a_record(
            state=self.state,
            since=NOW - timedelta(days=1),
            code=CODES[self.error_class],
            attempts=self.attempts,
            tries=self.tries,
            last_at=NOW - minutes(self.ago),
            furthest=a_task().progress,
            away_since=None if self.away is None else NOW - minutes(self.away),
        )

    @property
    def memory(self) -> Memory:
        return Memory({"a": self.record} if self.record else {})

    @property
    def may_start(self) -> bool:
        """Return whether the rules, in words, allow a start."""
        if self.state not in ("MIGRATE_FAIL", "SYNC_FAIL") or self.error_class not in LIMITS:
            return False
        limit = LIMITS[self.error_class]
        known = self.ago is not None
        if known and limit is not None and self.attempts >= limit:
            return False
        if self.connected is False:
            return known and (self.ago or 0) >= LONGEST
        came_back = self.connected is True and (self.away or 0) >= LONGEST
        wait = SHORTEST if came_back else WAITS[self.tries]
        return not known or (self.ago or 0) >= wait


CODES = {
    str(each): next((c.code for c in table().values() if c.error_class is each), "SMS.9999")
    for each in ErrorClass
}


def _cases(state: str) -> Iterator[Case]:
    for error_class, connected in itertools.product(CODES, (True, False, None)):
        yield Case(state, error_class, 0, 0, None, connected, None)
        for (attempts, tries), ago, away in itertools.product(
            [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (4, 4), (5, 5), (0, 6)],
            [1.9, 2, 3.9, 4, 8, 14.9, 15],
            (None, 14.9, 15),
        ):
            yield Case(state, error_class, attempts, tries, ago, connected, away)


@pytest.mark.parametrize("state", STATES)
def test_a_start_is_decided_exactly_when_the_rules_allow_it(state: str) -> None:
    """In every cell of the grid the decision and the rule in words agree."""
    cases = list(_cases(state))
    assert len(cases) > 2000
    for case in cases:
        decision = decide(a_reading(case.task), case.record)
        assert decision.is_start is case.may_start, case
        assert decision.verdict.reason, case
        planned = decision.planned(NOW)
        assert planned is not None, case
        # A day of running, as all these records have it, clears the count.
        before = 0 if state in ("RUNNING", "SYNCING") else case.attempts
        assert planned.starts.attempts == before + (1 if case.may_start else 0), case


@pytest.mark.parametrize("state", ["MIGRATE_FAIL", "SYNC_FAIL"])
def test_a_run_without_room_starts_nothing(state: str) -> None:
    """In every cell that has a start, it is held back with its reason, and not counted."""
    full = a_situation(policy=a_policy(max_per_run=0))
    for case in sample([case for case in _cases(state) if case.may_start], 5):
        (decision,) = plan([case.task], case.memory, full).decisions
        assert decision.verdict.action is Action.WAIT, case
        assert decision.verdict.reason is Reason.RUN_LIMIT, case
        assert decision.planned(NOW) == decision.record, case


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_told_twice(state: str) -> None:
    """In every cell, what was planned and remembered brings no news at the same moment again."""
    for case in sample(list(_cases(state)), 5):
        first = plan([case.task], case.memory, RUN)
        after = Memory({**case.memory.tasks, **first.tasks})
        again = plan([case.task], after, RUN)
        assert not again.notices, case
        assert not (first.starts and again.starts), case


@pytest.mark.parametrize("state", STATES)
def test_a_first_copy_is_told_where_a_task_begins_to_synchronise(state: str) -> None:
    """After every other state but an end of the task, and once."""
    for before, done in itertools.product(STATES, (True, False)):
        copy = FirstCopy(done_at=NOW - minutes(9) if done else None)
        decision = decide(a_reading(a_task(state=state)), a_record(state=before, first_copy=copy))
        seen = before not in ("SYNCING", "SYNC_SUCCESS", "MIGRATE_SUCCESS")
        told = Kind.COPIED in [notice.kind for notice in decision.notices]
        assert told is (state == "SYNCING" and seen and not done), (before, done)


@pytest.mark.parametrize("state", STATES)
def test_a_hang_is_told_where_nothing_should_stay(state: str) -> None:
    """In the states that a task passes through, and in READY after a start; nowhere else."""
    day = timedelta(days=1)
    for started, event in itertools.product((True, False), ("1-failed", "")):
        known = a_record(
            state=state,
            since=NOW - day,
            failed_event=event,
            recent=(NOW - day,),
            last_at=NOW - day if started else None,
            outcome=Outcome.DONE if started else None,
        )
        decision = decide(a_reading(a_task(state=state)), known)
        told = Kind.HANGING in [notice.kind for notice in decision.notices]
        waits = state == "READY" and started and bool(event)
        assert told is (state in PASSING or waits), (started, event)


def test_a_failure_at_first_sight_is_always_told() -> None:
    """Whatever its class, a failed task that nobody knew of is told as failed."""
    for code in CODES.values():
        kinds = [notice.kind for notice in decide(a_reading(a_task(code=code)), None).notices]
        assert Kind.FAILED in kinds


@pytest.mark.parametrize("type_", ["MIGRATE_FILE", "MIGRATE_BLOCK", ""])
def test_every_code_of_the_table_is_treated_by_its_class(type_: str) -> None:
    """At first sight a failed task is started unless its code is of a class without starts.

    A restarted agent is one, unless the copy is known to be at file level.
    """
    for code in table().values():
        for state in STATES:
            decision = decide(a_reading(a_task(state=state, code=code.code, type=type_)), None)
            restartable = str(code.error_class) in LIMITS
            if code.code in ("SMS.0212", "SMS.1414"):
                restartable = type_ == "MIGRATE_FILE"
            may_start = restartable and state in ("MIGRATE_FAIL", "SYNC_FAIL")
            assert decision.is_start is may_start, (code.code, state)


@pytest.mark.parametrize("state", STATES)
def test_a_task_that_is_gone_is_never_started(state: str) -> None:
    """Whatever was known of it: gone is told at the second answer, and all that was known stays."""
    call = Call("20261124-0-0-needs_person", NOW)
    known = Memory({"a": a_record(state=state, attempts=3, tries=3, call=call, on_probation=True)})
    told = []
    for _ in range(3):
        planned = plan([Gone("a")], known, RUN)
        (decision,) = planned.decisions
        assert decision.verdict.action is Action.NONE
        assert decision.verdict.reason is Reason.GONE
        assert planned.tasks == {}
        told.append([notice.kind for notice in planned.notices])
        known = Memory(known.tasks, watch=planned.watch or known.watch)
    assert told == [[], [Kind.GONE], []]
