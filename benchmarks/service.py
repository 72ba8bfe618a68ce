"""A service that takes its time: ``python -m benchmarks.service TASKS SECONDS [PEM]``.

It is a process of its own, so that what it computes does not count as ours. Every answer waits,
then comes from memory; ``/calls`` tells what was asked so far, at once. Certain keys may not list.
"""

from __future__ import annotations

import functools
import json
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Iterator, List, Optional
from typing import Counter as Counts
from urllib.parse import parse_qsl, urlsplit

from benchmarks.layouts import ROOT
from simulated_cloud.clock import VirtualClock
from simulated_cloud.shapes import (
    SOURCE_FILTERS,
    TASK_FILTERS,
    matching,
    source_page,
    task_body,
    task_page,
)
from simulated_cloud.task import SimTask
from simulated_cloud.variants import DOCUMENTED
from simulated_cloud.world import World

NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
UNCOUNTED = "/calls"
MAY_LIST, MAY_NOT_LIST = "SIMULATEDACCESSKEY00", "SIMULATEDACCESSKEY01"
FORBIDDEN = b'{"error_code": "SMS.9004", "error_msg": "The current account has no such right."}'
PUBLISHED = b'{"request_id": "r", "message_id": "m"}'


def ids(number: int) -> List[str]:
    """Return the ids of the tasks that a service of so many has."""
    return [f"task-{each:05}" for each in range(number)]


class Answers:
    """What the service says of tasks that all run, made once for each path."""

    def __init__(self, number: int) -> None:
        self._world = World(VirtualClock(NOON))
        for task_id in ids(number):
            self._world.add(SimTask(task_id, f"server-{task_id}", copied=200e9))
        self.to = functools.cache(self._to)

    def _to(self, target: str) -> bytes:
        url = urlsplit(target)
        last = url.path.rpartition("/")[2]
        if last in self._world.tasks:
            return json.dumps(task_body(self._world.tasks[last], NOON)).encode()
        asked = dict(parse_qsl(url.query))
        filters, page = (
            (TASK_FILTERS, task_page) if last == "tasks" else (SOURCE_FILTERS, source_page)
        )
        found = matching(self._world.all(), filters, asked)
        body = page(found, NOON, int(asked["limit"]), int(asked["offset"]))
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
        if last in ("tasks", "sources") and MAY_NOT_LIST in self.headers["Authorization"]:
            self._answer(FORBIDDEN, 403)
        else:
            self._answer(self.server.answers.to(self.path))

    def do_POST(self) -> None:
        """Take a start, or a message."""
        starts = self.path.endswith("/action")
        self._count("start" if starts else "message")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self.server.pause)
        self._answer(DOCUMENTED.start.body if starts else PUBLISHED)

    def _count(self, kind: str) -> None:
        with self.server.counting:
            self.server.calls[kind] += 1

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *about: Any) -> None:
        """Write no line per request."""


@contextmanager
def slow_service(number: int, pause: float, certificate: Optional[Path] = None) -> Iterator[str]:
    """Run a service of so many tasks in a process of its own; yield its address.

    With the file of a certificate and its key it is reached over TLS.
    """
    command = [sys.executable, "-m", "benchmarks.service", str(number), str(pause)]
    command += [str(certificate)] if certificate else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield next(iter(process.stdout or ())).strip()
        finally:
            process.terminate()


def main() -> None:
    """Print the address, and serve until the process is ended."""
    number, pause, *certificate = sys.argv[1:]
    server = _Server(Answers(int(number)), float(pause))
    for file in certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        # Shaken is in the thread of the request.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    print(f"http{'s' * len(certificate)}://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
