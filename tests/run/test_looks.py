"""What a look at one task shows."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from sms_watch.errors import CloudError, TaskGone
from sms_watch.looks import read_task, what_has_changed
from sms_watch.model.task import Unread
from sms_watch.rules.error_codes import Help, table
from tests.support.builders import a_task
from tests.support.fakes import FakeService
from tests.support.runs import ports_of, running


@pytest.mark.parametrize(("rest", "read"), [(15.1, True), (15, False), (0, False)])
def test_no_read_begins_after_the_time_for_reading(rest: float, read: bool) -> None:
    """Of 50 seconds the last 15 are for what follows the reads."""
    service = running("a")
    seen = read_task(ports_of(service, rest), "a")
    assert bool(service.reads) is read
    if not read:
        assert seen == Unread("a", "no time was left to read it", attempted=False)


@pytest.mark.parametrize(
    ("error", "detail", "remedy"),
    [
        (CloudError("read a", "no secret", status=403), "read a: HTTP 403, no ***", "grant sms:"),
        (CloudError("read a", status=401), "read a: HTTP 401", "correct HUAWEICLOUD_SDK_AK"),
    ],
)
def test_a_task_that_cannot_be_read_says_why_and_what_to_do(
    error: CloudError, detail: str, remedy: str
) -> None:
    """In the words of the error, without secrets, and with the remedy for it."""
    service = running("a")
    service.fail_read("a", error)
    seen = read_task(ports_of(service), "a")
    assert isinstance(seen, Unread)
    assert (seen.detail, seen.attempted) == (detail, True)
    assert seen.remedy.startswith(remedy)


def test_a_read_that_no_time_was_left_for_was_not_made() -> None:
    """Whether that shows before or after the call was begun."""
    service = running("a")
    service.fail_read("a", CloudError("read a", code="no_time"))
    assert read_task(ports_of(service), "a") == Unread(
        "a", "no time was left to read it", attempted=False
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"connected": False, "name": "renamed"}, ""),
        ({"state": "ABORT", "code": ""}, "it is now ABORT"),
        ({"state": "RUNNING", "code": ""}, "it is now RUNNING"),
        ({"code": "SMS.1315"}, "it is now MIGRATE_FAIL SMS.1315"),
        ({"state": "secret"}, "it is now *** SMS.0807"),
    ],
)
def test_a_second_look_says_what_has_changed(changes: Dict[str, Any], why: str) -> None:
    """What is started is still failed, with the error that was decided on."""
    task = a_task(id="a")
    service = FakeService(task)
    service.change("a", **changes)
    assert what_has_changed(ports_of(service), task) == why


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (CloudError("read a", "no secret", status=503), "read a: HTTP 503, no ***"),
        (TaskGone("read a", status=400, code="SMS.7703"), "read a: SMS.7703, HTTP 400"),
    ],
)
def test_a_second_look_that_shows_nothing_says_so(error: CloudError, why: str) -> None:
    """What cannot be seen is not started."""
    service = running("a")
    service.fail_read("a", error)
    said = what_has_changed(ports_of(service), service.tasks["a"])
    assert said == f"it could not be read again: {why}"


def test_the_table_of_codes_says_what_to_do_about_a_task_of_another_account() -> None:
    """A right that is granted would not help with SMS.6527."""
    service = running("a")
    service.fail_read("a", CloudError("read a", status=403, code="SMS.6527"))
    seen = read_task(ports_of(service), "a")
    assert isinstance(seen, Unread)
    assert seen.remedy == table()["SMS.6527"].what_to_do(Help.NOW)
