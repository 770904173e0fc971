"""Leaves out of answers what was not asked for."""

from dnsserver.config import Directive
from dnsserver.plugins.minimal.handler import Minimal, shortened
from dnsserver.plugins.plugin import Plugin, Repeats, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    for occurrence in directive.occurrences:
        occurrence.no_arguments()
        occurrence.no_properties()
    return Plugin(name="minimal", wrap=Minimal, repeats=Repeats.ALTERED, alters=shortened)
