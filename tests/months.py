"""Months of nights from a seed: the real handler on a simulated clock, with faults of all kinds.

The handler, the run, the rules and the journal are the real ones; the adapters are replaced by
ones that reach a simulated world without sockets. Each seed draws its own tasks, its own troubles
and its own rates of faults, and the same seed always gives the same log.
"""

from __future__ import annotations

import functools
import json
import random
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Optional, Set

import pytest
from builders import NOW
from fakes import FakeStore

from index import handler
from local.clock import VirtualClock
from local.cloud.shapes import PROJECT, task_body
from local.cloud.world import FAILED, MOVING, PAUSED, Refused, SimTask, World
from local.context import LocalContext, timer_event
from sms_watch import handler as handler_module
from sms_watch import run
from sms_watch.adapters import daily, task_json
from sms_watch.errors import CloudError, JournalError, TaskGone, WatchFailed
from sms_watch.journal import decode
from sms_watch.model import Message, Task, TaskState

TICK = timedelta(minutes=5)
TASKS = 40
# Obstacles by the class of their code, with the most starts that the class allows in a row.
OBSTACLES = {"SMS.1315": 0, "SMS.6517": 0, "SMS.0412": 0, "SMS.1103": 5, "SMS.0805": 2}
LINE_CODES = frozenset({"SMS.0807", "SMS.1807", "SMS.2802", "SMS.3802"})
SETTINGS = {
    "SMN_TOPIC_URN": f"urn:smn:ap-southeast-3:{PROJECT}:night-watch",
    "HUAWEICLOUD_SDK_AK": "CANARYACCESSKEY00001",
    "HUAWEICLOUD_SDK_SK": "canarysecretkey" * 3,
    "LOG_LEVEL": "ERROR",
}


class Killed(BaseException):
    """The process is gone."""


