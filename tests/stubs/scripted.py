"""Servers that do what a scenario says, and what they were asked as comparable lines."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from dnsserver.stubs import Family
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode, Type, rcode_number, type_name
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.limits import MESSAGE_MAX
from dnsserver.wire.message import Message
from dnsserver.wire.records import Record, address_rdata, name_rdata
from dnsserver.wire.writer import MessageWriter

#: The hosts file of every scenario.
HOSTS = """\
127.0.0.1 localhost
::1 localhost
192.0.2.7 legacy Legacy.test # by hand
2001:db8::7 legacy
192.0.2.8 four
"""
SEARCH = "default.svc.cluster.local svc.cluster.local cluster.local"
#: What a server says besides RCODEs and addresses: it has not this type, does not answer, answers with TC, closes the
#: connection, answers with nothing but a header, says nothing and knows nobody who would (a referral).
NODATA, DROP, TC, CLOSE, SHORT, LAME = "NODATA", "DROP", "TC", "CLOSE", "SHORT", "LAME"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A look-up, and servers whose rules are lines of `[@SERVER] [TRANSPORT] NAME TYPE[#TIME] ANSWER...`.

    The first rule that fits counts. `*` fits every name; TYPE `ANY` every type; TIME is the n-th time that this server
    is asked this by this transport. Without a fitting rule the answer is NXDOMAIN.
    """

    title: str
    lookup: str
    rules: str = ""
    options: str = "ndots:5 timeout:1"
    family: Family = Family.BOTH
    servers: int = 1
    search: str = SEARCH

    def __str__(self) -> str:
        return self.title

    def resolv_conf(self, servers: Iterable[str]) -> str:
        lines = [f"nameserver {server}" for server in servers]
        return "\n".join((*lines, f"search {self.search}", f"options {self.options}")) + "\n"


@dataclass(slots=True)
class Script:
    """Answers by the rules of one scenario, for all of its servers; counts as it goes."""

    scenario: Scenario
    _times: Counter[tuple[int, str, str, str]] = field(default_factory=Counter)

    def answer(self, server: int, transport: str, octets: bytes) -> bytes | str:
        """Octets to send, or DROP or CLOSE. *server* counts from 1."""
        try:
            query = Message.decode(octets)
        except WireError:
            return DROP
        question = query.questions[0]
        name, rtype = names.to_text(question.name).lower(), type_name(question.rtype)
        self._times[server, transport, name, rtype] += 1
        time = self._times[server, transport, name, rtype]
        for line in filter(None, map(str.strip, self.scenario.rules.splitlines())):
            said = _said(line.split(), server, transport, name, rtype, time)
            if said is not None:
                return said[0] if said[0] in (DROP, CLOSE) else _reply(query, said)
        return _reply(query, [Rcode.NXDOMAIN.name])


def _said(
    words: list[str], server: int, transport: str, name: str, rtype: str, time: int
) -> list[str] | None:
    if words[0].startswith("@") and words.pop(0) != f"@{server}":
        return None
    if words[0] in ("udp", "tcp") and words.pop(0) != transport:
        return None
    wanted, _, which = words[1].partition("#")
    if words[0] not in ("*", name) or wanted not in ("ANY", rtype) or which not in ("", str(time)):
        return None
    return words[2:]


def _reply(query: Message, said: list[str]) -> bytes:
    question = query.questions[0]
    word = said[0]
    rcode = rcode_number(word) or Rcode.NOERROR
    flags = Flag.QR | Flag.RD | (0 if word == LAME else Flag.RA) | (Flag.TC if word == TC else 0)
    header = Header(query.header.id, rcode=rcode, flags=flags)
    if word == SHORT:
        return Header(query.header.id, rcode=Rcode.REFUSED, flags=flags).encode()
    writer = MessageWriter(header, question, MESSAGE_MAX)
    if rcode == Rcode.NOERROR and word not in (NODATA, LAME, TC):
        assert writer.put_all(1, _records(question.name, question.rtype, said))
    return writer.finish()


def _records(owner: bytes, rtype: int, said: list[str]) -> Iterable[Record]:
    """Addresses of the type asked for; behind `CNAME TARGET` they are the target's."""
    words = list(said)
    while words:
        word = words.pop(0)
        if word == "CNAME":
            target = names.from_text(words.pop(0))
            yield Record(owner, Type.CNAME, 5, name_rdata(target))
            owner = target
        elif (":" in word) == (rtype == Type.AAAA):
            yield Record(owner, rtype, 5, address_rdata(word))


def line(server: int, transport: str, octets: bytes) -> str:
    """One query as a line: server, transport, type, name, flags, UDP size that OPT offers."""
    try:
        query = Message.decode(octets)
    except WireError as error:
        return f"@{server} {transport} malformed: {error}"
    (question,) = query.questions
    flags = [flag.name for flag in (Flag.RD, Flag.AD, Flag.CD) if query.header.flags & flag]
    words = [
        f"@{server}",
        transport,
        type_name(question.rtype),
        names.to_text(question.name),
        *map(str, flags),
    ]
    if query.edns:
        words.append(f"OPT={query.edns.payload}{'+DO' if query.edns.do else ''}")
    return " ".join(words)
