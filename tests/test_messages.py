"""Messages: what people read, and the limits of what carries it."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, List, Optional, Tuple

import builders
import pytest
from builders import NOW, a_task, varied
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.adapters.smn import structure
from sms_watch.messages.compose import MAX_MESSAGE, MAX_SUBJECT, RunContext, compose
from sms_watch.model.notice import Action, DigestRow, Kind, Message, Notice, Outcome, Reason, Start
from sms_watch.model.task import ErrorClass, Progress
from sms_watch.text import bar, clean

CONTEXT = RunContext("run-1", NOW, timezone(timedelta(hours=8)), "https://console.example/sms/")
ABOUT_WATCH = {Kind.BLIND, Kind.SEES_AGAIN, Kind.MEMORY_LOST, Kind.TEST, Kind.DIGEST}


def a_start(outcome: Outcome = Outcome.DONE, detail: str = "") -> Start:
    """Return a start of which this is known."""
    return Start("20261124-0-0-start", outcome, detail)


def a_notice(kind: Kind = Kind.FAILED, **flat: Any) -> Notice:
    """Return a notice about a task that failed on a lost line and was sent a start."""
    usual = {
        "event_id": f"20261124-0-{kind}",
        "task": a_task(
            id="7a9c",
            name="db-01",
            source="db-src (192.0.2.4)",
            target="db-dst (198.51.100.3)",
            progress=Progress(5, 52, None, "MIGRATE_LINUX_FILE"),
            speed=120.4,
        ),
        "error_class": ErrorClass.TRANSIENT,
        "action": Action.START,
        "reason": Reason.MENDABLE,
        "number": 1,
        "next_try": NOW + timedelta(minutes=2),
        "start": a_start(),
    }
    return builders.a_notice(kind, **{**usual, **flat})


def _message(*notices: Notice) -> Message:
    return compose(notices, CONTEXT)


def _web(message: Message) -> List[Any]:
    told: List[Any] = json.loads(message.web)["notices"]
    return told


def test_a_failed_task_in_full() -> None:
    """A message tells name, servers, error, progress, starts, times with offset, and event."""
    message = _message(a_notice())
    assert message.subject == (
        "sms_watch warning: db-01 failed (SMS.0807) and was restarted - 20261124-0-failed"
    )
    error = message.email.split("Error        ")[1].split("\n")[0]
    advice = message.email.split("If it lasts  ")[1].split("\n")[0]
    assert message.email == (
        "db-01 failed (SMS.0807) and was restarted\n"
        "-----------------------------------------\n"
        f"Seen failed (MIGRATE_FAIL) at {_local()}. Restart accepted (attempt 1). You will hear"
        " from us once it is running again.\n"
        "  Task         db-01, 7a9c\n"
        "  Servers      db-src (192.0.2.4) -> db-dst (198.51.100.3)\n"
        f"  Error        {error}\n"
        f"  If it lasts  {advice}\n"
        "  Progress     [##########..........] 52 %, MIGRATE_LINUX_FILE\n"
        f"  Restarts     1 so far; next not before {_local(2)}\n"
        "  Event        20261124-0-failed\n"
        "\n"
        "SMS console: https://console.example/sms/\n"
        f"Sent by sms_watch at {_local()}, run run-1.\n"
    )
    assert error.startswith("SMS.0807: ")
    assert len(advice) > 20


def _local(minutes: int = 0) -> str:
    moment = (NOW + timedelta(minutes=minutes)).astimezone(CONTEXT.zone)
    return f"{moment:%Y-%m-%d %H:%M} +08:00"


def test_the_last_start_has_no_next_try() -> None:
    """When no more starts follow, none is promised."""
    email = _message(a_notice(number=5, cap=5, next_try=None)).email
    assert "  Restarts     5 of 5\n" in email


def test_progress_that_is_not_known_is_not_made_up() -> None:
    """A sub-task without a percentage shows a question mark, no sub-task shows nothing."""
    unknown = a_task(progress=Progress(2, None, None, "SSL_CONFIG"))
    assert "] ? %, SSL_CONFIG\n" in _message(a_notice(task=unknown)).email
    assert "Progress" not in _message(a_notice(task=a_task(progress=Progress()))).email


def test_failed_and_running_again_in_one_message_is_one_line() -> None:
    """A failure that is told late, of a task that runs again, has one heading, and both."""
    back = NOW + timedelta(minutes=1)
    message = _message(a_notice(), a_notice(Kind.RESUMED, at=back, since=NOW, start=None))
    assert message.subject.startswith(
        "sms_watch info: db-01 failed (SMS.0807) and is running again"
    )
    assert (
        f"Seen failed (MIGRATE_FAIL) at {_local()}. Restart accepted (attempt 1). Seen running"
        f" again at {_local(1)}, 1 min after it was first seen failed.\n"
    ) in message.email
    assert message.email.count("---\n") == 1
    assert len(_web(message)) == 2


def test_the_worst_task_is_named_and_the_others_counted() -> None:
    """The subject names what needs a person first, however many other tasks there are."""
    others = [
        a_notice(task=a_task(id=f"t{number}", name=f"web-{number}"), event_id=f"e{number}")
        for number in range(3)
    ]
    worst = a_notice(Kind.NEEDS_PERSON, reason=Reason.NOT_MENDABLE)
    message = _message(*others, worst)
    assert message.subject.startswith(
        "sms_watch critical: db-01 needs attention (SMS.0807), and 3 more"
    )
    assert message.email.startswith("db-01 needs attention")


def test_tasks_that_matter_alike_keep_the_order_in_which_they_are_watched() -> None:
    """Fifty tasks are told as web-0, web-1, web-2, and not as web-0, web-1, web-10."""
    names = [f"web-{number}" for number in range(50)]
    told = [
        a_notice(task=a_task(id=name, name=name), event_id=f"20261124-4711-{number}")
        for number, name in enumerate(names)
    ]
    assert [each["task_id"] for each in _web(_message(*told))] == names


def test_a_failure_of_a_task_that_runs_again_is_not_the_worst() -> None:
    """What has mended itself stands below what still needs a person."""
    mended = a_task(id="a", name="mended")
    message = _message(
        a_notice(Kind.NEEDS_PERSON, task=mended, event_id="1"),
        a_notice(Kind.RESUMED, task=mended, event_id="2", at=NOW + timedelta(minutes=1)),
        a_notice(Kind.PAUSED, task=a_task(id="b", name="resting", code=""), event_id="3"),
    )
    assert message.subject.startswith("sms_watch info: resting is paused")


@pytest.mark.parametrize(
    ("outcome", "heading", "sentence"),
    [
        (Outcome.DONE, " and was restarted", "Restart accepted (attempt 1 of 5)"),
        (Outcome.REFUSED, "; restart refused", "refused to restart it (HTTP 403). Next try at"),
        (Outcome.FAILED, "; restart not sent", "could not be sent (HTTP 403). Next try at"),
        (Outcome.UNKNOWN, "; restart not confirmed", "(attempt 1 of 5) but did not answer (HTTP"),
        (Outcome.SKIPPED, "; restart pending", "Not restarted in this run (HTTP 403)."),
        (None, "", "08:03 +08:00.\n"),
    ],
)
def test_what_is_known_of_a_start_is_said(outcome: Any, heading: str, sentence: str) -> None:
    """An accepted start, a refused one and one without an answer are told apart."""
    start = a_start(outcome, "HTTP 403") if outcome else None
    email = _message(a_notice(start=start, cap=5)).email
    assert email.startswith(f"db-01 failed (SMS.0807){heading}\n")
    assert sentence in email


@pytest.mark.parametrize("detail", ["", "start task 7a9c: " + "x" * 100])
def test_a_refused_start_is_told_with_what_is_known_of_it(detail: str) -> None:
    """The answer stands in brackets, at some length; without one there are none."""
    start = a_start(Outcome.REFUSED, detail)
    email = _message(a_notice(start=start, next_try=None)).email
    shown = f" ({detail})" if detail else ""
    assert f"SMS refused to restart it{shown}. Next try in the next run.\n" in email


def test_a_failure_that_is_not_started_says_no_more() -> None:
    """Where nothing is done about a failure, its heading promises nothing."""
    notice = a_notice(action=Action.NONE, reason=Reason.NOT_MENDABLE, start=None)
    assert _message(notice).email.startswith("db-01 failed (SMS.0807)\n")


@pytest.mark.parametrize(
    ("code", "shown"),
    [("SMS.0807", " (SMS.0807)"), ("SMS.0807-and-more", " (SMS.0807-...)"), ("?", ""), ("", "")],
)
def test_only_what_looks_like_a_code_is_shown_as_one(code: str, shown: str) -> None:
    """A code is short and begins with SMS; anything else is no part of a heading."""
    message = _message(a_notice(task=a_task(code=code)))
    assert message.email.startswith(f"web-01 failed{shown} and was restarted\n")
    assert _web(message)[0]["code"] == (shown.strip(" ()") or code)


@pytest.mark.parametrize(
    ("source", "target", "shown"),
    [("a", "", "a -> unknown"), ("", "b", "unknown -> b"), ("a", "b", "a -> b"), ("", "", None)],
)
def test_a_server_that_is_not_known_is_called_so(source: str, target: str, shown: Any) -> None:
    """Of source and target each may be unknown; of two unknown ones nothing is said."""
    email = _message(a_notice(task=a_task(source=source, target=target))).email
    assert (f"  Servers      {shown}\n" in email) is (shown is not None)
    assert ("Servers" in email) is (shown is not None)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason.GRACE, "may recover by itself"),
        (Reason.DISCONNECTED, "source is offline. The task will be restarted once it is back"),
        (Reason.BACKOFF, "It will be restarted at"),
        (Reason.RUN_LIMIT, "its turn comes next"),
        (Reason.THROTTLED, "SMS limits how many calls the account makes"),
    ],
)
def test_why_a_failed_task_waits_is_said(reason: Reason, sentence: str) -> None:
    """A task that is not started at once comes with the reason and the moment."""
    email = _message(a_notice(action=Action.WAIT, reason=reason, start=None)).email
    assert email.startswith("db-01 failed (SMS.0807); restart pending\n")
    assert sentence in email


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason.NOT_MENDABLE, "Restarting will not fix this; someone has to act."),
        (Reason.ATTEMPTS_SPENT, "5 restarts have not helped, and no more will be tried"),
        (Reason.STARTS_OFF, "RESUME_MAX_ATTEMPTS is 0"),
        (Reason.ROLLED_BACK, "was rolled back"),
        (Reason.BACKOFF, "It keeps being retried, but please investigate."),
        (Reason.LONGEST_WAIT, "It keeps being retried, but"),
    ],
)
def test_why_a_person_is_needed_is_said(reason: Reason, sentence: str) -> None:
    """A call for a person says whether the watchdog has given up."""
    notice = a_notice(Kind.NEEDS_PERSON, action=Action.NONE, reason=reason, number=5, cap=5)
    assert sentence in _message(notice).email


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words(kind: Kind) -> None:
    """Every notice has a heading, a sentence and its event id in all forms of a message."""
    notice = a_notice(kind, since=NOW - timedelta(minutes=3), detail="HTTP 503")
    message = _message(replace(notice, task=None) if kind in ABOUT_WATCH else notice)
    told = _web(message)[0]
    assert told["kind"] == kind
    assert told["level"] == notice.level
    assert len(told["text"]) > 20
    # The counts of a digest are in the heading of the e-mail, and advice is in its table.
    said = re.split(r"(?<=\.) ", told["text"])[kind is Kind.DIGEST :]
    assert all(sentence in message.email for sentence in said)
    assert notice.event_id in message.email
    assert notice.event_id in message.subject
    assert message.short.startswith("sms_watch: ")
    assert message.event_ids == (notice.event_id,)


def test_what_a_web_hook_gets() -> None:
    """The text for web hooks is JSON of version 1, with the facts of each notice."""
    told = json.loads(_message(a_notice()).web)
    assert (told["version"], told["run"]) == (1, "run-1")
    assert {name: value for name, value in told["notices"][0].items() if name != "text"} == {
        "event_id": "20261124-0-failed",
        "kind": "failed",
        "level": "warning",
        "task_id": "7a9c",
        "task_name": "db-01",
        "state": "MIGRATE_FAIL",
        "code": "SMS.0807",
        "at": NOW.isoformat().replace("+00:00", "Z"),
    }


def test_the_structure_has_a_text_for_every_protocol() -> None:
    """What goes to SMN is a string of JSON with default, email, sms, http and https."""
    message = _message(a_notice())
    assert json.loads(structure(message)) == {
        "default": message.default,
        "email": message.email,
        "sms": message.short,
        "http": message.web,
        "https": message.web,
    }


def test_how_long_it_stood_still_is_said() -> None:
    """A task seen running again says how long after its failure."""
    notice = a_notice(Kind.RESUMED, since=NOW - timedelta(hours=26, minutes=5))
    assert "1 d 2 h after it was first seen failed" in _message(notice).email


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(59, "again at 2026-11-24 08:03 +08:00."), (60, ", 1 min after it was first seen failed.")],
)
def test_less_than_a_minute_is_not_said(seconds: int, said: str) -> None:
    """A task that is back within a minute is told without how long it stood."""
    notice = a_notice(Kind.RESUMED, since=NOW - timedelta(seconds=seconds))
    assert said in _message(notice).email


@pytest.mark.parametrize("detail", ["HTTP 503", "HTTP 503.", "needs a proxy for IPX", "in HEX..."])
def test_a_reason_ends_with_one_full_stop(detail: str) -> None:
    """However an answer ends, the sentence about it does so once, and loses no letter."""
    email = _message(a_notice(Kind.BLIND, task=None, detail=detail)).email
    assert f"Reason: {detail.strip('.')}. Every run tries again" in email


@pytest.mark.parametrize("kind", Kind)
def test_a_notice_without_its_task_is_told_all_the_same(kind: Kind) -> None:
    """What an older version owed about a task, and knows no more of, stops no message."""
    notice = a_notice(kind, task=None)
    message = _message(notice)
    assert notice.event_id in message.email
    assert "None" not in message.email + message.short + message.subject


def test_a_chat_robot_gets_what_fits() -> None:
    """The worst is told in full, the others in a line each, and those that do not fit counted."""
    message = _message(*_unlike(50))
    assert message.default.count("\n  Progress ") == 1
    lines = message.default.count("\n- x")
    assert 3 < lines < 49
    assert f"\n{49 - lines} more\n" in message.default
    assert message.default.endswith(CONTEXT.console)


@pytest.mark.parametrize("letter", ["x", "ü", "数", "🚀", '"', "\\"])
@pytest.mark.parametrize("number", [1, 2, 50])
def test_what_a_chat_robot_gets_is_short(letter: str, number: int) -> None:
    """No text for robots is longer than the pickiest of them takes, whatever its letters."""
    tasks = [
        a_task(id=f"t{n}", name=letter * 60, error_params=(letter * 200,)) for n in range(number)
    ]
    notices = [a_notice(task=task, event_id=f"{task.id}-{letter}") for task in tasks]
    message = _message(
        *notices, a_notice(Kind.DIGEST, task=None, rows=(DigestRow(tasks[0]),) * 100)
    )
    assert len(message.default.encode()) <= 2_000
    assert len(json.dumps(structure(message))) <= MAX_MESSAGE


def test_fifty_tasks_that_fail_for_fifty_reasons_are_told_in_full() -> None:
    """Each has a paragraph of its own."""
    message = _message(*_unlike(50))
    assert message.email.count("\n  Progress ") == 50


def test_what_is_too_large_shrinks_before_it_is_left_out() -> None:
    """Hundreds of tasks are all told, those that matter less in one line; thousands in parts."""
    message = _message(*_unlike(160))
    assert len(message.event_ids) == 160
    in_full = message.email.count("\n  Progress ")
    assert 10 < in_full < 160
    assert message.email.count("\n- x") == 160 - in_full
    cut = _message(*_unlike(2000))
    assert 100 < len(cut.event_ids) < 2000
    for large in (message, cut):
        assert 0.95 * MAX_MESSAGE < len(json.dumps(structure(large))) <= MAX_MESSAGE


@pytest.mark.parametrize("number", range(2, 15))
def test_a_short_text_names_as_many_as_fit(number: int) -> None:
    """Worst first, as many as 490 characters hold, to the last one; the others are counted."""
    lengths = set()
    for length in range(1, 60):
        names = [f"{index:02}{'x' * length}" for index in range(number)]
        tasks = (
            a_task(id=name, name=name, code=f"SMS.99{number:02}")
            for number, name in enumerate(names)
        )
        message = _message(*(a_notice(task=task) for task in tasks))
        texts = []
        for count in range(1, number + 1):
            said = [
                f"{name} failed (SMS.99{place:02}) and was restarted"
                for place, name in enumerate(names[:count])
            ]
            said += [f"{number - count} more"] if count < number else []
            texts.append(f"sms_watch: {'; '.join(said)}. {_local()}")
        assert message.short == [text for text in texts if len(text) <= 490][-1]
        lengths.add(len(message.short))
    # Some text of nine tasks or more fills it to the last letter.
    assert number < 9 or 490 in lengths


@pytest.mark.parametrize(
    ("offset", "shown"),
    [
        (timedelta(hours=5, minutes=45), "05:48 +05:45"),
        (-timedelta(hours=3, minutes=30), "20:33 -03:30"),
        (timedelta(hours=5, minutes=45, seconds=12), "05:48 +05:45"),
    ],
)
def test_times_come_with_their_offset(offset: timedelta, shown: str) -> None:
    """Hours and minutes from UTC, also where a zone once counted seconds."""
    message = compose([a_notice()], replace(CONTEXT, zone=timezone(offset)))
    assert message.short.endswith(shown)


def test_a_web_hook_gets_times_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the function runs, and whatever zone people read in."""
    monkeypatch.setenv("TZ", "XST-8")
    time.tzset()
    try:
        at = _web(_message(a_notice(at=NOW.astimezone(CONTEXT.zone))))[0]["at"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert at == "2026-11-24T00:03:00Z"


def test_a_subject_is_cut_at_a_letter() -> None:
    """Wherever 511 bytes end, no part of a letter is left over."""
    for shift in range(4):
        states = [f"{'x' * shift}{letter * 20}" for letter in "数据库迁移任务一"]
        rows = tuple(DigestRow(a_task(id=state, state=state)) for state in states)
        subject = _message(a_notice(Kind.DIGEST, task=None, rows=rows)).subject
        assert 508 <= len(subject.encode("utf-8")) <= 511
        assert "\ufffd" not in subject


def test_a_task_with_a_long_history_is_told_in_parts() -> None:
    """Thousands of notices owed about one task never make a message that SMN would refuse."""
    owed = [a_notice(event_id=f"e{number}") for number in range(3000)]
    message = _message(*owed)
    assert 20 <= len(message.event_ids) < 3000
    assert len(json.dumps(structure(message))) <= MAX_MESSAGE


@pytest.mark.parametrize("letter", ["x", "数", "😀", '"', "\\"])
@pytest.mark.parametrize("kind", Kind)
def test_no_letter_makes_a_message_too_large(kind: Kind, letter: str) -> None:
    """However often it is escaped, notices about one task go out in as few parts as it takes."""
    task = a_task(
        name=letter * 64, state=letter * 64, code=f"SMS.{letter * 9}", error_params=(letter * 200,)
    )
    task = varied(task, progress=Progress(5, 50, None, letter * 64), source=letter * 64)
    refused = a_start(Outcome.REFUSED, letter * 200)
    about = {"task": task, "detail": letter * 400, "start": refused, "unread": letter * 200}
    owed = [a_notice(kind, event_id=f"20261124-{n}-0-{kind}", **about) for n in range(45)]
    context = replace(CONTEXT, run=letter * 64)
    for _ in range(6):
        message = compose(owed, context)
        assert len(json.dumps(structure(message))) <= MAX_MESSAGE
        assert message.event_ids
        owed = [each for each in owed if each.event_id not in message.event_ids]
        if not owed:
            return
    raise AssertionError(f"{len(owed)} notices are still owed after six messages")


@given(
    st.lists(st.text('😀"\\数x', min_size=1), min_size=1, max_size=5),
    st.lists(st.tuples(st.sampled_from(Kind), st.integers(0, 4)), min_size=1, max_size=60),
)
def test_any_mixture_of_letters_fits(words: List[str], said: List[Tuple[Kind, int]]) -> None:
    """A message is never above its limit, and never without a notice."""
    texts = [(word * 400)[:400] for word in words]
    notices = []
    for number, (kind, which) in enumerate(said):
        text = texts[which % len(texts)]
        task = a_task(id=f"t{which}", name=text, state=text[:64], error_params=(text,), source=text)
        start = a_start(Outcome.REFUSED, text)
        about = {"task": None if kind in ABOUT_WATCH else task, "detail": text, "start": start}
        notices.append(a_notice(kind, event_id=f"{number}-{kind}", **about))
    message = compose(notices, replace(CONTEXT, run=texts[0]))
    assert len(json.dumps(structure(message))) <= MAX_MESSAGE
    assert message.event_ids
    assert set(message.event_ids) <= {each.event_id for each in notices}


def _many(number: int, **flat: Any) -> Tuple[Notice, ...]:
    """Return failures of as many tasks on one lost line."""
    return tuple(
        a_notice(
            task=a_task(name="x" * 55 + f"-{index:04}", id=f"t{index}", progress=Progress(5, 52)),
            **{"event_id": f"20261124-123456-{index}", **flat},
        )
        for index in range(number)
    )


def _unlike(number: int) -> Tuple[Notice, ...]:
    """Return failures of as many tasks, each for another reason."""
    return tuple(
        replace(notice, task=varied(notice.task, code=f"SMS.{9_999 - index}"))
        for index, notice in enumerate(_many(number))
    )


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from('[]【】\r\n\t\x00\u202e\u2028数😀"\\')), max_size=600
)


