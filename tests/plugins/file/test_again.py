"""Replies of zones that are given again without the chain: the same, and until the zone changes."""

from pathlib import Path

import dns.asyncquery
import dns.message
import pytest

from dnsserver.config import parse
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.surroundings import Surroundings
from tests.runtime.helpers import PATIENCE_S, eventually

ZONE = """$TTL 300
@ SOA ns host {serial} 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.{serial}
www A 192.0.2.200
alias CNAME www
out CNAME www.elsewhere.test.
sub NS ns.sub
ns.sub A 192.0.2.4
*.wild TXT x
"""
QUESTIONS = (
    "www A",
    "wWw A",
    "www TXT",
    "nope A",
    "alias A",
    "out A",
    "a.sub A",
    "x.wild TXT",
    "X.wild TXT",
    "@ NS",
    "@ SOA",
    "@ ANY",
)


def server(folder: Path, front: str = "", judged: float = 0.0) -> ClusterDnsServer:
    text = f".:0 {{\n bind 127.0.0.1\n {front}\n file db example.org {{\n reload 50ms\n }}\n}}\n"
    corefile = parse(text, file="Corefile", directory=folder, directives=ORDER, environ={})
    return ClusterDnsServer(corefile, folder, surroundings=Surroundings(judged=judged))


async def ask(port: int, question: str, *, do: bool = False, tcp: bool = False) -> str:
    name, rtype = question.split()
    owner = "example.org." if name == "@" else f"{name}.example.org."
    query = dns.message.make_query(owner, rtype, use_edns=0, want_dnssec=do, payload=1232)
    query.id = 7
    exchange = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return (await exchange(query, "127.0.0.1", port=port, timeout=PATIENCE_S)).to_text()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_the_second_reply_is_the_first(tcp: bool, tmp_path: Path) -> None:
    """`log` wants to see every query: behind it every reply comes by the chain."""
    (tmp_path / "db").write_text(ZONE.format(serial=1))
    async with (
        server(tmp_path) as quick,
        server(tmp_path, "log") as plain,
        server(tmp_path, judged=1.0) as judged,
    ):
        ports = [each.endpoints[0][1] for each in (plain, quick, quick, judged, judged)]
        for question in QUESTIONS:
            for do in (False, True):
                replies = {await ask(port, question, do=do, tcp=tcp) for port in ports}
                assert len(replies) == 1, "\n".join(replies)
        assert judged.measured().queries.misjudged == 0


async def test_a_change_ends_it(tmp_path: Path) -> None:
    (tmp_path / "db").write_text(ZONE.format(serial=1))
    async with server(tmp_path) as quick:
        port = quick.endpoints[0][1]
        for _ in range(3):
            assert "192.0.2.1\n" in await ask(port, "www A")
        (tmp_path / "db").write_text(ZONE.format(serial=2))

        async def changed() -> bool:
            return "192.0.2.2\n" in await ask(port, "www A")

        await eventually(changed, True)
        assert " 2 3600 " in await ask(port, "nope A")
