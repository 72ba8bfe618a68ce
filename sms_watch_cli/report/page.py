"""The facts as one page of HTML, complete in itself: no script, no font, nothing from elsewhere.

What stands where is worked out here; the template only places it, and escapes every text. The
charts stretch with the page, so all of their words stand outside of them.
"""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Tuple, Union

import jinja2

from sms_watch import __version__
from sms_watch.model.task import BROKEN, Phase
from sms_watch.rules.error_codes import explain
from sms_watch.text import clean, count, duration, when
from sms_watch_cli.report.chart import WIDTH, Window, drawn, places, summed
from sms_watch_cli.report.facts import Facts
from sms_watch_cli.report.gaps import SILENT
from sms_watch_cli.report.overview import filters, left, moment, rows
from sms_watch_cli.report.standing import CUT_OVER, kind, kind_of, word
from sms_watch_cli.report.story import (
    EVENING,
    HANGING,
    HOURS_LOST,
    MORNING,
    STALLED,
    Band,
    Gap,
    Story,
    hours,
)
from sms_watch_cli.report.verdict import verdict
from sms_watch_cli.report.volume import Volume, size, volume

TEMPLATE = Path(__file__).with_name("page.html.j2")
MOST_ROWS, LEAST_ROWS = 200, 3  # of a table; the newest, for a month may have thousands
ALL_ROWS = 3_000  # that the tables of all tasks share
MOST_BYTES = 1_480_000  # of the page, so that it can be sent by mail
MARKUP = 250  # letters that a chart takes at the least, besides its paths
MOST_AT_A_GLANCE = 5  # tasks; of more there is an overview
STOOD = {
    STALLED: "stalled: it was running but did not move.",
    HANGING: "hanging: it stayed in a state that should pass.",
}
MEANING = (
    f"{HOURS_LOST} Hours saved: how long tasks moved, or had finished, when without a restart by"
    f" the watchdog they would have stood failed until somebody pressed Start at {MORNING:02}:00."
    f" Failures between {MORNING:02}:00 and {EVENING}:00 save nothing, because somebody is there;"
    " nor do gaps, because nobody saw the task move."
)


def page(facts: Facts, zone: tzinfo, title: str, remarks: Sequence[str] = ()) -> str:
    """Return the page, as made at the end of its time.

    Names and subjects are texts from outside: they are cleaned, and escaped.
    """
    window = Window.of(facts)
    made: Dict[str, Any] = {
        "title": title,
        "span": _span(facts, zone),
        "made": f"Generated at {when(facts.end, zone)} by sms_watch {__version__}.",
        "verdict": verdict(facts, zone),
        "filters": filters(facts.stories),
        "overview": list(rows(facts, zone)) if len(facts.stories) > MOST_AT_A_GLANCE else [],
        "sums": _sums(facts),
        "meaning": MEANING,
        "remarks": list(remarks),
        "times": list(window.ticks(zone)),
        "now": _now(window),
        "volume": _volume(facts, zone, window),
        "tasks": [_task(story, facts, zone, window) for story in facts.stories],
        "messages": [
            {"when": moment(sent.at, zone), "subject": clean(sent.subject, 600)}
            for sent in facts.messages[-MOST_ROWS:]
        ],
        "earlier": max(len(facts.messages) - MOST_ROWS, 0),
    }
    text = _rendered(made)
    over = len(text.encode()) - MOST_BYTES
    return text if over <= 0 else _rendered({**made, "tasks": _shortened(made["tasks"], over)})


def _rendered(made: Dict[str, Any]) -> str:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = TEMPLATE.read_text(encoding="utf-8")
    return environment.from_string(text).render(page=made) + "\n"


def _shortened(tasks: Sequence[Dict[str, Any]], over: int) -> List[Dict[str, Any]]:
    """Return tasks by whose chart and rows a page is smaller: it must be fit for mail.

    Those that stand best go without them, as many as it takes.
    """
    shortened: List[Dict[str, Any]] = []
    for task in reversed(tasks):
        cut = over > 0
        over -= _weight(task) if cut else 0
        shortened.append({**task, "cut": cut})
    return shortened[::-1]


def _weight(task: Dict[str, Any]) -> int:
    """Return how many letters a task has in its chart and rows, at the least."""
    shapes = (task[name] for name in ("unseen", "gaps", "curve", "ahead", "starts", "refused"))
    bands = (path for _, path in task["bands"])
    texts = [text for event in task["events"] for text in ("<li><b></b></li>", *event.values())]
    return MARKUP + sum(map(len, (*shapes, *bands, *texts)))


def _span(facts: Facts, zone: tzinfo) -> str:
    offset = facts.end.astimezone(zone).strftime("%z")
    between = f"{moment(facts.begin, zone)} to {moment(facts.end, zone)}"
    return f"{between}, all times UTC{offset[:3]}:{offset[3:5]}"


