"""What people are told: kinds that are complete, names of events, what a notice may learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Mapping

import pytest

from sms_watch.model.forecast import End, Forecast
from sms_watch.model.notice import (
    Digest,
    DigestRow,
    Kind,
    Level,
    Message,
    Notice,
    Outcome,
    Position,
    Reason,
    Start,
    check_id,
    closing_id,
    event_id,
    kind_of,
)
from sms_watch.model.task import Progress
from tests.support.builders import NOW, a_notice, a_task

# What is left of it when its words are refused

WORD = "somebody-elses-word"
WORDY = a_task(
    id="7a9c",
    name=WORD,
    state="MIGRATE_FAIL",
    error_params=(WORD,),
    progress=Progress(5, 52, 1000, WORD),
    source=WORD,
    target=WORD,
    source_id=WORD,
)


@pytest.mark.parametrize("kind", Kind)
def test_a_lean_notice_has_no_text_from_outside(kind: Kind) -> None:
    """Of whatever kind it is, and in whichever of its parts the text stands."""
    start = Start("20261124-0-0-start", Outcome.REFUSED, WORD)
    row = DigestRow(replace(WORDY, state=WORD), 2, 60.0)
    digest = Digest((row,), unread=WORD, forecast=Forecast(End(NOW, NOW, NOW, "7a9c", WORD)))
    notice = a_notice(kind, task=WORDY, start=start, detail=WORD, digest=digest)
    assert WORD not in repr(notice.lean())
    assert repr(notice.lean()).count("left out, for SMN refused the full text") == 3


def test_a_lean_notice_keeps_ids_and_figures() -> None:
    """What it is about can be looked up, and how far it is."""
    notice = a_notice(task=WORDY, number=3, since=NOW, follows=("20261123-0-0-failed",), count=7)
    lean = notice.lean()
    assert lean.task is not None
    assert (lean.task.id, lean.task.name, lean.task.state) == ("7a9c", "7a9c", "MIGRATE_FAIL")
    assert (lean.task.error.code, lean.task.progress.percent) == (WORDY.error.code, 52)
    assert replace(lean, task=WORDY) == notice


def test_a_lean_notice_is_still_of_a_task_that_was_seen_or_not() -> None:
    """One that never had a name is told as one that never existed, as it was before."""
    assert a_notice(Kind.GONE, task=a_task(name="")).lean().task == a_task(
        name="", progress=replace(a_task().progress, sub_task="")
    )


def test_a_lean_notice_about_the_watching_has_no_task() -> None:
    """There is none to leave anything out of."""
    notice = Notice(Kind.TEST, NOW, "20261124-0-0-test")
    assert notice.lean() == notice


# Kinds

CRITICAL = {Kind.NEEDS_PERSON, Kind.BLIND, Kind.MEMORY_LOST}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_its_name(kind: Kind) -> None:
    """It is found by the name that NOTIFY_ON, the journal and web hooks know, and prints as it."""
    assert kind == kind.value == f"{kind}" == kind.name.lower()
    assert Kind(str(kind)) is kind
    with pytest.raises(ValueError, match=r"not a valid Kind"):
        Kind(str(kind).upper())


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_level(kind: Kind) -> None:
    """No kind of notice is without weight; what calls a person weighs most."""
    assert isinstance(kind.level, Level)
    assert Notice(kind, NOW, "1").level is kind.level
    assert (kind.level is Level.CRITICAL) is (kind in CRITICAL)


def test_the_kinds_stand_worst_first() -> None:
    """Messages are ordered by the order of the kinds, so levels never rise along it."""
    weights = [list(Level).index(kind.level) for kind in Kind]
    assert weights == sorted(weights)


def test_what_ends_something_names_what_it_ends() -> None:
    """Every end is good news about kinds that there are, and that end nothing themselves."""
    ends = {kind: {Kind(name) for name in kind.ends} for kind in Kind if kind.ends}
    assert ends == {
        Kind.RESUMED: {Kind.FAILED, Kind.NEEDS_PERSON, Kind.PAUSED},
        Kind.MOVING: {Kind.STALLED, Kind.HANGING, Kind.UNKNOWN_STATE},
        Kind.CONNECTED: {Kind.DISCONNECTED},
        Kind.READABLE: {Kind.UNREADABLE, Kind.GONE},
        Kind.SIGHTED: {Kind.BLIND},
    }
    for kind, opened in ends.items():
        assert kind.level is Level.INFO
        assert not any(each.ends for each in opened)


def test_words_print_as_themselves() -> None:
    """In a message or a log line a word is the word, not the name of its enum."""
    assert f"{Reason.RESTARTABLE} {Kind.NEEDS_PERSON}" == "restartable needs_person"


# Names of events


def test_the_name_of_an_event_is_its_place() -> None:
    """Day, offset and number all count: none of them may be lost from an event id."""
    names = {
        Position(day, offset).event(number)
        for day in ("20261124", "20261125")
        for offset in (0, 11)
        for number in (0, 1)
    }
    assert len(names) == 8
    assert Position("20261124", 11).event(2) == "20261124-11-2"


@pytest.mark.parametrize("kind", Kind)
def test_an_id_ends_in_its_kind(kind: Kind) -> None:
    """So what it opened is known wherever the id is; its end is the same id, marked."""
    opened = event_id("20261124-11-2", kind)
    assert opened == f"20261124-11-2-{kind.value}"
    assert kind_of(opened) is kind
    assert closing_id(opened) == f"{opened}-end"


def test_a_kind_of_a_later_version_is_none() -> None:
    """Its ids are ids all the same."""
    assert kind_of("20261124-11-2-invented") is None
    check_id("20261124-11-2-invented")


@pytest.mark.parametrize("text", ["", "failed", "-failed", "x-1-2-failed", "20261124-11-2-", "7"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """An id is made of a place in the journal, a number and a kind."""
    with pytest.raises(ValueError, match="no event"):
        check_id(text)


# What a notice may learn

PLANNED = Start("20261124-11-0-start")
MADE = Start(PLANNED.id, Outcome.DONE)


def test_a_notice_learns_what_became_of_its_start() -> None:
    """Nothing else of it changes."""
    notice = a_notice(start=PLANNED)
    known = notice.knowing({"a": MADE, "b": Start("another")})
    assert known == replace(notice, verdict=replace(notice.verdict, start=MADE))


@pytest.mark.parametrize(
    ("notice", "starts"),
    [
        pytest.param(a_notice(start=PLANNED), {}, id="nothing is known"),
        pytest.param(a_notice(start=PLANNED), {"b": MADE}, id="another task"),
        pytest.param(a_notice(start=PLANNED), {"a": Start("another")}, id="another start"),
        pytest.param(a_notice(), {"a": MADE}, id="it speaks of no start"),
        pytest.param(a_notice(task=None, start=PLANNED), {"a": MADE}, id="of no task"),
        pytest.param(
            a_notice(task=a_task(id="b"), start=PLANNED), {"a": MADE}, id="of another task"
        ),
    ],
)
def test_a_notice_learns_nothing_of_another_start(
    notice: Notice, starts: Mapping[str, Start]
) -> None:
    """Starts are told apart by their ids: a later one of the same task is not the one meant."""
    assert notice.knowing(starts) is notice


def test_every_text_of_a_message_can_be_changed_at_once() -> None:
    """None is forgotten; which events it tells stays."""
    message = Message("subject", "default", "email", "short", "web", ("a-failed",))
    changed = message.with_texts(str.upper)
    assert changed == Message("SUBJECT", "DEFAULT", "EMAIL", "SHORT", "WEB", ("a-failed",))
