"""Classes and the end of the chain (section 15); octets and headers are in test_front.py."""

from tests.answers.case import Case, each, error, refused
from tests.answers.scene import Table
from tests.answers.scenes import ALONE, MAIN

Z = "cluster.local."
D = f"default.svc.{Z}"

CLASSES: tuple[Case, ...] = tuple(
    refused(ask)
    for ask in each(
        ("CH A", "CH TXT", "HS A", "ANY A", "CLASS4711 A", "NONE SOA"),
        f"nginx.{D}",
        f"none.{D}",
        Z,
        "10.0.96.10.in-addr.arpa.",
    )
)
NOBODY: tuple[Case, ...] = tuple(
    error(f"www.example.com. {rtype}", "SERVFAIL", 20) for rtype in ("A", "TXT", "AXFR")
)

TABLES = (Table("15", MAIN, CLASSES), Table("15", ALONE, NOBODY))
