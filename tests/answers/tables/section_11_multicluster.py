"""Zones of a set of clusters (cluster-dns-behaviour.md, section 11.1; KEP-1645, multicluster DNS specification)."""

from dnsserver.zone.objects import ClusterObject, ServiceImport
from dnsserver.zone.policy import RecordPolicy
from tests.answers.case import found, nodata, nxdomain
from tests.answers.objects import (
    headless,
    imported_slice,
    key,
    namespaces,
    ports,
    service,
    service_import,
    slice_of,
)
from tests.answers.scene import Scene, Table

Z = "clusterset.local."
D = f"default.svc.{Z}"
OBJECTS: tuple[ClusterObject, ...] = (
    *namespaces("default other"),
    service("default/nginx", "10.96.0.10", "http:80"),
    slice_of("default/nginx", "x", "10.244.1.5", "http:8080"),
    headless("default/db", "pg:5432"),
    slice_of("default/db", "x", "10.244.2.1=db-0", "pg:5432"),
    service_import("default/nginx", "10.112.0.10 fd00:10:112::10", "http:80 https:443"),
    imported_slice("default/nginx", "east", "10.1.0.5", "http:8080 https:8443"),
    service_import("default/db", "", "pg:5432"),
    imported_slice("default/db", "east", "10.1.0.1=db-0 10.1.0.2", "pg:5432"),
    imported_slice("default/db", "west", "10.2.0.1=db-0 fd00:2::1=db-1", "pg:5432"),
    service_import("default/lost", "", "http:80"),
    service_import("default/portless", "10.112.0.11"),
    ServiceImport(key("default/noips"), ports=ports("http:80")),
    imported_slice("default/ghost", "east", "10.1.0.9", "http:80"),
    service_import("missing/web", "10.112.0.12", "http:80"),
)
ZONES = ("cluster.local.", Z, "in-addr.arpa.", "ip6.arpa.")
SHARED = Scene(name="clusterset", objects=OBJECTS, zones=ZONES, multicluster=(Z,))
STRICT = Scene(
    name="clusterset-ignoring-empty",
    objects=OBJECTS,
    zones=ZONES,
    multicluster=(Z,),
    policy=RecordPolicy(ignore_empty_service=True, zonal=True, own_addresses=("10.244.1.5",)),
)

TABLES = (
    Table(
        "11.1",
        SHARED,
        (
            found(f"nginx.{D} A", "@ 5 A 10.112.0.10"),
            found(f"nginx.{D} AAAA", "@ 5 AAAA fd00:10:112::10"),
            found(f"nginx.{D} SRV",
                f"@ 5 SRV 0 25 80 nginx.{D}",
                f"@ 5 SRV 0 25 443 nginx.{D}",
                additional=[f"nginx.{D} 5 A 10.112.0.10", f"nginx.{D} 5 AAAA fd00:10:112::10"],
            ),
            found(f"_http._tcp.nginx.{D} SRV",
                f"@ 5 SRV 0 50 80 nginx.{D}",
                additional=[f"nginx.{D} 5 A 10.112.0.10", f"nginx.{D} 5 AAAA fd00:10:112::10"],
            ),
            found(f"_http.tcp.nginx.{D} A", "@ 5 A 10.112.0.10"),
            nxdomain(f"http.tcp.nginx.{D} A"),
            found(f"10-1-0-5.east.nginx.{D} A", "@ 5 A 10.1.0.5"),
            found(f"db.{D} A", "@ 5 A 10.1.0.1", "@ 5 A 10.1.0.2", "@ 5 A 10.2.0.1"),
            found(f"db.{D} AAAA", "@ 5 AAAA fd00:2::1"),
            found(f"db-0.east.db.{D} A", "@ 5 A 10.1.0.1"),
            found(f"DB-0.East.db.{D} A", "@ 5 A 10.1.0.1"),
            found(f"db-0.west.db.{D} A", "@ 5 A 10.2.0.1"),
            nxdomain(f"db-1.east.db.{D} AAAA"),
            nxdomain(f"db-0.db.{D} A"),
            nodata(f"east.db.{D} A"),
            nxdomain(f"north.db.{D} A"),
            nxdomain(f"db-0.north.db.{D} A"),
            found(f"_pg._tcp.db.{D} SRV",
                f"@ 5 SRV 0 25 5432 db-0.east.db.{D}",
                f"@ 5 SRV 0 25 5432 10-1-0-2.east.db.{D}",
                f"@ 5 SRV 0 25 5432 db-0.west.db.{D}",
                f"@ 5 SRV 0 25 5432 db-1.west.db.{D}",
                additional=[
                    f"db-0.east.db.{D} 5 A 10.1.0.1",
                    f"10-1-0-2.east.db.{D} 5 A 10.1.0.2",
                    f"db-0.west.db.{D} 5 A 10.2.0.1",
                    f"db-1.west.db.{D} 5 AAAA fd00:2::1",
                ],
            ),
            nxdomain(f"lost.{D} A"),
            found(f"portless.{D} A", "@ 5 A 10.112.0.11"),
            nodata(f"noips.{D} A"),
            nxdomain(f"ghost.{D} A"),
            nxdomain(f"web.missing.svc.{Z} A"),
            nodata(f"{D} A"),
            nodata(f"other.svc.{Z} A"),
            found(f"dns-version.{Z} TXT", '@ 28800 TXT "1.0.0"'),
            found("dns-version.cluster.local. TXT", '@ 28800 TXT "1.1.0"'),
            # The clusters' own names are elsewhere.
            found("nginx.default.svc.cluster.local. A", "@ 5 A 10.96.0.10"),
            found("db.default.svc.cluster.local. A", "@ 5 A 10.244.2.1"),
            nxdomain("db-0.east.db.default.svc.cluster.local. A"),
            nxdomain("portless.default.svc.cluster.local. A"),
            # PTR.
            found("10.0.112.10.in-addr.arpa. PTR", f"@ 5 PTR nginx.{D}"),
            found("1.0.2.10.in-addr.arpa. PTR", f"@ 5 PTR db-0.west.db.{D}"),
            found("1.2.244.10.in-addr.arpa. PTR", "@ 5 PTR db-0.db.default.svc.cluster.local."),
            nxdomain("12.0.112.10.in-addr.arpa. PTR"),
            nodata("112.10.in-addr.arpa. PTR"),
        ),
    ),
    Table(
        "11.1-ignore",
        STRICT,
        (
            found(f"nginx.{D} A", "@ 5 A 10.112.0.10"),
            nxdomain(f"portless.{D} A"),
            # No zonal names in a clusterset zone.
            nxdomain(f"a.pin._zone.db.{D} A"),
            # The Service in front of the server has no name here, only its addresses.
            found(f"{Z} NS", f"@ 5 NS ns.dns.{Z}", additional=[f"ns.dns.{Z} 5 A 10.96.0.10"]),
            found(f"ns.dns.{Z} A", "@ 5 A 10.96.0.10"),
        ),
    ),
)  # fmt: skip
