"""Ends queries that take too long."""

from dnsserver.config import Directive
from dnsserver.plugins.cancel.handler import Cancel
from dnsserver.plugins.cancel.settings import CancelSettings
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    settings = CancelSettings.from_directive(directive)

    def wrap(following: Handler) -> Handler:
        return Cancel(following, settings.timeout_s)

    return Plugin(name="cancel", wrap=wrap, repeats=Repeats.AS_IT_IS)
