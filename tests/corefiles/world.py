"""What is around such a machine: a cluster, and upstreams that know some names."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from dnsserver.answering.reply import Reply
from dnsserver.testing.kube_api import KubeApi, pod, service, slice_of
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode, type_name
from dnsserver.wire.message import Message
from tests.corefiles.machine import LOOPBACK, Upstreams
from tests.plugins.cache.stage import reply
from tests.support.kube_api.pki import Pki
from tests.support.upstream import Script, Upstream, reply_to, sent, upstream

SOA = "{zone} 600 IN SOA ns.{zone} hostmaster.{zone} 7 7200 1800 86400 60"
INTERNET = {
    ("www.example.org.", "A"): reply("www.example.org. 300 IN A 192.0.2.7"),
    ("two.example.org.", "A"): reply(
        "two.example.org. 300 IN A 192.0.2.17", "two.example.org. 300 IN A 192.0.2.18"
    ),
    ("host.example.org.", "A"): reply("host.example.org. 300 IN A 192.0.2.5"),
    ("alias.example.org.", "A"): reply(
        "alias.example.org. 300 IN CNAME www.example.org.", "www.example.org. 300 IN A 192.0.2.7"
    ),
    ("mail.example.org.", "MX"): reply("mail.example.org. 300 IN MX 10 www.example.org."),
    ("texts.example.org.", "TXT"): reply('texts.example.org. 300 IN TXT "a text"'),
    ("six.example.org.", "AAAA"): reply("six.example.org. 300 IN AAAA 2001:db8::7"),
    ("failing.example.org.", "A"): reply(rcode="SERVFAIL"),
    ("refused.example.org.", "A"): reply(rcode="REFUSED"),
    ("7.2.0.192.in-addr.arpa.", "PTR"): reply("7.2.0.192.in-addr.arpa. 300 IN PTR www.example.org."),
    ("a.internal.cloudapp.net.", "A"): reply("a.internal.cloudapp.net. 300 IN A 192.0.2.20"),
}
#: Of the zones of a company.
COMPANY = {
    (f"db.{zone}.", "A"): reply(f"db.{zone}. 300 IN A 192.0.2.8")
    for zone in ("corp.example", "private.example", "plain.example", "stub.example", "example.org")
}
#: What the cluster's DNS says to a node.
CLUSTER = {
    ("web.default.svc.cluster.local.", "A"): reply(
        "web.default.svc.cluster.local. 30 IN A 10.8.0.1", flags="AA"
    ),
    ("1.0.8.10.in-addr.arpa.", "PTR"): reply(
        "1.0.8.10.in-addr.arpa. 30 IN PTR web.default.svc.cluster.local.", flags="AA"
    ),
}


def knowing(table: dict[tuple[str, str], Reply], zone: str) -> Script:
    """Answers by *table*; other types of its names with NODATA, other names with NXDOMAIN, and *zone*'s SOA record."""
    soa = SOA.format(zone=zone)

    def script(octets: bytes, by: str) -> Sequence[bytes]:
        return sent(_reply(octets), by)

    def _reply(octets: bytes) -> bytes:
        question = Message.decode(octets).questions[0]
        name, rtype = names.to_text(question.name.lower()), type_name(question.rtype)
        known = any(name == other for other, _ in table)
        denied = reply(authority=[soa], rcode="NOERROR" if known else "NXDOMAIN")
        says = table.get((name, rtype), denied)
        flags = (Message.decode(octets).header.flags & Flag.RD) | Flag.RA
        flags |= Flag.AA if says.authoritative else 0
        return reply_to(octets, says.answer, authority=says.authority, rcode=Rcode(says.rcode), flags=flags)

    return script


def fill(api: KubeApi) -> None:
    for namespace in ("default", "prod"):
        api.namespace(namespace)
    two = (("http", 80), ("https", 443))
    external: dict[str, Any] = {"type": "ExternalName", "clusterIP": "", "clusterIPs": []}
    api.add(
        service("web", "10.8.0.1", ports=two),
        service("dual", "10.8.0.2", clusterIPs=["10.8.0.2", "fd00:8::2"]),
        service("db"),
        service("out", externalName="host.example.org", **external),
        service("alias", externalName="web.default.svc.cluster.local", **external),
        service("api", "10.8.0.3", namespace="prod", externalIPs=["203.0.113.1"]),
        slice_of("web", ["10.4.0.1"]),
        slice_of("db", ["10.4.0.11", "10.4.0.12"]),
        pod("client", LOOPBACK),
        pod("db-0", "10.4.0.11"),
    )


@dataclass(frozen=True)
class World:
    """`api` is the cluster's; the upstreams tell what they were asked."""

    api: KubeApi
    internet: Upstream
    company: Upstream
    cluster: Upstream
    ports: Upstreams

    def asked(self, name: str) -> int:
        """How often *name* came to an upstream, in any spelling and of any type."""
        wanted = names.from_text(name)
        every = (self.internet, self.company, self.cluster)
        questions = (Message.decode(octets).questions[0] for each in every for _, octets in each.asked)
        return sum(question.name.lower() == wanted for question in questions)


@asynccontextmanager
async def world(pki: Pki) -> AsyncIterator[World]:
    async with (
        KubeApi() as api,
        upstream(knowing(INTERNET, "example.org.")) as internet,
        upstream(knowing(COMPANY, "corp.example.")) as company,
        upstream(knowing(CLUSTER, "cluster.local.")) as cluster,
        _secured(company, pki) as secure,
    ):
        fill(api)
        ports = Upstreams(internet.port, company.port, secure, cluster.port)
        yield World(api, internet, company, cluster, ports)


@asynccontextmanager
async def _secured(of: Upstream, pki: Pki) -> AsyncIterator[int]:
    """The same over TLS; its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pki.server.cert, pki.server.key)
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                octets = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                writer.writelines(of.take(octets, "tcp", writer.get_extra_info("peername")) or ())
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)
