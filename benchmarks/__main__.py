"""All measurements: ``python -m benchmarks``. Exits with 1 when a bar is missed."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Tuple

from rich.console import Console

from benchmarks import cold, evening, foretold, journal, night, pages, runs, tls
from benchmarks.figures import Figure, in_markdown, on_screen
from benchmarks.layouts import FORMER, ROOT, Layouts
from simulated_cloud.scenarios import SCENARIOS

DOCUMENT = ROOT / "docs" / "benchmarks.md"
SDK = ("huaweicloudsdkcore", "huaweicloudsdksms", "huaweicloudsdksmn")
HEAD = """\
# Benchmarks

Written by `make bench`; nothing here was timed by hand. Everything was measured in one run on one
machine: the ratios count, the seconds are those of this machine.

{environment}

- Each figure is the median of {runs} fresh processes, or of {imports} for imports and in the night.
  The variants take turns, and each process sees nothing but the folder that it imports from and
  Python's own library.
- The plain zip is what `pip install -t` installs, with the same sources beside it.
- The service is a separate process that waits {pause:.0f} ms before each answer. In a run nothing
  has changed since the one before; its journal is in a directory.
- The cold runs reach the simulated cloud over TLS, and keep the journal on its OBS. They trust
  certifi's authorities and one more: `sms_watch` from the folder in the zip, all others from a
  bundle. Instructions, in millions, are counted where valgrind is installed. They are the same on a
  busy machine, so only then do these rows have bars. {former} is the commit before its start was
  made faster; its rows are there where git has it. A process that gets a part of a processor is
  stopped for the rest of each tenth of a second in which it has used up its share.
- In the evening, the real handler has played a day of {ticks} runs. All tasks are found by listing
  (`*`), without TLS. In an outage of a day every possible start is made. OBS returns the last bytes
  of an object when it is asked for them; where it does not, a run asks twice.
- The plain script is one function for each task. It reads its task every minute, starts it when it
  has failed or is paused, and sends a message each time. Its cold run on the SDK makes both clients
  and reads one task. A bare script (`benchmarks/bare_script.py`) does the same with `requests` and
  its own signature, and starts in a fraction of the time. A cold run of `sms_watch` reads all
  tasks, and would make one more call for a journal on OBS. A month is {month:,} runs at 128 MB.
- A forecast is what the real handler says of a task in the middle of its copy. It is compared with
  the time for which the copy then went on, without later outages, which nobody can foresee. Copies
  of less than an hour are not counted; a copy that was not measured by then counts as missed.
- The page of a wave tells of three days and two outages. How long it takes to draw is the median of
  {drawings} pictures that Chromium takes of it, less that of as many of an empty page, by turns.
- FunctionGraph gives a function of 128 MB about 0.3 of a processor, so real runs take longer, for
  both.
"""


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    imports: int = 7
    runs: int = 5
    tasks: Tuple[int, ...] = (1, 100, 1000)
    pause: float = 0.05
    night: timedelta = timedelta(hours=10)
    day: timedelta = timedelta(days=1)
    counted: bool = True
    many: int = 100
    ticks: int = 72
    scenes: Tuple[str, ...] = tuple(foretold.SCENES)
    longest: timedelta = timedelta(days=3)
    page: int = 1000
    drawings: int = 7


def measure(sizes: Sizes, layouts: Layouts) -> Iterator[Tuple[str, List[Figure]]]:
    """Measure part by part; give the figures, each part with the title of its table."""
    scenario = SCENARIOS["night"]
    scenario = replace(scenario, end=scenario.begin + sizes.night)
    yield "Cold start", cold.figures(layouts, sizes.imports)
    yield "Cold runs over TLS", tls.figures(layouts, sizes.runs, sizes.counted, sizes.many)
    yield "Runs", runs.figures(layouts, sizes.runs, sizes.tasks, sizes.pause)
    yield "One night", night.figures(layouts, sizes.imports, scenario, sizes.pause)
    aged = evening.figures(layouts, sizes.runs, sizes.tasks[1:], sizes.ticks, sizes.counted)
    yield "Cold runs in the evening", aged
    yield "Reading a day's journal", journal.figures(sizes.day)
    yield "Forecasts", foretold.figures(sizes.scenes, sizes.longest)
    yield "The page of a wave", pages.figures(sizes.page, sizes.drawings)


def document(sizes: Sizes, tables: Mapping[str, List[Figure]]) -> str:
    """Return the document."""
    names = ", ".join(f"{name} {version(name)}" for name in SDK)
    environment = f"Python {platform.python_version()}, {os.cpu_count()} cores, {names}."
    head = HEAD.format(
        environment=environment,
        imports=sizes.imports,
        runs=sizes.runs,
        pause=sizes.pause * 1000,
        month=night.RUNS_A_MONTH,
        former=FORMER,
        ticks=sizes.ticks,
        drawings=sizes.drawings,
    )
    return "\n".join([head, *(in_markdown(*table) for table in tables.items())])


def main() -> None:
    """Measure, print, write the document."""
    sizes, console = Sizes(), Console()
    tables: Dict[str, List[Figure]] = {}
    with tempfile.TemporaryDirectory() as place:
        for title, figures in measure(sizes, Layouts.within(Path(place))):
            tables[title] = figures
            # At once: the whole takes minutes.
            console.print(on_screen(title, figures))
    DOCUMENT.write_text(document(sizes, tables), encoding="utf-8")
    missed = [figure.what for each in tables.values() for figure in each if figure.met is False]
    if missed:
        sys.exit(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
