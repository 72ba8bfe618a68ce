"""How a notice is put into words: of one task, or of many that are told together. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Mapping, Optional

from sms_watch.text import when

# The words of a template that depend on how many tasks it is about.
ONE: Mapping[str, str] = {
    "It": "It",
    "it": "it",
    "them": "it",
    "Its": "Its",
    "its": "its",
    "is": "is",
    "was": "was",
    "has": "has",
    "does": "does",
    "s": "s",
    "task": "task",
    "agent": "agent",
    "source": "source",
    "Restart": "Restart",
}
MANY: Mapping[str, str] = {
    "It": "They",
    "it": "they",
    "them": "them",
    "Its": "Their",
    "its": "their",
    "is": "are",
    "was": "were",
    "has": "have",
    "does": "do",
    "s": "",
    "task": "tasks",
    "agent": "agents",
    "source": "sources",
    "Restart": "Restarts",
}


@dataclass(frozen=True)
class Telling:
    """The zone of times, and whether the words are about many tasks.

    ``retry`` is the span between restarts that have not helped for long, if it is known.
    """

    zone: tzinfo
    retry: Optional[timedelta] = None
    many: bool = False

    def of(self, number: int) -> Telling:
        """Return how so many tasks are told of together."""
        return replace(self, many=number > 1)

    def say(self, template: str, **values: object) -> str:
        """Return a template in words for one task or for many."""
        return template.format(**(MANY if self.many else ONE), **values)

    def alone(self, text: str) -> str:
        """Return what is said of one task; where there are many, each has it in its own line."""
        return "" if self.many else text

    def when(self, moment: datetime) -> str:
        """Return a moment in the zone."""
        return when(moment, self.zone)
