"""rewrite: what goes on, and what comes back."""

from dataclasses import replace

import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler
from dnsserver.plugins.rewrite import setup
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, class_name, type_name
from dnsserver.wire.edns import Edns
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record, name_rdata, soa_rdata, srv_rdata
from tests.plugins.helpers import FakeServer, address, directive, handler, query, site


class Seen:
    """A handler that notes what it is asked, and answers with records of that name."""

    def __init__(self, reply: Reply | None = None) -> None:
        self.queries: list[Query] = []
        self.reply = reply

    async def __call__(self, query: Query) -> Reply | None:
        self.queries.append(query)
        assert read_query(query.octets, query.arrival) == replace(query, trail=()), (
            "octets that say something else"
        )
        return self.reply or Reply(answer=(address("192.0.2.1", names.to_text(query.question.name)),))

    @property
    def asked(self) -> str:
        question = self.queries[-1].question
        return f"{names.to_text(question.name)} {type_name(question.rtype)} {class_name(question.rclass)}"


async def rewritten(text: str, asked: Query | None = None) -> str:
    seen = Seen()
    await handler(setup, text, seen)(asked or query())
    return seen.asked.removesuffix(" IN").removesuffix(" A")


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [
        ("name Example.org b.C", "EXAMPLE.org.", "b.c."),
        ("name exact example.org b", "example.org.", "b."),
        ("name exact example.org b", "a.example.org.", "a.example.org."),
        ("name prefix a b", "a.example.org.", "b.example.org."),
        ("name prefix a b", "ab.example.org.", "ab.example.org."),
        ("name suffix .example.org .b", "a.example.org.", "a.b."),
        ("name suffix example.org b", "aexample.org.", "ab."),
        ("name substring mid new", "a.mid.c.", "a.new.c."),
        ("name substring mid new", "amidst.c.", "amidst.c."),
        (r"name regex (.*)\.old\.org\.?$ {1}.New.org", "a.b.old.org.", "a.b.new.org."),
        (r"name regex (.*)\.old\.org$ {1}.new.org", "a.old.org.", "a.old.org."),
        ("name regex ^(([a-z]+)-([0-9]+))[.] {3}.{2}.{0}x", "web-7.c.", "7.web.web-7.x."),
        ("type A AAAA", "example.org.", "example.org. AAAA"),
        ("type MX AAAA", "example.org.", "example.org."),
        ("class IN CH", "example.org.", "example.org. A CH"),
    ],
)
async def test_question(rule: str, name: str, expected: str) -> None:
    assert await rewritten(f"rewrite {rule}", query(name)) == expected


async def test_rules_in_the_order_of_the_file() -> None:
    first, second = "name a b", "name b c"
    assert await rewritten(f"rewrite {first}\nrewrite {second}", query("a.")) == "b."
    assert await rewritten(f"rewrite stop {first}\nrewrite {second}", query("a.")) == "b."
    assert await rewritten(f"rewrite continue {first}\nrewrite {second}", query("a.")) == "c."
    assert await rewritten(f"rewrite name x y\nrewrite {second}", query("b.")) == "c."


async def test_rule_in_braces() -> None:
    assert await rewritten("rewrite continue {\n name suffix\n org com\n answer auto\n}") == "example.com."
    assert await rewritten("rewrite {\n name example.org b\n}") == "b."


async def test_a_name_that_is_none() -> None:
    reply = await handler(setup, "rewrite name regex .* a..b", Seen())(query())
    assert reply is not None
    assert (reply.rcode, reply.error[:27]) == (Rcode.SERVFAIL, "invalid name after rewrite:")


def owner(text: str, rtype: int, rdata: Rdata) -> Record:
    return Record(names.from_text(text), rtype, 30, rdata)


def wire(text: str) -> bytes:
    return names.from_text(text)


