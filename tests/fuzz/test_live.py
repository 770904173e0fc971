"""A running server under mutated datagrams: nothing is logged, memory stays, the next good query is answered.

FUZZ_PACKETS=1000000 pytest tests/fuzz/test_live.py    # sends a tenth of that
"""

import asyncio
import gc
import logging
import socket
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

import dns.message
import pytest

from dnsserver.config import ServerBlock
from dnsserver.observability.counters import Meter, ZoneCounters
from dnsserver.plugins.plugin import Plugin
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltSite
from dnsserver.store import hot
from dnsserver.transports.batch import BatchPort
from dnsserver.transports.limits import TransportCounters
from dnsserver.transports.responder import Finders, ReadyReplies
from dnsserver.transports.tcp import TcpListener
from dnsserver.transports.udp import UdpListener
from tests.answering.packets import message
from tests.answers.case import message_shown, normal
from tests.answers.scene import LOOPBACK, PATIENCE_S, Scene, Served, serving
from tests.answers.scenes import MAIN
from tests.fuzz.mutation import PACKETS, packets
from tests.fuzz.seeds import QUERIES

LIVE = max(1_000, PACKETS // 10)
#: Datagrams before the server is given time to answer them: its socket shall drop none.
BURST = 50
#: Parts that the datagrams are sent in. What is lost with each datagram is lost in every part; tables that fill, and
#: what waits for its time, grow in some and not in others.
PARTS = 4
#: Octets that the server may hold more after every part: one per datagram, or what comes and goes however many there
#: are.
GROWTH_MAX = max(LIVE // PARTS, 32 << 10)
#: Octets of answers at hand, instead of so many that no run fills the tables.
HELD = 32 << 10
NGINX = normal("nginx.default.svc.cluster.local. 5 A 10.96.0.10")


class Counting(Dispatcher):
    """Counts the replies that were at hand."""

    given = 0

    def answer_now(self, octets: bytes, protocol: str, ipv6: bool) -> bytes | None:
        reply = super().answer_now(octets, protocol, ipv6)
        self.given += reply is not None
        return reply

    def ready(self, ipv6: bool) -> ReadyReplies:
        return CountedReady(self, super().ready(ipv6))


@dataclass(frozen=True)
class CountedReady:
    front: Counting
    inner: ReadyReplies

    def find(self) -> Finders:
        return self.inner.find()

    def given(self, replies: int, seconds: float) -> None:
        self.front.given += replies
        self.inner.given(replies, seconds)


@asynccontextmanager
async def serving_at_hand(scene: Scene) -> AsyncIterator[Served]:
    """As `serving`, with the answers at hand in front of the chain."""
    state = scene.state()
    answers, wrap = scene.parts(state)
    plugin = Plugin(name="kubernetes", wrap=wrap, repeatable=answers)
    block = ServerBlock((), (), "test", 1)
    meter = Meter({b"\0": ZoneCounters()}, ZoneCounters())
    front = Counting({b"\0": BuiltSite(block, (plugin,), scene.handler(state), ())}, meter)
    udp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp_socket.bind((LOOPBACK, 0))
    tcp_socket = socket.create_server((LOOPBACK, 0))
    async with (
        UdpListener(udp_socket, front.respond, now=front.answer_now, ready=front.ready(False)) as udp,
        TcpListener(tcp_socket, front.respond) as tcp,
    ):
        assert isinstance(udp._carrier, BatchPort)
        yield Served(front, udp, tcp)
    received = udp.counters.udp_received + tcp.counters.tcp_received
    assert received // 20 < front.given < received * 19 // 20, "one way is hardly taken"


Way = Callable[[Scene], AbstractAsyncContextManager[Served]]
WAYS = pytest.mark.parametrize("way", [serving, serving_at_hand], ids=["chain", "at-hand"])


async def send(served: Served, count: int, stream: int) -> int:
    """Send *count* mutated datagrams; how many replies came back."""
    loop = asyncio.get_running_loop()
    counters = served.udp.counters
    replies, sent, begun = 0, 0, counters.udp_received
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((LOOPBACK, served.udp.port))
        for octets in packets(count, QUERIES, stream):
            if not octets:
                continue
            await loop.sock_sendall(sock, octets)
            sent += 1
            if sent % BURST == 0:
                await caught_up(counters, begun + sent)
                replies += drained(sock)
        await still_answers(served)
        return replies + drained(sock)


async def caught_up(counters: TransportCounters, received: int) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while counters.udp_received < received or counters.udp_now:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0)


def drained(sock: socket.socket) -> int:
    replies = 0
    while True:
        try:
            octets = sock.recv(65_535)
        except BlockingIOError:
            return replies
        replies += 1
        if replies % 10 == 1:
            dns.message.from_wire(octets, one_rr_per_rrset=True)


async def still_answers(served: Served) -> None:
    reply = dns.message.from_wire(await served.over_udp(message()), one_rr_per_rrset=True)
    assert message_shown(reply).answer == (NGINX,)


@WAYS
async def test_udp(way: Way, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot, "SERVICE_OCTETS_MAX", HELD)
    monkeypatch.setattr(hot, "OTHERS_OCTETS_MAX", HELD)
    async with way(MAIN) as served:
        await send(served, LIVE // 10, 3)  # everything is imported and kept that will be
        replies, held = 0, []
        tracemalloc.start()
        try:
            for part in range(PARTS):
                replies += await send(served, LIVE // PARTS, 40 + part)
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        assert replies > LIVE // 2
        assert min(after - before for before, after in pairwise(held)) < GROWTH_MAX, held
        assert served.dispatcher.panics == 0
        assert served.udp.counters.answers_failed == 0
        assert served.udp.counters.udp_now == 0
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@WAYS
async def test_tcp(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    """Mutated messages in good frames, and good messages in mutated frames: the server closes or answers."""
    async with way(MAIN) as served:
        for octets in packets(max(100, LIVE // 50), QUERIES, 6):
            await one_connection(served, len(octets).to_bytes(2, "big") + octets)
        frames = [len(octets).to_bytes(2, "big") + octets for octets in QUERIES]
        for octets in packets(max(100, LIVE // 50), frames, 7):
            await one_connection(served, octets)
        reply = dns.message.from_wire(await served.over_tcp(message()), one_rr_per_rrset=True)
        assert message_shown(reply).answer == (NGINX,)
        assert served.dispatcher.panics == 0
        assert served.tcp.counters.answers_failed == 0
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def one_connection(served: Served, octets: bytes) -> None:
    """Send, end the sending side, and read what comes until the server closes."""
    reader, writer = await asyncio.open_connection(LOOPBACK, served.tcp.port)
    try:
        writer.write(octets)
        writer.write_eof()
        async with asyncio.timeout(5):
            replies = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    while replies:
        size = 2 + int.from_bytes(replies[:2], "big")
        assert len(replies) >= size
        dns.message.from_wire(replies[2:size], one_rr_per_rrset=True)
        replies = replies[size:]


def test_mutations_repeat_themselves() -> None:
    """A failure can be made again from its stream."""
    assert list(packets(50, QUERIES, 9)) == list(packets(50, QUERIES, 9))
    assert list(packets(50, QUERIES, 9)) != list(packets(50, QUERIES, 10))
