"""The SMS agent on the source: when its loss is told, and when it is back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Optional, Tuple

import pytest

from sms_watch.model.notice import Kind
from sms_watch.rules.agent import Agent
from tests.support.builders import NOW, minutes

SECOND = timedelta(seconds=1)
EVENT = "20261124-9-0"
AGO = NOW - minutes(61)
LOST = Agent(AGO, None, "20261124-1-0-disconnected", AGO)


def test_a_loss_is_told_once() -> None:
    """A loss is news under an id of its own, and stays open until the agent is back."""
    lost, news = Agent().read(connected=False, now=NOW, event=EVENT)
    assert (lost, news) == (Agent(None, None, f"{EVENT}-disconnected", NOW), Kind.DISCONNECTED)
    assert lost.read(connected=False, now=NOW + minutes(120), event="later") == (lost, None)


def test_an_agent_that_is_back_is_away_no_more() -> None:
    """With the notice that it is back the loss is closed; when it was is kept."""
    back, news = LOST.read(connected=True, now=NOW, event=EVENT)
    assert (back, news) == (replace(LOST, event_id=""), Kind.CONNECTED)
    assert back.read(connected=True, now=NOW, event=EVENT) == (back, None)


@pytest.mark.parametrize("agent", [Agent(), LOST])
def test_an_agent_of_unknown_connection_changes_nothing(agent: Agent) -> None:
    """A missing connected is unknown: neither lost nor back."""
    assert agent.read(connected=None, now=NOW, event=EVENT) == (agent, None)
    assert agent.failing(connected=None, now=NOW) == agent


@pytest.mark.parametrize(
    ("ago", "told"), [(60 - 1 / 60, False), (60, True)], ids=["within an hour", "an hour later"]
)
def test_an_agent_that_comes_and_goes_is_told_once_an_hour(ago: float, told: bool) -> None:
    """Within an hour of its last loss another one is no news, and is not counted."""
    before = Agent(lost_at=NOW - minutes(ago))
    agent, news = before.read(connected=False, now=NOW, event=EVENT)
    assert news is (Kind.DISCONNECTED if told else None)
    assert agent == (Agent(None, None, f"{EVENT}-disconnected", NOW) if told else before)


LATER = NOW - minutes(9)


@pytest.mark.parametrize(
    ("before", "connected", "after"),
    [
        pytest.param((None, None), False, (NOW, None), id="it goes"),
        pytest.param((AGO, None), False, (AGO, None), id="it stays away"),
        pytest.param((AGO, None), True, (AGO, NOW), id="it comes back"),
        pytest.param((AGO, LATER), True, (AGO, LATER), id="it is there"),
        pytest.param((AGO, LATER), False, (NOW, None), id="it goes again"),
        pytest.param((None, None), True, (None, None), id="it never was away"),
        pytest.param((AGO, None), None, (AGO, None), id="nobody knows"),
        pytest.param((AGO, LATER), None, (AGO, LATER), id="nobody knows of one that is back"),
    ],
)
def test_from_when_to_when_it_was_away_is_known_from_the_failed_readings(
    before: Tuple[Optional[datetime], Optional[datetime]],
    connected: Optional[bool],
    after: Tuple[Optional[datetime], Optional[datetime]],
) -> None:
    """The first of them that has it away counts, then the first that has it back; running ends it.

    What is not known is ignored.
    """
    agent = replace(LOST, away_since=before[0], back_at=before[1])
    expected = replace(LOST, away_since=after[0], back_at=after[1])
    assert agent.failing(connected, NOW) == expected
    assert agent.running() == replace(LOST, away_since=None)


def test_an_agent_is_back_until_the_next_start() -> None:
    """With a start in the run that sees it, its return is used up."""
    back = LOST.failing(connected=True, now=NOW)
    assert back.is_back_since(None)
    assert back.is_back_since(NOW - SECOND)
    assert not back.is_back_since(NOW)
    assert not LOST.is_back_since(None)


def test_how_long_an_agent_was_away_is_known_when_it_is_back() -> None:
    """To the second; one that is away still, or never was, was away for no span."""
    back = LOST.failing(connected=True, now=NOW)
    assert back.was_away_for(minutes(61))
    assert not back.was_away_for(minutes(61) + SECOND)
    assert not LOST.was_away_for(SECOND)
    assert not Agent().was_away_for(SECOND)


def test_a_task_at_its_end_needs_its_agent_no_more() -> None:
    """The loss is closed without a word, and not told again within the hour."""
    assert LOST.closed() == replace(LOST, event_id="")
