"""What a name was meant to be that nobody knows: one of those that are known, or none. Pure."""

from __future__ import annotations

import re
from typing import FrozenSet, Iterable, List, Optional, Tuple

SPELT_ALIKE, ONE_SLIP, LOOSE, FAR = range(4)  # how far a name is from one that is known
LIKE, LIKE_WITHIN = 0.75, 0.65  # how alike two names are, of all, or of those that begin alike


class Vocabulary:
    """Names of capitals, words joined by underscores.

    After a first word of ``shared``, which names of others have as well, only a name that is close
    to a known one was meant to be it; after another, every name was meant to be one of these.
    """

    def __init__(self, names: Iterable[str], shared: FrozenSet[str]) -> None:
        self._words = {name: frozenset(name.split("_")) for name in names}
        self._own = {name.split("_")[0] for name in self._words} - shared
        self._all_words = frozenset().union(*self._words.values())
        self._ends = {end for name in self._words for end in _ends(name.replace("_", ""))}

    def meant(self, name: str) -> Optional[str]:
        """Return what a name was meant to be: empty if none is like it, None if it is another's."""
        words = re.findall(r"[A-Z0-9]+", name.upper())
        if not self._may_be_near(words):
            return None
        distance, nearest = min((self._distance(words, each), each) for each in self._words)
        if distance != FAR:
            return nearest
        return self._most_like(words) if words[0] in self._own and len(words) > 1 else None

    def _may_be_near(self, words: List[str]) -> bool:
        """Return whether a closer look is worth its time, which every cold start pays for.

        One slip leaves the first letters or the last ones as they were.
        """
        ends = _ends("".join(words))
        return not (self._all_words.isdisjoint(words[:1]) and self._ends.isdisjoint(ends))

    def _distance(self, words: List[str], known: str) -> int:
        letters, theirs = "".join(words), known.replace("_", "")
        if letters == theirs:
            return SPELT_ALIKE
        if _is_one_slip("_".join(words), known):
            return ONE_SLIP
        shortened = self._words[known].issuperset(words) or theirs.startswith(letters)
        loose = _is_one_slip(letters, theirs) or (shortened and len(words) > 1)
        return LOOSE if loose else FAR

    def _most_like(self, words: List[str]) -> str:
        import difflib  # noqa: PLC0415 - slow, and hardly ever needed

        name, akin = "_".join(words), [each for each in self._words if words[0] in each.split("_")]
        found = difflib.get_close_matches(name, self._words, 1, cutoff=LIKE)
        return "".join(found or difflib.get_close_matches(name, akin, 1, cutoff=LIKE_WITHIN))


def _ends(letters: str) -> Tuple[str, str]:
    return letters[:3], letters[-3:]


def _is_one_slip(one: str, other: str) -> bool:
    """Return whether a letter is missing, too much or another, or two neighbours are swapped."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    swapped = len(one) == len(other) == 2 and one == other[::-1]
    return swapped or max(len(one), len(other)) <= 1
