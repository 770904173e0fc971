"""All sockets of a server, UDP and TCP, whatever is spoken over TCP."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Self

from dnsserver.transports.addresses import endpoint_text
from dnsserver.transports.binding import BoundSockets, bind_all
from dnsserver.transports.limits import DEFAULT_LIMITS, StreamTimeouts, TransportCounters, TransportLimits
from dnsserver.transports.pool import ConnectionPool
from dnsserver.transports.responder import AnswerNow, ReadyReplies, Responder
from dnsserver.transports.service import PLAIN, Service
from dnsserver.transports.tcp import TcpListener
from dnsserver.transports.udp import UdpListener


class Listener:
    """Answer on many sockets with one responder. It owns the sockets from its making on.

    *pool* may be shared by several listeners, and brings limits of its own for them together; *timeouts* change what
    each connection is granted. *service* is what is spoken on the TCP sockets. *ready* gives the replies that only want
    their ID, by whether clients have IPv6 addresses.
    """

    def __init__(
        self,
        sockets: BoundSockets,
        responder: Responder,
        *,
        limits: TransportLimits = DEFAULT_LIMITS,
        pool: ConnectionPool | None = None,
        now: AnswerNow | None = None,
        ready: Callable[[bool], ReadyReplies] | None = None,
        service: Service = PLAIN,
        timeouts: Sequence[StreamTimeouts] = (),
    ) -> None:
        pool = pool if pool is not None else ConnectionPool(limits, TransportCounters())
        self.counters = pool.counters
        self.endpoints = sockets.endpoints
        stream_limits = pool.limits
        for each in timeouts:
            stream_limits = each.over(stream_limits)
        if not service.numbered:
            stream_limits = replace(stream_limits, tcp_questions=0)
        self._parts: list[UdpListener | TcpListener] = [
            *(
                UdpListener(
                    sock,
                    responder,
                    limits=pool.limits,
                    counters=pool.counters,
                    now=now,
                    ready=ready(sock.family == socket.AF_INET6) if ready is not None else None,
                )
                for sock in sockets.udp
            ),
            *(
                TcpListener(sock, responder, limits=stream_limits, pool=pool, service=service)
                for sock in sockets.tcp
            ),
        ]

    @classmethod
    def bind(
        cls,
        endpoints: Iterable[tuple[str, int]],
        responder: Responder,
        *,
        limits: TransportLimits = DEFAULT_LIMITS,
        pool: ConnectionPool | None = None,
        now: AnswerNow | None = None,
        ready: Callable[[bool], ReadyReplies] | None = None,
    ) -> Self:
        """Bind every endpoint for UDP and TCP, or raise `ListenError` and bind none; see `bind_all`."""
        pool = pool if pool is not None else ConnectionPool(limits, TransportCounters())
        sockets = bind_all(endpoints, limits=pool.limits)
        return cls(sockets, responder, pool=pool, now=now, ready=ready)

    def __repr__(self) -> str:
        where = " ".join(endpoint_text(*endpoint) for endpoint in self.endpoints)
        now = self.counters
        return f"<Listener {where} udp={now.udp_now} tcp={now.tcp_now} connections={now.tcp_connections_now}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        for part in self._parts:
            await part.start()

    async def close(self, grace_s: float = 0.0, *, handed_over: bool = False) -> None:
        """Drain all sockets at the same time, for *grace_s* at most; then cut what is left. May be repeated.

        *handed_over*: another process has the same sockets and goes on with them, so what waits in them is its own.
        """
        async with asyncio.TaskGroup() as group:
            for part in self._parts:
                closing = part.close(grace_s, handed_over=handed_over)
                group.create_task(closing, name=f"close {part!r}")
