"""Zone transfers out, on real sockets: dnspython, kdig and dig read them."""

import asyncio
import socket
import ssl
from pathlib import Path
from typing import cast

import dns.asyncquery
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.xfr
import dns.zone
import pytest

from dnsserver.plugins.transfer import setup
from dnsserver.runtime.server import ClusterDnsServer
from tests.plugins.helpers import refused
from tests.runtime.helpers import PATIENCE_S, ask, eventually, rcode, server_of
from tests.support.streams import certificates
from tests.support.tools import must_run, tool

HEAD = "$TTL 300\n@ SOA ns host 7 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n"
MANIFESTS = """
{apiVersion: v1, kind: Namespace, metadata: {name: default}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: default},
 spec: {clusterIP: 10.96.0.10, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: out, namespace: default},
 spec: {type: ExternalName, externalName: www.example.org}}
---
{apiVersion: v1, kind: Service, metadata: {name: hl, namespace: default},
 spec: {clusterIP: None, ports: [{name: http, port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4,
 metadata: {name: hl-1, namespace: default, labels: {kubernetes.io/service-name: hl}},
 ports: [{name: http, port: 80, protocol: TCP}], endpoints: [{addresses: [10.244.0.7], hostname: web-0}]}
"""


def corefile(to: str = "to *", *, body: str = "file db", zones: str = "example.org") -> str:
    return f"{zones}:0 {{\n bind 127.0.0.1\n {body}\n transfer {{\n {to}\n }}\n}}\n"


def write(folder: Path, names: int = 3) -> None:
    (folder / "db").write_text(HEAD + "".join(f"host{i} A 10.0.{i // 250}.{i % 250}\n" for i in range(names)))


