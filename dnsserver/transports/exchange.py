"""One DNS exchange with another server, over UDP or TCP [asyncio_dgram].

Each exchange has a socket of its own, on a port that the kernel picks at random (RFC 5452 section 4.5), closed at its
end whatever that is. The texts of errors are those of Go's net package, which users' log rules look for.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

from asyncio_dgram import TransportClosed
from asyncio_dgram.aio import DatagramClient, Protocol

from dnsserver.transports.addresses import SocketAddress, endpoint_text
from dnsserver.wire.frames import PREFIX, frame

#: Whether octets are the reply that is waited for. Others are dropped, and the wait goes on (RFC 5452 section 9.1).
Accept = Callable[[bytes], bool]


#: No file left, in the process or the host; no memory: these say nothing about the other server.
_OWN_WANTS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_NO_FILE = frozenset({errno.EMFILE, errno.ENFILE})


class ExchangeError(Exception):
    """No reply: `read udp 10.0.0.1:4711->192.0.2.53:53: i/o timeout`."""


class OwnWantError(ExchangeError):
    """No reply, and not the other server's fault: `dial udp 192.0.2.53:53: socket: too many open files`."""


class ExchangePlaces:
    """How many exchanges may be under way at a time. Who takes a place gives it back."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def __repr__(self) -> str:
        return f"<ExchangePlaces {self.taken} of {self.most}>"

    def take(self) -> bool:
        """Whether there was a place."""
        if self.taken >= self.most:
            return False
        self.taken += 1
        return True

    def give_back(self) -> None:
        self.taken -= 1


async def exchange_udp(octets: bytes, host: str, port: int, accept: Accept, timeout_s: float) -> bytes:
    """Send *octets* to *host*, an IP address, and return the first datagram from there that *accept* takes."""
    remote = endpoint_text(host, port)
    stage, verb = f"dial udp {remote}: ", "connect"
    try:
        async with asyncio.timeout(timeout_s), _udp_stream(host, port) as stream:
            stage, verb = f"read udp {_address_text(stream.sockname)}->{remote}: ", "read"
            await stream.send(octets)
            while True:
                reply = await _receive(stream)
                if accept(reply):
                    return reply
    except TimeoutError:
        raise ExchangeError(f"{stage}i/o timeout") from None
    except OSError as error:
        raise _failed(stage, verb, error) from error


async def exchange_tcp(octets: bytes, host: str, port: int, accept: Accept, timeout_s: float) -> bytes:
    """The same over a TCP connection. *timeout_s* is for connecting and the reply together."""
    remote = endpoint_text(host, port)
    stage, verb = f"dial tcp {remote}: ", "connect"
    try:
        async with asyncio.timeout(timeout_s), _tcp_connection(host, port) as (reader, writer):
            local = _address_text(writer.get_extra_info("sockname"))
            stage, verb = f"read tcp {local}->{remote}: ", "read"
            writer.write(frame(octets))
            await writer.drain()
            while True:
                reply = await _read_frame(reader)
                if accept(reply):
                    return reply
    except TimeoutError:
        raise ExchangeError(f"{stage}i/o timeout") from None
    except EOFError as error:
        raise ExchangeError(str(error)) from None
    except OSError as error:
        raise _failed(stage, verb, error) from error


class _Errors(asyncio.Queue[Exception]):
    """The errors of a socket. The library would tell of one at its next call only; this ends a wait for datagrams."""

    def __init__(self, datagrams: "asyncio.Queue[tuple[bytes | None, Any]]") -> None:
        super().__init__()
        self._datagrams = datagrams

    def put_nowait(self, item: Exception) -> None:
        super().put_nowait(item)
        self._datagrams.put_nowait((None, None))


@contextlib.asynccontextmanager
async def _udp_stream(host: str, port: int) -> AsyncIterator[Any]:
    """A stream of datagrams to and from this one peer: the kernel drops those of others."""
    address = _numeric(host, port, socket.SOCK_DGRAM)[1]
    datagrams: asyncio.Queue[tuple[bytes | None, Any]] = asyncio.Queue()
    errors, drained = _Errors(datagrams), asyncio.Event()
    transport: Any
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Protocol(datagrams, errors, drained), remote_addr=address
    )
    stream = DatagramClient(transport, datagrams, errors, drained)
    try:
        yield stream
    finally:
        stream.close()


async def _receive(stream: Any) -> bytes:
    """The next datagram; OSError for what ICMP says instead."""
    try:
        octets, _ = await stream.recv()
    except TransportClosed:
        _ = stream.exception  # raises the error that has ended the wait
        raise OSError("use of closed network connection") from None
    return bytes(octets)


@contextlib.asynccontextmanager
async def _tcp_connection(
    host: str, port: int
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, cut at the end: nobody waits for what the peer may still have to say."""
    family, address = _numeric(host, port, socket.SOCK_STREAM)
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
        reader, writer = await asyncio.open_connection(sock=sock)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    """The next message; EOFError with Go's words when the peer closes."""
    try:
        prefix = await reader.readexactly(PREFIX)
    except asyncio.IncompleteReadError as error:
        raise EOFError("unexpected EOF" if error.partial else "EOF") from None
    try:
        return await reader.readexactly(int.from_bytes(prefix, "big"))
    except asyncio.IncompleteReadError:
        raise EOFError("unexpected EOF") from None


def _numeric(host: str, port: int, kind: socket.SocketKind) -> tuple[int, Any]:
    """Family and socket address of an IP text, scope included. No name is ever looked up, so this does not block."""
    found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)
    return found[0][0], found[0][4]


def _address_text(address: SocketAddress) -> str:
    return endpoint_text(address[0], address[1])


def _failed(stage: str, verb: str, error: OSError) -> ExchangeError:
    kind = OwnWantError if error.errno in _OWN_WANTS else ExchangeError
    return kind(f"{stage}{'socket' if error.errno in _NO_FILE else verb}: {_reason(error)}")


def _reason(error: OSError) -> str:
    """`connection refused`: the system's words, as Go spells them."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    reason = os.strerror(error.errno)
    return reason[:1].lower() + reason[1:]
