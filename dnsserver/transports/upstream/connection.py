"""A connection to another server that carries many questions at a time (RFC 7766 section 6.2.1.1, RFC 9113).

What the octets mean is left to `stream.py` (DNS messages in frames) and `https.py` (HTTP/2).
"""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from dnsserver.transports.upstream.peer import TIMED_OUT, Accept, ExchangeError, Peer, address_text, failed
from dnsserver.transports.upstream.tls import ClientTls


class ConnectionLost(ExchangeError):
    """The connection ended before the reply; *reused* when it had been open before the question was asked."""

    reused = False


@dataclass(slots=True, eq=False)
class Wait:
    """A question on a connection; times in seconds, `deadline` by the event loop's clock."""

    octets: bytes
    accept: Accept
    read_s: float
    deadline: float
    future: asyncio.Future[bytes]
    timer: asyncio.TimerHandle | None = None
    ident: int = -1
    """The question's number on its connection, once it is sent; -1 before."""
    sent: float = 0.0


class Connection(asyncio.Protocol, ABC):
    """Dials when it is made, sends the questions that have come until then, and fails them all when it ends."""

    #: Questions under way at a time.
    most = 32

    def __init__(self, peer: Peer, tls: ClientTls | None, ended: Callable[["Connection"], None]) -> None:
        """*ended* is called once, when the connection is no more."""
        self._loop = asyncio.get_running_loop()
        self._peer = peer
        self._tls = tls
        self._ended = ended
        self._transport: asyncio.Transport | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._local = ""
        self.waits: dict[int, Wait] = {}
        self._unsent: list[Wait] = []
        self.born = self.used = self._heard = self._loop.time()
        self.retired = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._peer} open={self.is_open} questions={self.load}>"

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    @property
    def load(self) -> int:
        """Questions under way."""
        return len(self.waits) + len(self._unsent)

    @property
    def has_room(self) -> bool:
        return not self.retired and self.load < self.most

    # For the pool.

    def dial(self, timeout_s: float, dialled: Callable[[float], None]) -> None:
        """Begin to connect; *dialled* is told the seconds that it took, in success and failure."""
        self._dialling = self._loop.create_task(self._dial(timeout_s, dialled), name=f"dial {self._peer}")

    async def ask(self, octets: bytes, accept: Accept, read_s: float, deadline: float) -> bytes:
        """The reply, within *read_s* of sending. Raises ExchangeError."""
        reused = self.is_open
        wait = Wait(octets, accept, read_s, deadline, self._loop.create_future())
        if reused:
            self._begin(wait)
        else:
            self._unsent.append(wait)
            wait.timer = self._loop.call_at(deadline, self._late, wait)
        try:
            return await wait.future
        except ConnectionLost as lost:
            lost.reused = reused
            raise
        finally:
            self._leave(wait)

    def retire(self) -> None:
        """Take no more questions, and close when those under way are through."""
        self.retired = True
        if not self.load:
            self.close()

    def close(self) -> None:
        """Cut it; who still waits is told so."""
        self.retired = True
        if self._dialling is not None:
            self._dialling.cancel()
        if self._transport is not None:
            self._transport.abort()
        else:
            self._end(ConnectionLost, f"{self._dial_stage}use of closed network connection")

    # For the kinds of connections.

    def opened(self) -> None:
        """The connection is there. May raise ExchangeError."""

    @abstractmethod
    def send(self, wait: Wait) -> int:
        """Write the question, and give its number. May raise ExchangeError."""

    @abstractmethod
    def taken(self, data: bytes) -> None:
        """Octets from the peer."""

    def given_up(self, wait: Wait) -> None:
        """Nobody waits for this question any more, though it was sent."""

    def write(self, data: bytes) -> None:
        if self._transport is not None and data:
            self._transport.write(data)

    def answered(self, ident: int, reply: bytes) -> None:
        """Give *reply* to the question *ident*, if it is one."""
        wait = self.waits.get(ident)
        if wait is not None and not wait.future.done() and wait.accept(reply):
            wait.future.set_result(reply)

    def fail(self, text: str) -> None:
        """End the connection for what the peer did."""
        self._end(ConnectionLost, text)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._local = address_text(transport.get_extra_info("sockname") or ("", 0))
        try:
            self.opened()
        except ExchangeError as error:
            self.fail(str(error))
            return
        unsent, self._unsent = self._unsent, []
        for wait in unsent:
            if wait.timer is not None:
                wait.timer.cancel()
            self._begin(wait)

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self.taken(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        text = str(failed(self._read_stage, "read", exc)) if isinstance(exc, OSError) else self.end_text()
        self._end(ConnectionLost, text)

    def end_text(self) -> str:
        """What it is called when the peer closes."""
        return "EOF"

    # Inside.

    @property
    def _read_stage(self) -> str:
        return f"read tcp {self._local}->{self._peer}: "

    @property
    def _dial_stage(self) -> str:
        return f"dial tcp {self._peer}: "

    async def _dial(self, timeout_s: float, dialled: Callable[[float], None]) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._connect()
        except TimeoutError:
            self._end(ExchangeError, f"{self._dial_stage}{TIMED_OUT}")
        except ExchangeError as error:
            self._end(type(error), str(error))
        except OSError as error:
            failure = failed(self._dial_stage, "connect", error)
            self._end(type(failure), str(failure))
        dialled(self._loop.time() - self.born)

    async def _connect(self) -> None:
        sock, address = self._peer.socket(socket.SOCK_STREAM)
        try:
            await self._loop.sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        await self._wrapped(sock)

    async def _wrapped(self, sock: socket.socket) -> None:
        """Give *sock* to the event loop, inside TLS if there is any."""
        if self._tls is None:
            await self._loop.create_connection(lambda: self, sock=sock)
            return
        context, name = self._tls.context, self._tls.server_name or self._peer.host.partition("%")[0]
        try:
            await self._loop.create_connection(lambda: self, sock=sock, ssl=context, server_hostname=name)
        except ValueError as error:
            if isinstance(error, OSError):  # a certificate that is not trusted is both
                raise
            sock.close()  # the event loop has not taken it over
            raise ExchangeError(f"{self._dial_stage}tls: server name {name!r}: {error}") from None

    def _begin(self, wait: Wait) -> None:
        """Send a question over the open connection."""
        if wait.future.done():
            return
        wait.sent = self._loop.time()
        left = max(0.0, wait.deadline - wait.sent)
        wait.timer = self._loop.call_later(min(wait.read_s, left), self._late, wait)
        try:
            wait.ident = self.send(wait)
        except ExchangeError as error:
            wait.future.set_exception(error)
            return
        self.waits[wait.ident] = wait

    def _late(self, wait: Wait) -> None:
        if wait.future.done():
            return
        stage = self._read_stage if self.is_open else self._dial_stage
        wait.future.set_exception(ExchangeError(f"{stage}{TIMED_OUT}"))
        if self._heard < wait.sent:
            self.retired = True  # not a word since then: who knows whether the peer is still there

    def _leave(self, wait: Wait) -> None:
        """The asker of *wait* goes, with a reply or without."""
        if wait.timer is not None:
            wait.timer.cancel()
        if wait.ident >= 0 and self.waits.pop(wait.ident, None) is not None:
            if wait.future.cancelled() or wait.future.exception() is not None:
                self.given_up(wait)
        elif wait in self._unsent:
            self._unsent.remove(wait)
        self.used = self._loop.time()
        if self.retired and not self.load:
            self.close()

    def _end(self, kind: type[ExchangeError], text: str) -> None:
        """Tell everybody who waits, each with an error of its own, and the pool."""
        self.retired = True
        waiting = [*self.waits.values(), *self._unsent]
        self.waits, self._unsent = {}, []
        for wait in waiting:
            if not wait.future.done():
                wait.future.set_exception(kind(text))
        if self._transport is not None:
            self._transport.abort()
        ended, self._ended = self._ended, _nobody
        ended(self)


def _nobody(_: Connection) -> None:
    """The pool has been told already."""
