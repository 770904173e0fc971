"""Clusterset zones, zonal names, names for clients outside, search lists: the answers of CoreDNS 1.14.7, but for
what docs/differences.md lists."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dnsserver.testing.kube_api import KubeApi, imported_slice, pod, service, service_import, slice_of
from tests.peers.test_coredns import Shown, ask, asked

TYPES = "A AAAA SRV CNAME TXT MX PTR HTTPS".split()
X = "example.org."
Listed = Callable[[str, str, Shown], bool]


def zoned(obj: dict[str, Any], *zones: str) -> dict[str, Any]:
    for endpoint, zone in zip(obj["endpoints"], zones, strict=True):
        endpoint["zone"] = zone
    return obj


def outside(name: str, *ips: str, hosts: Sequence[str] = (), **spec: Any) -> dict[str, Any]:
    found = service(name, "10.96.7.7", externalIPs=list(ips), **spec)
    return {**found, "status": {"loadBalancer": {"ingress": [{"hostname": host} for host in hosts]}}}


def fill(api: KubeApi) -> None:
    api.namespace("default")
    api.namespace("empty")
    two = (("http", 80), ("https", 443))
    api.add(
        service("web", "10.8.0.1"),
        service("hl"),
        service("none"),
        zoned(slice_of("hl", ["10.4.0.1", "10.4.0.2", "10.4.0.3"]), "eu-1a", "EU-1b", "eu-1b"),
        slice_of("web", ["10.4.1.1"]),
        service_import("web", ["10.9.0.1", "fd00:9::1"], ports=two),
        service_import("db"),
        service_import("lost"),
        imported_slice("web", "east", ["10.1.0.1"]),
        imported_slice("db", "east", ["10.1.0.2", "10.1.0.3"]),
        imported_slice("db", "west", ["10.2.0.2"]),
        outside("ext", "203.0.113.1", "203.0.113.2", "2001:db8::1", ports=two),
        outside("one", "203.0.113.1"),
        outside("lb", hosts=["lb.cluster.local"]),
        outside("portless", "203.0.113.3", ports=()),
        pod("client", "127.0.0.1"),
    )


async def differing(
    folder: Path, options: str, zones: str, more: str, names: Sequence[str], listed: Listed
) -> list[str]:
    """Where both give other answers, but for what is *listed*."""
    found, same = [], 0
    async with KubeApi() as api:
        fill(api)
        commands = ([os.environ["COREDNS"]], [sys.executable, "-m", "dnsserver"])
        async with (
            asked(api, commands[0], options, folder, zones=zones, more=more) as theirs_port,
            asked(api, commands[1], options, folder, zones=zones, more=more) as port,
        ):
            for name in names:
                for rtype in TYPES:
                    theirs, ours = await asyncio.gather(ask(theirs_port, name, rtype), ask(port, name, rtype))
                    same += theirs == ours
                    if theirs != ours and not listed(name, rtype, ours):
                        found.append(f"{name} {rtype}\n  theirs {theirs}\n  ours   {ours}")
    assert same > len(names) * len(TYPES) // 2
    return found


async def test_clusterset_zones(tmp_path: Path) -> None:
    left = (
        "web db lost nope _http._tcp.web _https._tcp.web http.tcp.web _http._tcp.db 10-1-0-2.east.db".split()
    )
    left += "10-1-0-2.west.db 10-2-0-2.west.db 10-1-0-2.db east.db 10-1-0-1.east.web a.b.c.db hl".split()
    names = [f"{each}.default.svc.clusterset.local." for each in left]
    names += [
        "web.default.svc.cluster.local.",
        "db.default.svc.cluster.local.",
        "hl.default.svc.cluster.local.",
    ]
    names += [
        "clusterset.local.",
        "svc.clusterset.local.",
        "default.svc.clusterset.local.",
        "empty.svc.clusterset.local.",
    ]
    names += ["web.none.svc.clusterset.local."]

    def listed(name: str, rtype: str, ours: Shown) -> bool:
        return (rtype == "TXT" and not ours.answer) or name.startswith("east.")

    options, zones = "multicluster clusterset.local", "cluster.local clusterset.local"
    assert not await differing(tmp_path, options, zones, "", names, listed)


async def test_zonal_names(tmp_path: Path) -> None:
    left = [
        f"{zone}.{how}"
        for zone in ("eu-1a", "EU-1A", "eu-1b", "none", "a.b")
        for how in ("pin", "prefer", "other")
    ]
    names = [
        f"{each}._zone.{name}.default.svc.cluster.local."
        for each in left
        for name in ("hl", "web", "none", "nope")
    ]
    names += ["pin._zone.web.default.svc.cluster.local.", "eu-1a.pin.zone.hl.default.svc.cluster.local."]

    def listed(_: str, rtype: str, ours: Shown) -> bool:
        return rtype == "TXT" and not ours.answer

    assert not await differing(tmp_path, "zonal", "cluster.local", "", names, listed)


async def test_names_for_clients_outside(tmp_path: Path) -> None:
    left = "ext one lb portless web hl none nope _http._tcp.ext _https._tcp.ext _nope._tcp.ext _http._tcp.hl".split()
    left += "_http._tcp.lb 10-4-0-1.hl 10-4-1-1.web a.b.c.ext".split()
    names = [f"{each}.default.{X}" for each in left]
    names += [
        f"default.{X}",
        f"empty.{X}",
        f"nope.{X}",
        X,
        f"dns.{X}",
        f"ns1.dns.{X}",
        f"x.dns.{X}",
        f"x.ns1.dns.{X}",
    ]
    names += ["1.113.0.203.in-addr.arpa.", "9.113.0.203.in-addr.arpa.", "113.0.203.in-addr.arpa."]

    def listed(name: str, rtype: str, ours: Shown) -> bool:
        return (
            name.startswith(("lb.", "_http._tcp.lb."))  # an alias, for every type
            or name == f"web.default.{X}"  # above the names of its endpoints
            or (name.startswith("ns1.dns.") and rtype in "A")  # the own address under `bind`
            or (name.endswith(".arpa.") and not ours.answer)
        )

    for options in ("", "headless"):
        more = f" k8s_external {X} 203.0.113.0/24 {{\n{options}\n}}"
        assert not await differing(tmp_path, "", "cluster.local", more, names, listed)


async def test_search_lists(tmp_path: Path) -> None:
    """Of the pod at the loopback address."""
    left = "web.default web.default.svc hl.default 10-4-0-1.hl.default nope.default svc.default".split()
    names = [f"{each}.default.svc.cluster.local." for each in ("web", "nope", *left)]
    names += [f"{each}.empty.svc.cluster.local." for each in left]

    def listed(_: str, rtype: str, ours: Shown) -> bool:
        return rtype == "TXT" and not ours.answer

    more = " autopath @kubernetes"
    assert not await differing(tmp_path, "pods verified", "cluster.local .", more, names, listed)
