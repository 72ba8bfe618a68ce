"""The table of error codes, and what people are told to do about each of them."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from datetime import timezone
from typing import Iterator, Tuple

import pytest

from sms_watch.messages.compose import RunContext, compose
from sms_watch.model.notice import Action, Kind, Notice, Reason, Verdict
from sms_watch.model.task import ErrorClass
from sms_watch.rules.error_codes import Help, Then, explain, look_up, table
from tests.support.builders import NOW, a_task

TYPES = ("MIGRATE_FILE", "MIGRATE_BLOCK", "")
CONTEXT = RunContext("run-1", NOW, timezone.utc, "https://console.example/sms/")
VERBS = re.compile(
    "(adjust|allow|apply|ask|attach|change|check|choose|clear|compare|complete|configure|contact|"
    "convert|copy|correct|create|delete|enable|exclude|find|free|generate|give|grant|install|leave|"
    "make|migrate|mount|open|pay|raise|read|reboot|remove|repair|restart|restore|run|send|set|"
    "shrink|start|tick|top|uninstall|unfreeze|unmount|unsubscribe|wait) "
)
# What a person does to the agent that stops it for a moment.
AGENT_STOPS = re.compile(
    r"\b((re)?install|(re)?start|run|update)(ed|ing)?\b[^,;(]*\bagent\b|newest"
)


def test_the_table_is_complete() -> None:
    """All published codes are there, with their classes."""
    classes = Counter(str(code.error_class) for code in table().values())
    assert classes == {
        "transient": 19,
        "retryable": 72,
        "ambiguous": 28,
        "recreate": 18,
        "human": 113,
        "precheck": 55,
    }


@pytest.mark.parametrize(
    ("code", "error_class", "words"),
    [
        ("SMS.0303", "transient", "EIP"),
        ("SMS.0306", "transient", "port 443"),
        ("SMS.0307", "transient", "network"),
        ("SMS.0807", "transient", "start the target if it is stopped"),
        ("SMS.1807", "transient", "start the target if it is stopped, open its port 8900"),
        ("SMS.2802", "transient", "start the target if it is stopped, open its port 8899"),
        ("SMS.3802", "transient", "update an old agent"),
        ("SMS.3805", "transient", "start the target if it is stopped, and open its port 22"),
        ("SMS.3806", "transient", "SSH service runs"),
        ("SMS.3808", "transient", "ICMP"),
        ("SMS.6306", "human", "install the newest"),
        ("SMS.6527", "human", "user and account"),
        (
            "SMS.6533",
            "precheck",
            "delete the source record in the SMS console and restart the agent",
        ),
        ("SMS.7602", "human", "account"),
        ("SMS.7703", "recreate", "deleted"),
        ("SMS.9007", "human", "rate limit"),
    ],
)
def test_what_hands_would_do_is_named(code: str, error_class: str, words: str) -> None:
    """Where the cause may need hands, the advice says what they do."""
    known = table()[code]
    assert known.error_class == error_class
    assert words in known.advice


def test_the_six_codes_that_the_agent_mends_are_marked() -> None:
    """SMS FAQs, automatic recovery: six codes and no more."""
    marked = {code.code for code in table().values() if code.auto_recovery}
    assert marked == {"SMS.0807", "SMS.1807", "SMS.2802", "SMS.2805", "SMS.2806", "SMS.3802"}


def test_every_code_has_words_that_fit_a_message() -> None:
    """A summary and advice for each, in ASCII, short, without brackets."""
    for code in table().values():
        assert re.fullmatch(r"SMS\.\d{4}", code.code)
        for text, limit in ((code.summary, 90), (code.advice, 150)):
            assert 10 < len(text) <= limit, code
            assert text.isascii(), code
            assert not set('[]"') & set(text), code
        assert code.summary.endswith("."), code


def test_advice_is_an_imperative_and_no_more() -> None:
    """It begins with a verb, and does not say who starts the task: a table cannot know."""
    for code in table().values():
        assert VERBS.match(code.advice), code
        assert not re.search(r"[.;:]$|\. |press Start|by itself|meanwhile", code.advice), code
        assert not re.search(r"\bif it (still|keeps)|\bagain at most|copied again", code.advice), (
            code
        )


def _advice() -> Iterator[Tuple[str, str, Help, str]]:
    for known, task_type, needed in itertools.product(table(), TYPES, Help):
        yield known, task_type, needed, look_up(known, task_type).what_to_do(needed)


def test_advice_is_whole_sentences() -> None:
    """In every form it begins with a capital, ends with a full stop, and is short."""
    for code, _, _, text in _advice():
        assert re.fullmatch(r"[A-Z].*[A-Za-z0-9)]\.", text), (code, text)
        assert len(text) <= 240, (code, text)
        assert "  " not in text, code
        assert ",," not in text, code


@pytest.mark.parametrize(
    ("needed", "text"),
    [
        (Help.LATER, "If it keeps failing, free space on that partition or enlarge it."),
        (Help.NOW, "Free space on that partition or enlarge it."),
        (
            Help.START,
            "Press Start in the SMS console. If it keeps failing, free space on that partition or"
            " enlarge it.",
        ),
        (
            Help.FIX,
            "Free space on that partition or enlarge it, then press Start in the SMS console.",
        ),
    ],
)
def test_what_to_do_begins_with_what_people_do(needed: Help, text: str) -> None:
    """Who starts the task decides the form; the imperative is the same in all of them."""
    assert look_up("SMS.1315", "MIGRATE_FILE").what_to_do(needed) == text


@pytest.mark.parametrize(
    ("code", "task_type", "text"),
    [
        (
            "SMS.1414",
            "MIGRATE_BLOCK",
            "Delete the task, then create and start a new task (all data is copied again).",
        ),
        (
            "SMS.0208",
            "MIGRATE_FILE",
            "Restart the agent once the source can reach SMS on port 443, then press Start in the"
            " SMS console.",
        ),
        (
            "SMS.0208",
            "MIGRATE_BLOCK",
            "Restart the agent once the source can reach SMS on port 443, then create and start a"
            " new task (all data is copied again).",
        ),
        (
            "SMS.0208",
            "",
            "Restart the agent once the source can reach SMS on port 443, then press Start in the"
            " SMS console (a block-level task has to be recreated, and all its data copied"
            " again).",
        ),
        (
            "SMS.0206",
            "MIGRATE_FILE",
            "Migrate this source by another method, because SMS supports x86 only.",
        ),
        (
            "SMS.0007",
            "MIGRATE_FILE",
            "Send the agent log and the task ID to technical support.",
        ),
    ],
)
def test_what_follows_on_the_advice(code: str, task_type: str, text: str) -> None:
    """A start, a new task, or nothing; a restart of the agent costs a block-level copy."""
    assert look_up(code, task_type).what_to_do(Help.FIX) == text


def test_to_stop_the_agent_is_never_advised_without_its_price() -> None:
    """A block-level copy is lost when its agent restarts: whoever is told to must know."""
    stops = {code.code for code in table().values() if AGENT_STOPS.search(code.advice)}
    assert len(stops) > 40
    for code, task_type, _, text in _advice():
        if code in stops and task_type != "MIGRATE_FILE":
            assert re.search("copied again|starts? over", text), (code, text)


def test_no_price_is_named_that_is_not_paid() -> None:
    """A file-level copy goes on after its agent restarted, unless only a new task helps."""
    for code in table().values():
        if code.then is Then.AGENT:
            assert AGENT_STOPS.search(code.advice), code
            text = look_up(code.code, "MIGRATE_FILE").what_to_do(Help.FIX)
            assert text.endswith(", then press Start in the SMS console."), code
        assert (code.then is Then.NEW_TASK) is (
            code.error_class is ErrorClass.RECREATE
            or code.code in ("SMS.6533", "SMS.6616", "SMS.6617")
        ), code


# No contradictions, whatever the settings say

CLASSES = [str(each) for each in ErrorClass]
MOST_STARTS = (0, 5)
BY_ITSELF = re.compile(
    r"(?i)will be restarted|being retried|next try|next not before|restart accepted"
)


def _answers(error_class: str, most_starts: int) -> Iterator[Tuple[Action, Reason]]:
    """List what can be decided about a failure, by the rules in words."""
    if error_class in ("recreate", "human", "precheck"):
        yield Action.NONE, Reason.NOT_RESTARTABLE
    elif most_starts == 0:
        yield Action.NONE, Reason.STARTS_OFF
    else:
        yield Action.START, Reason.RESTARTABLE
        yield Action.WAIT, Reason.BACKOFF
        if error_class != "transient":
            yield Action.NONE, Reason.ATTEMPTS_SPENT


def _row(email: str) -> str:
    found = re.search("^  What to do   (.*)$", email, re.MULTILINE)
    return found.group(1) if found else ""


@pytest.mark.slow
@pytest.mark.parametrize("most_starts", MOST_STARTS)
@pytest.mark.parametrize("error_class", CLASSES)
@pytest.mark.parametrize("kind", [Kind.FAILED, Kind.NEEDS_PERSON, Kind.REMINDER])
def test_no_message_contradicts_itself(kind: Kind, error_class: str, most_starts: int) -> None:
    """Every code under every class and limit: who starts the task is said once, and is right."""
    for code, (action, reason) in itertools.product(
        ["", "SMS.9999", *table()], _answers(error_class, most_starts)
    ):
        task = a_task(code=code, type="MIGRATE_BLOCK")
        verdict = Verdict(action, reason, ErrorClass(error_class))
        told = Notice(kind, NOW, "1", task, verdict, since=NOW)
        email = compose([told], CONTEXT).email
        row = _row(email)
        assert not re.match("(Not )?[Ss]tarted|Meanwhile|It is", row), (code, email)
        if action is Action.NONE:
            assert not BY_ITSELF.search(email), (code, email)
            assert row.startswith("Press Start") or "If it keeps failing" not in row, (code, email)
            assert re.search(
                "(?i)press start|start a new task|technical support|by another method", row
            ), (code, email)
        else:
            assert "press start" not in row.lower(), (code, email)
        if reason is Reason.NOT_RESTARTABLE:
            assert not row.startswith("Press Start"), (code, email)
        if error_class == "recreate":
            assert "create and start a new task" in row, (code, email)


@pytest.mark.parametrize("error_class", CLASSES)
def test_a_class_of_ones_own_keeps_the_words(error_class: str) -> None:
    """An override changes the class, not what the code means; recreate asks for a new task."""
    for code, task_type in itertools.product(table(), TYPES):
        known = look_up(code, task_type)
        own = explain(code, task_type, {code: ErrorClass(error_class)})
        assert own.error_class == error_class
        assert (own.summary, own.advice) == (known.summary, known.advice)
        if error_class == "recreate":
            assert own.then is Then.NEW_TASK
        else:
            assert own.then is known.then


# What the table does not say


@pytest.mark.parametrize("code", ["", "?", "SMS.9999", "nonsense"])
def test_an_unknown_code_is_explained_as_such(code: str) -> None:
    """A code that the table lacks, or none at all, is of class unknown and still has advice."""
    explained = explain(code, "MIGRATE_FILE", {})
    assert explained.error_class is ErrorClass.UNKNOWN
    assert explained.advice.split()[0] in ("look", "read")
    assert not explained.auto_recovery
    assert ("SMS.9999" in explained.advice) is (code == "SMS.9999")


@pytest.mark.parametrize("code", ["SMS.0212", "SMS.1414"])
def test_a_restarted_agent_ends_a_block_level_copy_only(code: str) -> None:
    """At file level the copy goes on; at block level, or at one not known, it is lost."""
    block, unknown, file = (explain(code, each, {}) for each in ("MIGRATE_BLOCK", "", TYPES[0]))
    assert block.error_class is unknown.error_class is ErrorClass.RECREATE
    assert file.error_class is ErrorClass.RETRYABLE
    assert file.code == code
    assert "delete" not in file.what_to_do(Help.FIX).lower()
    assert "resumes" in file.summary
