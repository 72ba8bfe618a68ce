"""The SMS agent on the source: when its loss is told, and when it is back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional

import pytest
from builders import NOW, minutes

from sms_watch.model.notice import Kind
from sms_watch.rules.agent import Agent

SECOND = timedelta(seconds=1)
EVENT = "20261124-9-0"
LOST = Agent(True, "20261124-1-0-disconnected", NOW - minutes(61))


def test_a_loss_is_told_once() -> None:
    """A loss is news under an id of its own, and stays open until the agent is back."""
    lost, news = Agent().read(connected=False, now=NOW, event=EVENT)
    assert (lost, news) == (Agent(False, f"{EVENT}-disconnected", NOW), Kind.DISCONNECTED)
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


@pytest.mark.parametrize(
    ("ago", "told"), [(60 - 1 / 60, False), (60, True)], ids=["within an hour", "an hour later"]
)
def test_an_agent_that_comes_and_goes_is_told_once_an_hour(ago: float, told: bool) -> None:
    """Within an hour of its last loss another one is no news, and is not counted."""
    before = Agent(lost_at=NOW - minutes(ago))
    agent, news = before.read(connected=False, now=NOW, event=EVENT)
    assert news is (Kind.DISCONNECTED if told else None)
    assert agent == (Agent(False, f"{EVENT}-disconnected", NOW) if told else before)


@pytest.mark.parametrize(("connected", "away"), [(False, True), (True, False), (None, False)])
def test_whether_it_was_away_is_known_from_the_last_failed_reading(
    connected: Optional[bool], away: bool
) -> None:
    """Only an agent that was read as not connected was away; running ends that as well."""
    for before in (True, False):
        agent = replace(LOST, was_away_when_failed=before)
        assert agent.failing(connected) == replace(LOST, was_away_when_failed=away)
        assert agent.running() == replace(LOST, was_away_when_failed=False)


def test_a_task_at_its_end_needs_its_agent_no_more() -> None:
    """The loss is closed without a word, and not told again within the hour."""
    assert LOST.closed() == replace(LOST, event_id="")
