"""The facts as one page of HTML, complete in itself: no script, no font, nothing from elsewhere.

What stands where is worked out here; the template only places it, and escapes every text. The
charts stretch with the page, so all of their words stand outside of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Tuple

import jinja2

from local.report.facts import Facts
from local.report.story import EVENING, MORNING, Band, Gap, Point, Start, Story
from sms_watch.model.notice import Outcome
from sms_watch.model.task import BROKEN, Phase
from sms_watch.rules.error_codes import explain
from sms_watch.text import clean, count, duration

TEMPLATE = Path(__file__).with_name("page.html.j2")
WIDTH = 1000.0  # units of a chart, whatever its size
TICKS = 5
LEAST = timedelta(hours=1)  # that a chart shows; of less, the times below it would be all the same
MOST_ROWS = 200  # of a table; the newest, for a month may have thousands
SHOWN = (Phase.FAILED, Phase.ROLLED_BACK, Phase.PAUSED, Phase.FINISHED)
MEANING = (
    "Hours lost: how long tasks stood failed, all told. Hours saved: how long they moved, or were"
    " finished already, where without a start of the watchdog they would have stood failed until"
    f" somebody pressed Start at {MORNING:02}:00. Failures between {MORNING:02}:00 and"
    f" {EVENING}:00 save nothing: somebody is there."
)
OUTCOMES = {
    Outcome.DONE: "accepted",
    Outcome.REFUSED: "refused",
    Outcome.FAILED: "not sent",
    Outcome.UNKNOWN: "without an answer",
}


def page(facts: Facts, zone: tzinfo, title: str, remarks: Sequence[str] = ()) -> str:
    """Give the page. Names and subjects are texts from outside: they are cleaned, and escaped."""
    made = {
        "title": title,
        "span": _span(facts, zone),
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
    local = facts.end.astimezone(zone)
    between = f"{_when(facts.begin, zone)} to {_when(facts.end, zone)}"
    return f"{between}, times of UTC{local.strftime('%z')[:3]}:{local.strftime('%z')[3:5]}"


def _sums(facts: Facts) -> List[Dict[str, str]]:
    rows: Iterable[Tuple[str, str, str]] = (
        ("tasks", str(len(facts.stories)), ""),
        ("failures", str(facts.failures), ""),
        ("starts", str(facts.starts), ""),
        ("messages", str(len(facts.messages)), ""),
        ("hours lost", _hours(facts.lost), "bad" if facts.lost else ""),
        ("hours saved", _hours(facts.saved), "good" if facts.saved else ""),
    )
    return [{"name": name, "value": value, "kind": kind} for name, value, kind in rows]


def _times(facts: Facts, zone: tzinfo) -> Iterable[Dict[str, str]]:
    begin = _left(facts)
    for tick in range(TICKS):
        local = (begin + (facts.end - begin) * tick / (TICKS - 1)).astimezone(zone)
        left = f"{100 * tick / (TICKS - 1):g}"
        yield {"left": left, "day": f"{local:%d %b}", "hour": f"{local:%H:%M}"}


# One task


def _task(story: Story, facts: Facts, zone: tzinfo) -> Dict[str, Any]:
    last = story.state
    state = clean(last.state) or "gone"
    percent = "" if story.percent is None else f", {story.percent} %"
    return {
        "name": story.name,
        "phase": str(last.phase),
        "state": f"{state}{percent}",
        "summary": _summary(story),
        "label": f"Progress of {story.name} over time: {state}{percent}. {_summary(story)}",
        "bands": [_band(band, facts, zone) for band in story.events],
        "strokes": [_stroke(stroke, facts) for stroke in story.strokes],
        "starts": [_start(start, facts, zone) for start in story.starts],
        "events": [_event(band, facts, zone) for band in story.events[-MOST_ROWS:]],
        "earlier": max(len(story.events) - MOST_ROWS, 0),
    }


def _summary(story: Story) -> str:
    parts = [story.id, count(story.failures, "failure"), count(len(story.starts), "start")]
    if story.lost:
        parts.append(f"{duration(story.lost)} lost")
    if story.saved:
        parts.append(f"{duration(story.saved)} saved")
    return ", ".join(parts)


def _band(band: Band, facts: Facts, zone: tzinfo) -> Dict[str, str]:
    begin, end = _x(band.begin, facts), _x(band.end, facts)
    return {
        "name": _name(band),
        "x": f"{begin:.1f}",
        "width": f"{end - begin:.1f}",
        "title": f"{_when(band.begin, zone)}: {_what(band)}",
    }


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


def _event(band: Band, facts: Facts, zone: tzinfo) -> Dict[str, str]:
    open_end = band.end == facts.end
    accepted = sum(start.accepted for start in band.starts)
    starts = str(len(band.starts)) if band.starts else ""
    if band.starts and accepted < len(band.starts):
        starts += f", {accepted} accepted"
    over = band.phase is Phase.FINISHED
    return {
        "when": _when(band.begin, zone),
        "what": _what(band),
        "span": "" if over else duration(band.span) + (" so far" if open_end else ""),
        "starts": starts,
    }


def _what(band: Band) -> str:
    if band.stalled:
        return "stalled: it ran, and did not move"
    state = clean(band.state) or "gone"
    if band.phase in BROKEN and band.codes:
        first, *later = (clean(code) for code in band.codes)
        then = f" Then {', '.join(later)}." if later else ""
        return f"{state}, {first}: {explain(first, '', {}).gist}{then}"
    return f"{state}: {band.phase.replace('_', ' ')}"


# Figures


def _left(facts: Facts) -> datetime:
    """Give the moment at the left end of the charts."""
    return min(facts.begin, facts.end - LEAST)


def _x(at: datetime, facts: Facts) -> float:
    begin = _left(facts)
    return min(max((at - begin) / (facts.end - begin), 0.0), 1.0) * WIDTH


def _when(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %H:%M}"


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):.1f}"
