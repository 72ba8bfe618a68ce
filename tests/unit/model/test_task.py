"""What is known of a task: states that are complete, and what "further" means."""

from __future__ import annotations

import dataclasses
from typing import Any, List, Optional

import pytest
from hypothesis import given

from sms_watch.journal.codec import dump
from sms_watch.model.task import PHASES, Phase, Progress, Task, TaskState
from tests.support.builders import a_task
from tests.support.strategies import progresses, tasks

HERE = Progress(5, 50, 1000, "MIGRATE_LINUX_FILE")
COPY, DETACH = "MIGRATE_LINUX_FILE", "DETTACH_AGENT_IMAGE"


def test_every_documented_state_has_a_meaning() -> None:
    """The 14 states of the SMS API reference are all known, and only failures are failures."""
    assert len(TaskState) == 14
    assert set(PHASES) == {str(state) for state in TaskState}
    failed = {state for state, phase in PHASES.items() if phase is Phase.FAILED}
    assert failed == {"MIGRATE_FAIL", "SYNC_FAIL"}


@pytest.mark.parametrize("state", ["INVENTED_NEXT_YEAR", "migrate_fail", " MIGRATE_FAIL", ""])
def test_a_state_that_is_not_documented_is_unknown(state: str) -> None:
    """A string that only looks like a known state is not taken for it."""
    assert a_task(state=state).phase is Phase.UNKNOWN


@given(tasks)
def test_every_text_of_a_task_but_its_id_can_be_changed_at_once(task: Task) -> None:
    """None is forgotten, and nothing else is touched."""
    dumped = dump(task.with_texts(lambda text: f"<{text}>"))
    assert dumped.pop("id") == task.id
    texts = _texts(dumped)
    assert len(texts) == 8 + len(task.error.params)
    assert all(text.startswith("<") for text in texts)
    assert task.with_texts(str) == task


def _texts(value: Any) -> List[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _texts(each)]


