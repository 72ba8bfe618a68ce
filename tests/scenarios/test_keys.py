"""Keys that come back from outside: where they may stand, and that they get no further.

They are played through the handler and the commands, with each kind of keys that a run may have.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence
from urllib.parse import quote

import pytest

from index import handler
from simulated_cloud import app
from simulated_cloud.buckets import StoredObject
from simulated_cloud.context import LocalContext, timer_event
from simulated_cloud.faults import Fault
from simulated_cloud.setup import Subscription
from simulated_cloud.shapes import task_body, task_page
from sms_watch.errors import WatchFailed
from sms_watch.journal.entries import encode, snapshot
from sms_watch.model.notice import Kind, Notice
from sms_watch.model.task import Task
from sms_watch.rules.record import Memory, TaskRecord
from tests.support.builders import DISK_FULL, LINE_LOST, NOW
from tests.support.canaries import leaked, secrets_of
from tests.support.clouds import KEY, KINDS_OF_KEYS, OWN, Night, a_night
from tests.support.sessions import Day, a_day

each_kind = pytest.mark.parametrize("kind", KINDS_OF_KEYS)
named_or_listed = pytest.mark.parametrize("ids", ["a", "*"])


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Return a night over one task that copies, with its journal on OBS."""
    with a_night(tmp_path) as made:
        made.keep_journal_on_obs()
        yield made


def _play(night: Night, ticks: int, **waking: Any) -> List[str]:
    """Wake the function some times; return what it answers and raises."""
    said: List[str] = []
    for _ in range(ticks):
        try:
            said.append(json.dumps(night.tick(**waking)))
        except WatchFailed as failure:
            said += [str(failure), repr(failure), repr(failure.__context__)]
    return said


def _put_out(night: Night, said: Sequence[str], capsys: pytest.CaptureFixture[str]) -> List[str]:
    """Return all that was put out: answers, log, messages, and the journal."""
    sent = [json.dumps(message, default=str) for message in night.world.inbox]
    kept = [each.data.decode() for each in night.storage.buckets[OWN].objects.values()]
    return [*said, *capsys.readouterr(), *sent, *kept]


# Errors


def _as_json(text: str) -> str:
    return json.dumps({"error_code": "APIGW.0301", "error_msg": f"key {text} is wrong", "k": text})


def _as_xml(text: str) -> str:
    return f"<Error><Code>AccessDenied</Code><Message>key {text} is wrong</Message></Error>"


WRITTEN: Sequence[Callable[[str], str]] = (str, quote, lambda text: text.replace("/", "&#x2F;"))


@each_kind
@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("show_task", _as_json),
        ("list_tasks", _as_json),
        ("list_servers", _as_json),
        ("start_task", _as_json),
        ("publish", _as_json),
        ("get_object", _as_xml),
        ("append_object", _as_xml),
    ],
)
def test_a_key_in_an_error_gets_no_further(
    night: Night,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    operation: str,
    body: Callable[[str], str],
) -> None:
    """It is in no log, report, message, exception or line of the journal, however it is written."""
    night.give_keys(kind)
    keys = night.keys
    if operation.startswith("list"):
        night.texts["SMS_TASK_IDS"] = "*"
    night.tick()
    said: List[str] = []
    for number, key in enumerate(keys):
        night.world.advance()
        night.world.fail("a", LINE_LOST, obstacle=False)
        echo = Fault(403, body(WRITTEN[number % len(WRITTEN)](key)))
        night.faults.add(operation, echo, times=3)
        said += _play(night, 3, minutes=20)
        night.faults.clear(operation)
    text = "\n".join(_put_out(night, said, capsys))
    assert text.count("key ***") >= len(keys)
    assert not leaked(text)


