"""Logs queries and their replies."""

from dnsserver.config import Directive
from dnsserver.plugins.log.handler import Log
from dnsserver.plugins.log.settings import LogSettings
from dnsserver.plugins.plugin import Handler, Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:
    settings = LogSettings.from_directive(directive)

    def wrap(following: Handler) -> Handler:
        return Log(following, settings.rules, site.server.now)

    return Plugin(name="log", wrap=wrap)
