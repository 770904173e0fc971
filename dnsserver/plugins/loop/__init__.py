"""Finds out whether what is forwarded comes back."""

from collections.abc import Sequence

from dnsserver.config import Directive
from dnsserver.plugins.loop.handler import Loop
from dnsserver.plugins.loop.probing import Probe
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.wire import names


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    occurrence = directive.once()
    occurrence.exactly(0)
    occurrence.no_properties()

    async def upstreams() -> Sequence[str]:
        found: list[str] = []
        for plugin in site.block():
            if plugin.name == "forward" and plugin.check is not None:
                found += await plugin.check()
        return found

    probe = Probe(names.from_text(site.zones[0]), upstreams)

    def wrap(following: Handler) -> Handler:
        probe.ask = probe.ask or following  # the first chain is the one that answers
        return Loop(following, probe)

    return Plugin(name="loop", wrap=wrap, lifespan=probe.lifespan, metrics=probe.families)
