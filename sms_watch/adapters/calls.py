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
        self._sent = False

    def take(self, line: socket.socket, sends: bool) -> None:
        """Note the socket that is used from now on, and whether a request is written to it.

        Raise GivenUp if nobody waits any more.
        """
        with self._lock:
            if self._given_up:
                raise GivenUp
            self._let_go()
            # A duplicate is cut all the same, whoever wraps the original in TLS or closes it.
            self._line = socket.fromfd(line.fileno(), line.family, line.type)
            self._sent = self._sent or sends

    def give_up(self) -> bool:
        """End whatever the thread waits for on its line; return whether a request was sent."""
        with self._lock:
            self._given_up = True
            if self._line is not None:
                with contextlib.suppress(OSError):  # the other side has closed it
                    self._line.shutdown(socket.SHUT_RDWR)
            return self._sent

    def end(self) -> None:
        """Close what was noted."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None


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
        finally:
            call.end()

    threading.Thread(target=run, daemon=True).start()
    try:
        end = ended.get(timeout=seconds)
    except Empty:
        raise (TimeoutError if call.give_up() else GivenUp) from None
    if isinstance(end, BaseException):
        raise end
    return end


def _take(line: socket.socket, sends: bool = False) -> None:
    """Note a socket for the call of this thread, if it is one that can be given up."""
    call: Optional[_Call] = getattr(_OF_THREAD, "call", None)
    if call is not None:
        call.take(line, sends)


class _Connection(HTTPConnection):
    """Connects and sends for a call that somebody waits for."""

    def _new_conn(self) -> socket.socket:
        # Not public, but the one place where a socket is there before TLS has begun on it.
        line = super()._new_conn()
        try:
            _take(line)
        except GivenUp:
            line.close()
            raise
        return line

    def endheaders(self, *args: Any, **options: Any) -> None:
        """Send the request: up to here nothing of it was written."""
        if self.sock is None:
            self.connect()
        assert self.sock is not None  # noqa: S101 - it is connected
        _take(self.sock, sends=True)
        super().endheaders(*args, **options)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


# What a pool manager of urllib3 makes its connections with, by the scheme of an address.
POOLS: Mapping[str, Type[HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}
