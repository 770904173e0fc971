"""What is spoken on a listening TCP socket, by the scheme of its server key (coredns-compat.md, section 1.5)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dnsserver.transports.certificates import Certificates
from dnsserver.transports.conversation import Conversation, DnsConversation


@dataclass(frozen=True, slots=True)
class Service:
    """`protocols` are what clients may choose from in TLS (RFC 7301), which is used where there are `certificates`."""

    scheme: str
    conversation: Callable[[], Conversation]
    certificates: Certificates | None = None
    protocols: tuple[str, ...] = ()


PLAIN = Service("dns", DnsConversation)


def dns_over_tls(certificates: Certificates) -> Service:
    """RFC 7858."""
    return Service("tls", DnsConversation, certificates, ("dot",))


def dns_over_https(certificates: Certificates | None, count: Callable[[int], None]) -> Service:
    """RFC 8484; without *certificates* by HTTP, for a proxy in front. *count* is told the status of every reply."""
    # Imported here: reading of HTTP/2 takes 30 ms, and most servers never speak it.
    from dnsserver.transports.https import HttpConversation

    return Service("https", partial(HttpConversation, count), certificates, ("h2", "http/1.1"))
