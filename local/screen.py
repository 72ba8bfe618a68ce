"""What a simulated night looks like: tasks with bars, messages as they arrive, the scoreboard."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Optional, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local.cloud.buckets import Storage
from local.cloud.world import FAILED, MOVING, PAUSED, SimTask, World
from sms_watch.journal import decode
from sms_watch.model import TaskState

if TYPE_CHECKING:
    from local.simulate import Score

COLOURS: Mapping[str, str] = {
    **dict.fromkeys(FAILED, "red"),
    **dict.fromkeys(MOVING, "cyan"),
    **dict.fromkeys(PAUSED, "yellow"),
    TaskState.MIGRATE_SUCCESS: "green",
}


class Screen:
    """Shows a night live on a terminal; elsewhere it prints the messages and an hourly line."""

    def __init__(self, title: str, console: Optional[Console] = None) -> None:
        self._title = title
        self._console = console or Console(highlight=False)
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
        for message in self._world.inbox[self._told :]:
            self._console.print(_message(message))
        self._told = len(self._world.inbox)
        actions = {task["id"]: task for task in report["tasks"]}
        if self._live is not None:
            self._live.update(_tasks(moment, self._world, actions))
        elif moment.minute == 0:
            self._console.print(Text(_line(moment, self._world)), soft_wrap=True)

    def journal(self, storage: Storage) -> None:
        """Show what the journal holds."""
        for bucket, held in storage.buckets.items():
            table = Table(title=f"The journal in obs://{bucket}", title_justify="left")
            for name in ("object", "bytes", "lines"):
                table.add_column(name)
            for key, stored in held.objects.items():
                lines = Counter(str(decode(line).type) for line in stored.data.splitlines())
                counted = ", ".join(f"{number} {kind}" for kind, number in lines.items())
                table.add_row(key, str(len(stored.data)), counted)
            self._console.print(table)

    def scoreboard(self, scores: Sequence[Score]) -> None:
        """Show what the night came to, side by side."""
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


def _message(message: Mapping[str, Any]) -> Panel:
    lines = message["email"].split("\n\nSMS console:")[0]
    title = f"{message['at']:%H:%M} message: {message['subject'].rpartition(' - ')[0]}"
    return Panel(Text(lines), title=Text(title), title_align="left", border_style="blue")


def _tasks(moment: datetime, world: World, actions: Mapping[str, Mapping[str, Any]]) -> Group:
    table = Table(box=None, expand=True)
    for name in ("task", "state", "", "%", "Mbit/s", "the watchdog"):
        table.add_column(name)
    for task in world.tasks.values():
        action = actions.get(task.id, {})
        table.add_row(
            task.name,
            Text(f"{task.state} {task.code}".strip(), style=COLOURS.get(task.state, "white")),
            ProgressBar(total=100, completed=task.percent, width=30),
            str(task.percent),
            f"{task.speed:.0f}" if task.copying else "",
            f"{action.get('action', '')}: {action.get('reason', '')}",
        )
    return Group(Text(f"{moment:%Y-%m-%d %H:%M} UTC", style="bold"), table)


def _line(moment: datetime, world: World) -> str:
    return f"{moment:%H:%M}  " + "   ".join(_brief(task) for task in world.tasks.values())


def _brief(task: SimTask) -> str:
    done = task.percent // 10
    return f"{task.name} [{'#' * done}{'.' * (10 - done)}] {task.percent} % {task.state}"
