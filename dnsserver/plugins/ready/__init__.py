"""Says by HTTP whether the server can answer what it is there for."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Route, Site
from dnsserver.plugins.ready.handler import Readiness
from dnsserver.plugins.ready.settings import ReadySettings


def setup(directive: Directive, site: Site) -> Plugin:
    settings = ReadySettings.from_directive(directive)
    readiness = Readiness(site.server, settings.continuously)
    return Plugin(name="ready", routes=(Route(settings.host, settings.port, "/ready", readiness.answer),))
