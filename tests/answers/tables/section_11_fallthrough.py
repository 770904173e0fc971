"""Fallthrough, the next plugin, and the time before the first lists (sections 2, 11.3 and 13)."""

from tests.answers.case import Case, error, found, nodata, not_ready, nxdomain, refused
from tests.answers.scene import Table
from tests.answers.scenes import (
    FALLTHROUGH,
    FALLTHROUGH_ALL,
    FALLTHROUGH_NOWHERE,
    UNSYNCED,
    UNSYNCED_THROUGH,
)

Z = "cluster.local."
D = f"default.svc.{Z}"


def passed(ask: str, *answer: str, rcode: str = "NOERROR") -> Case:
    """The next plugin's reply, as it is."""
    return Case(ask=ask, answer=answer, rcode=rcode, aa=False)


THROUGH: tuple[Case, ...] = (
    passed("9.9.9.10.in-addr.arpa. PTR", "@ 9 PTR host.example.com."),
    passed("8.9.9.10.in-addr.arpa. PTR", rcode="NXDOMAIN"),
    passed(f"none.{D} A", "@ 9 A 198.51.100.9"),
    passed(f"NONE.{D} A", f"none.{D} 9 A 198.51.100.9"),
    error(f"none.{D} TXT", "REFUSED"),
    # only the zones listed
    nxdomain(f"none.other.svc.{Z} A"),
    nxdomain(f"foo.{Z} A"),
    nxdomain("1.ip6.arpa. PTR"),
    # only names that do not exist
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
    nodata(f"nginx.{D} AAAA"),
    nodata(f"{D} A"),
    nodata("10.0.96.10.in-addr.arpa. A"),
    nodata("10.in-addr.arpa. PTR"),
    found("10.0.96.10.in-addr.arpa. PTR", f"@ 5 PTR nginx.{D}"),
    # the name asked decides, not the end of a chain
    nxdomain(f"tonone.{D} A", f"@ 5 CNAME none.{D}"),
)
EVERYWHERE: tuple[Case, ...] = (
    passed(f"none.{D} A", "@ 9 A 198.51.100.9"),
    passed(f"none.other.svc.{Z} A", "@ 9 A 198.51.100.9"),
    error(f"foo.{Z} A", "REFUSED"),
    nodata(f"{Z} TXT"),
    nodata(f"nginx.{D} AAAA"),
)
NOBODY: tuple[Case, ...] = (
    error(f"none.{D} A", "SERVFAIL", 20),
    error("9.9.9.10.in-addr.arpa. PTR", "SERVFAIL", 20),
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
    nodata(f"nginx.{D} AAAA"),
)
NOT_SYNCED: tuple[Case, ...] = (
    # what is there is answered
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
    nodata(f"nginx.{D} AAAA"),
    nodata(f"{D} A"),
    nodata(f"{Z} A"),
    found("10.0.96.10.in-addr.arpa. PTR", f"@ 5 PTR nginx.{D}"),
    # what is not there may well come
    not_ready(f"none.{D} A"),
    not_ready(f"none.{D} TXT"),
    not_ready(f"none.{D} SOA"),
    not_ready(f"absent.svc.{Z} A"),
    not_ready(f"foo.{Z} A"),
    not_ready("None.default.svc.CLUSTER.local. A"),
    not_ready("9.9.9.9.in-addr.arpa. PTR"),
    not_ready(f"10-4-1-32.default.pod.{Z} A"),
    refused(f"none.{D} AXFR"),
)
NOT_SYNCED_THROUGH: tuple[Case, ...] = (
    passed("9.9.9.10.in-addr.arpa. PTR", "@ 9 PTR host.example.com."),
    passed(f"none.{D} A", "@ 9 A 198.51.100.9"),
    not_ready("8.9.9.10.in-addr.arpa. PTR"),
    not_ready("7.9.9.10.in-addr.arpa. PTR"),
    error("6.9.9.10.in-addr.arpa. PTR", "SERVFAIL"),
    not_ready(f"foo.{Z} A"),
    found(f"nginx.{D} A", "@ 5 A 10.96.0.10"),
)

TABLES = (
    Table("11.3", FALLTHROUGH, THROUGH),
    Table("11.3", FALLTHROUGH_ALL, EVERYWHERE),
    Table("11.3", FALLTHROUGH_NOWHERE, NOBODY),
    Table("2", UNSYNCED, NOT_SYNCED),
    Table("2", UNSYNCED_THROUGH, NOT_SYNCED_THROUGH),
)
