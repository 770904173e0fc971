"""template: which questions it takes, and what it answers."""

from dataclasses import replace

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Plugin
from dnsserver.plugins.template import setup
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Rcode, type_number
from dnsserver.wire.edns import extended_error
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record
from tests.plugins.helpers import FakeServer, address, directive, handler, query, replying, site

NEXT = Reply(rcode=Rcode.REFUSED, plugin="next")
ONE = 'template IN A example.org {\n answer "{{ .Name }} 60 IN A 192.0.2.1"\n'


def shown(record: Record) -> str:
    return f"{names.to_text(record.owner)} {record.ttl} {record.rtype} {record.rdata.head.hex()}"


async def asked(text: str, question: Query | None = None) -> Reply | None:
    return await handler(setup, text, replying(NEXT))(question or query())


async def answered(line: str, question: Query | None = None, options: str = "") -> str:
    """The TXT data that a template *line* makes."""
    text = f'template ANY ANY {{\n answer "x 60 TXT \\"{line}\\""\n {options}\n}}'
    reply = await asked(text, question)
    assert reply is not None
    return reply.error or reply.answer[0].rdata.head[1:].decode()


async def test_answer() -> None:
    reply = await asked(ONE + "}", query("Example.ORG."))
    expected = address("192.0.2.1", ttl=60)
    assert reply == Reply(answer=(expected,), authoritative=True, plugin="template")


@pytest.mark.parametrize(
    "other",
    [query("example.com."), query(rtype="AAAA"), query(rclass=Class.CH)],
    ids=["zone", "type", "class"],
)
async def test_other_questions_go_on(other: Query) -> None:
    assert await asked(ONE + "}", other) == NEXT


async def test_any_is_every_class_and_type() -> None:
    text = "template ANY ANY example.org {\n rcode NXDOMAIN\n}"
    for question in (query(rtype="MX"), query(rclass=Class.CH), query("a.b.example.org.")):
        reply = await asked(text, question)
        assert reply == Reply(rcode=Rcode.NXDOMAIN, authoritative=True, plugin="template")
    assert (await asked(ONE + "}", query(rtype="ANY")) or NEXT).answer


async def test_sections_and_rcode() -> None:
    reply = await asked(
        "template IN A {\n"
        'answer "a. 1 A 192.0.2.1" "a. 1 A 192.0.2.2"\n answer "a. 1 A 192.0.2.3"\n'
        'additional "b. 2 A 192.0.2.4"\n authority "c. 3 A 192.0.2.5"\n rcode YXDOMAIN\n}'
    )
    assert reply is not None
    assert [shown(record) for record in reply.answer] == [f"a. 1 1 c000020{n}" for n in (1, 2, 3)]
    assert [shown(record) for record in reply.additional] == ["b. 2 1 c0000204"]
    assert [shown(record) for record in reply.authority] == ["c. 3 1 c0000205"]
    assert reply.rcode == Rcode.YXDOMAIN


async def test_rcode_servfail_is_servfail_alone() -> None:
    assert await asked('template IN A {\n answer "a. 1 A 192.0.2.1"\n rcode SERVFAIL\n}') == Reply(
        rcode=Rcode.SERVFAIL
    )


async def test_extended_error() -> None:
    for words, text in (("21", ""), ('21 "why so"', "why so")):
        reply = await asked(f"template IN A {{\n ederror {words}\n}}")
        assert reply is not None
        assert reply.options == (extended_error(21, text),)


async def test_without_match_and_fallthrough_servfail() -> None:
    assert await asked(ONE + "match ^nope\n}") == Reply(rcode=Rcode.SERVFAIL)


async def test_fallthrough() -> None:
    assert await asked(ONE + "match ^nope\n fallthrough\n}") == NEXT
    assert await asked(ONE + "match ^nope\n fallthrough example.org\n}") == NEXT
    assert await asked(ONE + "match ^nope\n fallthrough example.com\n}") == Reply(rcode=Rcode.SERVFAIL)


