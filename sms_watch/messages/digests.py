"""All tasks at one moment, in words: the counts, a sentence, and a line for each. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Mapping

from sms_watch.messages.facts import bar_of, shown_code, speed, time_left
from sms_watch.messages.forecasts import say_forecast
from sms_watch.messages.grammar import Telling
from sms_watch.model.notice import DigestRow, Notice
from sms_watch.model.task import Phase, TaskState
from sms_watch.text import MAX_DETAIL, clean, count, duration

PHASE_WORDS: Mapping[Phase, str] = {
    Phase.READY: "not started",
    Phase.MOVING: "running",
    Phase.FAILED: "failed",
    Phase.PAUSED: "paused",
    Phase.FINISHED: "finished",
    Phase.BUSY: "busy",
    Phase.ROLLED_BACK: "rolled back",
}
# Counted in a heading; of ours there are fewer, but those that nobody knows may be many, and long.
MOST_STATES = 20


def digest_title(notice: Notice) -> str:
    """Return the template of what a heading says of a digest, or of a task that keeps changing."""
    if notice.task is not None:
        return "keep{s} changing"
    # A state from outside is shown as it is, and is no template.
    return digest_counts(notice).replace("{", "{{").replace("}", "}}")


def digest_counts(notice: Notice) -> str:
    """Return the counts of a digest: ``9 tasks: 1 failed, 2 running, 6 not listed``."""
    rows, more = notice.digest.rows, notice.digest.more
    counted = [*Counter(map(row_state, rows)).items()]
    others = sum(number for _, number in counted[MOST_STATES:])
    said = [f"{number} {state}" for state, number in counted[:MOST_STATES]]
    said += [f"{others} in other states"] if others else []
    counts = ", ".join([*said, f"{more} not listed"] if more else said)
    number = count(len(rows) + more, "task")
    return f"{number}: {counts}" if counts else number


def say_digest(notice: Notice, telling: Telling) -> str:
    """Return when all will be done, and how much was restarted and lost since the last digest."""
    shown = notice.digest
    starts = sum(row.starts for row in shown.rows)
    lost = timedelta(seconds=sum(row.seconds_failed for row in shown.rows))
    stood = f"{duration(lost)} lost" if is_worth_saying(lost) else "no time lost"
    # Hours of several tasks add up to more than have passed.
    several = sum(row.seconds_failed > 0 for row in shown.rows) > 1
    whose = ", all tasks together" if several else ""
    restarts = count(starts, "restart") if starts else "no restarts"
    since = f"Since {telling.when(notice.since)}" if notice.since else "So far"
    among = f" among the {len(shown.rows)} tasks listed" if shown.more else ""
    unread = f" {clean(shown.unread, MAX_DETAIL)}" if shown.unread else ""
    summed = f"{since}{among}: {restarts}, {stood} to failures{whose}.{unread}"
    return " ".join(filter(None, (digest_forecast(notice, telling), summed)))


def digest_forecast(notice: Notice, telling: Telling) -> str:
    """Return the forecast of a digest in a sentence; empty where there is none to tell."""
    return say_forecast(notice.digest.forecast, notice.at, telling.zone)


def is_worth_saying(lost: timedelta) -> bool:
    """Return whether a loss is at least a minute."""
    return lost >= timedelta(minutes=1)


def row_state(row: DigestRow) -> str:
    """Return the state of a task in a digest, in words."""
    if row.still_since is not None:
        return "stalled" if row.task.phase is Phase.MOVING else "hanging"
    if row.task.state == TaskState.SYNCING:
        return "ready for cut-over"
    if row.task.is_halted:
        return "paused by SMS"
    return PHASE_WORDS.get(row.task.phase) or clean(row.task.state)


def digest_row(row: DigestRow, telling: Telling) -> str:
    """Return the line of a task in a digest."""
    task, percent = row.task, row.task.progress.shown
    in_rounds = task.state in {TaskState.SYNCING, TaskState.SYNC_FAIL}
    lost = timedelta(seconds=row.seconds_failed)
    since = f" since {telling.when(row.still_since)}" if row.still_since else ""
    parts = [
        row_state(row) + since,
        shown_code(task),
        "agent offline" if task.connected is False else "",
        # That of a round of synchronisation says nothing of the task: its first copy is whole.
        bar_of(percent) if percent is not None and not in_rounds else "",
        clean(task.progress.sub_task),
        speed(task),
        time_left(task),
        count(row.starts, "restart") if row.starts else "",
        f"{duration(lost)} lost" if is_worth_saying(lost) else "",
    ]
    facts = ", ".join(part for part in parts if part)
    return f"  {clean(task.name) or task.id}: {facts}"
