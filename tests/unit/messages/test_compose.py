"""Messages: what people read, and the limits of what carries it."""

from __future__ import annotations

import json
import time
import unicodedata
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.adapters.smn import structure
from sms_watch.messages.compose import MAX_MESSAGE, MAX_SUBJECT, compose
from sms_watch.model.forecast import End, Forecast
from sms_watch.model.notice import Action, DigestRow, Kind, Notice, Outcome, Reason
from sms_watch.model.task import ErrorClass, Progress
from tests.support.builders import NOW, a_task, varied
from tests.support.messages import (
    ABOUT_WATCH,
    CONTEXT,
    a_notice,
    a_start,
    message_of,
    shown_time,
    web_notices,
)


def test_a_failed_task_in_full() -> None:
    """A message tells name, servers, error, progress, starts, times with offset, and event."""
    message = message_of(a_notice())
    assert message.subject == (
        "sms_watch warning: db-01 failed (SMS.0807) and was restarted - 20261124-0-failed"
    )
    error = message.email.split("Error        ")[1].split("\n")[0]
    advice = message.email.split("If it lasts  ")[1].split("\n")[0]
    assert message.email == (
        "db-01 failed (SMS.0807) and was restarted\n"
        "-----------------------------------------\n"
        f"Seen failed (MIGRATE_FAIL) at {shown_time()}. Restart accepted (attempt 1). You will hear"
        " from us once it is running again.\n"
        "  Task         db-01, 7a9c\n"
        "  Servers      db-src (192.0.2.4) -> db-dst (198.51.100.3)\n"
        f"  Error        {error}\n"
        f"  If it lasts  {advice}\n"
        "  Progress     [##########..........] 52 %, MIGRATE_LINUX_FILE\n"
        f"  Restarts     1 so far; next not before {shown_time(2)}\n"
        "  Event        20261124-0-failed\n"
        "\n"
        "SMS console: https://console.example/sms/\n"
        f"Sent by sms_watch at {shown_time()}, run run-1.\n"
    )
    assert error.startswith("SMS.0807: ")
    assert len(advice) > 20


def test_what_a_web_hook_gets() -> None:
    """The text for web hooks is JSON of version 1, with the facts of each notice."""
    told = json.loads(message_of(a_notice()).web)
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
    message = message_of(a_notice())
    assert json.loads(structure(message)) == {
        "default": message.default,
        "email": message.email,
        "sms": message.short,
        "http": message.web,
        "https": message.web,
    }


def test_a_chat_robot_gets_what_fits() -> None:
    """The worst is told in full, the others in a line each, and those that do not fit counted."""
    message = message_of(*_unlike(50))
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
    message = message_of(
        *notices, a_notice(Kind.DIGEST, task=None, rows=(DigestRow(tasks[0]),) * 100)
    )
    assert len(message.default.encode()) <= 2_000
    assert len(json.dumps(structure(message))) <= MAX_MESSAGE


def test_fifty_tasks_that_fail_for_fifty_reasons_are_told_in_full() -> None:
    """Each has a paragraph of its own."""
    message = message_of(*_unlike(50))
    assert message.email.count("\n  Progress ") == 50


def test_what_is_too_large_shrinks_before_it_is_left_out() -> None:
    """Hundreds of tasks are all told, those that matter less in one line; thousands in parts."""
    message = message_of(*_unlike(160))
    assert len(message.event_ids) == 160
    in_full = message.email.count("\n  Progress ")
    assert 10 < in_full < 160
    assert message.email.count("\n- x") == 160 - in_full
    cut = message_of(*_unlike(2000))
    assert 100 < len(cut.event_ids) < 2000
    for large in (message, cut):
        assert 0.95 * MAX_MESSAGE < len(json.dumps(structure(large))) <= MAX_MESSAGE


@pytest.mark.slow
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
        message = message_of(*(a_notice(task=task) for task in tasks))
        texts = []
        for count in range(1, number + 1):
            said = [
                f"{name} failed (SMS.99{place:02}) and was restarted"
                for place, name in enumerate(names[:count])
            ]
            said += [f"{number - count} more"] if count < number else []
            texts.append(f"sms_watch: {'; '.join(said)}. {shown_time()}")
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
        at = web_notices(message_of(a_notice(at=NOW.astimezone(CONTEXT.zone))))[0]["at"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert at == "2026-11-24T00:03:00Z"


def test_a_subject_is_cut_at_a_letter() -> None:
    """Wherever 511 bytes end, no part of a letter is left over."""
    for shift in range(4):
        states = [f"{'x' * shift}{letter * 20}" for letter in "数据库迁移任务一"]
        rows = tuple(DigestRow(a_task(id=state, state=state)) for state in states)
        subject = message_of(a_notice(Kind.DIGEST, task=None, rows=rows)).subject
        assert 508 <= len(subject.encode("utf-8")) <= 511
        assert "\ufffd" not in subject


@pytest.mark.slow
def test_a_task_with_a_long_history_is_told_in_parts() -> None:
    """Thousands of notices owed about one task never make a message that SMN would refuse."""
    owed = [a_notice(event_id=f"e{number}") for number in range(3000)]
    message = message_of(*owed)
    assert 20 <= len(message.event_ids) < 3000
    assert len(json.dumps(structure(message))) <= MAX_MESSAGE


@pytest.mark.slow
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
    """Return a notice of any kind, with texts from outside wherever there are some."""
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
        forecast=Forecast(draw(st.none() | st.just(End(NOW, NOW, NOW, "a", task.name))), 9, 2, 3),
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
    told = "".join(each["text"] for each in web_notices(message))
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
    message = message_of(a_notice(task=task), digest, a_notice(Kind.REMINDER, task=task, count=6))
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
    assert message_of(called, back).subject.startswith("sms_watch critical: db-01 needs attention")
    assert "sms_watch info" in message_of(a_notice(Kind.DISCONNECTED), back).subject
    moving = a_notice(Kind.MOVING, task=running, error_class=None)
    lost = a_notice(Kind.DISCONNECTED, task=running, error_class=None)
    assert message_of(lost, moving).subject.startswith(
        "sms_watch warning: web-01 lost contact with"
    )
    stalled = a_notice(Kind.STALLED, task=running, error_class=None)
    assert message_of(stalled, moving).subject.startswith("sms_watch info")
    paused = a_notice(Kind.PAUSED, at=NOW + timedelta(minutes=1))
    assert message_of(called, paused).subject.startswith("sms_watch info: db-01 is paused")


def test_of_two_failures_the_newer_one_is_shown() -> None:
    """What was owed from an earlier run does not hide where the task stands now."""
    older = a_notice(event_id="1", number=1)
    newer = a_notice(event_id="2", number=2, at=NOW + timedelta(minutes=5))
    message = message_of(older, newer)
    assert message.subject.endswith(" - 2")
    assert "  Restarts     2 so far" in message.email


def test_no_advice_speaks_of_starts_where_there_are_none() -> None:
    """With starting switched off, nothing is said to be started by itself."""
    notice = a_notice(action=Action.NONE, reason=Reason.STARTS_OFF, start=None)
    email = message_of(notice).email
    assert (
        "What to do   Press Start in the SMS console. If it keeps failing, check the net" in email
    )
    assert "estarted" not in email