async def back(rule: str, name: str, *records: Record) -> list[str]:
    """Owner and names of what the client gets for the answer *records*."""
    reply = Reply(answer=records, authority=records, additional=records)
    found = await handler(setup, f"rewrite {rule}", Seen(reply))(query(name))
    assert found is not None
    assert found.answer == found.authority == found.additional
    return [
        " ".join(names.to_text(each) for each in (record.owner, *record.rdata.names))
        for record in found.answer
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("name exact a.old a.new", "a.old. x.a.old."),
        ("name suffix old new answer auto", "A.old. x.a.old."),
        ("name suffix old new", "A.new. x.a.new."),
        ("name prefix a.old a.new answer auto", "a.old. x.a.old."),
        ("name substring old new answer auto", "a.old. x.a.old."),
        ("name regex (.*)\\.old\\.? {1}.new answer auto", "a.old. x.a.old."),
        ("name regex (.*)\\.old\\.? {1}.new", "A.new. x.a.new."),
        ("name regex (.*)\\.old\\.? {1}.new answer name (.*)\\.new\\.? {1}.N", "A.n. x.a.new."),
        ("name regex (.*)\\.old\\.? {1}.new answer value (.*)\\.new\\.? {1}.V", "A.new. x.a.v."),
        ("name exact a.old a.new answer value x\\.(.*)\\. y.{1}", "a.old. y.a.old."),
        ("name suffix old new answer auto answer value x\\.(.*)\\. y.{1}", "A.old. y.a.old."),
        ("name exact a.old a.new answer name .* a..b", "a.old. x.a.old."),
    ],
)
async def test_names_of_replies(rule: str, expected: str) -> None:
    assert await back(rule, "a.old.", owner("A.new.", 5, name_rdata(wire("x.a.new.")))) == [expected]


async def test_values_of_every_type() -> None:
    target, other = wire("t.new."), wire("o.new.")
    naptr = b"\0\1\0\2\1u\3sip\0"
    records = [
        *(owner("a.", rtype, name_rdata(target)) for rtype in (2, 5, 12, 39)),
        owner("a.", 15, Rdata(b"\0\1", (target,))),
        owner("a.", 33, srv_rdata(1, 2, 3, target)),
        owner("a.", 6, soa_rdata(target, other, 1, 2, 3, 4, 5)),
        owner("a.", 35, Rdata(naptr + target)),
        owner("a.", 35, Rdata(b"\0\1\0\2\xff")),
        owner("a.", 17, Rdata(names=(target, other))),
    ]
    reply = Reply(answer=tuple(records))
    found = await handler(setup, "rewrite name suffix old new answer auto", Seen(reply))(query("t.old."))
    assert found is not None
    turned = wire("t.old.")
    assert [record.rdata.names[:1] for record in found.answer[:7]] == [(turned,)] * 7
    assert found.answer[6].rdata.names[1] == other
    assert found.answer[7].rdata.head == naptr + turned
    assert found.answer[8:] == tuple(records[8:])


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [
        ("ttl example.org 5", "example.org.", [5, 5, 5]),
        ("ttl exact example.org 5", "a.example.org.", [1, 60, 900]),
        ("ttl prefix a 5", "a.example.org.", [5, 5, 5]),
        ("ttl suffix example.org 30-300", "a.example.org.", [30, 60, 300]),
        ("ttl substring example -300", "a.example.org.", [1, 60, 300]),
        ("ttl regex ^a 30-", "a.example.org.", [30, 60, 900]),
    ],
)
async def test_ttl(rule: str, name: str, expected: list[int]) -> None:
    records = tuple(address("192.0.2.1", ttl=ttl) for ttl in (1, 60, 900))
    reply = Reply(answer=records, authority=records, additional=records)
    found = await handler(setup, f"rewrite {rule}", Seen(reply))(query(name))
    assert found is not None
    for section in (found.answer, found.authority, found.additional):
        assert [record.ttl for record in section] == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("rcode example.org SERVFAIL NXDOMAIN", Rcode.NXDOMAIN),
        ("rcode exact example.org 2 0", Rcode.NOERROR),
        ("rcode prefix example servfail Refused", Rcode.REFUSED),
        ("rcode suffix org REFUSED NXDOMAIN", Rcode.SERVFAIL),
        ("rcode substring nope SERVFAIL NXDOMAIN", Rcode.SERVFAIL),
        ("rcode regex ^ex SERVFAIL NXDOMAIN", Rcode.NXDOMAIN),
    ],
)
async def test_rcode(rule: str, expected: Rcode) -> None:
    found = await handler(setup, f"rewrite {rule}", Seen(Reply(rcode=Rcode.SERVFAIL)))(query())
    assert found is not None
    assert found.rcode == expected


