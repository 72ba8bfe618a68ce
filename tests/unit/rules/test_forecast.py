"""The forecast of all copies: what is counted, and which task is the last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.model.forecast import End, Forecast
from sms_watch.model.notice import Reason, Verdict
from sms_watch.model.task import Progress, Task
from sms_watch.rules.call import Call
from sms_watch.rules.decision import Decision
from sms_watch.rules.forecast import (
    Expected,
    Standing,
    expected_by,
    forecast,
    of_decisions,
)
from sms_watch.rules.movement import Sample
from sms_watch.rules.record import TaskRecord
from tests.support.builders import NOW, a_running_task, a_task, minutes, varied

HOUR = timedelta(hours=1)
COPY = "MIGRATE_LINUX_FILE"
STALL = Call("20261123-0-0-stalled", NOW)


def _end(hours: float, spread: float = 0, task_id: str = "a") -> End:
    at, margin = NOW + hours * HOUR, spread * HOUR
    return End(at, at - margin, at + margin, task_id, f"name of {task_id}")


def _copying(*place: Any) -> Expected:
    return Expected(Standing.COPYING, _end(*place))


# The whole


def test_nothing_makes_an_empty_forecast() -> None:
    """Without a task there is nothing to tell."""
    assert forecast([]) == Forecast()


def test_the_last_task_makes_the_end() -> None:
    """The end is that of the task that takes longest, and that task is named."""
    made = forecast([_copying(3, 1, "a"), _copying(9, 2, "b"), _copying(5, 1, "c")])
    assert made == Forecast(_end(9, 2, "b"), copying=3)


def test_an_uncertain_task_stretches_the_end_of_all() -> None:
    """All is done by the latest end of any, whichever task is expected last."""
    made = forecast([_copying(8, 6, "a"), _copying(9, 1, "b")]).end
    assert made == End(NOW + 9 * HOUR, NOW + 8 * HOUR, NOW + 14 * HOUR, "b", "name of b")


def test_each_task_is_counted_once() -> None:
    """Measured or not, at rest, ready or finished: every task is in one count."""
    standings = [*(Standing.STILL,) * 2, *(Standing.READY,) * 3, Standing.FINISHED, Standing.UNREAD]
    seen = [_copying(1), Expected(Standing.COPYING), *map(Expected, standings)]
    assert forecast(seen) == Forecast(_end(1), 2, 1, 2, 3, 1, 1)


ends = st.builds(_end, st.floats(0, 500), st.floats(0, 0), st.sampled_from("abcdef"))
anybody = st.builds(Expected, st.sampled_from(Standing), st.none() | ends)


@given(st.lists(anybody), st.randoms())
def test_a_forecast_does_not_depend_on_the_order(seen: List[Expected], chance: Any) -> None:
    """Tasks come in any order; the forecast is the same."""
    mixed = list(seen)
    chance.shuffle(mixed)
    assert forecast(mixed) == forecast(seen)


@given(st.lists(anybody))
def test_a_forecast_is_no_earlier_than_any_of_its_tasks(seen: List[Expected]) -> None:
    """It counts all, and its end is that of the last copy that was measured."""
    made = forecast(seen)
    counts = (made.copying, made.still, made.ready, made.finished, made.unread)
    assert sum(counts) == len(seen)
    measured = [each.end for each in seen if each.standing is Standing.COPYING and each.end]
    assert made.copying - made.unmeasured == len(measured)
    assert (made.end is None) == (not measured)
    if made.end:
        assert made.end.at == max(end.at for end in measured)
        assert made.end.earliest <= made.end.at <= made.end.latest


# From what was read


def _record(state: str = "RUNNING", **movement: Any) -> TaskRecord:
    return varied(TaskRecord(state, NOW - HOUR, "one"), **movement)


HALF_HOUR = (Sample(NOW - minutes(30), 50, None, None, COPY),)
MOVED: Dict[str, Any] = {
    "samples": HALF_HOUR,
    "last_progress": Progress(5, 60, None, COPY),
    "moved_at": NOW,
}


def _decision(task: Optional[Task], record: Optional[TaskRecord], **fields: Any) -> Decision:
    return Decision("a", fields.pop("verdict", Verdict()), task=task, record=record, **fields)


def test_a_run_and_its_journal_foretell_the_same() -> None:
    """What is told of a task that was read can be told later from what was written of it."""
    task = a_running_task(progress=Progress(5, 60, None, COPY))
    told = of_decisions([_decision(task, _record(**MOVED))], NOW)
    # Ten percent in half an hour: a little more than nine, or less than eleven.
    at, earliest, latest = (NOW + timedelta(seconds=left) for left in (7200, 6545, 8000))
    assert told == Forecast(End(at, earliest, latest, "a", "one"), copying=1)
    assert forecast([expected_by("a", _record(**MOVED))]) == told


def test_a_copy_that_was_not_measured_has_no_end() -> None:
    """It is counted as not measured, with a record that is new and one that has no sample."""
    for record in (_record(), _record(**{**MOVED, "samples": ()})):
        assert expected_by("a", record) == Expected(Standing.COPYING)
        task = a_running_task(progress=Progress(5, 60, None, COPY))
        assert of_decisions([_decision(task, record)], NOW) == Forecast(copying=1, unmeasured=1)


@pytest.mark.parametrize(
    ("record", "standing"),
    [
        (_record("MIGRATE_FAIL"), Standing.STILL),
        (_record("ABORT"), Standing.STILL),
        (_record("READY"), Standing.STILL),
        (_record("RESETING"), Standing.STILL),
        (_record("INVENTED"), Standing.STILL),
        (_record("SYNC_F_ROLLBACK_SUCCESS"), Standing.STILL),
        (_record(**MOVED, stall=STALL), Standing.STILL),
        (_record("SYNCING", **MOVED), Standing.READY),
        (_record("MIGRATE_SUCCESS"), Standing.FINISHED),
        (_record("SYNC_SUCCESS"), Standing.FINISHED),
    ],
)
def test_what_does_not_copy_has_no_end(record: TaskRecord, standing: Standing) -> None:
    """What stands still or is copied is counted as that, whatever was measured before."""
    assert expected_by("a", record) == Expected(standing)


def test_what_is_gone_is_in_no_forecast() -> None:
    """A task that the service does not have any more is not counted."""
    gone = _decision(Task("a", "", ""), _record(**MOVED), verdict=Verdict(reason=Reason.GONE))
    assert of_decisions([gone], NOW) == Forecast()


def test_of_a_task_that_was_not_read_nothing_is_foretold() -> None:
    """Whatever is remembered of it: no end is claimed that nobody saw."""
    unread = [_decision(None, record) for record in (None, _record(**MOVED), _record("ABORT"))]
    failed = _decision(a_task(), _record("MIGRATE_FAIL"))
    assert of_decisions([*unread, failed], NOW) == Forecast(still=1, unread=3)
