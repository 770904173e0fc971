"""The connections to one server: which of them takes a question, and how long they are kept."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from dnsserver.transports.upstream.connection import Connection, ConnectionLost
from dnsserver.transports.upstream.peer import Accept, ExchangeError, Peer
from dnsserver.transports.upstream.tls import ClientTls

#: Seconds. The time-out of a dial is twice the average of the earlier ones, and in between these.
DIAL_MIN_S, DIAL_MAX_S = 1.0, 5.0
#: How much of the average is the last dial: a fourth, as in CoreDNS.
DIAL_WEIGHT = 4

#: Makes a connection; the callable is told when it has ended.
MakeConnection = Callable[[Peer, ClientTls | None, Callable[[Connection], None]], Connection]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long connections are kept; seconds."""

    expire_s: float = 10.0
    """Without a question."""
    max_age_s: float = 0.0
    """In all. 0: no limit."""
    max_idle: int = 0
    """Connections without a question. 0: no limit."""


class PooledQuestions:
    """Questions to one peer over connections that are kept.

    A question takes a connection that has none under way; up to *side_by_side* connections are opened for more, as many
    servers answer the questions of one connection one after another. Beyond that, connections are shared.
    """

    def __init__(
        self,
        peer: Peer,
        make: MakeConnection,
        *,
        tls: ClientTls | None = None,
        keeping: Keeping | None = None,
        side_by_side: int = 8,
        counted: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """*counted* is told of each question whether there was a connection for it."""
        self._peer = peer
        self._make = make
        self._tls = tls
        self._keeping = keeping or Keeping()
        self._side_by_side = side_by_side
        self._counted = counted
        self._connections: list[Connection] = []
        self._dial_s = DIAL_MIN_S
        self._sweep: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<PooledQuestions {self._peer} connections={len(self._connections)}>"

    async def ask(self, octets: bytes, accept: Accept, read_s: float, deadline: float) -> bytes:
        """The first reply to *octets*, a message whose ID is replaced, that *accept* takes.

        It must come within *read_s* of sending, and before *deadline* by the event loop's clock. Raises ExchangeError.
        """
        while True:
            connection = self._picked()
            try:
                return await connection.ask(octets, accept, read_s, deadline)
            except ConnectionLost as lost:
                # The peer may close what lies idle at any time (RFC 7766 section 6.2.3): that is no failure.
                if not lost.reused:
                    raise ExchangeError(*lost.args) from None
            finally:
                self._tidy()

    def close(self) -> None:
        """Cut all connections."""
        for connection in list(self._connections):
            connection.close()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _picked(self) -> Connection:
        self._retire_old()
        usable = [connection for connection in self._connections if connection.has_room]
        best = min(usable, key=lambda connection: connection.load, default=None)
        if best is not None and (not best.load or len(usable) >= self._side_by_side):
            self._counted(True)
            return best
        self._counted(False)
        connection = self._make(self._peer, self._tls, self._ended)
        self._connections.append(connection)
        connection.dial(min(max(DIAL_MIN_S, 2 * self._dial_s), DIAL_MAX_S), self._dialled)
        return connection

    def _dialled(self, took_s: float) -> None:
        self._dial_s += (took_s - self._dial_s) / DIAL_WEIGHT

    def _ended(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)

    def _retire_old(self) -> None:
        now, keeping = asyncio.get_running_loop().time(), self._keeping
        for connection in list(self._connections):
            idle = not connection.load and connection.is_open
            is_expired = idle and now - connection.used >= keeping.expire_s
            if is_expired or (keeping.max_age_s and now - connection.born >= keeping.max_age_s):
                connection.retire()

    def _tidy(self) -> None:
        """After a question: at most `max_idle` lie idle, and those that do are closed in time."""
        idle = [one for one in self._connections if one.is_open and not one.load]
        most = self._keeping.max_idle
        for connection in idle[most:] if most else ():
            connection.retire()
        if idle and self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._keeping.expire_s, self._swept)

    def _swept(self) -> None:
        self._sweep = None
        self._retire_old()
        self._tidy()
