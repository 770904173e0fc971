"""Extended DNS Errors (RFC 8914): each row of docs/extended-errors.md, from servers that are in such trouble."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import dns.message
import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.wire.codes import Rcode
from dnsserver.wire.edns import EXTRA_TEXT_MAX, extended_error, told_cause
from tests.answers.scene import ARRIVAL, dispatcher
from tests.runtime.helpers import ask, eventually, extended_errors, rcode, server_of
from tests.support.process import REPOSITORY, free_port
from tests.support.upstream import Script, closed_port, serving, silent, upstream

DOCS = REPOSITORY / "docs" / "extended-errors.md"
ROW = re.compile(r"\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| `([^`]+)` \|")
#: Rows that other tests show, as each needs a scene of its own.
ELSEWHERE = {
    "too many queries wait for replies to equal ones": "tests/plugins/forward/test_forward_told.py",
    "too many questions to upstreams at a time": "tests/plugins/forward/test_forward_health.py",
    "concurrent queries exceeded maximum N": "tests/plugins/forward/test_forward_health.py",
    "no reply to an equal query in time": "tests/plugins/forward/test_forward_told.py",
    "what is forwarded comes back (plugin loop)": "tests/plugins/loop/test_loop.py",
    "kept by plugin cache, and out of date": "tests/plugins/cache/test_cache_end_to_end.py",
    "a failure that plugin cache keeps": "tests/plugins/cache/test_cache_end_to_end.py",
    "as stored by an earlier run": "dnsserver/plugins/kubernetes/state_answers.py",
    "no list yet of RESOURCES": "tests/runtime/test_start.py",
}


def rows() -> dict[str, tuple[int, str]]:
    """Text to code and RCODE, of the table."""
    return {text: (int(code), rcodes) for code, _, rcodes, _, text in ROW.findall(DOCS.read_text())}


@dataclass(frozen=True)
class Trouble:
    """`corefile` with the ports PORT (ours), UPSTREAM (`script` there) and CLOSED (nobody there); `text` is that of the
    table, `filled` the words for what stands in capitals."""

    text: str
    corefile: str
    name: str = "www.example.org"
    rtype: str = "A"
    rclass: str = "IN"
    tcp: bool = False
    script: Script = silent
    filled: tuple[tuple[str, str], ...] = ()
    zone: str = "."

    def __str__(self) -> str:
        return self.text


FORWARD = "forward . 127.0.0.1:UPSTREAM {\nmax_fails 0\n}"
ZONE_FILE = """\
example.org. 60 IN SOA ns.example.org. me.example.org. 1 60 60 60 60
example.org. 60 IN NS ns.example.net.
"""
TROUBLES = (
    Trouble("no server block has a zone for this name", "whoami", zone="example.net"),
    Trouble(
        "RCODE from ADDRESS",
        FORWARD,
        script=serving(rcode=Rcode.SERVFAIL),
        filled=(("RCODE", "SERVFAIL"), ("ADDRESS", "127.0.0.1:UPSTREAM")),
    ),
    Trouble("no reply in time from ADDRESS", FORWARD, filled=(("ADDRESS", "127.0.0.1:UPSTREAM"),)),
    Trouble(
        "REASON: ADDRESS",
        FORWARD.replace("UPSTREAM", "CLOSED"),
        filled=(("REASON", "connection refused"), ("ADDRESS", "127.0.0.1:CLOSED")),
    ),
    Trouble("no answer in the time that plugin cancel gives", f"cancel 10ms\n{FORWARD}"),
    Trouble("the name is not among those of plugin hosts", "hosts {\n192.0.2.1 other.test\n}"),
    Trouble(
        "plugin rewrite makes an invalid name of it",
        f"rewrite name regex (.*) {'a' * 64}.test\nwhoami",
    ),
    Trouble(
        "plugin template could not make the records",
        'template IN A {\nanswer "{{ .Name }} 60 IN A nonsense"\n}',
    ),
    Trouble("the CNAMEs lead back, or go on too long", "file db.org example.org\nfile db.net example.net"),
    Trouble(
        "zone ZONE has not been loaded",
        "secondary example.org {\ntransfer from 127.0.0.1:CLOSED\n}",
        filled=(("ZONE", "example.org."),),
    ),
    Trouble("refused by plugin acl", "acl {\nblock\n}\nwhoami"),
    Trouble("records left out by plugin acl", "acl {\nfilter\n}\nwhoami"),
    Trouble(
        "this client is none that plugin transfer names",
        "file db.org example.org\ntransfer {\nto 192.0.2.1\n}",
        "example.org",
        "AXFR",
        tcp=True,
    ),
    Trouble(
        "IXFR without the SOA record of the zone it has",
        "file db.org example.org\ntransfer {\nto *\n}",
        "example.org",
        "IXFR",
        tcp=True,
    ),
    Trouble(
        "transfers by TCP only: UDP and HTTPS have no room",
        "file db.org example.org\ntransfer {\nto *\n}",
        "example.org",
        "AXFR",
    ),
    Trouble(
        "transfers of this zone are not served", "file db.org example.org", "example.org", "AXFR", tcp=True
    ),
    Trouble("only names of class IN are served", "file db.org example.org", rclass="HS"),
    Trouble("no plugin of the server block answers this name", "acl {\nallow\n}"),
    Trouble(
        "no upstream is healthy",
        "forward . 127.0.0.1:CLOSED {\nmax_fails 1\nfailfast_all_unhealthy_upstreams\n}",
    ),
)


@asynccontextmanager
async def served(trouble: Trouble, folder: Path) -> AsyncIterator[tuple[int, str]]:
    """The port of a server in this trouble, and what it is to say."""
    (folder / "db.org").write_text(ZONE_FILE + "www.example.org. 60 IN CNAME www.example.net.\n")
    (folder / "db.net").write_text(
        ZONE_FILE.replace("example.org", "example.net") + "www.example.net. 60 IN CNAME www.example.org.\n"
    )
    port = free_port()
    async with upstream(trouble.script) as other:
        ports = {"PORT": port, "UPSTREAM": other.port, "CLOSED": closed_port()}

        def filled(text: str) -> str:
            for name, number in ports.items():
                text = text.replace(name, str(number))
            return text

        said = trouble.text
        for name, words in trouble.filled:
            said = said.replace(name, filled(words))
        corefile = filled(f"{trouble.zone}:PORT {{\nbind 127.0.0.1\n{trouble.corefile}\n}}\n")
        async with server_of(corefile, folder):
            yield port, said


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
async def test_clients_with_edns_are_told(trouble: Trouble, tmp_path: Path) -> None:
    code, rcodes = rows()[trouble.text]
    question = (trouble.name, trouble.rtype)
    async with served(trouble, tmp_path) as (port, said):

        async def asked(*, edns: bool) -> dns.message.Message:
            return await ask(port, *question, tcp=trouble.tcp, rclass=trouble.rclass, edns=edns)

        async def told() -> list[tuple[int, str]]:
            return extended_errors(await asked(edns=True))

        await eventually(told, [(code, said)])  # at once, but where upstreams have to be found down
        reply, plain = await asked(edns=True), await asked(edns=False)
    assert rcode(reply) in rcodes
    assert len(said.encode()) <= EXTRA_TEXT_MAX
    assert (plain.edns, plain.options, plain.additional) == (-1, (), [])
    assert (plain.flags, plain.answer, plain.authority) == (reply.flags, reply.answer, reply.authority)


async def test_a_bug_is_told_of() -> None:
    async def broken(_query: Query) -> Reply | None:
        raise RuntimeError("a bug")

    front = dispatcher(broken)
    octets = await front.respond(dns.message.make_query("example.org", "A", use_edns=0).to_wire(), ARRIVAL)
    assert octets is not None
    assert extended_errors(dns.message.from_wire(octets)) == [(0, "an error inside the server; see its log")]


def test_the_table_is_whole() -> None:
    shown = {trouble.text for trouble in TROUBLES} | {"an error inside the server; see its log"}
    assert shown | ELSEWHERE.keys() == rows().keys()
    for text, place in ELSEWHERE.items():
        words = text.removesuffix(" N").removesuffix(" RESOURCES")
        assert words in (REPOSITORY / place).read_text(), text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("a" * 64, "a" * 64),
        ("a" * 65, "a" * 61 + "\u2026"),
        ("\u00f6" * 33, "\u00f6" * 30 + "\u2026"),
        ("a" + "\U0001f600" * 16, "a" + "\U0001f600" * 15 + "\u2026"),
    ],
    ids=["none", "just", "one more", "two octets each", "four octets each"],
)
def test_texts_are_cut_between_characters(text: str, told: str) -> None:
    _, data = told_cause(0, text)
    assert data[2:].decode() == told
    assert len(data) - 2 <= EXTRA_TEXT_MAX


def test_a_text_that_has_no_room_is_left_out() -> None:
    """Those of other servers may have any length."""
    reply = Reply(rcode=Rcode.SERVFAIL, options=(extended_error(22, "x" * 2000),))
    message = dns.message.make_query("example.org", "A", use_edns=0, payload=512)
    for protocol, kept in (("udp", 0), ("tcp", 1)):
        query = read_query(message.to_wire(), replace(ARRIVAL, protocol=protocol))
        assert isinstance(query, Query)
        octets = encode(reply, query)
        assert len(octets) <= (512 if protocol == "udp" else 65_535)
        found = dns.message.from_wire(octets)
        assert (rcode(found), len(found.options), found.edns) == ("SERVFAIL", kept, 0)
