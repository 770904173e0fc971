"""What a look-up asks for, and how it ends."""

from dataclasses import dataclass
from enum import Enum

from dnsserver.wire.codes import Type


class Family(Enum):
    """The address families of a look-up: `ai_family` of getaddrinfo(3), the network "ip", "ip4", "ip6" of Go."""

    BOTH = (Type.A, Type.AAAA)
    IPV4 = (Type.A,)
    IPV6 = (Type.AAAA,)

    @property
    def types(self) -> tuple[Type, ...]:
        return tuple(Type(rtype) for rtype in self.value)


@dataclass(frozen=True, slots=True)
class Lookup:
    """A call of getaddrinfo(3) without AI_ADDRCONFIG, or of Go's `net.Resolver.LookupIP`."""

    name: str
    family: Family = Family.BOTH


@dataclass(frozen=True, slots=True)
class Outcome:
    """Addresses in the order in which the library puts them together, before RFC 6724 sorts them by routes.

    `error` is "" when there are some: the EAI code of getaddrinfo(3) or "no such host" and the like of Go; `text` is
    what programs print of it.
    """

    addresses: tuple[str, ...] = ()
    error: str = ""
    text: str = ""
    canonical: str = ""
