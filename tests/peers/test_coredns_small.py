"""Small plugins: replies and log lines of CoreDNS 1.14.7, but for what docs/differences.md lists.

Both servers have the same Corefile and the same files; each question is put to both.
"""

import asyncio
import itertools
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.asyncquery
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from tests.support.process import environment, free_port

#: Seconds. For a server to start; for a reply, where one is due; for one that is not due.
START_S, REPLY_S, SILENCE_S = 30.0, 5.0, 0.5
TYPES = "A AAAA CNAME NS SOA PTR MX TXT SRV ANY HTTPS DS HINFO".split()
#: Asked without EDNS, with it, with DO, AD and CD, and with NSID; the others without.
IN_MANY_WAYS = ("A", "AAAA", "TXT", "HINFO")
NSID = dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")

HOSTS = """\
# comment
192.0.2.1 one.example.org one
192.0.2.2\tTWO.example.org. two # behind
2001:db8::1 one.example.org
192.0.2.3 one.example.org
::ffff:192.0.2.9 mapped.example.org
fe80::1%eth0 scoped.example.org
192.0.2.4
notanaddress bad.example.org
192.0.2.300 bad2.example.org
192.0.2.5 *.wild.example.org
192.0.2.6 a_b.example.org x--y.example.org xn--bcher-kva.example.org
192.0.2.7 other.test
192.0.2.8 a..b.example.org
127.0.0.1 localhost
"""
ZONE = """\
$ORIGIN example.org.
$TTL 60
@ IN SOA ns hostmaster 1 7200 3600 1209600 60
@ IN NS ns
ns IN A 192.0.2.53
four IN A 198.51.100.1
four IN A 198.51.100.2
six IN AAAA 2001:db8::6
six IN A 198.51.100.6
alias IN CNAME four
out IN CNAME elsewhere.test.
dangling IN CNAME nope
text IN TXT "one" "two"
mx IN MX 10 four
*.w IN A 198.51.100.7
sub IN NS ns.sub
ns.sub IN A 192.0.2.54
"""


@dataclass(frozen=True)
class Case:
    """A server block (in `.:PORT`), and what is asked of it. *silent*: some queries get no reply. *listed*: where
    docs/differences.md says that the replies differ, by query and CoreDNS's reply."""

    name: str
    block: str
    names: Sequence[str]
    types: Sequence[str] = tuple(TYPES)
    classes: Sequence[str] = ("IN",)
    silent: bool = False
    listed: Callable[[dns.message.Message], bool] = lambda _query: False


NAMES = (
    "one.example.org TWO.example.org two.example.org two one mapped.example.org scoped.example.org "
    "bad.example.org bad2.example.org x.wild.example.org wild.example.org y.x.wild.example.org "
    "*.wild.example.org a_b.example.org x--y.example.org other.test nope.example.org example.org . org "
    "localhost a.b.example.org inline.example.org INLINE.example.org"
).split()
REVERSE = (
    "1.2.0.192.in-addr.arpa 2.2.0.192.in-addr.arpa 5.2.0.192.in-addr.arpa 9.2.0.192.in-addr.arpa "
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa "
    "1.0.0.127.in-addr.arpa 2.0.192.in-addr.arpa 001.2.0.192.in-addr.arpa 9.9.9.9.in-addr.arpa in-addr.arpa "
    "x.1.2.0.192.in-addr.arpa"
).split()
INLINE = "192.0.2.77 inline.example.org\n2001:db8::77 inline.example.org\n"
LOCAL = (
    "localhost LOCALHOST x.localhost a.b.localhost localhost.example.org LocalHost.Example.org notlocalhost "
    "localhostx. 127.in-addr.arpa 1.0.0.127.in-addr.arpa 2.0.0.127.in-addr.arpa 0.in-addr.arpa 255.in-addr.arpa "
    "5.255.in-addr.arpa 1.in-addr.arpa . example.org"
).split()
ZONED = (
    "example.org four.example.org six.example.org alias.example.org out.example.org dangling.example.org "
    "text.example.org mx.example.org x.w.example.org nope.example.org sub.example.org x.sub.example.org "
    "FOUR.example.org other.test"
).split()
CHAOS = (
    "version.bind VERSION.bind version.server hostname.bind id.server authors.bind "
    "x.version.bind bind example.org"
).split()

