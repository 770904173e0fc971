"""https: how many clients a block's HTTPS listeners take."""

from dnsserver.config import Directive
from dnsserver.plugins.https.settings import connections_from
from dnsserver.plugins.plugin import Plugin, Site


def setup(directive: Directive, _site: Site) -> Plugin:
    """Raises ConfigError."""
    return Plugin(name="https", https_connections=connections_from(directive))