async def messages_of(
    port: int, query: dns.message.Message, tls: ssl.SSLContext | None = None
) -> list[dns.message.Message]:
    """All replies up to the second SOA record, or the first alone if it is an error."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    wire = query.to_wire()
    writer.write(len(wire).to_bytes(2, "big") + wire)
    found: list[dns.message.Message] = []
    soas = 0
    while soas < 2:
        size = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), PATIENCE_S), "big")
        reply = dns.message.from_wire(await reader.readexactly(size), one_rr_per_rrset=True)
        found.append(reply)
        soas += sum(rrset.rdtype == dns.rdatatype.SOA for rrset in reply.answer)
        if reply.rcode() or (query.question[0].rdtype == dns.rdatatype.IXFR and len(reply.answer) == 1):
            break
    writer.close()
    await writer.wait_closed()
    return found


async def zone_from(port: int, origin: str) -> dns.zone.Zone:
    """As dnspython takes it over, which checks every message."""
    zone = dns.zone.Zone(origin, relativize=False)
    await dns.asyncquery.inbound_xfr("127.0.0.1", zone, port=port, lifetime=PATIENCE_S)
    return zone


async def test_axfr_has_all_records(tmp_path: Path) -> None:
    write(tmp_path, 4000)
    async with server_of(corefile(), tmp_path) as server:
        port = server.endpoints[0][1]
        zone = await zone_from(port, "example.org.")
        wanted = dns.zone.from_file(str(tmp_path / "db"), "example.org.", relativize=False)
        assert zone == wanted
        found = await messages_of(port, dns.message.make_query("example.org.", "AXFR"))
        assert len(found) > 3
        assert all(reply.flags & dns.flags.AA and len(reply.to_wire()) <= 0x4000 for reply in found)
        assert found[0].answer[0] == found[-1].answer[-1]


@pytest.mark.parametrize("program", ["kdig", "dig"])
async def test_others_read_it(program: str, tmp_path: Path) -> None:
    write(tmp_path, 600)
    async with server_of(corefile(), tmp_path) as server:
        port = server.endpoints[0][1]
        command = [tool(program), "@127.0.0.1", "-p", str(port), "example.org", "AXFR", "+noall", "+answer"]
        shown = await asyncio.to_thread(must_run, command)
        assert sum("\tA\t" in line for line in shown.splitlines()) == 601


@pytest.mark.parametrize(
    ("serial", "records"), [(7, 1), (8, 1), (6, 7), (8 + (1 << 31), 7)], ids=["same", "newer", "older", "far"]
)
async def test_ixfr(serial: int, records: int, tmp_path: Path) -> None:
    """RFC 1995 section 2, RFC 1982: the SOA record alone, or the whole zone."""
    write(tmp_path)
    async with server_of(corefile(), tmp_path) as server:
        query = dns.message.make_query("example.org.", "IXFR")
        query.authority.append(dns.rrset.from_text("example.org.", 0, "IN", "SOA", f". . {serial} 0 0 0 0"))
        found = await messages_of(server.endpoints[0][1], query)
        assert sum(len(reply.answer) for reply in found) == records
        assert found[0].flags & dns.flags.AA


async def test_ixfr_without_serial(tmp_path: Path) -> None:
    write(tmp_path)
    async with server_of(corefile(), tmp_path) as server:
        found = await messages_of(server.endpoints[0][1], dns.message.make_query("example.org.", "IXFR"))
        assert [reply.rcode() for reply in found] == [dns.rcode.SERVFAIL]


@pytest.mark.parametrize(
    ("to", "name", "tcp", "wanted"),
    [
        ("to *", "example.org.", False, "REFUSED"),
        ("to 192.0.2.1", "example.org.", True, "REFUSED"),
        ("to 192.0.2.1 127.0.0.1:5300", "example.org.", True, "NOERROR"),
        ("to *", "host1.example.org.", True, "REFUSED"),
        ("to *", "example.net.", True, "REFUSED"),
    ],
)
async def test_who_may(to: str, name: str, tcp: bool, wanted: str, tmp_path: Path) -> None:
    write(tmp_path)
    async with server_of(corefile(to), tmp_path) as server:
        port = server.endpoints[0][1]
        query = dns.message.make_query(name, "AXFR")
        if tcp:
            assert dns.rcode.to_text((await messages_of(port, query))[0].rcode()) == wanted
        else:
            assert rcode(await ask(port, name, "AXFR")) == wanted


async def test_over_tls(tmp_path: Path) -> None:
    """RFC 9103, but for its ALPN."""
    write(tmp_path, 2_000)
    made = certificates(tmp_path)
    text = "tls://" + corefile(body=f"file db\n tls {made.path('server.crt')} {made.path('server.key')}")
    async with server_of(text, tmp_path) as server:
        context = ssl.create_default_context(cafile=made.path("ca.crt"))
        query = dns.message.make_query("example.org.", "AXFR")
        found = await messages_of(server.endpoints[0][1], query, context)
        assert len(found) > 1
        assert sum(len(rrset) for reply in found for rrset in reply.answer) == 2_004


async def test_over_https(tmp_path: Path) -> None:
    """One question has one message for reply there, and a zone takes several."""
    write(tmp_path)
    wire = dns.message.make_query("example.org.", "AXFR", id=0).to_wire()
    async with server_of("https://" + corefile(), tmp_path) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.endpoints[0][1])
        head = "POST /dns-query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        head += f"Content-Type: application/dns-message\r\nContent-Length: {len(wire)}\r\n\r\n"
        writer.write(head.encode() + wire)
        status, _, body = (await asyncio.wait_for(reader.read(), PATIENCE_S)).partition(b"\r\n\r\n")
        writer.close()
        assert status.startswith(b"HTTP/1.1 200 ")
        assert dns.message.from_wire(body).rcode() == dns.rcode.REFUSED


async def test_zones_of_a_rule(tmp_path: Path) -> None:
    """The longest zone counts, whatever stands first."""
    write(tmp_path)
    text = (
        ".:0 {\n bind 127.0.0.1\n file db a.test b.test\n"
        " transfer . {\n to 192.0.2.1\n }\n transfer b.test {\n to *\n }\n}\n"
    )
    async with server_of(text, tmp_path) as server:
        port = server.endpoints[0][1]
        for zone, wanted in (("a.test.", dns.rcode.REFUSED), ("b.test.", dns.rcode.NOERROR)):
            found = await messages_of(port, dns.message.make_query(zone, "AXFR"))
            assert found[0].rcode() == wanted


async def test_slow_reader_holds_no_zone(tmp_path: Path) -> None:
    """What the client does not read is not made."""
    long = "".join(f"host{i} CNAME {'.'.join([f'{i:060}'] * 4)}.\n" for i in range(2, 40_000))
    (tmp_path / "db").write_text(f"{HEAD}host1 A 10.0.0.1\n{long}")
    async with server_of(corefile(), tmp_path) as server:
        port = server.endpoints[0][1]
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            wire = dns.message.make_query("example.org.", "AXFR").to_wire()
            await asyncio.get_running_loop().sock_sendall(sock, len(wire).to_bytes(2, "big") + wire)
            begun = server.counters.tcp_sent

            async def begins() -> bool:
                return server.counters.tcp_sent > begun

            await eventually(begins, True)
            before = -1
            while before != server.counters.tcp_sent:
                before = server.counters.tcp_sent
                await asyncio.sleep(0.3)
            # 10 MiB are some 650 messages; the sockets' buffers hold a part of them.
            assert before - begun < 450
            assert (await ask(port, "host1.example.org.")).answer  # and others are answered meanwhile


class Secondary(asyncio.DatagramProtocol):
    """Takes NOTIFY messages, and refuses the first few."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.seen: list[dns.message.Message] = []
        self.told = asyncio.Event()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = dns.message.from_wire(data)
        self.seen.append(message)
        reply = dns.message.make_response(message)
        if len(self.seen) <= self.refusals:
            reply.set_rcode(dns.rcode.REFUSED)
        else:
            self.told.set()
        assert self.transport is not None
        self.transport.sendto(reply.to_wire(), addr)


