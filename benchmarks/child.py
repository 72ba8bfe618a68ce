"""What a fresh process does, with a folder alone on its path: ``python -I -S child.py FOLDER``.

It reads its orders from standard input as JSON and prints what it measured as JSON. It is run as a
file, because in an isolated process ``benchmarks`` cannot be imported.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Callable, Dict, List

# No half of an hour begins between these moments: the second run has no sample to write down.
FIRST = datetime(2026, 11, 24, 12, 5, tzinfo=timezone.utc)
LATER = timedelta(minutes=1)


class Context:
    """As much of FunctionGraph's context as a function needs that has keys in its settings."""

    def __init__(self, texts: Dict[str, str]) -> None:
        self.getUserData = texts.get


class Clock:
    """A clock on which the moment is set, and seconds pass as they do."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """Return the moment."""
        return self._moment

    def monotonic(self) -> float:
        """Return seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def runs(texts: Dict[str, str], concurrent_calls: int) -> Dict[str, Any]:
    """Run once to get to know the tasks, then once more, which is measured."""
    from index import handler
    from sms_watch import parallel

    context = Context(texts)
    handler({}, context, clock=Clock(FIRST))
    parallel.CONCURRENT_CALLS = concurrent_calls or parallel.CONCURRENT_CALLS
    calls, written = _calls(texts), _written(texts)
    begun = time.perf_counter()
    report = handler({}, context, clock=Clock(FIRST + LATER))
    seconds = time.perf_counter() - begun
    after = _calls(texts)
    asked = {kind: after[kind] - calls.get(kind, 0) for kind in after}
    return {
        "tasks": _looked_at(report),
        "seconds": seconds,
        "messages": asked.pop("message", 0),
        "calls": sum(asked.values()),
        "written": _written(texts) - written,
        "peak": _peak(),
    }


def once(texts: Dict[str, str], roots: str = "", moment: str = "") -> Dict[str, Any]:
    """Run once; what came before is in the journal. ``roots``: a folder of authorities."""
    from index import handler

    now = datetime.fromisoformat(moment) if moment else FIRST + LATER

    if roots:
        from sms_watch.adapters import roots as ours

        ours.FOLDER = Path(roots)
    report = handler({}, Context(texts), clock=Clock(now))
    return {"tasks": _looked_at(report), "peak": _peak()}


def plain(texts: Dict[str, str]) -> Dict[str, Any]:
    """Do what the plain script does while all is well: make both clients, and read one task."""
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdksmn.v2 import SmnClient
    from huaweicloudsdksms.v3 import ShowTaskRequest, SmsClient

    keys = BasicCredentials(texts["HUAWEICLOUD_SDK_AK"], texts["HUAWEICLOUD_SDK_SK"], "0" * 32)
    sms, _ = (
        client.new_builder().with_credentials(keys).with_endpoint(texts["SMS_ENDPOINT"]).build()
        for client in (SmsClient, SmnClient)
    )
    task = sms.show_task(ShowTaskRequest(task_id=texts["SMS_TASK_IDS"].split()[0]))
    return {"tasks": int(task.state == "RUNNING")}


def bare(texts: Dict[str, str]) -> Dict[str, Any]:
    """Do what a script without the SDK does while all is well: read one task."""
    sys.path.append(str(Path(__file__).parents[1]))
    from benchmarks.bare_script import watch

    return {"tasks": int(watch(texts) == "RUNNING")}


def _looked_at(report: Dict[str, Any]) -> int:
    counts: Dict[str, int] = report["counts"]
    return counts["tasks"] - counts["unread"]


def _calls(texts: Dict[str, str]) -> Dict[str, int]:
    connection = HTTPConnection(texts["SMS_ENDPOINT"].partition("//")[2])
    connection.request("GET", "/calls")
    counted: Dict[str, int] = json.loads(connection.getresponse().read())
    connection.close()
    return counted


def _written(texts: Dict[str, str]) -> int:
    folder = Path(texts["JOURNAL_URI"].partition("//")[2])
    return sum(each.stat().st_size for each in folder.iterdir())


def _peak() -> int:
    """Return the most memory that this process ever held, in bytes, as Linux counted it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main(arguments: List[str]) -> None:
    """Do what is ordered."""
    sys.path.insert(0, arguments[0])
    orders = json.load(sys.stdin)
    works: List[Callable[..., Dict[str, Any]]] = [runs, once, plain, bare]
    work = {each.__name__: each for each in works}[orders.pop("work")]
    # The last line: the handler's log comes before it.
    print(json.dumps(work(**orders)))


if __name__ == "__main__":
    main(sys.argv[1:])
