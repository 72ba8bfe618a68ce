"""The bodies of answers, as the SMS API reference documents them.

A task is that of "Querying a Migration Task"; rows are those of "Querying the Migration Task List"
and "Querying the Source Server List".
"""

from __future__ import annotations

import functools
import json
import uuid
import zlib
from datetime import datetime
from http import HTTPStatus
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple

from simulated_cloud.subtasks import listed, ms
from simulated_cloud.task import Refused, SimTask
from simulated_cloud.variants import DOCUMENTED, Variants
from sms_watch.model.task import TaskState

PROJECT = "0" * 32
REQUEST_ID = "5e11ab1e" * 4
DISK = 107_374_182_400
VOLUME = {
    "id": 61_001,
    "uuid": None,
    "index": 0,
    "name": "/dev/sda1",
    "relation_name": "/dev/vda1",
    "device_use": "OS",
    "file_system": "ext4",
    "mount_point": "/",
    "size": DISK,
    "used_size": DISK // 2,
    "free_size": DISK // 2,
}
DISKS = [
    {
        "id": 51_001,
        "name": "/dev/sda",
        "relation_name": "/dev/vda",
        "disk_id": "0",
        "partition_style": "MBR",
        "size": DISK,
        "used_size": DISK,
        "device_use": "BOOT",
        "os_disk": True,
        "physical_volumes": [VOLUME],
        "disk_index": "0",
    }
]


def task_body(task: SimTask, now: datetime, variants: Variants = DOCUMENTED) -> Dict[str, Any]:
    """Return the answer to a query of a task."""
    moving = task.state == TaskState.RUNNING
    sub_tasks, info = listed(task, variants)
    body: Dict[str, Any] = {
        "id": task.id,
        "name": task.name,
        "type": task.type,
        "os_type": task.os_type,
        "state": str(task.state),
        "estimate_complete_time": ms(now + task.remaining) if moving else None,
        "create_date": ms(task.begun),
        "start_date": None if task.state == TaskState.READY else ms(task.begun),
        "finish_date": ms(task.ended),
        "error_json": _error_json(task),
        "migrate_speed": _speed(task, now, variants.even_speed),
        "remain_seconds": int(task.remaining.total_seconds()) if moving else None,
        "migration_ip": _address(task, "203.0.113"),
        "enterprise_project_id": task.enterprise_project,
        "source_server": _source_server(task),
        "target_server": _target_server(task),
        "subtask_info": info if variants.named else None,
        **UNCHANGING,
    }
    if sub_tasks is not None:
        body["sub_tasks"] = sub_tasks
    if variants.connected and task.connected is not None:
        body["connected"] = task.connected
    return body


# What is the same for every task.
UNCHANGING: Mapping[str, Any] = {
    "priority": 1,
    "speed_limit": 0,
    "compress_rate": 0.0,
    "start_target_server": True,
    "total_time": None,
    "float_ip": None,
    "vm_template_id": None,
    "region_name": "AP-Singapore",
    "region_id": "ap-southeast-3",
    "project_name": "ap-southeast-3",
    "project_id": PROJECT,
    "clone_server": None,
    "target_snapshot_id": None,
    "network_check_info": None,
    "total_cpu_usage": 23.5,
    "agent_cpu_usage": 1.2,
    "total_mem_usage": 6144.0,
    "agent_mem_usage": 180.0,
    "total_disk_io": 4.0,
    "agent_disk_io": 0.0,
    "need_migration_test": False,
}


def _speed(task: SimTask, now: datetime, even: bool) -> float:
    """Return a speed that goes up and down as measured ones do; between two samples it is 0.

    Looked at every few minutes, whichever number, it is not the same twice for long.
    """
    if not (task.copying or task.synchronising):
        return 0.0
    if task.copying and even:
        return task.speed
    minute = int(now.timestamp()) // 60
    swing = (minute * 389 % 997 - 498) / 10_000
    return 0.0 if minute % 13 == 0 else round(task.speed * (1 + swing), 1)


def _error_json(task: SimTask) -> str:
    if not task.code:
        return ""
    params = json.dumps(list(task.params))
    return json.dumps({"error_param": params, "error_code": task.code})


def _source_server(task: SimTask) -> Dict[str, Any]:
    return {
        **_server(task, _address(task, SOURCES)),
        "oem_system": False,
        "state": _source_state(task),
        "migration_cycle": _cycle(task),
    }


