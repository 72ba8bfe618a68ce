"""The overview of all tasks: a line of each, and how many stand how. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Any, Dict, Iterator, List, Sequence

from sms_watch.model.task import Phase
from sms_watch.text import duration
from sms_watch_cli.report.facts import Facts
from sms_watch_cli.report.standing import CUT_OVER, counts, described, kind, word
from sms_watch_cli.report.story import Story, hours

ALL = "all"


def filters(stories: Sequence[Story]) -> List[Dict[str, str]]:
    """Return what can be chosen of the overview: all tasks, or those that stand alike."""
    return [
        {"kind": name, "word": word(name).capitalize(), "count": f"{number:,}"}
        for name, number in ((ALL, len(stories)), *counts(stories))
    ]


def rows(facts: Facts, zone: tzinfo) -> Iterator[Dict[str, Any]]:
    """Yield the line of each task."""
    for story in facts.stories:
        percent = 100 if kind(story) in (CUT_OVER, Phase.FINISHED) else story.percent
        yield {
            "name": story.name,
            "kind": kind(story),
            "state": described(story),
            "percent": percent,
            "time": _time(story, facts, zone),
            "failures": str(story.failures or ""),
            "lost": hours(story.lost) if story.lost else "",
        }


def _time(story: Story, facts: Facts, zone: tzinfo) -> str:
    """Return how long it takes a task yet, or since when it stands as it does."""
    if story.unseen_since is not None:
        return f"last seen {moment(story.unseen_since, zone)}"
    name = kind(story)
    if name == Phase.MOVING:
        return left(story, facts.end) or "not measured yet"
    began = (story.still or story.state).begin
    words = [] if name == Phase.FINISHED else ["since"]
    words += ["before"] if began == facts.begin else []
    return " ".join([*words, moment(began, zone)])


def left(story: Story, now: datetime) -> str:
    """Return how long it takes a task yet, as far as that was measured."""
    if story.end is None:
        return ""
    return f"{duration(max(story.end.at - now, timedelta(0)))} left"


def moment(at: datetime, zone: tzinfo) -> str:
    """Return a moment as it stands in a table."""
    return f"{at.astimezone(zone):%a %d %b %H:%M}"
