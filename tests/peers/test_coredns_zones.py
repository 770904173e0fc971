"""Random zones: plugin `file` answers as CoreDNS's, but for what docs/differences.md lists.

COREDNS=/path/to/coredns python -m pytest tests/peers/test_coredns_zones.py
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest

from tests.runtime.helpers import server_of
from tests.support.process import free_port

#: Seconds. For CoreDNS to start.
START_S = 30.0
ORIGIN = "example.org."
SEEDS = range(12)
LABELS = ("a", "b", "c", "*")
TYPES = ("A", "TXT", "CNAME", "NS", "SOA", "DS", "MX", "SRV", "AAAA")
QUESTIONS_PER_ZONE = 150

Shown = tuple[str, bool, frozenset[str], frozenset[str], frozenset[str]]


def random_name(rng: random.Random, labels: tuple[str, ...] = LABELS) -> str:
    parts = [rng.choice(labels) for _ in range(rng.randint(1, 4))]
    return ".".join([*parts, ORIGIN])


def random_zone(rng: random.Random) -> str:
    """A zone in which every name has one kind of data, as a CNAME or DNAME stands alone."""
    lines = ["$TTL 300", f"{ORIGIN} SOA ns.{ORIGIN} host.{ORIGIN} 1 7200 3600 1209600 300"]
    lines += [f"{ORIGIN} NS ns.{ORIGIN}", f"{ORIGIN} NS ns2.elsewhere.", f"ns.{ORIGIN} A 192.0.2.53"]
    for owner in sorted({random_name(rng) for _ in range(rng.randint(2, 14))}):
        match rng.choice(("address", "address", "address", "text", "alias", "mail", "cut", "dname")):
            case "address":
                lines += [f"{owner} A 192.0.2.{rng.randint(1, 250)}" for _ in range(rng.randint(1, 2))]
            case "text":
                lines.append(f'{owner} TXT "{rng.randint(0, 99)}"')
            case "alias":
                lines.append(f"{owner} CNAME {random_name(rng)}")
            case "mail":
                lines += [f"{owner} MX 10 {random_name(rng)}", f"{owner} SRV 1 2 3 {random_name(rng)}"]
            case "cut" if not owner.startswith("*"):
                lines += [f"{owner} NS ns.{owner}", f"ns.{owner} A 192.0.2.99"]
            case "dname" if not owner.startswith("*"):
                lines.append(f"{owner} DNAME {random_name(rng)}")
    return "\n".join(lines) + "\n"


def shown(reply: dns.message.Message) -> Shown:
    answer, authority, additional = (
        frozenset(_lines(section)) for section in (reply.answer, reply.authority, reply.additional)
    )
    return dns.rcode.to_text(reply.rcode()), bool(reply.flags & 0x0400), answer, authority, additional


def _lines(section: list[dns.rrset.RRset]) -> Iterator[str]:
    for rrset in section:
        yield from rrset.to_text().lower().splitlines()


def listed_difference(zone: str, name: str, theirs: Shown, ours: Shown) -> bool:
    """Whether docs/differences.md has it."""
    owners = {line.split()[0] for line in zone.splitlines()[1:]}
    empty = name not in owners and any(owner.endswith("." + name) for owner in owners)
    # A chain's end is the zone's own, where CoreDNS asks itself or leaves it open.
    alias = any(" cname " in line or " dname " in line for line in ours[2] | theirs[2])
    # An empty name exists: no wildcard stands in for it.
    return alias or (empty and bool(theirs[2]))


@asynccontextmanager
async def coredns(folder: Path, zone: str) -> AsyncIterator[int]:
    port = free_port()
    (folder / "db").write_text(zone)
    corefile = folder / "Corefile"
    corefile.write_text(f"{ORIGIN}:{port} {{\n bind 127.0.0.1\n file {folder / 'db'}\n}}\n")
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            os.environ["COREDNS"], "-conf", str(corefile), stdout=log, stderr=log
        )
    try:
        await asyncio.wait_for(_answering(port), START_S)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answering(port: int) -> None:
    while True:
        try:
            await ask(port, ORIGIN, "SOA")
        except (OSError, dns.exception.Timeout):
            await asyncio.sleep(0.05)
        else:
            return


async def ask(port: int, name: str, rtype: str) -> Shown:
    query = dns.message.make_query(name, rtype)
    return shown(await dns.asyncquery.udp(query, "127.0.0.1", port=port, timeout=2, ignore_trailing=True))


@pytest.mark.parametrize("seed", SEEDS)
async def test_answers_are_coredns_answers(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    zone = random_zone(rng)
    differing = []
    async with coredns(tmp_path, zone) as theirs_port:
        text = f"{ORIGIN}:0 {{\n bind 127.0.0.1\n file {tmp_path / 'db'}\n}}\n"
        async with server_of(text, tmp_path) as server:
            port = server.endpoints[0][1]
            for _ in range(QUESTIONS_PER_ZONE):
                name, rtype = random_name(rng, (*LABELS[:3], "d", "*")), rng.choice(TYPES)
                theirs, own = await asyncio.gather(ask(theirs_port, name, rtype), ask(port, name, rtype))
                if theirs != own and not listed_difference(zone, name, theirs, own):
                    differing.append(f"{name} {rtype}\n  theirs {theirs}\n  ours   {own}")
    assert not differing, zone + "\n" + "\n".join(differing[:20])
