"""The facts as one page of HTML, complete in itself: no script, no font, nothing from elsewhere.

What stands where is worked out here; the template only places it, and escapes every text. The
charts stretch with the page, so all of their words stand outside of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Tuple, Union

import jinja2

from sms_watch import __version__
from sms_watch.model.notice import Outcome
from sms_watch.model.task import BROKEN, Phase
from sms_watch.rules.error_codes import explain
from sms_watch.text import clean, count, duration, when
from sms_watch_cli.report.facts import Facts
from sms_watch_cli.report.gaps import SILENT
from sms_watch_cli.report.story import (
    EVENING,
    HOURS_LOST,
    MORNING,
    Band,
    Gap,
    Point,
    Start,
    Story,
    hours,
)
from sms_watch_cli.report.verdict import verdict

TEMPLATE = Path(__file__).with_name("page.html.j2")
WIDTH = 1000.0  # units of a chart, whatever its size
TICKS = 5
LEAST = timedelta(hours=1)  # that a chart shows; of less, the times below it would be all the same
MOST_ROWS = 200  # of a table; the newest, for a month may have thousands
SHOWN = (Phase.FAILED, Phase.ROLLED_BACK, Phase.PAUSED, Phase.FINISHED)
MOST_AT_A_GLANCE = 5  # tasks; of more there is an overview
MEANING = (
    f"{HOURS_LOST} Hours saved: how long tasks moved, or had finished, when without a restart by"
    f" the watchdog they would have stood failed until somebody pressed Start at {MORNING:02}:00."
    f" Failures between {MORNING:02}:00 and {EVENING}:00 save nothing, because somebody is there;"
    " nor do gaps, because nobody saw the task move."
)
OUTCOMES = {
    Outcome.DONE: "accepted",
    Outcome.REFUSED: "refused",
    Outcome.FAILED: "not sent",
    Outcome.UNKNOWN: "without an answer",
}


def page(facts: Facts, zone: tzinfo, title: str, remarks: Sequence[str] = ()) -> str:
    """Return the page, as made at the end of its time.

    Names and subjects are texts from outside: they are cleaned, and escaped.
    """
    made = {
        "title": title,
        "span": _span(facts, zone),
        "made": f"Generated at {when(facts.end, zone)} by sms_watch {__version__}.",
        "verdict": verdict(facts, zone),
        "overview": _overview(facts),
        "sums": _sums(facts),
        "meaning": MEANING,
        "remarks": list(remarks),
        "times": list(_times(facts, zone)),
        "tasks": [_task(story, facts, zone) for story in facts.stories],
        "messages": [
            {"when": _when(sent.at, zone), "subject": clean(sent.subject, 600)}
            for sent in facts.messages[-MOST_ROWS:]
        ],
        "earlier": max(len(facts.messages) - MOST_ROWS, 0),
    }
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    text = TEMPLATE.read_text(encoding="utf-8")
    return environment.from_string(text).render(page=made) + "\n"


def _span(facts: Facts, zone: tzinfo) -> str:
    offset = facts.end.astimezone(zone).strftime("%z")
    between = f"{_when(facts.begin, zone)} to {_when(facts.end, zone)}"
    return f"{between}, all times UTC{offset[:3]}:{offset[3:5]}"


def _sums(facts: Facts) -> List[Dict[str, str]]:
    rows: Iterable[Tuple[str, str, str]] = (
        ("tasks", str(len(facts.stories)), ""),
        ("failures", str(facts.failures), ""),
        ("starts", str(facts.starts), ""),
        ("messages", str(len(facts.messages)), ""),
        ("hours lost", hours(facts.lost), "bad" if facts.lost else ""),
        ("hours saved", hours(facts.saved), "good" if facts.saved else ""),
    )
    return [{"name": name, "value": value, "kind": kind} for name, value, kind in rows]


def _times(facts: Facts, zone: tzinfo) -> Iterable[Dict[str, str]]:
    begin = _left(facts)
    for tick in range(TICKS):
        local = (begin + (facts.end - begin) * tick / (TICKS - 1)).astimezone(zone)
        left = f"{100 * tick / (TICKS - 1):g}"
        yield {"left": left, "day": f"{local:%d %b}", "hour": f"{local:%H:%M}"}


def _overview(facts: Facts) -> List[Dict[str, str]]:
    if len(facts.stories) <= MOST_AT_A_GLANCE:
        return []
    return [
        {
            "name": story.name,
            "phase": _shade(story),
            "state": _state(story),
            "failures": str(story.failures or ""),
            "starts": str(len(story.starts) or ""),
            "lost": duration(story.lost) if story.lost else "",
        }
        for story in facts.stories
    ]


# One task


def _task(story: Story, facts: Facts, zone: tzinfo) -> Dict[str, Any]:
    since = story.unseen_since
    state = _state(story) + (f", last seen {_when(since, zone)}" if since else "")
    events: List[Union[Band, Gap]] = [*story.events, *story.gaps]
    events.sort(key=lambda each: each.begin)
    return {
        "name": story.name,
        "phase": _shade(story),
        "state": state,
        "summary": _summary(story),
        "label": f"Progress of {story.name} over time: {state}. {_summary(story)}",
        "bands": [_band(band, story, facts, zone) for band in story.events],
        "gaps": [_gap(gap, facts, zone) for gap in story.gaps],
        "strokes": [_stroke(stroke, facts) for stroke in story.strokes],
        "starts": [_start(start, facts, zone) for start in story.starts],
        "events": [_event(each, story, facts, zone) for each in events[-MOST_ROWS:]],
        "earlier": max(len(events) - MOST_ROWS, 0),
    }


def _state(story: Story) -> str:
    percent = "" if story.percent is None else f", {story.percent} %"
    stalled = ", stalled" if story.is_still else ""
    return f"{clean(story.state.state) or 'gone'}{stalled}{percent}"


def _shade(story: Story) -> str:
    return "stalled" if story.is_still else str(story.state.phase)


def _summary(story: Story) -> str:
    parts = [story.id, count(story.failures, "failure"), count(len(story.starts), "start")]
    if story.lost:
        parts.append(f"{duration(story.lost)} lost")
    if story.saved:
        parts.append(f"{duration(story.saved)} saved")
    return ", ".join(parts)


def _band(band: Band, story: Story, facts: Facts, zone: tzinfo) -> Dict[str, str]:
    begin, end = _x(band.begin, facts), _x(band.end, facts)
    return {
        "name": _name(band),
        "x": f"{begin:.1f}",
        "width": f"{end - begin:.1f}",
        "title": f"{_when(band.begin, zone)}: {_what(band)}{_first_seen(band, story, zone)}",
    }


def _gap(gap: Gap, facts: Facts, zone: tzinfo) -> Dict[str, str]:
    begin, end = _x(gap.begin, facts), _x(gap.end, facts)
    return {
        "x": f"{begin:.1f}",
        "end": f"{end:.1f}",
        "width": f"{end - begin:.1f}",
        "title": f"{_when(gap.begin, zone)}: {_missing(gap)}, for {duration(gap.span)}",
    }


def _missing(gap: Gap) -> str:
    cause = "; the function did not run, or its runs failed" if gap.why == SILENT else ""
    return f"gap: {gap.why}{cause}"


def _name(band: Band) -> str:
    if band.stalled:
        return "stalled"
    return str(band.phase) if band.phase in SHOWN else "other"


def _stroke(stroke: Sequence[Point], facts: Facts) -> Dict[str, str]:
    places = [(_x(point.at, facts), 100.0 - point.percent) for point in stroke]
    if len(places) == 1:  # a dot, as short as a line can be
        places.append((places[0][0] + 0.1, places[0][1]))
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return {"line": f"M{line}", "area": f"M{places[0][0]:.1f} 100L{line}V100Z"}


def _start(start: Start, facts: Facts, zone: tzinfo) -> Dict[str, Any]:
    said = OUTCOMES[start.outcome]
    return {
        "x": f"{_x(start.at, facts):.1f}",
        "accepted": start.accepted,
        "title": f"{_when(start.at, zone)}: start, {said}",
    }


def _event(each: Union[Band, Gap], story: Story, facts: Facts, zone: tzinfo) -> Dict[str, str]:
    if isinstance(each, Gap):
        row = {"what": _missing(each), "span": _lasted(each, story, facts), "starts": ""}
    else:
        row = _happened(each, story, facts, zone)
    return {"when": _when(each.begin, zone), **row}


def _happened(band: Band, story: Story, facts: Facts, zone: tzinfo) -> Dict[str, str]:
    accepted = sum(start.accepted for start in band.starts)
    starts = str(len(band.starts)) if band.starts else ""
    if band.starts and accepted < len(band.starts):
        starts += f", {accepted} accepted"
    over = band.phase is Phase.FINISHED
    return {
        "what": _what(band) + _first_seen(band, story, zone),
        "span": "" if over else _lasted(band, story, facts),
        "starts": starts,
    }


def _lasted(each: Union[Band, Gap], story: Story, facts: Facts) -> str:
    so_far = " so far" if each.end == facts.end else ""
    unseen = story.gap_at_end(each) if isinstance(each, Band) else None
    if unseen is None:
        return duration(each.span) + so_far
    seen = duration(unseen.begin - each.begin)
    return f"{seen} when last seen" if so_far else f"{seen} to {duration(each.span)}"


def _first_seen(band: Band, story: Story, zone: tzinfo) -> str:
    gap = story.gap_before(band)
    if gap is None:
        return ""
    at = f"{band.begin.astimezone(zone):%H:%M}"
    return f" First seen at {at}, after a gap of {duration(gap.span)} in which {gap.why}."


def _what(band: Band) -> str:
    if band.stalled:
        return "stalled: it was running but did not move."
    state = clean(band.state) or "gone"
    if band.phase in BROKEN and band.codes:
        first, *later = (clean(code) for code in band.codes)
        then = f" Then {', '.join(later)}." if later else ""
        return f"{state}, {first}: {explain(first, '', {}).summary}{then}"
    return f"{state}: {band.phase.replace('_', ' ')}."


# Figures


def _left(facts: Facts) -> datetime:
    """Return the moment at the left end of the charts."""
    return min(facts.begin, facts.end - LEAST)


def _x(at: datetime, facts: Facts) -> float:
    begin = _left(facts)
    return min(max((at - begin) / (facts.end - begin), 0.0), 1.0) * WIDTH


def _when(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %H:%M}"
