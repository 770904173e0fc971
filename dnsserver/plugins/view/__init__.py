"""Says which queries a server block takes."""

from dnsserver.answering.query import Query
from dnsserver.config import Directive
from dnsserver.languages.expr import EvaluationError
from dnsserver.plugins.plugin import Plugin, Site
from dnsserver.plugins.query_expressions import functions_of
from dnsserver.plugins.view.settings import ViewSettings


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = ViewSettings.from_directive(directive)

    def takes(query: Query) -> bool:
        """Whether all conditions are true; one that fails is not."""
        for plugin in site.block():
            if plugin.gathers is not None:
                query = plugin.gathers(query)
        functions = functions_of(query)
        try:
            return all(condition.run(functions) is True for condition in settings.conditions)
        except EvaluationError:
            return False

    return Plugin(name="view", takes=takes, labels=lambda _: {"view/name": lambda: settings.name})
