"""What one run sees of the tasks: read by their ids, or found by listing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from sms_watch.errors import LISTING, SMS_ADDRESS, TOO_MANY_ROWS, CloudError
from sms_watch.looks import read_task, unseen
from sms_watch.model.policy import Scope
from sms_watch.model.task import (
    PART_OF_LIST,
    Gone,
    Listing,
    Observation,
    Phase,
    Task,
    Unread,
)
from sms_watch.parallel import map_concurrently
from sms_watch.ports import Ports
from sms_watch.rules.draft import Situation
from sms_watch.rules.plan import candidates
from sms_watch.rules.record import Memory, WatchRecord
from sms_watch.rules.watching import SHORT_AFTER_RUNS
from sms_watch.text import MAX_DETAIL, clean

# Reads that go before all others, to see whether the keys are good: more than five refusals in a
# row lock them. One, unless the last run could read with them.
ONE, FEW = 1, 4
# With more ids than this a list is no slower than reads, as many at a time: it takes two turns, and
# they take a second one. A row of both lists takes a sixteenth of what a read takes to compute.
MANY, ROWS_OF_A_READ = 8, 16
# A list that is of no use is tried again after this, in the runs of some minutes: a timer may wake
# the function every five, and none of its runs comes to the second.
TRY_AGAIN, TRYING = timedelta(hours=1), timedelta(minutes=6)
ONE_BY_ONE = (
    "these keys may not list tasks, so all {count} are read one by one; with the right to list"
    f" them, {LISTING}, a few calls would do"
)
EMPTY_LIST = (
    "SMS lists no migration tasks; if there should be some, check that SMS_REGION names their site,"
    " that the keys belong to their account, and that SMS_MIGRATION_PROJECT is their project"
)
UNKNOWN_ID_HINT = (
    "correct SMS_TASK_IDS, which takes the IDs of tasks, not names or the IDs of servers; if the"
    f" tasks exist, check {SMS_ADDRESS}"
)
SHORT_LIST = (
    "SMS counts {missing} more tasks than it lists, run after run: they probably belong to"
    " enterprise projects or users whose tasks these keys may not see, and are not watched; while"
    " this lasts, a deleted task is reported as one that cannot be read rather than as gone"
)
LIST_THEM = (
    "SMS limits how many calls the account makes, so not every task is read in every run;"
    " SMS_TASK_IDS=* (with SMS_TASK_NAMES to select tasks) finds all of them with a few calls"
)
CALL_LESS = (
    "SMS limits how many calls the account makes, so not every failed task can be read and"
    " restarted in every run; those that have waited longest come first; let other programs that"
    " use the account call less often"
)
RENAMED = "which does not match SMS_TASK_NAMES"
REST_OF_LIST = "tasks in it that are new are not watched until it can be read"
NOBODY = "no task has a name that matches SMS_TASK_NAMES"


@dataclass(frozen=True)
class Observed:
    """What was seen of the tasks, and ``warnings`` about it for people.

    ``short_list``: the list of tasks has fewer rows than it counts. ``unlisted``: since when a list
    is of no use, and tasks are read by their ids.
    """

    observations: Tuple[Observation, ...]
    warnings: Tuple[str, ...] = ()
    short_list: bool = False
    unlisted: Optional[datetime] = None

    @property
    def failure(self) -> str:
        """Why no task at all could be read, and what to do; empty if one could."""
        unseen = [
            each for each in self.observations if isinstance(each, Unread) and each.row is None
        ]
        if not unseen or len(unseen) < len(self.observations):
            return ""
        told = next((each for each in unseen if each.attempted), unseen[0])
        return "; ".join(filter(None, (f"no task could be read: {told.detail}", told.remedy)))


@dataclass(frozen=True)
class Observer:
    """Looks at the tasks of one run.

    ``memory`` is what earlier runs have seen. A dry run leaves no trace: the one after it would
    not know that the keys were refused.
    """

    ports: Ports
    scope: Scope
    situation: Situation
    memory: Memory
    dry_run: bool = False

    def observe(self) -> Observed:
        """Look at all tasks of the scope."""
        if self.scope.discovers:
            return self._discover()
        if len(self.scope.task_ids) <= MANY:
            return self._read_named()
        since = self.memory.watch.unlisted
        if since is not None and not _is_worth_a_try(self.situation.now - since):
            return replace(self._read_named(), unlisted=since)
        return self._look_up()

    def _none_of(self, task_ids: Sequence[str], error: CloudError) -> Tuple[Observation, ...]:
        """Return what stands for tasks that nothing is seen of, for there is no list of them."""
        return tuple(unseen(self.ports, each, error, LISTING) for each in task_ids)

    # By their ids

    def _look_up(self) -> Observed:
        """Find many tasks with one list, and read individually those that it is not enough for.

        These are the ones that it lacks, and the failed ones, of which those go first that a start
        is due for. Where there is no list, all are read individually.
        """
        try:
            listing = self.ports.migration.list_tasks("", ROWS_OF_A_READ * len(self.scope.task_ids))
        except CloudError as error:
            return self._without_list(error)
        listing = _without_keys(listing, self.ports.redact)
        wanted = frozenset(self.scope.task_ids)
        listed = {task.id: task for task in listing.tasks if task.id in wanted}
        failed = [task_id for task_id, task in listed.items() if task.phase is Phase.FAILED]
        missing = [task_id for task_id in self.scope.task_ids if task_id not in listed]
        first = dict.fromkeys((*self._due(listed), *missing))
        others = [each for each in failed if each not in first]
        read = self._read_all([*self._in_turn([*first]), *self._in_turn(others)])
        observed = self._named({**listed, **_completed(read, listed)})
        # What the list lacks was read all the same; what its rows lack was not.
        doubts = (listing.without_sources,) if listing.without_sources else ()
        return replace(observed, warnings=(*doubts, *observed.warnings))

    def _without_list(self, error: CloudError) -> Observed:
        """Read all tasks individually; say once what the right to list them would gain."""
        since = self.memory.watch.unlisted
        if error.refuses_keys:
            return Observed(self._none_of(self.scope.task_ids, error), unlisted=since)
        observed = self._read_named()
        if error.status == HTTPStatus.FORBIDDEN and since is None:
            hint = ONE_BY_ONE.format(count=len(self.scope.task_ids))
            observed = replace(observed, warnings=(*observed.warnings, hint))
        if error.status == HTTPStatus.FORBIDDEN or error.code == TOO_MANY_ROWS:
            since = since or self.situation.now
        return replace(observed, unlisted=since)

    def _read_named(self) -> Observed:
        task_ids = self._in_turn(self.scope.task_ids)
        first = FEW if _saw(self.memory) and not self.dry_run else ONE
        seen = self._read_all(task_ids[:first])
        return self._named({**seen, **self._read_all(task_ids[first:])})

    def _named(self, seen: Mapping[str, Observation]) -> Observed:
        """Return what was seen of the tasks that are named, in the order of the settings."""
        observations = tuple(seen[task_id] for task_id in self.scope.task_ids)
        return Observed(observations, (*self._strange(seen), *self._throttled(observations)))

    def _in_turn(self, task_ids: Sequence[str]) -> List[str]:
        """Put first those that had no answer, longest without one first, and then as given.

        Once a task is told as one that cannot be read, it holds up nobody else: a few of these are
        asked for early, so that they have their turn where only so many reads are allowed, and the
        others last, for a read that hangs keeps many waiting. One that no call was left for waits
        like any other, so that where few are allowed each has its turn.
        """
        unread = self.memory.watch.unread
        waits = {task_id: unread[task_id].waits_since for task_id in task_ids if task_id in unread}
        since = {task_id: moment for task_id, moment in waits.items() if moment}
        late = sorted(since, key=since.__getitem__)
        told = [task_id for task_id in waits if task_id not in since]
        order = [*late, *(task_id for task_id in task_ids if task_id not in unread)]
        early = max(len(late), FEW)
        return [*order[:early], *told[:FEW], *order[early:], *told[FEW:]]

    def _read_all(self, task_ids: Sequence[str]) -> Dict[str, Observation]:
        return dict(zip(task_ids, map_concurrently(partial(read_task, self.ports), task_ids)))

    def _strange(self, seen: Mapping[str, Observation]) -> Tuple[str, ...]:
        """Warn of ids of which no task was ever seen."""
        strange = [task_id for task_id in seen if _never_existed(seen[task_id], self.memory)]
        if not strange:
            return ()
        shown = clean(", ".join(strange), MAX_DETAIL)
        return (f"SMS has no such task, and none was ever seen: {shown}; {UNKNOWN_ID_HINT}",)

    def _throttled(self, observations: Sequence[Observation]) -> Tuple[str, ...]:
        """Return what helps where the account is throttled in several runs in a row."""
        throttled = any(isinstance(seen, Unread) and seen.throttled for seen in observations)
        # With many ids a list was asked for already.
        listed = self.scope.discovers or len(self.scope.task_ids) > MANY
        hint = CALL_LESS if listed else LIST_THEM
        return (hint,) if throttled and self.memory.watch.unread else ()

    # By listing

    def _discover(self) -> Observed:
        """Find the tasks by listing, and read individually those that a decision needs.

        These are the failed ones that a start is due for, and those that were known and are not
        in the list: a list may be old, or have missed a row.
        """
        known = _unfinished(self.memory)
        try:
            listing = self.ports.migration.list_tasks(self.scope.project)
        except CloudError as error:
            return Observed(self._none_of(known or (PART_OF_LIST,), error))
        listing = _without_keys(listing, self.ports.redact)
        listed = {task.id: task for task in listing.tasks if self._covers(task, listing)}
        read = self._read_beside(listing, listed, known)
        left = self._renamed(listing, known)
        observations = (*{**listed, **read}.values(), *left, *_unlisted(listing, listed))
        warnings = (*self._doubts(listing, listed), *self._throttled(observations))
        return Observed(observations, warnings, bool(listing.missing))

    def _covers(self, task: Task, listing: Listing) -> bool:
        """Return whether a task is watched; where the list does not say, as it was before."""
        known = task.id not in listing.unsure or task.id in self.memory.tasks
        return known and self.scope.covers(task.name)

    def _read_beside(
        self, listing: Listing, listed: Mapping[str, Task], known: Sequence[str]
    ) -> Dict[str, Observation]:
        """Read the tasks for which the list is not enough, or whose rows made no sense."""
        missing = [task_id for task_id in known if task_id not in listing.ids - listing.strange]
        read = self._read_all(self._in_turn([*self._due(listed), *missing]))
        for task_id, seen in read.items():
            if task_id not in listed and isinstance(seen, Gone) and not listing.complete:
                read[task_id] = Unread(task_id, f"SMS has no such task, but {listing.detail}")
        return _completed(read, listed)

    def _due(self, listed: Mapping[str, Task]) -> List[str]:
        """Return the ids of tasks that a start is due for.

        Those that could not be read take no place of others among the starts of a run, and those
        that people know of none of those that wait for their turn.
        """
        unread = self.memory.watch.unread
        waits = {task_id: unread[task_id].waits_since is not None for task_id in unread}
        groups = (
            [task for task_id, task in listed.items() if waits.get(task_id) is each]
            for each in (None, True, False)
        )
        return [
            task_id
            for group in groups
            for task_id in candidates(tuple(group), self.memory, self.situation)
        ]

    def _renamed(self, listing: Listing, known: Sequence[str]) -> Iterator[Observation]:
        """Yield what is known of tasks that have left the scope by another name.

        One that had no name to be watched for before is out of it because the settings are others.
        """
        names = {task.id: task.name for task in listing.tasks}
        for task_id in known:
            name, before = names.get(task_id), self.memory.tasks[task_id].name
            if name is not None and not self.scope.covers(name) and self.scope.covers(before):
                yield Gone(task_id, f"it is now named {clean(name)!r}, {RENAMED}")

    def _doubts(self, listing: Listing, listed: Mapping[str, Task]) -> Tuple[str, ...]:
        """Warn of a list that is not whole, or in which there is nothing to watch."""
        lasting = listing.missing and self.memory.watch.short_lists >= SHORT_AFTER_RUNS
        doubt = SHORT_LIST.format(missing=listing.missing) if lasting else listing.detail
        nothing = NOBODY if listing.tasks else EMPTY_LIST
        return tuple(
            filter(
                None, (doubt, listing.without_sources, "" if listed or listing.unsure else nothing)
            )
        )


def _is_worth_a_try(without: timedelta) -> bool:
    """Return whether a list that has been of no use for so long is tried again."""
    return without >= TRY_AGAIN and without % TRY_AGAIN < TRYING


def _without_keys(listing: Listing, redact: Callable[[str], str]) -> Listing:
    """Hide keys in a list; a row whose very id holds one is of no task."""
    tasks = (task.with_texts(redact) for task in listing.tasks if redact(task.id) == task.id)
    return replace(
        listing,
        tasks=tuple(tasks),
        detail=redact(listing.detail),
        without_sources=redact(listing.without_sources),
    )


def _completed(
    read: Mapping[str, Observation], listed: Mapping[str, Task]
) -> Dict[str, Observation]:
    """Add to what was read what the rows of a list know besides."""
    return {
        task_id: _joined(seen, listed[task_id]) if task_id in listed else seen
        for task_id, seen in read.items()
    }


def _joined(seen: Observation, listed: Task) -> Observation:
    """Add to a task what only the lists know of it: bytes, and the connection if need be.

    One that could not be read is what its row says: enough to tell, and too little to start it.
    """
    if isinstance(seen, Unread):
        return replace(seen, row=listed)
    if isinstance(seen, Gone):
        return seen
    progress = replace(seen.progress, copied=listed.progress.copied)
    connected = listed.connected if seen.connected is None else seen.connected
    transfer = replace(seen.transfer, size=listed.transfer.size)
    return replace(seen, progress=progress, connected=connected, transfer=transfer)


def _unlisted(listing: Listing, listed: Mapping[str, Task]) -> Iterator[Observation]:
    """Yield what stands for the tasks that a list does not show, or not as those asked for."""
    if listing.broken or listing.unsure - listed.keys():
        detail = listing.detail if listing.broken else listing.without_sources
        yield Unread(PART_OF_LIST, detail, remedy=REST_OF_LIST)


# What is remembered


def _saw(memory: Memory) -> bool:
    """Return whether the last run could read a task."""
    return bool(memory.tasks) and not memory.watch.blind_runs


def _never_existed(seen: Observation, memory: Memory) -> bool:
    """Return whether there is no such task, and as far as is remembered never was."""
    if not isinstance(seen, Gone):
        return False
    known = memory.tasks.get(seen.task_id)
    return known is None or not known.name


def _unfinished(memory: Memory) -> List[str]:
    """Return the ids of tasks that are not finished, nor told to be gone."""
    watch = memory.watch
    return [
        task_id
        for task_id, record in memory.tasks.items()
        if record.phase is not Phase.FINISHED and not _is_told_gone(task_id, watch)
    ]


def _is_told_gone(task_id: str, watch: WatchRecord) -> bool:
    """Return whether people know that a task is gone; what was held back they know later."""
    held = task_id in watch.airtime and watch.airtime[task_id].held
    return task_id in watch.absent and bool(watch.absent[task_id].event_id) and not held
