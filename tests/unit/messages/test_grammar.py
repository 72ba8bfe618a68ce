"""Words for one task, or for many that are told together."""

from __future__ import annotations

from datetime import timezone

from sms_watch.messages.grammar import MANY, ONE, Telling
from tests.support.builders import NOW

TEMPLATE = "{It} {is} {what}: {its} {agent} need{s} {them}."


def test_one_task_and_many_are_told_in_words_of_their_own() -> None:
    """The number decides; what else a template names is put in as it is."""
    telling = Telling(timezone.utc)
    one, many = (telling.of(number).say(TEMPLATE, what="offline") for number in (1, 2))
    assert one == "It is offline: its agent needs it."
    assert many == "They are offline: their agents need them."


def test_every_word_has_both_forms() -> None:
    """A template that reads well of one task reads well of many."""
    assert ONE.keys() == MANY.keys()


def test_what_is_of_one_task_stands_alone() -> None:
    """Of many tasks each has it in a line of its own."""
    telling = Telling(timezone.utc)
    assert telling.alone("since noon") == "since noon"
    assert telling.of(2).alone("since noon") == ""
    assert telling.when(NOW).endswith("+00:00")
