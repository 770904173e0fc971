"""A listener that takes datagrams in batches, for the tests of that."""

import asyncio
import ctypes
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dnsserver.transports import batch
from dnsserver.transports.batch import BatchPort
from dnsserver.transports.binding import bind_all
from dnsserver.transports.limits import TransportLimits
from dnsserver.transports.responder import AnswerNow, Arrival, ReadyReplies, Responder
from dnsserver.transports.udp import UdpListener
from tests.transports.clients import QUICK, UdpClient, hang, udp_client

WILDCARDS = (("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.0.0.2"), ("0.0.0.0", "127.9.8.7"), ("::", "::1"))
ADDRESSES = (("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("::1", "::1"), *WILDCARDS)
#: Octets of kernel buffer, each way: what every Linux grants. `WAITING` small datagrams fit.
BUFFER, WAITING = 212_992, 300


def at_hand(octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
    return octets + b"!"


def even_at_hand(octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
    """Every other ID has its answer at hand."""
    return None if octets[1] & 1 else octets + b"!"


def nothing_at_hand(_octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
    return None


async def slow(octets: bytes, _: Arrival) -> bytes | None:
    await asyncio.sleep(0.001)
    return octets + b"?"


@asynccontextmanager
async def listening(
    now: AnswerNow,
    responder: Responder = hang,
    host: str = "127.0.0.1",
    limits: TransportLimits = QUICK,
    ready: ReadyReplies | None = None,
) -> AsyncIterator[UdpListener]:
    (sock,) = bind_all([(host, 0)], protocols=("udp",), limits=limits).udp
    async with UdpListener(sock, responder, limits=limits, now=now, ready=ready) as listener:
        assert isinstance(listener._carrier, BatchPort)
        yield listener


@asynccontextmanager
async def client_of(listener: UdpListener, host: str = "127.0.0.1") -> AsyncIterator[UdpClient]:
    """Connected: replies from elsewhere than *host* do not reach it."""
    async with udp_client("::1" if ":" in host else "127.0.0.1") as client:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            client.sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        client.sock.connect((host, listener.port))
        yield client


async def replies(client: UdpClient, number: int) -> list[bytes]:
    return sorted([(await client.receive())[0] for _ in range(number)])


def carrier(listener: UdpListener) -> BatchPort:
    assert isinstance(listener._carrier, BatchPort)
    return listener._carrier


def counted(listener: UdpListener) -> tuple[int, int, int, int]:
    found = listener.counters
    return found.udp_received, found.udp_sent, found.udp_receive_errors, found.udp_send_errors


class Libc:
    """The library, but each call first does as told: an errno to fail with, or the most datagrams to take."""

    def __init__(self, *, receive: tuple[int, ...] = (), send: tuple[int, ...] = ()) -> None:
        assert batch._LIBC is not None
        self._real = batch._LIBC
        self._receive = [-number for number in receive]
        self._send = list(send)

    def recvmmsg(self, file: int, address: int, number: int, flags: int, timeout: None) -> int:
        if self._receive and number:
            return failed(self._receive.pop(0))
        return int(self._real.recvmmsg(file, address, number, flags, timeout))

    def sendmmsg(self, file: int, address: int, number: int, flags: int) -> int:
        told = self._send.pop(0) if self._send and number else number
        return int(self._real.sendmmsg(file, address, told, flags)) if told >= 0 else failed(told)


def failed(number: int) -> int:
    ctypes.set_errno(-number)
    return -1
