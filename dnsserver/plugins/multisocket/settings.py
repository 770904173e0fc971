"""What `multisocket` is told in the Corefile."""

from dataclasses import dataclass

from dnsserver.config import Directive, gotext

#: What CoreDNS allows.
SOCKETS_MAX = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MultisocketSettings:
    """`sockets`: for each address; 0: one for each CPU that may be used."""

    sockets: int = 0

    @classmethod
    def from_directive(cls, directive: Directive) -> "MultisocketSettings":
        line = directive.occurrences[0]
        if len(directive.occurrences) > 1:
            second = directive.occurrences[1]
            raise second.argument_error(second.name)
        line.no_properties()
        for token in line.at_most(1):
            try:
                sockets = gotext.integer(token.text, "strconv.Atoi")
            except ValueError as error:
                raise line.bare_error(f"invalid num sockets: {error}", token) from None
            if sockets < 1:
                raise line.bare_error(f"num sockets can not be zero or negative: {sockets}", token)
            if sockets > SOCKETS_MAX:
                raise line.bare_error(f"num sockets exceeds maximum ({SOCKETS_MAX}): {sockets}", token)
            return cls(sockets=sockets)
        return cls()
