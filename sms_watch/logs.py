"""What a run says on stdout: one JSON object a line, without secrets.

FunctionGraph stores stdout in LTS, one record a line. A line stays below 8 KB, so that no reader
on the way splits it.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Callable

from sms_watch.redaction import Redactor
from sms_watch.settings.readers import LOG_LEVELS

MAX_LINE = 8000  # bytes
MAX_TEXT = 1000  # characters of one field


class JsonLog:
    """Writes log lines; ``write`` takes a whole line, ``now`` gives the moment, aware."""

    def __init__(
        self,
        write: Callable[[str], Any],
        now: Callable[[], datetime],
        request_id: str,
        redact: Redactor,
        level: str = "INFO",
    ) -> None:
        self._write = write
        self._now = now
        self._request_id = request_id
        self._redact = redact
        self._threshold = LOG_LEVELS.index(level)

    def __call__(self, level: str, event: str, **fields: Any) -> None:
        """Write one line, if its level is at or above the one that is set."""
        if LOG_LEVELS.index(level) < self._threshold:
            return
        head = self._redact(
            {
                "time": self._now().isoformat(timespec="milliseconds"),
                "level": level,
                "event": event,
                "request_id": self._request_id,
            }
        )
        line = _json({**head, **self._redact(_cut(fields))})
        if len(line) >= MAX_LINE:
            line = _json({**head, "cut": line[: MAX_LINE // 4]})
        self._write(line + "\n")


def _json(fields: Any) -> str:
    # ASCII only: a character is a byte, whatever the encoding of stdout.
    return json.dumps(fields, separators=(",", ":"))


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[: MAX_TEXT - 3] + "..."
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cut(item) for item in value]
    return value
