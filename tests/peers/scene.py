"""A cluster with every kind of Service, and the names that are worth asking in it."""

from collections.abc import Iterator, Sequence
from typing import Any

from dnsserver.testing.kube_api import KubeApi, service, slice_of

TYPES = "A AAAA SRV CNAME TXT MX NS SOA PTR ANY HTTPS DS".split()

SERVICES = (
    "nginx multi dual six noports unnamed hl hlempty hlmulti hldual hlnoports ext extout extip extchain extloop"
    " nosuch web"
).split()
ENDPOINTS = (
    "10-4-1-1 10-4-1-32 10-4-5-2 web-0 a fd00--1 fd00-10-4-16--0 10-4-6-2 10-4-7-1 10-4-9-9 hl-0 nginx-1"
).split()
PORTS = "_http._tcp http.tcp _dns._udp _https._tcp _http._udp _._tcp _tcp _nope._tcp".split()
OTHERS = """
    @ svc pod default.svc nope.svc missing.svc ghost.missing.svc empty.svc dns-version ns.dns dns hostmaster
    nginx.default 10-4-1-1.default.pod 10-4-1.default.pod fd00--1.default.pod default.pod nope.pod
    x.10-4-1-1.default.pod *.default.svc any.default.svc NGINX.Default.SVC a.b.c.nginx.default.svc
""".split()
REVERSE = """
    220.5.8.10.in-addr.arpa. 32.1.4.10.in-addr.arpa. 1.1.4.10.in-addr.arpa. 1.0.9.10.in-addr.arpa.
    9.0.9.10.in-addr.arpa. 1.4.10.in-addr.arpa. in-addr.arpa. 9.9.9.9.in-addr.arpa. 032.1.4.10.in-addr.arpa.
    1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. ip6.arpa.
""".split()


def names() -> Iterator[str]:
    """Every question name, absolute."""
    for namespace in ("default", "prod"):
        for name in SERVICES:
            owner = f"{name}.{namespace}.svc.cluster.local."
            yield owner
            yield from (f"{left}.{owner}" for left in (*PORTS, *ENDPOINTS))
    yield from ("cluster.local." if name == "@" else f"{name}.cluster.local." for name in OTHERS)
    yield from ("HL.default.svc.CLUSTER.local.", *REVERSE)


def fill(api: KubeApi) -> None:
    for namespace in ("default", "prod", "empty"):
        api.namespace(namespace)
    api.add(
        service("nginx", "10.8.5.220", ports=(("http", 8080),)),
        service("multi", "10.8.5.221", ports=(("http", 80), ("https", 443))),
        service("dual", "10.8.5.222", clusterIPs=["10.8.5.222", "fd00:10:96::22"]),
        service("six", "fd00:10:96::23"),
        service("noports", "10.8.5.224", ports=()),
        service("unnamed", "10.8.5.225", ports=(("", 99),)),
        *(service(name) for name in ("hl", "hlempty", "hlmulti", "hldual")),
        service("hlnoports", ports=()),
        _external("ext", "nginx.default.svc.cluster.local"),
        _external("extout", "foo.example.org"),
        _external("extip", "192.0.2.4"),
        _external("extchain", "ext.default.svc.cluster.local."),
        _external("extloop", "extloop.default.svc.cluster.local"),
        service("web", "10.9.0.1", namespace="prod"),
        service("ghost", "10.9.0.9", namespace="missing"),
    )
    _fill_slices(api)


def _fill_slices(api: KubeApi) -> None:
    http = {"name": "http", "port": 80, "protocol": "TCP"}
    dns = {"name": "dns", "port": 53, "protocol": "UDP"}
    api.add(
        slice_of("nginx", ["10.4.1.1", "10.4.1.2"]),
        slice_of("hl", ["10.4.1.32", "10.4.2.41", "10.4.3.101"]),
        _slice("hlempty", "e1", ["10.4.9.9"], ready=False),
        _slice("hlmulti", "m1", ["10.4.5.1", "10.4.5.2"], hostnames=["web-0", ""], ports=[http, dns]),
        _slice(
            "hlmulti", "m2", ["10.4.5.2", "10.4.5.3"], hostnames=["", "web-0"], ports=[{**http, "port": 81}]
        ),
        _slice("hldual", "d4", ["10.4.6.1", "10.4.6.2"], hostnames=["a", ""]),
        _slice("hldual", "d6", ["fd00::1", "fd00:10:4:16::"], hostnames=["a", ""]),
        _slice("hlnoports", "n1", ["10.4.7.1"], ports=[]),
        slice_of("web", ["10.4.8.1"], namespace="prod"),
    )


def _external(name: str, target: str) -> dict[str, Any]:
    return service(name, type="ExternalName", externalName=target, clusterIP="", clusterIPs=[])


def _slice(
    owner: str,
    name: str,
    addresses: Sequence[str],
    *,
    hostnames: Sequence[str] = (),
    ports: Sequence[dict[str, Any]] | None = None,
    ready: bool = True,
) -> dict[str, Any]:
    found = slice_of(owner, addresses, name=name)
    if ports is not None:
        found["ports"] = list(ports)
    for endpoint in found["endpoints"]:
        endpoint["conditions"]["ready"] = ready
    for endpoint, hostname in zip(found["endpoints"], hostnames, strict=False):
        if hostname:
            endpoint["hostname"] = hostname
    return found
