"""A service that takes its time: ``python -m benchmarks.service TASKS SECONDS``.

It is a process of its own, so that what it computes does not count as ours. Every answer waits,
then comes from memory; ``/calls`` tells what was asked so far, at once.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, Iterator, List
from typing import Counter as Counts
from urllib.parse import parse_qs, urlsplit

from benchmarks.layouts import ROOT
from local.cloud.shapes import source_page, task_body, task_page
from local.cloud.world import SimTask

NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
UNCOUNTED = "/calls"


def ids(number: int) -> List[str]:
    """Give the ids of the tasks that a service of so many has."""
    return [f"task-{each:05}" for each in range(number)]


class Answers:
    """What the service says of tasks that all run, made once for each path."""

    def __init__(self, number: int) -> None:
        self._tasks = {
            task_id: SimTask(task_id, f"server-{task_id}", copied=200e9, begun=NOON)
            for task_id in ids(number)
        }
        self.to = functools.cache(self._to)

    def _to(self, target: str) -> bytes:
        url = urlsplit(target)
        *_, last = url.path.split("/")
        body: Dict[str, Any]
        if last in self._tasks:
            body = task_body(self._tasks[last], NOON)
        else:
            asked = parse_qs(url.query)
            page = task_page if last == "tasks" else source_page
            tasks, limit, offset = list(self._tasks.values()), asked["limit"], asked["offset"]
            body = page(tasks, NOON, int(limit[0]), int(offset[0]))
        return json.dumps(body).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answers: Answers, pause: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.pause = answers, pause
        self.calls: Counts[str] = Counter()
        self.counting = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one piece
    server: _Server

    def do_GET(self) -> None:
        if self.path == UNCOUNTED:
            self._answer(json.dumps(self.server.calls).encode())
            return
        last = urlsplit(self.path).path.rpartition("/")[2]
        self._count(last if last in ("tasks", "sources") else "task")
        time.sleep(self.server.pause)
        self._answer(self.server.answers.to(self.path))

    def do_POST(self) -> None:
        """Take a message."""
        self._count("message")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self.server.pause)
        self._answer(b'{"request_id": "r", "message_id": "m"}')

    def _count(self, kind: str) -> None:
        with self.server.counting:
            self.server.calls[kind] += 1

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *about: Any) -> None:
        """Write no line per request."""


@contextmanager
def slow_service(number: int, pause: float) -> Iterator[str]:
    """Run a service of so many tasks in a process of its own, and give its address."""
    command = [sys.executable, "-m", "benchmarks.service", str(number), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield next(iter(process.stdout or ())).strip()
        finally:
            process.terminate()


def main() -> None:
    """Tell the address, and serve until the process is ended."""
    number, pause = sys.argv[1:]
    server = _Server(Answers(int(number)), float(pause))
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
