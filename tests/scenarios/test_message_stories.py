"""Evenings through the real handler, as the person sees them who gets the messages."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Callable, List

import pytest

from simulated_cloud.faults import Fault
from simulated_cloud.task import SimTask
from sms_watch.errors import WatchFailed
from sms_watch.model.task import TaskState
from tests.support.builders import DISK_FULL, LINE_LOST, NOW, minutes
from tests.support.clouds import Night, a_night

HOUR = timedelta(hours=1)


def _task(name: str = "a") -> SimTask:
    """Return a task whose copy takes days."""
    return SimTask(name, f"web-{name}", size=20e12)


def _pass(night: Night, span: timedelta, every: float = 1) -> None:
    """Wake the function regularly until so long after the beginning; some runs may fail."""
    while night.clock.now() + minutes(every) <= NOW + span:
        try:
            night.tick(every)
        except WatchFailed:
            continue


def _texts(night: Night) -> List[str]:
    return [notice["text"] for notice in night.told]


def _kinds(night: Night) -> List[str]:
    return [notice["kind"] for notice in night.told]


def _connect(night: Night, connected: bool) -> Callable[[], None]:
    return lambda: setattr(night.world.tasks["a"], "connected", connected)


def test_a_stall_is_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    """Two hours at one place are two messages, the second with the time; nothing is started."""
    with a_night(tmp_path, SimTask("a", "web-a")) as night:
        night.world.at(NOW + HOUR, lambda: night.world.freeze("a"))
        night.world.at(NOW + 3 * HOUR, lambda: night.world.thaw("a"))
        _pass(night, 3 * HOUR + minutes(10))
        assert night.subjects == [
            "sms_watch warning: web-a has stalled",
            "sms_watch info: web-a is moving again",
        ]
        stalled, moving = _texts(night)
        # A sample every eight minutes shows when it last moved.
        assert "no progress has been seen since 2026-11-24 01:04 +00:00" in stalled
        assert "(MIGRATE_LINUX_FILE at 18 %)" in stalled
        assert "Moving again after 1 h 59 min" in moving
        assert night.world.starts == []
        assert "time left unknown" in night.world.inbox[0]["email"]


def test_a_stall_that_lasts_is_reminded_of_and_never_started(tmp_path: Path) -> None:
    """A stalled task is told and repeated like all that needs a person."""
    with a_night(tmp_path, _task()) as night:
        night.world.at(NOW + HOUR, lambda: night.world.freeze("a"))
        _pass(night, 7 * HOUR, every=5)
        assert night.subjects == [
            "sms_watch warning: web-a has stalled",
            "sms_watch warning: web-a is still stalled",
        ]
        assert "No progress seen since 2026-11-24 00:58 +00:00 (5 h so far)" in _texts(night)[1]
        assert night.world.starts == []


def test_an_idle_synchronisation_is_quiet_for_days(tmp_path: Path) -> None:
    """SYNCING without end and without anything to do is no stall."""
    with a_night(tmp_path, SimTask("a", "web-a", synchronises=True, copied=500e9)) as night:
        _pass(night, 48 * HOUR, every=30)
        assert night.world.inbox == []


def test_a_synchronisation_that_waits_at_6_percent_is_quiet_for_days(tmp_path: Path) -> None:
    """Its percentage is that of a round, and without changes its speed is 0 for as long."""
    waiting = SimTask("a", "web-a", state=TaskState.SYNCING, frozen=True)
    with a_night(tmp_path, waiting) as night:
        _pass(night, 24 * HOUR, every=15)
        assert night.world.inbox == []


def test_an_agent_that_is_away_for_two_hours(tmp_path: Path) -> None:
    """Lost, failed once, called for, back, running: five messages, whatever is tried between."""
    with a_night(tmp_path, _task()) as night:
        night.world.at(NOW + HOUR, _connect(night, False))
        night.world.at(NOW + HOUR + minutes(5), night.world.line_down)
        night.world.at(NOW + 3 * HOUR, _connect(night, True))
        night.world.at(NOW + 3 * HOUR, night.world.line_up)
        _pass(night, 4 * HOUR)
        assert night.subjects == [
            "sms_watch warning: web-a lost contact with its SMS agent",
            "sms_watch warning: web-a failed (SMS.0807); restart pending",
            "sms_watch critical: web-a needs attention (SMS.3802)",
            "sms_watch info: web-a is back in contact with its SMS agent (SMS.3802)",
            "sms_watch info: web-a is running again",
        ]
        back, again = _texts(night)[3:]
        assert "Restart accepted" in back
        assert "1 h 55 min after it was first seen failed" in again
        away = [start.at for start in night.world.starts if start.at < NOW + 3 * HOUR]
        gaps = [later - before for before, later in zip(away, away[1:])]
        assert away[0] - (NOW + HOUR + minutes(5)) >= minutes(15)
        assert min(gaps) >= minutes(15)
        assert night.world.starts[len(away)].at <= NOW + 3 * HOUR + minutes(1)


def test_a_failure_is_not_hidden_by_an_agent_that_comes_back(tmp_path: Path) -> None:
    """Where a task is found failed in the run that sees its agent back, the failure is named."""
    with a_night(tmp_path, _task()) as night:
        night.tick()
        night.world.tasks["a"].connected = False
        night.tick()
        night.world.fail("a", DISK_FULL)
        night.world.tasks["a"].connected = True
        assert night.kinds(night.tick()) == ["failed", "needs_person", "connected"]
        assert night.subjects[-1] == "sms_watch critical: web-a needs attention (SMS.1315)"


@pytest.mark.parametrize(
    ("name", "value", "code", "started", "told"),
    [
        (
            "RESUME_MAX_ATTEMPTS",
            "0",
            LINE_LOST,
            False,
            "Press Start in the SMS console. If it keeps failing, check the network,",
        ),
        ("ERROR_CLASSES", f"{LINE_LOST}=human", LINE_LOST, False, "Check the network, the"),
        (
            "ERROR_CLASSES",
            f"{DISK_FULL}=transient",
            DISK_FULL,
            True,
            "Free space on that partition or enlarge it.\n",
        ),
    ],
)
def test_what_to_do_agrees_with_the_settings(
    tmp_path: Path, name: str, value: str, code: str, started: bool, told: str
) -> None:
    """Whoever changes what is started is told what is done, not what would be done without."""
    with a_night(tmp_path, _task()) as night:
        night.texts[name] = value
        night.world.fail("a", code)
        night.tick()
        email = night.world.inbox[0]["email"]
        assert bool(night.world.starts) is started
        assert f"  {'If it lasts' if started else 'What to do '}  {told}" in email
        assert ("then press Start" in email) is (value == f"{LINE_LOST}=human")


def test_a_task_that_fails_all_the_time_is_told_as_flapping(tmp_path: Path) -> None:
    """Two failures in an hour are told in pairs, the third as flapping, then its end."""
    with a_night(tmp_path, SimTask("a", "web-a")) as night:
        for number in range(8):
            night.world.at(NOW + minutes(10 + 8 * number), night.world.line_down)
            night.world.at(NOW + minutes(11 + 8 * number), night.world.line_up)
        _pass(night, 2 * HOUR + minutes(20))
        assert _kinds(night) == [*["failed", "resumed"] * 2, "failed", "resumed"]
        assert night.subjects[-2:] == [
            "sms_watch warning: web-a keeps failing (SMS.0807)",
            "sms_watch info: web-a is stable again",
        ]
        flapping, settled = _texts(night)[-2:]
        assert "failed 3 times within an hour" in flapping
        assert "has now run for an hour, after 8 failures" in settled
        assert len(night.world.starts) == 8


def test_a_flapping_task_that_stays_failed_is_told(tmp_path: Path) -> None:
    """When it comes back no more, people hear so, with the moment it failed, and are called."""
    with a_night(tmp_path, SimTask("a", "web-a")) as night:
        for number in range(6):
            night.world.at(NOW + minutes(10 + 8 * number), night.world.line_down)
            if number < 5:
                night.world.at(NOW + minutes(11 + 8 * number), night.world.line_up)
        night.world.at(NOW + 3 * HOUR, night.world.line_up)
        _pass(night, 4 * HOUR)
        assert _kinds(night)[4:] == ["failed", "needs_person", "failed", "resumed"]
        _, _, stays, again = _texts(night)[4:]
        assert "has now stayed failed (MIGRATE_FAIL) since 2026-11-24 00:5" in stays
        assert "2 h 15 min after it was first seen failed" in again
        ids = [notice["event_id"] for notice in night.told]
        assert len(set(ids)) == len(ids)


def test_a_person_is_reminded_six_times_and_no_more(tmp_path: Path) -> None:
    """A full disk over two days: one call, six reminders, the last of which says so."""
    with a_night(tmp_path, _task()) as night:
        night.world.at(NOW, lambda: night.world.fail("a", DISK_FULL))
        _pass(night, 36 * HOUR, every=15)
        assert _kinds(night) == ["failed", "needs_person", *["reminder"] * 6]
        numbers = [text.partition("This is ")[2] for text in _texts(night)[2:]]
        assert numbers[:5] == [f"reminder {number} of 6." for number in range(1, 6)]
        assert numbers[5] == "the last of 6 reminders, though the matter stays open."
        assert "Seen failed since 2026-11-24 00:18 +00:00 (1 d so far)" in _texts(night)[-1]


def test_a_new_failure_is_reminded_of_anew(tmp_path: Path) -> None:
    """After a person has been there, another failure has its own six reminders."""
    with a_night(tmp_path, _task()) as night:
        night.world.at(NOW, lambda: night.world.fail("a", DISK_FULL))
        _pass(night, 9 * HOUR, every=15)
        night.world.clear("a")
        night.world.resume("a")
        night.tick()
        night.world.fail("a", DISK_FULL)
        _pass(night, 14 * HOUR, every=15)
        assert _kinds(night) == [
            *["failed", "needs_person", "reminder", "reminder", "resumed"],
            *["failed", "needs_person", "reminder"],
        ]
        assert "reminder 1 of 6" in _texts(night)[-1]


def test_a_snoozed_task_is_not_reminded_of(tmp_path: Path) -> None:
    """A snooze of eight hours holds for eight hours, over every later run."""
    with a_night(tmp_path, _task()) as night:
        night.world.at(NOW, lambda: night.world.fail("a", DISK_FULL))
        night.tick(1)
        night.tick(1, user_event="snooze 8h a")
        _pass(night, 8 * HOUR, every=5)
        assert _kinds(night) == ["failed", "needs_person"]
        _pass(night, 8 * HOUR + minutes(10), every=5)
        assert _kinds(night) == ["failed", "needs_person", "reminder"]


def test_a_snooze_holds_also_when_its_run_is_blind(tmp_path: Path) -> None:
    """The wish is kept where the task could not be read in the run that got it."""
    with a_night(tmp_path, _task()) as night:
        night.world.at(NOW, lambda: night.world.fail("a", DISK_FULL))
        night.tick(1)
        night.faults.add("show_task", Fault(403, '{"error_code": "SMS.9004", "error_msg": "no"}'))
        night.failing_tick(1, user_event="snooze 8h a")
        _pass(night, 8 * HOUR, every=15)
        assert _kinds(night) == ["failed", "needs_person"]


@pytest.mark.parametrize("watched", ["a", "*"])
def test_a_snooze_of_no_watched_task_fails_the_run(tmp_path: Path, watched: str) -> None:
    """A slip in the id would leave the reminders on, so the run says it, and does its work."""
    with a_night(tmp_path, _task()) as night:
        night.texts["SMS_TASK_IDS"] = watched
        night.world.at(NOW, lambda: night.world.fail("a", DISK_FULL))
        reason = night.failing_tick(user_event="snooze 8h A")
        assert "snoozes 'A', which is not the id of a watched task" in reason
        assert _kinds(night) == ["failed", "needs_person"]


def test_a_digest_comes_every_day(tmp_path: Path) -> None:
    """The first one a day after the beginning, each with what happened since the last one."""
    with a_night(tmp_path, _task("a"), _task("b")) as night:
        night.texts["DIGEST_HOURS"] = "24"
        night.world.at(NOW + 20 * HOUR + minutes(30), lambda: night.world.fail("b", DISK_FULL))
        night.texts["REMIND_HOURS"] = "0"
        _pass(night, 73 * HOUR, every=30)
        assert night.subjects[1:] == ["sms_watch info: digest of 2 tasks: 1 failed, 1 running"] * 3
        digests = [message["email"] for message in night.world.inbox[1:]]
        assert ["web-b: failed, SMS.1315" in text for text in digests] == [True] * 3
        assert [text.index("web-b:") < text.index("web-a:") for text in digests] == [True] * 3
        assert "no restarts, 4 h lost to failures." in digests[0]
        assert "1 d lost" in digests[1]
        assert "1 d lost" in digests[2]
        assert "Since 2026-11-25 00:33 +00:00: no restarts, 1 d lost to failures." in digests[1]


def _restarts(digest: str) -> int:
    """Return how many restarts a digest tells of."""
    found = re.search("([0-9]+) restart", digest)
    return int(found.group(1)) if found else 0


def test_a_digest_counts_each_start_once(tmp_path: Path) -> None:
    """The starts of all digests together are those that were sent, refused ones left out."""
    with a_night(tmp_path, _task()) as night:
        night.world.at(NOW, night.world.line_down)
        night.tick(1)
        refused = Fault(400, '{"error_code": "SMS.7713", "error_msg": "no"}')
        for number in range(30):
            if number % 3 == 0:
                night.faults.add("start_task", refused)
            night.tick(5, user_event="report")
        digests = [text for text in _texts(night) if "Since" in text or "So far" in text]
        told = sum(_restarts(text) for text in digests)
        assert told == len(night.world.starts)
        assert len(digests) == 30


def test_an_hour_of_blindness_is_two_messages(tmp_path: Path) -> None:
    """One when nothing can be read, one with the time it lasted; the tasks' news follow it."""
    with a_night(tmp_path, _task()) as night:
        night.texts["DIGEST_HOURS"] = "1"
        night.tick()
        night.world.at(NOW + minutes(30), lambda: night.world.fail("a", DISK_FULL))
        fault = Fault(403, '{"error_code": "SMS.9004", "error_msg": "no"}')
        night.faults.add("show_task", fault, times=12)
        _pass(night, 2 * HOUR, every=5)
        assert night.subjects == [
            "sms_watch critical: the watchdog cannot read any task",
            "sms_watch critical: web-a needs attention (SMS.1315), and 2 more",
        ]
        blind = night.told[0]["text"]
        assert "since 2026-11-24 00:09 +00:00" in blind
        assert "SMS.9004" in blind
        assert _kinds(night)[1:] == ["failed", "needs_person", "sighted", "digest"]
        sees = next(notice["text"] for notice in night.told if notice["kind"] == "sighted")
        assert "after a gap of 1 h." in sees
        failed = next(notice["text"] for notice in night.told if notice["kind"] == "failed")
        assert (
            "First seen failed (MIGRATE_FAIL) at 2026-11-24 01:09 +00:00, after a gap of 1 h in"
            in failed
        )


