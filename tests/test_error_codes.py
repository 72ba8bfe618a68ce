"""The table of error codes, and how it is read."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from sms_watch.model.task import ErrorClass
from sms_watch.rules.error_codes import OPENINGS, explain, table


def test_the_table_is_complete() -> None:
    """All published codes are there, with their classes."""
    classes = Counter(str(code.error_class) for code in table().values())
    assert classes == {
        "transient": 17,
        "retryable": 72,
        "ambiguous": 28,
        "recreate": 17,
        "human": 111,
        "precheck": 55,
    }


def test_the_six_codes_that_the_agent_mends_are_marked() -> None:
    """SMS FAQs, automatic recovery: six codes and no more."""
    marked = {code.code for code in table().values() if code.auto_recovery}
    assert marked == {"SMS.0807", "SMS.1807", "SMS.2802", "SMS.2805", "SMS.2806", "SMS.3802"}


def test_every_code_has_words_that_fit_a_message() -> None:
    """A gist and advice for each, in ASCII, short, ending with a full stop, without brackets."""
    for code in table().values():
        assert re.fullmatch(r"SMS\.\d{4}", code.code)
        for text, limit in ((code.gist, 90), (code.advice, 160)):
            assert 10 < len(text) <= limit, code
            assert text.isascii(), code
            assert text.endswith("."), code
            assert not set('[]"') & set(text), code


def test_the_advice_says_whether_the_task_is_started() -> None:
    """The advice begins with what happens by itself, under a class of one's own as well."""
    for code in table().values():
        assert code.advice.startswith(OPENINGS[code.error_class]), code
        for other in ErrorClass:
            own = explain(code.code, "MIGRATE_BLOCK", {code.code: other})
            assert own.advice.startswith(OPENINGS[other]), own
            assert own.advice.split(". ")[-1][-20:] == code.advice.split(". ")[-1][-20:]


def test_to_restart_the_agent_is_never_advised_without_its_price() -> None:
    """A block-level copy is lost when its agent restarts: whoever is told to must know."""
    for code in table().values():
        if re.search(r"restart(ed)?\b", code.advice):
            assert re.search("anew|loses", code.advice), code


@pytest.mark.parametrize("code", ["", "?", "SMS.9999", "nonsense"])
def test_an_unknown_code_is_explained_as_such(code: str) -> None:
    """A code that the table lacks, or none at all, is of class unknown and still has advice."""
    explained = explain(code, "MIGRATE_FILE", {})
    assert explained.error_class is ErrorClass.UNKNOWN
    assert explained.advice
    assert not explained.auto_recovery
    assert ("SMS.9999" in explained.advice) is (code == "SMS.9999")


def test_a_restarted_agent_ends_a_block_level_copy_only() -> None:
    """At file level the copy goes on; at block level it begins anew."""
    block = explain("SMS.1414", "MIGRATE_BLOCK", {})
    file = explain("SMS.1414", "MIGRATE_FILE", {})
    assert (block.error_class, file.error_class) == (ErrorClass.RECREATE, ErrorClass.RETRYABLE)
    assert block.advice != file.advice


def test_a_persons_own_class_keeps_the_words() -> None:
    """An override changes the class, not what the code means."""
    overridden = explain("SMS.1315", "", {"SMS.1315": ErrorClass.TRANSIENT})
    assert overridden.error_class is ErrorClass.TRANSIENT
    assert overridden.gist == table()["SMS.1315"].gist
    assert overridden.advice.startswith("Started again by itself for as long as this lasts. ")
