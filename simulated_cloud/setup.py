"""What people have set up: keys, settings, a topic's subscriptions, and the function itself.

Bodies are as the API references of SMN and FunctionGraph have them, and the models of the SDK.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional

from simulated_cloud.shapes import PROJECT
from simulated_cloud.signing import Key

WHEN = "2026-11-20T08:00:00Z"
WHEN_THERE = "2026-11-20T16:00:00+08:00"  # as FunctionGraph writes it
KEY = Key("SIMULATEDACCESSKEY00", "Sim/ula+ted=Sec/ret+Key=Of/For+ty=Let/te")
TOPIC = f"urn:smn:ap-southeast-3:{PROJECT}:night-watch"


@dataclass
class Subscription:
    """A subscription. ``status``: 0 unconfirmed, 1 confirmed, 2 needs none, 3 cancelled."""

    protocol: str
    endpoint: str
    status: int = 1


@dataclass
class Function:
    """A function as it is set up. ``retries`` of ``None``: nobody has set asynchronous calls."""

    urn: str
    timeout: int = 60
    instances: int = 1
    retries: Optional[int] = 0
    failures_to: str = "SMN"
    timer: str = "ACTIVE"
    agency: str = "sms-watch"
    variables: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


def settings(url: str, task_ids: Iterable[str]) -> Dict[str, str]:
    """Return the settings of a function that watches these tasks in the cloud at an address."""
    return {
        "SMS_TASK_IDS": " ".join(task_ids),
        "SMN_TOPIC_URN": TOPIC,
        "HUAWEICLOUD_SDK_AK": KEY.access,
        "HUAWEICLOUD_SDK_SK": KEY.secret,
        "SMS_ENDPOINT": url,
        "SMN_ENDPOINT": url,
        "OBS_ENDPOINT": url,
    }


def topic_body(urn: str) -> Dict[str, Any]:
    """Return the answer to a query of a topic (SMN API reference, "Querying Topic Details")."""
    return {
        "request_id": "request-topic",
        "topic_urn": urn,
        "topic_id": "70b1c1d0" * 4,
        "name": urn.rpartition(":")[2],
        "display_name": "",
        "push_policy": 0,
        "enterprise_project_id": "0",
        "create_time": WHEN,
        "update_time": WHEN,
    }


def subscription_page(
    urn: str, subscriptions: List[Subscription], limit: int, offset: int
) -> Dict[str, Any]:
    """Return one page of a topic's subscriptions (SMN API reference)."""
    rows = [
        {
            "topic_urn": urn,
            "protocol": each.protocol,
            "subscription_urn": f"{urn}:{number:032x}",
            "owner": urn.split(":")[3],
            "endpoint": each.endpoint,
            "remark": "",
            "status": each.status,
        }
        for number, each in enumerate(subscriptions)
    ]
    return {
        "request_id": "request-subscriptions",
        "subscription_count": len(rows),
        "subscriptions": rows[offset : offset + limit],
    }


def function_body(function: Function) -> Dict[str, Any]:
    """Return a function's configuration (FunctionGraph API reference, "Function Model")."""
    return {
        "func_urn": function.urn,
        "func_name": "sms-watch",
        "domain_id": "d0ma1000" * 4,
        "namespace": PROJECT,
        "project_name": "ap-southeast-3",
        "package": "default",
        "runtime": "Python3.10",
        "timeout": function.timeout,
        "handler": "index.handler",
        "memory_size": 128,
        "cpu": 300,
        "code_type": "zip",
        "code_url": "",
        "code_filename": "sms-watch.zip",
        "code_size": 1_800_000,
        "user_data": json.dumps(dict(function.variables)),
        "encrypted_user_data": "",
        "digest": "d16e57" * 21 + "d1",
        "version": "latest",
        "image_name": "latest-261120160000",
        "xrole": function.agency,
        "app_xrole": function.agency,
        "description": "",
        "last_modified": WHEN_THERE,
        "func_vpc": None,
        "mount_config": None,
        "depend_list": None,
        "strategy_config": {"concurrency": function.instances, "concurrent_num": 1},
        "initializer_handler": "index.initializer",
        "initializer_timeout": 30,
        **function.more,
    }


def asynchronous_body(function: Function) -> Dict[str, Any]:
    """Return its asynchronous invocation configuration."""
    to = {"destination": function.failures_to, "param": "{}"} if function.failures_to else {}
    return {
        "func_urn": function.urn,
        "max_async_event_age_in_seconds": 60,
        "max_async_retry_attempts": function.retries,
        "destination_config": {"on_success": {}, "on_failure": to},
        "created_time": WHEN_THERE,
        "last_modified": WHEN_THERE,
    }


def trigger_list(function: Function) -> List[Dict[str, Any]]:
    """Return its triggers: a timer, unless there is none.

    A timer's event has ``sync_execution`` since June 2025, and ``user_event`` only if one was given
    (Terraform provider, the acceptance tests of its trigger).
    """
    if not function.timer:
        return []
    return [
        {
            "trigger_id": "f" * 32,
            "trigger_type_code": "TIMER",
            "trigger_status": function.timer,
            "event_data": {
                "name": "tick",
                "schedule_type": "Rate",
                "schedule": "1m",
                "sync_execution": False,
            },
            "created_time": WHEN_THERE,
            "last_updated_time": WHEN_THERE,
        }
    ]
