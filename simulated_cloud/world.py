"""The truth of the simulation: tasks that move while time passes, and what is done to them.

Everything happens at its own moment, whenever it is looked at: reading often or seldom changes
nothing, and the same script gives the same night. No HTTP is here.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, List, Optional, Tuple

from simulated_cloud.task import (
    CLOSING,
    COMES_TO_REST,
    DONE,
    GIVES_UP_CONNECTING,
    HELD,
    LINE_CODES,
    MEETS_OBSTACLE,
    MOVING,
    NOTICES_BREAK,
    OVERSPEED,
    PAUSED,
    PICKS_UP,
    RECOVERABLE,
    SETTING_UP,
    STARTABLE,
    SYNCHRONISED,
    Refused,
    SimTask,
)
from sms_watch.model.task import TaskState
from sms_watch.ports import Clock


@dataclass(frozen=True)
class Start:
    """A start that reached the service, and what it met."""

    at: datetime
    task_id: str
    state: str
    code: str
    far: Tuple[float, float, float]
    accepted: bool
    hopeless: bool
    paused: bool


@dataclass(frozen=True)
class Happening:
    """One line of the world's own log."""

    at: datetime
    task_id: str
    what: str


@dataclass
class World:
    """All tasks, the topic's messages, and the script of what happens to them."""

    clock: Clock
    tasks: Dict[str, SimTask] = field(default_factory=dict)
    starts: List[Start] = field(default_factory=list)
    happenings: List[Happening] = field(default_factory=list)
    inbox: List[Dict[str, Any]] = field(default_factory=list)
    violations: List[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin at the clock's moment with an empty script."""
        self._reached = self.clock.now()
        self._script: List[Tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def add(self, task: SimTask) -> SimTask:
        """Add a task that is under way, or ready to be started."""
        task.begun = task.begun or self._reached - timedelta(seconds=task.prepared)
        if task.prepared >= SETTING_UP:
            task.copying_since = task.copying_since or self._reached
        if task.state in (*DONE, *SYNCHRONISED):
            task.copied_at = task.copied_at or self._reached
        if task.state in DONE:
            task.ended = task.ended or self._reached
        self.tasks[task.id] = task
        self._flow(task)
        return task

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Let something happen at a moment, before or after which nobody needs to look."""
        heapq.heappush(self._script, (moment, next(self._order), action))

    def advance(self) -> None:
        """Bring everything up to the clock's moment, each thing at its own."""
        now = self.clock.now()
        while self._script and self._script[0][0] <= now:
            moment, _, action = heapq.heappop(self._script)
            self._pass_time(moment)
            action()
        self._pass_time(now)

    # What people and the line do; called by a script

    def line_down(self, *task_ids: str) -> None:
        """Cut the line of these tasks, or of all."""
        self._line(task_ids, up=False)

    def line_up(self, *task_ids: str) -> None:
        """Mend the line of these tasks, or of all."""
        self._line(task_ids, up=True)

    def fail(self, task_id: str, code: str, *params: str, obstacle: bool = True) -> None:
        """Fail a moving task; an obstacle stays in the way of every start until it is cleared."""
        task = self.tasks[task_id]
        task.obstacle = code if obstacle else ""
        self._fail(task, code, params)

    def clear(self, task_id: str) -> None:
        """Clear the obstacle away, as a person does; the task stays failed until it is started."""
        self.tasks[task_id].obstacle = ""
        self._note(task_id, "obstacle cleared")

    def connect(self, task_id: str, connected: Optional[bool]) -> None:
        """Let the agent come or go, or not be spoken of."""
        self.tasks[task_id].connected = connected
        self._note(task_id, f"connected: {connected}")

    def freeze(self, task_id: str) -> None:
        """Let a running task stand still without any sign of it."""
        self.tasks[task_id].frozen = True
        self._note(task_id, "stands still")
        self._flow(self.tasks[task_id])

    def thaw(self, task_id: str) -> None:
        """Let a task that stood still go on."""
        self.tasks[task_id].frozen = False
        self._note(task_id, "moves")
        self._flow(self.tasks[task_id])

    def pause(self, task_id: str) -> None:
        """Pause a task in the console."""
        task = self.tasks[task_id]
        self._change(task, TaskState.ABORTING)
        self._later(task, COMES_TO_REST, lambda: self._change(task, TaskState.ABORT))

    def hold(self, task_id: str, state: str) -> None:
        """Hold a moving task in a state such as RESETING until it is settled."""
        task = self.tasks[task_id]
        if task.state in MOVING:
            self._change(task, state)

    def ignore_starts(self, task_id: str) -> None:
        """Make the agent ignore starts: after an accepted one the task waits in READY."""
        self.tasks[task_id].picks_up_after = None

    def settle(self, task_id: str) -> None:
        """Release a task that was held, or whose starts were ignored."""
        task = self.tasks[task_id]
        task.picks_up_after = PICKS_UP
        if task.state in HELD:
            self._run(task)

    def overspeed(self, task_id: str) -> None:
        """Let the service pause a task that passes its speed limit."""
        task = self.tasks[task_id]
        task.code = OVERSPEED
        self._change(task, TaskState.ABORT)

    def grow(self, task_id: str, size: float) -> None:
        """Add bytes on the source that nobody has counted; a copy that is done is done."""
        task = self.tasks[task_id]
        if task.copied_at is None:
            task.grown += size
            self._note(task_id, f"has {size:.0f} bytes more")
            self._flow(task)

    def pace(self, task_id: str, speed: float) -> None:
        """Set how fast a task copies from now on, in Mbit/s."""
        self.tasks[task_id].speed = speed
        self._flow(self.tasks[task_id])

    def resume(self, task_id: str) -> None:
        """Start a task in the console."""
        self._run(self.tasks[task_id])

    def rename(self, task_id: str, name: str) -> None:
        """Return a task another name in the console."""
        self.tasks[task_id].name = name
        self._note(task_id, "renamed")

    def delete(self, task_id: str) -> None:
        """Delete a task in the console."""
        del self.tasks[task_id]
        self._note(task_id, "deleted")

    # What the service is asked

    def read(self, task_id: str) -> SimTask:
        """Return a task as it is now. Raise Refused if there is none."""
        self.advance()
        if task_id not in self.tasks:
            raise Refused(400, "SMS.7703", "The migration task does not exist.")
        return self.tasks[task_id]

    def all(self) -> List[SimTask]:
        """Return all tasks as they are now."""
        self.advance()
        return list(self.tasks.values())

    def start(self, task_id: str) -> None:
        """Start a task on request. Raise Refused in a state that allows none."""
        task = self.read(task_id)
        accepted = task.state in STARTABLE
        self.starts.append(
            Start(
                self.clock.now(),
                task_id,
                task.state,
                task.code,
                task.far,
                accepted,
                hopeless=bool(task.obstacle),
                paused=task.state in PAUSED,
            )
        )
        if not accepted:
            raise Refused(400, "SMS.7713", f"A task in state {task.state} cannot be started.")
        task.version += 1
        if task.picks_up_after is None:
            task.code = ""
            self._change(task, TaskState.READY)
        else:
            self._later(task, task.picks_up_after, lambda: self._run(task))
        self.advance()

    # The flow of a task

    def _pass_time(self, until: datetime) -> None:
        span = until - self._reached
        for task in self.tasks.values():
            if task.working:
                task.work(span.total_seconds())
            task.waited += span if task.restartable else timedelta(0)
        self._reached = until

    def _flow(self, task: SimTask, fresh: bool = False) -> None:
        """Work out what happens to a moving task next; ``fresh``: it was started just now."""
        task.version += 1
        if task.state not in MOVING:
            return
        broke, unreachable = LINE_CODES[task.type]
        if task.obstacle:
            self._later(task, MEETS_OBSTACLE, lambda: self._fail(task, task.obstacle, task.params))
        elif not task.line_up and fresh:
            self._later(task, GIVES_UP_CONNECTING, lambda: self._fail(task, unreachable))
        elif not task.line_up:
            self._later(task, NOTICES_BREAK, lambda: self._fail(task, broke))
        elif task.working:
            self._later(task, task.stage_left, lambda: self._next_stage(task))

    def _later(self, task: SimTask, seconds: float, action: Callable[[], None]) -> None:
        version = task.version

        def unless_changed() -> None:
            if task.version == version:
                action()

        self.at(self._reached + timedelta(seconds=seconds), unless_changed)

    def _line(self, task_ids: Tuple[str, ...], up: bool) -> None:
        for task_id in task_ids or tuple(self.tasks):
            task = self.tasks[task_id]
            task.line_up = up
            self._note(task_id, "line up" if up else "line down")
            self._flow(task)
            if up and task.recovers_after is not None and task.code in RECOVERABLE:
                self._later(task, task.recovers_after, functools.partial(self._run, task))

    def _run(self, task: SimTask) -> None:
        task.code = ""
        if task.state == TaskState.READY and not any(task.far):
            task.begun = self._reached
        over = task.synchronises and task.copied_at
        self._change(task, TaskState.SYNCING if over else TaskState.RUNNING, fresh=True)

    def _next_stage(self, task: SimTask) -> None:
        """End what a task is about: preparing, copying, or what follows."""
        if task.copying_since is None:
            task.prepared, task.copying_since = SETTING_UP, self._reached
            self._note(task.id, "prepared")
            self._flow(task)
        elif task.copied_at is None:
            task.copied, task.copied_at = task.size + task.grown, self._reached
            self._end_copy(task)
        else:
            task.closed, task.ended = CLOSING, self._reached
            self._change(task, TaskState.MIGRATE_SUCCESS)

    def _end_copy(self, task: SimTask) -> None:
        self._note(task.id, "copied")
        if task.synchronises:
            self._change(task, TaskState.SYNCING)
        else:
            self._flow(task)

    def _fail(self, task: SimTask, code: str, params: Tuple[str, ...] = ()) -> None:
        syncing = task.state in (TaskState.SYNCING, TaskState.SYNC_FAIL)
        task.code, task.params = code, params
        self._change(task, TaskState.SYNC_FAIL if syncing else TaskState.MIGRATE_FAIL)

    def _change(self, task: SimTask, state: str, fresh: bool = False) -> None:
        task.state = state
        self._note(task.id, f"{state} {task.code}".strip())
        self._flow(task, fresh)

    def _note(self, task_id: str, what: str) -> None:
        self.happenings.append(Happening(self._reached, task_id, what))
