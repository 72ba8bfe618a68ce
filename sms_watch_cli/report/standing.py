"""How a task stands at the end, in a word for people and in its place among others. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import List, Sequence, Tuple

from sms_watch.model.task import Phase, TaskState
from sms_watch.text import clean
from sms_watch_cli.report.story import HANGING, STALLED, Band, Story

CUT_OVER = "cut_over"
# What is worth a look stands first; then what is still on its way, and what has arrived.
ORDER: Tuple[str, ...] = (
    *(Phase.FAILED, Phase.ROLLED_BACK, Phase.UNKNOWN, STALLED, HANGING, Phase.PAUSED, Phase.BUSY),
    *(Phase.MOVING, Phase.READY, CUT_OVER, Phase.FINISHED, Phase.GONE),
)
WORDS = {
    Phase.ROLLED_BACK: "rolled back",
    Phase.UNKNOWN: "in an unknown state",
    Phase.BUSY: "being changed",
    Phase.MOVING: "running",
    Phase.READY: "not started",
    CUT_OVER: "ready for cut-over",
}


def kind(story: Story) -> str:
    """Return how a task stands: its phase, that it does not move, or its cut-over may begin."""
    return story.still.state if story.still else kind_of(story.state)


def kind_of(band: Band) -> str:
    """Return how a task stands in a state in which it is allowed to be."""
    return CUT_OVER if band.state == TaskState.SYNCING else str(band.phase)


def described(story: Story) -> str:
    """Return how a task stands in words, with the last code of its error."""
    words, codes = word(kind(story)), story.state.codes
    tells = bool(codes) and story.needs_look and not story.still
    return f"{words}, {clean(codes[-1])}" if tells else words


def word(kind_: str) -> str:
    """Return the word for how tasks stand."""
    return WORDS.get(kind_, kind_)


def counts(stories: Sequence[Story]) -> List[Tuple[str, int]]:
    """Return how many tasks stand how, those that are worst off first."""
    found = Counter(map(kind, stories))
    return [(each, found[each]) for each in ORDER if found[each]]


def worst_first(story: Story) -> Tuple[int, int, timedelta, str, str]:
    """Return the key by which tasks stand in the page.

    Those that need somebody come first, then paused ones, and what has arrived comes last; of
    equals the one that has lost the most hours is first.
    """
    return story.rank, ORDER.index(kind(story)), -story.lost, story.name, story.id
