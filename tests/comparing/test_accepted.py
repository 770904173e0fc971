"""What is accepted: rows of docs/differences.md, known by their replies; and no more than these."""

import re
from dataclasses import dataclass

import pytest

from dnsserver.comparing.accepted import ROWS, Case, accepted
from dnsserver.comparing.differences import Kind, differences
from dnsserver.comparing.seen import Seen
from dnsserver.wire import names
from tests.comparing.replies import SOA, question, seen
from tests.support.process import REPOSITORY

ZONE = names.from_text("cluster.local")
PAGE = (REPOSITORY / "docs" / "differences.md").read_text()
NS = "10-4-1-1.default.pod"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.matter)
def test_every_row_stands_in_the_page(row: object) -> None:
    assert hasattr(row, "section")
    assert hasattr(row, "matter")
    section = re.search(rf"^## {re.escape(row.section)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None
    firsts = [line.split(" | ")[0].removeprefix("| ") for line in section[1].splitlines()]
    assert any(first.startswith(row.matter) for first in firsts)


@dataclass(frozen=True)
class Example:
    """A question, what CoreDNS and we reply, and the row; "" for none."""

    text: str
    old: str
    new: str
    row: str

    def __str__(self) -> str:
        return self.text

    @property
    def question(self) -> str:
        name, rtype = self.text.split()
        return f"{name} {rtype}" if name.endswith(".") else f"{name}.cluster.local. {rtype}"

    def reply(self, words: str) -> Seen:
        """`NXDOMAIN`, `NODATA`, or RDATA; `CNAME x` in front is an alias."""
        name, rtype = self.question.split()
        rcode = "NXDOMAIN" if "NXDOMAIN" in words else "NOERROR"
        answer = []
        if found := re.match(r"CNAME (\S+) ?", words):
            answer.append(f"{name} 5 IN CNAME {found[1]}")
            words, name = words[found.end() :], found[1]
        if words and words not in ("NXDOMAIN", "NODATA"):
            return seen(self.question, *answer, f"{name} 5 IN {rtype} {words}")
        return seen(self.question, *answer, authority=[SOA], rcode=rcode)


EXAMPLES = (
    Example("svc TXT", "NXDOMAIN", "NODATA", "TXT at"),
    Example("dns-version A", "NXDOMAIN", "NODATA", "other types at `dns-version`"),
    Example("1.0.96.10.in-addr.arpa. A", "NXDOMAIN", "NODATA", "other types at a reverse"),
    Example("96.10.in-addr.arpa. PTR", "NXDOMAIN", "NODATA", "`_tcp"),
    Example("_tcp.web.default.svc A", "NXDOMAIN", "NODATA", "`_tcp"),
    Example("dns AAAA", "NXDOMAIN", "NODATA", "`_tcp"),
    Example("none.default.svc SOA", "NODATA", "NXDOMAIN", "SOA at"),
    Example("ns.dns A", "10.0.0.1", "10.0.0.2", "NS and"),
    Example("cluster.local. NS", "a.cluster.local.", "b.cluster.local.", "NS and"),
    Example("ext.default.svc MX", "NODATA", "CNAME a.example. 10 m.example.", "ExternalName, types"),
    Example(
        "ext.default.svc A", "NODATA", "CNAME v6.default.svc.cluster.local. ", "ExternalName, target in the"
    ),
    Example(
        "ext.default.svc A",
        "NODATA",
        "CNAME no.cluster.local. NXDOMAIN",
        "ExternalName, target in the zone d",
    ),
    Example("_._tcp.web.default.svc SRV", f"0 1 80 {NS}.", "NXDOMAIN", "`_._tcp"),
    Example(f"x.{NS} A", "10.4.1.1", "NXDOMAIN", "names left"),
    Example(f"{NS} SRV", f"0 1 0 {NS}.", "NODATA", "SRV at a pod"),
    Example("web.default.svc.in-addr.arpa. A", "10.0.0.1", "NXDOMAIN", "forward names"),
    Example("a.b.web.default.svc A", "NXDOMAIN", "10.0.0.1", "endpoint names"),
    # Not meant.
    Example("web.default.svc A", "10.0.0.1", "10.0.0.2", ""),
    Example("web.default.svc A", "NXDOMAIN", "NODATA", ""),
    Example("web.default.svc A", "10.0.0.1", "NXDOMAIN", ""),
    Example("web.default.svc AAAA", "NODATA", "NXDOMAIN", ""),
    Example("example.com. TXT", "NODATA", "NXDOMAIN", ""),
    Example("a.web.default.svc A", "NXDOMAIN", "10.0.0.1", ""),
    Example("_http._tcp.web.default.svc SRV", "NODATA", f"0 1 80 {NS}.", ""),
    Example("1.0.96.10.in-addr.arpa. PTR", "web.cluster.local.", "NXDOMAIN", ""),
    Example("www.example.com. A", "NODATA", "CNAME a.example. ", ""),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_example(example: Example) -> None:
    old, new = example.reply(example.old), example.reply(example.new)
    asked = question(example.question)
    found = differences([old], [new], 0)
    assert found
    rows = [accepted(one.kind, Case(asked.name, asked.rtype, ZONE, old, new)) for one in found]
    if example.row:
        assert all(row is not None and row.matter.startswith(example.row) for row in rows)
    else:
        assert rows == [None] * len(rows)


def test_an_answer_where_coredns_owes_one() -> None:
    asked = question("1.0.96.10.in-addr.arpa. PTR")
    denied = seen("1.0.96.10.in-addr.arpa. PTR", authority=[SOA], rcode="NXDOMAIN")
    row = accepted(Kind.NO_REPLY, Case(asked.name, asked.rtype, ZONE, None, denied))
    assert row is not None
    assert accepted(Kind.NO_REPLY, Case(asked.name, asked.rtype, ZONE, denied, None)) is None
