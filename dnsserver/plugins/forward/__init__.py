"""Asks other servers."""

import contextlib
from collections.abc import AsyncIterator

from dnsserver.config import Directive
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.handler import Forward
from dnsserver.plugins.forward.metadata import labels
from dnsserver.plugins.forward.options import settings_of
from dnsserver.plugins.forward.probes import Probes
from dnsserver.plugins.forward.report import check_line
from dnsserver.plugins.forward.resolving import resolved
from dnsserver.plugins.forward.upstreams import Upstreams
from dnsserver.plugins.plugin import Handler, Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:
    """Several occurrences stand behind each other in file order: the first whose names match answers."""
    counters = ForwardCounters()
    probes = Probes(counters)
    every = [settings_of(one, site.directory) for one in directive.occurrences]
    asked = [(settings, Upstreams(settings, counters)) for settings in every]

    def wrap(following: Handler) -> Handler:
        for settings, upstreams in reversed(asked):
            following = Forward(following, settings, upstreams, probes, site.server.exchanges, counters)
        return following

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as exits:
            for settings, upstreams in asked:
                exits.callback(upstreams.close)
                await exits.enter_async_context(resolved(settings, upstreams))
            await exits.enter_async_context(probes.lifespan())
            yield

    async def check() -> list[str]:
        return [check_line(settings) for settings in every]

    return Plugin(
        name="forward",
        wrap=wrap,
        lifespan=lifespan,
        classes_beyond_in=True,
        one_tree=len(every) == 1 and not every[0].excepted,
        leaves_alone=lambda question: not any(settings.takes(question.name.lower()) for settings in every),
        labels=labels,
        metrics=counters.families,
        check=check,
    )
