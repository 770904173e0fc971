"""The end: what had arrived is answered, and who says nothing is not waited for (docs/architecture.md)."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import cast

import dns.message
import pytest

from dnsserver.runtime import server as runtime_server
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.frames import frame
from dnsserver.wire.records import Record, address_rdata
from tests.runtime.helpers import ask, data, get, rcode, server_of
from tests.support.process import free_port
from tests.support.upstream import reply_to

#: Seconds that the upstream takes: longer than anything else here.
SLOW_S = 0.4


class SlowUpstream(asyncio.DatagramProtocol):
    """Answers every question, after some time. `asked` is set by the first."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, octets: bytes, client: tuple[str, int]) -> None:
        self.asked.set()
        record = Record(names.from_text("slow.test"), Type.A, 5, address_rdata("192.0.2.7"))
        reply = reply_to(octets, [record])
        asyncio.get_running_loop().call_later(SLOW_S, self._transport.sendto, reply, client)


@contextlib.asynccontextmanager
async def slow_upstream() -> AsyncIterator[tuple[SlowUpstream, int]]:
    transport, upstream = await asyncio.get_running_loop().create_datagram_endpoint(
        SlowUpstream, local_addr=("127.0.0.1", 0)
    )
    try:
        yield upstream, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
        await asyncio.sleep(0)


def corefile(port: int, forward: str = "") -> str:
    return f".:{port} {{\nbind 127.0.0.1\nerrors\n{forward}\nwhoami\n}}\n"


async def test_questions_in_flight_are_answered_at_the_end() -> None:
    port = free_port()
    async with slow_upstream() as (upstream, other):
        forward = f"forward . 127.0.0.1:{other} {{\nprefer_udp\n}}"
        async with server_of(corefile(port, forward)):
            asked = [asyncio.create_task(ask(port, "slow.test", tcp=tcp)) for tcp in (False, True)]
            await upstream.asked.wait()
            await asyncio.sleep(SLOW_S / 4)  # the other one has arrived too
            assert not any(question.done() for question in asked)
        replies = await asyncio.gather(*asked)
        assert [data(reply) for reply in replies] == [["A 192.0.2.7"]] * 2


async def test_idle_connection_does_not_hold_up_the_end() -> None:
    """One that has had its answer."""
    port = free_port()
    loop = asyncio.get_running_loop()
    async with server_of(corefile(port)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame(dns.message.make_query("example.org", "A").to_wire()))
        size = int.from_bytes(await reader.readexactly(2), "big")
        await reader.readexactly(size)
        begun = loop.time()
    assert loop.time() - begun < 1
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_same_port_can_be_served_again_at_once() -> None:
    port = free_port()
    for _ in range(3):
        async with server_of(corefile(port)):
            for tcp in (False, True):
                assert rcode(await ask(port, "example.org", tcp=tcp)) == "NOERROR"


async def test_connection_that_never_asked_does_not_hold_up_the_end() -> None:
    port = free_port()
    loop = asyncio.get_running_loop()
    async with server_of(corefile(port)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert rcode(await ask(port, "example.org", tcp=True)) == "NOERROR"
        begun = loop.time()
    assert loop.time() - begun < 1
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_all_listeners_have_one_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """On each of several addresses a question that is never answered."""
    monkeypatch.setattr(runtime_server, "DRAIN_S", SLOW_S)
    port, hosts = free_port(), [f"127.0.0.{number}" for number in range(1, 6)]
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        forward = f"forward . 127.0.0.1:{nobody.getsockname()[1]}"
        async with server_of(
            corefile(port, forward).replace("127.0.0.1\n", f"{' '.join(hosts)}\n", 1)
        ) as server:
            asked = [asyncio.create_task(ask(port, "slow.test", host=host)) for host in hosts]
            while server.counters.udp_now < len(hosts):  # noqa: ASYNC110 - it is a number
                await asyncio.sleep(0.01)
            begun = loop.time()
        took = loop.time() - begun
    for question in asked:
        question.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert SLOW_S * 0.9 < took < SLOW_S * 2.5


async def test_ready_that_shares_its_listener_says_so() -> None:
    port, http, alone = free_port(), free_port(), free_port()
    shared = f"ready 127.0.0.1:{http}\nhealth 127.0.0.1:{http} {{\nlameduck 500ms\n}}"
    other = f"other.test:{port} {{\nbind 127.0.0.1\nready 127.0.0.1:{alone}\nwhoami\n}}\n"
    async with server_of(corefile(port, shared) + other) as server:
        assert await get(http, "/ready") == await get(alone, "/ready") == (200, "OK")
        await server.go_lame()
        assert await get(http, "/ready") == (503, "Shutting down")
        assert await get(alone, "/ready") == (0, "")
        assert await get(http, "/health") == (200, "OK")
        assert rcode(await ask(port, "example.org")) == "NOERROR"
