"""Each setting by itself: what is accepted, what is refused, and in which words."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import FrozenSet, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.errors import SettingsError
from sms_watch.model.notice import Kind, Level
from sms_watch.model.policy import Scope
from sms_watch.model.task import ErrorClass
from sms_watch.settings.values import FileJournal, ObsJournal
from tests.support.setting_texts import LEAST, NAMES, PROJECT, URN, parsed, problems_of


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("RESUME_MAX_ATTEMPTS", 0, 100),
        ("RESUME_MAX_PER_RUN", 1, 1000),
        ("RESUME_GRACE_MINUTES", 0, 1440),
        ("STALL_MINUTES", 0, 10080),
        ("HANG_MINUTES", 0, 10080),
        ("REMIND_HOURS", 0, 720),
        ("DIGEST_HOURS", 0, 720),
        ("RUN_BUDGET_SECONDS", 5, 3600),
    ],
)
def test_numbers_are_whole_and_within_their_range(name: str, low: int, high: int) -> None:
    """The borders are accepted; one beyond them, a fraction, a sign and a word are not."""
    for border in (low, high):
        parsed(**{name: str(border)})
    for wrong in (low - 1, high + 1, "1.5", "+7", "five", "1e1", "٣", "0x1", "9" * 5000):
        text = problems_of({**LEAST, name: str(wrong)})
        assert f"{name}: " in text
        assert f"a whole number from {low} to {high}" in text
        assert len(text) < 500


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, True) for text in ("true", "TRUE", "1", "on", "yes")),
        *((text, False) for text in ("false", "0", "Off", "no")),
    ],
)
def test_a_switch_is_read(text: str, expected: bool) -> None:
    """The usual words for true and false are understood."""
    assert parsed(DRY_RUN=text).dry_run is expected


@pytest.mark.parametrize("text", ["maybe", "2", "tru", "-", "none"])
def test_a_switch_is_never_guessed(text: str) -> None:
    """An unknown word is never taken for false."""
    assert "true or false" in problems_of({**LEAST, "DRY_RUN": text})


def test_ids_are_separated_by_commas_or_white_space_and_named_once() -> None:
    """A list copied from anywhere is understood; an id named twice is watched once."""
    assert parsed(SMS_TASK_IDS=" a-1, b\n\tc ,,a-1 ").scope.task_ids == ("a-1", "b", "c")


@pytest.mark.parametrize(
    "text", ["a_b", "a/../b", "x" * 37, "{id}", "ä", "a;b", ","], ids=lambda text: text[:8]
)
def test_an_id_that_is_none_is_refused(text: str) -> None:
    """An id is at most 36 letters, digits and hyphens; a list without any is missing."""
    assert "SMS_TASK_IDS: " in problems_of({**LEAST, "SMS_TASK_IDS": text})


def test_all_tasks_are_watched_by_a_star() -> None:
    """A star stands for every task of the account; filters choose among them."""
    assert parsed(SMS_TASK_IDS=" * ").scope == Scope()
    chosen = parsed(
        SMS_TASK_IDS="*", SMS_TASK_NAMES="wave1-*, db-??\nwave1-*", SMS_MIGRATION_PROJECT="p-1"
    )
    assert chosen.scope == Scope((), ("wave1-*", "db-??"), "p-1")
    assert chosen.scope.discovers
    assert not parsed().scope.discovers


def test_a_star_stands_alone() -> None:
    """A star beside ids is no list of either kind."""
    assert "either * for every task" in problems_of({**LEAST, "SMS_TASK_IDS": "* a-1"})


@pytest.mark.parametrize("text", ["a_b", "x" * 37, "p/../q"])
def test_a_project_that_is_none_is_refused(text: str) -> None:
    """A migration project is named by its id."""
    texts = {**LEAST, "SMS_TASK_IDS": "*", "SMS_MIGRATION_PROJECT": text}
    assert "SMS_MIGRATION_PROJECT: " in problems_of(texts)


@pytest.mark.parametrize(
    ("urn", "expected"),
    [
        (f"{URN}:0a1b", "of a subscription"),
        ("night-watch", "urn:smn:<region>"),
        (f"urn:obs:ap-southeast-3:{PROJECT}:night", "urn:smn:<region>"),
        (f"urn:smn:Asia:{PROJECT}:night", "a region such as"),
        ("urn:smn:ap-southeast-3::night", "project id"),
        (f"urn:smn:ap-southeast-3:{PROJECT}:", "urn:smn:<region>"),
        (f"urn:smn:ap-southeast-3:{PROJECT}:a b", "urn:smn:<region>"),
    ],
)
def test_a_urn_that_is_not_of_a_topic_is_refused(urn: str, expected: str) -> None:
    """A topic's URN has five parts; the URN of a subscription is named as what it is."""
    assert expected in problems_of({**LEAST, "SMN_TOPIC_URN": urn})