async def test_templates_in_the_order_of_the_file() -> None:
    first = ONE + "match ^a\n fallthrough\n}\n"
    second = ONE.replace("192.0.2.1", "192.0.2.2") + "}"
    for name, last in (("a.example.org.", 1), ("b.example.org.", 2)):
        reply = await asked(first + second, query(name))
        assert reply is not None
        assert shown(reply.answer[0]) == f"{name} 60 1 c000020{last}"


async def test_the_first_pattern_that_is_found_gives_the_groups() -> None:
    text = (
        "template IN A {\n match ^ip-(?P<a>[0-9]+)[.] ^(?P<a>x)[.]\n match ^(.*)$\n"
        'answer "{{ .Name }} {{ .Group.a | len }} A 10.0.0.{{ index .Match 1 }}"\n}'
    )
    reply = await asked(text, query("IP-12.example."))
    assert reply is not None
    assert shown(reply.answer[0]) == "ip-12.example. 2 1 0a00000c"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{{ .Zone }}", "."),
        ("{{ .Name }}", "a.example.org."),
        ("{{ .Class }} {{ .Type }}", "IN A"),
        ("{{ .Remote }}", "10.1.2.3"),
        ("{{ .Question.Name }} {{ .Question.Qtype }} {{ .Question.Qclass }}", "A.example.org. 1 1"),
        ("{{ .Message.Id }} {{ .Message.RecursionDesired }} {{ .Message.Response }}", "4711 true false"),
        ("{{ (index .Message.Question 0).Qtype }}", "1"),
        ("{{ .Regex }}", ".*"),
        ("{{ index .Match 0 }}", "a.example.org."),
    ],
)
async def test_data(line: str, expected: str) -> None:
    assert await answered(line, query("A.example.org.")) == expected


async def test_metadata() -> None:
    text = 'template IN A {\n answer "x 60 TXT {{ .Meta \\"a/b\\" }}1{{ .Meta \\"no/no\\" }}"\n}'
    for labels, expected in (({"a/b": lambda: "v"}, b"v1"), ({}, b"1")):
        reply = await asked(text, replace(query(), labels=labels))
        assert reply is not None
        assert reply.answer[0].rdata.head[1:] == expected


async def test_variables() -> None:
    options = "var n int('2') + 1\n var double n * 2\n var ip client_ip()"
    assert await answered("{{ .Var.double }} {{ .Var.ip }}", options=options) == "6 10.1.2.3"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("expr true", "template"),
        (
            "expr name() == 'example.org.'\n expr type() == 'A'\n expr incidr(client_ip(), '10.0.0.0/8')",
            "template",
        ),
        ("expr true\n expr false\n fallthrough", "next"),
        ("expr false", ""),
        ("expr 1\n fallthrough", "next"),
        ("expr incidr('x', '10.0.0.0/8')\n fallthrough", ""),
        ("match (?P<x>org)\n expr group('x') == 'org' && group(1) == 'org' && group('y') == ''", "template"),
        ("var n size()\n expr n > 20 && port() == '40000' && bufsize() == 512 && !do()", "template"),
        ("expr id() == 4711 && opcode() == 0 && class() == 'IN' && proto() == 'udp'", "template"),
        ("expr server_ip() == '10.96.0.10' && server_port() == '53' && metadata('a/b') == ''", "template"),
    ],
)
async def test_conditions(conditions: str, expected: str) -> None:
    reply = await asked(f"template IN A {{\n {conditions}\n}}")
    assert reply is not None
    assert reply.plugin == expected


async def test_a_cname_is_chased_for_address_types_only() -> None:
    class Server(FakeServer):
        async def resolve(self, query: Query) -> Reply | None:
            self.asked.append(query)
            return Reply(answer=(address("192.0.2.9", "t."),), truncated=True, live=True)

    text = 'template IN ANY {\n answer "{{ .Name }} 60 IN CNAME t." "{{ .Name }} 60 IN TXT a"\n}'
    server = Server()
    reply = await handler(setup, text, server=server)(query())
    assert reply is not None
    assert [record.rtype for record in reply.answer] == [5, 1, 16]
    assert (reply.truncated, reply.live) == (True, True)
    assert [names.to_text(asked.name) for asked in server.asked] == ["t."]
    assert len((await handler(setup, text, server=server)(query(rtype="MX")) or NEXT).answer) == 2
    assert len(server.asked) == 1