NAMES = st.one_of(HOSTILE, st.text("数据库😀خادمé", min_size=60, max_size=80))


@st.composite
def _any_notice(draw: Any) -> Notice:
    """Give a notice of any kind, with texts from outside wherever there are some."""
    kind, name, detail = draw(st.sampled_from(Kind)), draw(NAMES), draw(HOSTILE)
    task = a_task(
        id=f"t{draw(st.integers(0, 5))}",
        name=name,
        state=draw(st.sampled_from(["MIGRATE_FAIL", "RUNNING", "SYNCING", name[:40]])),
        code=draw(st.sampled_from(["SMS.0807", "?", "", "SMS." + detail])),
        error_params=(detail,),
        source=detail,
        target=name,
        progress=Progress(5, draw(st.none() | st.integers(0, 100)), None, name),
        remaining=draw(st.none() | st.integers(0, 366 * 24 * 3600)),
        connected=draw(st.sampled_from([True, False, None])),
    )
    still = draw(st.none() | st.just(NOW))
    return a_notice(
        kind,
        task=None if kind in ABOUT_WATCH else task,
        detail=detail,
        error_class=draw(st.none() | st.sampled_from(ErrorClass)),
        action=draw(st.sampled_from(Action)),
        reason=draw(st.none() | st.sampled_from(Reason)),
        start=draw(st.none() | st.builds(a_start, st.sampled_from(Outcome), st.just(detail))),
        since=draw(st.none() | st.just(NOW - timedelta(hours=7))),
        count=draw(st.integers(0, 7)),
        rows=(DigestRow(task, 3, 7200.0, still),) * draw(st.sampled_from([0, 1, 100])),
        more=draw(st.integers(0, 2000)),
    )


