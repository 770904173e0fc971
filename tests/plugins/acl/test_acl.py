"""acl: who may ask what."""

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.observability.families import Family
from dnsserver.plugins.acl import setup
from dnsserver.plugins.plugin import Plugin
from tests.plugins.helpers import directive, query, refused, replying, site

PASSED = Reply(plugin="next")


def acl(text: str) -> Plugin:
    return setup(directive(text), site())


async def outcome(plugin: Plugin, name: str, rtype: str, client: str) -> str:
    assert plugin.wrap is not None
    assert plugin.leaves_alone is not None
    asked = query(name, rtype, client=client)
    reply = await plugin.wrap(replying(PASSED))(asked)
    if plugin.leaves_alone(asked.question):
        assert reply is PASSED
    if reply is None:
        return "dropped"
    return "passed" if reply is PASSED else f"{reply.rcode} {[data[:2].hex() for _, data in reply.options]}"


BLOCKED, FILTERED = "5 ['000f']", "0 ['0011']"


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("acl {\nblock\n}", "example.org. A 10.1.2.3", BLOCKED),
        ("acl {\nFILTER\n}", "example.org. A 10.1.2.3", FILTERED),
        ("acl {\ndrop\n}", "example.org. A 10.1.2.3", "dropped"),
        ("acl {\n}", "example.org. A 10.1.2.3", "passed"),
        ("acl {\nallow\nblock\n}", "example.org. A 10.1.2.3", "passed"),
        ("acl example.org {\nblock\n}", "www.EXAMPLE.org. A 10.1.2.3", BLOCKED),
        ("acl example.org {\nblock\n}", "example.net. A 10.1.2.3", "passed"),
        ("acl {\nblock type A AAAA\n}", "example.org. AAAA 10.1.2.3", BLOCKED),
        ("acl {\nblock type A AAAA\n}", "example.org. MX 10.1.2.3", "passed"),
        ("acl {\nblock type *\n}", "example.org. MX 10.1.2.3", BLOCKED),
        ("acl {\nblock type A type MX\n}", "example.org. MX 10.1.2.3", BLOCKED),
        ("acl {\nblock type A type MX\n}", "example.org. A 10.1.2.3", BLOCKED),
        ("acl {\nblock type A type *\n}", "example.org. TXT 10.1.2.3", BLOCKED),
        ("acl {\nblock net 10.1.0.0/16\n}", "example.org. A 10.1.2.3", BLOCKED),
        ("acl {\nblock net 10.1.0.0/16\n}", "example.org. A 10.2.2.3", "passed"),
        ("acl {\nblock net 10.1.0.0/16 net 10.2.2.3\n}", "example.org. A 10.1.2.3", BLOCKED),
        ("acl {\nblock net 10.1.0.0/16 net 10.2.2.3\n}", "example.org. A 10.2.2.3", BLOCKED),
        ("acl {\nblock net 10.1.0.0/16 net *\n}", "example.org. A 10.2.2.3", BLOCKED),
        ("acl {\nblock net 10.1.2.3\n}", "example.org. A 10.1.2.3", BLOCKED),
        ("acl {\nblock net 10.1.2.3\n}", "example.org. A 10.1.2.4", "passed"),
        ("acl {\nblock net fe80::/10\n}", "example.org. A fe80::1%eth0", BLOCKED),
        ("acl {\nblock net ::/0\n}", "example.org. A 10.1.2.3", "passed"),
        ("acl {\nallow net 10.1.2.3\nblock net 10.0.0.0/8\n}", "example.org. A 10.1.2.3", "passed"),
        ("acl {\nallow net 10.1.2.3\nblock net 10.0.0.0/8\n}", "example.org. A 10.1.2.4", BLOCKED),
        ("acl {\nallow type A\n}\nacl {\nblock\n}", "example.org. A 10.1.2.3", "passed"),
        ("acl {\nallow type A\n}\nacl {\nblock\n}", "example.org. MX 10.1.2.3", BLOCKED),
    ],
)
async def test_policies(text: str, asked: str, expected: str) -> None:
    assert await outcome(acl(text), *asked.split()) == expected


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("acl {\n}", True),
        ("acl {\nallow net 10.0.0.0/8\nblock\n}", False),
        ("acl {\nallow\nblock\n}", True),
        ("acl {\nallow net 10.0.0.0/8\n}", True),
        ("acl {\nblock type MX\n}", True),
        ("acl example.net {\nblock\n}", True),
        ("acl {\ndrop net 192.0.2.1\n}", False),
    ],
)
def test_what_is_allowed_to_everybody_needs_no_look(text: str, alone: bool) -> None:
    plugin = acl(text)
    assert plugin.leaves_alone is not None
    assert plugin.leaves_alone(query().question) is alone


async def test_metrics() -> None:
    plugin = acl("acl example.org {\nblock type A\nfilter type MX\ndrop type TXT\n}")
    for rtype in ("A", "A", "MX", "TXT", "NS"):
        await outcome(plugin, "www.example.org.", rtype, "10.1.2.3")
    assert plugin.metrics is not None
    found = {family.name: family for family in plugin.metrics() if isinstance(family, Family)}
    zone = ("dns://:0", "example.org.", "")
    assert found["coredns_acl_blocked_requests_total"].samples == ((zone, 2.0),)
    assert found["coredns_acl_filtered_requests_total"].samples == ((zone, 1.0),)
    assert found["coredns_acl_dropped_requests_total"].samples == ((zone, 1.0),)
    allowed = found["coredns_acl_allowed_requests_total"]
    assert (allowed.labels, allowed.samples) == (("server", "view"), ((("dns://:0", ""), 1.0),))


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        ("reject", "unexpected token \"reject\"; expect 'allow', 'block', 'filter' or 'drop'"),
        ("block typ A", "unexpected token \"typ\"; expect 'type | net'"),
        ("block type", 'no token specified in "type" section'),
        ("block net type A", 'no token specified in "net" section'),
        ("block type ABC", 'unexpected token "ABC"; expect legal QTYPE'),
        ("block type a", 'unexpected token "a"; expect legal QTYPE'),
        ("block net 10.0.0.0/33", 'illegal CIDR notation "10.0.0.0/33"'),
        ("block net 10.0.0.0/255.0.0.0", 'illegal CIDR notation "10.0.0.0/255.0.0.0"'),
        ("block net 10.0.0", 'illegal CIDR notation "10.0.0/32"'),
        ("block net x::y", 'illegal CIDR notation "x::y/128"'),
    ],
)
def test_refused(policy: str, error: str) -> None:
    assert (
        refused(setup, f"acl {{\n{policy}\n}}") == f"plugin/acl: Corefile:3 - Error during parsing: {error}"
    )
