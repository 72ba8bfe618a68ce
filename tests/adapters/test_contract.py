"""What every MigrationService and every Publisher does, the fakes and the real ones alike."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Callable, ContextManager, Dict, Iterator, NamedTuple

import pytest

from simulated_cloud.faults import Fault
from simulated_cloud.shapes import PROJECT
from simulated_cloud.task import SimTask
from simulated_cloud.variants import UNREADABLE, Variants
from sms_watch.adapters import smn, sms
from sms_watch.adapters.sdk import Caller
from sms_watch.errors import TOO_MANY_ROWS, CloudError, TaskGone
from sms_watch.model.notice import Message
from sms_watch.model.task import TaskState
from sms_watch.ports import MigrationService, Publisher
from sms_watch.settings.values import Credentials
from tests.support.builders import a_task
from tests.support.clouds import KEY, TOPIC, a_night
from tests.support.fakes import FakeDeadline, FakePublisher, FakeService, OneRun
from tests.support.network_faults import WINDOW

MESSAGE = Message("subject", "default text", "e-mail text", "short text", '{"version": 1}', ("1",))


class Services(NamedTuple):
    """The two services, and how to set the stage behind them.

    There are a failed task ``failed``, a running one ``running``, and none called ``gone``.
    """

    tasks: MigrationService
    topic: Publisher
    starts: Callable[[], int]
    messages: Callable[[], int]
    lose_answer: Callable[[str], None]
    break_service: Callable[[str], None]
    refuse_keys: Callable[[str], None]
    throttle: Callable[[], None]
    close_task: Callable[[str], None]
    count_more: Callable[[int], None]
    sent: Callable[[], int]


@contextmanager
def _fakes(place: Path) -> Iterator[Services]:
    tasks = FakeService(a_task(id="failed"), a_task(id="running", state="RUNNING", code=""))
    topic = FakePublisher()
    lost = CloudError("x", code="no_answer", outcome_unknown=True)

    def lose_answer(operation: str) -> None:
        if operation == "publish":
            topic.errors.append(lost)
        else:
            tasks.fail_start("failed", lost)

    def break_service(operation: str) -> None:
        tasks.fail_read("failed", CloudError("x", status=503, retryable=True))

    def refuse_keys(operation: str) -> None:
        refused = CloudError("x", status=401, code="APIGW.0301")
        tasks.fail_read("failed", refused)
        tasks.fail_start("failed", refused)

    def throttle() -> None:
        limited = CloudError("x", status=429, code="APIGW.0308", retryable=True, retry_after=60)
        tasks.fail_read("failed", limited)

    def close_task(task_id: str) -> None:
        tasks.closed[task_id] = CloudError("x", status=403, code="SMS.6527")

    def count_more(number: int) -> None:
        tasks.missing = number

    yield Services(
        OneRun(tasks),
        topic,
        lambda: len(tasks.starts),
        lambda: len(topic.messages),
        lose_answer,
        break_service,
        refuse_keys,
        throttle,
        close_task,
        count_more,
        lambda: len(tasks.reads) + len(tasks.starts) + tasks.lists,
    )


@contextmanager
def _real(place: Path) -> Iterator[Services]:
    failed = SimTask("failed", "web-01", state=TaskState.MIGRATE_FAIL, code="SMS.0807")
    with a_night(place, failed, SimTask("running", "web-02")) as night:
        keys = Credentials(KEY.access, KEY.secret)
        to_sms = sms.connect(night.server.url, keys)
        to_smn = smn.connect(night.server.url, keys, PROJECT)

        def caller(connection: object) -> Caller:
            return Caller(connection, FakeDeadline(), lambda seconds: None)

        def close_task(task_id: str) -> None:
            refused = UNREADABLE["another user's"]
            night.server.cloud.variants = Variants(unreadable={task_id: refused})

        def count_more(number: int) -> None:
            night.server.cloud.variants = Variants(unseen=number)

        yield Services(
            sms.SmsService(caller(to_sms)),
            smn.SmnPublisher(caller(to_smn), TOPIC),
            lambda: night.calls.get("start_task", 0),
            lambda: len(night.world.inbox),
            lambda operation: night.faults.add(operation, Fault(drop=True, before=False)),
            lambda operation: night.faults.add(operation, Fault(503), times=3),
            lambda operation: night.faults.add(operation, Fault(401)),
            lambda: night.faults.add("show_task", Fault(429, WINDOW)),
            close_task,
            count_more,
            lambda: sum(night.calls.values()),
        )
        to_sms.close()
        to_smn.close()


@pytest.fixture(params=[_fakes, _real], ids=["fakes", "real"])
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Services]:
    """Yield the services of both kinds, one after the other."""
    make: Callable[[Path], ContextManager[Services]] = request.param
    with make(tmp_path) as made:
        yield made


def test_a_task_is_read(services: Services) -> None:
    """A task comes with its id, state and code."""
    task = services.tasks.read_task("failed")
    assert (task.id, task.state, task.error.code) == ("failed", "MIGRATE_FAIL", "SMS.0807")


def test_a_task_is_read_again(services: Services) -> None:
    """A second look says the same while nothing has changed."""
    assert services.tasks.read_again("failed") == services.tasks.read_task("failed")


def test_a_task_that_does_not_exist_is_gone(services: Services) -> None:
    """Reading and starting a task that is none are all answered with TaskGone."""
    with pytest.raises(TaskGone):
        services.tasks.read_task("gone")
    with pytest.raises(TaskGone):
        services.tasks.read_again("gone")
    with pytest.raises(TaskGone):
        services.tasks.start_task("gone")


def test_a_task_of_somebody_else_is_not_gone(services: Services) -> None:
    """It can be neither read nor started, for as long as it lasts, and is not in the list."""
    services.close_task("failed")
    for call in (services.tasks.read_task, services.tasks.start_task, services.tasks.read_task):
        with pytest.raises(CloudError) as closed:
            call("failed")
        assert (closed.value.status, closed.value.code) == (403, "SMS.6527")
        assert not isinstance(closed.value, TaskGone)
        assert (closed.value.retryable, closed.value.outcome_unknown) == (False, False)
    assert services.tasks.list_tasks("").ids == {"running"}


def test_a_list_that_takes_more_than_the_reads_is_left(services: Services) -> None:
    """One with as many rows as allowed is read."""
    assert services.tasks.list_tasks("", 2).ids == {"failed", "running"}
    with pytest.raises(CloudError) as too_long:
        services.tasks.list_tasks("", 1)
    assert too_long.value.code == TOO_MANY_ROWS


def test_a_list_tells_that_it_counts_more_than_it_shows(services: Services) -> None:
    """It is not complete, and says so with the number."""
    assert services.tasks.list_tasks("").complete
    services.count_more(2)
    listing = services.tasks.list_tasks("")
    assert (listing.complete, listing.missing, bool(listing.detail)) == (False, 2, True)
    assert listing.ids == {"failed", "running"}


def test_a_failed_task_can_be_started(services: Services) -> None:
    """A start of a failed task is accepted, and sent once."""
    services.tasks.start_task("failed")
    assert services.starts() == 1


def test_a_running_task_cannot_be_started(services: Services) -> None:
    """A start in the wrong state is refused: certain, and not to be sent again."""
    with pytest.raises(CloudError) as refused:
        services.tasks.start_task("running")
    assert refused.value.code == "SMS.7713"
    assert not refused.value.retryable
    assert not refused.value.outcome_unknown


def test_a_start_whose_answer_is_lost_is_unknown(services: Services) -> None:
    """It may have been taken, so it is sent once only."""
    services.lose_answer("start_task")
    with pytest.raises(CloudError) as lost:
        services.tasks.start_task("failed")
    assert lost.value.outcome_unknown
    assert not lost.value.retryable
    assert services.starts() == 1


def test_a_broken_service_cannot_be_read(services: Services) -> None:
    """What is down for a moment may be asked again later."""
    services.break_service("show_task")
    with pytest.raises(CloudError) as broken:
        services.tasks.read_task("failed")
    assert broken.value.status == 503
    assert broken.value.retryable
    assert services.tasks.read_task("failed").id == "failed"


@pytest.mark.parametrize("operation", ["show_task", "start_task"])
def test_refused_keys_are_not_tried_again(services: Services, operation: str) -> None:
    """After one refusal nothing more is sent: it would get the keys locked."""
    tasks = services.tasks
    calls: Dict[str, Callable[[], object]] = {
        "show_task": lambda: tasks.read_task("failed"),
        "start_task": lambda: tasks.start_task("failed"),
    }
    services.refuse_keys(operation)
    with pytest.raises(CloudError) as refused:
        calls[operation]()
    assert refused.value.status == 401
    calls["list_tasks"] = lambda: tasks.list_tasks("")
    for call in calls.values():
        with pytest.raises(CloudError) as unsent:
            call()
        assert unsent.value.code == "keys_refused"
        assert not unsent.value.outcome_unknown
    assert services.sent() == 1


def test_a_throttled_service_is_read_no_more(services: Services) -> None:
    """Within the window that it names further reads are wasted; a start is sent all the same."""
    tasks = services.tasks
    services.throttle()
    with pytest.raises(CloudError) as throttled:
        tasks.read_task("failed")
    assert (throttled.value.status, throttled.value.code) == (429, "APIGW.0308")
    for read in (lambda: tasks.read_task("running"), lambda: tasks.list_tasks("")):
        with pytest.raises(CloudError) as unsent:
            read()
        assert unsent.value.code == "too_many_calls"
    assert services.sent() == 1
    tasks.start_task("failed")
    assert services.starts() == 1


def test_a_message_is_published(services: Services) -> None:
    """A published message has an id, and is there once."""
    assert services.topic.publish(MESSAGE)
    assert services.messages() == 1


def test_a_message_whose_answer_is_lost_is_unknown(services: Services) -> None:
    """The message is there, though nobody knows."""
    services.lose_answer("publish")
    with pytest.raises(CloudError) as lost:
        services.topic.publish(MESSAGE)
    assert lost.value.outcome_unknown
    assert services.messages() == 1
