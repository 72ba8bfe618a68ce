"""Paragraphs: one task in full, or several with what they share above a line for each."""

from __future__ import annotations

from datetime import timezone

from sms_watch.messages.grammar import Telling
from sms_watch.messages.grouping import Item
from sms_watch.messages.paragraphs import FEW, paragraph, paragraphs
from sms_watch.model.notice import Kind
from tests.support.builders import a_notice, a_task

TELLING = Telling(timezone.utc)


def _item(number: int, kind: Kind = Kind.FAILED) -> Item:
    task = a_task(id=str(number), name=f"web-{number:02}")
    return Item((a_notice(kind, task=task, event_id=f"e-{number}"),))


def test_several_tasks_are_named_in_short_up_to_a_few() -> None:
    """The rest is counted; each has its line in full."""
    many = paragraph([_item(number) for number in range(FEW + 2)], TELLING)
    assert many.short().endswith("web-00, web-01, web-02 and 2 more")
    assert all(f"web-{number:02}" in many.text() for number in range(FEW + 2))
    assert many.body(2).endswith("and 3 more")


def test_as_many_as_fit_are_a_paragraph_of_their_own() -> None:
    """One alone is told as one, with its name in the heading."""
    many = paragraph([_item(number) for number in range(3)], TELLING)
    assert many.first(1).heading().startswith("web-00 ")
    assert many.first(2).heading().startswith("2 tasks ")


def test_the_worst_comes_first_and_like_is_told_together() -> None:
    """Two failures are one paragraph, behind the task that needs a person."""
    items = [_item(0), _item(1, Kind.NEEDS_PERSON), _item(2)]
    assert [len(each.items) for each in paragraphs(items, TELLING)] == [1, 2]
    assert paragraphs(items, TELLING)[0].lead is items[1]
