"""SOA, TTL, and the case of names (section 10). The serial's moves are in tests/zone."""

from tests.answers.case import Case, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import ALIAS_OUTSIDE, MAIN, ROOT, TTL_0, TTL_3600

Z = "cluster.local."
D = f"default.svc.{Z}"


def soa(zone: str, ttl: int = 5, minimum: int = 5) -> str:
    below = "" if zone == "." else zone
    return f"{zone} {ttl} SOA ns.dns.{below} hostmaster.{below} 1700000000 7200 1800 86400 {minimum}"


SOAS: tuple[Case, ...] = (
    found(f"{Z} SOA", soa(Z)),
    found("CLUSTER.local. SOA", soa("CLUSTER.local.")),
    found("in-addr.arpa. SOA", soa("in-addr.arpa.")),
    found("ip6.arpa. SOA", soa("ip6.arpa.")),
    Case(ask=f"nginx.{D} AAAA", authority=(soa(Z),)),
    Case(ask="nginx.default.svc.Cluster.Local. AAAA", authority=(soa("Cluster.Local."),)),
    Case(ask="None.Default.Svc.CLUSTER.LOCAL. A", authority=(soa("CLUSTER.LOCAL."),), rcode="NXDOMAIN"),
    Case(ask="9.9.9.9.IN-addr.arpa. PTR", authority=(soa("IN-addr.arpa."),), rcode="NXDOMAIN"),
)
CASED: tuple[Case, ...] = (
    found("NgInX.dEfAuLt.SvC.cLuStEr.LoCaL. A", "@ 5 A 10.96.0.10"),
    found(
        "_Http._TCP.NGINX.default.svc.Cluster.Local. SRV",
        "@ 5 SRV 0 100 80 nginx.default.svc.Cluster.Local.",
        additional=["nginx.default.svc.Cluster.Local. 5 A 10.96.0.10"],
    ),
    found(
        "_http._tcp.CASED.DEFAULT.svc.Cluster.Local. SRV",
        "@ 5 SRV 0 100 80 Web-0.cased.default.svc.Cluster.Local.",
        additional=["Web-0.cased.default.svc.Cluster.Local. 5 A 10.244.7.11"],
    ),
    found("10.0.96.10.IN-ADDR.ARPA. PTR", f"@ 5 PTR nginx.{D}"),
    found("Dotted.Default.svc.CLUSTER.local. CNAME", "@ 5 CNAME WWW.Example.com."),
    found("TONGINX.default.svc.CLUSTER.local. A", f"@ 5 CNAME nginx.{D}", f"nginx.{D} 5 A 10.96.0.10"),
)
NOUGHT: tuple[Case, ...] = (
    found(f"nginx.{D} A", "@ 0 A 10.96.0.10"),
    found(f"{Z} SOA", soa(Z, 0, 0)),
    found(f"dns-version.{Z} TXT", '@ 28800 TXT "1.1.0"'),
    found(f"db-1.db.{D} SRV", f"@ 0 SRV 0 100 5432 db-1.db.{D}", additional=[f"db-1.db.{D} 0 A 10.244.2.2"]),
    found("10.0.96.10.in-addr.arpa. PTR", f"@ 0 PTR nginx.{D}"),
    found(f"ns.dns.{Z} A", "@ 0 A 10.96.0.2"),
    Case(ask=f"none.{D} A", authority=(soa(Z, 0, 0),), rcode="NXDOMAIN"),
    nodata(f"nginx.{D} AAAA"),
)
HOUR: tuple[Case, ...] = (
    # the SOA's own TTL stops at 300
    found(f"nginx.{D} A", "@ 3600 A 10.96.0.10"),
    found(f"{Z} SOA", soa(Z, 300, 3600)),
    Case(ask=f"none.{D} A", authority=(soa(Z, 300, 3600),), rcode="NXDOMAIN"),
    Case(ask=f"nginx.{D} MX", authority=(soa(Z, 300, 3600),)),
    found(f"dns-version.{Z} TXT", '@ 28800 TXT "1.1.0"'),
    found(
        f"{Z} NS",
        f"@ 3600 NS kube-dns.kube-system.svc.{Z}",
        additional=[f"kube-dns.kube-system.svc.{Z} 3600 A 10.96.0.2"],
    ),
    found("10.0.96.10.in-addr.arpa. PTR", f"@ 3600 PTR nginx.{D}"),
    found(f"10-244-1-5.nginx.{D} A", "@ 3600 A 10.244.1.5"),
    # upstream records keep their own
    found(f"toalias.{D} A", "@ 3600 CNAME alias.example.com.", *ALIAS_OUTSIDE),
    found(f"tonginx.{D} A", f"@ 3600 CNAME nginx.{D}", f"nginx.{D} 3600 A 10.96.0.10"),
    nxdomain(f"foo.{Z} A"),
)
IN_ROOT: tuple[Case, ...] = (
    found(". SOA", soa(".")),
    Case(ask="none.default.svc. A", authority=(soa("."),), rcode="NXDOMAIN"),
    Case(ask="nginx.default.svc. MX", authority=(soa("."),)),
    found(
        "_http._tcp.nginx.default.svc. SRV",
        "@ 5 SRV 0 100 80 nginx.default.svc.",
        additional=["nginx.default.svc. 5 A 10.96.0.10"],
    ),
    found(". NS", "@ 5 NS kube-dns.kube-system.svc.", additional=["kube-dns.kube-system.svc. 5 A 10.96.0.2"]),
)

TABLES = (
    Table("10", MAIN, SOAS),
    Table("10", MAIN, CASED),
    Table("10", TTL_0, NOUGHT),
    Table("10", TTL_3600, HOUR),
    Table("10", ROOT, IN_ROOT),
)
