"""Settings that are drawn for a seed, and the figures that they promise people.

The figures are worked out here once more, so that a mistake in the product is none in its proof.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Collection, Dict, FrozenSet, List, Mapping, Optional, Tuple

from sms_watch.model.notice import Kind

# Obstacles by their codes, and the class of each.
CLASSES: Mapping[str, str] = {
    "SMS.1315": "human",
    "SMS.6517": "precheck",
    "SMS.0412": "recreate",
    "SMS.1103": "retryable",
    "SMS.0805": "ambiguous",
}
NEVER = ("human", "precheck", "recreate")
# A user's own classes, of obstacles and of a line that breaks.
OWN_CLASSES = (
    "SMS.0805=transient",
    "SMS.1103=human",
    "SMS.1315=retryable",
    "SMS.0807=retryable, SMS.1807=ambiguous",
)
# Copies are muted by themselves, so that seeds from before they were told mute what they did.
TO_MUTE: Tuple[Kind, ...] = tuple(
    kind for kind in Kind if kind not in (Kind.TEST, Kind.MEMORY_LOST, Kind.COPIED)
)
NO_COPIES = 0.1  # of the settings that are drawn
# The time after a run's budget in which it writes down what it did.
TO_WRITE = 5
A_WISH = 0.03  # the chance per tick that other kinds are wanted


def draw_settings(seed: int) -> Dict[str, str]:
    """Draw settings for a seed: for half of the seeds none, for the others many of them."""
    dice = random.Random(f"settings of {seed}")  # noqa: S311 - a seed, no secret
    if dice.random() < 0.5:
        return {}
    shortest = dice.choice([1, 2, 7])
    muted: List[Kind] = dice.sample(TO_MUTE, dice.choice([0, 0, 1, 3, 8]))
    if random.Random(f"copies of {seed}").random() < NO_COPIES:  # noqa: S311 - as above
        muted.append(Kind.COPIED)
    texts = {
        "RESUME_MAX_ATTEMPTS": dice.choice(["0", "1", "5", "60"]),
        "RESUME_BACKOFF_MINUTES": str(shortest),
        "RESUME_BACKOFF_MAX_MINUTES": str(dice.choice([shortest, 15, 90])),
        "RESUME_MAX_PER_RUN": dice.choice(["1", "3", "20", "1000"]),
        "RESUME_GRACE_MINUTES": dice.choice(["0", "0", "20"]),
        "ERROR_CLASSES": dice.choice(OWN_CLASSES),
        "STALL_MINUTES": dice.choice(["0", "24", "60", "240"]),
        "HANG_MINUTES": dice.choice(["0", "15", "60"]),
        "REMIND_HOURS": dice.choice(["0", "1", "4", "13"]),
        "DIGEST_HOURS": dice.choice(["0", "1", "7"]),
        "NOTIFY_ON": all_but(muted),
        "TIME_ZONE": dice.choice(["Asia/Shanghai", "+05:45", "-03:30"]),
        "RUN_BUDGET_SECONDS": dice.choice(["10", "50", "600"]),
        "LOG_LEVEL": dice.choice(["DEBUG", "ERROR"]),
    }
    return {name: text for name, text in texts.items() if dice.random() < 0.7}


def all_but(muted: Collection[str]) -> str:
    """Return the setting for all kinds but some."""
    return ",".join(kind for kind in Kind if kind not in muted)


class Wishes:
    """Who wants to hear what, drawn anew in the middle of the nights of a third of the seeds.

    From dice of their own, so that the others keep their nights.
    """

    def __init__(self, seed: int, none: bool = False) -> None:
        self._dice = random.Random(f"wishes of {seed}")  # noqa: S311 - a seed, no secret
        self.change = self._dice.random() < 1 / 3 and not none

    def drawn(self) -> Optional[FrozenSet[str]]:
        """Return the kinds that nobody wants to hear from now on; ``None``: as before."""
        if not self.change or self._dice.random() >= A_WISH:
            return None
        return frozenset(self._dice.sample(TO_MUTE, self._dice.choice([0, 0, 2, 4, 8])))


@dataclass(frozen=True)
class Figures:
    """What settings promise; ``muted`` are the kinds that nobody wants to hear.

    ``classes`` are those of the codes that are not transient, ``budget`` is in seconds.
    """

    attempts: int = 5
    backoff: timedelta = timedelta(minutes=2)
    longest_wait: timedelta = timedelta(minutes=15)
    most_starts: int = 20
    stall: timedelta = timedelta(minutes=60)
    hang: timedelta = timedelta(minutes=60)
    remind: timedelta = timedelta(hours=4)
    digest: timedelta = timedelta(0)
    muted: FrozenSet[str] = frozenset()
    budget: int = 50
    classes: Mapping[str, str] = field(default_factory=lambda: CLASSES)

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Figures:
        """Return the figures of settings; what is not set has its default."""

        def number(name: str, default: int) -> int:
            return int(texts.get(name, default))

        said = texts.get("NOTIFY_ON", "all")
        wanted = set(Kind) if said == "all" else set(said.split(","))
        own = texts.get("ERROR_CLASSES", "").replace(",", " ").split()
        grace = number("RESUME_GRACE_MINUTES", 0)
        return cls(
            attempts=number("RESUME_MAX_ATTEMPTS", 5),
            backoff=timedelta(minutes=number("RESUME_BACKOFF_MINUTES", 2)),
            longest_wait=timedelta(minutes=number("RESUME_BACKOFF_MAX_MINUTES", 15) + grace),
            most_starts=number("RESUME_MAX_PER_RUN", 20),
            stall=timedelta(minutes=number("STALL_MINUTES", 60)),
            hang=timedelta(minutes=number("HANG_MINUTES", 60)),
            remind=timedelta(hours=number("REMIND_HOURS", 4)),
            digest=timedelta(hours=number("DIGEST_HOURS", 0)),
            muted=frozenset(kind for kind in Kind if kind not in wanted),
            budget=number("RUN_BUDGET_SECONDS", 50),
            classes={**CLASSES, **dict(each.split("=") for each in own)},
        )

    def limit(self, code: str) -> Optional[int]:
        """Return the most starts in a row for an error; ``None`` means no limit."""
        named = self.classes.get(code, "transient")
        if named in NEVER:
            return 0
        if named == "ambiguous":
            return min(2, self.attempts)
        return None if named == "transient" and self.attempts else self.attempts

    @property
    def longest_run(self) -> timedelta:
        """How long a run may take, with what it writes at its end."""
        return timedelta(seconds=self.budget + TO_WRITE)

    @property
    def reminders_apart(self) -> timedelta:
        """How far apart reminders are at least: one may be brought forward to go with others."""
        return self.remind * 0.75

    @property
    def still(self) -> timedelta:
        """How long a task stands still at least before it is told, after hours of no look at it."""
        return self.stall / 6
