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

from benchmarks import cold, evening, foretold, journal, night, runs, tls
from benchmarks.figures import Figure, in_markdown, on_screen
from benchmarks.layouts import FORMER, ROOT, Layouts
from simulated_cloud.scenarios import SCENARIOS

DOCUMENT = ROOT / "docs" / "benchmarks.md"
SDK = ("huaweicloudsdkcore", "huaweicloudsdksms", "huaweicloudsdksmn")
HEAD = """\
# Benchmarks

Written by `make bench`; nothing here was timed by hand. Everything was measured in one run on one
machine: ratios count, seconds are this machine's.

{environment}

- Shown is the median of {runs} fresh processes, of {imports} for imports and in the night.
  The variants take turns, and each process sees the folder that it imports from, Python's own
  library and nothing else.
- The plain zip is what `pip install -t` lays out, with the same sources beside it.
- The service is a process of its own that waits {pause:.0f} ms before each answer. In a run nothing
  has changed since the one before; its journal lies in a directory.
- The cold runs have the simulated cloud over TLS, and the journal on its OBS. Certifi's authorities
  and one more are trusted: by `sms_watch` as the folder of the zip, by all others as a bundle.
  Instructions, in millions, are counted where valgrind is installed: they say the same on a busy
  machine, so these rows have bars only then. {former} is what it was before anything was done about
  its start; its rows are there where git has it. A process that is held back is stopped for the
  rest of each tenth of a second in which it has used up its share.
- In the evening a day of {ticks} runs has passed, played by the real handler. All tasks are found
  by listing (`*`), without TLS. For an outage of a day every start is made that there can be. OBS
  gives the last bytes of an object when it is asked for them; where it does not, a run asks twice.
- The walkthrough's rules are those of a plain script, a function for each task: it reads its task
  every minute, starts it when it has failed or is paused, and sends a message each time. Its cold
  run on the SDK makes the two clients and reads one task; a bare script
  (`benchmarks/bare_script.py`) does the same with `requests` and a signer of its own, and starts in
  a fraction of the time. That of
  `sms_watch` reads all tasks, and would make one call more for a journal on OBS. A month is
  {month:,} runs at 128 MB.
- A forecast is what the real handler tells of a task in the middle of its copy. It is compared with
  the time for which the copy then went on; a later outage nobody can foresee, so it is no part of
  that. Copies of less than an hour are not counted, one that was not measured by then is missed.
- FunctionGraph gives a function of 128 MB about 0.3 of a processor: real seconds are longer, for
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
