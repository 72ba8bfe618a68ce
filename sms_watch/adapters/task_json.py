"""A migration task out of the JSON of its answer. Pure.

The fields and their traps are those of the SMS API reference, "Querying a Migration Task". Only
the id and the state are indispensable: any other field may be missing or hold anything, and one
odd value must not keep a failed task from being started. Texts are cleaned and cut here, so that
nothing behind this has to hold a megabyte of a name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from sms_watch.model.task import Progress, Servers, Task, TaskError, Transfer
from sms_watch.text import MAX_DETAIL, MAX_NAME, clean

# The task has an error that cannot be read.
UNREADABLE = "?"
MOST_PARAMS = 8


def read(body: Any) -> Optional[Task]:
    """Return the task in an answer, ``None`` when it has no id or no state."""
    fields = _fields(body)
    # A state is compared, so it is cut but not cleaned: what looks like one must not become it.
    task_id, state = _text(fields.get("id")), _text(fields.get("state"))[:MAX_NAME]
    if not (task_id and state):
        return None
    return Task(
        task_id,
        _line(fields.get("name")),
        state,
        type=_text(fields.get("type"))[:MAX_NAME],
        error=_error(fields.get("error_json")),
        connected=_truth(fields.get("connected")),
        progress=_progress(fields),
        transfer=Transfer(speed=_number(fields.get("migrate_speed"))),
        servers=Servers(
            _server(fields.get("source_server")),
            _server(fields.get("target_server")),
            _text(_fields(fields.get("source_server")).get("id"))[:MAX_NAME],
        ),
    )


def read_row(row: Any, sources: Mapping[str, Source]) -> Optional[Task]:
    """Return the task in a row of a list, with what the list of source servers knows of it."""
    task = read(row)
    if task is None:
        return None
    source = sources.get(task.servers.source_id, Source())
    progress = replace(task.progress, copied=source.copied)
    known = task.connected is not None
    connected = task.connected if known else source.connected
    transfer = replace(task.transfer, size=source.size)
    return replace(task, progress=progress, connected=connected, transfer=transfer, listed=True)


@dataclass(frozen=True)
class Source:
    """What a source server's row says: the agent's connection, bytes copied, bytes in all."""

    connected: Optional[bool] = None
    copied: Optional[int] = None
    size: Optional[int] = None


def read_source(row: Any) -> Tuple[str, Source]:
    """Return the id in a row of the list of source servers, and what the row says.

    The fields are those of the SMS API reference, "Querying the Source Server List".
    """
    fields = _fields(row)
    return _text(fields.get("id"))[:MAX_NAME], Source(
        _truth(fields.get("connected")),
        _whole(fields.get("replicatesize")),
        _whole(fields.get("totalsize")),
    )


def row_id(row: Any) -> str:
    """Return the id in a row of a list; empty when it has none that can be one."""
    text = _text(_fields(row).get("id"))
    return text if re.fullmatch(r"[A-Za-z0-9-]{1,36}", text, re.ASCII) else ""


def rows(body: Any, name: str) -> Optional[Tuple[int, List[Any]]]:
    """Return the count and the rows of one page of a list, ``None`` if it is none."""
    fields = _fields(body)
    count, listed = _whole(fields.get("count")), fields.get(name)
    return (count, listed) if count is not None and isinstance(listed, list) else None


# The error: a JSON object in a string, with a JSON list in a string in it


def _error(value: Any) -> TaskError:
    if value in (None, "", {}):
        return TaskError()
    fields = _fields(_unpacked(value))
    code = _text(fields.get("error_code"))
    if not re.fullmatch(r"[\w.-]{1,32}", code, re.ASCII):
        found = re.search(r"SMS\.\d{4}", str(value), re.ASCII)
        return TaskError(found.group() if found else UNREADABLE)
    params = _unpacked(fields.get("error_param"))
    listed = params if isinstance(params, list) else [params]
    shown = [clean(str(each), MAX_DETAIL) for each in listed if each not in (None, "")]
    return TaskError(code, tuple(shown[:MOST_PARAMS]))


def _unpacked(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


# Progress: the sub-tasks of all rounds, old ones first; those to come are listed ahead


def _progress(fields: Dict[str, Any]) -> Progress:
    listed, info = fields.get("sub_tasks"), _brief(_line(fields.get("subtask_info")))
    sub_tasks = [_fields(each) for each in listed] if isinstance(listed, list) else []
    if not sub_tasks:
        return info
    place = _under_way(sub_tasks, info.sub_task)
    name, percent = _line(sub_tasks[place].get("name")), _whole(sub_tasks[place].get("progress"))
    if percent is None and name == info.sub_task:
        percent = info.percent
    return Progress(place, percent, None, name)


def _under_way(sub_tasks: Sequence[Dict[str, Any]], named: str) -> int:
    """Return the place of the sub-task under way.

    That is the one which the answer names; else the last that has begun and not ended, the first
    that has not begun, or, when all have ended, the last.
    """
    places = range(len(sub_tasks))
    called = [n for n in places if named and _line(sub_tasks[n].get("name")) == named]
    begun = [n for n in places if _has_begun(sub_tasks[n]) and not sub_tasks[n].get("end_date")]
    if called or begun:
        return (called or begun)[-1]
    to_come = [n for n in places if not _has_begun(sub_tasks[n])]
    return to_come[0] if to_come else places[-1]


def _has_begun(sub_task: Dict[str, Any]) -> bool:
    over = sub_task.get("start_date") or sub_task.get("end_date")
    return bool(over) or bool(_whole(sub_task.get("progress")))


def _brief(info: str) -> Progress:
    """Return the progress in ``NAME-PERCENT``, the form of ``subtask_info``."""
    name, _, percent = info.rpartition("-")
    if not name or not re.fullmatch(r"[0-9]{1,4}%?", percent):
        return Progress()
    return Progress(None, _whole(percent), None, name)


# Values that may hold anything


def _fields(value: Any) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """Return a text; half a character, which no file can hold, is a question mark."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _line(value: Any) -> str:
    return clean(_text(value), MAX_DETAIL)


def _truth(value: Any) -> Optional[bool]:
    """Return a truth that is one, or its usual spelling; a text is not true for being there."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def _number(value: Any) -> Optional[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e15 else None


def _whole(value: Any) -> Optional[int]:
    """Return a number without its fraction, also from text such as ``"42%"``."""
    number = _number(value.rstrip("% ") if isinstance(value, str) else value)
    return None if number is None else int(number)


def _server(value: Any) -> str:
    fields = _fields(value)
    parts: List[str] = [_line(fields.get("name")), _line(fields.get("ip"))]
    name, address = parts
    if name and address and name != address:
        return f"{name} ({address})"
    return name or address
