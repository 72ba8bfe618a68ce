"""Keys for tests, drawn as real ones are, and the question whether a part of one got out.

They are base64 with the letters in them that URLs, JSON and HTML write in another way.
"""

from __future__ import annotations

import random
import string
from html import unescape
from typing import Iterable, Iterator, List, Tuple
from urllib.parse import unquote

from simulated_cloud.signing import Key
from sms_watch.settings.values import Credentials

SPECIAL = "/+="
BASE64 = string.ascii_letters + string.digits + SPECIAL
RUN = 8  # letters of a key in a row: so many are never left
PIECE, STEP = 4, 5  # each run holds one whole of the pieces that begin at every fifth letter
DRAWN: List[str] = []


def draw(name: str, letters: int) -> str:
    """Return a key, always the same for a name; ``leaked`` looks for it from now on."""
    dice = random.Random(name)  # noqa: S311 - made up, and the same every time
    key = ""
    while not set(SPECIAL) <= set(key):
        key = "".join(dice.choices(BASE64 + 3 * SPECIAL, k=letters))
    DRAWN.append(key)
    return key


def a_pair(name: str) -> Key:
    """Return an access key and a secret key."""
    return Key(draw(f"{name}, access", 20), draw(f"{name}, secret", 40))


def temporary(name: str) -> Key:
    """Return temporary keys with their token."""
    pair = a_pair(name)
    return Key(pair.access, pair.secret, draw(f"{name}, token", 600))


def secrets_of(key: Key) -> Tuple[str, ...]:
    """Return the texts of keys, each of which is a secret."""
    return tuple(filter(None, (key.access, key.secret, key.token)))


def credentials(key: Key) -> Credentials:
    """Return keys of the simulated cloud as the watchdog holds them."""
    return Credentials(key.access, key.secret, key.token)


def leaked(*texts: str, keys: Iterable[str] = DRAWN) -> List[str]:
    """Return what texts hold of keys: runs of letters, whatever is written between them."""
    views = [view for text in texts for view in (text, _meant(text))]
    return [part for key in keys for view in views for part in _parts(key, view)]


def _meant(text: str) -> str:
    return "".join(unquote(unescape(text.replace("\\", ""))).split())


def _parts(key: str, view: str) -> Iterator[str]:
    if any(piece in view for piece in _pieces(key, PIECE, STEP)):
        yield from (run for run in _pieces(key, RUN, 1) if run in view)


def _pieces(key: str, length: int, step: int) -> Iterator[str]:
    return (key[n : n + length] for n in range(0, len(key) - length + 1, step))