WITHOUT_ANY = tuple(rtype for rtype in TYPES if rtype != "ANY")


def of_zone(query: dns.message.Message) -> bool:
    """An alias of a name that has no such type, or that lies elsewhere: the NS records are left out."""
    question = query.question[0]
    label, rtype = question.name.labels[0], dns.rdatatype.to_text(question.rdtype)
    return label == b"out" or (label == b"alias" and rtype not in ("A", "CNAME"))


def of_dns64(query: dns.message.Message) -> bool:
    """Clients that check signatures, and names whose A records end in NXDOMAIN."""
    question = query.question[0]
    checks = query.ednsflags & dns.flags.DO and query.flags & dns.flags.CD
    dangling = question.name.to_text().startswith("dangling.")
    return of_zone(query) or (question.rdtype == dns.rdatatype.AAAA and bool(checks or dangling))


CASES = (
    Case("hosts", "hosts HOSTS", NAMES + REVERSE),
    Case("hosts zones", "hosts HOSTS example.org", NAMES + REVERSE),
    Case("hosts inline", f"hosts HOSTS example.org {{\n{INLINE} ttl 5\n}}", NAMES + REVERSE),
    Case("hosts no_reverse", f"hosts HOSTS {{\n{INLINE} no_reverse\n}}", NAMES + REVERSE),
    Case("hosts fallthrough", f"hosts HOSTS {{\n{INLINE} fallthrough\n}}\nwhoami", NAMES + REVERSE),
    Case("hosts fallthrough zone", "hosts HOSTS {\nfallthrough test\n}\nwhoami", NAMES + REVERSE),
    Case(
        "hosts unsupported", "hosts HOSTS {\nfallthrough\nfallthrough_unsupported\n}\nwhoami", NAMES + REVERSE
    ),
    Case("local", "local\nwhoami", LOCAL),
    Case("local off", "local {\nlocalhost_prefix off\n}\nwhoami", LOCAL),
    Case("chaos", "chaos v1 zoe amy", CHAOS, classes=("IN", "CH", "HS", "ANY", "NONE")),
    Case("any", "any\nwhoami", ZONED),
    Case("nsid", "nsid some text\nwhoami", ZONED[:3]),
    Case("nsid, file", "nsid some text\nfile ZONE example.org", ZONED[:-1], WITHOUT_ANY, listed=of_zone),
    Case("acl block", "acl {\nblock type A net 127.0.0.0/8\n}\nwhoami", ZONED),
    Case("acl filter", "acl example.org {\nfilter type AAAA TXT\nallow net 10.0.0.0/8\n}\nwhoami", ZONED),
    Case("acl drop", "acl {\ndrop type MX\n}\nwhoami", ZONED[:2], silent=True),
    Case("acl order", "acl example.org {\nallow type A net 127.0.0.1\nblock\n}\nwhoami", ZONED),
    Case("acl two", "acl example.org {\nallow\n}\nacl {\nblock type *\n}\nwhoami", ZONED),
    Case(
        "acl refused net",
        "acl {\nblock type A net 10.0.0.0/8 2001:db8::/32\nfilter type * net *\n}\nwhoami",
        ZONED,
    ),
    Case("dns64", "dns64 {\nallow_ipv4\n}\nfile ZONE example.org", ZONED, WITHOUT_ANY, listed=of_dns64),
    Case(
        "dns64 prefix",
        "dns64 {\nprefix 2001:db8:64::/48\nallow_ipv4\n}\nfile ZONE example.org",
        ZONED,
        WITHOUT_ANY,
        listed=of_dns64,
    ),
    Case(
        "dns64 all",
        "dns64 {\nallow_ipv4\ntranslate_all\n}\nfile ZONE example.org",
        ZONED,
        WITHOUT_ANY,
        listed=of_dns64,
    ),
    Case("dns64 by IPv4", "dns64\nfile ZONE example.org", ZONED, WITHOUT_ANY, listed=of_zone),
    Case("loadbalance", "loadbalance\nfile ZONE example.org", ZONED, WITHOUT_ANY, listed=of_zone),
    Case(
        "loadbalance prefer",
        "loadbalance {\nprefer 198.51.100.2/32 2001:db8::/32\n}\nfile ZONE example.org",
        ZONED,
        WITHOUT_ANY,
        listed=of_zone,
    ),
    Case("header query", "header {\nquery set aa\n}\nwhoami", ZONED[:2]),
    Case("header response", "header {\nresponse set ra aa\nresponse clear rd\n}\nwhoami", ZONED[:2]),
    Case(
        "header file",
        "header {\nresponse clear aa\n}\nfile ZONE example.org",
        ZONED,
        WITHOUT_ANY,
        listed=of_zone,
    ),
    Case("minimal", "minimal\nfile ZONE example.org", ZONED, WITHOUT_ANY, listed=of_zone),
    Case("whoami", "whoami", ZONED[:3]),
    Case("erratic", "erratic {\ndrop 0\n}", ZONED[:3]),
    Case("erratic large", "erratic {\nlarge\ndrop 0\n}", ZONED[:3]),
    Case("bufsize", "bufsize 600\nfile ZONE example.org", ZONED[:6], WITHOUT_ANY, listed=of_zone),
    Case("nothing", "errors", ZONED[:3], classes=("IN", "CH", "HS")),
)


