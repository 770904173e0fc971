"""Reverse names (section 6)."""

import dns.reversename

from tests.answers.case import Case, each, error, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import LABELLED, LISTED, MAIN, NO_ENDPOINTS, POD_NAMES, SEVERAL

Z = "cluster.local."
D = f"default.svc.{Z}"


def rev(address: str) -> str:
    return dns.reversename.from_address(address).to_text()


def ptr(address: str, *targets: str) -> Case:
    return found(f"{rev(address)} PTR", *(f"@ 5 PTR {target}" for target in targets))


def part(address: str, cut: int) -> str:
    """The reverse name of *address* without its *cut* leftmost labels."""
    return rev(address).split(".", cut)[cut]


DUAL = rev("fd00:10:96::20")
MAPPED = "0.1.0.0.0.6.a.0.f.f.f.f." + "0." * 20 + "ip6.arpa."

CASES: tuple[Case, ...] = (
    # a Service's clusterIP: one record
    found("10.0.96.10.in-addr.arpa. PTR", f"@ 5 PTR nginx.{D}"),
    ptr("10.96.1.10", f"nginx.other.svc.{Z}"),
    ptr("fd00:10:96::20", f"dual.{D}"),
    ptr("10.96.0.20", f"dual.{D}"),
    ptr("10.96.0.2", f"kube-dns.kube-system.svc.{Z}"),
    # an endpoint: one record per name
    ptr("10.244.2.1", f"db-0.db.{D}"),
    ptr("10.244.2.3", f"10-244-2-3.db.{D}"),
    ptr("10.244.7.1", f"10-244-7-1.share-a.{D}", f"10-244-7-1.share-b.{D}"),
    ptr("10.244.3.2", f"10-244-3-2.overlap.{D}"),
    ptr("10.244.5.1", f"twin.samehost.{D}"),
    ptr("10.244.7.11", f"Web-0.cased.{D}"),
    ptr("10.244.6.1", f"10-244-6-1.noport.{D}"),
    # endpoints of Services with a clusterIP count too, even without the Service itself
    ptr("10.244.1.5", f"10-244-1-5.nginx.{D}"),
    ptr("192.0.2.10", f"192-0-2-10.byhand.{D}"),
    ptr("10.244.9.1", f"10-244-9-1.ghost.{D}"),
    ptr("fd00:10:4::1", f"h-0.dualhead.{D}"),
    ptr("fd00:10:4:16::", f"fd00-10-4-16--0.v6head.{D}"),
    ptr("::5:1", f"--5-1.v6head.{D}"),
    # by value, not by spelling
    ptr("fd00:10:4:17::1", f"FD00-10-4-17-0-0-0-1.spelled.{D}"),
    # the question's case
    found(f"{DUAL.upper()} PTR", f"@ 5 PTR dual.{D}"),
    found("10.0.96.10.In-Addr.ARPA. PTR", f"@ 5 PTR nginx.{D}"),
    # unknown addresses, pods and slices behind no Service
    nxdomain("1.2.3.4.in-addr.arpa. PTR"),
    nxdomain(f"{rev('10.244.8.1')} PTR"),
    nxdomain(f"{rev('10.96.9.9')} PTR"),
    nxdomain(f"{rev('2001:db8::1')} PTR"),
    nxdomain(f"{rev('198.51.100.1')} PTR"),
    # texts that are no address
    nxdomain("010.0.96.10.in-addr.arpa. PTR"),
    nxdomain("10.00.96.10.in-addr.arpa. PTR"),
    nxdomain("266.0.96.10.in-addr.arpa. PTR"),
    nxdomain("1000.0.96.10.in-addr.arpa. PTR"),
    nxdomain("0x0a.0.96.10.in-addr.arpa. PTR"),
    nxdomain("-1.0.96.10.in-addr.arpa. PTR"),
    nxdomain(r"\+10.0.96.10.in-addr.arpa. PTR"),
    nxdomain(r"\1780.0.96.10.in-addr.arpa. PTR"),
    nxdomain("a.0.96.10.in-addr.arpa. PTR"),
    nxdomain(r"10\.0.96.10.in-addr.arpa. PTR"),
    nxdomain("10/24.0.96.10.in-addr.arpa. PTR"),
    nxdomain("1.10.0.96.10.in-addr.arpa. PTR"),
    nxdomain(f"x.{DUAL} PTR"),
    nxdomain(f"0.{DUAL} PTR"),
    nxdomain(f"0.0.{DUAL} PTR"),
    nxdomain(f"0.0.0.{DUAL} PTR"),
    nxdomain(f"g{DUAL[1:]} PTR"),
    nxdomain(f"00{DUAL[1:]} PTR"),
    nxdomain(f"{MAPPED} PTR"),
    nxdomain("10.0.96.10.ip6.arpa. PTR"),
    # the apex, and partial names: they exist when an address does below them
    nodata("in-addr.arpa. PTR"),
    nodata("ip6.arpa. PTR"),
    *map(nodata, each(("PTR", "A", "TXT", "NS", "SOA"), "10.in-addr.arpa.", "96.10.in-addr.arpa.")),
    nodata("0.96.10.in-addr.arpa. PTR"),
    nodata("244.10.in-addr.arpa. PTR"),
    nodata("2.0.192.in-addr.arpa. PTR"),
    nxdomain("11.in-addr.arpa. PTR"),
    nxdomain("97.10.in-addr.arpa. PTR"),
    nxdomain("2.96.10.in-addr.arpa. PTR"),
    nxdomain("256.in-addr.arpa. PTR"),
    nxdomain("01.in-addr.arpa. PTR"),
    nodata(f"{part('fd00:10:96::20', 1)} PTR"),
    nodata(f"{part('fd00:10:96::20', 16)} PTR"),
    nodata("d.f.ip6.arpa. PTR"),
    nodata("f.ip6.arpa. PTR"),
    nodata("F.ip6.arpa. TXT"),
    nxdomain("e.ip6.arpa. PTR"),
    nxdomain(f"{part('fd00:11:96::20', 16)} PTR"),
    # above nothing but a slice of no Service, there is no record
    nxdomain("8.244.10.in-addr.arpa. PTR"),
    # other types
    *map(
        nodata,
        each(("A", "AAAA", "TXT", "ANY", "HTTPS", "SRV", "NS", "SOA", "CNAME", "MX"), rev("10.96.0.10")),
    ),
    nodata(f"{DUAL} AAAA"),
    *map(nxdomain, each(("A", "TXT", "NS", "SOA"), "1.2.3.4.in-addr.arpa.")),
    # PTR at forward names is an ordinary missing type
    nodata(f"nginx.{D} PTR"),
    nxdomain(f"none.{D} PTR"),
    nodata(f"{Z} PTR"),
    # forward names are not in reverse zones, reverse names not in forward zones
    *map(
        nxdomain,
        each(
            ("A", "PTR"),
            "svc.in-addr.arpa.",
            "pod.in-addr.arpa.",
            "default.svc.in-addr.arpa.",
            "nginx.default.svc.in-addr.arpa.",
            "nginx.default.svc.ip6.arpa.",
        ),
    ),
    nxdomain(f"10.0.96.10.{Z} PTR"),
    nxdomain(f"10.0.96.10.in-addr.arpa.{Z} PTR"),
    found("dns-version.in-addr.arpa. TXT", '@ 28800 TXT "1.1.0"'),
    found("ns.dns.in-addr.arpa. A", "@ 5 A 10.96.0.2"),
)
FILTERED: tuple[Case, ...] = (
    ptr("10.96.0.10", f"nginx.{D}"),
    ptr("10.244.2.1", f"db-0.db.{D}"),
    nxdomain(f"{rev('10.96.1.10')} PTR"),
    nxdomain(f"{rev('10.96.0.2')} PTR"),
    nxdomain(f"{rev('10.244.0.53')} PTR"),
    nxdomain(f"{rev('10.96.1.10')} A"),
    # nor does a partial name tell of addresses that are hidden
    nodata("0.96.10.in-addr.arpa. PTR"),
    nxdomain("1.96.10.in-addr.arpa. PTR"),
    nxdomain("0.244.10.in-addr.arpa. PTR"),
)
SUB_ZONES: tuple[Case, ...] = (
    # the first zone that is not reverse is the one of the targets
    ptr("10.96.0.10", f"nginx.{D}"),
    ptr("fd00:10:96::20", f"dual.{D}"),
    nodata("0.96.10.in-addr.arpa. PTR"),
    nodata("0.0.d.f.ip6.arpa. PTR"),
    nodata("0.1.0.0.0.0.d.f.ip6.arpa. PTR"),
    nxdomain("1.0.0.d.f.ip6.arpa. PTR"),
    nxdomain("9.9.96.10.in-addr.arpa. PTR"),
    error("1.2.244.10.in-addr.arpa. PTR", "REFUSED"),
    found("96.10.in-addr.arpa. SOA", "@ 5 SOA ns.dns.@ hostmaster.@ 1700000000 7200 1800 86400 5".replace(
        ".@", ".96.10.in-addr.arpa."
    )),
)  # fmt: skip
WITHOUT_SLICES: tuple[Case, ...] = (
    ptr("10.96.0.10", f"nginx.{D}"),
    nxdomain(f"{rev('10.244.1.5')} PTR"),
)
NAMED_BY_PODS: tuple[Case, ...] = (ptr("10.244.7.21", f"app-x1z.podnamed.{D}"),)

TABLES = (
    Table("6", MAIN, CASES),
    Table("6", LISTED, FILTERED),
    Table("6", LABELLED, FILTERED),
    Table("6", SEVERAL, SUB_ZONES),
    Table("6", NO_ENDPOINTS, WITHOUT_SLICES),
    Table("6", POD_NAMES, NAMED_BY_PODS),
)
