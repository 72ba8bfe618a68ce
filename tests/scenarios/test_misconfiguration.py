"""Mistakes of a first evening: each is said in words that name the place and the remedy.

They are played through the handler, ``invoke`` and ``check``, beside a failed task that would be
started if the mistake were not there.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import pytest

from index import handler
from simulated_cloud.buckets import Bucket
from simulated_cloud.context import LocalContext, timer_event
from simulated_cloud.shapes import task_body
from sms_watch import handler as handler_module
from sms_watch.clock import SYSTEM_CLOCK
from sms_watch.errors import WatchFailed
from tests.support.builders import LINE_LOST
from tests.support.canaries import draw, leaked
from tests.support.clouds import KEY, OWN, TOPIC
from tests.support.sessions import LOOKING, Day, a_day, call

pytestmark = pytest.mark.usefixtures("no_waiting")

LONGEST = 700  # characters; more is not read
PASSWORD = "hunter22"


class Mistake(NamedTuple):
    """What is done wrong, and the words of the error; ``checked`` where check has others."""

    what: str
    make: Callable[[Day], None]
    words: Tuple[str, ...]
    checked: Tuple[str, ...] = ()


def _set(**texts: str) -> Callable[[Day], None]:
    return lambda day: day.texts.update(texts)


def _without(name: str) -> Callable[[Day], None]:
    def make(day: Day) -> None:
        del day.texts[name]

    return make


def _bucket_of_others(day: Day) -> None:
    day.own_bucket()
    day.cloud.storage.buckets[OWN] = Bucket("ap-southeast-3", owner="them")


def _file_as_journal(day: Day) -> None:
    day.journal.write_text("", encoding="utf-8")


def _name_too_long(day: Day) -> None:
    day.texts["JOURNAL_URI"] = (day.place / ("x" * 300)).as_uri()


def _three_at_once(day: Day) -> None:
    day.texts.update({"SMS_TASK_IDS": "task_1", "SMN_TOPIC_URN": f"{TOPIC}:0a1b"})
    day.texts["RESUME_MAX_ATTEMPTS"] = "five"


SITES = "SMS_REGION (ap-southeast-3, or cn-north-4 on the Chinese site)"
MISTAKES = [
    Mistake(
        "ids that are none",
        _set(SMS_TASK_IDS="task_1;task_2, a https://sms/b"),
        ("SMS_TASK_IDS: 'task_1;task_2 https://sms/b' is not", "commas or spaces between them"),
    ),
    Mistake(
        "a subscription in place of the topic",
        _set(SMN_TOPIC_URN=f"{TOPIC}:0a1b2c3d4e5f"),
        ("SMN_TOPIC_URN: ", f"give {TOPIC}, the URN", "of a subscription"),
    ),
    Mistake(
        "a line break in a key",
        _set(HUAWEICLOUD_SDK_SK=KEY.secret[:20] + "\n" + KEY.secret[20:]),
        ("HUAWEICLOUD_SDK_SK: contains a space, a line break", "copy it again"),
    ),
    Mistake(
        "a key with its quotation marks",
        _set(HUAWEICLOUD_SDK_AK=f'"{KEY.access}"'),
        ("HUAWEICLOUD_SDK_AK: is in quotation marks", "give the key without"),
    ),
    Mistake(
        "a key in place of an id",
        _set(SMS_TASK_IDS=KEY.access),
        (
            "SMS_TASK_IDS: contains the key of HUAWEICLOUD_SDK_AK",
            "only in its own variable",
        ),
    ),
    Mistake(
        "a part of a key as the zone",
        _set(TIME_ZONE=KEY.secret[:30]),
        ("TIME_ZONE: '***' is not", "give a name such as Asia/Shanghai"),
    ),
    Mistake(
        "keys in the place of the journal",
        _set(JOURNAL_URI=f"obs://me:{PASSWORD}/bucket"),
        ("JOURNAL_URI: 'obs://.../bucket' is not", "give obs://bucket/prefix"),
    ),
    Mistake(
        "one key of the pair",
        _without("HUAWEICLOUD_SDK_SK"),
        ("HUAWEICLOUD_SDK_SK: is missing", "give both keys, or neither"),
    ),
    Mistake(
        "a region by its name",
        _set(SMS_REGION="singapore"),
        ("SMS_REGION: 'singapore' is not", "a region such as ap-southeast-3"),
    ),
    Mistake(
        "a region without SMS",
        _set(SMS_ENDPOINT="https://sms.invalid"),
        ("sms.invalid could not be reached", f"check the network, and {SITES}"),
    ),
    Mistake(
        "keys of the other site",
        _set(HUAWEICLOUD_SDK_AK=draw("the other site", 20)),
        (
            "HTTP 401",
            "correct HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK",
            f"belong to the site that {SITES}",
        ),
    ),
    Mistake(
        "an endpoint with a path",
        _set(SMS_ENDPOINT="https://sms.example.com/v3"),
        ("SMS_ENDPOINT: 'https://sms.example.com/v3' is not", "without a path"),
    ),
    Mistake(
        "an endpoint without TLS",
        _set(SMN_ENDPOINT=f"http://me:{PASSWORD}@smn.example.com"),
        ("SMN_ENDPOINT: 'http://...@smn.example.com' is not", "give https://", "this machine only"),
    ),
    Mistake(
        "a number in letters",
        _set(RESUME_MAX_ATTEMPTS="five"),
        ("RESUME_MAX_ATTEMPTS: 'five' is not", "a whole number from 0 to 100"),
    ),
    Mistake(
        "a bucket in another region",
        lambda day: day.own_bucket(region="cn-north-4"),
        ("HTTP 301", "in another region", "set OBS_REGION", "OBS_ENDPOINT if that is set"),
    ),
    Mistake(
        "a bucket of somebody else",
        _bucket_of_others,
        ("AccessDenied", "grant obs:object:GetObject", "a bucket of your own in JOURNAL_URI"),
    ),
    Mistake(
        "a file where the journal should be",
        _file_as_journal,
        ("Not a directory", "JOURNAL_URI names a directory"),
        ("is a file", "name another directory in JOURNAL_URI"),
    ),
    Mistake(
        "a journal where nothing can be kept",
        _set(JOURNAL_URI="file:///proc/sms_watch"),
        ("the journal in /proc/sms_watch could not be written", "JOURNAL_URI names a directory"),
        ("name another directory in JOURNAL_URI",),
    ),
    Mistake(
        "a journal whose name is too long",
        _name_too_long,
        ("could not be read: File name too long", "JOURNAL_URI names a directory"),
    ),
    Mistake(
        "a journal by a relative path",
        _set(JOURNAL_URI="file://journal"),
        ("JOURNAL_URI: 'file://journal' is not", "file:///directory with three slashes"),
    ),
    Mistake(
        "several at once",
        _three_at_once,
        ("SMS_TASK_IDS: ", "SMN_TOPIC_URN: ", "RESUME_MAX_ATTEMPTS: "),
    ),
]
each_mistake = pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: each.what)


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    """Return a day over a failed task that waits for its start."""
    with a_day(tmp_path) as made:
        made.world.fail("a", LINE_LOST, obstacle=False)
        yield made


def _wake(day: Day) -> Dict[str, Any]:
    return handler(timer_event(SYSTEM_CLOCK.now()), LocalContext(day.texts))


def _export(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set everything in the environment: a file has ideas of its own about quotation marks."""
    for name, text in day.texts.items():
        monkeypatch.setenv(name, text)