async def test_notify_at_start_and_change(tmp_path: Path) -> None:
    write(tmp_path)
    loop = asyncio.get_running_loop()
    transport, secondary = await loop.create_datagram_endpoint(
        lambda: Secondary(refusals=1), local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    try:
        body = "file db {\n reload 50ms\n }"
        to = f"to 127.0.0.1:{port}\n source 127.0.0.1"
        async with server_of(corefile(to, body=body), tmp_path):
            await asyncio.wait_for(secondary.told.wait(), PATIENCE_S)
            assert [message.opcode() for message in secondary.seen] == [dns.opcode.NOTIFY] * 2
            assert secondary.seen[0].question[0].to_text() == "example.org. IN SOA"
            assert secondary.seen[0].flags & dns.flags.AA
            secondary.told.clear()
            (tmp_path / "db").write_text(HEAD.replace(" 7 ", " 8 "))
            await asyncio.wait_for(secondary.told.wait(), PATIENCE_S)
    finally:
        transport.close()


async def test_notify_that_nobody_takes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path)
    loop = asyncio.get_running_loop()
    transport, secondary = await loop.create_datagram_endpoint(
        lambda: Secondary(refusals=99), local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    wanted = (
        'Failed sending notifies: notify for zone "example.org." was not accepted by '
        f'"127.0.0.1:{port}": rcode was "REFUSED"'
    )
    try:
        async with server_of(corefile(f"to 127.0.0.1:{port}"), tmp_path), asyncio.timeout(PATIENCE_S):
            while wanted not in caplog.messages:  # noqa: ASYNC110 - a log line is no event
                await asyncio.sleep(0.02)
    finally:
        transport.close()
    assert len(secondary.seen) == 3


async def cluster(tmp_path: Path) -> ClusterDnsServer:
    (tmp_path / "objects.yaml").write_text(MANIFESTS)
    body = "kubernetes cluster.local 244.10.in-addr.arpa 10.in-addr.arpa {\n manifests objects.yaml\n }"
    return server_of(corefile(body=body, zones="."), tmp_path)


async def test_zone_of_the_cluster(tmp_path: Path) -> None:
    """Every record of the transfer is what a question for it is answered with, and serial and NS are the zone's."""
    async with await cluster(tmp_path) as server:
        port = server.endpoints[0][1]
        zone = await zone_from(port, "cluster.local.")
        owners = {name.to_text() for name in zone}
        assert {
            "web.default.svc.cluster.local.",
            "_http._tcp.web.default.svc.cluster.local.",
            "out.default.svc.cluster.local.",
            "hl.default.svc.cluster.local.",
            "web-0.hl.default.svc.cluster.local.",
            "_http._tcp.hl.default.svc.cluster.local.",
            "dns-version.cluster.local.",
            "cluster.local.",
        } <= owners
        for name, rdataset in zone.iterate_rdatasets():
            reply = await ask(port, name.to_text(), dns.rdatatype.to_text(rdataset.rdtype))
            assert set(reply.answer[0]) == set(rdataset), name


async def test_reverse_zone_of_the_cluster(tmp_path: Path) -> None:
    async with await cluster(tmp_path) as server:
        port = server.endpoints[0][1]
        small = await zone_from(port, "244.10.in-addr.arpa.")
        whole = await zone_from(port, "10.in-addr.arpa.")
    pointers = [
        {name.to_text(): rdata.to_text() for name, _, rdata in zone.iterate_rdatas("PTR")}
        for zone in (small, whole)
    ]
    assert pointers[0] == {"7.0.244.10.in-addr.arpa.": "web-0.hl.default.svc.cluster.local."}
    assert pointers[1] == pointers[0] | {"10.0.96.10.in-addr.arpa.": "web.default.svc.cluster.local."}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("transfer {\n}", "Corefile:2 - Error during parsing: 'to' is required"),
        ("transfer", "Corefile:2 - Error during parsing: 'to' is required"),
        (
            "transfer {\nto\n}",
            "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after 'to'",
        ),
        ("transfer {\nto *\nnope\n}", 'Corefile:4 - Error during parsing: unknown property "nope"'),
        ("transfer {\nto example.com\n}", "must specify an IP address: `example.com' (Corefile:3)"),
        (
            "transfer {\nto *\nsource 192.0.2.1\nsource 192.0.2.2\n}",
            "Corefile:5 - Error during parsing: source already specified",
        ),
        ("transfer {\nto *\nsource x\n}", 'Corefile:4 - Error during parsing: invalid source address "x"'),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/transfer: {error}"
