"""Random clusters: every kind of object, in numbers from none to many, with shared names and addresses."""

from random import Random

from dnsserver.zone.objects import (
    ClusterObject,
    Endpoint,
    EndpointSlice,
    Namespace,
    ObjectKey,
    Pod,
    Port,
    Service,
    ServiceImport,
    ServiceType,
)
from dnsserver.zone.policy import PodMode, RecordPolicy
from tests.answers.scene import Scene

NAMESPACES = ("default", "kube-system", "other")
NAMES = ("nginx", "db", "dual", "web", "dns", "a", "x" * 63)
HOSTNAMES = ("", "", "web-0", "db-0", "Web-0", "twin", "y" * 63)
#: Topology zones of endpoints, and names of clusters.
TOPOLOGY = ("", "eu-1a", "rack.7")
CLUSTERS = ("", "east", "w.est")
CLUSTERSET = "clusterset.local."
TARGETS = (
    "www.example.com",
    "nginx.default.svc.cluster.local",
    "web.default.svc.cluster.local.",
    "_http._tcp.db.default.svc.cluster.local.",
    "dns-version.cluster.local",
    "10.0.96.10.in-addr.arpa.",
    "192.0.2.1",
    "cluster.local",
    ".".join(["t" * 60] * 4),
    "no..name",
)
PORTS = tuple(
    Port(name, protocol, number)
    for name in ("http", "dns", "")
    for protocol in ("tcp", "udp")
    for number in (80, 53)
)


def random_scene(rng: Random) -> Scene:
    policy = RecordPolicy(
        ttl=rng.choice((0, 5, 30, 3600)),
        pods=rng.choice(list(PodMode)),
        endpoint_pod_names=rng.random() < 0.3,
        ignore_empty_service=rng.random() < 0.3,
        namespaces=rng.choice((frozenset(), frozenset(), frozenset(("default",)))),
        own_addresses=tuple(_address(rng) for _ in range(rng.randrange(3))),
        zonal=rng.random() < 0.4,
    )
    zones = rng.choice(
        (
            ("cluster.local.", "in-addr.arpa.", "ip6.arpa."),
            ("cluster.local.", CLUSTERSET, "in-addr.arpa.", "ip6.arpa."),
            ("cluster.local.", "svc.cluster.local.", "96.10.in-addr.arpa."),
            (".",),
        )
    )
    fallthrough = rng.choice((None, (".",), ("in-addr.arpa.", "default.svc.cluster.local.")))
    objects = (*map(Namespace, rng.sample(NAMESPACES, rng.randrange(4))), *_objects(rng))
    shared = (CLUSTERSET,) if CLUSTERSET in zones else ()
    return Scene(
        name="random",
        objects=objects,
        zones=zones,
        multicluster=shared,
        policy=policy,
        fallthrough=fallthrough,
    )


def _objects(rng: Random) -> list[ClusterObject]:
    made: list[ClusterObject] = []
    for number in range(rng.choice((0, 3, 12, 40))):
        own = ObjectKey(rng.choice(NAMESPACES), rng.choice(NAMES))
        kind = rng.randrange(7)
        if kind <= 1:
            made.append(_service(rng, own))
        elif kind <= 3:
            made.append(_slice(rng, own, number))
        elif kind == 4:
            made.append(Service(own, ServiceType.EXTERNAL_NAME, external_name=rng.choice(TARGETS)))
        elif kind == 5:
            ips = tuple(_address(rng) for _ in range(rng.randrange(3)))
            made.append(
                ServiceImport(own, rng.random() < 0.5, ips, tuple(rng.sample(PORTS, rng.randrange(3))))
            )
        else:
            made.append(Pod(ObjectKey(own.namespace, f"pod-{number}"), _address(rng), rng.random() < 0.2))
    return made


def _service(rng: Random, own: ObjectKey) -> Service:
    headless = rng.random() < 0.5
    addresses = ("None",) if headless else tuple(_address(rng) for _ in range(rng.randrange(3)))
    ports = tuple(rng.sample(PORTS, rng.randrange(5)))
    outside = tuple(_address(rng) for _ in range(rng.choice((0, 0, 1, 3))))
    hosts = rng.choice(((), (), TARGETS[:1], ("nginx.default.example.org",)))
    return Service(own, ServiceType.CLUSTER_IP, addresses, ports, "", outside, hosts)


def _slice(rng: Random, own: ObjectKey, number: int) -> EndpointSlice:
    count = rng.choice((0, 1, 3, 10, 300))
    endpoints = tuple(
        Endpoint(
            _address(rng),
            rng.choice(HOSTNAMES),
            rng.choice(("", "pod-a", "pod.dotted")),
            rng.choice(TOPOLOGY),
        )
        for _ in range(count)
    )
    service = rng.choice((own.name, own.name, own.name, ""))
    return EndpointSlice(
        ObjectKey(own.namespace, f"slice-{number}"),
        service,
        endpoints,
        tuple(rng.sample(PORTS, rng.randrange(3))),
        rng.choice(("", own.name)),
        rng.choice(CLUSTERS),
    )


def _address(rng: Random) -> str:
    if rng.random() < 0.7:
        return f"10.{rng.choice((4, 96, 244))}.{rng.randrange(4)}.{rng.randrange(40)}"
    return rng.choice(
        (f"fd00:10:96::{rng.randrange(40):x}", f"fd00:10:4:{rng.randrange(20):x}::", "FD00:0::1")
    )
