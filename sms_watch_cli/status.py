"""``status``: how the tasks stand, looked at with the eyes of the watchdog.

What is shown is a run of the watchdog that does nothing: the same reading, the same rules, the
memory of the journal. So attempt and next try are those that the next real run will find.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sms_watch.errors import JournalError
from sms_watch.journal.entries import Entry, JournalReading
from sms_watch.messages.compose import RunContext
from sms_watch.messages.forecasts import say_forecast
from sms_watch.model.forecast import Forecast
from sms_watch.model.notice import Action, Message, Position, Reason
from sms_watch.model.task import Phase, Task, TaskState
from sms_watch.ports import Ports
from sms_watch.rules.decision import Decision
from sms_watch.rules.forecast import of_decisions
from sms_watch.rules.record import Memory
from sms_watch.run import RunRequest, execute
from sms_watch.text import bar, clean, count, duration
from sms_watch.wiring import nonce
from sms_watch_cli.session import (
    CloudSession,
    CommandError,
    can_redraw,
    env_file_option,
    shown,
    texts_of,
    unread_of,
)

LEAST_PAUSE, USUAL_PAUSE = 15, 60  # seconds
BAR = 20  # letters
SHORT_BAR = 6
NARROW = 120  # columns that the widest row takes, or nearly so
PLAIN_WIDTH = 160
COLOURS = {
    Phase.FAILED: "red",
    Phase.MOVING: "green",
    Phase.PAUSED: "yellow",
    Phase.FINISHED: "green",
    Phase.ROLLED_BACK: "red",
    Phase.UNKNOWN: "magenta",
}
# What is worth a look stands first.
ORDER = (Phase.FAILED, Phase.ROLLED_BACK, Phase.UNKNOWN, Phase.PAUSED)
STALLED, HANGS = "stalled", "hangs"


@dataclass(frozen=True)
class Row:
    """One task as it is shown. ``why`` says what the watchdog thinks, or why nothing is known."""

    id: str
    name: str
    phase: Phase
    state: str
    code: str
    sub_task: str
    percent: Optional[int]
    speed: Optional[float]
    remaining: Optional[int]
    attempt: int
    cap: Optional[int]
    next_try: Optional[datetime]
    why: str

    @classmethod
    def of(cls, decision: Decision) -> Row:
        """Make one out of what would be decided."""
        task = decision.task or Task(decision.task_id, "", "")
        gone = decision.verdict.reason is Reason.GONE
        failed = task.phase is Phase.FAILED
        detail = clean(decision.detail, 200)
        return cls(
            decision.task_id,
            clean(task.name),
            Phase.GONE if gone else task.phase,
            clean(task.state) or ("gone" if gone else "not read"),
            clean(task.error.code),
            clean(task.progress.sub_task),
            task.progress.shown,
            task.transfer.speed if task.phase is Phase.MOVING else None,
            task.transfer.remaining if task.phase is Phase.MOVING else None,
            decision.verdict.attempt.number,
            decision.verdict.attempt.cap,
            decision.verdict.attempt.next_try
            if failed and decision.verdict.action is Action.WAIT
            else None,
            _why(decision) + (f": {detail}" if detail else ""),
        )

    @property
    def needs_look(self) -> bool:
        """Return whether it stands before those that are well on their way."""
        return self.phase in ORDER or self.why in (STALLED, HANGS)


def _why(decision: Decision) -> str:
    if decision.is_start:
        return "started by the next run"
    if (
        decision.verdict.reason is Reason.MOVING
        and decision.record
        and decision.record.movement.stall
    ):
        return STALLED
    if (
        decision.task
        and decision.verdict.reason is Reason.MOVING
        and decision.task.connected is False
    ):
        return "its agent is not connected"
    if decision.is_there and decision.record and decision.record.hang:
        return HANGS
    if decision.task and _is_copied(decision.task.state):
        return "ready for cut-over"
    return str(decision.verdict.reason).replace("_", " ")


def _is_copied(state: str) -> bool:
    return state == TaskState.SYNCING


@dataclass(frozen=True)
class Look:
    """What was seen at one moment, and what it foretells. ``remarks`` are for people."""

    at: datetime
    rows: Tuple[Row, ...]
    remarks: Tuple[str, ...]
    blind: str
    forecast: Forecast = Forecast()

    def as_json(self) -> Dict[str, Any]:
        """Return it for machines."""
        rows = [
            {
                **vars(row),
                "phase": str(row.phase),
                "next_try": row.next_try.isoformat() if row.next_try else None,
            }
            for row in self.rows
        ]
        return {
            "at": self.at.isoformat(),
            "forecast": _forecast_as_json(self.forecast),
            "tasks": rows,
            "remarks": list(self.remarks),
        }


def _forecast_as_json(made: Forecast) -> Dict[str, Any]:
    end = made.end
    moments = ("at", "earliest", "latest")
    shown = (
        {**vars(end), **{name: getattr(end, name).isoformat() for name in moments}} if end else None
    )
    return {**vars(made), "end": shown}


class _Remembered:
    """A journal that holds a memory, and takes nothing."""

    def __init__(self, memory: Memory, now: datetime) -> None:
        self._history = JournalReading(memory, Position(f"{now:%Y%m%d}", 0))

    def read(self) -> JournalReading:
        return self._history

    def append(self, entry: Entry, position: Position) -> NoReturn:
        raise JournalError("looking writes nothing")


class _Silent:
    """A topic to which nothing is published."""

    def publish(self, message: Message) -> NoReturn:
        raise RuntimeError("looking publishes nothing")


def look(cloud_session: CloudSession) -> Look:
    """Look once at all tasks. Without its journal the watchdog knows no attempts; it says so."""
    now, made = cloud_session.clock.now(), cloud_session.settings
    remarks = list(cloud_session.unread)
    try:
        memory = cloud_session.wiring().journal(cloud_session.redact).read().memory
    except JournalError as error:
        memory = Memory()
        remarks.append(f"attempts are not known: {cloud_session.redact(str(error))}")
    # Another run at work is no reason not to look.
    memory = replace(memory, lease=None)
    wiring = cloud_session.wiring()
    ports = Ports(
        wiring.sms(),
        _Silent(),
        _Remembered(memory, now),
        wiring.time.until(wiring.timetable.budget),
        wiring.timetable,
        nonce,
        cloud_session.redact,
    )
    context = RunContext(f"status-{uuid.uuid4()}", now, made.zone, made.console)
    result = execute(RunRequest(context, made.scope, made.policy, dry_run=True), ports)
    rows = sorted(map(Row.of, result.decisions), key=lambda row: not row.needs_look)
    said = tuple(map(shown, (*remarks, *result.warnings)))
    blind = cloud_session.asking(result.failure) if result.failure else ""
    return Look(now, tuple(rows), said, shown(blind), of_decisions(result.decisions, now))


# On a terminal, and as plain text


def table(seen: Look, zone: tzinfo, width: int, plain: bool = False) -> Table:
    """Return the tasks as a table; ``plain`` has no colours and bars of ordinary letters.

    A narrow one goes without the sub-tasks, with short bars and little between the columns.
    """
    narrow = width < NARROW
    short = SHORT_BAR - len("[]") if plain else SHORT_BAR  # brackets take room as well
    padding = (0, 1, 0, 0) if narrow else (0, 1)
    made = Table(box=None, pad_edge=False, padding=padding, expand=not plain)
    made.add_column("task", overflow="fold")
    # These wrap where there is no room: a column that may not would leave none to the names.
    for name in ("state",) if narrow else ("state", "sub-task"):
        made.add_column(name, overflow="fold")
    made.add_column("", no_wrap=True)
    for name in ("%", "Mbit/s", "left"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("attempt", no_wrap=True)
    made.add_column("next try", overflow="fold")
    for row in seen.rows:
        # Of what synchronises SMS tells how far the round under way is: the copy itself is whole.
        percent = 100 if _is_copied(row.state) else row.percent
        state = f"{row.state} {row.code}".strip()
        made.add_row(
            Text(row.name or row.id),
            Text(state, style="" if plain else COLOURS.get(row.phase, "")),
            *([] if narrow else [Text(row.sub_task)]),
            _bar(row.phase, percent, short if narrow else BAR, plain),
            "?" if percent is None else str(percent),
            "" if row.speed is None else f"{row.speed:.0f}",
            _left(row.remaining),
            _attempt(row),
            Text(_next(row, seen.at, zone)),
        )
    return made


def _bar(phase: Phase, percent: Optional[int], length: int, plain: bool) -> Any:
    if plain:
        return Text(bar(percent, length))
    done, colour = percent or 0, COLOURS.get(phase, "white")
    return ProgressBar(100, done, length, complete_style=colour, finished_style=colour)


def _left(seconds: Optional[int]) -> str:
    return "" if seconds is None else duration(timedelta(seconds=seconds))


def _attempt(row: Row) -> str:
    if row.phase is not Phase.FAILED or not row.attempt:
        return ""
    return f"{row.attempt}" if row.cap is None else f"{row.attempt} of {row.cap}"


def _next(row: Row, now: datetime, zone: tzinfo) -> str:
    if row.next_try is None:
        return row.why
    soon = max(row.next_try - now, timedelta(0))
    minutes = -(-soon.total_seconds() // 60)
    return f"{row.next_try.astimezone(zone):%H:%M}, in {minutes:.0f} min ({row.why})"


def _heading(seen: Look, zone: tzinfo) -> str:
    local = seen.at.astimezone(zone)
    failed = sum(row.phase is Phase.FAILED for row in seen.rows)
    moving = sum(row.phase is Phase.MOVING for row in seen.rows)
    said = f"{count(len(seen.rows), 'task')}, {moving} moving, {failed} failed"
    return f"{local:%Y-%m-%d %H:%M:%S} {local:%z}  {said}"


def _whole(seen: Look, zone: tzinfo, width: int, footer: str) -> Group:
    remarks = [Text(f"! {remark}", style="yellow") for remark in _remarks(seen)]
    foot = Text(footer, style="dim")
    heading = Text(_heading(seen, zone), style="bold")
    return Group(heading, *_foretold(seen, zone), table(seen, zone, width), *remarks, foot)


def _foretold(seen: Look, zone: tzinfo) -> List[Text]:
    """Return the line that says when all will be done, if there is anything to say."""
    said = say_forecast(seen.forecast, seen.at, zone)
    return [Text(said)] if said else []


def _remarks(seen: Look) -> List[str]:
    return [*seen.remarks, seen.blind] if seen.blind else list(seen.remarks)


def show_plain(seen: Look, zone: tzinfo, console: Console) -> None:
    """Print one look as plain text."""
    console.print(_heading(seen, zone), *_foretold(seen, zone), sep="\n")
    console.print(table(seen, zone, console.width, plain=True))
    for remark in _remarks(seen):
        console.print(Text(f"! {remark}"), soft_wrap=True)


def follow(
    cloud_session: CloudSession, console: Console, pause: float, sleep: Callable[[float], None]
) -> None:
    """Show the tasks until Ctrl-C, looking anew every ``pause`` seconds."""
    zone = cloud_session.settings.zone
    footer = f"refreshed every {pause:.0f} s; press Ctrl-C to end"
    try:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(_whole(look(cloud_session), zone, console.width, footer), refresh=True)
                sleep(pause)
    except KeyboardInterrupt:
        return


@click.command("status")
@env_file_option
@click.option("--once", is_flag=True, help="Print the table once, and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON once, for other programs.")
@click.option(
    "--every",
    "pause",
    type=click.IntRange(min=LEAST_PAUSE),
    default=USUAL_PAUSE,
    show_default=True,
    metavar="SECONDS",
    help="How often to refresh.",
)
def command(given: Dict[str, str], once: bool, as_json: bool, pause: int) -> None:
    """Show the tasks: state, progress, speed, time left, next try.

    On a terminal the table is refreshed until Ctrl-C; elsewhere it is printed once, as plain text.
    It reads the tasks and the journal, and changes nothing.

    Exit status: 0, or 2 if nothing could be read.
    """
    with CloudSession.of(texts_of(given), unread=unread_of(given)) as cloud_session:
        console = Console(highlight=False)
        if can_redraw(console) and not (once or as_json):
            follow(cloud_session, console, pause, cloud_session.clock.sleep)
            return
        seen = look(cloud_session)
        if seen.blind:
            raise CommandError(f"{seen.blind}; sms-watch check says what to do")
        if as_json:
            click.echo(json.dumps(seen.as_json(), indent=2, ensure_ascii=False))
            return
        if not console.is_terminal:
            console = Console(highlight=False, width=PLAIN_WIDTH)
        show_plain(seen, cloud_session.settings.zone, console)
