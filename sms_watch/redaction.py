"""Hides keys in texts, however they are written and wherever they were cut. Pure.

A service that sends a key back may write it for a URL, for JSON or for HTML, break it over lines,
or cut it at either end. So a text is read letter by letter, once as it stands and once as it is
meant, and what is looked for are runs of a key's letters rather than the key.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, FrozenSet, Iterable, Iterator, List, Tuple

HIDDEN = "***"
# So many letters in a row give a key away. Real keys have 20 and more; a shorter text is a word.
RUN = 8
# A text is first searched for pieces of a key, at every fourth place: a run holds at least one.
PIECE, STEP = 5, 4
# Letters that HTML has names for, of those that keys may hold.
NAMES = dict(zip(["amp", "lt", "gt", "quot", "apos", "sol", "plus", "equals"], "&<>\"'/+="))
# How a letter is written in URLs, JSON and HTML, also twice over; a line break in JSON, and the
# backslashes before any other letter, stand for none. Compiled by the first text that needs it.
WRITTEN = (
    r"%(?:25)*([0-9A-Fa-f]{2})"
    r"|\\+(?:u00|x)([0-9A-Fa-f]{2})"
    r"|\\+[nrt]?"
    r"|&(?:amp;)*\#(?:[xX]0*([0-9A-Fa-f]{1,4})|0*([0-9]{1,5}));?"
    rf"|&(?:amp;)*({'|'.join(NAMES)});"
)
IN_DECIMAL, BY_NAME = 4, 5  # groups of it; the others are hexadecimal

# A letter, and where in the text it begins and ends.
Letter = Tuple[str, int, int]


class Redactor:
    """Hides secrets: of none are ``RUN`` letters in a row left, whatever is written between them.

    Costs little where there is nothing to hide, for it runs over everything that is put out.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)

    def __repr__(self) -> str:
        return "Redactor()"

    def __call__(self, value: Any) -> Any:
        """Return the value, which may be nested, with every secret in its texts hidden.

        What JSON has no form for becomes text.
        """
        if isinstance(value, str):
            return self._hide(value) if len(value) >= RUN and self._may_hold(value) else value
        if isinstance(value, dict):
            return {self(key): self(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self(item) for item in value]
        return value if value is None or isinstance(value, (int, float)) else self(str(value))

    def _may_hold(self, text: str) -> bool:
        """Return whether a text may hold a part of a secret; false is certain."""
        return any(
            not self._pieces.isdisjoint(zip(*(letters[n::STEP] for n in range(PIECE))))
            for letters in _spelt(text)
        )

    def _hide(self, text: str) -> str:
        found = bytearray(len(text))
        for letters in _readings(text):
            word = "".join(letter for letter, _, _ in letters)
            for place in range(len(word) - RUN + 1):
                if word[place : place + RUN] in self._runs:
                    (_, start, _), (_, _, end) = letters[place], letters[place + RUN - 1]
                    found[start:end] = b"\1" * (end - start)
        parts = groupby(zip(found, text), key=itemgetter(0))
        hidden = "".join(
            HIDDEN if is_secret else "".join(letter for _, letter in part)
            for is_secret, part in parts
        )
        # A backslash before a letter that is hidden would escape what stands there now.
        return re.sub(r"\\+(?=\*\*\*)", "", hidden) if hidden != text else text

    @cached_property
    def _pieces(self) -> FrozenSet[Tuple[str, ...]]:
        return frozenset(tuple(piece) for piece in self._cut(PIECE))

    @cached_property
    def _runs(self) -> FrozenSet[str]:
        return frozenset(self._cut(RUN))

    def _cut(self, length: int) -> Iterator[str]:
        """Return every piece of a length, of secrets that are long enough to be any."""
        for word in {word for secret in self._secrets for word in _spelt(secret)}:
            if len(word) >= RUN:
                yield from (word[n : n + length] for n in range(len(word) - length + 1))


def _spelt(text: str) -> Iterator[str]:
    """Return the letters of a text without white space: as they stand, then as they are meant."""
    yield "".join(text.split())
    if _is_written(text):
        yield "".join(re.sub(WRITTEN, _meant, text).split())


def _readings(text: str) -> Iterator[List[Letter]]:
    """Return the same letters with their places."""
    yield [(unit.group(), *unit.span()) for unit in re.finditer(r"\S", text)]
    if _is_written(text):
        units = re.finditer(WRITTEN + r"|\S", text)
        letters = ((_meant(unit), *unit.span()) for unit in units)
        yield [letter for letter in letters if letter[0].strip()]


def _is_written(text: str) -> bool:
    return "%" in text or "\\" in text or "&" in text


def _meant(unit: re.Match[str]) -> str:
    """Return the letter that a unit of a text stands for, if any."""
    group = unit.lastindex
    if group is None:
        return "" if unit.group().startswith("\\") else unit.group()
    code = unit.group(group)
    return NAMES[code] if group == BY_NAME else chr(int(code, 10 if group == IN_DECIMAL else 16))
