"""A TCP listener for a test, and that it leaves nothing behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from dnsserver.transports.binding import bind_all
from dnsserver.transports.limits import TransportLimits
from dnsserver.transports.responder import Responder
from dnsserver.transports.tcp import TcpListener
from tests.transports.clients import QUICK

PATIENT = replace(QUICK, answer_s=60, tcp_first_read_s=60, tcp_message_s=60, tcp_idle_s=60, tcp_write_s=60)


@asynccontextmanager
async def listening(
    responder: Responder, limits: TransportLimits = QUICK, host: str = "127.0.0.1"
) -> AsyncIterator[TcpListener]:
    (sock,) = bind_all([(host, 0)], protocols=("tcp",), limits=limits).tcp
    async with TcpListener(sock, responder, limits=limits) as listener:
        yield listener
    assert listener.counters.tcp_connections_now == 0
    assert listener.counters.tcp_now == 0
    assert "connections=0 in_flight=0 held=0" in repr(listener._pool)
