"""Answers queries of type ANY with one small record (RFC 8482)."""

from dnsserver.config import Directive
from dnsserver.plugins.any.handler import AnyType
from dnsserver.plugins.plugin import Plugin, Repeats, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    for occurrence in directive.occurrences:
        occurrence.no_arguments()
        if occurrence.properties:
            raise occurrence.properties[0].unknown()
    return Plugin(name="any", wrap=AnyType, repeats=Repeats.AS_IT_IS)
