"""Every name of the scene, every type: the answers of CoreDNS 1.14.7, but for what docs/differences.md lists.

COREDNS=/path/to/coredns python -m pytest tests/peers
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import pytest

from dnsserver.testing.kube_api import KubeApi
from tests.peers import scene
from tests.support.process import free_port

#: Seconds. For both servers to have their first lists.
START_S = 30.0
OPTIONS = (
    "",
    "endpoint_pod_names",
    "ignore empty_service",
    "noendpoints",
    "namespaces prod missing",
    "ttl 0",
)


@dataclass(frozen=True)
class Shown:
    """A reply as compared: sections as sets, the serial left out."""

    rcode: str
    flags: str
    answer: frozenset[str]
    authority: frozenset[str]
    additional: frozenset[str]

    @classmethod
    def of(cls, reply: dns.message.Message) -> "Shown":
        sections = [
            frozenset(_lines(section)) for section in (reply.answer, reply.authority, reply.additional)
        ]
        return cls(dns.rcode.to_text(reply.rcode()), dns.flags.to_text(reply.flags), *sections)


def _lines(section: list[dns.rrset.RRset]) -> Iterator[str]:
    for rrset in section:
        for line in rrset.to_text().splitlines():
            words = line.split()
            yield " ".join([*words[:6], "SERIAL", *words[7:]]) if words[3] == "SOA" else line


def listed_difference(name: str, rtype: str, ours: Shown) -> bool:
    """Whether docs/differences.md has this name and type among the names where we depart from CoreDNS."""
    left = name.lower().split(".")
    negative = not ours.answer
    return (
        left[0] == "_"  # `_._tcp`: an empty port name
        or (left[0] in ("_tcp", "_udp") and negative)  # empty non-terminals exist
        or (rtype == "SOA" and negative)  # SOA at a name that does not exist
        or (left[0] in ("ext", "extout", "extchain", "extloop") and left[2] == "svc")  # CNAME for every type
        or (rtype == "TXT" and negative)  # NODATA at existing names
        or name in ("dns-version.cluster.local.", "ns.dns.cluster.local.", "dns.cluster.local.")
        or (
            rtype == "NS" and name in ("cluster.local.", "in-addr.arpa.", "ip6.arpa.")
        )  # own address under `bind`
        or (".pod." in name and (rtype == "SRV" or left[0] == "x"))  # port 0; names left of a pod name
        or (name.endswith(".arpa.") and negative)  # NODATA at existing names, partial names
    )


@asynccontextmanager
async def asked(
    api: KubeApi,
    command: list[str],
    options: str,
    folder: Path,
    *,
    zones: str = "cluster.local in-addr.arpa ip6.arpa",
    more: str = "",
) -> AsyncIterator[int]:
    """A server on *api*, whose block has *more*; gives its port once it has its first lists."""
    port = free_port()
    corefile = folder / f"{port}.Corefile"
    corefile.write_text(
        f".:{port} {{\n bind 127.0.0.1\n kubernetes {zones} {{\n"
        f"  endpoint {api.url}\n  {options}\n }}\n{more}\n}}\n"
    )
    with (folder / f"{port}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, "-conf", str(corefile), stdout=log, stderr=log
        )
        try:
            await asyncio.wait_for(_synced(port), START_S)
            yield port
        finally:
            process.terminate()
            await process.wait()


async def _synced(port: int) -> None:
    while True:
        try:
            if (await ask(port, "nope.cluster.local.", "A")).rcode == "NXDOMAIN":
                return
        except (OSError, dns.exception.Timeout):
            await asyncio.sleep(0.1)
        else:
            await asyncio.sleep(0.1)


async def ask(port: int, name: str, rtype: str) -> Shown:
    query = dns.message.make_query(name, rtype)
    return Shown.of(await dns.asyncquery.udp(query, "127.0.0.1", port=port, timeout=2, ignore_trailing=True))


@pytest.mark.parametrize("options", OPTIONS)
async def test_answers_are_coredns_answers(options: str, tmp_path: Path) -> None:
    coredns = [os.environ["COREDNS"]]
    ours = [sys.executable, "-m", "dnsserver"]
    differing = []
    compared = 0
    async with KubeApi() as api:
        scene.fill(api)
        async with (
            asked(api, coredns, f"pods insecure\n{options}", tmp_path) as theirs_port,
            asked(api, ours, f"pods insecure\n{options}", tmp_path) as port,
        ):
            for name in scene.names():
                for rtype in scene.TYPES:
                    theirs, own = await asyncio.gather(ask(theirs_port, name, rtype), ask(port, name, rtype))
                    compared += 1
                    if theirs != own and not listed_difference(name, rtype, own):
                        differing.append(f"{name} {rtype}\n  theirs {theirs}\n  ours   {own}")
    assert compared > 5_000
    assert not differing, "\n".join(differing[:20])
