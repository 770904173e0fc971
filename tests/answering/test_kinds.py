"""The kind of a reply, and whether it answers."""

import pytest

from dnsserver.answering.kinds import Kind, answers, kind_of
from dnsserver.answering.reply import Reply
from dnsserver.wire import names
from dnsserver.wire.codes import Class, type_number
from dnsserver.wire.question import Question
from tests.plugins.cache.stage import ADDRESS, SOA, reply

NS = "test. 600 IN NS ns.test."
ALIAS = "a.test. 300 IN CNAME b.test."


def question(what: str = "a.test. A", rclass: int = Class.IN) -> Question:
    name, rtype = what.split()
    number = type_number(rtype)
    assert number is not None
    return Question(names.from_text(name), number, rclass)


@pytest.mark.parametrize(
    ("came", "kind"),
    [
        (reply(ADDRESS), Kind.SUCCESS),
        (reply(ADDRESS, authority=[SOA]), Kind.SUCCESS),
        (reply(), Kind.SUCCESS),
        (reply(additional=[ADDRESS]), Kind.SUCCESS),
        (reply(authority=[SOA]), Kind.NODATA),
        (reply(authority=[NS, SOA]), Kind.NODATA),
        (reply(authority=[NS]), Kind.DELEGATION),
        (reply(rcode="NXDOMAIN"), Kind.NXDOMAIN),
        (reply(rcode="NXDOMAIN", authority=[NS]), Kind.NXDOMAIN),
        (reply(ALIAS, rcode="NXDOMAIN", authority=[SOA]), Kind.OTHER),
        (reply(rcode="SERVFAIL"), Kind.FAILURE),
        (reply(rcode="NOTIMP"), Kind.FAILURE),
        (reply(ADDRESS, rcode="SERVFAIL"), Kind.FAILURE),
        (reply(rcode="REFUSED"), Kind.OTHER),
        (reply(rcode="FORMERR"), Kind.OTHER),
        (reply(rcode="BADVERS"), Kind.OTHER),
    ],
)
def test_kind(came: Reply, kind: Kind) -> None:
    assert kind_of(question(), came) is kind
    assert kind_of(question("a.test. AXFR"), came) is Kind.TRANSFER
    assert kind_of(question("a.test. IXFR"), came) is Kind.TRANSFER


#: Valid from 2023-11-01 to 2023-12-01 (Unix 1698796800 to 1701388800).
SIGNATURE = "a.test. 30 IN RRSIG A 8 2 30 20231201000000 20231101000000 1 test. AAAA"


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        (None, Kind.SUCCESS),
        (1698796800, Kind.SUCCESS),
        (1701388800, Kind.SUCCESS),
        (1698796799, Kind.OTHER),
        (1701388801, Kind.OTHER),
    ],
)
@pytest.mark.parametrize("section", ["answer", "authority", "additional"])
def test_signatures(at: int | None, kind: Kind, section: str) -> None:
    came = {
        "answer": reply(ADDRESS, SIGNATURE),
        "authority": reply(ADDRESS, authority=[SIGNATURE]),
        "additional": reply(ADDRESS, additional=[SIGNATURE]),
    }[section]
    assert kind_of(question(), came, signed_at=at) is kind


@pytest.mark.parametrize(
    ("what", "came", "answered"),
    [
        ("a.test. A", reply(ADDRESS), True),
        ("A.TEST. A", reply(ADDRESS), True),
        ("a.test. AAAA", reply(ADDRESS), False),
        ("a.test. A", reply("b.test. 30 IN A 192.0.2.1"), False),
        ("a.test. A", reply(), False),
        ("a.test. A", reply(ADDRESS, rcode="NXDOMAIN"), False),
        ("a.test. A", reply(ALIAS), False),
        ("a.test. A", reply("B.test. 30 IN A 192.0.2.1", ALIAS), True),
        ("a.test. A", reply(ALIAS, "b.test. 9 IN CNAME c.test.", "c.test. 9 IN A 192.0.2.1"), True),
        ("a.test. A", reply(ALIAS, "b.test. 9 IN CNAME c.test.", "b.test. 9 IN A 192.0.2.1"), False),
        ("a.test. A", reply(ALIAS, ALIAS.upper().replace("300 IN CNAME", "9 IN CNAME")), False),
        ("a.test. A", reply(ALIAS, "b.test. 9 IN CNAME a.test.", ADDRESS), False),
        ("a.test. A", reply("a.test. 9 IN CNAME a.test.", ADDRESS), False),
        ("a.test. A", reply(ALIAS, "a.test. 9 IN CNAME c.test.", "b.test. 9 IN A 192.0.2.1"), False),
        ("a.test. CNAME", reply(ALIAS), True),
        ("a.test. CNAME", reply(ALIAS, "a.test. 9 IN CNAME c.test."), False),
        ("a.test. CNAME", reply(ADDRESS), False),
        ("a.test. ANY", reply(ALIAS), True),
        ("a.test. ANY", reply("b.test. 30 IN A 192.0.2.1"), False),
    ],
)
def test_answers(what: str, came: Reply, answered: bool) -> None:
    assert answers(question(what), came) is answered


@pytest.mark.parametrize(("rclass", "answered"), [(Class.IN, True), (Class.ANY, True), (Class.CH, False)])
def test_records_of_another_class_answer_nothing(rclass: int, answered: bool) -> None:
    assert answers(question(rclass=rclass), reply(ADDRESS)) is answered
