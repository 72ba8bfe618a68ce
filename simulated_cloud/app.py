"""The simulated services over HTTP: paths, bodies and errors as the API references have them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import urlsplit

import flask
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date

from simulated_cloud import obs_signing
from simulated_cloud.buckets import Storage, etag
from simulated_cloud.faults import Faults
from simulated_cloud.replies import (
    Answer,
    error_answer,
    json_answer,
    obs_answer,
    reply_answer,
    spoilt_answer,
    xml_answer,
)
from simulated_cloud.setup import (
    Function,
    Subscription,
    asynchronous_body,
    function_body,
    subscription_page,
    topic_body,
    trigger_list,
)
from simulated_cloud.shapes import (
    SOURCE_FILTERS,
    TASK_FILTERS,
    matching,
    source_page,
    task_body,
    task_page,
)
from simulated_cloud.signing import Key, SignedRequest, problem
from simulated_cloud.task import Refused
from simulated_cloud.variants import DOCUMENTED, Gateway, Variants
from simulated_cloud.world import World

MAX_SUBJECT = 512  # bytes
MAX_MESSAGE = 262_144  # bytes
MAX_SHORT = 490  # characters
LONGEST_LIFE = 86_400  # seconds
MAX_PAGE, MAX_OFFSET = 200, 65_535  # rows of a list (SMS API reference)
Serve = Callable[[], Any]


class Cloud:
    """The services over one world.

    ``keys`` are those that the cloud knows, ``topics`` the URNs that exist, ``faults`` what is to
    go wrong, ``variants`` how the services answer where documents and reports differ; ``calls``
    counts what was asked, by operation. ``skew`` is how far the clock of the
    services is ahead of that of their callers. ``subscriptions`` are those of every topic,
    ``functions`` what is deployed, by URN. ``app`` is the WSGI application.
    """

    def __init__(self, world: World, keys: Sequence[Key], topics: Sequence[str]) -> None:
        self.world, self._keys, self._topics = world, keys, topics
        self.faults = Faults()
        self.variants: Variants = DOCUMENTED
        self._gateway = Gateway()
        self.storage = Storage()
        self.skew = timedelta(0)
        self.subscriptions: List[Subscription] = [Subscription("email", "night@example.com")]
        self.functions: Dict[str, Function] = {}
        self.calls: Dict[str, int] = {}
        self.app = flask.Flask("cloud")
        for method, path, view in (
            ("GET", "/v3/tasks", self._list_tasks),
            ("GET", "/v3/sources", self._list_servers),
            ("GET", "/v3/tasks/<task_id>", self._show_task),
            ("POST", "/v3/tasks/<task_id>/action", self._start_task),
            ("POST", "/v2/<project>/notifications/topics/<urn>/publish", self._publish),
            ("GET", "/v2/<project>/notifications/topics/<urn>", self._show_topic),
            (
                "GET",
                "/v2/<project>/notifications/topics/<urn>/subscriptions",
                self._list_subscriptions,
            ),
            ("GET", "/v2/<project>/fgs/functions/<urn>/config", self._show_function),
            (
                "GET",
                "/v2/<project>/fgs/functions/<urn>/async-invoke-config",
                self._show_asynchronous,
            ),
            ("GET", "/v2/<project>/fgs/triggers/<urn>", self._list_triggers),
            ("PUT", "/<string(minlength=3):bucket>/", self._create_bucket),
            ("HEAD", "/<string(minlength=3):bucket>/", self._head_bucket),
            ("GET", "/<string(minlength=3):bucket>/<path:key>", self._get_object),
            ("POST", "/<string(minlength=3):bucket>/<path:key>", self._append_object),
        ):
            self.app.add_url_rule(path, view.__name__, view, methods=[method])
        self.app.register_error_handler(HTTPException, self._unknown)
        self.app.after_request(self._dated)
        self.app.wsgi_app = _by_host(self.app.wsgi_app)  # type: ignore[method-assign] # flask's own way

    def _list_tasks(self) -> Answer:
        def serve() -> Dict[str, Any]:
            self.variants.allow_list()
            found = matching(self.world.all(), TASK_FILTERS, flask.request.args)
            return task_page(found, self.world.clock.now(), *_page(100), self.variants)

        return self._read("list_tasks", flask.request.args.get("offset", "0"), serve)

    def _list_servers(self) -> Answer:
        def serve() -> Dict[str, Any]:
            self.variants.allow_list()
            found = matching(self.world.all(), SOURCE_FILTERS, flask.request.args)
            limit, offset = _page(MAX_PAGE)
            now = self.world.clock.now()
            return source_page(found, now, limit or MAX_PAGE, offset, self.variants)

        return self._read("list_servers", flask.request.args.get("offset", "0"), serve)

    def _show_task(self, task_id: str) -> Answer:
        def serve() -> Dict[str, Any]:
            self.variants.allow(task_id)
            return task_body(self.world.read(task_id), self.world.clock.now(), self.variants)

        return self._read("show_task", task_id, serve)

    def _start_task(self, task_id: str) -> Answer:
        def serve() -> Answer:
            body = flask.request.get_json(silent=True)
            if body != {"operation": "start"}:
                self.world.violations.append(f"an action that is no start: {body}")
                raise Refused(400, "SMS.1001", "The operation is not supported.")
            self.variants.allow(task_id)
            if not self.variants.start.refuses:
                self.world.start(task_id)
            return reply_answer(self.variants.start)

        return self._answer("start_task", task_id, serve)

    def _publish(self, project: str, urn: str) -> Answer:
        def serve() -> Dict[str, Any]:
            self._know_topic(project, urn)
            inbox = self.world.inbox
            inbox.append(_message(self.world, flask.request.get_json(silent=True)))
            return {"request_id": f"request-{len(inbox)}", "message_id": f"message-{len(inbox)}"}

        return self._answer("publish", urn, serve)

    def _show_topic(self, project: str, urn: str) -> Answer:
        def serve() -> Dict[str, Any]:
            self._know_topic(project, urn)
            return topic_body(urn)

        return self._answer("show_topic", urn, serve)

    def _list_subscriptions(self, project: str, urn: str) -> Answer:
        def serve() -> Dict[str, Any]:
            self._know_topic(project, urn)
            return subscription_page(urn, self.subscriptions, *_page(100))

        return self._answer("list_subscriptions", urn, serve)

    def _know_topic(self, project: str, urn: str) -> None:
        if urn not in self._topics or urn.split(":")[3] != project:
            raise Refused(404, "SMN.0006", "The topic does not exist.")

    def _show_function(self, project: str, urn: str) -> Answer:
        return self._answer("show_function", urn, lambda: function_body(self._function(urn)))

    def _show_asynchronous(self, project: str, urn: str) -> Answer:
        def serve() -> Dict[str, Any]:
            function = self._function(urn)
            if function.retries is None:
                # That the status is 404 is known (Terraform provider); the code is made up.
                raise Refused(404, "FSS.1404", "The configuration does not exist.")
            return asynchronous_body(function)

        return self._answer("show_asynchronous", urn, serve)

    def _list_triggers(self, project: str, urn: str) -> Answer:
        return self._answer("list_triggers", urn, lambda: trigger_list(self._function(urn)))

    def _function(self, urn: str) -> Function:
        if urn not in self.functions:
            raise Refused(404, "FSS.1051", "The function does not exist.")
        return self.functions[urn]

    def _head_bucket(self, bucket: str) -> Answer:
        def serve() -> Answer:
            held = self.storage.head(bucket)
            headers = {"x-obs-bucket-location": held.region}
            if held.kind == "parallel":
                headers["x-obs-fs-file-interface"] = "Enabled"
            if held.kind == "archive":
                headers["x-obs-storage-class"] = "COLD"
            return obs_answer(b"", headers)

        return self._obs("head_bucket", bucket, serve)

    def _create_bucket(self, bucket: str) -> Answer:
        def serve() -> Answer:
            found = re.search(r"<Location>([^<]+)</Location>", flask.request.get_data(as_text=True))
            acl = flask.request.headers.get("x-obs-acl", "")
            region = found.group(1) if found else self.storage.region
            self.storage.create(bucket, region, acl)
            return obs_answer(b"", {"Location": f"/{bucket}"})

        return self._obs("create_bucket", bucket, serve)

    def _get_object(self, bucket: str, key: str) -> Answer:
        """Serve GET, and HEAD through it."""

        def serve() -> Answer:
            held = self.storage.get(bucket, key)
            asked = flask.request.headers.get("Range", "")
            variants = self.variants
            part = held.part(asked, variants.whole_beyond_end, variants.last_bytes)
            return obs_answer(part.data, {**held.headers, **part.headers}, part.status)

        operation = "head_object" if flask.request.method == "HEAD" else "get_object"
        return self._obs(operation, bucket, serve)

    def _append_object(self, bucket: str, key: str) -> Answer:
        def serve() -> Answer:
            asked = flask.request.args
            if "append" not in asked or not asked.get("position", "").isdigit():
                self.world.violations.append(f"a POST that appends nothing: {dict(asked)}")
                raise Refused(400, "InvalidArgument", "The position is missing.")
            data = flask.request.get_data()
            after = self.storage.append(bucket, key, int(asked["position"]), data)
            headers = {"ETag": etag(data), "x-obs-next-append-position": str(after)}
            return obs_answer(b"", headers)

        return self._obs("append_object", bucket, serve)

    def _obs(self, operation: str, bucket: str, serve: Callable[[], Answer]) -> Answer:
        signed = _signed(flask.request)
        within = replace(signed, path=signed.path[len(f"/{bucket}") :])
        wrong = obs_signing.problem(within, bucket, self._keys, self.world.clock.now() + self.skew)
        refused = Refused(403, wrong, "The request is refused.") if wrong else None
        answer = self._serve(operation, bucket, serve, refused, xml_answer)
        answer.headers["Date"] = http_date(self.world.clock.now() + self.skew)
        return answer

    def _read(self, operation: str, about: str, serve: Serve) -> Answer:
        """Answer a read of the migration service, unless its gateway has seen too many."""

        def admitted() -> Any:
            self._gateway.admit(self.variants.reads_a_minute, self.world.clock.now())
            return serve()

        return self._answer(operation, about, admitted)

    def _answer(self, operation: str, about: str, serve: Serve) -> Answer:
        wrong = problem(_signed(flask.request), self._keys, datetime.now(timezone.utc) + self.skew)
        said = f"Incorrect authentication: {wrong}"
        refused = Refused(401, "APIGW.0301", said) if wrong else None
        return self._serve(operation, about, lambda: json_answer(serve()), refused, error_answer)

    def _serve(
        self,
        operation: str,
        about: str,
        serve: Callable[[], Answer],
        refused: Optional[Refused],
        tell: Callable[[Refused], Answer],
    ) -> Answer:
        """Serve one call, unless it is refused or a fault spoils it."""
        self.calls[operation] = self.calls.get(operation, 0) + 1
        if refused is not None:
            return tell(refused)
        fault = self.faults.take(operation, about)
        if fault is not None and fault.before:
            return spoilt_answer(fault)
        try:
            served = serve()
        except Refused as answer:
            return tell(answer)
        return served if fault is None else spoilt_answer(fault)

    def _dated(self, answer: Answer) -> Answer:
        """Return the time of the services, by which they judge a signature."""
        on_obs = "x-obs-date" in flask.request.headers
        now = self.world.clock.now() if on_obs else datetime.now(timezone.utc)
        answer.headers.setdefault("Date", http_date(now + self.skew))
        return answer

    def _unknown(self, error: HTTPException) -> Answer:
        self.world.violations.append(f"{flask.request.method} {flask.request.path}: {error.code}")
        return error_answer(Refused(404, "APIGW.0101", "The API does not exist."))


def _by_host(serve: Callable[..., Any]) -> Callable[..., Any]:
    """Take a bucket that is named by the host, as OBS does, for the first part of the path."""

    def served(environ: Dict[str, Any], start_response: Any) -> Any:
        bucket, found, _ = environ.get("HTTP_HOST", "").partition(".obs.")
        if found:
            for name in ("PATH_INFO", "REQUEST_URI"):
                environ[name] = f"/{bucket}{environ[name]}"
        return serve(environ, start_response)

    return served


def _page(usual: int) -> Tuple[int, int]:
    """Return limit and offset of a list. Raise Refused where the service would."""
    limit, offset = (
        flask.request.args.get(name, default, int)
        for name, default in (("limit", usual), ("offset", 0))
    )
    if not (0 <= limit <= MAX_PAGE and 0 <= offset <= MAX_OFFSET):
        raise Refused(400, "SMS.1001", "The parameter is invalid.")
    return limit, offset


def _signed(request: flask.Request) -> SignedRequest:
    sent = urlsplit(request.environ.get("REQUEST_URI") or request.full_path)
    headers = {name.lower(): text for name, text in request.headers.items()}
    return SignedRequest(request.method, sent.path, sent.query, headers, request.get_data())


def _message(world: World, body: Any) -> Dict[str, Any]:
    """Take a message apart as SMN does. Raise Refused where SMN would."""
    fields = body if isinstance(body, dict) else {}
    subject = fields.get("subject", "")
    if not isinstance(subject, str) or len(subject.encode()) > MAX_SUBJECT or "\n" in subject:
        raise Refused(403, "SMN.0008", "The subject is invalid.")
    life = fields.get("time_to_live", "3600")
    if not (isinstance(life, str) and life.isdecimal() and 0 < int(life) <= LONGEST_LIFE):
        # Which code it is answered with is in no document.
        world.violations.append(f"a message that is to live for {life!r}")
    texts = _texts(fields)
    world.advance()
    return {"at": world.clock.now(), "subject": subject, **texts}


def _texts(fields: Mapping[str, Any]) -> Dict[str, str]:
    """Return the text for each protocol.

    A structure goes before a template, and that before a plain message, which is for all of them
    (SMN API reference, "Publishing a Message"). There are no templates here.
    """
    if "message_structure" in fields:
        return _structured(str(fields["message_structure"]))
    if "message_template_name" in fields:
        raise Refused(404, "SMN.0027", "The template does not exist.")
    message = fields.get("message")
    if not isinstance(message, str) or not 0 < len(message.encode()) <= MAX_MESSAGE:
        raise Refused(403, "SMN.0009", "The message is invalid.")
    return {"default": message}


def _structured(structure: str) -> Dict[str, str]:
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
    return texts
