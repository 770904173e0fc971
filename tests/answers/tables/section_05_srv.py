"""SRV records: names, weights, targets, additional addresses (section 5)."""

from tests.answers.case import Case, big, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import MAIN, MANY, POD_NAMES

D = "default.svc.cluster.local."


def srv(weight: int, port: int, target: str) -> str:
    return f"@ 5 SRV 0 {weight} {port} {target}"


def dashed(last: int, owner: str = "seven", third: int = 11) -> str:
    return f"10-244-{third}-{last}.{owner}.{D}"


CLUSTER_IP: tuple[Case, ...] = (
    found(
        f"nginx.{D} SRV",
        srv(50, 80, f"nginx.{D}"),
        srv(50, 443, f"nginx.{D}"),
        additional=[f"nginx.{D} 5 A 10.96.0.10"],
    ),
    found(f"_http._tcp.nginx.{D} SRV", srv(100, 80, f"nginx.{D}"), additional=[f"nginx.{D} 5 A 10.96.0.10"]),
    found(f"http.tcp.nginx.{D} SRV", srv(100, 80, f"nginx.{D}"), additional=[f"nginx.{D} 5 A 10.96.0.10"]),
    found(
        f"_HTTPS._TCP.nginx.{D} SRV", srv(100, 443, f"nginx.{D}"), additional=[f"nginx.{D} 5 A 10.96.0.10"]
    ),
    nxdomain(f"_http._udp.nginx.{D} SRV"),
    nxdomain(f"_ftp._tcp.nginx.{D} SRV"),
    nxdomain(f"_80._tcp.nginx.{D} SRV"),
    nodata(f"_tcp.nginx.{D} SRV"),
    # unnamed ports show at the Service only
    found(f"single.{D} SRV", srv(100, 80, f"single.{D}"), additional=[f"single.{D} 5 A 10.96.0.11"]),
    found(
        f"mixed.{D} SRV",
        srv(50, 80, f"mixed.{D}"),
        srv(50, 81, f"mixed.{D}"),
        additional=[f"mixed.{D} 5 A 10.96.0.23"],
    ),
    found(f"_http._tcp.mixed.{D} SRV", srv(100, 80, f"mixed.{D}"), additional=[f"mixed.{D} 5 A 10.96.0.23"]),
    # two families are two candidates and one record
    found(
        f"dual.{D} SRV",
        srv(50, 80, f"dual.{D}"),
        additional=[f"dual.{D} 5 A 10.96.0.20", f"dual.{D} 5 AAAA fd00:10:96::20"],
    ),
    found(
        f"_http._tcp.dual.{D} SRV",
        srv(50, 80, f"dual.{D}"),
        additional=[f"dual.{D} 5 A 10.96.0.20", f"dual.{D} 5 AAAA fd00:10:96::20"],
    ),
    found(f"v6only.{D} SRV", srv(100, 80, f"v6only.{D}"), additional=[f"v6only.{D} 5 AAAA fd00:10:96::21"]),
    # one number over two protocols collapses
    found(f"dns.{D} SRV", srv(50, 53, f"dns.{D}"), additional=[f"dns.{D} 5 A 10.96.0.22"]),
    found(f"_dns._udp.dns.{D} SRV", srv(100, 53, f"dns.{D}"), additional=[f"dns.{D} 5 A 10.96.0.22"]),
    found(f"_dns-tcp._tcp.dns.{D} SRV", srv(100, 53, f"dns.{D}"), additional=[f"dns.{D} 5 A 10.96.0.22"]),
    nxdomain(f"_dns._tcp.dns.{D} SRV"),
    found(f"_sip._sctp.sig.{D} SRV", srv(100, 5060, f"sig.{D}"), additional=[f"sig.{D} 5 A 10.96.0.24"]),
    nodata(f"noports.{D} SRV"),
    # targets: objects as stored, the zone as asked
    found(
        "NGINX.default.svc.Cluster.LOCAL. SRV",
        srv(50, 80, "nginx.default.svc.Cluster.LOCAL."),
        srv(50, 443, "nginx.default.svc.Cluster.LOCAL."),
        additional=["nginx.default.svc.Cluster.LOCAL. 5 A 10.96.0.10"],
    ),
    # endpoints below a Service with a clusterIP: the slice's ports
    found(
        f"10-244-1-5.nginx.{D} SRV",
        srv(50, 8080, f"10-244-1-5.nginx.{D}"),
        srv(50, 8443, f"10-244-1-5.nginx.{D}"),
        additional=[f"10-244-1-5.nginx.{D} 5 A 10.244.1.5"],
    ),
    nxdomain(f"_http._tcp.10-244-1-5.nginx.{D} SRV"),
    nxdomain(f"none.{D} SRV"),
    nodata(f"{D} SRV"),
)
HEADLESS: tuple[Case, ...] = (
    found(
        f"_pg._tcp.db.{D} SRV",
        srv(33, 5432, f"db-0.db.{D}"),
        srv(33, 5432, f"db-1.db.{D}"),
        srv(33, 5432, f"10-244-2-3.db.{D}"),
        additional=[
            f"db-0.db.{D} 5 A 10.244.2.1",
            f"db-1.db.{D} 5 A 10.244.2.2",
            f"10-244-2-3.db.{D} 5 A 10.244.2.3",
        ],
    ),
    found(f"db-1.db.{D} SRV", srv(100, 5432, f"db-1.db.{D}"), additional=[f"db-1.db.{D} 5 A 10.244.2.2"]),
    # the weight counts duplicates
    found(
        f"_http._tcp.overlap.{D} SRV",
        *(srv(25, 80, f"10-244-3-{n}.overlap.{D}") for n in (1, 2, 3)),
        additional=[f"10-244-3-{n}.overlap.{D} 5 A 10.244.3.{n}" for n in (1, 2, 3)],
    ),
    found(
        f"10-244-3-2.overlap.{D} SRV",
        srv(50, 80, f"10-244-3-2.overlap.{D}"),
        additional=[f"10-244-3-2.overlap.{D} 5 A 10.244.3.2"],
    ),
    # one hostname in two families, or twice
    found(
        f"dualhead.{D} SRV",
        srv(50, 80, f"h-0.dualhead.{D}"),
        additional=[f"h-0.dualhead.{D} 5 A 10.244.4.1", f"h-0.dualhead.{D} 5 AAAA fd00:10:4::1"],
    ),
    found(
        f"twin.samehost.{D} SRV",
        srv(50, 80, f"twin.samehost.{D}"),
        additional=[f"twin.samehost.{D} 5 A 10.244.5.1", f"twin.samehost.{D} 5 A 10.244.5.2"],
    ),
    # stand-ins of slices without ports count, and give nothing
    found(
        f"halfports.{D} SRV",
        srv(50, 80, f"10-244-6-11.halfports.{D}"),
        additional=[f"10-244-6-11.halfports.{D} 5 A 10.244.6.11"],
    ),
    found(
        f"_http._tcp.halfports.{D} SRV",
        srv(100, 80, f"10-244-6-11.halfports.{D}"),
        additional=[f"10-244-6-11.halfports.{D} 5 A 10.244.6.11"],
    ),
    nodata(f"noport.{D} SRV"),
    nxdomain(f"_x._tcp.noport.{D} SRV"),
    # ports of the slice, not of the Service
    found(
        f"_http._tcp.otherport.{D} SRV",
        srv(50, 8080, f"10-244-6-21.otherport.{D}"),
        srv(50, 8080, f"10-244-6-22.otherport.{D}"),
        additional=[f"10-244-6-{n}.otherport.{D} 5 A 10.244.6.{n}" for n in (21, 22)],
    ),
    found(
        f"otherport.{D} SRV",
        srv(33, 8080, f"10-244-6-21.otherport.{D}"),
        srv(33, 8080, f"10-244-6-22.otherport.{D}"),
        srv(33, 9000, f"10-244-6-22.otherport.{D}"),
        additional=[f"10-244-6-{n}.otherport.{D} 5 A 10.244.6.{n}" for n in (21, 22)],
    ),
    found(
        f"_admin._tcp.otherport.{D} SRV",
        srv(100, 9000, f"10-244-6-22.otherport.{D}"),
        additional=[f"10-244-6-22.otherport.{D} 5 A 10.244.6.22"],
    ),
    found(
        f"unnamed.{D} SRV",
        srv(100, 9000, f"10-244-6-31.unnamed.{D}"),
        additional=[f"10-244-6-31.unnamed.{D} 5 A 10.244.6.31"],
    ),
    nxdomain(f"_tcp.unnamed.{D} SRV"),
    # the endpoint in the case of the object
    found(
        f"_http._tcp.CASED.{D} SRV",
        srv(100, 80, f"Web-0.cased.{D}"),
        additional=[f"Web-0.cased.{D} 5 A 10.244.7.11"],
    ),
    # seven endpoints: 14
    big(
        found(
            f"seven.{D} SRV",
            *(srv(14, 80, dashed(n)) for n in range(1, 8)),
            additional=[f"{dashed(n)} 5 A 10.244.11.{n}" for n in range(1, 8)],
        )
    ),
    found(f"_http._tcp.seven.{D} A", *(f"@ 5 A 10.244.11.{n}" for n in range(1, 8))),
)
SIXTY: tuple[Case, ...] = (
    # from 51 candidates on the weight is 1
    big(
        found(
            f"_http._tcp.sixty.{D} SRV",
            *(srv(1, 80, dashed(n, "sixty", 20)) for n in range(1, 61)),
            additional=[f"{dashed(n, 'sixty', 20)} 5 A 10.244.20.{n}" for n in range(1, 61)],
        )
    ),
    big(found(f"sixty.{D} A", *(f"@ 5 A 10.244.20.{n}" for n in range(1, 61)))),
)
NAMED_BY_PODS: tuple[Case, ...] = (
    found(
        f"_http._tcp.podnamed.{D} SRV",
        srv(50, 80, f"app-x1z.podnamed.{D}"),
        srv(50, 80, f"app.dotted.podnamed.{D}"),
        additional=[f"app-x1z.podnamed.{D} 5 A 10.244.7.21", f"app.dotted.podnamed.{D} 5 A 10.244.7.22"],
    ),
)

TABLES = (
    Table("5", MAIN, CLUSTER_IP),
    Table("5", MAIN, HEADLESS),
    Table("5", MANY, SIXTY),
    Table("5", POD_NAMES, NAMED_BY_PODS),
)
