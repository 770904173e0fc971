"""Replies in presentation format."""

from collections.abc import Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from dnsserver.comparing.seen import Seen
from dnsserver.wire import names
from dnsserver.wire.codes import type_number
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question

SOA = "cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 30"


def question(text: str) -> Question:
    """Of `NAME TYPE`."""
    name, rtype = text.split()
    return Question(names.from_text(name), type_number(rtype) or 0)


def seen(
    text: str, *answer: str, authority: Sequence[str] = (), rcode: str = "NOERROR", flags: str = "QR AA RD"
) -> Seen:
    """The reply to `NAME TYPE` with these records."""
    name, rtype = text.split()
    message = dns.message.make_response(dns.message.make_query(name, rtype))
    message.flags = dns.flags.from_text(flags)
    message.set_rcode(dns.rcode.from_text(rcode))
    message.answer = [_rrset(line) for line in answer]
    message.authority = [_rrset(line) for line in authority]
    return Seen.of(Message.decode(message.to_wire()), question(text))


def _rrset(line: str) -> dns.rrset.RRset:
    owner, ttl, rclass, rtype, rdata = line.split(maxsplit=4)
    return dns.rrset.from_text(owner, int(ttl), rclass, rtype, rdata)
