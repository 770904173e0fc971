"""What `prometheus` is told in the Corefile."""

from dataclasses import dataclass, replace

from dnsserver.config import Directive, Property
from dnsserver.plugins.http_address import host_port


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSettings:
    """Where `/metrics` is served."""

    host: str = "localhost"
    """Address or host name to listen on; "" for all addresses."""
    port: int = 9153
    """TCP port; 0 for any that is free."""
    runtime_metrics: bool = False
    """Tell of the Python interpreter, too."""

    @classmethod
    def from_directive(cls, directive: Directive) -> "PrometheusSettings":
        occurrence = directive.once()
        host, port = host_port(occurrence, (cls().host, cls().port))
        settings = cls(host=host, port=port)
        for line in occurrence.properties:
            _check(line)
            settings = replace(settings, runtime_metrics=True)
        return settings


def _check(line: Property) -> None:
    """`runtime_metrics` is the only property that is served."""
    if line.text == "tls":
        raise line.error(
            "tls is not supported yet: leave it out, or put a proxy in front", line.exactly(1)[0]
        )
    if line.text != "runtime_metrics":
        raise line.error(f"unknown option: {line.text}", line.name)
    line.no_arguments()