class Whole(FakeServer):
    """A server that answers every name with one address."""

    async def resolve(self, query: Query) -> Reply | None:
        self.asked.append(query)
        return Reply(answer=(address("192.0.2.7", "t."),), truncated=True, live=True)


@pytest.mark.parametrize(
    ("rule", "target"),
    [
        ("cname b.old. b.new.", "b.new."),
        ("cname exact B.old b.new", "b.new."),
        ("cname prefix b. c.", "c.old."),
        ("cname suffix old. new.", "b.new."),
        ("cname substring ol n", "b.nd."),
        ("cname regex (.*)\\.old\\. {1}.new.", "b.new."),
        ("cname exact x. y.", ""),
    ],
)
async def test_cname(rule: str, target: str) -> None:
    chain = (
        owner("example.org.", 5, name_rdata(wire("a."))),
        owner("a.", 5, name_rdata(wire("B.old."))),
        address("192.0.2.1", "b.old."),
    )
    server = Whole()
    found = await handler(setup, f"rewrite {rule}", Seen(Reply(answer=chain)), server)(query())
    assert found is not None
    if not target:
        assert (found, server.asked) == (Reply(answer=chain), [])
        return
    cname = replace(chain[1], rdata=name_rdata(wire(target)))
    answer = (chain[0], cname, address("192.0.2.7", "t."))
    assert found == Reply(answer=answer, truncated=True, live=True)
    assert [(names.to_text(asked.name), asked.question.rtype) for asked in server.asked] == [(target, 1)]


async def test_cname_rules_that_lead_to_each_other_end() -> None:
    text = "rewrite cname regex (.*) x.{1}"

    class Server(FakeServer):
        async def resolve(self, query: Query) -> Reply | None:
            self.asked.append(query)
            cname = owner(names.to_text(query.name), 5, name_rdata(query.name))
            return await handler(setup, text, Seen(Reply(answer=(cname,))), self)(query)

    server = Server()
    assert await server.resolve(query("a."))
    assert 1 < len(server.asked) < 12


OTHER = (65001, b"other")


