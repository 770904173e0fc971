"""What `cancel` is told in the Corefile."""

from dataclasses import dataclass

from dnsserver.config import ConfigError, Directive, gotext

#: Seconds. A little more than stub resolvers wait (resolv.conf(5), `timeout`); CoreDNS's.
TIMEOUT_S = 5.001


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSettings:
    """`timeout_s`: seconds that a query may take."""

    timeout_s: float = TIMEOUT_S

    @classmethod
    def from_directive(cls, directive: Directive) -> "CancelSettings":
        """The last occurrence counts; all are checked. Raises ConfigError."""
        settings = cls()
        for found in directive.occurrences:
            found.no_properties()
            settings = cls()
            for token in found.at_most(1):
                shown = gotext.quote(token.text)
                try:
                    timeout_s = found.duration(token)
                except ConfigError:
                    raise found.bare_error(f"invalid duration: {shown}", token) from None
                if timeout_s <= 0:
                    raise found.bare_error(f"invalid negative duration: {shown}", token)
                settings = cls(timeout_s=timeout_s)
        return settings