def files(folder: Path, text: str) -> str:
    return text.replace("HOSTS", str(folder / "hosts")).replace("ZONE", str(folder / "zone"))


@dataclass
class Running:
    """A server that answers at *port*; what it has printed is in *log*."""

    port: int
    log: Path


@asynccontextmanager
async def running(command: Sequence[str], block: str, folder: Path, more: str = "") -> AsyncIterator[Running]:
    port = free_port()
    corefile, log = folder / f"{port}.Corefile", folder / f"{port}.log"
    corefile.write_text(f".:{port} {{\nbind 127.0.0.1\n{files(folder, block)}\n}}\n{more}")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, "-conf", str(corefile), stdout=output, stderr=output, env=environment(), cwd=folder
        )
        try:
            async with asyncio.timeout(START_S):
                while not await _answers(port):
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.05)
            yield Running(port, log)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _answers(port: int) -> bool:
    """An opcode that no plugin sees gets NOTIMP or FORMERR by both."""
    query = dns.message.make_query("start.test", "A")
    query.set_opcode(dns.opcode.STATUS)
    try:
        await dns.asyncquery.udp(query, "127.0.0.1", port=port, timeout=0.5)
    except (OSError, dns.exception.Timeout):
        return False
    return True


@asynccontextmanager
async def both(block: str, folder: Path) -> AsyncIterator[tuple[Running, Running]]:
    """CoreDNS and this server."""
    (folder / "hosts").write_text(HOSTS)
    (folder / "zone").write_text(ZONE)
    own = (sys.executable, "-m", "dnsserver", "--workers", "0")
    async with (
        running((os.environ["COREDNS"],), block, folder) as theirs,
        running(own, block, folder) as ours,
    ):
        yield theirs, ours


def queries(case: Case) -> Iterator[dns.message.Message]:
    for name, rtype, rclass in itertools.product(case.names, case.types, case.classes):
        yield dns.message.make_query(name, rtype, rclass)
        if rtype in IN_MANY_WAYS:
            yield dns.message.make_query(name, rtype, rclass, use_edns=0)
            checking = dns.message.make_query(name, rtype, rclass, want_dnssec=True)
            checking.flags |= dns.flags.CD | dns.flags.AD
            yield checking
            named = dns.message.make_query(name, rtype, rclass, use_edns=0, options=[NSID])
            named.flags &= ~dns.flags.RD
            yield named


async def asked(
    query: dns.message.Message, port: int, how: str, *, silent: bool
) -> dns.message.Message | None:
    ask = dns.asyncquery.udp if how == "udp" else dns.asyncquery.tcp
    try:
        return await ask(query, "127.0.0.1", port=port, timeout=SILENCE_S if silent else REPLY_S)
    except (dns.exception.Timeout, EOFError):
        return None


