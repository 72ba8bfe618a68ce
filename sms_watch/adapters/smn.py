"""Messages through the official client of Simple Message Notification."""

from __future__ import annotations

import json

from huaweicloudsdksmn.v2 import PublishMessageRequest, PublishMessageRequestBody, SmnClient

from sms_watch.adapters.sdk import Caller, Connection
from sms_watch.model.notice import Message
from sms_watch.settings.values import Credentials
from sms_watch.text import clean

# How long SMN goes on trying, in seconds: the longest it allows. What happened at night is still
# delivered in the morning (SMN API reference, "Publishing a message").
A_DAY = "86400"


def structure(message: Message) -> str:
    """Return SMN's ``message_structure``: a string that holds JSON with a text per protocol."""
    texts = {
        "default": message.default,
        "email": message.email,
        "sms": message.short,
        "http": message.web,
        "https": message.web,
    }
    return json.dumps(texts)


def connect(endpoint: str, credentials: Credentials, project_id: str) -> Connection:
    """Make a client for the topics of a project."""
    return Connection(SmnClient.new_builder, endpoint, credentials, project_id)


class SmnPublisher:
    """The Publisher of a run, against the real service (SMN API reference, "Publishing")."""

    def __init__(self, caller: Caller, topic_urn: str) -> None:
        self._caller = caller
        self._topic_urn = topic_urn

    def publish(self, message: Message) -> str:
        """Publish one message and return its id. Raise CloudError, as the port describes.

        Without an id nobody knows whether it was taken, unless the answer holds an error.
        """
        operation = "publish the message"
        body = PublishMessageRequestBody(
            subject=message.subject,
            message_structure=structure(message),
            time_to_live=A_DAY,
        )
        request = PublishMessageRequest(topic_urn=self._topic_urn, body=body)
        # Through the invoker: the plain method sends again when its own code raises TypeError.
        send = self._caller.connection.client.publish_message_invoker(request).invoke
        answer = self._caller.write(operation, send)
        message_id = answer.body.get("message_id") if isinstance(answer.body, dict) else None
        if not isinstance(message_id, str) or not message_id:
            raise self._caller.malformed(operation, write=True, answer=answer)
        return clean(message_id)
