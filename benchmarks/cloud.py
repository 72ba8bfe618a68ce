"""The simulated cloud as a function meets it: the journal on OBS, and TLS where it is asked for.

It serves out of this process, so that what it computes does not count as that of a run.
"""

from __future__ import annotations

import functools
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple, TypeVar
from typing import Counter as Counts

import certifi
import flask
import trustme

from benchmarks.figures import Figure, at_most
from benchmarks.fresh import instructions, interleaved, median, work_once
from benchmarks.service import ids
from packaging_zip.roots import hashed
from simulated_cloud.buckets import Bucket
from simulated_cloud.clock import VirtualClock
from simulated_cloud.server import CloudServer
from simulated_cloud.setup import KEY, TOPIC, settings
from simulated_cloud.task import SimTask
from simulated_cloud.variants import DOCUMENTED
from simulated_cloud.world import World

# Nobody looks for as long as this copy takes.
COPYING, SPEED = timedelta(days=30), 200.0  # Mbit/s
SIZE = COPYING.total_seconds() * SPEED * 1e6 / 8
BUCKET = "journals"
Measured = TypeVar("Measured")
# What is run: a folder, and the work of child.py that is done with it.
Variant = Tuple[Path, str]


@dataclass(frozen=True)
class Authorities:
    """Files: the server's certificate, and certifi's authorities with the one that issued it.

    They are those of a ``bundle``, and of a folder of ``roots`` as the zip has it.
    """

    certificate: Path
    bundle: Path
    roots: Path

    @classmethod
    def within(cls, place: Path) -> Authorities:
        """Write the files."""
        made = cls(place / "server.pem", place / "bundle.pem", place / "roots")
        own = trustme.CA()
        own.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            str(made.certificate)
        )
        trusted = Path(certifi.where()).read_text(encoding="utf-8")
        trusted += own.cert_pem.bytes().decode()
        made.bundle.write_text(trusted, encoding="utf-8")
        made.roots.mkdir()
        for name, content in hashed(trusted).items():
            (made.roots / name).write_bytes(content)
        return made


@dataclass(frozen=True)
class Cost:
    """What a run costs: seconds of a processor, instructions if they were counted, and the most
    memory, calls, and bytes from OBS of any such run.
    """

    cpu: float
    counted: int
    peak: int
    calls: int
    read: int

    def __str__(self) -> str:
        counted = f", {self.counted / 1e6:,.0f} M" if self.counted else ""
        return f"{self.cpu:.2f} s of processor time{counted}"

    def to(self, other: Cost, what: str, bar: float) -> Figure:
        """Return how many times the other it is; only instructions have a bar."""
        if self.counted:
            return at_most(what, self.counted / other.counted, bar)
        return Figure(what, f"{self.cpu / other.cpu:.2f} x")


@dataclass
class Account:
    """An account of running tasks; ``calls`` and bytes ``read`` from OBS are counted."""

    server: CloudServer
    clock: VirtualClock
    authorities: Optional[Authorities]
    calls: Counts[str] = field(default_factory=Counter)
    read: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self, measure: Callable[..., Measured], folder: Path, work: str, *task_ids: str
    ) -> Measured:
        """Measure one run of what lies in a folder, in this moment, and count it from anew."""
        with self.counting:
            self.calls, self.read = Counter(), 0
        orders: Any = {"texts": self.texts(folder.name, *task_ids)}
        if work == "once":
            orders["moment"] = self.clock.now().isoformat()
        if self.authorities is not None and (folder / "sms_watch" / "roots").is_dir():
            orders["roots"] = str(self.authorities.roots)
        elif self.authorities is not None:
            orders["env"] = {"REQUESTS_CA_BUNDLE": str(self.authorities.bundle)}
        return measure(folder, work, **orders)

    def texts(self, journal: str, *task_ids: str) -> Dict[str, str]:
        """Return the settings of a function with a journal of that name."""
        more = {"JOURNAL_URI": f"obs://{BUCKET}/{journal}", "LOG_LEVEL": "ERROR"}
        return {**settings(self.server.url, task_ids), **more}

    def count(self, answer: flask.Response) -> flask.Response:
        """Count an answer of the cloud."""
        with self.counting:
            self.calls[str(flask.request.endpoint)] += 1
            if flask.request.endpoint == "_get_object":
                self.read += len(answer.get_data())
        return answer


def cost_once(account: Account, variant: Variant, task_ids: Sequence[str]) -> Cost:
    """Return what the next run costs; its instructions are not counted."""
    ended = account.run(work_once, *variant, *task_ids)
    calls = sum(account.calls.values())
    return Cost(ended.cpu, 0, ended.said.get("peak", 0), calls, account.read)


def costs(
    account: Account,
    variants: Mapping[str, Variant],
    task_ids: Sequence[str],
    times: int,
    counted: bool,
) -> Dict[str, Cost]:
    """Return what a run of each costs in this moment; the one before has left a journal."""
    for each in variants.values():
        cost_once(account, each, task_ids)
    once = {
        name: functools.partial(cost_once, account, each, task_ids)
        for name, each in variants.items()
    }
    found = interleaved(times, once)
    return {
        name: Cost(
            median([each.cpu for each in runs]),
            account.run(instructions, *variants[name], *task_ids) if counted else 0,
            max(each.peak for each in runs),
            max(each.calls for each in runs),
            max(each.read for each in runs),
        )
        for name, runs in found.items()
    }


@contextmanager
def an_account(number: int, begin: datetime, secure: bool = False) -> Iterator[Account]:
    """Serve an account with so many tasks that run."""
    clock = VirtualClock(begin)
    world = World(clock)
    for task_id in ids(number):
        world.add(SimTask(task_id, f"server {task_id}", size=SIZE, speed=SPEED))
    with tempfile.TemporaryDirectory() as place:
        authorities = Authorities.within(Path(place)) if secure else None
        certificate = authorities.certificate if authorities else None
        with CloudServer(world, [KEY], [TOPIC], certificate) as server:
            storage = server.cloud.storage
            storage.buckets[BUCKET] = Bucket(storage.region)
            server.cloud.variants = replace(DOCUMENTED, last_bytes=True)
            account = Account(server, clock, authorities)
            server.cloud.app.after_request(account.count)
            yield account
