"""How much is proved: a sample in every run of the tests, the whole with ``make proof``."""

from __future__ import annotations

import os
from typing import List, Sequence, TypeVar

Case = TypeVar("Case")

WHOLE = os.environ.get("PROOF") == "whole"


def sample(cases: Sequence[Case], share: int) -> List[Case]:
    """Return all cases, or in a sample one of so many, spread over them evenly."""
    return list(cases if WHOLE else cases[::share])


def extent(whole: Case, sampled: Case) -> Case:
    """Return how much there is of something, in the whole or in a sample."""
    return whole if WHOLE else sampled