@given(st.lists(_any_notice(), min_size=1, max_size=8), HOSTILE)
def test_any_text_from_outside_fits_every_limit(said: List[Notice], run: str) -> None:
    """Whatever names and errors hold, the limits of SMN are kept and the text is clean."""
    notices = [replace(notice, event_id=str(index)) for index, notice in enumerate(said)]
    message = compose(notices, replace(CONTEXT, run=run))
    assert len(message.subject.encode("utf-8")) <= MAX_SUBJECT
    assert "\n" not in message.subject
    assert len(message.short) <= 490
    assert not set("[]【】") & set(message.short)
    assert len(json.dumps(structure(message))) <= MAX_MESSAGE
    assert sorted(message.event_ids) == sorted(notice.event_id for notice in notices)
    told = "".join(each["text"] for each in _web(message))
    for text in (message.subject, message.email.replace("\n", ""), message.short, told):
        text.encode("utf-8")
        assert not [letter for letter in text if unicodedata.category(letter)[0] == "C"]


@pytest.mark.parametrize(
    "name",
    [
        "数据库迁移任务" * 20,
        "pelayan pangkalan data " * 20,
        "خادم قاعدة البيانات " * 20,
        "🚀" * 200,
    ],
    ids=["Chinese", "Malay", "Arabic", "emoji"],
)
def test_long_names_of_any_writing_fit(name: str) -> None:
    """A subject is cut at a character, and a digest of a hundred such tasks fits or shrinks."""
    task = a_task(name=name, progress=Progress(5, 52, None, name), source=name, target=name)
    digest = a_notice(Kind.DIGEST, task=None, event_id="d", rows=(DigestRow(task),) * 100)
    message = _message(a_notice(task=task), digest, a_notice(Kind.REMINDER, task=task, count=6))
    assert name[:60].strip() in message.subject
    assert message.subject.endswith("20261124-0-failed")
    assert len(message.subject.encode("utf-8")) <= MAX_SUBJECT
    assert len(message.short) <= 490
    assert len(json.dumps(structure(message))) <= MAX_MESSAGE
    assert set(message.event_ids) == {"20261124-0-failed", "20261124-0-reminder", "d"}


