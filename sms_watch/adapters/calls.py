"""Calls that can be given up: nothing is sent after that, and neither thread nor socket is left.

The timeout of a socket is for each piece of an answer, and the look-up of a name has none at all:
a service that sends a byte now and then would hold a run until it is killed. So each call runs in a
thread of its own, which nobody waits for any longer than there is time.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from queue import Empty, SimpleQueue
from typing import Any, Callable, Mapping, Optional, Type, TypeVar, Union

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Returned = TypeVar("Returned")


class GivenUp(Exception):  # noqa: N818 - what became of a call, which need not be an error
    """Nobody waits for a call any more, and its request was not sent."""


class _Call:
    """One call, between the thread that it runs in and the one that waits for it.

    Both ask under one lock, so it is certain whether a request was sent: it is written only while
    somebody waits for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: Optional[socket.socket] = None
        self._given_up = False

    def send_over(self, line: socket.socket) -> None:
        """Note the socket that a request is about to be written to.

        Raise GivenUp if nobody waits any more.
        """
        with self._lock:
            if self._given_up:
                raise GivenUp
            self._line = line

    def give_up(self) -> bool:
        """End whatever the thread waits for on its line; return whether a request was sent."""
        with self._lock:
            self._given_up = True
            if self._line is None:
                return False
            with contextlib.suppress(OSError):  # it is closed already
                # Not the one of TLS, which would say goodbye first.
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)
            return True


_OF_THREAD = threading.local()


def within(seconds: float, work: Callable[[], Returned]) -> Returned:
    """Return what a call returns, and raise what it raises.

    After ``seconds`` it is given up: raise GivenUp if its request was not sent, and never will be,
    or else TimeoutError.
    """
    call = _Call()
    ended: SimpleQueue[Union[Returned, BaseException]] = SimpleQueue()

    def run() -> None:
        _OF_THREAD.call = call
        try:
            ended.put(work())
        except BaseException as error:
            ended.put(error)

    threading.Thread(target=run, name="call", daemon=True).start()
    try:
        end = ended.get(timeout=seconds)
    except Empty:
        raise (TimeoutError if call.give_up() else GivenUp) from None
    if isinstance(end, BaseException):
        raise end
    return end


class _Connection(HTTPConnection):
    """Sends what somebody waits for."""

    def endheaders(self, *args: Any, **options: Any) -> None:
        """Write the request, of which nothing was written before."""
        if self.sock is None:
            self.connect()
        call: Optional[_Call] = getattr(_OF_THREAD, "call", None)
        if call is not None and self.sock is not None:
            call.send_over(self.sock)
        super().endheaders(*args, **options)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


# What a pool manager of urllib3 makes its connections with, by the scheme of an address.
POOLS: Mapping[str, Type[HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}
