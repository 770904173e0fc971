"""DNS over TCP on one listening socket, also within TLS and HTTP: what is spoken there is its `Service`."""

import asyncio
import contextlib
import logging
import socket
from typing import Self

from dnsserver.transports.addresses import SocketAddress, endpoint_text, host_text
from dnsserver.transports.connection import ConnectionContext, TcpConnection
from dnsserver.transports.limits import DEFAULT_LIMITS, TransportCounters, TransportLimits
from dnsserver.transports.pool import ConnectionPool
from dnsserver.transports.responder import Arrival, Responder
from dnsserver.transports.service import PLAIN, Service
from dnsserver.transports.tasks import TaskHome
from dnsserver.transports.tls import TlsTransport

_log = logging.getLogger(__name__)

#: Octets taken from a connection per wake-up of the event loop: some hundred questions.
_READ_OCTETS = 16_384


class TcpListener:
    """Accept connections on one listening socket and answer their questions; the socket is closed at the end."""

    def __init__(
        self,
        sock: socket.socket,
        responder: Responder,
        *,
        limits: TransportLimits = DEFAULT_LIMITS,
        pool: ConnectionPool | None = None,
        service: Service = PLAIN,
    ) -> None:
        """*pool* may be shared by several listeners, and brings limits of its own for them together."""
        self._sock = sock
        self._service = service
        self._pool = pool if pool is not None else ConnectionPool(limits, TransportCounters())
        self._limits, self.counters = limits, self._pool.counters
        self.host, self.port = host_text(sock.getsockname()), int(sock.getsockname()[1])
        self._tasks = TaskHome(f"tcp {endpoint_text(self.host, self.port)}")
        self._context = ConnectionContext(
            responder=responder,
            pool=self._pool,
            limits=limits,
            conversation=service.conversation,
            spawn=self._tasks.spawn,
            read_buffer=memoryview(bytearray(_READ_OCTETS)),
            made=self._made,
            lost=self._lost,
        )
        self._arriving: dict[TcpConnection, tuple[socket.socket, str]] = {}
        self._connections: set[TcpConnection] = set()
        self._fewer = asyncio.Event()
        self._draining = False
        self._resume: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<TcpListener {endpoint_text(self.host, self.port)} connections={len(self._connections)}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        self._sock.setblocking(False)
        await self._tasks.open()
        self._listen_on()

    async def close(self, grace_s: float = 0.0, *, handed_over: bool = False) -> None:
        """Accept no more; close idle connections; let the others have their answers, for *grace_s* at most.

        Connections that the kernel has already accepted for us are served if their question is there, or comes
        very soon; unless *handed_over*, as then they are another process's.
        """
        if self._sock.fileno() < 0:
            return
        try:
            self._stop_accepting()
            if grace_s > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(grace_s):
                        await self._drain(handed_over)
        finally:
            self._sock.close()
            await self._tasks.close()
            for connection in list(self._connections):
                connection.abort()
            for connection in list(self._arriving):
                self._turn_away(connection)
            await asyncio.sleep(0)  # the event loop loses aborted connections in its next round

    async def _drain(self, handed_over: bool) -> None:
        self._draining = True
        if not handed_over:
            self._accept(self._limits.tcp_backlog)
        self._sock.close()
        for connection in list(self._connections):
            connection.drain()
        while self._connections or self._arriving:
            self._fewer.clear()
            await self._fewer.wait()

    def _listen_on(self) -> None:
        self._resume = None
        loop = asyncio.get_running_loop()
        loop.add_reader(self._sock.fileno(), self._accept, self._limits.tcp_accept_batch)

    def _stop_accepting(self) -> None:
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None
        asyncio.get_running_loop().remove_reader(self._sock.fileno())

    def _accept(self, batch: int) -> None:
        for _ in range(batch):
            try:
                accepted, address = self._sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:  # gone before we came
                continue
            except OSError as error:
                self._cannot_accept(error)
                return
            self._welcome(accepted, address)

    def _cannot_accept(self, error: OSError) -> None:
        """No files or no memory: give up an idle connection, and rest, for the socket would wake us at once."""
        self.counters.tcp_accept_errors += 1
        if self.counters.tcp_accept_errors & (self.counters.tcp_accept_errors - 1) == 0:
            _log.warning("%r cannot accept: %s (time %d)", self, error, self.counters.tcp_accept_errors)
        self._pool.replace_one()
        if self._draining:
            return
        self._stop_accepting()
        loop = asyncio.get_running_loop()
        self._resume = loop.call_later(self._limits.accept_pause_s, self._listen_on)

    def _welcome(self, accepted: socket.socket, address: SocketAddress) -> None:
        client, server = host_text(address), host_text(accepted.getsockname())
        if not self._pool.admit(client):
            accepted.close()
            return
        arrival = Arrival(
            "tcp", client, address[1], server, self.port, (self.host, self.port), self._service.scheme
        )
        connection = TcpConnection(self._context, arrival)
        self._arriving[connection] = accepted, client
        self._tasks.spawn(self._connect(connection, accepted), f"tcp accept {client}")

    async def _connect(self, connection: TcpConnection, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        protocol: TcpConnection | TlsTransport = connection
        if self._service.certificates is not None:
            context = self._service.certificates.context(self._service.scheme)
            protocol = TlsTransport(context, connection, self._context.read_buffer, self.counters)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, accepted)
        except OSError:
            self._turn_away(connection)
        if self._draining:
            connection.drain()

    def _made(self, connection: TcpConnection) -> None:
        """From here on the connection itself leaves the pool, when it is lost."""
        self._arriving.pop(connection, None)
        self._connections.add(connection)

    def _lost(self, connection: TcpConnection) -> None:
        self._connections.discard(connection)
        self._fewer.set()

    def _turn_away(self, connection: TcpConnection) -> None:
        """Close a connection that the event loop never took over."""
        accepted, client = self._arriving.pop(connection, (None, ""))
        if accepted is not None:
            accepted.close()
            self._pool.leave(client)
            self._fewer.set()
