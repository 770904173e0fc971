"""Chooses the addresses that a server block listens on."""

from dnsserver.config import Directive
from dnsserver.plugins.bind.settings import BindSettings
from dnsserver.plugins.plugin import Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    return Plugin(name="bind", bind=BindSettings.from_directive(directive).addresses)
