"""One exchange with one server, with real sockets."""

import asyncio
import contextlib
import errno
import gc
import itertools
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from dnsserver.transports.exchange import ExchangePlaces
from dnsserver.transports.upstream.peer import Accept, ExchangeError, OwnWantError, Peer
from dnsserver.transports.upstream.pool import PooledQuestions
from dnsserver.transports.upstream.stream import StreamConnection
from dnsserver.transports.upstream.udp import UdpQuestions
from dnsserver.wire.frames import frame
from tests.support import upstream as support
from tests.support.upstream import (
    PATIENCE_S,
    Script,
    Upstream,
    closed_port,
    closing,
    sending,
    silent,
    until,
)

Exchange = Callable[[bytes, str, int, Accept, float], Awaitable[bytes]]

#: Seconds. For what must fail.
SHORT_S = 0.1
#: The ID that replies are written with; upstreams put that of the query in its place.
IDENT = b"\xfe\xed"
QUESTION = IDENT + bytes(range(18))


def echoing(script: Script) -> Script:
    """*script*, with the query's ID in place of IDENT."""

    def echo(octets: bytes, by: str) -> Sequence[bytes] | None:
        pieces = script(octets, by)
        return None if pieces is None else [piece.replace(IDENT, octets[:2]) for piece in pieces]

    return echo


@contextlib.asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[Upstream]:
    async with support.upstream(echoing(script)) as served:
        yield served


async def exchange_udp(octets: bytes, host: str, port: int, accept: Accept, timeout_s: float) -> bytes:
    """One question over UDP; the reply as if the ID had not been changed on the way."""
    questions = UdpQuestions(Peer(host, port))
    try:
        return IDENT + (await questions.ask(octets, accept, timeout_s))[2:]
    finally:
        questions.close()


async def exchange_tcp(octets: bytes, host: str, port: int, accept: Accept, timeout_s: float) -> bytes:
    """One question over TCP; the reply as if the ID had not been changed on the way."""
    questions = PooledQuestions(Peer(host, port), StreamConnection)
    try:
        deadline = asyncio.get_running_loop().time() + timeout_s
        return IDENT + (await questions.ask(octets, accept, timeout_s, deadline))[2:]
    finally:
        questions.close()


def anything(_: bytes) -> bool:
    return True


def right(octets: bytes) -> bool:
    return octets[2:].startswith(b"right")


def sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(entry.readlink())
            if target.startswith("socket:"):
                found.add(target)
    return found


@pytest.mark.parametrize(("exchange", "protocol"), [(exchange_udp, "udp"), (exchange_tcp, "tcp")])
async def test_reply(exchange: Exchange, protocol: str) -> None:
    def script(octets: bytes, by: str) -> Sequence[bytes]:
        return [IDENT + b"right" + octets[2:] if by == "udp" else frame(IDENT + b"right" + octets[2:])]

    async with upstream(script) as served:
        assert (
            await exchange(QUESTION, "127.0.0.1", served.port, right, PATIENCE_S)
            == IDENT + b"right" + QUESTION[2:]
        )
        assert [(by, octets[2:]) for by, octets in served.asked] == [(protocol, QUESTION[2:])]


@pytest.mark.parametrize("exchange", [exchange_udp, exchange_tcp])
async def test_replies_that_are_not_wanted_are_passed_over(exchange: Exchange) -> None:
    def script(_: bytes, by: str) -> Sequence[bytes]:
        replies = [IDENT + b"wrong", b"", b"xxright", b"\0", IDENT + b"right one"]
        return replies if by == "udp" else [b"".join(map(frame, replies))]

    async with upstream(script) as served:
        assert await exchange(QUESTION, "127.0.0.1", served.port, right, PATIENCE_S) == IDENT + b"right one"


async def test_large_replies() -> None:
    for exchange, size in ((exchange_udp, 60_000), (exchange_tcp, 65_535)):

        def script(_: bytes, by: str, size: int = size) -> Sequence[bytes]:
            return [IDENT + bytes(size - 2) if by == "udp" else frame(IDENT + bytes(size - 2))]

        async with upstream(script) as served:
            assert len(await exchange(QUESTION, "127.0.0.1", served.port, anything, PATIENCE_S)) == size


async def test_stream_in_pieces() -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        octets = await reader.readexactly(2 + len(QUESTION))
        for octet in frame(octets[2:4] + b"right"):
            writer.write(bytes((octet,)))
            await writer.drain()
            await asyncio.sleep(0.001)
        writer.transport.abort()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await exchange_tcp(QUESTION, "127.0.0.1", port, right, PATIENCE_S) == IDENT + b"right"
        await ended.wait()
        await asyncio.sleep(0)


async def error_of(exchange: Exchange, port: int, timeout_s: float, host: str = "127.0.0.1") -> str:
    """The text of the error, its own port as OWN and the server's as PORT."""
    with pytest.raises(ExchangeError) as caught:
        await exchange(QUESTION, host, port, right, timeout_s)
    text = str(caught.value).replace(f":{port}", ":PORT")
    return re.sub(r"127\.0\.0\.1:\d+->", "OWN->", text)


@pytest.mark.parametrize(("exchange", "protocol"), [(exchange_udp, "udp"), (exchange_tcp, "tcp")])
async def test_silence(exchange: Exchange, protocol: str) -> None:
    async with upstream(silent) as served:
        start = time.monotonic()
        expected = f"read {protocol} OWN->127.0.0.1:PORT: i/o timeout"
        assert await error_of(exchange, served.port, SHORT_S) == expected
        assert SHORT_S <= time.monotonic() - start < 10 * SHORT_S


