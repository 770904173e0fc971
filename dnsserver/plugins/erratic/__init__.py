"""Answers badly, for tests of clients."""

from dnsserver.config import Directive
from dnsserver.plugins.erratic.handler import Erratic
from dnsserver.plugins.erratic.settings import ErraticSettings
from dnsserver.plugins.plugin import Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    """Raises ConfigError."""
    erratic = Erratic(ErraticSettings.from_directive(directive))
    return Plugin(name="erratic", wrap=lambda _: erratic, waiting_for=erratic.waiting_for)