def test_an_ending_ends_only_what_it_belongs_to() -> None:
    """An agent that is back, or a copy that moves, hides no failure and no other trouble."""
    running = a_task(state="RUNNING", code="")
    called = a_notice(Kind.NEEDS_PERSON, reason=Reason.BACKOFF)
    back = a_notice(Kind.CONNECTED)
    assert _message(called, back).subject.startswith("sms_watch critical: db-01 needs attention")
    assert "sms_watch info" in _message(a_notice(Kind.DISCONNECTED), back).subject
    moving = a_notice(Kind.MOVING, task=running, error_class=None)
    lost = a_notice(Kind.DISCONNECTED, task=running, error_class=None)
    assert _message(lost, moving).subject.startswith("sms_watch warning: web-01 lost contact with")
    stalled = a_notice(Kind.STALLED, task=running, error_class=None)
    assert _message(stalled, moving).subject.startswith("sms_watch info")
    paused = a_notice(Kind.PAUSED, at=NOW + timedelta(minutes=1))
    assert _message(called, paused).subject.startswith("sms_watch info: db-01 is paused")


def test_of_two_failures_the_newer_one_is_shown() -> None:
    """What was owed from an earlier run does not hide where the task stands now."""
    older = a_notice(event_id="1", number=1)
    newer = a_notice(event_id="2", number=2, at=NOW + timedelta(minutes=5))
    message = _message(older, newer)
    assert message.subject.endswith(" - 2")
    assert "  Restarts     2 so far" in message.email