class OneAfterTheOther:
    """Reads in one thread, so that the dice fall in one order."""

    def __init__(self, workers: int) -> None:
        """Take the place of a pool of threads."""

    def __enter__(self) -> OneAfterTheOther:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left running."""

    def map(self, function: Callable[[str], Any], names: List[str]) -> List[Any]:
        """Call the function for each name, in order."""
        return [function(name) for name in names]


@dataclass
class Rates:
    """How often things go wrong: chances per call, and per tick."""

    before: float
    after: float
    kill: float
    trouble: float
    outage: float

    @classmethod
    def draw(cls, dice: random.Random) -> Rates:
        """Draw the rates of a seed: many seeds are calm in some respect, some are wild."""
        calm = dice.choice([0.0, 0.01, 0.1])
        return cls(
            before=calm * dice.random(),
            after=calm * dice.random(),
            kill=dice.choice([0.0, 0.0, 0.01, 0.03]),
            trouble=dice.choice([0.01, 0.1, 0.4]),
            outage=dice.choice([0.0, 0.005, 0.02]),
        )


@dataclass
class Months:
    """One seed's world and its watchdog, tick by tick, with the promises checked after each."""

    seed: int
    log: List[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Set the stage."""
        self.dice = random.Random(self.seed)  # noqa: S311 - a seed, no secret
        self.rates = Rates.draw(self.dice)
        self.clock = VirtualClock(NOW)
        self.world = World(self.clock)
        self.store = FakeStore()
        self.appends = 0
        self.disturbed = False
        self.calm = False
        self.down_until: Dict[str, int] = {}
        self.ticks = 0
        self.settled_ids: Set[str] = set()
        self.good_ticks = 0
        self.happened_before = -1
        self.told: Dict[str, str] = {}
        self.last_seen: Dict[str, str] = {}
        self.lasted: Dict[str, int] = {}
        self.ids = [f"task-{number:02}" for number in range(TASKS)]
        for task_id in self.ids:
            self.world.add(self._new_task(task_id))

    def _new_task(self, task_id: str) -> SimTask:
        return SimTask(
            task_id,
            f"server {task_id}",
            type=self.dice.choice(["MIGRATE_FILE", "MIGRATE_BLOCK"]),
            size=self.dice.uniform(1e12, 30e12),
            speed=self.dice.uniform(20, 300),
            synchronises=self.dice.random() < 0.3,
            recovers_after=self.dice.choice([None, None, 60, 600]),
            picks_up_after=self.dice.choice([0, 10, 90]),
            connected=self.dice.choice([True, None]),
        )

    # What the watchdog reaches the world through

    def _call(self, service: str, act: Callable[[], Any], lost: Callable[[bool], Exception]) -> Any:
        """Make a call, unless a fault strikes before or after its effect, or the process dies."""
        if self._is_down(service) or self._strikes(self.rates.before):
            raise lost(False)
        self._perhaps_die()
        answer = act()
        self._perhaps_die()
        if self._strikes(self.rates.after):
            raise lost(True)
        return answer

    def _strikes(self, rate: float) -> bool:
        struck = not self.calm and self.dice.random() < rate
        self.disturbed = self.disturbed or struck
        return struck

    def _perhaps_die(self) -> None:
        if self._strikes(self.rates.kill / 10):
            raise Killed

    def _is_down(self, service: str) -> bool:
        down = not self.calm and self.ticks < self.down_until.get(service, 0)
        self.disturbed = self.disturbed or down
        return down

    def read_task(self, task_id: str) -> Task:
        """Read as the SMS adapter does."""

        def act() -> Task:
            try:
                body = task_body(self.world.read(task_id), self.clock.now())
            except Refused as refused:
                raise TaskGone("read", status=400, code=refused.code) from None
            task = task_json.read(body)
            assert task is not None
            return task

        def lost(_: bool) -> Exception:
            return CloudError("read", status=503, retryable=True)

        task: Task = self._call("sms", act, lost)
        return task

    def start_task(self, task_id: str) -> None:
        """Start as the SMS adapter does."""

        def act() -> None:
            try:
                self.world.start(task_id)
            except Refused as refused:
                raise CloudError("start", status=400, code=refused.code) from None

        self._call("sms", act, self._lost_write)

    def publish(self, message: Message) -> str:
        """Publish as the SMN adapter does."""

        def act() -> str:
            notices = json.loads(message.web)["notices"]
            self.world.inbox.append({"at": self.clock.now(), "notices": notices})
            return f"message-{len(self.world.inbox)}"

        name: str = self._call("smn", act, self._lost_write)
        return name

    def _lost_write(self, taken: bool) -> Exception:
        unknown = taken or self.dice.random() < 0.5
        return CloudError("write", status=503, outcome_unknown=unknown, retryable=not unknown)

    def get(self, name: str) -> Optional[bytes]:
        """Get as the OBS adapter does."""
        data: Optional[bytes] = self._call(
            "obs", lambda: self.store.get(name), lambda _: JournalError("OBS is down")
        )
        return data

    def append(self, name: str, offset: int, data: bytes) -> None:
        """Append as the OBS adapter does, which settles lost answers by reading."""

        def act() -> None:
            self.store.append(name, offset, data)
            self.appends += 1

        self._call("obs", act, lambda taken: JournalError("OBS is down"))

    # A tick

    def tick(self) -> None:
        """Let five minutes of the world pass, wake the function, and check its promises."""
        self.ticks += 1
        self.clock.set(self.clock.now() + TICK)
        if not self.calm:
            self._trouble()
        self.world.settle()
        self.disturbed = False
        appends, messages, starts = self.appends, len(self.world.inbox), len(self.world.starts)
        happened = len(self.world.happenings)
        clean = self._wake()
        self._check_starts(starts)
        self._check_copies(messages, clean)
        if len(self.world.starts) == starts:
            self._check_quiet(clean, appends, messages, happened)
        self._note_told(messages)
        self._check_told(clean)
        self._write_log(clean)

    def _wake(self) -> bool:
        """Wake the function; say whether its run was undisturbed and did not fail."""
        texts = {**SETTINGS, "SMS_TASK_IDS": " ".join(self.ids)}
        context = LocalContext(texts, f"run-{self.ticks}")
        try:
            report = handler(timer_event(self.clock.now()), context, clock=self.clock)
        except (WatchFailed, Killed) as end:
            self.log.append(f"  {type(end).__name__}: {str(end)[:60]}")
            return False
        busy = any("another run" in text for text in report["warnings"])
        return not self.disturbed and not busy

    def _trouble(self) -> None:
        for service in ("sms", "smn", "obs"):
            if self.dice.random() < self.rates.outage:
                self.down_until[service] = self.ticks + self.dice.randint(1, 40)
        if self.dice.random() < self.rates.trouble:
            task_id = self.dice.choice(self.ids)
            if task_id in self.world.tasks:
                self._happen(self.world.tasks[task_id])

    def _happen(self, task: SimTask) -> None:
        """Let something happen to one task, or to the line of many."""
        dice, world, now = self.dice, self.world, self.clock.now()
        draw = dice.random()
        if draw < 0.4:
            others = dice.sample(sorted(world.tasks), min(len(world.tasks), dice.randint(1, 10)))
            world.line_down(*others)
            back = now + timedelta(minutes=dice.randint(1, 300))
            world.at(back, lambda: self._line_up(others))
        elif draw < 0.7 and task.state in MOVING:
            world.fail(task.id, dice.choice(list(OBSTACLES)))
            world.at(now + timedelta(minutes=dice.randint(30, 900)), lambda: self._mend(task))
        elif draw < 0.85 and task.state in MOVING:
            world.pause(task.id)
            world.at(now + timedelta(minutes=dice.randint(30, 900)), lambda: self._resume(task))
        elif draw < 0.88:
            world.delete(task.id)
        elif draw < 0.95:
            task.connected = dice.choice([True, False, None])
        else:
            task.name = f"renamed {dice.randint(0, 99)}\r\n[\u202e]"

    def _line_up(self, task_ids: List[str]) -> None:
        self.world.line_up(*(task_id for task_id in task_ids if task_id in self.world.tasks))

    def _mend(self, task: SimTask) -> None:
        if task.id in self.world.tasks:
            self.world.clear(task.id)
            self._resume(task)

    def _resume(self, task: SimTask) -> None:
        if task.id in self.world.tasks and task.state in (*FAILED, *PAUSED):
            self.world.resume(task.id)

    # The promises, from the world's own truth

    def _check_starts(self, before: int) -> None:
        """Only failed tasks are started; never a paused one, never one that nothing can mend."""
        for start in self.world.starts[before:]:
            assert start.state in FAILED, f"seed {self.seed}: a start in state {start.state}"
            assert not start.paused
            limit = OBSTACLES.get(start.code)
            assert limit is None or limit > 0, f"seed {self.seed}: {start.code} was started"
            if limit is not None:
                assert self._in_a_row(start.task_id) <= limit, f"seed {self.seed}: above the cap"
            self._check_spacing(start.task_id)

    def _in_a_row(self, task_id: str) -> int:
        """Count the latest accepted starts of a task that met the same obstacle."""
        latest = [each for each in self.world.starts if each.task_id == task_id]
        code, copied = latest[-1].code, latest[-1].percent
        count = 0
        for start in reversed(latest):
            if (start.code, start.percent) != (code, copied):
                break
            count += 1
        return count

    def _check_spacing(self, task_id: str) -> None:
        times = [each.at for each in self.world.starts if each.task_id == task_id][-2:]
        assert len(times) < 2 or times[1] - times[0] >= timedelta(minutes=2), self.seed

    def _check_copies(self, before: int, clean: bool) -> None:
        """What a run told and wrote down is never told again; no run sends two messages."""
        sent = self.world.inbox[before:]
        assert len(sent) <= 1, f"seed {self.seed}: two messages in one run"
        for message in sent:
            ids = {notice["event_id"] for notice in message["notices"]}
            assert len(ids) == len(message["notices"])
            assert not ids & self.settled_ids, f"seed {self.seed}: told again: {ids}"
            if clean:
                self.settled_ids |= ids

    def _check_quiet(self, clean: bool, appends: int, messages: int, happened: int) -> None:
        """Where nothing has changed since the last good run, nothing is written or sent."""
        unchanged, self.happened_before = self.happened_before == happened, happened
        proved = {
            notice["kind"]
            for message in self.world.inbox[messages:]
            for notice in message["notices"]
        }
        # A task that had relapsed is told once it has moved, which is no happening of the world.
        if proved == {"resumed"}:
            return
        if clean and self.good_ticks >= 2 and unchanged and not self._someone_failed():
            assert (self.appends, len(self.world.inbox)) == (appends, messages), self.seed

    def _someone_failed(self) -> bool:
        return any(task.state in FAILED for task in self.world.tasks.values())

    def _check_told(self, clean: bool) -> None:
        """What two good runs in a row have seen is told, in its latest form."""
        self.good_ticks = self.good_ticks + 1 if clean else 0
        for task_id in self.ids:
            seen = self._meaning(task_id)
            same = self.last_seen.get(task_id) == seen
            self.lasted[task_id] = self.lasted.get(task_id, 0) + 1 if same and clean else 0
            self.last_seen[task_id] = seen
            if self.lasted[task_id] < 2 or seen == "moving":
                continue
            expected = {"failed": ("failed", "needs_person")}.get(seen, (seen,))
            told = self.told.get(task_id, "")
            assert told in expected, f"seed {self.seed}: {task_id} is {seen}, told {told!r}"

    def _note_told(self, before: int) -> None:
        for message in self.world.inbox[before:]:
            for notice in sorted(message["notices"], key=lambda notice: str(notice["at"])):
                if notice["task_id"]:
                    self.told[notice["task_id"]] = notice["kind"]

    def _meaning(self, task_id: str) -> str:
        if task_id not in self.world.tasks:
            return "gone"
        state = self.world.tasks[task_id].state
        if state in FAILED:
            return "failed"
        if state in PAUSED:
            return "paused"
        return "finished" if state == TaskState.MIGRATE_SUCCESS else "moving"

    def _write_log(self, clean: bool) -> None:
        states = "".join(self._meaning(task_id)[0] for task_id in self.ids)
        self.log.append(
            f"{self.ticks} {clean} {states} starts={len(self.world.starts)}"
            f" messages={len(self.world.inbox)} appends={self.appends}"
        )


def play(seed: int, ticks: int, monkeypatch: pytest.MonkeyPatch) -> Months:
    """Play a seed for some ticks, then let it become calm, and see that all is told at last."""
    months = Months(seed)

    def adapters() -> Any:
        def same(*_: Any) -> Months:
            return months

        caller = SimpleNamespace(Caller=same)
        service = SimpleNamespace(__name__="sim", connect=same, SmsService=same)
        service.SmnPublisher = service.ObsStore = same
        return daily, SimpleNamespace(), service, caller, service, service

    monkeypatch.setattr(handler_module, "_import_adapters", adapters)
    monkeypatch.setattr(handler_module, "WARM", SimpleNamespace(get=lambda *_: None))
    monkeypatch.setattr(run, "ThreadPoolExecutor", OneAfterTheOther)
    # Lines are read anew on every tick; to decode one twice gives the same value.
    monkeypatch.setattr(daily, "decode", functools.lru_cache(maxsize=20_000)(decode))
    for _ in range(ticks):
        months.tick()
    months.calm = True
    for _ in range(8):
        months.tick()
    return months
