"""Several calls at once, in threads, over the one connection pool of their client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, List, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# As many connections as the SDK's pool keeps: one more would be made anew for every call.
AT_ONCE = 10


def at_once(work: Callable[[Item], Answer], items: Iterable[Item]) -> List[Answer]:
    """Do the work for each item, ten at a time, and give what it gave, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, items))
