"""The end: what had arrived is answered, and who says nothing is not waited for (docs/architecture.md)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import dns.message

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.frames import frame
from dnsserver.wire.records import Record, address_rdata
from tests.runtime.helpers import ask, data, rcode, server_of
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
    """One that has had its answer, that is; whoever has not asked yet may ask once more."""
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
