"""What a night came to, and what it says when several are compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import List

from simulated_cloud.world import World

LEAST = timedelta(minutes=6)  # one in the last place of a table of hours


@dataclass(frozen=True)
class Score:
    """What a night came to.

    ``messages`` are those that people got. Of the ``starts``, ``undone`` were accepted for paused
    tasks, ``hopeless`` could not help, and ``harmful`` are all on paused or hopeless tasks.
    ``lost`` is how long tasks were seen failed by the runs of the timer, ``avoidable`` how long a
    start would have helped, seen or not. ``calls`` are those to all services, as far as anybody
    made any.
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
    def of(cls, name: str, world: World, lost: timedelta, calls: int = 0) -> Score:
        """Count what happened in a world; it does not know what was ``lost`` as anybody saw it."""
        world.advance()
        starts, tasks = world.starts, world.tasks.values()
        return cls(
            name,
            len(world.inbox),
            len(starts),
            sum(start.paused and start.accepted for start in starts),
            sum(start.hopeless and not start.paused for start in starts),
            sum(start.paused or start.hopeless for start in starts),
            lost,
            sum((task.waited for task in tasks), timedelta(0)),
            calls,
        )


def verdict(ours: Score, plain: Score, nobody: Score) -> str:
    """Return in one sentence what the comparison says, for better or worse."""
    if not nobody.lost:
        return f"Nothing failed: {ours.name} {_mails(ours)}, {plain.name} {_mails(plain)}."
    helps = nobody.avoidable >= LEAST
    begins = f"Compared with {nobody.name} watching," if helps else "No restart would have helped:"
    harmless = ["did no harm"] if plain.harmful and not ours.harmful else []
    did = _list([*_gained(ours, nobody, helps), *harmless, *_costs(ours)])
    plainly = _list([*_gained(plain, nobody, helps), *_costs(plain)])
    return f"{begins} {ours.name} {did}; {plain.name} {plainly}."


def _gained(score: Score, nobody: Score, helps: bool) -> List[str]:
    gained = max(nobody.avoidable - score.avoidable, timedelta(0))
    return [f"won back {gained / timedelta(hours=1):.1f} hours of copying"] if helps else []


def _costs(score: Score) -> List[str]:
    hopeless = f"{_number(score.hopeless, 'start')} that could not help"
    sent = f"{_mails(score)} and {hopeless}" if score.hopeless else _mails(score)
    undone = [f"undid {_number(score.undone, 'pause')}"] if score.undone else []
    return [*undone, sent]


def _list(deeds: List[str]) -> str:
    *first, last = deeds
    return f"{', '.join(first)} and {last}" if first else last


def _mails(score: Score) -> str:
    return f"sent {_number(score.messages, 'mail')}" if score.messages else "sent no mail"


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
