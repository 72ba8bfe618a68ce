"""Tests of the tests: known mistakes, planted one at a time, must be caught.

Each row names what is wrong, where, and the test that catches it. The package is copied, the
mistake planted in the copy, and that one test run against it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from build_zip import BUILDERS

ROOT = Path(__file__).parents[1]
QUIET = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=planted")


class Bug(NamedTuple):
    """A mistake: in ``file``, ``right`` becomes ``wrong``; ``caught_by`` names a test."""

    name: str
    file: str
    right: str
    wrong: str
    caught_by: str


BUGS = [
    Bug(
        "told before it is recorded as told",
        "run.py",
        "told = tuple(notice.event_id for notice in sent.notices)",
        "told = ()",
        "test_run.py::test_the_acknowledgement_comes_last_and_clears_what_was_owed",
    ),
    Bug(
        "a start is sent again after a lost answer",
        "adapters/answers.py",
        "retryable = throttled or (not write and answer.status in PASSING)",
        "retryable = throttled or answer.status in PASSING",
        "test_adapter_calls.py::test_every_status_has_its_meaning",
    ),
    Bug(
        "no lease",
        "run.py",
        "lease=lease if _is_work(planned, history.memory) else None,",
        "lease=None,",
        "test_two_runs.py::test_two_runs_at_once_do_the_work_of_one",
    ),
    Bug(
        "the cap is checked one start too late",
        "rules/decide.py",
        "if limit is not None and starts.attempts >= limit:",
        "if limit is not None and starts.attempts > limit:",
        "test_decide_grid.py::test_a_start_is_decided_exactly_when_the_rules_allow_it",
    ),
    Bug(
        "one's own lost append is taken for a conflict",
        "adapters/obs.py",
        'if (self.get(name, offset) or b"").startswith(data):',
        "if False:",
        "test_obs.py::test_an_append_that_was_sent_twice_on_the_way_is_ones_own",
    ),
    Bug(
        "no time left is read as no limit",
        "ports.py",
        "return self.elapsed() >= limit",
        "return False",
        "test_run.py::test_no_new_work_begins_when_time_runs_out",
    ),
    Bug(
        "attempts begin anew on every run",
        "rules/decide.py",
        "starts=known.starts.advanced(task.progress) if advanced else known.starts,",
        "starts=known.starts.renewed(),",
        "unit/rules/test_decide.py::test_attempts_are_limited",
    ),
    Bug(
        "a pause is taken for a failure",
        "model/task.py",
        "TaskState.ABORT.value: Phase.PAUSED,",
        "TaskState.ABORT.value: Phase.FAILED,",
        "test_handler.py::test_what_a_person_pauses_stays_paused",
    ),
    Bug(
        "an unknown code is started for ever",
        "rules/starts.py",
        "RESTARTED_TWICE = frozenset({ErrorClass.AMBIGUOUS, ErrorClass.UNKNOWN})",
        "RESTARTED_TWICE = frozenset({ErrorClass.AMBIGUOUS})",
        "unit/rules/test_decide.py::test_the_class_of_the_error_decides",
    ),
    Bug(
        "a second failure of the same task stays silent",
        "rules/decide.py",
        "(changed and not unproved) or advanced or _is_another(reading, known.failure.code)",
        "False",
        "unit/rules/test_decide.py::test_a_failure_after_running_is_a_new_one",
    ),
    Bug(
        "a secret in an exception",
        "handler.py",
        "raise WatchFailed(invocation.redact(failure))",
        "raise WatchFailed(failure)",
        "test_handler.py::test_an_unforeseen_error_is_redacted_too",
    ),
    Bug(
        "of a key only the beginning is looked for",
        "redaction.py",
        "return frozenset(self._cut(RUN))",
        "return frozenset(secret[:RUN] for secret in self._secrets)",
        "test_redaction.py::test_the_quoted_form_does_not_hide_the_beginning_alone",
    ),
    Bug(
        "a key is hidden only as it is",
        "redaction.py",
        """return "%" in text or "\\\\" in text or "&" in text""",
        "return False",
        "test_redaction.py::test_a_secret_is_hidden_in_every_form",
    ),
    Bug(
        "what a task says is remembered otherwise than it is read",
        "observe.py",
        "ports.migration.read_task(task_id).with_texts(ports.redact)",
        "ports.migration.read_task(task_id)",
        "test_keys.py::test_a_state_that_holds_a_key_is_one_state",
    ),
    Bug(
        "a key goes from one day of the journal into the next",
        "journal/objects.py",
        "data = encode(whole, mark=Mark(begin, count, topic=self._topic), redact=self._redact)",
        "data = encode(whole, mark=Mark(begin, count, topic=self._topic))",
        "test_keys.py::test_a_key_in_an_older_line_of_the_journal_is_not_in_the_next_day",
    ),
    Bug(
        "naive time",
        "clock.py",
        "return datetime.now(timezone.utc)",
        "return datetime.now()",
        "test_clock.py::test_the_clock_is_aware_and_in_utc",
    ),
    Bug(
        "a subject cut within a character",
        "messages/compose.py",
        '[:MAX_SUBJECT].decode(errors="ignore")',
        '[:MAX_SUBJECT].decode("latin-1")',
        "test_messages.py::test_any_text_from_outside_fits_every_limit",
    ),
    Bug(
        "an outage is told with the wrong tasks when it is told in parts",
        "messages/paragraphs.py",
        "return paragraph(self.items[:number], self.telling)",
        "return paragraph(self.items[-number:], self.telling)",
        "test_message_groups.py::test_an_outage_that_is_too_large_for_a_message_is_told_in_parts",
    ),
    Bug(
        "tasks whose restarts were refused are told as restarted",
        "messages/paragraphs.py",
        "return (item.rank(), item.title(telling), item.said(telling), common)",
        "return (item.rank(), common)",
        "test_message_groups.py::test_only_what_is_told_in_the_same_words_is_told_together",
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
        "ends = memory.lease is not None and entry.run == memory.lease.holder",
        "ends = True",
        "unit/journal/test_entries.py::test_a_late_acknowledgement_leaves_anothers_lease_alone",
    ),
    Bug(
        "a closing notice without its opening",
        "rules/telling.py",
        "told = [each for each in notice.follows if kind_of(each) in notify_on]",
        "told = list(notice.follows)",
        "unit/rules/test_plan.py::test_a_muted_opening_mutes_its_closing",
    ),
    Bug(
        "the day is turned without a seal",
        "journal/objects.py",
        "self._put(position, self._lead(position) + encode(seal, mark=mark, redact=self._redact))",
        "pass",
        "test_journal_store.py::test_of_two_runs_that_turn_the_day_one_wins",
    ),
    Bug(
        "a journal that is closed is taken for an empty one",
        "adapters/obs.py",
        "if error.code != NO_OBJECT and not (error.code == NO_BUCKET and self._place.own):",
        "if error.status not in (403, 404):",
        "test_obs.py::test_a_bucket_that_cannot_be_read_is_explained",
    ),
    Bug(
        "an hour in which nobody could look counts as an hour of running",
        "rules/decide.py",
        "starts=known.starts.advanced(task.progress) if advanced else known.starts,",
        "starts=known.starts.renewed() if was_running else known.starts,",
        "unit/rules/test_decide.py::test_hours_in_which_nobody_looked_give_no_fresh_count",
    ),
    Bug(
        "a stale row of the list is started",
        "rules/decide.py",
        "if reading.task.listed:",
        "if False:",
        "unit/rules/test_decide.py::test_a_task_known_from_a_list_alone_waits",
    ),
    Bug(
        "a list that lost its last page is taken for whole",
        "adapters/sms.py",
        "complete = not errors and counts == {len(by_id)}",
        "complete = not errors",
        "test_discovery.py::test_a_list_is_complete_only_when_every_row_was_seen",
    ),
    Bug(
        "a page that is none is taken for no tasks",
        "adapters/task_json.py",
        "return (count, listed) if count is not None and isinstance(listed, list) else None",
        "return (count or 0, listed if isinstance(listed, list) else [])",
        "test_discovery.py::test_a_page_that_is_none_is_an_error_and_never_no_tasks",
    ),
    Bug(
        "a run that was slow to plan has a lease that is over too soon",
        "run.py",
        "until = self._moment(history) + timedelta(seconds=self._last_work + OVERRUN)",
        "until = self._now + timedelta(seconds=self._ports.deadline.left() + 30)",
        "test_run.py::test_a_run_that_was_slow_to_plan_holds_its_lease_for_as_long_as_any_other",
    ),
    Bug(
        "keys that were refused are tried on",
        "adapters/sdk.py",
        "        if self._guard.refused:\n",
        "        if False:\n",
        "test_run.py::test_keys_that_worked_are_refused_four_times_and_then_once_a_run",
    ),
    Bug(
        "a throttled account is asked on",
        "adapters/sdk.py",
        "        if self._guard.throttled and not write:\n",
        "        if False:\n",
        "test_throttling.py::test_a_throttled_run_reads_no_further",
    ),
    Bug(
        "a write goes out over a connection of an earlier run",
        "adapters/sdk.py",
        "if self._left_open and request.method not in HARMLESS:",
        "if False:",
        "test_connections.py::test_a_write_of_the_next_run_goes_out_once",
    ),
    Bug(
        "an error in a success is taken for an accepted start",
        "adapters/sdk.py",
        "if answer.status >= FAILING or answer.has_error:",
        "if answer.status >= FAILING:",
        "test_adapter_calls.py::test_a_success_with_an_error_in_it_is_a_refusal",
    ),
    Bug(
        "a clock that is off is taken for wrong keys",
        "adapters/answers.py",
        'clock=_clock(answer.ahead, said.code) if unsigned else "",',
        'clock="",',
        "test_clock_off.py::test_a_run_that_is_refused_names_the_clock_first",
    ),
    Bug(
        "keys that sms refuses are not tried for a message",
        "wiring.py",
        "return self.caller(connection, self.timetable.publishing)",
        "return self.caller(connection, self.timetable.publishing, self.guard)",
        "test_handler.py::test_a_message_that_is_owed_is_tried_though_sms_refuses_the_keys",
    ),
    Bug(
        "a state is cleaned until it is one",
        "adapters/task_json.py",
        '_text(fields.get("state"))[:MAX_NAME]',
        '_line(fields.get("state"))',
        "test_task_json.py::test_what_only_looks_like_a_state_is_none",
    ),
    Bug(
        "the text false is true",
        "adapters/task_json.py",
        "return value if isinstance(value, bool) else None",
        "return bool(value)",
        "test_task_json.py::test_connected_is_known_or_unknown",
    ),
    Bug(
        "a proxy reads what goes to this machine",
        "adapters/sdk.py",
        'if LOOPBACK.fullmatch(urlsplit(request.url or "").hostname or ""):',
        "if False:",
        "test_proxies.py::test_what_goes_to_this_machine_goes_through_no_proxy",
    ),
    Bug(
        "the environment's own authorities are overlooked",
        "adapters/roots.py",
        "if any(os.environ.get(name) for name in CHOSEN) or not",
        "if not",
        "test_roots.py::test_a_bundle_of_the_environment_goes_before_the_folder",
    ),
    Bug(
        "of two authorities with one hash the last stays",
        "../build_roots.py",
        'while f"{beginning}.{number}" in files:',
        "while False:",
        "test_roots.py::test_roots_with_one_hash_are_all_found",
    ),
    Bug(
        "what git ignores gets into the zip",
        "../build_zip.py",
        "    if not _is_checkout(root):\n        return [root",
        "    if True:\n        return [root",
        "test_zip.py::test_what_git_ignores_is_in_no_zip",
    ),
    Bug(
        "twenty minutes of running give a fresh count",
        "rules/decide.py",
        "HEALTHY_AFTER = timedelta(minutes=30)",
        "HEALTHY_AFTER = timedelta(minutes=20)",
        "unit/rules/test_decide.py::test_half_an_hour_of_running_gives_a_fresh_count",
    ),
    Bug(
        "twenty minutes of running give a fresh count, on a long way there",
        "rules/decide.py",
        "HEALTHY_AFTER = timedelta(minutes=30)",
        "HEALTHY_AFTER = timedelta(minutes=20)",
        "test_decide_machine.py::TestOneTask",
    ),
    Bug(
        "the second failure of an hour is told as flapping",
        "rules/failure.py",
        "MOST_FAILURES = 2",
        "MOST_FAILURES = 1",
        "unit/rules/test_failure.py::test_of_many_failures_in_an_hour_the_third_stands_for_all",
    ),
    Bug(
        "the fourth failure of an hour is told as flapping, on a long way there",
        "rules/failure.py",
        "MOST_FAILURES = 2",
        "MOST_FAILURES = 3",
        "test_decide_machine.py::TestOneTask",
    ),
    Bug(
        "a flapping task is told as running each time",
        "rules/decide.py",
        "if unproved or failure.is_flapping(reading.now):",
        "if unproved:",
        "unit/rules/test_decide.py::test_only_a_return_is_told_with_its_failures",
    ),
    Bug(
        "a task that flapped and stays failed is told to nobody",
        "rules/failure.py",
        "return (stays, True) if settled else (self, False)",
        "return self, False",
        "unit/rules/test_failure.py::test_a_flapping_task_that_stays_failed_is_told_after_an_hour",
    ),
    Bug(
        "a refused start spends an attempt",
        "rules/starts.py",
        "attempts = before.attempts if outcome in NOT_TAKEN else self.attempts",
        "attempts = self.attempts",
        "unit/rules/test_starts.py::test_what_a_start_came_to_settles_its_attempt",
    ),
    Bug(
        "a refused start spends an attempt, through hours of refusals",
        "rules/starts.py",
        "NOT_TAKEN = frozenset({Outcome.REFUSED, ",
        "NOT_TAKEN = frozenset({",
        "test_noisy_nights.py::test_a_start_that_is_refused_spends_no_attempt",
    ),
    Bug(
        "an agent that is back leaves no wait",
        "rules/decide.py",
        "wait = policy.backoff if is_new else starts.backoff(policy)",
        "wait = timedelta(0) if is_new else starts.backoff(policy)",
        "unit/rules/test_decide.py::test_an_agent_that_is_back_does_not_shorten_the_first_wait",
    ),
    Bug(
        "an agent that comes and goes ends the backoff",
        "rules/decide.py",
        "is_new = is_back and record.agent.was_away_for(policy.backoff_max)",
        "is_new = is_back",
        "test_noisy_nights.py::test_an_agent_that_comes_and_goes_starts_nothing",
    ),
    Bug(
        "one byte is progress",
        "model/task.py",
        "is_ahead_of(mark, size / 100 if size else math.inf)",
        "is_ahead_of(mark, 1)",
        "test_noisy_nights.py::test_one_copied_byte_is_no_progress",
    ),
    Bug(
        "progress ends the wait after the start before it",
        "rules/starts.py",
        "if self.tries >= policy.max_attempts:",
        "if not self.tries:\n            return timedelta(0)\n"
        "        if self.tries >= policy.max_attempts:",
        "unit/rules/test_decide.py::test_a_fresh_count_does_not_end_the_shortest_wait",
    ),
    Bug(
        "many attempts make a wait that is no span",
        "rules/starts.py",
        "doublings = min(max(self.tries - 1, 0), MOST_DOUBLINGS)",
        "doublings = max(self.tries - 1, 0)",
        "test_noisy_nights.py::test_many_attempts_through_a_long_outage",
    ),
    Bug(
        "gone is believed at one answer",
        "rules/sight.py",
        "Kind.GONE: 2",
        "Kind.GONE: 1",
        "unit/rules/test_plan.py::test_gone_is_believed_at_the_second_answer",
    ),
    Bug(
        "nobody asks for the news of a task that is gone",
        "observe.py",
        "bool(watch.absent[task_id].event_id) and not held",
        "bool(watch.absent[task_id].event_id)",
        "test_observe.py::test_a_task_is_asked_for_until_people_know_that_it_is_gone",
    ),
    Bug(
        "a hang is told in each run",
        "rules/decide.py",
        "if record is None or record.rest is not None:",
        "if record is None:",
        "unit/rules/test_many_runs.py::test_a_hang_is_told_once_and_so_is_its_end",
    ),
    Bug(
        "however much is said of a task, all of it is told",
        "rules/telling.py",
        "        told += heard\n",
        "        told += news[decision.task_id]\n",
        "test_noisy_nights.py::test_two_states_in_turn_do_not_fill_a_mailbox",
    ),
    Bug(
        "half a letter in a state is another state each time",
        "adapters/task_json.py",
        'value.encode(errors="replace").decode()',
        "value",
        "test_noisy_nights.py::test_half_a_letter_in_a_state_is_one_state",
    ),
    Bug(
        "a throttled task is taken for one that cannot be read",
        "rules/plan.py",
        "if isinstance(seen, Unseen) and seen.throttled:",
        "if False and seen.throttled:",
        "test_throttling.py::test_a_throttled_task_is_not_told_as_one_that_cannot_be_read",
    ),
    Bug(
        "what no call was left for waits since just now",
        "rules/sight.py",
        "return self if self.passed_at else replace(self, passed_at=now)",
        "return replace(self, passed_at=now)",
        "test_throttling.py::test_a_start_that_the_limit_holds_up_calls_a_person",
    ),
    Bug(
        "the last sub-task that is not over is taken for the one under way, through a month",
        "adapters/task_json.py",
        "    if called or begun:\n        return (called or begun)[-1]\n",
        "    left = [n for n in places if not sub_tasks[n].get('end_date')]\n"
        "    if left:\n        return left[-1]\n",
        "test_months.py::test_the_promises_hold[8-]",
    ),
    Bug(
        "a synchronisation that waits at 6 % is told as stalled",
        "rules/movement.py",
        "(not speed or percent is None or percent >= WHOLE)",
        "(percent is None or percent >= WHOLE)",
        "test_evenings.py::test_a_synchronisation_that_waits_at_6_percent_is_quiet_for_days",
    ),
    Bug(
        "nobody hears of a start that no run has time for",
        "rules/decide.py",
        "or starts.skips >= MOST_SKIPS:",
        "or False:",
        "unit/rules/test_decide.py::test_runs_that_never_have_time_for_a_start_call_a_person",
    ),
    Bug(
        "a call that nobody wants to hear is not made",
        "rules/plan.py",
        "if notice.kind is Kind.NEEDS_PERSON\n",
        "if notice.kind is Kind.NEEDS_PERSON and notice.kind in draft.situation.policy.notify_on\n",
        "unit/rules/test_plan.py::test_a_call_that_nobody_wants_to_hear_takes_the_others_along_all_the_same",
    ),
    Bug(
        "reads use the time of the starts",
        "wiring.py",
        "self.caller(connection, times.reads, self.guard),",
        "self.caller(connection, times.sms_calls, self.guard),",
        "test_wiring.py::test_each_service_has_the_end_of_the_timetable",
    ),
    Bug(
        "one read uses the time of all others",
        "adapters/sdk.py",
        "SHARE = 0.5\n",
        "SHARE = 1.0\n",
        "test_adapter_calls.py::test_a_read_leaves_half_of_the_time_to_others",
    ),
    Bug(
        "a list in place of reads uses their time",
        "adapters/sms.py",
        "self._reads if most is None else self._sources",
        "self._reads",
        "test_discovery.py::test_a_list_in_place_of_reads_has_the_end_of_what_a_run_can_do_without",
    ),
    Bug(
        "many tasks without the right to list are not read",
        "observe.py",
        "        observed = self._read_named()\n        if error.status == FORBIDDEN",
        "        observed = Observed(())\n        if error.status == FORBIDDEN",
        "test_observe.py::test_without_the_list_all_are_read_one_by_one",
    ),
    Bug(
        "a failed task of many is seen by its row alone",
        "observe.py",
        "[*self._due(listed), *failed, *missing]",
        "[*self._due(listed), *missing]",
        "test_looked_up.py::test_a_failed_task_that_no_start_is_due_for_is_read_by_itself",
    ),
    Bug(
        "rows of many tasks tell no connection, and nobody asks for it",
        "adapters/sms.py",
        "if project or most is not None:",
        "if project:",
        "test_looked_up.py::test_where_a_list_fails_all_are_read_in_the_same_run",
    ),
    Bug(
        "the list of sources uses the time of the reads",
        "adapters/sms.py",
        "caller = self._sources if name == SOURCES and not project else caller",
        "pass",
        "test_discovery.py::test_the_sources_have_an_end_of_their_own_where_a_run_can_do_without_them",
    ),
    Bug(
        "what was given up is sent later",
        "adapters/calls.py",
        "            if self._given_up:\n",
        "            if False:\n",
        "test_given_up.py::test_what_was_given_up_before_it_was_sent_is_never_sent",
    ),
    Bug(
        "what was given up is left to drip",
        "adapters/calls.py",
        "socket.socket.shutdown(self._line, socket.SHUT_RDWR)",
        "pass",
        "test_given_up.py::test_a_warm_container_keeps_nothing_of_calls_that_were_given_up",
    ),
    Bug(
        "what was read a while ago is started without a second look",
        "run.py",
        "if not ports.is_past(self._read_at + ports.timetable.fresh):",
        "if True:",
        "test_hanging.py::test_what_a_person_pauses_while_others_are_read_stays_paused",
    ),
    Bug(
        "a message that was refused for its words is composed again as it is",
        "messages/draft.py",
        "return (replace(self, form=Form.LEAN),)",
        "return (self,)",
        "test_publishing.py::test_a_name_that_smn_never_takes_silences_no_task_for_days",
    ),
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "-"))
def test_a_planted_mistake_is_caught(bug: Bug, tmp_path: Path) -> None:
    """The test that is named fails with the mistake in place."""
    for name in ("sms_watch", "local", "tests"):
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=leave)
    for name in ("index.py", *BUILDERS, "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    path = tmp_path / "sms_watch" / bug.file
    source = path.read_text(encoding="utf-8")
    assert source.count(bug.right) == 1, "what was right is not there any more"
    path.write_text(source.replace(bug.right, bug.wrong), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *QUIET, f"tests/{bug.caught_by}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout, done.stdout
