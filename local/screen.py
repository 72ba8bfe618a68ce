"""What a simulated night looks like: tasks with bars, messages as they arrive, the scoreboard."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Optional, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local.cloud.buckets import Storage
from local.cloud.world import FAILED, MOVING, PAUSED, SimTask, World
from sms_watch.journal.folding import replay
from sms_watch.model.task import TaskState
from sms_watch.text import count

if TYPE_CHECKING:
    from local.simulate import Score

EPOCH = datetime(2026, 1, 1, 22, tzinfo=timezone.utc)  # lines come at whole spans since then
DAY = timedelta(days=1)
MARGIN = 8  # lines of a terminal that are left to messages
MOST_IN_LINE = 8  # tasks; of more than these only the states are counted
MOST_PARAGRAPHS = 3  # of a message; there is one for each task

COLOURS: Mapping[str, str] = {
    **dict.fromkeys(FAILED, "red"),
    **dict.fromkeys(MOVING, "cyan"),
    **dict.fromkeys(PAUSED, "yellow"),
    TaskState.MIGRATE_SUCCESS: "green",
}


class Screen:
    """Shows a night live on a terminal; elsewhere it prints the messages and a line now and then.

    ``line`` is how often the line comes.
    """

    def __init__(
        self,
        title: str,
        console: Optional[Console] = None,
        line: timedelta = timedelta(hours=1),
    ) -> None:
        self._title = title
        self._console = console or Console(file=sys.stdout, highlight=False)
        self._line = line
        self._failed = 0
        self._live: Optional[Live] = None
        self._world: Optional[World] = None
        self._told = 0

    @contextmanager
    def showing(self, world: World) -> Iterator[None]:
        """Show the tasks of a world while the block lasts."""
        self._world = world
        self._console.rule(self._title)
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=12, transient=True) as live:
            self._live = live
            yield
            self._live = None

    def show(self, moment: datetime, report: Mapping[str, Any]) -> None:
        """Show the state of things after a tick."""
        if self._world is None:
            return
        if self._failed:
            self._say(moment, f"runs succeed again, after {self._failed} that failed")
            self._failed = 0
        for message in self._world.inbox[self._told :]:
            self._console.print(_message(message))
        self._told = len(self._world.inbox)
        actions = {task["id"]: task for task in report["tasks"]}
        if self._live is not None:
            room = self._console.height - MARGIN
            self._live.update(_tasks(moment, self._world, actions, room))
        self._log(moment)

    def failed(self, moment: datetime, why: str) -> None:
        """Show that a run failed, as FunctionGraph would count it; of a row of them the first."""
        if not self._failed:
            self._say(moment, f"a run failed: {why}")
        self._failed += 1
        self._log(moment)

    def _log(self, moment: datetime) -> None:
        span = moment - EPOCH
        if self._live is None and self._world is not None and not span % self._line:
            line = _line(moment, self._world, self._line)
            self._console.print(Text(line), soft_wrap=True)

    def _say(self, moment: datetime, what: str) -> None:
        self._console.print(Text(f"{moment:%H:%M} {what}", style="red"), soft_wrap=True)

    def journal(self, storage: Storage) -> None:
        """Show what the journal holds."""
        for bucket, held in storage.buckets.items():
            table = Table(title=f"The journal in obs://{bucket}", title_justify="left")
            for name in ("object", "bytes", "lines"):
                table.add_column(name)
            for key, stored in held.objects.items():
                entries = replay([stored.data])
                lines = Counter(str(entry.type) for entry in entries if entry is not None)
                counted = ", ".join(f"{number} {kind}" for kind, number in lines.items())
                table.add_row(key, str(len(stored.data)), counted)
            self._console.print(table)

    def scoreboard(self, scores: Sequence[Score], failed: int = 0) -> None:
        """Show what the night came to, side by side; ``failed`` runs of the watchdog's were."""
        table = Table(title="The same night", title_justify="left")
        table.add_column("who watched")
        for name in ("messages", "starts", "on paused or hopeless tasks", "hours lost"):
            table.add_column(name, justify="right")
        for score in scores:
            table.add_row(
                score.name,
                str(score.messages),
                str(score.starts),
                str(score.harmful),
                f"{score.lost / timedelta(hours=1):.1f}",
            )
        self._console.print(table)
        self._console.print(
            "Hours lost: how long tasks stood still, all told, though a start would have helped."
        )
        if failed:
            self._console.print(
                f"{failed} runs failed, and FunctionGraph would count each of them. The others"
                " watched a night without that trouble."
            )


def _message(message: Mapping[str, Any]) -> Panel:
    # No title of the panel: it would be cut where it is longer than a line.
    subject = f"{message['at']:%H:%M} message: {message['subject'].rpartition(' - ')[0]}"
    paragraphs = message["email"].split("\n\nSMS console:")[0].split("\n\n")
    more = len(paragraphs) - MOST_PARAGRAPHS
    rest = [f"... and {count(more, 'more paragraph')}"] if more > 0 else []
    text = "\n\n".join([*paragraphs[:MOST_PARAGRAPHS], *rest])
    return Panel(Group(Text(subject, style="bold"), Text(f"\n{text}")), border_style="blue")


def _tasks(
    moment: datetime, world: World, actions: Mapping[str, Mapping[str, Any]], room: int
) -> Group:
    table = Table(box=None, expand=True)
    for name in ("task", "state", "", "%", "Mbit/s", "the watchdog"):
        # A line for each task, or the room would not do: the bar takes what the texts leave.
        table.add_column(name, no_wrap=True, ratio=None if name else 1)
    failed_first = sorted(world.tasks.values(), key=lambda task: task.state not in FAILED)
    for task in failed_first[:room]:
        action = actions.get(task.id, {})
        table.add_row(
            task.name,
            Text(f"{task.state} {task.code}".strip(), style=COLOURS.get(task.state, "white")),
            ProgressBar(total=100, completed=min(task.percent, 100)),
            str(task.percent),
            f"{task.speed:.0f}" if task.copying else "",
            f"{action.get('action', '')}: {action.get('reason', '')}".replace("_", " "),
        )
    more = len(world.tasks) - room
    rest = [Text(f"and {more} more")] if more > 0 else []
    return Group(Text(f"{moment:%Y-%m-%d %H:%M} UTC", style="bold"), table, *rest)


def _line(moment: datetime, world: World, every: timedelta) -> str:
    when = f"{moment:%H:%M}" if every < DAY else f"{moment:%a %d}"
    tasks = list(world.tasks.values())
    if len(tasks) > MOST_IN_LINE:
        counted = Counter(str(task.state) for task in tasks)
        states = ", ".join(f"{number} {state}" for state, number in sorted(counted.items()))
        return f"{when}  {len(tasks)} tasks: {states}"
    return f"{when}  " + "   ".join(_brief(task) for task in tasks)


def _brief(task: SimTask) -> str:
    done = min(task.percent, 100) // 10
    return f"{task.name} [{'#' * done}{'.' * (10 - done)}] {task.percent} % {task.state}"