@pytest.mark.parametrize(
    ("rule", "sent", "going_on"),
    [
        ("local set 0xffee text", (), ((0xFFEE, b"text"),)),
        ("local set 65518 0x0Aff", ((0xFFEE, b"a"), OTHER), ((0xFFEE, b"\x0a\xff"), OTHER)),
        ("local replace 65518 b", (), None),
        ("local replace 65518 b", ((0xFFEE, b"a"),), ((0xFFEE, b"b"),)),
        ("local append 65518 b", ((0xFFEE, b"a"),), ((0xFFEE, b"a"), (0xFFEE, b"b"))),
        ("local append 65518 {qname}", ((0xFFEE, b"a"),), None),
        ("local append 65518 {qname}", (), ((0xFFEE, b"example.org."),)),
        ("local set 65518 {qtype}", (), ((0xFFEE, b"\0\1"),)),
        ("local set 65518 {client_ip}", (), ((0xFFEE, bytes((10, 1, 2, 3))),)),
        ("local set 65518 {server_ip}", (), ((0xFFEE, bytes((10, 96, 0, 10))),)),
        ("local set 65518 {client_port}", (), ((0xFFEE, b"\x9c\x40"),)),
        ("local set 65518 {server_port}", (), ((0xFFEE, b"\0\x35"),)),
        ("local set 65518 {protocol}", (), ((0xFFEE, b"udp"),)),
        ("local set 65518 {a/b}", (), ((0xFFEE, b"label"),)),
        ("local set 65518 {a/none}", (), None),
        ("local unset 65518", ((0xFFEE, b"a"), OTHER), (OTHER,)),
        ("nsid set", (), ((3, b""),)),
        ("nsid replace", ((3, b"x"),), ((3, b""),)),
        ("nsid append", ((3, b"x"),), ((3, b"x"), (3, b""))),
        ("nsid unset", ((3, b""),), ()),
        ("subnet set 24 56", (), ((8, bytes((0, 1, 24, 0, 10, 1, 2))),)),
        ("subnet append 24 56", ((8, b"x"),), None),
        ("subnet unset", ((8, b"x"), OTHER), (OTHER,)),
    ],
)
async def test_options(rule: str, sent: tuple[tuple[int, bytes], ...], going_on: object) -> None:
    seen = Seen()
    asked = replace(query(edns=Edns(1232, do=True, options=sent)), labels={"a/b": lambda: "label"})
    await handler(setup, f"rewrite edns0 {rule}", seen)(asked)
    expected = asked.edns if going_on is None else replace(asked.edns or Edns(0), options=going_on)  # type: ignore[arg-type]
    assert seen.queries[0].edns == expected


async def test_subnet_of_ipv6_clients() -> None:
    seen = Seen()
    await handler(setup, "rewrite edns0 subnet set 24 49", seen)(query(client="2001:db8:1:ffff::1"))
    assert seen.queries[0].edns == Edns(
        4096, options=((8, bytes.fromhex("00023100") + bytes.fromhex("20010db8000180")),)
    )


@pytest.mark.parametrize(
    ("words", "sent", "shown"),
    [
        ("", (), ((0xFFEE, b"new"),)),
        ("", ((0xFFEE, b"old"),), ((0xFFEE, b"new"),)),
        (" revert", (), ()),
        (" revert", ((0xFFEE, b"old"),), ((0xFFEE, b"old"),)),
    ],
)
async def test_local_options_in_replies(words: str, sent: object, shown: object) -> None:
    asked = query(edns=Edns(1232, options=sent))  # type: ignore[arg-type]
    found = await handler(setup, f"rewrite edns0 local set 0xffee new{words}", Seen())(asked)
    assert found is not None
    assert found.options == shown


async def test_no_reply_stays_none() -> None:
    async def silent(_: Query) -> Reply | None:
        return None

    following: Handler = silent
    assert await handler(setup, "rewrite ttl example.org 5", following)(query()) is None


@pytest.mark.parametrize(
    ("rule", "name", "rtype", "expected"),
    [
        ("name a b", "a.", 1, False),
        ("name a b", "c.", 1, True),
        ("name regex ^a b", "ax.", 1, False),
        ("type A MX", "c.", 1, False),
        ("type A MX", "c.", 28, True),
        ("class CH IN", "c.", 1, True),
        ("class IN CH", "c.", 1, False),
        ("ttl suffix a 5", "x.a.", 1, False),
        ("ttl suffix a 5", "x.b.", 1, True),
        ("rcode suffix a 2 3", "x.a.", 1, False),
        ("cname a b", "c.", 1, False),
        ("edns0 nsid set", "c.", 1, False),
    ],
)
async def test_leaves_alone(rule: str, name: str, rtype: int, expected: bool) -> None:
    plugin = setup(directive(f"rewrite {rule}"), site())
    assert plugin.leaves_alone is not None
    assert plugin.leaves_alone(Question(names.from_text(name), rtype)) is expected
