"""log: which queries give which lines."""

import itertools
import logging
import struct
import time

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.log import setup
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Flag, Opcode, Rcode, Type
from dnsserver.wire.edns import Edns
from dnsserver.wire.records import Rdata, Record, name_rdata
from tests.plugins.helpers import FakeServer, address, directive, handler, query, replying, site

OWNER = names.from_text("example.org.")
SOA = Record(OWNER, Type.SOA, 5, Rdata(b"", (names.ROOT, names.ROOT), bytes(20)))
NS = Record(OWNER, Type.NS, 5, name_rdata(names.ROOT))
ANSWER = (address("192.0.2.1"),)

FOUND = Reply(answer=ANSWER, authoritative=True)


@pytest.fixture(autouse=True)
def _clock(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """123 microseconds between any two looks at the clock."""
    caplog.set_level(logging.INFO, "dnsserver")
    ticks = itertools.count(0, 123_000)
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(ticks))


async def line(
    caplog: pytest.LogCaptureFixture,
    text: str,
    asked: Query | None = None,
    reply: Reply | None = FOUND,
    now: float = 0,
) -> str:
    """The line for one query; "" for none."""
    caplog.clear()
    assert await handler(setup, text, replying(reply), FakeServer(unix_s=now))(asked or query()) == reply
    assert {(one.name, one.levelno) for one in caplog.records} <= {("dnsserver.queries", logging.INFO)}
    return "\n".join(record.getMessage() for record in caplog.records)


async def test_common(caplog: pytest.LogCaptureFixture) -> None:
    expected = '10.1.2.3:40000 - 4711 "A IN example.org. udp 29 false 512" NOERROR qr,aa,rd 56 0.000123s'
    assert await line(caplog, "log", query("Example.ORG.")) == expected
    assert await line(caplog, "log . {common}", query("Example.ORG.")) == expected


async def test_combined(caplog: pytest.LogCaptureFixture) -> None:
    asked = query(protocol="tcp", client="2001:db8::1", edns=Edns(1232, do=True), opcode=Opcode.NOTIFY)
    assert await line(caplog, "log . {combined}", asked) == (
        '[2001:db8::1]:40000 - 4711 "A IN example.org. tcp 40 true 65535" NOERROR qr,aa 56 0.000123s "4"'
    )


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("{type}", "TYPE65280"),
        ("{name}", "a\\.b.example."),
        ("{class}", "CH"),
        ("{proto}", "udp"),
        ("{size}", "40"),
        ("{remote}", "10.1.2.3"),
        ("{port}", "40000"),
        ("{local}", "10.96.0.10"),
        ("{>id}", "4711"),
        ("{>opcode}", "0"),
        ("{>do}", "false"),
        ("{>bufsize}", "1232"),
        ("{rcode}", "NOERROR"),
        ("{>rflags}", "qr,aa,rd,cd"),
        ("{rsize}", "67"),
        ("{duration}", "0.000123s"),
        ("{/kubernetes/client-pod-name}", "-"),
        ("{unknown} {} { {type} }", "{unknown} {} { TYPE65280 }"),
        ("} {type", "} {type"),
        ("{type}{type}", "TYPE65280TYPE65280"),
        ("{%s} %d", "{%s} %d"),
    ],
)
async def test_placeholders(form: str, text: str, caplog: pytest.LogCaptureFixture) -> None:
    asked = query("A\\.b.Example.", "TYPE65280", rclass=Class.CH, edns=Edns(1232), flags=Flag.RD | Flag.CD)
    assert await line(caplog, f'log . "{form}{{x"', asked) == text + "{x"


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply(recursion_available=True, authentic=True, truncated=True), "NOERROR qr,tc,rd,ra,ad 29"),
        (Reply(answer=ANSWER * 100), "NOERROR qr,tc,rd 509"),
        (Reply(rcode=Rcode.SERVFAIL, error="no upstream"), "SERVFAIL qr,rd 29"),
        (Reply(rcode=Rcode.NXDOMAIN), "NXDOMAIN qr,rd 29"),
        (Reply(rcode=12), "12 qr,rd 29"),
        (None, "- - 0"),
    ],
)
async def test_replies(reply: Reply | None, text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert await line(caplog, 'log . "{rcode} {>rflags} {rsize}"', reply=reply) == text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0s"), (50, "0.00000005s"), (1_500_000_000, "1.5s"), (20_000_000_000, "20s")],
)
async def test_durations(
    nanoseconds: int, text: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(0, nanoseconds) if nanoseconds else itertools.repeat(0)
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(ticks))
    assert await line(caplog, "log . {duration}") == text