def test_values_cannot_be_changed() -> None:
    """What was read stays what was read."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_task().state = "READY"  # type: ignore[misc] # what it is about


@pytest.mark.parametrize(
    ("other", "further"),
    [
        pytest.param(HERE, False, id="the same place"),
        pytest.param(Progress(5, 51, 1000), True, id="one percent more"),
        pytest.param(Progress(5, 49, 1000), False, id="one percent less"),
        pytest.param(Progress(5, 50, 10**9), False, id="any bytes more"),
        pytest.param(Progress(5, 50, 999), False, id="one byte less"),
        pytest.param(Progress(5, 104, 1000), True, id="beyond 100, because data grew"),
        pytest.param(Progress(6, 0, 1000), True, id="the next sub-task"),
        pytest.param(Progress(6, 0, 1000, "INVENTED"), True, id="the next one, of any name"),
        pytest.param(Progress(4, 100, 1000), False, id="an earlier sub-task, complete"),
        pytest.param(Progress(5, None, None), False, id="nothing known but the place"),
        pytest.param(Progress(6, None, None), True, id="a later place, nothing else known"),
        pytest.param(dataclasses.replace(HERE, sub_task="other"), False, id="another name only"),
    ],
)
def test_further_means_that_something_moved_forward(other: Progress, further: bool) -> None:
    """A later sub-task, or a higher percentage of it; where no size is known, no bytes."""
    assert other.is_ahead_of(HERE) is further
    assert a_task(progress=other).is_ahead_of(HERE) is further


@pytest.mark.parametrize(
    ("other", "size", "further"),
    [
        (Progress(5, 50, 1010), 1000, True),
        (Progress(5, 50, 1009), 1000, False),
        (Progress(5, 50, 1001), 1000, False),
        (Progress(5, 49, 1010), 1000, True),
        (Progress(5, 51, 900), 1000, True),
        (Progress(5, 50, 1001), 100, True),
        (Progress(5, 50, 1001), 99, True),
        (Progress(5, 50, 1001), 101, False),
        (Progress(5, 50, 1001), 0, False),
        (Progress(5, 50, None), 1000, False),
    ],
)
def test_bytes_are_real_ground_from_a_percent_of_all_on(
    other: Progress, size: int, further: bool
) -> None:
    """Whatever the percentage says; one that dies after a second each time gains none."""
    assert a_task(progress=other, size=size).is_ahead_of(HERE) is further


@pytest.mark.parametrize(
    ("here", "mark", "further"),
    [
        (Progress(None, 51, None, COPY), Progress(None, 50, None, COPY), True),
        (Progress(None, 50, None, COPY), Progress(None, 50, None, COPY), False),
        (Progress(None, 0, None, COPY), Progress(None, 100, None, "SSL_CONFIG"), True),
        (Progress(None, 0, None, DETACH), Progress(None, 100, None, "CONFIGURE_LINUX_FILE"), True),
        (Progress(None, 100, None, "CONFIGURE_LINUX_FILE"), Progress(None, 0, None, DETACH), False),
        (Progress(None, 100, None, "INVENTED"), Progress(None, 0, None, COPY), False),
        # One answer with a list, the other without: only names and the usual order are left.
        (Progress(5, 51, None, COPY), Progress(None, 50, None, COPY), True),
        (Progress(None, 49, None, COPY), Progress(5, 50, None, COPY), False),
    ],
)
def test_without_a_list_the_usual_order_decides(
    here: Progress, mark: Progress, further: bool
) -> None:
    """An answer without sub-tasks has their name and percentage: the documented order serves."""
    assert here.is_ahead_of(mark) is further


@pytest.mark.parametrize(("percent", "shown"), [(None, None), (-1, 0), (42, 42), (137, 100)])
def test_people_see_a_percentage_between_0_and_100(
    percent: Optional[int], shown: Optional[int]
) -> None:
    """What the service counts beyond 100 is compared as it is, and shown as 100."""
    assert Progress(5, percent).shown == shown


@pytest.mark.parametrize(
    "other",
    [
        Progress(6, 50, 1000),
        Progress(5, 49, 1000),
        Progress(5, 137, 1000),
        Progress(5, 50, 1001),
        Progress(None, 50, 1000, "CONFIGURE_LINUX_FILE"),
    ],
)
def test_any_change_is_movement(other: Progress) -> None:
    """A place, a name, a percentage or bytes that are known and differ show that a task works."""
    assert dataclasses.replace(HERE, sub_task=COPY).differs_from(other)
    assert not HERE.differs_from(Progress(None, None, None, ""))


def test_bytes_that_were_not_known_before_are_no_progress() -> None:
    """A task read by itself has no bytes and one from a list has: that is no movement."""
    assert not Progress(5, 50, 1000).is_ahead_of(Progress(5, 50), least_bytes=1)
    assert not Progress(5, 50).is_ahead_of(Progress(5, 50, 1000), least_bytes=1)


def test_without_a_mark_nothing_is_further() -> None:
    """A task that was never started has nothing to be further than."""
    assert not HERE.is_ahead_of(None)
    assert HERE.high_water(None) is HERE


@pytest.mark.parametrize("missing", [None, 0])
def test_what_is_missing_counts_as_none(missing: Optional[int]) -> None:
    """A percentage that is left out is not further than nothing, and nothing not than it."""
    assert not Progress(5, missing, missing).is_ahead_of(Progress(5))
    assert not Progress(5).is_ahead_of(Progress(5, missing, missing))


@given(progresses, progresses)
def test_the_furthest_of_two_is_beaten_by_neither(one: Progress, other: Progress) -> None:
    """A high-water mark stands at or above both, so ground covered twice is no progress."""
    mark = one.high_water(other)
    assert not one.is_ahead_of(mark, least_bytes=1)
    assert not other.is_ahead_of(mark, least_bytes=1)


@given(progresses, progresses)
def test_it_does_not_matter_which_of_two_was_first(one: Progress, other: Progress) -> None:
    """The mark is at the same place, with the same bytes where both are known."""
    marks = one.high_water(other), other.high_water(one)
    assert not marks[0].is_ahead_of(marks[1], least_bytes=1)


def test_bytes_that_are_not_known_now_are_not_known_in_the_mark() -> None:
    """They may have grown since, and would be taken for progress at the next reading."""
    assert Progress(5, 50).high_water(HERE) == Progress(5, 50)
    assert HERE.high_water(Progress(5, 60)) == Progress(5, 60, 1000)


@given(progresses)
def test_no_progress_is_beyond_itself(here: Progress) -> None:
    """Reading the same twice is no progress."""
    assert not here.is_ahead_of(here)


def test_the_name_in_a_mark_is_that_of_the_furthest_place() -> None:
    """A task that fell back keeps the name of the sub-task it had reached; a tie keeps the new."""
    back = Progress(4, 0, 2000, "FORMAT_DISK_LINUX_FILE")
    assert back.high_water(HERE) == dataclasses.replace(HERE, copied=2000)
    assert HERE.high_water(dataclasses.replace(HERE, sub_task="older")).sub_task == HERE.sub_task
