"""DNS over UDP on one socket [asyncio_dgram]."""

import asyncio
import contextlib
import socket
import sys
from typing import Any, Self

import asyncio_dgram
from asyncio_dgram.aio import DatagramServer

from dnsserver.transports.addresses import SocketAddress, endpoint_text, host_text
from dnsserver.transports.asking import ask_patiently
from dnsserver.transports.batch import BatchPort, usable
from dnsserver.transports.deadlines import Deadlines
from dnsserver.transports.limits import DATAGRAM_MAX, DEFAULT_LIMITS, TransportCounters, TransportLimits
from dnsserver.transports.responder import AnswerNow, Arrival, ReadyReplies, Responder
from dnsserver.transports.tasks import TaskHome
from dnsserver.transports.wildcard import Ancillary, Deliver, WildcardPort, can_reply_from_asked

#: Seconds. Rest before a socket is opened again that the event loop gave up.
_REOPEN_PAUSE_S = 0.05
#: Turns of the event loop that a datagram needs from the socket to its task, and one to spare.
_QUIET_ROUNDS = 4
#: Timers that the longest life of an answer is divided into.
_GRAINS = 20
#: Old errors that may stand before one reply; each sending raises one of them in place of sending.
_OLD_ERRORS_MAX = 64


class DgramPort:
    """Carry datagrams of a socket bound to one address, through asyncio_dgram.

    Of that library: it queues without bound, so nothing may delay `run`; and it raises the error of an earlier
    datagram in place of sending or receiving, so that call is made again.
    """

    def __init__(self, sock: socket.socket, counters: TransportCounters) -> None:
        self._sock = sock
        self._host = host_text(sock.getsockname())
        self._counters = counters
        self._stream: Any = None

    def __repr__(self) -> str:
        return f"<DgramPort {self._host}>"

    async def run(self, deliver: Deliver) -> None:
        while True:
            try:
                self._stream = await self._open()
                await self._receive(deliver)
            except asyncio_dgram.TransportClosed:
                self._counters.udp_reopened += 1
            except OSError:  # no file left to open it with
                self._counters.udp_receive_errors += 1
            finally:
                self.close()
            await asyncio.sleep(_REOPEN_PAUSE_S)

    async def _open(self) -> Any:
        copy = self._sock.dup()
        try:
            return await asyncio_dgram.from_socket(copy)
        except BaseException:
            copy.close()
            raise

    async def _receive(self, deliver: Deliver) -> None:
        while True:
            try:
                query, client = await self._stream.recv()
            except OSError:
                self._counters.udp_receive_errors += 1
            else:
                deliver(query, client, self._host, ())

    def take(self, deliver: Deliver) -> bool:
        """Deliver one datagram that still waits in the socket; False when none does."""
        try:
            query, client = self._sock.recvfrom(DATAGRAM_MAX)
        except OSError:
            return False
        deliver(query, client, self._host, ())
        return True

    async def send(self, reply: bytes, client: SocketAddress, _back: tuple[Ancillary, ...]) -> bool:
        """Whether the reply was handed on without an error known by now."""
        if not isinstance(self._stream, DatagramServer):
            return self._send_directly(reply, client)
        for _ in range(_OLD_ERRORS_MAX):
            try:
                await self._stream.send(reply, client)
            except asyncio_dgram.TransportClosed:
                return self._send_directly(reply, client)
            except OSError:  # an older one
                self._counters.udp_send_errors += 1
            else:
                return self._sent_well()
        return False

    def _sent_well(self) -> bool:
        try:
            return self._stream.exception is None
        except OSError:
            self._counters.udp_send_errors += 1
            return False

    def _send_directly(self, reply: bytes, client: SocketAddress) -> bool:
        """While the stream is being opened; and if that was after `connect`, by which a listener drains."""
        try:
            self._sock.sendto(reply, client)
        except OSError:
            self._counters.udp_send_errors += 1
            return False
        return True

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


