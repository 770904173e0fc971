"""Says by HTTP that the process lives, and prolongs its life after the signal to stop."""

from dnsserver.config import Directive
from dnsserver.observability.http import HttpAnswer
from dnsserver.plugins.health.probing import SelfProbe
from dnsserver.plugins.health.settings import HealthSettings
from dnsserver.plugins.plugin import Plugin, Route, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    settings = HealthSettings.from_directive(directive)
    route = Route(settings.host, settings.port, "/health", answer, where=directive.last().name.where)
    probe = SelfProbe(settings.host, settings.port)
    return Plugin(
        name="health",
        routes=(route,),
        lameduck_s=settings.lameduck_s,
        follow=probe.lifespan,
        metrics=probe.families,
    )


def answer() -> HttpAnswer:
    """A process that can run this is alive."""
    return HttpAnswer(200, b"OK")
