"""Servers on this machine that misbehave on the wire, where a mock would only pretend to."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager
from typing import Iterator, List, Optional, Union

# What the server does once it has read a request.
SILENT, DROP = b"silent", b"drop"


class Server:
    """Counts what it is sent, and answers with bytes as they are, or not at all.

    With ``drip`` it lets so many seconds pass before each byte. ``sockets`` are its own ends of the
    connections.
    """

    def __init__(
        self,
        answer: Union[str, bytes],
        drip: float = 0.0,
        tls: Optional[ssl.SSLContext] = None,
    ) -> None:
        self.requests: List[bytes] = []
        self.sockets: List[socket.socket] = []
        self._answer = answer.encode() if isinstance(answer, str) else answer
        self._drip = drip
        self._tls = tls
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._closing.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:  # nobody came in time
                continue
            self.sockets.append(connection)
            connection.settimeout(1)
            self._handle(connection)
        for connection in self.sockets:
            connection.close()

    def _handle(self, connection: socket.socket) -> None:
        try:
            self.requests.append(_request(connection))
        except OSError:
            return
        if self._answer == SILENT:
            return
        if self._answer != DROP and self._drip:
            threading.Thread(target=self._let_drip, args=[connection]).start()
            return
        if self._answer != DROP:
            connection.sendall(self._answer)
        connection.close()

    def _let_drip(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the other side has given up, or this one is closed
            for byte in self._answer:
                if self._closing.wait(self._drip):
                    break
                connection.sendall(bytes([byte]))


class Keeper(Server):
    """Keeps its connections, and answers the first ``serves`` requests on each.

    The next one finds it closed: on its arrival, as if both had met on the way, or with ``early``
    long before.
    """

    def __init__(self, answer: str, serves: int, early: bool = False) -> None:
        self._serves, self._early = serves, early
        self._kept: List[socket.socket] = []
        self._talks: List[threading.Thread] = []
        super().__init__(answer.replace("Connection: close\r\n", ""))

    @property
    def connections(self) -> int:
        """How many there were."""
        return len(self._talks)

    def close(self) -> None:
        """Stop serving, and hang up."""
        for connection in self._kept:
            with contextlib.suppress(OSError):  # it is closed
                connection.shutdown(socket.SHUT_RDWR)
        self.await_ends()
        super().close()

    def await_ends(self) -> None:
        """Wait until all connections that were begun are closed."""
        for talk in self._talks:
            talk.join()

    def _handle(self, connection: socket.socket) -> None:
        talk = threading.Thread(target=self._talk, args=[connection])
        self._kept.append(connection)
        self._talks.append(talk)
        talk.start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            for number in range(self._serves + 1):
                if number == self._serves and self._early:
                    return
                request = _request(connection)
                if not request:  # the other side has closed
                    return
                self.requests.append(request)
                if number < self._serves:
                    connection.sendall(self._answer)


def _request(connection: socket.socket) -> bytes:
    """Read one request whole, as far as its head says."""
    data = connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    missing = (int(length.group(1)) if length else 0) - len(body)
    while missing > 0:
        more = connection.recv(65536)
        data, missing = data + more, missing - (len(more) or missing)
    return data


@contextmanager
def serving(
    answer: Union[str, bytes], drip: float = 0.0, tls: Optional[ssl.SSLContext] = None
) -> Iterator[Server]:
    """Serve while the block lasts."""
    server = Server(answer, drip, tls)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def keeping(answer: str, serves: int = 1, early: bool = False) -> Iterator[Keeper]:
    """Serve over kept connections while the block lasts."""
    server = Keeper(answer, serves, early)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def crowded_port() -> Iterator[str]:
    """Return an address where connecting never comes to an end."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def closed_port() -> str:
    """Return an address on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def answer(status: int, body: str, *headers: str, promised: int = 0) -> str:
    """Return the bytes of an answer; ``promised`` says more than there is."""
    length = max(promised, len(body.encode()))
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {length}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", body])