@pytest.mark.parametrize("name", ["SMS_ENDPOINT", "SMN_ENDPOINT", "OBS_ENDPOINT"])
@pytest.mark.parametrize(
    "text",
    [
        "sms.example.com",
        "http://sms.example.com",
        "http://127.0.0.1.example.com",
        "http://127.999.999.999",
        "http://127.0.0.256",
        "http://127.0.0",
        "https://sms.example.com/v3",
        "https://sms.example.com?x=1",
        "https://sms.example.com#x",
        "https://user@sms.example.com",
        "https://sms.example.com:port",
        "https://sms.example.com:99999",
        "https://",
        "ftp://sms.example.com",
        "https://[::1",
        "https://sms exam.com",
    ],
)
def test_an_endpoint_is_an_address_and_no_more(name: str, text: str) -> None:
    """Keys go over https to a host that was named in full, without path, query or login."""
    assert f"{name}: " in problems_of({**LEAST, name: text})


@pytest.mark.parametrize("name", ["SMS_ENDPOINT", "SMN_ENDPOINT", "OBS_ENDPOINT", "JOURNAL_URI"])
@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter22@sms.example.com",
        "https://me:hunter22@sms.example.com:port",
        "https://me:hunter22@[::1",
        "https://me:hunter22@\u2100.example.com",
        "https://me:one\nhunter22@sms.example.com",
        "me:hunter22@sms.example.com",
        "obs://me:hunter22@bucket/watch",
        "obs://me:hunter22@my.bucket/watch",
        "obs:me:hunter22@bucket",
        "file://me:hunter22@server/share",
        "https://obs.example.com/?Signature=hunter22",
        "https://obs.example.com/?Signature=a@hunter22",
        "https://me:1@obs.example.com#hunter22",
        "https://me:1?hunter22@obs.example.com",
        "https:/me:hunter22@sms.example.com",
        "https:me:hunter22@sms.example.com",
        "HTTPS://me:hunter22@sms.example.com",
        "https://me%3Ahunter22%40sms.example.com",
        "https://me:hunter22/sms.example.com",
        "obs://me:hunter22/bucket",
        "obs://bucket/me:hunter22",
    ],
)
def test_a_login_in_an_address_is_not_repeated(name: str, text: str) -> None:
    """A password, or a signature, that was put into an address does not come back in the error."""
    problems = problems_of({**LEAST, name: text})
    assert f"{name}: " in problems
    assert " is not accepted; give " in problems
    assert "hunter22" not in problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://sms.example.com", "https://sms.example.com"),
        ("https://sms.example.com:8443/", "https://sms.example.com:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://127.255.9.10:9000", "http://127.255.9.10:9000"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_an_endpoint_is_taken(text: str, expected: str) -> None:
    """https anywhere, http on this machine only."""
    assert parsed(SMS_ENDPOINT=text).sms_endpoint == expected


@pytest.mark.parametrize(
    "text",
    [
        *("/var/lib", "file://host/var", "file:///", "file:var", "http://x", "s3://b"),
        *("file:///a?b", "obs://", "obs://B", "obs://ab", "obs://b_c/x", "obs:bucket"),
        *("obs://bucket/a//b", "obs://bucket/ä", "obs://bucket/a?b", "obs://-bucket"),
    ],
)
def test_a_journal_is_a_place_named_in_full(text: str) -> None:
    """A journal that cannot be found again is refused."""
    assert "JOURNAL_URI: " in problems_of({**LEAST, "JOURNAL_URI": text})


@pytest.mark.parametrize(
    ("text", "bucket", "prefix"),
    [
        ("obs://bucket", "bucket", ""),
        ("obs://bucket/", "bucket", ""),
        ("obs://my-bucket-1/a/b_c.d/", "my-bucket-1", "a/b_c.d"),
    ],
)
def test_a_journal_in_a_bucket(text: str, bucket: str, prefix: str) -> None:
    """A bucket that a person names is not one that is made for them."""
    journal = parsed(JOURNAL_URI=text, OBS_REGION="eu-west-101").journal
    endpoint = "https://obs.eu-west-101.myhuaweicloud.eu"
    assert journal == ObsJournal(endpoint, "eu-west-101", bucket, prefix)


@pytest.mark.parametrize(
    "text", ["obs://Night_Watch/a", "obs://ab", "obs://-bucket", "obs://b_c", f"obs://{'a' * 64}"]
)
def test_a_wrong_name_of_a_bucket_is_called_that(text: str) -> None:
    """The error is about the name, and says what one is made of."""
    problems = problems_of({**LEAST, "JOURNAL_URI": text})
    assert "the name of a bucket, which this one is not: 3 to 63 lower-case" in problems


@pytest.mark.parametrize("text", ["obs://my.bucket", "obs://my.bucket/a", "obs://192.0.2.1/a"])
def test_a_bucket_with_a_dot_is_refused_with_the_reason(text: str) -> None:
    """No certificate fits its host, so that the first run would fail; the error says what to do."""
    problems = problems_of({**LEAST, "JOURNAL_URI": text})
    assert f"JOURNAL_URI: {text!r} is not accepted; give a bucket without a dot" in problems
    assert "the certificate of OBS does not cover the host name" in problems
    assert "create another bucket" in problems


def test_a_journal_path_may_hold_escapes() -> None:
    """A space in the path is written as in any URI."""
    journal = parsed(JOURNAL_URI="file:///srv/my%20watch").journal
    assert journal == FileJournal(PurePosixPath("/srv/my watch"))


def test_classes_override_codes() -> None:
    """Pairs of code and class, separated by spaces or commas, are the user's own judgement."""
    classes = parsed(ERROR_CLASSES="SMS.0805=transient, SMS.1107=human").policy.classes
    assert classes == {"SMS.0805": ErrorClass.TRANSIENT, "SMS.1107": ErrorClass.HUMAN}


@pytest.mark.parametrize(
    "text",
    ["SMS.0805", "SMS.0805=", "SMS.0805=soft", "0805=human", "SMS.0805:human", "sms.0805=human"],
)
def test_a_class_that_is_none_is_refused(text: str) -> None:
    """A pair that is not understood is never passed over."""
    assert "ERROR_CLASSES: " in problems_of({**LEAST, "ERROR_CLASSES": text})


def test_a_code_has_one_class() -> None:
    """Two classes for one code contradict; the same twice does not."""
    parsed(ERROR_CLASSES="SMS.0805=human SMS.0805=human")
    text = problems_of({**LEAST, "ERROR_CLASSES": "SMS.0805=human SMS.0805=transient"})
    assert "two classes" in text


def test_kinds_are_chosen_by_name() -> None:
    """NOTIFY_ON lists kinds; an unknown one is refused with the list."""
    chosen = parsed(NOTIFY_ON="failed, needs_person").policy.notify_on
    assert chosen == {Kind.FAILED, Kind.NEEDS_PERSON}
    for wrong in ("fail", "FAILED", "warning-", "+", "failed+"):
        assert "needs_person" in problems_of({**LEAST, "NOTIFY_ON": wrong})


def test_kinds_are_chosen_by_level() -> None:
    """A level stands for its kinds, with a plus for the worse ones too; they add up."""

    def chosen(text: str) -> FrozenSet[Kind]:
        return parsed(NOTIFY_ON=text).policy.notify_on

    assert chosen("critical") == {k for k in Kind if k.level is Level.CRITICAL}
    warnings = {k for k in Kind if k.level is Level.WARNING} | {Kind.PAUSED}
    assert chosen("warning") == warnings
    assert chosen("warning+") == warnings | chosen("critical")
    assert Kind.PAUSED in chosen("info")
    assert chosen("info+") == chosen("all") == set(Kind)
    assert chosen("critical finished") == chosen("critical") | {Kind.FINISHED}


@given(st.sampled_from(NAMES), st.text(max_size=80))
def test_any_text_is_accepted_or_refused(name: str, text: str) -> None:
    """No text makes a setting fail in another way than by a problem that names it."""
    problems: Tuple[str, ...]
    try:
        problems = (f"{parsed(**{name: text}).scope}, {name}",)
    except SettingsError as error:
        problems = error.problems
    assert all(name in problem or "BACKOFF" in problem for problem in problems)
