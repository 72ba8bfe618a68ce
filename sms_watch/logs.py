"""What a run says on stdout: one JSON object a line, without secrets.

FunctionGraph stores stdout in LTS, one record a line. A line stays below 8 KB, so that no reader
on the way splits it.
"""

from __future__ import annotations

import json
import urllib.parse
from datetime import datetime
from os.path import commonprefix
from typing import Any, Callable, Iterable

from sms_watch.settings import LOG_LEVELS

MAX_LINE = 8000  # bytes
MAX_TEXT = 1000  # characters of one field
HIDDEN = "***"
# So much of a secret's beginning gives it away: a text that was cut may hold no more of it.
TELLING = 12
# Real keys have 20 characters and more; anything shorter than this would hide ordinary words.
SHORTEST = 8


class Redactor:
    """Hides secrets wherever they stand in a text, also when the text was cut within one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        long_enough = [secret for secret in secrets if len(secret) >= SHORTEST]
        forms = {form for secret in long_enough for form in (secret, _quoted(secret))}
        self._secrets = sorted(forms, key=len, reverse=True)

    def __repr__(self) -> str:
        return "Redactor()"

    def __call__(self, value: Any) -> Any:
        """Give the value, which may be nested, with every secret in its texts hidden."""
        if isinstance(value, str):
            for secret in self._secrets:
                value = _without(secret, value)
            return value
        if isinstance(value, dict):
            return {self(key): self(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self(item) for item in value]
        return value


def _quoted(secret: str) -> str:
    return urllib.parse.quote(secret, safe="")


def _without(secret: str, text: str) -> str:
    head, tail = secret[:TELLING], secret[TELLING:]
    clean, *pieces = text.split(head)
    for piece in pieces:
        more = len(commonprefix((piece, tail)))  # noqa: RUF071 - letters are what it compares
        clean += HIDDEN + piece[more:]
    return clean


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
        head = {
            "time": self._now().isoformat(timespec="milliseconds"),
            "level": level,
            "event": event,
            "request_id": self._request_id,
        }
        line = _json({**head, **self._redact(_cut(fields))})
        if len(line) >= MAX_LINE:
            line = _json({**head, "cut": line[: MAX_LINE // 4]})
        self._write(line + "\n")


def _json(fields: Any) -> str:
    # ASCII only: a character is a byte, whatever the encoding of stdout.
    return json.dumps(fields, default=str, separators=(",", ":"))


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[: MAX_TEXT - 3] + "..."
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cut(item) for item in value]
    return value
