"""The same causes when a whole server is asked; and what `explain` says is always what that server answers."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
import yaml

from dnsserver.runtime.explaining import AskedError, Asking, Explainer
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.standalone import MemoryManifests, given, standalone_text
from dnsserver.sources.manifests import Documents, ManifestSettings
from tests.explaining.situation import CLUSTER
from tests.explaining.test_causes import CASES

WORLDS = 12


@asynccontextmanager
async def running(manifests: Path | Documents, *options: str) -> AsyncIterator[ClusterDnsServer]:
    """A server with sockets."""
    source = MemoryManifests(ManifestSettings.of(manifests)).factory
    async with ClusterDnsServer(
        given(standalone_text(options=options)).read(), Path(), source=source
    ) as server:
        yield server


async def answered(server: ClusterDnsServer, name: str, rtype: str) -> tuple[str, bool]:
    """RCODE, and whether there are records of the type."""
    host, port = server.endpoints[0]
    query = dns.message.make_query(name, rtype, use_edns=0, payload=4096)
    reply = await dns.asyncquery.udp(query, host, timeout=10, port=port)
    wanted = dns.rdatatype.from_text(rtype)
    return dns.rcode.to_text(reply.rcode()), any(rrset.rdtype == wanted for rrset in reply.answer)


def whole(text: str) -> tuple[str, str]:
    name, rtype = text.split()
    return (name if name.endswith(".") else f"{name}.cluster.local."), rtype


async def test_causes_by_a_running_server() -> None:
    wrong = {}
    async with running(CLUSTER, "pods disabled") as server:
        explainer = Explainer(server)
        for case, cause in CASES.items():
            name, rtype = whole(case)
            found = await explainer.explain(Asking(name, rtype))
            first = found.causes[0]
            shown = f"{first.code}: {', '.join(map(str, first.objects))}".rstrip(": ")
            if shown != cause or (found.verdict.rcode, found.verdict.data) != await answered(
                server, name, rtype
            ):
                wrong[case] = shown, found.verdict
    assert wrong == {}


def mutated(seed: int) -> list[Mapping[str, Any]]:
    """The cluster with objects missing, and parts of others gone or changed."""
    rng = random.Random(seed)
    documents = [each for each in yaml.safe_load_all(CLUSTER.read_text()) if rng.random() > 0.2]
    for document in documents:
        for part in ("spec", "status", "metadata", "endpoints"):
            value = document.get(part)
            if isinstance(value, dict) and rng.random() < 0.4:
                for key in [key for key in value if key in MUTABLE and rng.random() < 0.5]:
                    _mutate(value, key, rng)
    return documents


MUTABLE = (
    "selector",
    "clusterIP",
    "ports",
    "replicas",
    "serviceName",
    "labels",
    "conditions",
    "phase",
    "externalName",
)


def _mutate(value: dict[str, Any], key: str, rng: random.Random) -> None:
    if key == "selector" and isinstance(value[key], dict) and "matchLabels" in value[key]:
        return
    if key in ("replicas",):
        value[key] = rng.choice((0, 1, 3))
    elif key == "clusterIP" or rng.random() < 0.5:
        value.pop(key)
    elif key == "serviceName":
        value[key] = rng.choice(("db", "queue", "nothing"))
    elif key == "phase":
        value[key] = rng.choice(("Pending", "Running", "Succeeded", "Failed"))


NAMES = (
    *CASES,
    "web.default.svc SRV",
    "queue-0.queue.data.svc A",
    "_sql._tcp.db.data.svc SRV",
    "dns-version TXT",
)


@pytest.mark.parametrize("seed", range(WORLDS))
async def test_verdicts_are_the_servers_answers(seed: int) -> None:
    """In clusters with random mistakes. Each explanation has a cause or a rule, and never both."""
    async with running(mutated(seed), "pods verified") as server:
        explainer = Explainer(server)
        for text in NAMES:
            name, rtype = whole(text)
            found = await explainer.explain(Asking(name, rtype))
            assert (found.verdict.rcode, found.verdict.data) == await answered(server, name, rtype), text
            assert bool(found.causes) != found.resolves, text
            assert not found.resolves or found.rule is not None, text
            assert "unexplained" not in {cause.code for cause in found.causes}, text
            assert "not-arrived-yet" not in {cause.code for cause in found.causes}, text


async def test_search_list_of_a_pod() -> None:
    """As a pod asks: the first name with an answer, and all that were asked for before it."""
    async with running(CLUSTER) as server:
        explainer = Explainer(server)
        found = await explainer.explain(Asking("db.data", "A", "default/slow-1"))
        assert found.resolves
        assert found.name == "db.data.svc.cluster.local."
        assert [each.name for each in found.attempts] == [
            "db.data.default.svc.cluster.local.",
            "db.data.svc.cluster.local.",
        ]
        assert found.client == "10.244.0.9"
        by_address = await explainer.explain(Asking("db.data", "A", "10.244.0.9"))
        assert by_address.attempts == found.attempts
        failed = await explainer.explain(Asking("typo", "A", "default/slow-1"))
        assert failed.causes[0].code == "selector-matches-nothing"
        assert len(failed.attempts) == 4


@pytest.mark.parametrize("rtype", ["A", "PTR"])
async def test_address(rtype: str) -> None:
    """Is asked for as `dig -x` does, by pods too: no search list."""
    async with running(CLUSTER) as server:
        for client in ("", "default/slow-1"):
            found = await Explainer(server).explain(Asking("10.244.0.9", rtype, client))
            assert (found.name, found.rtype) == ("9.0.244.10.in-addr.arpa.", "PTR")
            assert found.attempts == ()
        v6 = await Explainer(server).explain(Asking("fd00::1", rtype))
        assert v6.name.endswith(".0.0.d.f.ip6.arpa.")


@pytest.mark.parametrize(
    ("asking", "text"),
    [
        (Asking("a..b"), "empty label"),
        (Asking(""), "there is no name: write . for the root"),
        (Asking("10.244.0.9", "MX"), "has PTR records"),
        (Asking("a", "NOPE"), "no type"),
        (Asking("a", "A", "nowhere"), "neither an IP address nor NAMESPACE/POD"),
        (Asking("a", "A", "default/nobody"), "there is no pod default/nobody"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_cannot_be_explained(asking: Asking, text: str) -> None:
    async with running(CLUSTER) as server:
        with pytest.raises(AskedError, match=text):
            await Explainer(server).explain(asking)
