"""Several calls at once, in threads, over the one connection pool of their client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, List, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

CONCURRENT_CALLS = 8


def map_concurrently(work: Callable[[Item], Answer], items: Iterable[Item]) -> List[Answer]:
    """Do the work for each item, eight at a time, and return the results in their order."""
    with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
        return list(pool.map(work, items))