def _assert_harmless(day: Day, said: str) -> None:
    assert (day.world.starts, day.world.inbox, day.world.violations) == ([], [], [])
    assert set(day.cloud.calls) <= LOOKING
    kept = sorted(day.place.rglob("journal-*.jsonl"))
    said += "".join(path.read_text(encoding="utf-8") for path in kept)
    assert PASSWORD not in said
    assert not leaked(said)
    assert "Traceback" not in said
    assert "unforeseen" not in said


@each_mistake
def test_the_run_says_what_is_wrong_and_what_to_do(
    day: Day, capsys: pytest.CaptureFixture[str], mistake: Mistake
) -> None:
    """The run fails in a few words that name place and remedy, and has done and shown nothing."""
    mistake.make(day)
    with pytest.raises(WatchFailed) as caught:
        _wake(day)
    said = str(caught.value)
    assert all(words in said for words in mistake.words), said
    assert len(said) < LONGEST
    assert caught.value.__context__ is None
    _assert_harmless(day, said + repr(caught.value) + "".join(capsys.readouterr()))


@each_mistake
def test_invoke_says_the_same(day: Day, monkeypatch: pytest.MonkeyPatch, mistake: Mistake) -> None:
    """On one's own machine the run ends with the same words, and status 1."""
    mistake.make(day)
    _export(day, monkeypatch)
    result = call("invoke")
    assert result.exit_code == 1
    assert all(words in result.output for words in mistake.words), result.output
    _assert_harmless(day, result.output)


