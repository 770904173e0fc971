"""What `health` is told in the Corefile."""

from dataclasses import dataclass, replace

from dnsserver.config import Directive, Property, seconds
from dnsserver.plugins.http_address import host_port


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """Where `/health` is served, and what happens at the end."""

    host: str = ""
    """Address or host name to listen on; "" for all addresses."""
    port: int = 8080
    """TCP port; 0 for any that is free."""
    lameduck_s: float = 0.0
    """Seconds to go on answering after the signal to stop."""

    @classmethod
    def from_directive(cls, directive: Directive) -> "HealthSettings":
        """Several lines are merged: what a later one does not say stays."""
        settings = cls()
        for occurrence in directive.occurrences:
            host, port = host_port(occurrence, (settings.host, settings.port))
            settings = replace(settings, host=host, port=port)
            for line in occurrence.properties:
                if line.text != "lameduck":
                    raise line.unknown()
                settings = replace(settings, lameduck_s=_lameduck(line))
        return settings


def _lameduck(line: Property) -> float:
    """Seconds; a time below zero is none."""
    token = line.one()
    try:
        return max(0.0, seconds(token.text))
    except ValueError as error:
        raise line.bare_error(
            f"unable to parse lameduck duration value: '{token.text}' : {error}", token
        ) from None
