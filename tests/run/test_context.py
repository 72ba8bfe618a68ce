"""What an invocation was given: by FunctionGraph's context, or else by the environment."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any, Optional

import pytest

from simulated_cloud.context import LocalContext
from sms_watch.context import InvocationContext, texts_by_name
from sms_watch.settings.values import Credentials, FileJournal, ObsJournal
from sms_watch.timetable import Timetable
from tests.support.canaries import credentials, draw, leaked, temporary

KEYS = credentials(temporary("an agency"))
SET = draw("a setting", 20)


class _Broken:
    """A context of which nothing can be asked."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_the_context_comes_first_and_the_environment_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blank text is none, and white space around one is not part of it."""
    for name in ("SMS_REGION", "TIME_ZONE", "DRY_RUN"):
        monkeypatch.setenv(name, f" of the environment: {name} ")
    given = InvocationContext.of(LocalContext({"SMS_REGION": " cn-north-4\n", "TIME_ZONE": " "}))
    assert given.texts == {
        "SMS_REGION": "cn-north-4",
        "TIME_ZONE": "of the environment: TIME_ZONE",
        "DRY_RUN": "of the environment: DRY_RUN",
    }


@pytest.mark.parametrize("context", [None, object(), _Broken()], ids=["none", "bare", "broken"])
def test_a_context_that_cannot_be_asked_is_one_without_answers(context: Any) -> None:
    """The run takes place with what the environment has, under an id of its own."""
    one, other = InvocationContext.of(context), InvocationContext.of(context)
    assert (one.texts, one.agency) == ({}, None)
    assert one.request_id != other.request_id


def test_an_agency_needs_both_of_its_keys() -> None:
    """Half of a pair is told like a pair that is missing."""
    half = Credentials(KEYS.access_key, "", KEYS.security_token)
    assert InvocationContext.of(LocalContext({}, agency=KEYS)).agency == KEYS
    assert InvocationContext.of(LocalContext({}, agency=half)).agency is None


def test_keys_are_known_as_secrets_and_not_shown() -> None:
    """Those of the settings and of the agency alike."""
    texts = {"HUAWEICLOUD_SDK_AK": SET, "SMS_REGION": "cn-north-4"}
    given = InvocationContext.of(LocalContext(texts, agency=KEYS))
    found = {KEYS.access_key, KEYS.secret_key, KEYS.security_token, SET}
    assert set(given.secrets) - {""} == found
    assert not leaked(repr(given))


@pytest.mark.parametrize(
    ("timeout", "warned"),
    [(None, False), ("", False), ("3", True), ("59", True), ("60", False), ("\u00b2", False)],
)
def test_a_timeout_below_the_timetables_is_warned_of(
    timeout: Optional[str], warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timeout that is not told, or is no number, is not."""
    if timeout is not None:
        monkeypatch.setenv("RUNTIME_TIMEOUT", timeout)
    assert bool(InvocationContext.of(None).short_timeout(Timetable(50))) is warned


@pytest.mark.parametrize(
    ("directory", "warned"),
    [("/tmp", True), ("/tmp/journal", True), ("/var/tmp/journal", False), ("/tmpfile", False)],  # noqa: S108 - not written to
)
def test_a_journal_that_goes_with_the_container_is_warned_of(
    directory: str, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On FunctionGraph alone; elsewhere /tmp is a disk like any other."""
    place = FileJournal(PurePosixPath(directory))
    assert InvocationContext.of(None).short_memory(place) == ()
    monkeypatch.setenv("RUNTIME_CODE_ROOT", "/opt/function/code")
    given = InvocationContext.of(None)
    assert bool(given.short_memory(place)) is warned
    assert given.short_memory(ObsJournal("https://obs.example.com", "cn-north-4", "b")) == ()


def test_a_text_that_is_nowhere_is_not_set() -> None:
    """What nobody has set is left out, so that its default holds."""
    assert texts_by_name(lambda name: None) == {}


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[]", "7", "null", '["DRYRUN"]', '{"DRY_RUN": 1}', "[" * 100_000],
    ids=lambda text: text[:20],
)
def test_variables_that_cannot_be_listed_are_not_warned_of(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the platform holds instead of names costs no run."""
    monkeypatch.setenv("RUNTIME_USERDATA", text)
    assert InvocationContext.of(None).unread == ()


def test_of_a_variable_that_nobody_reads_only_the_name_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Variables of the function and of the environment alike; values stay where they are."""
    monkeypatch.setenv("DRYRUN", SET)
    held = json.dumps({"HUAWEICLOUD_SK": SET, "SMS_REGION": "cn-north-4"})
    monkeypatch.setenv("RUNTIME_USERDATA", held)
    given = InvocationContext.of(LocalContext({"STALL_MINUTE": SET}))
    # What the context tells of itself goes before the environment, as with every setting.
    assert [warning.split()[0] for warning in given.unread] == ["DRYRUN", "STALL_MINUTE"]
    told = InvocationContext.of(None)
    assert [warning.split()[0] for warning in told.unread] == ["DRYRUN", "HUAWEICLOUD_SK"]
    assert not leaked(repr(given), repr(told))
