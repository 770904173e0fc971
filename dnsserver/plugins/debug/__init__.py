"""Switches debug messages on."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    for occurrence in directive.occurrences:
        occurrence.no_arguments()
        occurrence.no_properties()
    return Plugin(name="debug", debug=True)
