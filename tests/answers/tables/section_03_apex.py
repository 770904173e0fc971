"""The apex and the fixed names (section 3)."""

from tests.answers.case import Case, each, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import (
    HEADLESS_FRONT,
    HOMELESS,
    LISTED,
    MAIN,
    NO_ENDPOINTS,
    TWO_FRONTS,
    UNSYNCED,
)

Z = "cluster.local."
KUBE_DNS = f"kube-dns.kube-system.svc.{Z}"

VERSION: tuple[Case, ...] = (
    # 3.1
    found(f"dns-version.{Z} TXT", '@ 28800 TXT "1.1.0"'),
    found("DNS-Version.Cluster.Local. TXT", '@ 28800 TXT "1.1.0"'),
    found("dns-version.in-addr.arpa. TXT", '@ 28800 TXT "1.1.0"'),
    found("dns-version.ip6.arpa. TXT", '@ 28800 TXT "1.1.0"'),
    *map(nodata, each(("A", "AAAA", "SRV", "NS", "SOA", "PTR", "CNAME", "ANY"), f"dns-version.{Z}")),
    nodata("dns-version.in-addr.arpa. A"),
    nxdomain(f"x.dns-version.{Z} TXT"),
    nxdomain(f"x.dns-version.{Z} A"),
    nxdomain("x.dns-version.ip6.arpa. TXT"),
)
SERVERS: tuple[Case, ...] = (
    # 3.2 one Service with a clusterIP
    found(f"{Z} NS", f"@ 5 NS {KUBE_DNS}", additional=[f"{KUBE_DNS} 5 A 10.96.0.2"]),
    found(
        "Cluster.LOCAL. NS",
        "@ 5 NS kube-dns.kube-system.svc.Cluster.LOCAL.",
        additional=["kube-dns.kube-system.svc.Cluster.LOCAL. 5 A 10.96.0.2"],
    ),
    found(
        "in-addr.arpa. NS",
        "@ 5 NS kube-dns.kube-system.svc.in-addr.arpa.",
        additional=["kube-dns.kube-system.svc.in-addr.arpa. 5 A 10.96.0.2"],
    ),
    found(f"ns.dns.{Z} A", "@ 5 A 10.96.0.2"),
    found("Ns.Dns.Cluster.local. A", "@ 5 A 10.96.0.2"),
    found("ns.dns.ip6.arpa. A", "@ 5 A 10.96.0.2"),
    nodata(f"ns.dns.{Z} AAAA"),
    nodata("ns.dns.CLUSTER.local. AAAA"),
    *map(nodata, each(("TXT", "PTR", "MX", "NS", "SRV", "SOA", "HTTPS", "ANY"), f"ns.dns.{Z}")),
    nxdomain(f"x.ns.dns.{Z} A"),
    *map(nodata, each(("A", "TXT", "NS", "SOA"), f"dns.{Z}")),
    nodata("dns.in-addr.arpa. A"),
    nxdomain(f"hostmaster.{Z} A"),
    nxdomain(f"ns.{Z} A"),
    nxdomain(f"ns1.dns.{Z} A"),
    # 3.3
    *map(
        nodata,
        each(
            (
                "A",
                "AAAA",
                "SRV",
                "MX",
                "CNAME",
                "PTR",
                "ANY",
                "HINFO",
                "DS",
                "DNSKEY",
                "TXT",
                "HTTPS",
                "TYPE65280",
            ),
            Z,
            "in-addr.arpa.",
        ),
    ),
    nodata(f"svc.{Z} NS"),
    nodata(f"nginx.default.svc.{Z} NS"),
    nxdomain(f"none.default.svc.{Z} NS"),
    nodata(f"svc.{Z} SOA"),
    nodata(f"nginx.default.svc.{Z} SOA"),
    nxdomain(f"none.default.svc.{Z} SOA"),
    nxdomain(f"foo.{Z} SOA"),
)
HEADLESS: tuple[Case, ...] = (
    found(
        f"{Z} NS",
        f"@ 5 NS node-a.dns.kube-system.svc.{Z}",
        f"@ 5 NS 10-244-0-54.dns.kube-system.svc.{Z}",
        additional=[
            f"node-a.dns.kube-system.svc.{Z} 5 A 10.244.0.53",
            f"10-244-0-54.dns.kube-system.svc.{Z} 5 A 10.244.0.54",
        ],
    ),
    found(f"ns.dns.{Z} A", "@ 5 A 10.244.0.53", "@ 5 A 10.244.0.54"),
    found(f"node-a.dns.kube-system.svc.{Z} A", "@ 5 A 10.244.0.53"),
)
SEVERAL_FRONTS: tuple[Case, ...] = (
    # Two own addresses in one slice, one of them in another: each NS and each address once
    found(
        f"{Z} NS",
        f"@ 5 NS {KUBE_DNS}",
        f"@ 5 NS extra.kube-system.svc.{Z}",
        additional=[
            f"{KUBE_DNS} 5 A 10.96.0.2",
            f"{KUBE_DNS} 5 AAAA fd00:10:96::2",
            f"extra.kube-system.svc.{Z} 5 A 10.96.0.3",
        ],
    ),
    found(f"ns.dns.{Z} A", "@ 5 A 10.96.0.2", "@ 5 A 10.96.0.3"),
    found(f"ns.dns.{Z} AAAA", "@ 5 AAAA fd00:10:96::2"),
)
FALLBACK: tuple[Case, ...] = (
    found(
        f"{Z} NS",
        f"@ 5 NS ns.dns.{Z}",
        additional=[f"ns.dns.{Z} 5 A 10.244.0.53", f"ns.dns.{Z} 5 AAAA fd00:10:4::53"],
    ),
    found(
        "ip6.arpa. NS",
        "@ 5 NS ns.dns.ip6.arpa.",
        additional=["ns.dns.ip6.arpa. 5 A 10.244.0.53", "ns.dns.ip6.arpa. 5 AAAA fd00:10:4::53"],
    ),
    found(f"ns.dns.{Z} A", "@ 5 A 10.244.0.53"),
    found(f"ns.dns.{Z} AAAA", "@ 5 AAAA fd00:10:4::53"),
    nodata(f"ns.dns.{Z} TXT"),
    nodata(f"dns.{Z} A"),
)
WITHOUT_ADDRESS: tuple[Case, ...] = (
    found(f"{Z} NS", f"@ 5 NS ns.dns.{Z}"),
    nodata(f"ns.dns.{Z} A"),
    nodata(f"ns.dns.{Z} AAAA"),
)
FILTERED: tuple[Case, ...] = (
    # `namespaces` hides the Service, not the NS record that names it
    found(f"{Z} NS", f"@ 5 NS {KUBE_DNS}", additional=[f"{KUBE_DNS} 5 A 10.96.0.2"]),
    nxdomain(f"{KUBE_DNS} A"),
    found(f"ns.dns.{Z} A", "@ 5 A 10.96.0.2"),
)
NOT_SYNCED: tuple[Case, ...] = (
    found(f"dns-version.{Z} TXT", '@ 28800 TXT "1.1.0"'),
    found(f"{Z} NS", f"@ 5 NS {KUBE_DNS}", additional=[f"{KUBE_DNS} 5 A 10.96.0.2"]),
    nodata(f"{Z} A"),
)

TABLES = (
    Table("3.1", MAIN, VERSION),
    Table("3.2", MAIN, SERVERS),
    Table("3.2", HEADLESS_FRONT, HEADLESS),
    Table("3.2", TWO_FRONTS, SEVERAL_FRONTS),
    Table("3.2", NO_ENDPOINTS, FALLBACK),
    Table("3.2", HOMELESS, WITHOUT_ADDRESS),
    Table("3.2", LISTED, FILTERED),
    Table("3", UNSYNCED, NOT_SYNCED),
)
