"""Answers that are made of the question by templates."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.plugins.template.counts import TemplateCounts
from dnsserver.plugins.template.handler import TemplateHandler
from dnsserver.plugins.template.matching import leaves_alone
from dnsserver.plugins.template.settings import TemplateSettings


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = TemplateSettings.from_directive(directive, site.zones)
    counts = TemplateCounts(site.view)

    def wrap(following: Handler) -> Handler:
        return TemplateHandler(following, settings.templates, counts, site.server.resolve)

    return Plugin(
        name="template",
        wrap=wrap,
        leaves_alone=lambda question: leaves_alone(settings.templates, question),
        metrics=counts.families,
    )
