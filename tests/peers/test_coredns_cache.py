"""Cached replies: what CoreDNS 1.14.7 keeps, with which TTLs and flags, but for what docs/differences.md lists."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import pytest

from dnsserver.answering.reply import Reply
from dnsserver.wire import names
from dnsserver.wire.codes import Flag
from dnsserver.wire.message import Message
from tests.plugins.cache.stage import SOA, reply
from tests.support.process import free_port
from tests.support.upstream import Upstream, reply_to, sent, upstream

#: Seconds. For a server to start.
START_S = 30.0
#: Seconds. What two replies of one moment may differ in by TTL.
TICK_S = 1
NS = "test. 600 IN NS ns.test."
GLUE = "ns.test. 9 IN A 192.0.2.53"

#: First label to what the upstream says.
SAYS: dict[str, Reply] = {
    "plain": reply("plain.test. 300 IN A 192.0.2.1"),
    "zero": reply("zero.test. 0 IN A 192.0.2.1"),
    "long": reply("long.test. 99999 IN A 192.0.2.1"),
    "owned": reply("owned.test. 300 IN A 192.0.2.1", flags="AA"),
    "sure": reply("sure.test. 300 IN A 192.0.2.1", flags="AD RA"),
    "helped": reply("helped.test. 300 IN A 192.0.2.1", authority=[NS], additional=[GLUE]),
    "chain": reply("chain.test. 300 IN CNAME b.test.", "b.test. 20 IN A 192.0.2.1"),
    "alias": reply("alias.test. 300 IN CNAME b.test."),
    "ends": reply("ends.test. 300 IN CNAME b.test.", authority=[SOA]),
    "loop": reply("loop.test. 300 IN CNAME b.test.", "b.test. 300 IN CNAME loop.test."),
    "other": reply("else.test. 300 IN A 192.0.2.1"),
    "nodata": reply(authority=[SOA]),
    "none": reply(rcode="NXDOMAIN", authority=[SOA]),
    "bare": reply(rcode="NXDOMAIN"),
    "mixed": reply("mixed.test. 300 IN CNAME b.test.", rcode="NXDOMAIN", authority=[SOA]),
    "failed": reply(rcode="SERVFAIL"),
    "notimp": reply(rcode="NOTIMP"),
    "refused": reply(rcode="REFUSED", authority=[NS]),
    "empty": reply(),
    "referred": reply(authority=[NS], additional=[GLUE]),
    "cut": reply("cut.test. 300 IN A 192.0.2.1", flags="TC"),
}
OPTIONS = (
    "",
    "success 1024 7 1\ndenial 1024 8 1",
    "success 1024 100 50\ndenial 1024 100 90",
    "keepttl",
    "servfail 0",
    "disable success",
    "disable denial test",
    "serve_stale 1h verify",
)


def script(octets: bytes, by: str) -> Sequence[bytes]:
    label = names.labels(Message.decode(octets).questions[0].name.lower())[0].decode()
    says = SAYS.get(label, reply(rcode="NXDOMAIN", authority=[SOA]))
    flags = Message.decode(octets).header.flags & Flag.RD
    for flag, state in (
        (Flag.AA, says.authoritative),
        (Flag.RA, says.recursion_available),
        (Flag.AD, says.authentic),
        (Flag.TC, says.truncated),
    ):
        flags |= flag if state else 0
    message = reply_to(
        octets,
        says.answer,
        authority=says.authority,
        additional=says.additional,
        rcode=says.rcode,
        flags=flags,
    )
    return sent(message, by)


@asynccontextmanager
async def asked(command: list[str], to: int, options: str, folder: Path) -> AsyncIterator[int]:
    """A server with `cache` and the upstream at port *to*; its port once it answers."""
    port = free_port()
    corefile = folder / f"{port}.Corefile"
    corefile.write_text(
        f".:{port} {{\nbind 127.0.0.1\ncache {{\n{options}\n}}\nforward . 127.0.0.1:{to}\n}}\n"
    )
    with (folder / f"{port}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, "-conf", str(corefile), stdout=log, stderr=log
        )
        try:
            async with asyncio.timeout(START_S):
                while not await _is_up(port):  # noqa: ASYNC110 - nothing tells when it is
                    await asyncio.sleep(0.1)
            yield port
        finally:
            process.terminate()
            await process.wait()


async def _is_up(port: int) -> bool:
    try:
        await asked_for(port, "start.test.", flags=0)
    except (OSError, dns.exception.Timeout):
        return False
    return True


async def asked_for(port: int, name: str, flags: int) -> dns.message.Message:
    query = dns.message.make_query(name, "A")
    query.flags |= flags
    return await dns.asyncquery.udp(query, "127.0.0.1", port=port, timeout=2)


def shown(found: dns.message.Message) -> tuple[str, str, frozenset[str], list[int]]:
    """RCODE, flags, records without TTL in any order, TTLs."""
    rrsets = [rrset for section in (found.answer, found.authority, found.additional) for rrset in section]
    records = {f"{rrset.name} {rrset.rdtype} {item}".lower() for rrset in rrsets for item in rrset}
    ttls = sorted({rrset.ttl for rrset in rrsets})
    return dns.rcode.to_text(found.rcode()), dns.flags.to_text(found.flags), frozenset(records), ttls


def alike(ours: list[int], theirs: list[int]) -> bool:
    return len(ours) == len(theirs) and all(
        abs(own - other) <= TICK_S for own, other in zip(ours, theirs, strict=True)
    )


def questions(served: Upstream) -> Counter[bytes]:
    """How often each name was asked for."""
    return Counter(Message.decode(octets).questions[0].name.lower() for _, octets in served.asked)


@pytest.mark.parametrize("options", OPTIONS)
async def test_cached_replies_are_coredns_replies(options: str, tmp_path: Path) -> None:
    """Each name is asked for four times, one of them with AD, and the upstream hears as often of it."""
    differing = []
    async with (
        upstream(script) as of_theirs,
        upstream(script) as of_ours,
        asked([os.environ["COREDNS"]], of_theirs.port, options, tmp_path) as theirs_port,
        asked([sys.executable, "-m", "dnsserver", "--workers", "0"], of_ours.port, options, tmp_path) as port,
    ):
        of_theirs.asked.clear()
        of_ours.asked.clear()
        for label in SAYS:
            for flags in (0, dns.flags.AD, 0, 0):
                theirs = shown(await asked_for(theirs_port, f"{label}.test.", flags))
                ours = shown(await asked_for(port, f"{label}.test.", flags))
                if ours[:3] != theirs[:3] or not alike(ours[3], theirs[3]):
                    differing.append(f"{label}\n  theirs {theirs}\n  ours   {ours}")
        assert questions(of_ours) == questions(of_theirs)
    assert not differing, "\n".join(differing)
