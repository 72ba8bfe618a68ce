"""Publishing what is owed, also where SMN does not take the words of a message."""

from __future__ import annotations

import json
import re
from datetime import timezone
from typing import Any, Callable, Dict, List, Sequence

import pytest

from simulated_cloud.task import SimTask
from sms_watch.errors import CloudError
from sms_watch.messages.compose import MAX_SHORT, MAX_SUBJECT, RunContext, compose_bare
from sms_watch.messages.draft import Draft, Form
from sms_watch.model.notice import Kind, Message, Notice, Outcome, Start
from sms_watch.ports import Ports
from sms_watch.publishing import MOST_MESSAGES, Sent, publish
from sms_watch.timetable import Timetable
from tests.support.builders import DISK_FULL, LINE_LOST, NOW, a_notice, a_task, minutes
from tests.support.fakes import FakeDeadline, FakeJournal, FakePublisher, FakeService
from tests.support.simulated_run import SimulatedRuns, patched_transport
from tests.support.wakes import RunRecord

CONTEXT = RunContext("run-1", NOW, timezone.utc, "https://console.example/sms/")
BAD = "unspeakable"


class Topic(FakePublisher):
    """A topic with what a run publishes through."""

    def __init__(self) -> None:
        super().__init__()
        self.deadline = FakeDeadline()

    def publish_all(self, owed: Sequence[Notice]) -> Sent:
        """Publish in a run, whose keys are "key"."""
        return publish(
            owed,
            CONTEXT,
            Ports(
                FakeService(),
                self,
                FakeJournal(),
                self.deadline,
                Timetable(50),
                lambda: "nonce",
                lambda text: text.replace("key", "***"),
            ),
            50,
        )

    @property
    def told(self) -> List[str]:
        """The ids of the events that were told, message by message."""
        return [event_id for message in self.messages for event_id in message.event_ids]


def _notices(number: int, *bad: int) -> List[Notice]:
    """Return notices about as many tasks; those in ``bad`` have a name that is not taken."""
    return [
        a_notice(
            task=a_task(id=f"t{each}", name=BAD if each in bad else f"web-{each}"),
            event_id=f"20261124-0-{each}-failed",
        )
        for each in range(number)
    ]


def _ids(notices: Sequence[Notice]) -> List[str]:
    return [notice.event_id for notice in notices]


def _holds(*texts: str) -> Callable[[Message], bool]:
    """Return what tells a message that has one of these texts in it."""
    return lambda message: any(text in repr(message) for text in texts)


def _speaks_of(*task_ids: str) -> Callable[[Message], bool]:
    """Return what tells a message that says more of one of these tasks than its id."""

    def tell(message: Message) -> bool:
        return "\n" in message.email and bool(set(re.split(r"\W+", message.email)) & set(task_ids))

    return tell


def test_what_is_taken_goes_out_in_one_message() -> None:
    """In full, and without a failure."""
    topic, owed = Topic(), _notices(3)
    assert topic.publish_all(owed) == Sent(tuple(owed), "message-1")
    assert topic.tries == 1
    assert "web-2" in topic.messages[0].email


def test_nothing_is_published_where_nothing_is_owed() -> None:
    """A quiet run calls nobody."""
    topic = Topic()
    assert topic.publish_all([]) == Sent()
    assert topic.tries == 0


def test_a_message_that_is_refused_for_its_words_goes_out_without_those_from_outside() -> None:
    """All is told at once, by ids, and the run fails with what SMN said."""
    topic, owed = Topic(), _notices(3, 1)
    topic.refuses = _holds(BAD)
    sent = topic.publish_all(owed)
    assert (sent.notices, sent.message_id) == (tuple(owed), "message-1")
    assert topic.told == _ids(owed)
    assert "web-2" not in repr(topic.messages)
    assert all(f"t{number}" in topic.messages[0].email for number in range(3))
    assert sent.failure.startswith(
        "SMN refused a message: publish the message: SMN.0227, HTTP 400, Sensitive; 3 of 3 notices"
        " went out without names and details"
    )
    assert "owed" not in sent.failure


