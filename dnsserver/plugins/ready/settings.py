"""What `ready` is told in the Corefile."""

from dataclasses import dataclass, replace

from dnsserver.config import Directive, Property
from dnsserver.plugins.http_address import host_port


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadySettings:
    """Where `/ready` is served, and how often plugins are asked."""

    host: str = ""
    """Address or host name to listen on; "" for all addresses."""
    port: int = 8181
    """TCP port; 0 for any that is free."""
    continuously: bool = False
    """Ask also the plugins that were ready once."""

    @classmethod
    def from_directive(cls, directive: Directive) -> "ReadySettings":
        occurrence = directive.once()
        host, port = host_port(occurrence, (cls().host, cls().port))
        settings = cls(host=host, port=port)
        for line in occurrence.properties:
            if line.text != "monitor":
                raise line.unknown()
            settings = replace(settings, continuously=_continuously(line))
        return settings


def _continuously(line: Property) -> bool:
    kind = line.one()
    if kind.text not in ("until-ready", "continuously"):
        raise line.error(f"monitor type '{kind.text}' not supported", kind)
    return kind.text == "continuously"
