"""What stands where clients would reach sockets, and pools threads, while runs are simulated."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Mapping, Optional
from urllib.parse import parse_qsl, urlsplit

import requests

from sms_watch.adapters.answers import Answer
from sms_watch.adapters.file import FileStore
from sms_watch.errors import JournalError

SMS, SMN, OBS = "sms", "smn", "obs"
OBS_OPERATIONS = {"GET": "get", "HEAD": "get", "POST": "append", "PUT": "create"}


class Connection:
    """Stands where a client of the SDK, or the session of the journal, would reach a socket."""

    host = "the simulated cloud"

    def __init__(self, runs: Any) -> None:
        self._runs = runs
        self.client = self

    def call(self, send: Callable[[], Answer]) -> Answer:
        return send()

    def show_task_invoker(self, request: Any) -> Any:
        return self._reader("read", lambda: self._runs.show_task(request.task_id))

    def list_tasks_invoker(self, request: Any) -> Any:
        return self._reader("list", lambda: self._runs.list_tasks(_asked(request)))

    def list_servers_invoker(self, request: Any) -> Any:
        return self._reader("sources", lambda: self._runs.list_servers(_asked(request)))

    def _reader(self, operation: str, serve: Callable[[], Answer]) -> Any:
        return self._invoker(SMS, operation, lambda: self._runs.read(serve))

    def update_task_status_invoker(self, request: Any) -> Any:
        def serve() -> Answer:
            answer: Answer = self._runs.start_task(request.task_id, request.body.operation)
            return answer

        return self._invoker(SMS, "start", serve)

    def publish_message_invoker(self, request: Any) -> Any:
        def serve() -> Answer:
            answer: Answer = self._runs.publish(
                request.body.subject, request.body.message_structure
            )
            return answer

        return self._invoker(SMN, "publish", serve)

    def _invoker(self, service: str, operation: str, serve: Callable[[], Answer]) -> Any:
        return SimpleNamespace(invoke=lambda: self._runs.call(service, operation, serve))

    def send(
        self,
        method: str,
        url: str,
        data: bytes = b"",
        headers: Optional[Mapping[str, str]] = None,
        **_: Any,
    ) -> Answer:
        parts, asked = urlsplit(url), (headers or {}).get("Range", "")
        bucket, key = parts.netloc.partition(".")[0], parts.path.strip("/")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        operation = OBS_OPERATIONS[method]

        def serve() -> Answer:
            answer: Answer = self._runs.send_to_obs(method, bucket, key, query, data, asked)
            return answer

        served: Answer = self._runs.call(OBS, operation, serve)
        return served


def _asked(request: Any) -> Dict[str, Any]:
    """Return the parameters that a request of the SDK sends, by their names in the address."""
    sent = {key: getattr(request, name) for name, key in request.attribute_map.items()}
    return {key: value for key, value in sent.items() if value is not None}


class Disk(FileStore):
    """The directory of a journal, whose appends may be interfered with."""

    def __init__(self, runs: Any, directory: Path, warn: Callable[[str], None]) -> None:
        super().__init__(directory, warn)
        self._runs = runs

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append, unless the disk fails; what it has written it does not deny."""
        written = False

        def serve() -> Answer:
            nonlocal written
            FileStore.append(self, name, offset, data)
            written = True
            self._runs.note_append(data)
            return Answer(200, b"")

        self._runs.patience = 0  # nobody can give up a disk: it answers at once, or not at all
        try:
            self._runs.call(OBS, "append", serve)
        except (requests.RequestException, TimeoutError):
            self._runs.touch()
        if not written:
            raise JournalError("the disk is full")


class OneAfterTheOther:
    """Reads in one thread, so that everything happens in one order."""

    def __init__(self, workers: int) -> None:
        """Take the place of a pool of threads."""

    def __enter__(self) -> OneAfterTheOther:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left running."""

    def map(self, function: Callable[[str], Any], names: List[str]) -> List[Any]:
        """Call the function for each name, in order."""
        return [function(name) for name in names]
