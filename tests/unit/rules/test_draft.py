"""A plan in the making: only at its end it matters who wants to hear what."""

from __future__ import annotations

from dataclasses import replace

from sms_watch.model.notice import Kind, Reason
from sms_watch.rules.decide import decide
from sms_watch.rules.draft import Draft
from sms_watch.rules.record import Memory
from tests.support.builders import a_notice, a_policy, a_reading, a_record, a_situation, a_task

MUTE = a_policy(notify_on=frozenset())


def _draft(memory: Memory = Memory(), **situation: object) -> Draft:  # noqa: B008 - it is frozen
    return Draft(a_situation(**situation), [a_task()], memory, memory.watch)


def test_a_draft_without_decisions_is_an_empty_plan() -> None:
    """There is nothing to record, and nothing to start."""
    plan = _draft().plan()
    assert plan.empty
    assert plan.starts == ()


def test_only_what_changes_is_recorded() -> None:
    """A record that is as it was known is in no plan."""
    known = a_record()
    decision = decide(a_reading(), known)
    memory = Memory({"a": known})
    unchanged = replace(decision.held_back(Reason.RUN_LIMIT), record=known)
    assert _draft(memory).deciding([unchanged]).plan().tasks == {}
    assert set(_draft(memory).deciding([decision]).plan().tasks) == {"a"}


def test_answers_are_told_to_whoever_asked() -> None:
    """The settings mute what nobody asked for, and no answer."""
    news, answer = a_notice(Kind.BLIND, task=None), a_notice(Kind.TEST, task=None)
    draft = replace(_draft(policy=MUTE), notices=(news,), answers=(answer,))
    assert draft.plan().notices == (answer,)


def test_events_of_the_watching_are_numbered_after_the_tasks() -> None:
    """So that no task has an event of the same name."""
    assert _draft().event_id(Kind.BLIND) == "20261124-4711-1-blind"
