"""A task as it was read, and the answer for it."""

from __future__ import annotations

from dataclasses import replace

from sms_watch.model.notice import Action, Kind, Reason, Verdict
from sms_watch.rules.decide import decide
from sms_watch.rules.decision import Decision
from tests.support.builders import NOW, a_reading, a_record


def test_a_notice_is_named_after_its_reading() -> None:
    """What ends others has the id of the first of them, marked."""
    reading = a_reading()
    opening = reading.notice(Kind.FAILED, Verdict())
    assert opening.event_id == f"{reading.event}-failed"
    closing = reading.closing(Kind.RESUMED, ("1-failed", "1-needs_person"), Verdict())
    assert closing.event_id == "1-failed-end"


def test_a_start_is_counted_before_it_is_sent() -> None:
    """What is planned has one attempt more than what is known; without a start it is the same."""
    decision = decide(a_reading(), a_record())
    assert decision.is_start
    assert decision.record is not None
    planned = decision.planned(NOW)
    assert planned is not None
    assert planned.starts.attempts == decision.record.starts.attempts + 1
    assert decision.held_back(Reason.RUN_LIMIT).planned(NOW) == decision.record


def test_what_is_held_back_says_so_in_its_notices() -> None:
    """Nobody hears of a start that this run has no room for."""
    held = decide(a_reading(), None).held_back(Reason.RUN_LIMIT)
    assert (held.verdict.action, held.verdict.reason) == (Action.WAIT, Reason.RUN_LIMIT)
    assert [notice.verdict for notice in held.notices] == [held.verdict]


def test_a_task_that_is_gone_is_not_there() -> None:
    """Nor is one that was neither read nor listed."""
    read = decide(a_reading(), None)
    assert read.is_there
    assert not replace(read, verdict=Verdict(reason=Reason.GONE)).is_there
    assert not Decision("a", Verdict()).is_there
