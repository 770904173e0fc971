"""Counts queries, and serves the numbers of the whole server by HTTP."""

from dnsserver.config import Directive
from dnsserver.observability.process_metrics import process_families
from dnsserver.plugins.plugin import Plugin, Route, Site
from dnsserver.plugins.prometheus.collecting import all_families
from dnsserver.plugins.prometheus.interpreter import interpreter_families
from dnsserver.plugins.prometheus.settings import PrometheusSettings


def setup(directive: Directive, site: Site) -> Plugin:
    # Imported here: the library takes 0.1 s to import, and most servers do without it.
    from dnsserver.observability.metrics import Exposition

    settings = PrometheusSettings.from_directive(directive, site.directory)
    server = site.server
    exposition = Exposition(lambda: (*all_families(server), *process_families(server.process())))
    where = directive.last().name.where
    route = Route(settings.host, settings.port, "/metrics", exposition.answer, where=where, tls=settings.tls)
    return Plugin(
        name="prometheus",
        routes=(route,),
        counted=True,
        metrics=interpreter_families if settings.runtime_metrics else None,
    )