async def test_what_is_not_wanted_does_not_prolong_the_wait() -> None:
    async with upstream(sending(*[b"wrong"] * 1000)) as served:
        expected = "read udp OWN->127.0.0.1:PORT: i/o timeout"
        assert await error_of(exchange_udp, served.port, SHORT_S) == expected


@pytest.mark.parametrize(
    ("exchange", "text"),
    [
        (exchange_udp, "read udp OWN->127.0.0.1:PORT: read: connection refused"),
        (exchange_tcp, "dial tcp 127.0.0.1:PORT: connect: connection refused"),
    ],
)
async def test_nobody_there(exchange: Exchange, text: str) -> None:
    start = time.monotonic()
    assert await error_of(exchange, closed_port(), PATIENCE_S) == text
    assert time.monotonic() - start < PATIENCE_S / 5


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "EOF"),
        ([b"\0"], "unexpected EOF"),
        ([b"\xff\xff"], "unexpected EOF"),
        ([b"\0\x20" + IDENT + b"right"], "unexpected EOF"),
        ([frame(b"wrong")], "EOF"),
        ([frame(b"")], "EOF"),
    ],
)
async def test_streams_that_end(answer: Sequence[bytes] | None, text: str) -> None:
    async with upstream(closing if answer is None else sending(*answer)) as served:
        assert await error_of(exchange_tcp, served.port, PATIENCE_S) == text


async def test_other_senders_are_not_heard() -> None:
    """A datagram from another address than the one asked, to the right port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))

        async with upstream(silent) as served:

            def forge(_: bytes, by: str) -> Sequence[bytes]:
                other.sendto(IDENT + b"right but forged", ("127.0.0.1", served.ports[-1]))
                return [IDENT + b"right"] if by == "udp" else []

            served.script = echoing(forge)
            assert (
                await exchange_udp(QUESTION, "127.0.0.1", served.port, right, PATIENCE_S) == IDENT + b"right"
            )


@pytest.mark.parametrize(
    ("exchange", "text"),
    [
        (exchange_udp, "dial udp [fe80::1%none0]:PORT: connect: "),
        (exchange_tcp, "dial tcp [fe80::1%none0]:PORT: connect: "),
    ],
)
async def test_address_that_is_none_here(exchange: Exchange, text: str) -> None:
    assert (await error_of(exchange, 53, PATIENCE_S, "fe80::1%none0")).startswith(text)


async def test_query_that_no_datagram_can_hold() -> None:
    with pytest.raises(ExchangeError, match=r"message too long$"):
        await exchange_udp(bytes(65_535), "127.0.0.1", closed_port(), right, PATIENCE_S)


async def test_ports_are_not_in_a_row() -> None:
    async with upstream(sending(IDENT + b"right")) as served:
        for _ in range(50):
            await exchange_udp(QUESTION, "127.0.0.1", served.port, right, PATIENCE_S)
        ports = served.ports
        assert len(set(ports)) > 40
        assert sum(abs(one - other) <= 2 for one, other in itertools.pairwise(ports)) < 25


@pytest.mark.parametrize("exchange", [exchange_udp, exchange_tcp])
async def test_sockets_are_closed(exchange: Exchange) -> None:
    """After a reply, a time-out, a refusal and a cancellation."""
    gc.collect()
    async with upstream(
        lambda _, by: [IDENT + b"right" if by == "udp" else frame(IDENT + b"right")]
    ) as served:
        before = sockets()
        await exchange(QUESTION, "127.0.0.1", served.port, right, PATIENCE_S)
        await error_of(exchange, closed_port(), PATIENCE_S)
        served.script = silent
        await error_of(exchange, served.port, SHORT_S)
        waiting = asyncio.ensure_future(exchange(QUESTION, "127.0.0.1", served.port, right, PATIENCE_S))
        await until(lambda: len(served.asked) == 3)
        waiting.cancel()
        await asyncio.wait((waiting,))
        assert waiting.cancelled()
        await until(lambda: served.connections == 0 and sockets() == before)


@pytest.mark.parametrize(("exchange", "protocol"), [(exchange_udp, "udp"), (exchange_tcp, "tcp")])
@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EMFILE, "socket: too many open files"),
        (errno.ENFILE, "socket: too many open files in system"),
        (errno.ENOBUFS, "connect: no buffer space available"),
        (errno.ENOMEM, "connect: cannot allocate memory"),
    ],
)
async def test_wants_of_this_host_are_told_from_failures_of_the_other(
    exchange: Exchange, protocol: str, number: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wanting(socket.socket):
        def __init__(self, *_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number))

    port = closed_port()
    monkeypatch.setattr(socket, "socket", Wanting)
    with pytest.raises(OwnWantError, match=f"^dial {protocol} 127.0.0.1:{port}: {text}$"):
        await exchange(QUESTION, "127.0.0.1", port, right, PATIENCE_S)


@pytest.mark.parametrize("exchange", [exchange_udp, exchange_tcp])
async def test_failures_of_the_other_are_no_wants_of_this_host(exchange: Exchange) -> None:
    with pytest.raises(ExchangeError) as caught:
        await exchange(QUESTION, "127.0.0.1", closed_port(), right, PATIENCE_S)
    assert not isinstance(caught.value, OwnWantError)


def test_places() -> None:
    places = ExchangePlaces(2)
    assert [places.take() for _ in range(3)] == [True, True, False]
    assert repr(places) == "<ExchangePlaces 2 of 2>"
    places.give_back()
    assert places.take()