@pytest.mark.parametrize("bad", range(5))
def test_the_one_that_is_refused_without_names_too_is_found_by_halves(bad: int) -> None:
    """It is told by its ids alone; each of the others in as many words as are taken."""
    topic, owed = Topic(), _notices(5)
    topic.refuses = _speaks_of(f"t{bad}")
    sent = topic.publish_all(owed)
    assert sorted(topic.told) == _ids(owed)
    assert sorted(_ids(sent.notices)) == _ids(owed)
    (bare,) = [each for each in topic.messages if each.event_ids == (owed[bad].event_id,)]
    assert bare.email == (
        f"sms_watch warning: failed, task t{bad}, event {owed[bad].event_id}. SMN refused the text"
        " of this notice."
    )
    assert topic.tries <= MOST_MESSAGES


def test_one_that_is_not_taken_in_any_words_stays_owed_alone() -> None:
    """The others are told, and the run says that one is not."""
    topic, owed = Topic(), _notices(5)
    topic.refuses = _holds(owed[3].event_id)
    sent = topic.publish_all(owed)
    assert sorted(topic.told) == _ids([*owed[:3], owed[4]])
    assert sent.failure.endswith("; the next run will send the others")
    assert "4 of 5 notices" in sent.failure


def test_a_topic_that_takes_no_words_at_all_is_left_in_peace_after_a_while() -> None:
    """The number of tries in one run is bounded, and nothing counts as told."""
    topic, owed = Topic(), _notices(100)
    topic.refuses = lambda message: True
    sent = topic.publish_all(owed)
    assert topic.tries == MOST_MESSAGES
    assert (sent.notices, sent.message_id) == ((), "")
    assert "it refused plainer ones too: check SMN_TOPIC_URN" in sent.failure
    assert sent.failure.endswith("; the next run will send the others")


def test_among_a_thousand_each_run_tells_something() -> None:
    """Also if every second notice has something that is not taken even without names."""
    topic, owed = Topic(), _notices(1000)
    topic.refuses = _speaks_of(*(f"t{number}" for number in range(1, 1000, 2)))
    sent = topic.publish_all(owed)
    assert sent.notices


@pytest.mark.parametrize("tries", [0, 1, 2])
def test_another_error_ends_the_publishing(tries: int) -> None:
    """What comes after it is owed; what was told before it counts as told."""
    topic, owed = Topic(), _notices(4)
    topic.refuses = _speaks_of("t3")

    def fail_later(message: Message) -> str:
        if topic.tries == tries + 2:
            topic.errors.append(CloudError("publish", "no key", status=500))
        return FakePublisher.publish(topic, message)

    topic.publish = fail_later  # type: ignore[method-assign] # it fails after a while
    sent = topic.publish_all(owed)
    assert _ids(sent.notices) == topic.told
    assert "publish: HTTP 500, no ***; " in sent.failure
    assert sent.failure.endswith("the next run will send the message")


def test_no_message_begins_when_the_time_is_over() -> None:
    """Nor a plainer one after the first."""
    topic, owed = Topic(), _notices(2, 1)

    def refuse(message: Message) -> bool:
        topic.deadline.spend(60)
        return True

    topic.refuses = refuse
    sent = topic.publish_all(owed)
    assert topic.tries == 1
    assert "no time was left to publish" in sent.failure
    assert topic.publish_all(owed).failure == (
        "no time was left to publish; the next run will send the message"
    )


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "SMN.0227", True),
        (400, "SMN.0021", True),
        (400, "", True),
        (413, "", True),
        (403, "SMN.0008", True),
        (403, "SMN.0009", True),
        (403, "SMN.0001", False),
        (401, "APIGW.0301", False),
        (404, "SMN.0006", False),
        (429, "", False),
        (500, "", False),
        (302, "malformed", False),
        (None, "timeout", False),
    ],
)
def test_what_is_refused_for_its_words(status: Any, code: str, words: bool) -> None:
    """Not what is refused for keys, rights, the topic or too many calls; nor what is unknown."""
    assert CloudError("publish", status=status, code=code).refuses_words is words


