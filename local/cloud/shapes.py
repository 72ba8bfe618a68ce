"""The bodies of answers, as the SMS API reference documents them ("Querying a Migration Task")."""

from __future__ import annotations

import functools
import json
import uuid
import zlib
from datetime import datetime, timedelta
from typing import Any, Dict, List, Optional, Sequence

from local.cloud.world import SimTask
from sms_watch.model.task import TaskState

PROJECT = "0" * 32
SETTING_UP = ("CREATE_CLOUD_SERVER", "SSL_CONFIG", "ATTACH_AGENT_IMAGE")
MINUTES_EACH = 3
DISK = 107_374_182_400


def task_body(task: SimTask, now: datetime) -> Dict[str, Any]:
    """Give the answer to a query of a task."""
    moving = task.state == TaskState.RUNNING
    remaining = int(task.remaining.total_seconds()) if moving else None
    body: Dict[str, Any] = {
        "id": task.id,
        "name": task.name,
        "type": task.type,
        "os_type": task.os_type,
        "state": str(task.state),
        "estimate_complete_time": _ms(now + task.remaining) if moving else None,
        "create_date": _ms(task.begun),
        "start_date": _ms(task.begun),
        "finish_date": _ms(task.ended),
        "priority": 1,
        "speed_limit": 0,
        "migrate_speed": _speed(task, now),
        "compress_rate": 0.0,
        "start_target_server": True,
        "error_json": _error_json(task),
        "total_time": None,
        "migration_ip": f"203.0.113.{_host(task)}",
        "region_name": "AP-Singapore",
        "region_id": "ap-southeast-3",
        "project_name": "ap-southeast-3",
        "project_id": PROJECT,
        "sub_tasks": _sub_tasks(task),
        "source_server": _server(task, f"192.0.2.{_host(task)}", state=_source_state(task)),
        "target_server": {
            **_server(task, f"203.0.113.{_host(task)}"),
            "vm_id": f"vm-{task.id}"[:36],
            "disks": [{"id": 1, "name": "/dev/sda", "disk_id": "0", "size": DISK}],
            "volume_groups": [],
        },
        "remain_seconds": remaining,
        "subtask_info": f"{_copy_name(task)}-{task.percent}",
    }
    if task.connected is not None:
        body["connected"] = task.connected
    return body


def _speed(task: SimTask, now: datetime) -> float:
    """Give a speed that goes up and down as measured ones do; between two samples it is 0."""
    if not task.copying:
        return 0.0
    minute = int(now.timestamp()) // 60
    swing = (minute * 7 % 11 - 5) / 100
    return 0.0 if minute % 13 == 0 else round(task.speed * (1 + swing), 1)


# What a row of the list of tasks lacks (SMS API reference, "Querying the Migration Task List").
NOT_LISTED = ("connected", "start_date", "finish_date", "remain_seconds")


def task_page(tasks: Sequence[SimTask], now: datetime, limit: int, offset: int) -> Dict[str, Any]:
    """Give one page of the list of tasks."""
    rows = [_task_row(task, now) for task in tasks[offset : offset + limit]]
    return {"count": len(tasks), "tasks": rows}


def _task_row(task: SimTask, now: datetime) -> Dict[str, Any]:
    body = {name: item for name, item in task_body(task, now).items() if name not in NOT_LISTED}
    for sub_task in body["sub_tasks"]:
        del sub_task["user_op"]
    return body


def source_page(tasks: Sequence[SimTask], now: datetime, limit: int, offset: int) -> Dict[str, Any]:
    """Give one page of the list of source servers, each with its task."""
    rows = [_source_row(task, now) for task in tasks[offset : offset + limit]]
    return {"count": len(tasks), "source_servers": rows}


def _source_row(task: SimTask, now: datetime) -> Dict[str, Any]:
    body = task_body(task, now)
    kept = ("id", "name", "type", "state", "migrate_speed", "remain_seconds", "subtask_info")
    row: Dict[str, Any] = {
        **body["source_server"],
        "migproject_id": task.project,
        "current_task": {name: body[name] for name in kept},
        "replicatesize": int(task.copied),
        "totalsize": int(task.size),
        "last_visit_time": _ms(now),
        "migration_cycle": "syncing" if task.state == TaskState.SYNCING else "replicating",
        "checks": [],
    }
    if task.connected is not None:
        row["connected"] = task.connected
    return row


def _error_json(task: SimTask) -> str:
    if not task.code:
        return ""
    params = json.dumps(list(task.params))
    return json.dumps({"error_param": params, "error_code": task.code})


def _sub_tasks(task: SimTask) -> List[Dict[str, Any]]:
    disks = "FORMAT_DISK_WINDOWS" if task.os_type == "WINDOWS" else "FORMAT_DISK_LINUX_FILE"
    begun = task.begun
    made = []
    for number, name in enumerate((*SETTING_UP, disks)):
        start = begun + timedelta(minutes=MINUTES_EACH * number) if begun else None
        end = start + timedelta(minutes=MINUTES_EACH) if start else None
        made.append(_sub_task(number, name, 100, start, end))
    return [*made, _sub_task(len(made), _copy_name(task), task.percent, begun, task.ended)]


def _sub_task(
    number: int, name: str, percent: int, start: Optional[datetime], end: Optional[datetime]
) -> Dict[str, Any]:
    return {
        "id": 41_001 + number,
        "name": name,
        "progress": percent,
        "start_date": _ms(start),
        "end_date": _ms(end),
        "user_op": "REPLICATE",
        "process_trace": None,
        "migrate_speed": 0.0,
    }


def _copy_name(task: SimTask) -> str:
    level = "BLOCK" if task.type == "MIGRATE_BLOCK" else "FILE"
    return f"MIGRATE_{task.os_type}_{level}"


def _host(task: SimTask) -> int:
    """Give the last number of a task's addresses: hardly two tasks of a night share one."""
    return 1 + zlib.crc32(task.id.encode()) % 254


def _server(task: SimTask, address: str, **more: Any) -> Dict[str, Any]:
    return {
        "id": _server_id(task.id, address),
        "ip": address,
        "name": task.name,
        "os_type": task.os_type,
        "os_version": "WINDOWS2016_64BIT" if task.os_type == "WINDOWS" else "CENTOS_7_9_64BIT",
        **more,
    }


@functools.cache
def _server_id(task_id: str, address: str) -> str:
    """Give a server an id of the form that ids of servers have, like those of tasks."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{task_id} {address}"))


def _source_state(task: SimTask) -> str:
    states = {TaskState.RUNNING: "replicate", TaskState.SYNCING: "syncing"}
    if task.state in (TaskState.ABORT, TaskState.ABORTING):
        return "stopped"
    if task.state == TaskState.MIGRATE_SUCCESS:
        return "finished"
    return states.get(TaskState(task.state), "error")


def _ms(moment: Optional[datetime]) -> Optional[int]:
    return int(moment.timestamp() * 1000) if moment else None