class UdpListener:
    """Answer the datagrams of one bound UDP socket, each on its own; the socket is closed at the end."""

    def __init__(
        self,
        sock: socket.socket,
        responder: Responder,
        *,
        limits: TransportLimits = DEFAULT_LIMITS,
        counters: TransportCounters | None = None,
        now: AnswerNow | None = None,
        ready: ReadyReplies | None = None,
    ) -> None:
        """*ready* and *now* are asked before *responder*, where datagrams come in batches."""
        self._sock = sock
        self._responder = responder
        self._now = now
        self._ready = ready
        self._limits = limits
        self.counters = counters if counters is not None else TransportCounters()
        self.host, self.port = host_text(sock.getsockname()), int(sock.getsockname()[1])
        self._tasks = TaskHome(f"udp {endpoint_text(self.host, self.port)}")
        self._carrier: DgramPort | WildcardPort | None = None
        self._receiving: asyncio.Task[None] | None = None
        self._answers = TaskHome(f"udp answers {endpoint_text(self.host, self.port)}", self._answered)
        self._late: Deadlines[asyncio.Task[None]] = Deadlines(self._give_up, limits.answer_s / _GRAINS)

    def __repr__(self) -> str:
        return f"<UdpListener {endpoint_text(self.host, self.port)} in_flight={len(self._answers)}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        self._sock.setblocking(False)
        self._carrier = self._chosen_carrier()
        await self._tasks.open()
        await self._answers.open()
        self._receiving = self._tasks.spawn(self._carrier.run(self._deliver), f"receive {self!r}")

    def _chosen_carrier(self) -> DgramPort | WildcardPort:
        """The one switch between the ways to carry datagrams. asyncio_dgram works on every platform and event loop."""
        if self._now is not None and usable():
            return BatchPort(self._sock, self._limits, self.counters, self._now, self._ready)
        if can_reply_from_asked(self._sock):
            return WildcardPort(self._sock, self._limits, self.counters)
        return DgramPort(self._sock, self.counters)

    async def close(self, grace_s: float = 0.0, *, handed_over: bool = False) -> None:
        """Receive no more; answer what has arrived, for *grace_s* at most; then close the socket.

        What waits in the socket has arrived too, unless it is *handed_over* to another process.
        """
        if self._sock.fileno() < 0:
            return
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await (self._finish() if handed_over else self._drain())
        finally:
            await self._tasks.close()
            await self._answers.close()
            self._late.close()
            if self._carrier is not None:
                self._carrier.close()
            self._sock.close()
            for _ in range(_QUIET_ROUNDS):  # the event loop closes its copy in one of its next turns
                await asyncio.sleep(0)

    async def _finish(self) -> None:
        """Until all is answered that was taken from the socket."""
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.wait((self._receiving,))
        while self._answers:
            await self._answers.settle()

    async def _drain(self) -> None:
        """Until neither the socket nor the queues of the event loop hold a datagram, and all are answered."""
        if self._carrier is None:
            return
        self._leave_to_others()
        quiet = 0
        while quiet < _QUIET_ROUNDS:
            quiet += 1
            while len(self._answers) < self._limits.udp_in_flight and self._carrier.take(self._deliver):
                quiet = 0
            if self._answers:
                quiet = 0
                await self._answers.settle()
            await asyncio.sleep(0)

    def _leave_to_others(self) -> None:
        """Connect to ourselves: Linux then gives what comes to another socket on this port (SO_REUSEPORT), or tells
        the client at once that nobody listens; elsewhere a connected socket could not reply to others."""
        if sys.platform == "linux":
            name = self._sock.getsockname()
            host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name[0], name[0])
            with contextlib.suppress(OSError):
                self._sock.connect((host, *name[1:]))

    def _deliver(self, query: bytes, client: SocketAddress, host: str, back: tuple[Ancillary, ...]) -> None:
        counters = self.counters
        counters.udp_received += 1
        if len(self._answers) >= self._limits.udp_in_flight:
            counters.udp_dropped += 1
            return
        arrival = Arrival("udp", host_text(client), client[1], host, self.port, (self.host, self.port))
        task = self._answers.spawn(self._answer(query, arrival, client, back), "udp answer")
        if task is not None:
            counters.udp_now += 1
            self._late.add(task, self._limits.answer_s, task.get_loop())

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._late.take_out(task)
        self.counters.udp_now -= 1

    def _give_up(self, task: asyncio.Task[None]) -> None:
        if task.cancel():
            self.counters.answers_late += 1

    async def _answer(
        self, query: bytes, arrival: Arrival, client: SocketAddress, back: tuple[Ancillary, ...]
    ) -> None:
        reply = await ask_patiently(self._responder, query, arrival, self.counters)
        if reply and self._carrier is not None and await self._carrier.send(reply, client, back):
            self.counters.udp_sent += 1
