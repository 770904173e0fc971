"""dns64: AAAA records made of A records."""

import ipaddress
from collections.abc import Sequence
from dataclasses import replace

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.dns64 import setup
from dnsserver.plugins.dns64.handler import embedded
from dnsserver.plugins.dns64.settings import Dns64Settings
from dnsserver.plugins.plugin import Plugin
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Flag, Rcode, Type
from dnsserver.wire.edns import Edns
from dnsserver.wire.records import Rdata, Record, name_rdata
from tests.plugins.helpers import FakeServer, address, directive, query, refused, replying, site

OWNER = names.from_text("example.org.")
CNAME = Record(OWNER, Type.CNAME, 5, name_rdata(OWNER))
SOA = Record(OWNER, Type.SOA, 20, Rdata(b"", (names.ROOT, names.ROOT), bytes(20)))
EMPTY = Reply(authority=(SOA,), plugin="next")
FOUND = Reply(
    answer=(CNAME, address("192.0.2.1", ttl=900)),
    authoritative=True,
    recursion_available=True,
    authentic=True,
)


class Cluster(FakeServer):
    """Gives FOUND to every question for A records."""

    async def resolve(self, query: Query) -> Reply | None:
        assert query.question.rtype == Type.A
        self.asked.append(query)
        return FOUND


def dns64(text: str = "dns64", server: FakeServer | None = None) -> Plugin:
    return setup(directive(text), site(server or Cluster()))


async def made(plugin: Plugin, asked: Query, reply: Reply | None = EMPTY) -> Reply | None:
    assert plugin.wrap is not None
    assert plugin.leaves_alone is not None
    found = await plugin.wrap(replying(reply))(asked)
    if plugin.leaves_alone(asked.question):
        assert found is reply
    return found


def six(
    client: str = "2001:db8::7", rclass: int = Class.IN, edns: Edns | None = None, flags: int = Flag.RD
) -> Query:
    return query(rtype="AAAA", client=client, rclass=rclass, edns=edns, flags=flags)


async def test_addresses_are_made() -> None:
    server = Cluster()
    found = await made(dns64(server=server), six())
    aaaa = address("64:ff9b::c000:201", ttl=20)
    assert found == replace(FOUND, answer=(CNAME, aaaa), authoritative=False, authentic=False)
    assert server.asked[0].octets[-4:] == b"\0\1\0\1"


async def test_ttl_without_soa() -> None:
    found = await made(dns64(), six(), Reply())
    assert found is not None
    assert found.answer[1].ttl == 600


OWN = Reply(answer=(address("2001:db8::1"),))


@pytest.mark.parametrize(
    ("text", "asked", "reply", "translated"),
    [
        ("dns64", six(), EMPTY, True),
        ("dns64", six(), Reply(rcode=Rcode.SERVFAIL), True),
        ("dns64", six(), Reply(rcode=Rcode.NXDOMAIN), False),
        ("dns64", six(), OWN, False),
        ("dns64 {\ntranslate_all\n}", six(), OWN, True),
        ("dns64", six(client="10.0.0.1"), EMPTY, False),
        ("dns64 {\nallow_ipv4\n}", six(client="10.0.0.1"), EMPTY, True),
        ("dns64", query(rtype="A", client="::1"), EMPTY, False),
        ("dns64", six(rclass=3), EMPTY, False),
        ("dns64", six(edns=Edns(1232, do=True)), EMPTY, True),
        ("dns64", six(edns=Edns(1232, do=True), flags=Flag.RD | Flag.CD), EMPTY, False),
        ("dns64", six(), None, False),
    ],
)
async def test_when(text: str, asked: Query, reply: Reply | None, translated: bool) -> None:
    plugin = dns64(text)
    found = await made(plugin, asked, reply)
    assert (found is not reply) is translated
    assert plugin.metrics is not None
    (family,) = plugin.metrics()
    assert family.name == "coredns_dns64_requests_translated_total"
    assert family.samples == (((("dns://:0",), 1.0),) if translated else ())


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("2001:db8::/32", "2001:db8:c000:221::"),
        ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
    ],
)
def test_prefixes_of_rfc_6052(prefix: str, expected: str) -> None:
    found = embedded(ipaddress.IPv6Network(prefix), ipaddress.ip_address("192.0.2.33").packed)
    assert ipaddress.IPv6Address(found) == ipaddress.IPv6Address(expected)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("dns64", Dns64Settings()),
        ("dns64 2001:db8::/32", Dns64Settings(prefix=ipaddress.IPv6Network("2001:db8::/32"))),
        ("dns64 {\nprefix 2001:db8::1/64\n}", Dns64Settings(prefix=ipaddress.IPv6Network("2001:db8::/64"))),
        (
            "dns64 {\ntranslate_all\n}\ndns64 {\nallow_ipv4\n}",
            Dns64Settings(translate_all=True, allow_ipv4=True),
        ),
    ],
)
def test_settings(text: str, settings: Dns64Settings) -> None:
    assert Dns64Settings.from_directive(directive(text)) == settings


ERRORS: Sequence[tuple[str, str]] = [
    (
        "dns64 a b",
        "Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after 'b'",
    ),
    ("dns64 x", "invalid CIDR address: x (Corefile:2)"),
    ("dns64 ::1", "invalid CIDR address: ::1 (Corefile:2)"),
    (
        "dns64 10.0.0.0/8",
        'Corefile:2 - Error during parsing: invalid netmask 32 IPv6 address: "10.0.0.0/8"',
    ),
    *(
        (f"dns64 64::/{bits}", f'Corefile:2 - Error during parsing: invalid prefix length "64::/{bits}"')
        for bits in (24, 33, 104)
    ),
    ("dns64 {\nprefixes\n}", "Corefile:3 - Error during parsing: unknown property 'prefixes'"),
    (
        "dns64 {\nprefix\n}",
        "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after 'prefix'",
    ),
]


@pytest.mark.parametrize(("text", "error"), ERRORS)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/dns64: {error}"
