"""Headless Services and the names of their endpoints (sections 4.2, 4.3 and 4.5)."""

from tests.answers.case import Case, each, found, nodata, nxdomain
from tests.answers.scene import Table
from tests.answers.scenes import MAIN, POD_NAMES

D = "default.svc.cluster.local."

CASES: tuple[Case, ...] = (
    # 4.2 all slices together, each address once
    found(f"db.{D} A", "@ 5 A 10.244.2.1", "@ 5 A 10.244.2.2", "@ 5 A 10.244.2.3"),
    found(f"overlap.{D} A", "@ 5 A 10.244.3.1", "@ 5 A 10.244.3.2", "@ 5 A 10.244.3.3"),
    found(f"10-244-3-2.overlap.{D} A", "@ 5 A 10.244.3.2"),
    nodata(f"db.{D} AAAA"),
    # Some family exists
    found(f"dualhead.{D} A", "@ 5 A 10.244.4.1"),
    found(f"dualhead.{D} AAAA", "@ 5 AAAA fd00:10:4::1"),
    nodata(f"v6head.{D} A"),
    found(
        f"v6head.{D} AAAA",
        "@ 5 AAAA fd00:10:4:15::2",
        "@ 5 AAAA fd00:10:4:16::",
        "@ 5 AAAA ::5:1",
    ),
    # No ready endpoint, or no slice: every type
    *map(
        nxdomain,
        each(
            ("A", "AAAA", "SRV", "TXT", "MX", "NS", "SOA", "CNAME", "PTR", "ANY", "HTTPS"),
            f"unready.{D}",
            f"noslice.{D}",
        ),
    ),
    nxdomain(f"_http._tcp.unready.{D} SRV"),
    nxdomain(f"_tcp.unready.{D} SRV"),
    # Ports are the slice's; without ports the address resolves and SRV does not
    found(f"_http._tcp.otherport.{D} A", "@ 5 A 10.244.6.21", "@ 5 A 10.244.6.22"),
    found(f"_admin._tcp.otherport.{D} A", "@ 5 A 10.244.6.22"),
    nodata(f"_admin._tcp.otherport.{D} AAAA"),
    found(f"noport.{D} A", "@ 5 A 10.244.6.1"),
    nodata(f"noport.{D} SRV"),
    nxdomain(f"_http._tcp.noport.{D} SRV"),
    found(f"10-244-6-1.noport.{D} A", "@ 5 A 10.244.6.1"),
    nodata(f"10-244-6-1.noport.{D} SRV"),
    found(f"halfports.{D} A", "@ 5 A 10.244.6.11", "@ 5 A 10.244.6.12"),
    found(f"_http._tcp.halfports.{D} A", "@ 5 A 10.244.6.11"),
    # 4.3 one label per endpoint: the hostname
    found(f"db-0.db.{D} A", "@ 5 A 10.244.2.1"),
    nodata(f"db-0.db.{D} AAAA"),
    nodata(f"db-0.db.{D} TXT"),
    nxdomain(f"10-244-2-1.db.{D} A"),
    nxdomain(f"db-2.db.{D} A"),
    # the dashed address
    found(f"10-244-2-3.db.{D} A", "@ 5 A 10.244.2.3"),
    nxdomain(f"10-244-2-03.db.{D} A"),
    nxdomain(rf"10\.244\.2\.3.db.{D} A"),
    found(f"fd00-10-4-15--2.v6head.{D} AAAA", "@ 5 AAAA fd00:10:4:15::2"),
    found(f"FD00-10-4-15--2.v6head.{D} AAAA", "@ 5 AAAA fd00:10:4:15::2"),
    nodata(f"fd00-10-4-15--2.v6head.{D} A"),
    nxdomain(f"fd00-10-4-15-0-0-0-2.v6head.{D} AAAA"),
    found(f"fd00-10-4-16--0.v6head.{D} AAAA", "@ 5 AAAA fd00:10:4:16::"),
    nxdomain(f"fd00-10-4-16--.v6head.{D} AAAA"),
    found(f"--5-1.v6head.{D} AAAA", "@ 5 AAAA ::5:1"),
    nxdomain(f"0--5-1.v6head.{D} AAAA"),
    found(f"fd00-10-4-17-0-0-0-1.spelled.{D} AAAA", "@ 5 AAAA fd00:10:4:17::1"),
    nxdomain(f"fd00-10-4-17--1.spelled.{D} AAAA"),
    # several endpoints, one hostname
    found(f"twin.samehost.{D} A", "@ 5 A 10.244.5.1", "@ 5 A 10.244.5.2"),
    found(f"h-0.dualhead.{D} A", "@ 5 A 10.244.4.1"),
    found(f"h-0.dualhead.{D} AAAA", "@ 5 AAAA fd00:10:4::1"),
    found(f"web-0.cased.{D} A", "@ 5 A 10.244.7.11"),
    # pod names only with the option
    nxdomain(f"app-x1z.podnamed.{D} A"),
    found(f"10-244-7-21.podnamed.{D} A", "@ 5 A 10.244.7.21"),
    # 4.5 one pod behind several Services
    found(f"share-a.{D} A", "@ 5 A 10.244.7.1"),
    found(f"share-b.{D} A", "@ 5 A 10.244.7.1"),
    found(f"10-244-7-1.share-b.{D} A", "@ 5 A 10.244.7.1"),
    *map(nodata, each(("TXT", "MX", "NS", "SOA", "CNAME", "PTR", "HTTPS", "ANY", "DS"), f"db.{D}")),
    *map(nxdomain, each(("A", "SRV", "TXT", "NS", "SOA"), f"x.db-0.db.{D}")),
)
WITH_POD_NAMES: tuple[Case, ...] = (
    found(f"app-x1z.podnamed.{D} A", "@ 5 A 10.244.7.21"),
    nxdomain(f"10-244-7-21.podnamed.{D} A"),
    found(f"podnamed.{D} A", "@ 5 A 10.244.7.21", "@ 5 A 10.244.7.22"),
    # A hostname goes first; without either the address
    found(f"db-0.db.{D} A", "@ 5 A 10.244.2.1"),
    found(f"10-244-2-3.db.{D} A", "@ 5 A 10.244.2.3"),
    # A name with dots: the target that SRV and PTR give is one that resolves
    found(f"app.dotted.podnamed.{D} A", "@ 5 A 10.244.7.22"),
    nodata(f"dotted.podnamed.{D} A"),
    found("22.7.244.10.in-addr.arpa. PTR", f"@ 5 PTR app.dotted.podnamed.{D}"),
    found("21.7.244.10.in-addr.arpa. PTR", f"@ 5 PTR app-x1z.podnamed.{D}"),
)

TABLES = (Table("4.2", MAIN, CASES), Table("4.3", POD_NAMES, WITH_POD_NAMES))