def shown(reply: dns.message.Message | None, query: dns.message.Message) -> object:
    """What is compared: all but the order of records, the spelling of owners, the port that *whoami* tells, options
    and DO bit in replies to queries without, and options given back as they came."""
    if reply is None:
        return "silence"
    sections = [
        sorted(_shown_record(rrset, item) for rrset in section for item in rrset)
        for section in (reply.answer, reply.authority, reply.additional)
    ]
    options = [
        option.to_text() for option in reply.options if query.edns >= 0 and option.to_text() != "NSID "
    ]
    do = bool(reply.ednsflags & query.ednsflags & dns.flags.DO)
    return dns.rcode.to_text(reply.rcode()), dns.flags.to_text(reply.flags), do, sorted(options), sections


def _shown_record(rrset: dns.rrset.RRset, item: dns.rdata.Rdata) -> str:
    data = "PORT" if rrset.rdtype == dns.rdatatype.SRV else item.to_text()
    rtype, rclass = dns.rdatatype.to_text(rrset.rdtype), dns.rdataclass.to_text(rrset.rdclass)
    return f"{rrset.name.to_text().lower()} {rrset.ttl} {rclass} {rtype} {data}"


@pytest.mark.parametrize("how", ["udp", "tcp"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_replies_are_coredns_replies(case: Case, how: str, tmp_path: Path) -> None:
    differing = []
    async with both(case.block, tmp_path) as (theirs, ours):
        for query in queries(case):
            if case.listed(query):
                continue
            one, two = await asyncio.gather(
                asked(query, theirs.port, how, silent=case.silent),
                asked(query, ours.port, how, silent=case.silent),
            )
            left, right = shown(one, query), shown(two, query)
            if left != right:
                differing.append(
                    f"{query.question[0]} {query.ednsflags:x}\n  theirs {left}\n  ours   {right}"
                )
    assert not differing, f"{len(differing)}\n" + "\n".join(differing)


PLACEHOLDERS = (
    "type class name proto size remote local >id >opcode >do >bufsize rcode >rflags /none nope >nope common"
).split()
FORMAT = " | ".join(f"{{{each}}}" for each in PLACEHOLDERS) + " } { {{type} {type}} {"
LOGGED = (
    f'log . "{FORMAT}"\nfile ZONE example.org\nwhoami',
    "log\nfile ZONE example.org",
    "log example.org other.test\nfile ZONE example.org",
    'log . "{combined}"\nwhoami',
    "log {\nclass denial error\n}\nfile ZONE example.org",
    "log {\nclass success\n}\nfile ZONE example.org",
    "log example.org {\nclass denial\n}\nlog . {\nclass error\n}\nfile ZONE example.org",
    "log\nerrors\nfile ZONE example.org",
    "log\nacl {\nblock type AAAA\nfilter type TXT\n}\nwhoami",
    'errors {\nconsolidate 1h ".*plugin.*" warning show_first\n}\nfile ZONE example.org',
    'errors {\nconsolidate 1h "^no next" info\n}',
)


def told(text: str) -> list[str]:
    """The lines of *log* and *errors*, without what differs by nature: port, octets of the reply, duration."""
    found = []
    for line in text.splitlines():
        line = re.sub(r"^\[(INFO|ERROR|WARNING|DEBUG)\] (?=127\.0\.0\.1:)", r"[\1] ", line)
        line = re.sub(r"127\.0\.0\.1:\d+", "CLIENT", line)
        line = re.sub(r"\d+ \d+(\.\d+)?(e-\d+)?s\b", "SIZE DURATION", line)
        if "plugin/errors" in line or "example.org" in line or "other.test" in line:
            found.append(line)
    return sorted(found)


@pytest.mark.parametrize("block", LOGGED)
async def test_log_lines_are_coredns_lines(block: str, tmp_path: Path) -> None:
    # CoreDNS logs the question that it asks itself for the target of an alias; here nothing is asked.
    names = [name for name in ZONED if not name.startswith("dangling.")]
    case = Case("log", block, names, ("A", "AAAA", "TXT", "MX"))
    async with both(block, tmp_path) as (theirs, ours):
        for how in ("udp", "tcp"):
            for query in queries(case):
                for port in (theirs.port, ours.port):
                    assert await asked(query, port, how, silent=False) is not None
    assert told(ours.log.read_text()) == told(theirs.log.read_text())
