"""timeouts: how long clients over TCP, TLS and HTTPS may take."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Site
from dnsserver.plugins.timeouts.settings import timeouts_from


def setup(directive: Directive, _site: Site) -> Plugin:
    """Raises ConfigError."""
    return Plugin(name="timeouts", timeouts=timeouts_from(directive))
