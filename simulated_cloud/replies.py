"""What the simulated services put on the wire: JSON, XML, errors, and answers that break off."""

from __future__ import annotations

import json
import socket
import time
from typing import Any, Iterator, Mapping, Optional

import flask

from simulated_cloud.faults import Fault
from simulated_cloud.shapes import (
    REQUEST_ID,
    refusal,
)
from simulated_cloud.task import Refused
from simulated_cloud.variants import Reply

MOVED = 301

Answer = flask.Response


def json_answer(body: Any) -> Answer:
    """Return an answer, which says in a header by what id the gateway knows the request."""
    answer = body if isinstance(body, flask.Response) else reply_answer(Reply(200, encoded(body)))
    answer.headers["X-Request-Id"] = REQUEST_ID
    return answer


def reply_answer(reply: Reply) -> Answer:
    """Return a reply as it is."""
    return flask.Response(reply.body, reply.status, content_type="application/json")


def encoded(body: Any) -> bytes:
    """Return a body as JSON."""
    return json.dumps(body).encode()


def error_answer(refused: Refused) -> Answer:
    """Return a refusal in the form of the service that refuses."""
    return json_answer(reply_answer(Reply(refused.status, encoded(refusal(refused)))))


def obs_answer(data: bytes, headers: Mapping[str, str], status: int = 200) -> Answer:
    """Return an answer of OBS."""
    answer = flask.Response(data, status, headers={**headers, "x-obs-request-id": "request-obs"})
    answer.headers["Last-Modified"] = "Tue, 24 Nov 2026 00:00:00 GMT"
    return answer


def xml_answer(refused: Refused) -> Answer:
    """Return a refusal of OBS."""
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<Error><Code>{refused.code}</Code><Message>{refused.text}</Message>"
        "<RequestId>request-obs</RequestId><HostId>host</HostId></Error>"
    )
    headers = {"x-obs-request-id": "request-obs"}
    if refused.status == MOVED:
        headers["Location"] = "https://obs.example.com/"
    return flask.Response(body, refused.status, headers, content_type="application/xml")


def spoilt_answer(fault: Fault) -> Answer:
    """Return what a fault makes of an answer."""
    time.sleep(fault.delay)
    if fault.drop:
        _hang_up()
    body: Any = _dripping(fault.body, fault.drip) if fault.drip else fault.body
    response = flask.Response(body, fault.status, headers=dict(fault.headers))
    if fault.drip:
        response.headers["Content-Length"] = str(len(fault.body))
    if fault.cut:
        response.headers["Content-Length"] = str(len(fault.body) + 100)
        response.headers["Connection"] = "close"
        response.automatically_set_content_length = False
    return response


def _dripping(body: str, pause: float) -> Iterator[bytes]:
    for byte in body.encode():
        time.sleep(pause)
        yield bytes([byte])


def _hang_up() -> None:
    connection: Optional[socket.socket] = flask.request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
