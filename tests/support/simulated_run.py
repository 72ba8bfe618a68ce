"""The real handler and the real adapters over a simulated world, on simulated time, in one thread.

Only what lies below the adapters is replaced: what would leave through a socket is answered here,
from the world and its buckets, at once. So thousands of nights pass in seconds, in one order, and
whoever plays them may interfere with each call before and after its effect.
"""

from __future__ import annotations

import functools
import itertools
import json
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Set,
    Tuple,
)

import pytest

from index import handler
from simulated_cloud.buckets import Storage, etag
from simulated_cloud.clock import VirtualClock
from simulated_cloud.context import LocalContext, timer_event
from simulated_cloud.shapes import (
    REQUEST_ID,
    SOURCE_FILTERS,
    TASK_FILTERS,
    matching,
    refusal,
    source_page,
    task_body,
    task_page,
)
from simulated_cloud.task import Refused, SimTask
from simulated_cloud.variants import DOCUMENTED, Gateway, Variants
from simulated_cloud.world import World
from sms_watch import handler as handler_module
from sms_watch import parallel, wiring
from sms_watch.adapters import sdk, sms
from sms_watch.adapters.answers import Answer
from sms_watch.errors import WatchFailed
from tests.support.builders import NOW
from tests.support.canaries import credentials, secrets_of
from tests.support.clouds import KEY, TOPIC, VARIABLES
from tests.support.simulated_connections import Connection, Disk, OneAfterTheOther
from tests.support.wakes import GONE, STRANGE, UNREAD, ClockApart, Hangs, Killed, RunRecord, Start

# Called around each call: the service, the operation, and whether it has had its effect. It may
# raise what the libraries raise, or Killed, give an answer in place of the service's, or let time
# pass.
Interfere = Callable[[str, str, bool], Optional[Answer]]


# Takes a page of the list of tasks, and may give another in its place.
Spoil = Callable[[Dict[str, Any]], Optional[Dict[str, Any]]]


