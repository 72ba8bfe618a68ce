"""The sub-tasks of a migration task, as its answers list them.

All are listed from the beginning: those done at 100 with an end, the one under way at its
percentage, those to come at 0 without a start (sample answers to "Querying a Migration Task").
Names are those of the SDK's ``UpdateTaskSpeedReq``. A failed or paused task shows where it stands.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from simulated_cloud.task import CLOSING, DONE, SETTING_UP, SimTask
from simulated_cloud.variants import Percents, SubTasks, Variants
from sms_watch.model.task import TaskState

FIRST = ("CREATE_CLOUD_SERVER", "SSL_CONFIG", "ATTACH_AGENT_IMAGE")
CHECK = "CHECK_CONSISTENCY"  # in no document; reported by a program that makes tasks with one
LAST = "DETTACH_AGENT_IMAGE"  # the service's own spelling
# Synchronising stays at one percentage, and only its speed goes up and down (SMS FAQs, "Why Is the
# Migration Progress Slow?").
SYNC_PERCENT = 6


class Step(NamedTuple):
    """A sub-task; ``user_op`` is what began it."""

    name: str
    percent: int
    start: Optional[datetime] = None
    end: Optional[datetime] = None
    user_op: str = "REPLICATE"


def listed(
    task: SimTask, variants: Variants
) -> Tuple[Optional[List[Dict[str, Any]]], Optional[str]]:
    """Return the list of a task's sub-tasks, ``None`` if it is left out, and ``subtask_info``."""
    steps = list(_steps(task, variants))
    if variants.unknown_names:
        steps = [each._replace(name=f"PHASE_{place}") for place, each in enumerate(steps)]
    here = _under_way(steps)
    untold = variants.percents is Percents.NULL and not here.end
    info = None if untold or not here.start else f"{here.name}-{here.percent}"
    if variants.sub_tasks is SubTasks.LEFT_OUT:
        return None, info
    begun_only = variants.sub_tasks is SubTasks.BEGUN
    rows = [
        _row(number, each, variants.percents, untold and each is here)
        for number, each in enumerate(steps)
        if each.start or not begun_only
    ]
    return rows, info


def _under_way(steps: Sequence[Step]) -> Step:
    """Return the sub-task that has begun and not ended, else the next one, else the last."""
    begun = [each for each in steps if each.start and not each.end]
    return [*begun, *(each for each in steps if not each.start), steps[-1]][0]


def _row(number: int, step: Step, form: Percents, untold: bool) -> Dict[str, Any]:
    written: Any = f"{step.percent}%" if form is Percents.TEXT else step.percent
    return {
        "id": 41_001 + number,
        "name": step.name,
        "progress": None if untold else written,
        "start_date": ms(step.start),
        "end_date": ms(step.end),
        "user_op": step.user_op,
        "process_trace": None,
        "migrate_speed": 0.0,
    }


def _steps(task: SimTask, variants: Variants) -> Iterator[Step]:
    system = _system(task)
    begun = None if task.state == TaskState.READY else task.begun
    before = (*FIRST, f"FORMAT_DISK_{system}")
    yield from _stage(before, begun, SETTING_UP, task.prepared)
    data = "WINDOWS_BLOCK" if system == "WINDOWS" else system
    yield Step(f"MIGRATE_{data}", task.percent, task.copying_since, task.copied_at)
    if not task.synchronises:
        check = (CHECK,) if variants.consistency_check else ()
        behind = (*check, f"CONFIGURE_{system}", LAST)
        yield from _stage(behind, task.copied_at, CLOSING, task.closed)
    elif task.copied_at:
        # Such a task is not configured before its cut-over, says the program that has CHECK.
        percent = 100 if task.state in DONE else SYNC_PERCENT
        yield Step(f"SYNC_{data}", percent, task.copied_at, task.ended, "RESYNC0")


def _system(task: SimTask) -> str:
    if task.os_type == "WINDOWS":
        return "WINDOWS"
    return "LINUX_BLOCK" if task.type == "MIGRATE_BLOCK" else "LINUX_FILE"


def _stage(
    names: Sequence[str], since: Optional[datetime], seconds: float, done: float
) -> Iterator[Step]:
    """Return sub-tasks that share so many seconds, of which some are done, evenly."""
    each = seconds / len(names)
    for place, name in enumerate(names):
        share = min(max(done / each - place, 0), 1)
        begun = since and (share > 0 or place == 0)
        start = since + timedelta(seconds=each * place) if since and begun else None
        end = start + timedelta(seconds=each) if start and share == 1 else None
        yield Step(name, int(100 * share), start, end)


def ms(moment: Optional[datetime]) -> Optional[int]:
    """Return a moment as the service writes it, in milliseconds since 1970."""
    return int(moment.timestamp() * 1000) if moment else None
