"""What the watchdog promises, checked after each run against the simulated world's own truth."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta
from typing import Any, Deque, Dict, List, Mapping, Set, Tuple

from vigil import GONE, Vigil, Wake

from local.cloud.world import FAILED, MOVING, PAUSED
from sms_watch.journal.folding import replay
from sms_watch.model.task import TaskState

BACKOFF = timedelta(minutes=2)
PROOF = timedelta(minutes=30)
LONGEST_RUN = timedelta(seconds=55)
MOST_STARTS = 20
# Of every secret; the simulated services put them into their errors.
CANARY = "canary"
DONE = (TaskState.MIGRATE_SUCCESS, TaskState.SYNC_SUCCESS)
# The states in which a task must have been read for a new notice of a kind.
MEANINGS: Mapping[str, Any] = {
    "failed": FAILED,
    "needs_person": FAILED,
    "resumed": MOVING,
    "paused": PAUSED,
    "finished": DONE,
    "gone": (GONE,),
    "stalled": MOVING,
    "moving": MOVING,
    "disconnected": (*FAILED, *MOVING),
    "connected": (*FAILED, *MOVING),
    "reminder": (*FAILED, *MOVING, *PAUSED),
}
# Kinds that say nothing about whether a task failed, runs, rests or is there.
BESIDES = {
    "stalled",
    "moving",
    "disconnected",
    "connected",
    "reminder",
    "unreadable",
    "readable",
}
# The kinds that open what others end.
OPENINGS: Mapping[str, Tuple[str, ...]] = {
    "resumed": ("failed", "needs_person", "paused"),
    "moving": ("stalled",),
    "connected": ("disconnected",),
    "readable": ("unreadable",),
    "sees_again": ("blind",),
}
# Kinds that may be told though nothing has happened.
IN_SILENCE = {"reminder", "stalled"}
STALL = timedelta(minutes=60)
STILL = timedelta(minutes=10)  # after hours in which nobody could look
REMIND = timedelta(hours=3)  # brought forward from four to go with others
MOST_REMINDERS = 6
SAMPLED = 8 * 60  # seconds
UNREAD_RUNS = 5  # good ones in a row after which people know of a task that cannot be read
# What a state that was read means, and the latest kind that must have been told of it by then.
MEANING: Mapping[str, str] = {
    **dict.fromkeys(FAILED, "failed"),
    **dict.fromkeys(PAUSED, "paused"),
    **dict.fromkeys(DONE, "finished"),
    GONE: "gone",
}
TOLD = {
    "failed": ("failed", "needs_person"),
    "paused": ("paused",),
    "finished": ("finished",),
    "gone": ("gone",),
}


class Promises:
    """Keeps what was told and started. ``limits``: the most starts in a row, by error code."""

    def __init__(self, vigil: Vigil, limits: Mapping[str, int]) -> None:
        self._vigil, self._limits = vigil, limits
        self._checked = self._read = 0
        self._started = 0
        self._last_start: Dict[str, datetime] = {}
        self._proofs = 0
        self._span, self._samples = 0.0, 0
        self._reminded: Dict[str, List[datetime]] = {}
        self._still: Dict[str, Tuple[Any, datetime]] = {}
        self._unread: Dict[str, int] = {}
        self._last_read: Dict[str, str] = {}
        self._known_unread: Set[str] = set()
        self._told: Dict[str, int] = {}
        self._ids: Set[str] = set()
        self._latest: Dict[str, str] = {}
        self._seen: Dict[str, str] = {}
        self._lasted: Dict[str, int] = {}
        self._under_way: Set[str] = set()
        self._good: Deque[bool] = deque(maxlen=2)
        self._moments: Set[datetime] = set()
        self._happened: Tuple[Any, ...] = ()

    def check(self) -> None:
        """Check all runs since the last check, and what people have heard by now."""
        wakes = self._vigil.wakes[self._checked :]
        self._checked += len(wakes)
        ended = sorted(wakes, key=lambda wake: wake.ended_as)
        for wake in ended:
            self._note_told(wake)
        for wake in ended:
            self._check_run(wake)
        self._check_caps()
        self._note_movement(self._vigil.clock.now())
        self._good.append(bool(ended) and all(wake.good for wake in ended))
        latest = dict(self._vigil.readings[self._read :])
        self._read = len(self._vigil.readings)
        self._check_told(latest)
        self._check_unread(latest)
        self._check_quiet(ended)

    def _note_told(self, wake: Wake) -> None:
        if wake.told_as is not None:
            for notice in wake.notices:
                event_id = notice["event_id"]
                self._told[event_id] = min(wake.told_as, self._told.get(event_id, wake.told_as))

    def _check_run(self, wake: Wake) -> None:
        assert "not foreseen" not in wake.failure, wake.failure
        assert wake.ended - wake.begun - wake.held_up <= LONGEST_RUN, "a run overran its budget"
        assert not any(CANARY in text.lower() for text in wake.output), "a secret got out"
        assert wake.messages <= 1, "two messages in one run"
        assert len(wake.starts) <= MOST_STARTS, "too many starts in one run"
        for start in wake.starts:
            assert start.read_as in FAILED, f"a start of a task that was {start.read_as}"
            last = self._last_start.get(start.task_id)
            # By the moments of the runs, for a timer is what paces them.
            assert last is None or wake.begun - last >= BACKOFF, "two starts too close"
            self._last_start[start.task_id] = wake.begun
        self._check_message(wake)
        self._moments.add(wake.begun)

    def _check_message(self, wake: Wake) -> None:
        ids = {notice["event_id"] for notice in wake.notices}
        assert len(ids) == len(wake.notices), "an event twice in one message"
        told = [each for each in ids if self._told.get(each, math.inf) < wake.published_as]
        assert not told, "told again"
        assert bool(wake.notices) == bool(wake.messages), "a message without a notice"
        for notice in sorted(wake.notices, key=lambda notice: str(notice["at"])):
            self._check_notice(wake, notice, ids)
        self._ids |= ids

    def _check_notice(self, wake: Wake, notice: Dict[str, Any], ids: Set[str]) -> None:
        """A new notice tells what this very run has read, a closing one what was opened."""
        event_id, kind, task_id = notice["event_id"], notice["kind"], notice["task_id"]
        assert kind != "memory_lost"
        opening = event_id.rpartition("-end")[0]
        assert not opening or opening in self._ids | ids, "an end without a beginning"
        named = (opening or event_id).rpartition("-")[2]
        assert named in OPENINGS.get(kind, (kind,)), f"{kind} has the id {event_id}"
        assert bool(opening) is (kind in OPENINGS), "an end that is named as a beginning"
        if not task_id:
            return
        if kind not in BESIDES:
            self._latest[task_id] = kind
            self._reminded.pop(task_id, None)
        if kind == "unreadable":
            self._known_unread.add(task_id)
        if kind == "readable":
            self._known_unread.discard(task_id)
        # A run at the same moment before this one may owe what it could not publish.
        alone = wake.begun not in self._moments
        is_new = event_id not in self._ids and datetime.fromisoformat(notice["at"]) == wake.begun
        if is_new and alone:
            self._check_meaning(wake, kind, task_id)
            if kind == "reminder":
                self._check_reminder(task_id, wake.begun)
            if kind == "stalled":
                last = self._still.get(task_id, (None, wake.begun - STALL))[1]
                assert wake.begun - last >= STILL, "it had moved"

    def _check_meaning(self, wake: Wake, kind: str, task_id: str) -> None:
        """What is told of a task is what it was read as."""
        read_as = wake.saw.get(task_id, ())
        said = f"{kind}, but it was read as {read_as}"
        if kind == "unreadable":
            # That there is none is no proof that it is gone, where a list counts more than it has.
            assert set(wake.reads.get(task_id, ())) <= {GONE}, said
        elif kind == "readable":
            assert read_as, said
        else:
            assert set(read_as) & set(MEANINGS[kind]), said

    def _check_reminder(self, task_id: str, now: datetime) -> None:
        """Reminders of one thing are hours apart, and come to an end."""
        earlier = self._reminded.setdefault(task_id, [])
        assert not earlier or now - earlier[-1] >= REMIND, "two reminders too close"
        earlier.append(now)
        assert len(earlier) <= MOST_REMINDERS, "too many reminders"

    def _note_movement(self, now: datetime) -> None:
        """Keep when each task last got further, as the world knows it."""
        for task_id, task in self._vigil.world.tasks.items():
            before = self._still.get(task_id)
            moves = task.synchronising or task.state not in MOVING
            if moves or before is None or before[0] != task.far:
                self._still[task_id] = task.far, now

    def _check_caps(self) -> None:
        """What no start mends is not started more often than its class allows."""
        starts = self._vigil.world.starts
        for start in starts[self._started :]:
            limit = self._limits.get(start.code)
            said = f"{start.task_id} was started too often on {start.code}"
            assert limit is None or self._in_a_row(start.task_id) <= limit, said
        self._started = len(starts)

    def _in_a_row(self, task_id: str) -> int:
        """Count the latest starts between which the task neither got further nor ran for long."""
        latest = [each for each in self._vigil.world.starts if each.task_id == task_id]
        met = (latest[-1].code, latest[-1].far)
        until, count = latest[-1].at, 0
        for start in reversed(latest):
            if (start.code, start.far) != met or self._ran_long(task_id, start.at, until):
                break
            until, count = start.at, count + 1
        return count

    def _ran_long(self, task_id: str, after: datetime, before: datetime) -> bool:
        """Say whether a task ran for long enough between two moments to count as recovered."""
        begun = before
        for each in self._vigil.world.happenings:
            if each.task_id == task_id and after < each.at <= before:
                if each.at - begun >= PROOF:
                    return True
                state = each.what.partition(" ")[0]
                begun = each.at if state in MOVING else before if state in FAILED else begun
        return False

    def _check_told(self, latest: Mapping[str, str]) -> None:
        """What two good runs in a row have read is told, in its latest form."""
        for task_id in self._vigil.ids:
            read_as = latest.get(task_id, "")
            meaning = MEANING.get(read_as, "")
            if read_as and self._good[-1] and meaning not in ("paused", "finished"):
                self._under_way.add(task_id)
            # Of what was found by listing, only what happens from then on is told.
            due = task_id in self._under_way or not self._vigil.discovers
            # A task is gone only when the list is whole, and a row of nonsense may be its own.
            doubtful = self._vigil.garbled or self._vigil.variants.unseen
            if meaning == "gone" and self._vigil.discovers and doubtful:
                due = False
            lasts = self._good[-1] and self._seen.get(task_id) == meaning and due
            self._lasted[task_id] = self._lasted.get(task_id, 0) + 1 if lasts else 0
            self._seen[task_id] = meaning
            if self._lasted[task_id] and meaning in TOLD:
                told = self._latest.get(task_id, "")
                assert told in TOLD[meaning], f"{task_id} is {meaning}, told was {told!r}"

    def _check_unread(self, latest: Mapping[str, str]) -> None:
        """What some good runs in a row could not read is told."""
        vigil = self._vigil
        self._last_read.update(latest)
        for task_id in vigil.ids:
            if task_id in latest or not self._matters(task_id):
                self._unread[task_id] = 0
            elif self._good[-1]:
                self._unread[task_id] = self._unread.get(task_id, 0) + 1
            closed = task_id in vigil.garbled or task_id in vigil.variants.unreadable
            if closed and self._unread.get(task_id, 0) >= UNREAD_RUNS:
                assert task_id in self._known_unread, f"{task_id} is not read, and nobody knows"

    def _matters(self, task_id: str) -> bool:
        """Return whether it is missed: of what is found by listing, what has ended is not."""
        ended = self._last_read.get(task_id) in (*DONE, GONE)
        return not self._vigil.discovers or (task_id in self._under_way and not ended)

    def _check_quiet(self, wakes: List[Wake]) -> None:
        """Where nothing has changed between good runs, nothing is written or sent."""
        vigil = self._vigil
        found = [(name, states[0]) for wake in wakes for name, states in wake.saw.items()]
        # Runs that cannot read a task are counted, up to the one that is told.
        unread = [(name, min(runs, UNREAD_RUNS)) for name, runs in self._unread.items()]
        variants = (vigil.variants.unseen, *vigil.variants.unreadable, *vigil.garbled)
        happened = (len(vigil.world.happenings), *vigil.ids, *variants, *found, *unread)
        unchanged, self._happened = self._happened == happened, happened
        failing = any(task.state in FAILED for task in self._vigil.world.tasks.values())
        # That a start has borne fruit shows later, which is no happening of the world.
        proved = {notice["kind"] for wake in wakes for notice in wake.notices} == {"resumed"}
        if unchanged and list(self._good) == [True, True] and not (failing or proved):
            for wake in wakes:
                kinds = {notice["kind"] for notice in wake.notices}
                assert kinds <= IN_SILENCE, "not quiet"
                assert kinds or not wake.appends or self._may_write(wake), "not quiet"

    def _may_write(self, wake: Wake) -> bool:
        """Every few minutes it may be written down how far each running task is.

        Half an hour after a start it may be written down, once, that the task still runs.
        """
        span, before = wake.begun.timestamp() // SAMPLED, self._span
        self._span, self._samples = span, self._samples if span == before else 0
        self._samples += 1
        running = {task_id for task_id, states in wake.saw.items() if states[-1] in MOVING}
        started = [self._last_start[task_id] for task_id in running & set(self._last_start)]
        proven = any(wake.begun - last >= PROOF for last in started)
        if self._samples <= len(running):
            return True
        self._proofs += 1
        return proven and self._proofs <= self._started

    def check_journal(self) -> None:
        """Every line that was written can be read."""
        for bucket in self._vigil.storage.buckets.values():
            for held in bucket.objects.values():
                assert held.data.endswith(b"\n")
                assert None not in replay([held.data])