def _sums(facts: Facts) -> List[Dict[str, str]]:
    rows: Iterable[Tuple[str, str, str]] = (
        ("tasks", f"{len(facts.stories):,}", ""),
        ("failures", f"{facts.failures:,}", ""),
        ("starts", f"{facts.starts:,}", ""),
        ("messages", f"{len(facts.messages):,}", ""),
        ("hours lost", hours(facts.lost), "bad" if facts.lost else ""),
        ("hours saved", hours(facts.saved), "good" if facts.saved else ""),
    )
    return [{"name": name, "value": value, "kind": kind} for name, value, kind in rows]


def _now(window: Window) -> str:
    """Return where what was ends and what is expected begins, in percent of the width."""
    return f"{window.x(window.now) / WIDTH:.2%}" if window.end > window.now else ""


def _volume(facts: Facts, zone: tzinfo, window: Window) -> Dict[str, Any]:
    """Return the chart of what all tasks have copied; nothing for one, or where none is known."""
    told = volume(facts.stories, facts.gaps, facts.begin, facts.end)
    if not told.most or len(facts.stories) < 2:
        return {}
    summary, chart = _copied(told, facts, zone), summed(told, facts.gaps, window)
    return {
        "summary": summary,
        "label": f"Bytes copied by all tasks over time: {summary}",
        "scale": (size(chart["most"]), size(chart["most"] / 2), "0"),
        **chart,
    }


def _copied(told: Volume, facts: Facts, zone: tzinfo) -> str:
    of = len(facts.stories)
    whose = f"{told.known:,} of {count(of, 'task')}" if told.known < of else count(of, "task")
    rest = "; of the others the bytes are not known" if told.known < of else ""
    ahead = ""
    if told.ahead:
        at, amount = told.ahead[-1]
        ahead = f" About {size(amount)} by {moment(at, zone)}, if they go on as they do."
    return f"{size(told.copied)} by {whose}{rest}.{ahead}"


# One task


def _task(story: Story, facts: Facts, zone: tzinfo, window: Window) -> Dict[str, Any]:
    since = story.unseen_since
    state = _state(story) + (f", last seen {moment(since, zone)}" if since else "")
    events: List[Union[Band, Gap]] = [*story.events, *story.gaps]
    events.sort(key=lambda each: each.begin)
    tasks = len(facts.stories)
    most = max(LEAST_ROWS, min(MOST_ROWS, ALL_ROWS // tasks))
    return {
        "name": story.name,
        "kind": kind(story),
        "state": state,
        "label": f"Progress over time: {state}",
        "cut": False,
        "summary": _summary(story, facts, zone),
        "events": [_event(each, story, facts, zone) for each in events[-most:]],
        "earlier": max(len(events) - most, 0),
        **drawn(story, window, places(tasks)),
    }


def _state(story: Story) -> str:
    # That of what is ready for cut-over is of its round of synchronisation, and not of the task.
    known = story.percent is not None and kind(story) != CUT_OVER
    percent = f", {story.percent} %" if known else ""
    still = f", {story.still.state}" if story.still else ""
    return f"{clean(story.state.state) or 'gone'}{still}{percent}"


def _summary(story: Story, facts: Facts, zone: tzinfo) -> str:
    parts = [clean(story.id), count(story.failures, "failure"), count(len(story.starts), "start")]
    if story.lost:
        parts.append(f"{duration(story.lost)} lost")
    if story.saved:
        parts.append(f"{duration(story.saved)} saved")
    if story.end is not None:
        until = moment(max(story.end.at, facts.end), zone)
        parts.append(f"{left(story, facts.end)}, until about {until}")
    return ", ".join(parts)


def _missing(gap: Gap) -> str:
    cause = "; the function did not run, or its runs failed" if gap.why == SILENT else ""
    return f"gap: {gap.why}{cause}"


def _event(each: Union[Band, Gap], story: Story, facts: Facts, zone: tzinfo) -> Dict[str, str]:
    at = moment(each.begin, zone)
    if isinstance(each, Gap):
        return {"when": at, "what": _missing(each), "more": _lasted(each, story, facts)}
    over = each.phase is Phase.FINISHED
    more = [*([] if over else [_lasted(each, story, facts)]), *_started(each)]
    return {
        "when": at,
        "what": _what(each) + _first_seen(each, story, zone),
        "more": ", ".join(more),
    }


def _started(band: Band) -> Iterable[str]:
    if band.starts:
        yield count(len(band.starts), "start")
        accepted = sum(start.accepted for start in band.starts)
        if accepted < len(band.starts):
            yield f"{accepted} accepted"


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
        return STOOD[band.state]
    if band.phase is Phase.GONE:
        return "gone."
    state = clean(band.state)
    if band.phase in BROKEN and band.codes:
        first, *later = (clean(code) for code in band.codes)
        then = f" Then {', '.join(later)}." if later else ""
        return f"{state}, {first}: {explain(first, '', {}).summary}{then}"
    return f"{state}: {word(kind_of(band))}."
