"""Names for clients outside (cluster-dns-behaviour.md, section 14.1): from values, by the fast path, and by sockets."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import dns.asyncquery
import dns.message
import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.wire.codes import ExtendedError
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ClusterObject, Feed, Namespace, Service
from tests.answers.case import Case, error, found, message_shown, nodata, nxdomain, reply_shown
from tests.answers.objects import headless, key, namespaces, ports, service, slice_of
from tests.fast.court import CREATED, Court, block, court
from tests.runtime.helpers import extended_errors, rcode

X = "example.org."


def outside(name: str, port: str, *ips: str, hosts: Sequence[str] = ()) -> Service:
    return Service(
        key(name),
        cluster_ips=("10.96.9.9",),
        ports=ports(port),
        external_ips=ips,
        external_hosts=tuple(hosts),
    )


OBJECTS: tuple[ClusterObject, ...] = (
    *namespaces("shop dns"),
    outside("shop/web", "http:80 https:443", "203.0.113.1", "203.0.113.2", "2001:db8::1"),
    outside("shop/one", "http:80", "203.0.113.1"),
    outside("shop/portless", "", "203.0.113.3"),
    outside("shop/lb", "http:80 alt:80 https:443", hosts=["lb.example.net", "other.example.net"]),
    outside("shop/both", "http:80", "203.0.113.4", hosts=["lb.example.net"]),
    outside("shop/near", "http:80", hosts=["one.shop.example.org"]),
    outside("hidden/web", "http:80", "203.0.113.5"),
    service("shop/inside", "10.96.0.10", "http:80"),
    slice_of("shop/inside", "x", "10.244.1.1=pod-a", "http:8080"),
    headless("shop/db", "pg:5432"),
    slice_of("shop/db", "x", "10.244.2.1=db-0 10.244.2.2", "pg:5432"),
    slice_of("shop/web", "x", "10.244.3.1=web-0", "http:8080"),
    outside("shop/front", "dns:53/udp", "203.0.113.53"),
    slice_of("shop/front", "x", "127.0.0.1", "dns:53/udp"),
)
KUBERNETES = ("kubernetes cluster.local {", "namespaces shop dns missing", "}")


def soa(zone: str = X, apex: str = "dns", ttl: int = 5) -> str:
    return f"{zone} {ttl} SOA ns1.{apex}.{zone} hostmaster.{apex}.{zone} {CREATED} 7200 1800 86400 {ttl}"


PLAIN = (
    found(f"web.shop.{X} A", "@ 5 A 203.0.113.1", "@ 5 A 203.0.113.2"),
    found(f"WEB.Shop.{X} AAAA", "@ 5 AAAA 2001:db8::1"),
    found(f"_http._tcp.web.shop.{X} A", "@ 5 A 203.0.113.1", "@ 5 A 203.0.113.2"),
    found(f"_http._tcp.one.shop.{X} SRV",
        f"@ 5 SRV 0 100 80 one.shop.{X}", additional=[f"one.shop.{X} 5 A 203.0.113.1"]),
    found(f"web.shop.{X} SRV",
        f"@ 5 SRV 0 16 80 web.shop.{X}",
        f"@ 5 SRV 0 16 443 web.shop.{X}",
        additional=[
            f"web.shop.{X} 5 A 203.0.113.1",
            f"web.shop.{X} 5 A 203.0.113.2",
            f"web.shop.{X} 5 AAAA 2001:db8::1",
        ],
    ),
    found(f"portless.shop.{X} A", "@ 5 A 203.0.113.3"),
    nodata(f"portless.shop.{X} SRV"),
    nodata(f"one.shop.{X} AAAA"),
    nodata(f"one.shop.{X} TXT"),
    nodata(f"_tcp.one.shop.{X} A"),
    nxdomain(f"_dns._tcp.one.shop.{X} SRV"),
    nxdomain(f"x.one.shop.{X} A"),
    nxdomain(f"web-0.web.shop.{X} A"),
    nxdomain(f"a.b.c.one.shop.{X} A"),
    nxdomain(f"inside.shop.{X} A"),
    nxdomain(f"pod-a.inside.shop.{X} A"),
    nxdomain(f"db.shop.{X} A"),
    nxdomain(f"none.shop.{X} A"),
    nodata(f"shop.{X} A"),
    nxdomain(f"missing.{X} A"),
    nxdomain(f"web.hidden.{X} A"),
    # Load balancers with a hostname.
    found(f"lb.shop.{X} CNAME", "@ 5 CNAME lb.example.net."),
    found(f"lb.shop.{X} A", "@ 5 CNAME lb.example.net."),
    found(f"_http._tcp.lb.shop.{X} SRV", "@ 5 SRV 0 100 80 lb.example.net."),
    nodata(f"_http._tcp.lb.shop.{X} A"),
    nodata(f"_tcp.lb.shop.{X} A"),
    nxdomain(f"x.lb.shop.{X} A"),
    found(f"both.shop.{X} A", "@ 5 A 203.0.113.4"),
    found(f"near.shop.{X} A", f"@ 5 CNAME one.shop.{X}", f"one.shop.{X} 5 A 203.0.113.1"),
    # The zone's own names.
    found(f"{X} SOA", soa()),
    found(f"{X} NS", f"@ 5 NS ns1.dns.{X}", additional=[f"ns1.dns.{X} 5 A 203.0.113.53"]),
    nodata(f"{X} A"),
    found(f"ns1.dns.{X} A", "@ 5 A 203.0.113.53"),
    nodata(f"ns1.dns.{X} AAAA"),
    nodata(f"dns.{X} A"),
    nxdomain(f"other.dns.{X} A"),
    nxdomain(f"x.ns1.dns.{X} A"),
    error(f"{X} AXFR", "REFUSED"),
)  # fmt: skip
OPTIONS = (
    found(f"web.shop.{X} AAAA", "@ 30 AAAA 2001:db8::1"),
    found(f"{X} NS", f"@ 30 NS ns1.a.b.{X}", additional=[f"ns1.a.b.{X} 30 A 203.0.113.53"]),
    nodata(f"b.{X} A"),
    nodata(f"a.b.{X} A"),
    nxdomain(f"c.a.b.{X} A"),
    found(f"db.shop.{X} A", "@ 30 A 10.244.2.1", "@ 30 A 10.244.2.2"),
    found(f"db-0.db.shop.{X} A", "@ 30 A 10.244.2.1"),
    found(f"_pg._tcp.db.shop.{X} SRV",
        f"@ 30 SRV 0 50 5432 db-0.db.shop.{X}",
        f"@ 30 SRV 0 50 5432 10-244-2-2.db.shop.{X}",
        additional=[f"db-0.db.shop.{X} 30 A 10.244.2.1", f"10-244-2-2.db.shop.{X} 30 A 10.244.2.2"],
    ),
    found(f"pod-a.inside.shop.{X} A", "@ 30 A 10.244.1.1"),
    nodata(f"inside.shop.{X} A"),
    nxdomain(f"web-0.web.shop.{X} A"),
    # PTR records.
    found("1.113.0.203.in-addr.arpa. PTR", f"@ 30 PTR one.shop.{X}", f"@ 30 PTR web.shop.{X}"),
    nxdomain("5.113.0.203.in-addr.arpa. PTR"),
    nxdomain("9.113.0.203.in-addr.arpa. PTR"),
    nxdomain("web.shop.113.0.203.in-addr.arpa. A"),
    nodata("1.113.0.203.in-addr.arpa. A"),
)  # fmt: skip


@asynccontextmanager
async def served(name: str) -> AsyncIterator[Court]:
    lines = () if name == "plain" else ("apex A.b", "ttl 30", "headless")
    zones = X if name == "plain" else f"203.0.113.0/24 {X}"
    text = block(".", *KUBERNETES, f"k8s_external {zones} {{", *lines, "}", "loadbalance")
    async with court(text, OBJECTS) as found_court:
        yield found_court


@pytest.mark.parametrize("name", ["plain", "options"])
async def test_answers(name: str) -> None:
    async with served(name) as judge:
        for case in PLAIN if name == "plain" else OPTIONS:
            zone = X if case.name.lower().endswith(X) else "113.0.203.in-addr.arpa."
            own = case.name[-len(zone) :]
            line = soa(own) if name == "plain" else soa(own, "a.b", 30)
            await check(judge, case, line)
        assert judge.fast > 2 * len(PLAIN if name == "plain" else OPTIONS) - 12


async def check(judge: Court, case: Case, line: str) -> None:
    """By the chain, by the fast path (which the court compares with it), and by sockets."""
    asked = dns.message.make_query(case.name, case.rtype, id=4711)
    query = read_query(asked.to_wire(), judge.arrival())
    assert isinstance(query, Query)
    reply = await judge.dispatcher.resolve(query)
    assert reply is not None
    expected = case.shown(line)
    if expected.aa:
        assert (reply.plugin, reply.live) == ("k8s_external", True), case
    assert reply_shown(reply) == expected, case
    await judge.twice(asked.to_wire())
    (host, port), *_ = judge.server.endpoints
    for ask in (dns.asyncquery.udp, dns.asyncquery.tcp):
        sent = await ask(asked, host, 10, port, one_rr_per_rrset=True)
        assert message_shown(sent) == expected, case


async def test_changes_show_at_once() -> None:
    async with served("plain") as judge:
        octets = dns.message.make_query(f"one.shop.{X}", "A").to_wire()
        before = await judge.twice(octets)
        judge.clusters.put(outside("shop/one", "http:80", "203.0.113.99"), CREATED + 1)
        after = await judge.twice(octets)
        assert before is not None
        assert after is not None
        assert bytes((203, 0, 113, 99)) in after
        assert bytes((203, 0, 113, 1)) not in after
        judge.clusters.drop(Namespace("shop"), CREATED + 2)
        gone = await judge.twice(octets)
        assert gone is not None
        assert gone[3] & 15 == 3


async def test_the_cluster_names_stay_fast() -> None:
    async with served("plain") as judge:
        octets = dns.message.make_query("inside.shop.svc.cluster.local.", "A").to_wire()
        assert await judge.twice(octets) is not None


@pytest.mark.parametrize(
    ("line", "passes"),
    [("fallthrough", True), ("fallthrough shop.example.org", True), ("fallthrough other.example.org", False)],
)
async def test_fallthrough(line: str, passes: bool) -> None:
    text = block(".", *KUBERNETES, f"k8s_external {X} {{", line, "}", "whoami")
    async with court(text, OBJECTS) as judge:
        (host, port), *_ = judge.server.endpoints
        missing = await dns.asyncquery.udp(dns.message.make_query(f"none.shop.{X}", "A"), host, 10, port)
        assert rcode(missing) == ("NOERROR" if passes else "NXDOMAIN")
        own = await dns.asyncquery.udp(dns.message.make_query(f"x.dns.{X}", "A"), host, 10, port)
        assert rcode(own) == "NXDOMAIN"
        there = await dns.asyncquery.udp(dns.message.make_query(f"one.shop.{X}", "TXT"), host, 10, port)
        assert rcode(there) == "NOERROR"
        assert there.authority


async def test_a_name_is_not_denied_before_the_cluster_is_known() -> None:
    text = block(".", *KUBERNETES, f"k8s_external {X}")
    async with court(text, OBJECTS) as judge:
        (state,) = judge.clusters.states
        lose_a_list(state)
        (host, port), *_ = judge.server.endpoints
        query = dns.message.make_query(f"none.shop.{X}", "A", use_edns=0)
        reply = await dns.asyncquery.udp(query, host, 10, port)
        assert rcode(reply) == "SERVFAIL"
        assert [code for code, _ in extended_errors(reply)] == [ExtendedError.NOT_READY]
        there = await dns.asyncquery.udp(replaced(query, f"one.shop.{X}"), host, 10, port)
        assert rcode(there) == "NOERROR"


def lose_a_list(state: ClusterState) -> None:
    """As it was before the first full list of slices."""
    standing = state.standing
    state._adopt(replace(standing, synced=standing.synced - {Feed.ENDPOINT_SLICES}))


def replaced(query: dns.message.Message, name: str) -> dns.message.Message:
    return dns.message.make_query(name, "A", use_edns=0, id=query.id)


async def test_transfer() -> None:
    """Each record that a zone answers with, and the SOA record around them."""
    lines = ("transfer {", "to *", "}", *KUBERNETES, f"k8s_external {X} 203.0.113.0/24 {{", "headless", "}")
    async with court(block(".", *lines), OBJECTS) as judge:
        (host, port), *_ = judge.server.endpoints
        got = {}
        for zone in (X, "113.0.203.in-addr.arpa."):
            whole: list[str] = []
            query = dns.message.make_query(zone, "AXFR")
            for message in (await dns.asyncquery.tcp(query, host, 10, port, one_rr_per_rrset=True),):
                whole += message_shown(message).answer
            got[zone] = set(whole)
            assert whole.count(soa_line(zone)) == 2
        assert {
            f"{X} 5 IN NS ns1.dns.{X}",
            f"ns1.dns.{X} 5 IN A 203.0.113.53",
            f"web.shop.{X} 5 IN A 203.0.113.1",
            f"_http._tcp.one.shop.{X} 5 IN SRV 0 100 80 one.shop.{X}",
            f"lb.shop.{X} 5 IN CNAME lb.example.net.",
            f"db-0.db.shop.{X} 5 IN A 10.244.2.1",
        } <= got[X]
        assert not any("hidden" in line for line in got[X])
        assert f"1.113.0.203.in-addr.arpa. 5 IN PTR one.shop.{X}" in got["113.0.203.in-addr.arpa."]


def soa_line(zone: str) -> str:
    return f"{zone} 5 IN SOA {soa(zone).split(' SOA ')[1]}"
