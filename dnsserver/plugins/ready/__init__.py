"""Says by HTTP whether the server can answer what it is there for."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Route, Site
from dnsserver.plugins.ready.handler import Readiness
from dnsserver.plugins.ready.settings import ReadySettings

READY_PATH = "/ready"


def setup(directive: Directive, site: Site) -> Plugin:
    settings = ReadySettings.from_directive(directive)
    readiness = Readiness(site.server, settings.continuously)
    mode = "monitor continuously" if settings.continuously else "monitor until-ready"
    where = directive.last().name.where
    route = Route(settings.host, settings.port, READY_PATH, readiness.answer, mode, where)
    return Plugin(name="ready", routes=(route,))