# Through the handler


@pytest.mark.slow
def test_a_name_that_smn_never_takes_silences_no_task_for_days() -> None:
    """What is told of it has its id alone; other tasks, and days later it too, are told as ever."""
    night = SimulatedRuns([SimTask("bad", BAD), *(SimTask(f"t{n}", f"web-{n}") for n in range(3))])
    night.refuses = lambda message: BAD in message
    with patched_transport(night, lambda: 0.5):
        failed = [_tick(night).failure for _ in range(3)]
        night.world.fail("bad", DISK_FULL)
        _tick(night)
        night.world.fail("t0", DISK_FULL)
        night.world.fail("t1", LINE_LOST, obstacle=False)
        failed += [_tick(night).failure for _ in range(3 * 24 * 6)]
    kinds: Dict[str, List[str]] = {}
    for wake in night.wakes:
        for notice in wake.notices:
            kinds.setdefault(notice["task_id"], []).append(notice["kind"])
    assert kinds["bad"][:3] == kinds["t0"][:3] == ["failed", "needs_person", "reminder"]
    assert kinds["t1"][:2] == ["failed", "resumed"]
    assert "web-0 needs attention" in night.world.inbox[1]["subject"]
    assert len([text for text in failed if text]) <= len(kinds["bad"])
    assert all("SMN refused a message" in text for text in failed if text)


def _tick(night: SimulatedRuns) -> RunRecord:
    night.clock.set(night.clock.now() + minutes(10))
    night.world.advance()
    return night.wake()


# Drafts


def test_a_draft_becomes_plainer_until_there_is_nothing_to_leave_out() -> None:
    """Without texts from outside, in halves in their order, and each by itself."""
    a, b, c = _notices(3)
    (lean,) = Draft((a, b, c)).plainer()
    assert lean == Draft((a, b, c), Form.LEAN)
    assert lean.plainer() == (Draft((a,), Form.LEAN), Draft((b, c), Form.LEAN))
    (bare,) = Draft((a,), Form.LEAN).plainer()
    assert bare == Draft((a,), Form.BARE)
    assert bare.plainer() == ()


def test_a_draft_holds_what_its_message_has_room_for() -> None:
    """What is left out of a message that would be too large is neither told nor halved."""
    a, b, _ = owed = _notices(3)
    message = Draft(tuple(owed[:2])).message(CONTEXT)
    assert Draft(tuple(owed)).holding(message).notices == (a, b)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("form", [Form.LEAN, Form.BARE])
def test_a_plainer_message_has_no_text_from_outside(kind: Kind, form: Form) -> None:
    """In none of its forms, of whatever kind its notice is."""
    task = a_task(id="7a9c", name=BAD, state=BAD, error_params=(BAD,), source=BAD, target=BAD)
    start = Start("20261124-0-0-start", Outcome.REFUSED, BAD)
    notice = a_notice(kind, task=task, detail=BAD, start=start)
    message = Draft((notice,), form).message(CONTEXT)
    assert BAD not in repr(message)
    assert message.event_ids == (notice.event_id,)
    (web,) = json.loads(message.web)["notices"]
    assert (web["event_id"], web["kind"], web["task_id"]) == (notice.event_id, kind, "7a9c")


def test_a_bare_message_keeps_the_limits_of_a_message() -> None:
    """A subject and a text message are short enough, and have no brackets."""
    notice = a_notice(Kind.NEEDS_PERSON, task=a_task(id="x" * 36), event_id="e" * 60)
    message = compose_bare(notice, CONTEXT)
    assert len(message.subject.encode()) <= MAX_SUBJECT
    assert len(message.short) <= MAX_SHORT
    assert not set(message.short) & set("[]【】\n")
    assert "the watchdog" in compose_bare(Notice(Kind.TEST, NOW, "e"), CONTEXT).email
