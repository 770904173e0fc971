"""Tells clients their own address, port and transport."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Site
from dnsserver.plugins.whoami.handler import Whoami


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    for occurrence in directive.occurrences:
        occurrence.no_arguments()
        occurrence.no_properties()
    return Plugin(name="whoami", wrap=Whoami)
