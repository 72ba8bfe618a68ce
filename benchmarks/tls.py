"""A cold run over TLS, from the start of a process to its end: what a function does each minute.

Its processor time is measured, and where valgrind is installed its instructions are counted: these
say the same on a busy machine, so only they have bars.
"""

from __future__ import annotations

import functools
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import certifi
import trustme

from benchmarks.figures import Figure, at_most
from benchmarks.fresh import (
    Ended,
    counts_instructions,
    instructions,
    interleaved,
    median,
    work_once,
)
from benchmarks.layouts import Layouts
from benchmarks.runs import settings
from benchmarks.service import BUCKET, ids, slow_service
from build_roots import hashed

OURS, PLAIN, BARE = "sms_watch, the zip", "... without compiled files", "a bare script, compiled"
JOURNAL = f"obs://{BUCKET}/day"
Work = Callable[..., Any]


def figures(layouts: Layouts, times: int, pause: float, counted: bool) -> List[Figure]:
    """Compare cold runs of the zip with those of a bare script that reads the same task."""
    with _a_service(pause) as (orders, env):
        variants: Dict[str, Callable[[Work], Any]] = {
            OURS: lambda do: do(layouts.ours_compiled, "once", **orders),
            PLAIN: lambda do: do(layouts.ours, "once", **orders),
            BARE: lambda do: do(layouts.plain_compiled, "bare", env=env, texts=orders["texts"]),
        }
        work_once(layouts.ours_compiled, "once", **orders)  # so that there is a journal
        measured: Dict[str, List[Ended]] = interleaved(
            times, {name: functools.partial(run, work_once) for name, run in variants.items()}
        )
        cost = {name: median([run.cpu for run in runs]) for name, runs in measured.items()}
        shown = {name: f"{seconds:.2f} s of processor time" for name, seconds in cost.items()}
        compare: Callable[[str, float, float], Figure] = _shown
        if counted and counts_instructions():
            compare = at_most
            cost = {name: run(instructions) for name, run in variants.items()}
            shown = {name: f"{told}, {cost[name] / 1e6:,.0f} M" for name, told in shown.items()}
    return [
        *(Figure(f"a cold run of one task: {name}", told) for name, told in shown.items()),
        compare("the zip, to one without compiled files", cost[OURS] / cost[PLAIN], 0.45),
        compare("the zip, to a bare script", cost[OURS] / cost[BARE], 1.6),
    ]


def _shown(what: str, value: float, bar: float) -> Figure:
    """Return a figure without its bar, for seconds depend on what else the machine does."""
    return Figure(what, f"{value:.2f} x")


@contextmanager
def _a_service(pause: float) -> Iterator[Any]:
    """Yield what to order for a run, and the environment of one that trusts a bundle.

    A bundle and a folder hold certifi's authorities, and one of our own.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        roots, bundle, served = (place / each for each in ("r", "b.pem", "s.pem"))
        roots.mkdir()
        own = trustme.CA()
        own.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(served))
        trusted = Path(certifi.where()).read_text(encoding="utf-8")
        trusted += own.cert_pem.bytes().decode()
        bundle.write_text(trusted, encoding="utf-8")
        for file, content in hashed(trusted).items():
            (roots / file).write_bytes(content)
        with slow_service(1, pause, served) as url:
            orders = {"texts": settings(url, ids(1), JOURNAL), "roots": str(roots)}
            yield orders, {"REQUESTS_CA_BUNDLE": str(bundle)}
