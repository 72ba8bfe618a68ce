"""What the watchdog promises, checked after each run against the simulated world's own truth."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Deque, Dict, FrozenSet, List, Mapping, Set, Tuple

from simulated_cloud.task import FAILED, MOVING
from sms_watch.model.task import PART_OF_LIST
from sms_watch.publishing import MOST_MESSAGES
from tests.support.canaries import leaked, secrets_of
from tests.support.drawn_settings import Figures
from tests.support.promised_kinds import (
    BESIDES,
    IN_SILENCE,
    MEANING,
    MEANINGS,
    OPENINGS,
    TOLD,
)
from tests.support.promised_starts import PROOF, SECOND, PromisedStarts
from tests.support.promised_stays import PromisedStays
from tests.support.promised_texts import check_texts
from tests.support.simulated_run import SimulatedRuns
from tests.support.wakes import GONE, RunRecord

MOST_REMINDERS = 6
SAMPLED = 8 * 60  # seconds
UNREAD_RUNS = 4  # good ones in a row after which people know of a task that cannot be read
MOST_PASSED = 2  # runs in a row that have no read left for a task
GONE_RUNS = 2
# So many runs in an hour may tell something of one task; what is more is summed up in two hours.
MOST_TOLD, HOUR = 6, timedelta(hours=1)
LONG_PROVED = 3 * HOUR  # in which a task that runs has proved it, also if it was flapping


DEFAULTS = Figures()
UNREAD_KINDS = {"unreadable", "gone"}
CALLS = {"stalled", "hanging"}  # of a task that has not failed
CALLED = {*CALLS, "failed", "needs_person", "paused"}  # what reminders repeat


class Invariants:
    """Keeps what was told and started, and holds it against what the settings promise."""

    def __init__(self, simulated: SimulatedRuns, figures: Figures = DEFAULTS) -> None:
        self._runs, self._figures = simulated, figures
        self._starts = PromisedStarts(simulated, figures)
        self._stays = PromisedStays(simulated, figures)
        # The simulated services put them into their errors, and into what they say of tasks.
        self._secrets = secrets_of(simulated.keys)
        self._checked = self._read = self._heard = 0
        self._proofs = 0
        self._span, self._samples = 0.0, 0
        self._reminded: Dict[str, List[datetime]] = {}
        self._still: Dict[str, Tuple[Any, datetime]] = {}
        self._unread: Dict[str, int] = {}
        self._passed: Dict[str, int] = {}
        self._gone: Dict[str, int] = {}
        self._spoken: Dict[str, List[datetime]] = {}
        self._loud: Dict[str, datetime] = {}
        self._ever_loud: Set[str] = set()
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
        self._ever_muted = self._always_muted = figures.muted
        self._reminded_of: Set[str] = set()
        self._running: Dict[str, datetime] = {}
        self._read_last: Dict[str, str] = {}
        self._good_at = simulated.clock.now()
        self._replaced: Set[str] = set()

    def mute(self, muted: FrozenSet[str]) -> None:
        """Take in that nobody wants to hear these kinds from now on, and all others."""
        self._figures = replace(self._figures, muted=muted)
        self._ever_muted |= muted
        self._stays.note_wish(muted)
        self._always_muted &= muted

    def check(self) -> None:
        """Check all runs since the last check, and what people have heard by now."""
        wakes = self._runs.wakes[self._checked :]
        self._checked += len(wakes)
        ended = sorted(wakes, key=lambda wake: wake.ended_as)
        for wake in ended:
            self._note_told(wake)
            self._stays.note_read(wake)
        for wake in ended:
            self._check_run(wake)
        # People hear of a run within another when each of them publishes.
        for wake in sorted(wakes, key=lambda wake: wake.published_as):
            self._check_message(wake)
            self._moments.add(wake.begun.replace(microsecond=0))
        self._starts.check_caps()
        self._note_movement(self._runs.clock.now())
        self._good.append(bool(ended) and all(wake.good for wake in ended))
        latest = dict(self._runs.readings[self._read :])
        self._read = len(self._runs.readings)
        self._note_gone(ended)
        self._check_told(latest)
        self._check_ended(latest)
        self._check_unread(ended)
        self._check_asked(ended)
        self._stays.check(ended, latest, self._latest, self._good[-1], self._ever_loud)
        self._starts.check_brought_back(latest, self._good[-1])
        self._check_quiet(ended)
        self._note_calm(ended)

    def _note_told(self, wake: RunRecord) -> None:
        if wake.told_as is not None:
            for notice in wake.notices[: wake.answered]:
                event_id = notice["event_id"]
                self._told[event_id] = min(wake.told_as, self._told.get(event_id, wake.told_as))

    def _check_run(self, wake: RunRecord) -> None:
        assert "unexpected error" not in wake.failure, wake.failure
        assert wake.ended - wake.begun - wake.held_up <= self._figures.longest_run, (
            "a run overran its budget"
        )
        assert not leaked(*wake.output, keys=self._secrets), "a secret got out"
        # One that is refused for its words is told in several.
        assert wake.messages <= 1 or wake.refused, "two messages in one run"
        assert wake.messages + wake.refused <= MOST_MESSAGES, "too many messages in one run"
        self._starts.check_run(wake)

    def _check_message(self, wake: RunRecord) -> None:
        ids = {notice["event_id"] for notice in wake.notices}
        assert len(ids) == len(wake.notices), "an event twice in one message"
        told = [each for each in ids if self._told.get(each, math.inf) < wake.published_as]
        assert not told, "told again"
        assert bool(wake.notices) == bool(wake.messages), "a message without a notice"
        for message in self._runs.world.inbox[self._heard :]:
            check_texts(message)
        self._heard = len(self._runs.world.inbox)
        for notice in sorted(wake.notices, key=lambda notice: str(notice["at"])):
            self._check_notice(wake, notice, ids)
        self._ids |= ids

    def _check_notice(self, wake: RunRecord, notice: Dict[str, Any], ids: Set[str]) -> None:
        """A new notice tells what this very run has read, a closing one what was opened."""
        event_id, kind, task_id = notice["event_id"], notice["kind"], notice["task_id"]
        assert kind != "memory_lost"
        self._check_wanted(wake, notice)
        opening = event_id.rpartition("-end")[0]
        named = (opening or event_id).rpartition("-")[2]
        # A summary stands for what was held back, a reminder for what nobody wanted to hear then.
        stands_for_it = task_id in self._reminded_of and named in self._ever_muted
        told_before = opening in self._ids | ids or task_id in self._ever_loud or stands_for_it
        assert not opening or told_before, "an end without a beginning"
        assert named in OPENINGS.get(kind, (kind,)), f"{kind} has the id {event_id}"
        assert bool(opening) is (kind in OPENINGS), "an end that is named as a beginning"
        if not task_id:
            return
        self._note_heard(notice)
        # A run in the same second before this one may owe what it could not publish.
        alone = wake.begun.replace(microsecond=0) not in self._moments
        later = abs(datetime.fromisoformat(notice["at"]) - wake.moment)
        is_new = event_id not in self._ids and later <= (SECOND if wake.off else timedelta(0))
        if is_new and alone:
            if kind != "digest" and named not in ("hanging", "unknown_state"):
                self._check_meaning(wake, kind, task_id)
            if kind == "reminder":
                self._check_reminder(task_id, wake.moment)
            if kind == "stalled":
                assert self._figures.stall, "a stall, where none is to be told"
                still = self._figures.still
                last = self._still.get(task_id, (None, wake.moment - still))[1]
                assert wake.moment - last >= still - SECOND, "it had moved"
            self._stays.check_new(wake, notice)

    def _check_wanted(self, wake: RunRecord, notice: Dict[str, Any]) -> None:
        """What is told is of a kind that people want, or wanted when it came to be owed."""
        kind, is_new = notice["kind"], datetime.fromisoformat(notice["at"]) == wake.moment
        muted = self._figures.muted if is_new else self._always_muted
        assert kind not in muted, f"nobody wants to hear {kind}"

    def _note_heard(self, notice: Dict[str, Any]) -> None:
        """Keep what people know of a task by now."""
        kind, task_id = notice["kind"], notice["task_id"]
        self._note_spoken(notice)
        if kind == "reminder":
            self._reminded_of.add(task_id)
        if kind == "digest" or (kind == "moving" and "-unknown_state-" in notice["event_id"]):
            # It stands for what was held back, and says how the task stands by now.
            self._latest[task_id] = MEANING.get(notice["state"], "") if notice["state"] else "gone"
        elif kind not in BESIDES:
            self._latest[task_id] = kind
            self._replaced.discard(task_id)
        if kind in CALLS or kind not in BESIDES:
            self._reminded.pop(task_id, None)
        self._stays.note_heard(notice, self._ever_loud)
        if kind == "unreadable":
            self._known_unread.add(task_id)
        if kind == "readable":
            self._known_unread.discard(task_id)

    def _note_spoken(self, notice: Dict[str, Any]) -> None:
        """Keep when a task was spoken of: of one that is loud not all is told by itself."""
        task_id, at = notice["task_id"], datetime.fromisoformat(notice["at"])
        lately = {each for each in self._spoken.get(task_id, ()) if at - each < HOUR} | {at}
        self._spoken[task_id] = sorted(lately)
        if notice["kind"] == "digest" or len(lately) >= MOST_TOLD:
            self._loud[task_id] = at
            self._ever_loud.add(task_id)

    def _note_calm(self, ended: List[RunRecord]) -> None:
        """Forget that a task was loud once a good run had nothing to sum up of it."""
        begun = max((wake.begun for wake in ended if wake.good), default=None)
        for task_id, at in list(self._loud.items()):
            if begun is not None and begun - at >= 2 * HOUR:
                del self._loud[task_id]

    def _check_meaning(self, wake: RunRecord, kind: str, task_id: str) -> None:
        """What is told of a task is what it was read as."""
        read_as = wake.saw.get(task_id, ())
        said = f"{kind}, but it was read as {read_as}"
        if kind == "unreadable":
            # That there is none is no proof that it is gone, where a list counts more than it has,
            # and an answer can be lost on its way. Too many calls say nothing of a task.
            reads = set(wake.reads.get(task_id, ()))
            denied = task_id in wake.denied or reads == {GONE} or task_id == PART_OF_LIST
            assert wake.touched or (denied and reads <= {GONE}), said
        elif kind == "readable":
            assert read_as or task_id == PART_OF_LIST, said
        else:
            assert set(read_as) & set(MEANINGS[kind]), said

    def _check_reminder(self, task_id: str, now: datetime) -> None:
        """Reminders of one thing are hours apart, and come to an end."""
        earlier = self._reminded.setdefault(task_id, [])
        apart = self._figures.reminders_apart
        assert apart, "a reminder, where none is to be told"
        assert not earlier or now - earlier[-1] >= apart - SECOND, "two reminders too close"
        earlier.append(now)
        # That these are of another call shows by its notice alone, if that was wanted.
        unheard = CALLED & self._ever_muted
        assert unheard or len(earlier) <= MOST_REMINDERS, "too many reminders"

    def _note_movement(self, now: datetime) -> None:
        """Keep when each task last got further, as the world knows it."""
        for task_id, task in self._runs.world.tasks.items():
            before = self._still.get(task_id)
            moves = task.synchronising or task.state not in MOVING
            if moves or before is None or before[0] != task.far:
                self._still[task_id] = task.far, now

    def _note_gone(self, ended: List[RunRecord]) -> None:
        """Count the good runs in a row that found a task gone, with nothing to doubt that."""
        for wake in ended:
            tasks = wake.report["tasks"] if wake.report else ()
            gone = {task["id"] for task in tasks if task["reason"] == GONE}
            for task_id in wake.saw:
                count = self._gone.get(task_id, 0) + wake.good if task_id in gone else 0
                self._gone[task_id] = min(count, GONE_RUNS)

    def _check_told(self, latest: Mapping[str, str]) -> None:
        """What two good runs in a row have read is told, in its latest form."""
        for task_id in self._runs.ids:
            read_as = latest.get(task_id, "")
            meaning = MEANING.get(read_as, "")
            if read_as and self._good[-1] and meaning not in ("paused", "finished"):
                self._under_way.add(task_id)
            # Of what was found by listing, only what happens from then on is told.
            due = task_id in self._under_way or not self._runs.discovers
            answers = self._gone.get(task_id, 0)
            if meaning == "gone" and (self._doubtful or answers < GONE_RUNS):
                due = False
            lasts = self._good[-1] and self._seen.get(task_id) == meaning and due
            self._lasted[task_id] = self._lasted.get(task_id, 0) + 1 if lasts else 0
            self._seen[task_id] = meaning if due else ""
            if self._lasted[task_id] and self._is_heard(meaning, task_id):
                told = self._latest.get(task_id, "")
                assert told in TOLD[meaning], f"{task_id} is {meaning}, told was {told!r}"

    def _note_replaced(self, task_id: str, state: str) -> None:
        """Keep whose failure, as people know it, gave way to news that nobody wanted to hear."""
        before, self._read_last[task_id] = self._read_last.get(task_id), state
        if state != before and MEANING.get(state) in self._figures.muted:
            self._replaced.add(task_id)

    def _check_ended(self, latest: Mapping[str, str]) -> None:
        """What was told of a task that has been running for hours since is told to be over."""
        now, ended = self._runs.clock.now(), OPENINGS["resumed"][:2]
        loud = self._ever_loud if "digest" in self._ever_muted else self._loud
        if self._good[-1]:
            # What lay in between nobody saw.
            if now - self._good_at > PROOF:
                self._running.clear()
            self._good_at = now
        for task_id, state in latest.items():
            self._note_replaced(task_id, state)
            since = self._running.setdefault(task_id, now)
            if state not in MOVING:
                del self._running[task_id]
            elif now - since >= LONG_PROVED and self._good[-1] and task_id not in loud:
                told = self._latest.get(task_id)
                unheard = task_id in self._replaced or "resumed" in self._ever_muted
                over = told not in ended or unheard
                assert over, f"{task_id} has been running since {since}, told was {told!r}"

    def _is_heard(self, meaning: str, task_id: str) -> bool:
        """Return whether people want to hear of a meaning, and of so much about one task."""
        muted = self._ever_muted
        # What is said too often is summed up in a digest, if they want to hear that.
        loud = self._ever_loud if "digest" in muted else self._loud
        return meaning in TOLD and not muted & set(TOLD[meaning]) and task_id not in loud

    @property
    def _doubtful(self) -> bool:
        """Whether a task that is not there may be there: a list may lack its row, or garble it."""
        simulated = self._runs
        return simulated.discovers and bool(simulated.garbled or simulated.variants.unseen)

    def _check_unread(self, ended: List[RunRecord]) -> None:
        """What some good runs in a row asked after in vain is told."""
        for wake in ended:
            gone = {name for name, states in wake.saw.items() if set(states) == {GONE}}
            read = set(wake.saw) - (gone if self._doubtful else set())
            self._unread.update(dict.fromkeys(read, 0))
            for task_id in (wake.denied | gone) - read if wake.good else ():
                self._unread[task_id] = self._unread.get(task_id, 0) + 1
                known = task_id in self._known_unread or self._latest.get(task_id) == "gone"
                known = known or bool(self._ever_muted & UNREAD_KINDS)
                known = known or task_id in self._loud
                said = f"{task_id} is not read, and nobody knows"
                assert known or self._unread[task_id] < UNREAD_RUNS, said

    def _check_asked(self, ended: List[RunRecord]) -> None:
        """No id is passed over for long, however few reads there are in a minute.

        One whose read fails is tried again, and goes first for as long as nobody knows.
        """
        failing = {*self._runs.hanging, *self._runs.variants.unreadable}
        asked = {task_id for wake in ended for task_id in (*wake.saw, *wake.denied)}
        for task_id in () if self._runs.discovers else self._runs.ids:
            passed = 0 if task_id in asked else self._passed.get(task_id, 0) + self._good[-1]
            self._passed[task_id] = passed
            assert passed <= MOST_PASSED + len(failing), (
                f"{task_id} was not asked after {passed} times"
            )

    def _check_quiet(self, wakes: List[RunRecord]) -> None:
        """Where nothing has changed between good runs, nothing is written or sent."""
        simulated = self._runs
        found = [(name, states[0]) for wake in wakes for name, states in wake.saw.items()]
        # Runs that cannot read a task are counted, up to the one that is told.
        unread = [(name, min(runs, UNREAD_RUNS)) for name, runs in self._unread.items()]
        variants = (simulated.variants.unseen, *simulated.variants.unreadable, *simulated.garbled)
        variants = (*variants, *simulated.hanging, *simulated.strange.items(), simulated.odd_lines)
        counts = (*unread, *self._gone.items())
        happened = (len(simulated.world.happenings), *simulated.ids, *variants, *found, *counts)
        unchanged, self._happened = self._happened == happened, happened
        failing = any(task.state in FAILED for task in self._runs.world.tasks.values())
        # That a start has borne fruit shows later, which is no happening of the world.
        said = {notice["kind"] for wake in wakes for notice in wake.notices}
        proved = "resumed" in said and said <= IN_SILENCE | {"resumed"}
        if unchanged and list(self._good) == [True, True] and not (failing or proved):
            for wake in wakes:
                kinds = {notice["kind"] for notice in wake.notices}
                assert kinds <= IN_SILENCE, "not quiet"
                # A fact that nobody wants to hear is written down all the same.
                may_write = bool(self._ever_muted) or self._may_write(wake)
                assert kinds or not wake.appends or may_write, "not quiet"

    def _may_write(self, wake: RunRecord) -> bool:
        """Every few minutes it may be written down how far each running task is.

        Half an hour after a start it may be written down, once, that the task still runs.
        """
        span, before = wake.begun.timestamp() // SAMPLED, self._span
        self._span, self._samples = span, self._samples if span == before else 0
        self._samples += bool(wake.appends)
        running = {task_id for task_id, states in wake.saw.items() if states[-1] in MOVING}
        last = self._starts.last
        started = [last[task_id] for task_id in running & set(last)]
        proven = any(wake.moment - moment >= PROOF for moment in started)
        if self._samples <= len(running):
            return True
        self._proofs += 1
        return proven and self._proofs <= self._starts.number
