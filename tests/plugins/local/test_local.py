"""local: localhost and its reverse zones."""

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.local import setup
from dnsserver.plugins.plugin import Plugin
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Rcode, type_name
from tests.plugins.helpers import directive, query, refused, replying, site

PASSED = Reply(plugin="next")


async def answer(plugin: Plugin, name: str, rtype: str, rclass: int = Class.IN) -> str:
    assert plugin.wrap is not None
    assert plugin.leaves_alone is not None
    asked = query(name, rtype, rclass=rclass)
    reply = await plugin.wrap(replying(PASSED))(asked)
    assert reply is not None
    if rclass == Class.IN:
        assert plugin.leaves_alone(asked.question) is (reply is PASSED)
    if reply is PASSED:
        return "next"
    records = [
        f"{names.to_text(record.owner)} {record.ttl} {type_name(record.rtype)}"
        for record in (*reply.answer, *reply.authority)
    ]
    return " ".join([Rcode(reply.rcode).name, *records])


@pytest.mark.parametrize(
    ("name", "rtype", "expected"),
    [
        ("LocalHost.", "A", "NOERROR LocalHost. 604800 A"),
        ("localhost.", "AAAA", "NOERROR localhost. 604800 AAAA"),
        ("localhost.", "NS", "NOERROR localhost. 604800 NS"),
        ("localhost.", "SOA", "NOERROR localhost. 604800 SOA"),
        ("localhost.", "MX", "NOERROR localhost. 604800 SOA"),
        ("a.b.localhost.", "A", "NOERROR a.b.localhost. 604800 A"),
        ("a.localhost.", "MX", "NOERROR a.localhost. 604800 SOA"),
        ("localhost.example.org.", "AAAA", "NOERROR localhost.example.org. 604800 AAAA"),
        ("localhost.example.org.", "MX", "NOERROR localhost.example.org. 604800 SOA"),
        ("1.0.0.127.In-addr.arpa.", "PTR", "NOERROR 1.0.0.127.In-addr.arpa. 604800 PTR"),
        ("1.0.0.127.In-addr.arpa.", "A", "NOERROR 127.In-addr.arpa. 604800 SOA"),
        ("2.0.0.127.in-addr.arpa.", "PTR", "NXDOMAIN 127.in-addr.arpa. 604800 SOA"),
        ("0.0.127.in-addr.arpa.", "PTR", "NOERROR 127.in-addr.arpa. 604800 SOA"),
        ("127.in-addr.arpa.", "A", "NOERROR 127.in-addr.arpa. 604800 SOA"),
        ("0.in-addr.arpa.", "SOA", "NOERROR 0.in-addr.arpa. 604800 SOA"),
        ("255.in-addr.arpa.", "NS", "NOERROR 255.in-addr.arpa. 604800 NS"),
        ("1.255.in-addr.arpa.", "PTR", "NXDOMAIN 255.in-addr.arpa. 604800 SOA"),
        ("localhosts.example.org.", "A", "next"),
        ("www.localhost.example.org.", "A", "next"),
        ("1.10.in-addr.arpa.", "PTR", "next"),
    ],
)
async def test_answers(name: str, rtype: str, expected: str) -> None:
    assert await answer(setup(directive("local"), site()), name, rtype) == expected


@pytest.mark.parametrize(("switch", "expected"), [("on", "NOERROR localhost.a. 604800 A"), ("off", "next")])
async def test_localhost_prefix(switch: str, expected: str) -> None:
    plugin = setup(directive(f"local {{\nlocalhost_prefix {switch}\n}}"), site())
    assert await answer(plugin, "localhost.a.", "A") == expected
    assert await answer(plugin, "a.localhost.", "A") == "NOERROR a.localhost. 604800 A"


async def test_other_classes_are_the_next_plugins() -> None:
    assert await answer(setup(directive("local"), site()), "localhost.", "A", Class.CH) == "next"


async def test_metrics() -> None:
    plugin = setup(directive("local"), site())
    for name in ("localhost.", "a.localhost.", "localhost.a.", "127.in-addr.arpa.", "example.org."):
        await answer(plugin, name, "A")
    assert plugin.metrics is not None
    (family,) = plugin.metrics()
    assert (family.name, family.samples) == ("coredns_local_localhost_requests_total", (((), 2),))


@pytest.mark.parametrize(
    ("text", "line", "error"),
    [
        ("local x", 2, "Wrong argument count or unexpected line ending after 'x'"),
        ("local {\nprefix on\n}", 3, "unknown property 'prefix'"),
        ("local {\nlocalhost_prefix\n}", 3, "Wrong argument count or unexpected line ending after "),
        ("local {\nlocalhost_prefix no\n}", 3, "localhost_prefix expects 'on' or 'off', got \"no\""),
    ],
)
def test_refused(text: str, line: int, error: str) -> None:
    assert refused(setup, text).startswith(f"plugin/local: Corefile:{line} - Error during parsing: {error}")
