"""One outage, one item: tasks are told together in the same words, and nothing is lost."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, List, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.adapters.smn import structure
from sms_watch.messages.compose import MAX_MESSAGE, MAX_SUBJECT, RunContext, compose
from sms_watch.messages.draft import Draft, Form
from sms_watch.model.notice import Action, Kind, Message, Notice, Outcome, Reason, Start
from sms_watch.model.task import ErrorClass, Progress
from tests.support.builders import NOW, a_notice, a_task, minutes, varied

CONTEXT = RunContext("run-1", NOW, timezone(timedelta(hours=8)), "https://console.example/sms/")


def _failed(task: int, kind: Kind = Kind.FAILED, **flat: Any) -> Notice:
    """Return a failure on a lost line whose start was accepted, of the task of this number."""
    usual = {
        "task": a_task(id=f"t{task}", name=f"web-{task:03}", progress=Progress(5, task % 100)),
        "event_id": f"20261124-4711-{task}-failed",
        "error_class": ErrorClass.TRANSIENT,
        "action": Action.START,
        "reason": Reason.RESTARTABLE,
        "number": 1,
        "next_try": NOW + minutes(2),
        "since": NOW,
        "start": Start(f"20261124-4711-{task}-start", Outcome.DONE),
    }
    return replace(a_notice(**{**usual, **flat}), kind=kind)


def _message(*notices: Notice) -> Message:
    return compose(notices, CONTEXT)


def _headings(message: Message) -> List[str]:
    lines = message.email.split("\n")
    return [before for before, line in zip(lines, lines[1:]) if line and set(line) == {"-"}]


def _in_web(message: Message) -> List[str]:
    return [each["event_id"] for each in json.loads(message.web)["notices"]]


def test_an_outage_of_fifty_tasks_is_one_paragraph_with_a_list() -> None:
    """What is the same is said once, in every form; each task has its line and its event."""
    message = _message(*map(_failed, range(50)))
    told = "50 tasks failed (SMS.0807) and were restarted"
    assert message.subject == f"sms_watch warning: {told} - 20261124-4711-0-failed"
    assert _headings(message) == [told]
    assert message.email.count("Restarts accepted.") == 1
    assert message.email.count("SMS.0807: ") == 1
    for number in range(50):
        assert (
            f"\n  web-{number:03} (t{number}): [{'#' * (number // 5):.<20}] {number} %,"
            f" MIGRATE_LINUX_FILE; event 20261124-4711-{number}-failed\n"
        ).replace(", MIGRATE_LINUX_FILE", "") in message.email
    assert message.short == (
        f"sms_watch: {told}: web-000, web-001, web-002 and 47 more. 2026-11-24 08:03 +08:00"
    )
    assert message.default.count("\n  web-") == 5
    assert "\n  and 45 more\n" in message.default
    assert "\n  If it lasts  Check the network" in message.default


def test_each_task_of_an_outage_has_its_own_entry_for_web_hooks() -> None:
    """With its own id, event and sentences, as if it had failed alone."""
    owed = [_failed(number) for number in range(50)]
    web = json.loads(_message(*owed).web)["notices"]
    assert [each["event_id"] for each in web] == [each.event_id for each in owed]
    alone = [json.loads(_message(each).web)["notices"][0] for each in owed]
    assert web == alone


@pytest.mark.parametrize(
    ("flat", "headings"),
    [
        ({"number": 3, "next_try": NOW + minutes(8)}, 1),
        ({"start": Start("s", Outcome.DONE, "")}, 1),
        ({"start": Start("s", Outcome.UNKNOWN)}, 2),
        ({"start": None, "action": Action.WAIT, "reason": Reason.RUN_LIMIT}, 2),
        ({"error_class": ErrorClass.RETRYABLE}, 1),
        ({"count": 3}, 2),
        ({"at": NOW + minutes(1), "since": NOW + minutes(1)}, 1),
    ],
)
def test_only_what_is_told_in_the_same_words_is_told_together(flat: Any, headings: int) -> None:
    """Another outcome is another paragraph; attempts and moments are in the line of the task."""
    message = _message(_failed(1), _failed(2), _failed(3, **flat))
    assert len(_headings(message)) == headings
    assert sorted(_in_web(message)) == sorted(f"20261124-4711-{n}-failed" for n in (1, 2, 3))


def test_another_code_is_another_paragraph() -> None:
    """Two causes are two items, the one with more tasks no worse than the other."""
    disk = [replace(_failed(n), task=varied(_failed(n).task, code="SMS.3802")) for n in (3, 4)]
    message = _message(_failed(1), _failed(2), *disk)
    assert _headings(message) == [
        "2 tasks failed (SMS.0807) and were restarted",
        "2 tasks failed (SMS.3802) and were restarted",
    ]
    assert message.subject.startswith(
        "sms_watch warning: 2 tasks failed (SMS.0807) and were restarted, and 2 more - "
    )


def test_what_differs_stands_in_the_line_of_each_task() -> None:
    """Servers, state, attempts, moments and answers; what all have in common is said once."""
    first = _failed(1, number=2, start=Start("s", Outcome.REFUSED, "HTTP 400, SMS.7713"))
    second = replace(
        _failed(2, number=4, start=Start("s", Outcome.REFUSED, "HTTP 400, SMS.7713")),
        task=varied(_failed(2).task, state="SYNC_FAIL", source="src", error_params=("/data",)),
    )
    email = _message(first, second).email
    assert (
        "\n  web-001 (t1): MIGRATE_FAIL; [....................] 1 %; restarts 2 so far; next not"
        " before 2026-11-24 08:05 +08:00; HTTP 400, SMS.7713; event 20261124-4711-1-failed\n"
        "  web-002 (t2): SYNC_FAIL; src -> unknown; [....................] 2 %; restarts 4 so far;"
        " next not before 2026-11-24 08:05 +08:00; HTTP 400, SMS.7713, /data; event"
        " 20261124-4711-2-failed\n"
    ) in email
    assert "SMS refused to restart them.\n  Error " in email
    assert "  Seen         2026-11-24 08:03 +08:00\n  web-001" in email


ABOUT_WATCH = {Kind.BLIND, Kind.SIGHTED, Kind.MEMORY_LOST, Kind.TEST}
AGREES = "2 tasks (need|cannot|can|are|were|have|failed|still need|keep|no longer exist|lost|do) "


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in ABOUT_WATCH])
def test_every_kind_has_words_for_many_tasks(kind: Kind) -> None:
    """Its heading counts them and agrees with the number; no word of a template is left over."""
    follows = tuple(f"20261124-0-0-{each}" for each in kind.ends[:1])
    about = {"start": None, "action": Action.NONE, "reason": Reason.NOT_RESTARTABLE}
    notices = [
        _failed(n, kind, **about, follows=follows, since=NOW - minutes(n), detail=f"HTTP {n}")
        for n in (1, 2)
    ]
    message = _message(*notices)
    (heading,) = _headings(message)
    assert re.match(AGREES, f"{heading} ")
    assert not set("{}") & set(message.email)
    said, *_ = message.email.split("\n---")[1].lstrip("-\n").split("\n")
    assert not re.search(r"\b[Ii]ts?\b", said.replace("If it lasts", ""))


def test_after_a_gap_nobody_claims_to_know_when_it_failed() -> None:
    """All that was not read before was first seen failed; the gap is said once."""
    since = NOW - timedelta(hours=2)
    message = _message(*(varied(_failed(n), unread_since=since) for n in (1, 2)))
    gap = "2026-11-24 08:03 +08:00, after a gap of 2 h in which nothing was read"
    assert f"  Seen         {gap}\n" in message.email
    texts = [each["text"] for each in json.loads(message.web)["notices"]]
    assert all(text.startswith(f"First seen failed (MIGRATE_FAIL) at {gap}. ") for text in texts)


def test_a_gap_of_one_task_is_its_own() -> None:
    """Others were read all the time, and theirs is seen at a moment."""
    hidden = varied(_failed(1), unread_since=NOW - minutes(7))
    web = json.loads(_message(hidden, _failed(2)).web)["notices"]
    first, second = (each["text"] for each in web)
    assert "after a gap of 7 min in which nothing was read" in first
    assert second.startswith("Seen failed")


@pytest.mark.parametrize("kind", [Kind.FINISHED, Kind.PAUSED, Kind.MOVING, Kind.RESUMED])
def test_what_came_in_a_gap_is_first_seen_after_it(kind: Kind) -> None:
    """Alone and together, the moment is that of the reading; what ended in it has no span."""
    follows = ("20261124-1-0-stalled",) if kind is Kind.MOVING else ()
    made = [
        replace(
            varied(_failed(n), unread_since=NOW - minutes(90), since=NOW - minutes(200)),
            kind=kind,
            follows=follows,
        )
        for n in (1, 2)
    ]
    gap = "2026-11-24 08:03 +08:00, after a gap of 1 h 30 min in which nothing was read"
    assert gap in _message(made[0]).email
    together = _message(*made).email
    assert f"  Seen         {gap}\n" in together
    assert ("3 h 20 min" in together) is (kind is Kind.RESUMED)


# The limits, and that nothing is lost


def test_an_outage_that_is_too_large_for_a_message_is_told_in_parts() -> None:
    """Each message is full, and says of how many tasks it is; what is left is told by the next."""
    owed: Sequence[Notice] = [_failed(number) for number in range(1000)]
    told: List[str] = []
    while owed:
        message = compose(owed, CONTEXT)
        size = len(json.dumps(structure(message)))
        assert size <= MAX_MESSAGE
        assert size > 0.95 * MAX_MESSAGE or len(message.event_ids) == len(owed)
        assert _headings(message)[0].startswith(f"{len(message.event_ids)} tasks failed")
        told += message.event_ids
        owed = [each for each in owed if each.event_id not in message.event_ids]
    assert told == [f"20261124-4711-{number}-failed" for number in range(1000)]


def test_a_large_outage_keeps_its_list_where_other_tasks_shrink_to_a_line() -> None:
    """Behind an outage that fills a message, single tasks have a line each."""
    singles = [
        replace(_failed(n), task=varied(_failed(n).task, code=f"SMS.9{n}")) for n in range(900, 999)
    ]
    message = _message(*map(_failed, range(120)), *singles)
    assert message.email.count("\n  web-") == 120
    assert message.email.count("\n- web-") > 5
    assert len(_in_web(message)) == 219
    assert message.default.endswith(f"more\n{CONTEXT.console}")
    assert message.short.rpartition("; ")[2].split(" more")[0].isdigit()


def test_an_outage_is_told_together_where_its_words_were_refused() -> None:
    """Without names and details it is still one item, with the ids."""
    owed = tuple(map(_failed, range(5)))
    message = Draft(owed, Form.LEAN).message(CONTEXT)
    assert _headings(message) == ["5 tasks failed (SMS.0807) and were restarted"]
    assert all(f"\n  t{number}: " in message.email for number in range(5))
    assert "web-" not in repr(message)


TEXTS = st.text(st.sampled_from('[]【】{}{it}\r\n\x00数😀"\\xyz %'), max_size=80)


@st.composite
def _outage(draw: Any) -> Tuple[Notice, ...]:
    """Return failures of many tasks, of a few kinds, codes and outcomes, with hostile texts."""
    made = []
    for number in range(draw(st.integers(1, 40))):
        task = a_task(
            id=f"t{number}",
            name=draw(TEXTS),
            state=draw(st.sampled_from(["MIGRATE_FAIL", "SYNC_FAIL", "{state}"])),
            code=draw(st.sampled_from(["SMS.0807", "SMS.1315", "SMS.{x}"])),
            error_params=(draw(TEXTS),),
            source=draw(TEXTS),
            progress=Progress(5, draw(st.none() | st.integers(0, 100)), None, draw(TEXTS)),
        )
        outcome = draw(st.sampled_from([None, *Outcome]))
        kind = draw(st.sampled_from([Kind.FAILED, Kind.RESUMED, Kind.STALLED, Kind.GONE]))
        start = None if outcome is None else Start("s", outcome, draw(TEXTS))
        since = draw(st.sampled_from([None, NOW, NOW - minutes(90)]))
        about = {"detail": draw(TEXTS), "start": start, "since": since}
        made.append(replace(_failed(number, kind, **about), task=task))
    return tuple(made)


@given(_outage())
def test_nothing_is_lost_in_a_group(owed: Tuple[Notice, ...]) -> None:
    """Each task is in the e-mail, each event in the JSON, and the texts count all; limits hold."""
    message = _message(*owed)
    assert sorted(_in_web(message)) == sorted(message.event_ids)
    assert sorted(message.event_ids) == sorted(each.event_id for each in owed)
    assert len(json.dumps(structure(message))) <= MAX_MESSAGE
    assert len(message.subject.encode()) <= MAX_SUBJECT
    assert len(message.short) <= 490
    assert not set(message.short) & set("[]【】")
    assert len(message.default.encode()) <= 2_000
    words = message.email.replace(",", " ").replace(":", " ").replace(")", " ").split()
    assert set(message.event_ids) <= set(words)
    assert _counted(message) == len(owed)


def _counted(message: Message) -> int:
    """Return how many tasks the headings of a message speak of."""
    numbers = [heading.split(" tasks ")[0] for heading in _headings(message)]
    return sum(int(number) if number.isdigit() else 1 for number in numbers)
