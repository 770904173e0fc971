"""From the question to a lookup: zones, labels, matching (section 2)."""

from tests.answers.case import Case, error, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import ALONE, LISTED, MAIN, ROOT, SEVERAL

Z = "cluster.local."
D = f"default.svc.{Z}"

LABELS: tuple[Case, ...] = (
    # 2.2 the name in the case of the question, everything else without case
    found(f"NGINX.Default.SVC.{Z} A", "@ 5 A 10.96.0.10"),
    found("nginx.default.svc.Cluster.LOCAL. A", "@ 5 A 10.96.0.10"),
    nodata("nginx.default.svc.Cluster.LOCAL. TXT"),
    nxdomain("NONE.default.svc.CLUSTER.local. A"),
    found(f"_HTTP._Tcp.nginx.{D} A", "@ 5 A 10.96.0.10"),
    found(f"DB-0.db.{D} A", "@ 5 A 10.244.2.1"),
    # 2.3 how many labels mean what
    nodata(f"{Z} A"),
    nodata(f"svc.{Z} A"),
    nodata(f"pod.{Z} A"),
    nodata(f"{D} A"),
    nxdomain(f"foo.{Z} A"),
    nxdomain(f"nginx.default.{Z} A"),
    nxdomain(f"svc.default.{Z} A"),
    nxdomain(f"nginx.default.services.{Z} A"),
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
    found(f"10-244-1-5.nginx.{D} A", "@ 5 A 10.244.1.5"),
    nxdomain(f"http.nginx.{D} A"),
    nxdomain(f"https.nginx.{D} SRV"),
    found(f"_http._tcp.nginx.{D} A", "@ 5 A 10.96.0.10"),
    found(f"http.tcp.nginx.{D} A", "@ 5 A 10.96.0.10"),
    found(f"_http.tcp.nginx.{D} A", "@ 5 A 10.96.0.10"),
    found(f"http._tcp.nginx.{D} A", "@ 5 A 10.96.0.10"),
    nxdomain(f"__http._tcp.nginx.{D} A"),
    nxdomain(f"_tcp._http.nginx.{D} A"),
    nxdomain(f"x._http._tcp.nginx.{D} A"),
    nxdomain(f"_http._tcp.db-0.db.{D} A"),
    nxdomain(f"a.b.c.d.nginx.{D} A"),
    nxdomain(f"_web-0.cased.{D} A"),
    nxdomain(f"_db-0.db.{D} A"),
    # 2.4 namespaces
    nxdomain(f"absent.svc.{Z} A"),
    nxdomain(f"nginx.absent.svc.{Z} A"),
    nxdomain(f"left.gone.svc.{Z} A"),
    nodata(f"empty.svc.{Z} A"),
    nxdomain(f"nginx.empty.svc.{Z} A"),
    # 2.5 a bare underscore is no protocol and no port
    nxdomain(f"_._tcp.nginx.{D} A"),
    nxdomain(f"_._tcp.nginx.{D} SRV"),
    nxdomain(f"_http._.nginx.{D} SRV"),
    nxdomain(f"_._.nginx.{D} SRV"),
    nxdomain(f"_.nginx.{D} SRV"),
    # RFC 8020: what has names below it exists
    nodata(f"_tcp.nginx.{D} A"),
    nodata(f"_tcp.nginx.{D} SRV"),
    nodata(f"_TCP.nginx.{D} TXT"),
    nodata(f"tcp.nginx.{D} SRV"),
    nxdomain(f"_udp.nginx.{D} SRV"),
    nodata(f"_udp.dns.{D} SRV"),
    nodata(f"_sctp.sig.{D} SRV"),
    nxdomain(f"_tcp.single.{D} SRV"),
    nxdomain(f"_tcp.noports.{D} SRV"),
    nodata(f"_tcp.db.{D} SRV"),
    nodata(f"dns.{Z} A"),
    # 2.6 labels are octets
    nxdomain(rf"nginx\.default.svc.{Z} A"),
    nxdomain(rf"nginx.default\.svc.{Z} A"),
    nxdomain(rf"db-0\.db.{D} A"),
    nxdomain(f"*.{D} A"),
    nxdomain(f"any.{D} A"),
    nxdomain(f"*._tcp.nginx.{D} SRV"),
    nxdomain(f"any.any.nginx.{D} SRV"),
    nxdomain(f"*.db.{D} A"),
    nxdomain(f"nginx.*.svc.{Z} A"),
    nxdomain(rf"\000.{D} A"),
    nxdomain(rf"\255\254.{D} A"),
    nxdomain(rf"nginx\032.{D} A"),
    nxdomain(f"xn--nginx.{D} A"),
    nxdomain(f"{'a' * 63}.{D} A"),
    nxdomain(f"{'.'.join(['b' * 63] * 3)}.{Z} A"),
    nxdomain(f"{'.'.join(['c'] * 100)}.{D} A"),
)

ZONES: tuple[Case, ...] = (
    # 2.1 the longest configured zone
    found("nginx.default.svc.cluster.local. A", "@ 5 A 10.96.0.10"),
    found("nginx.default.svc.other.local. A", "@ 5 A 10.96.0.10"),
    found("nginx.default.svc.sub.cluster.local. A", "@ 5 A 10.96.0.10"),
    nodata("sub.cluster.local. A"),
    nxdomain("none.sub.cluster.local. A"),
    found("dns-version.sub.cluster.local. TXT", '@ 28800 TXT "1.1.0"'),
    found("dns-version.other.local. TXT", '@ 28800 TXT "1.1.0"'),
    found("dns-version.96.10.in-addr.arpa. TXT", '@ 28800 TXT "1.1.0"'),
    nodata("96.10.in-addr.arpa. A"),
    found("10.0.96.10.in-addr.arpa. PTR", "@ 5 PTR nginx.default.svc.cluster.local."),
    # No zone: the next plugin
    error("5.1.244.10.in-addr.arpa. PTR", "REFUSED"),
    error("nginx.default.svc.notcluster.local. A", "REFUSED"),
    error("local. A", "REFUSED"),
    error("xcluster.local. A", "REFUSED"),
    error(r"sub\.cluster.local. A", "REFUSED"),
    error(". NS", "REFUSED"),
    Case(ask="elsewhere.test. A", answer=("@ 9 A 198.51.100.9",), aa=False),
)
WITHOUT_NEXT: tuple[Case, ...] = (
    error("www.example.com. A", "SERVFAIL", 20),
    error("local. SOA", "SERVFAIL", 20),
    error(". NS", "SERVFAIL", 20),
)
HIDDEN: tuple[Case, ...] = (
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
    nxdomain(f"nginx.other.svc.{Z} A"),
    nxdomain(f"other.svc.{Z} A"),
    nxdomain(f"absent.svc.{Z} A"),
)
IN_ROOT: tuple[Case, ...] = (
    found("nginx.default.svc. A", "@ 5 A 10.96.0.10"),
    found("dns-version. TXT", '@ 28800 TXT "1.1.0"'),
    nodata("svc. A"),
    nodata(". A"),
    nxdomain("com. A"),
    nxdomain("www.example.com. A"),
    nodata("dns. A"),
    found(". SOA", "@ 5 SOA ns.dns. hostmaster. 1700000000 7200 1800 86400 5"),
)

TABLES = (
    Table("2", MAIN, LABELS),
    Table("2.1", SEVERAL, ZONES),
    Table("2.1", ALONE, WITHOUT_NEXT),
    Table("2.4", LISTED, HIDDEN),
    Table("2.1", ROOT, IN_ROOT),
)
