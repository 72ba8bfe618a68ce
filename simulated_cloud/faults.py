"""What goes wrong on the way: rules that spoil calls before or after they have had their effect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Mapping, Optional


@dataclass(frozen=True)
class Fault:
    """A spoilt answer.

    ``before``: the call has no effect; otherwise it has, and only the answer is spoilt. ``drop``
    closes the connection without an answer, ``cut`` in the middle of the body. ``delay`` holds
    the answer back, ``drip`` each byte of its body, in real seconds.
    """

    status: int = 500
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    before: bool = True
    drop: bool = False
    cut: bool = False
    delay: float = 0.0
    drip: float = 0.0


@dataclass
class _Rule:
    operation: str
    fault: Fault
    times: int
    about: Optional[str]


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: List[_Rule] = []

    def add(
        self, operation: str, fault: Fault, times: int = 1, about: Optional[str] = None
    ) -> None:
        """Spoil the next calls of an operation (``show_task``, ``start_task``, ``publish``).

        ``about`` limits the rule to calls about one task.
        """
        self._rules.append(_Rule(operation, fault, times, about))

    def clear(self, operation: str) -> None:
        """Let the calls of an operation be again."""
        self._rules = [rule for rule in self._rules if rule.operation != operation]

    def take(self, operation: str, about: str) -> Optional[Fault]:
        """Return the fault that spoils this call, if one does, and count it."""
        for rule in self._rules:
            if rule.operation == operation and rule.times and rule.about in (None, about):
                rule.times -= 1
                return rule.fault
        return None
