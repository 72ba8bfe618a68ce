"""What a simulated night looks like: tasks with bars, messages as they arrive, the scoreboard."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simulated_cloud.buckets import Storage
from simulated_cloud.score import Score, verdict
from simulated_cloud.task import DONE, FAILED, HELD, MOVING, PAUSED, SimTask
from simulated_cloud.world import World
from sms_watch.journal.folding import replay
from sms_watch.model.task import TaskState
from sms_watch.text import bar, duration
from sms_watch_cli.boxes import box, wrapped
from sms_watch_cli.report.story import HOURS_LOST, hours
from sms_watch_cli.session import can_redraw, command_here

EPOCH = datetime(2026, 1, 1, 22, tzinfo=timezone.utc)  # lines come at whole spans since then
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MARGIN = 8  # lines of a terminal that are left to messages
NARROW = 100  # columns; a terminal that has fewer goes without the speed
MOST_IN_LINE = 8  # tasks; of more than these only the states are counted

COLOURS: Mapping[str, str] = {
    **dict.fromkeys(FAILED, "red"),
    **dict.fromkeys(MOVING, "green"),
    **dict.fromkeys(PAUSED, "yellow"),
    **dict.fromkeys(DONE, "green"),
}
ACTIONS = {"start": "restarted", "wait": "waits: ", "none": ""}
PLAIN = (
    "A plain script reads every task whenever the timer fires, presses Start on whatever has failed"
    " or was paused, sends a mail each time, and remembers nothing."
)
LEGEND = (
    f"{HOURS_LOST} Avoidable: how long a restart would have helped at once, seen or not."
    " Hopeless: starts of a task that only a person can mend. A start in vain still makes the task"
    " run for some seconds, so the more of them, the fewer hours seem lost."
)
# Each as narrow as its words, so that all fit into 80 columns.
HEADINGS = (
    "hours\nlost",
    "avoidable\nhours",
    "mails\nto read",
    "starts",
    "pauses\nundone",
    "hopeless\nstarts",
)

Actions = Mapping[str, Mapping[str, Any]]


class Screen:
    """Shows a night live on a terminal; elsewhere it prints the messages and lines now and then.

    ``line`` is how often the lines come. A terminal that cannot move its cursor (``TERM=dumb``)
    is none.
    """

    def __init__(
        self,
        title: str,
        console: Optional[Console] = None,
        line: timedelta = HOUR,
    ) -> None:
        self._title = title
        self._console = console or Console(file=sys.stdout, highlight=False)
        self._line = line
        self._clock = "%H:%M" if line <= HOUR else "%a %H:%M"  # or a day could not be told
        self._failed = 0
        self._live: Optional[Live] = None
        self._world: Optional[World] = None
        self._told = 0

    @contextmanager
    def showing(self, world: World) -> Iterator[None]:
        """Show the tasks of a world while the block lasts; what is shown last stays."""
        self._world = world
        self._console.rule(self._title)
        if not can_redraw(self._console):
            yield
            return
        with Live(console=self._console, refresh_per_second=12) as live:
            self._live = live
            yield
            self._live = None

    def show(self, moment: datetime, report: Mapping[str, Any]) -> None:
        """Show the state of things after a tick."""
        if self._world is None:
            return
        if self._failed:
            self._say(moment, f"runs succeed again, after {self._failed} that failed", "green")
            self._failed = 0
        for message in self._world.inbox[self._told :]:
            self._console.print(box(message, self._console.width, self._clock))
        self._told = len(self._world.inbox)
        actions = {task["id"]: task for task in report["tasks"]}
        if self._live is not None:
            self._live.update(tasks_at(moment, self._world, actions, self._console))
        self._log(moment, actions)

    def failed(self, moment: datetime, why: str) -> None:
        """Show that a run failed, as FunctionGraph would count it; of a row of them the first."""
        if not self._failed:
            self._say(moment, f"a run failed: {why}", "red")
        self._failed += 1
        self._log(moment, {})

    def _log(self, moment: datetime, actions: Actions) -> None:
        span = moment - EPOCH
        if self._live is None and self._world is not None and not span % self._line:
            when = f"{moment:{self._clock if self._line < DAY else '%a %d'}}"
            for line in _lines(when, moment, self._world, actions):
                self._console.print(Text(wrapped(line, self._console.width)), soft_wrap=True)

    def _say(self, moment: datetime, what: str, style: str) -> None:
        line = wrapped(f"{moment:{self._clock}}  {what}", self._console.width)
        self._console.print(Text(line, style=style), soft_wrap=True)

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

    def scoreboard(self, ours: Score, plain: Score, nobody: Score, failed: int = 0) -> None:
        """Show what the night came to, side by side; ``failed`` runs of the watchdog's were."""
        table = Table(title="Side by side", title_justify="left")
        table.add_column("who watched", no_wrap=True)
        for name in HEADINGS:
            table.add_column(name, justify="right")
        for score in (ours, plain, nobody):
            table.add_row(score.name, *_cells(score))
        self._console.print()
        self._console.print(table)
        self._console.print(Text(verdict(ours, plain, nobody), style="bold"))
        if failed:
            self._console.print(
                f"{failed} runs failed, and FunctionGraph would count each of them. The others"
                " were played without that trouble."
            )
        self._console.print(Text(f"\n{PLAIN}\n{LEGEND}", style="dim"))

    def what_next(self, scenario: str, out: Optional[Path]) -> None:
        """Show what to try after this; ``out`` is the page that was written, if any."""
        command = command_here()
        steps = {
            f"{command} simulate --help": "the other scenarios",
            f"{command} simulate {scenario} --report {scenario}.html": "its report page",
            f"{command} cloud": "a simulated cloud to try the commands on",
            "README.md": "how to watch migrations of your own",
        }
        if out is not None:
            self._console.print(Text(f"\nThe report page: {out}"), soft_wrap=True)
        self._console.print(Text("\nWhat next", style="bold"))
        for step, what in steps.items():
            self._console.print(Text(f"  {step}\n      {what}"), soft_wrap=True)


