"""Who may see what (section 9). The `labels` selector works in the sources: what it leaves out is not there."""

from dataclasses import replace

from dnsserver.zone.objects import EndpointSlice, ObjectKey
from tests.answers.case import Case, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import LABELLED, LISTED, MAIN

Z = "cluster.local."
D = f"default.svc.{Z}"
KUBE_DNS = f"kube-dns.kube-system.svc.{Z}"

#: Service db matches the selector, its slices do not; of kube-dns neither does.
UNMATCHED = replace(
    MAIN,
    name="labels",
    objects=tuple(
        item
        for item in MAIN.objects
        if item.key != ObjectKey("kube-system", "kube-dns")
        and not (isinstance(item, EndpointSlice) and item.service in ("db", "kube-dns"))
    ),
)

HIDING: tuple[Case, ...] = (
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
    nodata(f"{D} A"),
    nxdomain(f"nginx.other.svc.{Z} A"),
    nxdomain(f"other.svc.{Z} A"),
    nxdomain(f"other.svc.{Z} TXT"),
    nxdomain(f"kube-system.svc.{Z} A"),
    nxdomain(f"{KUBE_DNS} A"),
    nxdomain(f"absent.svc.{Z} A"),
    nxdomain(f"_http._tcp.nginx.other.svc.{Z} SRV"),
    found("10.0.96.10.in-addr.arpa. PTR", f"@ 5 PTR nginx.{D}"),
    nxdomain("10.1.96.10.in-addr.arpa. PTR"),
    nxdomain("53.0.244.10.in-addr.arpa. PTR"),
    found(f"{Z} NS", f"@ 5 NS {KUBE_DNS}", additional=[f"{KUBE_DNS} 5 A 10.96.0.2"]),
    # a chain into a hidden namespace ends where there is nothing
    nodata(f"tonginx.{D} AAAA", f"@ 5 CNAME nginx.{D}"),
    nxdomain(f"c12.chain.svc.{Z} A"),
)
UNLABELLED: tuple[Case, ...] = (
    nxdomain(f"db.{D} A"),
    nxdomain(f"db-0.db.{D} A"),
    nxdomain("1.2.244.10.in-addr.arpa. PTR"),
    nodata(f"kube-system.svc.{Z} A"),
    nxdomain(f"{KUBE_DNS} A"),
    found(f"{Z} NS", f"@ 5 NS ns.dns.{Z}", additional=[f"ns.dns.{Z} 5 A 10.244.0.53"]),
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
)

TABLES = (
    Table("9", LISTED, HIDING),
    Table("9", LABELLED, HIDING),
    Table("9", UNMATCHED, UNLABELLED),
)
