"""The table of tasks: what a run would see, shown and nothing done."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from rich.console import Console

from simulated_cloud.buckets import Bucket
from simulated_cloud.task import SimTask
from sms_watch.clock import SYSTEM_CLOCK
from sms_watch.journal.entries import encode, snapshot
from sms_watch.model.notice import Action, Attempt, Reason, Verdict
from sms_watch.model.task import Phase, Progress, Task, TaskError
from sms_watch.rules.call import Call
from sms_watch.rules.decision import Decision
from sms_watch.rules.movement import Sample
from sms_watch.rules.record import Lease, Memory, TaskRecord
from sms_watch_cli.session import CloudSession, can_redraw
from sms_watch_cli.status import Look, Row, _bar, follow, look, show_plain
from tests.support.builders import (
    DISK_FULL,
    LINE_LOST,
    NOW,
    a_running_task,
    a_started_record,
    varied,
)
from tests.support.clouds import OWN
from tests.support.loopback import closed_port
from tests.support.sessions import LOOKING, Day, a_day, call

pytestmark = pytest.mark.usefixtures("no_waiting")


def _rows(day: Day) -> Dict[str, Dict[str, Any]]:
    result = day.call("status", "--json")
    assert result.exit_code == 0, result.output
    return {row["id"]: row for row in json.loads(result.output)["tasks"]}


def _remember(day: Day, record: TaskRecord, *ids: str) -> None:
    now = SYSTEM_CLOCK.now()
    lease = Lease(now + timedelta(minutes=1), "a-run-at-work")
    memory = Memory(dict.fromkeys(ids or ("a",), record), lease=lease)
    day.journal.mkdir()
    line = encode(snapshot(memory, now, "a-run-at-work", "n"))
    (day.journal / f"journal-{now:%Y%m%d}.jsonl").write_bytes(line)


@pytest.mark.parametrize("ids", ["a b c", "*"])
def test_each_task_has_its_row(tmp_path: Path, ids: str) -> None:
    """By ids and by listing: state, sub-task, percent, speed, and failed ones first."""
    tasks = [SimTask(name, f"{name}-01", copied=250e9) for name in "abc"]
    with a_day(tmp_path, *tasks) as day:
        day.world.fail("b", DISK_FULL)
        day.world.pause("c")
        day.texts["SMS_TASK_IDS"] = ids
        rows = _rows(day)
    assert list(rows)[-1] == "a"
    assert (rows["a"]["phase"], rows["a"]["percent"]) == ("moving", 50)
    assert rows["a"]["sub_task"] == "MIGRATE_LINUX_FILE"
    assert (rows["b"]["code"], rows["b"]["why"]) == (DISK_FULL, "not restartable")
    assert rows["c"]["phase"] == "paused"


def test_attempt_and_next_try_are_those_of_the_next_run(tmp_path: Path) -> None:
    """They come from the journal and the rules, also while another run is at work."""
    now = SYSTEM_CLOCK.now()
    with a_day(tmp_path) as day:
        day.world.fail("a", LINE_LOST, obstacle=False)
        assert _rows(day)["a"]["why"] == "started by the next run"
        _remember(day, a_started_record(2, since=now, last_at=now))
        row = _rows(day)["a"]
    assert (row["attempt"], row["cap"], row["why"]) == (3, None, "backoff")
    assert timedelta(minutes=3) < _moment(row["next_try"]) - now < timedelta(minutes=5)


def _moment(text: str) -> Any:
    return type(NOW).fromisoformat(text)


def test_looking_starts_and_writes_nothing(tmp_path: Path) -> None:
    """A failed task that is due for a start is left alone."""
    with a_day(tmp_path) as day:
        day.world.fail("a", LINE_LOST, obstacle=False)
        day.keep_journal_on_obs()
        assert day.call("status").exit_code == 0
        assert set(day.cloud.calls) <= LOOKING
        assert (day.world.starts, day.cloud.storage.buckets) == ([], {})


def test_without_a_terminal_it_is_plain_text(tmp_path: Path) -> None:
    """One table, bars of ordinary letters, no colours, then it ends."""
    with a_day(tmp_path, SimTask("a", "web-01", copied=250e9)) as day:
        result = day.call("status")
    assert result.exit_code == 0
    assert "1 task, 1 moving, 0 failed" in result.output
    assert "[##########..........]" in result.output
    assert "\x1b" not in result.output
    assert result.output.isascii()


def test_a_journal_that_cannot_be_read_hides_attempts_only(tmp_path: Path) -> None:
    """The tasks are shown all the same, and what is not known is said."""
    with a_day(tmp_path) as day:
        day.keep_journal_on_obs()
        day.cloud.storage.buckets[OWN] = Bucket("ap-southeast-3", owner="them")
        result = day.call("status")
    assert result.exit_code == 0
    assert "RUNNING" in result.output
    assert "! attempts are not known: the journal in obs://" in result.output


def test_when_nothing_can_be_read_one_line_says_so(tmp_path: Path) -> None:
    """Status 2, the reason, and what to call next."""
    with a_day(tmp_path) as day:
        day.texts["SMS_ENDPOINT"] = closed_port()
        for more in ([], ["--json"]):
            result = day.call("status", *more)
            assert result.exit_code == 2
            assert result.output.startswith("Error: no task could be read")
            assert "sms-watch check" in result.output
            assert len(result.output.splitlines()) == 1


def test_a_task_that_is_not_there_has_a_row(tmp_path: Path) -> None:
    """One that is gone is shown as gone, not left out."""
    with a_day(tmp_path) as day:
        day.texts["SMS_TASK_IDS"] = "a z"
        assert (_rows(day)["z"]["state"], _rows(day)["z"]["phase"]) == ("gone", "gone")


def test_on_a_terminal_it_is_looked_at_anew_until_ctrl_c(tmp_path: Path) -> None:
    """Each look shows what has changed; Ctrl-C ends it without a word."""
    output = io.StringIO()
    console = Console(file=output, width=140, force_terminal=True, color_system=None)
    pauses: List[float] = []
    with a_day(tmp_path) as day, CloudSession.of(day.texts) as cloud_session:

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                raise KeyboardInterrupt
            day.world.pause("a")

        follow(cloud_session, console, 60, sleep)
    assert pauses == [60, 60]
    assert output.getvalue().index("RUNNING") < output.getvalue().index("ABORTING")
    assert "refreshed every 60 s; press Ctrl-C to end" in output.getvalue()


def test_a_terminal_of_80_columns_shows_state_and_code_in_one_piece(tmp_path: Path) -> None:
    """What is looked for first is not broken, and nothing is wider than the terminal."""
    output = io.StringIO()
    with a_day(tmp_path, SimTask("a", "office-files", copied=250e9)) as day:
        day.world.fail("a", "SMS.1315")
        with CloudSession.of(day.texts) as cloud_session:
            seen = look(cloud_session)
            show_plain(seen, cloud_session.settings.zone, Console(file=output, width=80))
    lines = output.getvalue().splitlines()
    row = next(line for line in lines if "office-files MIGRATE_FAIL SMS.1315 [#" in line)
    assert row.rstrip().endswith("not restartable")
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [80, 120])
def test_the_longest_rows_leave_room_to_read_names(width: int) -> None:
    """A long name and a long state share the room with the next try, and nothing is left out."""
    name, state = "kuala-lumpur-production-db-0001", "SYNC_F_ROLLBACK_SUCCESS"
    waits = Verdict(Action.WAIT, Reason.BACKOFF, attempt=Attempt(12, 99, NOW + timedelta(hours=2)))
    tasks = (
        Task("a", name, each, "MIGRATE_FILE", TaskError("SMS.1315"))
        for each in ("MIGRATE_FAIL", state)
    )
    rows = tuple(Row.of(Decision("a", waits, task=task)) for task in tasks)
    output = io.StringIO()
    show_plain(Look(NOW, rows, (), ""), timezone.utc, Console(file=output, width=width))
    lines = output.getvalue().splitlines()[2:]
    begin = lines[0].index(" MIGRATE_FAIL")
    assert begin >= 12
    assert "".join(line[:begin].strip() for line in lines) == 2 * name
    assert not [line for line in lines if "\u2026" in line]


def _measured(ago: float) -> TaskRecord:
    """Return the record of a copy that was at a quarter so many minutes ago."""
    at = SYSTEM_CLOCK.now() - timedelta(minutes=ago)
    sample = Sample(at, 25, int(125e9), 100.0, "MIGRATE_LINUX_FILE")
    return varied(
        TaskRecord("RUNNING", at), last_progress=Progress(None, 25), moved_at=at, samples=(sample,)
    )


@pytest.mark.parametrize("number", [50, 1000])
def test_a_wave_is_foretold_above_its_table_within_80_columns(tmp_path: Path, number: int) -> None:
    """The sentence says when the last is done, and what is not counted, however many there are."""
    names = [f"server-with-a-long-name-{index:04}" for index in range(number)]
    # As they are read one page after the other, none may move meanwhile.
    tasks = [SimTask(name, name, copied=250e9, frozen=True) for name in names]
    tasks[-1].synchronises, tasks[-1].state, tasks[-2].state = True, "SYNCING", "READY"
    output = io.StringIO()
    with a_day(tmp_path, *tasks) as day:
        day.texts["SMS_TASK_IDS"] = "*"
        _remember(day, _measured(90), *names[:-3])
        with CloudSession.of(day.texts) as cloud_session:
            seen = look(cloud_session)
            show_plain(seen, cloud_session.settings.zone, Console(file=output, width=80))
    lines = output.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    table = next(number for number, line in enumerate(lines) if "state" in line)
    head = " ".join(" ".join(lines[1:table]).split())
    assert re.sub(r"\d\d:\d\d|(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ", "", head) == (
        f"Copying ends about , {names[-4]} last; 1 of {number - 2} not measured yet; 1 not moving,"
        " so not counted; 1 ready for cut-over."
    )


def test_machines_get_the_forecast_as_well(tmp_path: Path) -> None:
    """With moments, the task that is last, and the counts; no end where none was measured."""
    with a_day(tmp_path) as day:
        counts = {"copying": 1, "still": 0, "ready": 0, "finished": 0, "unread": 0}
        assert _forecast(day) == {"end": None, "unmeasured": 1, **counts}
        day.world.tasks["a"].copied = 250e9
        _remember(day, _measured(30))
        made = _forecast(day)
        end = made.pop("end")
    assert made == {"unmeasured": 0, **counts}
    assert (end["task_id"], end["name"]) == ("a", "web-01")
    assert _moment(end["earliest"]) <= _moment(end["at"]) <= _moment(end["latest"])
    left = _moment(end["at"]) - SYSTEM_CLOCK.now()
    assert timedelta(minutes=55) < left < timedelta(minutes=65)


def _forecast(day: Day) -> Dict[str, Any]:
    made: Dict[str, Any] = json.loads(day.call("status", "--json").output)["forecast"]
    return made


def test_a_look_at_a_blind_moment_says_so_and_goes_on(tmp_path: Path) -> None:
    """While it is followed, an outage is a remark rather than the end."""
    with a_day(tmp_path) as day:
        day.texts["SMS_ENDPOINT"] = closed_port()
        with CloudSession.of(day.texts) as cloud_session:
            seen = look(cloud_session)
            output = io.StringIO()
            show_plain(seen, cloud_session.settings.zone, Console(file=output, width=160))
    assert "not read" in output.getvalue()
    assert "! no task could be read" in output.getvalue()


@pytest.mark.parametrize(("term", "redraws"), [("dumb", False), ("xterm", True)])
def test_a_dumb_terminal_is_none(term: str, redraws: bool) -> None:
    """One that cannot move its cursor gets one look, as a file does."""
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": term})
    assert can_redraw(console) is redraws


def test_a_healthy_bar_is_green_and_a_failed_one_red() -> None:
    """The colours of a bar are those of its state."""
    colours = {}
    for state in ("RUNNING", "MIGRATE_FAIL", "MIGRATE_SUCCESS"):
        row = Row.of(Decision("a", Verdict(), task=a_running_task(state=state)))
        bar = _bar(row.phase, row.percent, 20, plain=False)
        colours[state] = {bar.complete_style, bar.finished_style}
    assert colours == {"RUNNING": {"green"}, "MIGRATE_FAIL": {"red"}, "MIGRATE_SUCCESS": {"green"}}


@pytest.mark.parametrize(
    ("remaining", "shown"),
    [(59 * 60, "59 min"), (3 * 3600 + 300, "3 h 5 min"), (49 * 3600, "2 d 1 h")],
)
def test_time_left_is_for_people(remaining: int, shown: str) -> None:
    """Minutes, hours, then days."""
    seen = _look_of(a_running_task(remaining=remaining))
    assert shown in seen


def test_a_stall_and_an_agent_that_is_away_are_named() -> None:
    """A running task that does not move is not called moving."""
    stalled = varied(TaskRecord("RUNNING", NOW), stall=Call("20261124-0-0-stalled", NOW))
    assert "stalled" in _look_of(a_running_task(), stalled)
    away = a_running_task(connected=False)
    assert "its agent is not connected" in _look_of(away)


def test_a_task_that_hangs_is_named() -> None:
    """Where nothing should stay, that it stays is what is worth a look; unless it is gone."""
    hangs = TaskRecord("RESETING", NOW, rest=Call("20261124-0-0-hanging", NOW))
    resets = a_running_task(state="RESETING")
    for reason, why in ((Reason.BUSY, "hangs"), (Reason.GONE, "gone")):
        decision = Decision("a", Verdict(reason=reason), task=resets, record=hangs)
        assert Row.of(decision).why == why


def test_what_may_be_cut_over_is_called_that_and_has_a_full_bar() -> None:
    """The percentage that SMS gives of it is that of a round of synchronisation."""
    progress = Progress(percent=6, sub_task="SYNC_LINUX_FILE")
    seen = " ".join(_look_of(a_running_task(state="SYNCING", progress=progress)).split())
    assert "[####################] 100" in seen
    assert "ready for cut-over" in seen
    assert " 6 " not in seen


def test_what_hangs_or_has_stalled_stands_before_what_moves(tmp_path: Path) -> None:
    """Among hundreds nobody would find it elsewhere."""
    stalled = varied(TaskRecord("RUNNING", NOW), stall=Call("20261124-0-0-stalled", NOW))
    hangs = TaskRecord("RESETING", NOW, rest=Call("20261124-0-0-hanging", NOW))
    moving = Verdict(reason=Reason.MOVING)
    assert Row.of(Decision("a", moving, task=a_running_task(), record=stalled)).needs_look
    resets = a_running_task(state="RESETING")
    assert Row.of(Decision("a", Verdict(reason=Reason.BUSY), task=resets, record=hangs)).needs_look
    assert not Row.of(Decision("a", moving, task=a_running_task())).needs_look
    with a_day(tmp_path, *(SimTask(name, name, copied=250e9) for name in "abc")) as day:
        day.world.tasks["c"].state = "RESETING"
        _remember(day, hangs, "c")
        assert list(_rows(day)) == ["c", "a", "b"]


def test_names_are_cleaned(tmp_path: Path) -> None:
    """A name cannot move the cursor, or bring markup along."""
    shown = _look_of(a_running_task(name="\x1b[2J[red]web[/red]"))
    assert "\x1b" not in shown
    assert "[red]web[/red]" in shown


def _look_of(task: Task, record: Optional[TaskRecord] = None) -> str:
    from sms_watch_cli.status import Look  # noqa: PLC0415 - for this helper alone

    row = Row.of(Decision(task.id, Verdict(reason=Reason.MOVING), task=task, record=record))
    assert row.phase is Phase.MOVING
    output = io.StringIO()
    console = Console(file=output, width=160, highlight=False)
    show_plain(Look(NOW, (row,), (), ""), timezone.utc, console)
    return output.getvalue()


def test_too_short_a_pause_is_refused() -> None:
    """The service throttles those who ask all the time."""
    result = call("status", "--every", "5")
    assert result.exit_code == 2
    assert "15" in result.output
