"""What `bufsize` is told in the Corefile."""

from dataclasses import dataclass

from dnsserver.config import ConfigError, Directive

#: Octets. What goes through nearly every network in one piece (DNS flag day 2020).
SIZE = 1_232
#: Octets. What every client can take (RFC 1035 section 4.2.1), and where to begin (RFC 6891 section 6.2.5).
SIZE_MIN, SIZE_MAX = 512, 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class BufsizeSettings:
    """`size`: octets that a UDP message may have."""

    size: int = SIZE

    @classmethod
    def from_directive(cls, directive: Directive) -> "BufsizeSettings":
        """The first occurrence counts, as in CoreDNS. Raises ConfigError."""
        found = directive.occurrences[0]
        found.no_properties()
        if not found.at_most(1):
            return cls()
        try:
            return cls(size=found.integer(found.arguments[0], SIZE_MIN, SIZE_MAX))
        except ConfigError:
            raise found.argument_error() from None  # CoreDNS says no more than that
