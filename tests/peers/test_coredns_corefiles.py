"""The distributions' Corefiles: what CoreDNS 1.14.7 answers and exports with them, but for what docs/differences.md
lists.

COREDNS=/path/to/coredns python -m pytest tests/peers
"""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.corefiles import questions
from tests.corefiles.machine import SERVED, settle
from tests.corefiles.running import SEVERAL, Running, fetched, running
from tests.corefiles.world import world
from tests.support.kube_api.pki import Pki, make_pki

#: Seconds. What two replies of one moment may differ in by TTL.
TICK_S = 1
#: `force_tcp`: the upstream of the test closes connections, which CoreDNS takes for a failure now and then.
BY_TCP = {"aks_localdns", "nodelocal", "kubespray_nodelocal", "k3s_custom", "openshift"}
#: Labels whose values have to be those of CoreDNS.
LABELS = ("proxy_name", "server", "zone", "zones", "view", "type", "proto", "family", "name", "rcode")
#: Samples that we do not export, or with other labels (docs/differences.md). The upstream of the test closes TCP
#: connections, which is seen here before one is taken for a hit.
LISTED = re.compile(
    r"go_|process_|coredns_build_info|coredns_dns_responses_total|coredns_kubernetes_rest_client_"
    r"|coredns_local_|coredns_hosts_|coredns_proxy_conn_cache_hits_total"
)


@dataclass(frozen=True)
class Shown:
    """A reply as compared: names in lower case, the serial left out, sections as sets, TTLs apart."""

    rcode: str
    flags: str
    records: tuple[frozenset[str], ...]
    ttls: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, reply: dns.message.Message) -> "Shown":
        sections = (reply.answer, reply.authority, reply.additional)
        return cls(
            dns.rcode.to_text(reply.rcode()),
            dns.flags.to_text(reply.flags),
            tuple(frozenset(_records(section)) for section in sections),
            tuple(tuple(sorted({rrset.ttl for rrset in section})) for section in sections),
        )

    def is_like(self, other: "Shown") -> bool:
        """Replies of the cluster are never old here; CoreDNS caches them."""
        live = "RA" not in self.flags
        return (self.rcode, self.flags, self.records) == (other.rcode, other.flags, other.records) and all(
            len(own) == len(theirs)
            and all(abs(a - b) <= TICK_S or (live and a > b) for a, b in zip(own, theirs, strict=True))
            for own, theirs in zip(self.ttls, other.ttls, strict=True)
        )


def _records(section: list[dns.rrset.RRset]) -> Iterator[str]:
    for rrset in section:
        for line in rrset.to_text().lower().splitlines():
            owner, _, rclass, rtype, *rdata = line.split()
            if rtype == "soa":
                rdata[2] = "SERIAL"
            if owner.startswith(("_udp.health-check.", "_tcp.health-check.")):
                rdata[2] = "PORT"  # whoami: the client's
            yield " ".join((owner, rclass, rtype, *rdata))


async def shown(server: Running, name: str, rtype: str, *, tcp: bool) -> Shown | None:
    """None: no reply."""
    try:
        return Shown.of(await server.ask(name, rtype, tcp=tcp))
    except (dns.exception.Timeout, EOFError):
        return None


def listed(folder: str, name: str, rtype: str, ours: Shown, theirs: Shown | None) -> bool:
    """Whether docs/differences.md has it."""
    if theirs is None:
        return True  # a reply is owed
    exists = (ours.rcode, theirs.rcode) == ("NOERROR", "NXDOMAIN") and not ours.records[0]
    return (
        exists  # NODATA at names that exist
        or name.startswith(("out.default.svc.", "alias.default.svc.", "dns-version."))
        or (theirs.rcode == "SERVFAIL" and folder in BY_TCP)
        or (".pod." in name and rtype == "SRV")
        or (
            folder == "alibaba" and name == "default.svc.cluster.local."
        )  # the first element of the search list
    )


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("folder", SERVED)
async def test_coredns_says_the_same(folder: str, tmp_path: Path, pki: Pki) -> None:
    async with AsyncExitStack() as stack:
        servers = []
        for who, command in (("ours", SEVERAL), ("theirs", (os.environ["COREDNS"],))):
            around = await stack.enter_async_context(world(pki))
            machine = settle(tmp_path / who, folder, pki, around.api.url, around.ports)
            servers.append(await stack.enter_async_context(running(machine, command)))
        ours, theirs = servers
        assert not await differing(folder, ours, theirs)
        missing = await exported(theirs) - await exported(ours)
        assert not missing, "\n".join(map(str, sorted(missing)))


async def differing(folder: str, ours: Running, theirs: Running) -> str:
    """A by UDP, by TCP, then every other type at the same time."""
    others = tuple(rtype for rtype in questions.TYPES if rtype != "A")
    found, compared = [], 0
    for name in questions.names():
        for rtypes, tcp in ((("A",), False), (("A",), True), (others, False)):
            asked = (shown(server, name, rtype, tcp=tcp) for server in (ours, theirs) for rtype in rtypes)
            replies = await asyncio.gather(*asked)
            for rtype, own, other in zip(rtypes, replies, replies[len(rtypes) :], strict=False):
                compared += 1
                same = own is not None and other is not None and own.is_like(other)
                if own is None or not (same or listed(folder, name, rtype, own, other)):
                    found.append(f"{name} {rtype} tcp={tcp}\n  ours   {own}\n  theirs {other}")
    assert compared > 500
    return "\n".join(found[:20])


Sample = tuple[str, tuple[tuple[str, str], ...]]


async def exported(server: Running) -> set[Sample]:
    """The samples with those labels that can be compared; ports taken away."""
    if "prometheus" not in server.machine.text():
        return set()
    _, text = await asyncio.to_thread(fetched, server.machine.metrics, "/metrics")
    found = set()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            own = sample.labels.get("type") == "other"  # the questions of `loop`
            if (
                not own
                and not LISTED.match(sample.name)
                and not sample.name.endswith(("_bucket", "_created"))
            ):
                labels = {key: value for key, value in sample.labels.items() if key in LABELS}
                if "to" in sample.labels:
                    labels["to"] = "upstream"
                if "server" in labels:
                    labels["server"] = labels["server"].replace(f":{server.machine.dns}", ":53")
                found.add((sample.name, tuple(sorted(labels.items()))))
    return found
