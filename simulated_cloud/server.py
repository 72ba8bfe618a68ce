"""The simulated cloud on a port of this machine."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any, Optional, Sequence

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from simulated_cloud.app import Cloud
from simulated_cloud.signing import Key
from simulated_cloud.world import World


class _Handler(WSGIRequestHandler):
    """Keeps connections, answers without delay, and says nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def send_response(self, code: int, message: Optional[str] = None) -> None:
        """Begin an answer without a date of its own: the cloud says what time it is there."""
        self.send_response_only(code, message)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Write no line per request."""


class CloudServer:
    """Serves a world on loopback while the ``with`` block lasts; ``url`` is where.

    With the file of a ``certificate`` and its key it is reached over TLS.
    """

    def __init__(
        self,
        world: World,
        keys: Sequence[Key],
        topics: Sequence[str],
        certificate: Optional[Path] = None,
    ) -> None:
        self.cloud = Cloud(world, keys, topics)
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1",
            0,
            self.cloud.app,
            threaded=True,
            request_handler=_Handler,
            ssl_context=context,
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> CloudServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
