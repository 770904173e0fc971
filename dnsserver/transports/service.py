"""What is spoken on a listening TCP socket, by the scheme of its server key (coredns-compat.md, section 1.5)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dnsserver.transports.certificates import Certificates
from dnsserver.transports.conversation import Conversation, DnsConversation


@dataclass(frozen=True, slots=True)
class Service:
    """Within TLS where there are `certificates`. `numbered`: the limit of questions per connection, if any, holds."""

    scheme: str
    conversation: Callable[[], Conversation]
    certificates: Certificates | None = None
    numbered: bool = True


PLAIN = Service("dns", DnsConversation)


def dns_over_tls(certificates: Certificates) -> Service:
    """RFC 7858."""
    return Service("tls", DnsConversation, certificates)


def dns_over_https(certificates: Certificates | None, count: Callable[[int], None]) -> Service:
    """RFC 8484; without *certificates* by HTTP, for a proxy in front. *count* is told the status of every reply."""
    # Imported here: reading of HTTP/2 takes 30 ms, and most servers never speak it.
    from dnsserver.transports.https import HttpConversation

    return Service("https", partial(HttpConversation, count), certificates, numbered=False)
