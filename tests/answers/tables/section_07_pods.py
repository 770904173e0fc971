"""Pod records (section 7)."""

from tests.answers.case import Case, each, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import PODS_INSECURE, PODS_LISTED, PODS_OFF, PODS_VERIFIED

P = "pod.cluster.local."
D = f"default.{P}"
SIX = f"fd00-10-4-15--9.{D}"

DISABLED: tuple[Case, ...] = (
    *map(nodata, each(("A", "TXT", "SOA"), P)),
    *map(nxdomain, each(("A", "TXT", "SOA"), D, f"absent.{P}", f"10-4-1-32.{D}")),
    nxdomain(f"10-4-1-32.{D} AAAA"),
)
INSECURE: tuple[Case, ...] = (
    nodata(f"{P} A"),
    *map(nodata, each(("A", "AAAA", "TXT", "NS", "SOA", "SRV", "ANY"), D, f"empty.{P}")),
    *map(nxdomain, each(("A", "TXT", "SOA"), f"absent.{P}", f"hidden.{P}")),
    found(f"10-4-1-32.{D} A", "@ 5 A 10.4.1.32"),
    found(f"172-16-0-9.{D} A", "@ 5 A 172.16.0.9"),
    found(f"10-4-1-32.other.{P} A", "@ 5 A 10.4.1.32"),
    found("10-4-1-32.Default.POD.Cluster.local. A", "@ 5 A 10.4.1.32"),
    nxdomain(f"10-4-1-32.absent.{P} A"),
    # text to address
    found(f"{SIX} AAAA", "@ 5 AAAA fd00:10:4:15::9"),
    found(f"fd00-10-4-15-0-0-0-9.{D} AAAA", "@ 5 AAAA fd00:10:4:15::9"),
    found(f"FD00-10-4-15--9.{D} AAAA", "@ 5 AAAA fd00:10:4:15::9"),
    found(f"--1.{D} AAAA", "@ 5 AAAA ::1"),
    found(f"1--2-3.{D} AAAA", "@ 5 AAAA 1::2:3"),
    found(f"fd00--.{D} AAAA", "@ 5 AAAA fd00::"),
    found(f"--.{D} AAAA", "@ 5 AAAA ::"),
    found(f"--ffff-a04-120.{D} A", "@ 5 A 10.4.1.32"),
    nodata(f"--ffff-a04-120.{D} AAAA"),
    nxdomain(f"10-4-1.{D} A"),
    nxdomain(f"10-4-1-256.{D} A"),
    nxdomain(f"10-4-1-032.{D} A"),
    nxdomain(f"10-4-1-32-5.{D} A"),
    nxdomain(f"10-4-1-x.{D} A"),
    nodata(f"10-4--1-32.{D} A"),
    found(f"10-4--1-32.{D} AAAA", "@ 5 AAAA 10:4::1:32"),
    nxdomain(f"name.{D} A"),
    nxdomain(f"fd00-10-4-15--9--1.{D} AAAA"),
    nxdomain(f"g000--1.{D} AAAA"),
    nxdomain(f"fe80--1%eth0.{D} AAAA"),
    nxdomain(f"-.{D} A"),
    nxdomain(f"---.{D} A"),
    nxdomain(rf"10\.4\.1\.32.{D} A"),
    # other families and types
    nodata(f"10-4-1-32.{D} AAAA"),
    nodata(f"{SIX} A"),
    *map(
        nodata, each(("TXT", "MX", "CNAME", "SRV", "NS", "SOA", "PTR", "HTTPS", "ANY"), f"10-4-1-32.{D}", SIX)
    ),
    # nothing is left of a pod name
    nxdomain(f"x.10-4-1-32.{D} A"),
    nxdomain(f"_http._tcp.10-4-1-32.{D} SRV"),
    nxdomain(f"_tcp.10-4-1-32.{D} A"),
    nxdomain(f"a.b.c.10-4-1-32.{D} A"),
    # no PTR
    nxdomain("32.1.4.10.in-addr.arpa. PTR"),
)
VERIFIED: tuple[Case, ...] = (
    nodata(f"{P} A"),
    nodata(f"{D} A"),
    nodata(f"empty.{P} TXT"),
    nxdomain(f"absent.{P} A"),
    nxdomain(f"hidden.{P} A"),
    found(f"10-4-1-32.{D} A", "@ 5 A 10.4.1.32"),
    nodata(f"10-4-1-32.{D} AAAA"),
    nodata(f"10-4-1-32.{D} TXT"),
    nodata(f"10-4-1-32.{D} SRV"),
    nxdomain(f"172-16-0-9.{D} A"),
    # the pod's own namespace only
    nxdomain(f"10-4-1-33.{D} A"),
    found(f"10-4-1-33.other.{P} A", "@ 5 A 10.4.1.33"),
    nxdomain(f"10-4-1-60.hidden.{P} A"),
    # two pods on one address
    found(f"10-4-1-40.{D} A", "@ 5 A 10.4.1.40"),
    # the spelling counts
    found(f"{SIX} AAAA", "@ 5 AAAA fd00:10:4:15::9"),
    nxdomain(f"fd00-10-4-15-0-0-0-9.{D} AAAA"),
    nxdomain(f"--ffff-a04-120.{D} A"),
    # first seen while terminating
    nxdomain(f"10-4-1-50.{D} A"),
    nxdomain(f"x.10-4-1-32.{D} A"),
    nxdomain(f"x.y.10-4-1-32.{D} A"),
    nxdomain("32.1.4.10.in-addr.arpa. PTR"),
)
EXPOSED: tuple[Case, ...] = (
    found(f"10-4-1-32.{D} A", "@ 5 A 10.4.1.32"),
    nxdomain(f"10-4-1-32.other.{P} A"),
    nxdomain(f"other.{P} A"),
)

TABLES = (
    Table("7", PODS_OFF, DISABLED),
    Table("7", PODS_INSECURE, INSECURE),
    Table("7", PODS_VERIFIED, VERIFIED),
    Table("7", PODS_LISTED, EXPOSED),
)
