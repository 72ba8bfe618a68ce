"""Mistakes to plant in the order of a run, and in its journal."""

from __future__ import annotations

from planted_bug import Bug

BUGS = [
    Bug(
        "told before it is recorded as told",
        "run.py",
        "told = tuple(notice.event_id for notice in sent.notices)",
        "told = ()",
        "test_run.py::test_the_acknowledgement_comes_last_and_clears_what_was_owed",
    ),
    Bug(
        "no lease",
        "run.py",
        "lease=lease if _is_work(planned, memory) else None,",
        "lease=None,",
        "test_two_runs.py::test_two_runs_at_once_do_the_work_of_one",
    ),
    Bug(
        "one's own lost append is taken for a conflict",
        "adapters/obs.py",
        "if standing.startswith(data):",
        "if False:",
        "test_obs.py::test_an_append_that_was_sent_twice_on_the_way_is_ones_own",
    ),
    Bug(
        "a key goes from one day of the journal into the next",
        "journal/objects.py",
        "encode(memory, self._redact) + data",
        "encode(memory) + data",
        "test_keys.py::test_a_key_in_an_older_line_of_the_journal_is_not_in_the_next_day",
    ),
    Bug(
        "what was owed is forgotten by the next run",
        "run.py",
        "pending = (*memory.outbox.values(), *planned.notices)",
        "pending = planned.notices",
        "test_run.py::test_a_message_that_could_not_be_published_goes_out_with_the_next_run",
    ),
    Bug(
        "the plan is written after the start",
        "run.py",
        "            tasks=planned.tasks,\n",
        "            tasks={},\n",
        "test_run.py::test_the_plan_is_written_before_anything_is_done",
    ),
    Bug(
        "a late acknowledgement frees another's lease",
        "journal/entries.py",
        "if entry.type is not EntryType.ACK or (lease is not None and entry.run == lease.holder):",
        "if True:",
        "unit/journal/test_entries.py::test_a_late_acknowledgement_leaves_anothers_lease_alone",
    ),
    Bug(
        "the day is turned without a seal",
        "journal/objects.py",
        "            self._put(encode(seal, self._redact), position)\n",
        "            pass\n",
        "test_journal_store.py::test_of_two_runs_that_turn_the_day_one_wins",
    ),
    Bug(
        "a journal that is closed is taken for an empty one",
        "adapters/obs.py",
        "error.code == NO_OBJECT or (error.code == NO_BUCKET and self._place.own)",
        "error.status in (403, 404)",
        "test_obs.py::test_a_bucket_that_cannot_be_read_is_explained",
    ),
    Bug(
        "a run that was slow to plan has a lease that is over too soon",
        "run.py",
        "until = self._now + timedelta(seconds=self._ports.timetable.lease)",
        "until = self._now + timedelta(seconds=self._ports.deadline.left() + 30)",
        "test_run.py::test_a_run_that_was_slow_to_plan_holds_its_lease_for_as_long_as_any_other",
    ),
    Bug(
        "what was read a while ago is started without a second look",
        "run.py",
        "if not ports.is_past(self._read_at + times.fresh):",
        "if True:",
        "test_hanging.py::test_what_a_person_pauses_while_others_are_read_stays_paused",
    ),
]
