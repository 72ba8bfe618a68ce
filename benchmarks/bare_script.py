"""The least that a script can be: ``requests``, a signer of its own, and no SDK.

It does for one task what a plain script does: reads it, starts it if it has failed or is paused,
and sends a message then. It is what a cold start is compared with, not a way to run a migration:
it remembers nothing, knows no error code, and starts what people have paused.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timezone
from typing import Any, Dict, Mapping
from urllib.parse import quote, urlsplit

import requests

STOPPED = ("MIGRATE_FAIL", "SYNC_FAIL", "ABORT")


def watch(texts: Mapping[str, str]) -> str:
    """Look at one task, do what the rules say, and return its state; ``texts`` are settings."""
    with requests.Session() as session:
        task_id, topic = texts["SMS_TASK_IDS"].split()[0], texts["SMN_TOPIC_URN"]
        task_url = f"{texts['SMS_ENDPOINT']}/v3/tasks/{task_id}"
        state: str = _call(session, texts, "GET", task_url)["state"]
        if state in STOPPED:
            _call(session, texts, "POST", f"{task_url}/action", {"operation": "start"})
            project = topic.split(":")[3]
            topics = f"{texts['SMN_ENDPOINT']}/v2/{project}/notifications/topics"
            message = {"subject": f"{task_id} was {state}", "message": "It was started."}
            _call(session, texts, "POST", f"{topics}/{quote(topic, safe='')}/publish", message)
        return state


def _call(
    session: requests.Session,
    texts: Mapping[str, str],
    method: str,
    url: str,
    body: Any = None,
) -> Any:
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Host": urlsplit(url).netloc}
    headers["X-Sdk-Date"] = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    key, secret = texts["HUAWEICLOUD_SDK_AK"], texts["HUAWEICLOUD_SDK_SK"]
    headers["Authorization"] = authorization(method, url, headers, data, key, secret)
    answer = session.request(method, url, data=data, headers=headers, timeout=(5, 15))
    answer.raise_for_status()
    return answer.json()


def authorization(
    method: str, url: str, headers: Dict[str, str], data: bytes, key: str, secret: str
) -> str:
    """Return the Authorization header (API Request Signing Guide, "SDK-HMAC-SHA256")."""
    lower = {name.lower(): value for name, value in headers.items()}
    names = ";".join(sorted(lower))
    signed = "".join(f"{name}:{lower[name]}\n" for name in sorted(lower))
    path = urlsplit(url).path.rstrip("/") + "/"
    digest = hashlib.sha256(data).hexdigest()
    canonical = "\n".join([method, path, urlsplit(url).query, signed, names, digest])
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"SDK-HMAC-SHA256\n{lower['x-sdk-date']}\n{hashed}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"SDK-HMAC-SHA256 Access={key}, SignedHeaders={names}, Signature={signature}"
