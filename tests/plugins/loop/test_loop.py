"""loop: questions that come back, over real sockets."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.message
import dns.rcode
import pytest

from dnsserver.observability.families import Family
from dnsserver.plugins.loop import probing, setup
from dnsserver.plugins.loop.probing import is_probe, probe_name
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.wire import names
from tests.plugins.helpers import refused
from tests.runtime.helpers import ask, data, eventually, extended_errors, rcode, server_of
from tests.support.process import free_port

COREFILE = """\
.:{port} {{
    bind 127.0.0.1
    hosts /nowhere {{
        10.0.0.1 own.example.org
        fallthrough
    }}
    loop
    forward . 127.0.0.1:{upstream}
}}
"""


class Relay(asyncio.DatagramProtocol):
    """An upstream that asks *target* in turn or, without one, says that no name exists."""

    def __init__(self, target: int | None) -> None:
        self.target = target
        self._asked: dict[int, tuple[str, int]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        if addr[1] == self.target and data[2] & 0x80:
            self._transport.sendto(data, self._asked[int.from_bytes(data[:2], "big")])
        elif self.target is not None:
            self._asked[int.from_bytes(data[:2], "big")] = addr
            self._transport.sendto(data, ("127.0.0.1", self.target))
        else:
            reply = dns.message.make_response(dns.message.from_wire(data))
            reply.set_rcode(dns.rcode.NXDOMAIN)
            self._transport.sendto(reply.to_wire(), addr)


@asynccontextmanager
async def relayed(looping: bool) -> AsyncIterator[tuple[ClusterDnsServer, Relay]]:
    """A server whose upstream brings its questions back, if *looping*."""
    port, upstream = free_port(), free_port()
    transport, relay = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Relay(port if looping else None), local_addr=("127.0.0.1", upstream)
    )
    try:
        async with server_of(COREFILE.format(port=port, upstream=upstream)) as running:
            yield running, relay
    finally:
        transport.close()


def gauge(running: ClusterDnsServer) -> float:
    (plugin,) = (plugin for plugin in running.plugins() if plugin.name == "loop")
    assert plugin.metrics is not None
    (family,) = plugin.metrics()
    assert isinstance(family, Family)
    assert (family.name, family.samples[0][0]) == ("dnsserver_loop_detected", (".",))
    return family.samples[0][1]


async def test_a_loop_is_found_told_of_and_healed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "HEAL_S", 0.05)
    monkeypatch.setattr(probing, "RETRY_S", 0.05)
    caplog.set_level(logging.INFO, "dnsserver")
    async with relayed(looping=True) as (running, relay):
        port = running.endpoints[0][1]

        async def found() -> float:
            return gauge(running)

        await eventually(found, 1.0)
        (line,) = [record for record in caplog.records if record.levelno == logging.CRITICAL]
        assert re.match(
            rf'Loop \(127\.0\.0\.1:\d+ -> 127\.0\.0\.1:{port}\) detected for zone "\.", see https://coredns\.io/plugins'
            r'/loop#troubleshooting\. Query: "HINFO \d+\.\d+\."\. .*127\.0\.0\.1:\d+',
            line.getMessage(),
        )
        reply = await ask(port, "www.example.net", edns=True)
        assert (rcode(reply), extended_errors(reply)) == (
            "SERVFAIL",
            [(0, "what is forwarded comes back (plugin loop)")],
        )
        assert data(await ask(port, "own.example.org")) == ["A 10.0.0.1"]
        relay.target = None
        await eventually(found, 0.0)
        assert rcode(await ask(port, "www.example.net")) == "NXDOMAIN"
        assert "is gone" in caplog.records[-1].getMessage()


async def test_forwarding_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "RETRY_S", 0.05)
    port = free_port()
    async with server_of(COREFILE.format(port=port, upstream=port)) as running:

        async def found() -> float:
            return gauge(running)

        await eventually(found, 1.0)


async def test_no_loop() -> None:
    async with relayed(looping=False) as (running, _):
        assert rcode(await ask(running.endpoints[0][1], "www.example.net")) == "NXDOMAIN"
        assert gauge(running) == 0.0


def test_only_names_of_this_run_are_ours() -> None:
    zone = names.from_text("example.org.")
    ours = probe_name(zone)
    assert is_probe(ours, zone)
    assert is_probe(names.from_text(names.to_text(ours)), names.from_text("EXAMPLE.org."))
    for name in ("1.2.example.org.", "example.org.", "1.example.org.", "example.net."):
        assert not is_probe(names.from_text(name), zone)
    assert not is_probe(b"\x01x" + ours, zone)
    assert not is_probe(ours[: -len(zone)] + names.ROOT, names.ROOT)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("loop\nloop", "this plugin can only be used once per Server Block (Corefile:3)"),
        (
            "loop x",
            "Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after 'x'",
        ),
        (
            "loop {\nx\n}",
            "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after 'x'",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/loop: {error}"