@each_kind
def test_a_key_in_the_answer_to_a_message_gets_no_further(
    night: Night, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """The id of a message is written down, and reported."""
    said: List[str] = []
    night.give_keys(kind)
    for key in night.keys:
        night.faults.add("publish", Fault(200, json.dumps({"message_id": key}), before=False))
        said += _play(night, 1, user_event="test")
    text = "\n".join(_put_out(night, said, capsys))
    assert '"published": "***"' in text
    assert '"message_id":"***"' in text
    assert not leaked(text)


# What a task says of itself


def _with_keys(body: Dict[str, Any], keys: Sequence[str]) -> Dict[str, Any]:
    """Put keys into every text of a task but its id."""
    access, secret, *others = keys
    error = json.loads(body["error_json"] or "{}")
    if error:
        error["error_param"] = json.dumps([f"agent.sh -sk={secret}", *others])
    return {
        **body,
        "name": f"agent --ak {access} --sk {secret}",
        "type": f"MIGRATE_{secret}",
        "error_json": json.dumps(error) if error else "",
        "sub_tasks": [{**each, "name": f"COPY {others or access}"} for each in body["sub_tasks"]],
        "subtask_info": f"{secret}-44",
        "source_server": {**body["source_server"], "name": secret, "ip": access},
        "target_server": {**body["target_server"], "name": quote(others[-1] if others else secret)},
    }


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Dict[str, Any]], Any]], None]:
    """Return what changes the body of each task that the simulated cloud sends."""

    def change(spoilt: Callable[[Dict[str, Any]], Any]) -> None:
        def listed(*asked: Any) -> Dict[str, Any]:
            page = task_page(*asked)
            return {**page, "tasks": [spoilt(row) for row in page["tasks"]]}

        monkeypatch.setattr(app, "task_body", lambda *asked: spoilt(task_body(*asked)))
        monkeypatch.setattr(app, "task_page", listed)

    return change


@each_kind
@named_or_listed
def test_a_key_in_what_a_task_says_gets_no_further(
    night: Night,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[..., None],
    kind: str,
    ids: str,
) -> None:
    """Names, error, sub-tasks and servers go into log, report, message and journal without it."""
    night.give_keys(kind)
    keys = night.keys
    night.texts["SMS_TASK_IDS"] = ids
    spoil(lambda body: _with_keys(body, keys))
    said = _play(night, 1)
    night.world.advance()
    night.world.fail("a", DISK_FULL, "/dev/vdb1", obstacle=True)
    said += _play(night, 3)
    said += _play(night, 1, user_event="report")
    night.world.delete("a")
    said += _play(night, 3)
    assert {notice["kind"] for notice in night.told} >= {"needs_person", "digest", "gone"}
    assert night.told[0]["task_name"] == "agent --ak *** --sk ***"
    assert not leaked(*_put_out(night, said, capsys))


@each_kind
@named_or_listed
def test_a_state_that_holds_a_key_is_one_state(
    night: Night,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[..., None],
    kind: str,
    ids: str,
) -> None:
    """What is remembered of it is what is read the next time, so it is told once."""
    night.give_keys(kind)
    key = night.keys[-1]
    night.texts["SMS_TASK_IDS"] = ids
    said = _play(night, 1)
    spoil(lambda body: {**body, "state": f"WAITING {key}"})
    said += _play(night, 4)
    assert [notice["kind"] for notice in night.told] == ["unknown_state"]
    assert not leaked(*_put_out(night, said, capsys))


# What is remembered


def _remember_keys(night: Night, *owed: Notice) -> str:
    """Put a line into the journal as it was written when nobody knew the key; return it."""
    night.tick()
    held = _newest(night)
    memory = Memory({"a": TaskRecord("RUNNING", NOW, NAME)}, {each.event_id: each for each in owed})
    held.data = encode(snapshot(memory, night.clock.now(), "run-0", "nonce"))
    return held.data.decode()


def _newest(night: Night) -> StoredObject:
    """Return the object of the journal that is written to."""
    return max(night.storage.buckets[OWN].objects.items())[1]


NAME = f"agent --sk {KEY.secret}"


