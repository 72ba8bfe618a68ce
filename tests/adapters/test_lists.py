"""A list that changes while it is read: no row is lost, and none is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from simulated_cloud.faults import Fault
from simulated_cloud.task import SimTask
from sms_watch.adapters import sms
from sms_watch.adapters.sdk import Caller
from sms_watch.errors import CloudError
from sms_watch.model.task import Listing
from sms_watch.settings.values import Credentials
from tests.support.clouds import KEY, Night, a_night
from tests.support.fakes import FakeDeadline


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Return a night over five tasks, all of which are watched, with two rows a page."""
    tasks = [SimTask(name, f"wave1-{name}", project="p-1") for name in "abcde"]
    with a_night(tmp_path, *tasks) as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sms, "PAGE", 2)
        made.texts["SMS_TASK_IDS"] = "*"
        yield made


# A list that changes while it is read


def _listing(night: Night, *pages: Any) -> Listing:
    """Read a list whose pages were prepared."""
    for number, page in enumerate(pages):
        night.faults.add("list_tasks", Fault(200, json.dumps(page)), about=str(number * 2))
    connection = sms.connect(night.server.url, Credentials(KEY.access, KEY.secret))
    try:
        caller = Caller(connection, FakeDeadline(), lambda seconds: None)
        return sms.SmsService(caller).list_tasks("")
    finally:
        connection.close()


def _page(count: Any, *rows: Any) -> Dict[str, Any]:
    named = [{"id": row, "state": "RUNNING"} if isinstance(row, str) else row for row in rows]
    return {"count": count, "tasks": named}


@pytest.mark.parametrize(
    ("pages", "found", "complete"),
    [
        ([_page(4, "a", "b"), _page(4, "c", "d")], "abcd", True),
        ([_page(4, "a", "b"), _page(4, "b", "c")], "abc", False),
        ([_page(4, "a", "b"), _page(3, "d")], "abd", False),
        ([_page(3, "a", "b"), _page(4, "c", "d")], "abcd", False),
        ([_page(4, "a", "b"), _page(4, "c")], "abc", False),
        ([_page(4, "a", "b"), _page(4)], "ab", False),
        ([_page(4, "a", "b"), _page(4, "c", None)], "abc", False),
        ([_page(4, "a", "b"), _page(4, "c", {"state": "RUNNING"})], "abc", False),
        ([_page(4, "a", "b"), _page(4, "c", {"id": "../d", "state": "RUNNING"})], "abc", False),
        ([_page(1, "a")], "a", True),
        ([_page(0)], "", True),
    ],
    ids=[
        *("whole", "a row twice", "a row fewer", "a row more", "a short page", "no last page"),
        *("no row", "a row without id", "a row with no id", "one page", "empty"),
    ],
)
def test_a_list_is_complete_only_when_every_row_was_seen(
    night: Night, pages: List[Any], found: str, complete: bool
) -> None:
    """Each page must tell of as many rows as there are different ones."""
    listing = _listing(night, *pages)
    assert sorted(task.id for task in listing.tasks) == list(found)
    assert listing.complete is complete
    assert bool(listing.detail) is not complete
    assert all(task.listed for task in listing.tasks)


def test_a_row_without_a_state_is_there_all_the_same(night: Night) -> None:
    """Its id shows that the task exists, whatever else it lacks."""
    listing = _listing(night, _page(2, "a", {"id": "b"}))
    assert [task.id for task in listing.tasks] == ["a"]
    assert listing.ids == {"a", "b"}
    assert listing.strange == {"b"}
    assert (listing.complete, listing.broken) == (True, False)


@pytest.mark.parametrize(
    "page",
    [[], None, {}, {"count": 2}, {"tasks": []}, _page("many"), _page(10**6), {"tasks": None}],
    ids=str,
)
def test_a_page_that_is_none_is_an_error_and_never_no_tasks(night: Night, page: Any) -> None:
    """An answer without count and rows says nothing about what there is."""
    for _ in range(2):
        night.faults.add("list_tasks", Fault(200, json.dumps(page)), about="0")
    with pytest.raises(CloudError) as odd:
        _listing(night, page)
    assert odd.value.code == "malformed"