class SimulatedRuns:
    """A world, and the function that watches it.

    ``interfere`` may be set at any time. ``garbled`` are bodies that the service gives in place of
    a task's, by its id, ``hanging`` the ids whose reads hang, ``strange`` states that it says in
    place of a task's. ``place`` is the directory of the journal, if it is kept in
    one. ``written`` are the lines that runs wrote into it, ``odd_lines`` counts those of
    others, ``off`` says by how
    much the clock of the next run is off. ``spoil`` may give another page in place of one of the
    list. ``refuses`` says which messages SMN does not take for their words, by subject and texts.
    ``discovers``: the tasks are found by listing; ``more`` are further settings. ``variants`` is
    how the services answer. ``patience`` is how many seconds the call under way may take.
    ``readings`` are the states that tasks were read in, by any run.
    """

    def __init__(self, tasks: Iterable[SimTask]) -> None:
        self.clock = VirtualClock(NOW)
        self.world = World(self.clock)
        self.storage = Storage()
        self.ids: List[str] = []
        for task in tasks:
            self.world.add(task)
            self.ids.append(task.id)
        self.interfere: Interfere = lambda service, operation, done: None
        self.garbled: Dict[str, Any] = {}
        self.spoil: Spoil = lambda page: None
        self.hanging: Set[str] = set()
        self.strange: Dict[str, str] = {}
        self.place: Optional[Path] = None
        self.odd_lines = 0
        self.written: Set[bytes] = set()
        self.off: Callable[[], timedelta] = lambda: timedelta(0)
        self.refuses: Callable[[str], bool] = lambda message: False
        self.discovers = False
        # Those of the runs, in their settings or their agency's.
        self.keys, self.by_agency = KEY, False
        self.more: Dict[str, str] = {}
        self.variants: Variants = DOCUMENTED
        self._gateway = Gateway()
        self.patience = 0.0
        self.wakes: List[RunRecord] = []
        self.readings: List[Tuple[str, str]] = []
        self._running: List[RunRecord] = []
        self._numbers = itertools.count()
        self._steps = itertools.count()

    def watch(self, task: SimTask, instead_of: str) -> None:
        """Put a task's id in the place of another's in the settings."""
        self.ids[self.ids.index(instead_of)] = task.id

    def wake(self) -> RunRecord:
        """Let the function run once; runs may be nested, as two containers overlap."""
        this = RunRecord(self.clock.now(), self.clock.now(), self.off())
        number = len(self.wakes)
        self.wakes.append(this)
        self._running.append(this)
        agency = credentials(self.keys) if self.by_agency else None
        context = LocalContext(self._settings(), f"run-{number}", agency)
        try:
            clock = ClockApart(self.clock, this.off)
            this.report = handler(timer_event(self.clock.now()), context, clock=clock)
            this.output.append(json.dumps(this.report))
        except WatchFailed as failure:
            this.failure = str(failure)
            this.output.append(this.failure)
        except Killed:
            this.killed = True
        finally:
            self._running.pop()
        this.ended, this.ended_as = self.clock.now(), next(self._steps)
        if self._running:
            self._running[-1].held_up += this.ended - this.begun
        return this

    def _settings(self) -> Dict[str, str]:
        return {
            "SMS_TASK_IDS": "*" if self.discovers else " ".join(self.ids),
            "SMN_TOPIC_URN": TOPIC,
            **({} if self.by_agency else dict(zip(VARIABLES, secrets_of(self.keys)))),
            "NOTIFY_ON": "all",
            **({"JOURNAL_URI": self.place.as_uri()} if self.place else {}),
            **self.more,
        }

    def journal(self) -> Dict[str, bytes]:
        """Return the objects of the journal, by their names."""
        if self.place is not None:
            return {path.name: path.read_bytes() for path in self.place.glob("*")}
        buckets = self.storage.buckets.values()
        return {key: held.data for bucket in buckets for key, held in bucket.objects.items()}

    def write_odd_line(self, name: str, line: bytes) -> None:
        """Let another program append to an object of the journal."""
        self.odd_lines += 1
        if self.place is not None:
            with (self.place / name).open("ab") as file:
                file.write(line)
            return
        (bucket,) = self.storage.buckets.values()
        bucket.objects[name].data += line

    def write_line(self, line: str) -> None:
        """Take a line of the log."""
        self._running[-1].output.append(line)

    def touch(self) -> None:
        """Note that the run at work is hindered, and need not do all of its work."""
        self._running[-1].touched = True

    def nonce(self) -> str:
        """Return a nonce that is the same for the same seed."""
        return f"nonce-{next(self._numbers)}"

    # What the adapters reach instead of sockets

    def call(self, service: str, operation: str, serve: Callable[[], Answer]) -> Answer:
        """Answer a call as its service does, unless somebody interferes."""
        this = self._running[-1]
        try:
            instead = self.interfere(service, operation, False)
            if instead is None and this.is_refused:
                instead = self._too_late()
            if instead is None:
                answer = serve()
                instead = self.interfere(service, operation, True)
        except Hangs:
            raise
        except BaseException:
            this.touched = True
            raise
        if instead is not None:
            this.touched = True
            return instead
        if operation == "publish":
            this.published, this.answered = True, len(this.notices)
        return answer

    def _too_late(self) -> Answer:
        body = {"code": "RequestTimeTooSkewed", "error_code": "APIGW.0301", "error_msg": "expired"}
        return Answer(403, body, {"Date": format_datetime(self.clock.now(), usegmt=True)})

    def read(self, serve: Callable[[], Answer]) -> Answer:
        """Answer a read of the migration service, unless its gateway has seen too many."""
        try:
            self._gateway.admit(self.variants.reads_a_minute, self.clock.now())
            return serve()
        except Refused as refused:
            return _refusal(refused)

    def show_task(self, task_id: str) -> Answer:
        """Answer as "Querying a Migration Task" does. Raise Refused as the service does."""
        this = self._running[-1]
        if task_id in (*self.variants.unreadable, *self.garbled, *self.hanging):
            this.denied.add(task_id)
        if task_id in self.hanging:
            self.clock.sleep(self.patience)
            raise Hangs
        self.variants.allow(task_id)
        try:
            task = self.world.read(task_id)
        except Refused:
            self._note_read(this.reads, task_id, GONE)
            raise
        if task_id in self.garbled:
            return Answer(200, self.garbled[task_id])
        body = task_body(task, self.clock.now(), self.variants)
        return Answer(200, self._as_said(this.reads, body))

    def _as_said(self, states: Dict[str, List[str]], body: Dict[str, Any]) -> Dict[str, Any]:
        """Return the body or row of a task with the state that the service says, and note it."""
        strange = self.strange.get(body["id"])
        self._note_read(states, body["id"], body["state"] if strange is None else STRANGE)
        return body if strange is None else {**body, "state": strange}

    def _note_read(self, states: Dict[str, List[str]], task_id: str, state: str) -> None:
        states.setdefault(task_id, []).append(state)
        self.readings.append((task_id, state))

    def list_tasks(self, asked: Mapping[str, Any]) -> Answer:
        """Answer as "Querying the Migration Task List" does."""
        self.variants.allow_list()
        this = self._running[-1]
        found = matching(self.world.all(), TASK_FILTERS, asked)
        page = task_page(found, self.clock.now(), asked["limit"], asked["offset"], self.variants)
        page["tasks"] = [self.garbled.get(row["id"], row) for row in page["tasks"]]
        spoilt = self.spoil(page)
        if spoilt is not None:
            this.touched, page = True, spoilt
        rows = [self._as_said(this.listed, row) if _is_row(row) else row for row in page["tasks"]]
        return Answer(200, {**page, "tasks": rows})

    def list_servers(self, asked: Mapping[str, Any]) -> Answer:
        """Answer as "Querying the Source Server List" does."""
        self.variants.allow_list()
        found, now = matching(self.world.all(), SOURCE_FILTERS, asked), self.clock.now()
        page = source_page(found, now, asked["limit"], asked["offset"], self.variants)
        return Answer(200, page)

    def start_task(self, task_id: str, operation: str) -> Answer:
        """Answer as "Managing a Migration Task" does, to a start alone."""
        assert operation == "start"
        this = self._running[-1]
        read_as = this.reads.get(task_id, [UNREAD])[-1]
        this.starts.append(Start(task_id, read_as))
        reply = self.variants.start
        try:
            self.variants.allow(task_id)
            if not reply.refuses:
                self.world.start(task_id)
        except Refused as refused:
            return _refusal(refused)
        return Answer(reply.status, _as_read(reply.body))

    def publish(self, subject: str, structure: str) -> Answer:
        """Answer as "Publishing Messages" does."""
        this = self._running[-1]
        if self.refuses(subject + structure):
            this.refused += 1
            return Answer(400, {"code": "SMN.0227", "message": "It has sensitive words."})
        texts = json.loads(structure)
        this.messages += 1
        this.published_as = next(self._steps)
        this.notices += json.loads(texts["http"])["notices"]
        this.output += [subject, structure]
        self.world.inbox.append({"at": self.clock.now(), "subject": subject, **texts})
        return Answer(200, {"message_id": f"message-{len(self.world.inbox)}"})

    def send_to_obs(
        self, method: str, bucket: str, key: str, query: Any, data: bytes, asked: str
    ) -> Answer:
        """Answer as OBS does to the requests that the journal needs; ``asked`` is the range."""
        headers = {
            "x-obs-request-id": "request-obs",
            "Date": format_datetime(self.clock.now(), usegmt=True),
        }
        try:
            if (method, bool(key)) == ("PUT", False):
                self.storage.create(bucket, self.storage.region, "private")
                return Answer(200, b"", headers)
            if method in ("GET", "HEAD"):
                held = self.storage.get(bucket, key)
                variants = self.variants
                part = held.part(asked, variants.whole_beyond_end, variants.last_bytes)
                headers = {**headers, **held.headers, **part.headers}
                return Answer(part.status, part.data if method == "GET" else b"", headers)
            assert method == "POST"
            assert "append" in query
            after = self.storage.append(bucket, key, int(query["position"]), data)
        except Refused as refused:
            return Answer(refused.status, {"code": refused.code, "message": refused.text}, headers)
        self.note_append(data)
        more = {"ETag": etag(data), "x-obs-next-append-position": str(after)}
        return Answer(200, b"", {**headers, **more})

    def note_append(self, data: bytes) -> None:
        """Note a line of the journal, and that it tells of what was published if it does."""
        this = self._running[-1]
        this.appends += 1
        lines = list(filter(None, data.split(b"\n")))
        self.written.update(lines)
        this.planned.update(*(json.loads(line).get("starts", ()) for line in lines))
        if this.published and this.told_as is None:
            this.told_as = next(self._steps)
        this.output.append(data.decode())


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and row.keys() >= {"id", "state"}


