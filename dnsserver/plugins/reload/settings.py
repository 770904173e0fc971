"""What `reload` is told in the Corefile."""

from dataclasses import dataclass

from dnsserver.config import Directive

#: Seconds: CoreDNS's defaults and lower limits (coredns-compat.md, section 3.10).
INTERVAL_S, JITTER_S = 30.0, 15.0
INTERVAL_LEAST_S, JITTER_LEAST_S = 2.0, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadSettings:
    """How often the Corefile is looked at. All in seconds."""

    interval_s: float = INTERVAL_S
    jitter_s: float = JITTER_S
    """How far the periods of many servers lie apart; half the interval at most."""

    @classmethod
    def from_directive(cls, directive: Directive) -> "ReloadSettings":
        """The first line of a block counts."""
        line = directive.occurrences[0]
        line.no_properties()
        given = line.at_most(2)
        interval_s = line.duration(given[0]) if given else INTERVAL_S
        if interval_s < INTERVAL_LEAST_S:
            raise line.bare_error("interval value must be greater or equal to 2s", given[0])
        jitter_s = line.duration(given[1]) if len(given) > 1 else JITTER_S
        if jitter_s != 0 and jitter_s < JITTER_LEAST_S:
            raise line.bare_error("jitter value must be 0 or greater or equal to 1s", given[1])
        return cls(interval_s=interval_s, jitter_s=min(jitter_s, interval_s / 2))

    def period_s(self, chance: float) -> float:
        """The seconds between two looks of one server; *chance* from 0 to 1."""
        return self.interval_s + self.jitter_s * (chance - 0.5)