def _cells(score: Score) -> Iterator[Text]:
    yield Text(hours(score.lost))
    yield _cell(hours(score.avoidable), score.avoidable >= timedelta(hours=1))
    yield Text(f"{score.messages:,}")
    yield Text(f"{score.starts:,}")
    yield _cell(f"{score.undone:,}", score.undone > 0)
    yield _cell(f"{score.hopeless:,}", score.hopeless > 0)


def _cell(text: str, is_bad: bool) -> Text:
    return Text(text, style="red" if is_bad else "green")


def tasks_at(moment: datetime, world: World, actions: Actions, console: Console) -> Group:
    """Return the tasks of a world as they stand on a terminal at a moment.

    ``actions`` is what the watchdog's report says of each, by id.
    """
    wide, room = console.width >= NARROW, console.height - MARGIN
    table = Table(box=None, expand=True)
    for name in ("task", "state", "", "%", *(["Mbit/s"] if wide else []), "left", "the watchdog"):
        # A line for each task, or the room would not do: the bar takes what the texts leave.
        table.add_column(name, no_wrap=True, ratio=None if name else 1)
    tasks = sorted(world.tasks.values(), key=_rank)
    for task in tasks[:room]:
        action = actions.get(task.id, {})
        colour = COLOURS.get(task.state, "white")
        speed = f"{task.speed:.0f}" if task.copying else ""
        table.add_row(
            task.name,
            Text(f"{task.state} {task.code}".strip(), style=colour),
            _bar(task, colour),
            str(min(task.percent, 100)),
            *([speed] if wide else []),
            _left(action, moment),
            _doing(action),
        )
    more = tasks[room:]
    text = f"and {len(more)} more: {_states(more)}"
    rest = [Text(text, no_wrap=True, overflow="ellipsis")] if more else []
    return Group(Text(f"{moment:%Y-%m-%d %H:%M} UTC", style="bold"), table, *rest)


def _rank(task: SimTask) -> int:
    """Return the place of a task on a terminal: what needs a look first, what is done last."""
    ranks = (FAILED, PAUSED, HELD, (TaskState.RUNNING,), MOVING, DONE)
    if task.state == TaskState.READY and not any(task.far):  # nobody has started it yet
        return ranks.index(DONE)
    return next((rank for rank, states in enumerate(ranks) if task.state in states), 0)


def _bar(task: SimTask, colour: str) -> ProgressBar:
    done = min(task.percent, 100)
    return ProgressBar(total=100, completed=done, complete_style=colour, finished_style=colour)


def _doing(action: Mapping[str, Any]) -> str:
    doing = str(action.get("action", ""))
    reason = "" if doing == "start" else str(action.get("reason", "")).replace("_", " ")
    return f"{ACTIONS.get(doing, '')}{reason}"


def _left(action: Mapping[str, Any], moment: datetime) -> str:
    """Return how long the rest of a task takes by the watchdog's own measure."""
    eta = action.get("eta")
    if not eta:
        return ""
    return duration(datetime.fromisoformat(str(eta).replace("Z", "+00:00")) - moment)


def _lines(when: str, moment: datetime, world: World, actions: Actions) -> List[str]:
    tasks = list(world.tasks.values())
    if len(tasks) > MOST_IN_LINE:
        return [f"{when}  {len(tasks)} tasks: {_states(tasks)}"]
    width = max((len(task.name) for task in tasks), default=0)
    heads = [when, *[" " * len(when)] * len(tasks)]
    return [
        f"{head}  {task.name:<{width}} {_brief(task, actions.get(task.id, {}), moment)}"
        for head, task in zip(heads, tasks)
    ]


def _states(tasks: List[SimTask]) -> str:
    counted = Counter(str(task.state) for task in tasks)
    return ", ".join(f"{number} {state}" for state, number in sorted(counted.items()))


def _brief(task: SimTask, action: Mapping[str, Any], moment: datetime) -> str:
    left = _left(action, moment)
    done = min(task.percent, 100)
    state = f"{task.state} {task.code}".strip()
    return f"{bar(done, 10)} {done:>3} % {state}" + (f", about {left} left" if left else "")
