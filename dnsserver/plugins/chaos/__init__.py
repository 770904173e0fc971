"""Tells the server's version, authors and host name to queries of class CH."""

from dnsserver.config import Directive
from dnsserver.plugins.chaos.handler import Chaos
from dnsserver.plugins.chaos.settings import ChaosSettings
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    settings = ChaosSettings.from_directive(directive)

    def wrap(following: Handler) -> Handler:
        return Chaos(following, settings)

    return Plugin(name="chaos", wrap=wrap, repeats=Repeats.AS_IT_IS, classes_beyond_in=True)
