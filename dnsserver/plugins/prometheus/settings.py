"""What `prometheus` is told in the Corefile."""

import ssl
from dataclasses import dataclass, replace
from pathlib import Path

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

    tls: ssl.SSLContext | None = None
    """Serve HTTPS."""

    @classmethod
    def from_directive(cls, directive: Directive, directory: Path) -> "PrometheusSettings":
        """The file of `tls` counts from *directory*."""
        occurrence = directive.once()
        host, port = host_port(occurrence, (cls().host, cls().port))
        settings = cls(host=host, port=port)
        for line in occurrence.properties:
            match line.text:
                case "runtime_metrics":
                    line.no_arguments()
                    settings = replace(settings, runtime_metrics=True)
                case "tls":
                    if settings.tls is not None:
                        raise line.error("tls block already specified", line.name)
                    settings = replace(settings, tls=_context(line, directory))
                case _:
                    raise line.error(f"unknown option: {line.text}", line.name)
        return settings


def _context(line: Property, directory: Path) -> ssl.SSLContext:
    # Imported here: it reads YAML, which few ask for.
    from dnsserver.plugins.prometheus.web_config import WebConfigError, tls_context

    token = line.one()
    try:
        return tls_context(directory / token.text)
    except WebConfigError as error:
        raise line.bare_error(str(error), token) from None
