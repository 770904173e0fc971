"""Asks other servers."""

from dnsserver.config import Directive
from dnsserver.plugins.forward.handler import Forward
from dnsserver.plugins.forward.probes import Probes
from dnsserver.plugins.forward.settings import ForwardSettings
from dnsserver.plugins.forward.upstreams import Upstreams
from dnsserver.plugins.plugin import Handler, Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:
    """Several occurrences stand behind each other in file order: the first whose names match answers."""
    every = [ForwardSettings.from_occurrence(one, site.directory) for one in directive.occurrences]
    probes = Probes()

    def wrap(following: Handler) -> Handler:
        for settings in reversed(every):
            following = Forward(following, settings, Upstreams(settings), probes, site.server.exchanges)
        return following

    return Plugin(
        name="forward",
        wrap=wrap,
        lifespan=probes.lifespan,
        classes_beyond_in=True,
        one_tree=len(every) == 1 and not every[0].excepted,
    )
