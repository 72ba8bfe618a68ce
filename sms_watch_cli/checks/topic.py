"""The topic: whether it exists, and who hears what is published to it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Dict, Iterator, List

from huaweicloudsdksmn.v2 import ListSubscriptionsByTopicRequest, ListTopicDetailsRequest

from sms_watch.adapters.sdk import Caller
from sms_watch.errors import PUBLISHING, SMN_ADDRESS, CloudError, remedy
from sms_watch.messages.compose import RunContext, compose
from sms_watch.model.notice import Kind, Notice
from sms_watch.text import clean
from sms_watch_cli.checks.findings import Finding, Verdict, shown_address
from sms_watch_cli.session import CloudSession

PAGE = 100  # the most that the list gives at once (SMN API reference)
MOST = 10_000  # subscriptions of a topic, far beyond any quota
# The states of a subscription (SMN API reference, "Querying Subscriptions").
UNCONFIRMED, CONFIRMED, NEEDS_NONE, CANCELLED, DELETED = range(5)
CONFIRM = "ask its owner to follow the link in SMN's request; the SMN console can send it again"


def topic(cloud_session: CloudSession) -> Iterator[Finding]:
    """Look at the topic and its subscriptions."""
    caller = cloud_session.wiring().to_smn()
    try:
        name = _name(caller, cloud_session.settings.topic.urn)
    except CloudError as error:
        yield _judged("topic", error, "smn:topic:get")
        if error.status != HTTPStatus.FORBIDDEN:
            return
    else:
        yield Finding(
            "topic", Verdict.OK, f"{name} exists in {cloud_session.settings.topic.region}"
        )
    try:
        found = _subscriptions(caller, cloud_session.settings.topic.urn)
    except CloudError as error:
        yield _judged("subscriptions", error, "smn:topic:listSubscriptionsByTopic")
        return
    yield from subscriptions(found)


def subscriptions(found: List[Dict[str, Any]]) -> Iterator[Finding]:
    """Judge the subscriptions of a topic."""
    about = "subscriptions"
    hear = [each for each in found if each.get("status") in (CONFIRMED, NEEDS_NONE)]
    by_protocol = [clean(str(each.get("protocol"))) for each in hear]
    counted = ", ".join(f"{by_protocol.count(each)} {each}" for each in sorted(set(by_protocol)))
    if hear:
        yield Finding(about, Verdict.OK, f"confirmed: {counted}")
    else:
        text = "no subscription is confirmed, so nobody gets a message"
        why = "add a subscription to the topic in the SMN console, and confirm it"
        yield Finding(about, Verdict.FAILED, text, why)
    for each in found:
        protocol = clean(str(each.get("protocol")))
        whom = f"{protocol} {clean(shown_address(protocol, str(each.get('endpoint') or '')))}"
        if each.get("status") == UNCONFIRMED:
            yield Finding(about, Verdict.WARNING, f"{whom} is not confirmed", CONFIRM)
        elif each.get("status") == CANCELLED:
            text = f"{whom} has unsubscribed"
            yield Finding(about, Verdict.WARNING, text, "subscribe it again, or delete it")


def send_test(cloud_session: CloudSession) -> Finding:
    """Publish one test message. It goes past the journal: nothing else is changed."""
    now = cloud_session.clock.now()
    event_id = f"check-{now:%Y%m%d-%H%M%S}"
    made = cloud_session.settings
    message = compose(
        [Notice(Kind.TEST, now, event_id)], RunContext("check", now, made.zone, made.console)
    )
    try:
        message_id = cloud_session.wiring().publisher().publish(message)
    except CloudError as error:
        verdict = Verdict.WARNING if error.outcome_unknown else Verdict.FAILED
        return Finding("test message", verdict, str(error), remedy(error, PUBLISHING, SMN_ADDRESS))
    text = f"published as {message_id}, event {event_id}"
    return Finding(
        "test message",
        Verdict.OK,
        text,
        "see whether it arrives: SMN does not report what it cannot deliver",
    )


def _judged(about: str, error: CloudError, right: str) -> Finding:
    if error.status == HTTPStatus.FORBIDDEN:
        text = f"these keys may not look at it: {error}"
        why = f"grant {right}, or look in the SMN console; publishing needs only {PUBLISHING}"
        return Finding(about, Verdict.WARNING, text, why)
    if error.status == HTTPStatus.NOT_FOUND:
        text = "SMN has no such topic in this region and project"
        return Finding(about, Verdict.FAILED, text, f"correct {SMN_ADDRESS}")
    return Finding(about, Verdict.FAILED, str(error), remedy(error, right, SMN_ADDRESS))


def _name(caller: Caller, urn: str) -> str:
    operation = "look at the topic"
    request = ListTopicDetailsRequest(topic_urn=urn)
    asked = caller.connection.client.list_topic_details_invoker(request)
    body = caller.read(operation, asked.invoke).body
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name:
        raise caller.malformed(operation)
    return clean(name)


def _subscriptions(caller: Caller, urn: str) -> List[Dict[str, Any]]:
    operation = "list the subscriptions"
    found: List[Dict[str, Any]] = []
    for offset in range(0, MOST, PAGE):
        request = ListSubscriptionsByTopicRequest(topic_urn=urn, offset=offset, limit=PAGE)
        asked = caller.connection.client.list_subscriptions_by_topic_invoker(request)
        body = caller.read(operation, asked.invoke).body
        rows = body.get("subscriptions") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise caller.malformed(operation)
        found += [row for row in rows if isinstance(row, dict)]
        if len(rows) < PAGE:
            break
    return found
