"""Tells clients that ask for it which server they have reached (RFC 5001)."""

import socket

from dnsserver.config import Directive
from dnsserver.plugins.nsid.handler import Nsid
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    """Raises ConfigError."""
    occurrence = directive.once()
    occurrence.no_properties()
    data = (" ".join(occurrence.texts) or _host_name()).encode("utf-8", "surrogateescape")

    def wrap(following: Handler) -> Handler:
        return Nsid(following, data)

    return Plugin(name="nsid", wrap=wrap, repeats=Repeats.AS_IT_IS, reads_options=True)


def _host_name() -> str:
    try:
        return socket.gethostname()
    except OSError:
        return "localhost"
