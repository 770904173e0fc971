"""NXDOMAIN or NODATA: the matrix of names and types (section 8, with the departures of section 18)."""

from tests.answers.case import Case, each, found, nodata, nxdomain, refused
from tests.answers.scene import Table
from tests.answers.scenes import IGNORING, LISTED, MAIN, PODS_INSECURE

Z = "cluster.local."
D = f"default.svc.{Z}"
#: Types of which no name here has records.
BARREN = (
    "TXT",
    "NS",
    "SOA",
    "MX",
    "CNAME",
    "PTR",
    "HTTPS",
    "SVCB",
    "DS",
    "DNSKEY",
    "NAPTR",
    "ANY",
    "TYPE65280",
)
EVERY = ("A", "AAAA", "SRV", *BARREN)
FEW = ("A", "AAAA", "SRV", "TXT", "NS", "SOA", "PTR", "ANY")

CASES: tuple[Case, ...] = (
    *map(nodata, each(EVERY, f"svc.{Z}", f"pod.{Z}", f"dns.{Z}", D, f"empty.svc.{Z}")),
    *map(nxdomain, each(EVERY, f"absent.svc.{Z}", f"foo.{Z}", f"none.{D}")),
    *map(nxdomain, each(FEW, f"gone.svc.{Z}", f"left.gone.svc.{Z}")),
    *map(nxdomain, each(FEW, f"noslice.{D}", f"_ftp._tcp.nginx.{D}", f"_udp.nginx.{D}", f"x.web.{D}")),
    *map(
        nxdomain, each(FEW, f"a.b.c.nginx.{D}", f"*.{D}", f"any.{D}", f"hostmaster.{Z}", f"nginx.default.{Z}")
    ),
    *map(nodata, each(BARREN, f"_http._tcp.nginx.{D}", f"10-244-1-5.nginx.{D}", f"db.{D}", f"db-0.db.{D}")),
    *map(nodata, each(("AAAA", *BARREN), f"nginx.{D}")),
    *map(nodata, each(("A", "AAAA", "SRV", *BARREN), f"_tcp.nginx.{D}")),
    *map(nxdomain, each(FEW, f"db-9.db.{D}", f"10-244-2-1.db.{D}", f"unready.{D}")),
    *map(nodata, each(("AAAA", "TXT", "SRV", "PTR", "NS", "SOA", "ANY"), f"ns.dns.{Z}")),
    *map(nodata, each(("A", "AAAA", "SRV", "PTR", "NS", "SOA", "ANY"), f"dns-version.{Z}")),
    *map(nxdomain, each(FEW, f"x.dns-version.{Z}", f"x.ns.dns.{Z}", f"x.dns.{Z}")),
    *map(nodata, each(("A", "TXT", "ANY", "MX"), Z, "in-addr.arpa.", "ip6.arpa.")),
    *map(nxdomain, each(FEW, f"default.pod.{Z}", f"10-4-1-32.default.pod.{Z}")),
    # 8.1 what is no lookup
    *(refused(ask) for ask in each(("AXFR", "IXFR"), Z, f"nginx.{D}", f"none.{D}", "in-addr.arpa.")),
)
WITH_PODS: tuple[Case, ...] = (
    *map(nodata, each(EVERY, f"default.pod.{Z}", f"empty.pod.{Z}")),
    *map(nxdomain, each(FEW, f"absent.pod.{Z}", f"x.default.pod.{Z}")),
)
HIDDEN: tuple[Case, ...] = tuple(
    map(nxdomain, each(FEW, f"other.svc.{Z}", f"nginx.other.svc.{Z}", f"_http._tcp.nginx.other.svc.{Z}"))
)
EMPTY: tuple[Case, ...] = (
    *map(nxdomain, each(FEW, f"dual.{D}", f"_http._tcp.dual.{D}", f"_tcp.dual.{D}")),
    found(f"db-0.db.{D} A", "@ 5 A 10.244.2.1"),
)

TABLES = (
    Table("8", MAIN, CASES),
    Table("8", PODS_INSECURE, WITH_PODS),
    Table("8", LISTED, HIDDEN),
    Table("8", IGNORING, EMPTY),
)
