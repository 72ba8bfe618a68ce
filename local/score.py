"""What a night came to, and what it says when several are compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import List

from local.cloud.world import World
from local.report.story import hours
from sms_watch.text import count

LEAST = timedelta(minutes=6)  # one in the last place of a table of hours


@dataclass(frozen=True)
class Score:
    """What a night came to.

    ``messages`` are those that people got. Of the ``starts``, ``undone`` were accepted for paused
    tasks, ``hopeless`` could not help, and ``harmful`` are all on paused or hopeless tasks.
    ``lost`` is how long tasks stood failed, ``avoidable`` the part of it in which a start would
    have helped. ``calls`` are those to all services, as far as anybody made any.
    """

    name: str
    messages: int
    starts: int
    undone: int
    hopeless: int
    harmful: int
    lost: timedelta
    avoidable: timedelta
    calls: int = 0

    @classmethod
    def of(cls, name: str, world: World, calls: int = 0) -> Score:
        """Count what happened in a world."""
        world.settle()
        starts, tasks = world.starts, world.tasks.values()
        return cls(
            name,
            len(world.inbox),
            len(starts),
            sum(start.paused and start.accepted for start in starts),
            sum(start.hopeless and not start.paused for start in starts),
            sum(start.paused or start.hopeless for start in starts),
            sum((task.failed for task in tasks), timedelta(0)),
            sum((task.waited for task in tasks), timedelta(0)),
            calls,
        )


def verdict(ours: Score, plain: Score, nobody: Score) -> str:
    """Return in one sentence what the comparison says, for better or worse."""
    if not nobody.lost:
        return f"Nothing failed: {ours.name} {_mails(ours)}, {plain.name} {_mails(plain)}."
    if nobody.avoidable < LEAST:
        return (
            f"No restart would have helped: {_did(ours, *_costs(ours))};"
            f" {_did(plain, *_costs(plain))}."
        )
    return (
        f"Compared with {nobody.name} watching, {_did(ours, _gained(ours, nobody), *_costs(ours))};"
        f" {_did(plain, _gained(plain, nobody), *_costs(plain))}."
    )


def _gained(score: Score, nobody: Score) -> str:
    gained = nobody.avoidable - score.avoidable
    return f"won back {hours(max(gained, timedelta(0)))} hours of copying"


def _costs(score: Score) -> List[str]:
    said = [
        _mails(score),
        f"undid {count(score.undone, 'pause')}" if score.undone else "",
        f"sent {count(score.hopeless, 'start')} that could not help" if score.hopeless else "",
        "did no harm" if not score.harmful else "",
    ]
    return [each for each in said if each]


def _did(score: Score, *deeds: str) -> str:
    *first, last = deeds
    return f"{score.name} {', '.join(first)}{' and ' if first else ''}{last}"


def _mails(score: Score) -> str:
    return f"sent {count(score.messages, 'mail')}" if score.messages else "sent no mail"
