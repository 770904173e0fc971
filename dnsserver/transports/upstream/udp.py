"""Questions over UDP: each with a random ID, and on a random port.

Every question has a socket for itself while it is under way, connected, so that the kernel drops what comes from
other addresses. Where questions are few, each gets a fresh socket, on a port that the kernel picks at random (RFC 5452
section 4.5). Where they are many, opening and closing would cost more than all the rest: then a question takes one at
random of the sockets that are free, which are never fewer than REUSE_FROM, and none older than LIFE_S. An attacker has
to find one port among all of them for each single question, as with fresh ones, and cannot learn a port in that time
by scanning: connected sockets look closed to everybody else.
"""

import asyncio
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass

from dnsserver.transports.deadlines import Deadlines
from dnsserver.transports.limits import DATAGRAM_MAX
from dnsserver.transports.upstream.peer import TIMED_OUT, Accept, ExchangeError, Peer, address_text, failed
from dnsserver.transports.upstream.randomness import RANDOM

#: Free sockets from which on a question takes one of them.
REUSE_FROM = 16
#: Free sockets that are kept.
FREE_MAX = 96
#: Seconds. How long a socket may be taken again.
LIFE_S = 1.0
#: Octets of an ID (RFC 1035 section 4.1.1).
IDENT = 2


@dataclass(slots=True)
class _Wait:
    """A question under way."""

    ident: bytes
    accept: Accept
    future: asyncio.Future[bytes]


@dataclass(slots=True, eq=False)
class _Port:
    """A connected socket, opened at *born* (seconds of the event loop)."""

    sock: socket.socket
    born: float
    wait: _Wait | None = None


class UdpQuestions:
    """Questions to one peer. Sockets are closed a second after the last question at the latest, or by `close`."""

    def __init__(self, peer: Peer, counted: Callable[[bool], None] = lambda _: None) -> None:
        """*counted* is told of each question whether it takes a socket that is open."""
        self._peer = peer
        self._counted = counted
        self._open = 0
        self._window = 0.0
        """When the present LIFE_S began, its questions, and if the one before had many."""
        self._questions = 0
        self._were_many = False
        self._free: list[_Port] = []
        self._sweep: asyncio.TimerHandle | None = None
        self._selector: selectors.DefaultSelector | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._late: Deadlines[asyncio.Future[bytes]] = Deadlines(_expire)
        self._buffer = bytearray(DATAGRAM_MAX)
        self._view = memoryview(self._buffer)

    def __repr__(self) -> str:
        return f"<UdpQuestions {self._peer} sockets={self._open} free={len(self._free)}>"

    async def ask(self, octets: bytes, accept: Accept, timeout_s: float) -> bytes:
        """The first reply to *octets*, a message whose ID is replaced, with that ID and that *accept* takes.

        Raises ExchangeError.
        """
        loop = asyncio.get_running_loop()
        port = self._taken(loop)
        wait = port.wait = _Wait(RANDOM.octets(IDENT), accept, loop.create_future())
        self._late.add(wait.future, timeout_s, loop)
        answered = False
        try:
            port.sock.send(wait.ident + octets[IDENT:])
            reply = await wait.future
            answered = True
            return reply
        except TimeoutError:
            raise ExchangeError(f"{self._reading(port)}{TIMED_OUT}") from None
        except OSError as error:
            raise failed(self._reading(port), "read", error) from error
        finally:
            self._late.take_out(wait.future)
            port.wait = None
            if answered:
                self._give_back(port, loop)
            else:
                self._close(port)

    def close(self) -> None:
        """Close the sockets that are free; questions under way close theirs."""
        free, self._free = self._free, []
        for port in free:
            self._close(port)
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _taken(self, loop: asyncio.AbstractEventLoop) -> _Port:
        """A socket for one question. Raises ExchangeError."""
        free, now = self._free, loop.time()
        self._count(now)
        while len(free) >= REUSE_FROM:
            chosen = RANDOM.below(len(free))
            free[chosen], free[-1] = free[-1], free[chosen]
            port = free.pop()
            if now - port.born < LIFE_S:
                self._counted(True)
                return port
            self._close(port)
        self._counted(False)
        sock, address = self._peer.socket(socket.SOCK_DGRAM)
        try:
            sock.connect(address)
            port = _Port(sock, now)
            self._selected(loop).register(sock, selectors.EVENT_READ, port)
        except OSError as error:
            sock.close()
            raise failed(f"dial udp {self._peer}: ", "connect", error) from error
        self._open += 1
        return port

    def _count(self, now: float) -> None:
        """One more question."""
        if now - self._window >= LIFE_S:
            self._were_many = self._questions >= REUSE_FROM and now - self._window < 2 * LIFE_S
            self._window, self._questions = now, 0
        self._questions += 1

    def _give_back(self, port: _Port, loop: asyncio.AbstractEventLoop) -> None:
        many = self._were_many or self._questions >= REUSE_FROM
        if not many or len(self._free) >= FREE_MAX or loop.time() - port.born >= LIFE_S:
            self._close(port)
            return
        self._free.append(port)
        if self._sweep is None:
            self._sweep = loop.call_later(LIFE_S, self._close_old, loop)

    def _close_old(self, loop: asyncio.AbstractEventLoop) -> None:
        oldest = loop.time() - LIFE_S
        old = [port for port in self._free if port.born <= oldest]
        self._free = [port for port in self._free if port.born > oldest]
        for port in old:
            self._close(port)
        self._sweep = loop.call_later(LIFE_S, self._close_old, loop) if self._free else None

    def _close(self, port: _Port) -> None:
        if self._selector is not None:
            self._selector.unregister(port.sock)
        port.sock.close()
        self._open -= 1
        if not self._open and self._selector is not None and self._loop is not None:
            self._loop.remove_reader(self._selector)
            self._selector.close()
            self._selector = None

    def _selected(self, loop: asyncio.AbstractEventLoop) -> selectors.DefaultSelector:
        """Tells of all sockets through one place in the event loop, where to register one would cost more than to use
        it."""
        if self._selector is None:
            self._selector, self._loop = selectors.DefaultSelector(), loop
            loop.add_reader(self._selector, self._readable)
        return self._selector

    def _readable(self) -> None:
        for key, _ in self._selector.select(0) if self._selector is not None else ():
            self._receive(key.data)

    def _receive(self, port: _Port) -> None:
        """Take one datagram, or what ICMP says instead."""
        wait = port.wait
        try:
            size = port.sock.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            if wait is None:
                self._free.remove(port)
                self._close(port)
            elif not wait.future.done():
                wait.future.set_exception(error)
            return
        if wait is None or wait.future.done():
            return  # a second reply, or a late one
        reply = bytes(self._view[:size])
        if reply[:IDENT] == wait.ident and wait.accept(reply):
            wait.future.set_result(reply)

    def _reading(self, port: _Port) -> str:
        return f"read udp {address_text(port.sock.getsockname())}->{self._peer}: "


def _expire(future: asyncio.Future[bytes]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