async def test_a_cname_to_itself_ends() -> None:
    text = 'template IN A {\n answer "{{ .Name }} 60 IN CNAME a.{{ .Name }}"\n}'

    class Server(FakeServer):
        async def resolve(self, query: Query) -> Reply | None:
            self.asked.append(query)
            return await handler(setup, text, server=self)(query)

    server = Server()
    reply = await handler(setup, text, server=server)(query("a."))
    assert reply is not None
    assert 1 < len(reply.answer) == len(server.asked) + 1 < 12


@pytest.mark.parametrize(
    ("line", "metric"),
    [
        ("{{ index .Match 5 }}", "coredns_template_template_failures_total"),
        ("{{ .Name }} 60 IN A 300.0.0.1", "coredns_template_rr_failures_total"),
        ("{{ if eq 1 2 }}{{ end }}", "coredns_template_rr_failures_total"),
    ],
)
async def test_failures_are_servfail_with_a_reason_and_counted(line: str, metric: str) -> None:
    plugin = setup(directive(f'template IN A {{\n answer "{line}"\n}}'), site())
    assert plugin.wrap is not None
    reply = await plugin.wrap(replying(NEXT))(query())
    assert reply is not None
    assert (reply.rcode, reply.error.startswith("template: answer: ")) == (Rcode.SERVFAIL, True)
    assert samples(plugin)[metric] == [(("dns://:0", ".", "", "IN", "A", "answer", line), 1.0)]


def samples(plugin: Plugin) -> dict[str, list[tuple[tuple[str, ...], float]]]:
    assert plugin.metrics is not None
    return {family.name: list(family.samples) for family in plugin.metrics()}  # type: ignore[arg-type]


async def test_matches_are_counted() -> None:
    plugin = setup(directive("template ANY ANY example.org"), replace(site(), view="v"))
    assert plugin.wrap is not None
    for rtype in ("A", "A", "TYPE65280", "TYPE65281"):
        await plugin.wrap(replying(NEXT))(query(rtype=rtype))
    assert sorted(samples(plugin)["coredns_template_matches_total"]) == [
        (("dns://:0", "example.org.", "v", "IN", ""), 2.0),
        (("dns://:0", "example.org.", "v", "IN", "A"), 2.0),
    ]


@pytest.mark.parametrize(
    ("name", "rtype", "expected"),
    [
        ("kubernetes.default.svc.cluster.local.", "A", True),
        ("a.reddog.microsoft.com.", "A", False),
        ("a.internal.cloudapp.net.", "A", True),
        ("a.b.c.d.internal.cloudapp.net.", "A", False),
        ("x.strict.example.", "A", False),
        ("x.strict.example.", "MX", True),
    ],
)
async def test_leaves_alone(name: str, rtype: str, expected: bool) -> None:
    plugin = setup(
        directive(
            "template ANY ANY internal.cloudapp.net {\n"
            'match "^(?:[^.]+\\.){4,}internal\\.cloudapp\\.net\\.$"\n rcode NXDOMAIN\n fallthrough\n}\n'
            "template ANY ANY reddog.microsoft.com {\n rcode NXDOMAIN\n}\n"
            "template IN A strict.example {\n match nope\n}"
        ),
        site(),
    )
    number = type_number(rtype)
    assert plugin.leaves_alone is not None
    assert number is not None
    assert plugin.wrap is not None
    assert plugin.leaves_alone(Question(names.from_text(name), number)) is expected
    reply = await plugin.wrap(replying(NEXT))(query(name, rtype))
    assert (reply is NEXT) is expected
