"""The check: every set-up mistake has its verdict and its remedy, and nothing is changed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from simulated_cloud.buckets import Bucket
from simulated_cloud.faults import Fault
from simulated_cloud.setup import Subscription
from simulated_cloud.task import SimTask
from sms_watch.clock import SYSTEM_CLOCK
from sms_watch.journal.entries import Entry, EntryType, encode, snapshot
from sms_watch.model.notice import Outcome, Start
from sms_watch.model.policy import Policy
from sms_watch.rules.record import Memory
from sms_watch_cli.checks.findings import Finding, Verdict, shown_address, worst
from sms_watch_cli.checks.function import environment
from sms_watch_cli.checks.tasks import task
from tests.support.builders import DISK_FULL, LINE_LOST, a_task
from tests.support.canaries import leaked
from tests.support.clouds import BUCKET, KEY, OWN, TOPIC
from tests.support.loopback import answer, closed_port, serving
from tests.support.sessions import LOOKING, URN, Day, a_day, call

pytestmark = pytest.mark.usefixtures("no_waiting")

Found = List[Dict[str, str]]


def _has(found: Found, verdict: str, about: str, text: str) -> bool:
    """Return whether a line of this verdict says this, in its text or its remedy."""
    return any(
        each["verdict"] == verdict
        and each["about"] == about
        and text in each["text"] + " -> " + each["remedy"]
        for each in found
    )


def test_a_good_set_up_is_found_good(tmp_path: Path) -> None:
    """Each id has its line with name and state, and the exit status is 0."""
    tasks = (SimTask("a", "web-01", copied=250e9), SimTask("b", "db-01", synchronises=True))
    with a_day(tmp_path, *tasks) as day:
        status, found = day.check()
    assert status == 0, found
    assert {each["verdict"] for each in found} == {"ok", "note"}
    for about, text in (
        ("settings", "watching 2 tasks"),
        ("clock", "agrees"),
        ("keys", "accepted"),
        ("task", "a web-01: RUNNING, 50 %"),
        ("task", "b db-01: RUNNING"),
        ("topic", "night-watch exists"),
        ("subscriptions", "confirmed: 1 email"),
        ("journal", "can be read"),
        ("appending", "may write"),
    ):
        assert _has(found, "ok", about, text), (about, found)


@pytest.mark.parametrize("on_obs", [True, False])
def test_looking_changes_nothing(tmp_path: Path, on_obs: bool) -> None:
    """No start, no message, no write: not even the directory of the journal is made."""
    with a_day(tmp_path, SimTask("a", "web-01")) as day:
        day.world.fail("a", LINE_LOST, obstacle=False)
        if on_obs:
            day.keep_journal_on_obs()
        day.deploy()
        day.check_function()
        assert set(day.cloud.calls) <= LOOKING
        assert (day.world.starts, day.world.inbox, day.world.violations) == ([], [], [])
        assert not day.journal.exists()
        assert not day.cloud.storage.buckets


def _no_subscription(day: Day) -> None:
    day.cloud.subscriptions.clear()


def _unconfirmed(day: Day) -> None:
    day.cloud.subscriptions.append(Subscription("sms", "+4915100000042", 0))


def _cancelled(day: Day) -> None:
    day.cloud.subscriptions.append(Subscription("https", "https://u:p@hook.example.com/T0KEN", 3))


def _setting(name: str, text: str) -> Callable[[Day], None]:
    def change(day: Day) -> None:
        day.texts[name] = text

    return change


def _fault(operation: str, status: int, code: str) -> Callable[[Day], None]:
    def change(day: Day) -> None:
        body = f'{{"error_code": "{code}", "error_msg": "no"}}'
        day.cloud.faults.add(operation, Fault(status, body), 9)

    return change


def _skewed(minutes: float) -> Callable[[Day], None]:
    def change(day: Day) -> None:
        day.cloud.skew = timedelta(minutes=minutes)

    return change


def _bucket(kind: str = "standard", region: str = "ap-southeast-3") -> Callable[[Day], None]:
    return lambda day: day.own_bucket(kind, region)


def _named_bucket(day: Day) -> None:
    day.keep_journal_on_obs(f"obs://{BUCKET}/watch")


def _unseen_bucket(day: Day) -> None:
    day.own_bucket()
    day.cloud.storage.allowed = frozenset({"get"})


def _journal_in_a_file(day: Day) -> None:
    (day.place / "file").write_text("", encoding="utf-8")
    day.texts["JOURNAL_URI"] = (day.place / "file" / "journal").as_uri()


def _damaged(day: Day) -> None:
    day.journal.mkdir()
    (day.journal / f"journal-{SYSTEM_CLOCK.now():%Y%m%d}.jsonl").write_bytes(b"{}\n")


def _failed(code: str) -> Callable[[Day], None]:
    return lambda day: day.world.fail("a", code)


def _failed_with_starts_off(day: Day) -> None:
    day.texts["RESUME_MAX_ATTEMPTS"] = "0"
    day.world.fail("a", LINE_LOST)


def _pause(day: Day) -> None:
    day.world.pause("a")


def _disconnect(day: Day) -> None:
    day.world.tasks["a"].connected = False


@pytest.mark.parametrize(
    ("change", "status", "verdict", "about", "text"),
    [
        (_no_subscription, 2, "failed", "subscriptions", "nobody gets a message"),
        (_unconfirmed, 1, "warning", "subscriptions", "sms ...042 is not confirmed"),
        (
            _cancelled,
            1,
            "warning",
            "subscriptions",
            "https://hook.example.com/... has unsubscribed",
        ),
        (_setting("SMN_TOPIC_URN", TOPIC + "s"), 2, "failed", "topic", "no such topic"),
        (_fault("show_topic", 403, "SMN.0001"), 1, "warning", "topic", "smn:topic:get"),
        (_fault("list_subscriptions", 403, "SMN.0001"), 1, "warning", "subscriptions", "grant"),
        (_fault("list_subscriptions", 200, "no"), 2, "failed", "subscriptions", "no, HTTP 200"),
        (_fault("show_topic", 500, "SMN.0016"), 2, "failed", "topic", "try again"),
        (_setting("SMS_TASK_IDS", "a z"), 2, "failed", "task", "z: SMS has no such task"),
        (_fault("show_task", 403, "SMS.9004"), 2, "failed", "task", "sms:server:getTask"),
        (_fault("show_task", 429, "APIGW.0308"), 2, "failed", "task", "in a minute"),
        (_fault("show_task", 404, "APIGW.0101"), 2, "failed", "task", "correct SMS_REGION"),
        (
            _fault("show_task", 400, "SMS.1001"),
            2,
            "failed",
            "task",
            "SMS_ENDPOINT; if they are right",
        ),
        (_setting("HUAWEICLOUD_SDK_SK", "wrong" * 8), 2, "failed", "keys", "correct HUAWEI"),
        (_skewed(20), 2, "failed", "clock", "s behind the service's -> SMS refuses"),
        (_skewed(20), 2, "failed", "keys", "-> the clock of this machine is 20 min behind the"),
        (_skewed(-5), 1, "warning", "clock", "s ahead of the service's -> beyond 15"),
        (_setting("DRY_RUN", "true"), 1, "warning", "settings", "DRY_RUN is on"),
        (_setting("SMS_TASK_ID", "a"), 1, "warning", "settings", "did you mean SMS_TASK_IDS?"),
        (_setting("RESUME_MAX_ATTEMPTS", "0"), 0, "note", "right to start", "switched off"),
        (_journal_in_a_file, 2, "failed", "journal", "could not be read"),
        (_journal_in_a_file, 2, "failed", "appending", "cannot be written"),
        (_damaged, 1, "warning", "journal", "1 line cannot be used"),
        (_failed(LINE_LOST), 0, "note", "task", "If it keeps failing, check the network"),
        (_failed_with_starts_off, 1, "warning", "task", "-> Press Start in the SMS console. If"),
        (_failed(DISK_FULL), 1, "warning", "task", "press Start in the SMS console"),
        (_pause, 0, "note", "task", "left alone until somebody"),
        (_disconnect, 1, "warning", "task", "its agent is not connected"),
        (Day.keep_journal_on_obs, 0, "note", "appending", "obs:bucket:CreateBucket"),
        (_bucket(), 0, "note", "appending", "only appending would show"),
        (_bucket("parallel"), 2, "failed", "appending", "parallel file system"),
        (_bucket("archive"), 2, "failed", "appending", "of the class COLD"),
        (_bucket(region="cn-north-4"), 2, "failed", "appending", "set OBS_REGION"),
        (_named_bucket, 2, "failed", "appending", f"there is no bucket {BUCKET}"),
        (_unseen_bucket, 0, "note", "appending", "may not look at the bucket"),
    ],
)
def test_each_mistake_has_its_verdict(
    tmp_path: Path, change: Callable[[Day], None], status: int, verdict: str, about: str, text: str
) -> None:
    """A mistake, or what nobody tells, is said in one line with what to do."""
    with a_day(tmp_path) as day:
        change(day)
        got, found = day.check()
    assert _has(found, verdict, about, text), found
    assert got == status, found


def test_refused_keys_are_not_tried_on(tmp_path: Path) -> None:
    """A row of refusals locks a key, so after the first one nothing more is asked."""
    with a_day(tmp_path, *(SimTask(name, name) for name in "abcdef")) as day:
        day.texts["HUAWEICLOUD_SDK_SK"] = "wrong" * 8
        day.deploy()
        status, found = day.check("--function", URN, "--function-endpoint", day.server.url)
        # The clock is asked after without a key.
        assert day.cloud.calls == {"list_tasks": 1, "show_task": 1}
    assert status == 2
    assert _has(found, "note", "the rest", "refused keys could lock them")


def test_the_function_is_checked_when_it_is_named(tmp_path: Path) -> None:
    """One that is set up as the README asks is found good."""
    with a_day(tmp_path) as day:
        day.deploy()
        status, found = day.check_function()
    assert status == 0, found
    assert {each["verdict"] for each in found} == {"ok"}
    assert _has(found, "ok", "function", "woken by a timer: 1m")


@pytest.mark.parametrize(
    ("fields", "status", "verdict", "text"),
    [
        ({"timeout": 3}, 2, "failed", "runs are killed in the middle"),
        ({"timeout": 55}, 1, "warning", "set the timeout to 60 s"),
        ({"more": {"timeout": None}}, 0, "note", "timeout is unknown"),
        ({"instances": 400}, 1, "warning", "up to 400 instances"),
        ({"instances": -1}, 1, "warning", "no limit"),
        ({"instances": 0}, 2, "failed", "disabled"),
        ({"retries": 1}, 1, "warning", "retries of a failed run: 1"),
        ({"retries": None}, 1, "warning", "retries of a failed run: 1"),
        ({"failures_to": ""}, 1, "warning", "nobody hears of a run that fails"),
        ({"timer": ""}, 2, "failed", "no timer"),
        ({"timer": "DISABLED"}, 2, "failed", "switched off"),
        ({"agency": ""}, 2, "failed", "neither keys nor an agency"),
        (
            {"agency": "", "more": {"encrypted_user_data": "{}"}},
            2,
            "failed",
            "neither keys nor an agency",
        ),
        ({"more": {"handler": "main.handler"}}, 2, "failed", "index.handler"),
        ({"more": {"runtime": "Python3.6"}}, 1, "warning", "Python3.9"),
        ({"more": {"initializer_handler": ""}}, 0, "note", "no initializer"),
    ],
)
def test_each_mistake_in_the_function_has_its_verdict(
    tmp_path: Path, fields: Dict[str, Any], status: int, verdict: str, text: str
) -> None:
    """Timeout, instances, retries, destination, timer, keys: each has its line."""
    with a_day(tmp_path) as day:
        day.deploy(**fields)
        got, found = day.check_function()
    assert _has(found, verdict, "function", text), found
    assert got == status, found


def test_a_function_with_other_settings_is_found_out(tmp_path: Path) -> None:
    """What was checked here says little when the function has other settings: they are named."""
    with a_day(tmp_path) as day:
        day.deploy(variables={"SMS_TASK_IDS": "b"})
        status, found = day.check_function()
    assert status == 1
    assert _has(found, "warning", "function", "SMS_TASK_IDS, SMN_TOPIC_URN, JOURNAL_URI")


def test_open_keys_are_found_without_showing_them() -> None:
    """Keys that are not encrypted are a warning, and do not stand in it."""
    config = {"user_data": f'{{"HUAWEICLOUD_SDK_SK": "{KEY.secret}"}}', "xrole": "watch"}
    found = list(environment(config, {}))
    assert found[0].verdict is Verdict.WARNING
    assert not leaked(str(found))


@pytest.mark.parametrize(("status", "text"), [(403, "grant read access"), (404, "the URN")])
def test_a_function_that_cannot_be_seen_is_said_to_be(
    tmp_path: Path, status: int, text: str
) -> None:
    """Neither a missing right nor a missing function is taken for a good one."""
    with a_day(tmp_path) as day:
        day.cloud.faults.add("show_function", Fault(status, '{"error_code": "FSS.1"}'))
        got, found = day.check_function()
    assert got in (1, 2)
    assert text in found[-1]["remedy"]


def test_a_test_message_is_sent_only_when_asked_for(tmp_path: Path) -> None:
    """--send-test publishes one message, past the journal."""
    with a_day(tmp_path) as day:
        status, found = day.check("--send-test")
        assert (status, len(day.world.inbox)) == (0, 1)
        assert "test message" in day.world.inbox[0]["subject"]
        assert not day.journal.exists()
    assert _has(found, "ok", "test message", "published as message-1")


def test_a_test_message_that_is_refused_fails_the_check(tmp_path: Path) -> None:
    """The missing right is named."""
    with a_day(tmp_path) as day:
        _fault("publish", 403, "SMN.0001")(day)
        status, found = day.check("--send-test")
    assert status == 2
    assert _has(found, "failed", "test message", "grant smn:topic:publish")


def test_the_right_to_start_is_told_from_what_was_accepted(tmp_path: Path) -> None:
    """The service cannot be asked ahead; a start in the journal that was taken shows it."""
    now = SYSTEM_CLOCK.now()
    became = {"a": Start("20261124-0-0-start", Outcome.DONE)}
    ack = Entry(EntryType.ACK, now, "run-7", "n", starts=became)
    with a_day(tmp_path) as day:
        assert _has(day.check()[1], "note", "right to start", "sms:server:manageTask")
        day.journal.mkdir()
        lines = encode(snapshot(Memory(), now, "run-7", "m")) + encode(ack)
        (day.journal / f"journal-{now:%Y%m%d}.jsonl").write_bytes(lines)
        assert _has(day.check()[1], "ok", "right to start", "run run-7")


def test_every_task_of_the_account_is_counted(tmp_path: Path) -> None:
    """With * there is one line for all, and one for each that needs a look."""
    with a_day(tmp_path, SimTask("a", "web-01"), SimTask("b", "db-01")) as day:
        day.world.fail("b", DISK_FULL)
        day.texts["SMS_TASK_IDS"] = "*"
        status, found = day.check()
        assert _has(found, "ok", "tasks", "2 found by listing: 1 failed, 1 moving")
        assert [each["text"][:7] for each in found if each["about"] == "task"] == ["b db-01"]
        day.texts["SMS_TASK_NAMES"] = "nobody-*"
        assert _has(day.check()[1], "warning", "tasks", "SMS_TASK_NAMES")
    assert status == 1


@pytest.mark.parametrize(("status", "about"), [(401, "keys"), (403, "tasks")])
def test_a_list_that_is_refused_is_told(tmp_path: Path, status: int, about: str) -> None:
    """With * too the keys are judged, and the right that is missing is named."""
    with a_day(tmp_path) as day:
        day.texts["SMS_TASK_IDS"] = "*"
        day.cloud.faults.add("list_tasks", Fault(status, '{"error_code": "X"}'), 9)
        got, found = day.check()
    assert got == 2
    assert _has(found, "failed", about, f"HTTP {status}")


def test_endpoints_that_nobody_serves_are_named(tmp_path: Path) -> None:
    """What cannot be reached fails, and the settings that name it are told."""
    with a_day(tmp_path) as day:
        day.texts["SMS_ENDPOINT"] = day.texts["SMN_ENDPOINT"] = closed_port()
        status, found = day.check()
    assert status == 2
    assert _has(found, "failed", "clock", "SMS_ENDPOINT")
    assert _has(found, "note", "keys", "unknown")
    assert _has(found, "failed", "topic", "SMN_ENDPOINT")


def test_the_clock_is_asked_after_without_any_login(tmp_path: Path, netrc: str) -> None:
    """No key, and no password that happens to lie in .netrc for this host."""
    with serving(answer(401, "{}", "Date: Tue, 24 Nov 2026 00:00:00 GMT")) as server:
        with a_day(tmp_path) as day:
            day.texts["SMS_ENDPOINT"] = server.url
            assert _has(day.check()[1], "failed", "clock", "set the clock")
        assert b"authorization" not in server.requests[0].lower()
        assert netrc.encode() not in b"".join(server.requests)


def test_a_service_that_tells_no_time_is_no_good_clock(tmp_path: Path) -> None:
    """Without a Date the clock is not judged."""
    bare = "HTTP/1.1 401 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with serving(bare) as server, a_day(tmp_path) as day:
        day.texts["SMS_ENDPOINT"] = server.url
        assert _has(day.check()[1], "note", "clock", "unknown")


def test_something_in_place_of_obs_is_not_taken_for_it(tmp_path: Path) -> None:
    """A page that answers for OBS makes the check fail."""
    page = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with serving(page) as server, a_day(tmp_path) as day:
        day.keep_journal_on_obs()
        day.texts["OBS_ENDPOINT"] = server.url
        status, found = day.check()
    assert status == 2
    assert _has(found, "failed", "appending", "invalid answer")


def test_an_own_bucket_that_is_another_accounts_fails(tmp_path: Path) -> None:
    """Reading the journal already tells it."""
    with a_day(tmp_path) as day:
        day.keep_journal_on_obs()
        day.cloud.storage.buckets[OWN] = Bucket("ap-southeast-3", owner="them")
        status, found = day.check()
    assert status == 2
    assert _has(found, "failed", "journal", "AccessDenied")


def test_all_problems_of_the_settings_are_told(tmp_path: Path) -> None:
    """Wrong settings end the check with each problem, and status 2."""
    path = tmp_path / "my.env"
    path.write_text("SMS_TASK_IDS=a b!\nRESUME_MAX_ATTEMPTS=many\n", encoding="utf-8")
    result = call("check", "--env-file", str(path))
    assert result.exit_code == 2
    for name in ("SMS_TASK_IDS", "RESUME_MAX_ATTEMPTS", "SMN_TOPIC_URN", "HUAWEICLOUD_SDK_AK"):
        assert f"failed   settings        {name}" in result.output
    assert "not checked" in result.output


def test_the_lines_are_for_people(tmp_path: Path) -> None:
    """Each line begins with its verdict, what to do stands below, and a count ends it all."""
    with a_day(tmp_path) as day:
        _unconfirmed(day)
        result = day.call("check")
        _cancelled(day)
        assert day.call("check").output.endswith("2 warnings\n")
    assert result.exit_code == 1
    assert "ok       clock           agrees with the service's\n" in result.output
    assert "warning  subscriptions   sms ...042 is not confirmed\n" in result.output
    assert f"\n{' ' * 25}-> ask its owner to follow the link" in result.output
    assert result.output.endswith("1 warning\n")
    short = [line for line in result.output.splitlines() if str(tmp_path) not in line]
    assert max(map(len, short)) <= 100


@pytest.mark.parametrize(
    "options",
    [
        ["--function", "sms-watch"],
        ["--function", URN, "--function-endpoint", "http://fgs.example.com"],
        ["--function", URN, "--function-endpoint", "https://fgs.example.com/path"],
    ],
)
def test_options_that_make_no_sense_are_refused(options: List[str]) -> None:
    """One line says what is accepted, with status 2."""
    result = call("check", *options)
    assert result.exit_code == 2
    assert "is not accepted; give" in result.output


def test_a_state_that_is_not_known_is_a_warning() -> None:
    """A state invented next year is told as it is."""
    found = task(a_task(state="HIBERNATING"), Policy())
    assert (found.verdict, found.text) == (Verdict.WARNING, "a web-01: HIBERNATING")


def test_the_worst_verdict_counts() -> None:
    """Nothing found is well; a failure outdoes any number of warnings."""
    assert worst([]) is Verdict.OK
    rows = [Finding("", verdict, "") for verdict in (Verdict.FAILED, Verdict.WARNING)]
    assert worst(rows) is Verdict.FAILED


@pytest.mark.parametrize(
    ("protocol", "endpoint", "shown"),
    [
        ("email", "night@example.com", "n...@example.com"),
        ("https", "https://me:pass@hook.example.com/key?token=1", "https://hook.example.com/..."),
        ("sms", "+4915100000042", "...042"),
        ("functiongraph", "", "no address"),
    ],
)
def test_addresses_are_shown_as_their_owner_knows_them(
    protocol: str, endpoint: str, shown: str
) -> None:
    """A web hook's address is a secret, and people's addresses are theirs."""
    assert shown_address(protocol, endpoint) == shown


def test_lines_are_no_wider_than_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A narrow terminal gets narrow lines, and the terminal breaks none within a word."""
    monkeypatch.setenv("COLUMNS", "80")
    with a_day(tmp_path, SimTask("a", "web-01")) as day:
        day.world.fail("a", "SMS.0202")
        shown = day.call("check").output.splitlines()
    of_words = [line for line in shown if "/" not in line]  # a path is not broken
    assert 70 < max(map(len, of_words)) <= 80