@each_mistake
def test_check_says_it_before_the_first_run(
    day: Day, monkeypatch: pytest.MonkeyPatch, mistake: Mistake
) -> None:
    """The check fails in words that name place and remedy, and goes on to its end."""
    mistake.make(day)
    _export(day, monkeypatch)
    result = call("check", "--json")
    assert result.exit_code == 2, result.output
    failed = [each for each in _found(result.output) if each["verdict"] == "failed"]
    said = "\n".join(f"{each['text']} -> {each['remedy']}" for each in failed)
    assert all(words in said for words in mistake.checked or mistake.words), said
    assert all(len(each["text"] + each["remedy"]) < LONGEST for each in failed)
    _assert_harmless(day, result.output)


def _found(output: str) -> List[Dict[str, str]]:
    found: List[Dict[str, str]] = json.loads(output)["findings"]
    return found


def _id_of_the_source(day: Day) -> str:
    (task,) = day.world.all()
    source_id: str = task_body(task, SYSTEM_CLOCK.now())["source_server"]["id"]
    return source_id


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        (lambda day: "0d5e7a34", "correct the id in SMS_TASK_IDS"),
        (lambda day: "web-01", "the name of a task: put the id of its task, a, into SMS_TASK_IDS"),
        (_id_of_the_source, "a source server: put the id of its task, a, into SMS_TASK_IDS"),
    ],
    ids=["of nothing", "name of a task", "of a server"],
)
def test_an_id_that_was_never_a_tasks_is_told_as_one(
    day: Day, wrong: Callable[[Day], str], meant: str
) -> None:
    """It is told once as gone and warned of in every run; check says which task is meant."""
    day.texts["SMS_TASK_IDS"] = wrong(day)
    status, found = day.check()
    assert status == 2
    assert any(meant in each["remedy"] for each in found if each["about"] == "task"), found
    for _ in range(2):
        warnings = " ".join(_wake(day)["warnings"])
        assert f"and none was ever seen: {day.texts['SMS_TASK_IDS']}; correct" in warnings
    assert day.world.starts == []
    assert len(day.world.inbox) == 1


def test_a_task_that_was_there_once_is_not_warned_of(day: Day) -> None:
    """Who deletes a task after its migration is told once, and then left in peace."""
    _wake(day)
    day.world.delete("a")
    assert [_wake(day)["warnings"] for _ in range(2)] == [[], []]


def test_a_topic_elsewhere_stops_no_start_and_what_is_open_is_told_after_all(day: Day) -> None:
    """The task is brought back, the error names the topic; the right one gets its own journal."""
    day.texts["SMN_TOPIC_URN"] = TOPIC.replace("ap-southeast-3", "eu-west-101")
    with pytest.raises(
        WatchFailed, match=r"correct SMN_TOPIC_URN .* the next run will send the message"
    ):
        _wake(day)
    assert (len(day.world.starts), day.world.inbox) == (1, [])
    day.texts["SMN_TOPIC_URN"] = TOPIC
    with pytest.raises(WatchFailed, match="name a new place in JOURNAL_URI"):
        _wake(day)
    day.texts["JOURNAL_URI"] += "/of-the-right-topic"
    assert [notice["kind"] for notice in _wake(day)["notices"]] == ["failed"]
    assert len(day.world.inbox) == 1


def test_white_space_around_a_key_is_no_mistake(day: Day) -> None:
    """A key that was copied with the end of its line is taken without it."""
    day.texts["HUAWEICLOUD_SDK_AK"] = f"  {KEY.access}\n"
    day.texts["HUAWEICLOUD_SDK_SK"] = f"{KEY.secret}\r\n"
    assert _wake(day)["counts"]["accepted"] == 1