def _target_server(task: SimTask) -> Dict[str, Any]:
    return {
        **_server(task, _address(task, "203.0.113")),
        "vm_id": f"vm-{task.id}"[:36],
        "system_dir": None,
        "disks": DISKS,
        "volume_groups": [],
        "btrfs_list": [],
        "image_disk_id": None,
        "cutovered_snapshot_ids": None,
    }


SOURCES = "192.0.2"


def _address(task: SimTask, network: str) -> str:
    """Return an address in a network: hardly two tasks of a night share one."""
    return f"{network}.{1 + zlib.crc32(task.id.encode()) % 254}"


def _server(task: SimTask, address: str) -> Dict[str, Any]:
    return {
        "id": _server_id(task.id, address),
        "ip": address,
        "name": task.name,
        "os_type": task.os_type,
        "os_version": "WINDOWS2016_64BIT" if task.os_type == "WINDOWS" else "CENTOS_7_9_64BIT",
    }


@functools.cache
def _server_id(task_id: str, address: str) -> str:
    """Return an id of the form that ids of servers have, like those of tasks."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{task_id} {address}"))


def _source_state(task: SimTask) -> str:
    states = {
        TaskState.READY: "waiting",
        TaskState.RUNNING: "replicate",
        TaskState.SYNCING: "syncing",
        TaskState.ABORTING: "stopping",
        TaskState.ABORT: "stopped",
        TaskState.SKIPPING: "skipping",
        TaskState.DELETING: "deleting",
        TaskState.MIGRATE_SUCCESS: "finished",
        TaskState.SYNC_SUCCESS: "syncing",
    }
    return states.get(TaskState(task.state), "error")


def _cycle(task: SimTask) -> str:
    """Return how far a source server's migration is: "migration_cycle"."""
    if task.state == TaskState.READY:
        return "setting"
    if task.state == TaskState.MIGRATE_SUCCESS:
        return "cutovered"
    return "syncing" if task.synchronises and task.copied_at else "replicating"


# Rows of lists. What a row lacks of a task that is queried, and what it has of its parts.

NOT_IN_ROW = frozenset(
    {
        "connected",
        "start_date",
        "finish_date",
        "remain_seconds",
        "float_ip",
        "vm_template_id",
        "region_name",
        "region_id",
        "project_name",
        "project_id",
        "target_snapshot_id",
    }
)
ROW_OF_SOURCE = ("id", "ip", "name", "os_type", "os_version", "oem_system", "state")
ROW_OF_TARGET = ("id", "vm_id", "name", "ip", "os_type", "os_version")
ROW_OF_SUB_TASK = ("id", "name", "progress", "start_date", "end_date", "process_trace")


def task_page(
    tasks: Sequence[SimTask],
    now: datetime,
    limit: int,
    offset: int,
    variants: Variants = DOCUMENTED,
) -> Dict[str, Any]:
    """Return one page of the list of tasks; its count is that of all pages."""
    seen, count = _on_page(tasks, limit, offset, variants)
    return {"count": count, "tasks": [_task_row(task, now, variants) for task in seen]}


def _on_page(
    tasks: Sequence[SimTask], limit: int, offset: int, variants: Variants
) -> Tuple[Sequence[SimTask], int]:
    """Return the tasks of one page, and how many the whole list counts."""
    listed = [task for task in tasks if variants.lists(task.id)]
    return listed[offset : offset + limit], len(listed) + variants.unseen


def _task_row(task: SimTask, now: datetime, variants: Variants) -> Dict[str, Any]:
    body = task_body(task, now, variants)
    row = {name: item for name, item in body.items() if name not in NOT_IN_ROW}
    row["source_server"] = _chosen(body["source_server"], ROW_OF_SOURCE)
    row["target_server"] = _chosen(body["target_server"], ROW_OF_TARGET)
    row["log_collect_status"] = "INIT"
    row["syncing"] = task.synchronises
    if "sub_tasks" in body:
        row["sub_tasks"] = [_chosen(each, ROW_OF_SUB_TASK) for each in body["sub_tasks"]]
    return row


def _chosen(fields: Mapping[str, Any], names: Sequence[str]) -> Dict[str, Any]:
    return {name: fields[name] for name in names}