def test_no_advice_speaks_of_starts_where_there_are_none() -> None:
    """With starting switched off, nothing is said to be started by itself."""
    notice = a_notice(action=Action.NONE, reason=Reason.STARTS_OFF, start=None)
    email = _message(notice).email
    assert (
        "What to do   Press Start in the SMS console. If it keeps failing, check the net" in email
    )
    assert "estarted" not in email


def test_a_long_digest_says_what_is_left_out() -> None:
    """Of more than a hundred tasks the rest is counted, and the sums say whose they are."""
    rows = tuple(DigestRow(a_task(id=f"t{n}", name=f"web-{n}"), 1) for n in range(100))
    message = _message(a_notice(Kind.DIGEST, task=None, rows=rows, more=7))
    assert message.email.startswith("digest of 107 tasks: 100 failed\n")
    assert "among the 100 tasks listed: 100 restarts" in message.email
    assert "\n  and 7 more\n" in message.email
    assert message.email.count("\n  web-") == 100


@pytest.mark.parametrize(
    ("text", "limit", "cleaned"),
    [
        ("  two   spaces ", 64, "two spaces"),
        ("a\tb\x00c\u200bd\u2028e\u00a0f", 64, "a b c d e f"),
        ("数据库 Zürich №1_CZ", 64, "数据库 Zürich №1_CZ"),
        ("数\t据", 64, "数 据"),
        ("x" * 64, 64, "x" * 64),
        ("x" * 65, 64, "x" * 61 + "..."),
        ("x" * 60 + " yyyy", 64, "x" * 60 + "..."),
        ("\x00" * 16 + "beyond", 4, ""),
        ("\x00" * 15 + "x", 4, "x"),
    ],
)
def test_what_cleaning_leaves_of_a_text(text: str, limit: int, cleaned: str) -> None:
    """One line of what can be seen; what stands beyond four times its limit is not looked at."""
    assert clean(text, limit) == cleaned


@given(HOSTILE, st.integers(4, 100))
def test_cleaning_cuts_at_a_character(text: str, limit: int) -> None:
    """A cleaned text is one line without invisible characters, and no longer than asked."""
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert cleaned == clean(cleaned, limit)
    assert not [letter for letter in cleaned if unicodedata.category(letter)[0] == "C"]


@pytest.mark.parametrize(("percent", "filled"), [(None, 0), (0, 0), (1, 1), (99, 99), (100, 100)])
def test_a_bar_is_as_full_as_its_task(percent: Optional[int], filled: int) -> None:
    """One that is not known, or at 0, is empty, however long it is."""
    assert bar(percent, 100) == f"[{'#' * filled}{'.' * (100 - filled)}]"
