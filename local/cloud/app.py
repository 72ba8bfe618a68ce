"""The simulated services over HTTP: paths, bodies and errors as the API references have them."""

from __future__ import annotations

import json
import socket
import time
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Optional, Sequence
from urllib.parse import urlsplit

import flask
from werkzeug.exceptions import HTTPException

from local.cloud.faults import Fault, Faults
from local.cloud.shapes import task_body
from local.cloud.signing import Key, SignedRequest, problem
from local.cloud.world import Refused, World

MAX_SUBJECT = 512  # bytes
MAX_MESSAGE = 262_144  # bytes
MAX_SHORT = 490  # characters

Answer = flask.Response
Serve = Callable[[], Dict[str, Any]]


class Cloud:
    """The services over one world.

    ``keys`` are those that the cloud knows, ``topics`` the URNs that exist, ``faults`` what is to
    go wrong; ``calls`` counts what was asked, by operation. ``app`` is the WSGI application.
    """

    def __init__(self, world: World, keys: Sequence[Key], topics: Sequence[str]) -> None:
        self._world, self._keys, self._topics = world, keys, topics
        self.faults = Faults()
        self.calls: Dict[str, int] = {}
        self.app = flask.Flask("cloud")
        for method, path, view in (
            ("GET", "/v3/tasks/<task_id>", self._show_task),
            ("POST", "/v3/tasks/<task_id>/action", self._start_task),
            ("POST", "/v2/<project>/notifications/topics/<urn>/publish", self._publish),
        ):
            self.app.add_url_rule(path, view.__name__, view, methods=[method])
        self.app.register_error_handler(HTTPException, self._unknown)

    def _show_task(self, task_id: str) -> Answer:
        def serve() -> Dict[str, Any]:
            return task_body(self._world.read(task_id), self._world.clock.now())

        return self._answer("show_task", task_id, serve)

    def _start_task(self, task_id: str) -> Answer:
        def serve() -> Dict[str, Any]:
            body = flask.request.get_json(silent=True)
            if body != {"operation": "start"}:
                self._world.violations.append(f"an action that is no start: {body}")
                raise Refused(400, "SMS.1001", "The operation is not supported.")
            self._world.start(task_id)
            return {}

        return self._answer("start_task", task_id, serve)

    def _publish(self, project: str, urn: str) -> Answer:
        def serve() -> Dict[str, Any]:
            if urn not in self._topics or urn.split(":")[3] != project:
                raise Refused(404, "SMN.0006", "The topic does not exist.")
            inbox = self._world.inbox
            inbox.append(_message(self._world, flask.request.get_json(silent=True)))
            return {"request_id": f"request-{len(inbox)}", "message_id": f"message-{len(inbox)}"}

        return self._answer("publish", urn, serve)

    def _answer(self, operation: str, about: str, serve: Serve) -> Answer:
        self.calls[operation] = self.calls.get(operation, 0) + 1
        wrong = problem(_signed(flask.request), self._keys, datetime.now(timezone.utc))
        if wrong:
            return _error(Refused(401, "APIGW.0301", f"Incorrect authentication: {wrong}"))
        fault = self.faults.take(operation, about)
        if fault is not None and fault.before:
            return _spoilt(fault)
        try:
            body = serve()
        except Refused as refused:
            return _error(refused)
        return _spoilt(fault) if fault is not None else _json(200, body)

    def _unknown(self, error: HTTPException) -> Answer:
        self._world.violations.append(f"{flask.request.method} {flask.request.path}: {error.code}")
        return _error(Refused(404, "APIGW.0101", "The API does not exist."))


def _signed(request: flask.Request) -> SignedRequest:
    sent = urlsplit(request.environ.get("REQUEST_URI") or request.full_path)
    headers = {name.lower(): text for name, text in request.headers.items()}
    return SignedRequest(request.method, sent.path, sent.query, headers, request.get_data())


def _message(world: World, body: Any) -> Dict[str, Any]:
    """Take a message apart as SMN does. Raises Refused when SMN would."""
    fields = body if isinstance(body, dict) else {}
    subject, structure = fields.get("subject"), str(fields.get("message_structure"))
    if not isinstance(subject, str) or len(subject.encode()) > MAX_SUBJECT or "\n" in subject:
        raise Refused(403, "SMN.0008", "The subject is invalid.")
    try:
        texts: Dict[str, str] = dict(json.loads(structure))
        short = texts.get("sms", texts["default"])
    except (TypeError, ValueError, KeyError):
        raise Refused(400, "SMN.0021", "The message structure is invalid.") from None
    if (
        len(structure.encode()) > MAX_MESSAGE
        or len(short) > MAX_SHORT
        or set(short) & set("[]【】")
    ):
        raise Refused(403, "SMN.0009", "The message is invalid.")
    world.settle()
    return {"at": world.clock.now(), "subject": subject, **texts}


def _json(status: int, body: Dict[str, Any]) -> Answer:
    return flask.Response(json.dumps(body), status, content_type="application/json")


def _error(refused: Refused) -> Answer:
    names = ("code", "message") if refused.code.startswith("SMN") else ("error_code", "error_msg")
    body = {names[0]: refused.code, names[1]: refused.text, "request_id": "request-refused"}
    return _json(refused.status, body)


def _spoilt(fault: Fault) -> Answer:
    time.sleep(fault.delay)
    if fault.drop:
        _hang_up()
    response = flask.Response(fault.body, fault.status, headers=dict(fault.headers))
    if fault.cut:
        response.headers["Content-Length"] = str(len(fault.body) + 100)
        response.headers["Connection"] = "close"
        response.automatically_set_content_length = False
    return response


def _hang_up() -> None:
    connection: Optional[socket.socket] = flask.request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
