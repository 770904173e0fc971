"""Logs why queries got no answer."""

from dnsserver.config import Directive
from dnsserver.plugins.errors.handler import ErrorReports, Errors
from dnsserver.plugins.errors.settings import ErrorsSettings
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    settings = ErrorsSettings.from_directive(directive)
    reports = ErrorReports(settings.rules)

    def wrap(following: Handler) -> Handler:
        return Errors(following, reports, settings.stacktrace)

    return Plugin(name="errors", wrap=wrap, repeats=Repeats.AS_IT_IS, lifespan=reports.lifespan)
