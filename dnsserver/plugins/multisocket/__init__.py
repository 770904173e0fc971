"""How many processes answer, where the command line does not say."""

from dnsserver.config import Directive
from dnsserver.plugins.multisocket.settings import MultisocketSettings
from dnsserver.plugins.plugin import Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    settings = MultisocketSettings.from_directive(directive)
    return Plugin(name="multisocket", workers=settings.sockets)
