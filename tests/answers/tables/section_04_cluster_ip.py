"""Services with a clusterIP (sections 4.1 and 4.5)."""

from tests.answers.case import Case, each, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import ALONE, IGNORING, IGNORING_NO_ENDPOINTS, MAIN, NO_ENDPOINTS

D = "default.svc.cluster.local."
OTHER_TYPES = (
    "TXT",
    "MX",
    "CNAME",
    "PTR",
    "NS",
    "SOA",
    "HTTPS",
    "SVCB",
    "DS",
    "DNSKEY",
    "NAPTR",
    "ANY",
    "TYPE65280",
)

CASES: tuple[Case, ...] = (
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
    found(f"node.{D} A", "@ 5 A 10.96.0.30"),
    found(f"balanced.{D} A", "@ 5 A 10.96.0.31"),
    found(f"untyped.{D} A", "@ 5 A 10.96.0.32"),
    found(f"1st.{D} A", "@ 5 A 10.96.0.33"),
    found("nginx.other.svc.cluster.local. A", "@ 5 A 10.96.1.10"),
    # Dual stack, and the other family only
    found(f"dual.{D} A", "@ 5 A 10.96.0.20"),
    found(f"dual.{D} AAAA", "@ 5 AAAA fd00:10:96::20"),
    nodata(f"nginx.{D} AAAA"),
    nodata(f"v6only.{D} A"),
    found(f"v6only.{D} AAAA", "@ 5 AAAA fd00:10:96::21"),
    # Answered without slices, selector, ready endpoints or ports
    found(f"single.{D} A", "@ 5 A 10.96.0.11"),
    found(f"noports.{D} A", "@ 5 A 10.96.0.12"),
    nodata(f"noports.{D} SRV"),
    found(f"byhand.{D} A", "@ 5 A 10.96.0.34"),
    # Endpoint names below it
    found(f"10-244-1-6.nginx.{D} A", "@ 5 A 10.244.1.6"),
    nodata(f"10-244-1-6.nginx.{D} AAAA"),
    nodata(f"10-244-1-6.nginx.{D} TXT"),
    nxdomain(f"10-244-1-7.nginx.{D} A"),
    nxdomain(f"10-96-0-10.nginx.{D} A"),
    found(f"192-0-2-10.byhand.{D} A", "@ 5 A 192.0.2.10"),
    found(f"front.behind.{D} A", "@ 5 A 10.244.1.7"),
    found(f"front.behind.{D} AAAA", "@ 5 AAAA fd00:10:4:1::7"),
    nxdomain(f"10-244-1-7.behind.{D} A"),
    # Port names give the Service's addresses
    found(f"_http._tcp.dual.{D} A", "@ 5 A 10.96.0.20"),
    found(f"_http._tcp.dual.{D} AAAA", "@ 5 AAAA fd00:10:96::20"),
    nodata(f"_http._tcp.nginx.{D} AAAA"),
    nodata(f"_http._tcp.nginx.{D} TXT"),
    *map(nodata, each(OTHER_TYPES, f"nginx.{D}")),
    *map(nxdomain, each(("A", "AAAA", "SRV", *OTHER_TYPES), f"none.{D}")),
    # A slice that is tied to no Service
    nxdomain(f"ghost.{D} A"),
    nxdomain(f"10-244-9-1.ghost.{D} A"),
    nxdomain(f"orphan.{D} A"),
)
EMPTY_IGNORED: tuple[Case, ...] = (
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
    found(f"byhand.{D} A", "@ 5 A 10.96.0.34"),
    *map(nxdomain, each(("A", "AAAA", "SRV", "TXT", "NS", "SOA", "ANY"), f"single.{D}")),
    nxdomain(f"_http._tcp.dual.{D} SRV"),
    nxdomain(f"_tcp.dual.{D} SRV"),
    nxdomain(f"node.{D} A"),
    nxdomain(f"balanced.{D} A"),
    found(f"db-0.db.{D} A", "@ 5 A 10.244.2.1"),
    found(f"web.{D} CNAME", "@ 5 CNAME www.example.com."),
    nxdomain(f"unready.{D} A"),
    found("11.0.96.10.in-addr.arpa. PTR", f"@ 5 PTR single.{D}"),
)
WITHOUT_SLICES: tuple[Case, ...] = (
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
    found(f"_https._tcp.nginx.{D} A", "@ 5 A 10.96.0.10"),
    nxdomain(f"10-244-1-6.nginx.{D} A"),
    nxdomain(f"db.{D} A"),
    nxdomain(f"db.{D} TXT"),
    nxdomain(f"db-0.db.{D} A"),
    found("10.0.96.10.in-addr.arpa. PTR", f"@ 5 PTR nginx.{D}"),
    nxdomain("5.1.244.10.in-addr.arpa. PTR"),
)
NOTHING_LEFT: tuple[Case, ...] = (
    nxdomain(f"nginx.{D} A"),
    nxdomain(f"byhand.{D} A"),
    found(f"web.{D} CNAME", "@ 5 CNAME www.example.com."),
    found("10.0.96.10.in-addr.arpa. PTR", f"@ 5 PTR nginx.{D}"),
)

TABLES = (
    Table("4.1", MAIN, CASES),
    Table("4.1", IGNORING, EMPTY_IGNORED),
    Table("4.1", NO_ENDPOINTS, WITHOUT_SLICES),
    Table("4.1", IGNORING_NO_ENDPOINTS, NOTHING_LEFT),
    Table("4.1", ALONE, CASES[:6]),
)
