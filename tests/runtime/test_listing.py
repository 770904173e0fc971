"""Names of all plugins that have some: what is listed is what is answered, each name by the plugin that answers it."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import dns.message
import dns.name
import dns.rdatatype
import pytest

from dnsserver.commands.listed import zone_file
from dnsserver.runtime.listing import ServedName, ServedNames, listed_names
from dnsserver.wire.codes import Type
from tests.runtime.helpers import PATIENCE_S, ask, server_of

MANIFESTS = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {clusterIP: 10.9.0.80, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: shadowed, namespace: default}
spec: {clusterIP: 10.9.0.81, ports: [{name: http, port: 80}]}
"""
HOSTS = """\
192.0.2.1 one.example.net both.example.net
2001:db8::1 one.example.net
192.0.2.9 *.wild.example.net shadowed.default.svc.cluster.local
192.0.2.8 elsewhere.example.com
"""
ZONE = """\
$ORIGIN example.org.
@ 300 IN SOA ns hostmaster 7 3600 600 86400 60
@ 300 IN NS ns
ns 300 IN A 192.0.2.53
www 60 IN CNAME ns
*.any 60 IN TXT "any"
sub 300 IN NS ns.sub
ns.sub 300 IN A 192.0.2.54
deep.inner 300 IN A 192.0.2.55
hidden.sub 300 IN A 192.0.2.57
alias 60 IN CNAME ns
alias 60 IN TXT "hidden"
old 60 IN DNAME inner
hidden.old 60 IN A 192.0.2.58
other.old 60 IN CNAME ns
"""
INNER = """\
$ORIGIN inner.example.org.
@ 300 IN SOA ns hostmaster 8 3600 600 86400 60
@ 300 IN NS ns
ns 300 IN A 192.0.2.56
"""
AUTO = """\
$ORIGIN auto.test.
@ 300 IN SOA ns hostmaster 9 3600 600 86400 60
@ 300 IN NS ns
ns 300 IN AAAA 2001:db8::53
"""
COREFILE = """\
.:0 {
    bind 127.0.0.1
    hosts hosts.txt example.net cluster.local in-addr.arpa {
        192.0.2.2 both.example.net inline.example.net
        fallthrough
    }
    kubernetes cluster.local in-addr.arpa {
        manifests cluster.yaml
        fallthrough in-addr.arpa
    }
    file org.zone example.org
    file inner.zone inner.example.org
    auto test {
        directory zones
    }
}
"""
SPLIT = """\
.:0 {
    bind 127.0.0.1
    hosts none.txt {
        192.0.2.1 one.cluster.local elsewhere.example.com
        fallthrough
    }
    kubernetes cluster.local {
        manifests cluster.yaml
    }
}
"""
Row = tuple[str, str, tuple[str, ...], str, str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zones").mkdir()
    for name, text in (
        ("cluster.yaml", MANIFESTS),
        ("hosts.txt", HOSTS),
        ("org.zone", ZONE),
        ("inner.zone", INNER),
        ("zones/db.auto.test", AUTO),
    ):
        (tmp_path / name).write_text(text)
    return tmp_path


def row(folder: Path, each: ServedName) -> Row:
    return each.name, each.type, each.values, each.plugin, each.place.replace(f"{folder}/", "")


EXPECTED: dict[str, set[Row]] = {
    "hosts": {
        ("one.example.net.", "A", ("192.0.2.1",), "hosts", "hosts.txt"),
        ("one.example.net.", "AAAA", ("2001:db8::1",), "hosts", "hosts.txt"),
        ("both.example.net.", "A", ("192.0.2.1", "192.0.2.2"), "hosts", "hosts.txt"),
        ("inline.example.net.", "A", ("192.0.2.2",), "hosts", "Corefile:3"),
        ("*.wild.example.net.", "A", ("192.0.2.9",), "hosts", "hosts.txt"),
        ("shadowed.default.svc.cluster.local.", "A", ("192.0.2.9",), "hosts", "hosts.txt"),
        ("1.2.0.192.in-addr.arpa.", "PTR", ("both.example.net.", "one.example.net."), "hosts", "hosts.txt"),
        (
            "2.2.0.192.in-addr.arpa.",
            "PTR",
            ("both.example.net.", "inline.example.net."),
            "hosts",
            "Corefile:3",
        ),
        ("9.2.0.192.in-addr.arpa.", "PTR", ("shadowed.default.svc.cluster.local.",), "hosts", "hosts.txt"),
    },
    "file": {
        ("ns.example.org.", "A", ("192.0.2.53",), "file", "org.zone"),
        ("www.example.org.", "CNAME", ("ns.example.org.",), "file", "org.zone"),
        ("*.any.example.org.", "TXT", ('"any"',), "file", "org.zone"),
        ("example.org.", "NS", ("ns.example.org.",), "file", "org.zone"),
        ("alias.example.org.", "CNAME", ("ns.example.org.",), "file", "org.zone"),
        ("old.example.org.", "DNAME", ("inner.example.org.",), "file", "org.zone"),
        ("sub.example.org.", "NS", ("ns.sub.example.org.",), "file", "org.zone"),
        ("ns.sub.example.org.", "A", ("192.0.2.54",), "file", "org.zone"),
        ("inner.example.org.", "NS", ("ns.inner.example.org.",), "file", "inner.zone"),
        ("ns.inner.example.org.", "A", ("192.0.2.56",), "file", "inner.zone"),
    },
    "auto": {
        ("auto.test.", "NS", ("ns.auto.test.",), "auto", "zones/db.auto.test"),
        ("ns.auto.test.", "AAAA", ("2001:db8::53",), "auto", "zones/db.auto.test"),
    },
}


@pytest.mark.parametrize("plugin", EXPECTED)
async def test_each_plugin_lists_its_names(plugin: str, folder: Path) -> None:
    async with listed_names(server_of(COREFILE, folder)) as found:
        rows = [row(folder, each) for each in found if each.plugin == plugin and each.type != "SOA"]
    if plugin == "hosts":  # IPv6 has the reverse name that its zones leave out
        rows = [each for each in rows if not each[0].endswith(".ip6.arpa.")]
    assert len(rows) == len(set(rows))
    assert set(rows) == EXPECTED[plugin]


async def test_what_is_listed_is_answered(folder: Path) -> None:
    """By a server of the same Corefile; and it lists the same itself."""
    async with listed_names(server_of(COREFILE, folder)) as found:
        offline = found.in_order()
    async with server_of(COREFILE, folder) as server:
        live = ServedNames(server).in_order()
        for each in live:
            reply = await ask(server.endpoints[0][1], each.name, each.type)
            assert answer(reply, each.name, each.type) == (each.ttl, each.values), each
    assert {each.plugin for each in live} == {"hosts", "kubernetes", "file", "auto"}
    assert told(live) == told(offline)


def answer(reply: dns.message.Message, name: str, rtype: str) -> tuple[int, tuple[str, ...]]:
    """In whatever section: a referral has its records in the last two."""
    wanted = dns.name.from_text(name), dns.rdatatype.from_text(rtype)
    sections = (reply.answer, reply.authority, reply.additional)
    rrset = next(each for section in sections for each in section if (each.name, each.rdtype) == wanted)
    return rrset.ttl, tuple(sorted(item.to_text() for item in rrset))


def told(rows: Iterable[ServedName]) -> list[tuple[str, str, tuple[str, ...]]]:
    """SOA of the cluster has the time as its serial."""
    return [(each.name, each.type, each.values) for each in rows if each.type != Type.SOA.name]


async def test_a_name_is_of_the_first_plugin_that_answers(folder: Path) -> None:
    """Also where that has nothing of the type: then nobody has."""
    async with listed_names(server_of(COREFILE, folder)) as found:
        shadowed = [(each.type, each.plugin) for each in found if each.name.startswith("shadowed.default.")]
    assert shadowed == [("A", "hosts")]
    async with server_of(COREFILE, folder) as server:
        reply = await ask(server.endpoints[0][1], "shadowed.default.svc.cluster.local", "SRV")
    assert (reply.rcode(), reply.answer) == (0, [])


async def test_a_zone_of_others_is_said_to_be_one(folder: Path) -> None:
    """Nobody is asked for it."""
    text = ".:0 {\nbind 127.0.0.1\nsecondary example.com {\ntransfer from 127.0.0.1:1\n}\n}\n"
    async with listed_names(server_of(text, folder)) as found:
        assert found.in_order() == []
        assert found.beyond == (
            "secondary example.com.: another server's names, which a running server lists once it has them.",
        )


async def test_a_zone_of_others_is_listed_once_it_is_there(folder: Path) -> None:
    primary = ".:0 {\nbind 127.0.0.1\nfile inner.zone inner.example.org\ntransfer {\nto *\n}\n}\n"
    async with server_of(primary, folder) as first:
        port = first.endpoints[0][1]
        text = f".:0 {{\nbind 127.0.0.1\nsecondary inner.example.org {{\ntransfer from 127.0.0.1:{port}\n}}\n}}\n"
        async with server_of(text, folder) as server:
            async with asyncio.timeout(PATIENCE_S):
                while ServedNames(server).beyond:  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(0.05)
            rows = ServedNames(server).in_order()
    assert {(each.name, each.type, each.plugin, each.zone) for each in rows} == {
        (name, rtype, "secondary", "inner.example.org.")
        for name, rtype in (
            ("inner.example.org.", "SOA"),
            ("inner.example.org.", "NS"),
            ("ns.inner.example.org.", "A"),
        )
    }
    assert len(list(zone_file(rows, (), "", lambda row: row.type == "A"))) == 5  # with the apex


async def test_names_of_hosts_are_in_the_zones_of_their_block(folder: Path) -> None:
    """And in no other block's."""
    other = "example.org:0 {\nbind 127.0.0.1\nfile org.zone\n}\n"
    async with listed_names(server_of(SPLIT + other, folder)) as found:
        zones = {each.name: each.zone for each in found if each.plugin == "hosts"}
    assert zones == {
        "one.cluster.local.": "cluster.local.",
        "1.2.0.192.in-addr.arpa.": ".",
        "elsewhere.example.com.": ".",
    }