def source_page(
    tasks: Sequence[SimTask],
    now: datetime,
    limit: int,
    offset: int,
    variants: Variants = DOCUMENTED,
) -> Dict[str, Any]:
    """Return one page of the list of source servers, each with its task."""
    seen, count = _on_page(tasks, limit, offset, variants)
    return {"count": count, "source_servers": [_source_row(task, now, variants) for task in seen]}


CHECKS = [
    {
        "id": 71_001 + number,
        "params": [""],
        "name": name,
        "result": "OK",
        "error_code": None,
        "error_params": "",
    }
    for number, name in enumerate(("OS_VERSION", "CPU", "MEMORY", "FILE_SYSTEM"))
]


def _source_row(task: SimTask, now: datetime, variants: Variants) -> Dict[str, Any]:
    body = task_body(task, now, variants)
    row: Dict[str, Any] = {
        **body["source_server"],
        "enterprise_project_id": task.enterprise_project,
        "add_date": ms(task.begun),
        "cpu_quantity": 4,
        "memory": 8_201_146_368,
        "current_task": _current_task(body),
        "checks": CHECKS,
        "init_target_server": {"disks": [{"name": "/dev/vda", "size": DISK, "device_use": "BOOT"}]},
        "replicatesize": int(task.copied),
        "totalsize": int(task.size),
        "stage_action_time": ms(task.begun),
        "state_action_time": ms(task.begun),
        "last_visit_time": ms(now),
        "start_type": "MANUAL",
    }
    if "connected" in body:
        row["connected"] = body["connected"]
    return row


CURRENT_TASK = (
    "id",
    "name",
    "type",
    "state",
    "estimate_complete_time",
    "start_date",
    "speed_limit",
    "migrate_speed",
    "compress_rate",
    "start_target_server",
    "vm_template_id",
    "region_id",
    "project_name",
    "project_id",
    "clone_server",
    "remain_seconds",
    "subtask_info",
)


def _current_task(body: Mapping[str, Any]) -> Dict[str, Any]:
    return {
        **_chosen(body, CURRENT_TASK),
        "target_server": _chosen(body["target_server"], ("vm_id", "name")),
        "log_collect_status": "INIT",
        "exist_server": False,
        "use_public_ip": True,
    }


# The filters of both lists: what each of them compares. Where the reference says no more than that
# a parameter is a name or an id, it has to be equal.


def source_id(task: SimTask) -> str:
    """Return the id of a task's source server."""
    return _server_id(task.id, _address(task, SOURCES))


Filters = Mapping[str, Callable[[SimTask], str]]
TASK_FILTERS: Filters = {
    "state": lambda task: str(task.state),
    "name": lambda task: task.name,
    "id": lambda task: task.id,
    "source_server_id": source_id,
    "enterprise_project_id": lambda task: task.enterprise_project,
}
SOURCE_FILTERS: Filters = {
    "state": _source_state,
    "name": lambda task: task.name,
    "id": source_id,
    "ip": lambda task: _address(task, SOURCES),
    "migproject": lambda task: task.project,
    "migration_cycle": _cycle,
    "connected": lambda task: str(task.connected).lower(),
    "enterprise_project_id": lambda task: task.enterprise_project,
}


def matching(
    tasks: Sequence[SimTask], filters: Filters, asked: Mapping[str, str]
) -> Sequence[SimTask]:
    """Return the tasks that a query asks for; a parameter that is no filter changes nothing."""
    wanted = [(filters[name], text) for name, text in asked.items() if name in filters]
    return [task for task in tasks if all(part(task) == text for part, text in wanted)]


def refusal(refused: Refused) -> Dict[str, Any]:
    """Return the body of a refusal, in the form that the reference of its service has.

    Those of SMN and of the gateway hold the request's id, that of SMS has details where a right is
    missing, and among them an encoded text that is nobody's business.
    """
    if refused.code.startswith("SMN"):
        return {"request_id": REQUEST_ID, "code": refused.code, "message": refused.text}
    body: Dict[str, Any] = {"error_code": refused.code, "error_msg": refused.text}
    if refused.code.startswith("APIGW"):
        return {**body, "request_id": REQUEST_ID}
    if refused.code.startswith("SMS") and refused.status == HTTPStatus.FORBIDDEN:
        more = {"encoded_authorization_message": "CANARY", "error_param": [refused.text]}
        return {**body, **more, "details": [dict(body)]}
    return body