def test_a_key_in_an_older_line_of_the_journal_gets_no_further(
    night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was only a text when it was written may be a key by now."""
    task = Task("a", NAME, "MIGRATE_SUCCESS")
    older = _remember_keys(night, Notice(Kind.FINISHED, NOW, "20261124-0-0-finished", task))
    night.world.delete("a")
    said = _play(night, 2)
    out = [text.replace(older, "") for text in _put_out(night, said, capsys)]
    assert [each["kind"] for each in night.told] == ["finished", "gone"]
    assert {each["task_name"] for each in night.told} == {"agent --sk ***"}
    assert not leaked(*out)


def test_a_key_in_an_older_line_of_the_journal_is_not_in_the_next_day(night: Night) -> None:
    """A day begins with all that is remembered."""
    _remember_keys(night)
    _play(night, 1, minutes=24 * 60, user_event="test")
    new = _newest(night)
    assert '"name":"agent --sk ***"' in new.data.decode()
    assert not leaked(new.data.decode())


# What wakes it


@pytest.mark.parametrize("text", ["snooze 8h {}", "snooze {} a", "snoze {}", "report {}"])
@pytest.mark.parametrize("key", [KEY.access, KEY.secret])
def test_a_key_in_the_timers_text_gets_no_further(
    night: Night, capsys: pytest.CaptureFixture[str], text: str, key: str
) -> None:
    """A command that cannot be followed is told in its own words."""
    reason = night.failing_tick(user_event=text.format(key))
    assert "the timer's user_event" in reason
    assert "***" in reason
    assert not leaked(*_put_out(night, [reason], capsys))


def test_a_key_as_the_id_of_a_request_gets_no_further(
    night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    """The id stands in log, report, message and journal."""
    context = LocalContext(night.texts, KEY.secret)
    event = timer_event(night.clock.now(), "test")
    report = handler(event, context, clock=night.clock)
    assert report["run"] == "***"
    assert len(night.world.inbox) == 1
    assert not leaked(*_put_out(night, [json.dumps(report)], capsys))


# The commands


@pytest.fixture
def day(tmp_path: Path, no_waiting: None) -> Iterator[Day]:
    """Return a day with a failed task, a run that has seen it, and a journal on OBS."""
    with a_day(tmp_path) as made:
        made.own_bucket()
        made.world.fail("a", DISK_FULL, obstacle=True)
        yield made


COMMANDS = (
    ["check"],
    ["check", "--json"],
    ["status"],
    ["status", "--json"],
    ["invoke"],
    ["report"],
)


def _outputs(day: Day, tmp_path: Path) -> Iterator[str]:
    """Call every command; return what each prints and writes."""
    page = tmp_path / "page.html"
    for command in COMMANDS:
        more = ["--out", str(page)] if command == ["report"] else []
        result = day.call(*command, *more)
        assert "Traceback" not in result.output
        yield result.output
    if page.exists():
        yield page.read_text(encoding="utf-8")


def test_no_command_shows_a_key_that_is_in_an_error(day: Day, tmp_path: Path) -> None:
    """Whichever service sends it back, and whether the command goes on or ends there."""
    assert day.call("invoke").exit_code == 0
    for operation in ("show_task", "show_topic", "list_subscriptions", "get_object", "head_bucket"):
        body = (_as_xml if "t_object" in operation else _as_json)(f"{KEY.access} {KEY.secret}")
        day.cloud.faults.add(operation, Fault(400, body), times=99)
        said = list(_outputs(day, tmp_path))
        day.cloud.faults.clear(operation)
        assert any("key ***" in text for text in said) or operation == "head_bucket"
        assert not leaked(*said)


def test_no_command_shows_a_key_that_a_task_says_or_the_journal_holds(
    day: Day, tmp_path: Path, spoil: Callable[..., None]
) -> None:
    """A page is made of the journal alone, whoever wrote there."""
    spoil(lambda body: _with_keys(body, secrets_of(KEY)))
    assert day.call("invoke").exit_code == 0
    for bucket in day.cloud.storage.buckets.values():
        for held in bucket.objects.values():
            held.data = held.data.replace(b"agent --ak ***", f"agent --ak {KEY.secret}".encode())
    said = list(_outputs(day, tmp_path))
    assert sum("agent --ak ***" in text for text in said) >= len(COMMANDS) - 1
    assert not leaked(*said)


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("https", "https://{}.example.com/x"),
        ("http", "http://hook.example.com:{}"),
        ("email", "night@{}"),
        ("{}", "x"),
    ],
)
@pytest.mark.parametrize("status", [0, 1, 3])
def test_check_shows_no_key_of_a_subscription(
    day: Day, protocol: str, endpoint: str, status: int
) -> None:
    """An address is shown in part; what is shown of it holds no key."""
    key = KEY.secret.replace("/", "")
    subscription = Subscription(protocol.format(key), endpoint.format(key), status)
    day.cloud.subscriptions.append(subscription)
    _, found = day.check()
    assert not leaked(json.dumps(found))


def test_a_command_that_is_refused_shows_no_part_of_a_key(day: Day, tmp_path: Path) -> None:
    """A setting that is wrong is shown, and may be a key that was copied into its place in part."""
    day.texts["TIME_ZONE"] = KEY.secret[3:]
    said = list(_outputs(day, tmp_path))
    assert all("TIME_ZONE: '***' is unknown " in " ".join(text.split()) for text in said)
    assert not leaked(*said)
