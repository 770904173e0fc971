"""Good messages to start from: queries for names that exist and do not, and replies of other servers."""

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rrset

from tests.answering.packets import ACCEPTED
from tests.answers.tables import TABLES

_TYPES = ("A", "AAAA", "SRV", "TXT", "PTR", "NS", "SOA", "ANY", "TYPE65280")


def _queries() -> list[bytes]:
    asked = sorted({case.ask for table in TABLES for case in table.cases})[::9]
    found = []
    for number, ask in enumerate(asked):
        name, *_, rtype = ask.split()
        query = dns.message.make_query(name, rtype, id=number)
        if number % 3 == 1:
            query.use_edns(0, 0x8000 * (number % 2), (0, 512, 1232, 4096, 65535)[number % 5])
        if number % 7 == 1:
            cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"8 octets")
            query.use_edns(0, 0, 1232, options=[cookie, dns.edns.ECSOption("192.0.2.0", 24)])
        if number % 11 == 0:
            query.set_opcode(dns.opcode.NOTIFY)
        found.append(query.to_wire())
    return found


def _replies() -> list[bytes]:
    sections = (
        ("www.example.com. 60 IN CNAME web.example.net.", "web.example.net. 60 IN A 192.0.2.1 192.0.2.2"),
        ("example.com. 60 IN MX 10 mail.example.com. 20 mail2.example.com.",),
        ("_x._tcp.example.com. 60 IN SRV 0 0 80 www.example.com.",),
        ('example.com. 60 IN TXT "one" "two"',),
        ("example.com. 60 IN SOA ns.example.com. root.example.com. 1 2 3 4 5",),
        ("example.com. 60 IN NS a.ns.example.com. b.ns.example.com.",),
        ("example.com. 60 IN DNAME example.net.", "example.com. 60 IN RP root.example.com. example.net."),
        ("example.com. 60 IN HTTPS 1 . alpn=h2", "example.com. 60 IN CAA 0 issue ca.example.net"),
        ("example.com. 60 IN AAAA 2001:db8::1 2001:db8::2",),
    )
    found = []
    for number, lines in enumerate(sections * 2):
        reply = dns.message.make_response(dns.message.make_query("www.example.com.", "A", id=number))
        target = (reply.answer, reply.authority, reply.additional)[number % 3]
        for line in lines:
            owner, ttl, rclass, rtype, rest = line.split(maxsplit=4)
            texts = [rest] if rtype in ("TXT", "SOA", "SRV", "RP", "HTTPS", "CAA") else rest.split()
            if rtype == "MX":
                texts = ["10 mail.example.com.", "20 mail2.example.com."]
            target.append(dns.rrset.from_text_list(owner, int(ttl), rclass, rtype, texts))
        if number % 2:
            reply.use_edns(0, 0, 1232)
        found.append(reply.to_wire())
    return found


QUERIES: tuple[bytes, ...] = (*_queries(), *(octets for _, octets in ACCEPTED))
REPLIES: tuple[bytes, ...] = tuple(_replies())