def signature(inception: int, expiration: int) -> Reply:
    rdata = Rdata(struct.pack("!HBBLLLH", 1, 13, 2, 300, expiration, inception, 9) + b"\0sig")
    return Reply(answer=(*ANSWER, Record(OWNER, 46, 300, rdata)))


NOW = 1_700_000_000
EDNS_DO = query(edns=Edns(1232, do=True))


@pytest.mark.parametrize(
    ("asked", "reply", "cls"),
    [
        (query(), Reply(answer=ANSWER), "success"),
        (query(), Reply(), "success"),
        (query(), Reply(authority=(NS,)), "success"),
        (query(), Reply(answer=ANSWER, authority=(SOA,)), "success"),
        (query(), Reply(authority=(SOA,)), "denial"),
        (query(), Reply(rcode=Rcode.NXDOMAIN, authority=(SOA,)), "denial"),
        (query(), Reply(rcode=Rcode.NXDOMAIN), "denial"),
        (query(), Reply(rcode=Rcode.NXDOMAIN, answer=ANSWER), "error"),
        (query(), Reply(rcode=Rcode.SERVFAIL), "error"),
        (query(), Reply(rcode=Rcode.NOTIMP), "error"),
        (query(), Reply(rcode=Rcode.REFUSED), "error"),
        (query(), Reply(rcode=Rcode.FORMERR), "error"),
        (query(), Reply(rcode=Rcode.SERVFAIL, answer=ANSWER), "error"),
        (query(), None, "error"),
        (query(rtype="AXFR"), Reply(answer=ANSWER), "error"),
        (query(rtype="IXFR"), Reply(answer=ANSWER), "error"),
        (query(opcode=Opcode.NOTIFY), Reply(answer=ANSWER), "error"),
        (EDNS_DO, signature(NOW - 10, NOW + 10), "success"),
        (EDNS_DO, signature(NOW - 20, NOW - 10), "error"),
        (EDNS_DO, signature(NOW + 10, NOW + 20), "error"),
        (query(edns=Edns(1232)), signature(NOW - 20, NOW - 10), "success"),
    ],
)
async def test_classes(asked: Query, reply: Reply | None, cls: str, caplog: pytest.LogCaptureFixture) -> None:
    for one in ("success", "denial", "error"):
        shown = await line(caplog, f'log . "{{name}}" {{\nclass {one}\n}}', asked, reply, now=NOW)
        assert shown == ("example.org." if one == cls else "")
    assert await line(caplog, 'log . "{name}" {\nclass all\n}', asked, reply, now=NOW) == "example.org."


TWO_RULES = 'log a.test b.test "first {name}" {\nclass denial\n}\nlog test "second {name}"'


@pytest.mark.parametrize(
    ("name", "reply", "expected"),
    [
        ("x.A.test.", Reply(rcode=Rcode.NXDOMAIN), "first x.a.test."),
        ("b.test.", Reply(rcode=Rcode.NXDOMAIN), "first b.test."),
        ("b.test.", Reply(answer=ANSWER), ""),
        ("c.test.", Reply(answer=ANSWER), "second c.test."),
        ("xa.test.", Reply(answer=ANSWER), "second xa.test."),
        ("example.", Reply(answer=ANSWER), ""),
    ],
)
async def test_first_rule_with_the_name_decides(
    name: str, reply: Reply, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await line(caplog, TWO_RULES, query(name), reply) == expected


def signed(rcode: Rcode = Rcode.NOERROR) -> Reply:
    signature = Record(OWNER, Type.RRSIG, 5, Rdata(bytes(18), (names.ROOT,), b""))
    return Reply(rcode=rcode, answer=(*ANSWER, signature))


@pytest.mark.parametrize(
    ("text", "reply", "watched"),
    [
        ("log . {\nclass error\n}", FOUND, False),
        ("log . {\nclass error\n}", Reply(rcode=Rcode.NXDOMAIN, authority=(SOA,)), False),
        ("log . {\nclass error\n}", Reply(rcode=Rcode.SERVFAIL), True),
        ("log . {\nclass error\n}", Reply(rcode=Rcode.REFUSED), True),
        ("log . {\nclass error\n}", signed(), True),  # it may have expired for clients that want to know
        ("log . {\nclass denial\n}", signed(), False),
        ("log . {\nclass denial\n}", Reply(authority=(SOA,)), True),
        ("log . {\nclass success\n}", FOUND, True),
        ("log example.net", FOUND, False),
        ("log example.net\nlog example.org {\nclass success\n}", FOUND, True),
    ],
)
def test_replies_that_are_logged_are_watched(text: str, reply: Reply, watched: bool) -> None:
    """The others may go out without the chain."""
    plugin = setup(directive(text), site())
    assert plugin.watches is not None
    assert plugin.watches(query("Example.ORG.").question, reply) is watched
