"""What needs no chain under the distributions' Corefiles: names of the cluster, and cached names outside."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from dnsserver.config import parse
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.wire.codes import Type
from dnsserver.zone.objects import ClusterObject
from tests.answering.packets import RD, message
from tests.answers.objects import headless, namespaces, service, slice_of
from tests.corefiles.machine import ENVIRONMENT, LOOPBACK, SERVED, settle
from tests.corefiles.world import world
from tests.fast.court import CREATED, Clusters
from tests.fast.test_blocks import asked
from tests.runtime.helpers import ask
from tests.support.kube_api.pki import Pki

OBJECTS: tuple[ClusterObject, ...] = (
    *namespaces("default"),
    service("default/web", "10.8.0.1", "http:80"),
    headless("default/db", "http:80"),
    slice_of("default/db", "x", "10.4.0.11 10.4.0.12", "http:80"),
)
Asked = tuple[str, Type]
#: With the walk of a name outside through the search list.
CLUSTER: tuple[Asked, ...] = (
    ("web.default.svc.cluster.local.", Type.A),
    ("web.default.svc.cluster.local.", Type.AAAA),
    ("_http._tcp.web.default.svc.cluster.local.", Type.SRV),
    ("db.default.svc.cluster.local.", Type.A),
    ("nope.default.svc.cluster.local.", Type.A),
    ("www.example.org.default.svc.cluster.local.", Type.A),
    ("www.example.org.svc.cluster.local.", Type.AAAA),
    ("www.example.org.cluster.local.", Type.A),
    ("1.0.8.10.in-addr.arpa.", Type.PTR),
    ("10-4-0-99.default.pod.cluster.local.", Type.A),
)
OUTSIDE: tuple[Asked, ...] = (
    ("www.example.org.", Type.A),
    ("two.example.org.", Type.A),
    ("www.example.org.", Type.AAAA),
    ("nope.example.org.", Type.A),
    ("alias.example.org.", Type.A),
)
EVERYTHING = frozenset((*CLUSTER, *OUTSIDE))
#: `log` wants to see every query.
LOGGED = {"aks_custom", "alibaba", "minikube"}
#: `dns64` asks for A records where there are no others.
SYNTHESISED = frozenset((name, rtype) for name, rtype in EVERYTHING if rtype == Type.AAAA)
SLOW: dict[str, frozenset[Asked]] = {
    **dict.fromkeys(LOGGED, EVERYTHING),
    "kops_gossip": SYNTHESISED,
}
#: Some Corefiles have a second address, whose blocks have `log`.
SLOW_AT = {("aks_localdns", "127.0.0.3"): EVERYTHING}
#: `cache { prefetch 10 }` counts the hits of a name until it is popular.
POPULAR = {"digitalocean": 12}


async def at_hand(dispatcher: Dispatcher, host: str, port: int, times: int) -> frozenset[Asked]:
    """What is there without the chain once it was asked for."""
    found = set()
    for name, rtype in EVERYTHING:
        for _ in range(times):
            await ask(port, name, rtype.name, host=host)
        if dispatcher.answer_now(message(asked(name, rtype), RD), "udp", False) is not None:
            found.add((name, rtype))
    return frozenset(found)


@pytest.mark.parametrize("folder", SERVED)
async def test_the_chain_is_left_out(folder: str, tmp_path: Path, pki: Pki) -> None:
    async with world(pki) as around:
        machine = settle(tmp_path, folder, pki, around.api.url, around.ports)
        corefile = parse(
            machine.corefile.read_text(),
            file="Corefile",
            directory=machine.folder,
            directives=ORDER,
            environ=ENVIRONMENT,
        )
        source = Clusters(OBJECTS).factory
        async with ClusterDnsServer(corefile, machine.folder, now=lambda: CREATED, source=source) as server:
            for (_, host, *_), dispatcher in server._dispatchers.items():
                slow = SLOW_AT.get((folder, host), SLOW.get(folder, frozenset()))
                found = await at_hand(dispatcher, host or LOOPBACK, machine.dns, POPULAR.get(folder, 1))
                assert shown(EVERYTHING - found) == shown(slow)


def shown(questions: Iterable[Asked]) -> list[str]:
    return sorted(f"{name} {rtype.name}" for name, rtype in questions)