def _refusal(refused: Refused) -> Answer:
    return Answer(refused.status, refusal(refused), {"X-Request-Id": REQUEST_ID})


def _as_read(body: bytes) -> Any:
    """Return what an answer's bytes are to whoever asked: JSON, or none."""
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return None


@contextmanager
def patched_transport(
    simulated: SimulatedRuns, draw: Callable[[], float], page: int = sms.PAGE
) -> Iterator[SimulatedRuns]:
    """Put simulated runs in the place of all sockets and threads.

    ``draw`` says how long pauses are, ``page`` how many rows of a list are asked for at once.
    """

    def within(seconds: float, call: Callable[[], Answer]) -> Answer:
        simulated.patience = seconds
        return call()

    connection = Connection(simulated)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "WARM", SimpleNamespace(get=lambda *_: connection))
        patch.setattr(handler_module, "_write_line", simulated.write_line)
        patch.setattr(wiring, "nonce", simulated.nonce)
        patch.setattr(wiring, "FileStore", functools.partial(Disk, simulated))
        patch.setattr(wiring, "Caller", functools.partial(sdk.Caller, draw=draw))
        patch.setattr(sdk, "within", within)
        patch.setattr(parallel, "ThreadPoolExecutor", OneAfterTheOther)
        patch.setattr(sms, "PAGE", page)
        yield simulated
