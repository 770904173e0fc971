"""Gathers what the plugins of a server block know of a query."""

from collections.abc import Callable
from dataclasses import replace

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config import Directive
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site
from dnsserver.wire import names


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    occurrence = directive.occurrences[0]
    occurrence.no_properties()
    if len(directive.occurrences) > 1:
        raise directive.occurrences[1].argument_error(directive.occurrences[1].name)
    zones = tuple(map(names.from_text, occurrence.zones(site.zones)))

    def gathered(query: Query) -> Query:
        """With the labels, if its name is in one of the zones."""
        if not any(names.is_below(query.name, zone) for zone in zones):
            return query
        labels: dict[str, Callable[[], str]] = {}
        for plugin in site.block():
            if plugin.labels is not None:
                labels |= plugin.labels(query)
        return replace(query, labels=labels)

    def wrap(following: Handler) -> Handler:
        async def handle(query: Query) -> Reply | None:
            return await following(gathered(query))

        return handle

    # Labels change no reply by themselves; plugins that make one of them want to see every query.
    return Plugin(name="metadata", wrap=wrap, repeats=Repeats.AS_IT_IS, gathers=gathered)