def test_a_run_that_is_killed_has_said_why(
    day: Day, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default timeout of 3 s is warned of before anything is asked, for no summary follows."""

    def be_killed(*_: Any) -> Any:
        raise SystemExit

    monkeypatch.setenv("RUNTIME_TIMEOUT", "3")
    monkeypatch.setattr(handler_module, "execute", be_killed)
    with pytest.raises(SystemExit):
        _wake(day)
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["level"], line["event"]) == ("WARNING", "timeout")
    assert "is 3 s, too short for RUN_BUDGET_SECONDS (50): set the timeout to 60 s" in line["why"]


UNREAD = [
    ("DRYRUN", "DRY_RUN"),
    ("STALL_MINUTE", "STALL_MINUTES"),
    ("JOURNAL_URL", "JOURNAL_URI"),
    ("HUAWEICLOUD_SDK_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
]
each_unread = pytest.mark.parametrize(("name", "meant"), UNREAD, ids=[name for name, _ in UNREAD])


def _variables(day: Day, where: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the context of a run, with what is set in a file, here, or in FunctionGraph."""
    if where == "file":
        return LocalContext(day.texts)
    if where == "environment":
        _export(day, monkeypatch)
        return None
    # The names of encrypted variables are nowhere else (user manual, "preset parameters").
    monkeypatch.setenv("RUNTIME_USERDATA", json.dumps(day.texts))
    return SimpleNamespace(getUserData=day.texts.get)


@each_unread
@pytest.mark.parametrize("where", ["file", "environment", "encrypted"])
def test_a_run_warns_of_a_setting_that_nobody_reads(
    day: Day,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    name: str,
    meant: str,
) -> None:
    """In report and log, whatever the variables come from, in every run, without its value."""
    day.texts[name] = PASSWORD
    context = _variables(day, where, monkeypatch)
    for _ in range(2):
        report = handler(timer_event(SYSTEM_CLOCK.now()), context)
        assert _unread_in(report["warnings"]) == [_unread(name, meant)]
        said = capsys.readouterr().out
        summary = json.loads(said.splitlines()[-1])
        assert (summary["event"], summary["level"]) == ("run", "WARNING")
        assert _unread(name, meant) in summary["warnings"]
        assert PASSWORD not in said + str(report)


def _unread(name: str, meant: str) -> str:
    return f"{name} is not a setting of sms_watch; did you mean {meant}?"


def _unread_in(warnings: List[str]) -> List[str]:
    return [warning for warning in warnings if "is not a setting" in warning]


@each_unread
@pytest.mark.parametrize("in_file", [True, False], ids=["in a file", "in the environment"])
def test_every_command_warns_of_a_setting_that_nobody_reads(
    day: Day, monkeypatch: pytest.MonkeyPatch, in_file: bool, name: str, meant: str
) -> None:
    """Check, status, invoke and report, before somebody relies on what is not there."""
    day.texts[name] = PASSWORD
    if not in_file:
        _export(day, monkeypatch)
    call_it = day.call if in_file else call
    checked = call_it("check", "--json")
    assert checked.exit_code == 1
    found = [each for each in _found(checked.output) if "is not a setting" in each["text"]]
    assert [(each["about"], each["verdict"], each["remedy"]) for each in found] == [
        ("settings", "warning", f"did you mean {meant}?")
    ]
    status = call_it("status", "--json")
    assert _unread_in(json.loads(status.output)["remarks"]) == [_unread(name, meant)]
    page = str(day.place / "report.html")
    others = [call_it("status"), call_it("invoke"), call_it("report", "--out", page)]
    assert [result.exit_code for result in others] == [0, 0, 0]
    assert all(_unread(name, meant) in result.output for result in others)
    said = "".join(result.output for result in (checked, status, *others))
    assert PASSWORD not in said


def test_a_slip_in_a_required_name_is_told_with_what_is_missing(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why the setting is missing stands in the same error, for the run and for every command."""
    day.texts["SMS_TASK_ID"] = day.texts.pop("SMS_TASK_IDS")
    with pytest.raises(WatchFailed) as caught:
        _wake(day)
    said = [str(caught.value), *(day.call(name).output for name in ("status", "invoke", "check"))]
    for each in said:
        text = " ".join(each.split())
        assert "SMS_TASK_IDS: is missing" in text
        assert "SMS_TASK_ID is not a setting of sms_watch" in text
        assert "did you mean SMS_TASK_IDS?" in text


def test_a_slip_in_the_functions_own_settings_is_found(day: Day) -> None:
    """The check of a function looks at the names that it has, not only at those here."""
    shown = {name: text for name, text in day.texts.items() if "_SDK_" not in name}
    day.deploy(variables={**shown, "DRYRUN": "true"})
    _, found = day.check_function()
    remedies = [each["remedy"] for each in found if each["verdict"] == "warning"]
    assert remedies == ["did you mean DRY_RUN?"]
