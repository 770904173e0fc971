"""The program with the Corefiles of the distributions, asked by clients of others, beside nothing but upstreams."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

import dns.rcode
import pytest

from tests.corefiles.machine import HERE, SERVED, settle
from tests.corefiles.running import ONE, SEVERAL, Running, fetched, running
from tests.corefiles.world import World, world
from tests.runtime.helpers import data
from tests.support.kube_api.pki import Pki

Expected = tuple[str, list[str]]
Table = Mapping[tuple[str, str], Expected]
NXDOMAIN: Expected = ("NXDOMAIN", [])


def found(*records: str) -> Expected:
    return "NOERROR", list(records)


#: Of every cluster.
CLUSTER: Table = {
    ("web.default.svc.cluster.local.", "A"): found("A 10.8.0.1"),
    ("db.default.svc.cluster.local.", "A"): found("A 10.4.0.11", "A 10.4.0.12"),
    ("10-4-0-11.db.default.svc.cluster.local.", "A"): found("A 10.4.0.11"),
    ("_http._tcp.web.default.svc.cluster.local.", "SRV"): found(
        "SRV 0 100 80 web.default.svc.cluster.local."
    ),
    ("out.default.svc.cluster.local.", "A"): found("A 192.0.2.5", "CNAME host.example.org."),
    ("1.0.8.10.in-addr.arpa.", "PTR"): found("PTR web.default.svc.cluster.local."),
    ("nope.default.svc.cluster.local.", "A"): NXDOMAIN,
}
#: What a node asks the cluster's DNS.
NODE: Table = {
    ("web.default.svc.cluster.local.", "A"): found("A 10.8.0.1"),
    ("1.0.8.10.in-addr.arpa.", "PTR"): found("PTR web.default.svc.cluster.local."),
    ("nope.default.svc.cluster.local.", "A"): NXDOMAIN,
}
#: The walk through the search list, and how it ends.
WALK: Table = {
    ("two.example.org.default.svc.cluster.local.", "A"): NXDOMAIN,
    ("two.example.org.svc.cluster.local.", "A"): NXDOMAIN,
    ("two.example.org.cluster.local.", "A"): NXDOMAIN,
    ("two.example.org.", "A"): found("A 192.0.2.17", "A 192.0.2.18"),
    ("nope.example.org.", "A"): NXDOMAIN,
}
#: What only some have.
AZURE: Table = {
    ("a.internal.cloudapp.net.", "A"): found("A 192.0.2.20"),
    ("a.b.c.d.internal.cloudapp.net.", "A"): NXDOMAIN,
    ("x.reddog.microsoft.com.", "A"): NXDOMAIN,
}
K3S: Table = {
    ("node-1.", "A"): found("A 192.0.2.1"),
    ("2.2.0.192.in-addr.arpa.", "PTR"): found("PTR node-2."),
}
COMPANY: Table = {("db.corp.example.", "A"): found("A 192.0.2.8")}
SPECIAL: dict[str, Table] = {
    "aks": AZURE,
    # Reverse names go to the resolvers there.
    "aks_localdns": {**AZURE, ("1.0.8.10.in-addr.arpa.", "PTR"): NXDOMAIN},
    "aks_custom": {
        **AZURE,
        **COMPANY,
        ("example1.org.", "A"): found("A 10.0.0.1"),
        ("web.default.old.example.", "A"): found("A 10.8.0.1"),
    },
    "alibaba": {
        ("www.example.org.", "AAAA"): found(),
        ("two.example.org.default.svc.cluster.local.", "A"): found(
            "A 192.0.2.17", "A 192.0.2.18", "CNAME two.example.org."
        ),
    },
    "deployment": COMPANY,
    "k3s": K3S,
    "k3s_custom": {**K3S, ("db.stub.example.", "A"): found("A 192.0.2.8")},
    "kops_gossip": {
        ("api.internal.k8s.local.", "A"): found("A 192.0.2.11"),
        ("www.example.org.", "AAAA"): found(),  # the clients of dns64 have IPv6
    },
    "kubespray_full": {
        **COMPANY,
        ("db.internal.example.", "A"): found("A 192.0.2.8"),
        ("web.default.my.domain.", "A"): found("A 10.8.0.1"),
        ("web.default.svc.old.example.", "A"): found("A 10.8.0.1"),
        ("api.prod.external.example.", "A"): found("A 203.0.113.1"),
        ("web.default.svc.other.local.", "A"): found("A 10.8.0.1"),
        ("10-4-0-11.db.default.svc.cluster.local.", "A"): NXDOMAIN,  # `endpoint_pod_names`
        ("db-0.db.default.svc.cluster.local.", "A"): found("A 10.4.0.11"),
        # All goes to the company here.
        ("two.example.org.", "A"): NXDOMAIN,
        ("out.default.svc.cluster.local.", "A"): found("CNAME host.example.org."),
    },
    "minikube": {("host.minikube.internal.", "A"): found("A 192.168.49.1")},
    "openshift": {
        **COMPANY,
        ("db.private.example.", "A"): found("A 192.0.2.8"),
        ("db.plain.example.", "A"): found("A 192.0.2.8"),
    },
}
#: Pod names, where they are not verified.
PODS: Table = {("10-4-0-99.default.pod.cluster.local.", "A"): found("A 10.4.0.99")}


def expected(folder: str, text: str) -> Table:
    cluster = CLUSTER if "kubernetes" in text else NODE
    pods = PODS if "pods insecure" in text else {}
    return {**cluster, **pods, **WALK, **SPECIAL.get(folder, {})}


#: Those that log every query.
LOGGED = {"aks_custom", "alibaba", "minikube"}
#: Those that are served by several processes, which take longer to start.
BUSY = {"kubeadm", "aks_custom", "nodelocal", "openshift"}


async def answers(server: Running, questions: Table, *, tcp: bool) -> Table:
    replies = {}
    for name, rtype in questions:
        reply = await server.ask(name, rtype, tcp=tcp)
        replies[name, rtype] = (dns.rcode.to_text(reply.rcode()), sorted(data(reply)))
    return replies


async def probes(server: Running, text: str) -> dict[str, int]:
    """Status of each page that the Corefile has."""
    machine = server.machine
    pages = {"health": machine.health, "ready": machine.ready, "metrics": machine.metrics}
    wanted = {
        page: port for page, port in pages.items() if f"    {page.replace('metrics', 'prometheus')} " in text
    }
    return {page: (await asyncio.to_thread(fetched, port, f"/{page}"))[0] for page, port in wanted.items()}


async def is_cached(server: Running, around: World) -> bool:
    """Whether a name outside is asked of the upstreams once, however often and by whatever way it is asked here."""
    for number in range(4):
        reply = await server.ask("mail.example.org.", "MX", tcp=number % 2 > 0)
        assert reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    return around.asked("mail.example.org.") == 1


@pytest.mark.parametrize("folder", SERVED)
async def test_corefile_is_served(folder: str, tmp_path: Path, pki: Pki) -> None:
    async with world(pki) as around:
        machine = settle(tmp_path, folder, pki, around.api.url, around.ports)
        text = machine.text()
        questions = expected(folder, text)
        async with running(machine, SEVERAL if folder in BUSY else ONE) as server:
            for tcp in (False, True):
                assert await answers(server, questions, tcp=tcp) == questions
            assert await is_cached(server, around)
            assert set((await probes(server, text)).values()) <= {200}
            server.process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(server.process.wait(), 20) == 0
            assert ('"MX IN mail.example.org. udp' in server.log) is (folder in LOGGED)
            assert "a bug" not in server.log


async def test_a_changed_file_is_served_after_the_signal(tmp_path: Path, pki: Pki) -> None:
    """An AKS cluster gets a stub zone: https://learn.microsoft.com, coredns-custom."""
    async with world(pki) as around:
        machine = settle(tmp_path, "aks", pki, around.api.url, around.ports)
        async with running(machine) as server:
            assert (await server.ask("db.corp.example.")).rcode() == dns.rcode.NXDOMAIN
            more = (HERE / "aks_custom/custom/corp.server").read_text()
            more = more.replace(":53", f":{machine.dns}").replace(
                "10.1.1.1 10.1.1.2", f"127.0.0.1:{around.ports.company}"
            )
            (machine.folder / "custom").mkdir()
            (machine.folder / "custom/corp.server").write_text(more)
            server.process.send_signal(signal.SIGUSR1)
            async with asyncio.timeout(20):
                while data(await server.ask("db.corp.example.")) != ["A 192.0.2.8"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert data(await server.ask("web.default.svc.cluster.local.")) == ["A 10.8.0.1"]


async def test_failures_are_logged(tmp_path: Path, pki: Pki) -> None:
    """`errors` and `log . { class error }` of Talos."""
    async with world(pki) as around:
        machine = settle(tmp_path, "talos", pki, around.api.url, around.ports)
        async with running(machine) as server:
            for name in ("failing.example.org.", "www.example.org."):
                for _ in range(2):
                    await server.ask(name)
            server.process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(server.process.wait(), 20) == 0
            assert server.log.count('"A IN failing.example.org. udp') == 2
            assert "www.example.org" not in server.log
