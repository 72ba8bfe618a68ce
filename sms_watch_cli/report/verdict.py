"""What a page comes to, in a sentence that stands at its head. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import List, Sequence, Tuple

from sms_watch.messages.forecasts import say_forecast
from sms_watch.model.task import BROKEN
from sms_watch.text import count, duration, when
from sms_watch_cli.report.facts import Facts
from sms_watch_cli.report.gaps import BLIND, SILENT
from sms_watch_cli.report.standing import counts, described, word
from sms_watch_cli.report.story import Gap, Story, hours

MOST_NAMES = 3
REMEDIES = {
    BLIND: "The check command shows why.",
    SILENT: "Check that the function runs, and whether its runs fail.",
}


@dataclass(frozen=True)
class Verdict:
    """The sentence, whether it is ``good`` or ``bad`` news, and what else to know.

    ``ahead`` goes on with the sentence: when the last copy will be done, if that is known.
    """

    sentence: str
    kind: str
    details: Tuple[str, ...] = ()
    ahead: str = ""


def verdict(facts: Facts, zone: tzinfo) -> Verdict:
    """Return what a page comes to."""
    if not facts.stories:
        return Verdict("The journal tells of no task in these days.", "")
    troubled = [story for story in facts.stories if story.needs_look]
    details = (*_incidents(facts), *_unseen(facts.gaps))
    last = facts.gaps[-1] if facts.gaps and facts.gaps[-1].end == facts.end else None
    if last is not None:
        blind = f"The tasks have not been seen since {when(last.begin, zone)}: {last.why}."
        return Verdict(f"{blind} {REMEDIES[last.why]}", "bad", (_stood(facts), *details))
    ahead = say_forecast(facts.forecast, facts.end, zone) if facts.forecast.end else ""
    if troubled:
        return Verdict(_needed(troubled, len(facts.stories)), "bad", details, ahead)
    calm = f"No task needs attention: {_counted(facts.stories)}."
    return Verdict(calm, "good", details, ahead)


def _stood(facts: Facts) -> str:
    return f"When last seen: {_counted(facts.stories)}."


def _needed(troubled: Sequence[Story], tasks: int) -> str:
    names = [f"{story.name} ({described(story)})" for story in troubled[:MOST_NAMES]]
    more = len(troubled) - len(names)
    names += [f"{more:,} more"] if more else []
    listed = ", ".join(names[:-1]) + (" and " if names[:-1] else "") + names[-1]
    verb = "needs" if len(troubled) == 1 else "need"
    return f"{len(troubled):,} of {count(tasks, 'task')} {verb} attention: {listed}."


def _counted(stories: Sequence[Story]) -> str:
    """Count tasks by what they do, in the order of the page."""
    return ", ".join(f"{number:,} {word(kind)}" for kind, number in counts(stories))


def _incidents(facts: Facts) -> List[str]:
    if not facts.failures:
        return ["Nothing failed."]
    open_ends = sum(story.state.phase in BROKEN for story in facts.stories)
    said = f"{count(facts.failures, 'failure')}, {_ended(facts.failures - open_ends, open_ends)}"
    lost = f"{hours(facts.lost)} hours lost"
    saved = f", {hours(facts.saved)} saved by restarts" if facts.saved else ""
    return [f"{said}: {lost}{saved}."]


def _ended(over: int, open_ends: int) -> str:
    if not open_ends:
        return "over by now" if over == 1 else "all over by now"
    return f"{open_ends:,} of them still open" if over else "still open"


def _unseen(gaps: Sequence[Gap]) -> List[str]:
    if not gaps:
        return []
    total = sum((gap.span for gap in gaps), timedelta(0))
    span = duration(total)
    inside = f"a gap of {span}" if len(gaps) == 1 else f"{len(gaps):,} gaps, {span} in all"
    return [f"Nobody saw the tasks in {inside}; what happened then is unknown."]
