"""What a run needs of the outside: how it sees its own time pass."""

from __future__ import annotations

from sms_watch.ports import Ports
from sms_watch.timetable import Timetable
from tests.support.fakes import FakeDeadline, FakeJournal, FakePublisher, FakeService


def test_a_run_knows_how_much_of_its_budget_is_spent() -> None:
    """The deadline ends with the budget: what is left of it tells what is gone."""
    deadline = FakeDeadline(50.0)
    ports = Ports(
        FakeService(),
        FakePublisher(),
        FakeJournal(),
        deadline,
        Timetable(50),
        lambda: "nonce",
        lambda text: text,
    )
    assert ports.elapsed() == 0
    deadline.spend(20)
    assert ports.elapsed() == 20
    assert ports.is_past(20)
    assert not ports.is_past(21)
