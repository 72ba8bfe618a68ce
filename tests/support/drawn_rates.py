"""How often things go wrong in the months of a seed, and in which forms its services answer."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from simulated_cloud.variants import Percents, SubTasks, Variants


@dataclass(frozen=True)
class Rates:
    """How often things go wrong: chances per call, and per tick."""

    before: float
    after: float
    slow: float
    kill: float
    overlap: float
    trouble: float
    outage: float
    missed: float

    @classmethod
    def draw(cls, dice: random.Random) -> Rates:
        """Draw the rates of a seed: many seeds are calm in some respect, some are wild."""
        wild = dice.choice([0.0, 0.002, 0.01, 0.1])
        return cls(
            before=wild * dice.random(),
            after=wild * dice.random(),
            slow=dice.choice([0.0, 0.0, 0.01, 0.05]),
            kill=dice.choice([0.0, 0.0, 0.0005, 0.002]),
            overlap=dice.choice([0.0, 0.0, 0.0005, 0.002]),
            trouble=dice.choice([0.01, 0.1, 0.4]),
            outage=dice.choice([0.0, 0.005, 0.02]),
            missed=dice.choice([0.0, 0.0, 0.02, 0.2]),
        )


def draw_variants(dice: random.Random, discovers: bool) -> Variants:
    """Draw the forms of answers of a seed: half of them are as documented."""
    return Variants(
        sub_tasks=dice.choice([SubTasks.AHEAD, *SubTasks]),
        percents=dice.choice([Percents.NUMBERS, *Percents]),
        unknown_names=dice.random() < 0.2,
        consistency_check=dice.random() < 0.3,
        connected=dice.random() < 0.7,
        # A speed goes up and down. Where it does not, the bytes of lists show that a copy works;
        # read by its id, one is told as stalled (decision 11).
        even_speed=dice.random() < 0.5 and discovers,
        whole_beyond_end=dice.random() < 0.5,
        last_bytes=dice.random() < 0.5,
    )


def draw_names(seed: int, variants: Variants) -> Variants:
    """Draw whether answers name the sub-task under way; some that list them do not.

    From dice of their own, so that the other seeds keep their nights.
    """
    dice = random.Random(f"names of {seed}")  # noqa: S311 - a seed, no secret
    tells = variants.sub_tasks is not SubTasks.LEFT_OUT and variants.percents is not Percents.NULL
    return replace(variants, named=not tells or dice.random() < 0.7)