def test_levels_choose_what_is_told(tmp_path: Path) -> None:
    """With NOTIFY_ON=warning+ what is merely good to know stays unsaid."""
    with a_night(tmp_path, SimTask("a", "web-a")) as night:
        night.texts["NOTIFY_ON"] = "warning+"
        night.world.at(NOW + minutes(5), night.world.line_down)
        night.world.at(NOW + minutes(6), night.world.line_up)
        night.world.at(NOW + minutes(30), lambda: night.world.fail("a", DISK_FULL))
        _pass(night, HOUR)
        told = [(notice["kind"], notice["level"]) for notice in night.told]
        assert told == [("failed", "warning"), ("failed", "warning"), ("needs_person", "critical")]
        levels = [
            json.loads(message["http"])["notices"][0]["level"] for message in night.world.inbox
        ]
        assert levels == ["warning", "warning"]


def test_an_agent_that_blinks_is_told_once_an_hour(tmp_path: Path) -> None:
    """A line that the copy fills makes the agent come and go all evening: no pair for each."""
    with a_night(tmp_path) as night:
        night.tick()
        for _ in range(60):
            night.world.tasks["a"].connected = not night.world.tasks["a"].connected
            night.tick(2)
        kinds = [notice["kind"] for notice in night.told]
        assert 1 <= kinds.count("disconnected") <= 2
        assert kinds.count("connected") <= kinds.count("disconnected")
